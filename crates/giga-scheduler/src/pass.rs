//! One look at the queue of a site: start in order, keep a place for the first that does not fit, fill in behind it.
//!
//! The place is kept until that job starts, even where the order changes meanwhile: otherwise a large gang could wait for
//! ever while each start moves another owner to the front.
//!
//! Every waiting job is considered, however long the queue. What makes that cheap: jobs of a shape differ only in their
//! limit, so a few questions tell which kinds may start at all, and mostly none may.

use giga_model::{JobId, ProjectId, SiteId, SlurmMode};
use giga_units::{Duration, Instant};

use crate::Scheduler;
use crate::admit::WaysMemo;
use crate::ahead::Ahead;
use crate::bind::Means;
use crate::event::Event;
use crate::fit::{Reservation, Reserved, Span, Start};
use crate::floors::Lines;
use crate::job::Job;
use crate::queue::{Few, Kind, Open};
use crate::witness::Witness;

/// How long a job stands in the line of a site that decides itself when it begins, as far as the place that it holds is concerned: an
/// assumption on the long side, so that a place counts as free too late rather than while the job has it. Its beginning puts that right.
const LINE: Duration = Duration::days(1);

/// In how many places open kinds may stand to be compared one by one; beyond it the order is followed from its start.
const FEW: usize = 64;

/// What a look at a queue has to remember; nothing of it outlives the look but a reservation that is still true.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    /// The reservation of each site with the epoch in which it was made.
    reserved: Vec<Option<(u64, Reservation)>>,
    open: Vec<Open>,
    /// Projects whose jobs of a kind turned out not to fit, although a smaller way of theirs would have been allowed.
    skipped: Vec<(ProjectId, Kind)>,
    /// Prices at each site over the next day.
    pub(crate) means: Means,
    /// The ways of asks that came before.
    pub(crate) ways: WaysMemo,
}

impl Scratch {
    pub(crate) fn new(sites: usize) -> Self {
        Self { reserved: vec![None; sites], ..Self::default() }
    }
}

impl Scheduler {
    /// Starts everything at a site that can start, until a look changes nothing.
    pub(crate) fn pass(&mut self, site: SiteId, now: Instant, witness: &mut impl Witness) {
        self.resume(site, now, witness);
        self.serve_floors(site, now, witness);
        loop {
            self.scratch.reserved[site.index()] = None;
            let Some(first) = self.start_in_order(site, now, witness) else { return };
            let mut reserved = Reserved::First(first);
            let mut filled = false;
            if let Some(line) = self.state.line_ahead(&self.plan, site, now) {
                reserved = Reserved::Depth(Ahead::new(&self.state, &self.plan, site, now));
                filled = self.reserve_line(site, now, &line, &mut reserved, witness);
            }
            filled |= self.fill_in(site, now, &mut reserved, witness);
            let stands =
                !filled || matches!(&reserved, Reserved::First(first) if self.still_reserved(now, first));
            if let Reserved::First(first) = reserved {
                let epoch = self.state.sites[site.index()].epoch;
                self.scratch.reserved[site.index()] = Some((epoch, first));
            }
            if stands {
                return;
            }
        }
    }

    /// Goes through the first in the line, down to the depth: what fits without delaying those before it starts, all others keep
    /// their earliest start. Whether anything started.
    fn reserve_line(
        &mut self,
        site: SiteId,
        now: Instant,
        line: &[JobId],
        reserved: &mut Reserved,
        witness: &mut impl Witness,
    ) -> bool {
        let mut started = false;
        for &job in line {
            let lines = self.state.lines(&self.plan, site);
            let waiting = self.state.job(job).expect("a queued job is live");
            let most = self.state.most_held(&self.plan, now, waiting, &lines);
            if let Some(start) = self.start_beside(waiting, now, reserved, most) {
                reserved.spend(&self.state, &start);
                self.start(job, start, now, witness);
                started = true;
            } else if let Reserved::Depth(ahead) = reserved {
                ahead.reserve(&self.state, &self.plan, waiting, most);
            }
        }
        started
    }

    /// The start of a waiting job now, where it leaves alone what is reserved.
    fn start_beside(&self, waiting: &Job, now: Instant, reserved: &Reserved, most: u32) -> Option<Start> {
        let exit = self.state.release(&self.plan, waiting.site, now, Span::of(waiting))?;
        self.state.start_now(waiting.site, waiting.shape, exit, Some(reserved), most)
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
            let lines = self.state.lines(&self.plan, site);
            let first = self.state.first(&self.plan, site, now, &lines)?;
            let waiting = self.state.job(first).expect("a queued job is live");
            let release = self.state.release(&self.plan, site, now, Span::of(waiting));
            let most = self.state.most_held(&self.plan, now, waiting, &lines);
            let start = release.and_then(|at| self.state.start_now(site, waiting.shape, at, None, most));
            if let Some(start) = start {
                self.start(first, start, now, witness);
                continue;
            }
            let reserved = self.state.reserve(&self.plan, now, waiting);
            if self.state.kept(site) != Some(first) {
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
        reserved: &mut Reserved,
        witness: &mut impl Witness,
    ) -> bool {
        let mut filled = false;
        self.scratch.skipped.clear();
        loop {
            self.open_kinds(site, now, reserved);
            let lines = self.state.lines(&self.plan, site);
            let Some(job) = self.first_open(site, now, &lines) else { return filled };
            let waiting = self.state.job(job).expect("a queued job is live");
            let most = self.state.most_held(&self.plan, now, waiting, &lines);
            let Some(start) = self.start_beside(waiting, now, reserved, most) else {
                let skipped = (waiting.project, Kind::of(waiting));
                assert!(!self.scratch.skipped.contains(&skipped), "a kind is skipped once");
                self.scratch.skipped.push(skipped);
                continue;
            };
            reserved.spend(&self.state, &start);
            self.start(job, start, now, witness);
            filled = true;
        }
    }

    pub(crate) fn start(&mut self, job: JobId, start: Start, now: Instant, witness: &mut impl Witness) {
        let Start { need, pieces, mut release } = start;
        let known = self.state.job(job).expect("a job that starts waits");
        let attempt = known.attempts + 1;
        if self.plan.sites[known.site.index()].mode == SlurmMode::Guest {
            release = release + LINE;
        }
        self.emit(now, Event::Started { job, attempt, need, pieces, release }, witness);
    }

    /// Finds the kinds that may start behind a reservation.
    fn open_kinds(&mut self, site: SiteId, now: Instant, reserved: &Reserved) {
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
    fn first_open(&self, site: SiteId, now: Instant, lines: &Lines) -> Option<JobId> {
        let (open, book) = (&self.scratch.open, &self.state.sites[site.index()]);
        if open.is_empty() {
            return None;
        }
        let allowed = |project, kind: &Kind| {
            !self.scratch.skipped.contains(&(project, *kind))
                && self.state.allows(&self.plan, (now, site), project, kind, lines)
        };
        match book.queue.first_of_few(&book.accounts, open, FEW, &allowed) {
            Few::First(first) => first,
            Few::Many => book.queue.first_in_order(&book.accounts, open, &allowed),
        }
    }

    /// Looks at the jobs that came, where nothing else changed: each starts now, or waits like those before it.
    pub(crate) fn admit_arrivals(&mut self, site: SiteId, now: Instant, witness: &mut impl Witness) {
        if self.plan.policy.reservations > 1 {
            return self.pass(site, now, witness);
        }
        let arrivals = self.state.sites[site.index()].arrivals.clone();
        for &job in &arrivals {
            let kept = self.state.kept(site);
            let Some(first) = kept.and_then(|kept| self.standing(site, kept, now)) else {
                return self.pass(site, now, witness);
            };
            let reserved = Reserved::First(first);
            let waiting = self.state.job(job).expect("an arrival waits");
            let release = self.state.release(&self.plan, site, now, Span::of(waiting));
            let lines = self.state.lines(&self.plan, site);
            let most = self.state.most_held(&self.plan, now, waiting, &lines);
            let ways = &self.state.shapes[waiting.shape.0 as usize].needs;
            let starts = |at| self.state.way_now(site, ways, at, Some(&reserved), most).is_some();
            // A start changes which nodes others would get, so all are looked at again.
            if release.is_some_and(starts) || self.may_claim(site, waiting) {
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
