//! `giga job forecast` against a real server: what it says of a job that waits, and that one fork answers all callers.
#![cfg(feature = "live")]

#[expect(dead_code, reason = "not every test kills servers")]
mod live;

use giga_units::{Duration, Instant};
use live::Live;
use serde_json::{Value, json};

/// A job that holds a whole site of the built-in federation.
fn whole_site(limit: &str) -> String {
    let accelerators = json!({"accelerators": 8});
    json!({"project": "demo", "run": "sleep 600", "limit": limit, "resources": accelerators}).to_string()
}

fn forecast(live: &Live, job: u64) -> Value {
    let ended = live.verb(&["job", "forecast", &job.to_string(), "--json"]);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).expect("JSON")
}

#[track_caller]
fn instant(value: &Value) -> Instant {
    value.as_str().and_then(Instant::parse).unwrap_or_else(|| panic!("{value} is no time"))
}

/// The times of a range, in order.
#[track_caller]
fn range(value: &Value) -> [Instant; 3] {
    let times = ["earliest", "median", "latest"].map(|name| instant(&value[name]));
    assert!(times.is_sorted(), "{value}");
    times
}

#[test]
fn a_job_that_waits_starts_by_the_limit_of_what_it_waits_for() {
    let live = Live::start();
    let holders: Vec<u64> = (0..3).map(|_| live.submit(&whole_site("2 h"))).collect();
    let started = holders.iter().map(|job| instant(&live.wait(*job, &["running"])["started"])).max();
    let limit = started.expect("three of them") + Duration::hours(2);
    let waiting = live.submit(&whole_site("1 h"));
    live.wait(waiting, &["waiting"]);

    let view = forecast(&live, waiting);
    let made_at = instant(&view["made_at"]);
    let [earliest, _, latest] = range(&view["start"]);
    assert!(made_at < earliest && earliest < latest && latest <= limit, "{view}");
    let [first, _, last] = range(&view["end"]);
    assert!(earliest < first && last <= limit + Duration::hours(1), "{view}");
    let cost = &view["cost_microeuro"];
    assert!(cost["low"].as_i64() > Some(0) && cost["low"].as_i64() <= cost["high"].as_i64(), "{view}");
    assert!(view["energy_joule"]["median"].as_i64() > Some(0), "{view}");
    assert_eq!(view["futures"], 8);
    let basis = view["basis"].as_str().expect("a sentence");
    assert!(
        basis.contains("only 0 jobs have ended") && basis.contains("nothing that comes later"),
        "{basis}"
    );

    let running = forecast(&live, holders[0]);
    assert_eq!(running["start"], Value::Null, "it runs already");
    assert!(range(&running["end"])[2] <= limit, "{running}");

    let text = live.verb(&["job", "forecast", &waiting.to_string()]).stdout;
    let text = String::from_utf8(text).expect("UTF-8");
    assert!(text.contains("start (UTC)") && text.contains("median"), "{text}");
}

#[test]
fn one_fork_answers_all_callers() {
    let live = Live::start();
    let job = live.submit(&whole_site("2 h"));
    let made: Vec<Value> = std::thread::scope(|scope| {
        let callers: Vec<_> =
            (0..8).map(|_| scope.spawn(|| forecast(&live, job)["made_at"].clone())).collect();
        callers.into_iter().map(|caller| caller.join().expect("an answer")).collect()
    });
    assert!(made.iter().all(|at| *at == made[0]), "{made:?}");
    // One that came after the fork is not in it: its answer is the next one's, for the first as well.
    let later = live.submit(&whole_site("2 h"));
    let next = forecast(&live, later)["made_at"].clone();
    assert!(instant(&next) > instant(&made[0]), "{next}");
    assert_eq!(forecast(&live, job)["made_at"], next);
}

#[test]
fn a_job_that_is_over_has_no_forecast() {
    let live = Live::start();
    let job = live.submit(r#"{"project":"demo","run":"true"}"#);
    live.wait(job, &["completed"]);
    let answer = live.send("GET", &format!("/v1/jobs/{job}/forecast"), &[], "");
    assert_eq!((answer.status, &answer.json()["type"]), (409, &json!("/problems/job-over")));
    let ended = live.verb(&["job", "forecast", &job.to_string()]);
    assert_eq!(ended.status.code(), Some(2));
    let text = String::from_utf8(ended.stderr).expect("UTF-8");
    assert!(text.contains("is over: completed"), "{text}");
}

#[test]
fn run_times_are_learned_from_what_ended() {
    let live = Live::start();
    let quick: Vec<u64> =
        (0..20).map(|_| live.submit(r#"{"project":"demo","run":"true","limit":"1 h"}"#)).collect();
    quick.iter().for_each(|job| drop(live.wait(*job, &["completed"])));
    let job = live.submit(&whole_site("2 h"));
    live.wait(job, &["running"]);
    let view = forecast(&live, job);
    let basis = view["basis"].as_str().expect("a sentence");
    assert!(basis.contains("last 20 ended jobs of project `demo`"), "{basis}");
}
