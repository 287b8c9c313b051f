//! Submissions through the whole path (HTTP, decision, journal, engine, slurmrestd) beside slurmrestd's own rate in the same run,
//! on a real Slurm whose partition takes jobs and starts none.
//!
//! `benches/slurm.sh` runs it in release. Figures are of the machine it runs on; all of it shares it.
#![expect(clippy::print_stdout, reason = "a bench prints")]

#[expect(dead_code, reason = "other programs use other parts")]
#[path = "../../giga-engine/tests/bench/cluster.rs"]
mod cluster;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cluster::Cluster;
use giga_engine::slurm::{Ask, Rest, Transport as _};
use giga_formats::access::{self, Access};

/// Jobs of each part: as many as the site has accelerators.
const JOBS: u64 = 1_920;
const SITE: &str = "alpha";
/// Threads that submit: as many as the engine has.
const THREADS: u64 = 6;
const PATIENCE: Duration = Duration::from_secs(120);

fn main() {
    let cluster = match Cluster::start(&[SITE], 15, 128) {
        Ok(cluster) => cluster,
        Err(why) => return println!("SKIPPED: {why}"),
    };
    let conf = cluster.conf_of(SITE);
    slurm(&conf, "scontrol", &["update", "PartitionName=giga", "State=DOWN"]);
    let alone = raw(&cluster, 1);
    empty(&conf);
    let many = raw(&cluster, THREADS);
    empty(&conf);
    println!(
        "slurmrestd alone: {alone:.0} submissions/s one after the other, {many:.0} by {THREADS} at once"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let through = whole(&cluster, folder.path());
    println!("through giga: {through:.0} submissions/s from HTTP to slurmrestd's answer");
    println!(
        "{:.0} % of slurmrestd one after the other (asked: at least 80 %), {:.0} % of {THREADS} at once",
        through / alone * 100.0,
        through / many * 100.0
    );
}

fn slurm(conf: &Path, program: &str, arguments: &[&str]) -> String {
    let output =
        Command::new(program).args(arguments).env("SLURM_CONF", conf).output().expect("Slurm is there");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Jobs that the controller ever took, which costs it no list of them.
fn submitted(conf: &Path) -> u64 {
    let told = slurm(conf, "sdiag", &[]);
    let count =
        told.lines().find_map(|line| line.trim().strip_prefix("Jobs submitted:")?.trim().parse().ok());
    count.expect("the controller counts them")
}

/// Jobs that wait.
fn waiting(conf: &Path) -> u64 {
    slurm(conf, "squeue", &["-h", "-o", "%i"]).lines().count() as u64
}

fn empty(conf: &Path) {
    slurm(conf, "scancel", &["--state=PENDING", "--partition=giga"]);
    let from = Instant::now();
    while waiting(conf) > 0 && from.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(50));
    }
}

/// Submissions a second by slurmrestd alone, of the same kind as the engine's.
fn raw(cluster: &Cluster, threads: u64) -> f64 {
    let rest = Rest::new(&cluster.rest(), cluster.key(), &cluster::user());
    let next = AtomicU64::new(0);
    let from = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= JOBS {
                        return;
                    }
                    rest.submit(&ask(number)).expect("slurmrestd takes it");
                }
            });
        }
    });
    JOBS as f64 / from.elapsed().as_secs_f64()
}

fn ask(number: u64) -> Ask {
    Ask {
        name: format!("giga-{number}-1-0badcafe"),
        script: "#!/bin/sh\nexec '/bin/true' 'attempt' '/a/folder'\n".into(),
        log: "/dev/null".into(),
        workdir: "/".into(),
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        partition: "giga".into(),
        constraint: None,
        account: None,
        qos: None,
        reservation: None,
        nodes: 1,
        hosts: vec![format!("{SITE}{}", number % 15)],
        gres: "gpu:1".into(),
        cpus: 8,
        memory: 0,
        minutes: 63,
    }
}

/// The same through a server: from the first request over HTTP until the last is in Slurm's queue.
fn whole(cluster: &Cluster, folder: &Path) -> f64 {
    let key = folder.join("jwt.key");
    std::fs::write(&key, cluster.key()).expect("a file");
    let (file, data) = (folder.join("federation.toml"), folder.join("data"));
    let description = include_str!("slurm.toml").replace("REST", &cluster.rest());
    std::fs::write(&file, description.replace("KEY", &key.display().to_string())).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_giga"));
    command
        .args(["up", "--listen", "127.0.0.1:0"])
        .arg(&file)
        .arg("--data")
        .arg(&data)
        .stdout(Stdio::piped());
    let server = Server(command.spawn().expect("the server starts"));
    let from = Instant::now();
    let access = loop {
        match access::read(&data) {
            Ok(access) if send(&access, "GET", "/v1/sites", "") == 200 => break access,
            _ if from.elapsed() > PATIENCE => panic!("the server does not answer"),
            _ => thread::sleep(Duration::from_millis(20)),
        }
    };
    // Until its engine knows the nodes.
    thread::sleep(Duration::from_secs(3));
    let conf = cluster.conf_of(SITE);
    let before = submitted(&conf);
    let next = AtomicU64::new(0);
    let from = Instant::now();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < JOBS {
                    let body =
                        r#"{"project":"demo","run":["true"],"limit":"1 h","resources":{"accelerators":1}}"#;
                    assert_eq!(send(&access, "POST", "/v1/jobs", body), 201);
                }
            });
        }
    });
    loop {
        let came = submitted(&conf) - before;
        if came >= JOBS {
            break;
        }
        assert!(from.elapsed() < PATIENCE, "{came} of {JOBS} came");
        thread::sleep(Duration::from_millis(100));
    }
    let rate = JOBS as f64 / from.elapsed().as_secs_f64();
    assert_eq!(waiting(&conf), JOBS, "each is there once");
    drop(server);
    rate
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One request on a connection of its own; its status, or 0.
fn send(access: &Access, method: &str, path: &str, body: &str) -> u16 {
    let host = access.url.trim_start_matches("http://");
    let Ok(mut stream) = TcpStream::connect(host) else { return 0 };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        access.token,
        body.len()
    );
    if stream.write_all(request.as_bytes()).is_err() {
        return 0;
    }
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    let status = reader.read_line(&mut line).ok().and_then(|_| line.get(9..12)?.parse().ok());
    // The rest is read, so that the server is not cut off.
    let _ = reader.read_to_string(&mut line);
    status.unwrap_or(0)
}
