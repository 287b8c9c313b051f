//! The scheduler again, slow and plain: every question is answered by looking at every node and every job.
//!
//! It takes facts (submissions, ends, failures, phases, windows) from the events and works out the starts by itself.

use std::collections::{BTreeMap, BTreeSet};

use giga_model::{AcceleratorId, Ask, Federation, JobId, JobRequest, PoolId, ProjectId, SiteId};
use giga_scheduler::{Event, Need, Piece};
use giga_units::{Duration, Instant, Power};

#[derive(Debug, Clone)]
struct Job {
    id: JobId,
    project: ProjectId,
    site: SiteId,
    needs: Vec<Need>,
    limit: Duration,
    saves: bool,
    run: Option<Run>,
}

#[derive(Debug, Clone)]
struct Run {
    started: Instant,
    release: Instant,
    need: Need,
    nodes: Vec<usize>,
}

/// A start as both schedulers state it: the job, the way, the nodes counted from zero, and when they come back.
pub(crate) type Start = (JobId, Need, Vec<usize>, Instant);

#[derive(Debug, Clone, Default)]
struct Used {
    settled: u128,
    held: u128,
}

impl Used {
    fn over(&self, weight: u64) -> u64 {
        if weight == 0 {
            return u64::MAX;
        }
        u64::try_from((self.settled + self.held) / 1000 * 1_000_000 / u128::from(weight)).unwrap_or(u64::MAX)
    }
}

pub(crate) struct Reference {
    federation: Federation,
    jobs: BTreeMap<JobId, Job>,
    phases: Vec<usize>,
    closed: Vec<Option<Instant>>,
    kept: Vec<Option<JobId>>,
    down: BTreeMap<(PoolId, usize), Instant>,
    owners: Vec<Vec<Used>>,
    projects: Vec<Vec<Used>>,
    arrivals: Vec<BTreeSet<JobId>>,
    dirty: Vec<bool>,
}

#[derive(PartialEq, Eq)]
struct Reserved {
    job: JobId,
    need: Need,
    at: Instant,
    /// The node that is kept, where a part of one is needed.
    node: Option<usize>,
}

impl Reference {
    pub(crate) fn new(federation: &Federation) -> Self {
        let sites = federation.sites.len();
        Self {
            federation: federation.clone(),
            jobs: BTreeMap::new(),
            phases: vec![0; sites],
            closed: vec![None; sites],
            kept: vec![None; sites],
            down: BTreeMap::new(),
            owners: vec![vec![Used::default(); federation.owners.len()]; sites],
            projects: vec![vec![Used::default(); federation.projects.len()]; sites],
            arrivals: vec![BTreeSet::new(); sites],
            dirty: vec![false; sites],
        }
    }

    /// All starts that are due now, in order; they are carried into the state.
    pub(crate) fn schedule(&mut self, now: Instant) -> Vec<Start> {
        let mut starts = Vec::new();
        for site in (0..self.federation.sites.len()).map(SiteId::at) {
            if self.dirty[site.index()] {
                self.pass(site, now, &mut starts);
            } else {
                self.admit(site, now, &mut starts);
            }
            self.dirty[site.index()] = false;
            self.arrivals[site.index()].clear();
        }
        starts
    }

    fn admit(&mut self, site: SiteId, now: Instant, starts: &mut Vec<Start>) {
        let arrivals = self.arrivals[site.index()].clone();
        for &job in &arrivals {
            let Some(kept) = self.kept[site.index()] else {
                return self.pass(site, now, starts);
            };
            let reserved = self.reserve(kept, now).expect("everything comes back");
            if reserved.at <= now + Duration::milliseconds(1) {
                return self.pass(site, now, starts);
            }
            if self.start_now(job, now, Some(&reserved)).is_some() {
                return self.pass(site, now, starts);
            }
        }
    }

    fn pass(&mut self, site: SiteId, now: Instant, starts: &mut Vec<Start>) {
        loop {
            let first = self.kept[site.index()].or_else(|| self.ordered(site).first().copied());
            let Some(first) = first else { return };
            if let Some(start) = self.start_now(first, now, None) {
                self.start(start, now, starts);
                continue;
            }
            self.kept[site.index()] = Some(first);
            let reserved = self.reserve(first, now).expect("everything comes back");
            let mut filled = false;
            let behind = |slow: &Self| {
                let mut order = slow.ordered(site).into_iter();
                order.find_map(|job| slow.start_now(job, now, Some(&reserved)))
            };
            while let Some(start) = behind(self) {
                self.start(start, now, starts);
                filled = true;
            }
            if !filled || self.reserve(first, now) == Some(reserved) {
                return;
            }
        }
    }

    /// The waiting jobs of a site in their order.
    fn ordered(&self, site: SiteId) -> Vec<JobId> {
        let about = &self.federation.sites[site.index()];
        let mut waiting: Vec<&Job> =
            self.jobs.values().filter(|job| job.site == site && job.run.is_none()).collect();
        waiting.sort_by_key(|job| {
            let project = &self.federation.projects[job.project.index()];
            let share =
                about.shares.iter().find(|(owner, _)| *owner == project.owner).map_or(0, |(_, s)| s.as_ppm());
            let priority = self.federation.programmes[project.programme.index()].priority;
            (
                self.owners[site.index()][project.owner.index()].over(share),
                project.owner,
                -i64::from(priority),
                project.programme,
                self.projects[site.index()][job.project.index()].over(project.weight.as_ppm()),
                job.project,
                job.id,
            )
        });
        waiting.iter().map(|job| job.id).collect()
    }

    fn release(&self, job: &Job, need: &Need, now: Instant) -> Option<Instant> {
        if self.closed[job.site.index()].is_some() {
            return None;
        }
        let end = now + takes(need, job.limit);
        let Some(windows) = self.federation.sites[job.site.index()].maintenance else { return Some(end) };
        let mut begin = windows.first;
        while begin + windows.length <= now {
            begin = begin + windows.every;
        }
        match (begin > now, end <= begin, job.saves) {
            (false, ..) | (true, false, false) => None,
            (true, true, _) => Some(end),
            (true, false, true) => Some(begin),
        }
    }

    fn start_now(&self, job: JobId, now: Instant, reserved: Option<&Reserved>) -> Option<Start> {
        let job = &self.jobs[&job];
        job.needs.iter().find_map(|need| {
            let release = self.release(job, need, now)?;
            if !self.fits(job.site, need, None, None) {
                return None;
            }
            let nodes = self.place(need);
            let start = (job.id, *need, nodes, release);
            reserved.is_none_or(|reserved| self.harmless(job.site, &start, reserved)).then_some(start)
        })
    }

    /// Whether the reserved job could still start in time if this one ran until its release.
    fn harmless(&self, site: SiteId, start: &Start, reserved: &Reserved) -> bool {
        let (need, at) = (&reserved.need, reserved.at);
        if start.3 <= at {
            return true;
        }
        match reserved.node {
            None => self.fits(site, need, Some(at), Some(start)),
            Some(node) => {
                self.free(need.pool, node, Some(at), Some(start)) >= need.each
                    && self.power(site, Some(at), Some(start)).is_some_and(|power| power >= need.power)
            }
        }
    }

    fn start(&mut self, start: Start, now: Instant, starts: &mut Vec<Start>) {
        let (id, need, nodes, release) = start.clone();
        let job = self.jobs.get_mut(&id).expect("a started job waits");
        job.run = Some(Run { started: now, release, need, nodes });
        let kept = &mut self.kept[job.site.index()];
        *kept = kept.filter(|&kept| kept != id);
        let (site, project, limit) = (job.site, job.project, takes(&need, job.limit));
        let hold =
            u128::from(need.held()) * u128::try_from(limit.as_milliseconds()).expect("limits are positive");
        let owner = self.federation.projects[project.index()].owner;
        self.owners[site.index()][owner.index()].held += hold;
        self.projects[site.index()][project.index()].held += hold;
        starts.push(start);
    }

    fn reserve(&self, job: JobId, now: Instant) -> Option<Reserved> {
        let job = &self.jobs[&job];
        let mut best: Option<Reserved> = None;
        for need in &job.needs {
            let Some((at, node)) = self.earliest(job, need, now) else { continue };
            if best.as_ref().is_none_or(|best| at < best.at) {
                best = Some(Reserved { job: job.id, need: *need, at, node });
            }
        }
        best
    }

    /// The instants at which anything comes back, in order, from the next millisecond on.
    fn instants(&self, now: Instant) -> BTreeSet<Instant> {
        let soon = now + Duration::milliseconds(1);
        let releases = self.jobs.values().filter_map(|job| job.run.as_ref()).map(|run| run.release);
        let phases =
            self.federation.sites.iter().flat_map(|site| site.phases.iter().map(|phase| phase.opens));
        let all = releases.chain(phases).chain(self.down.values().copied());
        all.filter(|&at| at > soon).chain([soon]).collect()
    }

    fn earliest(&self, job: &Job, need: &Need, now: Instant) -> Option<(Instant, Option<usize>)> {
        let fits = |at: &Instant| self.fits(job.site, need, Some(*at), None);
        let earliest = self.instants(now).into_iter().find(fits)?;
        let node = (!self.whole(need)).then(|| self.kept_node(need, now));
        let mut at = self.closed[job.site.index()].map_or(earliest, |until| earliest.max(until));
        let limit = takes(need, job.limit);
        if let Some(windows) = self.federation.sites[job.site.index()].maintenance {
            let between =
                Duration::milliseconds(windows.every.as_milliseconds() - windows.length.as_milliseconds());
            if !job.saves && limit > between && at + limit > windows.first {
                return None;
            }
            let mut begin = windows.first;
            loop {
                let end = begin + windows.length;
                let cut = if job.saves { at >= begin } else { at + limit > begin };
                if at < end && cut {
                    at = end;
                }
                if begin > at + limit {
                    break;
                }
                begin = begin + windows.every;
            }
        }
        // Behind a window nothing that starts now can be in the way: no node has to be kept.
        Some((at, node.filter(|_| at == earliest)))
    }

    /// The node on which a part of one first fits: where it would be placed now, or where it comes back first.
    fn kept_node(&self, need: &Need, now: Instant) -> usize {
        let pool = need.pool;
        let fits_now = (0..self.nodes(pool)).any(|node| self.free(pool, node, None, None) >= need.each);
        if fits_now {
            return self.place(need)[0];
        }
        // Parts that come back, in order, and after those of the same instant the whole nodes.
        let runs =
            self.jobs.values().filter_map(|job| job.run.as_ref().map(|run| (run.release, job.id, run)));
        let runs: Vec<_> = runs.filter(|(_, _, run)| run.need.pool == pool).collect();
        let mut parts: Vec<_> = runs.iter().filter(|(_, _, run)| !self.whole(&run.need)).collect();
        parts.sort_by_key(|(at, id, _)| (*at, *id));
        let mut back: BTreeMap<usize, u16> = BTreeMap::new();
        let part = parts.iter().find_map(|(at, _, run)| {
            let node = run.nodes[0];
            let free = back.entry(node).or_insert_with(|| self.free(pool, node, None, None));
            *free += run.need.each;
            (*free >= need.each).then_some((*at, node))
        });
        let jobs = runs.iter().filter(|(_, _, run)| self.whole(&run.need));
        let jobs = jobs.map(|(at, id, run)| (*at, 0, id.0, run.nodes[0]));
        let down = self.down.iter().filter(|((other, _), _)| *other == pool);
        let down = down.map(|((_, node), until)| (*until, 2, *node as u64, *node));
        let site = &self.federation.sites[self.federation.pools[pool.index()].site.index()];
        let mut opened = 0;
        let mut phases = Vec::new();
        for (index, phase) in site.phases.iter().enumerate() {
            let nodes: u32 = phase.nodes.iter().filter(|(id, _)| *id == pool).map(|(_, nodes)| nodes).sum();
            let site = self.federation.pools[pool.index()].site;
            if index >= self.phases[site.index()] && nodes > 0 {
                phases.push((phase.opens, 3, index as u64, opened));
            }
            opened += nodes as usize;
        }
        let whole = jobs.chain(down).chain(phases).min();
        match (part, whole) {
            (Some((at, node)), Some((then, .., other))) => {
                if at <= then {
                    node
                } else {
                    other
                }
            }
            (Some((_, node)), None) => node,
            (None, Some((.., node))) => node,
            (None, None) => unreachable!("everything comes back after {now}"),
        }
    }

    fn whole(&self, need: &Need) -> bool {
        need.each == self.federation.accelerator_of(need.pool).per_node
    }

    fn nodes(&self, pool: PoolId) -> usize {
        self.federation.nodes_of(pool) as usize
    }

    /// Accelerators free on a node: now (`None`) or at an instant, with one more job running or not.
    fn free(&self, pool: PoolId, node: usize, at: Option<Instant>, extra: Option<&Start>) -> u16 {
        let site = self.federation.pools[pool.index()].site;
        let mut opened = 0;
        let opens =
            self.federation.sites[site.index()].phases.iter().enumerate().find_map(|(index, phase)| {
                opened += phase
                    .nodes
                    .iter()
                    .filter(|(id, _)| *id == pool)
                    .map(|(_, nodes)| *nodes as usize)
                    .sum::<usize>();
                (node < opened).then_some((index, phase.opens))
            });
        let (phase, opens) = opens.expect("every node belongs to a phase");
        let open = phase < self.phases[site.index()] || at.is_some_and(|at| opens <= at);
        let up = self.down.get(&(pool, node)).is_none_or(|until| at.is_some_and(|at| *until <= at));
        if !open || !up {
            return 0;
        }
        let runs = self.jobs.values().filter_map(|job| job.run.as_ref());
        let runs = runs.map(|run| (&run.need, &run.nodes, run.release));
        let runs = runs.chain(extra.map(|(_, need, nodes, release)| (need, nodes, *release)));
        let held = runs.filter(|(need, nodes, release)| {
            need.pool == pool && nodes.contains(&node) && at.is_none_or(|at| *release > at)
        });
        self.federation.accelerator_of(pool).per_node - held.map(|(need, ..)| need.each).sum::<u16>()
    }

    /// Power free at a site, or `None` where it is overdrawn.
    fn power(&self, site: SiteId, at: Option<Instant>, extra: Option<&Start>) -> Option<Power> {
        let about = &self.federation.sites[site.index()];
        let (mut total, mut idle) = (Power::ZERO, Power::ZERO);
        for (index, phase) in about.phases.iter().enumerate() {
            if index < self.phases[site.index()] || at.is_some_and(|at| phase.opens <= at) {
                total += phase.power;
                for &(pool, nodes) in &phase.nodes {
                    idle += self.federation.accelerator_of(pool).node_idle.times(u64::from(nodes));
                }
            }
        }
        let headroom =
            if total == Power::ZERO { total } else { about.room_at_least(total).saturating_sub(idle) };
        let runs = self.jobs.values().filter(|job| job.site == site).filter_map(|job| job.run.as_ref());
        let runs = runs.map(|run| (run.need.power, run.release));
        let runs = runs.chain(extra.map(|(_, need, _, release)| (need.power, *release)));
        let held: Power =
            runs.filter(|(_, release)| at.is_none_or(|at| *release > at)).map(|(power, _)| power).sum();
        (held <= headroom).then(|| headroom - held)
    }

    fn fits(&self, site: SiteId, need: &Need, at: Option<Instant>, extra: Option<&Start>) -> bool {
        let nodes =
            (0..self.nodes(need.pool)).filter(|&node| self.free(need.pool, node, at, extra) >= need.each);
        nodes.count() >= need.nodes as usize
            && self.power(site, at, extra).is_some_and(|power| power >= need.power)
    }

    fn place(&self, need: &Need) -> Vec<usize> {
        let kind = self.federation.accelerator_of(need.pool);
        let per_rack = usize::from(kind.nodes_per_rack);
        let free: Vec<u16> =
            (0..self.nodes(need.pool)).map(|node| self.free(need.pool, node, None, None)).collect();
        let whole_in = |rack: usize| -> Vec<usize> {
            let nodes = rack * per_rack..((rack + 1) * per_rack).min(free.len());
            nodes.filter(|&node| free[node] == kind.per_node).collect()
        };
        let racks = free.len().div_ceil(per_rack);
        if !self.whole(need) {
            let partly =
                (0..free.len()).filter(|&node| free[node] >= need.each && free[node] < kind.per_node);
            if let Some(node) = partly.min_by_key(|&node| (free[node], node)) {
                return vec![node];
            }
            let rack = (0..racks).filter(|&rack| !whole_in(rack).is_empty());
            let rack = rack.min_by_key(|&rack| (whole_in(rack).len(), rack)).expect("it fits");
            return vec![whole_in(rack)[0]];
        }
        let (mut left, mut used, mut nodes) = (need.nodes as usize, BTreeSet::new(), Vec::new());
        while left > 0 {
            let unused = || (0..racks).filter(|rack| !used.contains(rack));
            let snug = unused().filter(|&rack| whole_in(rack).len() >= left);
            let rack = snug.min_by_key(|&rack| (whole_in(rack).len(), rack)).unwrap_or_else(|| {
                unused().max_by_key(|&rack| (whole_in(rack).len(), std::cmp::Reverse(rack))).expect("it fits")
            });
            let take = whole_in(rack).into_iter().take(left);
            nodes.extend(take);
            left = need.nodes as usize - nodes.len();
            used.insert(rack);
        }
        nodes.sort_unstable();
        nodes
    }

    /// Takes a fact over from the scheduler's events; starts are only compared.
    pub(crate) fn follow(&mut self, now: Instant, event: &Event) {
        match event {
            Event::Submitted { job, site, request } => {
                let needs = self.needs(*site, request);
                let (limit, saves) = (request.limit, request.checkpoint.is_some());
                let (id, project) = (*job, request.project);
                self.jobs.insert(id, Job { id, project, site: *site, needs, limit, saves, run: None });
                self.arrivals[site.index()].insert(id);
            }
            Event::Ended { job, at, .. } => {
                let job = self.jobs.remove(job).expect("an ended job lives");
                let kept = &mut self.kept[job.site.index()];
                *kept = kept.filter(|&kept| kept != job.id);
                self.settle(&job, *at);
            }
            Event::Interrupted { job, saved, .. } => {
                let before = self.jobs[job].clone();
                self.settle(&before, now);
                let job = self.jobs.get_mut(job).expect("an interrupted job lives");
                job.limit = job.limit.saturating_sub(*saved).max(Duration::milliseconds(1));
                job.run = None;
            }
            Event::NodeDown { pool, node, until } => {
                self.down.insert((*pool, *node as usize), *until);
                self.dirty[self.federation.pools[pool.index()].site.index()] = true;
            }
            Event::NodeUp { pool, node } => {
                self.down.remove(&(*pool, *node as usize));
                self.dirty[self.federation.pools[pool.index()].site.index()] = true;
            }
            Event::PhaseOpened { site, .. } => {
                self.phases[site.index()] += 1;
                self.dirty[site.index()] = true;
            }
            Event::Closed { site, until } => {
                self.closed[site.index()] = Some(*until);
                self.dirty[site.index()] = true;
            }
            Event::Opened { site } => {
                self.closed[site.index()] = None;
                self.dirty[site.index()] = true;
            }
            Event::UseHalved => {
                self.projects.iter_mut().flatten().for_each(|used| used.settled /= 2);
                self.dirty.fill(true);
            }
            Event::YearTurned => {
                self.owners.iter_mut().flatten().for_each(|used| used.settled = 0);
                self.dirty.fill(true);
            }
            Event::Refused { .. }
            | Event::Kept { .. }
            | Event::Started { .. }
            | Event::Stopping { .. }
            | Event::Settled => {}
            // Limits, floors and the turn of hours have laws of their own.
            other => unreachable!("{other:?} is not among what this is a reference for"),
        }
    }

    fn settle(&mut self, job: &Job, now: Instant) {
        self.dirty[job.site.index()] = true;
        let Some(run) = &job.run else { return };
        let count = |duration: Duration| {
            u128::from(run.need.held()) * u128::try_from(duration.as_milliseconds()).expect("time goes on")
        };
        let owner = self.federation.projects[job.project.index()].owner;
        let owner = &mut self.owners[job.site.index()][owner.index()];
        let project = &mut self.projects[job.site.index()][job.project.index()];
        for used in [owner, project] {
            let limit = takes(&run.need, job.limit);
            used.held -= count(limit);
            used.settled += count(now.since(run.started).min(limit));
        }
    }

    fn needs(&self, site: SiteId, request: &JobRequest) -> Vec<Need> {
        let about = &self.federation.sites[site.index()];
        let mut needs = Vec::new();
        let sizes = sizes(request);
        for Ask { accelerator, accelerators } in sizes {
            for &pool in &about.pools {
                let id: AcceleratorId = self.federation.pools[pool.index()].accelerator;
                let kind = self.federation.accelerator_of(pool);
                let per_node = u32::from(kind.per_node);
                if accelerator.is_some_and(|wanted| wanted != id) {
                    continue;
                }
                let part = accelerators < per_node;
                let nodes = if part { 1 } else { accelerators.div_ceil(per_node) };
                let each = if part { u16::try_from(accelerators).expect("small") } else { kind.per_node };
                let power = kind.dynamic().times(u64::from(nodes) * u64::from(each));
                let all_open = Reference {
                    phases: vec![about.phases.len(); self.phases.len()],
                    ..Reference::new(&self.federation)
                };
                let headroom = all_open.power(site, None, None).expect("nothing runs");
                if nodes as usize <= self.nodes(pool) && power <= headroom {
                    needs.push(Need {
                        pool,
                        nodes,
                        asked: accelerators,
                        each,
                        power,
                        full: full(request, accelerators),
                    });
                }
            }
        }
        needs
    }
}

/// How long work takes in one of its ways.
fn takes(need: &Need, work: Duration) -> Duration {
    let part = f64::from(need.full) / f64::from(need.asked) * work.as_milliseconds() as f64;
    // Small whole numbers: a hair below the next one is it.
    Duration::milliseconds((part - 1e-9).ceil() as i64)
}

/// The sizes of an elastic gang, or the ways of another.
fn sizes(request: &JobRequest) -> Vec<Ask> {
    let Some(least) = request.asks.least() else { return request.asks.iter().collect() };
    let first = request.asks.first();
    let mut sizes = vec![first];
    let mut size = first.accelerators;
    while size > least {
        size = (size / 2).max(least);
        sizes.push(Ask { accelerators: size, ..first });
    }
    sizes
}

fn full(request: &JobRequest, accelerators: u32) -> u32 {
    if request.asks.least().is_some() { request.asks.first().accelerators } else { accelerators }
}

/// The nodes of a placement, counted from zero without gaps.
pub(crate) fn nodes_of(federation: &Federation, pool: PoolId, pieces: &[Piece]) -> Vec<usize> {
    let per_rack = usize::from(federation.accelerator_of(pool).nodes_per_rack);
    let words = per_rack.div_ceil(64);
    let mut nodes = Vec::new();
    for piece in pieces {
        for bit in (0..64).filter(|bit| piece.mask >> bit & 1 == 1) {
            let (rack, word) = (piece.word as usize / words, piece.word as usize % words);
            nodes.push(rack * per_rack + word * 64 + bit);
        }
    }
    nodes.sort_unstable();
    nodes
}
