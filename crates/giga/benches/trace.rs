//! How fast a trace is read and simulated with EASY backfill, in one process and with no files written: the jobs and
//! the best seconds of some runs as one JSON line, with the seconds that reading alone takes. Usage, by
//! `benches/speed.sh`: `trace DESCRIPTION TRACE`.
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant as Clock;

use giga_control::record::{HourRecord, JobRecord};
use giga_formats::description;
use giga_formats::work::{self, ReadOptions, WorkError};
use giga_model::Federation;
use giga_twin::{Sink, Twin};
use giga_units::Instant;

const RUNS: u32 = 30;

struct Count(u64);

impl Sink for Count {
    type Error = WorkError;
    fn job(&mut self, _: &JobRecord) -> Result<(), WorkError> {
        self.0 += 1;
        Ok(())
    }
    fn hour(&mut self, _: &HourRecord) -> Result<(), WorkError> {
        Ok(())
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(file), Some(trace)) = (arguments.next(), arguments.next()) else {
        println!("trace: nothing to do without a description and a trace");
        return;
    };
    let text = std::fs::read_to_string(&file).expect("the description can be read");
    let federation = description::read(&file, &text).expect("the description is sound").federation;
    let federation = Arc::new(federation);
    let runs = || (0..RUNS).map(|_| run(&federation, Path::new(&trace)));
    let (seconds, jobs) = runs().min_by(|one, other| one.0.total_cmp(&other.0)).expect("there are runs");
    let reading = (0..RUNS).map(|_| read(&federation, Path::new(&trace))).fold(f64::MAX, f64::min);
    println!(r#"{{"jobs": {jobs}, "seconds": {seconds:.6}, "reading_seconds": {reading:.6}}}"#);
}

fn open(federation: &Federation, trace: &Path) -> work::WorkReader {
    let projects: Vec<String> = federation.projects.iter().map(|project| project.name.clone()).collect();
    let kinds: Vec<String> = federation.accelerators.iter().map(|kind| kind.name.clone()).collect();
    let options = ReadOptions::new(&projects, &kinds, federation.start);
    work::open(trace, None, &options).expect("the trace can be read")
}

fn run(federation: &Arc<Federation>, trace: &Path) -> (f64, u64) {
    let begun = Clock::now();
    let mut arrivals = open(federation, trace);
    let mut twin = Twin::new(Arc::clone(federation), 1, federation.start, Instant::FAR);
    let mut count = Count(0);
    let ran: Result<(), WorkError> = twin.run(&mut arrivals, &mut count, Instant::FAR);
    ran.expect("the trace is sound");
    let summary = twin.finish(&mut count).expect("nothing is written");
    assert_eq!((summary.violations, count.0), (0, summary.submitted));
    (begun.elapsed().as_secs_f64(), count.0)
}

fn read(federation: &Federation, trace: &Path) -> f64 {
    let begun = Clock::now();
    assert!(open(federation, trace).all(|arrival| arrival.is_ok()));
    begun.elapsed().as_secs_f64()
}
