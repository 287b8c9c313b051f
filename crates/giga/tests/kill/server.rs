//! The server under proof, as a process that can be killed, and the folder that outlives it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use giga_formats::access;
use giga_formats::attempt::{AttemptFile as _, Claim, Claimant};
use giga_model::AttemptId;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::client::Request;
use crate::clock::{self, Clock};
use crate::disk::Disk;
use crate::sites::Sites;

/// How long a server may take to answer or to stop.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(2);
pub(crate) const CLAIM: &str = "claim.json";
pub(crate) use crate::on_slurm::SITES;

/// The folder of a run.
pub(crate) struct Place {
    /// The disk of the data folder alone, where one can be had. It goes before the folder that it is in.
    pub(crate) disk: Option<Disk>,
    /// The same for the attempts of nodes.
    nodes_disk: Option<Arc<Disk>>,
    folder: tempfile::TempDir,
    /// The clock of the server alone, where one can be had.
    pub(crate) clock: Option<Clock>,
    /// Troubles that can not be made here, and why.
    pub(crate) skipped: Vec<String>,
    /// The Slurm sites under it, or none where jobs are processes of this machine.
    pub(crate) sites: Option<Sites>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place =
            Self { disk: None, nodes_disk: None, folder, clock: None, skipped: Vec::new(), sites: None };
        File::create(place.lines()).expect("a file");
        place
    }

    pub(crate) fn on(sites: Sites) -> Self {
        let mut place = Self::new();
        place.sites = Some(sites);
        let folder = place.folder.path().to_owned();
        let disk = Disk::mount(folder.join("disk"));
        place.disk = place.or_skip("full-disk", disk);
        place.nodes_disk = place.disk.is_some().then(|| {
            let disk = Disk::mount(place.shared().join("sites"));
            Arc::new(disk.expect("who can mount one disk can mount another"))
        });
        place.clock = place.or_skip("clock", Clock::find(&folder));
        place
    }

    /// What makes a trouble possible, unless it can be done without.
    fn or_skip<T>(&mut self, word: &str, found: Result<T, String>) -> Option<T> {
        found
            .inspect_err(|why| {
                assert!(!required(word), "{why}; GIGA_REQUIRE forbids to go without `{word}`");
                self.skipped.push(format!("SKIPPED: {word}: {why}"));
            })
            .ok()
    }

    /// The data folder of the server.
    pub(crate) fn data(&self) -> PathBuf {
        self.disk.as_ref().map_or(self.folder.path(), Disk::path).join("data")
    }

    /// Fills the disk of the nodes for so long, unless they have none of their own or are in trouble anyway.
    pub(crate) fn fill_nodes(&self, wait: Duration) -> bool {
        let (Some(disk), Some(sites)) = (&self.nodes_disk, &self.sites) else { return false };
        let disk = Arc::clone(disk);
        sites.while_troubled("the nodes' disk", move || {
            let _full = disk.fill(0);
            std::thread::sleep(wait);
        })
    }

    /// The folder that attempts lie in: that of the data, or one that nodes share.
    fn shared(&self) -> PathBuf {
        self.sites.as_ref().map_or_else(|| self.data(), Sites::shared)
    }

    /// What bodies write.
    pub(crate) fn lines(&self) -> PathBuf {
        self.folder.path().join("lines")
    }

    /// What servers say on their standard error, one after the other.
    pub(crate) fn said(&self) -> PathBuf {
        self.folder.path().join("said")
    }

    /// A word for the environment of every job that no other process has.
    pub(crate) fn mark(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// A folder of a site's engine: `live` or `done`.
    pub(crate) fn engine(&self, site: &str, name: &str) -> PathBuf {
        self.shared().join("sites").join(site).join(name)
    }

    /// The attempts in folders of this name.
    pub(crate) fn attempts(&self, name: &str) -> Vec<(AttemptId, PathBuf)> {
        let folders = SITES.iter().filter_map(|site| fs::read_dir(self.engine(site, name)).ok());
        let entries = folders.flatten().filter_map(Result::ok);
        entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path()))).collect()
    }

    /// The supervisors that are at work, by the claims that they made.
    pub(crate) fn supervisors(&self) -> Vec<(AttemptId, Pid)> {
        let claimed = |(attempt, folder): (AttemptId, PathBuf)| {
            let claim = Claim::read(&fs::read(folder.join(CLAIM)).ok()?).ok()?;
            let Claimant::Supervisor(process) = claim.by else { return None };
            let command = fs::read(format!("/proc/{}/cmdline", process.pid)).ok()?;
            let ours =
                command.split(|&byte| byte == 0).any(|word| word == folder.as_os_str().as_encoded_bytes());
            ours.then(|| Some((attempt, Pid::from_raw(i32::try_from(process.pid).ok()?))))?
        };
        self.attempts("live").into_iter().filter_map(claimed).collect()
    }

    /// From when until when an attempt was there, by the machine's clock: its files say so, whatever the server's clock does.
    pub(crate) fn there(&self, attempt: AttemptId) -> Option<(i64, i64)> {
        let folders = SITES.iter().map(|site| self.engine(site, "done").join(attempt.to_string()));
        let folder = folders.into_iter().find(|folder| folder.is_dir())?;
        let written = |name: &str| {
            let at = fs::metadata(folder.join(name)).ok()?.modified().ok()?;
            Some(giga_units::Instant::from(at).as_unix_milliseconds())
        };
        // One that never began has a claim instead, which nobody else can make any more.
        let over = ["lost.json", "receipt.json", CLAIM].into_iter().find_map(written)?;
        Some((written("launch.json").unwrap_or(over), over))
    }

    /// The processes that still belong to a job or an attempt of this folder, by their command lines.
    pub(crate) fn processes(&self) -> Vec<String> {
        let mark = format!("KILL_MARK={}", self.mark());
        let data = self.shared().display().to_string();
        let ours = |pid: u32| {
            let (marked, command) = (environment(pid).contains(&mark), words(pid, "cmdline").join(" "));
            let watches = command.contains(" attempt ") && command.contains(&data);
            (marked || watches).then_some(format!("{pid} {command}"))
        };
        pids().filter_map(ours).collect()
    }

    /// The same with the attempts that they are of.
    pub(crate) fn left(&self) -> Vec<Left> {
        let left = |command: String| {
            let pid: u32 = command.split(' ').next()?.parse().ok()?;
            let attempt = environment(pid)
                .iter()
                .find_map(|entry| Some(entry.strip_prefix("GIGA_ATTEMPT=")?.to_owned()));
            Some(Left { attempt: attempt.unwrap_or_default(), command })
        };
        self.processes().into_iter().filter_map(left).collect()
    }

    /// The processes of attempts that an engine had put away before it was looked: their end is in the journal, so
    /// nothing of them may live.
    pub(crate) fn ghosts(&self) -> Vec<String> {
        let mark = format!("KILL_MARK={}", self.mark());
        let over: BTreeSet<String> =
            self.attempts("done").into_iter().map(|(attempt, _)| format!("GIGA_ATTEMPT={attempt}")).collect();
        let ghost = |pid: u32| {
            let environment = environment(pid);
            let attempt = environment.iter().find(|entry| over.contains(*entry))?;
            environment
                .contains(&mark)
                .then(|| format!("{attempt}: {pid} {}", words(pid, "cmdline").join(" ")))
        };
        pids().filter_map(ghost).collect()
    }
}

/// A process that is left of an attempt.
pub(crate) struct Left {
    /// Of which, as its environment says.
    pub(crate) attempt: String,
    /// Its number and its command line.
    pub(crate) command: String,
}

/// Whether a run without this has to fail.
fn required(word: &str) -> bool {
    std::env::var("GIGA_REQUIRE").is_ok_and(|words| words.split(',').any(|one| one == word))
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").expect("Linux shows its processes");
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The environment of a process as it began; nothing where it is gone.
fn environment(pid: u32) -> Vec<String> {
    words(pid, "environ")
}

fn words(pid: u32, name: &str) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let words = bytes.split(|&byte| byte == 0).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

impl Drop for Place {
    /// A test that fails leaves nothing running.
    fn drop(&mut self) {
        for line in self.processes() {
            let pid = line.split(' ').next().and_then(|pid| pid.parse().ok());
            let _ = pid.map(|pid| kill(Pid::from_raw(pid), Signal::SIGKILL));
        }
    }
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    spawned: Instant,
}

/// Whether a server came up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ready {
    /// It answers; so long after it was spawned.
    Up(Duration),
    /// It ended before it answered.
    Ended(ExitStatus),
}

impl Server {
    /// One that listens where it likes.
    pub(crate) fn spawn(place: &Place) -> Self {
        Self::at(place, "127.0.0.1:0")
    }

    /// One that listens where the one before did, as a server that is set up does: it need not write where it is.
    pub(crate) fn spawn_again(place: &Place) -> Self {
        let before = access::read(&place.data()).map(|access| access.url).unwrap_or_default();
        Self::at(place, before.strip_prefix("http://").unwrap_or("127.0.0.1:0"))
    }

    fn at(place: &Place, listen: &str) -> Self {
        let said = File::options().append(true).create(true).open(place.said()).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_giga"));
        command.args(["up", "--listen", listen, "--data"]).arg(place.data());
        if let Some(sites) = &place.sites {
            command.arg(sites.federation()).env("PATH", sites.path());
        }
        place.clock.iter().for_each(|clock| clock.wind(&mut command));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        let spawned = Instant::now();
        Self { child: command.spawn().expect("the server starts"), spawned }
    }

    /// The supervisors that it has started and that have not claimed their attempts yet, with those folders.
    pub(crate) fn unclaimed(&self) -> Vec<(Pid, PathBuf)> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten();
        let lists = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
        let children: Vec<u32> = lists
            .flat_map(|list| list.split(' ').filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
            .collect();
        let unclaimed = |pid: u32| {
            // Before it has become the supervisor it still holds what the server holds.
            let words = words(pid, "cmdline");
            let folder = PathBuf::from(words.last().filter(|_| words.iter().any(|word| word == "attempt"))?);
            (!folder.join(CLAIM).exists()).then(|| Some((Pid::from_raw(i32::try_from(pid).ok()?), folder)))?
        };
        children.into_iter().filter_map(unclaimed).collect()
    }

    /// Waits until it answers. The address of the server before it is refused, and so asked again.
    pub(crate) fn ready(&mut self, data: &Path) -> Ready {
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return Ready::Ended(status);
            }
            let answer = Request::get("/v1/sites").once(data);
            if answer.is_some_and(|answer| answer.status == 200) {
                return Ready::Up(self.spawned.elapsed());
            }
            assert!(self.spawned.elapsed() < PATIENCE, "a server did not answer in {PATIENCE:?}");
            std::thread::sleep(LOOK);
        }
    }

    /// Kills it where it stands; nothing, or how it had ended by itself.
    pub(crate) fn kill(mut self) -> Option<ExitStatus> {
        let ended = self.child.try_wait().expect("it is our child");
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("it ends");
        ended
    }

    /// Tells it to stop.
    pub(crate) fn tell(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("Linux numbers processes below 2^22"));
        kill(pid, Signal::SIGTERM).expect("a child can be told");
    }

    /// Tells it to stop and waits until it has.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.tell();
        let from = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            assert!(from.elapsed() < PATIENCE, "a server did not stop in {PATIENCE:?}");
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended, or the test fails and nothing of it should stay.
        let _ = self.child.kill();
        let _ = self.child.wait();
        clock::forget(self.child.id());
    }
}
