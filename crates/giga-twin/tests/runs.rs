//! Whole runs of the twin: failures and checkpoints against what is expected of them, and runs that are broken off.

mod world;

use std::convert::Infallible;
use std::sync::Arc;

use giga_control::Summary;
use giga_control::record::{HourRecord, JobRecord, Outcome};
use giga_model::{Arrival, Ask, Asks, Checkpoint, Failures, Federation, JobClass, JobRequest, Maintenance};
use giga_model::{Length, ProjectId, Size};
use giga_twin::{Generator, Sink, Twin};
use giga_units::{AcceleratorTime, Duration, Fraction, Instant};
use proptest::prelude::*;
use world::{class, federation, percent, share};

/// Keeps all rows.
#[derive(Debug, Default, PartialEq)]
struct Rows {
    jobs: Vec<JobRecord>,
    hours: Vec<HourRecord>,
}

impl Sink for Rows {
    type Error = Infallible;
    fn job(&mut self, row: &JobRecord) -> Result<(), Infallible> {
        self.jobs.push(*row);
        Ok(())
    }
    fn hour(&mut self, row: &HourRecord) -> Result<(), Infallible> {
        self.hours.push(*row);
        Ok(())
    }
}

fn generated(
    federation: &Arc<Federation>,
    seed: u64,
) -> impl Iterator<Item = Result<Arrival, Infallible>> + use<> {
    let generator = Generator::new(Arc::clone(federation), seed, federation.start).expect("there is work");
    generator.map(Ok)
}

/// Runs the generated work for so long, without a break.
fn run(federation: &Arc<Federation>, seed: u64, length: Duration) -> (Summary, Rows) {
    let end = federation.start + length;
    let mut twin = Twin::new(Arc::clone(federation), seed, federation.start, end);
    let mut rows = Rows::default();
    let ended: Result<(), Infallible> = twin.run(&mut generated(federation, seed), &mut rows, Instant::FAR);
    ended.expect("rows are kept");
    let Ok(summary) = twin.finish(&mut rows);
    (summary, rows)
}

fn with_failures(mut federation: Federation, mtbf: Duration, repair: Duration) -> Federation {
    federation.sites[0].failures = Some(Failures { accelerator_mtbf: mtbf, repair });
    federation
}

/// A job on all 64 accelerators that never ends, so that every failure of an open node interrupts it.
fn endless(saves: Option<Duration>) -> Result<Arrival, Infallible> {
    let asks = Asks::one(Ask { accelerator: None, accelerators: 64 });
    let limit = Duration::days(100_000);
    let request = JobRequest {
        project: ProjectId(0),
        asks,
        limit,
        checkpoint: saves,
        draw: Fraction::ONE,
        terms: None,
    };
    Ok(Arrival { at: Instant::unix_milliseconds(0), request, runtime: limit })
}

fn run_endless(mtbf: Duration, saves: Option<Duration>, days: i64) -> Summary {
    let empty = federation(64, Vec::new(), Fraction::ZERO);
    let federation = Arc::new(with_failures(empty, mtbf, Duration::milliseconds(1)));
    let end = federation.start + Duration::days(days);
    let mut twin = Twin::new(Arc::clone(&federation), 3, federation.start, end);
    let mut rows = Rows::default();
    let ended: Result<(), Infallible> =
        twin.run(&mut std::iter::once(endless(saves)), &mut rows, Instant::FAR);
    ended.expect("rows are kept");
    let Ok(summary) = twin.finish(&mut rows);
    assert_eq!(summary.violations, 0);
    summary
}

#[test]
fn failures_come_as_often_as_the_accelerators_fail() {
    // Repairs take a millisecond, so that hardly any failure hits a node that is down.
    let summary = run_endless(Duration::hours(1_000), None, 365);
    let expected = 64.0 * 8_760.0 / 1_000.0;
    let found = summary.interruptions as f64;
    assert!((found - expected).abs() < 4.0 * libm::sqrt(expected), "{found} where {expected} is expected");
}

#[test]
fn nodes_are_down_for_as_long_as_their_repair_takes() {
    let empty = federation(64, vec![class("none", share(0))], Fraction::ZERO);
    let federation = Arc::new(with_failures(empty, Duration::hours(1_000), Duration::hours(5)));
    let (summary, _) = run(&federation, 1, Duration::days(3_650));
    // A node of four fails every 250 h while it works, and is then down for 5 h.
    let expected = 5.0 / 255.0;
    let found = summary.time.failure.as_hours_f64() / summary.time.installed.as_hours_f64();
    let failures = 16.0 * 87_600.0 / 255.0;
    let error = expected * libm::sqrt(2.0 / failures);
    assert!((found - expected).abs() < 4.0 * error, "{found} where {expected} ± {error} is expected");
}

#[test]
fn a_node_that_fails_as_it_is_repaired_is_repaired_again() {
    // A failure every 56 s and repairs of a second: about one failure in 60,000 falls on the millisecond of a repair.
    let empty = federation(64, vec![class("none", share(0))], Fraction::ZERO);
    let federation = Arc::new(with_failures(empty, Duration::hours(1), Duration::seconds(1)));
    let (summary, _) = run(&federation, 1, Duration::days(730));
    let expected = 1.0 / 901.0;
    let found = summary.time.failure.as_hours_f64() / summary.time.installed.as_hours_f64();
    assert!((found - expected).abs() < expected / 20.0, "{found} where {expected} is expected");
}

#[test]
fn a_failure_costs_what_was_done_since_the_last_checkpoint() {
    // One failure in 1,000 h / 64: long against an hour, so that half an interval is lost each time.
    let every = Duration::hours(1);
    let summary = run_endless(Duration::hours(1_000), Some(every), 365);
    let lost = summary.time.failure.as_hours_f64() / 64.0;
    let rate = 64.0 / 1_000.0_f64;
    // Time from the last whole interval of an exponential time: 1/rate - every / (e^(rate · every) - 1).
    let each = 1.0 / rate - 1.0 / (libm::exp(rate) - 1.0);
    let failures = summary.interruptions as f64;
    let (expected, error) = (each * failures, 0.3 * libm::sqrt(failures));
    assert!((lost - expected).abs() < 4.0 * error, "{lost} h where {expected} ± {error} h is expected");
    assert!(summary.time.delivered > AcceleratorTime::ZERO);
    // Without checkpoints all of it is lost, but what runs at the end.
    let none = run_endless(Duration::hours(1_000), None, 365);
    let parts = none.time.delivered.as_hours_f64() / none.time.installed.as_hours_f64();
    assert!((0.0..0.05).contains(&parts), "{parts} of the time counted");
}

#[test]
fn a_job_is_done_when_its_work_is_done_however_often_it_was_interrupted() {
    let jobs = JobClass {
        sizes: vec![Size { accelerators: 8, weight: Fraction::ONE }],
        length: Length::Fixed(Duration::hours(30)),
        checkpoint: Checkpoint::Every(Duration::hours(1)),
        ..class("long", share(100))
    };
    let federation = federation(64, vec![jobs], percent(60));
    let federation = Arc::new(with_failures(federation, Duration::hours(500), Duration::hours(2)));
    let (summary, rows) = run(&federation, 1, Duration::days(200));
    let work = AcceleratorTime::of(8, Duration::hours(30));
    let done = rows.jobs.iter().filter(|row| row.outcome == Outcome::Completed);
    let often = done.clone().filter(|row| row.attempts > 1).count();
    assert!(often > 50, "{often} jobs were interrupted");
    assert!(done.clone().all(|row| row.useful == work), "every completed job did its work once");
    assert_eq!((summary.timed_out, summary.violations), (0, 0));
}

#[test]
fn an_elastic_gang_does_its_work_once_whatever_its_sizes() {
    let jobs = JobClass {
        sizes: vec![Size { accelerators: 32, weight: Fraction::ONE }],
        length: Length::Fixed(Duration::hours(30)),
        checkpoint: Checkpoint::Every(Duration::hours(1)),
        elastic: Some(percent(25)),
        ..class("elastic", share(100))
    };
    let federation = federation(64, vec![jobs], percent(80));
    let federation = Arc::new(with_failures(federation, Duration::hours(500), Duration::hours(20)));
    let (summary, rows) = run(&federation, 1, Duration::days(300));
    let done: Vec<&JobRecord> = rows.jobs.iter().filter(|row| row.outcome == Outcome::Completed).collect();
    let work = AcceleratorTime::of(32, Duration::hours(30));
    for row in &done {
        // Each attempt may end up to a millisecond of its accelerators after its work.
        let most = work + AcceleratorTime::of(32, Duration::milliseconds(i64::from(row.attempts)));
        assert!(row.useful >= work && row.useful <= most, "{row:?}");
    }
    let sizes = [8, 16, 32].map(|size| done.iter().filter(|row| row.accelerators == size).count());
    assert!(sizes.iter().all(|&count| count > 5), "{sizes:?} of {} ended with 8, 16, 32", done.len());
    assert_eq!((summary.timed_out, summary.violations), (0, 0));
}

/// Work with failures, windows, checkpoints, a second phase and a little too much load.
fn eventful(load: u64, seed: u64) -> Arc<Federation> {
    let sizes = [1, 3, 4, 16, 40].map(|accelerators| Size { accelerators, weight: percent(20) });
    let saving = JobClass {
        sizes: sizes.to_vec(),
        checkpoint: Checkpoint::Young { cost: Duration::seconds(60) },
        guess_max: Fraction::ppm(2_000_000),
        draw: percent(70),
        ..class("saving", share(80))
    };
    let mut federation = federation(64, vec![saving, class("small", share(20))], percent(load));
    let site = &mut federation.sites[0];
    let opens = Instant::unix_milliseconds(50_000_000 + (seed % 7) as i64 * 10_000_000);
    let second = giga_model::Phase { opens, ..site.phases[0].clone() };
    site.phases.push(second);
    site.failures = Some(Failures { accelerator_mtbf: Duration::hours(200), repair: Duration::hours(3) });
    site.maintenance = Some(Maintenance {
        first: Instant::unix_milliseconds(90_000_000),
        every: Duration::days(2),
        length: Duration::hours(4),
    });
    Arc::new(federation)
}

/// Runs to the end with a break at each of these instants: saved, read back from its bytes, and gone on with.
fn run_with_breaks(
    federation: &Arc<Federation>,
    seed: u64,
    length: Duration,
    breaks: &[i64],
) -> (Twin, Rows) {
    let end = federation.start + length;
    let mut twin = Twin::new(Arc::clone(federation), seed, federation.start, end);
    let mut rows = Rows::default();
    let mut arrivals = generated(federation, seed);
    for &until in breaks {
        let until = Instant::unix_milliseconds(until);
        let ran: Result<(), Infallible> = twin.run(&mut arrivals, &mut rows, until);
        ran.expect("rows are kept");
        let mut image = Vec::new();
        twin.write_image(&mut image);
        twin = Twin::read_image(Arc::clone(federation), &image).expect("an image reads back");
        let mut again = Vec::new();
        twin.write_image(&mut again);
        assert_eq!(again, image, "the image of what was read is the same");
        arrivals = generated(federation, seed);
        let skipped = usize::try_from(twin.taken()).expect("few");
        assert_eq!(arrivals.by_ref().take(skipped).count(), skipped);
    }
    let ran: Result<(), Infallible> = twin.run(&mut arrivals, &mut rows, Instant::FAR);
    ran.expect("rows are kept");
    (twin, rows)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(60), ..ProptestConfig::default() })]

    #[test]
    fn a_run_that_was_broken_off_leaves_the_same_rows(
        seed in 0_u64..1_000,
        load in prop_oneof![Just(60_u64), Just(110)],
        mut breaks in proptest::collection::vec(0_i64..432_000_000, 1..5),
    ) {
        breaks.sort_unstable();
        let federation = eventful(load, seed);
        let length = Duration::days(5);
        let (twin, mut rows) = run_with_breaks(&federation, seed, length, &breaks);
        let offered = twin.offered();
        let Ok(summary) = twin.finish(&mut rows);
        let (whole, mut all) = run_with_breaks(&federation, seed, length, &[]);
        prop_assert_eq!(offered, whole.offered());
        prop_assert!(offered > AcceleratorTime::ZERO);
        let Ok(expected) = whole.finish(&mut all);
        prop_assert_eq!(expected.violations, 0);
        prop_assert_eq!(summary, expected);
        prop_assert_eq!(rows, all);
    }
}

#[test]
fn what_is_offered_is_what_came_and_was_let_in() {
    let federation = eventful(90, 1);
    let end = federation.start + Duration::days(30);
    let mut twin = Twin::new(Arc::clone(&federation), 1, federation.start, end);
    let ran: Result<(), Infallible> =
        twin.run(&mut generated(&federation, 1), &mut Rows::default(), Instant::FAR);
    ran.expect("rows are kept");
    let came = generated(&federation, 1).map(|job| job.expect("generated")).take_while(|job| job.at < end);
    let asked =
        came.map(|job| AcceleratorTime::of(u64::from(job.request.asks.first().accelerators), job.runtime));
    assert_eq!(twin.offered(), asked.fold(AcceleratorTime::ZERO, |sum, part| sum + part));
}

/// What a long run keeps is what lives: a month later the image is no larger.
#[test]
fn a_run_keeps_no_more_than_what_lives() {
    let federation = eventful(50, 1);
    let after = |days| {
        let mut twin = Twin::new(Arc::clone(&federation), 1, federation.start, Instant::FAR);
        let mut rows = Rows::default();
        let until = federation.start + Duration::days(days);
        let ran: Result<(), Infallible> = twin.run(&mut generated(&federation, 1), &mut rows, until);
        ran.expect("rows are kept");
        let mut image = Vec::new();
        twin.write_image(&mut image);
        (image.len(), twin.control().state().live(), rows.jobs.len())
    };
    let ((early, _, few), (late, live, many)) = (after(30), after(300));
    assert!(many > 8 * few, "{few} jobs ended in a month, {many} in ten");
    assert!(
        live < 500 && late < 2 * early,
        "{early} bytes after a month, {late} after ten, {live} jobs live"
    );
}
