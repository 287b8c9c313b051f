//! Real Slurm sites under the server, and what is done to them: controllers are killed and frozen, answers of theirs are lost,
//! and others submit work of their own beside.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, SystemTime};

use giga_units::Instant;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::chance::Chance;
use crate::cluster::Cluster;
use crate::load::hold;
use crate::server::SITES;

fn now() -> i64 {
    Instant::from(SystemTime::now()).as_unix_milliseconds()
}

/// What happens to a controller, or to what the server stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    Killed,
    Frozen,
    /// The server's clock is set.
    Forwards,
    Back,
    /// The server's disk is full.
    FullDisk,
    /// The server ended by itself because of that.
    Ended,
    /// The disk is full that the nodes share with it.
    NodesFull,
}

impl Trouble {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Killed => "controllers of Slurm killed",
            Self::Frozen => "controllers of Slurm that stood still",
            Self::Forwards => "jumps of the server's clock forwards",
            Self::Back => "jumps of the server's clock back",
            Self::FullDisk => "full disks under the server's data",
            Self::Ended => "servers that ended by themselves because of one",
            Self::NodesFull => "full disks under the folder of nodes",
        }
    }
}

/// One in so many submissions is carried out, and its answer lost.
const LOST: u32 = 6;
/// A controller stands still so long at most: longer than messages to it are waited for.
const FROZEN: Duration = Duration::from_secs(14);
/// How often the operator looks.
const LOOK: Duration = Duration::from_secs(8);
/// A killed one comes back after so long at most.
const AWAY: Duration = Duration::from_secs(3);

/// The federation of a first try, on Slurm clusters in the place of local processes.
pub(crate) struct Sites {
    cluster: Arc<Cluster>,
    folder: tempfile::TempDir,
    /// Controllers that stand still or are away now, and whatever else is in trouble.
    troubled: Arc<Mutex<Vec<&'static str>>>,
    /// From when until when one was, in milliseconds since 1970.
    troubles: Arc<Mutex<Vec<(i64, i64)>>>,
    foreign: Mutex<u32>,
    drained: Arc<AtomicU64>,
}

/// Jobs of others on the same Slurm.
pub(crate) struct Others {
    pub(crate) all: u64,
    /// Those that Slurm itself ran twice: a controller that was killed starts anew what it had not noted as started, and a job
    /// without a claim does not stand that.
    pub(crate) twice: u64,
    /// Those that were cancelled, which nobody asked for.
    pub(crate) cancelled: Vec<String>,
    /// How often Slurm took a node out of service and an operator gave it back.
    pub(crate) drained: u64,
}

/// An operator who looks now and then. A controller that forgot a job and gives its number to another takes the node out of
/// service where the forgotten one still runs (`Duplicate jobid`); it comes back by hand only.
fn operate(cluster: &Weak<Cluster>, drained: &AtomicU64) {
    while let Some(cluster) = cluster.upgrade() {
        for site in SITES {
            let conf = cluster.conf_of(site);
            let asked = Command::new("sinfo")
                .env("SLURM_CONF", &conf)
                .args(["-hN", "-t", "drain", "-o", "%N"])
                .output();
            let text =
                asked.map_or_else(|_| String::new(), |out| String::from_utf8_lossy(&out.stdout).into_owned());
            for node in text.lines() {
                let name = format!("NodeName={}", node.trim());
                let resumed = Command::new("scontrol")
                    .env("SLURM_CONF", &conf)
                    .args(["update", &name, "State=RESUME"])
                    .output();
                let done = resumed.is_ok_and(|out| out.status.success());
                drained.fetch_add(u64::from(done), Ordering::Relaxed);
            }
        }
        drop(cluster);
        thread::sleep(LOOK);
    }
}

impl Sites {
    /// Starts them, or says why there can be none.
    pub(crate) fn start() -> Result<Self, String> {
        let cluster = Cluster::start(&SITES, 2, 4)?;
        let folder = tempfile::tempdir().expect("a folder");
        let (cluster, troubled, troubles) = (Arc::new(cluster), Arc::default(), Arc::default());
        let (foreign, drained) = (Mutex::default(), Arc::default());
        let sites = Self { cluster, folder, troubled, troubles, foreign, drained };
        // The disk of the server's data can be full; that of the nodes is another one.
        let shared = format!("folder = \"{}\"\n", sites.shared().display());
        let text = crate::on_slurm::description(|site| sites.cluster.conf_of(site), |_| shared.clone());
        fs::write(sites.federation(), text).expect("a file");
        sites.lose_answers();
        let (cluster, drained) = (Arc::downgrade(&sites.cluster), Arc::clone(&sites.drained));
        thread::spawn(move || operate(&cluster, &drained));
        Ok(sites)
    }

    /// From when until when controllers were in trouble.
    pub(crate) fn troubles(&self) -> Vec<(i64, i64)> {
        hold(&self.troubles).clone()
    }

    /// The description of the federation.
    pub(crate) fn federation(&self) -> PathBuf {
        self.folder.path().join("federation.toml")
    }

    /// The folder that the nodes share with the server.
    pub(crate) fn shared(&self) -> PathBuf {
        self.folder.path().join("shared")
    }

    /// The folders in which the server finds programs: ours first.
    pub(crate) fn path(&self) -> String {
        let path = std::env::var("PATH").unwrap_or_default();
        format!("{}:{path}", self.folder.path().join("bin").display())
    }

    /// A command in the place of `sbatch` that submits and now and then says that nobody answered.
    fn lose_answers(&self) {
        let bin = self.folder.path().join("bin");
        fs::create_dir(&bin).expect("a folder");
        let real = Command::new("sh").args(["-c", "command -v sbatch"]).output().expect("a shell");
        let real = String::from_utf8_lossy(&real.stdout).trim().to_owned();
        let script = format!(
            "#!/bin/bash\nif [ $((RANDOM % {LOST})) != 0 ]; then exec {real} \"$@\"; fi\n{real} \"$@\" > /dev/null 2>&1\n\
             echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2\nexit 1\n"
        );
        let path = bin.join("sbatch");
        fs::write(&path, script).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }

    /// Kills or freezes a controller that is well; what, and for how long.
    pub(crate) fn trouble(&self, chance: &mut Chance) -> Option<(Trouble, &'static str, Duration)> {
        let site = SITES[usize::try_from(chance.below(3)).unwrap_or(0)];
        let trouble = [Trouble::Killed, Trouble::Frozen][usize::try_from(chance.below(2)).unwrap_or(0)];
        let most = if trouble == Trouble::Killed { AWAY } else { FROZEN };
        let wait = chance.up_to(most);
        let pid = self.cluster.pid(site, "slurmctld")?;
        {
            let mut troubled = hold(&self.troubled);
            if troubled.contains(&site) {
                return None;
            }
            troubled.push(site);
        }
        let signal = if trouble == Trouble::Killed { Signal::SIGKILL } else { Signal::SIGSTOP };
        kill(Pid::from_raw(pid), signal).ok()?;
        let (cluster, troubled) = (Arc::clone(&self.cluster), Arc::clone(&self.troubled));
        let (troubles, from) = (Arc::clone(&self.troubles), now());
        thread::spawn(move || {
            thread::sleep(wait);
            if trouble == Trouble::Killed {
                cluster.script("start", &[site, "ctld"]).expect("a controller starts again");
            } else {
                kill(Pid::from_raw(pid), Signal::SIGCONT).expect("it is still there");
            }
            hold(&troubles).push((from, now()));
            hold(&troubled).retain(|one| *one != site);
        });
        Some((trouble, site, wait))
    }

    /// Makes trouble beside the controllers, which is waited for in the end as theirs is.
    pub(crate) fn while_troubled(&self, name: &'static str, trouble: impl FnOnce() + Send + 'static) -> bool {
        let mut troubled = hold(&self.troubled);
        if troubled.contains(&name) {
            return false;
        }
        troubled.push(name);
        let all = Arc::clone(&self.troubled);
        thread::spawn(move || {
            trouble();
            hold(&all).retain(|one| *one != name);
        });
        true
    }

    /// Somebody else submits work beside ours, under the same user and with names that look like ours.
    pub(crate) fn submit_foreign(&self, chance: &mut Chance) {
        let site = SITES[usize::try_from(chance.below(3)).unwrap_or(0)];
        let number = *hold(&self.foreign);
        let name = [format!("giga-{number}-1"), format!("giga-{number}-1-00000000"), "theirs".into()];
        let name = &name[usize::try_from(chance.below(3)).unwrap_or(0)];
        let line = format!("echo {number} >> {}", self.foreign_lines().display());
        let sent = Command::new("sbatch")
            .env("SLURM_CONF", self.cluster.conf_of(site))
            .args([
                "--parsable",
                "--no-requeue",
                "--time=1",
                "--output=/dev/null",
                "--job-name",
                name,
                "--wrap",
                &line,
            ])
            .output()
            .expect("sbatch runs");
        // One that was not answered may have come or not, and is not counted.
        if sent.status.success() {
            *hold(&self.foreign) += 1;
        }
    }

    fn foreign_lines(&self) -> PathBuf {
        self.folder.path().join("foreign")
    }

    /// What became of jobs of others.
    pub(crate) fn others(&self) -> Others {
        let text = fs::read_to_string(self.foreign_lines()).unwrap_or_default();
        let twice = |number: &u32| text.lines().filter(|line| *line == number.to_string()).count() > 1;
        let all = *hold(&self.foreign);
        Others {
            all: all.into(),
            twice: (0..all).filter(twice).count() as u64,
            cancelled: SITES.into_iter().flat_map(|site| self.cancelled(site)).collect(),
            drained: self.drained.load(Ordering::Relaxed),
        }
    }

    /// Jobs of others that somebody cancelled, who was not they.
    fn cancelled(&self, site: &str) -> Vec<String> {
        let listed = Command::new("sacct")
            .env("SLURM_CONF", self.cluster.conf_of(site))
            .args(["-XDPn", "-S", "now-1days", "-s", "CANCELLED", "-o", "JobID,JobName,State"])
            .output();
        let text =
            listed.map_or_else(|_| String::new(), |out| String::from_utf8_lossy(&out.stdout).into_owned());
        // Ours end with a tag of eight digits, which theirs at best imitate.
        let is_ours = |name: &str| {
            name.strip_prefix("giga-")
                .and_then(|rest| rest.split('-').nth(2))
                .is_some_and(|tag| tag != "00000000")
        };
        let theirs = |line: &&str| line.split('|').nth(1).is_some_and(|name| !is_ours(name));
        text.lines().filter(theirs).map(|line| format!("{site}: {line}")).collect()
    }

    /// Whether every controller is up, and all else as well.
    pub(crate) fn are_well(&self) -> bool {
        hold(&self.troubled).is_empty()
    }
}
