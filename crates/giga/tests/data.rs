//! Data on a live federation: what a hospital asks, answered by commands; copies over kills; jobs that find what they read.
#![cfg(all(feature = "live", target_os = "linux"))]

#[expect(dead_code, reason = "not every test loses connections")]
mod live;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use live::{Live, VIRTUAL, site};
use serde_json::{Value, json};

/// Two sites in Finland and one in Spain. `atlas` may be copied within Finland, `scans` stays at the clinic.
const TEXT: &str = r#"[network]
rate = "1 Gbit/s"
cost_per_terabyte = "20 EUR"
[[dataset]]
name = "atlas"
holder = "university"
size = "40 MB"
places = ["clinic"]
countries = ["FI"]
may_leave = "everything"
[[dataset]]
name = "scans"
holder = "university hospital"
size = "1 MB"
places = ["clinic"]
countries = ["FI"]
may_leave = "aggregated"
assurance = 3
[[programme]]
name = "p"
[[project]]
name = "demo"
programme = "p"
[[project]]
name = "afar"
programme = "p"
sites = ["coast"]
[[project]]
name = "hall-only"
programme = "p"
sites = ["hall"]
"#;

/// A server over that.
fn server() -> Live {
    let site = |(name, country, assurance)| site(name, country, &format!("assurance = {assurance}\n"));
    let sites = [("clinic", "FI", 3), ("hall", "FI", 1), ("coast", "ES", 1)].map(site);
    Live::start_of(&[VIRTUAL, &sites.concat(), TEXT].concat())
}

fn area(live: &Live, site: &str) -> PathBuf {
    live.folder.path().join("sites").join(site)
}

/// Puts a file of so many bytes where a dataset lies.
fn put(live: &Live, site: &str, dataset: &str, path: &str, bytes: usize) {
    let path = area(live, site).join("data").join(dataset).join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let bytes: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
    fs::write(path, bytes).expect("a write");
}

/// What a verb printed, and how it ended.
fn said(live: &Live, call: &str) -> (Option<i32>, String) {
    let output = live.verb(&call.split_whitespace().collect::<Vec<_>>());
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).expect("UTF-8"))
}

#[track_caller]
fn says(live: &Live, call: &str, code: i32, pieces: &[&str]) -> String {
    let (found, text) = said(live, call);
    assert_eq!(found, Some(code), "{call}: {text}");
    for piece in pieces {
        assert!(text.contains(piece), "{call} does not say `{piece}`: {text}");
    }
    text
}

fn detail(live: &Live, dataset: &str) -> Value {
    live.send("GET", &format!("/v1/datasets/{dataset}"), &[], "").json()
}

fn copy<'v>(detail: &'v Value, site: &str) -> &'v Value {
    let copies = detail["dataset"]["copies"].as_array().expect("a list");
    copies.iter().find(|copy| copy["site"] == site).unwrap_or(&Value::Null)
}

#[test]
fn a_data_protection_officer_gets_answers() {
    let live = server();
    put(&live, "clinic", "scans", "2026/one.dcm", 1000);
    put(&live, "clinic", "scans", "2026/two.dcm", 2000);
    says(&live, "dataset list", 0, &["scans", "university hospital", "clinic (declared)", "not registered"]);
    says(&live, "dataset add scans", 0, &["looked through at clinic, 3.00 kB in"]);
    says(&live, "dataset list", 0, &["3.00 kB", "2  clinic"]);

    // Where does it lie, can it leave, who may read it where?
    let pieces = [
        "scans, held by university hospital",
        "2 files",
        "clinic  verified",
        "the data may not leave its places; aggregates over many records may",
        "it may be processed in FI only",
        "clinic (FI)  yes",
        "hall (FI)  no, by `assurance`: it asks for assurance level 3, and this site has 1",
        "coast (ES)  no, by `countries`: it may be read in FI only",
        "nobody",
    ];
    says(&live, "dataset show scans", 0, &pieces);

    // It leaves by no route, and the rule is named.
    let rule = "by `may_leave` of its policy, data `scans` has `may_leave = \"aggregated\"`";
    for site in ["hall", "coast", "clinic"] {
        says(&live, &format!("dataset stage scans --to {site} --plan"), 2, &[rule]);
        says(&live, &format!("dataset stage scans --to {site}"), 2, &[rule]);
    }
    says(&live, "dataset add scans --at coast", 2, &["by `countries` of its policy, data `scans`"]);

    // Who read it?
    let run = json!({"project": "demo", "data": ["scans"], "leaving": "aggregated",
        "run": "cat $GIGA_DATA_SCANS/2026/*.dcm | wc -c"});
    let job = live.submit(&run.to_string());
    assert_eq!(live.wait(job, &["completed", "failed"])["state"], "completed");
    says(&live, &format!("job logs {job}"), 0, &["3000"]);
    says(&live, "dataset show scans", 0, &["demo     clinic         1", "aggregated, as the jobs said"]);

    // A byte that changed is found, told, and read by nobody.
    let file = area(&live, "clinic").join("data/scans/2026/one.dcm");
    let mut bytes = fs::read(&file).expect("a file");
    bytes[500] ^= 1;
    fs::write(&file, bytes).expect("a write");
    let pieces = ["failed: it is not what is registered: `2026/one.dcm` has other bytes"];
    says(&live, "dataset add scans", 1, &pieces);
    says(&live, "dataset show scans", 0, &["clinic  differs"]);
    let job = live.submit(&run.to_string());
    let exit = live.wait(job, &["completed", "failed"]);
    assert!(exit["exit"].as_str().is_some_and(|text| text.contains("has other bytes")), "{exit}");
    fs::remove_dir_all(area(&live, "clinic").join("data/scans")).expect("a folder");
    assert_eq!(copy(&detail(&live, "scans"), "clinic")["state"], "missing");
    says(&live, "dataset add scans", 2, &["there is no such folder"]);
    says(&live, "dataset show scan", 2, &["did you mean `scans`?", "is not supported"]);
}

#[test]
fn users_see_what_their_projects_may_read_and_change_nothing() {
    let live = server();
    put(&live, "clinic", "atlas", "a", 10);
    says(&live, "dataset add atlas", 0, &[]);
    let key = |name: &str, project: &str| {
        let call = format!("key create {name} --project {project}");
        let output = live.verb(&call.split_whitespace().collect::<Vec<_>>());
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    };
    let send = |token: &str, verb: &str, path: &str, body: &str| {
        live.send_bare(verb, path, &[("Authorization", &format!("Bearer {token}"))], body)
    };
    let (near, far) = (key("near", "demo"), key("far", "afar"));
    let list = send(&near, "GET", "/v1/datasets", "").json();
    assert_eq!(list["datasets"].as_array().map(Vec::len), Some(2), "{list}");
    assert_eq!(list["datasets"][0]["copies"][0]["path"], Value::Null, "no paths of the server");
    let shown = send(&near, "GET", "/v1/datasets/atlas", "").json();
    assert_eq!((&shown["tasks"], &shown["reads"]), (&json!([]), &json!([])));
    let none = send(&far, "GET", "/v1/datasets", "").json();
    assert_eq!(none, json!({"datasets": []}), "its site may read none of them");
    assert_eq!(send(&far, "GET", "/v1/datasets/atlas", "").status, 404);
    for (path, body) in [("copies", "{}"), ("stage", r#"{"to":"hall"}"#), ("stage/plan", r#"{"to":"hall"}"#)]
    {
        let answer = send(&near, "POST", &format!("/v1/datasets/atlas/{path}"), body);
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    assert!(!area(&live, "hall").join("data").exists());
    for path in ["copies", "stage", "stage/plan"] {
        for body in [
            "{",
            "[]",
            "null",
            r#"{"to": 5}"#,
            r#"{"to": "moon"}"#,
            r#"{"site": "moon"}"#,
            r#"{"path": "\u0000"}"#,
        ] {
            let answer = live.send("POST", &format!("/v1/datasets/atlas/{path}"), &[], body);
            assert!((400..500).contains(&answer.status), "{path} {body}: {answer:?}");
        }
    }
}

#[test]
fn a_staging_survives_kills_of_the_server() {
    let mut live = server();
    for number in 0..40 {
        put(&live, "clinic", "atlas", &format!("{}/{number}.bin", number % 3), 4_000_000 + number);
    }
    says(&live, "dataset add atlas", 0, &["160.00 MB"]);
    let plan = ["160.00 MB in 40 files from clinic to hall", "1.3 s at 1 Gbit/s, 0.0032 EUR"];
    let text = says(&live, "dataset stage atlas --to hall --plan", 0, &plan);
    assert!(!area(&live, "hall").join("staging").exists(), "a plan does nothing: {text}");
    says(&live, "dataset stage atlas --to coast", 2, &["by `countries` of its policy"]);
    says(&live, "dataset stage atlas --to hall --no-wait", 0, &plan);
    let target = area(&live, "hall").join("data/atlas");
    let mut in_a_copy = 0;
    for delay in [15, 40, 5, 25] {
        std::thread::sleep(Duration::from_millis(delay));
        in_a_copy += u32::from(!target.exists());
        live.kill_and_start();
        if target.exists() {
            same(&area(&live, "clinic").join("data/atlas"), &target);
        }
    }
    assert!(in_a_copy > 0, "each kill came too late");
    until_there(&live, "atlas", "hall");
    same(&area(&live, "clinic").join("data/atlas"), &target);
    let (aside, until) =
        (area(&live, "hall").join("staging/atlas"), Instant::now() + Duration::from_secs(10));
    while aside.exists() {
        assert!(Instant::now() < until, "something is left aside");
        std::thread::sleep(Duration::from_millis(10));
    }
    let shown = detail(&live, "atlas");
    let staged = shown["tasks"].as_array().expect("a list").iter().filter(|task| task["kind"] == "stage");
    let staged: Vec<&Value> = staged.collect();
    assert_eq!((staged.len(), &staged[0]["state"]), (1, &json!("done")), "one, over all starts: {shown}");
    assert_eq!(staged[0]["cost_microeuro"], json!(3200));
    says(&live, "dataset stage atlas --to hall", 0, &["nothing is moved"]);
    says(
        &live,
        "dataset show atlas",
        0,
        &["staged clinic to hall, 160.00 MB in", "(planned 1.3 s, 0.0032 EUR)"],
    );
    // What was changed there by hand is found, and mended by taking it away.
    let file = target.join("0/0.bin");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a change of rights");
    fs::write(&file, "x").expect("a write");
    says(&live, "dataset add atlas --at hall", 1, &["`0/0.bin` has 1 bytes instead of 4000000"]);
    says(&live, "dataset stage atlas --to hall", 1, &["move it away and stage again"]);
    fs::remove_dir_all(&target).expect("a folder");
    says(&live, "dataset stage atlas --to hall", 0, &["staged clinic to hall"]);
    same(&area(&live, "clinic").join("data/atlas"), &target);
}

#[track_caller]
fn until_there(live: &Live, dataset: &str, site: &str) {
    let until = Instant::now() + Duration::from_secs(60);
    while copy(&detail(live, dataset), site)["state"] != "verified" {
        assert!(Instant::now() < until, "{}", detail(live, dataset));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[track_caller]
fn same(one: &Path, other: &Path) {
    let output = std::process::Command::new("diff").arg("-r").args([one, other]).output().expect("diff runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_job_starts_once_its_data_is_there_and_finds_it() {
    let live = server();
    for number in 0..20 {
        put(&live, "clinic", "atlas", &format!("{number}.bin"), 1_000_000);
    }
    let run = "echo in $GIGA_SITE; cat $GIGA_DATA_ATLAS/*.bin | wc -c";
    let body =
        json!({"project": "hall-only", "data": ["atlas"], "leaving": "everything", "run": run}).to_string();
    // Nothing is registered: nothing is promised, as before.
    let unset = json!({"project": "hall-only", "data": ["atlas"], "run": "echo [${GIGA_DATA_ATLAS-unset}]"});
    let job = live.submit(&unset.to_string());
    live.wait(job, &["completed"]);
    says(&live, &format!("job logs {job}"), 0, &["[unset]"]);
    let plan = "submit --project hall-only --dataset atlas --plan -- true";
    says(&live, plan, 0, &["nothing is registered of data `atlas`, so `GIGA_DATA_ATLAS` is not set for it"]);
    says(&live, "dataset add atlas --at clinic", 0, &[]);
    says(&live, plan, 0, &["data `atlas` is copied to hall first"]);
    let jobs = [live.submit(&body), live.submit(&body)];
    for job in jobs {
        let view = live.wait(job, &["completed", "failed"]);
        assert_eq!(view["state"], "completed", "{view}");
        says(&live, &format!("job logs {job}"), 0, &["in hall", "20000000"]);
    }
    let shown = detail(&live, "atlas");
    let tasks = shown["tasks"].as_array().expect("a list");
    let staged: Vec<&Value> = tasks.iter().filter(|task| task["kind"] == "stage").collect();
    assert_eq!(staged.len(), 1, "two jobs, one copy: {shown}");
    assert_eq!(staged[0]["by_token"], json!(format!("job {}", jobs[0])));
    // What was taken away is brought again; what changed at its source reaches no job.
    fs::remove_dir_all(area(&live, "hall").join("data/atlas")).expect("a folder");
    let view = live.wait(live.submit(&body), &["completed", "failed"]);
    assert_eq!(view["state"], "completed", "{view}");
    fs::remove_dir_all(area(&live, "hall").join("data/atlas")).expect("a folder");
    put(&live, "clinic", "atlas", "7.bin", 999_999);
    let view = live.wait(live.submit(&body), &["completed", "failed"]);
    let why = "could not be brought to site `hall`: `7.bin` is not what is registered where it comes from";
    assert!(view["exit"].as_str().is_some_and(|text| text.contains(why)), "{view}");
    assert!(!area(&live, "hall").join("data/atlas").exists());
}

#[test]
fn a_folder_of_the_hospitals_own_is_registered_where_it_is() {
    let live = server();
    let own = tempfile::tempdir().expect("a folder");
    fs::write(own.path().join("scan"), "bytes").expect("a write");
    let call = format!("dataset add scans --at clinic --path {}", own.path().display());
    says(&live, &call, 0, &["looked through at clinic, 5 B in"]);
    let run = json!({"project": "demo", "data": ["scans"], "run": "cat $GIGA_DATA_SCANS/scan"});
    let job = live.submit(&run.to_string());
    live.wait(job, &["completed"]);
    says(&live, &format!("job logs {job}"), 0, &["bytes"]);
    let call = format!("dataset add scans --at clinic --path {}", live.folder.path().display());
    says(&live, &call, 2, &["it belongs to the server"]);
    says(&live, "dataset add nothing", 2, &["there is no dataset `nothing`", "`atlas`, `scans`"]);
}
