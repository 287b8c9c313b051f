//! The one thing that a host calls.

use std::sync::Arc;

use giga_model::image::{Image, ImageError, Source};
use giga_model::{Federation, JobId, OwnerId, PoolId, SiteId};
use giga_scheduler::{Event, Input, Plan, Rule, Scheduler, State, Witness};
use giga_units::{Duration, Instant};

use crate::bill::Bill;
use crate::linter::{Linter, Violation};
use crate::meter::Meter;
use crate::reads::DataRead;
use crate::record::{HourRecord, JobRecord};
use crate::summary::Summary;
use crate::trail::Trail;

/// The longest limit and the largest ask that can be counted with; far beyond any that readers of work let in.
const LIMIT_MAX: Duration = Duration::days(3_660_000);
const ASK_MAX: u32 = 1 << 30;

/// The cores together, with their books.
#[derive(Debug, Clone)]
pub struct Control {
    federation: Arc<Federation>,
    scheduler: Scheduler,
    books: Books,
    now: Instant,
}

#[derive(Debug, Clone)]
struct Books {
    federation: Arc<Federation>,
    meter: Meter,
    /// Not there while the host lets it check elsewhere.
    linter: Option<Linter>,
    /// Of the last batch; of all since the host last took it where the linter is elsewhere.
    trail: Trail,
}

impl Witness for Books {
    fn witness(&mut self, before: &State, now: Instant, event: &Event) {
        self.meter.note(&self.federation, before, now, event);
    }

    fn keep(&mut self, event: Event) {
        self.trail.push(event);
    }
}

impl Books {
    fn linter(&self) -> &Linter {
        self.linter.as_ref().expect("the linter is put back before it is asked")
    }
}

impl Control {
    /// Nothing is open yet: the phases open by inputs.
    #[must_use]
    pub fn new(federation: Arc<Federation>, start: Instant) -> Self {
        let books = Books {
            meter: Meter::new(&federation, start),
            linter: Some(Linter::new(&federation)),
            federation: Arc::clone(&federation),
            trail: Trail::default(),
        };
        Self { scheduler: Scheduler::new(&federation), federation, books, now: start }
    }

    /// Takes the inputs of one instant, then starts what can start. Time never goes back: an earlier `now` counts as
    /// the latest one. The events of this batch are returned.
    pub fn advance(&mut self, now: Instant, inputs: &[Input]) -> &[Event] {
        self.begin(now);
        for input in inputs {
            self.scheduler.advance(self.now, input, &mut self.books);
        }
        self.scheduler.advance(self.now, &Input::Schedule, &mut self.books);
        self.settle();
        self.books.trail.latest()
    }

    fn begin(&mut self, now: Instant) {
        self.now = self.now.max(now);
        if self.books.linter.is_some() {
            self.books.trail.clear();
        }
        self.books.trail.begin(self.now);
        self.roll(self.now);
    }

    fn settle(&mut self) {
        // What led to nothing leaves no record either: whoever follows the records must find the same.
        if !self.books.trail.latest().is_empty() {
            self.books.meter.look(&self.federation, &self.scheduler, self.now);
        }
        if let Some(linter) = &mut self.books.linter {
            linter.follow(&self.federation, &self.books.trail);
        }
    }

    /// Gives the linter away, to check on another thread; `None` where that was done already. From here on the host takes what
    /// is to be checked by [`Control::take_trail`], and puts the linter back before it asks for sums, violations or an image.
    #[must_use]
    pub fn part_with_linter(&mut self) -> Option<Linter> {
        self.books.trail.clear();
        self.books.linter.take()
    }

    /// How many events wait to be taken to the linter elsewhere.
    #[must_use]
    pub fn trail_waiting(&self) -> usize {
        if self.books.linter.is_none() { self.books.trail.len() } else { 0 }
    }

    /// What the linter elsewhere is to check next.
    #[must_use]
    pub fn take_trail(&mut self) -> Trail {
        std::mem::take(&mut self.books.trail)
    }

    /// Puts the linter back once it has checked what was taken; what was not, it checks now.
    pub fn put_linter(&mut self, mut linter: Linter) {
        linter.follow(&self.federation, &self.books.trail);
        self.books.trail.clear();
        self.books.linter = Some(linter);
    }

    /// Whether everything an input names is in this federation. A host's own inputs always are; those that were read from
    /// somewhere else are asked for this first.
    #[must_use]
    pub fn knows(&self, input: &Input) -> bool {
        let site = |id: SiteId| id.index() < self.federation.sites.len();
        let node = |id: PoolId, node: u32| {
            id.index() < self.federation.pools.len() && node < self.federation.nodes_of(id)
        };
        match input {
            Input::PhaseOpens { site: id }
            | Input::MaintenanceBegins { site: id }
            | Input::MaintenanceEnds { site: id }
            | Input::LimitFalls { site: id, .. }
            | Input::LimitFollows { site: id, .. }
            | Input::LimitEnds { site: id }
            | Input::Drain { site: id }
            | Input::Undrain { site: id }
            | Input::Silent { site: id }
            | Input::Heard { site: id } => site(*id),
            Input::NodeFailed { pool, node: count, .. } | Input::NodeRepaired { pool, node: count } => {
                node(*pool, *count)
            }
            // A project or an accelerator that is not there leads to a refusal, a job that is not there to nothing.
            Input::Submit { request } => {
                request.limit <= LIMIT_MAX && request.asks.iter().all(|ask| ask.accelerators <= ASK_MAX)
            }
            Input::Finished { .. }
            | Input::Lost { .. }
            | Input::Begun { .. }
            | Input::Cancel { .. }
            | Input::HourTurns
            | Input::HalveUse
            | Input::TurnYear
            | Input::Schedule => true,
        }
    }

    /// Carries a recorded batch of events into the books without deciding anything: how a restart catches up.
    ///
    /// # Panics
    /// Panics where an event contradicts what is known; a journal and its beginning belong together.
    pub fn follow(&mut self, now: Instant, events: &[Event]) {
        self.begin(now);
        for event in events {
            self.books.witness(self.scheduler.state(), self.now, event);
            self.scheduler.apply(self.now, event);
            self.books.keep(event.clone());
        }
        self.settle();
    }

    /// The jobs that the last batch refused, with the rules.
    pub fn refused(&self) -> impl Iterator<Item = (JobId, Rule)> + '_ {
        self.books.trail.latest().iter().filter_map(|event| match event {
            Event::Refused { job, rule, .. } => Some((*job, *rule)),
            _ => None,
        })
    }

    /// The jobs that the last batch started.
    pub fn started(&self) -> impl Iterator<Item = JobId> + '_ {
        self.books.trail.latest().iter().filter_map(|event| match event {
            Event::Started { job, .. } => Some(*job),
            _ => None,
        })
    }

    /// Ends the hours that are over by `now`, and checks that their parts add up.
    fn roll(&mut self, now: Instant) {
        let seen = self.books.meter.closed_hours.len();
        self.books.meter.roll(&self.federation, self.scheduler.state(), now);
        self.check_hours(seen);
    }

    fn check_hours(&mut self, seen: usize) {
        for hour in &self.books.meter.closed_hours[seen..] {
            let parts: i128 = hour.time.parts().iter().map(|(_, time)| time.as_milliseconds()).sum();
            if parts != hour.time.installed.as_milliseconds() {
                self.books.trail.found.push(Violation::TimeBook { at: hour.hour, site: hour.site });
            }
        }
    }

    /// Ends a run: the last hour, and a row for each job that still lives.
    #[must_use]
    pub fn finish(mut self, now: Instant) -> (Summary, Vec<JobRecord>, Vec<HourRecord>) {
        self.begin(now);
        let seen = self.books.meter.closed_hours.len();
        if self.books.meter.hour < self.now {
            self.books.meter.close_hour(&self.federation, self.scheduler.state(), self.now);
            self.check_hours(seen);
        }
        self.books.meter.leftovers(&self.federation, self.scheduler.state(), self.now);
        self.settle();
        let summary = self.summary();
        (summary, self.books.meter.finished, self.books.meter.closed_hours)
    }

    /// The sums of the hours that are over.
    ///
    /// # Panics
    /// Panics while the linter is away, as all do that tell of violations.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let (violations, first) = self.violations();
        let meter = &self.books.meter;
        meter.totals.summary(&self.federation, self.now, violations, first, meter)
    }

    /// Which data was read where and by whom so far.
    #[must_use]
    pub fn reads(&self) -> Vec<DataRead> {
        self.books.meter.totals.reads.rows()
    }

    /// What the jobs of an owner that ended are charged for, all together.
    #[must_use]
    pub fn billed(&self, owner: OwnerId) -> Bill {
        self.books.meter.totals.billed(owner)
    }

    /// How many decisions broke a rule, and the first of them. There must never be one.
    #[must_use]
    pub fn violations(&self) -> (u64, &[Violation]) {
        let linter = self.books.linter();
        (linter.count, &linter.first)
    }

    /// The rows that came up since the last call.
    pub fn take_rows(&mut self) -> (Vec<JobRecord>, Vec<HourRecord>) {
        let meter = &mut self.books.meter;
        (std::mem::take(&mut meter.finished), std::mem::take(&mut meter.closed_hours))
    }

    /// How many rows wait to be taken.
    #[must_use]
    pub fn rows_waiting(&self) -> usize {
        self.books.meter.finished.len() + self.books.meter.closed_hours.len()
    }

    /// What the scheduler knows.
    #[must_use]
    pub fn state(&self) -> &State {
        self.scheduler.state()
    }

    /// The scheduler itself, to ask it.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// The latest instant it was told of.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// What it was built from.
    #[must_use]
    pub fn federation(&self) -> &Arc<Federation> {
        &self.federation
    }

    /// Appends the image of everything but rows not taken yet.
    pub fn write_image(&self, out: &mut Vec<u8>) {
        self.now.write(out);
        self.scheduler.state().write_image(out);
        self.books.meter.write_image(out);
        let linter = self.books.linter();
        linter.count.write(out);
        linter.first.write(out);
    }

    /// Builds a control from its image under the federation it belongs to.
    ///
    /// # Errors
    /// Fails where the bytes are no image under this federation.
    pub fn read_image(federation: Arc<Federation>, source: &mut Source<'_>) -> Result<Self, ImageError> {
        let now = Instant::read(source)?;
        let plan = Arc::new(Plan::new(&federation));
        let state = State::read_image(&plan, source)?;
        let meter = Meter::read_image(source)?;
        if !meter.fits(&federation, &state) {
            return Err(source.bad_tag(0));
        }
        let mut linter = Linter::new(&federation);
        linter.adopt(&federation, &state);
        (linter.count, linter.first) = (u64::read(source)?, Image::read(source)?);
        let books = Books {
            federation: Arc::clone(&federation),
            meter,
            linter: Some(linter),
            trail: Trail::default(),
        };
        Ok(Self { scheduler: Scheduler::with_state(plan, state), federation, books, now })
    }
}
