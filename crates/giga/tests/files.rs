//! What a job left in its folder, over a live federation: listed, fetched, and kept where its data says so.
#![cfg(all(feature = "live", target_os = "linux"))]

#[expect(dead_code, reason = "not every test loses connections")]
mod live;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use live::{Live, VIRTUAL, giga, site};
use serde_json::json;

const TEXT: &str = r#"[[dataset]]
name = "scans"
holder = "university hospital"
size = "1 MB"
places = ["clinic"]
may_leave = "aggregated"
[[programme]]
name = "p"
[[project]]
name = "demo"
programme = "p"
[[project]]
name = "other"
programme = "p"
"#;

fn server() -> Live {
    Live::start_of(&[VIRTUAL, &site("clinic", "FI", ""), TEXT].concat())
}

fn done(live: &Live, run: &str, more: &[(&str, serde_json::Value)]) -> u64 {
    let mut body = json!({ "project": "demo", "run": run });
    for (key, value) in more {
        body[key] = value.clone();
    }
    let job = live.submit(&body.to_string());
    live.wait(job, &["completed"]);
    job
}

fn verb(live: &Live, words: &[&str]) -> (Option<i32>, String) {
    let output = live.verb(words);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn files_of_a_job_are_listed_and_fetched() {
    let live = server();
    let script = "mkdir -p 'out/a b'; head -c 1000000 /dev/zero > out/model.pt; echo text > 'out/a b/ü'; ln -s /etc/passwd out/pw";
    let job = done(&live, script, &[]).to_string();
    let (code, text) = verb(&live, &["job", "files", &job]);
    assert_eq!((code, text.as_str()), (Some(0), "             folder  out/\n"));
    let (_, text) = verb(&live, &["job", "files", &job, "--path", "out"]);
    assert!(text.contains("1,000,000  model.pt") && text.contains("link  pw"), "{text}");
    let here = tempfile::tempdir().expect("a folder");
    let target = here.path().join("model");
    let path = target.to_str().expect("a plain path");
    let (code, text) = verb(&live, &["job", "get", &job, "out/model.pt", "-o", path]);
    assert_eq!(code, Some(0), "{text}");
    assert!(fs::read(&target).expect("a file") == vec![0; 1_000_000]);
    assert_eq!(verb(&live, &["job", "get", &job, "out/a b/ü", "-o", "-"]), (Some(0), "text\n".into()));
    let mut call = giga();
    call.current_dir(here.path())
        .args(["job", "get", &job, "out/model.pt", "--data"])
        .arg(live.folder.path());
    assert!(call.output().expect("a run").status.success());
    let output = call.output().expect("a run");
    assert_eq!(output.status.code(), Some(2), "nothing is overwritten unasked: {output:?}");
    for (path, piece) in [("out/pw", "leads out"), ("../../lock", "leads out"), ("none", "No such file")] {
        let (code, text) = verb(&live, &["job", "get", &job, path, "-o", "-"]);
        assert!(code == Some(2) && text.contains(piece), "{path}: {text}");
    }
    let status = |path: &str| live.send("GET", &format!("/v1/jobs/{job}/files{path}"), &[], "").status;
    assert_eq!(
        ["/out/model.pt", "/out%2Fmodel.pt", "/out", "?path=out/pw"].map(status),
        [200, 200, 409, 403]
    );
    assert_eq!(
        ["/%2Fetc%2Fpasswd", "/..%2Fx", "/out/..%2f..%2F..%2Flock", "/a%00b"].map(status),
        [403, 403, 403, 409]
    );
    assert_eq!(live.send_bare("GET", &format!("/v1/jobs/{job}/files/out/model.pt"), &[], "").status, 401);
}

#[test]
fn what_a_call_sends_lies_in_the_folder_of_the_job() {
    let live = server();
    let here = tempfile::tempdir().expect("a folder");
    let program = here.path().join("code/run.sh");
    fs::create_dir_all(here.path().join("code/conf")).expect("a folder");
    fs::write(here.path().join("code/conf/a b"), "settings").expect("a write");
    fs::write(&program, "#!/bin/sh\ncat \"$(dirname \"$0\")/conf/a b\"\n").expect("a write");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("rights");
    let submit = |words: &[&str]| {
        let mut call = giga();
        call.current_dir(here.path()).args(["submit", "--project", "demo"]).args(words);
        let output =
            call.arg("--data").arg(live.folder.path()).args(["--", "code/run.sh"]).output().expect("a run");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    };
    let (code, text) = submit(&["--send", "code", "--yes", "--follow"]);
    assert!(code == Some(0) && text.contains("settings"), "{text}");
    let (code, text) = submit(&["--send", "code", "--array", "2", "--yes", "--json"]);
    let accepted: serde_json::Value = serde_json::from_str(&text).expect("an answer");
    let first = accepted["id"].as_u64().expect("a number");
    assert_eq!((code, accepted["tasks"].as_u64()), (Some(0), Some(2)));
    (first..first + 2).for_each(|job| drop(live.wait(job, &["completed"])));
    let (code, text) = submit(&["--plan"]);
    let note = "`code/run.sh` is looked for in the job's own folder; `--send code/run.sh` puts it there";
    assert!(code == Some(0) && text.contains(note), "{text}");
    let (code, text) = submit(&["--send", "nowhere"]);
    assert!(code == Some(2) && text.contains("`nowhere` can not be sent: No such file"), "{text}");
    let faulty = json!({ "project": "demo", "run": "true", "files": { "../x": "" } }).to_string();
    let answer = live.send("POST", "/v1/jobs", &[], &faulty);
    assert!(answer.status == 422 && answer.body.contains("is no path of a file"), "{}", answer.body);
}

#[test]
fn who_may_not_read_the_output_gets_no_files_and_data_stays() {
    let live = server();
    let job = done(&live, "echo x > x", &[]);
    let kept = done(&live, "echo x > x", &[("data", json!(["scans"]))]);
    let sums = done(&live, "echo x > x", &[("data", json!(["scans"])), ("leaving", json!("aggregated"))]);
    let elsewhere = done(&live, "true", &[("workdir", json!("/tmp"))]);
    let answer = |job: u64| {
        let answer = live.send("GET", &format!("/v1/jobs/{job}/files/x"), &[], "");
        (answer.status, answer.body)
    };
    assert_eq!([answer(job), answer(sums)], [(200, "x\n".into()), (200, "x\n".into())]);
    let (status, text) = answer(kept);
    assert!(status == 403 && text.contains("nothing of it leaving the site"), "{text}");
    assert_eq!(live.send("GET", &format!("/v1/jobs/{kept}/files"), &[], "").status, 403);
    let (status, text) = answer(elsewhere);
    assert!(status == 409 && text.contains("only files of a job's own folder"), "{text}");
    let made = live.verb(&["key", "create", "stranger", "--project", "other", "--json"]);
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).expect("a key");
    let token = format!("Bearer {}", made["token"].as_str().expect("a token"));
    for path in ["/files", "/files/x"] {
        let path = format!("/v1/jobs/{job}{path}");
        assert_eq!(live.send_bare("GET", &path, &[("authorization", &token)], "").status, 404);
    }
}
