//! Checks every batch of events with a book of its own. It is told nothing but the events, and trusts none of them.

use std::sync::Arc;

use giga_model::{Federation, JobId, JobMap, PoolId, SiteId, image};
use giga_scheduler::{Event, Need, Piece, State};
use giga_units::{Instant, Power};
use thiserror::Error;

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
    }
}

/// The linter's own book.
#[derive(Debug, Clone)]
pub(crate) struct Linter {
    pools: Vec<PoolBook>,
    sites: Vec<SiteBook>,
    /// Every job that waits, or runs with what it holds.
    jobs: JobMap<Option<Held>>,
    pub(crate) count: u64,
    pub(crate) first: Vec<Violation>,
}

type Held = (Need, Arc<[Piece]>);

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
    drawn: Power,
    closed: bool,
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
        Self {
            pools: pools.collect(),
            sites: vec![SiteBook::default(); federation.sites.len()],
            jobs: JobMap::default(),
            count: 0,
            first: Vec::new(),
        }
    }

    /// Takes over what already runs, after a restart.
    pub(crate) fn adopt(&mut self, federation: &Federation, state: &State, now: Instant) {
        for (site, book) in self.sites.iter_mut().enumerate() {
            let id = SiteId::at(site);
            book.phases = state.phases_open(id);
            book.closed = state.closed_until(id).is_some();
            for phase in &federation.sites[site].phases[..book.phases] {
                phase.nodes.iter().for_each(|&(pool, nodes)| self.pools[pool.index()].open += nodes);
            }
        }
        for pool in 0..self.pools.len() {
            let down: Vec<u32> = state.down(PoolId::at(pool)).map(|(node, _)| node).collect();
            down.into_iter().for_each(|node| self.node(PoolId::at(pool), node, true));
        }
        for job in state.jobs() {
            self.jobs.insert(job.id, None);
            if let Some(run) = job.run() {
                self.started(federation, now, job.id, &run.need, &run.pieces);
            }
        }
    }

    pub(crate) fn check(&mut self, federation: &Federation, now: Instant, event: &Event) {
        match event {
            Event::Started { job, need, pieces, .. } => self.started(federation, now, *job, need, pieces),
            Event::Interrupted { job, .. } => self.stopped(federation, *job),
            Event::Ended { job, .. } => {
                self.stopped(federation, *job);
                self.jobs.remove(*job);
            }
            Event::Submitted { job, .. } => match self.jobs.get(*job) {
                None => self.jobs.insert(*job, None),
                Some(_) => self.report(Violation::NotWaiting { at: now, job: *job }),
            },
            Event::NodeDown { pool, node, .. } => self.node(*pool, *node, true),
            Event::NodeUp { pool, node } => self.node(*pool, *node, false),
            Event::PhaseOpened { site, phase } => {
                self.sites[site.index()].phases += 1;
                for &(pool, nodes) in &federation.sites[site.index()].phases[phase.index()].nodes {
                    self.pools[pool.index()].open += nodes;
                }
            }
            Event::Closed { site, .. } => self.sites[site.index()].closed = true,
            Event::Opened { site } => self.sites[site.index()].closed = false,
            Event::Refused { .. }
            | Event::Stopping { .. }
            | Event::Kept { .. }
            | Event::UseHalved
            | Event::YearTurned
            | Event::Settled => {}
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
        let pool = &mut self.pools[need.pool.index()];
        let nodes: u32 = pieces.iter().map(|piece| piece.mask.count_ones()).sum();
        let free = pieces.iter().all(|piece| pool.take(piece, need.each));
        let (id, site) = (pool.site, &mut self.sites[pool.site.index()]);
        site.drawn += ceiling(federation, need);
        let (drawn, envelope) = (site.drawn, envelope(federation, id, site.phases));
        let windows = federation.sites[id.index()].maintenance;
        let closed = site.closed || windows.is_some_and(|windows| windows.window_at(now).0 <= now);
        let entry = self.jobs.get_mut(job);
        let waited = entry.as_ref().is_some_and(|held| held.is_none());
        if let Some(held) = entry {
            *held = Some((*need, Arc::clone(pieces)));
        }
        if !free || nodes != need.nodes {
            self.report(Violation::NotFree { at: now, job });
        }
        if !waited {
            self.report(Violation::NotWaiting { at: now, job });
        }
        if drawn > envelope {
            self.report(Violation::Power { at: now, site: id, drawn, envelope });
        }
        if closed {
            self.report(Violation::Closed { at: now, job });
        }
    }

    fn stopped(&mut self, federation: &Federation, job: JobId) {
        let Some((need, pieces)) = self.jobs.get_mut(job).and_then(Option::take) else { return };
        let pool = &mut self.pools[need.pool.index()];
        pieces.iter().for_each(|piece| pool.give(piece, need.each));
        self.sites[pool.site.index()].drawn -= ceiling(federation, &need);
    }

    fn node(&mut self, pool: PoolId, node: u32, down: bool) {
        let pool = &mut self.pools[pool.index()];
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

/// What a job may add to the idle draw of its nodes, worked out from the description and not taken from the need.
fn ceiling(federation: &Federation, need: &Need) -> Power {
    federation.accelerator_of(need.pool).dynamic().times(u64::from(need.held()))
}

/// What running work may draw above idle at a site with so many phases open, worked out from the description.
fn envelope(federation: &Federation, site: SiteId, phases: usize) -> Power {
    let about = &federation.sites[site.index()];
    let open = &about.phases[..phases];
    let idle =
        |(pool, nodes): &(PoolId, u32)| federation.accelerator_of(*pool).node_idle.times(u64::from(*nodes));
    let idle: Power = open.iter().flat_map(|phase| &phase.nodes).map(idle).sum();
    let total: Power = open.iter().map(|phase| phase.power).sum();
    about.facility_factor.undo(total).saturating_sub(idle)
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
