//! What is known of one attempt on Slurm, and what its folder says of it.

use std::io;
use std::sync::Arc;
use std::time::Duration as Span;

use giga_formats::attempt::{Claim, Claimant, Handover, Lost};
use giga_model::{End, Receipt};
use giga_units::Instant;

use super::protocol::Dealings;
use crate::Seen;
use crate::attempt::claim::CLAIM;
use crate::attempt::folder::{Folder, Found};
use crate::attempt::launch::never_began;
use crate::attempt::supervisor::{LAUNCH, RECEIPT, STOP};

/// That it is dead for good, and how that is known.
pub(super) const LOST: &str = "lost.json";
/// Why it will not begin, written before its claim is taken.
pub(super) const GAVE_UP: &str = "gave-up.json";
/// That it may have been submitted.
pub(super) const ASKED: &str = "asked";
/// That it was looked at once more before it was taken for lost.
pub(super) const LOOKED: &str = "looked";
/// That it was asked to end because Slurm lost it, and not because anybody wanted so.
pub(super) const FENCING: &str = "fencing";

/// What this process knows of an attempt that is not over.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) handover: Option<Arc<Handover>>,
    pub(super) claim: Option<Claim>,
    pub(super) dealings: Dealings,
    /// Why the last step did not work.
    pub(super) complaint: Option<String>,
    /// Until when it is left alone because Slurm refused it.
    pub(super) quiet: Option<Span>,
    /// When it was first seen to be over on its first host.
    pub(super) ending: Option<Span>,
    /// When it was first asked to stop here, and when Slurm was last asked to tell it.
    pub(super) stopping: Option<(Span, Span)>,
}

/// How far an attempt is, by its folder alone.
#[derive(Debug)]
pub(super) enum Stage {
    /// It was not handed over.
    Nothing,
    /// It is over.
    Over(Seen),
    /// It can not be told.
    Unclear(String),
    /// It was handed over, and no one has claimed it.
    Unclaimed,
    /// A supervisor has, then; and when its program began, where it has.
    Claimed { at: Instant, began: Option<Instant> },
}

impl Known {
    /// Looks at the folder, remembering what can not change.
    pub(super) fn look(&mut self, folder: &Folder) -> io::Result<Stage> {
        if let Found::Whole(lost) = folder.read::<Lost>(LOST)? {
            return Ok(Stage::Over(Seen::Lost { cause: lost.cause }));
        }
        match folder.read::<Receipt>(RECEIPT)? {
            Found::Whole(receipt) => return Ok(Stage::Over(ended(folder, receipt)?)),
            Found::Broken(fault) => return Ok(Stage::Unclear(format!("`{RECEIPT}`: {fault}"))),
            Found::Nothing => {}
        }
        if self.claim.is_none() {
            match folder.read::<Claim>(CLAIM)? {
                Found::Whole(claim) => self.claim = Some(claim),
                Found::Broken(fault) => return Ok(Stage::Unclear(format!("`{CLAIM}`: {fault}"))),
                Found::Nothing => return self.unclaimed(folder),
            }
        }
        // A server that is started anew knows no grace without it.
        self.hand_over(folder)?;
        let Some(claim) = &self.claim else { return Ok(Stage::Unclaimed) };
        if claim.by == Claimant::Fence {
            let end = match folder.read::<Lost>(GAVE_UP)? {
                Found::Whole(Lost { cause, .. }) => End::NotStarted { cause },
                _ => End::Stopped,
            };
            return Ok(Stage::Over(Seen::Ended(never_began(claim, end))));
        }
        Ok(Stage::Claimed { at: claim.at, began: folder.began()? })
    }

    /// Reads what was handed over, unless that is known.
    fn hand_over(&mut self, folder: &Folder) -> io::Result<()> {
        if self.handover.is_none()
            && let Found::Whole(handover) = folder.read::<Handover>(LAUNCH)?
        {
            self.handover = Some(Arc::new(handover));
        }
        Ok(())
    }

    /// When it was claimed, if it has several hosts.
    pub(super) fn spread(&mut self, folder: &Folder) -> io::Result<Option<Instant>> {
        self.hand_over(folder)?;
        if self.handover.as_ref().is_none_or(|handover| handover.launch.nodes.len() < 2) {
            return Ok(None);
        }
        Ok(match folder.read::<Claim>(CLAIM)? {
            Found::Whole(claim) if claim.by != Claimant::Fence => Some(claim.at),
            _ => None,
        })
    }

    fn unclaimed(&mut self, folder: &Folder) -> io::Result<Stage> {
        if self.handover.is_none() {
            match folder.read::<Handover>(LAUNCH)? {
                Found::Whole(handover) => self.handover = Some(Arc::new(handover)),
                Found::Nothing => return Ok(Stage::Nothing),
                Found::Broken(fault) => return Ok(Stage::Unclear(format!("`{LAUNCH}`: {fault}"))),
            }
        }
        Ok(Stage::Unclaimed)
    }
}

/// What a receipt means: one that says that somebody stopped it, where nobody here wanted that, is no end of the job.
fn ended(folder: &Folder, receipt: Receipt) -> io::Result<Seen> {
    if receipt.end != End::Stopped {
        return Ok(Seen::Ended(receipt));
    }
    if folder.file(FENCING).try_exists()? {
        let cause = "Slurm did not know it any more, so it was asked to end, and did".to_owned();
        return Ok(Seen::Lost { cause });
    }
    if folder.file(STOP).try_exists()? {
        return Ok(Seen::Ended(receipt));
    }
    let cause = "the site stopped it: Slurm, an administrator or a node that went down".to_owned();
    Ok(Seen::Lost { cause })
}
