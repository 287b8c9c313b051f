//! The edges of a live server: who else is on the machine, what is left behind, what comes in too large a number.
#![cfg(all(feature = "live", unix))]

#[expect(dead_code, reason = "not every test uses all of a server")]
mod live;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;

use live::Live;
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
        let body: Value = serde_json::from_str(&value("data: ")).unwrap();
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
