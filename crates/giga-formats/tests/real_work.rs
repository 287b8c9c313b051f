//! Reads the published traces as they are. Needs a folder of real data, named by `GIGA_DATA`.

use std::path::{Path, PathBuf};

use giga_formats::work::{self, ReadOptions, WorkFormat};
use giga_units::Instant;

/// The folder of real data. Without one the test is skipped by name, or fails where `GIGA_REQUIRE` names `data`.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn data(test: &str) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("GIGA_DATA") {
        return Some(folder.into());
    }
    let required = std::env::var("GIGA_REQUIRE").is_ok_and(|list| list.split(',').any(|word| word == "data"));
    assert!(!required, "`{test}` needs GIGA_DATA, and GIGA_REQUIRE forbids to skip it");
    eprintln!("skipped: {test} needs GIGA_DATA");
    None
}

fn check(folder: &Path, name: &str, format: WorkFormat, rows: u64, jobs: u64) {
    let projects: Vec<String> = ["bio", "lm", "11cb48"].map(str::to_owned).into();
    let options =
        ReadOptions { strict: true, ..ReadOptions::new(&projects, &[], Instant::unix_milliseconds(0)) };
    let mut reader = work::open(&folder.join("traces").join(name), None, &options).expect(name);
    let mut last = Instant::unix_milliseconds(0);
    for (place, arrival) in reader.by_ref().enumerate() {
        let arrival = arrival.expect(name);
        assert!(place > 0 || arrival.at == last, "{name}: the first job comes at the given instant");
        assert!(arrival.at >= last && arrival.request.limit >= arrival.runtime, "{name}: row {place}");
        last = arrival.at;
    }
    let report = reader.report();
    assert_eq!((report.format, report.rows, report.jobs), (format, rows, jobs), "{name}");
}

#[test]
fn published_traces_are_read_whole() {
    let Some(folder) = data("published_traces_are_read_whole") else { return };
    check(&folder, "hpc2n.swf", WorkFormat::Swf, 3_170, 3_145);
    check(&folder, "lublin-256.swf", WorkFormat::Swf, 10_000, 10_000);
    check(&folder, "philly-2017.csv", WorkFormat::Philly, 82_247, 82_247);
    check(&folder, "mustang-2015-100k.csv", WorkFormat::Hours, 100_000, 100_000);
    check(&folder, "azure-vm-100k.csv", WorkFormat::Hours, 99_988, 99_988);
    check(&folder, "AzureLLMInferenceTrace_conv.csv", WorkFormat::Tokens, 19_366, 19_366);
    check(&folder, "AzureLLMInferenceTrace_code.csv", WorkFormat::Tokens, 8_819, 8_819);
}
