//! The edges of a live server: who else is on the machine, what is left behind, what comes in too large a number.
#![cfg(all(feature = "live", unix))]

#[expect(dead_code, reason = "not every test uses all of a server")]
mod live;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use live::{Live, giga};
use serde_json::Value;

#[test]
fn others_of_the_machine_can_not_look_in() {
    let mut live = Live::start();
    let mode = |live: &Live| fs::metadata(live.folder.path()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&live), 0o700);
    assert!(live.end("TERM"));
    // As an earlier version left it.
    fs::set_permissions(live.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    live.stop_and_start();
    assert_eq!(mode(&live), 0o700);
}

/// The ids and kinds of the first events behind a place.
fn events(live: &Live, last: &str, count: usize) -> Vec<(String, String)> {
    let bearer = format!("Bearer {}", live.access.token);
    let headers = [("Authorization", bearer.as_str()), ("Last-Event-ID", last)];
    let mut lines =
        BufReader::new(live.open("GET", "/v1/events", &headers, "")).lines().map_while(Result::ok);
    let mut told = Vec::new();
    while told.len() < count {
        let mut value = |name: &str| {
            lines.find_map(|line| line.strip_prefix(name).map(str::to_owned)).expect("another event")
        };
        // The order in which they are written.
        let id = value("id: ");
        let body: Value = serde_json::from_str(&value("data: ")).expect("a body");
        told.push((id, format!("{} {}", body["job"], body["kind"])));
    }
    told
}

#[test]
fn who_comes_back_to_the_events_misses_none() {
    let live = Live::start();
    // Submitted and started in one record.
    let first = live.submit(r#"{"project":"demo","run":"true"}"#);
    live.wait(first, &["completed"]);
    let job = live.submit(r#"{"project":"demo","run":"true"}"#);
    live.wait(job, &["completed"]);
    let all = events(&live, "0", 6);
    let kinds: Vec<&str> = all.iter().map(|(_, kind)| kind.as_str()).collect();
    let expected = [
        "0 \"submitted\"",
        "0 \"started\"",
        "0 \"ended\"",
        "1 \"submitted\"",
        "1 \"started\"",
        "1 \"ended\"",
    ];
    assert_eq!(kinds, expected);
    let record = |place: usize| all[place].0.split_once(':').expect("a place in a record").0;
    assert_eq!(record(0), record(1), "several events of one record");
    for (place, (id, _)) in all.iter().enumerate().take(5) {
        assert_eq!(events(&live, id, 5 - place), all[place + 1..], "behind {id}");
    }
    assert_eq!(events(&live, record(0), 4), all[2..], "behind all of a record");
    for id in ["x", "1:", "1:x", "-1"] {
        let answer = live.send("GET", "/v1/events", &[("Last-Event-ID", id)], "");
        assert_eq!(
            (answer.status, answer.json()["type"].clone()),
            (400, "/problems/unreadable".into()),
            "{id}"
        );
    }
}

/// Makes a key of a user, and gives what to send.
fn user(live: &Live, name: &str, projects: &str) -> String {
    let body = format!(r#"{{"name":"{name}","role":"user","projects":{projects}}}"#);
    let made = live.send("POST", "/v1/keys", &[], &body);
    assert_eq!(made.status, 201, "{made:?}");
    format!("Bearer {}", made.json()["token"].as_str().expect("a token"))
}

#[test]
fn a_revoked_key_reads_no_further() {
    let live = Live::start();
    let bearer = user(&live, "anna", r#"["demo"]"#);
    let long = live.submit(r#"{"project":"demo","run":"while :; do echo more; sleep 0.1; done"}"#);
    live.wait(long, &["running"]);
    let headers = [("Authorization", bearer.as_str())];
    let mut events = BufReader::new(live.open("GET", "/v1/events", &headers, ""));
    let mut logs =
        BufReader::new(live.open("GET", &format!("/v1/jobs/{long}/logs?follow=true"), &headers, ""));
    for stream in [&mut events, &mut logs] {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
    }
    assert_eq!(live.send("DELETE", "/v1/keys/anna", &[], "").status, 204);
    live.submit(r#"{"project":"demo","run":"echo secret"}"#);
    let mut rest = String::new();
    // Both end, or the socket's limit of time fails this.
    events.read_to_string(&mut rest).expect("the events end");
    // What came before may still be told.
    assert!(!rest.contains("\"job\":1"), "{rest}");
    logs.read_to_string(&mut rest).expect("the output ends");
    assert!(rest.contains("event: error"), "{rest}");
}

#[test]
fn a_key_for_all_projects_says_so() {
    let live = Live::start();
    let made = live.verb(&["key", "create", "all", "--all-projects"]);
    assert!(made.status.success(), "{made:?}");
    let bearer = format!("Bearer {}", String::from_utf8_lossy(&made.stdout).trim());
    let job = live.submit(r#"{"project":"clinic","run":"true"}"#);
    let seen = live.send_bare("GET", &format!("/v1/jobs/{job}"), &[("Authorization", &bearer)], "");
    assert_eq!(seen.status, 200, "{seen:?}");
    let keys = live.send("GET", "/v1/keys", &[], "").json();
    assert!(keys.to_string().contains(r#""projects":["*"]"#), "{keys}");
}

#[test]
fn silent_connections_keep_nobody_out() {
    // So few files that 120 connections would take them all.
    let mut call = Command::new("sh");
    call.args(["-c", "ulimit -n 128; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_giga")]);
    let live = Live::start_as(call);
    let job = live.submit(r#"{"project":"demo","run":"sleep 2; echo done"}"#);
    let host = live.access.url.strip_prefix("http://").unwrap();
    let silent: Vec<TcpStream> = (0..120)
        .map(|_| {
            let mut stream = TcpStream::connect(host).unwrap();
            stream.write_all(b"GET /v1/jobs HTTP/1.1\r\nHost: x\r\nX-").unwrap();
            stream
        })
        .collect();
    // It waits in line until silent ones are closed, or the socket's limit of time fails this.
    assert_eq!(live.send("GET", "/v1/sites", &[], "").status, 200);
    live.wait(job, &["completed"]);
    let log = live.send("GET", &format!("/v1/jobs/{job}/logs"), &[], "").json();
    assert_eq!(log["text"], "done\n", "the engine had files of its own");
    let mut first = silent.into_iter().next().unwrap();
    first.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let mut rest = Vec::new();
    let closed = first.read_to_end(&mut rest);
    assert!(closed.is_ok_and(|_| rest.is_empty()), "it is closed without a word");
}

#[test]
fn a_place_beyond_all_output_holds_nothing() {
    let live = Live::start();
    let job = live.submit(r#"{"project":"demo","run":"echo one"}"#);
    live.wait(job, &["completed"]);
    for from in [4, 1 << 50, i64::MAX as u64] {
        let piece = live.send("GET", &format!("/v1/jobs/{job}/logs?from={from}"), &[], "");
        assert_eq!((piece.status, piece.json()["text"].as_str()), (200, Some("")), "{from}: {piece:?}");
        assert_eq!(piece.json()["next"].as_u64(), Some(from), "{piece:?}");
    }
    // The document says that places have 63 bits.
    for from in [1 << 63, u64::MAX] {
        let piece = live.send("GET", &format!("/v1/jobs/{job}/logs?from={from}"), &[], "");
        assert_eq!(piece.status, 400, "{from}: {piece:?}");
    }
}

#[test]
fn a_request_of_before_is_answered_to_who_may_still_see_its_job() {
    let live = Live::start();
    let key = |bearer: &str| {
        let headers = [("Authorization", bearer), ("Idempotency-Key", "one")];
        live.send_bare("POST", "/v1/jobs", &headers, r#"{"run":"true"}"#)
    };
    let bearer = user(&live, "anna", r#"["demo"]"#);
    assert_eq!(key(&bearer).status, 201);
    assert_eq!(key(&bearer).status, 200);
    assert_eq!(live.send("DELETE", "/v1/keys/anna", &[], "").status, 204);
    // Another person with the same name, who does not name the only project either.
    let answer = key(&user(&live, "anna", r#"["clinic"]"#));
    assert_eq!((answer.status, answer.json()["id"].clone()), (403, Value::Null), "{answer:?}");
}

#[test]
fn a_token_that_opens_nothing_is_told_by_where_it_stands() {
    let live = Live::start();
    let file = live.folder.path().join("token");
    fs::write(&file, "giga_wrong\n").unwrap();
    let path = file.to_str().unwrap();
    let output = live.verb(&["jobs", "--token-file", path]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains(&format!("help: what was sent is the token of `{path}`")), "{told}");
}

#[test]
fn a_start_replaces_no_key_but_its_own() {
    let mut live = Live::start();
    let made = live.send("POST", "/v1/keys", &[], r#"{"name":"operator","role":"operator"}"#);
    let by_hand = format!("Bearer {}", made.json()["token"].as_str().expect("a token"));
    let first = format!("Bearer {}", live.access.token);
    assert!(live.end("TERM"));
    fs::remove_file(live.folder.path().join("access.json")).unwrap();
    live.stop_and_start();
    let status = |bearer: &str| live.send_bare("GET", "/v1/keys", &[("Authorization", bearer)], "").status;
    assert_eq!((status(&by_hand), status(&first)), (200, 401));
    assert_eq!(live.send("GET", "/v1/keys", &[], "").json()["keys"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_start_leaves_a_way_in_that_is_right_alone_and_tells_why_it_can_not_leave_one() {
    let mut live = Live::start();
    let port = live.access.url.rsplit_once(':').unwrap().1.to_owned();
    let blocked = live.folder.path().join("access.json.new");
    assert!(live.end("TERM"));
    // Nothing can be written there, as on a full disk, also by who may write everything.
    fs::create_dir(&blocked).unwrap();
    live.kill_and_start_at(&port);
    assert!(live.end("TERM"));
    fs::remove_file(live.folder.path().join("access.json")).unwrap();
    let call = ["up", "--listen", "127.0.0.1:0", "--data"];
    let output = giga().args(call).arg(live.folder.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("access.json`: ") && told.contains("os error"), "{told}");
}
