//! Checks every batch of events with a book of its own. It is told nothing but the events, and trusts none of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use giga_model::{
    Federation, JobId, JobMap, JobRequest, Overhead, PoolId, Predecessor, Sharing, Site, SiteId, Terms, image,
};
use giga_scheduler::{Ending, Event, Need, Pace, Piece, State};
use giga_units::{Fraction, Instant, Power};
use thiserror::Error;

use crate::trail::Trail;

/// What a decision broke. There must never be one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Violation {
    /// Two jobs on the same accelerator, or a job on a node that is down or not open.
    #[error("{at}: job {job} was placed on accelerators that were not free")]
    NotFree {
        /// When.
        at: Instant,
        /// Which job.
        job: JobId,
    },
    /// Running work may draw more than there is.
    #[error("{at}: the ceilings of running work at site {} are {drawn} of {envelope}", site.0)]
    Power {
        /// When.
        at: Instant,
        /// Where.
        site: SiteId,
        /// The ceilings together.
        drawn: Power,
        /// What there is above idle.
        envelope: Power,
    },
    /// What a building is said to draw is not what its description says of the hour.
    #[error("{at}: the building of site {} is said to draw {found} of what its nodes draw, and it draws {expected}", site.0)]
    Overhead {
        /// When.
        at: Instant,
        /// Where.
        site: SiteId,
        /// For each power of the nodes.
        found: Fraction,
        /// The same by the description.
        expected: Fraction,
    },
    /// A job that runs was started again, or one that nobody submitted.
    #[error("{at}: job {job} was started although it did not wait")]
    NotWaiting {
        /// When.
        at: Instant,
        /// Which job.
        job: JobId,
    },
    /// A job started at a site that is out for maintenance.
    #[error("{at}: job {job} was started during maintenance")]
    Closed {
        /// When.
        at: Instant,
        /// Which job.
        job: JobId,
    },
    /// A job runs where the holder of its data does not let that be read.
    #[error("{at}: job {job} was started where the policy of its data forbids it")]
    DataPolicy {
        /// When.
        at: Instant,
        /// Which job.
        job: JobId,
    },
    /// Work that can not be told to leave was started beyond its owner's floor.
    #[error("{at}: job {job} can not be told to leave and was started beyond its owner's floor")]
    BeyondFloor {
        /// When.
        at: Instant,
        /// Which job.
        job: JobId,
    },
    /// A job started at a site that does not answer.
    #[error("{at}: job {job} was started at a site that does not answer")]
    Silent {
        /// When.
        at: Instant,
        /// Which job.
        job: JobId,
    },
    /// A job started before what it comes after was done.
    #[error("{at}: job {job} was started before a job that it comes after was done")]
    TooSoon {
        /// When.
        at: Instant,
        /// Which job.
        job: JobId,
    },
    /// The parts that accelerator time is divided into do not add up to the whole.
    #[error("{at}: accelerator time at site {} is not accounted for in full", site.0)]
    TimeBook {
        /// The hour.
        at: Instant,
        /// Where.
        site: SiteId,
    },
}

image! {
    enum Violation {
        0 => NotFree { at, job },
        1 => Power { at, site, drawn, envelope },
        2 => NotWaiting { at, job },
        3 => Closed { at, job },
        4 => TimeBook { at, site },
        5 => DataPolicy { at, job },
        6 => BeyondFloor { at, job },
        7 => TooSoon { at, job },
        8 => Silent { at, job },
        9 => Overhead { at, site, found, expected },
    }
}

/// The linter's own book.
#[derive(Debug, Clone)]
pub struct Linter {
    pools: Vec<PoolBook>,
    sites: Vec<SiteBook>,
    /// Every job that waits, or runs with what it holds.
    jobs: JobMap<Known>,
    /// Where a limit has just fallen: what runs must be below it when all is settled.
    fell: Vec<SiteId>,
    /// By job: those that come after it.
    awaited: BTreeMap<JobId, Vec<JobId>>,
    pub(crate) count: u64,
    pub(crate) first: Vec<Violation>,
}

/// What the linter knows of a live job.
#[derive(Debug, Clone)]
struct Known {
    terms: Option<Arc<Terms>>,
    owner: usize,
    /// Whether it can not be told to leave.
    firm: bool,
    held: Option<Held>,
    /// A job that it comes after ended otherwise than it had to.
    doomed: bool,
}

#[derive(Debug, Clone)]
struct Held {
    need: Need,
    pieces: Arc<[Piece]>,
    pace: Pace,
}

#[derive(Debug, Clone)]
struct PoolBook {
    site: SiteId,
    per_node: u16,
    nodes_per_rack: u32,
    words_per_rack: u32,
    open: u32,
    /// Accelerators taken, by node bit; all of them on a node that is down.
    taken: Vec<u16>,
}

#[derive(Debug, Clone, Default)]
struct SiteBook {
    phases: usize,
    overhead: Overhead,
    drawn: Power,
    closed: bool,
    silent: bool,
    limit: Option<Power>,
    /// Whether that is said to be impossible.
    short: bool,
    /// Accelerators on nodes that are down, and what they could draw.
    down: (u64, Power),
    /// By owner: accelerators of work that can not be told to leave.
    firm: Vec<u64>,
}

/// How many violations are kept in full.
const KEPT: usize = 20;

impl Linter {
    pub(crate) fn new(federation: &Federation) -> Self {
        let pools = (0..federation.pools.len()).map(PoolId::at).map(|pool| {
            let kind = federation.accelerator_of(pool);
            let nodes_per_rack = u32::from(kind.nodes_per_rack);
            let words_per_rack = nodes_per_rack.div_ceil(64);
            let racks = federation.nodes_of(pool).div_ceil(nodes_per_rack);
            let taken = vec![0; racks as usize * words_per_rack as usize * 64];
            let site = federation.pools[pool.index()].site;
            PoolBook { site, per_node: kind.per_node, nodes_per_rack, words_per_rack, open: 0, taken }
        });
        let site = |site: &Site| {
            let overhead = Overhead::of_factor(site.facility_factor);
            SiteBook { overhead, firm: vec![0; federation.owners.len()], ..SiteBook::default() }
        };
        Self {
            pools: pools.collect(),
            sites: federation.sites.iter().map(site).collect(),
            jobs: JobMap::default(),
            fell: Vec::new(),
            awaited: BTreeMap::new(),
            count: 0,
            first: Vec::new(),
        }
    }

    /// Takes over what already runs, after a restart.
    pub(crate) fn adopt(&mut self, federation: &Federation, state: &State) {
        for (site, book) in self.sites.iter_mut().enumerate() {
            let id = SiteId::at(site);
            book.phases = state.phases_open(id);
            book.overhead = state.overhead(id);
            book.closed = state.closed_until(id).is_some();
            book.silent = state.is_silent(id);
            for phase in &federation.sites[site].phases[..book.phases] {
                phase.nodes.iter().for_each(|&(pool, nodes)| self.pools[pool.index()].open += nodes);
            }
        }
        for pool in 0..self.pools.len() {
            let down: Vec<u32> = state.down(PoolId::at(pool)).map(|(node, _)| node).collect();
            down.into_iter().for_each(|node| self.node(federation, PoolId::at(pool), node, true));
        }
        for job in state.jobs() {
            let known = Known {
                terms: job.terms.clone(),
                owner: job.owner.index(),
                firm: !job.preemptible,
                held: None,
                doomed: false,
            };
            self.await_all(job.id, known.after());
            self.jobs.insert(job.id, known);
            if let Some(run) = job.run() {
                self.hold(federation, job.id, &run.need, &run.pieces);
                self.pace(federation, job.id, run.pace);
            }
        }
        for (index, book) in self.sites.iter_mut().enumerate() {
            book.limit = state.limit(SiteId::at(index)).map(|(power, _)| power);
        }
    }

    /// Checks all of a trail, as the next after those before it.
    pub fn follow(&mut self, federation: &Federation, trail: &Trail) {
        trail.found.iter().for_each(|violation| self.report(violation.clone()));
        trail.iter().for_each(|(now, event)| self.check(federation, now, event));
    }

    pub(crate) fn check(&mut self, federation: &Federation, now: Instant, event: &Event) {
        match event {
            Event::Started { job, need, pieces, .. } => self.started(federation, now, *job, need, pieces),
            Event::Interrupted { job, .. } => self.stopped(federation, *job),
            Event::Ended { job, ending, .. } => {
                self.stopped(federation, *job);
                self.jobs.remove(*job);
                self.doom(*job, *ending);
            }
            Event::Submitted { job, request, .. } => match self.jobs.get(*job) {
                None => {
                    let known = Known::new(federation, request);
                    self.await_all(*job, known.after());
                    self.jobs.insert(*job, known);
                }
                Some(_) => self.report(Violation::NotWaiting { at: now, job: *job }),
            },
            Event::NodeDown { pool, node, .. } => self.node(federation, *pool, *node, true),
            Event::NodeUp { pool, node } => self.node(federation, *pool, *node, false),
            Event::PhaseOpened { site, phase } => {
                self.sites[site.index()].phases += 1;
                for &(pool, nodes) in &federation.sites[site.index()].phases[phase.index()].nodes {
                    self.pools[pool.index()].open += nodes;
                }
            }
            Event::Closed { site, .. } => self.sites[site.index()].closed = true,
            Event::Silenced { site } => self.sites[site.index()].silent = true,
            Event::Heard { site } => self.sites[site.index()].silent = false,
            Event::Opened { site } => self.sites[site.index()].closed = false,
            Event::Paced { job, pace, .. } => self.pace(federation, *job, *pace),
            Event::Limited { site, power, .. } => {
                self.fell.push(*site);
                let site = &mut self.sites[site.index()];
                (site.limit, site.short) = (Some(*power), false);
            }
            Event::Unlimited { site } => self.sites[site.index()].limit = None,
            Event::Housed { site, overhead } => self.housed(federation, now, *site, *overhead),
            Event::Short { site, .. } => self.sites[site.index()].short = true,
            Event::Settled => self.settled(federation, now),
            Event::Refused { .. }
            | Event::Begun { .. }
            | Event::Following { .. }
            | Event::Stopping { .. }
            | Event::Leaving { .. }
            | Event::Claimed { .. }
            | Event::Unclaimed { .. }
            | Event::Drained { .. }
            | Event::Undrained { .. }
            | Event::Deferred { .. }
            | Event::Due { .. }
            | Event::Rebound { .. }
            | Event::Kept { .. }
            | Event::UseHalved
            | Event::YearTurned => {}
        }
    }

    /// What a building draws is what its description says of this hour; what runs is below what that leaves, as behind a limit.
    fn housed(&mut self, federation: &Federation, now: Instant, site: SiteId, overhead: Overhead) {
        let expected = federation.sites[site.index()].overhead_at(now);
        if overhead != expected {
            self.report(Violation::Overhead {
                at: now,
                site,
                found: overhead.factor,
                expected: expected.factor,
            });
        }
        self.fell.push(site);
        let book = &mut self.sites[site.index()];
        (book.overhead, book.short) = (overhead, false);
    }

    fn await_all(&mut self, job: JobId, after: &[Predecessor]) {
        after.iter().for_each(|before| self.awaited.entry(before.job).or_default().push(job));
    }

    /// Marks those that were to come after a completed job, and never will.
    fn doom(&mut self, before: JobId, ending: Ending) {
        for job in self.awaited.remove(&before).unwrap_or_default() {
            if let Some(known) = self.jobs.get_mut(job).filter(|_| ending != Ending::Completed) {
                known.doomed |= known.after().iter().any(|link| link.job == before && !link.any);
            }
        }
    }

    /// Whether nothing that a job comes after lives or failed it.
    fn is_due(&self, known: &Known) -> bool {
        !known.doomed && known.after().iter().all(|before| self.jobs.get(before.job).is_none())
    }

    /// Behind a limit that fell, what runs is below it, or what is missing was said.
    fn settled(&mut self, federation: &Federation, now: Instant) {
        for id in std::mem::take(&mut self.fell) {
            let site = &self.sites[id.index()];
            let (drawn, envelope) = (site.drawn, envelope(federation, id, site));
            if drawn > envelope && !site.short {
                self.report(Violation::Power { at: now, site: id, drawn, envelope });
            }
        }
    }

    fn started(
        &mut self,
        federation: &Federation,
        now: Instant,
        job: JobId,
        need: &Need,
        pieces: &Arc<[Piece]>,
    ) {
        let id = self.pools[need.pool.index()].site;
        let nodes: u32 = pieces.iter().map(|piece| piece.mask.count_ones()).sum();
        let known = self.jobs.get(job).cloned();
        let free = self.hold(federation, job, need, pieces);
        let site = &self.sites[id.index()];
        let (drawn, envelope) = (site.drawn, envelope(federation, id, site));
        let windows = federation.sites[id.index()].maintenance;
        let closed = site.closed || windows.is_some_and(|windows| windows.window_at(now).0 <= now);
        if !free || nodes != need.nodes {
            self.report(Violation::NotFree { at: now, job });
        }
        let known = known.filter(|known| known.held.is_none());
        if known.is_none() {
            self.report(Violation::NotWaiting { at: now, job });
        }
        if drawn > envelope {
            self.report(Violation::Power { at: now, site: id, drawn, envelope });
        }
        if closed {
            self.report(Violation::Closed { at: now, job });
        }
        if self.sites[id.index()].silent {
            self.report(Violation::Silent { at: now, job });
        }
        let Some(known) = known else { return };
        if !self.is_due(&known) {
            self.report(Violation::TooSoon { at: now, job });
        }
        if !known.may_read(federation, id) {
            self.report(Violation::DataPolicy { at: now, job });
        }
        if known.firm && self.beyond_floor(federation, id, known.owner) {
            self.report(Violation::BeyondFloor { at: now, job });
        }
    }

    /// Whether an owner's work that can not be told to leave holds more than its share of what is up and can be powered.
    fn beyond_floor(&self, federation: &Federation, id: SiteId, owner: usize) -> bool {
        let (about, site) = (&federation.sites[id.index()], &self.sites[id.index()]);
        let lone =
            federation.owners.len() < 2 || about.shares.iter().all(|(_, share)| *share == Fraction::ZERO);
        if federation.policy.sharing == Sharing::Order || lone {
            return false;
        }
        let share =
            about.shares.iter().find(|(id, _)| id.index() == owner).map_or(0, |(_, share)| share.as_ppm());
        let (mut up, mut most) = (0, Power::ZERO);
        for pool in &about.pools {
            let book = &self.pools[pool.index()];
            let accelerators = u64::from(book.open) * u64::from(book.per_node);
            up += accelerators;
            most += federation.accelerator_of(*pool).dynamic().times(accelerators);
        }
        let (up, most) = (up - site.down.0, most.saturating_sub(site.down.1));
        let envelope = u128::from(envelope(federation, id, site).as_milliwatts());
        let whole = u128::from(most.as_milliwatts());
        let powered = if envelope >= whole { u128::from(up) } else { u128::from(up) * envelope / whole };
        u128::from(site.firm[owner]) > powered * u128::from(share) / 1_000_000
    }

    /// Books what a job takes; whether all of it was free and open.
    fn hold(&mut self, federation: &Federation, job: JobId, need: &Need, pieces: &Arc<[Piece]>) -> bool {
        let pool = &mut self.pools[need.pool.index()];
        let free = pieces.iter().filter(|piece| pool.take(piece, need.each)).count() == pieces.len();
        let site = &mut self.sites[pool.site.index()];
        site.drawn += ceiling(federation, need);
        if let Some(known) = self.jobs.get_mut(job) {
            if known.firm {
                site.firm[known.owner] += u64::from(need.held());
            }
            known.held = Some(Held { need: *need, pieces: Arc::clone(pieces), pace: Pace::Full });
        }
        free
    }

    fn pace(&mut self, federation: &Federation, job: JobId, pace: Pace) {
        let Some(held) = self.jobs.get_mut(job).and_then(|known| known.held.as_mut()) else { return };
        let full = ceiling(federation, &held.need);
        let before = std::mem::replace(&mut held.pace, pace).power(full);
        let site = &mut self.sites[self.pools[held.need.pool.index()].site.index()];
        site.drawn = (site.drawn + pace.power(full)).saturating_sub(before);
    }

    fn stopped(&mut self, federation: &Federation, job: JobId) {
        let Some(known) = self.jobs.get_mut(job) else { return };
        let Some(Held { need, pieces, pace }) = known.held.take() else { return };
        let (firm, owner) = (known.firm, known.owner);
        let pool = &mut self.pools[need.pool.index()];
        pieces.iter().for_each(|piece| pool.give(piece, need.each));
        let site = &mut self.sites[pool.site.index()];
        site.drawn -= pace.power(ceiling(federation, &need));
        if firm {
            site.firm[owner] -= u64::from(need.held());
        }
    }

    fn node(&mut self, federation: &Federation, id: PoolId, node: u32, down: bool) {
        let pool = &mut self.pools[id.index()];
        let site = &mut self.sites[pool.site.index()];
        let accelerators = u64::from(pool.per_node);
        let power = federation.accelerator_of(id).dynamic().times(accelerators);
        site.down = if down {
            (site.down.0 + accelerators, site.down.1 + power)
        } else {
            (site.down.0.saturating_sub(accelerators), site.down.1.saturating_sub(power))
        };
        let (rack, within) = (node / pool.nodes_per_rack, node % pool.nodes_per_rack);
        pool.taken[(rack * pool.words_per_rack) as usize * 64 + within as usize] =
            if down { pool.per_node } else { 0 };
    }

    pub(crate) fn report(&mut self, violation: Violation) {
        self.count += 1;
        if self.first.len() < KEPT {
            self.first.push(violation);
        }
    }
}

impl Known {
    fn new(federation: &Federation, request: &JobRequest) -> Self {
        let project = &federation.projects[request.project.index()];
        let rule = federation.programmes[project.programme.index()].preempt;
        let firm = !rule.allows(request.checkpoint.is_some());
        Self { terms: request.terms.clone(), owner: project.owner.index(), firm, held: None, doomed: false }
    }

    /// The jobs it comes after.
    fn after(&self) -> &[Predecessor] {
        giga_model::after(self.terms.as_deref())
    }

    /// Whether a site has what it runs in, is assured as far as is asked, and may read its data by the word of the holders.
    fn may_read(&self, federation: &Federation, site: SiteId) -> bool {
        let Some(terms) = &self.terms else { return true };
        let about = &federation.sites[site.index()];
        let mut data = terms.data.iter().map(|id| &federation.datasets[id.index()]);
        (about.containers.is_some() || !terms.container)
            && terms.assurance.is_none_or(|needed| about.assurance >= needed)
            && data.all(|data| data.may_be_read(site, about.country, about.assurance))
    }
}

/// What a job may add to the idle draw of its nodes, worked out from the description and not taken from the need.
fn ceiling(federation: &Federation, need: &Need) -> Power {
    federation.accelerator_of(need.pool).dynamic().times(u64::from(need.held()))
}

/// What running work may draw above idle at a site with so many phases open, worked out from the description.
fn envelope(federation: &Federation, site: SiteId, book: &SiteBook) -> Power {
    let about = &federation.sites[site.index()];
    let open = &about.phases[..book.phases];
    let idle =
        |(pool, nodes): &(PoolId, u32)| federation.accelerator_of(*pool).node_idle.times(u64::from(*nodes));
    let idle: Power = open.iter().flat_map(|phase| &phase.nodes).map(idle).sum();
    let total: Power = open.iter().map(|phase| phase.power).sum();
    let total = book.limit.map_or(total, |limit| limit.min(total));
    book.overhead.undo(total).saturating_sub(idle)
}

impl PoolBook {
    /// Takes accelerators on the nodes of a piece; whether all of them were free and open.
    fn take(&mut self, piece: &Piece, each: u16) -> bool {
        let mut free = true;
        let mut bits = piece.mask;
        while bits != 0 {
            let bit = bits.trailing_zeros();
            bits &= bits - 1;
            let node = (piece.word / self.words_per_rack) * self.nodes_per_rack
                + (piece.word % self.words_per_rack) * 64
                + bit;
            let Some(taken) = self.taken.get_mut(place(piece, bit)) else { return false };
            *taken = taken.saturating_add(each);
            free &= *taken <= self.per_node && node < self.open;
        }
        free
    }

    fn give(&mut self, piece: &Piece, each: u16) {
        let mut bits = piece.mask;
        while bits != 0 {
            let bit = bits.trailing_zeros();
            bits &= bits - 1;
            if let Some(taken) = self.taken.get_mut(place(piece, bit)) {
                *taken = taken.saturating_sub(each);
            }
        }
    }
}

fn place(piece: &Piece, bit: u32) -> usize {
    piece.word as usize * 64 + bit as usize
}

#[cfg(test)]
mod tests;
