//! What the fuzz targets share: reading arbitrary bytes as work, and the laws that hold whatever they are.

use std::io::Cursor;

use giga_formats::work::{self, Dates, ReadOptions, WorkError, WorkFormat, WorkReader};
use giga_units::{Duration, Instant};

/// Reads text in a format; columns are given where the format has a header, so that the fuzzer need not find it.
pub fn text(format: WorkFormat, header: &str, data: &[u8]) {
    let bytes = [header.as_bytes(), data].concat();
    read(|options| work::read_text(Cursor::new(bytes.clone()), format, options));
}

/// Reads with a strict and a lenient reader and with both kinds of dates.
pub fn read(open: impl Fn(&ReadOptions<'_>) -> Result<WorkReader, WorkError>) {
    let projects = ["bio", "lm"].map(str::to_owned);
    let accelerators = ["GB300", "H200"].map(str::to_owned);
    let options = ReadOptions::new(&projects, &accelerators, Instant::unix_milliseconds(1_800_000_000_000));
    check(open(&options), &projects);
    check(open(&ReadOptions { dates: Dates::Kept, strict: true, ..options }), &projects);
}

fn check(reader: Result<WorkReader, WorkError>, projects: &[String]) {
    let Ok(mut reader) = reader else { return };
    let mut last = None;
    let mut failed = false;
    for arrival in reader.by_ref() {
        let Ok(arrival) = arrival else {
            failed = true;
            continue;
        };
        assert!(!failed, "an error is the last item");
        assert!(last.is_none_or(|last| last <= arrival.at), "arrivals come in order");
        last = Some(arrival.at);
        assert!(arrival.runtime > Duration::ZERO && arrival.request.limit > Duration::ZERO);
        assert!(arrival.request.asks.iter().all(|ask| ask.accelerators > 0));
        assert!(arrival.request.project.index() < projects.len());
    }
    let report = reader.report();
    let left_out = report.faults.count + report.skipped.values().sum::<u64>();
    assert!(failed || report.rows == report.jobs + left_out, "every row is accounted for");
    let _ = report.lines(projects);
}
