//! A real server in a folder of its own, and a client that sends whatever a test wants.
#![cfg(feature = "live")]

mod wire;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use giga_formats::access::{self, Access};
use serde_json::Value;
use tempfile::TempDir;
pub(crate) use wire::Answer;

/// The head of a description of a test's own: accelerators that are not there.
pub(crate) const VIRTUAL: &str = r#"
format = 1
name = "virtual"
start = 2026-01-01
[[accelerator]]
name = "virtual"
per_node = 4
node_idle = "20 W"
node_max = "100 W"
cost = "1 EUR"
"#;

/// A site with one node of these, with lines of its own.
pub(crate) fn site(name: &str, country: &str, more: &str) -> String {
    format!(
        "[[site]]\nname = \"{name}\"\ncountry = \"{country}\"\nzone = \"{country}\"\nengine = \"local\"\n{more}[[site.phase]]\n\
         power = \"140 W\"\n[[site.phase.pool]]\nname = \"main\"\naccelerator = \"virtual\"\naccelerators = 4\n"
    )
}

/// The program under test.
pub(crate) fn giga() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_giga"));
    command.env_remove("GIGA_HOME").env_remove("GIGA_SERVER").env_remove("GIGA_TOKEN");
    command.env_remove("GIGA_CONFIG").env("XDG_CONFIG_HOME", "/nobody/set/this");
    command
}

/// Waits until something is so; how long that took.
#[track_caller]
pub(crate) fn until(what: &str, most: u64, holds: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(most), "not within {most} s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    begun.elapsed()
}

/// The file in a server's folder that describes its federation, where that is not the built-in one.
const DESCRIPTION: &str = "federation.toml";

/// A server with its folder; both are gone when it is dropped, and so is all that ran.
pub(crate) struct Live {
    pub(crate) folder: TempDir,
    child: Option<Child>,
    pub(crate) access: Access,
    /// The URL of its store, where that is not in the folder.
    store: Option<String>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Live {
    /// The federation that `giga up` has built in.
    pub(crate) fn start() -> Self {
        Self::start_as(giga())
    }

    /// A federation of a test's own.
    pub(crate) fn start_of(description: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let closed = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(folder.path(), closed).expect("a change of rights");
        std::fs::write(folder.path().join(DESCRIPTION), description).expect("a write");
        let (child, access) = spawn(giga(), folder.path(), "0", None);
        Self { folder, child: Some(child), access, store: None }
    }

    /// The federation that `giga up` has built in, on a database.
    pub(crate) fn start_on(store: &str, call: Command) -> Self {
        let (folder, store) = (tempfile::tempdir().expect("a folder"), Some(store.to_owned()));
        let (child, access) = spawn(call, folder.path(), "0", store.as_deref());
        Self { folder, child: Some(child), access, store }
    }

    /// The same by a call of the program that a test prepared.
    pub(crate) fn start_as(call: Command) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (child, access) = spawn(call, folder.path(), "0", None);
        Self { folder, child: Some(child), access, store: None }
    }

    /// Kills the server as a power cut would, and starts it again.
    pub(crate) fn kill_and_start(&mut self) {
        self.kill_and_start_at("0");
    }

    /// The same with a port.
    pub(crate) fn kill_and_start_at(&mut self, port: &str) {
        self.end("KILL");
        self.start_again(port);
    }

    /// Asks the server to end, and starts it again.
    pub(crate) fn stop_and_start(&mut self) {
        assert!(self.end("TERM"), "a server that is asked to end ends well");
        self.start_again("0");
    }

    fn start_again(&mut self, port: &str) {
        let (child, access) = spawn(giga(), self.folder.path(), port, self.store.as_deref());
        (self.child, self.access) = (Some(child), access);
    }

    /// Starts another server in its place, beside it; the one before.
    pub(crate) fn replace(&mut self) -> Child {
        let before = self.child.take().expect("a server");
        self.start_again("0");
        before
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().expect("a server").id();
        send_signal(pid, signal);
    }

    /// Sends a signal and waits; whether it ended with 0.
    pub(crate) fn end(&mut self, signal: &str) -> bool {
        let Some(mut child) = self.child.take() else { return true };
        send_signal(child.id(), signal);
        child.wait().expect("it ends").success()
    }

    /// The number of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// A verb of the client against this server.
    pub(crate) fn verb(&self, arguments: &[&str]) -> Output {
        giga()
            .args(arguments)
            .env("GIGA_HOME", self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("the program runs")
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.access.token);
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend(headers);
        self.send_bare(method, path, &all, body)
    }

    /// A request with no headers but these.
    pub(crate) fn send_bare(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = self.open(method, path, headers, body);
        let mut text = Vec::new();
        stream.read_to_end(&mut text).expect("an answer in time");
        wire::whole(&text).unwrap_or_else(|| panic!("half an answer: {}", String::from_utf8_lossy(&text)))
    }

    /// A connection on which a request was sent.
    pub(crate) fn open(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        let host = self.access.url.strip_prefix("http://").expect("plain HTTP");
        let mut stream = TcpStream::connect(host).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket option");
        // A server that refuses by the head alone may close before it has read all.
        drop(stream.write_all(wire::request(method, path, host, headers, body).as_bytes()));
        stream
    }

    /// Submits a body, and gives the job's number.
    #[track_caller]
    pub(crate) fn submit(&self, body: &str) -> u64 {
        let answer = self.send("POST", "/v1/jobs", &[], body);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_u64().expect("a number")
    }

    /// The job once it is in one of these states.
    #[track_caller]
    pub(crate) fn wait(&self, job: u64, states: &[&str]) -> Value {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let view = self.send("GET", &format!("/v1/jobs/{job}"), &[], "").json()["job"].clone();
            if states.iter().any(|state| view["state"] == *state) {
                return view;
            }
            assert!(Instant::now() < until, "job {job} is not {states:?} but {view}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if self.child.is_some() {
            let live = self.send("GET", "/v1/jobs?state=waiting,queued,running&limit=1000", &[], "").json();
            for job in live["jobs"].as_array().into_iter().flatten() {
                self.send("POST", &format!("/v1/jobs/{}/cancel", job["id"]), &[], "");
            }
            // What a limit sent away waits again, and may still run.
            let running = || {
                self.send("GET", "/v1/jobs?state=stopping,queued,running", &[], "").json()["jobs"]
                    != serde_json::json!([])
                    || self.send("GET", "/v1/sites", &[], "").body.contains("\"obeyed\":\"ordered\"")
            };
            let until = Instant::now() + Duration::from_secs(15);
            while running() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        self.end("KILL");
    }
}

pub(crate) fn send_signal(pid: u32, signal: &str) {
    let killed = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status();
    assert!(killed.expect("`kill` runs").success());
}

fn spawn(mut command: Command, folder: &Path, port: &str, store: Option<&str>) -> (Child, Access) {
    let listen = format!("127.0.0.1:{port}");
    let description = Some(folder.join(DESCRIPTION)).filter(|path| path.exists());
    command.arg("up").args(description).args(["--listen", &listen, "--data"]).arg(folder);
    command.args(store.map(|url| ["--store", url]).into_iter().flatten()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let up = lines.any(|line| line.starts_with("listens on"));
    assert!(up, "the server comes up");
    (child, access::read(folder).expect("it left a way in"))
}
