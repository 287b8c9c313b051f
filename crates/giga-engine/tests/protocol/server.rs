//! The server's side: the real judgement, and the same steps behind it that the engine takes.

use std::collections::BTreeMap;
use std::time::Duration as Span;

use giga_engine::slurm::Record;
use giga_engine::slurm::protocol::{Dealings, Files, Rules, Verdict, judge};

use super::world::{Attempt, Chance, Claim, End, GRACE, World, name};

/// A server from one beginning to the next: what it remembers is gone with it.
pub(crate) struct Server {
    begun: Span,
    rules: Rules,
    dealings: BTreeMap<Attempt, Dealings>,
    list: Option<(Span, Vec<Record>)>,
}

impl Server {
    pub(crate) fn begin(world: &World) -> Self {
        Self { begun: world.now, rules: Rules::default(), dealings: BTreeMap::new(), list: None }
    }

    /// Asks the controller for its jobs.
    pub(crate) fn look(&mut self, world: &mut World) {
        if world.answers() {
            self.list = Some((world.now, world.list()));
        }
    }

    /// What the engine does for each attempt that is decided.
    pub(crate) fn act(&mut self, world: &mut World, chance: &mut dyn Chance, faults: bool) {
        for (job, number) in world.current.clone() {
            self.tend(world, (job, number), chance);
            if faults && chance.below(400) == 0 {
                stop(world, (job, number));
            }
        }
    }

    fn tend(&mut self, world: &mut World, attempt: Attempt, chance: &mut dyn Chance) {
        let folder = world.folders[&attempt].clone();
        if folder.lost {
            return world.result(attempt, "lost");
        }
        match (folder.receipt, folder.claim) {
            (Some(End::Well), _) => return world.result(attempt, "well"),
            (Some(End::Stopped), _) if folder.wanted => return world.result(attempt, "stopped"),
            (Some(End::Stopped), _) => return world.result(attempt, "lost"),
            (None, Some(Claim::Fence)) => return world.result(attempt, "stopped"),
            (None, _) => {}
        }
        let begun = self.begun;
        let dealings = self
            .dealings
            .entry(attempt)
            .or_insert_with(|| Dealings { submitted: folder.asked.then_some(begun), ..Dealings::default() });
        let (looked, records) = match &self.list {
            Some((at, list)) => {
                (*at, list.iter().filter(|record| record.name == name(attempt)).cloned().collect())
            }
            None => (Span::ZERO, Vec::new()),
        };
        let claimed = folder.claim.map(|claim| if let Claim::Supervisor(id) = claim { id } else { 0 });
        let files = Files { claimed, twice: folder.twice, grace: GRACE };
        let (verdict, extra) = judge(files, dealings, &records, looked, world.now, &self.rules);
        extra.into_iter().for_each(|id| world.cancel(id, &name(attempt)));
        let now = world.now;
        let folder = world.folders.get_mut(&attempt).expect("it was handed over");
        match verdict {
            Verdict::Submit => {
                folder.asked = true;
                // The server may be killed right behind this: the next one finds `asked`, and no number.
                let id = world.submit(attempt, chance);
                let dealings = self.dealings.get_mut(&attempt).expect("it was judged");
                (dealings.submitted, dealings.id, dealings.over) = (Some(now), id, None);
                dealings.tries += u32::from(id.is_some());
            }
            Verdict::GiveUp(_) => folder.claim = folder.claim.or(Some(Claim::Fence)),
            Verdict::Fence => {
                (folder.fencing, folder.stop) = (true, true);
                dealings.fenced = Some(now);
            }
            Verdict::Lost(_) => {
                folder.lost = true;
                world.result(attempt, "lost");
            }
            Verdict::Waits | Verdict::Lives => {}
        }
    }
}

/// Somebody takes an attempt back: where it never began, it never will.
fn stop(world: &mut World, attempt: Attempt) {
    let folder = world.folders.get_mut(&attempt).expect("it is decided");
    // What was asked to end because Slurm lost it stays so.
    folder.wanted |= !folder.fencing;
    folder.stop = true;
    folder.claim = folder.claim.or(Some(Claim::Fence));
}
