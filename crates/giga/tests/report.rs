//! What a run leaves to be read, and runs beside each other: `report.html` and `giga compare`.

mod runs;

use runs::{Ended, Place, scenarios};

/// A summary as a run writes it, in short; `more` is what two runs differ in.
fn summary(federation: &str, until: &str, more: &str) -> String {
    format!(
        r#"{{"format": 1, "violations": 0, "jobs_submitted": 1000, {more}, "federation": "{federation}",
        "work": "generated for a load of 80 %", "seed": 1, "from": "2027-01-01T00:00:00Z", "until": "{until}",
        "offered_load": null, "carbon_t": 0.0, "first_violations": []}}"#
    )
}

const FIRST: &str = r#""jobs_completed": 990, "energy_mwh": 1200.5, "cost_eur_per_useful_accelerator_hour": 1.6559,
    "accelerator_hours": {"installed": 87600, "delivered": 80000, "no_work": 0},
    "sites": [{"name": "oslo", "peak_mw": 0.36019, "accelerator_hours": {"delivered": 80000}}],
    "owners": [{"name": "everyone", "entitled_accelerator_hours": 87600, "used_accelerator_hours": 80000}],
    "waits": [{"programme": "customers", "accelerators": "1-8", "jobs": 900, "median_s": 0, "p95_s": 3600.5}]"#;
const SECOND: &str = r#""jobs_completed": 1000, "energy_mwh": 1080.45, "cost_eur_per_useful_accelerator_hour": 1.5,
    "accelerator_hours": {"installed": 87600, "delivered": 84000, "no_work": 12.5},
    "sites": [{"name": "oslo", "peak_mw": 0.36019, "accelerator_hours": {"delivered": 84000}}],
    "owners": [{"name": "everyone", "entitled_accelerator_hours": 87600, "used_accelerator_hours": 84000,
        "borrowed_accelerator_hours": 7}],
    "waits": [{"programme": "customers", "accelerators": "1-8", "jobs": 950, "median_s": 0, "p95_s": 1800.25},
        {"programme": "customers", "accelerators": "9-64", "jobs": 2, "median_s": 5, "p95_s": 6}]"#;

/// Three runs as folders: two of one federation, and one of another that took longer.
fn three() -> Place {
    let place = Place::new();
    let day = "2027-01-02T00:00:00Z";
    let runs = [
        ("a", "oslo", day, FIRST),
        ("b", "oslo", day, SECOND),
        ("c", "turku", "2027-01-03T00:00:00Z", SECOND),
    ];
    for (folder, federation, until, more) in runs {
        std::fs::create_dir(place.path(folder)).expect("a folder");
        place.write(&format!("{folder}/summary.json"), &summary(federation, until, more));
    }
    place
}

/// The table as a person reads it. Where it is meant to change, write the file anew from what the test shows.
#[test]
fn the_comparison_is_the_one_that_is_kept() {
    let shown = three().giga(&["compare", "a", "b"], &[]).done().out;
    assert_eq!(shown, include_str!("screens/compare.txt"), "this was shown:\n{shown}");
}

#[test]
fn shocks_and_recalls_have_their_words() {
    let place = three();
    let more = FIRST.replacen("\"no_work\": 0", "\"no_work\": 0, \"recall\": 7", 1);
    let shocked = format!(r#"{more}, "shocks": ["dry", "hot"]"#);
    place.write("b/summary.json", &summary("oslo", "2027-01-02T00:00:00Z", &shocked));
    let shown = place.giga(&["compare", "a", "b"], &[]).done().out;
    assert!(shown.contains("generated for a load of 80 %; shocks that happened: dry, hot\n"), "{shown}");
    assert!(shown.contains("    lost: recall  "), "{shown}");
    let json = place.giga(&["compare", "a", "b"], &["--json"]).done().out;
    let object: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        (&object["runs"][0]["shocks"], &object["runs"][1]["shocks"][1]),
        (&serde_json::json!([]), &"hot".into())
    );
}

#[test]
fn every_run_is_held_against_the_first() {
    let place = three();
    let shown = place.giga(&["compare", "a", "b", "c"], &["--json"]).done().out;
    let object: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!((&object["format"], &object["runs"][2]["federation"]), (&1.into(), &"turku".into()));
    assert_eq!(
        object["notes"].as_array().expect("notes").len(),
        2,
        "another federation, another time: {shown}"
    );
    let figures = object["figures"].as_array().expect("figures");
    let find = |group: &str, figure: &str| {
        figures.iter().find(|row| row["group"] == group && row["figure"] == figure).expect("a figure")
    };
    let completed = find("jobs", "completed");
    assert_eq!(completed["values"], serde_json::json!([990.0, 1000.0, 1000.0]));
    assert_eq!(completed["differences"], serde_json::json!([10.0, 10.0]));
    assert_eq!(completed["percent"], serde_json::json!([10.0 / 990.0 * 100.0, 10.0 / 990.0 * 100.0]));
    let only_later = find("owners", "borrowed");
    assert_eq!(
        (&only_later["values"][0], &only_later["differences"][0]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    let from_nothing = find("accelerator hours", "lost: no work");
    assert_eq!(
        (&from_nothing["differences"][0], &from_nothing["percent"][0]),
        (&12.5.into(), &serde_json::Value::Null)
    );
    let same = place.giga(&["compare", "a", "b", "c"], &["--json"]).done().out;
    assert_eq!(same, shown);
}

#[test]
fn the_comparison_is_a_page_as_well() {
    let place = three();
    std::fs::rename(place.path("b"), place.path("<b>")).expect("a folder");
    let ended = place.giga(&["compare", "a", "<b>", "--out", "page.html"], &[]).done();
    assert!(ended.out.contains("B  <b>: oslo"), "{}", ended.out);
    let page = String::from_utf8(place.read("page.html")).expect("UTF-8");
    assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">") && page.ends_with("</html>\n"));
    for word in
        ["&lt;b&gt;", "1.6559", "-9.41 %", "customers 9-64: p95 wait", "<h2 id=\"part-1-head\">Jobs</h2>"]
    {
        assert!(page.contains(word), "`{word}`");
    }
    assert!(
        !page.contains("<b>") && !page.contains("http:") && !page.contains("https:"),
        "a name is no element, and nothing is loaded"
    );
    let unwritten = place.giga(&["compare", "a", "<b>", "--out", "no/where.html"], &[]);
    assert!(
        unwritten.code == Some(1) && unwritten.err.contains("`no/where.html` can not be written"),
        "{}",
        unwritten.err
    );
}

/// The call ends with 2 and says all of this.
#[track_caller]
fn refused(ended: &Ended, words: &[&str]) {
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{}", ended.err);
    words.iter().for_each(|word| assert!(ended.err.contains(word), "`{word}` in: {}", ended.err));
}

#[test]
fn what_can_not_be_compared_is_named_with_a_remedy() {
    let place = three();
    for folder in ["empty", "stopped", "later", "faulty"] {
        std::fs::create_dir(place.path(folder)).expect("a folder");
    }
    place.write("stopped/run.saved", "");
    let whole = summary("oslo", "2027-01-02", FIRST);
    place.write("later/summary.json", &whole.replace("\"format\": 1", "\"format\": 7"));
    place.write("faulty/summary.json", &whole[..whole.len() / 2]);
    let call = |folders: &[&str]| place.giga(&["compare"], folders);
    refused(&call(&[]), &["DIR", "compare"]);
    refused(&call(&["a"]), &["`a` alone", "second"]);
    refused(&call(&["a", "nowhere"]), &["`nowhere` does not exist", "giga simulate --out"]);
    refused(&call(&["a", "a/summary.json"]), &["`a/summary.json` is no folder"]);
    refused(&call(&["a", "empty"]), &["`empty` holds no run", "giga simulate --out"]);
    refused(&call(&["a", "stopped"]), &["`stopped` is not over", "giga simulate --resume stopped"]);
    refused(&call(&["a", "later"]), &["`later/summary.json`", "format 7", "format 1"]);
    refused(&call(&["a", "faulty"]), &["`faulty/summary.json`", "not what a run writes"]);
    refused(&call(&["a", "b", "./a"]), &["`./a` is the same folder as `a`", "another"]);
}

#[test]
fn a_run_leaves_a_page_with_the_figures_of_its_summary() {
    let place = Place::new();
    let scenario = scenarios().into_iter().find(|file| file.ends_with("telenor.toml")).expect("a scenario");
    let scenario = scenario.to_str().expect("UTF-8");
    let call = ["simulate", scenario, "--for", "20d"];
    let ended = place.giga(&call, &["--out", "run"]).done();
    assert!(
        ended.out.contains("report.html, summary.json, jobs.parquet and hours.parquet are in run"),
        "{}",
        ended.out
    );
    let (page, summary) =
        (String::from_utf8(place.read("run/report.html")).expect("UTF-8"), place.summary("run"));
    let shown = |figure: String| assert!(page.contains(&format!(">{figure}<")), "`{figure}`");
    let count = |key: &str| giga_units::grouped(summary[key].as_u64().expect("a count"));
    shown(count("jobs_submitted"));
    shown(format!("{} completed", count("jobs_completed")));
    let hours = |value: &serde_json::Value| match value.as_f64().expect("hours") {
        few if few < 100.0 => format!("{few:.2}").trim_end_matches('0').trim_end_matches('.').to_owned(),
        many => giga_units::grouped(many.round() as u64),
    };
    for part in ["installed", "delivered", "no_work", "fragmentation", "failure"] {
        shown(hours(&summary["accelerator_hours"][part]));
    }
    shown(hours(&summary["owners"][0]["used_accelerator_hours"]));
    let cost = summary["cost_eur_per_useful_accelerator_hour"].as_f64().expect("a cost");
    shown(format!("{cost:.4} EUR"));
    shown(format!("{:.1} MWh", summary["energy_mwh"].as_f64().expect("energy")));
    shown(summary["waits"][0]["programme"].as_str().expect("a name").to_owned());
    place.giga(&call, &["--out", "broken", "--stop-at", "2027-01-09T12:00"]).done();
    assert!(!place.path("broken/report.html").exists(), "a run that is not over has no page");
    place.giga(&["simulate", "--resume", "broken"], &[]).done();
    assert!(place.tables("broken") == place.tables("run"), "a run that was stopped has the same page");
}

/// A name is free in a description, and a page shows it as a name.
#[test]
fn a_description_with_hostile_names_leaves_a_harmless_page() {
    let place = Place::new();
    let hostile = "<script>alert(1)";
    let text = format!(
        r#"format = 1
name = "x"
start = 2027-01-01
[[site]]
name = "{hostile}"
country = "FI"
[[site.phase]]
power = "200 kW"
[[site.phase.pool]]
name = "{hostile}"
accelerator = "GB300-NVL72"
accelerators = 72
[workload]
[[workload.class]]
like = "experiments"
share = "100 %"
"#
    );
    place.write("hostile.toml", &text);
    place.giga(&["simulate", "hostile.toml", "--for", "2d", "--out", "run"], &[]).done();
    let page = String::from_utf8(place.read("run/report.html")).expect("UTF-8");
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains(hostile));
    assert_eq!(page.matches("<script").count(), 1, "the script of the page is the only one");
}
