//! The second stage of a supervisor: it becomes the program.
//!
//! Between the supervisor and the program stands this short stage in a process of its own, because what has to happen
//! there (die with the supervisor, lead a session, keep to processors) has to be done by the process itself. It asks
//! the kernel to be killed when its supervisor is, makes sure that this has not happened already, writes down who it
//! is, and becomes the program. A fault goes to the supervisor through a pipe, which closes by itself when the program
//! runs.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use giga_formats::attempt::{Body, Claim, Handover};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Pid, getppid, setsid};

use super::claim::CLAIM;
use super::folder::{Folder, Found, make_folder};
use super::now;
use super::process;
use super::supervisor::LAUNCH;

/// Says that this is the second stage, and which process the first one is.
pub(crate) const STAGE: &str = "GIGA_STAGE";
pub(crate) const BODY: &str = "body.json";

/// What the program finds of the server's environment. Everything else stays outside.
pub(crate) const KEPT: [&str; 4] = ["PATH", "HOME", "LANG", "USER"];

/// What Slurm says of a job begins so; the program finds it, since it may start steps of its own.
const SLURM: [&str; 2] = ["SLURM_", "SLURMD_"];
/// What Slurm says of its accelerators.
const DEVICES: [&str; 4] =
    ["CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ZE_AFFINITY_MASK"];

/// Whether this process is of a job of Slurm.
pub(crate) fn under_slurm() -> bool {
    env::var_os("SLURM_JOB_ID").is_some()
}

/// The variables of the supervisor that the next stage needs.
pub(crate) fn kept() -> impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)> {
    let slurm = under_slurm();
    env::vars_os().filter(move |(name, _)| {
        let Some(name) = name.to_str() else { return false };
        let of_slurm =
            slurm && (SLURM.iter().any(|begin| name.starts_with(begin)) || DEVICES.contains(&name));
        KEPT.contains(&name) || of_slurm
    })
}

/// Becomes the program; returns only where that failed.
pub(crate) fn become_program(folder: &Folder, supervisor: &str) -> ExitCode {
    let Ok(mut pipe) = io::stdin().as_fd().try_clone_to_owned().map(fs::File::from) else {
        return ExitCode::FAILURE;
    };
    // With no one left to read it, the fault has no reader either.
    let Err(cause) = prepared(folder, supervisor) else { return ExitCode::FAILURE };
    let _ = pipe.write_all(cause.as_bytes());
    ExitCode::FAILURE
}

/// The cause why it did not become the program; a stage whose supervisor is gone ends silently.
fn prepared(folder: &Folder, supervisor: &str) -> Result<(), String> {
    let told = |what: &'static str| move |fault: io::Error| format!("{what}: {fault}");
    set_pdeathsig(Signal::SIGKILL).map_err(|errno| told("ask to die with the supervisor")(errno.into()))?;
    if getppid().to_string() != supervisor {
        return Ok(());
    }
    setsid().map_err(|errno| told("lead a session")(errno.into()))?;
    let handover = whole::<Handover>(folder, LAUNCH)?;
    let claim = whole::<Claim>(folder, CLAIM)?;
    let workdir = workdir(folder, &handover)?;
    env::set_current_dir(&workdir)
        .map_err(|fault| format!("working directory `{}`: {fault}", workdir.display()))?;
    keep_to(&handover.cpus).map_err(told("keep to its processors"))?;
    // When memory runs out, the kernel kills a program and neither server nor supervisor. Where this can not be said,
    // the program runs all the same.
    let _ = fs::write("/proc/self/oom_score_adj", "500");
    let process = process::own().map_err(told("find out who this is"))?;
    folder.put(BODY, &Body { process, at: now() }).map_err(told("write `body.json`"))?;
    let (program, arguments) =
        handover.launch.command.split_first().ok_or_else(|| "its command is empty".to_owned())?;
    // The supervisor keeps signals back; the program must hear them.
    SigSet::empty().thread_set_mask().map_err(|errno| told("hear signals")(errno.into()))?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(environment(&handover, &claim)).stdin(Stdio::null());
    Err(format!("`{program}`: {}", command.exec()))
}

fn whole<T: giga_formats::attempt::AttemptFile>(folder: &Folder, name: &str) -> Result<T, String> {
    match folder.read(name) {
        Ok(Found::Whole(value)) => Ok(value),
        Ok(Found::Nothing) => Err(format!("`{name}` is gone")),
        Ok(Found::Broken(fault)) => Err(format!("`{name}`: {fault}")),
        Err(fault) => Err(format!("`{name}`: {fault}")),
    }
}

/// Where the program runs: what was asked for, or the job's own folder.
fn workdir(folder: &Folder, handover: &Handover) -> Result<PathBuf, String> {
    if let Some(path) = &handover.launch.workdir {
        return Ok(path.clone());
    }
    let home =
        folder.path().parent().and_then(Path::parent).ok_or("the attempt lies in no engine's folder")?;
    let path = home.join("work").join(handover.launch.attempt.job.to_string());
    make_folder(&path).map_err(|fault| format!("working directory `{}`: {fault}", path.display()))?;
    Ok(path)
}

fn keep_to(cpus: &[u32]) -> io::Result<()> {
    if cpus.is_empty() {
        return Ok(());
    }
    let mut set = CpuSet::new();
    cpus.iter().try_for_each(|&cpu| set.set(cpu as usize))?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// The environment of the program: a few words of the server's, the job's, and what the engine says. Later ones win.
fn environment(handover: &Handover, claim: &Claim) -> BTreeMap<String, String> {
    let launch = &handover.launch;
    let kept = kept().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let cpus_whole = handover.cpus_thousandths.div_ceil(1000).max(1).to_string();
    let mut environment: BTreeMap<String, String> = kept.collect();
    environment.insert("OMP_NUM_THREADS".into(), cpus_whole);
    environment.extend(launch.env.clone());
    let nodes: Vec<String> = launch.nodes.iter().map(|node| format!("{}/{}", node.pool, node.node)).collect();
    let listed = |slots: &Vec<u32>| slots.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let slots: Vec<String> = handover.slots.iter().map(listed).collect();
    let cpus = handover.cpus_thousandths;
    let said = [
        ("GIGA_JOB", launch.attempt.job.to_string()),
        ("GIGA_ATTEMPT", launch.attempt.to_string()),
        ("GIGA_NONCE", claim.nonce.clone()),
        ("GIGA_NODES", nodes.join(" ")),
        ("GIGA_ACCELERATORS", slots.join(" ")),
        ("GIGA_CPUS", format!("{}.{:03}", cpus / 1000, cpus % 1000)),
        ("GIGA_MEMORY_BYTES", handover.memory.as_bytes().to_string()),
    ];
    environment.extend(said.map(|(name, value)| (name.to_owned(), value)));
    if under_slurm() {
        // Slurm chose them, and says so itself.
        environment.extend(env::var("SLURM_JOB_GPUS").map(|gpus| ("GIGA_ACCELERATORS".to_owned(), gpus)));
    } else {
        environment.insert("CUDA_VISIBLE_DEVICES".to_owned(), handover.devices.join(","));
    }
    environment
}
