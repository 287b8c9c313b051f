//! `giga shell` on a live server: a program that is typed to, by a pipe and by a real terminal.
#![cfg(all(feature = "live", target_os = "linux"))]

#[expect(dead_code, reason = "not every test uses all of a server")]
mod live;

use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};

use live::{Live, giga, until};

/// Begins a program with a pipe for what is typed; the program's home is a test's own.
fn begin(mut command: Command, live: &Live) -> Child {
    command
        .env("GIGA_HOME", live.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("the program runs")
}

fn ends(mut child: Child, typed: &str) -> (Option<i32>, String, String) {
    child.stdin.take().expect("a pipe").write_all(typed.as_bytes()).expect("a write");
    let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (status.code(), text(&stdout), text(&stderr))
}

fn shell(live: &Live, more: &[&str]) -> Child {
    let mut command = giga();
    command.args(["shell", "--project", "demo"]).args(more);
    begin(command, live)
}

#[test]
fn what_is_typed_is_answered_until_the_end_of_input() {
    let live = Live::start();
    let (code, out, err) = ends(shell(&live, &[]), "echo $((6 * 7)) in $GIGA_JOB_NAME; tty | cut -c-8\n");
    assert!(out.contains("42 in shell") && out.contains("/dev/pts"), "{out}{err}");
    assert_eq!(code, Some(0), "the end of input ends a shell well: {out}{err}");
    let (code, out, err) =
        ends(shell(&live, &["--", "sh", "-c", "read -r word; echo \"<$word>\"; exit 3"]), "two words\n");
    assert!(out.contains("<two words>") && code == Some(1), "{code:?}: {out}{err}");
    let shown = live.send("GET", "/v1/jobs?limit=1", &[], "").json();
    assert_eq!(shown["jobs"][0]["exit"], "exit code 3", "{shown}");
}

/// `script` gives the client a terminal; what it prints is what a person sees.
#[test]
fn a_terminal_hands_on_every_key() {
    let live = Live::start();
    let folder = live.folder.path().display();
    let call =
        format!("stty rows 33 cols 101; {} shell --project demo; echo CODE=$?", env!("CARGO_BIN_EXE_giga"));
    let mut command = Command::new("script");
    command.args(["-qec", &call, "/dev/null"]).env("GIGA_HOME", folder.to_string()).env("SHELL", "/bin/sh");
    let mut child = begin(command, &live);
    let typed = child.stdin.as_mut().expect("a pipe");
    until("it runs", 60, || {
        live.send("GET", "/v1/jobs?state=running", &[], "").json()["jobs"]
            .as_array()
            .is_some_and(|jobs| !jobs.is_empty())
    });
    typed.write_all(b"stty size; sleep 1000\n").expect("a write");
    until("it sleeps", 60, || {
        live.send("GET", "/v1/jobs/0/logs", &[], "").json()["text"]
            .as_str()
            .is_some_and(|text| text.contains("33 101\r"))
    });
    // Interrupts what runs there, and not the client.
    typed.write_all(b"\x03echo after; exit\n").expect("a write");
    let (code, out, err) = ends(child, "");
    assert!(
        out.contains("33 101") && out.contains("after") && out.contains("CODE=0"),
        "{code:?}: {out}{err}"
    );
}

#[test]
fn a_shell_is_come_back_to() {
    let live = Live::start();
    let mut first = shell(&live, &[]);
    let typed = first.stdin.as_mut().expect("a pipe");
    typed.write_all(b"here=before; echo ready-$here\n").expect("a write");
    let logs = || {
        live.send("GET", "/v1/jobs/0/logs", &[], "").json()["text"].as_str().unwrap_or_default().to_owned()
    };
    until("it is ready", 60, || logs().contains("ready-before"));
    first.kill().expect("it lives");
    first.wait().expect("it ends");
    let mut command = giga();
    command.args(["shell", "--attach", "0"]);
    let (code, out, err) = ends(begin(command, &live), "echo again-$here; exit\n");
    assert!(out.contains("again-before") && code == Some(0), "{code:?}: {out}{err}");
}

#[test]
fn only_what_runs_is_handed_something() {
    let live = Live::start();
    let job = live.submit(r#"{"project": "demo", "run": "sleep 1000"}"#);
    let path = format!("/v1/jobs/{job}/input");
    live.wait(job, &["running"]);
    until("it has begun", 60, || live.send("POST", &path, &[], "").status == 200);
    assert_eq!(live.send("POST", &format!("{path}?at=3"), &[], "x").status, 409, "behind the end");
    assert_eq!(live.send("POST", &format!("{path}?at=-1"), &[], "x").status, 400);
    assert_eq!(live.send("POST", &format!("{path}?attempt=2"), &[], "x").status, 409);
    let answer = live.send("POST", &format!("{path}?attempt=1&at=0"), &[], "hello").json();
    assert_eq!((&answer["attempt"], &answer["next"]), (&1.into(), &5.into()));
    live.send("POST", &format!("/v1/jobs/{job}/cancel"), &[], "");
    live.wait(job, &["cancelled"]);
    assert_eq!(live.send("POST", &path, &[], "x").status, 409);
    assert_eq!(live.send("POST", "/v1/jobs/99/input", &[], "x").status, 404);
}

#[test]
fn typing_goes_on_over_a_restart_of_the_server() {
    let mut live = Live::start();
    let mut child = shell(&live, &[]);
    let typed = child.stdin.as_mut().expect("a pipe");
    typed.write_all(b"echo one=$((10 + 1))\n").expect("a write");
    let logs = |live: &Live| live.send("GET", "/v1/jobs/0/logs", &[], "").json()["text"].to_string();
    until("it answers", 60, || logs(&live).contains("one=11"));
    let port = live.access.url.rsplit(':').next().expect("a port").to_owned();
    live.end("KILL");
    typed.write_all(b"echo two=$((10 + 2)); exit\n").expect("a write");
    std::thread::sleep(std::time::Duration::from_secs(1));
    live.kill_and_start_at(&port);
    let (code, out, err) = ends(child, "");
    assert_eq!((out.matches("one=11").count(), out.matches("two=12").count()), (1, 1), "{out}{err}");
    assert_eq!(code, Some(0), "{out}{err}");
}
