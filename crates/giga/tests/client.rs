//! The verbs of a client through the binary, where there is no server: what they say, and how they end.
#![cfg(feature = "live")]

use std::path::Path;
use std::process::{Command, Stdio};

/// Runs `giga` in a folder that is also its home; gives exit code, stdout and stderr.
fn giga(home: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_giga"));
    command.args(arguments).current_dir(home).env_clear().env("HOME", home).stdin(Stdio::null());
    let output = command.output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The call ends with this code, prints nothing, and says these pieces.
#[track_caller]
fn check(home: &Path, arguments: &[&str], code: i32, pieces: &[&str]) {
    let (ended, out, err) = giga(home, arguments);
    assert_eq!((ended, out.as_str()), (Some(code), ""), "{err}");
    pieces.iter().for_each(|piece| assert!(err.contains(piece), "`{piece}` is not in:\n{err}"));
}

fn leave_access(home: &Path, url: &str) {
    let access = giga_formats::access::Access { url: url.into(), token: "secret".into() };
    let folder = home.join(".local/share/giga");
    std::fs::create_dir_all(&folder).expect("a folder");
    giga_formats::access::write(&folder, &access).expect("a write");
}

#[test]
fn without_a_server_the_way_to_one_is_told() {
    let home = tempfile::tempdir().expect("a folder");
    check(home.path(), &["jobs"], 1, &["no server was started in", ".local/share/giga`", "`giga up`"]);
    check(home.path(), &["sites", "--server", "http://127.0.0.1:1"], 2, &["`GIGA_TOKEN`", "`--token-file`"]);
    // Nobody listens on the port that was just given back.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    leave_access(home.path(), &url);
    check(home.path(), &["job", "show", "1"], 1, &["no server answers at", &url, "`giga up`"]);
    check(home.path(), &["submit", "--yes", "--", "true"], 1, &["no server answers at", &url]);
}

#[cfg(unix)]
#[test]
fn a_token_that_others_may_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().expect("a folder");
    leave_access(home.path(), "http://127.0.0.1:1");
    let path = home.path().join(".local/share/giga/access.json");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("a change of rights");
    check(home.path(), &["jobs"], 1, &["others may read", "chmod 600"]);
}

#[test]
fn a_users_key_needs_its_projects_before_any_server_is_asked() {
    let home = tempfile::tempdir().expect("a folder");
    check(home.path(), &["key", "create", "ci"], 2, &["`--project`", "`--all-projects`"]);
    check(home.path(), &["key", "create", "ci", "--project", "a", "--all-projects"], 2, &["cannot be used"]);
    for sound in [&["--all-projects"][..], &["--project", "a"], &["--role", "operator"]] {
        let call = [&["key", "create", "ci"], sound].concat();
        check(home.path(), &call, 1, &["no server was started in"]);
    }
}

#[test]
fn a_faulty_job_is_refused_before_any_server_is_asked() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("job.toml");
    std::fs::write(&file, "run = \"true\"\nlimt = \"1 h\"\nenv = { GIGA_X = \"1\" }\n").expect("a write");
    let pieces =
        ["job.toml:2:1", "did you mean `limit`?", "job.toml:3:", "is reserved", "2 faults in job.toml"];
    check(home.path(), &["submit", "job.toml", "--yes"], 2, &pieces);
    check(home.path(), &["submit", "--limit", "0s", "--yes", "--", "true"], 2, &["`limit` is `0s`, outside"]);
    check(home.path(), &["submit", "--", "true"], 2, &["without a terminal", "`--yes`", "`--plan`"]);
    check(home.path(), &["submit", "--json", "--", "true"], 2, &["with `--json`"]);
    check(home.path(), &["submit"], 2, &["required"]);
    check(home.path(), &["submit", "--yes", "--follow", "--array", "3", "--", "true"], 2, &["`--index`"]);
    check(home.path(), &["shell", "--attach", "3", "--limit", "1h"], 2, &["cannot be used with"]);
    check(home.path(), &["shell", "--array", "3"], 1, &["no server was started in"]);
}
