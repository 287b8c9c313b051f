//! What each owner held at each site beside what it could claim: what it lent, what it borrowed, exactly.

use giga_model::{Federation, OwnerId, SiteId, image};
use giga_scheduler::{Job, State};
use giga_units::{AcceleratorTime, Instant};

/// What an owner may claim and holds at a site, until something changes there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Gauge {
    since: Instant,
    floor: u64,
    held: u64,
    /// The part of it that can not be told to leave.
    firm: u64,
    /// Of the running hour: what was borrowed, and what was left idle of the floor.
    borrowed: AcceleratorTime,
    idle: AcceleratorTime,
}
image! { struct Gauge { since, floor, held, firm, borrowed, idle } }

/// What adds up for an owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lent {
    /// What it could claim.
    pub(crate) entitled: AcceleratorTime,
    /// What its work held within that.
    pub(crate) within: AcceleratorTime,
    /// What its work held beyond it.
    pub(crate) borrowed: AcceleratorTime,
    /// The part of that held by work that can not be told to leave: the floor has shrunk below it.
    pub(crate) excess: AcceleratorTime,
    /// What others held of what it left idle.
    pub(crate) lent: AcceleratorTime,
}
image! { struct Lent { entitled, within, borrowed, excess, lent } }

/// The gauges of every owner at every site, and their sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lending {
    sites: Vec<Vec<Gauge>>,
    /// The capacity that the floors were read at.
    capacity: Vec<u64>,
    pub(crate) owners: Vec<Lent>,
}
image! { struct Lending { sites, capacity, owners } }

impl Lending {
    pub(crate) fn new(federation: &Federation, start: Instant) -> Self {
        let gauge = Gauge { since: start, ..Gauge::default() };
        Self {
            sites: vec![vec![gauge; federation.owners.len()]; federation.sites.len()],
            capacity: vec![0; federation.sites.len()],
            owners: vec![Lent::default(); federation.owners.len()],
        }
    }

    pub(crate) fn fits(&self, federation: &Federation) -> bool {
        self.owners.len() == federation.owners.len()
            && self.capacity.len() == federation.sites.len()
            && self.sites.len() == federation.sites.len()
            && self.sites.iter().all(|owners| owners.len() == federation.owners.len())
    }

    /// An owner's work takes accelerators, or gives them back.
    pub(crate) fn hold(&mut self, job: &Job, now: Instant, change: impl Fn(u64) -> u64) {
        let gauge = &mut self.sites[job.site.index()][job.owner.index()];
        gauge.add(&mut self.owners[job.owner.index()], now);
        gauge.held = change(gauge.held);
        if !job.preemptible {
            gauge.firm = change(gauge.firm);
        }
    }

    /// A job turns out to have held accelerators for some time up to now: within its owner's floor as far as that was left idle in
    /// the running hour, since what was idle before may have been lent by now.
    pub(crate) fn held_before(&mut self, job: &Job, held: u64, (from, now): (Instant, Instant)) {
        let time = now.since(from);
        let gauge = &mut self.sites[job.site.index()][job.owner.index()];
        let sum = &mut self.owners[job.owner.index()];
        gauge.add(sum, now);
        let room = gauge.floor.saturating_sub(gauge.held);
        let within = AcceleratorTime::of(held.min(room), time).min(gauge.idle);
        let beyond = AcceleratorTime::of(held, time) - within;
        gauge.idle -= within;
        sum.within += within;
        gauge.borrowed += beyond;
        sum.borrowed += beyond;
    }

    /// Reads the floors of a site where its capacity has changed.
    pub(crate) fn look(&mut self, state: &State, site: SiteId, now: Instant) {
        if self.capacity[site.index()] == state.capacity(site) {
            return;
        }
        self.capacity[site.index()] = state.capacity(site);
        for (index, gauge) in self.sites[site.index()].iter_mut().enumerate() {
            gauge.add(&mut self.owners[index], now);
            gauge.floor = state.floor(site, OwnerId::at(index));
        }
    }

    /// Ends an hour of a site: what was borrowed there came from those who left something idle, in proportion to that.
    pub(crate) fn close_hour(&mut self, site: SiteId, end: Instant) {
        let gauges = &mut self.sites[site.index()];
        let (mut borrowed, mut idle) = (0_i128, 0_i128);
        for (gauge, sum) in gauges.iter_mut().zip(&mut self.owners) {
            gauge.add(sum, end);
            borrowed += gauge.borrowed.as_milliseconds();
            idle += gauge.idle.as_milliseconds();
        }
        for (gauge, sum) in gauges.iter_mut().zip(&mut self.owners) {
            let left = std::mem::take(&mut gauge.idle).as_milliseconds();
            gauge.borrowed = AcceleratorTime::ZERO;
            // What nobody has a share of is borrowed from nobody.
            let lent = (left * borrowed.min(idle)).checked_div(idle).unwrap_or(0);
            sum.lent += AcceleratorTime::milliseconds(lent);
        }
    }
}

impl Gauge {
    fn add(&mut self, sum: &mut Lent, now: Instant) {
        let time = now.since(self.since);
        self.since = now;
        let over = |accelerators: u64| AcceleratorTime::of(accelerators, time);
        sum.entitled += over(self.floor);
        sum.within += over(self.held.min(self.floor));
        let borrowed = over(self.held.saturating_sub(self.floor));
        sum.borrowed += borrowed;
        sum.excess += over(self.firm.saturating_sub(self.floor));
        self.borrowed += borrowed;
        self.idle += over(self.floor.saturating_sub(self.held));
    }
}
