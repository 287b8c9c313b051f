//! The run: takes what comes next, tells control, and lets the world follow from the events.

use std::marker::PhantomData;
use std::sync::Arc;

use giga_control::record::{HourRecord, JobRecord};
use giga_control::{Control, Linter, Summary, Trail, calendar};
use giga_model::image::{Image, ImageError, Source};
use giga_model::{Arrival, Federation, GridLimit, JobId, JobMap, PoolId, Site, SiteId};
use giga_scheduler::{Ending, Event, Explanation, Input, Job, Run};
use giga_units::{AcceleratorTime, Duration, Instant};
use thiserror::Error;

use crate::world::{Agenda, Coming, breakdown, ending};

/// Takes the rows of a run as they come up.
pub trait Sink {
    /// What can go wrong.
    type Error;
    /// One job that ended.
    ///
    /// # Errors
    /// Where the row can not be kept.
    fn job(&mut self, row: &JobRecord) -> Result<(), Self::Error>;
    /// One hour of a site.
    ///
    /// # Errors
    /// Where the row can not be kept.
    fn hour(&mut self, row: &HourRecord) -> Result<(), Self::Error>;
    /// What is to be checked next, where the linter was parted with.
    fn trail(&mut self, _: Trail) {
        unreachable!("who parts with the linter takes what it is to check");
    }
}

/// Where rows go that nobody keeps.
#[derive(Debug, Clone, Copy)]
pub struct Nowhere<E>(PhantomData<E>);

impl<E> Default for Nowhere<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<E> Sink for Nowhere<E> {
    type Error = E;
    fn job(&mut self, _: &JobRecord) -> Result<(), E> {
        Ok(())
    }
    fn hour(&mut self, _: &HourRecord) -> Result<(), E> {
        Ok(())
    }
}

/// Gives rows to a sink: first jobs, then hours.
pub(crate) fn hand_over<S: Sink>(
    sink: &mut S,
    jobs: &[JobRecord],
    hours: &[HourRecord],
) -> Result<(), S::Error> {
    jobs.iter().try_for_each(|row| sink.job(row))?;
    hours.iter().try_for_each(|row| sink.hour(row))
}

/// Why a saved run can not go on.
#[derive(Debug, Error)]
pub enum SaveError {
    /// The bytes are not a saved run of this federation.
    #[error("the saved run does not belong to this federation, or is damaged")]
    Image(#[from] ImageError),
}

/// A simulated world around a control.
#[derive(Debug, Clone)]
pub struct Twin {
    control: Control,
    agenda: Agenda,
    /// How much work of each live job is left.
    left: JobMap<Duration>,
    /// Work of the jobs of this batch, before control gave them a number.
    coming: Vec<Duration>,
    /// When the nodes that break in this batch will be repaired.
    repairs: Vec<(PoolId, u32, Instant)>,
    /// When a job last came or ended.
    progress: Instant,
    /// An arrival that was read but is not due.
    pending: Option<Arrival>,
    seed: u64,
    end: Instant,
    /// How many arrivals were taken from the source.
    taken: u64,
    /// Accelerator time that the jobs let in so far need.
    offered: AcceleratorTime,
    inputs: Vec<Input>,
    /// Jobs of this batch that were told to leave, or that go at another pace.
    going: Vec<(JobId, Instant)>,
    paced: Vec<JobId>,
    /// A job whose story is wanted, with what was said of it so far.
    watched: Option<(JobId, Vec<(Instant, Explanation)>)>,
    /// When each job was first started from here on, where that is wanted.
    starts: Option<JobMap<Instant>>,
}

/// How long a run without an end goes on after the last job came or ended: work that is undone by each failure would
/// keep it going for ever.
const PATIENCE: Duration = Duration::days(365);

/// How many rows pile up before they are handed over.
const ROWS: usize = 4096;

impl Twin {
    /// A world from `start` to `end` in which nothing has happened yet; with the end at [`Instant::FAR`] it ends when
    /// all work is done, or a year after the last job came or ended.
    #[must_use]
    pub fn new(federation: Arc<Federation>, seed: u64, start: Instant, end: Instant) -> Self {
        let mut agenda = Agenda::default();
        plan_ahead(&federation, seed, start, &mut agenda);
        Self::around(Control::new(federation, start), agenda, JobMap::default(), seed, end)
    }

    /// A world around a control, with what is to come and how much work of each live job is left.
    pub(crate) fn around(
        control: Control,
        agenda: Agenda,
        left: JobMap<Duration>,
        seed: u64,
        end: Instant,
    ) -> Self {
        Self {
            progress: control.now(),
            control,
            agenda,
            left,
            coming: Vec::new(),
            repairs: Vec::new(),
            pending: None,
            seed,
            end,
            taken: 0,
            offered: AcceleratorTime::ZERO,
            inputs: Vec::new(),
            going: Vec::new(),
            paced: Vec::new(),
            watched: None,
            starts: None,
        }
    }

    /// Runs until `until` or the end of the run, whichever is first; rows go to the sink. Arrivals come in the order
    /// of their time; one that is late counts as coming now.
    ///
    /// # Errors
    /// Passes on what the source or the sink fails with.
    pub fn run<S: Sink, E: From<S::Error>>(
        &mut self,
        arrivals: &mut impl Iterator<Item = Result<Arrival, E>>,
        sink: &mut S,
        until: Instant,
    ) -> Result<(), E> {
        let until = until.min(self.end);
        loop {
            if self.pending.is_none() {
                self.pending = arrivals.next().transpose()?;
                self.taken += u64::from(self.pending.is_some());
            }
            if self.end == Instant::FAR && self.is_idle() {
                return self.hand_over(sink, 0).map_err(E::from);
            }
            let arrival = self.pending.as_ref().map_or(Instant::FAR, |arrival| arrival.at);
            let now = arrival.min(self.agenda.next_at().unwrap_or(Instant::FAR)).max(self.control.now());
            if self.end == Instant::FAR && self.pending.is_none() && now > self.progress + PATIENCE {
                self.end = self.progress + PATIENCE;
            }
            if now >= until.min(self.end) {
                return self.hand_over(sink, 0).map_err(E::from);
            }
            self.gather(now);
            while let Some(arrival) = self.pending.take_if(|arrival| arrival.at <= now) {
                self.coming.push(arrival.runtime);
                self.inputs.push(Input::Submit { request: arrival.request });
                self.pending = arrivals.next().transpose()?;
                self.taken += u64::from(self.pending.is_some());
            }
            self.step(now);
            self.watch(now);
            self.hand_over(sink, ROWS)?;
        }
    }

    /// Turns what happens now into inputs.
    fn gather(&mut self, now: Instant) {
        self.inputs.clear();
        self.coming.clear();
        self.repairs.clear();
        while let Some(coming) = self.agenda.take(now) {
            self.happen(now, coming);
        }
    }

    fn happen(&mut self, now: Instant, coming: Coming) {
        let federation = Arc::clone(self.control.federation());
        match coming {
            Coming::Phase { site } => self.inputs.push(Input::PhaseOpens { site }),
            Coming::Begun { job, attempt } => self.inputs.push(Input::Begun { job, attempt, at: now }),
            Coming::MaintenanceEnds { site } => self.inputs.push(Input::MaintenanceEnds { site }),
            Coming::Repaired { pool, node } => self.inputs.push(Input::NodeRepaired { pool, node }),
            Coming::Finished { job, attempt, completed } => {
                // Of an attempt that was interrupted since, the world knows better.
                let known = self.control.state().job(job).filter(|job| job.attempts == attempt);
                let left = self.left.get(job).copied().unwrap_or(Duration::ZERO);
                // Of one that was slowed since, there is a later end.
                let done =
                    |about: &Job, run: &Run| run.stopping || run.progress(now) >= left.min(about.limit);
                if known.is_some_and(|about| about.run().is_some_and(|run| done(about, run))) {
                    self.inputs.push(Input::Finished { job, attempt, ending: ending(completed), at: now });
                }
            }
            Coming::Left { job, attempt } => {
                let known = self.control.state().job(job).filter(|job| job.attempts == attempt);
                if known.and_then(Job::run).is_some_and(|run| run.leaving.is_some()) {
                    self.inputs.push(Input::Finished { job, attempt, ending: Ending::Cancelled, at: now });
                }
            }
            Coming::LimitFalls { site, limit } => {
                let limit = federation.sites[site.index()].limits[limit as usize];
                let (power, until) = (limit.power, limit.until);
                self.inputs.push(Input::LimitFalls { site, power, until });
                self.agenda.add(until, Coming::LimitEnds { site });
            }
            Coming::LimitEnds { site } => self.limit_ends(&federation, now, site),
            Coming::Hour => {
                if self.control.state().minds_the_hour() {
                    self.inputs.push(Input::HourTurns);
                }
                self.agenda.add(now.next_hour(), Coming::Hour);
            }
            Coming::HalfLife => {
                self.inputs.push(Input::HalveUse);
                self.agenda.add(now + federation.policy.half_life, Coming::HalfLife);
            }
            Coming::NewYear => {
                self.inputs.push(Input::TurnYear);
                self.agenda.add(now.next_year(), Coming::NewYear);
            }
            Coming::MaintenanceBegins { site } => {
                self.inputs.push(Input::MaintenanceBegins { site });
                let windows = federation.sites[site.index()].maintenance.expect("the site has windows");
                let (begin, end) = windows.window_at(now);
                self.agenda.add(end, Coming::MaintenanceEnds { site });
                self.agenda.add(begin + windows.every, Coming::MaintenanceBegins { site });
            }
            Coming::Failure { pool, count } => self.fail(&federation, now, pool, count),
        }
    }

    /// What follows the limit, or the described one that it stood in for, holds from here on.
    fn limit_ends(&mut self, federation: &Federation, now: Instant, site: SiteId) {
        // Another limit may have come instead.
        if self.control.state().limit(site).is_none_or(|(_, until)| until > now) {
            return;
        }
        self.inputs.push(Input::LimitEnds { site });
        let behind = self.control.state().limit_behind(site).filter(|(_, until)| now < *until);
        // One that begins now comes by itself.
        let back = calendar::limit_described(federation, site, now).filter(|limit| limit.from < now);
        let until = match (behind, back) {
            (Some((_, until)), _) => until,
            (None, Some(GridLimit { power, until, .. })) => {
                self.inputs.push(Input::LimitFalls { site, power, until });
                until
            }
            (None, None) => return,
        };
        self.agenda.add(until, Coming::LimitEnds { site });
    }

    fn fail(&mut self, federation: &Federation, now: Instant, pool: PoolId, count: u64) {
        let Some(failure) = breakdown(federation, self.seed, pool, count) else { return };
        let site = &federation.sites[federation.pools[pool.index()].site.index()];
        let expected = site.failures.map_or(Duration::ZERO, |failures| failures.repair);
        let until = now + expected;
        self.inputs.push(Input::NodeFailed { pool, node: failure.node, until });
        self.repairs.push((pool, failure.node, now + failure.repair));
        self.announce_failure(federation, now, pool, count + 1);
    }

    fn announce_failure(&mut self, federation: &Federation, now: Instant, pool: PoolId, count: u64) {
        if let Some(next) = breakdown(federation, self.seed, pool, count) {
            self.agenda.add(now + next.gap, Coming::Failure { pool, count });
        }
    }

    /// Tells control, and lets the world follow from the events.
    fn step(&mut self, now: Instant) {
        let mut coming = self.coming.iter();
        for event in self.control.advance(now, &self.inputs) {
            match event {
                Event::Submitted { job, request, .. } => {
                    let runtime = *coming.next().expect("every submission has its work");
                    let asked = u64::from(request.asks.first().accelerators);
                    self.offered += AcceleratorTime::of(asked, runtime.min(request.limit));
                    self.left.insert(*job, runtime);
                    self.progress = now;
                }
                Event::Refused { .. } => drop(coming.next()),
                Event::Leaving { job, by, .. } => self.going.push((*job, *by)),
                Event::Paced { job, .. } => self.paced.push(*job),
                Event::Interrupted { job, saved, .. } => {
                    let left = self.left.get_mut(*job).expect("a live job has work left");
                    *left = left.saturating_sub(*saved);
                }
                Event::NodeDown { pool, node, .. } => {
                    let repair = self.repairs.iter().find(|(at, broken, _)| (at, broken) == (pool, node));
                    let (.., at) = *repair.expect("a node goes down only by a failure of this batch");
                    self.agenda.add(at, Coming::Repaired { pool: *pool, node: *node });
                }
                Event::Ended { job, .. } => {
                    self.progress = now;
                    self.left.remove(*job);
                }
                _ => {}
            }
        }
        self.follow_starts(now);
        self.follow_paces(now);
    }

    /// What was told to leave takes as long as it may; what was slowed ends later, and what goes on ends after all.
    fn follow_paces(&mut self, now: Instant) {
        for (job, by) in std::mem::take(&mut self.going) {
            let attempt = self.control.state().job(job).map_or(0, |job| job.attempts);
            self.agenda.add(by, Coming::Left { job, attempt });
        }
        for id in std::mem::take(&mut self.paced) {
            let Some(job) = self.control.state().job(id) else { continue };
            let left = *self.left.get(id).expect("a live job has work left");
            if let Some((at, end)) = end_of(job, left, now) {
                self.agenda.add(at, end);
            }
        }
    }

    fn follow_starts(&mut self, now: Instant) {
        let started: Vec<JobId> = self.control.started().collect();
        for id in started {
            let job = self.control.state().job(id).expect("a started job is live");
            let left = *self.left.get(id).expect("a live job has work left");
            self.agenda.begin(job, now);
            if let Some((at, end)) = end_of(job, left, now) {
                self.agenda.add(at, end);
            }
            if let Some(starts) = self.starts.as_mut().filter(|starts| starts.get(id).is_none()) {
                starts.insert(id, now);
            }
        }
    }

    fn hand_over<S: Sink>(&mut self, sink: &mut S, least: usize) -> Result<(), S::Error> {
        if self.control.trail_waiting() >= least.max(1) {
            sink.trail(self.control.take_trail());
        }
        if self.control.rows_waiting() < least.max(1) {
            return Ok(());
        }
        let (jobs, hours) = self.control.take_rows();
        hand_over(sink, &jobs, &hours)
    }

    /// Ends the run at its end.
    ///
    /// # Errors
    /// Passes on what the sink fails with.
    pub fn finish<S: Sink>(self, sink: &mut S) -> Result<Summary, S::Error> {
        let end = if self.end == Instant::FAR { self.control.now() } else { self.end };
        let (summary, jobs, hours) = self.control.finish(end);
        hand_over(sink, &jobs, &hours)?;
        Ok(summary)
    }

    /// Notes from here on whenever there is something else to say about a job.
    pub fn follow(&mut self, job: JobId) {
        self.watched = Some((job, Vec::new()));
    }

    /// Notes from here on when each job is first started.
    pub fn note_starts(&mut self) {
        self.starts = Some(JobMap::default());
    }

    /// When a job was first started since that is noted.
    #[must_use]
    pub fn first_start(&self, job: JobId) -> Option<Instant> {
        self.starts.as_ref()?.get(job).copied()
    }

    /// What was said about the followed job.
    #[must_use]
    pub fn story(&self) -> &[(Instant, Explanation)] {
        self.watched.as_ref().map_or(&[], |(_, story)| story)
    }

    fn watch(&mut self, now: Instant) {
        let Some((job, story)) = &mut self.watched else { return };
        if job.0 >= self.control.state().next_job().0 {
            return;
        }
        let refused = self.control.refused().find(|(id, _)| id == job);
        let next = match refused {
            Some((_, rule)) => Explanation::Refused { rule },
            None => self.control.scheduler().explain(*job, now),
        };
        if matches!(story.last(), Some((_, Explanation::Refused { .. }))) {
            return;
        }
        if story.last().is_none_or(|(_, last)| is_news(last, &next)) {
            story.push((now, next));
        }
    }

    /// Gives the linter away, see [`Control::part_with_linter`]: the sink takes what it is to check.
    #[must_use]
    pub fn part_with_linter(&mut self) -> Option<Linter> {
        self.control.part_with_linter()
    }

    /// Puts the linter back.
    pub fn put_linter(&mut self, linter: Linter) {
        self.control.put_linter(linter);
    }

    /// The control inside.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// When the run ends.
    #[must_use]
    pub fn end(&self) -> Instant {
        self.end
    }

    /// How many arrivals were taken from the source; a resumed run skips as many.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// What the jobs that came and were let in ask for, as accelerators times the time that their work takes, or their
    /// limit where that is shorter.
    #[must_use]
    pub fn offered(&self) -> AcceleratorTime {
        self.offered
    }

    /// Whether nothing is left to do: no live job, and no arrival at hand.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.pending.is_none() && self.control.state().live() == 0
    }

    /// Appends the image of the run. Rows must have been handed over, as they are when [`Twin::run`] returns.
    pub fn write_image(&self, out: &mut Vec<u8>) {
        self.seed.write(out);
        self.end.write(out);
        self.taken.write(out);
        self.offered.write(out);
        self.progress.write(out);
        self.pending.write(out);
        self.agenda.sorted().write(out);
        self.left.write(out);
        self.control.write_image(out);
    }

    /// Builds a run from its image.
    ///
    /// # Errors
    /// Fails where the bytes are not the image of a run of this federation.
    pub fn read_image(federation: Arc<Federation>, bytes: &[u8]) -> Result<Self, SaveError> {
        let source = &mut Source::new(bytes);
        let (seed, end, taken) = (u64::read(source)?, Instant::read(source)?, u64::read(source)?);
        let offered = Image::read(source)?;
        let progress = Instant::read(source)?;
        let pending = Image::read(source)?;
        let agenda = Agenda::from_sorted(Image::read(source)?);
        let left: JobMap<Duration> = Image::read(source)?;
        let control = Control::read_image(federation, source)?;
        let known = control.state().jobs().all(|job| left.get(job.id).is_some());
        if !known || !agenda.fits(control.federation()) || !source.is_empty() {
            return Err(source.bad_tag(0).into());
        }
        let twin = Self::around(control, agenda, left, seed, end);
        Ok(Self { progress, pending, taken, offered, ..twin })
    }
}

/// Whether there is something else to say: another reason, not the same one with other figures.
fn is_news(last: &Explanation, next: &Explanation) -> bool {
    match (last, next) {
        (Explanation::Waiting { because: before, .. }, Explanation::Waiting { because, .. }) => {
            std::mem::discriminant(before) != std::mem::discriminant(because)
        }
        _ => last != next,
    }
}

/// Everything that is known to come from the beginning.
fn plan_ahead(federation: &Federation, seed: u64, start: Instant, agenda: &mut Agenda) {
    for (index, site) in federation.sites.iter().enumerate() {
        let id = SiteId::at(index);
        site.phases.iter().for_each(|phase| agenda.add(phase.opens.max(start), Coming::Phase { site: id }));
        if let Some(windows) = site.maintenance {
            let (begin, _) = windows.window_at(start);
            agenda.add(begin.max(start), Coming::MaintenanceBegins { site: id });
        }
        limits_ahead(site, id, start, None, agenda);
    }
    for pool in (0..federation.pools.len()).map(PoolId::at) {
        if let Some(first) = breakdown(federation, seed, pool, 0) {
            agenda.add(start + first.gap, Coming::Failure { pool, count: 0 });
        }
    }
    agenda.add(start + federation.policy.half_life, Coming::HalfLife);
    agenda.add(start.next_year(), Coming::NewYear);
    agenda.add(start.next_hour(), Coming::Hour);
}

/// The limits of a site that are not over yet; where what fell until some instant is known, only those behind it.
pub(crate) fn limits_ahead(
    site: &Site,
    id: SiteId,
    now: Instant,
    known: Option<Instant>,
    agenda: &mut Agenda,
) {
    let ahead = |limit: &GridLimit| limit.until > now && known.is_none_or(|known| limit.from > known);
    for (index, limit) in site.limits.iter().enumerate().filter(|(_, limit)| ahead(limit)) {
        let limit_id = u32::try_from(index).expect("limits fit");
        agenda.add(limit.from.max(now), Coming::LimitFalls { site: id, limit: limit_id });
    }
}

/// When and how a running attempt ends at the pace it goes, with so much work left from its start on; `None` where it stands.
pub(crate) fn end_of(job: &Job, left: Duration, now: Instant) -> Option<(Instant, Coming)> {
    let run = job.run()?;
    let at = now + run.pace.time(run.rest(left.min(job.limit), now))?;
    Some((at, Coming::Finished { job: job.id, attempt: job.attempts, completed: left <= job.limit }))
}
