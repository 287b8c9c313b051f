//! One look at the queue of a site: start in order, keep a place for the first that does not fit, fill in behind it.
//!
//! Every waiting job is considered, however long the queue. What makes that cheap: jobs of a shape differ only in their
//! limit, so a few questions tell which kinds may start at all, and mostly none may.

use giga_model::{JobId, OwnerId, ProjectId, SiteId};
use giga_units::{Duration, Instant};

use crate::Scheduler;
use crate::event::Event;
use crate::fit::{Reservation, Span, Start};
use crate::queue::Open;
use crate::witness::Witness;

/// In how many places open kinds may stand to be compared one by one; beyond it the order is followed from its start.
const FEW: usize = 64;

/// What a look at a queue has to remember; nothing of it outlives the look but a reservation that is still true.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    /// The reservation of each site with the epoch in which it was made.
    reserved: Vec<Option<(u64, Reservation)>>,
    open: Vec<Open>,
    owners: Vec<OwnerCursor>,
    sweep: u64,
}

/// How far a sweep is with an owner: everything before that has nothing among the open kinds.
#[derive(Debug, Clone, Default)]
struct OwnerCursor {
    sweep: u64,
    door: usize,
    last: Option<(u64, ProjectId)>,
}

impl Scratch {
    pub(crate) fn new(sites: usize, owners: usize) -> Self {
        Self {
            reserved: vec![None; sites],
            open: Vec::new(),
            owners: vec![OwnerCursor::default(); owners],
            sweep: 0,
        }
    }
}

impl Scheduler {
    /// Starts everything at a site that can start, until a look changes nothing.
    pub(crate) fn pass(&mut self, site: SiteId, now: Instant, witness: &mut impl Witness) {
        loop {
            self.scratch.reserved[site.index()] = None;
            let Some(mut reserved) = self.start_in_order(site, now, witness) else { return };
            let filled = self.fill_in(site, now, &mut reserved, witness);
            // What fills in can move where the next part of a node would go, and with it what is kept: look again.
            if !filled {
                let epoch = self.state.sites[site.index()].epoch;
                self.scratch.reserved[site.index()] = Some((epoch, reserved));
                return;
            }
        }
    }

    /// Starts jobs in the order up to the first that does not fit; its reservation, or `None` where all started.
    fn start_in_order(
        &mut self,
        site: SiteId,
        now: Instant,
        witness: &mut impl Witness,
    ) -> Option<Reservation> {
        loop {
            let book = &self.state.sites[site.index()];
            let first = book.queue.first(&book.accounts)?;
            let waiting = self.state.job(first).expect("a queued job is live");
            let release = self.state.release(&self.plan, site, now, Span::of(waiting));
            let start = release.and_then(|at| self.state.start_now(site, waiting.shape, at, None));
            match start {
                Some(start) => self.start(first, start, now, witness),
                None => return self.state.reserve(&self.plan, now, waiting),
            }
        }
    }

    /// Starts what does not delay the reserved job, in the order; whether anything started.
    fn fill_in(
        &mut self,
        site: SiteId,
        now: Instant,
        reserved: &mut Reservation,
        witness: &mut impl Witness,
    ) -> bool {
        let mut filled = false;
        self.scratch.sweep += 1;
        self.open_kinds(site, now, reserved);
        while let Some(job) = self.next_open(site) {
            let waiting = self.state.job(job).expect("a queued job is live");
            let release = self.state.release(&self.plan, site, now, Span::of(waiting));
            let start = release.and_then(|at| self.state.start_now(site, waiting.shape, at, Some(reserved)));
            let start = start.expect("a job of an open kind can start");
            self.state.spend(reserved, &start);
            self.start(job, start, now, witness);
            filled = true;
            self.close_kinds(site, now, reserved);
        }
        filled
    }

    fn start(&mut self, job: JobId, start: Start, now: Instant, witness: &mut impl Witness) {
        let Start { need, pieces, release } = start;
        self.emit(now, Event::Started { job, need, pieces, release }, witness);
    }

    /// Finds the kinds that may start behind a reservation.
    fn open_kinds(&mut self, site: SiteId, now: Instant, reserved: &Reservation) {
        let mut open = std::mem::take(&mut self.scratch.open);
        open.clear();
        let queue = &self.state.sites[site.index()].queue;
        open.extend(queue.shapes().filter_map(|shortest| {
            let longest = self.state.longest_now(&self.plan, site, now, shortest, reserved)?;
            let (shape, saves) = (shortest.shape, shortest.saves);
            (shortest.limit <= longest).then_some(Open { shape, saves, longest })
        }));
        self.scratch.open = open;
    }

    /// Looks at the open kinds again after a start: there is only less room than before.
    fn close_kinds(&mut self, site: SiteId, now: Instant, reserved: &Reservation) {
        let mut open = std::mem::take(&mut self.scratch.open);
        let queue = &self.state.sites[site.index()].queue;
        open.retain_mut(|open| {
            let (shape, saves, limit) = (open.shape, open.saves, Duration::ZERO);
            let kind = crate::queue::Kind { shape, saves, limit };
            match self.state.longest_now(&self.plan, site, now, kind, reserved) {
                None => false,
                Some(longest) => {
                    open.longest = longest;
                    queue.has(*open)
                }
            }
        });
        self.scratch.open = open;
    }

    /// The first job in the order among the open kinds.
    fn next_open(&mut self, site: SiteId) -> Option<JobId> {
        if self.scratch.open.is_empty() {
            return None;
        }
        let book = &self.state.sites[site.index()];
        if let Some(job) = book.queue.first_of_few(&book.accounts, &self.scratch.open, FEW) {
            return Some(job);
        }
        while let Some(owner) = self.next_owner(site) {
            if let Some(job) = self.next_of(site, owner) {
                return Some(job);
            }
        }
        None
    }

    /// The owner furthest below its share that may still have something among the open kinds.
    fn next_owner(&self, site: SiteId) -> Option<OwnerId> {
        let book = &self.state.sites[site.index()];
        let owners =
            (0..book.queue.waiting.len()).filter(|&owner| book.queue.waiting[owner] > 0).map(OwnerId::at);
        let done = |owner: OwnerId| {
            let cursor = &self.scratch.owners[owner.index()];
            cursor.sweep == self.scratch.sweep && cursor.door >= book.queue.doors[owner.index()].len()
        };
        owners.filter(|&owner| !done(owner)).min_by_key(|&owner| (book.accounts.owner_key(owner), owner))
    }

    /// The first job of an owner among the open kinds.
    fn next_of(&mut self, site: SiteId, owner: OwnerId) -> Option<JobId> {
        use std::ops::Bound::{Excluded, Unbounded};
        let queue = &self.state.sites[site.index()].queue;
        let doors = &queue.doors[owner.index()];
        let cursor = &mut self.scratch.owners[owner.index()];
        if cursor.sweep != self.scratch.sweep {
            *cursor = OwnerCursor { sweep: self.scratch.sweep, door: 0, last: None };
        }
        while let Some(door) = doors.get(cursor.door) {
            let from = cursor.last.map_or(Unbounded, Excluded);
            for &(key, project) in door.line.range((from, Unbounded)) {
                if let Some(job) = queue.oldest(project, &self.scratch.open) {
                    return Some(job);
                }
                cursor.last = Some((key, project));
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
            let Some(reserved) = self.standing(site, first, now) else {
                return self.pass(site, now, witness);
            };
            let waiting = self.state.job(job).expect("an arrival waits");
            let release = self.state.release(&self.plan, site, now, Span::of(waiting));
            let shape = waiting.shape;
            let start = release.and_then(|at| self.state.start_now(site, shape, at, Some(&reserved)));
            let Some(start) = start else { continue };
            self.start(job, start, now, witness);
            return self.pass(site, now, witness);
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
