//! `giga check` through the binary: what it prints where, and how it ends.

use std::path::Path;
use std::process::Command;

/// Runs `giga` at the root of the project; gives exit code, stdout and stderr.
fn giga(arguments: &[&str]) -> (Option<i32>, String, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_giga"));
    let output = command.args(arguments).current_dir(root).output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

const FAULTY: &str = "crates/giga-formats/src/description/tests/faulty.toml";

#[test]
fn a_sound_file_ends_with_0() {
    let (code, out, err) = giga(&["check", "scenarios/narvik.toml"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let (first, notes) = out.split_once('\n').expect("lines");
    assert_eq!(first, "scenarios/narvik.toml: sound; 1 site, 100000 accelerators, 6 owners, 438 projects");
    assert!(notes.starts_with("note: electricity: one price (mean day-ahead spot price of 2023"), "{notes}");
    assert!(
        notes.ends_with("in every hour at `narvik`; hours come with `price_series` and `carbon_series`\n"),
        "{notes}"
    );
}

#[test]
fn the_federation_of_a_first_try_is_sound() {
    let (code, out, err) = giga(&["check", "crates/giga/src/up/local.toml"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let expected = "sound; 3 sites, 24 accelerators, 2 owners, 3 projects\nnote: electricity: prices by the built-in shape";
    assert!(out.contains(expected), "{out}");
    assert!(
        out.contains("one price (mean day-ahead spot price of 2023 in its zone) in every hour at `kajaani`"),
        "{out}"
    );
    assert_eq!(out.lines().count(), 2, "{out}");
}

#[test]
fn a_faulty_file_ends_with_2_and_names_every_fault() {
    let (code, out, err) = giga(&["check", FAULTY, "scenarios/ohio.toml", "nowhere.toml"]);
    assert_eq!(code, Some(2));
    assert!(out.contains("scenarios/ohio.toml: sound"), "{out}");
    assert!(err.contains("faulty.toml:18:9") && err.contains("24 faults in"), "{err}");
    assert!(err.contains("can not read `nowhere.toml`"), "{err}");
}

#[test]
fn json_holds_the_faults_as_values() {
    let (code, out, _) = giga(&["check", "--json", FAULTY]);
    let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &report["faults"]), (Some(2), &serde_json::json!(24)));
    let first = &report["files"][0]["diagnostics"][0];
    assert_eq!((&first["line"], &first["key"]), (&serde_json::json!(3), &serde_json::json!("carbon_price")));
}

#[test]
fn the_schema_needs_no_file_and_a_wrong_call_ends_with_2() {
    let (code, out, _) = giga(&["check", "--schema"]);
    assert!(code == Some(0) && out.contains("json-schema.org"), "{out}");
    assert_eq!(giga(&["check"]).0, Some(2));
}
