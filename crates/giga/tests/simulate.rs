//! `giga simulate` through the binary: what a run leaves behind, however it was broken off, and what it says of wrong
//! input.

mod runs;

use std::path::Path;
#[cfg(unix)]
use std::process::{Command, Stdio};

use runs::{Ended, Place, giga, scenarios};
#[cfg(unix)]
use runs::{command, ended};

/// Half a month with failures, maintenance, a second phase and more work than fits.
const GENERATED: &str = r#"format = 1
name = "small"
start = 2027-01-01

[[site]]
name = "kajaani"
country = "FI"
[site.failures]
accelerator_mtbf = "300 h"
repair = "3 h"
[site.maintenance]
first = 2027-01-03T06:00
every = "4 d"
length = "5 h"
[[site.phase]]
power = "200 kW"
[[site.phase.pool]]
name = "main"
accelerator = "GB300-NVL72"
accelerators = 72
[[site.phase]]
opens = 2027-01-06
power = "200 kW"
[[site.phase.pool]]
name = "main"
accelerator = "GB300-NVL72"
accelerators = 72

[workload]
seed = 3
load = "130 %"
[[workload.class]]
like = "experiments"
share = "100 %"
"#;

/// Ten processors, no work of its own.
const TRACED: &str = r#"format = 1
name = "traced"
start = 2027-01-01
[[accelerator]]
name = "processor"
per_node = 2
nodes_per_rack = 5
node_idle = "100 W"
node_max = "250 W"
cost = "2000 EUR"
[[site]]
name = "umea"
country = "FI"
[site.failures]
enabled = false
[[site.phase]]
power = "2 kW"
[[site.phase.pool]]
name = "main"
accelerator = "processor"
accelerators = 10
"#;

/// A small log in the Standard Workload Format: a job every half hour for so many, of one to ten processors.
fn log(jobs: i64) -> String {
    let line = |n: i64| {
        let (at, run, size) = (n * 1_800, 600 + n * 37 % 9_000, 1 + n * 7 % 10);
        format!("{} {at} -1 {run} {size} -1 -1 {size} {} -1 1 1 1 -1 1 -1 -1 -1\n", n + 1, run * 2)
    };
    std::iter::once("; UnixStartTime: 1027839845\n".to_owned()).chain((0..jobs).map(line)).collect()
}

fn generated() -> Place {
    let place = Place::new();
    place.write("small.toml", GENERATED);
    place
}

fn traced() -> Place {
    let place = Place::new();
    place.write("traced.toml", TRACED);
    place.write("log.swf", &log(400));
    place
}

const GENERATED_RUN: [&str; 4] = ["simulate", "small.toml", "--for", "15d"];
const TRACED_RUN: [&str; 4] = ["simulate", "traced.toml", "--workload", "log.swf"];

/// A run with these breaks leaves the same files as one without.
fn check_breaks(place: &Place, run: &[&str], breaks: &[&str]) {
    let whole = place.giga(run, &["--out", "whole"]).done();
    let first = place.giga(run, &["--out", "broken", "--stop-at", breaks[0]]).done();
    assert!(first.err.contains("go on with: giga simulate --resume broken"), "{}", first.err);
    assert!(!place.path("broken/summary.json").exists(), "a run that is not over has no summary");
    assert_stopped_before(&first, breaks[0]);
    for stop in &breaks[1..] {
        let next = place.giga(&["simulate", "--resume", "broken", "--stop-at", stop], &[]).done();
        assert_stopped_before(&next, stop);
        assert!(place.path("broken/run.saved").exists());
    }
    let last = place.giga(&["simulate", "--resume", "broken"], &[]).done();
    assert_eq!(place.tables("broken"), place.tables("whole"));
    assert_eq!(last.out.replace("broken", "whole"), whole.out, "the screens are alike");
    assert!(!place.path("broken/run.saved").exists(), "a run that is over has nothing to go on with");
    assert_eq!(std::fs::read_dir(place.path("broken")).expect("a folder").count(), 4);
}

/// Nothing that comes at the wanted stop or later has happened.
#[track_caller]
fn assert_stopped_before(ended: &Ended, stop: &str) {
    let (_, rest) = ended.err.split_once("stopped at ").expect("the stop is told");
    let (at, _) = rest.split_once(';').expect("the stop is told");
    let instant = |text: &str| giga_units::Instant::parse(text).expect("a date");
    assert!(instant(at) < instant(stop), "{}", ended.err);
}

#[test]
fn a_stopped_run_of_generated_work_ends_with_the_same_bytes() {
    let place = generated();
    let breaks = ["2027-01-01T00:00:01", "2027-01-03T07:30", "2027-01-05T23:59:59.999", "2027-01-12"];
    check_breaks(&place, &GENERATED_RUN, &breaks);
    let summary = place.summary("whole");
    let has = |key: &str| summary[key].as_f64().is_some_and(|figure| figure > 0.0);
    assert!(has("interruptions") && has("jobs_completed") && has("offered_load"), "{summary}");
    assert!(summary["accelerator_hours"]["maintenance"].as_f64() > Some(0.0), "{summary}");
}

/// What a plant makes of a run follows from all of its hours, those before a break as well.
#[test]
fn a_stopped_run_with_a_plant_ends_with_the_same_bytes() {
    let plant = r#"
[site.weather]
dry_bulb = [-5, 5, 15, 25, 35, 25, 15, 5]
humidity = [80, 70, 60, 50, 40, 50, 60, 70]
pressure = [100, 100, 100, 100, 100, 100, 100, 100]
[site.supply.battery]
capacity = "200 kWh"
power = "50 kW"
[site.maintenance]
"#;
    let place = Place::new();
    let site = "[[site]]\nramp_most = \"20 kW\"\ncooling = { kind = \"tower\" }\n";
    let described = GENERATED.replace("[[site]]\n", site).replace("\n[site.maintenance]\n", plant);
    place.write("small.toml", &described);
    check_breaks(&place, &GENERATED_RUN, &["2027-01-03T07:30", "2027-01-05T23:59:59.999"]);
    let summary = place.summary("whole");
    let (plant, ramps) = (&summary["plants"][0], &summary["sites"][0]["ramps"]);
    let of = |key: &str| plant[key].as_f64().expect("a figure");
    let uses = [
        "nodes",
        "network_and_storage",
        "conversion",
        "pumps",
        "fans",
        "compressors",
        "heat_pumps",
        "building",
    ];
    let sum: f64 = uses.iter().map(|word| of(&format!("{word}_mwh"))).sum();
    assert!((sum / of("modelled_mwh") - 1.0).abs() < 1e-9, "{plant}");
    assert!((of("nodes_mwh") / summary["sites"][0]["node_energy_mwh"].as_f64().unwrap() - 1.0).abs() < 1e-6);
    assert!(of("metered_mwh") >= of("modelled_mwh"), "books are above the plant: {plant}");
    assert!(of("pue_category_1") < of("pue_category_3") && of("wue_l_per_kwh") > 1.0 && of("water_m3") > 0.0);
    let hours: f64 = summary["temperatures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|band| band["hours_h"].as_f64().unwrap())
        .sum();
    assert!((hours - 360.0).abs() < 1e-6, "{hours}");
    let ways = summary["supply"].as_array().expect("ways");
    let (named, costs): (Vec<_>, Vec<_>) =
        ways.iter().map(|way| (way["dispatch"].as_str().unwrap(), way["cost_eur"].as_f64().unwrap())).unzip();
    assert_eq!(named, ["rule", "rolling", "optimum"]);
    // A price that never changes leaves a battery little to do.
    assert!(costs.iter().all(|cost| (0.0..0.005).contains(&(cost / costs[2] - 1.0 + 1e-9))), "{costs:?}");
    assert!((ways[0]["load_mwh"].as_f64().unwrap() / of("modelled_mwh") - 1.0).abs() < 1e-9);
    let page = std::fs::read_to_string(place.path("whole/report.html")).expect("a page");
    assert!(page.contains("PUE and WUE by temperature") && page.contains("ramps of kajaani"));
    assert!(ramps["up_minute_mw"].as_f64() > Some(0.02) && ramps["over"].as_u64() > Some(0), "{ramps}");
}

#[test]
fn a_stopped_run_of_a_trace_ends_with_the_same_bytes() {
    let place = traced();
    check_breaks(&place, &TRACED_RUN, &["2027-01-02", "2027-01-02T00:00:01", "2027-01-05T12:00"]);
    assert_eq!(place.summary("whole")["jobs_completed"], 400);
}

#[test]
fn a_stop_behind_the_end_is_no_stop() {
    let place = generated();
    place.giga(&GENERATED_RUN, &["--out", "whole"]).done();
    place.giga(&GENERATED_RUN, &["--out", "late", "--stop-at", "2028-01-01"]).done();
    assert_eq!(place.tables("late"), place.tables("whole"));
}

#[test]
fn the_seed_decides() {
    let place = generated();
    place.giga(&GENERATED_RUN, &["--out", "one"]).done();
    place.giga(&GENERATED_RUN, &["--out", "again", "--seed", "3"]).done();
    place.giga(&GENERATED_RUN, &["--out", "other", "--seed", "4"]).done();
    assert_eq!(place.tables("one"), place.tables("again"));
    for (one, other) in place.tables("one").iter().zip(&place.tables("other")) {
        assert_ne!(one, other);
    }
}

#[test]
fn the_summary_begins_as_promised_and_json_prints_it() {
    let place = generated();
    let ended = place.giga(&GENERATED_RUN, &["--out", "run", "--json"]).done();
    let text = place.read("run/summary.json");
    assert_eq!(ended.out.as_bytes(), text);
    let squeezed: String = ended.out.split_whitespace().collect();
    let finished = place.summary("run")["jobs_finished"].as_u64().expect("a count");
    let promised = format!(r#"{{"format":1,"violations":0,"jobs_finished":{finished},"#);
    assert!(finished > 0 && squeezed.starts_with(&promised), "{squeezed:.200}");
}

#[test]
fn a_shock_happens_where_it_is_named_and_a_saved_run_keeps_it() {
    let place = generated();
    let more = "country = \"FI\"\nprice_series = { file = \"prices.csv\" }";
    let shock = "[[shock]]\nname = \"gone\"\nleave = { owner = \"everyone\", at = 2027-01-02 }\n";
    place.write("shocked.toml", &format!("{}{shock}", GENERATED.replacen("country = \"FI\"", more, 1)));
    place.write("prices.csv", "time,price\n2023-01-01T00:00,30\n2023-01-01T02:00,50\n");
    let run = ["simulate", "shocked.toml", "--for", "15d"];
    let calm = place.giga(&run, &["--out", "calm"]).done();
    assert!(calm.err.contains("3 hours of `prices.csv`") && !calm.out.contains("shocks"), "{}", calm.err);
    let run = [&run[..], &["--shock", "gone"]].concat();
    let whole = place.giga(&run, &["--out", "whole"]).done();
    assert!(whole.out.contains("\nshocks that happened: gone\n"), "{}", whole.out);
    assert_eq!(place.summary("whole")["shocks"], serde_json::json!(["gone"]));
    let jobs = |folder: &str| place.summary(folder)["jobs_submitted"].as_u64().expect("a count");
    assert!(0 < jobs("whole") && jobs("whole") < jobs("calm") / 4);
    place.giga(&run, &["--out", "broken", "--stop-at", "2027-01-02T12:00"]).done();
    for file in ["prices.csv", "shocked.toml"] {
        std::fs::remove_file(place.path(file)).expect("a file");
    }
    place.giga(&["simulate", "--resume", "broken"], &[]).done();
    assert_eq!(place.tables("broken"), place.tables("whole"));
}

#[test]
fn a_megawatt_more_is_worth_what_pairs_of_runs_say() {
    let place = Place::new();
    // Full nodes draw 284 kW, and half of that has to do.
    let tight = GENERATED.replace("country = \"FI\"", "country = \"FI\"\noversubscribed = true");
    place.write("small.toml", &tight.replace("power = \"200 kW\"", "power = \"110 kW\""));
    let call = |worth: &[&str]| place.giga(&[&GENERATED_RUN, worth].concat(), &[]);
    let told = call(&["--worth", "kajaani=10 kW", "--pairs", "3"]).done().out;
    let (_, worth) = told.split_once("one more MW at kajaani: ").expect("the sum of the pairs");
    let hours: i64 = worth.split_once(' ').unwrap().0.replace(',', "").parse().expect("accelerator-hours");
    // A node of four takes 7.9 kW and half a month has 360 hours; work waits all the time, and some of it does not fit.
    assert!((20_000..250_000).contains(&hours), "{worth}");
    assert_eq!(told.matches("kajaani, and the same chance").count(), 1);
    assert_eq!(
        told,
        call(&["--worth", "kajaani=10 kW", "--pairs", "3"]).done().out,
        "chance is the same each time"
    );
    refused(&call(&["--worth", "umea"]), &["no site called `umea`; sites are `kajaani`"]);
    refused(&call(&["--worth", "kajaani"]), &["no more than 1 MW", "write a smaller difference"]);
    refused(&call(&["--worth", "kajaani=0 W"]), &["a difference of nothing"]);
}

#[test]
fn a_job_tells_its_story() {
    let place = generated();
    let ended = place.giga(&GENERATED_RUN, &["--explain", "150"]).done();
    let (_, story) = ended.out.split_once("violations: 0\n").expect("a screen");
    assert!(story.contains("waits:") && story.contains("runs on") && story.contains("over"), "{story}");
    assert!(story.lines().all(|line| line.starts_with("2027-01-0")), "{story}");
}

/// Begins a call, interrupts it as the keyboard does once its tables are begun, and waits for its end.
#[cfg(unix)]
fn interrupted(place: &Place, arguments: &[&str]) -> Ended {
    let out = arguments.last().expect("the folder comes last");
    let mut command = command(place, arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let begun = std::time::Instant::now();
    // The tables are opened before the interrupt is watched for; a little later both are done.
    while !place.path(&format!("{out}/hours.parquet")).exists() {
        assert!(begun.elapsed().as_secs() < 60, "the run never began");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::thread::sleep(std::time::Duration::from_millis(100));
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("a signal can be sent").success());
    ended(child.wait_with_output().expect("the binary ends"))
}

#[cfg(unix)]
#[test]
fn an_interrupt_saves_and_the_run_can_go_on() {
    let place = generated();
    let run = ["simulate", "small.toml", "--for", "30y", "--load", "40"];
    place.giga(&run, &["--out", "whole"]).done();
    let ended = interrupted(&place, &[&run[..], &["--out", "broken"]].concat());
    assert!(ended.err.contains("go on with: giga simulate --resume broken"), "{}", ended.err);
    assert!(place.path("broken/run.saved").exists() && !place.path("broken/summary.json").exists());
    place.giga(&["simulate", "--resume", "broken"], &[]).done();
    assert_eq!(place.tables("broken"), place.tables("whole"));
}

/// The call ends with 2 and says all of this.
#[track_caller]
fn refused(ended: &Ended, words: &[&str]) {
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{}", ended.err);
    for word in words {
        assert!(ended.err.contains(word), "`{word}` in: {}", ended.err);
    }
}

#[test]
fn wrong_input_is_refused_with_a_remedy() {
    let place = traced();
    place.write("faulty.toml", &TRACED.replace("2 kW", "2").replace("name = \"umea\"", "nam = \"umea\""));
    place.write("something.bin", "\u{1}\u{2}\u{3}\n");
    place.write("faulty.swf", &log(20).replace(" -1 822 ", " -1 soon "));
    let call = |arguments: &[&str]| place.giga(&["simulate"], arguments);
    refused(&call(&["nowhere.toml"]), &["`nowhere.toml` can not be read"]);
    refused(&call(&["faulty.toml", "--workload", "log.swf"]), &["faulty.toml:", "`nam`", "unit"]);
    refused(&call(&["traced.toml"]), &["no work", "--workload"]);
    refused(&call(&["traced.toml", "--workload", "nowhere.swf"]), &["`nowhere.swf`", "can not be opened"]);
    refused(&call(&["traced.toml", "--workload", "something.bin"]), &["format", "swf"]);
    refused(&call(&["traced.toml", "--workload", "log.swf", "--format", "xls"]), &["`xls`", "swf"]);
    refused(&call(&["traced.toml", "--workload", "log.swf", "--for", "0d"]), &["`--for`", "30d"]);
    refused(&call(&["traced.toml", "--workload", "log.swf", "--for", "soon"]), &["--for"]);
    refused(&call(&["traced.toml", "--workload", "log.swf", "--stop-at", "2027-01-02"]), &["--out"]);
    let strict = ["traced.toml", "--workload", "faulty.swf", "--strict", "--out", "strict"];
    refused(&call(&strict), &["`faulty.swf`", "line 8", "--strict"]);
    assert!(!place.path("strict/summary.json").exists());
    let lenient = call(&["traced.toml", "--workload", "faulty.swf"]).done();
    assert!(lenient.out.contains("19 completed"), "{}", lenient.out);
    refused(&call(&["--resume", "nowhere"]), &["`nowhere` holds no saved run"]);
}

/// A stopped run, of which the file of its work or its own file is then changed.
fn stopped() -> Place {
    let place = traced();
    place.giga(&TRACED_RUN, &["--out", "run", "--stop-at", "2027-01-05"]).done();
    place
}

#[test]
fn a_damaged_saved_run_is_refused_and_left_as_it_is() {
    let place = stopped();
    let (saved, jobs) = (place.read("run/run.saved"), place.read("run/jobs.parquet"));
    let resume = ["simulate", "--resume", "run"];
    for place_of_damage in [0, 9, 30, saved.len() / 2, saved.len() - 1] {
        let mut damaged = saved.clone();
        damaged[place_of_damage] ^= 0x41;
        std::fs::write(place.path("run/run.saved"), &damaged).expect("a file");
        refused(&place.giga(&resume, &[]), &["run.saved"]);
        assert!(place.read("run/run.saved") == damaged && place.read("run/jobs.parquet") == jobs);
    }
    std::fs::write(place.path("run/run.saved"), &saved[..saved.len() / 2]).expect("a file");
    refused(&place.giga(&resume, &[]), &["damaged"]);
    std::fs::write(place.path("run/run.saved"), &saved).expect("a file");
    place.giga(&resume, &[]).done();
    place.giga(&TRACED_RUN, &["--out", "whole"]).done();
    assert_eq!(place.tables("run"), place.tables("whole"));
}

#[test]
fn work_that_changed_under_a_stopped_run_is_refused_and_nothing_is_lost() {
    let place = stopped();
    let resume = ["simulate", "--resume", "run"];
    let files =
        || ["run.saved", "jobs.parquet", "hours.parquet"].map(|file| place.read(&format!("run/{file}")));
    let before = files();
    let original = log(400);
    // Shorter than what was had, gone, another job among those that were had, one of them less.
    let changed = original.replacen(" 600 1 ", " 601 1 ", 1);
    let fewer = original.lines().filter(|line| !line.starts_with("9 ")).collect::<Vec<_>>().join("\n");
    for text in [Some(log(20)), None, Some(changed), Some(fewer)] {
        match &text {
            Some(text) => place.write("log.swf", text),
            None => std::fs::remove_file(place.path("log.swf")).expect("a file"),
        }
        let ended = place.giga(&resume, &[]);
        refused(&ended, &["log.swf"]);
        assert!(files() == before, "the stopped run is as it was, so that it can go on with its work");
    }
    place.write("log.swf", &original);
    place.giga(&resume, &[]).done();
    place.giga(&TRACED_RUN, &["--out", "whole"]).done();
    assert_eq!(place.tables("run"), place.tables("whole"));
}

/// A run that goes on can be killed at any time: what was saved is still there, beside tables without an end.
#[test]
fn a_run_that_was_killed_while_it_went_on_can_go_on_again() {
    let place = stopped();
    for table in ["jobs", "hours"] {
        let [now, aside] = ["parquet", "parquet.saved"].map(|end| place.path(&format!("run/{table}.{end}")));
        std::fs::rename(&now, aside).expect("a file");
        std::fs::write(now, b"PAR1").expect("a file");
    }
    place.giga(&["simulate", "--resume", "run", "--stop-at", "2027-01-06"], &[]).done();
    assert_eq!(std::fs::read_dir(place.path("run")).expect("a folder").count(), 3);
    place.giga(&["simulate", "--resume", "run"], &[]).done();
    place.giga(&TRACED_RUN, &["--out", "whole"]).done();
    assert_eq!(place.tables("run"), place.tables("whole"));
    assert_eq!(std::fs::read_dir(place.path("run")).expect("a folder").count(), 4);
}

#[test]
fn a_table_that_is_gone_is_named_and_the_rest_is_left() {
    let place = stopped();
    let saved = place.read("run/run.saved");
    std::fs::remove_file(place.path("run/hours.parquet")).expect("a file");
    let jobs = place.read("run/jobs.parquet");
    let ended = place.giga(&["simulate", "--resume", "run"], &[]);
    assert!(ended.code == Some(1) && ended.err.contains("hours.parquet"), "{:?} {}", ended.code, ended.err);
    assert!(place.read("run/run.saved") == saved && place.read("run/jobs.parquet") == jobs);
}

#[test]
fn every_scenario_runs_two_days_without_violations() {
    let place = Place::new();
    place.write("log.swf", &log(60));
    for file in scenarios() {
        let text = std::fs::read_to_string(&file).expect("a scenario");
        let path = file.to_str().expect("UTF-8");
        let work: &[&str] = if text.contains("[workload]") { &[] } else { &["--workload", "log.swf"] };
        let ended = place.giga(&["simulate", path, "--for", "2d", "--json"], work).done();
        let summary: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON");
        assert_eq!(summary["violations"], 0, "{path}");
        assert!(summary["jobs_submitted"].as_u64() > Some(10), "{path}: {summary}");
        assert_eq!(summary["jobs_refused"], 0, "{path}");
    }
}

/// The screen and the story of a job as a person reads them. Where they are meant to change, write the file anew from
/// what the test shows.
#[test]
fn the_screen_is_the_one_that_is_kept() {
    let scenario = scenarios().into_iter().find(|file| file.ends_with("telenor.toml")).expect("a scenario");
    let path = scenario.to_str().expect("UTF-8");
    let ended = giga(&Place::new(), &["simulate", path, "--for", "60d", "--load", "110", "--explain", "260"]);
    let kept = include_str!("screens/telenor-60d.txt");
    assert_eq!(ended.done().out, kept);
}

/// Kueue's published load: all 15,000 jobs done within 80 s of simulated time. How fast that is decided is printed and
/// not judged.
#[test]
#[expect(clippy::print_stdout, reason = "the rate is for the reader")]
fn kueues_load_is_done_in_time() {
    let place = Place::new();
    let kueue = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/kueue.toml");
    let begun = std::time::Instant::now();
    let ended = giga(&place, &["simulate", kueue.to_str().expect("UTF-8"), "--json"]).done();
    let took = begun.elapsed().as_secs_f64();
    let summary: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!((&summary["jobs_completed"], &summary["violations"]), (&15_000.into(), &0.into()));
    let instant = |key: &str| {
        let text = summary[key].as_str().expect("a date");
        giga_units::Instant::parse(text).expect("a date")
    };
    let span = instant("until").since(instant("from"));
    assert!(span <= giga_units::Duration::seconds(80), "{span}");
    println!("kueue: 15,000 jobs done after {span}; {:.0} decisions/s of wall time", 15_000.0 / took);
}
