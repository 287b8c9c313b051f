//! What a look at the queues costs, and an explanation, with a hundred thousand jobs waiting: as one JSON line. The federation of the
//! argument runs under a load above what it has until so many wait. Usage, by `benches/europe.sh`: `pass DESCRIPTION JOBS`.
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant as Clock;

use giga_control::Control;
use giga_formats::description;
use giga_model::{Arrival, JobId, SiteId};
use giga_scheduler::{Ending, Input};
use giga_twin::{Generator, Nowhere, Twin};
use giga_units::{Duration, Fraction, Instant};

/// The load under which jobs pile up, in millionths.
const LOAD: Fraction = Fraction::ppm(1_500_000);
/// How many passes and explanations are timed.
const TIMES: usize = 2_000;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(file), Some(jobs)) = (arguments.next(), arguments.next()) else {
        println!("pass: nothing to do without a description and a number of jobs");
        return;
    };
    let text = std::fs::read_to_string(&file).expect("the description can be read");
    let mut federation = description::read(&file, &text).expect("the description is sound").federation;
    federation.workload.as_mut().expect("the description has work").load = LOAD;
    let federation = Arc::new(federation);
    let wanted: u64 = jobs.parse().expect("a number of jobs");
    let twin = crowd(&federation, wanted);
    let control = twin.control();
    let waiting: Vec<JobId> =
        control.state().jobs().filter(|job| job.run().is_none()).map(|job| job.id).collect();
    let explain = timed(|turn| {
        let job = waiting[turn * 7_919 % waiting.len()];
        black_box(control.scheduler().explain(job, control.now()));
    });
    let mut live = control.clone();
    let running: Vec<(JobId, u32)> =
        live.state().jobs().filter(|job| job.run().is_some()).map(|job| (job.id, job.attempts)).collect();
    let pass = timed(|turn| end_one(&mut live, running[turn * 7_919 % running.len()]));
    let mut sorted: Vec<u64> = (0..100_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let sort = timed(|turn| {
        sorted[turn] ^= 1;
        black_box(sorted.clone()).sort_unstable();
    });
    let mut hourly = control.clone();
    let hour = timed(|_| {
        let now = hourly.now().next_hour();
        hourly.advance(now, &[Input::HourTurns]);
        drop(hourly.take_rows());
    });
    println!(
        r#"{{"waiting": {}, "running": {}, "explain_us": {}, "pass_us": {}, "hour_us": {}, "sort_of_100000_us": {}}}"#,
        waiting.len(),
        running.len(),
        told(&explain),
        told(&pass),
        told(&hour),
        told(&sort)
    );
}

/// Runs until so many jobs wait.
fn crowd(federation: &Arc<giga_model::Federation>, wanted: u64) -> Twin {
    let start = federation.start;
    let mut twin = Twin::new(Arc::clone(federation), 1, start, Instant::FAR);
    let work = Generator::new(Arc::clone(federation), 1, start).expect("the description has work");
    let mut work = work.map(Ok::<Arrival, Infallible>);
    let mut until = start;
    let waiting = |twin: &Twin| {
        let state = twin.control().state();
        (0..federation.sites.len()).map(|site| u64::from(state.waiting(SiteId::at(site)))).sum::<u64>()
    };
    while waiting(&twin) < wanted {
        until = until + Duration::hours(12);
        let Ok(()) = twin.run(&mut work, &mut Nowhere::<Infallible>::default(), until);
    }
    twin
}

/// One running job ends, and the queue of its site is looked at.
fn end_one(live: &mut Control, (job, attempt): (JobId, u32)) {
    let now = live.now() + Duration::milliseconds(1);
    live.advance(now, &[Input::Finished { job, attempt, ending: Ending::Completed, at: now }]);
    drop(live.take_rows());
}

/// The microseconds of each of some turns, sorted.
fn timed(mut turn: impl FnMut(usize)) -> Vec<f64> {
    let mut times: Vec<f64> = (0..TIMES)
        .map(|count| {
            let begun = Clock::now();
            turn(count);
            begun.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

/// Median, 99th percentile and the most.
fn told(sorted: &[f64]) -> String {
    let at = |percent: usize| sorted[(sorted.len() - 1) * percent / 100];
    format!(r#"{{"p50": {:.1}, "p99": {:.1}, "max": {:.1}}}"#, at(50), at(99), at(100))
}
