//! What will happen: the queue of events to come, and what breaks when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use giga_model::{Federation, JobId, PoolId, SiteId, image};
use giga_scheduler::Ending;
use giga_units::{Duration, Instant};

use crate::chance::{Chance, Purpose};

/// Something that will happen. At one instant, what gives comes before what takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Coming {
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
    }
}

/// The events to come, the earliest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agenda(BinaryHeap<Reverse<(Instant, Coming)>>);

impl Agenda {
    pub(crate) fn add(&mut self, at: Instant, coming: Coming) {
        self.0.push(Reverse((at, coming)));
    }

    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// The next event, if it comes at `now` or before.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Coming> {
        (self.next_at()? <= now).then(|| self.0.pop()).flatten().map(|Reverse((_, coming))| coming)
    }

    /// All of it in order, for a saved run.
    pub(crate) fn sorted(&self) -> Vec<(Instant, Coming)> {
        let mut all: Vec<_> = self.0.iter().map(|Reverse(entry)| entry.clone()).collect();
        all.sort();
        all
    }

    /// Whether all of it happens in this federation.
    pub(crate) fn fits(&self, federation: &Federation) -> bool {
        self.0.iter().all(|Reverse((_, coming))| match *coming {
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
            Coming::Finished { .. }
            | Coming::Left { .. }
            | Coming::Hour
            | Coming::HalfLife
            | Coming::NewYear => true,
        })
    }

    pub(crate) fn from_sorted(all: Vec<(Instant, Coming)>) -> Self {
        Self(all.into_iter().map(Reverse).collect())
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
