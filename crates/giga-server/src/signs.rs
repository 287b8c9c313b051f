//! What a server notes of itself as it works, for whoever watches: how long commits take, what engines said, who knocked.
//!
//! Only what the core can not know is counted here; its own figures come from its state. Nothing reads these signs to
//! decide, and a restart begins them anew.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration as Wait;

use giga_formats::openmetrics::{Buckets, Value};
use giga_model::{AttemptId, Idling, SiteId};
use giga_units::Instant;

/// The signs of one server.
#[derive(Debug)]
pub(crate) struct Signs {
    pub(crate) started: Instant,
    /// How long the core took to decide what came together.
    pub(crate) decisions: Times,
    /// How long it took to make what was decided durable.
    pub(crate) commits: Times,
    /// Batches that are decided and not durable yet.
    pub(crate) unwritten: Gauge,
    /// Connections that are open, and how many may be.
    pub(crate) connections: Gauge,
    pub(crate) connections_max: u64,
    sites: BTreeMap<SiteId, SiteSigns>,
    faults: [AtomicU64; StoreFault::ALL.len()],
    asked: Mutex<BTreeMap<Route, Asked>>,
}

/// What the engine of a site was seen to do.
#[derive(Debug, Default)]
pub(crate) struct SiteSigns {
    /// The last look that it answered, in milliseconds since 1970; 0 before the first.
    looked: AtomicI64,
    /// Calls that it did not answer as it should.
    pub(crate) failures: AtomicU64,
    /// Attempts that it knows of.
    pub(crate) attempts: Gauge,
    /// Attempts of these of which it can not be told whether they live.
    pub(crate) unclear: Gauge,
    /// Attempts that run with accelerators that do nothing.
    idling: Mutex<BTreeMap<AttemptId, Idle>>,
}

/// Accelerators that do nothing for their attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Idle {
    pub(crate) how: Idling,
    /// How many it holds.
    pub(crate) accelerators: u64,
}

impl SiteSigns {
    pub(crate) fn look(&self, at: Instant) {
        self.looked.store(at.as_unix_milliseconds(), Relaxed);
    }

    pub(crate) fn looked(&self) -> Instant {
        Instant::unix_milliseconds(self.looked.load(Relaxed))
    }

    /// What is idle from now on; those of which that is new.
    pub(crate) fn idle(&self, now: BTreeMap<AttemptId, Idle>) -> Vec<(AttemptId, Idle)> {
        let mut known = lock(&self.idling);
        let new = now.iter().filter(|(attempt, idle)| {
            known.get(attempt).is_none_or(|known| known.how.is_on_cpu() != idle.how.is_on_cpu())
        });
        let new = new.map(|(attempt, idle)| (*attempt, *idle)).collect();
        *known = now;
        new
    }

    pub(crate) fn idling(&self, attempt: AttemptId) -> Option<Idling> {
        lock(&self.idling).get(&attempt).map(|idle| idle.how)
    }

    /// How many accelerators do nothing, and for how many of them the program works on the processors.
    pub(crate) fn idle_accelerators(&self) -> (u64, u64) {
        let idling = lock(&self.idling);
        let count = |on_cpu: bool| {
            idling.values().filter(|idle| idle.how.is_on_cpu() == on_cpu).map(|idle| idle.accelerators).sum()
        };
        (count(false), count(true))
    }

    pub(crate) fn fail(&self) {
        self.failures.fetch_add(1, Relaxed);
    }
}

/// A count that goes up and down.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicU64);

impl Gauge {
    pub(crate) fn set(&self, count: usize) {
        self.0.store(count as u64, Relaxed);
    }

    pub(crate) fn up(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// # Panics
    /// Never below zero: who goes down went up before.
    pub(crate) fn down(&self) {
        assert!(self.0.fetch_sub(1, Relaxed) > 0, "what goes down went up before");
    }

    pub(crate) fn now(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What the store could not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreFault {
    /// Answer a question.
    Read,
    /// Fold its log into its file.
    Fold,
    /// Keep a snapshot.
    Snapshot,
}

impl StoreFault {
    pub(crate) const ALL: [Self; 3] = [Self::Read, Self::Fold, Self::Snapshot];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Fold => "fold",
            Self::Snapshot => "snapshot",
        }
    }
}

/// An address with its verb, as the document lists it: never what a stranger wrote.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    pub(crate) verb: &'static str,
    pub(crate) path: String,
}

/// What came of the requests to a route.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// Answers by the first digit of their status.
    pub(crate) classes: [u64; 6],
    time: Histogram,
}

impl Asked {
    pub(crate) fn time(&self) -> Buckets {
        self.time.buckets()
    }
}

impl Signs {
    pub(crate) fn new(
        started: Instant,
        sites: impl IntoIterator<Item = SiteId>,
        connections_max: usize,
    ) -> Self {
        Self {
            started,
            decisions: Times::default(),
            commits: Times::default(),
            unwritten: Gauge::default(),
            connections: Gauge::default(),
            connections_max: connections_max as u64,
            sites: sites.into_iter().map(|site| (site, SiteSigns::default())).collect(),
            faults: Default::default(),
            asked: Mutex::default(),
        }
    }

    /// The sites that have an engine.
    pub(crate) fn sites(&self) -> impl Iterator<Item = (SiteId, &SiteSigns)> {
        self.sites.iter().map(|(&site, signs)| (site, signs))
    }

    /// # Panics
    /// Panics where the site has no engine.
    pub(crate) fn site(&self, site: SiteId) -> &SiteSigns {
        self.sites.get(&site).expect("every engine has its signs")
    }

    pub(crate) fn fault(&self, fault: StoreFault) {
        self.faults[fault as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn faults(&self, fault: StoreFault) -> u64 {
        self.faults[fault as usize].load(Relaxed)
    }

    /// Counts an answer.
    pub(crate) fn ask(&self, route: Route, status: u16, took: Wait) {
        let mut asked = lock(&self.asked);
        let asked = asked.entry(route).or_default();
        asked.classes[usize::from(status / 100).min(5)] += 1;
        asked.time.add(took);
    }

    pub(crate) fn asked(&self) -> BTreeMap<Route, Asked> {
        lock(&self.asked).clone()
    }
}

/// How long something took, each time.
#[derive(Debug, Default)]
pub(crate) struct Times(Mutex<Histogram>);

impl Times {
    pub(crate) fn add(&self, took: Wait) {
        lock(&self.0).add(took);
    }

    pub(crate) fn buckets(&self) -> Buckets {
        lock(&self.0).buckets()
    }
}

/// Upper bounds in microseconds.
const BOUNDS: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000,
];

#[derive(Debug, Clone, Default)]
struct Histogram {
    counts: [u64; BOUNDS.len()],
    count: u64,
    sum: Wait,
}

impl Histogram {
    fn add(&mut self, took: Wait) {
        if let Some(place) = BOUNDS.iter().position(|&most| took <= Wait::from_micros(most)) {
            self.counts[place] += 1;
        }
        self.count += 1;
        self.sum += took;
    }

    fn buckets(&self) -> Buckets {
        let mut within = 0;
        let bucket = |(&most, &count): (&u64, &u64)| {
            within += count;
            (Value::from(Wait::from_micros(most)), within)
        };
        let within = BOUNDS.iter().zip(&self.counts).map(bucket).collect();
        Buckets { within, count: self.count, sum: self.sum.into() }
    }
}

/// A count that a panic left half done is still a count.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_by_bounds() {
        let times = Times::default();
        [50, 100, 101, 9_000_000].map(Wait::from_micros).into_iter().for_each(|took| times.add(took));
        let buckets = times.buckets();
        let counts: Vec<u64> = buckets.within.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
        assert_eq!((buckets.count, buckets.sum), (4, Wait::from_micros(9_000_251).into()));
    }

    #[test]
    fn answers_are_counted_by_route_and_class() {
        let signs = Signs::new(Instant::unix_milliseconds(0), [], 1);
        let route = || Route { verb: "GET", path: "/v1/jobs".into() };
        [200, 204, 404, 503, 999].into_iter().for_each(|status| signs.ask(route(), status, Wait::ZERO));
        assert_eq!(signs.asked()[&route()].classes, [0, 0, 2, 0, 1, 2]);
    }
}
