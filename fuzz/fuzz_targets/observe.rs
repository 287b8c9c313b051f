//! What `sinfo`, `squeue`, `sacct` and `sshare` print, and what is made of it: the sums, the description, the trace, the starts.
#![no_main]

use giga_formats::description;
use giga_formats::observe::{Observation, json, read_accounted, read_nodes, read_queue, read_shares};
use giga_study::observe as study;
use giga_units::{Duration, Instant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    // The tables stand behind each other, parted by a line with a percent sign.
    let mut tables = text.split("\n%\n");
    let mut next = || tables.next().unwrap_or("");
    let mut seen = Observation::default();
    seen.nodes = read_nodes(next()).map(|read| read.rows).unwrap_or_default();
    seen.queue = read_queue(next()).ok().map(|read| read.rows);
    seen.jobs = read_accounted(next()).ok().map(|read| read.rows);
    seen.shares = read_shares(next()).map(|(shares, _)| shares).unwrap_or_default();
    seen.at = Instant::unix_milliseconds(1_800_000_000_000);
    seen.since = seen.at - Duration::days(3_650);
    let _ = study::settle(&mut seen);
    let (span, _) = (study::span(&seen), (study::machine(&seen), study::now(&seen)));
    if giga_formats::observe::pools(&seen.nodes).is_empty() {
        return;
    }
    let text = study::outline(&seen, span.as_ref(), None).write();
    let Ok(described) = description::read("federation.toml", &text) else { return };
    let trace = study::trace(&seen, &described.federation);
    assert!(trace.arrivals.iter().all(|arrival| arrival.runtime > Duration::ZERO));
    if let Some(span) = &span {
        assert_eq!(trace.time, span.used, "the trace holds what was held");
        let _ = study::energies(&seen, span, &described.federation, true);
    }
    // Following very many jobs takes longer than a fuzzer waits.
    if seen.queue.iter().flatten().map(|job| u64::from(job.tasks)).sum::<u64>() < 64 {
        let _ = study::starts(&seen, &described.federation);
    }
    let figures = giga_formats::observe::Figures { span, ..Default::default() };
    assert!(json(&figures).ends_with('\n'));
});
