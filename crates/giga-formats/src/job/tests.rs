//! Job files that are sound and faulty, and the laws that hold for all bodies.

use giga_model::{Assurance, JobId, Leaving, Predecessor};
use giga_units::{Bytes, Duration, Instant};
use proptest::prelude::*;

use super::{AcceleratorsBody, AskSpec, FileBody, FileParts, JobBody, JobSpec, RunBody, SENT_MAX, read};

const WHOLE: &str = r#"name = "train"
project = "demo"
run = """
pip list
python train.py
"""
workdir = "/data/here"
limit = "2 h"
checkpoint = "30 min"
[env]
EPOCHS = "3"
[resources]
accelerators = ["GB300-NVL72:8", "H200-HGX"]
cpus = 2
memory = "4 GiB"
"#;

fn spec(text: &str) -> JobSpec {
    read("jobs/my job.toml", text).unwrap_or_else(|faults| panic!("{faults}")).spec
}

/// Every expected piece stands in the fault at its place in the list, and there are no other faults.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let Err(faults) = read("job.toml", text) else { panic!("no fault was found") };
    let line = |d: &crate::description::Diagnostic| {
        format!("{}:{} {}: {} ({})", d.line, d.column, d.key, d.message, d.help)
    };
    let found: Vec<String> = faults.diagnostics().iter().map(line).collect();
    assert_eq!(found.len(), expected.len(), "these were found:\n{}", found.join("\n"));
    for (fault, pieces) in found.iter().zip(expected) {
        for piece in pieces.split(" … ") {
            assert!(fault.contains(piece), "`{piece}` is not in `{fault}`");
        }
    }
}

fn ask(name: &str, accelerators: u32) -> AskSpec {
    AskSpec { accelerator: Some(name.to_owned()), accelerators, least: None }
}

#[test]
fn a_whole_file_is_read() {
    let spec = spec(WHOLE);
    assert_eq!(spec.name, "train");
    assert_eq!(spec.project.as_deref(), Some("demo"));
    assert_eq!(spec.command, ["/bin/sh", "-e", "-c", "pip list\npython train.py\n"]);
    assert_eq!(spec.workdir.as_deref(), Some(std::path::Path::new("/data/here")));
    assert_eq!((spec.limit, spec.checkpoint), (Duration::hours(2), Some(Duration::seconds(1_800))));
    assert_eq!(spec.env["EPOCHS"], "3");
    assert_eq!(spec.asks, [ask("GB300-NVL72", 8), ask("H200-HGX", 1)]);
    assert_eq!((spec.cpus, spec.memory), (Some(2), Some(Bytes::mebibytes(4 << 10))));
}

#[test]
fn the_smallest_file_gets_its_name_and_the_defaults() {
    let spec = spec("run = [\"./prog\", \"--x\"]");
    assert_eq!(spec.name, "my-job");
    assert_eq!(spec.command, ["./prog", "--x"]);
    assert_eq!(spec.limit, Duration::hours(1));
    assert_eq!(spec.asks, [AskSpec { accelerator: None, accelerators: 1, least: None }]);
    assert_eq!((spec.project, spec.workdir, spec.checkpoint), (None, None, None));
    assert_eq!(
        (spec.data.len(), spec.leaving, spec.assurance, spec.deadline),
        (0, Leaving::Nothing, None, None)
    );
}

#[test]
fn a_job_comes_after_others() {
    let before = |job, any| Predecessor { job: JobId(job), any };
    let after = |text: &str| spec(&format!("run = \"x\"\n{text}")).after;
    assert_eq!(
        after("after = [12, 13]\nafter_any = [9]"),
        [before(12, false), before(13, false), before(9, true)]
    );
    assert_eq!(after("after = [12]\nafter_any = [12]"), [before(12, false)], "what asks for more counts");
    check(
        "run = \"x\"\nafter = [1, 2, 1, -4]\nafter_any = \"7\"",
        &[
            "2:16 after[2]: `1` stands twice in `after` (drop one",
            "2:19 after[3]: `-4` is no number of a job (write numbers as `giga jobs`",
            "3:13 after_any: … a list of numbers of jobs",
        ],
    );
    let many: Vec<String> = (0..1_001).map(|job| job.to_string()).collect();
    check(&format!("run = \"x\"\nafter = [{}]", many.join(",")), &["`after` has 1001 jobs, above the 1000"]);
}

#[test]
fn an_array_is_so_many_jobs() {
    let tasks = |text: &str| spec(&format!("run = \"x\"\nname = \"n\"\n{text}")).tasks().collect::<Vec<_>>();
    let told = |tasks: Vec<JobSpec>| -> Vec<(String, Option<u32>)> {
        tasks.into_iter().map(|task| (task.name, task.array.and_then(|array| array.index))).collect()
    };
    assert_eq!(told(tasks("")), [("n".into(), None)]);
    assert_eq!(told(tasks("array = 2")), [("n-0".into(), Some(0)), ("n-1".into(), Some(1))]);
    assert_eq!(told(tasks("array = 9\nindex = 3")), [("n".into(), Some(3))], "one task anew");
    assert_eq!(tasks("array = 1000").len(), 1_000);
    assert!(tasks("array = 1000").iter().all(|task| task.body().check() == Ok(task.clone())));
    check("run = \"x\"\nindex = 3", &["2:9 index: `index` is given without `array` (write for example"]);
    check("run = \"x\"\narray = 0", &["array: `array` is 0, outside 1 to 1000"]);
    check("run = \"x\"\narray = 3\nindex = 3", &["index: `index` is 3, outside 0 to 2"]);
    let name = "n".repeat(61);
    check(
        &format!("run = \"x\"\nname = \"{name}\"\narray = 1000"),
        &["`name` has 61 characters, above the 60"],
    );
}

#[test]
fn accelerators_are_asked_for_in_several_ways() {
    let asks = |text: &str| spec(&format!("run = \"x\"\nresources.accelerators = {text}")).asks;
    let any = |accelerators| AskSpec { accelerator: None, accelerators, least: None };
    assert_eq!(asks("8"), [any(8)]);
    assert_eq!(asks("\"8\""), [any(8)]);
    assert_eq!(asks("\"H200-HGX:8\""), [ask("H200-HGX", 8)]);
    assert_eq!(asks("\"H200-HGX\""), [ask("H200-HGX", 1)]);
    assert_eq!(asks("[\"A:2\", \"4\"]"), [ask("A", 2), any(4)]);
}

#[test]
fn a_body_without_a_name_is_called_after_its_first_word() {
    let name = |run: &str| {
        let body: JobBody = serde_json::from_str(&format!("{{\"run\": {run}}}")).expect("a body");
        body.check().expect("a sound body").name
    };
    assert_eq!(name("\"# a note\\n/usr/bin/python3 train.py\""), "python3");
    assert_eq!(name("[\"./prog\"]"), "prog");
    assert_eq!(name("\"«»\""), "job");
}

#[test]
fn every_fault_of_a_file_is_reported_at_once() {
    check(
        r#"name = "-train"
projct = "demo"
run = ["python", 3]
workdir = "data"
limit = 2
checkpoint = "30 minutes"
[env]
EPOCHS = 3
GIGA_JOB = "1"
2X = "1"
[resources]
accelerators = ["H200-HGX:0", "x:y"]
cpus = -1
memory = "4 petabyte"
gpus = 1
"#,
        &[
            "1:8 name: `-train` is no name for a job … beginning with a letter",
            "2:1 projct: `projct` is not a key of a job file … did you mean `project`?",
            "3:18 run[1]: `run` takes a list of texts in quotes, and here is a whole number",
            "4:11 workdir: `data` is not an absolute path … from the root on",
            "5:9 limit: `limit` takes a text in quotes … `limit = \"2 h\"`",
            "6:14 checkpoint: `minutes` is not a unit of duration … `checkpoint = \"30 min\"`",
            "8:10 env.EPOCHS: `EPOCHS` takes a text in quotes … `EPOCHS = \"3\"`",
            "9:12 env.GIGA_JOB: `GIGA_JOB` is reserved … another name",
            "10:6 env.2X: `2X` is no name for a variable",
            "12:17 resources.accelerators[0]: `H200-HGX:0` does not say … `H200-HGX:8-32`, from 1 to",
            "12:31 resources.accelerators[1]: `x:y` does not say",
            "13:8 resources.cpus: `cpus` is -1, outside 1 to",
            "14:10 resources.memory: `petabyte` is not a unit",
            "15:1 resources.gpus: `gpus` is not a key of [resources] … the keys here are `accelerators`, `cpus`",
        ],
    );
}

#[test]
fn what_can_not_be_run_is_a_fault() {
    check("name = \"x\"", &["1:1 run: a job file needs `run` … `run = \"python train.py\"`"]);
    check("runs = \"x\"", &["1:1 runs: … did you mean `run`?"]);
    check("run = \"  \"", &["1:7 run: `run` is empty"]);
    check("run = []", &["run: `run` is empty … [\"./prog\", \"--x\"]"]);
    check("run = \"a\\u0000\"", &["run: `run` holds a character that no script can hold"]);
    check("run = [\"a\", \"\\u0000\"]", &["1:13 run[1]: `run[1]` holds a character that no argument"]);
    check("run = \"#!/usr/bin/env python3\\nprint()\"", &["run: the script begins with `#!/usr/bin/env"]);
    check(&format!("run = \"{}\"", "x".repeat(65_537)), &["has 65537 bytes, above the 65536 that fit"]);
    check("run = 1", &["run: `run` takes a script in quotes or a list of texts"]);
    assert_eq!(spec("run = \"#!/bin/sh\\ntrue\"").command.len(), 4);
}

#[test]
fn limits_are_kept() {
    let with = |line: &str| format!("run = \"x\"\n{line}");
    check(&with("limit = \"0 s\""), &["2:9 limit: `limit` is `0 s`, outside `1 s` to `1 y`"]);
    check(&with("limit = \"2 y\""), &["outside `1 s` to `1 y`"]);
    check(&with("project = \" \""), &["project: `project` is empty"]);
    check(&with(&format!("name = \"{}\"", "x".repeat(65))), &["xxx…` is no name for a job"]);
    check(&with("resources.accelerators = 0"), &["`0` does not say which accelerators and how many"]);
    check(&with("resources.accelerators = 99999999999999999999"), &["does not say"]);
    let many = vec!["\"A:1\""; 17].join(", ");
    check(&with(&format!("resources.accelerators = [{many}]")), &["has 17 entries, above the 16"]);
    check(&with("resources.memory = \"1 B\""), &["outside `1 MiB` to `1024 TiB`"]);
    check(&with("env = 3"), &["env: `env` takes a table of variables"]);
    check(&with("resources = 3"), &["resources: `resources` takes a table"]);
}

#[test]
fn terms_are_read() {
    let text = "run = \"x\"\ndata = [\"scans\", \"open corpus\"]\nleaving = \"derived\"\nassurance = 3\ndeadline = \
                2027-03-01T08:00:00+01:00\n";
    let spec = spec(text);
    assert_eq!(spec.data, ["scans", "open corpus"]);
    assert_eq!((spec.leaving, spec.assurance.map(Assurance::get)), (Leaving::Derived, Some(3)));
    assert_eq!(spec.deadline.map(|deadline| deadline.to_string()).as_deref(), Some("2027-03-01T07:00:00Z"));
}

#[test]
fn terms_are_checked() {
    let with = |line: &str| format!("run = \"x\"\n{line}");
    check(
        &with("data = [\"a\", \"\", \"a\"]\nleaving = \"all\"\nassurance = 5\ndeadline = \"soon\""),
        &[
            "2:14 data[1]: `data` is empty … [\"scans\"]",
            "2:18 data[2]: `a` stands twice in `data` … drop one",
            "3:11 leaving: `all` is no word for `leaving` … `nothing`, `aggregated`, `derived`, `everything`",
            "4:13 assurance: `assurance` is 5, outside 1 to 4",
            "5:12 deadline: `soon` is neither a date nor a time from now … `12 h`",
        ],
    );
    check(
        &with("data = \"a\"\nassurance = \"3\"\ndeadline = 3"),
        &["a list of names", "a whole number", "a date, or"],
    );
    check(&with("deadline = \"11 y\""), &["neither a date nor a time"]);
    check(&with(&format!("data = [{}]", vec!["\"a\""; 101].join(", "))), &["has 101 entries, above the 100"]);
    let (now, day) = (Instant::unix_milliseconds(0), Duration::days(1));
    let at =
        |text: &str| spec(&with(&format!("deadline = {text}"))).deadline.map(|deadline| deadline.at(now));
    assert_eq!([at("\"1 d\""), at("1970-01-02"), at("\"1970-01-02T00:00\"")], [Some(now + day); 3]);
}

#[test]
fn an_image_is_a_path_or_a_reference() {
    let image = |text: &str| format!("run = \"x\"\ncontainer = {text}");
    for sound in ["/images/torch.sif", "/images/a folder", "docker://debian:12", "oras://x/y"] {
        assert_eq!(spec(&image(&format!("\"{sound}\""))).container.as_deref(), Some(sound));
    }
    let neither = "is neither the absolute path of an image nor a reference to one … `docker://debian:12`";
    for text in ["torch.sif", "-w", "./here", "docker://", "--x://y", "://x"] {
        check(&image(&format!("\"{text}\"")), &[&format!("2:13 container: `{text}` {neither}")]);
    }
    check(&image("\" \""), &["2:13 container: `container` is empty … \"/images/torch.sif\""]);
    check(&image("\"/a\\u0000\""), &["container: `container` holds a character that no image can hold"]);
    check(&image("3"), &["2:13 container: `container` takes a text"]);
}

#[test]
fn a_job_brings_files_along() {
    let with = |files: &str| format!("run = \"./run\"\n[files]\n{files}");
    let sent = spec(&with(
        "'run' = { text = \"#!/bin/sh\", executable = true }\n'a/b.toml' = \"x = 1\"\nraw = { base64 = \"/wA=\" }",
    ));
    let files: Vec<_> =
        sent.files.iter().map(|file| (file.path.to_str(), file.bytes.as_slice(), file.executable)).collect();
    let expected = [
        (Some("a/b.toml"), &b"x = 1"[..], false),
        (Some("raw"), &[0xff, 0], false),
        (Some("run"), b"#!/bin/sh", true),
    ];
    assert_eq!(files, expected);
    check(
        &with("'../a' = \"\""),
        &["3:10 files.../a: `../a` is no path of a file in the job's folder … `conf/a.toml`"],
    );
    check(&with("a = \"\"\n'a/b' = \"\""), &["4:9 files.a/b: `a/b` lies below `a`, which is a file as well"]);
    check(&with("a = { base64 = \"?\" }"), &["3:5 files.a: `a` holds nothing that can be read … `base64`"]);
    check(
        &with("a = { txt = \"?\" }"),
        &["files.a: `a` holds nothing", "files.a.txt: … did you mean `text`?"],
    );
    check(&with("a = 3"), &["3:5 files.a: `a` takes a text, or a table with `base64`"]);
    check(
        &with("a = { text = \"\", executable = 1 }"),
        &["files.a.executable: `executable` takes `true` or `false`"],
    );
    check("run = \"x\"\nfiles = 3", &["2:9 files: `files` takes a table of texts by their paths"]);
    check(
        "run = \"x\"\nworkdir = \"/data\"\nfiles = { a = \"\" }",
        &["3:9 files: `files` stands beside `workdir` … drop `workdir`"],
    );
    let large = format!("a = \"{}\"\nb = \"xx\"", "x".repeat(SENT_MAX - 1));
    check(&with(&large), &["files: `files` has 524289 bytes, above the 524288 that fit … as a dataset"]);
    let many: String = (0..257).map(|at| format!("a{at} = \"\"\n")).collect();
    check(&with(&many), &["files: `files` has 257 files, above the 256 that fit"]);
}

#[test]
fn damage_is_shown_and_makes_no_other_fault_up() {
    check("name = \"x\nlimit = \"1 h\"", &["1:10 : this is not TOML"]);
}

#[test]
fn a_fault_is_shown_with_its_line() {
    let shown = read("job.toml", "run = \"x\"\nlimt = \"1 h\"").expect_err("a faulty file").to_string();
    let expected = "error: `limt` is not a key of a job file
 --> job.toml:2:1
  |
2 | limt = \"1 h\"
  | ^^^^
  |
  = help: did you mean `limit`?

1 fault in job.toml
";
    assert_eq!(shown, expected);
}

#[test]
fn a_body_is_refused_where_it_has_keys_that_are_none() {
    let read = |text: &str| serde_json::from_str::<JobBody>(text).map(drop).map_err(|e| e.to_string());
    assert_eq!(read("{\"run\": \"x\"}"), Ok(()));
    assert!(read("{\"run\": \"x\", \"gpus\": 1}").is_err_and(|e| e.contains("unknown field `gpus`")));
    assert!(read("{\"run\": 1}").is_err_and(|e| e.contains("`run` takes a script")));
    assert!(read("{\"run\": \"x\", \"resources\": {\"accelerators\": 1.5}}").is_err());
}

/// Bodies that an earlier release kept are read as what they were then.
#[test]
fn kept_bodies_stay_readable() {
    let kept = include_str!("tests/body-1.json");
    let body: JobBody = serde_json::from_str(kept).expect("a body that was kept");
    let mut spec = spec(WHOLE);
    spec.asks.push(AskSpec { accelerator: None, accelerators: 4, least: None });
    assert_eq!(body.check(), Ok(spec));
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9_.: -]{0,12}", "[0-9]{1,3} (s|min|h|GiB|GB|MB)", ".{0,8}"]
}

fn bodies() -> impl Strategy<Value = JobBody> {
    let run = prop_oneof![
        texts().prop_map(RunBody::Script),
        prop::collection::vec(texts(), 0..4).prop_map(RunBody::Command),
    ];
    let accelerators = prop_oneof![
        any::<i64>().prop_map(AcceleratorsBody::Count),
        (1_i64..100).prop_map(AcceleratorsBody::Count),
        texts().prop_map(AcceleratorsBody::One),
        prop::collection::vec(texts(), 0..4).prop_map(AcceleratorsBody::AnyOf),
    ];
    let text = || prop::option::of(texts());
    let env = prop::collection::btree_map("[A-Z_]{0,4}", texts(), 0..3);
    let resources = (prop::option::of(accelerators), prop::option::of(-2_i64..70), text());
    let terms = (
        prop::collection::vec(texts(), 0..3),
        prop::option::of(prop_oneof![texts(), Just("aggregated".to_owned()), Just("everything".to_owned())]),
        prop::option::of(-1_i64..6),
        prop::option::of(prop_oneof![texts(), Just("2027-03-01T08:00".to_owned())]),
        (prop::collection::vec(-1_i64..5, 0..3), prop::collection::vec(0_i64..5, 0..3)),
        (prop::option::of(0_i64..1_002), prop::option::of(-1_i64..12)),
    );
    let parts = (text(), prop::option::of("[A-Za-z0-9+/]{0,4}={0,2}"), any::<bool>())
        .prop_map(|(text, base64, executable)| FileParts { text, base64, executable });
    let file = prop_oneof![texts().prop_map(FileBody::Text), parts.prop_map(FileBody::Parts)];
    let files = prop::collection::btree_map("[a-c./]{1,4}", file, 0..3);
    let env = (env, files);
    ((text(), text(), run), (text(), text(), text(), text()), env, resources, terms).prop_map(
        |(a, b, env, c, d)| JobBody {
            name: a.0,
            project: a.1,
            run: a.2,
            workdir: b.0.map(|path| format!("/{path}")),
            container: b.3.map(|image| format!("docker://{image}")),
            limit: b.1,
            checkpoint: b.2,
            data: d.0,
            leaving: d.1,
            assurance: d.2,
            deadline: d.3,
            after: d.4.0,
            after_any: d.4.1,
            array: d.5.0,
            index: d.5.1,
            env: env.0,
            files: env.1,
            resources: super::ResourcesBody { accelerators: c.0, cpus: c.1, memory: c.2 },
        },
    )
}

proptest! {
    /// What was checked writes back to a body that checks to the same, and a body survives JSON.
    #[test]
    fn a_checked_job_writes_back_to_itself(body in bodies()) {
        let json = serde_json::to_string(&body).expect("plain values");
        prop_assert_eq!(&serde_json::from_str::<JobBody>(&json).expect("its own JSON"), &body);
        match body.check() {
            Ok(spec) => prop_assert_eq!(spec.body().check(), Ok(spec)),
            Err(faults) => prop_assert!(faults.iter().all(|fault| !fault.help.is_empty())),
        }
    }
}
