//! What may become of the work that is known: the state goes on in the twin, in several futures, and nothing more comes.
//!
//! The futures differ in how long jobs take, as [`Runtimes`] knows, and in what breaks, where the description says how
//! often. What was known ahead (phases, windows) happens as known. Same state, history and seed: the same forecast.

use std::convert::Infallible;

use giga_control::Control;
use giga_control::record::{HourRecord, JobRecord, Outcome};
use giga_model::{JobId, JobMap};
use giga_scheduler::Job;
use giga_twin::{Chance, Purpose, Sink, Twin};
use giga_units::{Duration, Energy, Instant, Money};

use crate::runtimes::Runtimes;
use crate::spread::Spread;

/// What several futures say of every job that is live.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// The instant from which the futures set out.
    pub made_at: Instant,
    /// How many futures there were.
    pub futures: u32,
    /// How far each of them was followed at most.
    pub most: Duration,
    jobs: JobMap<JobForecast>,
    next_job: JobId,
}

/// What several futures say of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobForecast {
    /// When it starts next; `None` where it runs, or no future saw it start.
    pub start: Option<Spread<Instant>>,
    /// When it ends for good; `None` where no future saw it. A future in which a job that it comes after fails it sees none.
    pub end: Option<Spread<Instant>>,
    /// What it uses in all, what it used so far included, over the futures that saw its end.
    pub energy: Option<Spread<Energy>>,
    /// What it costs in all, likewise.
    pub cost: Option<Spread<Money>>,
    /// In how many futures it was interrupted at least once from here on.
    pub interrupted: u32,
}

impl Forecast {
    /// What is said of a job; `None` where it was not live.
    #[must_use]
    pub fn job(&self, job: JobId) -> Option<&JobForecast> {
        self.jobs.get(job)
    }

    /// Whether a job had come by the instant from which the futures set out.
    #[must_use]
    pub fn knows(&self, job: JobId) -> bool {
        job < self.next_job
    }
}

/// What one future saw of a job.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    start: Option<Instant>,
    /// Its end, with what it had used and cost by then.
    end: Option<(Instant, Energy, Money)>,
    attempts: u32,
}

/// Lets the state of `control` go on in so many futures, each for `most` at most. The control stays as it is.
#[must_use]
pub fn forecast(control: &Control, runtimes: &Runtimes, futures: u32, seed: u64, most: Duration) -> Forecast {
    let now = control.now();
    let left = |job: &Job, seed: u64| {
        let elapsed = job.run().map_or(Duration::ZERO, |run| run.progress(now));
        let mut chance = Chance::of(seed, Purpose::RunTime, job.id.0, 0);
        runtimes.draw(&mut chance, job.project, job.limit, elapsed)
    };
    forecast_with(control, &left, futures, seed, most)
}

/// The same where `left` says how much work a job has in the future of a seed: of one that runs, from the start of its attempt.
pub(crate) fn forecast_with(
    control: &Control,
    left: &impl Fn(&Job, u64) -> Duration,
    futures: u32,
    seed: u64,
    most: Duration,
) -> Forecast {
    let live: Vec<&Job> = control.state().jobs().collect();
    let mut seen = vec![Seen::default(); live.len() * futures as usize];
    for future in 0..futures {
        let seed = Chance::of(seed, Purpose::Future, 0, future.into()).below(u64::MAX);
        let mut column =
            Column { live: &live, seen: &mut seen, future: future as usize, of: futures as usize };
        live_on(control, left, seed, most, &mut column);
    }
    let mut jobs = JobMap::default();
    for (place, job) in live.iter().enumerate() {
        let of = futures as usize;
        jobs.insert(job.id, summarise(job, &seen[place * of..(place + 1) * of]));
    }
    Forecast { made_at: control.now(), futures, most, jobs, next_job: control.state().next_job() }
}

/// One future.
fn live_on(
    control: &Control,
    left: &impl Fn(&Job, u64) -> Duration,
    seed: u64,
    most: Duration,
    column: &mut Column<'_>,
) {
    let now = control.now();
    let work = |job: &Job| left(job, seed);
    let mut twin = Twin::from_control(control.clone(), work, seed, Instant::FAR);
    twin.note_starts();
    let Ok(()) = twin.run(&mut std::iter::empty::<Result<_, Infallible>>(), column, now + most);
    column.starts(&twin);
}

/// Takes the rows of one future.
struct Column<'a> {
    live: &'a [&'a Job],
    /// By job, the futures of each beside each other.
    seen: &'a mut [Seen],
    future: usize,
    of: usize,
}

impl Column<'_> {
    fn starts(&mut self, twin: &Twin) {
        for (place, job) in self.live.iter().enumerate() {
            let seen = &mut self.seen[place * self.of + self.future];
            seen.start = twin.first_start(job.id);
            let still = twin.control().state().job(job.id);
            seen.attempts = still.map_or(seen.attempts, |job| job.attempts);
        }
    }
}

impl Sink for Column<'_> {
    type Error = Infallible;

    fn job(&mut self, row: &JobRecord) -> Result<(), Infallible> {
        let place = self.live.binary_search_by_key(&row.job, |job| job.id).expect("nothing more comes");
        let seen = &mut self.seen[place * self.of + self.future];
        seen.attempts = row.attempts;
        let over = !matches!(row.outcome, Outcome::Running | Outcome::Waiting);
        // In this future a job that it comes after failed it: there is no end to tell of.
        let forsaken = row.outcome == Outcome::Cancelled && row.attempts == 0;
        seen.end = row.ended.filter(|_| over && !forsaken).map(|ended| (ended, row.energy, row.cost));
        Ok(())
    }

    fn hour(&mut self, _: &HourRecord) -> Result<(), Infallible> {
        Ok(())
    }
}

fn summarise(job: &Job, seen: &[Seen]) -> JobForecast {
    let waits = job.run().is_none();
    let ends = || seen.iter().filter_map(|seen| seen.end);
    let mut starts: Vec<Instant> = seen.iter().filter_map(|seen| seen.start).filter(|_| waits).collect();
    let mut times: Vec<Instant> = ends().map(|(at, ..)| at).collect();
    let mut energies: Vec<Energy> = ends().map(|(_, energy, _)| energy).collect();
    let mut costs: Vec<Money> = ends().map(|(.., cost)| cost).collect();
    let undisturbed = job.attempts + u32::from(waits);
    let interrupted = seen.iter().filter(|seen| seen.attempts > undisturbed).count();
    JobForecast {
        start: Spread::of(&mut starts),
        end: Spread::of(&mut times),
        energy: Spread::of(&mut energies),
        cost: Spread::of(&mut costs),
        interrupted: u32::try_from(interrupted).expect("futures are counted in 32 bits"),
    }
}
