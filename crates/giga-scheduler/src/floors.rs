//! Shares that hold: what an owner may claim at once, and how what it lent comes back.
//!
//! A floor is an owner's share of the accelerators that are up and can be powered. Work that can not be told to leave starts only
//! within it. Beyond it, work that can leave runs on what others leave idle. When jobs of an owner would stay within its floor
//! and find no room, enough of that is told to save itself and leave, and the nodes are kept for them.

use std::collections::{BTreeMap, BTreeSet};

use giga_model::{JobId, OwnerId, PoolId, ProgrammeId, ProjectId, SiteId};
use giga_units::{Duration, Instant, Power};

use crate::Scheduler;
use crate::event::{Event, Interruption};
use crate::fit::Span;
use crate::job::{Job, Run, ShapeId};
use crate::plan::{Need, Plan};
use crate::pool::{NodeIndex, only_node};
use crate::queue::Kind;
use crate::state::State;
use crate::witness::Witness;

/// How many jobs of an owner may claim at a time.
const CLAIMS_MOST: usize = 256;

/// What keeps work of an owner that can not be told to leave from starting although it is within the floor: such work ahead of it
/// that waits for more of the floor.
#[derive(Debug, Clone, Copy)]
struct Line {
    owner: OwnerId,
    first: JobId,
    /// When there will be enough of the floor for the first, and what is spare then.
    at: Instant,
    spare: u64,
}

/// The lines of a site at an instant; empty where shares are only an order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines(Vec<Line>);

/// Who asks how much more it may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker {
    project: ProjectId,
    preemptible: bool,
    limit: Duration,
    job: Option<JobId>,
}

impl Asker {
    pub(crate) fn of(job: &Job) -> Self {
        Self { project: job.project, preemptible: job.preemptible, limit: job.limit, job: Some(job.id) }
    }
}

impl State {
    /// The lines of owners whose first firm job waits for more of the floor.
    pub(crate) fn lines(&self, plan: &Plan, site: SiteId) -> Lines {
        if !plan.has_floors(site) {
            return Lines::default();
        }
        let owners = self.sites[site.index()].holdings.owners();
        let waiting = owners.filter(|(_, holding)| holding.firm_waiting > 0);
        Lines(waiting.filter_map(|(owner, _)| self.line(plan, site, owner)).collect())
    }

    fn line(&self, plan: &Plan, site: SiteId, owner: OwnerId) -> Option<Line> {
        let book = &self.sites[site.index()];
        let (floor, holding) = (book.floors[owner.index()], book.holdings.of(owner));
        let least = |shape: ShapeId| u64::from(self.shapes[shape.0 as usize].least);
        let firm =
            |project, kind: &Kind| !plan.preempt_of(project).allows(kind.saves) && least(kind.shape) <= floor;
        let first = book.queue.first_firm_of(owner, &firm)?;
        let needed = least(self.job(first)?.shape).checked_sub(floor.saturating_sub(holding.firm))?;
        let (at, spare) = if needed == 0 { return None } else { holding.firm_back(needed)? };
        Some(Line { owner, first, at, spare })
    }

    /// How many accelerators more a job may hold, by its owner's floor and its programme's bound.
    pub(crate) fn most_held(&self, plan: &Plan, now: Instant, job: &Job, lines: &Lines) -> u32 {
        self.most_held_of(plan, now, job.site, Asker::of(job), lines)
    }

    fn most_held_of(&self, plan: &Plan, now: Instant, site: SiteId, asker: Asker, lines: &Lines) -> u32 {
        let book = &self.sites[site.index()];
        let project = &plan.projects[asker.project.index()];
        let mut most = u64::MAX;
        if !asker.preemptible && plan.has_floors(site) {
            most = book.floors[project.owner.index()].saturating_sub(book.holdings.of(project.owner).firm);
            let line = lines.0.iter().find(|line| line.owner == project.owner);
            let behind = line.filter(|line| asker.job != Some(line.first) && now + asker.limit > line.at);
            most = most.min(behind.map_or(u64::MAX, |line| line.spare));
        }
        let most = most.min(self.programme_room(plan, site, project.programme));
        u32::try_from(most).unwrap_or(u32::MAX)
    }

    /// How many accelerators more the work of a programme may hold at a site, all of it together.
    fn programme_room(&self, plan: &Plan, site: SiteId, programme: ProgrammeId) -> u64 {
        let Some(part) = plan.programmes[programme.index()].use_max else { return u64::MAX };
        let book = &self.sites[site.index()];
        part.of_count(book.capacity).saturating_sub(book.holdings.of_programme(programme))
    }

    /// Whether jobs of a kind of a project may hold what the smallest of their ways holds.
    pub(crate) fn allows(
        &self,
        plan: &Plan,
        (now, site): (Instant, SiteId),
        project: ProjectId,
        kind: &Kind,
        lines: &Lines,
    ) -> bool {
        let preemptible = plan.preempt_of(project).allows(kind.saves);
        let asker = Asker { project, preemptible, limit: kind.limit, job: None };
        self.shapes[kind.shape.0 as usize].least <= self.most_held_of(plan, now, site, asker, lines)
    }

    /// The first in the order of those that may hold more.
    pub(crate) fn first_allowed(
        &self,
        plan: &Plan,
        site: SiteId,
        now: Instant,
        lines: &Lines,
    ) -> Option<JobId> {
        let book = &self.sites[site.index()];
        let allowed = |project: ProjectId, kind: &Kind| self.allows(plan, (now, site), project, kind, lines);
        book.queue.first_allowed(&book.accounts, &allowed)
    }

    /// Whether a start leaves free what is kept for claims; a claim itself looks only at those before it.
    pub(crate) fn beside_claims(&self, site: SiteId, need: &Need, of: Option<JobId>) -> bool {
        let book = &self.sites[site.index()];
        if book.claims.is_empty() {
            return true;
        }
        let before = book.claims.iter().take_while(|claim| Some(claim.job) != of);
        let (mut nodes, mut power) = (0, need.power);
        for claim in before {
            power += claim.need.power;
            nodes += if claim.need.pool == need.pool { claim.need.nodes } else { 0 };
        }
        let pool = &self.pools[need.pool.index()];
        let roomy = match (nodes, pool.is_part(need)) {
            (0, _) => true,
            (_, true) => pool.has_part(need.each) || pool.whole_free > nodes,
            (_, false) => pool.whole_free >= nodes + need.nodes,
        };
        roomy && power <= book.power_free()
    }
}

impl Scheduler {
    /// Gives every owner with work what it may claim, as far as there is room, and calls back what is lent.
    pub(crate) fn serve_floors(&mut self, site: SiteId, now: Instant, witness: &mut impl Witness) {
        if !self.plan.has_floors(site) {
            return;
        }
        self.drop_claims(site, now, witness);
        for job in self.claimed(site) {
            self.start_entitled(site, job, now, witness);
        }
        // Each start moves its owner back in the order; who found no room, and nobody to call back, is not asked again.
        let mut done: Vec<OwnerId> = Vec::new();
        loop {
            let book = &self.state.sites[site.index()];
            let meant = |owner: OwnerId| {
                book.holdings.of(owner).all() < book.floors[owner.index()] && !done.contains(&owner)
            };
            let served = book.queue.owners_in_order(&book.accounts, meant).into_iter().any(|owner| {
                let served = self.serve_floor(site, owner, now, witness);
                if !served {
                    done.push(owner);
                }
                served
            });
            if !served {
                return;
            }
        }
    }

    /// Starts the first job that an owner may claim room for, or calls others back for it; nothing changes where neither can be.
    fn serve_floor(
        &mut self,
        site: SiteId,
        owner: OwnerId,
        now: Instant,
        witness: &mut impl Witness,
    ) -> bool {
        self.entitled(site, owner).is_some_and(|job| {
            self.start_entitled(site, job, now, witness) || self.claim(site, job, now, witness)
        })
    }

    /// The jobs for which something is kept, in the order in which they claimed it.
    fn claimed(&self, site: SiteId) -> Vec<JobId> {
        self.state.sites[site.index()].claims.iter().map(|claim| claim.job).collect()
    }

    /// Claims end where their owner may not claim as much any more, or where what they wait for is late.
    fn drop_claims(&mut self, site: SiteId, now: Instant, witness: &mut impl Witness) {
        let mut held: BTreeMap<OwnerId, u64> = BTreeMap::new();
        for claim in self.state.sites[site.index()].claims.clone() {
            let owner = self.state.job(claim.job).expect("a claim has a live job").owner;
            let book = &self.state.sites[site.index()];
            let all = held.entry(owner).or_insert_with(|| book.holdings.of(owner).all());
            *all += u64::from(claim.need.held());
            if claim.by < now || *all > book.floors[owner.index()] {
                *all -= u64::from(claim.need.held());
                self.emit(now, Event::Unclaimed { job: claim.job }, witness);
            }
        }
    }

    /// The first of an owner's jobs that could ever be within its floor and claims nothing yet, if it would be within the floor now,
    /// beside what the owner's other jobs claim.
    fn entitled(&self, site: SiteId, owner: OwnerId) -> Option<JobId> {
        let book = &self.state.sites[site.index()];
        let floor = book.floors[owner.index()];
        let mut room = floor.saturating_sub(book.holdings.of(owner).all());
        let mut claimed = BTreeSet::new();
        for claim in &book.claims {
            if self.state.job(claim.job).is_some_and(|job| job.owner == owner) {
                room = room.saturating_sub(u64::from(claim.need.held()));
                claimed.insert(claim.job);
            }
        }
        if room == 0 || claimed.len() >= CLAIMS_MOST {
            return None;
        }
        let least = |kind: &Kind| u64::from(self.state.shapes[kind.shape.0 as usize].least);
        // Work behind a line of firm work is in it as well: here it is looked at in the order, as a whole.
        let allowed = |project: ProjectId, kind: &Kind| {
            let programme = self.plan.projects[project.index()].programme;
            least(kind) <= floor.min(self.state.programme_room(&self.plan, site, programme))
        };
        let within = |job: &Job| u64::from(self.state.shapes[job.shape.0 as usize].least) <= room;
        // The job that keeps its place is its owner's first.
        let kept = book.kept.and_then(|kept| self.state.job(kept)).filter(|job| job.owner == owner);
        let kept = kept.filter(|job| allowed(job.project, &Kind::of(job)) && !claimed.contains(&job.id));
        let first = kept.map(|job| job.id).or_else(|| match claimed.is_empty() {
            true => book.queue.first_of(owner, &allowed),
            false => book.queue.first_of_others(owner, &allowed, &claimed),
        })?;
        self.state.job(first).is_some_and(within).then_some(first)
    }

    /// Whether a job that just came may be one for which others have to leave.
    pub(crate) fn may_claim(&self, site: SiteId, job: &Job) -> bool {
        let holding = self.state.sites[site.index()].holdings.of(job.owner).all();
        let least = u64::from(self.state.shapes[job.shape.0 as usize].least);
        self.plan.has_floors(site)
            && holding + least <= self.state.floor(site, job.owner)
            && self.entitled(site, job.owner) == Some(job.id)
    }

    /// The ways of a job that stay within its owner's floor.
    fn ways_within(&self, job: &Job, now: Instant) -> Vec<Need> {
        let book = &self.state.sites[job.site.index()];
        let room = book.floors[job.owner.index()].saturating_sub(book.holdings.of(job.owner).all());
        let most = self.state.most_held(&self.plan, now, job, &Lines::default());
        let most = u64::from(most).min(room);
        let ways = self.state.shapes[job.shape.0 as usize].needs.iter();
        ways.filter(|need| u64::from(need.held()) <= most).copied().collect()
    }

    /// Starts a job within its owner's floor where there is room; nobody's reservation keeps it from that.
    fn start_entitled(&mut self, site: SiteId, id: JobId, now: Instant, witness: &mut impl Witness) -> bool {
        let job = self.state.job(id).expect("an entitled job waits");
        let Some(exit) = self.state.release(&self.plan, site, now, Span::of(job)) else { return false };
        let ways = self.ways_within(job, now);
        let free = self.state.sites[site.index()].power_free();
        let fits =
            |need: &&Need| self.state.fits_now(free, need) && self.state.beside_claims(site, need, Some(id));
        let mut ways = ways.iter().filter(fits).filter_map(|need| Some((*need, exit.of(need)?)));
        let Some((need, release)) = ways.next() else { return false };
        let pieces = self.state.pools[need.pool.index()].place(&need);
        self.start(id, crate::fit::Start { need, pieces, release }, now, witness);
        true
    }

    /// Keeps for a job what will be free within the grace, and tells others to leave for the rest; whether that is enough, and
    /// nothing where it is not.
    fn claim(&mut self, site: SiteId, id: JobId, now: Instant, witness: &mut impl Witness) -> bool {
        let job = self.state.job(id).expect("an entitled job waits");
        if self.state.release(&self.plan, site, now, Span::of(job)).is_none() {
            return false;
        }
        let ways = self.ways_within(job, now);
        let found = ways.iter().find_map(|need| Some((*need, self.recall(site, need)?)));
        let Some((need, victims)) = found else { return false };
        let by = now + self.plan.policy.grace;
        for victim in victims {
            self.emit(now, Event::Leaving { job: victim, cause: Interruption::Recalled, by }, witness);
        }
        self.emit(now, Event::Claimed { job: id, need, by }, witness);
        true
    }

    /// Who has to leave so that a need fits, or `None` where that would not be enough.
    fn recall(&self, site: SiteId, need: &Need) -> Option<Vec<JobId>> {
        let mut wanted = Wanted::new(&self.state, site, need);
        for &job in &self.state.sites[site.index()].holdings.leaving {
            wanted.free(&self.state, job);
        }
        let mut picked = Vec::new();
        for strict in [true, false] {
            let before = picked.clone();
            let mut lent = self.lent(site, strict, &before);
            while !wanted.is_met()
                && let Some(victim) = lent.next()
            {
                if wanted.free(&self.state, victim) {
                    picked.push(victim);
                }
            }
        }
        wanted.is_met().then(|| wanted.of_use(&self.state, picked))
    }

    /// Work that runs beyond its owner's floor, in the order in which it is called back: from the owner that is the furthest beyond,
    /// what came last first, so that one that starts again after a recall is not the next to go. Strictly no owner falls below its floor;
    /// otherwise by less than one gang.
    fn lent<'a>(
        &'a self,
        site: SiteId,
        strict: bool,
        picked: &'a [JobId],
    ) -> impl Iterator<Item = JobId> + 'a {
        let book = &self.state.sites[site.index()];
        let held =
            |job: &JobId| self.state.job(*job).and_then(Job::run).map_or(0, |run| u64::from(run.need.held()));
        let mut owners: Vec<(u64, OwnerId)> = Vec::new();
        for (owner, holding) in book.holdings.owners() {
            let mine =
                picked.iter().filter(|job| self.state.job(**job).is_some_and(|job| job.owner == owner));
            let staying = holding.staying() - mine.map(held).sum::<u64>();
            let over = staying.saturating_sub(book.floors[owner.index()]);
            if over > 0 {
                owners.push((over, owner));
            }
        }
        owners.sort_by_key(|&(over, owner)| (std::cmp::Reverse(over), owner));
        owners.into_iter().flat_map(move |(mut over, owner)| {
            let loans = book.holdings.of(owner).loans.iter().map(|std::cmp::Reverse(loan)| loan);
            let called = loans.map_while(move |(job, held)| {
                if over == 0 {
                    return None;
                }
                let called = !picked.contains(job) && (!strict || *held <= over);
                over = over.saturating_sub(if called { *held } else { 0 });
                Some(called.then_some(*job))
            });
            called.flatten()
        })
    }
}

/// What is still to become free so that a need fits.
struct Wanted {
    pool: PoolId,
    /// A whole node for each, or this much of one node.
    part: Option<u16>,
    nodes: u64,
    power: Power,
    per_node: u16,
    /// Accelerators that become free on nodes that are shared.
    freed: BTreeMap<NodeIndex, u16>,
}

impl Wanted {
    fn new(state: &State, site: SiteId, need: &Need) -> Self {
        let (book, pool) = (&state.sites[site.index()], &state.pools[need.pool.index()]);
        let here = book.claims.iter().filter(|claim| claim.need.pool == need.pool);
        let kept: u32 = here.map(|claim| claim.need.nodes).sum();
        let power: Power = book.claims.iter().map(|claim| claim.need.power).sum();
        let wanted = u64::from(need.nodes) + u64::from(kept);
        let power = (need.power + power + book.power_used).saturating_sub(book.headroom);
        let part = pool.is_part(need).then_some(need.each);
        let fits = part.is_some_and(|each| pool.has_part(each));
        let nodes = if fits { 0 } else { wanted.saturating_sub(u64::from(pool.whole_free)) };
        Self { pool: need.pool, part, nodes, power, per_node: pool.per_node, freed: BTreeMap::new() }
    }

    fn is_met(&self) -> bool {
        self.nodes == 0 && self.power == Power::ZERO
    }

    /// Counts what a running job gives back; whether that helps.
    fn free(&mut self, state: &State, job: JobId) -> bool {
        let run = state.job(job).and_then(Job::run).expect("what is lent runs");
        let short = self.power > Power::ZERO;
        let helps = run.need.pool == self.pool && self.nodes > 0;
        if !helps && !short {
            return false;
        }
        self.power = self.power.saturating_sub(run.ceiling());
        if helps {
            self.free_nodes(state, run);
        }
        true
    }

    fn free_nodes(&mut self, state: &State, run: &Run) {
        let pool = &state.pools[self.pool.index()];
        if !pool.is_part(&run.need) {
            self.nodes = self.nodes.saturating_sub(u64::from(run.need.nodes));
            return;
        }
        let node = only_node(&run.pieces);
        let freed = self.freed.entry(node).or_default();
        let before = pool.free[node.0] + *freed;
        *freed += run.need.each;
        let enough = self.part.unwrap_or(self.per_node);
        if before < enough && before + run.need.each >= enough {
            self.nodes -= 1;
        }
    }

    /// Those that really free something: parts of a node that stays shared do not.
    fn of_use(&self, state: &State, picked: Vec<JobId>) -> Vec<JobId> {
        let pool = &state.pools[self.pool.index()];
        let enough = self.part.unwrap_or(self.per_node);
        let useful = |job: &JobId| {
            let run = state.job(*job).and_then(Job::run).expect("what is lent runs");
            let shared = run.need.pool == self.pool && pool.is_part(&run.need);
            let node = only_node(&run.pieces);
            !shared || pool.free[node.0] + self.freed.get(&node).copied().unwrap_or(0) >= enough
        };
        picked.into_iter().filter(useful).collect()
    }
}
