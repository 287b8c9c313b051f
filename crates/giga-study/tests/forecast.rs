//! What a forecast says against what is known to come, against the twin, and on random small federations.

#[expect(dead_code, reason = "random worlds are control's; not all of their parts are looked at here")]
#[path = "../../giga-control/tests/world/mod.rs"]
mod world;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use giga_control::Control;
use giga_control::record::{HourRecord, JobRecord};
use giga_model::sample::{accelerator, add_site, empty};
use giga_model::{
    Arrival, Ask, Asks, Failures, Federation, GridLimit, JobId, JobRequest, Maintenance, PoolId, ProjectId,
    SiteId,
};
use giga_scheduler::{Input, Job};
use giga_study::{Ended, Forecast, JobForecast, Runtimes, Spread, forecast};
use giga_twin::{Sink, Twin};
use giga_units::{Duration, Fraction, Instant, Power};
use proptest::prelude::*;
use world::World;

const FUTURES: u32 = 8;
const YEAR: Duration = Duration::days(365);

fn hour(hours: i64) -> Instant {
    Instant::unix_milliseconds(0) + Duration::hours(hours)
}

/// One site of eight accelerators.
fn federation() -> Federation {
    let mut federation = empty();
    add_site(&mut federation, "north", &[(accelerator("A", 8, 1), 1)]);
    federation
}

fn request(accelerators: u32, hours: i64, saves: Option<Duration>) -> JobRequest {
    let asks = Asks::one(Ask { accelerator: None, accelerators });
    let limit = Duration::hours(hours);
    JobRequest { project: ProjectId(0), asks, limit, checkpoint: saves, draw: Fraction::ONE, terms: None }
}

/// A control of this federation whose first phase is open.
fn open(federation: Federation) -> Control {
    let start = federation.start;
    let mut control = Control::new(Arc::new(federation), start);
    control.advance(start, &[Input::PhaseOpens { site: SiteId(0) }]);
    control
}

fn submit(accelerators: u32, hours: i64) -> Input {
    Input::Submit { request: request(accelerators, hours, None) }
}

/// Every job takes its whole limit.
fn whole() -> Runtimes {
    let limit = Duration::hours(1);
    Runtimes::of(std::iter::repeat_n(Ended { project: ProjectId(0), ran: limit, limit }, 20))
}

fn of(control: &Control, job: u64) -> JobForecast {
    *forecast(control, &Runtimes::default(), FUTURES, 1, YEAR).job(JobId(job)).expect("the job is live")
}

fn exactly<T>(value: T) -> Option<Spread<T>>
where
    T: Copy,
{
    Some(Spread { low: value, median: value, high: value, seen: FUTURES })
}

fn image(control: &Control) -> Vec<u8> {
    let mut image = Vec::new();
    control.write_image(&mut image);
    image
}

#[test]
fn a_described_limit_comes_back_in_the_futures_too() {
    let mut federation = federation();
    let none = Power::ZERO;
    federation.sites[0].limits = vec![GridLimit { from: hour(1), until: hour(9), power: none }];
    let fall = |power, until| Input::LimitFalls { site: SiteId(0), power, until: hour(until) };
    // The end tells whether it was sent away in between.
    let check = |inputs: &[(i64, Input)], starts: i64| {
        let mut control = open(federation.clone());
        for (at, input) in inputs {
            control.advance(hour(*at), std::slice::from_ref(input));
        }
        control.advance(hour(4), &[submit(8, 3)]);
        let end = of(&control, 0).end.expect("it ends");
        assert!(end.low > hour(starts) && end.high <= hour(starts + 3), "{end:?} after {inputs:?}");
    };
    // One set by hand in its place ends, and leaves what is left of it.
    check(&[(1, fall(none, 9)), (2, fall(none, 6))], 9);
    check(&[(1, fall(none, 9)), (2, fall(none, 12))], 12);
    // Lifted by hand it stays lifted.
    check(&[(1, fall(none, 9)), (2, Input::LimitEnds { site: SiteId(0) })], 4);
}

#[test]
fn a_job_behind_a_running_one_starts_by_its_limit() {
    let mut control = open(federation());
    control.advance(hour(0), &[submit(8, 10), submit(8, 3)]);
    control.advance(hour(4), &[]);
    let (running, waiting) = (of(&control, 0), of(&control, 1));
    assert_eq!(running.start, None, "it runs already");
    let (start, end) = (waiting.start.expect("it starts"), waiting.end.expect("it ends"));
    assert!(start.low > hour(4) && start.high <= hour(10) && start.low < start.high, "{start:?}");
    assert_eq!(running.end, Some(start), "one starts where the other ends");
    assert!(end.low > start.low && end.high <= hour(13), "{end:?}");
    let energy = running.energy.expect("it ends").low.as_joules();
    // Nine kilowatts; four hours are behind it.
    assert!(energy > 9_000 * 4 * 3_600 && energy < 9_000 * 10 * 3_600, "{energy} J");
    let cost = waiting.cost.expect("it ends");
    assert!(cost.low < cost.high, "{cost:?}");
}

#[test]
fn what_only_waits_for_a_job_that_stops_starts_now() {
    let mut control = open(federation());
    control.advance(hour(0), &[submit(8, 10), submit(8, 3)]);
    control.advance(hour(2), &[Input::Cancel { job: JobId(0) }]);
    assert_eq!(of(&control, 0).end, exactly(hour(2)));
    assert_eq!(of(&control, 1).start, exactly(hour(2)));
}

/// A job for all of the site that came at hour 1 starts in every future at this hour.
#[track_caller]
fn check_start(federation: Federation, inputs: &[Input], now: i64, starts: i64) {
    let mut control = open(federation);
    control.advance(hour(1), inputs);
    control.advance(hour(1), &[submit(8, 3)]);
    control.advance(hour(now), &[]);
    assert_eq!(of(&control, 0).start, exactly(hour(starts)));
}

#[test]
fn what_is_known_to_come_comes_in_every_future() {
    let windows = |first: i64| {
        let mut federation = federation();
        let (every, length) = (Duration::days(7), Duration::hours(8));
        federation.sites[0].maintenance = Some(Maintenance { first: hour(first), every, length });
        federation
    };
    let site = SiteId(0);
    // In the middle of a window; just before one in which it can not end; behind the end of one that nobody told of.
    check_start(windows(1), &[Input::MaintenanceBegins { site }], 4, 9);
    check_start(windows(3), &[], 1, 11);
    check_start(windows(1), &[Input::MaintenanceBegins { site }], 12, 12);
    // Nodes that are down, and a phase to come.
    let (pool, until) = (PoolId(0), hour(6));
    check_start(federation(), &[Input::NodeFailed { pool, node: 0, until }], 2, 6);
    check_start(federation(), &[Input::NodeFailed { pool, node: 0, until }], 7, 7);
    let mut later = federation();
    later.sites[0].phases[0].opens = hour(5);
    let mut control = Control::new(Arc::new(later), hour(0));
    control.advance(hour(1), &[submit(8, 3)]);
    assert_eq!(of(&control, 0).start, exactly(hour(5)));
}

#[test]
fn what_lies_beyond_the_horizon_is_not_seen() {
    let mut control = open(federation());
    control.advance(hour(0), &[submit(8, 10), submit(8, 10), submit(8, 10)]);
    let made = forecast(&control, &whole(), FUTURES, 1, Duration::hours(15));
    let job = |job| *made.job(JobId(job)).expect("it is live");
    assert_eq!((job(0).end, job(1).start), (exactly(hour(10)), exactly(hour(10))));
    assert_eq!((job(1).end, job(1).cost, job(2).start), (None, None, None));
    assert!(made.knows(JobId(2)) && !made.knows(JobId(3)));
}

#[test]
fn failures_come_as_they_are_described() {
    let mut federation = federation();
    let failures = Failures { accelerator_mtbf: Duration::hours(80), repair: Duration::hours(1) };
    federation.sites[0].failures = Some(failures);
    let mut control = open(federation);
    control.advance(hour(0), &[Input::Submit { request: request(8, 20, Some(Duration::hours(1))) }]);
    let made = forecast(&control, &whole(), 100, 1, YEAR);
    let job = made.job(JobId(0)).expect("it is live");
    // One failure in ten hours: that a job of twenty sees none has a chance of exp(-2).
    assert!((75..97).contains(&job.interrupted), "{} of 100 futures", job.interrupted);
    let end = job.end.expect("it ends");
    assert!(end.low <= hour(21) && end.high > hour(21), "{end:?}");
}

#[test]
fn the_seed_decides_and_nothing_else_does() {
    let mut control = open(federation());
    control.advance(hour(0), &[submit(8, 10), submit(8, 3), submit(4, 5), submit(2, 7)]);
    let before = image(&control);
    let ends = |seed| {
        let made = forecast(&control, &Runtimes::default(), FUTURES, seed, YEAR);
        (0..4).map(|job| *made.job(JobId(job)).expect("it is live")).collect::<Vec<_>>()
    };
    assert_eq!(ends(1), ends(1));
    assert_ne!(ends(1), ends(2));
    assert_eq!(image(&control), before, "the state it set out from is as it was");
}

/// Keeps the rows of jobs.
#[derive(Default)]
struct Rows(BTreeMap<JobId, JobRecord>);

impl Sink for Rows {
    type Error = Infallible;
    fn job(&mut self, row: &JobRecord) -> Result<(), Infallible> {
        self.0.insert(row.job, *row);
        Ok(())
    }
    fn hour(&mut self, _: &HourRecord) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Work that takes its whole limit, with windows, checkpoints and a second phase: what the twin does from some instant on
/// is what was forecast there.
#[test]
fn with_run_times_that_are_known_the_forecast_is_what_the_twin_does() {
    let mut federation = federation();
    let site = &mut federation.sites[0];
    site.maintenance =
        Some(Maintenance { first: hour(20), every: Duration::days(2), length: Duration::hours(6) });
    let second = giga_model::Phase { opens: hour(30), ..site.phases[0].clone() };
    site.phases.push(second);
    federation.policy.half_life = Duration::hours(13);
    let arrival = |n: i64| {
        let saves = (n % 3 == 0).then_some(Duration::hours(1));
        let request = request(1 + u32::try_from(n * 5 % 8).expect("small"), 1 + n * 7 % 9, saves);
        let runtime = request.limit;
        Ok::<_, Infallible>(Arrival { at: hour(0) + Duration::seconds(n * 600), request, runtime })
    };
    for until in [hour(17), hour(23), hour(40)] {
        let mut twin = Twin::new(Arc::new(federation.clone()), 1, hour(0), Instant::FAR);
        let mut arrivals = (0..100).map(arrival);
        let Ok(()) = twin.run(&mut arrivals, &mut Rows::default(), until);
        let made = forecast(twin.control(), &whole(), FUTURES, 7, YEAR);
        let live: Vec<Job> = twin.control().state().jobs().cloned().collect();
        assert!(live.len() > 20, "{} jobs at {until}", live.len());
        let mut rows = Rows::default();
        let Ok(()) = twin.run(&mut std::iter::empty::<Result<_, Infallible>>(), &mut rows, Instant::FAR);
        for job in live {
            let (told, row) = (made.job(job.id).expect("it is live"), &rows.0[&job.id]);
            if job.attempts == 0 {
                assert_eq!(told.start, exactly(row.started.expect("it starts")), "job {} at {until}", job.id);
            }
            assert_eq!(told.end, exactly(row.ended.expect("it ends")), "job {} at {until}", job.id);
            assert_eq!((told.energy, told.cost), (exactly(row.energy), exactly(row.cost)));
        }
    }
}

fn is_ordered<T: Ord>(spread: &Option<Spread<T>>, futures: u32) -> bool {
    spread
        .as_ref()
        .is_none_or(|it| it.low <= it.median && it.median <= it.high && (1..=futures).contains(&it.seen))
}

/// What holds for every job of a forecast of one future or more.
fn check_laws(control: &Control, made: &Forecast) {
    let now = control.now();
    for job in control.state().jobs() {
        let told = made.job(job.id).expect("a live job has a forecast");
        assert!(is_ordered(&told.start, made.futures) && is_ordered(&told.end, made.futures), "{told:?}");
        assert!(is_ordered(&told.energy, made.futures) && is_ordered(&told.cost, made.futures), "{told:?}");
        assert!(told.start.is_none() || job.run().is_none(), "what runs does not start");
        assert!(told.start.is_none_or(|start| start.low >= now));
        let Some(end) = told.end else { continue };
        // What stands in a line of its site begins at once.
        let begun = |run: &giga_scheduler::Run| if run.queued { now } else { run.started };
        let start = job.run().map_or_else(|| told.start.expect("what ends has started").high, begun);
        // A gang that runs smaller than it could takes longer.
        let asks = control.state().asks(job);
        let times = asks.least().map_or(1, |least| asks.first().accelerators.div_ceil(least));
        let most = Duration::milliseconds(job.limit.as_milliseconds() * i64::from(times));
        let latest = (start + most).max(now);
        // What the grid or a hot hour slows ends later.
        let was = job.run().is_some_and(|run| run.since() != run.started);
        let hot = control.federation().sites[job.site.index()].overheads.is_some();
        let slowed = was || hot || control.state().limit(job.site).is_some();
        assert!(end.high <= latest || slowed || told.interrupted > 0 || made.futures > 1, "{job:?} {told:?}");
        assert!(end.low >= now);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(200), ..ProptestConfig::default() })]

    #[test]
    fn forecasts_hold_on_random_worlds(
        federation in world::federation(),
        history in world::history(),
        known in any::<bool>(),
        fails in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut federation = federation;
        if fails {
            let failures = Failures { accelerator_mtbf: Duration::hours(30), repair: Duration::hours(2) };
            federation.sites[0].failures = Some(failures);
        }
        let mut world = World::new(Arc::new(federation));
        for (wait, steps) in &history {
            world.wait(Duration::milliseconds(*wait));
            world.step(steps);
        }
        let runtimes = if known { whole() } else { Runtimes::default() };
        let before = image(&world.control);
        for futures in [1, 3] {
            let made = forecast(&world.control, &runtimes, futures, seed, Duration::days(30));
            check_laws(&world.control, &made);
        }
        prop_assert_eq!(image(&world.control), before);
    }
}
