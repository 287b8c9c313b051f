//! Generated work against its description: what is offered, how long jobs take, when they come, what they ask for.

mod world;

use std::sync::Arc;

use giga_model::{
    Arrival, Arrivals, DailyCurve, DatasetId, Federation, JobClass, Leaving, Length, ProgrammeId, Size,
};
use giga_twin::{Chance, Generator, Purpose};
use giga_units::{Duration, Fraction, Instant};
use world::{class, federation, percent, share};

const DAYS: i64 = 400;

/// All jobs of the first so many days.
fn jobs(federation: &Federation, seed: u64, days: i64) -> Vec<Arrival> {
    let end = federation.start + Duration::days(days);
    let generator = Generator::new(Arc::new(federation.clone()), seed, federation.start);
    generator.expect("there is work").take_while(|job| job.at < end).collect()
}

fn accelerators(job: &Arrival) -> f64 {
    f64::from(job.request.asks.first().accelerators)
}

fn offered(job: &Arrival) -> f64 {
    accelerators(job) * job.runtime.as_hours_f64()
}

/// Mean and standard error of a sum over many independent jobs that come as a Poisson process.
fn sum(parts: impl Iterator<Item = f64>) -> (f64, f64) {
    let (sum, squares) = parts.fold((0.0, 0.0), |(sum, squares), part| (sum + part, squares + part * part));
    (sum, libm::sqrt(squares))
}

#[track_caller]
fn assert_near(found: f64, expected: f64, error: f64, what: &str) {
    assert!(error < 0.05 * expected, "{what}: the sample is too small to tell, {error} of {expected}");
    assert!((found - expected).abs() < 4.0 * error, "{what}: {found} where {expected} ± {error} is expected");
}

/// Three kinds of work: heavy tails cut on both sides, a daily curve, fixed lengths.
fn mix() -> Vec<JobClass> {
    let sizes =
        vec![Size { accelerators: 1, weight: percent(70) }, Size { accelerators: 16, weight: percent(30) }];
    let range = (Duration::hours(1), Duration::hours(20));
    let median = Duration::hours(3);
    let length = Length::LogNormal { median, sigma: Fraction::ppm(1_500_000) };
    let daily = Some(DailyCurve { peak_hour: 15, swing: percent(60) });
    vec![
        JobClass { sizes, length, length_range: range, ..class("tails", share(50)) },
        JobClass { arrivals: Arrivals::Random { share: percent(20), daily }, ..class("daily", share(0)) },
        JobClass { length: Length::Fixed(Duration::hours(2)), ..class("fixed", share(30)) },
    ]
}

/// Which class a job is of, by its draw.
fn with_marks(mut classes: Vec<JobClass>) -> Vec<JobClass> {
    for (index, class) in classes.iter_mut().enumerate() {
        class.draw = percent(10 + index as u64);
    }
    classes
}

fn of_class(jobs: &[Arrival], index: u64) -> impl Iterator<Item = &Arrival> {
    jobs.iter().filter(move |job| job.request.draw == percent(10 + index))
}

#[test]
fn the_offered_load_is_the_knob_and_each_class_has_its_share() {
    for (seed, load) in [(1, 95), (2, 40), (3, 130)] {
        let federation = federation(64, with_marks(mix()), percent(load));
        let jobs = jobs(&federation, seed, DAYS);
        let installed = 64.0 * 24.0 * DAYS as f64;
        for (index, share) in [50.0, 20.0, 30.0].into_iter().enumerate() {
            let (found, error) = sum(of_class(&jobs, index as u64).map(offered));
            let expected = installed * load as f64 / 100.0 * share / 100.0;
            assert_near(found, expected, error, &format!("seed {seed}, load {load} %, class {index}"));
        }
    }
}

/// The same jobs per day whether the lengths are clamped or not would mean another load; so the rate tells the mean
/// that the generator works with, and a draw of its own tells what that mean should be.
#[test]
fn the_mean_of_a_clamped_length_is_that_of_many_draws() {
    for (least, most, sigma) in [(1, 20, 1.5), (0, 4, 0.7), (3, 3, 1.0), (2, 1_000, 2.0)] {
        let (least, most) = (Duration::hours(least), Duration::hours(most));
        let length =
            Length::LogNormal { median: Duration::hours(3), sigma: Fraction::ppm((sigma * 1e6) as u64) };
        let class = JobClass { length, length_range: (least, most), ..class("one", share(100)) };
        let federation = federation(256, vec![class], percent(90));
        let count = jobs(&federation, 5, DAYS).len() as f64;
        let mut chance = Chance::of(9, Purpose::Work, 9, 9);
        let draws = 400_000;
        let draw = |chance: &mut Chance| {
            let hours = 3.0 * libm::exp(sigma * chance.normal());
            hours.clamp(least.as_hours_f64(), most.as_hours_f64())
        };
        let mean = (0..draws).map(|_| draw(&mut chance)).sum::<f64>() / f64::from(draws);
        let expected = 256.0 * 24.0 * DAYS as f64 * 0.9 / mean;
        let error = libm::sqrt(expected) + expected * 0.004;
        assert_near(count, expected, error, &format!("between {least} and {most}, sigma {sigma}"));
    }
}

#[test]
fn the_daily_curve_is_a_cosine_around_its_peak() {
    let federation = federation(64, with_marks(mix()), percent(100));
    let jobs = jobs(&federation, 4, DAYS);
    let daily: Vec<_> = of_class(&jobs, 1).collect();
    for hour in 0..24_i64 {
        let here = |job: &&&Arrival| job.at.as_unix_milliseconds().rem_euclid(86_400_000) / 3_600_000 == hour;
        let found = daily.iter().filter(here).count() as f64;
        let angle = (hour as f64 + 0.5 - 15.0) / 24.0 * std::f64::consts::TAU;
        // The mean of a cosine over an hour is its middle times sin(x)/x of half the hour.
        let half = std::f64::consts::TAU / 48.0;
        let expected = daily.len() as f64 / 24.0 * (1.0 + 0.6 * libm::cos(angle) * libm::sin(half) / half);
        assert_near(found, expected, libm::sqrt(expected), &format!("hour {hour}"));
    }
}

#[test]
fn work_follows_the_phases_that_are_open() {
    let mut federation = federation(64, with_marks(mix()), percent(100));
    let opens = federation.start + Duration::days(DAYS / 2);
    let phase = giga_model::Phase { opens, ..federation.sites[0].phases[0].clone() };
    federation.sites[0].phases.push(phase);
    let jobs = jobs(&federation, 6, DAYS);
    for (jobs, installed, what) in [
        (jobs.iter().filter(|job| job.at < opens).collect::<Vec<_>>(), 64.0, "before"),
        (jobs.iter().filter(|job| job.at >= opens).collect(), 128.0, "after"),
    ] {
        let (found, error) = sum(jobs.into_iter().map(offered));
        assert_near(found, installed * 24.0 * DAYS as f64 / 2.0, error, what);
    }
}

#[test]
fn a_class_that_is_added_leaves_the_jobs_of_others_as_they_are() {
    let classes = with_marks(mix());
    let of = |classes: Vec<JobClass>| jobs(&federation(64, classes, percent(90)), 1, 30);
    let whole = of(classes.clone());
    let few = of(vec![classes[2].clone(), classes[0].clone()]);
    for index in [0, 2] {
        assert!(of_class(&few, index).eq(of_class(&whole, index)), "class {index}");
        assert!(of_class(&few, index).count() > 100);
    }
    let regular = |projects| {
        let arrivals = Arrivals::Regular { every: Duration::hours(1), count: 20 };
        let length = Length::LogNormal { median: Duration::hours(2), sigma: Fraction::ONE };
        let mut federation = federation(8, vec![JobClass { length, ..class("drip", arrivals) }], percent(0));
        federation.projects = projects;
        jobs(&federation, 1, 30)
    };
    let [one, other] = ["one", "other"]
        .map(|name| giga_model::sample::project(name, ProgrammeId(0), giga_model::OwnerId(0)));
    let alone: Vec<_> = regular(vec![other.clone()]).iter().map(|job| job.runtime).collect();
    let both = regular(vec![one, other]);
    let beside = both.iter().filter(|job| job.request.project.index() == 1).map(|job| job.runtime);
    assert!(beside.eq(alone.iter().copied()) && alone.len() == 20);
}

#[test]
fn two_classes_of_one_name_do_not_send_the_same_jobs() {
    let classes = with_marks(vec![class("same", share(50)), class("same", share(50))]);
    let jobs = jobs(&federation(64, classes, percent(90)), 1, 30);
    let [first, second] =
        [0, 1].map(|index| of_class(&jobs, index).map(|job| job.runtime).collect::<Vec<_>>());
    assert!(first.len() > 100 && first.iter().zip(&second).filter(|(one, other)| one == other).count() < 5);
}

/// A job that fits through its door asks for no more than the door lets in; the others ask for what they need.
#[test]
fn guesses_keep_within_what_the_programme_lets_in() {
    let length = Length::LogNormal { median: Duration::hours(8), sigma: Fraction::ONE };
    let length_range = (Duration::hours(1), Duration::hours(15));
    let guess_max = Fraction::ppm(3_000_000);
    let class = JobClass { length, length_range, guess_max, ..class("guess", share(100)) };
    let mut federation = federation(64, vec![class], percent(90));
    let limits = [4, 8, 24].map(Duration::hours);
    federation.workload.as_mut().expect("there is work").limits = limits.into();
    federation.programmes[0].limit_max = Some(Duration::hours(10));
    let jobs = jobs(&federation, 1, 60);
    let longest = Duration::hours(10);
    let (mut clipped, mut beyond) = (0, 0);
    for job in &jobs {
        let limit = job.request.limit;
        assert!(limit >= job.runtime, "{job:?}");
        assert!(limit <= longest || job.runtime > longest, "{job:?}");
        assert!(limits.contains(&limit) || limit == longest || limit > limits[2], "{job:?}");
        clipped += u32::from(limit == longest);
        beyond += u32::from(limit > longest);
    }
    assert!(clipped > 100 && beyond > 100, "{clipped} clipped, {beyond} too long for the door");
}

#[test]
fn the_seed_decides_about_every_job() {
    let of = |seed| jobs(&federation(64, mix(), percent(90)), seed, 30);
    let (one, other) = (of(1), of(2));
    assert_eq!(of(1), one);
    assert!(one.len() > 100 && one.iter().zip(&other).all(|(one, other)| one.at != other.at));
}

#[test]
fn the_next_job_never_comes_before_the_last() {
    let jobs = jobs(&federation(64, mix(), percent(90)), 1, 30);
    assert!(jobs.is_sorted_by_key(|job| job.at) && jobs[0].at >= Instant::unix_milliseconds(0));
}

#[test]
fn a_project_stops_at_its_end_and_the_others_go_on_as_before() {
    let mut federation = federation(1_000, vec![class("one", share(100))], percent(80));
    let mut other = federation.projects[0].clone();
    other.name = "other".into();
    federation.projects.push(other);
    let all = jobs(&federation, 1, 40);
    let end = federation.start + Duration::days(10);
    federation.projects[1].until = Some(end);
    let fewer = jobs(&federation, 1, 40);
    let expected: Vec<&Arrival> =
        all.iter().filter(|job| job.request.project.index() == 0 || job.at < end).collect();
    assert!(fewer.iter().eq(expected) && fewer.len() < all.len());
    federation.projects[0].until = Some(end);
    assert!(jobs(&federation, 1, 40).iter().eq(all.iter().filter(|job| job.at < end)));
    let regular = Arrivals::Regular { every: Duration::days(3), count: 1_000 };
    federation.workload.as_mut().expect("there is work").classes[0].arrivals = regular;
    assert_eq!(jobs(&federation, 1, 40).len(), 2 * 4);
}

#[test]
fn jobs_ask_for_what_their_class_does() {
    let terms = |class: JobClass| {
        let federation = federation(1_000, vec![class], percent(80));
        jobs(&federation, 1, 2).into_iter().map(|job| (job.at, job.request)).collect::<Vec<_>>()
    };
    assert!(terms(class("plain", share(100))).iter().all(|(_, request)| request.terms.is_none()));
    let data = JobClass { data: vec![DatasetId(3)], leaving: Leaving::Derived, ..class("data", share(100)) };
    let asked = terms(data);
    let first = asked[0].1.terms.as_ref().expect("terms");
    assert_eq!(
        (first.data.as_slice(), first.leaving, first.deadline),
        (&[DatasetId(3)][..], Leaving::Derived, None)
    );
    assert!(
        asked
            .iter()
            .all(|(_, request)| request.terms.as_ref().is_some_and(|terms| Arc::ptr_eq(terms, first)))
    );
    for (at, request) in terms(JobClass { slack: Some(percent(250)), ..class("slack", share(100)) }) {
        let wanted = at + Duration::milliseconds(request.limit.as_milliseconds() * 5 / 2);
        assert_eq!(request.terms.and_then(|terms| terms.deadline), Some(wanted));
    }
}
