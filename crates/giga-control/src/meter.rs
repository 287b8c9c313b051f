//! Meters what the events lead to: accelerator time by what became of it, energy, carbon and money.
//!
//! Between two events nothing changes, so every sum is exact. The meter looks at events and decides nothing.

use giga_model::image::{Image, ImageError, Source};
use giga_model::{Federation, JobId, JobMap, JobRequest, OwnerId, PoolId, SiteId, image};
use giga_scheduler::{Ending, Event, Interruption, Job, Lack, Pace, Rule, Scheduler, State};
use giga_units::{AcceleratorTime, Carbon, Duration, Energy, EnergyMeter, Instant, Money, Power};

use crate::bill::{Used, job_draw, lost_speed, per_hour};
use crate::grid::CUT_WITHIN;
use crate::lending::Lending;
use crate::ramp::{RampMeter, Ramps};
use crate::record::{HourRecord, JobRecord, Outcome};
use crate::summary::Totals;

mod begin;
mod hour;

use hour::Hour;

/// One hour of the tables.
pub(crate) const HOUR: Duration = Duration::hours(1);

/// What is true at a site until the next event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Gauges {
    since: Instant,
    installed: u64,
    down: u64,
    /// Accelerators held by jobs, and of these, those that were asked for.
    held: u64,
    asked: u64,
    /// Accelerators that waiting jobs ask for.
    wanted: u64,
    /// What the first in the line lacks.
    lack: Lack,
    closed: bool,
    idle_power: Power,
    /// What running jobs draw above idle.
    drawn: Power,
    /// Accelerators times the part of their speed that is lost for want of power, in millionths.
    slowed: u64,
    /// Capital of what is open, per hour.
    capital: Money,
}
image! { struct Gauges { since, installed, down, held, asked, wanted, lack, closed, idle_power, drawn, slowed, capital } }

impl Gauges {
    /// What all nodes draw, idle or not.
    fn nodes_power(&self) -> Power {
        self.idle_power + self.drawn
    }
}

/// What is known about a live job beyond what the scheduler knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobBook {
    /// Accelerators of its first way, and of the way it last took.
    asked: u32,
    taken: Option<u32>,
    held: u32,
    pool: Option<PoolId>,
    started: Option<Instant>,
    useful: AcceleratorTime,
    lost: AcceleratorTime,
    energy: EnergyMeter,
    carbon: Carbon,
    /// Electricity and carbon.
    power_cost: Money,
    capital: i128,
}
image! { struct JobBook { asked, taken, held, pool, started, useful, lost, energy, carbon, power_cost, capital } }

/// Meters every site, job and owner.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    gauges: Vec<Gauges>,
    hours: Vec<Hour>,
    ramps: Vec<RampMeter>,
    pub(crate) jobs: JobMap<JobBook>,
    lending: Lending,
    pub(crate) totals: Totals,
    pub(crate) hour: Instant,
    /// Sites where something changed since the last look.
    touched: Vec<SiteId>,
    /// Rows that the host has not taken yet.
    pub(crate) finished: Vec<JobRecord>,
    pub(crate) closed_hours: Vec<HourRecord>,
}

impl Meter {
    pub(crate) fn new(federation: &Federation, start: Instant) -> Self {
        let gauges = Gauges { since: start, ..Gauges::default() };
        Self {
            gauges: vec![gauges; federation.sites.len()],
            hours: vec![Hour::default(); federation.sites.len()],
            ramps: vec![RampMeter::default(); federation.sites.len()],
            jobs: JobMap::default(),
            lending: Lending::new(federation, start),
            totals: Totals::new(federation, start),
            hour: start,
            touched: Vec::new(),
            finished: Vec::new(),
            closed_hours: Vec::new(),
        }
    }

    /// Notes an event, with the state just before it.
    pub(crate) fn note(&mut self, federation: &Federation, before: &State, now: Instant, event: &Event) {
        match event {
            Event::Submitted { job, site, request } => {
                let asked = request.asks.first().accelerators;
                self.come(*job, asked);
                let wanted = before.live_among(request.after()).map_or(u64::from(asked), |_| 0);
                self.touch(federation, *site, now).wanted += wanted;
                self.totals.submitted += 1;
            }
            Event::Refused { job, request, rule } => self.refuse(federation, *job, request, *rule, now),
            Event::Started { job, need, .. } => self.started(federation, before, *job, need, now),
            Event::Begun { job, at, .. } => self.begun(federation, before, *job, (*at, now)),
            Event::Ended { job, ending, at } => {
                let job = before.job(*job).expect("an ended job is live");
                self.end(federation, job, *ending, *at, now);
            }
            Event::Interrupted { job, cause, saved } => {
                let job = before.job(*job).expect("an interrupted job is live");
                self.interrupt(federation, job, *cause, *saved, now);
            }
            Event::NodeDown { pool, .. } | Event::NodeUp { pool, .. } => {
                let per_node = u64::from(federation.accelerator_of(*pool).per_node);
                let site = federation.pools[pool.index()].site;
                let gauges = self.touch(federation, site, now);
                match event {
                    Event::NodeDown { .. } => gauges.down += per_node,
                    _ => gauges.down -= per_node,
                }
            }
            Event::PhaseOpened { site, phase } => self.open(federation, *site, phase.index(), now),
            Event::Closed { site, .. } => self.touch(federation, *site, now).closed = true,
            Event::Opened { site } => self.touch(federation, *site, now).closed = false,
            Event::Paced { job, pace, .. } => {
                let job = before.job(*job).expect("a job that is paced is live");
                self.pace(federation, job, *pace, now);
            }
            Event::Limited { site, power, .. } => self.limited(federation, *site, *power, now),
            Event::Short { missing, .. } => self.totals.grid.short(*missing),
            Event::Leaving { cause, .. } => {
                self.totals.recalls += u64::from(*cause == Interruption::Recalled);
            }
            Event::Deferred { job, .. } => self.want(federation, before, *job, now, |all, this| all - this),
            Event::Due { job } => self.want(federation, before, *job, now, |all, this| all + this),
            Event::Rebound { job, site, .. } => {
                self.want(federation, before, *job, now, |wanted, asked| wanted - asked);
                let asked = self.jobs.get(*job).map_or(0, |book| u64::from(book.asked));
                self.touch(federation, *site, now).wanted += asked;
                self.totals.rebound += 1;
            }
            Event::Unlimited { site } => _ = self.touch(federation, *site, now),
            Event::Claimed { .. }
            | Event::Unclaimed { .. }
            | Event::Following { .. }
            | Event::Drained { .. }
            | Event::Undrained { .. }
            | Event::Silenced { .. }
            | Event::Housed { .. }
            | Event::Heard { .. }
            | Event::Kept { .. }
            | Event::Stopping { .. }
            | Event::UseHalved
            | Event::YearTurned
            | Event::Settled => {}
        }
    }

    /// Notes why the first waiting job of each site waits, once everything that can start has started.
    pub(crate) fn look(&mut self, federation: &Federation, scheduler: &Scheduler, now: Instant) {
        let mut touched = std::mem::take(&mut self.touched);
        for site in touched.drain(..) {
            self.lending.look(scheduler.state(), site, now);
            let lack = scheduler.first_lacks(site, now);
            if lack != self.gauges[site.index()].lack {
                self.touch(federation, site, now).lack = lack;
            }
        }
        touched.clear();
        self.touched = touched;
    }

    /// Sums a site up to now, before something there changes.
    fn touch(&mut self, federation: &Federation, site: SiteId, now: Instant) -> &mut Gauges {
        if self.touched.last() != Some(&site) {
            self.touched.push(site);
        }
        self.sum_up(federation, site, now)
    }

    fn sum_up(&mut self, federation: &Federation, site: SiteId, now: Instant) -> &mut Gauges {
        let (gauges, hour) = (&mut self.gauges[site.index()], &mut self.hours[site.index()]);
        // Hours are closed as they end, so that this is inside of one.
        let about = &federation.sites[site.index()];
        let (power, span) = (about.overhead_at(gauges.since).of(gauges.nodes_power()), (gauges.since, now));
        if now > gauges.since {
            hour.add(gauges, power, now.since(gauges.since));
            self.ramps[site.index()].held(power, span, about.ramp_most);
            gauges.since = now;
        }
        gauges
    }

    /// Ends the hours that are over by `now`.
    pub(crate) fn roll(&mut self, federation: &Federation, state: &State, now: Instant) {
        while self.hour + HOUR <= now {
            self.close_hour(federation, state, self.hour + HOUR);
        }
    }

    /// Ends the running hour of every site at `end`.
    pub(crate) fn close_hour(&mut self, federation: &Federation, state: &State, end: Instant) {
        for site in (0..self.gauges.len()).map(SiteId::at) {
            self.sum_up(federation, site, end);
            self.lending.close_hour(site, end);
            let hour = std::mem::take(&mut self.hours[site.index()]);
            let record = hour.record(federation, site, self.hour, state);
            self.totals.add_hour(&record);
            self.closed_hours.push(record);
        }
        self.hour = end;
    }

    fn come(&mut self, job: JobId, asked: u32) {
        let (useful, lost) = (AcceleratorTime::ZERO, AcceleratorTime::ZERO);
        let energy = EnergyMeter::default();
        self.jobs.insert(
            job,
            JobBook {
                asked,
                taken: None,
                held: 0,
                pool: None,
                started: None,
                useful,
                lost,
                energy,
                carbon: Carbon::ZERO,
                power_cost: Money::ZERO,
                capital: 0,
            },
        );
    }

    fn refuse(
        &mut self,
        federation: &Federation,
        job: JobId,
        request: &JobRequest,
        rule: Rule,
        now: Instant,
    ) {
        self.totals.submitted += 1;
        self.totals.refuse(rule.into());
        let Some(project) = federation.projects.get(request.project.index()) else { return };
        self.finished.push(JobRecord {
            job,
            project: request.project,
            programme: project.programme,
            owner: project.owner,
            site: None,
            pool: None,
            accelerators: request.asks.first().accelerators,
            held: 0,
            submitted: now,
            started: None,
            ended: Some(now),
            attempts: 0,
            waited: Duration::ZERO,
            outcome: Outcome::Refused,
            refusal: Some(rule.into()),
            useful: AcceleratorTime::ZERO,
            lost: AcceleratorTime::ZERO,
            energy: Energy::ZERO,
            cost: Money::ZERO,
            carbon: Carbon::ZERO,
        });
    }

    /// Notes that a job came into the line of a site, or left it without a start.
    fn want(
        &mut self,
        federation: &Federation,
        before: &State,
        job: JobId,
        now: Instant,
        change: impl Fn(u64, u64) -> u64,
    ) {
        let site = before.job(job).expect("a waiting job is live").site;
        let asked = self.jobs.get(job).map_or(0, |book| u64::from(book.asked));
        let gauges = self.touch(federation, site, now);
        gauges.wanted = change(gauges.wanted, asked);
    }

    /// A running job goes at another pace from here on.
    fn pace(&mut self, federation: &Federation, job: &Job, pace: Pace, now: Instant) {
        let run = job.run().expect("only a running job is paced");
        self.totals.grid.pace(pace);
        if run.queued {
            return;
        }
        self.charge(federation, job, now);
        let asked = u64::from(run.need.asked);
        let gauges = self.touch(federation, job.site, now);
        gauges.drawn = gauges.drawn - job_draw(job, &run.need, run.pace) + job_draw(job, &run.need, pace);
        gauges.slowed = gauges.slowed - asked * lost_speed(run.pace) + asked * lost_speed(pace);
    }

    /// Adds what a running job used since its pace last changed.
    fn charge(&mut self, federation: &Federation, job: &Job, until: Instant) {
        let run = job.run().expect("only a running job is charged");
        let since = run.since();
        let used = Used::of(federation, &run.need, job_draw(job, &run.need, run.pace), (since, until));
        let book = self.jobs.get_mut(job.id).expect("a live job has a book");
        book.energy += used.energy;
        book.carbon += used.carbon;
        book.power_cost += used.power_cost;
        book.capital += used.capital;
    }

    /// What was drawn when the limit fell is above it until the orders are carried out.
    fn limited(&mut self, federation: &Federation, site: SiteId, power: Power, now: Instant) {
        let gauges = self.touch(federation, site, now);
        let drawn = federation.sites[site.index()].overhead_at(now).of(gauges.idle_power + gauges.drawn);
        self.totals.grid.limited(drawn.saturating_sub(power).over(CUT_WITHIN).energy());
    }

    /// Takes a running attempt that ended at `at` off the gauges; its length, and what it was asked and held.
    fn stop(&mut self, federation: &Federation, job: &Job, at: Instant, now: Instant) -> Attempt {
        let run = job.run().expect("only a running job stops");
        let book = self.jobs.get_mut(job.id).expect("a live job has a book");
        let asked = u64::from(run.need.asked);
        let held = u64::from(run.need.held());
        if run.queued {
            // It never began, and nothing was counted yet.
            self.touch(federation, job.site, now);
            let nothing = Duration::ZERO;
            return Attempt { asked, held, elapsed: nothing, worked: nothing, unnoticed: nothing };
        }
        let (elapsed, unnoticed) = (at.since(run.started), now.since(at));
        let worked = run.worked(at);
        book.held = run.need.held();
        self.charge(federation, job, at);
        self.lending.hold(job, now, |before| before - held);
        self.totals.reads.end(job, AcceleratorTime::of(held, elapsed));
        self.totals.grid.lost(job.programme, AcceleratorTime::of(asked, elapsed.saturating_sub(worked)));
        let gauges = self.touch(federation, job.site, now);
        gauges.held -= held;
        gauges.asked -= asked;
        gauges.drawn -= job_draw(job, &run.need, run.pace);
        gauges.slowed -= asked * lost_speed(run.pace);
        Attempt { asked, held, elapsed, worked, unnoticed }
    }

    /// Takes a running attempt off the gauges, all of whose work counts.
    fn stop_useful(&mut self, federation: &Federation, job: &Job, at: Instant, now: Instant) {
        let attempt = self.stop(federation, job, at, now);
        let useful = AcceleratorTime::of(attempt.asked, attempt.worked);
        let book = self.jobs.get_mut(job.id).expect("a live job has a book");
        book.useful += useful;
        book.lost += AcceleratorTime::of(attempt.held, attempt.elapsed) - useful;
        // Its nodes stood idle until somebody noticed.
        let time = &mut self.hours[job.site.index()].time;
        let idle = AcceleratorTime::of(attempt.asked, attempt.unnoticed);
        time.delivered -= idle;
        time.failure += idle;
        self.totals.used(&federation.projects[job.project.index()], useful);
    }

    fn interrupt(
        &mut self,
        federation: &Federation,
        job: &Job,
        cause: Interruption,
        saved: Duration,
        now: Instant,
    ) {
        // Nobody knows when a lost attempt died, but it was not beyond its limit.
        let latest = job.run().map_or(now, |run| run.started + run.need.time(job.limit));
        let at = if cause == Interruption::Lost { now.min(latest) } else { now };
        let attempt = self.stop(federation, job, at, now);
        let book = self.jobs.get_mut(job.id).expect("a live job has a book");
        let saved = job.run().map_or(Duration::ZERO, |run| run.need.time(saved));
        let undone = (attempt.worked + attempt.unnoticed).saturating_sub(saved);
        let undone = AcceleratorTime::of(attempt.asked, undone);
        let useful = AcceleratorTime::of(attempt.asked, saved);
        book.useful += useful;
        book.lost += AcceleratorTime::of(attempt.held, attempt.elapsed) - useful;
        let wanted = u64::from(book.asked);
        let time = &mut self.hours[job.site.index()].time;
        time.delivered -= undone;
        match cause {
            Interruption::Failure | Interruption::Lost => time.failure += undone,
            Interruption::Maintenance => time.maintenance += undone,
            Interruption::Recalled => {
                time.recall += undone;
                self.totals.recall_lost += undone;
            }
            Interruption::Grown => time.recall += undone,
            Interruption::Grid => {
                time.power += undone;
                self.totals.grid.preempted += 1;
                self.totals.grid.lost(job.programme, undone);
            }
        }
        self.gauges[job.site.index()].wanted += wanted;
        self.totals.interruptions += 1;
        self.totals.used(&federation.projects[job.project.index()], useful);
    }

    fn end(&mut self, federation: &Federation, job: &Job, ending: Ending, at: Instant, now: Instant) {
        if job.run().is_some() {
            self.stop_useful(federation, job, at, now);
        } else if !job.is_kept_back() {
            let wanted = u64::from(self.jobs.get(job.id).map_or(0, |book| book.asked));
            self.touch(federation, job.site, now).wanted -= wanted;
        }
        let outcome = match ending {
            Ending::Completed => Outcome::Completed,
            Ending::TimedOut => Outcome::TimedOut,
            Ending::Cancelled => Outcome::Cancelled,
            Ending::Failed => Outcome::Failed,
        };
        self.totals.end(outcome);
        let book = self.jobs.remove(job.id).expect("a live job has a book");
        let record = book.record(federation, job, outcome, Some(at));
        self.totals.bill(&record);
        self.finished.push(record);
    }

    fn open(&mut self, federation: &Federation, site: SiteId, phase: usize, now: Instant) {
        let about = &federation.sites[site.index()];
        let gauges = self.touch(federation, site, now);
        for &(pool, nodes) in &about.phases[phase].nodes {
            let kind = federation.accelerator_of(pool);
            let accelerators = u64::from(nodes) * u64::from(kind.per_node);
            gauges.installed += accelerators;
            gauges.idle_power += kind.node_idle.times(u64::from(nodes));
            gauges.capital += kind.cost_per_hour.times(accelerators);
        }
        let power = i128::from(about.phases[phase].power.as_milliwatts());
        let facility = about.facility_cost_per_megawatt_hour.as_microeuro() * power / 1_000_000_000;
        gauges.capital += Money::microeuro(facility);
    }

    /// The rows of the jobs that are still live when a run ends; the meter is used up by it.
    pub(crate) fn leftovers(&mut self, federation: &Federation, state: &State, now: Instant) {
        for job in state.jobs() {
            let runs = job.run().is_some_and(|run| !run.queued);
            let outcome = if runs { Outcome::Running } else { Outcome::Waiting };
            if job.run().is_some() {
                self.stop_useful(federation, job, now, now);
            }
            self.totals.end(outcome);
            let book = self.jobs.get(job.id).expect("a live job has a book");
            self.finished.push(book.record(federation, job, outcome, None));
        }
    }

    /// How fast the power of each site changed.
    pub(crate) fn ramps(&self) -> Vec<Ramps> {
        self.ramps.iter().map(RampMeter::ramps).collect()
    }

    /// What owners lent and borrowed.
    pub(crate) fn lending(&self) -> &Lending {
        &self.lending
    }

    /// Appends all of it but the rows that wait for the host.
    pub(crate) fn write_image(&self, out: &mut Vec<u8>) {
        self.gauges.write(out);
        self.hours.write(out);
        self.ramps.write(out);
        self.jobs.write(out);
        self.lending.write(out);
        self.totals.write(out);
        self.hour.write(out);
    }

    pub(crate) fn read_image(source: &mut Source<'_>) -> Result<Self, ImageError> {
        Ok(Self {
            gauges: Image::read(source)?,
            hours: Image::read(source)?,
            ramps: Image::read(source)?,
            jobs: Image::read(source)?,
            lending: Image::read(source)?,
            totals: Image::read(source)?,
            hour: Image::read(source)?,
            touched: Vec::new(),
            finished: Vec::new(),
            closed_hours: Vec::new(),
        })
    }

    /// Whether it is a meter of this federation in this state: every live job has its book.
    pub(crate) fn fits(&self, federation: &Federation, state: &State) -> bool {
        self.gauges.len() == federation.sites.len()
            && self.hours.len() == federation.sites.len()
            && self.ramps.len() == federation.sites.len()
            && self.totals.fits(federation)
            && self.lending.fits(federation)
            && self.jobs.len() == state.live()
            && state.jobs().all(|job| self.jobs.get(job.id).is_some())
    }
}

/// An attempt that stopped.
struct Attempt {
    asked: u64,
    held: u64,
    elapsed: Duration,
    /// Its work, as long as it would have taken at full pace.
    worked: Duration,
    /// How long nobody noticed that it was over.
    unnoticed: Duration,
}

impl JobBook {
    fn record(
        &self,
        federation: &Federation,
        job: &Job,
        outcome: Outcome,
        ended: Option<Instant>,
    ) -> JobRecord {
        let project = &federation.projects[job.project.index()];
        let owner: OwnerId = project.owner;
        let waited = self.started.or(ended).map_or(Duration::ZERO, |then| then.since(job.submitted));
        JobRecord {
            job: job.id,
            project: job.project,
            programme: project.programme,
            owner,
            site: Some(job.site),
            pool: self.pool,
            accelerators: self.taken.unwrap_or(self.asked),
            held: self.held,
            submitted: job.submitted,
            started: self.started,
            ended,
            attempts: job.attempts,
            waited,
            outcome,
            refusal: None,
            useful: self.useful,
            lost: self.lost,
            energy: self.energy.energy(),
            cost: self.power_cost + per_hour(self.capital),
            carbon: self.carbon,
        }
    }
}
