//! What the scheduler knows: nodes, power, use and jobs. Its image is complete; everything else is derived from it.

use std::collections::{BTreeMap, BTreeSet};

use giga_model::{
    Asks, Federation, JobId, JobMap, Overhead, OwnerId, PoolId, Predecessor, ProjectId, SiteId, SlurmMode,
};
use giga_units::{Instant, Power};

use crate::event::Piece;
use crate::floors::Lines;
use crate::holdings::Holdings;
use crate::job::{Job, Shape, ShapeId, Status};
use crate::plan::{Need, Plan};
use crate::pool::{NodeIndex, Pool, Tag};
use crate::queue::{Queue, Use};
use crate::store::Releases;

/// Everything that scheduling needs to know, and nothing that can be looked up elsewhere.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) next_job: u64,
    pub(crate) jobs: JobMap<Job>,
    pub(crate) sites: Vec<Site>,
    pub(crate) pools: Vec<Pool>,
    /// Sites that have to be looked at: dirty, or with arrivals.
    pub(crate) due: Vec<SiteId>,
    pub(crate) shapes: Vec<Shape>,
    shape_of: BTreeMap<(SiteId, Asks), ShapeId>,
    /// By live job: those that come after it, in their order.
    followers: BTreeMap<JobId, BTreeSet<JobId>>,
}

/// One site.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) phases_open: usize,
    /// When the maintenance that is on ends, or `None`.
    pub(crate) closed: Option<Instant>,
    /// Whether nothing more is to start.
    pub(crate) drained: bool,
    /// Whether what runs work there has not answered for a while.
    pub(crate) silent: bool,
    /// What the building draws in all for what the nodes draw.
    pub(crate) overhead: Overhead,
    /// What the grid gives at most, and until when, where that is less than the connection has.
    pub(crate) limit: Option<(Power, Instant)>,
    /// What it gives behind that, and until when, where that is known.
    pub(crate) limit_behind: Option<(Power, Instant)>,
    /// What running work may draw above idle.
    pub(crate) headroom: Power,
    /// What running work may draw above idle of that at the pace it goes. More than there is only where a limit has just
    /// fallen, or protected work exceeds it.
    pub(crate) power_used: Power,
    /// When power comes back.
    pub(crate) power_releases: Releases,
    pub(crate) queue: Queue,
    pub(crate) accounts: Use,
    /// The job that keeps its place: nothing that starts before it may delay it.
    pub(crate) kept: Option<JobId>,
    /// Jobs that came since the site was last settled.
    pub(crate) arrivals: Vec<JobId>,
    /// Whether anything else changed since then.
    pub(crate) dirty: bool,
    /// Counts changes that a reservation depends on.
    pub(crate) epoch: u64,
    pub(crate) running: u32,
    pub(crate) holdings: Holdings,
    /// Accelerators that are up and can be powered.
    pub(crate) capacity: u64,
    /// What each owner may claim of them.
    pub(crate) floors: Vec<u64>,
    /// Jobs for which nodes are kept that others were told to leave.
    pub(crate) claims: Vec<Claim>,
    /// Jobs that are kept back, by the time they are due.
    pub(crate) deferred: BTreeSet<(Instant, JobId)>,
    /// How many come after jobs that live.
    pub(crate) awaiting: usize,
}

/// Nodes that are kept for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) job: JobId,
    pub(crate) need: Need,
    pub(crate) by: Instant,
}

giga_model::image! { struct Claim { job, need, by } }

impl Site {
    /// Whether nothing starts, for nobody knows how long.
    pub(crate) fn is_shut(&self) -> bool {
        self.drained || self.silent
    }

    /// What running work may still draw above idle.
    pub(crate) fn power_free(&self) -> Power {
        self.headroom.saturating_sub(self.power_used)
    }
}

impl State {
    /// Nothing is open, nothing is known of.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let sites = plan.sites.iter().map(|site| Site {
            phases_open: 0,
            closed: None,
            drained: false,
            silent: false,
            overhead: site.overhead,
            limit: None,
            limit_behind: None,
            headroom: Power::ZERO,
            power_used: Power::ZERO,
            power_releases: Releases::default(),
            queue: Queue::new(plan),
            accounts: Use::new(plan, site),
            kept: None,
            arrivals: Vec::new(),
            dirty: false,
            epoch: 0,
            running: 0,
            holdings: Holdings::new(plan),
            capacity: 0,
            floors: vec![0; plan.owners],
            claims: Vec::new(),
            deferred: BTreeSet::new(),
            awaiting: 0,
        });
        let mut state = Self {
            next_job: 0,
            jobs: JobMap::default(),
            sites: sites.collect(),
            pools: plan.pools.iter().map(Pool::new).collect(),
            due: Vec::new(),
            shapes: Vec::new(),
            shape_of: BTreeMap::new(),
            followers: BTreeMap::new(),
        };
        for site in 0..plan.sites.len() {
            state.announce_phases(plan, SiteId::at(site));
        }
        state
    }

    /// Puts the phases that are not open yet among what comes back, at their dates.
    fn announce_phases(&mut self, plan: &Plan, site: SiteId) {
        for (index, phase) in plan.sites[site.index()].phases.iter().enumerate() {
            for &(pool, nodes) in &phase.nodes {
                let tag = Tag::Phase(index).bits();
                self.pools[pool.index()].releases.insert(phase.opens, tag, u64::from(nodes));
            }
            let gain = plan.headroom(site, index + 1).saturating_sub(plan.headroom(site, index));
            let tag = Tag::Phase(index).bits();
            self.sites[site.index()].power_releases.insert(phase.opens, tag, gain.as_milliwatts());
        }
    }

    pub(crate) fn open_phase(&mut self, plan: &Plan, id: SiteId) {
        let site = &mut self.sites[id.index()];
        let index = site.phases_open;
        let phase = &plan.sites[id.index()].phases[index];
        let tag = Tag::Phase(index).bits();
        for &(pool, nodes) in &phase.nodes {
            self.pools[pool.index()].releases.remove(phase.opens, tag);
            self.pools[pool.index()].open(nodes);
        }
        site.power_releases.remove(phase.opens, tag);
        site.phases_open += 1;
        // What a limit takes from the connection is more from here on.
        let limit = site.limit;
        self.set_limit(plan, id, limit);
    }

    /// Sets or lifts what the grid gives at most.
    pub(crate) fn set_limit(&mut self, plan: &Plan, id: SiteId, limit: Option<(Power, Instant)>) {
        let site = &mut self.sites[id.index()];
        let under = |limit| plan.headroom_under(id, site.phases_open, site.overhead, limit);
        let gain = limit.map(|(power, _)| under(None).saturating_sub(under(Some(power))));
        if let Some((_, until)) = std::mem::replace(&mut site.limit, limit) {
            site.power_releases.remove(until, Tag::Limit.bits());
        }
        if let Some(((_, until), gain)) = limit.zip(gain) {
            site.power_releases.insert(until, Tag::Limit.bits(), gain.as_milliwatts());
        }
        self.recount_power(plan, id);
    }

    /// Sets what the building draws in all; whether that matters, since all open nodes together can draw more than is left for
    /// them, or could before.
    pub(crate) fn set_overhead(&mut self, plan: &Plan, id: SiteId, overhead: Overhead) -> bool {
        let open = |index: usize| u64::from(self.pools[index].open) * u64::from(self.pools[index].per_node);
        let most = |index: usize| plan.pools[index].dynamic.times(open(index));
        let most: Power = plan.sites[id.index()].pools.clone().map(most).sum();
        let site = &mut self.sites[id.index()];
        site.overhead = overhead;
        let (before, limit) = (site.headroom, site.limit);
        // What a limit takes from the nodes is another part from here on.
        self.set_limit(plan, id, limit);
        before.min(self.sites[id.index()].headroom) < most
    }

    /// Notes that a site has to be looked at.
    pub(crate) fn make_due(&mut self, site: SiteId) {
        if !self.due.contains(&site) {
            self.due.push(site);
        }
    }

    /// Works out the headroom anew, and with it the capacity.
    fn recount_power(&mut self, plan: &Plan, id: SiteId) {
        let site = &mut self.sites[id.index()];
        let limit = site.limit.map(|(power, _)| power);
        site.headroom = plan.headroom_under(id, site.phases_open, site.overhead, limit);
        self.recount_capacity(plan, id);
    }

    /// Works out anew how many accelerators are up and can be powered, and what each owner may claim of them.
    pub(crate) fn recount_capacity(&mut self, plan: &Plan, id: SiteId) {
        let (mut up, mut ceiling) = (0_u64, Power::ZERO);
        for index in plan.sites[id.index()].pools.clone() {
            let pool = &self.pools[index];
            let nodes = u64::from(pool.open) - pool.down.len() as u64;
            up += nodes * u64::from(pool.per_node);
            ceiling += plan.pools[index].dynamic.times(nodes * u64::from(pool.per_node));
        }
        let site = &mut self.sites[id.index()];
        site.capacity = plan.powered(up, ceiling, site.headroom);
        let shares = &plan.sites[id.index()].shares;
        for (floor, share) in site.floors.iter_mut().zip(shares) {
            *floor = share.of_count(site.capacity);
        }
    }

    /// A waiting or running job.
    #[must_use]
    pub fn job(&self, job: JobId) -> Option<&Job> {
        self.jobs.get(job)
    }

    /// All waiting and running jobs in the order of their numbers.
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter()
    }

    /// How many jobs wait or run.
    #[must_use]
    pub fn live(&self) -> usize {
        self.jobs.len()
    }

    /// The number that the next job will get.
    #[must_use]
    pub fn next_job(&self) -> JobId {
        JobId(self.next_job)
    }

    /// How many jobs wait at a site.
    #[must_use]
    pub fn waiting(&self, site: SiteId) -> u32 {
        self.sites[site.index()].queue.len()
    }

    /// How many jobs were given to a site and are not over.
    #[must_use]
    pub fn running(&self, site: SiteId) -> u32 {
        self.sites[site.index()].running
    }
    /// How many of those wait in a line of the site's own and have not begun. It looks at every job, where there can be any.
    #[must_use]
    pub fn queued(&self, federation: &Federation, site: SiteId) -> u32 {
        if federation.sites[site.index()].mode() != SlurmMode::Guest {
            return 0;
        }
        let queued = |job: &&Job| job.site == site && job.run().is_some_and(|run| run.queued);
        u32::try_from(self.jobs().filter(queued).count()).unwrap_or(u32::MAX)
    }

    /// Until when a site is out for maintenance, if it is.
    #[must_use]
    pub fn closed_until(&self, site: SiteId) -> Option<Instant> {
        self.sites[site.index()].closed
    }

    /// How many phases of a site are open.
    #[must_use]
    pub fn phases_open(&self, site: SiteId) -> usize {
        self.sites[site.index()].phases_open
    }

    /// Nodes of a pool that are down, with the time they are expected back.
    pub fn down(&self, pool: PoolId) -> impl Iterator<Item = (u32, Instant)> + '_ {
        let pool = &self.pools[pool.index()];
        pool.down.iter().map(|(&node, &until)| (pool.count_of(node), until))
    }

    /// What running work may still draw above idle at a site.
    #[must_use]
    pub fn power_free(&self, site: SiteId) -> Power {
        self.sites[site.index()].power_free()
    }

    /// What running work may draw above idle at a site now.
    #[must_use]
    pub fn headroom(&self, site: SiteId) -> Power {
        self.sites[site.index()].headroom
    }

    /// What the building of a site draws in all for what its nodes draw.
    #[must_use]
    pub fn overhead(&self, site: SiteId) -> Overhead {
        self.sites[site.index()].overhead
    }
    /// What the grid gives a site behind the limit that is on and until when, where that is known.
    #[must_use]
    pub fn limit_behind(&self, site: SiteId) -> Option<(Power, Instant)> {
        self.sites[site.index()].limit_behind
    }

    /// What the grid gives a site at most and until when, where that is limited.
    #[must_use]
    pub fn limit(&self, site: SiteId) -> Option<(Power, Instant)> {
        self.sites[site.index()].limit
    }

    /// Whether what runs work at a site has not answered for a while.
    #[must_use]
    pub fn is_silent(&self, site: SiteId) -> bool {
        self.sites[site.index()].silent
    }

    /// Whether a site is to start nothing more.
    #[must_use]
    pub fn is_drained(&self, site: SiteId) -> bool {
        self.sites[site.index()].drained
    }

    /// Accelerators of a site that are up and can be powered.
    #[must_use]
    pub fn capacity(&self, site: SiteId) -> u64 {
        self.sites[site.index()].capacity
    }

    /// What an owner may claim at a site at once, in accelerators.
    #[must_use]
    pub fn floor(&self, site: SiteId, owner: OwnerId) -> u64 {
        self.sites[site.index()].floors[owner.index()]
    }

    /// What an owner's work holds at a site, in accelerators: what can not be told to leave, and what can.
    #[must_use]
    pub fn held(&self, site: SiteId, owner: OwnerId) -> (u64, u64) {
        let holding = self.sites[site.index()].holdings.of(owner);
        (holding.firm, holding.loan)
    }

    /// How many jobs are kept back at a site for cheaper or cleaner hours.
    #[must_use]
    pub fn deferred(&self, site: SiteId) -> usize {
        self.sites[site.index()].deferred.len()
    }

    /// How many jobs of a site come after jobs that live.
    #[must_use]
    pub fn awaiting(&self, site: SiteId) -> usize {
        self.sites[site.index()].awaiting
    }

    /// The first live one of some predecessors.
    #[must_use]
    pub fn live_among(&self, predecessors: &[Predecessor]) -> Option<Predecessor> {
        predecessors.iter().find(|before| self.job(before.job).is_some()).copied()
    }

    /// The first of some predecessors that does not live.
    #[must_use]
    pub fn gone_among(&self, predecessors: &[Predecessor]) -> Option<JobId> {
        predecessors.iter().map(|before| before.job).find(|job| self.job(*job).is_none())
    }

    /// The jobs that come after a live one.
    pub(crate) fn followers(&self, job: JobId) -> Vec<JobId> {
        self.followers.get(&job).into_iter().flatten().copied().collect()
    }

    /// Whether the turn of an hour means anything: something waits for it.
    #[must_use]
    pub fn minds_the_hour(&self) -> bool {
        let moves = self.sites.len() > 1;
        self.sites.iter().any(|site| {
            let waits = site.queue.len() > 0;
            !site.deferred.is_empty() || (moves && waits) || (!waits && !site.holdings.small.is_empty())
        })
    }

    /// The job of a site that keeps its place, if one does.
    #[must_use]
    pub fn kept(&self, site: SiteId) -> Option<JobId> {
        self.sites[site.index()].kept
    }

    /// The first in the line of a site: the job that keeps its place, or else the first in the order, of those that may hold
    /// more.
    pub(crate) fn first(&self, plan: &Plan, site: SiteId, now: Instant, lines: &Lines) -> Option<JobId> {
        let book = &self.sites[site.index()];
        let may =
            |job: &Job| self.shapes[job.shape.0 as usize].least <= self.most_held(plan, now, job, lines);
        let kept = book.kept.filter(|&kept| self.job(kept).is_some_and(may));
        kept.or_else(|| {
            let all = book.queue.first(&book.accounts)?;
            if self.job(all).is_some_and(may) {
                Some(all)
            } else {
                self.first_allowed(plan, site, now, lines)
            }
        })
    }

    /// Whether a pool has the nodes for a need free.
    #[must_use]
    pub fn has_nodes(&self, need: &Need) -> bool {
        self.pools[need.pool.index()].fits(need)
    }

    /// The nodes of a placement, counted within their pool from zero.
    #[must_use]
    pub fn nodes(&self, pool: PoolId, pieces: &[Piece]) -> Vec<u32> {
        let pool = &self.pools[pool.index()];
        let bits = |piece: &Piece| {
            let (word, mask) = (piece.word as usize, piece.mask);
            (0..64).filter(move |bit| mask >> bit & 1 == 1).map(move |bit| NodeIndex(word * 64 + bit))
        };
        pieces.iter().flat_map(bits).map(|node| pool.count_of(node)).collect()
    }

    /// Nodes of a pool whose phases are open.
    #[must_use]
    pub fn nodes_open(&self, pool: PoolId) -> u32 {
        self.pools[pool.index()].open
    }

    /// Accelerators of a pool that no job holds, on nodes that are up.
    #[must_use]
    pub fn accelerators_free(&self, pool: PoolId) -> u64 {
        let pool = &self.pools[pool.index()];
        let parts = pool.shared.keys().map(|node| u64::from(pool.free[node.0]));
        u64::from(pool.whole_free) * u64::from(pool.per_node) + parts.sum::<u64>()
    }

    /// What a job asks for.
    #[must_use]
    pub fn asks(&self, job: &Job) -> &Asks {
        &self.shapes[job.shape.0 as usize].asks
    }

    pub(crate) fn shape(&mut self, plan: &Plan, site: SiteId, asks: &Asks) -> ShapeId {
        if let Some(&shape) = self.shape_of.get(&(site, asks.clone())) {
            return shape;
        }
        let headroom = plan.headroom(site, plan.sites[site.index()].phases.len());
        let fits = |need: &Need| need.nodes <= plan.pools[need.pool.index()].nodes && need.power <= headroom;
        let needs: Box<[Need]> = plan.needs(site, asks).into_iter().filter(fits).collect();
        let least = needs.iter().map(Need::held).min().unwrap_or(u32::MAX);
        let id = ShapeId(u32::try_from(self.shapes.len()).expect("shapes fit"));
        self.shapes.push(Shape { asks: asks.clone(), needs, least });
        self.shape_of.insert((site, asks.clone()), id);
        id
    }

    /// Takes a job in: its nodes and power if it runs, the queue if it waits.
    pub(crate) fn enter(&mut self, mut job: Job) {
        let live = |before: &&Predecessor| job.id > before.job && self.jobs.get(before.job).is_some();
        let live: Vec<JobId> = job.predecessors().iter().filter(live).map(|before| before.job).collect();
        job.awaits = !live.is_empty();
        for before in live {
            self.followers.entry(before).or_default().insert(job.id);
        }
        self.books().enter(&job);
        self.jobs.insert(job.id, job);
    }

    /// Takes a job out.
    pub(crate) fn leave(&mut self, id: JobId) -> Job {
        let job = self.jobs.remove(id).expect("only a live job leaves");
        self.books().leave(&job);
        self.followers.remove(&id);
        for before in job.predecessors() {
            if let Some(others) = self.followers.get_mut(&before.job) {
                others.remove(&id);
            }
        }
        job
    }

    /// Changes a live job, and all that follows from it; the site where it is then.
    pub(crate) fn change(&mut self, id: JobId, change: impl FnOnce(&mut Job)) -> SiteId {
        let job = self.jobs.get_mut(id).expect("only a live job changes");
        let mut books = Books { sites: &mut self.sites, pools: &mut self.pools, shapes: &self.shapes };
        books.leave(job);
        change(job);
        books.enter(job);
        job.site
    }

    fn books(&mut self) -> Books<'_> {
        Books { sites: &mut self.sites, pools: &mut self.pools, shapes: &self.shapes }
    }

    /// Changes the use of a project and its owner at a site.
    pub(crate) fn account(&mut self, site: SiteId, project: ProjectId, change: impl FnOnce(&mut Use)) {
        let site = &mut self.sites[site.index()];
        site.queue.with_use(&mut site.accounts, project, change);
    }
}

/// All that is kept of jobs beside the jobs themselves.
struct Books<'a> {
    sites: &'a mut [Site],
    pools: &'a mut [Pool],
    shapes: &'a [Shape],
}

impl Books<'_> {
    fn enter(&mut self, job: &Job) {
        let asked = self.shapes[job.shape.0 as usize].asks.first().accelerators;
        let site = &mut self.sites[job.site.index()];
        if let Some(until) = job.deferred {
            site.deferred.insert((until, job.id));
            return;
        }
        if job.awaits {
            site.awaiting += 1;
            return;
        }
        site.holdings.enter(job, asked);
        match &job.status {
            Status::Waiting => site.queue.push(&site.accounts, job),
            Status::Running(run) => {
                site.power_used += run.ceiling();
                let tag = Tag::Job(job.id).bits();
                site.power_releases.insert(run.release, tag, run.ceiling().as_milliwatts());
                site.running += 1;
                self.pools[run.need.pool.index()].occupy(job.id, &run.need, &run.pieces, run.release);
            }
        }
    }

    fn leave(&mut self, job: &Job) {
        let asked = self.shapes[job.shape.0 as usize].asks.first().accelerators;
        let site = &mut self.sites[job.site.index()];
        if let Some(until) = job.deferred {
            site.deferred.remove(&(until, job.id));
            return;
        }
        if job.awaits {
            site.awaiting -= 1;
            return;
        }
        site.kept = site.kept.filter(|&kept| kept != job.id);
        site.claims.retain(|claim| claim.job != job.id);
        site.holdings.leave(job, asked);
        match &job.status {
            Status::Waiting => site.queue.remove(&site.accounts, job),
            Status::Running(run) => {
                site.power_used -= run.ceiling();
                site.power_releases.remove(run.release, Tag::Job(job.id).bits());
                site.running -= 1;
                self.pools[run.need.pool.index()].vacate(job.id, &run.need, &run.pieces, run.release);
            }
        }
    }
}
