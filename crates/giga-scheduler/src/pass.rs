//! One look at the queue of a site: start in order, keep the first that does not fit, and fill in behind it.

use giga_model::{JobId, OwnerId, ProjectId, SiteId};
use giga_units::{Duration, Instant};

use crate::Scheduler;
use crate::event::Event;
use crate::fit::{Reservation, Span, Start};
use crate::queue::Kind;
use crate::witness::Witness;

/// What a look at a queue has to remember; nothing of it outlives the look but a reservation that is still true.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    /// The reservation of each site with the epoch in which it was made.
    pub(crate) reserved: Vec<Option<(u64, Reservation)>>,
    owners: Vec<OwnerCursor>,
    /// The oldest job of the last kind tried in vain, by project, with the sweep in which that was.
    projects: Vec<(u64, JobId)>,
    sweep: u64,
    /// Whose kinds are being tried, until one starts or all were tried.
    current: Option<(OwnerId, ProjectId)>,
}

/// How far a sweep is with an owner.
#[derive(Debug, Clone, Default)]
struct OwnerCursor {
    sweep: u64,
    door: usize,
    /// The last project of the door whose kinds were all tried in vain.
    last: Option<(u64, ProjectId)>,
}

impl Scratch {
    pub(crate) fn new(sites: usize, owners: usize, projects: usize) -> Self {
        Self {
            reserved: vec![None; sites],
            owners: vec![OwnerCursor::default(); owners],
            projects: vec![(0, JobId(0)); projects],
            sweep: 0,
            current: None,
        }
    }

    fn owner(&mut self, owner: OwnerId) -> &mut OwnerCursor {
        let sweep = self.sweep;
        let cursor = &mut self.owners[owner.index()];
        if cursor.sweep != sweep {
            *cursor = OwnerCursor { sweep, door: 0, last: None };
        }
        cursor
    }
}

/// How a sweep ended.
struct Sweep {
    reserved: Option<JobId>,
    /// Whether something started behind the reservation.
    filled: bool,
    /// Whether it ended at the depth.
    cut_short: bool,
}

impl Scheduler {
    /// Starts everything at a site that can start, until a look changes nothing.
    pub(crate) fn pass(&mut self, site: SiteId, now: Instant, witness: &mut impl Witness) {
        loop {
            let sweep = self.sweep(site, now, witness);
            let queue = &self.state.sites[site.index()];
            let first = queue.queue.first(&queue.accounts);
            if !sweep.filled || (first == sweep.reserved && !sweep.cut_short) {
                return;
            }
        }
    }

    fn sweep(&mut self, site: SiteId, now: Instant, witness: &mut impl Witness) -> Sweep {
        self.scratch.sweep += 1;
        self.scratch.current = None;
        self.scratch.reserved[site.index()] = None;
        let mut reserved: Option<Reservation> = None;
        let (mut vain, mut filled) = (0, false);
        while let Some((project, job, kind)) = self.next(site) {
            let span = Span { limit: kind.limit, saves: kind.saves };
            let release = self.state.release(&self.plan, site, now, span);
            let start = release.and_then(|at| self.state.start_now(site, kind.shape, at, reserved.as_ref()));
            if let Some(start) = start {
                filled |= reserved.is_some();
                self.start(job, start, reserved.as_mut(), now, witness);
                self.scratch.current = None;
                continue;
            }
            self.scratch.projects[project.index()] = (self.scratch.sweep, job);
            if reserved.is_none() {
                let waiting = self.state.job(job).expect("a queued job is live");
                reserved = self.state.reserve(&self.plan, now, waiting);
            }
            vain += 1;
            if vain > self.plan.depth {
                break;
            }
        }
        let job = reserved.as_ref().map(|reserved| reserved.job);
        let epoch = self.state.sites[site.index()].epoch;
        self.scratch.reserved[site.index()] = reserved.map(|reserved| (epoch, reserved));
        Sweep { reserved: job, filled, cut_short: vain > self.plan.depth }
    }

    fn start(
        &mut self,
        job: JobId,
        start: Start,
        reserved: Option<&mut Reservation>,
        now: Instant,
        witness: &mut impl Witness,
    ) {
        if let Some(reserved) = reserved {
            self.state.spend(reserved, &start);
        }
        let Start { need, pieces, release } = start;
        self.emit(now, Event::Started { job, need, pieces, release }, witness);
    }

    /// The next kind in the order that was not yet tried in this sweep, by its oldest job.
    fn next(&mut self, site: SiteId) -> Option<(ProjectId, JobId, Kind)> {
        loop {
            let (owner, project) = match self.scratch.current {
                Some(current) => current,
                None => self.next_party(site)?,
            };
            let (sweep, last) = self.scratch.projects[project.index()];
            let book = &self.state.sites[site.index()];
            let heads = &book.queue.projects[project.index()].heads;
            let after = if sweep == self.scratch.sweep { JobId(last.0 + 1) } else { JobId(0) };
            if let Some((&job, &kind)) = heads.range(after..).next() {
                self.scratch.current = Some((owner, project));
                return Some((project, job, kind));
            }
            let key = book.accounts.project_key(project);
            self.scratch.owner(owner).last = Some((key, project));
            self.scratch.current = None;
        }
    }

    /// The next owner with something to try, and its project.
    fn next_party(&mut self, site: SiteId) -> Option<(OwnerId, ProjectId)> {
        loop {
            let owner = self.next_owner(site)?;
            if let Some(project) = self.next_project(site, owner) {
                return Some((owner, project));
            }
        }
    }

    /// The owner furthest below its share who still has something to try.
    fn next_owner(&mut self, site: SiteId) -> Option<OwnerId> {
        let book = &self.state.sites[site.index()];
        let owners = (0..book.queue.waiting.len()).filter(|&owner| book.queue.waiting[owner] > 0).map(OwnerId::at);
        let sweep = self.scratch.sweep;
        let done = |owner: OwnerId| {
            let cursor = &self.scratch.owners[owner.index()];
            cursor.sweep == sweep && cursor.door >= book.queue.doors[owner.index()].len()
        };
        owners.filter(|&owner| !done(owner)).min_by_key(|&owner| (book.accounts.owner_key(owner), owner))
    }

    /// The project of an owner's best door that used least and still has something to try.
    fn next_project(&mut self, site: SiteId, owner: OwnerId) -> Option<ProjectId> {
        let doors = &self.state.sites[site.index()].queue.doors[owner.index()];
        let cursor = self.scratch.owner(owner);
        while let Some(door) = doors.get(cursor.door) {
            let next = match cursor.last {
                None => door.line.first(),
                Some(last) => {
                    use std::ops::Bound::{Excluded, Unbounded};
                    door.line.range((Excluded(last), Unbounded)).next()
                }
            };
            if let Some(&(_, project)) = next {
                return Some(project);
            }
            cursor.door += 1;
            cursor.last = None;
        }
        None
    }

    /// Looks at the jobs that came, where nothing else changed: each starts now, or waits like those before it.
    pub(crate) fn admit_arrivals(&mut self, site: SiteId, now: Instant, witness: &mut impl Witness) {
        let arrivals = self.state.sites[site.index()].arrivals.clone();
        for &job in &arrivals {
            let book = &self.state.sites[site.index()];
            let first = book.queue.first(&book.accounts).expect("an arrival waits");
            if arrivals.contains(&first) {
                return self.pass(site, now, witness);
            }
            let Some(mut reserved) = self.standing(site, first, now) else {
                return self.pass(site, now, witness);
            };
            let waiting = self.state.job(job).expect("an arrival waits");
            let shape = waiting.shape;
            let release = self.state.release(&self.plan, site, now, Span::of(waiting));
            let start = release.and_then(|at| self.state.start_now(site, shape, at, Some(&reserved)));
            let Some(start) = start else { continue };
            self.start(job, start, Some(&mut reserved), now, witness);
            let book = &self.state.sites[site.index()];
            if book.queue.first(&book.accounts) != Some(first) || book.queue.kinds > self.plan.depth {
                return self.pass(site, now, witness);
            }
            self.scratch.reserved[site.index()] = Some((book.epoch, reserved));
        }
    }

    /// The reservation of the first job, from memory where it is still true; `None` where it is due or something that
    /// should be back is late, so that all have to be looked at again.
    fn standing(&mut self, site: SiteId, first: JobId, now: Instant) -> Option<Reservation> {
        let epoch = self.state.sites[site.index()].epoch;
        let known = self.scratch.reserved[site.index()].take();
        let still = known.filter(|(then, known)| *then == epoch && known.job == first && known.at > now);
        let reserved = match still {
            Some((_, reserved)) => Some(reserved),
            None => self.state.reserve(&self.plan, now, self.state.job(first)?),
        };
        self.scratch.reserved[site.index()] = reserved.clone().map(|reserved| (epoch, reserved));
        reserved.filter(|reserved| reserved.at > now + Duration::milliseconds(1))
    }
}
