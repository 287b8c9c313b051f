//! What will happen: the queue of events to come, and what breaks when.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use giga_model::{Federation, JobId, PoolId, SiteId, image};
use giga_scheduler::{Ending, Job};
use giga_units::{Duration, Instant};

use crate::chance::{Chance, Purpose};

/// Something that will happen. At one instant, what gives comes before what takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Coming {
    Begun { job: JobId, attempt: u32 },
    Phase { site: SiteId },
    MaintenanceEnds { site: SiteId },
    Repaired { pool: PoolId, node: u32 },
    Finished { job: JobId, attempt: u32, completed: bool },
    Left { job: JobId, attempt: u32 },
    LimitEnds { site: SiteId },
    HalfLife,
    NewYear,
    LimitFalls { site: SiteId, limit: u32 },
    Hour,
    MaintenanceBegins { site: SiteId },
    Failure { pool: PoolId, count: u64 },
}
image! {
    enum Coming {
        0 => Phase { site },
        1 => MaintenanceEnds { site },
        2 => Repaired { pool, node },
        3 => Finished { job, attempt, completed },
        4 => HalfLife,
        5 => NewYear,
        6 => MaintenanceBegins { site },
        7 => Failure { pool, count },
        8 => Left { job, attempt },
        9 => LimitEnds { site },
        10 => LimitFalls { site, limit },
        11 => Hour,
        12 => Begun { job, attempt },
    }
}

/// The events to come, the earliest first. Only those of the next hour with any are sorted: most lie far ahead, and there
/// are as many as jobs run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agenda {
    /// What comes in the first hour with any; empty only where nothing comes.
    near: BinaryHeap<Reverse<(Instant, Coming)>>,
    hour: i64,
    /// What comes in later hours.
    later: BTreeMap<i64, Vec<Reverse<(Instant, Coming)>>>,
}

impl Agenda {
    pub(crate) fn add(&mut self, at: Instant, coming: Coming) {
        let hour = at.hour();
        if hour < self.hour && !self.near.is_empty() {
            self.later.insert(self.hour, std::mem::take(&mut self.near).into_vec());
        }
        if self.near.is_empty() {
            self.hour = hour;
        }
        if hour == self.hour {
            self.near.push(Reverse((at, coming)));
        } else {
            self.later.entry(hour).or_default().push(Reverse((at, coming)));
        }
    }

    /// What waits in the line of a site of its own begins at once: what others submit there is not known (an assumption).
    pub(crate) fn begin(&mut self, job: &Job, now: Instant) {
        if job.run().is_some_and(|run| run.queued) {
            self.add(now, Coming::Begun { job: job.id, attempt: job.attempts });
        }
    }

    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.near.peek().map(|Reverse((at, _))| *at)
    }

    /// The next event, if it comes at `now` or before.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Coming> {
        let Reverse((_, coming)) = (self.next_at()? <= now).then(|| self.near.pop()).flatten()?;
        if self.near.is_empty()
            && let Some((hour, all)) = self.later.pop_first()
        {
            (self.hour, self.near) = (hour, all.into());
        }
        Some(coming)
    }

    fn iter(&self) -> impl Iterator<Item = &(Instant, Coming)> {
        self.near.iter().chain(self.later.values().flatten()).map(|Reverse(entry)| entry)
    }

    /// All of it in order, for a saved run.
    pub(crate) fn sorted(&self) -> Vec<(Instant, Coming)> {
        let mut all: Vec<_> = self.iter().cloned().collect();
        all.sort();
        all
    }

    /// Whether all of it happens in this federation.
    pub(crate) fn fits(&self, federation: &Federation) -> bool {
        self.iter().all(|(_, coming)| match *coming {
            Coming::Phase { site } | Coming::LimitEnds { site } => site.index() < federation.sites.len(),
            Coming::LimitFalls { site, limit } => {
                let about = federation.sites.get(site.index());
                about.is_some_and(|site| (limit as usize) < site.limits.len())
            }
            Coming::MaintenanceBegins { site } | Coming::MaintenanceEnds { site } => {
                federation.sites.get(site.index()).is_some_and(|site| site.maintenance.is_some())
            }
            Coming::Repaired { pool, .. } | Coming::Failure { pool, .. } => {
                pool.index() < federation.pools.len()
            }
            Coming::Begun { .. }
            | Coming::Finished { .. }
            | Coming::Left { .. }
            | Coming::Hour
            | Coming::HalfLife
            | Coming::NewYear => true,
        })
    }

    pub(crate) fn from_sorted(all: Vec<(Instant, Coming)>) -> Self {
        let mut agenda = Self::default();
        all.into_iter().for_each(|(at, coming)| agenda.add(at, coming));
        agenda
    }
}

/// How a running attempt will end.
pub(crate) const fn ending(completed: bool) -> Ending {
    if completed { Ending::Completed } else { Ending::TimedOut }
}

/// A failure to come: when, of which node, and how long the repair takes.
pub(crate) struct Breakdown {
    pub(crate) gap: Duration,
    pub(crate) node: u32,
    pub(crate) repair: Duration,
}

/// The `count`th failure of a pool, or `None` where nothing breaks there.
///
/// Failures come at the rate of the whole pool with every phase open and hit any of its nodes; one that hits a node
/// that is not open or is down already has no effect. That is the same as a rate that follows the open nodes.
pub(crate) fn breakdown(federation: &Federation, seed: u64, pool: PoolId, count: u64) -> Option<Breakdown> {
    let site = &federation.sites[federation.pools[pool.index()].site.index()];
    let failures = site.failures?;
    let accelerators = federation.accelerators_in(pool) as f64;
    let entity = Chance::entity(&[&site.name, &federation.pools[pool.index()].name]);
    let mut chance = Chance::of(seed, Purpose::Failure, entity, count);
    let mean = failures.accelerator_mtbf.as_milliseconds() as f64 / accelerators;
    let gap = milliseconds(chance.exponential() * mean);
    let node = u32::try_from(chance.below(u64::from(federation.nodes_of(pool)))).expect("nodes fit");
    let repair = milliseconds(chance.exponential() * failures.repair.as_milliseconds() as f64);
    Some(Breakdown { gap, node, repair })
}

fn milliseconds(count: f64) -> Duration {
    Duration::milliseconds((libm::round(count.min(1e15)) as i64).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_first_is_taken_first_whatever_was_added_first() {
        let at = |minutes: i64| Instant::unix_milliseconds(minutes * 60_000);
        let finished = |job| Coming::Finished { job: JobId(job), attempt: 1, completed: true };
        let mut agenda = Agenda::default();
        for (job, minutes) in [(0, 500), (1, 30), (2, 45), (3, 10), (4, 130), (5, 500)] {
            agenda.add(at(minutes), finished(job));
        }
        agenda.add(at(130), Coming::HalfLife);
        assert_eq!(agenda.take(at(9)), None);
        assert_eq!(
            [agenda.take(at(40)), agenda.take(at(40)), agenda.take(at(40))],
            [Some(finished(3)), Some(finished(1)), None]
        );
        agenda.add(at(-90), Coming::Hour);
        let mut again = Agenda::from_sorted(agenda.sorted());
        let taken: Vec<Coming> = std::iter::from_fn(|| agenda.take(at(500))).collect();
        let expected = [Coming::Hour, finished(2), finished(4), Coming::HalfLife, finished(0), finished(5)];
        assert_eq!(taken, expected);
        assert_eq!((agenda.next_at(), agenda.take(Instant::FAR)), (None, None));
        assert!(std::iter::from_fn(|| again.take(at(500))).eq(expected));
    }
}
