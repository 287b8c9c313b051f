//! What will be free at a site when, beside what those ahead in the line keep: reservations to a depth.
//!
//! With more than one reservation each of the first jobs in the order, down to the stated depth, keeps the earliest start that delays
//! none before it, and whatever starts outside the order leaves all of these alone. That is conservative backfill (Mu'alem and
//! Feitelson, IEEE TPDS 12(6), 2001) to a depth, made anew at each look. With one reservation it is EASY, and nothing here is used.

mod steps;

use giga_model::{JobId, ProjectId, SiteId};
use giga_units::{Duration, Instant};
use steps::Steps;

use crate::apply::amount_of;
use crate::fit::{Exit, Span, Start, open_from};
use crate::job::Job;
use crate::plan::{Need, Plan};
use crate::pool::{NodeIndex, Pool, only_node};
use crate::queue::Kind;
use crate::state::State;

/// What is free at a site from now on, as far as is known.
#[derive(Debug, Clone)]
pub(crate) struct Ahead {
    site: SiteId,
    now: Instant,
    /// The pools of the site, in their order.
    pools: Vec<PoolAhead>,
    first_pool: usize,
    power: Steps,
}

#[derive(Debug, Clone)]
struct PoolAhead {
    per_node: u16,
    /// Whole nodes.
    whole: Steps,
    parted: Vec<Parted>,
}

/// A node that jobs share, now or as far as is reserved.
#[derive(Debug, Clone)]
struct Parted {
    /// Which, where that is known.
    node: Option<NodeIndex>,
    /// From when until when it is shared; before and after it is among the whole ones.
    from: Instant,
    until: Instant,
    free: Steps,
}

/// Where a need goes in what is ahead.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// Whole nodes, or a part of a node that is whole until then: which, where that is known.
    Whole(Option<NodeIndex>),
    /// A part of this one of the shared nodes.
    Parted(usize, Option<NodeIndex>),
}

impl Place {
    /// The node of a part of one, where it is known.
    pub(crate) fn node(self) -> Option<NodeIndex> {
        match self {
            Self::Whole(node) | Self::Parted(_, node) => node,
        }
    }
}

impl Parted {
    fn of(pool: &Pool, node: NodeIndex, now: Instant, soon: Instant) -> Self {
        let parts = &pool.shared[&node];
        let mut free = Steps::flat(now, u64::from(pool.free[node.0]));
        for part in parts {
            free.add(part.release.max(soon), u64::from(part.each));
        }
        let until = parts.iter().map(|part| part.release).max().unwrap_or(now).max(soon);
        Self { node: Some(node), from: now, until, free }
    }

    /// Until when a part that starts at an instant can stay, where the node is whole again in between as `whole` tells.
    fn free_until(&self, from: Instant, each: u16, whole: &Steps) -> Instant {
        let until = self.free.enough_until(from, u64::from(each));
        if until < self.until { until } else { whole.enough_until(self.until, 1) }
    }
}

impl State {
    /// The first in the line that keep a start of their own, in their order; `None` with one of them, or while nothing may start.
    pub(crate) fn line_ahead(&self, plan: &Plan, site: SiteId, now: Instant) -> Option<Vec<JobId>> {
        let book = &self.sites[site.index()];
        let depth = usize::from(plan.policy.reservations);
        if depth <= 1 || book.closed.is_some() || book.is_shut() {
            return None;
        }
        let lines = self.lines(plan, site);
        let first = self.first(plan, site, now, &lines)?;
        let allowed = |project: ProjectId, kind: &Kind| self.allows(plan, (now, site), project, kind, &lines);
        let asks_for = |job: JobId| {
            let job = self.job(job).expect("a queued job is live");
            amount_of(self.asks(job).first().accelerators, job.limit)
        };
        let mut others = book.queue.in_turn(&book.accounts, depth, &allowed, asks_for);
        others.retain(|&job| job != first);
        others.truncate(depth - 1);
        Some(std::iter::once(first).chain(others).collect())
    }
}

impl Ahead {
    /// What is free beside what runs and what is kept for claims.
    pub(crate) fn new(state: &State, plan: &Plan, site: SiteId, now: Instant) -> Self {
        let (book, soon) = (&state.sites[site.index()], now + Duration::milliseconds(1));
        let range = plan.sites[site.index()].pools.clone();
        let pools = state.pools[range.clone()].iter().map(|pool| PoolAhead {
            per_node: pool.per_node,
            whole: Steps::of(now, soon, u64::from(pool.whole_free), &pool.releases),
            parted: pool.shared.keys().map(|&node| Parted::of(pool, node, now, soon)).collect(),
        });
        let free = book.power_free().as_milliwatts();
        let mut power = Steps::of(now, soon, free, &book.power_releases);
        // Where more is drawn than there is, what comes back fills that up first.
        power.take(soon, Instant::FAR, book.power_used.saturating_sub(book.headroom).as_milliwatts());
        let mut ahead = Self { site, now, pools: pools.collect(), first_pool: range.start, power };
        for claim in &book.claims {
            let job = state.job(claim.job).expect("a claim has a live job");
            if let Some((at, place)) = ahead.earliest(state, plan, job, &claim.need, claim.by) {
                ahead.take(&claim.need, place, at, end(plan, job, &claim.need, at));
            }
        }
        ahead
    }

    /// Gives a job the earliest start that delays nothing that is kept already; when that is, or `None` where it is never.
    pub(crate) fn reserve(&mut self, state: &State, plan: &Plan, job: &Job, most: u32) -> Option<Instant> {
        let claims = &state.sites[self.site.index()].claims;
        if let Some(claim) = claims.iter().find(|claim| claim.job == job.id) {
            return Some(claim.by);
        }
        let ways = state.shapes[job.shape.0 as usize].needs.iter().filter(|need| need.held() <= most);
        let soon = self.now + Duration::milliseconds(1);
        let found = ways.filter_map(|need| Some((self.earliest(state, plan, job, need, soon)?, *need)));
        let ((at, place), need) = found.min_by_key(|((at, _), _)| *at)?;
        self.take(&need, place, at, end(plan, job, &need, at));
        Some(at)
    }

    /// Until when a start now could last without delaying anything that is kept; not after now where it could not start.
    pub(crate) fn free_until(&self, state: &State, need: &Need) -> Instant {
        let by_power = self.power.enough_until(self.now, need.power.as_milliwatts());
        let ahead = self.pool(need);
        let whole = ahead.whole.enough_until(self.now, u64::from(need.nodes));
        let parted = self
            .parted_now(state, need)
            .map(|(_, parted)| parted.free_until(self.now, need.each, &ahead.whole));
        by_power.min(parted.fold(whole, Instant::max))
    }

    /// Where a start now that ends then goes without delaying anything that is kept: a part of a node to the node with the fewest
    /// accelerators free.
    pub(crate) fn place_now(&self, state: &State, need: &Need, release: Instant) -> Option<Place> {
        if release > self.power.enough_until(self.now, need.power.as_milliwatts()) {
            return None;
        }
        let (ahead, pool) = (self.pool(need), &state.pools[need.pool.index()]);
        let stays = |parted: &Parted| release <= parted.free_until(self.now, need.each, &ahead.whole);
        let shared = self.parted_now(state, need).filter(|(_, parted)| stays(parted));
        let free = |parted: &Parted| parted.node.map(|node| (pool.free[node.0], node));
        if let Some((index, parted)) = shared.min_by_key(|(_, parted)| free(parted)) {
            return Some(Place::Parted(index, parted.node));
        }
        let whole = release <= ahead.whole.enough_until(self.now, u64::from(need.nodes));
        match pool.is_part(need) {
            true => pool.lone_whole().filter(|_| whole).map(|node| Place::Whole(Some(node))),
            false => whole.then_some(Place::Whole(None)),
        }
    }

    /// Takes out a start now that is not in the books yet.
    pub(crate) fn spend(&mut self, state: &State, start: &Start) {
        let need = &start.need;
        let place = match state.pools[need.pool.index()].is_part(need) {
            false => Place::Whole(None),
            true => {
                let node = Some(only_node(&start.pieces));
                let shared = self.pool(need).parted.iter().position(|parted| parted.node == node);
                shared.map_or(Place::Whole(node), |index| Place::Parted(index, node))
            }
        };
        self.take(need, place, self.now, start.release);
    }

    fn pool(&self, need: &Need) -> &PoolAhead {
        &self.pools[need.pool.index() - self.first_pool]
    }

    /// The nodes that are shared now and have room for a part of one.
    fn parted_now(&self, state: &State, need: &Need) -> impl Iterator<Item = (usize, &Parted)> {
        let pool = &state.pools[need.pool.index()];
        let (part, each) = (pool.is_part(need), need.each);
        let fits = move |node: NodeIndex| part && pool.free[node.0] >= each;
        let parted = self.pool(need).parted.iter().enumerate();
        parted.filter(move |(_, parted)| parted.node.is_some_and(fits))
    }

    /// The earliest start of a job in one way, not before an instant, and where.
    fn earliest(
        &self,
        state: &State,
        plan: &Plan,
        job: &Job,
        need: &Need,
        from: Instant,
    ) -> Option<(Instant, Place)> {
        let pool = self.pool(need);
        let whole = |at, to| pool.whole.enough_from(at, to, u64::from(need.nodes));
        let fresh = self.first_fit(state, plan, job, need, (from, Instant::FAR), whole);
        let mut best = fresh.map(|at| (at, Place::Whole(None)));
        let parts = if need.each < pool.per_node { &pool.parted[..] } else { &[] };
        for (index, parted) in parts.iter().enumerate() {
            // Beyond what is known of it the node is one of the whole ones: where these are taken then, a later start is too.
            let shared = |at, to: Instant| {
                let stays = to <= parted.until || to <= pool.whole.enough_until(parted.until, 1);
                let each = parted.free.enough_from(at, to.min(parted.until), u64::from(need.each));
                each.filter(|_| stays)
            };
            let sooner = |at: &Instant| best.is_none_or(|(best, _)| *at < best);
            let begin = from.max(parted.from);
            let room = parted.free.enough_from(begin, begin, u64::from(need.each));
            let Some(begin) = room.filter(sooner).filter(|at| *at <= parted.until) else { continue };
            let found = self.first_fit(state, plan, job, need, (begin, parted.until), shared);
            if let Some(at) = found.filter(sooner) {
                best = Some((at, Place::Parted(index, parted.node)));
            }
        }
        best
    }

    /// The first instant within bounds at which there is power, the site is open, and there is room as `room` tells it.
    fn first_fit(
        &self,
        state: &State,
        plan: &Plan,
        job: &Job,
        need: &Need,
        (from, last): (Instant, Instant),
        room: impl Fn(Instant, Instant) -> Option<Instant>,
    ) -> Option<Instant> {
        let closed = state.sites[self.site.index()].closed;
        let mut at = from;
        loop {
            at = open_from(plan, job, need, at, closed)?;
            if at > last {
                return None;
            }
            let to = end(plan, job, need, at);
            let powered = self.power.enough_from(at, to, need.power.as_milliwatts())?;
            let next = room(at, to)?.max(powered);
            if next == at {
                return Some(at);
            }
            at = next;
        }
    }

    fn take(&mut self, need: &Need, place: Place, from: Instant, to: Instant) {
        self.power.take(from, to, need.power.as_milliwatts());
        let pool = &mut self.pools[need.pool.index() - self.first_pool];
        match place {
            Place::Whole(node) => {
                pool.whole.take(from, to, u64::from(need.nodes));
                if need.each < pool.per_node {
                    let mut free = Steps::flat(from, u64::from(pool.per_node));
                    free.take(from, to, u64::from(need.each));
                    pool.parted.push(Parted { node, from, until: to, free });
                }
            }
            Place::Parted(index, _) => {
                let parted = &mut pool.parted[index];
                parted.free.take(from, to, u64::from(need.each));
                pool.whole.take(parted.until, to, 1);
                parted.until = parted.until.max(to);
            }
        }
    }
}

/// When a job that starts at an instant at which it may gives its nodes back at the latest.
fn end(plan: &Plan, job: &Job, need: &Need, at: Instant) -> Instant {
    Exit::new(plan, job.site, at, Span::of(job)).of(need).unwrap_or(Instant::FAR)
}
