//! `giga series` through the binary: what it prints where, and how it ends.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs `giga`; gives exit code, stdout and stderr.
fn giga(arguments: &[&Path], json: bool) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_giga"));
    command.arg("series").args(arguments).args(json.then_some("--json"));
    let output = command.output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A folder with a file of this text in it.
fn file(text: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("prices.csv");
    std::fs::write(&path, text).expect("a file");
    (folder, path)
}

const PRICES: &str = "Datetime,Price (EUR/MWh)\n2023-03-26 00:00:00,10\n2023-03-26 01:00:00,20\n2023-03-26 02:00:00,30\n\
                      2023-03-26 03:00:00,30\n2023-03-26 05:00:00,-5.5\n";

#[test]
fn a_sound_file_ends_with_0_and_says_what_was_made_of_it() {
    let (_folder, path) = file(PRICES.as_bytes());
    let (code, out, err) = giga(&[&path], false);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let (_, screen) = out.split_once("prices.csv: ").expect("the name stands first");
    assert_eq!(
        screen,
        "prices by clock hours of Central Europe\n\
         \x20 place    clock: CET/CEST\n\
         \x20 span     2023-03-25T23:00:00Z to 2023-03-26T04:00:00Z (5.0 h)\n\
         \x20 values   5 in each column, 1 h each\n\
         \x20 filled   1 value from 2023-03-26T02:00:00Z by the value before\n\
         \x20 rows     1 of an hour that the clock skips left out (2023-03-26T01:00:00Z)\n\
         \x20 note     the file names no clock; it is read by that of Central Europe\n\
         \n\
         \x20 price [EUR/MWh]: Price (EUR/MWh)\n\
         \x20   mean 16.90; 5 % -5.50, median 20.00, 95 % 30.00\n\
         \x20   least       -5.50 at 2023-03-26T03:00:00Z\n\
         \x20   most        30.00 at 2023-03-26T01:00:00Z\n\
         \x20         30.00  ▁██\n\
         \x20               ▂███\n\
         \x20         -5.50 ████▁\n"
    );
}

#[test]
fn json_holds_the_same_as_figures() {
    let (_folder, path) = file(PRICES.as_bytes());
    let (code, out, _) = giga(&[&path], true);
    let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let file = &report["files"][0];
    assert_eq!((code, &report["faults"]), (Some(0), &serde_json::json!(0)));
    assert_eq!(
        (&file["dialect"], &file["count"]),
        (&serde_json::json!("clock-prices"), &serde_json::json!(5))
    );
    assert_eq!(file["rows"]["invented"], serde_json::json!(["2023-03-26T01:00:00Z"]));
    let column = &file["columns"][0];
    let expected =
        serde_json::json!({ "from": "2023-03-26T02:00:00Z", "count": 1, "filled_by": "the value before" });
    assert_eq!((&column["filled"], &column["gaps"][0]), (&serde_json::json!(1), &expected));
    assert_eq!(column["mean"], serde_json::json!(16.9));
}

#[test]
fn faults_end_with_2_and_other_files_are_shown() {
    let (_folder, sound) = file(PRICES.as_bytes());
    let (_other, faulty) = file(PRICES.replace("-5.5", "cheap").as_bytes());
    let (code, out, err) = giga(&[&sound, &faulty, Path::new("nowhere.csv")], false);
    assert_eq!(code, Some(2));
    assert!(out.contains("prices by clock hours") && out.matches("span").count() == 1, "{out}");
    assert!(err.contains("prices.csv:6:21") && err.contains("`Price`: `cheap` is not a number"), "{err}");
    assert!(err.contains("can not read `nowhere.csv`"), "{err}");
    let (code, out, _) = giga(&[&faulty], true);
    let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let line = &report["files"][0]["diagnostics"][0]["line"];
    assert_eq!((code, &report["faults"], line), (Some(2), &serde_json::json!(1), &serde_json::json!(6)));
}

#[test]
fn a_head_in_another_encoding_does_not_matter() {
    let text = b"Lage: M\xfcnchen\nRG MM DD HH t\n***\n1 1 1 1 2.5\n1 1 1 2 3.5\n";
    let (_folder, path) = file(text);
    let (code, out, err) = giga(&[&path], false);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("test reference year of the Deutscher Wetterdienst"), "{out}");
}
