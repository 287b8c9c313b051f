//! Both stores in one run: how many jobs become durable in a second, and how long a page of a list takes behind a long
//! history, while jobs come in.
//!
//! `benches/store.sh` runs it in release. Figures are of the machine it runs on; PostgreSQL runs on it too, behind a socket.
#![expect(clippy::print_stdout, reason = "a bench prints")]

#[expect(dead_code, reason = "a bench restarts no server")]
#[path = "../tests/postgres/mod.rs"]
mod postgres;

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant as Clock};

use giga_formats::journal::{self, Record};
use giga_model::JobId;
use giga_store::{Batch, Beginning, Change, Entry, JobFilter, NewJob, Store, Url};
use giga_units::Instant;
use tempfile::TempDir;

const HISTORY: u64 = 1_000_000;
/// Jobs that share a commit where many wait, and where one comes after the other.
const COMMITS: [u64; 2] = [64, 1];
const ROUNDS: u32 = 3;
const SPAN: Duration = Duration::from_secs(3);
/// Pages that are asked for of each kind.
const PAGES: u64 = 400;
const PROJECTS: u64 = 50;
const BODY: &str = r#"{"project":"demo","run":["true"],"limit":"1 h","resources":{"accelerators":8}}"#;

/// What becomes of the jobs of the history: one in 16 ends otherwise, one in 4,096 was cancelled, the last thousand are live.
const ENDS: &str = "UPDATE job SET attempts = 1, started = submitted, ended = submitted + 1000, pool = 'main', energy_joule = 7,
    cost_microeuro = 8, carbon_milligram = 9, result = 'exit code 0',
    state = CASE WHEN job % 4096 = 7 THEN 'cancelled' WHEN job % 16 = 3 THEN 'failed' ELSE 'completed' END
    WHERE job < 999000";

fn main() {
    let folder = TempDir::new().expect("a folder");
    let beside = TempDir::new().expect("a folder");
    let cluster = postgres::shared("the bench of stores");
    let name = cluster.map(postgres::Cluster::new_database);
    let url = name.as_ref().map(|text| Url::parse(text, None).expect("a URL"));
    let sqlite = Load::on(Store::open(folder.path(), &beginning()).expect("a store").0);
    let postgres =
        url.map(|url| Load::on(Store::connect(&url, beside.path(), &beginning()).expect("a store").0));
    let mut loads: Vec<(&str, Load)> = vec![("SQLite", sqlite)];
    loads.extend(postgres.map(|load| ("PostgreSQL", load)));

    println!("a synced write of 4 KiB takes {:.0?} here in the median", synced_write(folder.path()));
    println!("jobs that become durable, one caller; the rounds of both take turns, the median counts");
    for together in COMMITS {
        rates(&mut loads, together);
    }
    println!(
        "\nlists behind {HISTORY} jobs, 50 a page, {PAGES} pages each while jobs come in (asked: p99 under 50 ms)"
    );
    for (_, load) in &mut loads {
        load.fill();
    }
    let file = rusqlite::Connection::open(folder.path().join("giga.db")).expect("the file");
    file.execute(ENDS, []).expect("an update");
    drop(file);
    if let (Some(cluster), Some(name)) = (cluster, &name) {
        let name = name.rsplit('/').next().expect("a name");
        cluster.query(name, ENDS);
        // What the server does by itself within minutes.
        cluster.query(name, "VACUUM ANALYZE job");
    }
    for (name, load) in &mut loads {
        load.lists(name);
    }
}

fn beginning() -> Beginning {
    let start = Instant::unix_milliseconds(0);
    Beginning { file: String::new(), text: String::new(), expanded: String::new(), start }
}

/// A store with what was put into it.
struct Load {
    store: Store,
    seq: u64,
    jobs: u64,
}

impl Load {
    fn on(store: Store) -> Self {
        Self { store, seq: 0, jobs: 0 }
    }

    fn commit(&mut self, together: u64) {
        append(&self.store, &mut self.seq, &mut self.jobs, together);
    }

    /// Jobs a second.
    fn rate(&mut self, together: u64) -> f64 {
        let (from, before) = (Clock::now(), self.jobs);
        while from.elapsed() < SPAN {
            self.commit(together);
        }
        (self.jobs - before) as f64 / from.elapsed().as_secs_f64()
    }

    fn fill(&mut self) {
        while self.jobs < HISTORY {
            self.commit((HISTORY - self.jobs).min(5_000));
        }
    }

    fn lists(&mut self, name: &str) {
        println!("  {name}");
        let all = JobFilter { most: 51, ..JobFilter::default() };
        let states = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let projects = |count: u64| Some((0..count).map(project).collect());
        let kinds = [
            ("all", all.clone()),
            (
                "waiting or running",
                JobFilter { states: states(&["waiting", "running"]), live: true, ..all.clone() },
            ),
            ("running, none does", JobFilter { states: states(&["running"]), live: true, ..all.clone() }),
            ("failed", JobFilter { states: states(&["failed"]), ..all.clone() }),
            ("cancelled, one in 4,096", JobFilter { states: states(&["cancelled"]), ..all.clone() }),
            ("timed out, none is", JobFilter { states: states(&["timed-out"]), ..all.clone() }),
            ("of one project", JobFilter { projects: projects(1), ..all.clone() }),
            ("of ten projects", JobFilter { projects: projects(10), ..all.clone() }),
            ("of no such project", JobFilter { projects: Some(vec!["none".into()]), ..all.clone() }),
            (
                "timed out of one project",
                JobFilter { projects: projects(1), states: states(&["timed-out"]), ..all.clone() },
            ),
            (
                "five states of ten projects",
                JobFilter {
                    projects: projects(10),
                    states: states(&["waiting", "completed", "failed", "cancelled", "timed-out"]),
                    ..all.clone()
                },
            ),
        ];
        let mut worst = Duration::ZERO;
        for (kind, filter) in kinds {
            let times = self.pages(&filter);
            worst = worst.max(at(&times, 99));
            println!(
                "    {kind:<28} median {:>8.2?}  p99 {:>8.2?}  most {:>8.2?}",
                at(&times, 50),
                at(&times, 99),
                at(&times, 100)
            );
        }
        println!("    the worst p99 is {worst:.2?}");
    }

    /// How long pages take, anywhere in the history, while jobs come in.
    fn pages(&mut self, filter: &JobFilter) -> Vec<Duration> {
        let over = AtomicBool::new(false);
        let Self { store, seq, jobs } = self;
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    append(store, seq, jobs, 8);
                    thread::sleep(Duration::from_millis(5));
                }
            });
            let mut seed = 1_u64;
            let page = |page: u64| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let before = (page % 2 == 1).then_some(JobId((seed >> 33) % HISTORY));
                let filter = JobFilter { before, ..filter.clone() };
                let from = Clock::now();
                assert!(store.jobs(&filter).expect("a page").len() <= 51);
                from.elapsed()
            };
            let mut times: Vec<Duration> = (0..PAGES).map(page).collect();
            over.store(true, Ordering::Relaxed);
            writer.join().expect("it writes");
            times.sort_unstable();
            times
        })
    }
}

/// Makes so many jobs durable in one commit.
fn append(store: &Store, seq: &mut u64, jobs: &mut u64, together: u64) {
    *seq += 1;
    let now = Instant::unix_milliseconds(0);
    let record = Record { seq: *seq, decisions: 1, now, inputs: Vec::new(), events: Vec::new() };
    let entries = vec![Entry { seq: *seq, record: journal::write(&record) }];
    let changes = (*jobs..*jobs + together).map(came).collect();
    *jobs += together;
    store.append(&[Batch { entries, changes }]).expect("a commit");
    if seq.is_multiple_of(500) {
        store.fold().expect("a fold");
    }
}

fn project(number: u64) -> String {
    format!("project-{}", number % PROJECTS)
}

fn came(job: u64) -> Change {
    Change::Came(Box::new(NewJob {
        job: JobId(job),
        project: project(job),
        name: "true".into(),
        by: "operator".into(),
        body: BODY.into(),
        idempotency: Some(format!("bench-{job}")),
        at: Instant::unix_milliseconds(0),
        site: Some("kajaani".into()),
        refusal: None,
        accelerators: 8,
    }))
}

/// Rates of all, in turns, with the ratio to the first.
fn rates(loads: &mut [(&str, Load)], together: u64) {
    let mut found = vec![Vec::new(); loads.len()];
    for _ in 0..ROUNDS {
        for ((_, load), rates) in loads.iter_mut().zip(&mut found) {
            rates.push(load.rate(together));
        }
    }
    let median = |rates: &mut Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let rates: Vec<f64> = found.iter_mut().map(median).collect();
    for ((name, _), rate) in loads.iter().zip(&rates) {
        println!(
            "  {together:>2} in a commit, {name:<10} {rate:>8.0} jobs/s, {:>4.2} of SQLite's",
            rate / rates[0]
        );
    }
}

/// What the disk's promise costs.
fn synced_write(folder: &Path) -> Duration {
    let mut file = std::fs::File::create(folder.join("synced")).expect("a file");
    let mut write = |_| {
        let from = Clock::now();
        file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).expect("a write");
        from.elapsed()
    };
    let mut times: Vec<Duration> = (0..200).map(&mut write).collect();
    times.sort_unstable();
    at(&times, 50)
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}
