//! What a live server says of itself: in lines for people or for programs, with what belongs to it, and never a secret.
#![cfg(all(feature = "live", unix))]

#[expect(dead_code, reason = "not every test uses all of a server")]
mod live;

use std::fs::File;
use std::process::{Command, Stdio};

use live::{Live, giga};
use serde_json::Value;

/// A call whose error output goes to a file, and that file.
fn call(arguments: &[(&str, &str)]) -> (Command, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let mut command = giga();
    command.envs(arguments.iter().copied());
    command.stderr(Stdio::from(File::options().append(true).open(file.path()).expect("it opens")));
    (command, file)
}

/// Lets a server work, be told things, and end.
fn day(live: &mut Live) -> Vec<String> {
    let job = live.submit(r#"{"project":"demo","run":"true","env":{"SECRET":"env-secret"}}"#);
    live.wait(job, &["completed"]);
    let body = r#"{"name": "anna", "role": "user", "projects": ["*"]}"#;
    let token =
        live.send("POST", "/v1/keys", &[], body).json()["token"].as_str().expect("a token").to_owned();
    assert_eq!(live.send("POST", "/v1/sites/kajaani/drain", &[], "").status, 200);
    let bearer = format!("Bearer {token}");
    assert_eq!(live.send_bare("GET", "/v1/jobs", &[("Authorization", &bearer)], "").status, 200);
    assert_eq!(live.send("DELETE", "/v1/keys/anna", &[], "").status, 204);
    assert!(live.end("TERM"));
    vec![token, live.access.token.clone(), "env-secret".into()]
}

#[test]
fn lines_for_programs_have_fields_and_no_secrets() {
    let (call, file) = call(&[("GIGA_LOG", "json"), ("GIGA_LOG_LEVEL", "debug")]);
    let mut live = Live::start_as(call);
    let secrets = day(&mut live);
    let text = std::fs::read_to_string(file.path()).expect("a text");
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "{secret}");
    }
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let find = |message: &str| {
        let found = lines.iter().find(|line| line["message"] == message);
        found.unwrap_or_else(|| panic!("`{message}` is not in:\n{text}"))
    };
    let over = find("attempt is over");
    assert_eq!((&over["job"], &over["attempt"], &over["level"]), (&0.into(), &1.into(), &"DEBUG".into()));
    assert!(over["site"].is_string() && over["timestamp"].is_string(), "{over}");
    let drain = find("a drain is ordered");
    assert_eq!((&drain["site"], &drain["by"]), (&"kajaani".into(), &"giga-up:operator".into()));
    assert_eq!(find("a key is revoked")["key"], "anna");
    assert!(lines.last().expect("a line")["message"].as_str().expect("a text").starts_with("stopped;"));
}

#[test]
fn lines_for_people_say_what_matters_and_no_more() {
    let (call, file) = call(&[]);
    let mut live = Live::start_as(call);
    let secrets = day(&mut live);
    let text = std::fs::read_to_string(file.path()).expect("a text");
    assert!(secrets.iter().all(|secret| !text.contains(secret.as_str())), "{text}");
    assert!(text.contains("INFO a drain is ordered site=\"kajaani\" by=\"giga-up:operator\""), "{text}");
    assert!(!text.contains("attempt"), "{text}");
    assert!(text.ends_with("takes it over again\n"), "{text}");
}

#[test]
fn what_can_not_be_read_is_refused_with_what_could() {
    let check = |variable: &str, word: &str, piece: &str| {
        let output = giga().args(["up"]).env(variable, word).output().expect("the program runs");
        let text = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(piece), "{text}");
    };
    check("GIGA_LOG", "xml", "`GIGA_LOG`: `xml` will not do\n  help: write `text` or `json`");
    check("GIGA_LOG_LEVEL", "loud", "help: write `error` or `warn` or `info` or `debug`");
}
