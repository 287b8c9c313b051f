//! Accelerators that do nothing for the job that holds them are told to its user and to whoever watches, within a minute. The readings
//! are recorded ones, since a test has no accelerators.
#![cfg(all(feature = "live", target_os = "linux"))]

#[expect(dead_code, reason = "not every test uses all of a server")]
mod live;

use std::time::{Duration, Instant};

use live::{Live, giga};
use serde_json::json;

/// What `nvidia-smi` printed of three accelerators, of which one worked.
const RECORD: &str = "timestamp, index, utilization.gpu [%]\n\
    2026/11/22 14:00:00.125, 0, 0 %\n2026/11/22 14:00:00.125, 1, 0 %\n2026/11/22 14:00:00.125, 2, 93 %\n\
    2026/11/22 14:00:05.126, 0, 1 %\n2026/11/22 14:00:05.126, 1, 0 %\n2026/11/22 14:00:05.126, 2, 97 %\n";

#[test]
fn idle_accelerators_are_told_within_a_minute() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = folder.path().join("record.csv");
    std::fs::write(&record, RECORD).expect("a write");
    let mut call = giga();
    call.env("GIGA_READINGS", &record);
    let live = Live::start_as(call);
    let job = |run: &str| {
        let run = format!("echo \"$GIGA_ACCELERATORS\"; {run}");
        let job = live.submit(&json!({"project": "demo", "run": run, "limit": "1 h"}).to_string());
        live.wait(job, &["running"]);
        job
    };
    let jobs = [job("sleep 300"), job("while :; do :; done"), job("sleep 300")];
    let begun = Instant::now();
    let view = |job: u64| live.send("GET", &format!("/v1/jobs/{job}"), &[], "").json()["job"].clone();
    let idle = |job: u64| view(job)["idle"].clone();
    while idle(jobs[0]).is_null() || idle(jobs[1]).is_null() {
        assert!(begun.elapsed() < Duration::from_secs(60), "not told: {} {}", view(jobs[0]), view(jobs[1]));
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(idle(jobs[0])["on_cpu"], json!(false));
    assert_eq!(idle(jobs[1])["on_cpu"], json!(true), "{}", idle(jobs[1]));
    assert!(idle(jobs[2]).is_null(), "it works: {}", view(jobs[2]));
    let said = |call: &[&str]| {
        let output = live.verb(call);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let told = said(&["job", "show", &jobs[0].to_string()]);
    assert!(told.contains("its accelerators have done nothing since"), "{told}");
    assert!(told.contains("it holds them and pays for them"), "{told}");
    let told = said(&["job", "show", &jobs[1].to_string()]);
    assert!(told.contains("processors work: it may have found none and fallen back"), "{told}");
    assert_eq!(said(&["jobs"]).matches("running, idle").count(), 2);
    let figures = live.send("GET", "/metrics", &[], "").body;
    let sum = |what: &str| {
        let of = |line: &&str| {
            line.starts_with("giga_site_idle_accelerators{") && line.contains(&format!("what=\"{what}\""))
        };
        let value = |line: &str| line.rsplit(' ').next().and_then(|value| value.parse::<u64>().ok());
        figures.lines().filter(of).filter_map(value).sum::<u64>()
    };
    assert_eq!((sum("nothing"), sum("cpu")), (1, 1), "{figures}");
}

#[test]
fn a_record_that_can_not_be_read_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = folder.path().join("record.csv");
    std::fs::write(&record, "timestamp, index, utilization.gpu [%]\nyesterday, 0, 5 %\n").expect("a write");
    let output = giga()
        .args(["up", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path().join("data"))
        .env("GIGA_READINGS", &record)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("record.csv") && said.contains("line 2 is no reading"), "{said}");
}
