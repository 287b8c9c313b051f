//! What operators tell sites, against a real server with real processes: they stop in time, protected work last, and come back.
//! And what a hospital is told of the sites where its data may not go.
#![cfg(all(feature = "live", unix))]

#[expect(dead_code, reason = "not every test uses all of a server")]
mod live;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use live::{Live, until};
use serde_json::{Value, json};

/// One site of two nodes with four accelerators each: 4 W idle, and 10 W for each accelerator that is held. Work of one
/// programme is protected.
const PROTECTED: &str = r#"
format = 1
name = "protected"
start = 2026-01-01
[[accelerator]]
name = "virtual"
per_node = 4
node_idle = "2 W"
node_max = "42 W"
cost = "100 EUR"
[[site]]
name = "kajaani"
country = "FI"
zone = "FI"
engine = "local"
facility_factor = 1
facility_cost = "0 EUR"
[site.failures]
enabled = false
[[site.phase]]
power = "100 W"
[[site.phase.pool]]
name = "main"
accelerator = "virtual"
accelerators = 8
[[owner]]
name = "union"
[[programme]]
name = "open"
[[programme]]
name = "vital"
protected = true
[[project]]
name = "demo"
programme = "open"
owner = "union"
[[project]]
name = "clinic"
programme = "vital"
owner = "union"
"#;

/// A job that holds so many accelerators, writes down its process, and stays.
fn stays(project: &str, accelerators: u32, pid: &Path) -> String {
    let run = format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 300", pid.display());
    json!({"project": project, "run": run, "resources": {"accelerators": accelerators}}).to_string()
}

/// The process that a job wrote down.
fn process(pid: &Path) -> PathBuf {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        if let Ok(text) = fs::read_to_string(pid) {
            return Path::new("/proc").join(text.trim());
        }
        assert!(Instant::now() < until, "no job wrote {}", pid.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A verb of the client with `--json`, and what it answered.
#[track_caller]
fn verb(live: &Live, call: &str) -> Value {
    let words: Vec<&str> = call.split_whitespace().chain(["--json"]).collect();
    let output = live.verb(&words);
    assert!(output.status.success(), "{call}: {output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn site(live: &Live, name: &str) -> Value {
    let sites = live.send("GET", "/v1/sites", &[], "").json()["sites"].clone();
    sites.as_array().into_iter().flatten().find(|site| site["name"] == name).expect("the site").clone()
}

/// The kinds of what happened, as it is told from the beginning on, up to the start of that attempt of all.
fn happened(live: &Live, starts: usize) -> String {
    let bearer = format!("Bearer {}", live.access.token);
    let headers = [("Authorization", bearer.as_str()), ("Last-Event-ID", "0")];
    let lines = BufReader::new(live.open("GET", "/v1/events", &headers, "")).lines().map_while(Result::ok);
    let bodies = lines.filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
    let mut left = starts;
    let mut kinds = Vec::new();
    for kind in bodies.map(|body| body["kind"].to_string()) {
        left -= usize::from(kind == "\"started\"");
        kinds.push(kind);
        if left == 0 {
            break;
        }
    }
    kinds.join(" ")
}

fn explained(live: &Live, job: u64) -> String {
    live.send("GET", &format!("/v1/jobs/{job}/explain"), &[], "").json()["sentences"].to_string()
}

#[test]
#[expect(clippy::print_stdout, reason = "the times are for the reader")]
fn a_limit_stops_processes_and_they_start_again_behind_it() {
    let live = Live::start();
    let pids = live.folder.path();
    let polite = live.submit(&stays("demo", 4, &pids.join("polite")));
    // Deaf to the first signal, so that it is killed at the end of its grace; not so in its second attempt.
    let deaf = pids.join("deaf");
    let run = format!(
        "[ -e {0} ] || trap '' TERM; echo $$ > {0}.new; mv {0}.new {0}; while :; do sleep 0.1; done",
        deaf.display()
    );
    let body = json!({"project": "demo", "run": run, "resources": {"accelerators": 4}});
    let deaf = live.submit(&body.to_string());
    let (first, second) = (process(&pids.join("polite")), process(&pids.join("deaf")));
    assert!(first.exists() && second.exists());

    let told = Instant::now();
    let answer = verb(&live, "limit kajaani 40W --for 13s");
    // The one that ran for less time loses less and goes first; that is a matter of milliseconds here.
    let mut sent_away: Vec<u64> = serde_json::from_value(answer["sent_away"].clone()).expect("numbers");
    sent_away.sort_unstable();
    assert_eq!((sent_away, &answer["short_milliwatt"]), (vec![polite, deaf], &json!(0)));
    assert_eq!(answer["site"]["power_ordered_milliwatt"], 4_000, "{answer}");
    assert_eq!(answer["site"]["limit"]["obeyed"], "ordered", "{answer}");
    until("the process that listens is gone", 10, || !first.exists());
    println!("from `giga limit` to the process gone: {} ms", told.elapsed().as_millis());
    assert_eq!(site(&live, "kajaani")["limit"]["obeyed"], "ordered", "one of them still runs");
    until("the deaf one is gone", 12, || !second.exists());
    println!("the same of one that does not listen: {} ms", told.elapsed().as_millis());
    until("its receipt is seen", 2, || site(&live, "kajaani")["limit"]["obeyed"] == "complied");
    assert!(explained(&live, polite).contains("the grid gave less"), "{}", explained(&live, polite));
    let shown = String::from_utf8(live.verb(&["sites"]).stdout).expect("UTF-8");
    assert!(shown.contains("kajaani may draw 40.0 W until"), "{shown}");

    // The limit ends by itself.
    for job in [polite, deaf] {
        until("it runs again", 10, || live.wait(job, &["running"])["attempts"] == 2);
    }
    assert_eq!(site(&live, "kajaani")["limit"], Value::Null);
    let second = live.send("GET", &format!("/v1/jobs/{polite}"), &[], "").json();
    assert_eq!(second["attempts"][0]["exit"], "the grid gave less", "{second}");
}

#[test]
fn protected_work_goes_last_and_what_can_not_be_met_is_said() {
    let live = Live::start_of(PROTECTED);
    let pids = live.folder.path();
    let vital = live.submit(&stays("clinic", 4, &pids.join("vital")));
    let open = live.submit(&stays("demo", 4, &pids.join("open")));
    let (first, second) = (process(&pids.join("vital")), process(&pids.join("open")));
    let limit = |power: &str| verb(&live, &format!("limit kajaani {power} --for 1h"));

    let answer = limit("50W");
    assert_eq!((&answer["sent_away"], &answer["short_milliwatt"]), (&json!([open]), &json!(0)));
    until("only open work is gone", 10, || !second.exists());
    assert!(first.exists(), "protected work goes on");
    let answer = limit("20W");
    assert_eq!((&answer["sent_away"], &answer["short_milliwatt"]), (&json!([vital]), &json!(24_000)));
    assert_eq!(answer["site"]["limit"]["breach_milliwatt"], 0);
    until("protected work is gone too", 10, || !first.exists());
    let answer = limit("3W");
    assert_eq!((&answer["sent_away"], &answer["short_milliwatt"]), (&json!([]), &json!(1_000)));
    assert_eq!(answer["site"]["limit"]["breach_milliwatt"], 1_000, "idle nodes alone draw 4 W");
    let answer = limit("100W");
    let notes = answer["notes"].as_array().expect("notes");
    assert_eq!(notes.last(), Some(&json!("it changes nothing: the connection has 100 W")), "{answer}");
    for job in [vital, open] {
        live.wait(job, &["running"]);
    }
    assert_eq!(verb(&live, "limit kajaani --end")["limit"], Value::Null);
    let told =
        String::from_utf8(live.verb(&["limit", "kajaani", "20W", "--for", "1h"]).stdout).expect("UTF-8");
    assert!(told.contains("sent away  2 jobs") && told.contains("short      by 24.0 W"), "{told}");
    let folder = live.folder.path().to_str().expect("UTF-8");
    let again = live.verb(&["simulate", "--journal", folder]);
    assert!(again.status.success(), "decided again in the twin: {again:?}");
}

#[test]
fn a_limit_set_by_hand_gives_way_to_the_described_one() {
    let described = "[[site.limit]]\nfrom = 2026-01-01\nfor = \"3650 d\"\npower = \"60 W\"\n[[owner]]\n";
    let mut live = Live::start_of(&PROTECTED.replacen("[[owner]]\n", described, 1));
    let power = |live: &Live| site(live, "kajaani")["limit"]["power_milliwatt"].clone();
    assert_eq!(power(&live), 60_000);
    let answer = verb(&live, "limit kajaani 40W --for 1h");
    let instead = answer["notes"][0].as_str().expect("a note");
    assert!(instead.starts_with("it takes the place of 60 W until 2035-"), "{answer}");
    let answer = verb(&live, "limit kajaani --end");
    let note = "the limit of 40 W is lifted; that of the description, 60 W, holds again";
    assert_eq!((&answer["limit"]["power_milliwatt"], &answer["notes"]), (&json!(60_000), &json!([note])));
    // One that ends by itself does the same.
    verb(&live, "limit kajaani 40W --for 1s");
    until("the described one is back", 5, || power(&live) == 60_000);
    // The described one is lifted like any other, for good.
    let answer = verb(&live, "limit kajaani --end");
    let note = answer["notes"][0].as_str().expect("a note");
    assert!(
        note.starts_with("the limit of 60 W is lifted, though the description has it until 2035-"),
        "{note}"
    );
    assert_eq!(answer["limit"], Value::Null);
    live.kill_and_start();
    assert_eq!(power(&live), Value::Null);
    let told = String::from_utf8(live.verb(&["limit", "kajaani", "--end"]).stdout).expect("UTF-8");
    assert_eq!(told, "kajaani: 0 running, 0 waiting\n  no limit was on\n");
    let folder = live.folder.path().to_str().expect("UTF-8");
    let again = live.verb(&["simulate", "--journal", folder]);
    assert!(again.status.success(), "decided again in the twin: {again:?}");
}

#[test]
fn a_drained_site_starts_nothing() {
    let mut live = Live::start();
    assert_eq!(verb(&live, "drain stuttgart")["drained"], true);
    // It may run nowhere else.
    let bound = live.submit(r#"{"project":"clinic","run":"true"}"#);
    assert!(explained(&live, bound).contains("its site is drained"), "{}", explained(&live, bound));
    live.kill_and_start();
    assert_eq!(site(&live, "stuttgart")["drained"], true, "what was answered outlives a crash");
    let shown = String::from_utf8(live.verb(&["sites"]).stdout).expect("UTF-8");
    assert!(shown.contains("stuttgart is drained"), "{shown}");
    // Others go where something starts.
    let elsewhere = live.submit(r#"{"project":"demo","run":"true"}"#);
    assert_ne!(live.wait(elsewhere, &["completed"])["site"], "stuttgart");
    assert_eq!(live.wait(bound, &["waiting"])["attempts"], 0);
    assert_eq!(verb(&live, "drain stuttgart")["notes"], json!(["it was drained already"]));
    let answer = verb(&live, "drain stuttgart --end");
    assert_eq!((&answer["drained"], &answer["notes"]), (&json!(false), &json!(["it takes work again"])));
    assert_eq!(verb(&live, "drain stuttgart --end")["notes"], json!(["it was not drained"]));
    live.wait(bound, &["completed"]);
}

#[test]
fn an_owner_gets_its_floor_back_from_who_borrowed_it() {
    let live = Live::start();
    // So that the only site with room is the one that the clinic may use.
    for name in ["kajaani", "barcelona"] {
        verb(&live, &format!("drain {name}"));
    }
    let pids = live.folder.path();
    let borrows = live.submit(&stays("demo", 8, &pids.join("borrows")));
    let first = process(&pids.join("borrows"));
    let run = "sleep 1; echo done";
    let body = json!({"project": "clinic", "run": run, "resources": {"accelerators": 4}});
    let claims = live.submit(&body.to_string());
    let plan = live.send("POST", "/v1/plan", &[], &body.to_string());
    assert_eq!(plan.status, 200, "{plan:?}");
    let told = happened(&live, 2);
    for kind in ["drained", "leaving", "claimed", "interrupted"] {
        assert!(told.contains(&format!("\"{kind}\"")), "{kind} is not in {told}");
    }
    until("who borrowed has left", 10, || !first.exists());
    assert_eq!(live.wait(claims, &["completed"])["attempts"], 1);
    until("it starts again", 10, || live.wait(borrows, &["running"])["attempts"] == 2);
    let told = live.send("GET", &format!("/v1/jobs/{borrows}"), &[], "").json();
    assert_eq!(told["attempts"][0]["exit"], "what it held was lent and was called back", "{told}");
}

#[test]
fn only_operators_tell_sites_and_faults_are_named() {
    let live = Live::start();
    let made = live.send("POST", "/v1/keys", &[], r#"{"name":"anna","role":"user","projects":["*"]}"#);
    let bearer = format!("Bearer {}", made.json()["token"].as_str().expect("a token"));
    let anna = [("Authorization", bearer.as_str())];
    for (verb, what) in [("POST", "limit"), ("DELETE", "limit"), ("POST", "drain"), ("DELETE", "drain")] {
        let answer = live.send_bare(verb, &format!("/v1/sites/kajaani/{what}"), &anna, "{}");
        assert_eq!(
            (answer.status, &answer.json()["type"]),
            (403, &json!("/problems/forbidden")),
            "{answer:?}"
        );
        let answer = live.send(verb, &format!("/v1/sites/kajani/{what}"), &[], "{}");
        assert_eq!((answer.status, &answer.json()["type"]), (404, &json!("/problems/unknown-site")));
        assert!(answer.body.contains("did you mean `kajaani`?"), "{answer:?}");
    }
    let limit = |body: &str| live.send("POST", "/v1/sites/kajaani/limit", &[], body);
    assert_eq!(limit("{").status, 400);
    let faulty = limit(r#"{"power": "lots", "for": "soon"}"#);
    assert_eq!((faulty.status, &faulty.json()["type"]), (422, &json!("/problems/faulty-limit")));
    let output = live.verb(&["limit", "kajaani", "30", "--for", "2h"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && text.contains("such as `100 W`"), "{text}");
    for call in [["limit", "kajaani", "-30W", "--for", "2h"], ["limit", "kajaani", "30W", "--for", "-2h"]] {
        let output = live.verb(&call);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && text.contains("is negative"), "{call:?}: {text}");
    }
    // Ending what is not on does nothing.
    assert_eq!(verb(&live, "limit kajaani --end")["limit"], Value::Null);
    assert_eq!(verb(&live, "drain kajaani --end")["drained"], false);
}

/// The built-in federation, with data that must not leave Germany.
fn with_scans() -> String {
    let built_in = include_str!("../src/up/local.toml");
    format!(
        "{built_in}\n[[dataset]]\nname = \"scans\"\nholder = \"clinic\"\nsize = \"1 TB\"\n\
         places = [\"kajaani\"]\ncountries = [\"DE\", \"FI\"]\nmay_leave = \"everything\"\n"
    )
}

#[test]
fn a_hospital_is_told_where_its_data_may_not_go() {
    let live = Live::start_of(&with_scans());
    let body =
        json!({"project": "demo", "run": "sleep 60", "data": ["scans"], "resources": {"accelerators": 8}});
    let plan = live.send("POST", "/v1/plan", &[], &body.to_string()).json();
    let of = |view: &Value, name: &str| {
        let choices = view["choices"].as_array().into_iter().flatten();
        choices.clone().find(|choice| choice["site"] == name).cloned().unwrap_or_default()
    };
    assert_eq!(plan["place"]["site"], "kajaani");
    let chosen = of(&plan, "kajaani");
    assert_eq!((&chosen["chosen"], &chosen["cost"]["wait_ms"]), (&json!(true), &json!(0)), "{plan}");
    assert_eq!(of(&plan, "stuttgart")["cost"]["wait_ms"], 800_000, "the data has to come first: {plan}");
    let forbidden = of(&plan, "barcelona")["forbidden"].clone();
    let text = "by its policy, data `scans` may be read in DE, FI only";
    assert_eq!((&forbidden["rule"], &forbidden["text"]), (&json!("data-forbids"), &json!(text)));

    let job = |count| (0..count).map(|_| live.submit(&body.to_string())).collect::<Vec<_>>();
    let waits = job(3)[2];
    let view = live.send("GET", &format!("/v1/jobs/{waits}/explain"), &[], "").json();
    assert_eq!(view["choices"].as_array().map(Vec::len), Some(3), "{view}");
    let shown = live.verb(&["job", "explain", &waits.to_string()]).stdout;
    let shown = String::from_utf8(shown).expect("UTF-8");
    assert!(shown.contains("chosen") && shown.contains("data-forbids: by its policy"), "{shown}");
    let restricted = json!({"project": "clinic", "run": "true"}).to_string();
    let plan = live.send("POST", "/v1/plan", &[], &restricted).json();
    assert_eq!(of(&plan, "kajaani")["forbidden"]["rule"], "project-sites", "{plan}");
}
