//! One look at the queue of a site: start in order, keep a place for the first that does not fit, fill in behind it.
//!
//! The place is kept until that job starts, even where the order changes meanwhile: otherwise a large gang could wait for
//! ever while each start moves another owner to the front.
//!
//! Every waiting job is considered, however long the queue. What makes that cheap: jobs of a shape differ only in their
//! limit, so a few questions tell which kinds may start at all, and mostly none may.

use giga_model::{JobId, SiteId};
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
}

impl Scratch {
    pub(crate) fn new(sites: usize) -> Self {
        Self { reserved: vec![None; sites], open: Vec::new() }
    }
}

impl Scheduler {
    /// Starts everything at a site that can start, until a look changes nothing.
    pub(crate) fn pass(&mut self, site: SiteId, now: Instant, witness: &mut impl Witness) {
        loop {
            self.scratch.reserved[site.index()] = None;
            let Some(mut reserved) = self.start_in_order(site, now, witness) else { return };
            let filled = self.fill_in(site, now, &mut reserved, witness);
            let stands = !filled || self.still_reserved(now, &reserved);
            self.scratch.reserved[site.index()] = Some((self.state.sites[site.index()].epoch, reserved));
            if stands {
                return;
            }
        }
    }

    /// Whether the job that keeps its place would still get this reservation: what filled in behind it may have changed
    /// the node that is kept.
    fn still_reserved(&self, now: Instant, reserved: &Reservation) -> bool {
        let waiting = self.state.job(reserved.job);
        let again = waiting.and_then(|waiting| self.state.reserve(&self.plan, now, waiting));
        again.is_some_and(|again| again.keeps_the_same(reserved))
    }

    /// Starts jobs in the order up to the first that does not fit and keeps its place for it; its reservation, or `None`
    /// where all started.
    fn start_in_order(
        &mut self,
        site: SiteId,
        now: Instant,
        witness: &mut impl Witness,
    ) -> Option<Reservation> {
        loop {
            let first = self.state.first(site)?;
            let waiting = self.state.job(first).expect("a queued job is live");
            let release = self.state.release(&self.plan, site, now, Span::of(waiting));
            let start = release.and_then(|at| self.state.start_now(site, waiting.shape, at, None));
            if let Some(start) = start {
                self.start(first, start, now, witness);
                continue;
            }
            let reserved = self.state.reserve(&self.plan, now, waiting);
            if self.state.kept(site).is_none() {
                self.emit(now, Event::Kept { site, job: first }, witness);
            }
            return reserved;
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
        loop {
            self.open_kinds(site, now, reserved);
            let Some(job) = self.first_open(site) else { return filled };
            let waiting = self.state.job(job).expect("a queued job is live");
            let release = self.state.release(&self.plan, site, now, Span::of(waiting));
            let start = release.and_then(|at| self.state.start_now(site, waiting.shape, at, Some(reserved)));
            let start = start.expect("a job of an open kind can start");
            self.state.spend(reserved, &start);
            self.start(job, start, now, witness);
            filled = true;
        }
    }

    fn start(&mut self, job: JobId, start: Start, now: Instant, witness: &mut impl Witness) {
        let Start { need, pieces, release } = start;
        let attempt = self.state.job(job).expect("a job that starts waits").attempts + 1;
        self.emit(now, Event::Started { job, attempt, need, pieces, release }, witness);
    }

    /// Finds the kinds that may start behind a reservation.
    fn open_kinds(&mut self, site: SiteId, now: Instant, reserved: &Reservation) {
        let mut open = std::mem::take(&mut self.scratch.open);
        open.clear();
        let queue = &self.state.sites[site.index()].queue;
        let (now_open, before_window) = self.state.window_ahead(&self.plan, site, now);
        if now_open {
            open.extend(queue.shapes().filter_map(|(shape, saves)| {
                let longest = self.state.longest_now(site, now, shape, saves, before_window, reserved)?;
                let open = Open { shape, saves, longest };
                queue.has(open).then_some(open)
            }));
        }
        self.scratch.open = open;
    }

    /// The first job in the order among the open kinds.
    fn first_open(&self, site: SiteId) -> Option<JobId> {
        let (open, book) = (&self.scratch.open, &self.state.sites[site.index()]);
        if open.is_empty() {
            return None;
        }
        let few = book.queue.first_of_few(&book.accounts, open, FEW);
        few.or_else(|| book.queue.first_in_order(&book.accounts, open))
    }

    /// Looks at the jobs that came, where nothing else changed: each starts now, or waits like those before it.
    pub(crate) fn admit_arrivals(&mut self, site: SiteId, now: Instant, witness: &mut impl Witness) {
        let arrivals = self.state.sites[site.index()].arrivals.clone();
        for &job in &arrivals {
            let kept = self.state.kept(site);
            let Some(reserved) = kept.and_then(|kept| self.standing(site, kept, now)) else {
                return self.pass(site, now, witness);
            };
            let waiting = self.state.job(job).expect("an arrival waits");
            let release = self.state.release(&self.plan, site, now, Span::of(waiting));
            let starts = |at| self.state.start_now(site, waiting.shape, at, Some(&reserved)).is_some();
            // A start changes which nodes others would get, so all are looked at again.
            if release.is_some_and(starts) {
                return self.pass(site, now, witness);
            }
        }
    }

    /// The reservation of the job that keeps its place, from memory where it is still true; `None` where it is due or something that
    /// should be back is late, so that all have to be looked at again.
    fn standing(&mut self, site: SiteId, kept: JobId, now: Instant) -> Option<Reservation> {
        let epoch = self.state.sites[site.index()].epoch;
        let known = self.scratch.reserved[site.index()].take();
        let still = known.filter(|(then, known)| *then == epoch && known.job == kept && known.at > now);
        let reserved = match still {
            Some((_, reserved)) => Some(reserved),
            None => self.state.reserve(&self.plan, now, self.state.job(kept)?),
        };
        self.scratch.reserved[site.index()] = reserved.clone().map(|reserved| (epoch, reserved));
        reserved.filter(|reserved| reserved.at > now + Duration::milliseconds(1))
    }
}
