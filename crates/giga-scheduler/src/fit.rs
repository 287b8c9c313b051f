//! Whether a job fits now, and from when on it will: the two questions of EASY backfill.
//!
//! A job gives its nodes and power back at its release: the end of its limit, or the next maintenance window of its
//! site if that comes first. Phases that open and nodes that are expected back are releases as well. So nodes and
//! power only grow over time, and the earliest start is the later of the two instants at which there is enough.

use std::sync::Arc;

use giga_model::{JobId, SiteId};
use giga_units::{Duration, Instant, Power};

use crate::ahead::{Ahead, Place};
use crate::event::Piece;
use crate::floors::Lines;
use crate::job::{Job, ShapeId, Status};
use crate::plan::{Need, Plan};
use crate::pool::{NodeIndex, Pool, Tag, only_node};
use crate::state::State;

/// Where and when the first job that can not start now will start at the latest, and what is spare then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reservation {
    pub(crate) job: JobId,
    pub(crate) need: Need,
    pub(crate) at: Instant,
    pub(crate) spare: Spare,
}

impl Reservation {
    /// Whether another reservation keeps the same for the same job, whatever is spare.
    pub(crate) fn keeps_the_same(&self, other: &Self) -> bool {
        let same_node = match (&self.spare, &other.spare) {
            (Spare::Part { node, .. }, Spare::Part { node: kept, .. }) => node == kept,
            _ => true,
        };
        same_node && (self.job, self.need, self.at) == (other.job, other.need, other.at)
    }
}

/// What others may hold on to at the instant of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Spare {
    /// A maintenance window lies between: nothing that starts now can reach beyond it.
    Everything,
    /// So many whole nodes of the same pool, and so much power of the site.
    Nodes { nodes: u32, power: Power },
    /// So many accelerators of the one node that is kept for a part of it, and so much power of the site.
    Part { node: NodeIndex, each: u16, power: Power },
}

/// A start that is possible now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) need: Need,
    pub(crate) pieces: Arc<[Piece]>,
    pub(crate) release: Instant,
}

/// What decides about the time of a job: the same for all jobs of a kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) limit: Duration,
    pub(crate) saves: bool,
}

impl Span {
    pub(crate) fn of(job: &Job) -> Self {
        Self { limit: job.limit, saves: job.checkpoint.is_some() }
    }
}

/// When a job that starts at an instant gives its nodes back, by its way: the end of its limit, or the next maintenance window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exit {
    start: Instant,
    span: Span,
    window: Instant,
}

impl Exit {
    pub(crate) fn new(plan: &Plan, site: SiteId, start: Instant, span: Span) -> Self {
        let windows = plan.sites[site.index()].maintenance;
        Self { start, span, window: windows.map_or(Instant::FAR, |windows| windows.window_at(start).0) }
    }

    /// When it is, or `None` where the window would cut the job off.
    pub(crate) fn of(&self, need: &Need) -> Option<Instant> {
        self.after(need.time(self.span.limit))
    }

    fn after(&self, time: Duration) -> Option<Instant> {
        let end = self.start + time;
        (end <= self.window || self.span.saves).then(|| end.min(self.window))
    }
}

/// What a start has to leave to those ahead of it in the line.
#[derive(Debug, Clone)]
pub(crate) enum Reserved {
    /// What the first keeps.
    First(Reservation),
    /// What all of them keep, down to the depth.
    Depth(Ahead),
}

impl Reserved {
    /// Whether a start that ends then leaves them that; and on which node, where it matters.
    fn allows(&self, state: &State, need: &Need, release: Instant) -> Option<Option<NodeIndex>> {
        match self {
            Self::First(first) => (release <= first.at || state.spares(first, need)).then_some(None),
            Self::Depth(ahead) => ahead.place_now(state, need, release).map(Place::node),
        }
    }

    /// Takes a start that is not in the books yet out of what is spare.
    pub(crate) fn spend(&mut self, state: &State, start: &Start) {
        match self {
            Self::First(first) => state.spend(first, start),
            Self::Depth(ahead) => ahead.spend(state, start),
        }
    }

    /// How long a start in one of its ways may last, where work that saves its progress ends with the window anyway.
    fn longest(
        &self,
        state: &State,
        now: Instant,
        need: &Need,
        saves: bool,
        before_window: Duration,
    ) -> Duration {
        let until = match self {
            Self::First(first) if state.spares(first, need) => Instant::FAR,
            Self::First(first) => first.at,
            Self::Depth(ahead) => ahead.free_until(state, need),
        };
        let time = until.since(now);
        let any = until == Instant::FAR || (saves && before_window <= time);
        let longest = if any { Duration::MAX } else { need.work(time) };
        if saves { longest } else { longest.min(need.work(before_window)) }
    }
}

impl State {
    /// When a job that starts now gives its nodes back, or `None` where a maintenance window forbids the start in any way.
    pub(crate) fn release(&self, plan: &Plan, site: SiteId, now: Instant, span: Span) -> Option<Exit> {
        if self.sites[site.index()].closed.is_some() || self.sites[site.index()].is_shut() {
            return None;
        }
        let exit = Exit::new(plan, site, now, span);
        (exit.window > now && exit.after(span.limit).is_some()).then_some(exit)
    }

    /// Whether a site is open now, and how long until its next maintenance window.
    pub(crate) fn window_ahead(&self, plan: &Plan, site: SiteId, now: Instant) -> (bool, Duration) {
        let begin = plan.next_window(site, now);
        (
            self.sites[site.index()].closed.is_none() && !self.sites[site.index()].is_shut() && begin > now,
            begin.since(now),
        )
    }

    /// Up to which limit jobs of a shape may start now at an open site, or `None` where none may.
    pub(crate) fn longest_now(
        &self,
        site: SiteId,
        now: Instant,
        shape: ShapeId,
        saves: bool,
        before_window: Duration,
        reserved: &Reserved,
    ) -> Option<Duration> {
        let power = self.sites[site.index()].power_free();
        let ways = self.shapes[shape.0 as usize].needs.iter();
        let fits = |need: &&Need| self.fits_now(power, need) && self.beside_claims(site, need, None);
        ways.filter(fits).map(|need| reserved.longest(self, now, need, saves, before_window)).max()
    }

    pub(crate) fn fits_now(&self, power: Power, need: &Need) -> bool {
        need.power <= power && self.pools[need.pool.index()].fits(need)
    }

    /// The first way in which a job fits now, holds no more than `most`, and does not delay the reserved one, with its nodes.
    pub(crate) fn start_now(
        &self,
        site: SiteId,
        shape: ShapeId,
        exit: Exit,
        reserved: Option<&Reserved>,
        most: u32,
    ) -> Option<Start> {
        let ways = &self.shapes[shape.0 as usize].needs;
        let (need, release, node) = self.way_now(site, ways, exit, reserved, most)?;
        let pool = &self.pools[need.pool.index()];
        let pieces = node.map_or_else(|| pool.place(&need), |node| Arc::new([node.piece()]));
        Some(Start { need, pieces, release })
    }

    /// The first way in which a job fits now, holds no more than `most`, and delays nobody with a reservation, with its
    /// end and the node where that matters.
    pub(crate) fn way_now(
        &self,
        site: SiteId,
        ways: &[Need],
        exit: Exit,
        reserved: Option<&Reserved>,
        most: u32,
    ) -> Option<(Need, Instant, Option<NodeIndex>)> {
        let power = self.sites[site.index()].power_free();
        let fits = |need: &&Need| {
            need.held() <= most && self.fits_now(power, need) && self.beside_claims(site, need, None)
        };
        ways.iter().filter(fits).find_map(|need| {
            let release = exit.of(need)?;
            let node = reserved.map_or(Some(None), |reserved| reserved.allows(self, need, release))?;
            Some((*need, release, node))
        })
    }

    /// Whether a start that outlasts the reservation leaves it what it needs.
    fn spares(&self, reserved: &Reservation, need: &Need) -> bool {
        match reserved.spare {
            Spare::Everything => true,
            Spare::Nodes { nodes, power } => need.power <= power && self.cost(reserved, need) <= nodes,
            Spare::Part { each, power, .. } => {
                need.power <= power && self.cost(reserved, need) <= u32::from(each)
            }
        }
    }

    /// What a start that outlasts the reservation takes from what it needs then: nodes, or accelerators of its node.
    fn cost(&self, reserved: &Reservation, need: &Need) -> u32 {
        if need.pool != reserved.need.pool {
            return 0;
        }
        let pool = &self.pools[need.pool.index()];
        match (&reserved.spare, pool.is_part(need)) {
            (Spare::Everything, _) => 0,
            (Spare::Nodes { .. }, false) => need.nodes,
            (Spare::Nodes { .. }, true) => {
                let free = pool.free_at(pool.place_part(need.each), reserved.at);
                u32::from(free == pool.per_node)
            }
            (Spare::Part { node, .. }, true) if pool.place_part(need.each) == *node => u32::from(need.each),
            (Spare::Part { node, .. }, false) if pool.takes(need, *node) => u32::from(need.each),
            (Spare::Part { .. }, _) => 0,
        }
    }

    /// Takes a start that outlasts the reservation, and is not in the books yet, out of what is spare.
    fn spend(&self, reserved: &mut Reservation, start: &Start) {
        if start.release <= reserved.at {
            return;
        }
        let cost = self.cost(reserved, &start.need);
        match &mut reserved.spare {
            Spare::Everything => {}
            Spare::Nodes { nodes, power } => {
                *nodes -= cost;
                *power -= start.need.power;
            }
            Spare::Part { each, power, .. } => {
                *each -= u16::try_from(cost).expect("a part is smaller than a node");
                *power -= start.need.power;
            }
        }
    }

    /// When and where a job that does not fit now will, if all that runs takes as long as it may.
    pub(crate) fn reserve(&self, plan: &Plan, now: Instant, job: &Job) -> Option<Reservation> {
        debug_assert_eq!(job.status, Status::Waiting);
        let most = self.most_held(plan, now, job, &Lines::default());
        let ways = self.shapes[job.shape.0 as usize].needs.iter();
        let ways = ways.filter(|need| need.held() <= most);
        ways.filter_map(|need| self.reserve_need(plan, now, job, need)).min_by_key(|reserved| reserved.at)
    }

    /// The same among ways that need not be those of the job's shape.
    pub(crate) fn reserve_among(
        &self,
        plan: &Plan,
        now: Instant,
        job: &Job,
        ways: &[Need],
    ) -> Option<Reservation> {
        let ways = ways.iter().filter_map(|need| self.reserve_need(plan, now, job, need));
        ways.min_by_key(|reservation| reservation.at)
    }

    fn reserve_need(&self, plan: &Plan, now: Instant, job: &Job, need: &Need) -> Option<Reservation> {
        let site = &self.sites[job.site.index()];
        let pool = &self.pools[need.pool.index()];
        let soon = now + Duration::milliseconds(1);
        let by_power = match (need.power + site.power_used).saturating_sub(site.headroom) {
            Power::ZERO => now,
            lacking => site.power_releases.reach(lacking.as_milliwatts())?.max(soon),
        };
        let (by_nodes, node) = self.nodes_from(plan, need, now)?;
        let earliest = by_nodes.max(by_power).max(soon);
        let at = open_from(plan, job, need, earliest, site.closed)?;
        let (job, need) = (job.id, *need);
        if at > earliest {
            return Some(Reservation { job, need, at, spare: Spare::Everything });
        }
        let back = Power::milliwatts(site.power_releases.until(at));
        let power = (site.headroom + back).saturating_sub(site.power_used + need.power);
        let spare = match node {
            None => {
                let nodes = u64::from(pool.whole_free) + pool.releases.until(at);
                Spare::Nodes { nodes: u32::try_from(nodes).expect("nodes fit") - need.nodes, power }
            }
            Some(node) => {
                let free = pool.free_at(node, at).max(need.each);
                Spare::Part { node, each: free - need.each, power }
            }
        };
        Some(Reservation { job, need, at, spare })
    }

    /// From when on a need has its nodes; for a part of a node also which node.
    fn nodes_from(&self, plan: &Plan, need: &Need, now: Instant) -> Option<(Instant, Option<NodeIndex>)> {
        let pool = &self.pools[need.pool.index()];
        if !pool.is_part(need) {
            let at = match need.nodes.saturating_sub(pool.whole_free) {
                0 => now,
                lacking => pool.releases.reach(u64::from(lacking))?,
            };
            return Some((at, None));
        }
        if pool.fits(need) {
            return Some((now, Some(pool.place_part(need.each))));
        }
        let whole = pool.releases.first();
        let part = self.part_from(pool, need.each, whole.map_or(Instant::FAR, |(at, _)| at));
        part.or_else(|| whole.map(|(at, tag)| (at, self.node_of(plan, need, Tag::from_bits(tag)))))
            .map(|(at, node)| (at, Some(node)))
    }

    /// The first instant, up to `last`, at which parts that come back leave `each` accelerators free on one node.
    fn part_from(&self, pool: &Pool, each: u16, last: Instant) -> Option<(Instant, NodeIndex)> {
        let mut back: Vec<(NodeIndex, u16)> = Vec::new();
        for &(at, job) in pool.part_ends.range(..=(last, JobId(u64::MAX))) {
            let run = self.job(job).and_then(Job::run).expect("a part is held by a running job");
            let node = only_node(&run.pieces);
            let place = back.iter().position(|&(other, _)| other == node).unwrap_or_else(|| {
                back.push((node, pool.free[node.0]));
                back.len() - 1
            });
            back[place].1 += run.need.each;
            if back[place].1 >= each {
                return Some((at, node));
            }
        }
        None
    }

    /// The first of the nodes that come back under a tag.
    fn node_of(&self, plan: &Plan, need: &Need, tag: Tag) -> NodeIndex {
        match tag {
            Tag::Shared(node) | Tag::Down(node) => node,
            Tag::Limit => unreachable!("a limit of power holds no nodes"),
            Tag::Job(job) => {
                let run = self.job(job).and_then(Job::run).expect("nodes are held by a running job");
                only_node(&run.pieces)
            }
            Tag::Phase(phase) => {
                let site = plan.pools[need.pool.index()].site;
                let before = &plan.sites[site.index()].phases[..phase];
                let nodes =
                    before.iter().flat_map(|phase| &phase.nodes).filter(|(pool, _)| *pool == need.pool);
                self.pools[need.pool.index()].index_of(nodes.map(|(_, nodes)| nodes).sum())
            }
        }
    }
}

/// The first instant from `earliest` on at which no maintenance window is on or cuts the job off; `None` where it never fits between
/// two windows this way.
pub(crate) fn open_from(
    plan: &Plan,
    job: &Job,
    need: &Need,
    earliest: Instant,
    closed: Option<Instant>,
) -> Option<Instant> {
    let mut at = closed.map_or(earliest, |until| earliest.max(until));
    let Some(windows) = plan.sites[job.site.index()].maintenance else { return Some(at) };
    // Here, between the next two windows, or nowhere: later ones are as far apart.
    for _ in 0..3 {
        let (begin, end) = windows.window_at(at);
        if at < begin && Exit::new(plan, job.site, at, Span::of(job)).of(need).is_some() {
            return Some(at);
        }
        at = end;
    }
    None
}

impl Pool {
    /// Accelerators of a node that are free at an instant, if all that holds it now takes as long as it may.
    pub(crate) fn free_at(&self, node: NodeIndex, at: Instant) -> u16 {
        if let Some(parts) = self.shared.get(&node) {
            let held = parts.iter().filter(|part| part.release > at).map(|part| part.each);
            return self.per_node - held.sum::<u16>();
        }
        // A node that is not shared is free now, or was found among what comes back by then.
        self.per_node
    }
}
