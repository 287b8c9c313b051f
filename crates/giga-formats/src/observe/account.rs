//! Jobs of the past, as `sacct` lists them.

use std::collections::BTreeMap;

use giga_units::{Duration, Energy, Instant};

use super::bars::{Fault, Read, Row, Unread, table};
use super::cells::{Clock, energy_in, joules, length, resources, tasks, word};
use crate::slurm::cell::{Counted, count, quoted};

/// One run of a job, or a job that waits or never ran. A job that was queued again has a row for each run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounted {
    /// The cluster, where it is told.
    pub cluster: String,
    /// Its number, with that of its task: `17`, `17_3`.
    pub id: String,
    /// How many tasks the row stands for: more than one only of an array that waits.
    pub tasks: u32,
    /// Who is charged.
    pub account: String,
    /// Where it ran.
    pub partition: String,
    /// What became of it.
    pub became: Became,
    /// When it was submitted, or queued again.
    pub submitted: Option<Instant>,
    /// From when on it could have started; `None` where it never could.
    pub eligible: Option<Instant>,
    /// When it started.
    pub start: Option<Instant>,
    /// When it ended.
    pub end: Option<Instant>,
    /// The longest it may run.
    pub limit: Option<Duration>,
    /// How many nodes it had.
    pub nodes: u32,
    /// How many accelerators each task held, or asked for where it never ran.
    pub accelerators: u32,
    /// Their type, where Slurm tells it.
    pub kind: String,
    /// What Slurm measured, on all nodes that it ran on.
    pub energy: Option<Energy>,
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Became {
    /// It waits.
    Waits,
    /// It runs.
    Runs,
    /// It ended well, or goes on in another size.
    Completed,
    /// It went wrong: its own code, or out of memory.
    Failed,
    /// A node failed under it.
    NodeFailed,
    /// Its limit, or its deadline.
    TimedOut,
    /// It was told to leave for other work, or was queued again.
    Preempted,
    /// Somebody took it back.
    Cancelled,
}

impl Became {
    /// Reads Slurm's word, also with more behind it as in `CANCELLED by 0`.
    fn parse(text: &str) -> Result<Self, String> {
        Ok(match text.split([' ', '+']).next().unwrap_or("") {
            "PENDING" | "REQUEUE_HOLD" | "REQUEUE_FED" | "SPECIAL_EXIT" | "RESV_DEL_HOLD" => Self::Waits,
            "RUNNING" | "SUSPENDED" | "CONFIGURING" | "COMPLETING" | "STOPPED" | "SIGNALING"
            | "STAGE_OUT" => Self::Runs,
            "COMPLETED" | "RESIZING" => Self::Completed,
            "FAILED" | "OUT_OF_MEMORY" | "LAUNCH_FAILED" | "RECONFIG_FAIL" => Self::Failed,
            "NODE_FAIL" | "BOOT_FAIL" | "POWER_UP_NODE" => Self::NodeFailed,
            "TIMEOUT" | "DEADLINE" => Self::TimedOut,
            "PREEMPTED" | "REQUEUED" | "REVOKED" => Self::Preempted,
            "CANCELLED" => Self::Cancelled,
            _ => return Err(format!("`{}` is no state of a job that is known", quoted(text))),
        })
    }
}

/// Reads the table of `sacct`; steps only add the energy that their job does not tell.
///
/// # Errors
/// Fails where there is no header, or columns are missing.
pub fn read_accounted(text: &str) -> Result<Read<Accounted>, Unread> {
    // What the steps of a job used, by how many jobs stand above them.
    let (mut above, mut steps) = (0, BTreeMap::<usize, Energy>::new());
    let mut latest = String::new();
    let mut read = table(text, &["JobID", "State", "Submit", "Start", "End", "AllocTRES"], |row, times| {
        if let Some((id, _)) = row.text("JobID").split_once('.') {
            if let Some(energy) = energy(row).filter(|_| id == latest) {
                *steps.entry(above).or_default() += energy;
            }
            return Ok(None);
        }
        latest.clear();
        let job = accounted(row, times)?;
        latest.push_str(row.text("JobID"));
        above += 1;
        Ok(Some(job))
    })?;
    for (above, energy) in steps {
        let job = above.checked_sub(1).and_then(|place| read.rows.get_mut(place));
        if let Some(job) = job.filter(|job| job.energy.is_none()) {
            job.energy = Some(energy);
        }
    }
    Ok(read)
}

fn accounted(row: &Row<'_>, times: &mut Clock) -> Result<Accounted, Fault> {
    let became = row.cell("State", Became::parse)?;
    let mut counted = row.cell("AllocTRES", resources)?;
    // Some versions list what little a waiting job has already.
    if row.text("AllocTRES").is_empty() || (counted.accelerators == 0 && became == Became::Waits) {
        counted = row.cell("ReqTRES", resources)?;
    }
    let Counted { accelerators, kind } = counted;
    let mut time = |column: &str| row.cell(column, |text| times.time(text));
    let (submitted, start, end) = (time("Submit")?, time("Start")?, time("End")?);
    // Where nobody asked for the column, a job could start as soon as it came.
    let eligible = if row.text("Eligible").is_empty() { submitted } else { time("Eligible")? };
    let over = !matches!(became, Became::Waits | Became::Runs);
    if let (Some(start), Some(end)) = (start, end.filter(|_| over)) {
        row.cell("End", |_| {
            if end >= start {
                Ok(())
            } else {
                Err("it ended before it started; were the clocks set?".to_owned())
            }
        })?;
    }
    Ok(Accounted {
        cluster: word(row.text("Cluster")),
        id: word(row.text("JobID")),
        tasks: row.cell("JobID", tasks)?,
        account: word(row.text("Account")),
        partition: word(row.text("Partition")),
        became,
        submitted,
        eligible,
        start,
        end: end.filter(|_| over),
        limit: row.cell("TimelimitRaw", |text| length(text, Duration::seconds(60)))?,
        nodes: row.cell("NNodes", count)?,
        accelerators,
        kind,
        energy: energy(row),
    })
}

fn energy(row: &Row<'_>) -> Option<Energy> {
    let stated = joules(row.text("ConsumedEnergyRaw")).or_else(|| energy_in(row.text("AllocTRES")));
    stated.map(Energy::joules)
}
