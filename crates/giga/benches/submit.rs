//! Durable submissions over HTTP with a long line of waiting jobs, beside the store's own rate in the same run; what a
//! submission costs the core; how long a restart takes after a kill.
//!
//! `benches/submit.sh` runs it in release. Figures are of the machine it runs on; server and clients share it.
#![expect(clippy::print_stdout, reason = "a bench prints")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use giga_control::Control;
use giga_formats::access::{self, Access};
use giga_formats::description;
use giga_formats::journal::{self, Record};
use giga_model::{Ask, Asks, JobId, JobRequest, ProjectId, SiteId};
use giga_scheduler::Input;
use giga_store::{Batch, Beginning, Change, Entry, NewJob, Store};
use giga_units::Fraction;

const CLIENTS: usize = 64;
const LINE: u64 = 100_000;
const SPAN: Duration = Duration::from_secs(10);
const BODY: &str = r#"{"project":"demo","run":["true"],"limit":"1 h","resources":{"accelerators":8}}"#;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    println!("{CLIENTS} clients, {LINE} jobs waiting; server and clients on this machine's cores");
    println!("a synced write of 4 KiB takes {:.0?} here in the median\n", synced_write(folder.path()));
    let data = folder.path().join("data");
    let mut server = Server::start(&data);
    hold(&server);
    let fill = load(&server, Until::Count(LINE));
    report("filling the line", &fill);
    let full = load(&server, Until::Time(SPAN));
    report("with the line full (asked: at least 5,000/s, p99 at most 25 ms)", &full);
    let raw = raw_store();
    println!(
        "the store alone, {CLIENTS} jobs in a commit: {raw:.0} jobs/s; over HTTP {:.0} % of that",
        full.rate() / raw * 100.0
    );
    core();
    server.kill();
    let from = Instant::now();
    let again = Server::start(&data);
    let ready = from.elapsed();
    let jobs = LINE + full.latencies.len() as u64;
    println!(
        "restart after SIGKILL with {jobs} jobs in the line: ready after {ready:.2?} (asked: under 5 s)"
    );
    cancel_holders(&again);
}

/// A server of its own process.
struct Server {
    child: Child,
    access: Access,
}

impl Server {
    /// Started, and answering.
    fn start(folder: &Path) -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_giga"));
        let mut command = Command::new(program);
        command.args(["up", "--listen", "127.0.0.1:0", "--data"]).arg(folder).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let mut out = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let up = out.any(|line| line.starts_with("listens on"));
        assert!(up, "the server says that it is up");
        let server = Self { child, access: access::read(folder).expect("it left a way in") };
        let (status, _) = Client::new(&server).send("GET", "/v1/sites", "", "");
        assert_eq!(status, 200);
        server
    }

    fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One connection that is kept.
struct Client {
    stream: BufReader<TcpStream>,
    host: String,
    token: String,
}

impl Client {
    fn new(server: &Server) -> Self {
        let host = server.access.url.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).expect("the server listens");
        stream.set_nodelay(true).expect("a socket option");
        Self { stream: BufReader::new(stream), host, token: server.access.token.clone() }
    }

    fn send(&mut self, method: &str, path: &str, key: &str, body: &str) -> (u16, String) {
        let Self { host, token, .. } = self;
        let key = if key.is_empty() { String::new() } else { format!("Idempotency-Key: {key}\r\n") };
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{key}Content-Length: {length}\r\n\r\n{body}"
        );
        self.stream.get_mut().write_all(request.as_bytes()).expect("the server takes it");
        let (mut status, mut length, mut line) = (0, 0, String::new());
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("the server answers");
            let text = line.trim_end().to_ascii_lowercase();
            if text.is_empty() {
                break;
            }
            if text.starts_with("http/1.1 ") {
                status = text[9..12].parse().expect("a status");
            }
            if let Some(count) = text.strip_prefix("content-length: ") {
                length = count.parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("the whole answer");
        (status, String::from_utf8(body).expect("UTF-8"))
    }
}

/// Takes every accelerator, so that all that follows waits.
fn hold(server: &Server) {
    let mut client = Client::new(server);
    for _ in 0..3 {
        let body =
            r#"{"project":"demo","run":["sleep","3600"],"limit":"1 h","resources":{"accelerators":8}}"#;
        assert_eq!(client.send("POST", "/v1/jobs", "", body).0, 201);
    }
}

fn cancel_holders(server: &Server) {
    let mut client = Client::new(server);
    // What waits behind them would start; only the holders are to be stopped, and the server ends right after.
    for job in 0..3 {
        client.send("POST", &format!("/v1/jobs/{job}/cancel"), "", "");
    }
    thread::sleep(Duration::from_millis(500));
}

#[derive(Clone, Copy)]
enum Until {
    Count(u64),
    Time(Duration),
}

struct Load {
    latencies: Vec<Duration>,
    took: Duration,
}

impl Load {
    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }
}

fn load(server: &Server, until: Until) -> Load {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let first = NUMBER.load(Ordering::Relaxed);
    let from = Instant::now();
    let mut latencies: Vec<Duration> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = Client::new(server);
                    let mut latencies = Vec::new();
                    loop {
                        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                        let over = match until {
                            Until::Count(count) => number - first >= count,
                            Until::Time(span) => from.elapsed() >= span,
                        };
                        if over {
                            return latencies;
                        }
                        let sent = Instant::now();
                        let (status, body) =
                            client.send("POST", "/v1/jobs", &format!("bench-{number}"), BODY);
                        assert_eq!(status, 201, "{body}");
                        latencies.push(sent.elapsed());
                    }
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect()
    });
    let took = from.elapsed();
    latencies.sort_unstable();
    Load { latencies, took }
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

fn report(what: &str, load: &Load) {
    let (median, late, last) = (at(&load.latencies, 50), at(&load.latencies, 99), at(&load.latencies, 100));
    println!("{what}:");
    println!(
        "  {:.0} durable submissions/s; median {median:.2?}, p99 {late:.2?}, longest {last:.2?}",
        load.rate()
    );
}

fn request() -> JobRequest {
    let limit = giga_units::Duration::hours(1);
    let asks = Asks::one(Ask { accelerator: None, accelerators: 8 });
    JobRequest { project: ProjectId(0), asks, limit, checkpoint: None, draw: Fraction::ONE, terms: None }
}

/// What the disk's promise costs: everything durable waits for it.
fn synced_write(folder: &Path) -> Duration {
    let mut file = std::fs::File::create(folder.join("synced")).expect("a file");
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let from = Instant::now();
            file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).expect("a write");
            from.elapsed()
        })
        .collect();
    times.sort_unstable();
    at(&times, 50)
}

/// The same rows and records without HTTP and without deciding.
fn raw_store() -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let start = giga_units::Instant::unix_milliseconds(0);
    let beginning = Beginning { file: String::new(), text: String::new(), expanded: String::new(), start };
    let (store, _) = Store::open(folder.path(), &beginning).expect("a store");
    let (from, mut seq, mut job) = (Instant::now(), 0, 0);
    while from.elapsed() < SPAN / 2 {
        seq += 1;
        let inputs = vec![Input::Submit { request: request() }; CLIENTS];
        let record = Record { seq, decisions: 1, now: start, inputs, events: Vec::new() };
        let entries = vec![Entry { seq, record: journal::write(&record) }];
        let came = |_| {
            job += 1;
            Change::Came(Box::new(NewJob {
                job: JobId(job),
                project: "demo".into(),
                name: "true".into(),
                by: "operator".into(),
                body: BODY.into(),
                idempotency: Some(format!("bench-{job}")),
                at: start,
                site: Some("kajaani".into()),
                refusal: None,
                accelerators: 8,
            }))
        };
        let changes = (0..CLIENTS).map(came).collect();
        store.append(&[Batch { entries, changes }]).expect("a commit");
        if seq % 500 == 0 {
            store.fold().expect("a fold");
        }
    }
    job as f64 / from.elapsed().as_secs_f64()
}

/// One submission at a time against a long line, with its record.
fn core() {
    let text = include_str!("../src/up/local.toml");
    let federation = Arc::new(description::read("local.toml", text).expect("it has no fault").federation);
    let mut now = giga_units::Instant::parse("2026-11-22").expect("a date");
    let mut control = Control::new(Arc::clone(&federation), now);
    let open = (0..federation.sites.len()).map(|site| Input::PhaseOpens { site: SiteId::at(site) });
    control.advance(now, &open.collect::<Vec<_>>());
    let inputs = vec![Input::Submit { request: request() }; 1_000];
    for _ in 0..LINE / 1_000 {
        control.advance(now, &inputs);
    }
    let mut costs: Vec<Duration> = (0..20_000)
        .map(|seq| {
            now = now + giga_units::Duration::milliseconds(1);
            let inputs = vec![Input::Submit { request: request() }];
            let from = Instant::now();
            let events = control.advance(now, &inputs).to_vec();
            let record = journal::write(&Record { seq, decisions: 1, now, inputs, events });
            let cost = from.elapsed();
            assert!(!record.is_empty());
            cost
        })
        .collect();
    costs.sort_unstable();
    let (median, late) = (at(&costs, 50), at(&costs, 99));
    println!(
        "a submission costs the core {median:.1?} in the median and {late:.1?} at p99 (asked: 50 µs and 1 ms)"
    );
    let from = Instant::now();
    let mut image = Vec::new();
    control.write_image(&mut image);
    println!("an image of it has {} MB and takes {:.1?}", image.len() / 1_000_000, from.elapsed());
}
