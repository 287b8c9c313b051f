//! `giga observe`: a real cluster is looked at and left alone, and what was seen runs in the twin; files do as well as commands.

#[cfg(target_os = "linux")]
#[expect(dead_code, reason = "other programs use other parts")]
#[path = "../../giga-engine/tests/bench/cluster.rs"]
mod cluster;
#[expect(dead_code, reason = "other programs use other parts")]
mod runs;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use giga_units::Instant;
use runs::{Place, giga};
use serde_json::Value;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../giga-formats/src/observe/golden");

fn golden(table: &str) -> String {
    format!("{GOLDEN}/{table}")
}

/// Accelerator-seconds of each account, by the figures.
fn used(figures: &Value) -> BTreeMap<String, i64> {
    let accounts = figures["span"]["accounts"].as_array().expect("accounts").iter();
    let used = |account: &Value| {
        let name = account["account"].as_str().expect("a name").to_owned();
        (name, account["used_accelerator_ms"].as_i64().expect("a count") / 1_000)
    };
    accounts.map(used).collect()
}

fn figures(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Runs what was left in a folder as it was; gives what it delivered in accelerator-seconds.
#[track_caller]
fn simulated(place: &Place, folder: &str) -> f64 {
    let (description, trace) = (format!("{folder}/federation.toml"), format!("{folder}/trace.csv"));
    let checked = giga(place, &["check", &description]).done();
    assert!(checked.out.contains("sound") && !checked.out.contains("note"), "{}", checked.out);
    let ended = giga(place, &["simulate", &description, "--workload", &trace, "--strict", "--json"]).done();
    let summary = figures(&ended.out);
    assert_eq!(summary["violations"], 0);
    assert_eq!(summary["jobs_completed"], summary["jobs_submitted"]);
    summary["accelerator_hours"]["delivered"].as_f64().expect("a count") * 3_600.0
}

#[test]
fn saved_files_are_read_far_from_any_cluster() {
    let place = Place::new();
    let (sinfo, squeue) = (golden("sinfo-22.05.txt"), golden("squeue-22.05.txt"));
    let (sacct, sshare) = (golden("sacct-22.05.txt"), golden("sshare-22.05.txt"));
    let call = ["observe", "--sinfo", &sinfo, "--squeue", &squeue, "--sacct", &sacct, "--sshare", &sshare];
    let screen = place.giga(&call, &["--zone", "FI"]).done();
    let pieces = [
        "a: 32 accelerators on 4 nodes, asked 2026-11-22T13:24:02Z",
        "8 accelerators on 1 nodes are down or drained",
        "3 jobs hold 12 of 24 accelerators that are up",
        "held: sent away or queued again",
        "estimate: what lending could win at most",
        "by ConsumedEnergyRaw",
        "it assumes: nothing more comes",
    ];
    pieces
        .iter()
        .for_each(|piece| assert!(screen.out.contains(piece), "`{piece}` is not in\n{}", screen.out));
    let ended = place.giga(&call, &["--out", "seen", "--json"]).done();
    assert_eq!(ended.out.as_bytes(), place.read("seen/figures.json"));
    let figures = figures(&ended.out);
    let by_awk =
        [("bio", 872), ("chem", 1_402), ("physics", 460)].map(|(name, used)| (name.to_owned(), used));
    assert_eq!(used(&figures), by_awk.into());
    assert!(
        ended.err.contains("giga simulate seen/federation.toml --workload seen/trace.csv"),
        "{}",
        ended.err
    );
    assert!((simulated(&place, "seen") - 2_734.0).abs() < 1e-6);
    let again = place.giga(&call, &["--out", "seen"]);
    assert_eq!(again.code, Some(2), "a description that somebody may have filled in is kept");
    place.giga(&call, &["--out", "seen", "--replace"]).done();
}

#[test]
fn what_can_not_be_read_is_named_with_the_way_out() {
    let place = Place::new();
    place.write("empty.txt", "");
    place.write("plain.txt", "NODELIST|PARTITION|STATE|GRES\nn0|p|idle|(null)\n");
    place.write("bad.txt", "NODELIST|PARTITION|STATE|GRES\nn0|p|idle|gpu:many:all\n");
    let check = |call: &[&str], pieces: &[&str]| {
        let ended = giga(&place, call);
        assert_eq!(ended.code, Some(2), "{}{}", ended.out, ended.err);
        pieces
            .iter()
            .for_each(|piece| assert!(ended.err.contains(piece), "`{piece}` is not in {}", ended.err));
    };
    check(&["observe", "--sinfo", "empty.txt"], &["`empty.txt`", "no header line", "--dry-run"]);
    check(&["observe", "--sinfo", "none.txt"], &["`none.txt` can not be read"]);
    check(&["observe", "--sinfo", "bad.txt"], &["`bad.txt`, line 2, `GRES`", "`all` is no count"]);
    let at = ["--at", "2026-11-22T14:00:00Z"];
    let plain = ["observe", "--sinfo", "plain.txt"];
    check(&plain, &["--at DATE"]);
    check(&[&plain[..], &at].concat(), &["no node with accelerators"]);
    check(&["observe", "--zone", "Mars", "--sinfo", "plain.txt"], &["`Mars`", "NO4", "--price"]);
    let (sinfo, sacct) = (golden("sinfo-24.05.txt"), golden("sacct-24.05.txt"));
    let ended =
        giga(&place, &["observe", "--sinfo", &sinfo, "--sacct", &sacct, "--since", "2d", "--out", "b"])
            .done();
    for piece in ["note: 4 rows of", "line 9, `Submit`"] {
        assert!(ended.out.contains(piece), "`{piece}` is not in\n{}", ended.out);
    }
    simulated(&place, "b");
}

#[test]
fn without_the_programs_of_slurm_it_says_where_to_call_it() {
    let place = Place::new();
    let ended =
        runs::command(&place, &["observe"]).env("PATH", place.path("")).output().expect("the binary runs");
    let ended = runs::ended(ended);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.err.contains("`sinfo` can not be started") && ended.err.contains("--dry-run"),
        "{}",
        ended.err
    );
}

/// The folder of real data. Without one the test is skipped by name, or fails where `GIGA_REQUIRE` names `data`.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn data(test: &str) -> Option<std::path::PathBuf> {
    let found = std::env::var_os("GIGA_DATA");
    let required = std::env::var("GIGA_REQUIRE").is_ok_and(|list| list.split(',').any(|word| word == "data"));
    assert!(found.is_some() || !required, "`{test}` needs GIGA_DATA, and GIGA_REQUIRE forbids to skip it");
    if found.is_none() {
        eprintln!("skipped: {test} needs GIGA_DATA");
    }
    found.map(Into::into)
}

/// A published trace as sacct would have printed it: each job starts when it comes, and asks for twice its time.
fn as_sacct(path: &Path) -> (String, BTreeMap<String, i64>) {
    let mut table =
        "JobID|Account|Partition|State|Submit|Start|End|TimelimitRaw|NNodes|AllocTRES\n".to_owned();
    let mut used = BTreeMap::new();
    let text = std::fs::read_to_string(path).expect("the trace");
    for (number, line) in text.lines().skip(1).filter(|line| !line.is_empty()).enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        let [at, length, count, _, account] = cells[..] else { panic!("{line}") };
        let start = Instant::parse(&at.replace(' ', "T")).expect("a time").as_unix_milliseconds() / 1_000;
        let length = length.parse::<f64>().expect("a length").round() as i64;
        let count: i64 = count.parse().expect("a count");
        let (end, minutes) = (start + length, (2 * length).div_euclid(60) + 1);
        let nodes = (count + 7) / 8;
        let _ = writeln!(
            table,
            "{number}|{account}|gpu|COMPLETED|{start}|{start}|{end}|{minutes}|{nodes}|gres/gpu={count}"
        );
        *used.entry(account.to_owned()).or_default() += count * length;
    }
    (table, used)
}

#[test]
fn a_published_trace_as_sacct_would_print_it_adds_up() {
    let Some(folder) = data("a_published_trace_as_sacct_would_print_it_adds_up") else { return };
    let place = Place::new();
    let (table, expected) = as_sacct(&folder.join("traces/philly-2017.csv"));
    place.write("sacct.txt", &table);
    let nodes = (0..312).map(|node| format!("n{node}|gpu*|idle|gpu:8\n"));
    place.write("sinfo.txt", &format!("NODELIST|PARTITION|STATE|GRES\n{}", nodes.collect::<String>()));
    let call = [
        "observe",
        "--sinfo",
        "sinfo.txt",
        "--sacct",
        "sacct.txt",
        "--since",
        "2y",
        "--json",
        "--out",
        "seen",
    ];
    let ended = giga(&place, &call).done();
    assert_eq!(used(&figures(&ended.out)), expected);
    let all: i64 = expected.values().sum();
    assert!((simulated(&place, "seen") - all as f64).abs() < 1.0);
}

#[cfg(target_os = "linux")]
mod slurm {
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;
    use std::time::{Duration as Span, Instant as Clock};

    use super::cluster::{self, Cluster, required};
    use super::*;

    /// Runs one of Slurm's programs.
    fn slurm(cluster: &Cluster, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        command.args(arguments).env("SLURM_CONF", cluster.conf());
        let output = command.output().expect("Slurm is installed");
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What was submitted: by account, accelerators of each job, and the sums that sacct has to come to.
    fn submit(cluster: &Cluster) -> BTreeMap<&'static str, u32> {
        let mut counts = BTreeMap::new();
        let batch = |account: &str, gres: &str, nodes: &str, more: &[&str], run: &str| {
            let (account, gres) = (format!("--account={account}"), format!("--gres=gpu:{gres}"));
            let nodes = format!("--nodes={nodes}");
            let fixed = ["--output=/dev/null", "--time=2", "--wrap", run];
            slurm(cluster, "sbatch", &[&[account.as_str(), &gres, &nodes], more, &fixed].concat());
        };
        for _ in 0..8 {
            batch("physics", "1", "1", &[], "sleep 1");
            batch("bio", "2", "1", &[], "sleep 1");
            batch("chem", "4", "2", &[], "sleep 1");
        }
        batch("bio", "1", "1", &["--array=1-4%2"], "sleep 1");
        batch("chem", "2", "1", &[], "sleep 2; exit 3");
        counts.extend([("physics", 8), ("bio", 12), ("chem", 9)]);
        counts
    }

    /// Waits until nothing of what was submitted is left, and the accounting has the end of every run.
    fn settled(cluster: &Cluster, runs: u32) {
        let until = Clock::now() + Span::from_secs(120);
        while !slurm(cluster, "squeue", &["--noheader"]).trim().is_empty() {
            assert!(Clock::now() < until, "the jobs end within two minutes");
            std::thread::sleep(Span::from_millis(200));
        }
        // The controller tells the accounting a little later, and a task of an array last of all.
        let ended =
            |line: &&str| !["RUNNING", "PENDING", "Unknown", "None"].iter().any(|no| line.contains(no));
        loop {
            let told = slurm(cluster, "sacct", &["-a", "-X", "-n", "-P", "--format=JobID,State,Start,End"]);
            if told.lines().filter(ended).count() >= runs as usize {
                return;
            }
            assert!(Clock::now() < until, "the accounting hears of {runs} runs:\n{told}");
            std::thread::sleep(Span::from_millis(200));
        }
    }

    /// Accelerator-seconds of each account by a sum over what sacct prints in another form.
    fn by_sacct(cluster: &Cluster) -> BTreeMap<String, i64> {
        let text = slurm(
            cluster,
            "sacct",
            &["-a", "-X", "-n", "-P", "--noconvert", "--format=Account,ElapsedRaw,AllocTRES"],
        );
        let mut sums = BTreeMap::new();
        for line in text.lines() {
            let cells: Vec<&str> = line.split('|').collect();
            let count = cells[2].split(',').find_map(|part| part.strip_prefix("gres/gpu="));
            let held = cells[1].parse::<i64>().expect("seconds")
                * count.map_or(0, |count| count.parse().expect("a count"));
            *sums.entry(cells[0].to_owned()).or_default() += held;
        }
        sums
    }

    /// Programs before those of Slurm that note how they are called; all others are not there.
    fn witnesses(place: &Place) -> std::path::PathBuf {
        let folder = place.path("bin");
        std::fs::create_dir(&folder).expect("a folder");
        let all = ["sinfo", "squeue", "sacct", "sbatch", "srun", "scancel", "scontrol", "sacctmgr", "sshare"];
        for program in all {
            let real = String::from_utf8(Command::new("which").arg(program).output().expect("which").stdout)
                .expect("UTF-8");
            let log = place.path("calls").display().to_string();
            let script = format!("#!/bin/sh\necho {program} >> {log}\nexec {} \"$@\"\n", real.trim());
            let path = folder.join(program);
            std::fs::write(&path, script).expect("a write");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        }
        folder
    }

    #[test]
    fn a_real_cluster_is_seen_simulated_and_left_alone() {
        let name = "a_real_cluster_is_seen_simulated_and_left_alone";
        let cluster = match Cluster::start(&["n"], 2, 8) {
            Ok(cluster) => cluster,
            Err(why) if required() => {
                panic!("`{name}` needs Slurm, and GIGA_REQUIRE forbids to skip it: {why}")
            }
            Err(why) => {
                #[expect(clippy::print_stderr, reason = "a skipped test says so")]
                {
                    eprintln!("skipped: {name} needs Slurm: {why}");
                }
                return;
            }
        };
        for account in ["physics", "bio", "chem"] {
            slurm(&cluster, "sacctmgr", &["-iQ", "add", "account", account, "cluster=n", "fairshare=10"]);
            let (user, account) = (cluster::user(), format!("account={account}"));
            slurm(&cluster, "sacctmgr", &["-iQ", "add", "user", &user, &account, "cluster=n"]);
        }
        let counts = submit(&cluster);
        waits(&cluster);
        // One of those that held the whole cluster ran.
        settled(&cluster, counts.values().sum::<u32>() + 1);
        ended(&cluster, &counts);
    }

    /// Looks while work waits: what is held and wanted is what squeue says, and starts are told.
    fn waits(cluster: &Cluster) {
        let place = Place::new();
        let hold = |count: &str| {
            let more = [
                "--output=/dev/null",
                "--time=5",
                "--nodes=2",
                "--gres=gpu:8",
                "--account=bio",
                "--wrap",
                count,
            ];
            slurm(cluster, "sbatch", &more).split_whitespace().last().expect("a number").to_owned()
        };
        let jobs = [hold("sleep 100"), hold("sleep 100"), hold("sleep 100")];
        let until = Clock::now() + Span::from_secs(120);
        let states = || slurm(cluster, "squeue", &["--noheader", "--format=%T %i"]);
        while states().lines().count() > 3 || !states().contains("RUNNING") {
            assert!(Clock::now() < until, "only the last three are left within two minutes: {}", states());
            std::thread::sleep(Span::from_millis(200));
        }
        let conf = cluster.conf();
        let seen = giga(&place, &["observe", "--conf", conf.to_str().expect("UTF-8"), "--json"]).done();
        let figures = figures(&seen.out);
        let now = &figures["now"];
        assert_eq!((&now["accelerators_held"], &now["accelerators_wanted"]), (&16.into(), &32.into()));
        assert_eq!(now["oldest"]["job"], jobs[1].as_str());
        let starts = figures["forecast"].as_array().expect("starts");
        assert_eq!(starts.iter().map(|job| &job["job"]).collect::<Vec<_>>(), [&jobs[1], &jobs[2]]);
        assert!(starts.iter().all(|job| job["futures"] == 16), "{starts:?}");
        // A run of less than a second counts nothing. What waits goes first, so that it does not start.
        std::thread::sleep(Span::from_millis(1_500));
        jobs.iter().rev().for_each(|job| drop(slurm(cluster, "scancel", &[job])));
    }

    fn ended(cluster: &Cluster, counts: &BTreeMap<&str, u32>) {
        let place = Place::new();
        let (before, path) = (slurm(cluster, "squeue", &["--states=all", "--noheader"]), witnesses(&place));
        let conf = cluster.conf().display().to_string();
        let mut command = runs::command(&place, &["observe", "--conf", &conf, "--out", "seen", "--json"]);
        let seen =
            runs::ended(command.env("PATH", &path).env("TZ", "America/New_York").output().expect("it runs"))
                .done();
        assert_eq!(
            String::from_utf8_lossy(&place.read("calls")),
            "sinfo\nsqueue\nsacct\n",
            "nothing else is called"
        );
        assert_eq!(slurm(cluster, "squeue", &["--states=all", "--noheader"]), before, "nothing is submitted");
        let told = figures(&seen.out);
        let by_sacct = by_sacct(cluster);
        assert_eq!(used(&told), by_sacct);
        let accounts = told["span"]["accounts"].as_array().expect("accounts");
        for account in accounts {
            let name = account["account"].as_str().expect("a name");
            // One of those that held the whole cluster ran, and it was charged to `bio`.
            let expected = counts[name] + u32::from(name == "bio");
            assert_eq!(account["runs"].as_u64(), Some(expected.into()), "{name}");
        }
        assert_eq!(told["span"]["lost"]["failed"]["runs"], 1);
        let all: i64 = by_sacct.values().sum();
        assert!(
            (simulated(&place, "seen") - all as f64).abs() < 1e-6,
            "the twin delivers what the trace holds"
        );
        // The same from files that its script saves, without any program of Slurm.
        let script = giga(&place, &["observe", "--conf", &conf, "--dry-run"]).done().out;
        place.write("save.sh", &script);
        let saved = Command::new("sh").arg("save.sh").current_dir(place.path("")).status().expect("a shell");
        assert!(saved.success(), "{script}");
        let files =
            ["observe", "--sinfo", "sinfo.txt", "--squeue", "squeue.txt", "--sacct", "sacct.txt", "--json"];
        let far = runs::command(&place, &files).env("PATH", "/nowhere").output().expect("it runs");
        assert_eq!(used(&figures(&runs::ended(far).done().out)), by_sacct);
    }
}
