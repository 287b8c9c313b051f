//! Jobs in containers on a live federation, with a real runtime and an image of the test's own.
#![cfg(all(feature = "live", target_os = "linux"))]

#[path = "../../giga-engine/tests/bench/image.rs"]
mod image;
#[expect(dead_code, reason = "not every test loses connections")]
mod live;

use std::fs;

use live::{Live, VIRTUAL, site};
use serde_json::{Value, json};

/// Two sites: `north` runs containers, `south` is the first and costs the same.
const TEXT: &str = r#"[[dataset]]
name = "scans"
holder = "university hospital"
size = "1 MB"
places = ["north"]
[[programme]]
name = "p"
[[project]]
name = "demo"
programme = "p"
[[project]]
name = "south-only"
programme = "p"
sites = ["south"]
"#;

fn server() -> Live {
    let sites = [("south", ""), ("north", "containers = \"charliecloud\"\n")]
        .map(|(name, more)| site(name, "FI", more));
    Live::start_of(&[VIRTUAL, &sites.concat(), TEXT].concat())
}

fn verb(live: &Live, words: &[&str]) -> (Option<i32>, String) {
    let output = live.verb(words);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[track_caller]
fn says(live: &Live, words: &[&str], code: i32, pieces: &[&str]) -> String {
    let (found, text) = verb(live, words);
    assert_eq!(found, Some(code), "{words:?}: {text}");
    for piece in pieces {
        assert!(text.contains(piece), "{words:?} does not say `{piece}`: {text}");
    }
    text
}

/// The words of a submission that is followed, with an image.
fn submission<'a>(image: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["submit", "--yes", "--follow", "--project", "demo", "--container", image][..], more].concat()
}

#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
#[test]
fn a_container_goes_where_one_runs_and_comes_back_with_its_code() {
    let image = match image::image() {
        Ok(image) => image,
        Err(why) => return println!("skipped: jobs in containers: {why}"),
    };
    let live = server();
    let folder = image.path().to_str().expect("a plain path");
    // The data of a job is there and can not be changed.
    let scans = live.folder.path().join("sites/north/data/scans");
    fs::create_dir_all(&scans).expect("a folder");
    fs::write(scans.join("one"), "a scan\n").expect("a file");
    says(&live, &["dataset", "add", "scans", "--at", "north"], 0, &[]);
    let script =
        "ls /made-by-a-test; cat $GIGA_DATA_SCANS/one; rm $GIGA_DATA_SCANS/one || echo at $GIGA_SITE; exit 7";
    let more = ["--dataset", "scans", "--", "sh", "-c", script];
    let text = says(&live, &submission(folder, &more), 1, &["/made-by-a-test\na scan\n", "at north\n"]);
    assert!(scans.join("one").exists(), "{text}");
    says(&live, &["job", "show", "0"], 0, &["exit code 7", "container", folder, "north"]);
    // What was told to leave has its grace.
    let script = "trap 'echo saved; exit 0' TERM; echo begun; sleep 1000 & wait";
    let body = json!({ "project": "demo", "container": folder, "run": ["sh", "-c", script] });
    let id = live.submit(&body.to_string()).to_string();
    live::until("it began", 20, || verb(&live, &["job", "logs", &id]).1.contains("begun"));
    says(&live, &["job", "cancel", &id], 0, &[]);
    live::until("it saved itself", 20, || verb(&live, &["job", "logs", &id]).1.contains("saved"));
    says(&live, &["job", "logs", &id], 0, &["begun\nsaved\n"]);
    // What is not there is told with the way out.
    says(&live, &submission("/no/such/image", &["--", "true"]), 1, &[]);
    says(&live, &["job", "show", "2"], 0, &["image `/no/such/image`", "put it there, or name another"]);
    says(&live, &submission("docker://debian:12", &["--", "true"]), 1, &[]);
    says(&live, &["job", "show", "3"], 0, &["runs folders and no references"]);
}

#[test]
fn a_rule_says_where_no_container_runs() {
    let live = server();
    let plan = ["submit", "--plan", "--project", "demo", "--container", "/images/x", "--", "true"];
    says(&live, &plan, 0, &["no-containers: it runs no containers", "north"]);
    let nowhere = ["submit", "--yes", "--project", "south-only", "--container", "/images/x", "--", "true"];
    says(&live, &nowhere, 2, &["no site of the project runs containers"]);
    let faulty = json!({ "project": "demo", "container": "x.sif", "run": ["true"] });
    let answer: Value = live.send("POST", "/v1/plan", &[], &faulty.to_string()).json();
    assert_eq!(answer["faults"][0]["field"], "container", "{answer}");
}
