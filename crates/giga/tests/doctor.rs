//! What `giga doctor` finds: a sound set-up, and each fault with the way out.
#![cfg(all(feature = "live", target_os = "linux"))]

#[expect(dead_code, reason = "not every test uses all of a server")]
mod live;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use live::{Live, giga};
use serde_json::Value;

/// The exit code and every check by name.
#[track_caller]
fn doctor(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let mut call = giga();
    call.arg("doctor").args(arguments).args(["--json", "--data"]).arg(folder);
    if !arguments.contains(&"--listen") {
        call.args(["--listen", "127.0.0.1:0"]);
    }
    let output = call.output().expect("it runs");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (output.status.code().expect("it ends by itself"), report)
}

/// The check fails or warns with these pieces, and its way out is told.
#[track_caller]
fn finds(report: &Value, name: &str, state: &str, piece: &str) {
    let checks = report["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["check"] == name && check["state"] == state);
    let check = check.unwrap_or_else(|| panic!("no `{name}` with {state} in {report:#}"));
    assert!(check["text"].as_str().expect("a text").contains(piece), "{check}");
    assert_eq!(check["help"] == "", state == "ok", "{check}");
}

fn closed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("a change of rights");
    folder
}

#[test]
fn a_sound_set_up_has_nothing_that_fails() {
    let folder = closed();
    let (code, report) = doctor(&folder.path().join("new"), &[]);
    assert_eq!(code, 0, "{report:#}");
    finds(&report, "data folder", "ok", "not there yet; `giga up` makes it");
    assert!(!folder.path().join("new").exists(), "it changes nothing");
    let mut live = Live::start();
    let (code, report) = doctor(live.folder.path(), &[]);
    assert_eq!(code, 0, "{report:#}");
    finds(&report, "lock", "ok", "held by the server that answers");
    finds(&report, "port", "ok", "the server of the data folder answers at http://127.0.0.1:");
    finds(&report, "description", "ok", "3 sites, as the data folder has it");
    finds(&report, "site kajaani", "ok", "8 accelerators");
    let job = live.submit(r#"{"project":"demo","run":"true"}"#);
    live.wait(job, &["completed"]);
    assert!(live.end("TERM"));
    let (code, report) = doctor(live.folder.path(), &[]);
    assert_eq!(code, 0, "{report:#}");
    finds(&report, "lock", "ok", "no server works here");
    finds(&report, "store", "ok", "a snapshot behind record");
    finds(&report, "clock and journal", "ok", "the last record is of");
}

#[test]
fn a_folder_that_others_may_enter_and_a_token_that_others_may_read() {
    let mut live = Live::start();
    assert!(live.end("TERM"));
    let path = live.folder.path();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a change of rights");
    fs::set_permissions(path.join("access.json"), fs::Permissions::from_mode(0o644)).expect("another");
    let (code, report) = doctor(path, &[]);
    assert_eq!(code, 1);
    finds(&report, "data folder", "warn", "others may enter");
    finds(&report, "access file", "fail", "others may read");
}

#[test]
fn a_description_that_is_faulty_or_another() {
    let mut live = Live::start();
    assert!(live.end("TERM"));
    let other = live.folder.path().join("other.toml");
    let built_in = include_str!("../src/up/local.toml");
    fs::write(&other, built_in.replace("kajaani", "oulu")).expect("a write");
    let other = other.to_str().expect("UTF-8");
    let (code, report) = doctor(live.folder.path(), &[other]);
    assert_eq!(code, 1);
    finds(&report, "description", "fail", "is not the one that the data folder was begun with");
    fs::write(other, "format = 1\nnme = \"x\"\n").expect("a write");
    finds(&doctor(live.folder.path(), &[other]).1, "description", "fail", "other.toml:2:1");
    let folder = closed();
    let nvidia = folder.path().join("nvidia.toml");
    fs::write(&nvidia, built_in.replace("engine = \"local\"", "engine = \"local-nvidia\"")).expect("a write");
    let (_, report) = doctor(&folder.path().join("new"), &[nvidia.to_str().expect("UTF-8")]);
    // A machine with 24 devices for 24 made-up accelerators runs no tests.
    finds(&report, "site barcelona", "fail", "NVIDIA devices left");
}

#[test]
fn a_port_that_is_taken_and_a_store_of_a_later_version() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = closed();
    let (code, report) = doctor(&folder.path().join("new"), &["--listen", &address]);
    assert_eq!(code, 1);
    finds(&report, "port", "fail", "can not be listened on");
    let (_, report) = doctor(&folder.path().join("new"), &["--listen", "0.0.0.0:7474"]);
    finds(&report, "port", "fail", "can be reached from other machines");
    let mut live = Live::start();
    assert!(live.end("TERM"));
    let file = rusqlite::Connection::open(live.folder.path().join("giga.db")).expect("it opens");
    file.execute("UPDATE about SET value = 99 WHERE name = 'format'", []).expect("it writes");
    let (code, report) = doctor(live.folder.path(), &[]);
    assert_eq!(code, 1);
    finds(&report, "store", "fail", "format 99");
}

#[test]
fn a_server_that_hangs_and_lines_for_people() {
    let mut live = Live::start();
    let pid = live.pid().to_string();
    let signal = |name: &str| {
        let sent = std::process::Command::new("kill").args([name, &pid]).status().expect("`kill` runs");
        assert!(sent.success());
    };
    signal("-STOP");
    let (_, report) = doctor(live.folder.path(), &[]);
    signal("-CONT");
    finds(&report, "lock", "warn", "a server holds it and does not answer");
    assert!(live.end("TERM"));
    let output = giga().args(["doctor", "--data"]).arg(live.folder.path()).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.starts_with("ok    giga") && text.contains(" failed\n"), "{text}");
}
