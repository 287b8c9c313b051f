//! A forecast of a long line of waiting jobs, beside one plain run of the twin over the same jobs; what a copy of the state
//! costs whoever gives it away. Compare ratios of one run, never times of two.
#![expect(clippy::print_stdout, reason = "a bench prints")]

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant as Clock;

use giga_control::Control;
use giga_model::sample::{accelerator, add_site, empty, project};
use giga_model::{Arrival, Ask, Asks, Federation, JobRequest, OwnerId, ProgrammeId, ProjectId};
use giga_study::{Runtimes, forecast};
use giga_twin::{Nowhere, Twin};
use giga_units::{Duration, Fraction, Instant};

const JOBS: usize = 100_000;
const FUTURES: u32 = 8;

/// Three sites with 2,048 accelerators each, and ten projects.
fn federation() -> Federation {
    let mut federation = empty();
    federation.projects = (0..10).map(|n| project(&format!("p{n}"), ProgrammeId(0), OwnerId(0))).collect();
    for name in ["north", "middle", "south"] {
        add_site(&mut federation, name, &[(accelerator("A", 8, 4), 256)]);
    }
    federation
}

/// Gangs of 1 to 64 with limits of 1 to 24 hours.
fn arrival(number: usize) -> Arrival {
    let accelerators = 1 << (number * 7 % 7);
    let limit = Duration::hours([1, 2, 4, 8, 12, 24][number * 5 % 6]);
    let asks = Asks::one(Ask { accelerator: None, accelerators });
    let project = ProjectId::at(number % 10);
    let request = JobRequest { project, asks, limit, checkpoint: None, draw: Fraction::ONE, terms: None };
    let runtime = Duration::milliseconds(limit.as_milliseconds() / (1 + number as i64 * 11 % 10));
    Arrival { at: Instant::unix_milliseconds(0), request, runtime }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn clock() -> Clock {
    Clock::now()
}

fn main() {
    let federation = Arc::new(federation());
    let start = federation.start;
    let mut arrivals = (0..JOBS).map(|number| Ok::<_, Infallible>(arrival(number)));
    let mut twin = Twin::new(federation, 1, start, Instant::FAR);
    let first = start + Duration::milliseconds(1);
    let Ok(()) = twin.run(&mut arrivals, &mut Nowhere::<Infallible>::default(), first);
    let control = twin.control().clone();
    println!("{} jobs live", control.state().live());

    let from = clock();
    let Ok(()) = twin.run(&mut arrivals, &mut Nowhere::<Infallible>::default(), Instant::FAR);
    let plain = from.elapsed();
    println!("one plain run to the end of all work: {plain:.2?}");

    let from = clock();
    let made = forecast(black_box(&control), &Runtimes::default(), FUTURES, 1, Duration::days(365));
    let took = from.elapsed();
    let ratio = took.as_secs_f64() / plain.as_secs_f64();
    println!("a forecast of {} futures: {took:.2?}, {ratio:.1} times as long", made.futures);

    copies(&control);
}

/// What the core pays for a fork, against an image of the same.
fn copies(control: &Control) {
    let mut times: Vec<_> = (0..20)
        .map(|_| {
            let from = clock();
            let copy = black_box(control.clone());
            let took = from.elapsed();
            drop(copy);
            took
        })
        .collect();
    times.sort_unstable();
    println!("a copy of the state: {:.2?} in the median, {:.2?} at most", times[10], times[19]);
    let from = clock();
    let mut image = Vec::new();
    control.write_image(&mut image);
    println!("an image of it: {} MB in {:.2?}", image.len() / 1_000_000, from.elapsed());
}
