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
use std::time::Duration;

use giga_formats::attempt::{Body, Claim, Handover};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Pid, getppid, setsid};

use super::claim::CLAIM;
use super::container::Inside;
use super::folder::{Folder, Found, make_folder};
use super::idle::READINGS;
use super::process;
use super::sent;
use super::supervisor::{INPUT, LAUNCH, on_a_full_disk};
use super::{host_name, now};

/// Says that this is the second stage, and which process the first one is.
pub(crate) const STAGE: &str = "GIGA_STAGE";
pub(crate) const BODY: &str = "body.json";

/// How long a program that is about to begin waits for room on the disk; its supervisor hears nothing meanwhile.
const FULL: Duration = Duration::from_secs(60);

/// What the program finds of the server's environment. Everything else stays outside.
const KEPT: [&str; 4] = ["PATH", "HOME", "LANG", "USER"];

/// What a supervisor finds of the server's environment.
pub(crate) fn handed_on() -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    let names = KEPT.into_iter().chain([READINGS]);
    names.filter_map(|name| Some((name, env::var_os(name)?)))
}

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
    if handover.launch.workdir.is_none() {
        on_a_full_disk(FULL, || sent::put(&workdir, &handover.launch.files))
            .map_err(told("put in what the job brings along"))?;
    }
    env::set_current_dir(&workdir)
        .map_err(|fault| format!("working directory `{}`: {fault}", workdir.display()))?;
    keep_to(&handover.cpus).map_err(told("keep to its processors"))?;
    // When memory runs out, the kernel kills a program and neither server nor supervisor. Where this can not be said,
    // the program runs all the same.
    let _ = fs::write("/proc/self/oom_score_adj", "500");
    let process = process::own().map_err(told("find out who this is"))?;
    let body = Body { process, at: now() };
    on_a_full_disk(FULL, || folder.put(BODY, &body)).map_err(told("write `body.json`"))?;
    let (program, arguments) =
        handover.launch.command.split_first().ok_or_else(|| "its command is empty".to_owned())?;
    let mut environment = environment(&handover, &claim);
    environment.insert("GIGA_INPUT".into(), folder.file(INPUT).display().to_string());
    let mut command = match &handover.launch.container {
        None => {
            let mut command = Command::new(program);
            command.args(arguments);
            command
        }
        Some(container) => {
            let inside = Inside { container, workdir: &workdir, folder };
            inside.command(&handover.launch.command, &mut environment)?
        }
    };
    // The supervisor keeps signals back; the program must hear them.
    SigSet::empty().thread_set_mask().map_err(|errno| told("hear signals")(errno.into()))?;
    command.env_clear().envs(environment).stdin(Stdio::null());
    let fault = command.exec();
    Err(format!("`{}`: {fault}", command.get_program().display()))
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
    let nodes = if under_slurm() { by_slurm(handover) } else { by_us(handover) };
    environment.extend(nodes.into_iter().map(|(name, value)| (name.to_owned(), value)));
    if launch.container.is_some() {
        // One host is all that has the container, and `srun` is not in it.
        environment.insert("GIGA_ON_EACH_HOST".into(), "env".into());
    }
    environment
}

/// What this machine says, which stands for all nodes of an attempt.
fn by_us(handover: &Handover) -> Vec<(&'static str, String)> {
    let host = host_name();
    vec![
        ("CUDA_VISIBLE_DEVICES", handover.devices.join(",")),
        ("GIGA_HOSTS", host.clone()),
        ("GIGA_HOST_COUNT", "1".to_owned()),
        ("GIGA_ON_EACH_HOST", "env".to_owned()),
        ("MASTER_ADDR", host),
        ("MASTER_PORT", port(handover.launch.attempt.job.0)),
    ]
}

/// What Slurm says: it chose the accelerators, and starts steps on the other nodes. The supervisor runs on the first.
fn by_slurm(handover: &Handover) -> Vec<(&'static str, String)> {
    let slurm = |name: &str| env::var(name).unwrap_or_default();
    let hosts = giga_formats::slurm::hosts(&slurm("SLURM_JOB_NODELIST")).unwrap_or_default();
    let count = handover.launch.nodes.len().to_string();
    let each = format!(
        "srun --nodes={count} --ntasks={count} --ntasks-per-node=1 --export=ALL --kill-on-bad-exit=1 --cpu-bind=none"
    );
    let job = slurm("SLURM_JOB_ID").parse().unwrap_or(0);
    let mut said = vec![
        ("GIGA_HOSTS", hosts.join(" ")),
        ("GIGA_HOST_COUNT", count),
        ("GIGA_ON_EACH_HOST", each),
        ("MASTER_ADDR", host_name()),
        ("MASTER_PORT", port(job)),
    ];
    said.extend(env::var("SLURM_JOB_GPUS").ok().map(|gpus| ("GIGA_ACCELERATORS", gpus)));
    said
}

/// A port for the processes of a job to meet at, outside those that Linux gives to connections (32768 to 60999).
fn port(number: u64) -> String {
    (20_000 + number % 12_000).to_string()
}
