//! What is set outside of a call: the nearest word counts, and what can not be read is told with its place.
#![cfg(all(feature = "live", unix))]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn giga(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_giga"));
    command.current_dir(home).env_clear().env("HOME", home).stdin(Stdio::null());
    command
}

fn usual(home: &Path, text: &str) {
    let folder = home.join(".config/giga");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("giga.toml"), text).expect("a write");
}

#[track_caller]
fn says(output: &Output, code: i32, pieces: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    pieces.iter().for_each(|piece| assert!(text.contains(piece), "`{piece}` is not in:\n{text}"));
}

#[test]
fn the_nearest_word_names_the_server() {
    let home = tempfile::tempdir().expect("a folder");
    // Nobody listens on these; the message says which was asked.
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    let token = home.path().join("token");
    fs::write(&token, "secret").expect("a write");
    usual(home.path(), &format!("server = \"{}\"\ntoken_file = \"{}\"\n", url(3), token.display()));
    let jobs = || {
        let mut command = giga(home.path());
        command.arg("jobs");
        command
    };
    let run = |command: &mut Command| command.output().expect("it runs");
    says(&run(&mut jobs()), 1, &["no server answers at `http://127.0.0.1:3`"]);
    says(&run(jobs().env("GIGA_SERVER", url(2)).env("GIGA_TOKEN", "x")), 1, &["127.0.0.1:2`"]);
    let mut flag = jobs();
    flag.args(["--server", &url(1)]).env("GIGA_SERVER", url(2)).env("GIGA_TOKEN", "x");
    says(&run(&mut flag), 1, &["127.0.0.1:1`"]);
    // The token that the file names is for the server that it names, and for no other.
    says(&run(jobs().args(["--server", &url(1)])), 2, &["no token for this server"]);
    says(&run(jobs().env("GIGA_SERVER", url(1))), 2, &["no token for this server"]);
    says(&run(jobs().args(["--data", "elsewhere"])), 1, &["no server was started in `elsewhere`"]);
    let other = home.path().join("other.toml");
    fs::write(&other, "data = \"/nowhere/giga\"\n").expect("a write");
    let by_flag = ["--config", other.to_str().expect("UTF-8")];
    says(&run(jobs().args(by_flag)), 1, &["no server was started in `/nowhere/giga`"]);
    says(&run(jobs().env("GIGA_CONFIG", &other)), 1, &["no server was started in `/nowhere/giga`"]);
}

#[test]
fn what_can_not_be_read_is_told_with_its_place() {
    let home = tempfile::tempdir().expect("a folder");
    usual(home.path(), "[up]\nlistn = \"127.0.0.1:7474\"\nlog = \"xml\"\n");
    for verb in ["up", "jobs"] {
        let output = giga(home.path()).arg(verb).output().expect("it runs");
        let pieces = ["giga.toml:2:1", "did you mean `listen`?", "giga.toml:3:7", "write `text` or `json`"];
        says(&output, 2, &pieces);
    }
    let named = giga(home.path()).args(["up", "--config", "none.toml"]).output().expect("it runs");
    says(&named, 2, &["`none.toml` can not be read", "`--config`"]);
    fs::remove_file(home.path().join(".config/giga/giga.toml")).expect("it goes");
    let variable = giga(home.path()).arg("up").env("GIGA_LISTEN", "here").output().expect("it runs");
    says(&variable, 2, &["`GIGA_LISTEN`: `here` will not do", "such as `127.0.0.1:7474`"]);
}

#[test]
fn a_server_takes_all_it_needs_from_the_file() {
    let home = tempfile::tempdir().expect("a folder");
    let data = home.path().join("kept");
    usual(home.path(), &format!("data = \"{}\"\n[up]\nlisten = \"127.0.0.1:0\"\n", data.display()));
    let mut child = giga(home.path()).arg("up").stdout(Stdio::piped()).spawn().expect("it runs");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let listens = lines.take(9).find(|line| line.starts_with("listens on")).expect("it comes up");
    assert!(listens.ends_with(&data.display().to_string()) && !listens.contains(":7474"), "{listens}");
    let sites = giga(home.path()).arg("sites").env("GIGA_JSON", "true").output().expect("it runs");
    assert!(sites.stdout.starts_with(b"{\"sites\":"), "{sites:?}");
    child.kill().expect("it lives");
    child.wait().expect("it ends");
}

#[test]
fn shells_can_read_their_completions() {
    let home = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "zsh", "fish"] {
        let output = giga(home.path()).args(["completions", shell]).output().expect("it runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        for word in ["submit", "forecast", "series", "completions", "log-level"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
        let file = home.path().join(shell);
        fs::write(&file, text).expect("a write");
        // Every machine that runs these tests has a bash; of the others it can not be known.
        if let Ok(status) = Command::new(shell).arg("-n").arg(&file).status() {
            assert!(status.success(), "{shell}");
        }
    }
}
