//! Asks Slurm's programs, or reads what they printed.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use giga_formats::observe::{
    Accounted, Fault, Node, Observation, Question, QueueState, Queued, Read, Unread, questions,
    read_accounted, read_nodes, read_queue, read_shares,
};
use giga_formats::slurm::shell_word;
use giga_units::Instant;

use super::{Observe, Refused};

/// What makes Slurm print seconds since 1970, and its own words.
const ENVIRONMENT: [(&str, &str); 3] = [("LC_ALL", "C"), ("TZ", "UTC"), ("SLURM_TIME_FORMAT", "%s")];

/// The calls as a script that saves what they print.
pub(super) fn script(call: &Observe) -> String {
    let asked = questions(&call.partitions, call.since);
    let mut script = String::from(
        "# These three commands are all that `giga observe` calls; they read and change nothing. As a script it saves what\n\
         # they print, for `giga observe --sinfo sinfo.txt --squeue squeue.txt --sacct sacct.txt` on any machine.\n",
    );
    let set: Vec<String> = ENVIRONMENT.iter().map(|(name, value)| format!("{name}={value}")).collect();
    script.push_str(&format!("export {}\n", set.join(" ")));
    if let Some(conf) = &call.conf {
        script.push_str(&format!("export SLURM_CONF={}\n", shell_word(&conf.to_string_lossy())));
    }
    asked.iter().for_each(|question| script.push_str(&format!("{question} > {}.txt\n", question.program)));
    script
}

/// What the cluster is and does, and what there is to say about reading it.
pub(super) fn observation(call: &Observe) -> Result<(Observation, Vec<String>), Refused> {
    let mut seen = Observation::default();
    let mut notes = Vec::new();
    match &call.sinfo {
        Some(sinfo) => {
            seen.nodes = rows(read_nodes(&file(sinfo)?), &name(sinfo), &mut notes)?;
            seen.queue = call
                .squeue
                .as_deref()
                .map(|path| queue(&file(path)?, &name(path), &mut notes))
                .transpose()?;
            seen.jobs =
                call.sacct.as_deref().map(|path| jobs(&file(path)?, &name(path), &mut notes)).transpose()?;
            seen.at = call.at.or_else(|| saved_at(&seen)).ok_or_else(|| {
                Refused::Input("no job tells when the files were saved; say it with `--at DATE`".to_owned())
            })?;
        }
        None => ask(call, &mut seen, &mut notes)?,
    }
    seen.since = seen.at - call.since;
    only(&mut seen, &call.partitions);
    seen.cluster = seen
        .jobs
        .iter()
        .flatten()
        .map(|job| job.cluster.clone())
        .find(|name| !name.is_empty())
        .unwrap_or_default();
    if let Some(path) = &call.sshare {
        let (shares, read) = match read_shares(&file(path)?) {
            Ok((shares, read)) => (shares, Ok(read)),
            Err(unread) => (Default::default(), Err(unread)),
        };
        rows(read, &name(path), &mut notes)?;
        seen.shares = shares;
    }
    Ok((seen, notes))
}

fn ask(call: &Observe, seen: &mut Observation, notes: &mut Vec<String>) -> Result<(), Refused> {
    let [sinfo, squeue, sacct] = questions(&call.partitions, call.since);
    let conf = call.conf.as_deref();
    seen.nodes = rows(read_nodes(&output(&sinfo, conf)?), "sinfo", notes)?;
    seen.queue = Some(queue(&output(&squeue, conf)?, "squeue", notes)?);
    seen.at = SystemTime::now().into();
    // The clock counts parts of a second, and Slurm does not.
    seen.at = Instant::unix_milliseconds(seen.at.as_unix_milliseconds() / 1_000 * 1_000);
    match output(&sacct, conf) {
        Ok(text) => seen.jobs = Some(jobs(&text, "sacct", notes)?),
        Err(Refused::Failed(error)) if error.to_string().contains("accounting storage is disabled") => notes.push(
            "this cluster keeps no accounting (`AccountingStorageType` in slurm.conf), so nothing is known of the past"
                .to_owned(),
        ),
        Err(refused) => return Err(refused),
    }
    Ok(())
}

/// What a program prints that does not fail.
fn output(question: &Question, conf: Option<&Path>) -> Result<String, Refused> {
    let program = question.program;
    let mut command = Command::new(program);
    command.args(&question.arguments).envs(ENVIRONMENT);
    // What the user's variables ask for would change what is printed.
    let own = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let asks = |name: &String| ["SINFO_", "SQUEUE_", "SACCT_"].iter().any(|begin| name.starts_with(begin));
    for name in own.filter(asks) {
        command.env_remove(name);
    }
    command.envs(conf.map(|conf| ("SLURM_CONF", conf)));
    let output = command.output().map_err(|error| {
        anyhow::anyhow!(
            "`{program}` can not be started: {error}; call giga where Slurm's commands are, or save what they print as \
             `giga observe --dry-run` shows"
        )
    })?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        let help = "call it where this works by hand, or name the cluster's slurm.conf with `--conf`";
        return Err(anyhow::anyhow!("`{question}` failed: {}; {help}", last.trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

fn file(path: &Path) -> Result<String, Refused> {
    let bytes = std::fs::read(path)
        .map_err(|error| Refused::Input(format!("`{}` can not be read: {error}", path.display())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn queue(text: &str, name: &str, notes: &mut Vec<String>) -> Result<Vec<Queued>, Refused> {
    rows(read_queue(text), name, notes)
}

fn jobs(text: &str, name: &str, notes: &mut Vec<String>) -> Result<Vec<Accounted>, Refused> {
    rows(read_accounted(text), name, notes)
}

/// The sound rows; what is not sound is noted, and a table of nothing else is refused.
fn rows<T>(read: Result<Read<T>, Unread>, name: &str, notes: &mut Vec<String>) -> Result<Vec<T>, Refused> {
    let read = read.map_err(|unread| Refused::Input(format!("`{name}`: {unread}")))?;
    let said = |fault: &Fault| format!("`{name}`, {fault}");
    if let Some(first) = read.faults.first().filter(|_| read.rows.is_empty()) {
        return Err(Refused::Input(format!("no row can be read; the first: {}", said(first))));
    }
    if read.faulty > 0 {
        notes.push(format!(
            "{} rows of `{name}` can not be read and are left out; the first of them:",
            read.faulty
        ));
        notes.extend(read.faults.iter().take(3).map(said));
    }
    if read.zoneless > 0 {
        notes.push(format!(
            "{} times of `{name}` tell no zone and are taken as UTC; SLURM_TIME_FORMAT=%s makes Slurm print times that do",
            read.zoneless
        ));
    }
    Ok(read.rows)
}

/// When files were saved: what runs has run for so long since its start; else the last that is known to have happened.
fn saved_at(seen: &Observation) -> Option<Instant> {
    let queue = || seen.queue.iter().flatten();
    let running = queue().filter(|job| job.state == QueueState::Runs);
    let by_running = running.filter_map(|job| Some(job.start? + job.used)).max();
    let jobs = seen.jobs.iter().flatten();
    let last = jobs.flat_map(|job| [job.submitted, job.start, job.end]).flatten();
    by_running.or_else(|| last.chain(queue().filter_map(|job| job.submitted)).max())
}

/// Leaves out what is in none of these partitions, where any are named.
fn only(seen: &mut Observation, partitions: &[String]) {
    if partitions.is_empty() {
        return;
    }
    let wanted = |list: &str| list.split(',').any(|name| partitions.iter().any(|wanted| wanted == name));
    let inside = |node: &Node| node.partitions.iter().any(|name| wanted(name));
    seen.nodes.retain(inside);
    seen.nodes.iter_mut().for_each(|node| node.partitions.retain(|name| wanted(name)));
    seen.queue.iter_mut().for_each(|queue| queue.retain(|job| wanted(&job.partition)));
    seen.jobs.iter_mut().for_each(|jobs| jobs.retain(|job| wanted(&job.partition)));
}
