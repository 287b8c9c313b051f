//! The engine itself: hands attempts to supervisors and tells what became of them, from files and the kernel.
//!
//! It remembers nothing that is not in the files, beside what can never change. Calls that make or move the folder of an
//! attempt hold a lock on the engine's folder, so that two servers on one folder do no harm.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use giga_formats::attempt::{Body, Claim, Claimant, Handover, ProcessId};
use giga_model::{AttemptId, End, Launch, Receipt};
use giga_units::{Bytes, Duration};
use nix::sys::signal::Signal;
use thiserror::Error;

use super::body::{BODY, KEPT};
use super::claim::{self, CLAIM};
use super::fence::{Swept, sweep};
use super::folder::{Folder, Found, Made, make_folder, open_plain, sync};
use super::host;
use super::pool::{self, InUse, LocalPool};
use super::process;
use super::supervisor::{ERR, LAUNCH, OUT, RECEIPT, STOP};
use crate::{Carried, Chunk, Engine, EngineError, OutputStream, Seen};

const LOG: &str = "supervisor.log";

/// Carries attempts out as processes of this machine.
#[derive(Debug)]
pub struct LocalEngine {
    home: PathBuf,
    pools: Vec<LocalPool>,
    supervisor: Vec<OsString>,
    memory: Mutex<Memory>,
}

/// What need not be read again, and the supervisors that this process has to reap.
#[derive(Debug, Default)]
struct Memory {
    handovers: BTreeMap<AttemptId, Arc<Handover>>,
    over: BTreeMap<AttemptId, Seen>,
    children: BTreeMap<AttemptId, Child>,
    /// Why the last supervisor of an attempt ended, where it did so before a claim.
    failed: BTreeMap<AttemptId, String>,
}

/// Why a local engine could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Its folder can not be used.
    #[error("the engine's folder `{folder}` can not be used; give one that can be written to")]
    Folder {
        /// Which.
        folder: PathBuf,
        /// What was in the way.
        #[source]
        source: io::Error,
    },
    /// No program was given.
    #[error("no program was named that supervises attempts; name one")]
    NoSupervisor,
}

impl LocalEngine {
    /// Opens an engine on a folder of its own, which is made where it is missing. `supervisor` is the program with its
    /// first arguments that, given the folder of an attempt as its last one, calls [`super::supervise`].
    ///
    /// # Errors
    /// Fails where the folder can not be used, or no program is named.
    pub fn open(folder: &Path, pools: Vec<LocalPool>, supervisor: Vec<OsString>) -> Result<Self, OpenError> {
        if supervisor.is_empty() {
            return Err(OpenError::NoSupervisor);
        }
        let prepared = || {
            ["live", "done", "work"].iter().try_for_each(|name| make_folder(&folder.join(name)))?;
            sync(folder)?;
            folder.canonicalize()
        };
        let home = prepared().map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })?;
        Ok(Self { home, pools, supervisor, memory: Mutex::default() })
    }

    fn live(&self, attempt: AttemptId) -> Folder {
        Folder::at(self.home.join("live").join(attempt.to_string()))
    }
    fn done(&self, attempt: AttemptId) -> Folder {
        Folder::at(self.home.join("done").join(attempt.to_string()))
    }

    /// What is remembered, without what ended meanwhile. It holds only what is true whoever died while holding it.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory { children, failed, .. } = &mut *memory;
        children.retain(|&attempt, child| {
            let status = match child.try_wait() {
                Ok(None) => return true,
                Ok(Some(status)) => status.to_string(),
                // Someone else reaped it.
                Err(fault) => fault.to_string(),
            };
            if !self.live(attempt).file(CLAIM).exists() {
                let log = fs::read(self.live(attempt).file(LOG)).unwrap_or_default();
                let log = String::from_utf8_lossy(&log);
                let last = log.lines().last().unwrap_or("it said nothing").to_owned();
                failed.insert(attempt, format!("its supervisor ended before it began ({status}): {last}"));
            }
            false
        });
        memory
    }

    /// Keeps other processes from making or moving folders of attempts until the file is dropped.
    fn lock(&self) -> io::Result<File> {
        let file = File::options().write(true).create(true).truncate(false).open(self.home.join("lock"))?;
        file.lock()?;
        Ok(file)
    }

    /// The attempts in `live/`.
    fn listed(&self) -> io::Result<Vec<AttemptId>> {
        let mut attempts = Vec::new();
        for entry in fs::read_dir(self.home.join("live"))? {
            attempts.extend(entry?.file_name().to_str().and_then(|name| name.parse::<AttemptId>().ok()));
        }
        Ok(attempts)
    }

    /// Which accelerators are held by attempts that are not known to be over.
    fn in_use(&self, memory: &mut Memory) -> io::Result<InUse> {
        let mut in_use = InUse::new();
        for attempt in self.listed()? {
            let folder = self.live(attempt);
            if memory.over.contains_key(&attempt) || folder.file(RECEIPT).try_exists()? {
                continue;
            }
            if let Some(handover) = memory.handovers.get(&attempt) {
                pool::occupy(&mut in_use, handover);
            } else if let Found::Whole(handover) = folder.read::<Handover>(LAUNCH)? {
                pool::occupy(&mut in_use, &handover);
                memory.handovers.insert(attempt, Arc::new(handover));
            }
        }
        Ok(in_use)
    }

    /// Makes a launch durable with the accelerators chosen for it. `None` where too few are free now.
    fn hand_over(&self, launch: &Launch, memory: &mut Memory) -> io::Result<Option<Made>> {
        let in_use = self.in_use(memory)?;
        let Some(handover) = pool::choose(&self.pools, &in_use, launch) else { return Ok(None) };
        let folder = self.live(launch.attempt);
        make_folder(folder.path())?;
        sync(&self.home.join("live"))?;
        folder.make(LAUNCH, &handover).map(Some)
    }

    /// Starts a supervisor. Of several for one attempt, the claim lets one do anything.
    fn supervise(&self, attempt: AttemptId) -> io::Result<Child> {
        let folder = self.live(attempt);
        let (program, arguments) =
            self.supervisor.split_first().expect("an engine opens with a program only");
        let mut command = Command::new(program);
        command.args(arguments).arg(folder.path());
        command.env_clear().envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::from(folder.append(LOG)?));
        command.process_group(0).spawn()
    }

    /// What is known of an attempt in `live/`, or `None` where it provably never was handed over.
    fn look(&self, attempt: AttemptId) -> Option<Seen> {
        self.judge(attempt).unwrap_or_else(|fault| {
            Some(Seen::Unclear { cause: format!("its files or processes could not be looked at: {fault}") })
        })
    }

    fn judge(&self, attempt: AttemptId) -> io::Result<Option<Seen>> {
        let folder = self.live(attempt);
        if let Found::Whole(receipt) = folder.read::<Receipt>(RECEIPT)? {
            return Ok(Some(Seen::Ended(receipt)));
        }
        let claim = match folder.read::<Claim>(CLAIM)? {
            Found::Whole(claim) => claim,
            Found::Nothing => return unclaimed(&folder),
            Found::Broken(fault) => return Ok(Some(unclear(CLAIM, &fault))),
        };
        match &claim.by {
            Claimant::Fence => Ok(Some(Seen::Ended(fenced(&claim)))),
            Claimant::Supervisor(process) if process::lives(process)? => {
                let body = folder.read::<Body>(BODY)?;
                let since = if let Found::Whole(body) = body { body.at } else { claim.at };
                Ok(Some(Seen::Running { since }))
            }
            Claimant::Supervisor(process) => without_supervisor(&folder, &claim, process).map(Some),
        }
    }
}

/// An attempt that no one took: handed over or not.
fn unclaimed(folder: &Folder) -> io::Result<Option<Seen>> {
    Ok(match folder.read::<Handover>(LAUNCH)? {
        Found::Whole(_) => Some(Seen::Pending),
        Found::Nothing => None,
        Found::Broken(fault) => Some(unclear(LAUNCH, &fault)),
    })
}

/// An attempt whose supervisor is dead. It may have left its receipt just before.
fn without_supervisor(folder: &Folder, claim: &Claim, supervisor: &ProcessId) -> io::Result<Seen> {
    let mut cause = match folder.read::<Receipt>(RECEIPT)? {
        Found::Whole(receipt) => return Ok(Seen::Ended(receipt)),
        Found::Nothing => "its supervisor died and left no receipt".to_owned(),
        Found::Broken(fault) => format!("its supervisor ended, and its receipt can not be used: {fault}"),
    };
    if supervisor.boot != process::boot()? {
        cause.push_str("; the host came up anew since");
    } else if sweep(folder, claim)? == Swept::Killed {
        return Ok(Seen::Unclear { cause: format!("{cause}; what it left behind is being killed") });
    }
    Ok(Seen::Lost { cause })
}

fn unclear(name: &str, fault: &impl std::fmt::Display) -> Seen {
    Seen::Unclear { cause: format!("`{name}`: {fault}; look at its folder, and stop the attempt") }
}

/// The receipt of an attempt that was stopped before it began.
fn fenced(claim: &Claim) -> Receipt {
    Receipt {
        attempt: claim.attempt,
        nonce: claim.nonce.clone(),
        started: claim.at,
        ended: claim.at,
        end: End::Stopped,
        host: host::name(),
        cpu_time: Duration::ZERO,
        memory_peak: None,
        energy: None,
    }
}

/// Why no process can be made of a launch, with the way out.
fn fault(launch: &Launch) -> Option<String> {
    let texts = launch.command.iter().chain(launch.env.keys()).chain(launch.env.values());
    let workdir = launch.workdir.as_ref();
    if launch.command.first().is_none_or(String::is_empty) {
        Some("its command is empty; name a program".to_owned())
    } else if texts.into_iter().any(|text| text.contains('\0')) {
        Some("its command or environment holds a zero byte; leave it out".to_owned())
    } else if launch.env.keys().any(|name| name.is_empty() || name.contains('=')) {
        Some("a name in its environment is empty or holds `=`; name it otherwise".to_owned())
    } else if launch.limit < Duration::ZERO || launch.grace < Duration::ZERO {
        Some("its limit or grace is below zero".to_owned())
    } else if workdir
        .is_some_and(|path| !path.is_absolute() || path.to_str().is_none_or(|p| p.contains('\0')))
    {
        Some("its working directory is no absolute path in UTF-8; give one".to_owned())
    } else {
        None
    }
}

fn unavailable(what: &'static str) -> impl Fn(io::Error) -> EngineError {
    move |fault| EngineError::Unavailable { what, cause: fault.to_string(), source: Some(fault) }
}

impl Engine for LocalEngine {
    fn start(&self, launch: &Launch) -> Result<(), EngineError> {
        let attempt = launch.attempt;
        let fault_of = unavailable("start an attempt");
        let folder = self.live(attempt);
        let mut memory = self.memory();
        let _lock = self.lock().map_err(&fault_of)?;
        let there = |path: PathBuf| path.try_exists().map_err(&fault_of);
        if there(self.done(attempt).path().to_owned())? || there(folder.file(CLAIM))? {
            return Ok(());
        }
        if !there(folder.file(LAUNCH))? {
            if let Some(cause) = fault(launch).or_else(|| pool::fault(&self.pools, launch)) {
                return Err(EngineError::Refused { attempt, cause });
            }
            let Some(_) = self.hand_over(launch, &mut memory).map_err(&fault_of)? else {
                let cause = "too few of its node's accelerators are free now".to_owned();
                return Err(EngineError::Unavailable { what: "start an attempt", cause, source: None });
            };
        }
        if memory.children.contains_key(&attempt) {
            return Ok(());
        }
        let child = self.supervise(attempt).map_err(&fault_of)?;
        memory.children.insert(attempt, child);
        let failed = memory.failed.remove(&attempt);
        failed.map_or(Ok(()), |cause| {
            Err(EngineError::Unavailable { what: "start an attempt", cause, source: None })
        })
    }

    fn stop(&self, attempt: AttemptId) -> Result<(), EngineError> {
        let fault_of = unavailable("stop an attempt");
        let stopped = || {
            let folder = self.live(attempt);
            let _lock = self.lock()?;
            if self.done(attempt).path().try_exists()? {
                return Ok(());
            }
            if matches!(folder.read::<Claim>(CLAIM)?, Found::Nothing) {
                make_folder(folder.path())?;
                sync(&self.home.join("live"))?;
                claim::take(&folder, attempt, Claimant::Fence)?;
            }
            match folder.read::<Claim>(CLAIM)? {
                Found::Whole(Claim { by: Claimant::Supervisor(process), .. }) => {
                    // On a full disk the signal alone may reach it; then the call is repeated all the same.
                    let raised = folder.raise(STOP);
                    process::signal(&process, Signal::SIGTERM).and(raised)
                }
                Found::Whole(_) => Ok(()),
                Found::Nothing | Found::Broken(_) => folder.raise(STOP),
            }
        };
        stopped().map_err(fault_of)
    }

    fn observe(&self) -> Result<BTreeMap<AttemptId, Seen>, EngineError> {
        let mut memory = self.memory();
        let listed = self.listed().map_err(unavailable("list its attempts"))?;
        let mut all = BTreeMap::new();
        for attempt in listed {
            let seen = memory.over.get(&attempt).cloned().or_else(|| self.look(attempt));
            let Some(seen) = seen else { continue };
            if matches!(seen, Seen::Ended(_) | Seen::Lost { .. }) && !memory.over.contains_key(&attempt) {
                memory.over.insert(attempt, seen.clone());
            }
            all.insert(attempt, seen);
        }
        let Memory { handovers, over, failed, .. } = &mut *memory;
        handovers.retain(|attempt, _| all.contains_key(attempt));
        over.retain(|attempt, _| all.contains_key(attempt));
        failed.retain(|attempt, _| matches!(all.get(attempt), Some(Seen::Pending)));
        Ok(all)
    }

    fn forget(&self, attempt: AttemptId) -> Result<(), EngineError> {
        let fault_of = unavailable("forget an attempt");
        let mut memory = self.memory();
        let _lock = self.lock().map_err(&fault_of)?;
        let from = self.live(attempt);
        let refused = |cause: String| Err(EngineError::Refused { attempt, cause });
        match memory.over.get(&attempt).cloned().or_else(|| self.look(attempt)) {
            None => return Ok(()),
            Some(Seen::Ended(_) | Seen::Lost { .. }) => {}
            Some(Seen::Pending | Seen::Running { .. }) => {
                return refused("it is not over and can not be forgotten; stop it first".to_owned());
            }
            Some(Seen::Unclear { cause }) => {
                return Err(EngineError::Unavailable { what: "forget an attempt", cause, source: None });
            }
        }
        match fs::rename(from.path(), self.done(attempt).path()) {
            Err(fault) if fault.kind() != ErrorKind::NotFound => return Err(fault_of(fault)),
            _ => {}
        }
        memory.over.remove(&attempt);
        memory.handovers.remove(&attempt);
        sync(&self.home.join("done")).and_then(|()| sync(&self.home.join("live"))).map_err(fault_of)
    }

    fn output(
        &self,
        attempt: AttemptId,
        stream: OutputStream,
        from: u64,
        most: usize,
    ) -> Result<Chunk, EngineError> {
        let name = match stream {
            OutputStream::Out => OUT,
            OutputStream::Err => ERR,
        };
        // It may move to `done/` between the looks, and never back.
        let folders = [self.live(attempt), self.done(attempt)];
        for folder in &folders {
            match open_plain(&folder.file(name)) {
                Ok(file) => return piece(file, from, most).map_err(unavailable("read an output")),
                Err(fault) if fault.kind() == ErrorKind::NotFound => {}
                Err(fault) => return Err(unavailable("read an output")(fault)),
            }
        }
        let known = folders.iter().any(|folder| folder.path().exists());
        if known {
            Ok(Chunk { next: from, ..Chunk::default() })
        } else {
            Err(EngineError::Unknown { attempt })
        }
    }

    fn carries(&self, pool: &str) -> Carried {
        self.pools.iter().find(|known| known.name == pool).map_or_else(Carried::default, |pool| pool.carried)
    }
}

fn piece(mut file: File, from: u64, most: usize) -> io::Result<Chunk> {
    // Files can not be read from places far beyond their end, and there is nothing there.
    if from >= file.metadata()?.len() {
        return Ok(Chunk { next: from, ..Chunk::default() });
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    (&mut file).take(most as u64).read_to_end(&mut bytes)?;
    let next = from.saturating_add(bytes.len() as u64);
    let rest = Bytes::of(file.metadata()?.len().saturating_sub(next));
    Ok(Chunk { bytes, next, rest })
}
