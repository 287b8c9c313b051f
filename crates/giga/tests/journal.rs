//! `giga simulate --journal`: what a live federation decided is decided again, and what was changed since is found.
#![cfg(feature = "live")]

#[expect(dead_code, reason = "not every test follows streams or ports")]
mod live;

use std::collections::BTreeMap;
use std::path::Path;

use giga_formats::journal::{self, Record};
use giga_scheduler::{Ending, Event};
use giga_store::{Batch, Entry, Store};
use live::{Live, giga};
use serde_json::{Value, json};

/// Calls `giga simulate --journal`; gives exit code, stdout and stderr.
fn replay(folder: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let output =
        giga().args(["simulate", "--journal"]).arg(folder).args(more).output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Replays it without a fault; the summary.
#[track_caller]
fn agrees(folder: &Path) -> Value {
    let (code, out, err) = replay(folder, &["--json"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("all decided as they were"), "{err}");
    serde_json::from_str(&out).expect("JSON")
}

/// A server that ran jobs of every ending, was killed between, and was asked to end; how many jobs ended in which state.
fn lived() -> (Live, BTreeMap<String, u64>) {
    let mut live = Live::start();
    let job = |run: &str| json!({"project": "demo", "run": run, "limit": "1 h"}).to_string();
    let done = live.submit(&job("true"));
    let failed = live.submit(&job("exit 3"));
    let cancelled = live.submit(&job("sleep 600"));
    let impossible = json!({"project": "demo", "run": "true", "resources": {"accelerators": 4000}});
    live.submit(&impossible.to_string());
    let short = json!({"project": "demo", "run": "sleep 600", "limit": "1 s"});
    let late = live.submit(&short.to_string());
    live.wait(cancelled, &["running"]);
    live.wait(done, &["completed"]);
    let over = live.folder.path().join("over");
    let outlives = live.submit(&job(&format!("until test -e {}; do sleep 0.05; done", over.display())));
    live.wait(outlives, &["running"]);
    agrees(live.folder.path());
    live.kill_and_start();
    live.send("POST", &format!("/v1/jobs/{cancelled}/cancel"), &[], "");
    std::fs::write(&over, "").expect("a file");
    live.wait(outlives, &["completed"]);
    live.wait(failed, &["failed"]);
    live.wait(late, &["timed-out"]);
    live.wait(cancelled, &["cancelled"]);
    let listed = live.verb(&["jobs", "--all", "--json"]).stdout;
    let listed: Value = serde_json::from_slice(&listed).expect("JSON");
    let mut states = BTreeMap::new();
    for job in listed["jobs"].as_array().expect("jobs") {
        *states.entry(job["state"].as_str().expect("a state").replace('-', "_")).or_default() += 1;
    }
    assert!(live.end("TERM"), "it ends well");
    (live, states)
}

/// A journal like that of a folder, with other records, in a folder of its own.
fn altered(folder: &Path, change: impl FnOnce(&mut Vec<(Vec<u8>, Record)>)) -> tempfile::TempDir {
    let (store, beginning) = Store::read_only(folder).expect("a journal");
    let records = store.records(0, usize::MAX >> 1).expect("whole records");
    let with_bytes = |record| (journal::write(&record), record);
    let mut records: Vec<_> = records.into_iter().map(with_bytes).collect();
    change(&mut records);
    let entries = records.into_iter().map(|(record, Record { seq, .. })| Entry { seq, record });
    let batch = Batch { entries: entries.collect(), changes: Vec::new() };
    let other = tempfile::tempdir().expect("a folder");
    let (store, _) = Store::open(other.path(), &beginning).expect("a store");
    store.append(&[batch]).expect("a commit");
    other
}

/// The replay ends with 1 and names the record and this piece.
#[track_caller]
fn parts(folder: &Path, seq: u64, piece: &str) {
    let (code, out, err) = replay(folder, &[]);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains(&format!("record {seq} of the journal")) && err.contains(piece), "{err}");
}

#[test]
fn a_journal_is_decided_again_as_it_was() {
    let (live, states) = lived();
    let summary = agrees(live.folder.path());
    for state in ["completed", "failed", "cancelled", "timed_out", "refused", "running", "waiting"] {
        let expected = states.get(state).copied().unwrap_or(0);
        assert_eq!(summary[format!("jobs_{state}")], expected, "{state}: {summary}");
    }
    assert!(states["completed"] == 2 && states["failed"] == 1, "{states:?}");
    assert_eq!(summary["seed"], Value::Null);
    let (code, out, err) =
        replay(live.folder.path(), &["--out", live.folder.path().join("run").to_str().expect("UTF-8")]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("work: journal of") && out.contains("all decided as they were"), "{out}");
    for file in ["summary.json", "jobs.parquet", "hours.parquet"] {
        assert!(live.folder.path().join("run").join(file).is_file(), "{file} is missing");
    }
    changes_are_found(live.folder.path());
}

fn changes_are_found(folder: &Path) {
    let mut at = 0;
    let other = altered(folder, |records| {
        let is_end = |event: &Event| matches!(event, Event::Ended { ending: Ending::Completed, .. });
        let (bytes, record) =
            records.iter_mut().find(|(_, record)| record.events.iter().any(is_end)).expect("one");
        let event = record.events.iter_mut().find(|event| is_end(event)).expect("one");
        let Event::Ended { ending, .. } = event else { unreachable!("it is an end") };
        *ending = Ending::Failed;
        (at, *bytes) = (record.seq, journal::write(record));
    });
    parts(other.path(), at, "Failed");

    let other = altered(folder, |records| {
        let (bytes, record) = records.iter_mut().find(|(_, record)| record.events.len() > 1).expect("one");
        record.events.pop();
        (at, *bytes) = (record.seq, journal::write(record));
    });
    parts(other.path(), at, "was not there");

    let other = altered(folder, |records| {
        let (bytes, record) = &mut records[2];
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        at = record.seq;
    });
    parts(other.path(), at, "damaged");

    let other = altered(folder, |records| {
        for (bytes, record) in records {
            record.decisions += 1;
            *bytes = journal::write(record);
        }
    });
    let (code, out, err) = replay(other.path(), &[]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("of another version of the policy"), "{out}");
}

#[test]
fn what_is_no_journal_is_wrong_input() {
    let empty = tempfile::tempdir().expect("a folder");
    let (code, out, err) = replay(empty.path(), &[]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("holds no journal"), "{err}");
    for more in
        [["--seed", "1"], ["--from", "2027-01-01"], ["--for", "1d"], ["--resume", "x"], ["--load", "80"]]
    {
        let (code, _, err) = replay(empty.path(), &more);
        assert_eq!(code, Some(2));
        assert!(err.contains("cannot be used with"), "{err}");
    }
}
