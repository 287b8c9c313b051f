//! `giga up --store postgres://…`: a federation on a database lives as one in a folder does, is found again, and never has two
//! servers that act.
#![cfg(feature = "live")]

#[expect(dead_code, reason = "not every test follows streams or ports")]
mod live;
#[expect(dead_code, reason = "not every test looks into the database")]
#[path = "../../giga-store/tests/postgres/mod.rs"]
mod postgres;

use std::io::Read as _;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use live::{Live, giga, send_signal};
use postgres::Cluster;
use serde_json::json;

fn job(run: &str) -> String {
    json!({"project": "demo", "run": run, "limit": "1 h"}).to_string()
}

/// A job that ends when this file is there.
fn until(over: &Path) -> String {
    job(&format!(": > {0}.begun; until test -e {0}; do sleep 0.05; done", over.display()))
}

/// A database with a password in its URL, which must never be seen.
fn secret(cluster: &Cluster) -> String {
    cluster.new_database().replace("giga@", "giga:s3cret@")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A server that is not to come up; what it says.
#[track_caller]
fn refused(code: i32, store: &str, folder: &Path) -> String {
    let output =
        giga().args(["up", "--listen", "127.0.0.1:0", "--store", store, "--data"]).arg(folder).output();
    let output = output.expect("the program runs");
    assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    assert!(!text(&output).contains("s3cret"), "{}", text(&output));
    text(&output)
}

/// Decides the whole journal again.
#[track_caller]
fn agrees(store: &str) {
    let output = giga().args(["simulate", "--journal", store]).output().expect("the program runs");
    assert!(
        output.status.success() && text(&output).contains("all decided as they were"),
        "{}",
        text(&output)
    );
    assert!(!text(&output).contains("s3cret"), "{}", text(&output));
}

/// What `giga doctor` says of a database, and how it ends.
fn doctor(store: &str, folder: &Path) -> (Option<i32>, String) {
    let mut call = giga();
    call.args(["doctor", "--listen", "127.0.0.1:0", "--store", store, "--data"]).arg(folder);
    let output = call.output().expect("the program runs");
    assert!(!text(&output).contains("s3cret"), "{}", text(&output));
    (output.status.code(), text(&output))
}

#[test]
fn a_federation_on_a_database_is_found_again() {
    let Some(cluster) = postgres::shared("a_federation_on_a_database_is_found_again") else { return };
    let store = secret(cluster);
    let new = tempfile::tempdir().expect("a folder");
    let (code, said) = doctor(&store, &new.path().join("new"));
    assert!(code == Some(0) && said.contains("there is none yet; `giga up` begins one"), "{said}");
    let (code, said) = doctor("postgres://giga:s3cret@127.0.0.1:1/giga", &new.path().join("new"));
    assert!(code == Some(1) && said.contains("see to the database and the way to it"), "{said}");
    let mut live = Live::start_on(&store, giga());
    let (code, said) = doctor(&store, live.folder.path());
    assert!(code == Some(0) && said.contains("as the data folder has it"), "{said}");
    assert!(said.contains(", no snapshot of this version yet"), "{said}");
    let done = live.submit(&job("true"));
    live.wait(done, &["completed"]);
    let over = live.folder.path().join("over");
    let outlives = live.submit(&until(&over));
    live.wait(outlives, &["running"]);
    agrees(&store);
    let said = refused(1, &store, live.folder.path());
    assert!(said.contains("another server works on the database: process"), "{said}");

    let from = Instant::now();
    live.stop_and_start();
    assert!(
        from.elapsed() < Duration::from_secs(8),
        "what was given back is not waited for: {:?}",
        from.elapsed()
    );
    live.wait(outlives, &["running"]);
    let from = Instant::now();
    live.kill_and_start();
    assert!(from.elapsed() < Duration::from_secs(20), "{:?}", from.elapsed());
    assert_eq!(live.wait(done, &["completed"])["attempts"], 1);
    std::fs::write(&over, "").expect("a file");
    assert_eq!(live.wait(outlives, &["completed"])["attempts"], 1, "it was taken over, not begun again");

    assert!(live.end("TERM"));
    let elsewhere = tempfile::tempdir().expect("a folder");
    let said = refused(2, &store, elsewhere.path());
    assert!(said.contains("is kept in another folder"), "{said}");
    agrees(&store);
}

#[test]
fn a_server_that_slept_through_its_lease_acts_no_more() {
    let Some(cluster) = postgres::shared("a_server_that_slept_through_its_lease_acts_no_more") else {
        return;
    };
    let store = secret(cluster);
    let mut call = giga();
    call.stderr(Stdio::piped());
    let mut live = Live::start_on(&store, call);
    let over = live.folder.path().join("over");
    let outlives = live.submit(&until(&over));
    live.wait(outlives, &["running"]);
    // A server that sleeps in the middle of a start has the lock of its engine's folder, and keeps its successor waiting.
    let begun = over.with_extension("begun");
    let from = Instant::now();
    while !begun.exists() {
        assert!(from.elapsed() < Duration::from_secs(30), "its job does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    live.signal("STOP");
    // It will read this when it wakes.
    let bearer = format!("Bearer {}", live.access.token);
    let body = job("true");
    let mut late = live.open("POST", "/v1/jobs", &[("Authorization", &bearer)], &body);
    let mut first = live.replace();
    live.wait(outlives, &["running"]);
    let second = live.submit(&job("true"));
    live.wait(second, &["completed"]);

    send_signal(first.id(), "CONT");
    let mut answer = Vec::new();
    drop(late.read_to_end(&mut answer));
    let answer = String::from_utf8_lossy(&answer);
    assert!(!answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(first.wait().expect("it ends by itself").code(), Some(1));
    let mut said = String::new();
    first.stderr.take().expect("what it says").read_to_string(&mut said).expect("UTF-8");
    assert!(said.contains("another server took over") && said.contains("process"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");

    let third = live.submit(&job("true"));
    assert_eq!(third, second + 1, "nothing of the first came in between");
    std::fs::write(&over, "").expect("a file");
    assert_eq!(live.wait(outlives, &["completed"])["attempts"], 1);
    live.wait(third, &["completed"]);
    agrees(&store);
}

#[test]
fn submissions_ride_out_a_database_that_is_started_again() {
    let Some(cluster) = Cluster::start() else {
        assert!(postgres::shared("submissions_ride_out_a_database_that_is_started_again").is_none());
        return;
    };
    let store = secret(&cluster);
    let live = Live::start_on(&store, giga());
    let (over, count) = (AtomicBool::new(false), AtomicBool::new(false));
    let sent = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut sent = Vec::new();
            while !over.load(Ordering::Relaxed) {
                sent.push(live.submit(&job("true")));
                count.store(true, Ordering::Relaxed);
            }
            sent
        });
        for mode in ["fast", "immediate"] {
            while !count.swap(false, Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
            cluster.control(&["restart", "-m", mode]);
        }
        count.store(false, Ordering::Relaxed);
        while !count.load(Ordering::Relaxed) && !sender.is_finished() {
            std::thread::sleep(Duration::from_millis(5));
        }
        over.store(true, Ordering::Relaxed);
        sender.join().expect("each was taken")
    });
    assert_eq!(sent, (0..sent.len() as u64).collect::<Vec<_>>(), "each once");
    live.wait(*sent.last().expect("some were sent"), &["completed"]);
    agrees(&store);
}
