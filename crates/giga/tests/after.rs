//! Jobs that come after others, and arrays, through a live server: over a kill, by the verbs of the client.
#![cfg(all(feature = "live", unix))]

#[expect(dead_code, reason = "not every test uses all of a server")]
mod live;

use live::Live;
use serde_json::json;

/// A job that ends when its file appears.
fn gate(live: &Live, name: &str) -> (u64, std::path::PathBuf) {
    let path = live.folder.path().join(name);
    let run = format!("while ! [ -e {} ]; do sleep 0.05; done; exit $(cat {0})", path.display());
    (live.submit(&json!({"name": name, "project": "demo", "run": run}).to_string()), path)
}

/// What a verb prints, where it ends well.
#[track_caller]
fn told(live: &Live, verb: &[&str]) -> String {
    let output = live.verb(verb);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{verb:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// What is said against a call that is refused as wrong.
#[track_caller]
fn refused(live: &Live, verb: &[&str]) -> String {
    let output = live.verb(verb);
    assert_eq!(output.status.code(), Some(2), "{verb:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn state(live: &Live, job: u64) -> String {
    live.send("GET", &format!("/v1/jobs/{job}"), &[], "").json()["job"]["state"]
        .as_str()
        .expect("a state")
        .into()
}

#[test]
fn a_job_waits_for_those_before_it_also_over_a_kill() {
    let mut live = Live::start();
    let ((first, open), (second, broken)) = (gate(&live, "open"), gate(&live, "broken"));
    let after = |live: &Live, jobs: &str, kind: &str| {
        let text = told(live, &["submit", "--yes", "--json", kind, jobs, "--project", "demo", "--", "true"]);
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["id"].as_u64().expect("a number")
    };
    let (both, any) = (
        after(&live, &format!("{first}-{second}"), "--after"),
        after(&live, &second.to_string(), "--after-any"),
    );
    let (good, chain) =
        (after(&live, &first.to_string(), "--after"), after(&live, &both.to_string(), "--after"));
    let why = told(&live, &["job", "explain", &both.to_string()]);
    assert!(why.contains(&format!("it comes after job {first}, once that is completed")), "{why}");
    let plan = told(
        &live,
        &["submit", "--plan", "--after-any", &second.to_string(), "--project", "demo", "--", "true"],
    );
    assert!(plan.contains(&format!("it comes after job {second}, however that ends")), "{plan}");
    assert!(told(&live, &["sites"]).contains("4 jobs that wait for the end of other jobs"));

    live.kill_and_start();
    assert_eq!([both, any, good, chain].map(|job| state(&live, job)), ["waiting"; 4]);
    std::fs::write(&open, "0").expect("a write");
    live.wait(good, &["completed"]);
    assert_eq!([both, any, chain].map(|job| state(&live, job)), ["waiting"; 3]);
    live.kill_and_start();
    std::fs::write(&broken, "3").expect("a write");
    live.wait(any, &["completed"]);
    live.wait(chain, &["cancelled"]);
    assert_eq!(state(&live, both), "cancelled");
    let why = told(&live, &["job", "explain", &both.to_string()]);
    assert!(why.contains(&format!("job {second}, which it came after, ended as failed")), "{why}");
    let shown = told(&live, &["job", "show", &both.to_string()]);
    assert!(shown.contains(&format!("{first}, {second}")), "{shown}");

    // What is over: a completed one is waited for no more, a failed one is named.
    let late = after(&live, &format!("{first},{good}"), "--after");
    live.wait(late, &["completed"]);
    let fault = refused(
        &live,
        &["submit", "--yes", "--after", &second.to_string(), "--project", "demo", "--", "true"],
    );
    assert!(
        fault.contains(&format!("job {second} ended as failed, so it will never be completed")),
        "{fault}"
    );
    let fault = refused(&live, &["submit", "--yes", "--after", "999", "--project", "demo", "--", "true"]);
    assert!(fault.contains("there is no job `999`"), "{fault}");
}

#[test]
fn an_array_is_one_submission_of_many_jobs() {
    let live = Live::start();
    let (before, open) = gate(&live, "open");
    let out = live.folder.path().join("out");
    std::fs::create_dir(&out).expect("a folder");
    let run = format!("echo $GIGA_ARRAY_COUNT > {}/$GIGA_ARRAY_INDEX", out.display());
    let call = |more: &[&str]| {
        let after = before.to_string();
        let base = ["submit", "--name", "sweep", "--project", "demo", "--array", "12", "--after", &after];
        told(&live, &[&base[..], more, &["--", "/bin/sh", "-c", &run]].concat())
    };
    assert!(call(&["--plan"]).contains("these are 12 jobs"));
    let text = call(&["--yes", "--key", "k"]);
    let (first, last) = (before + 1, before + 12);
    assert!(text.contains(&format!("jobs {first}-{last} (sweep): the first of 12 is waiting")), "{text}");
    assert!(call(&["--yes", "--key", "k"]).contains("this key was used before"), "one key, one array");
    let count =
        || live.send("GET", "/v1/jobs?limit=1000", &[], "").json()["jobs"].as_array().expect("jobs").len();
    assert_eq!(count(), 13);

    let range = format!("{}-{last}", last - 1);
    let gone = told(&live, &["job", "cancel", &range]);
    assert_eq!(gone.matches("cancelled").count(), 2, "{gone}");
    let again = live.verb(&["job", "cancel", &format!("{last},{}", last + 1)]);
    assert_eq!(again.status.code(), Some(2), "the second one never was");

    std::fs::write(&open, "0").expect("a write");
    for job in first..last - 1 {
        assert_eq!(live.wait(job, &["completed"])["name"], format!("sweep-{}", job - first));
    }
    let mut written: Vec<String> = std::fs::read_dir(&out)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    written.sort_by_key(|name| name.parse::<u32>().expect("a number"));
    assert_eq!(written, (0..10).map(|index| index.to_string()).collect::<Vec<_>>());
    assert_eq!(std::fs::read_to_string(out.join("7")).expect("a text"), "12\n");

    // One task anew.
    let base = [
        "submit",
        "--yes",
        "--name",
        "again",
        "--project",
        "demo",
        "--array",
        "12",
        "--index",
        "11",
        "--follow",
    ];
    told(&live, &[&base[..], &["--", "/bin/sh", "-c", &run]].concat());
    assert!(out.join("11").exists());
}
