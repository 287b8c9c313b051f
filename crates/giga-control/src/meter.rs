//! Meters what the events lead to: accelerator time by what became of it, energy, carbon and money.
//!
//! Between two events nothing changes, so every sum is exact. The meter looks at events and decides nothing.

use giga_model::image::{Image, ImageError, Source};
use giga_model::{Federation, JobId, JobMap, JobRequest, OwnerId, PoolId, SiteId, image};
use giga_scheduler::{Ending, Event, Interruption, Job, Lack, Need, Rule, Scheduler, State};
use giga_units::{AcceleratorTime, Carbon, Duration, Energy, EnergyMeter, Fraction, Instant, Money, Power};

use crate::record::{HourRecord, JobRecord, Outcome, TimeUse};
use crate::summary::Totals;

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
    /// Capital of what is open, per hour.
    capital: Money,
}
image! { struct Gauges { since, installed, down, held, asked, wanted, lack, closed, idle_power, drawn, capital } }

/// The sums of the running hour at a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Hour {
    time: TimeUse,
    energy: EnergyMeter,
    peak: Power,
    /// µEUR times milliseconds per hour, so that parts of an hour lose nothing.
    capital: i128,
}
image! { struct Hour { time, energy, peak, capital } }

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
    capital: i128,
}
image! { struct JobBook { asked, taken, held, pool, started, useful, lost, energy, capital } }

/// Meters every site, job and owner.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    gauges: Vec<Gauges>,
    hours: Vec<Hour>,
    pub(crate) jobs: JobMap<JobBook>,
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
            jobs: JobMap::default(),
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
                self.come(*job, request.asks.first().accelerators);
                self.touch(federation, *site, now).wanted += u64::from(request.asks.first().accelerators);
                self.totals.submitted += 1;
            }
            Event::Refused { job, request, rule } => self.refuse(federation, *job, request, *rule, now),
            Event::Started { job, need, .. } => {
                let job = before.job(*job).expect("a started job is live");
                self.start(federation, job, need, now);
            }
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
            Event::Kept { .. }
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
        let factor = federation.sites[site.index()].facility_factor;
        if self.touched.last() != Some(&site) {
            self.touched.push(site);
        }
        let (gauges, hour) = (&mut self.gauges[site.index()], &mut self.hours[site.index()]);
        hour.add(gauges, factor, now.since(gauges.since));
        gauges.since = now;
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
            self.touch(federation, site, end);
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

    fn start(&mut self, federation: &Federation, job: &Job, need: &Need, now: Instant) {
        let book = self.jobs.get_mut(job.id).expect("a live job has a book");
        let first = book.started.is_none();
        (book.held, book.taken, book.pool) = (need.held(), Some(need.asked), Some(need.pool));
        book.started = book.started.or(Some(now));
        let asked = u64::from(book.asked);
        if first {
            let programme = federation.projects[job.project.index()].programme;
            self.totals.waits(programme, book.asked).add(now.since(job.submitted));
        }
        let gauges = self.touch(federation, job.site, now);
        gauges.wanted -= asked;
        gauges.held += u64::from(need.held());
        gauges.asked += u64::from(need.asked);
        gauges.drawn += job_draw(job, need);
    }

    /// Takes a running attempt that ended at `at` off the gauges; its length, and what it was asked and held.
    fn stop(&mut self, federation: &Federation, job: &Job, at: Instant, now: Instant) -> Attempt {
        let run = job.run().expect("only a running job stops");
        let book = self.jobs.get_mut(job.id).expect("a live job has a book");
        let asked = u64::from(run.need.asked);
        let held = u64::from(run.need.held());
        let (elapsed, unnoticed) = (at.since(run.started), now.since(at));
        let (energy, capital) = use_of(federation, &run.need, job.draw, elapsed);
        book.energy += energy;
        book.capital += capital;
        let gauges = self.touch(federation, job.site, now);
        gauges.held -= held;
        gauges.asked -= asked;
        gauges.drawn -= job_draw(job, &run.need);
        Attempt { asked, held, elapsed, unnoticed }
    }

    /// Takes a running attempt off the gauges, all of whose work counts.
    fn stop_useful(&mut self, federation: &Federation, job: &Job, at: Instant, now: Instant) {
        let attempt = self.stop(federation, job, at, now);
        let useful = AcceleratorTime::of(attempt.asked, attempt.elapsed);
        let book = self.jobs.get_mut(job.id).expect("a live job has a book");
        book.useful += useful;
        book.lost += AcceleratorTime::of(attempt.held, attempt.elapsed) - useful;
        // Its nodes stood idle until somebody noticed.
        let time = &mut self.hours[job.site.index()].time;
        let idle = AcceleratorTime::of(attempt.asked, attempt.unnoticed);
        time.delivered -= idle;
        time.failure += idle;
        self.totals.used(federation.projects[job.project.index()].owner, useful);
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
        let latest = job.run().map_or(now, |run| run.started + job.limit);
        let at = if cause == Interruption::Lost { now.min(latest) } else { now };
        let attempt = self.stop(federation, job, at, now);
        let book = self.jobs.get_mut(job.id).expect("a live job has a book");
        let undone = (attempt.elapsed + attempt.unnoticed).saturating_sub(saved);
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
        }
        self.gauges[job.site.index()].wanted += wanted;
        self.totals.interruptions += 1;
        self.totals.used(federation.projects[job.project.index()].owner, useful);
    }

    fn end(&mut self, federation: &Federation, job: &Job, ending: Ending, at: Instant, now: Instant) {
        if job.run().is_some() {
            self.stop_useful(federation, job, at, now);
        } else {
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
        self.finished.push(book.record(federation, job, outcome, Some(at)));
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
            let outcome = if job.run().is_some() { Outcome::Running } else { Outcome::Waiting };
            if job.run().is_some() {
                self.stop_useful(federation, job, now, now);
            }
            self.totals.end(outcome);
            let book = self.jobs.get(job.id).expect("a live job has a book");
            self.finished.push(book.record(federation, job, outcome, None));
        }
    }

    /// Appends all of it but the rows that wait for the host.
    pub(crate) fn write_image(&self, out: &mut Vec<u8>) {
        self.gauges.write(out);
        self.hours.write(out);
        self.jobs.write(out);
        self.totals.write(out);
        self.hour.write(out);
    }

    pub(crate) fn read_image(source: &mut Source<'_>) -> Result<Self, ImageError> {
        Ok(Self {
            gauges: Image::read(source)?,
            hours: Image::read(source)?,
            jobs: Image::read(source)?,
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
            && self.totals.fits(federation)
            && self.jobs.len() == state.live()
            && state.jobs().all(|job| self.jobs.get(job.id).is_some())
    }
}

/// An attempt that stopped.
struct Attempt {
    asked: u64,
    held: u64,
    elapsed: Duration,
    /// How long nobody noticed that it was over.
    unnoticed: Duration,
}

/// What a job draws above idle.
fn job_draw(job: &Job, need: &Need) -> Power {
    draw_of(job.draw, need)
}

fn draw_of(draw: Fraction, need: &Need) -> Power {
    draw.min(Fraction::ONE).of(need.power)
}

/// What an attempt uses in a time: energy at the meter, and capital in µEUR times milliseconds per hour.
fn use_of(federation: &Federation, need: &Need, draw: Fraction, elapsed: Duration) -> (EnergyMeter, i128) {
    let held = u64::from(need.held());
    let kind = federation.accelerator_of(need.pool);
    let site = &federation.sites[federation.pools[need.pool.index()].site.index()];
    let idle = kind.node_idle.times(held).split(u64::from(kind.per_node));
    let energy = site.facility_factor.of(idle + draw_of(draw, need)).over(elapsed);
    let rate = kind.cost_per_hour.as_microeuro() * i128::from(held);
    (energy, rate * i128::from(elapsed.as_milliseconds()))
}

/// What a job is charged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bill {
    /// At the meter.
    pub energy: Energy,
    /// From the energy.
    pub carbon: Carbon,
    /// Electricity, carbon and capital.
    pub cost: Money,
}

impl Bill {
    /// What holding accelerators in one of a job's ways for a time comes to.
    #[must_use]
    pub fn of(federation: &Federation, need: &Need, draw: Fraction, elapsed: Duration) -> Self {
        let (energy, capital) = use_of(federation, need, draw, elapsed);
        Self::from_sums(federation, federation.pools[need.pool.index()].site, energy, capital)
    }

    fn from_sums(federation: &Federation, site: SiteId, energy: EnergyMeter, capital: i128) -> Self {
        let about = &federation.sites[site.index()];
        let energy = energy.energy();
        let carbon = energy.emission(about.carbon_intensity);
        let power = energy.cost(about.electricity_price) + federation.carbon_price.cost(carbon);
        Self { energy, carbon, cost: power + per_hour(capital) }
    }
}

impl Hour {
    fn add(&mut self, gauges: &Gauges, factor: Fraction, duration: Duration) {
        if duration == Duration::ZERO {
            return;
        }
        let over = |accelerators: u64| AcceleratorTime::of(accelerators, duration);
        let idle = gauges.installed - gauges.down - gauges.held;
        let blocked = if gauges.closed { 0 } else { idle.min(gauges.wanted) };
        let blocked_by = |lack| if gauges.lack == lack { blocked } else { 0 };
        let (out, free) = if gauges.closed { (idle, 0) } else { (0, idle - blocked) };
        let excess = gauges.held - gauges.asked;
        self.time += TimeUse {
            installed: over(gauges.installed),
            delivered: over(gauges.asked),
            no_work: over(free),
            fragmentation: over(blocked_by(Lack::Room) + excess),
            power: over(blocked_by(Lack::Power)),
            failure: over(gauges.down),
            maintenance: over(out + blocked_by(Lack::Time)),
        };
        let power = factor.of(gauges.idle_power + gauges.drawn);
        self.energy += power.over(duration);
        self.peak = self.peak.max(power);
        self.capital += gauges.capital.as_microeuro() * i128::from(duration.as_milliseconds());
    }

    fn record(&self, federation: &Federation, site: SiteId, hour: Instant, state: &State) -> HourRecord {
        let bill = Bill::from_sums(federation, site, self.energy, self.capital);
        HourRecord {
            hour,
            site,
            time: self.time,
            energy: bill.energy,
            peak: self.peak,
            cost: bill.cost,
            carbon: bill.carbon,
            running: state.running(site),
            waiting: state.waiting(site),
        }
    }
}

/// µEUR-milliseconds per hour as money.
fn per_hour(capital: i128) -> Money {
    let hour = i128::from(HOUR.as_milliseconds());
    Money::microeuro(capital / hour)
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
        let bill = Bill::from_sums(federation, job.site, self.energy, self.capital);
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
            energy: bill.energy,
            cost: bill.cost,
            carbon: bill.carbon,
        }
    }
}
