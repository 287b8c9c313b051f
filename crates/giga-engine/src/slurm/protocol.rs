//! The protocol that makes an attempt run at most once on Slurm, as one pure function.
//!
//! A number that Slurm gave is no identity, and "it failed" can mean that it was submitted. So an attempt is found by its
//! name alone; it is submitted again only where the last try can not have left a job that is still to be seen; and what
//! ran is over only by its receipt, by Slurm's word that it ended, or because it was fenced: it was asked through the
//! folder that it shares with us to end, and had the time in which it ends whether it can still read that or not.
//!
//! Whatever this function gets wrong, the claim lets one copy of an attempt run and no second one.

use std::time::Duration as Span;

use giga_formats::slurm::{JobState, Record};

use crate::attempt::supervisor::BLIND;

/// Times that the protocol waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long after an unanswered submission a job of it may still turn up, or a new one be forgotten by a controller
    /// that crashes: the time after which messages are given up, and that in which the controller saves its state.
    pub window: Span,
    /// How long a receipt may take to be seen here after Slurm says that the job is over.
    pub settle: Span,
    /// How long after it was asked to end an attempt has ended, even where it can not read the folder any more: the time
    /// after which its supervisor gives up, its grace aside.
    pub fence: Span,
    /// How long between a job that ended before it began and its next submission, at first.
    pub again: Span,
    /// How often an attempt is submitted before it counts as one that can not begin.
    pub tries: u32,
}

impl Default for Rules {
    /// The window is Slurm's default `MessageTimeout` of 10 s and 10 s more for the controller to save its state; the rest is
    /// assumed: a network file system shows a new name within 60 s (`acdirmax` of Linux' NFS), and a supervisor that does not see
    /// its folder at all ends its program after 45 s; the fence is longer than either.
    fn default() -> Self {
        let seconds = Span::from_secs;
        Self { window: seconds(20), settle: seconds(2), fence: 2 * BLIND, again: seconds(1), tries: 4 }
    }
}

/// What the folder of an attempt says. Receipts and what is lost for good need no judgement and do not come here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Files {
    /// The number of the job whose supervisor has claimed it; zero where that is not known, `None` where none has.
    pub claimed: Option<u64>,
    /// Whether a second copy of it came after the claim and was turned away. That a job of its name ended says nothing of the
    /// one that has the claim then: a controller that crashed may have started it anew while it still ran.
    pub twice: bool,
    /// Its grace: from the request to end until it is killed.
    pub grace: Span,
}

/// What this process knows of its own dealings with Slurm about an attempt. Times are on a clock that never jumps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dealings {
    /// A submission is under way.
    pub in_flight: bool,
    /// When the last one was under way; where a process before this one may have submitted, when this one began.
    pub submitted: Option<Span>,
    /// The number that the last one was answered with.
    pub id: Option<u64>,
    /// How many there were.
    pub tries: u32,
    /// Since when Slurm says that it is over.
    pub over: Option<Span>,
    /// Since when Slurm does not know it, although it ran.
    pub missing: Option<Span>,
    /// When it was asked to end because of that.
    pub fenced: Option<Span>,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is to be done: it waits.
    Waits,
    /// Nothing is to be done: it has begun and may live.
    Lives,
    /// It is to be submitted.
    Submit,
    /// It can not begin: it is to be fenced, and this is why.
    GiveUp(String),
    /// It may live where nobody sees it: it is to be asked to end.
    Fence,
    /// It is dead, and this is how that is known.
    Lost(String),
}

/// What follows for an attempt, and which of its jobs are too many. `records` are the jobs of its name, seen at `looked`;
/// the accounting's word may be among them.
pub fn judge(
    files: Files,
    dealings: &mut Dealings,
    records: &[Record],
    looked: Span,
    now: Span,
    rules: &Rules,
) -> (Verdict, Vec<u64>) {
    let mut live: Vec<&Record> = records.iter().filter(|record| record.state.is_live()).collect();
    // The one that has nodes is kept, else the oldest; numbers may be given anew, times of submission are not.
    live.sort_by_key(|record| (record.state == JobState::Waits, record.submitted, record.id));
    // Once one has begun, no other does anything.
    let begun = files.claimed.filter(|&by| by != 0);
    let (live, others): (Vec<&Record>, Vec<&Record>) =
        live.into_iter().partition(|record| begun.is_none_or(|by| record.id == by));
    // What was held or could not be launched is taken back, to be submitted again.
    let too_many = live.iter().enumerate().filter(|(place, record)| *place > 0 || record.is_stuck());
    let extra = too_many.map(|(_, record)| record.id).chain(others.iter().map(|record| record.id)).collect();
    if !live.is_empty() || dealings.in_flight {
        dealings.over = None;
        if !live.is_empty() {
            dealings.missing = None;
        }
    }
    let look = Look { records, looked, now };
    let verdict = match files.claimed {
        _ if !live.is_empty() || dealings.in_flight => {
            if files.claimed.is_some() {
                Verdict::Lives
            } else {
                Verdict::Waits
            }
        }
        Some(by) => claimed(by, files, dealings, look, rules),
        None => unclaimed(dealings, look, rules),
    };
    (verdict, extra)
}

/// What Slurm said of an attempt, when it was asked, and when that is judged.
#[derive(Clone, Copy)]
struct Look<'a> {
    records: &'a [Record],
    looked: Span,
    now: Span,
}

/// Of an attempt that has begun, by this job, and is not seen to live.
fn claimed(by: u64, files: Files, dealings: &mut Dealings, look: Look<'_>, rules: &Rules) -> Verdict {
    let Look { records, looked, now } = look;
    // One that was taken back while it waited had no nodes, and says nothing of the one that began.
    let ran = records.iter().filter(|record| record.id == by && !record.nodes.is_empty());
    let last = ran.max_by_key(|record| record.submitted);
    if let Some(last) = last.filter(|last| last.state == JobState::Over && !files.twice) {
        let since = *dealings.over.get_or_insert(looked);
        return if now.saturating_sub(since) < rules.settle {
            Verdict::Lives
        } else {
            Verdict::Lost(format!("job {} of Slurm ended without a receipt{}", last.id, because(last)))
        };
    }
    // Slurm does not know it, or its nodes may not know that it is over.
    let since = *dealings.missing.get_or_insert(looked);
    // A controller that comes up anew may not have read all it knew.
    if looked.saturating_sub(since) < rules.settle {
        return Verdict::Lives;
    }
    let Some(fenced) = dealings.fenced else { return Verdict::Fence };
    if now.saturating_sub(fenced) < rules.fence + files.grace {
        return Verdict::Lives;
    }
    let why = match last {
        None => "Slurm does not know it any more".to_owned(),
        Some(_) if files.twice => {
            "Slurm started it twice, and only knows how the second copy ended".to_owned()
        }
        Some(last) => {
            format!(
                "job {} of Slurm is over, and its nodes may not have heard of it{}",
                last.id,
                because(last)
            )
        }
    };
    let waited = (rules.fence + files.grace).as_secs();
    Verdict::Lost(format!("{why}; it was asked to end, and in {waited} s there came no receipt"))
}

/// Of an attempt that has not begun, and has no job that is seen to live.
fn unclaimed(dealings: &mut Dealings, look: Look<'_>, rules: &Rules) -> Verdict {
    let Look { records, looked, now } = look;
    let Some(submitted) = dealings.submitted else { return Verdict::Submit };
    let answered = dealings.id.and_then(|id| records.iter().find(|record| record.id == id));
    let Some(ended) = answered else {
        // It may be on its way, or a job that was answered is forgotten by a controller that crashed.
        let certain = looked > submitted && looked.saturating_sub(submitted) >= rules.window;
        return if certain { Verdict::Submit } else { Verdict::Waits };
    };
    let since = *dealings.over.get_or_insert(looked);
    if now.saturating_sub(since) < rules.settle {
        return Verdict::Waits;
    }
    if dealings.tries >= rules.tries {
        return Verdict::GiveUp(format!(
            "job {} of Slurm ended before it began{}, the {}th of its kind; look at `supervisor.log` in its folder",
            ended.id,
            because(ended),
            dealings.tries
        ));
    }
    let pause = rules.again * 2_u32.saturating_pow(dealings.tries.min(8));
    if now.saturating_sub(since) < pause { Verdict::Waits } else { Verdict::Submit }
}

/// What Slurm says of an end.
fn because(record: &Record) -> String {
    if record.reason.is_empty() { String::new() } else { format!(" ({})", record.reason) }
}
