//! What Slurm answers, by its commands and by its REST service: nothing makes a reader panic.
#![no_main]

use giga_formats::slurm::{hosts, job_line, node_line, read_answer, read_jobs, read_nodes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = (read_answer(data), read_jobs(data), read_nodes(data, "giga"));
    let Ok(text) = std::str::from_utf8(data) else { return };
    for line in text.lines() {
        let _ = (job_line(line), node_line(line));
        // Short lists only: a long one is the reader's bound to find, and takes its time.
        if let Some(found) = hosts(line).filter(|_| line.len() < 24) {
            assert!(found.iter().all(|host| !host.is_empty() && !host.contains('[')));
        }
    }
});
