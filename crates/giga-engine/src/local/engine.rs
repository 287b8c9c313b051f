//! The engine itself: hands attempts to supervisors and tells what became of them, from files and the kernel.
//!
//! It remembers nothing that is not in the files, beside what can never change. Calls that make or move the folder of an
//! attempt hold a lock on the engine's folder, so that two servers on one folder do no harm.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use giga_formats::attempt::{Body, Claim, Claimant, Handover, ProcessId};
use giga_model::{AttemptId, End, Idling, JobId, Launch, Receipt};
use nix::sys::signal::Signal;

use super::pool::{self, InUse, LocalPool};
use crate::attempt::body::{BODY, handed_on};
use crate::attempt::claim::{self, CLAIM};
use crate::attempt::fence::{Swept, sweep};
use crate::attempt::folder::{Folder, Found, Made};
use crate::attempt::home::{Home, OpenError};
use crate::attempt::launch::{fault, is_over, never_began, unavailable};
use crate::attempt::process;
use crate::attempt::supervisor::{LAUNCH, RECEIPT, STOP};
use crate::{Carried, Chunk, Engine, EngineError, JobFolder, OutputStream, Seen};

const LOG: &str = "supervisor.log";

/// Carries attempts out as processes of this machine.
#[derive(Debug)]
pub struct LocalEngine {
    home: Home,
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
        Ok(Self { home: Home::open(folder)?, pools, supervisor, memory: Mutex::default() })
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
            if !self.home.live(attempt).file(CLAIM).exists() {
                let log = fs::read(self.home.live(attempt).file(LOG)).unwrap_or_default();
                let log = String::from_utf8_lossy(&log);
                let last = log.lines().last().unwrap_or("it said nothing").to_owned();
                failed.insert(attempt, format!("its supervisor ended before it began ({status}): {last}"));
            }
            false
        });
        memory
    }

    /// Which accelerators are held by attempts that are not known to be over.
    fn in_use(&self, memory: &mut Memory) -> io::Result<InUse> {
        let mut in_use = InUse::new();
        for attempt in self.home.listed()? {
            let folder = self.home.live(attempt);
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
        let folder = self.home.make_live(launch.attempt)?;
        folder.make(LAUNCH, &handover).map(Some)
    }

    /// Starts a supervisor. Of several for one attempt, the claim lets one do anything.
    fn supervise(&self, attempt: AttemptId) -> io::Result<Child> {
        let folder = self.home.live(attempt);
        let (program, arguments) =
            self.supervisor.split_first().expect("an engine opens with a program only");
        let mut command = Command::new(program);
        command.args(arguments).arg(folder.path());
        command.env_clear().envs(handed_on());
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
        let folder = self.home.live(attempt);
        if let Found::Whole(receipt) = folder.read::<Receipt>(RECEIPT)? {
            return Ok(Some(Seen::Ended(receipt)));
        }
        let claim = match folder.read::<Claim>(CLAIM)? {
            Found::Whole(claim) => claim,
            Found::Nothing => return unclaimed(&folder),
            Found::Broken(fault) => return Ok(Some(unclear(CLAIM, &fault))),
        };
        match &claim.by {
            Claimant::Fence => Ok(Some(Seen::Ended(never_began(&claim, End::Stopped)))),
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

impl Engine for LocalEngine {
    fn start(&self, launch: &Launch) -> Result<(), EngineError> {
        let attempt = launch.attempt;
        let fault_of = unavailable("start an attempt");
        let folder = self.home.live(attempt);
        let mut memory = self.memory();
        let _lock = self.home.lock().map_err(&fault_of)?;
        let there = |path: std::path::PathBuf| path.try_exists().map_err(&fault_of);
        if there(self.home.done(attempt).path().to_owned())? || there(folder.file(CLAIM))? {
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
            let folder = self.home.live(attempt);
            let _lock = self.home.lock()?;
            if self.home.done(attempt).path().try_exists()? {
                return Ok(());
            }
            if matches!(folder.read::<Claim>(CLAIM)?, Found::Nothing) {
                self.home.make_live(attempt)?;
                claim::fence(&folder, attempt)?;
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
        let listed = self.home.listed().map_err(unavailable("list its attempts"))?;
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
        let _lock = self.home.lock().map_err(&fault_of)?;
        if !is_over(attempt, memory.over.get(&attempt).cloned().or_else(|| self.look(attempt)))? {
            return Ok(());
        }
        self.home.file_away(attempt).map_err(fault_of)?;
        memory.over.remove(&attempt);
        memory.handovers.remove(&attempt);
        Ok(())
    }

    fn output(
        &self,
        attempt: AttemptId,
        stream: OutputStream,
        from: u64,
        most: usize,
    ) -> Result<Chunk, EngineError> {
        self.home.output(attempt, stream, from, most)
    }

    fn input(&self, attempt: AttemptId, at: Option<u64>, bytes: &[u8]) -> Result<u64, EngineError> {
        self.home.input(attempt, at, bytes)
    }

    fn idling(&self) -> Result<BTreeMap<AttemptId, Idling>, EngineError> {
        self.home.idling().map_err(unavailable("list its attempts"))
    }

    fn folder(&self, job: JobId) -> Result<Option<JobFolder>, EngineError> {
        JobFolder::open(&self.home, job).map_err(unavailable("look at the folder of a job"))
    }

    fn carries(&self, pool: &str) -> Carried {
        self.pools.iter().find(|known| known.name == pool).map_or_else(Carried::default, |pool| pool.carried)
    }
}
