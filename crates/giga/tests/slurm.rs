//! A live federation of three real Slurm sites: limits are kept, work that is sent away saves what it has and goes on from there.
#![cfg(all(feature = "live", target_os = "linux"))]

#[expect(dead_code, reason = "other programs use other parts")]
#[path = "../../giga-engine/tests/bench/cluster.rs"]
mod cluster;
#[expect(dead_code, reason = "not every test uses all of a server")]
mod live;
mod on_slurm;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use cluster::Cluster;
use live::{Live, until};
use serde_json::{Value, json};

/// Three clusters of two nodes with four accelerators each; `None`, with a word about it, where there can be none.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn clusters(test: &str) -> Option<Cluster> {
    match Cluster::start(&on_slurm::SITES, 2, 4) {
        Ok(cluster) => Some(cluster),
        Err(why) if cluster::required() => panic!("{why}"),
        Err(why) => {
            eprintln!("SKIPPED: {test}: {why}");
            None
        }
    }
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn state(live: &Live, job: u64) -> Value {
    live.send("GET", &format!("/v1/jobs/{job}"), &[], "").json()["job"]["state"].clone()
}

/// A job on all of a site that counts on from where it was, and saves when it is told to stop.
fn counts(file: &Path) -> String {
    let run = format!(
        "n=$(cat saved 2>/dev/null || echo 0); echo \"begin $GIGA_SITE $n\" >> {0}\n\
         trap 'echo $n > saved; echo \"saved $n\" >> {0}; exit 1' TERM\n\
         while :; do n=$((n + 1)); sleep 0.1; done",
        file.display()
    );
    json!({"project": "demo", "run": ["sh", "-c", run], "resources": {"accelerators": 8}, "limit": "1 h",
           "checkpoint": "1 min"})
    .to_string()
}

#[test]
#[expect(clippy::print_stdout, reason = "the times are for the reader")]
fn a_limit_is_complied_with_on_slurm_and_work_goes_on_behind_it() {
    let Some(cluster) = clusters("a_limit_is_complied_with_on_slurm") else { return };
    let live = Live::start_of(&on_slurm::description(|site| cluster.conf_of(site), |_| String::new()));
    let files: Vec<_> = (0..3).map(|job| live.folder.path().join(format!("counted-{job}"))).collect();
    let jobs: Vec<u64> = files.iter().map(|file| live.submit(&counts(file))).collect();
    until("three sites at work", 60, || files.iter().all(|file| lines(file).len() == 1));
    // What all nodes draw idle and no more: nothing may run anywhere.
    let from = Instant::now();
    for site in on_slurm::SITES {
        let output = live.verb(&["limit", site, "5 W", "--for", "25s"]);
        assert!(output.status.success(), "{output:?}");
    }
    until("all stopped by their own hands", 10, || files.iter().all(|file| lines(file).len() == 2));
    let saved = from.elapsed();
    until("no job runs", 10, || jobs.iter().all(|&job| state(&live, job) == "waiting"));
    let sites = || live.send("GET", "/v1/sites", &[], "").json()["sites"].to_string();
    until("all sites comply", 10, || sites().matches("\"complied\"").count() == 3);
    let complied = from.elapsed();
    println!("three limits at once: work saved after {saved:.1?}, complied with after {complied:.1?}");
    assert!(complied < Duration::from_secs(10), "{complied:?}");
    until("all at work again", 90, || files.iter().all(|file| lines(file).len() >= 3));
    for file in &files {
        let lines = lines(file);
        let count = |line: &str| line.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        assert_eq!(count(&lines[1]), count(&lines[2]), "it goes on from where it was: {lines:?}");
        assert!(count(&lines[1]) > 0, "{lines:?}");
    }
    for job in jobs {
        live.send("POST", &format!("/v1/jobs/{job}/cancel"), &[], "");
        live.wait(job, &["cancelled"]);
    }
}

/// Freezes a controller, or lets it go on.
fn signal(cluster: &Cluster, site: &str, signal: &str) {
    let pid = cluster.pid(site, "slurmctld").expect("a controller").to_string();
    assert!(std::process::Command::new("kill").args([signal, &pid]).status().expect("kill").success());
}

#[test]
fn a_site_whose_slurm_is_silent_gets_nothing_more_until_it_answers() {
    let Some(cluster) = clusters("a_site_whose_slurm_is_silent") else { return };
    let live = Live::start_of(&on_slurm::description(|site| cluster.conf_of(site), |_| String::new()));
    let submit = || {
        let job = live.submit(r#"{"project": "demo", "run": "true"}"#);
        live.wait(job, &["completed"])["site"].clone()
    };
    let first = submit();
    let site = first.as_str().expect("a name");
    let file = live.folder.path().join("counted");
    let counted = live.submit(&counts(&file));
    until("a site at work", 60, || lines(&file).len() == 1);
    let held = lines(&file)[0].split(' ').nth(1).expect("a site").to_owned();
    let shell = live.verb(&["shell", "--project", "demo", "--", "sh", "-c", "tty; echo on-$GIGA_SITE"]);
    let told = String::from_utf8_lossy(&shell.stdout).into_owned();
    assert!(shell.status.success() && told.contains("/dev/pts") && told.contains("on-"), "{told}");
    signal(&cluster, &held, "-STOP");
    let view = |name: &str| {
        let sites = live.send("GET", "/v1/sites", &[], "").json();
        let sites = sites["sites"].as_array().expect("sites").clone();
        sites.into_iter().find(|view| view["name"] == name).expect("a site")
    };
    until("it is found silent", 150, || view(&held)["silent"] == true);
    assert!(held == site || submit() == first, "the others are used as before");
    assert_ne!(submit(), held.as_str(), "nothing is sent there");
    let told = String::from_utf8(live.verb(&["sites"]).stdout).expect("UTF-8");
    assert!(told.contains("does not answer: nothing starts there until it does"), "{told}");
    assert_eq!(state(&live, counted), "running", "what runs there goes on");
    signal(&cluster, &held, "-CONT");
    until("it answers again", 60, || view(&held)["silent"] == false);
    assert_eq!(state(&live, counted), "running");
    live.send("POST", &format!("/v1/jobs/{counted}/cancel"), &[], "");
    live.wait(counted, &["cancelled"]);
    assert_eq!(submit(), first, "it is chosen again");
}

/// Others take all nodes of a site until they are told to let go.
fn occupy(cluster: &Cluster, site: &str, until_gone: &Path) {
    fs::write(until_gone, "").expect("a file");
    let wait = format!("while [ -e {} ]; do sleep 0.1; done", until_gone.display());
    let sent = std::process::Command::new("sbatch")
        .env("SLURM_CONF", cluster.conf_of(site))
        .args(["--nodes=2", "--exclusive", "--output=/dev/null", "--job-name=theirs", "--wrap", &wait])
        .output()
        .expect("sbatch runs");
    assert!(sent.status.success(), "{sent:?}");
    let running = || {
        let listed = std::process::Command::new("squeue")
            .env("SLURM_CONF", cluster.conf_of(site))
            .args(["-h", "-n", "theirs", "-t", "RUNNING"])
            .output();
        listed.is_ok_and(|listed| !listed.stdout.is_empty())
    };
    until("others at work", 30, running);
}

#[test]
fn as_a_guest_slurm_decides_when_a_job_begins_and_its_time_counts_from_then() {
    let Some(cluster) = clusters("as_a_guest_slurm_decides") else { return };
    let guest = on_slurm::SITES[0];
    let mode = |site: &str| if site == guest { "mode = \"guest\"\n" } else { "mode = \"observe\"\n" };
    let described = on_slurm::description(|site| cluster.conf_of(site), |site| mode(site).to_owned());
    let mut live = Live::start_of(&described);
    let theirs = live.folder.path().join("theirs");
    let sites = String::from_utf8(live.verb(&["sites"]).stdout).expect("UTF-8");
    assert!(sites.contains(&format!("{guest} decides itself when work begins")), "{sites}");
    assert_eq!(sites.matches("is only looked at: nothing is placed there").count(), 2, "{sites}");
    let run = |live: &Live| live.submit(r#"{"project": "demo", "run": ["sleep", "2"], "limit": "1 h"}"#);
    let queued = |live: &Live, job: u64| {
        until("it waits in the line of Slurm", 30, || {
            let told = live.send("GET", &format!("/v1/jobs/{job}/explain"), &[], "").json().to_string();
            told.contains("its own Slurm decides") && told.contains("of Slurm waits there: ")
        });
        assert_eq!(state(live, job), "queued");
        let sites = String::from_utf8(live.verb(&["sites"]).stdout).expect("UTF-8");
        assert!(sites.contains("given to it: 1 job in its line"), "{sites}");
    };
    for restart in [false, true] {
        occupy(&cluster, guest, &theirs);
        let job = run(&live);
        queued(&live, job);
        // Its wait is no use of accelerators, also for one who was away.
        std::thread::sleep(Duration::from_secs(8));
        if restart {
            live.kill_and_start();
            queued(&live, job);
        }
        fs::remove_file(&theirs).expect("a file");
        let done = live.wait(job, &["completed"]);
        let at = |what: &str| {
            let text = done[what].as_str().expect("a time");
            giga_units::Instant::parse(text).expect("a time").as_unix_milliseconds()
        };
        let (waited, ran) = (at("started") - at("submitted"), at("ended") - at("started"));
        assert!(waited > 8_000 && (2_000..6_000).contains(&ran), "waited {waited} ms and ran {ran} ms");
        assert_eq!((&done["site"], &done["attempts"]), (&json!(guest), &json!(1)));
    }
    // One that is taken back in the line is gone, and cost nothing.
    occupy(&cluster, guest, &theirs);
    let job = run(&live);
    queued(&live, job);
    live.send("POST", &format!("/v1/jobs/{job}/cancel"), &[], "");
    let done = live.wait(job, &["cancelled"]);
    assert_eq!((&done["energy_joule"], &done["cost_microeuro"]), (&json!(0), &json!(0)), "{done}");
    fs::remove_file(&theirs).expect("a file");
}
