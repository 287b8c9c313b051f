//! Jobs that run and wait, as `squeue` lists them.

use giga_units::{Duration, Instant};

use super::bars::{Fault, Read, Row, Unread, table};
use super::cells::{Clock, clock, resources, tasks, word};
use crate::slurm::cell::{Counted, count, gres};

/// A job that runs or waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Its number, with that of its task: `17`, `17_3`.
    pub id: String,
    /// How many tasks the row stands for; one, unless `squeue` was asked without `--array`.
    pub tasks: u32,
    /// Where it stands.
    pub state: QueueState,
    /// Who is charged.
    pub account: String,
    /// Where it runs or may run, with commas between.
    pub partition: String,
    /// How many nodes it has or wants.
    pub nodes: u32,
    /// How many accelerators each task has or wants.
    pub accelerators: u32,
    /// Their type, where Slurm tells it.
    pub kind: String,
    /// The longest it may run; `None` where nothing limits it.
    pub limit: Option<Duration>,
    /// How long it has run.
    pub used: Duration,
    /// When it started, or is expected to by Slurm.
    pub start: Option<Instant>,
    /// When it was submitted.
    pub submitted: Option<Instant>,
    /// Slurm's priority: the higher goes first.
    pub priority: u64,
    /// Why it waits, in Slurm's word.
    pub reason: String,
}

/// Where a job of the queue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueState {
    /// It waits, and may start as soon as there is room.
    Waits,
    /// It waits for something else than room: it is held, depends on another job, or its time has not come.
    HeldBack,
    /// It holds its nodes.
    Runs,
}

/// Why a job can not start whatever is free, as Slurm's reasons begin.
const HELD_BACK: [&str; 8] = [
    "Dependency",
    "JobHeld",
    "BeginTime",
    "JobArrayTaskLimit",
    "PartitionDown",
    "PartitionInactive",
    "BadConstraints",
    "AccountNotAllowed",
];

/// Reads the table of `squeue`. Jobs that are over are left out.
///
/// # Errors
/// Fails where there is no header, or columns are missing.
pub fn read_queue(text: &str) -> Result<Read<Queued>, Unread> {
    table(text, &["JOBID", "STATE", "NODES", "TIME_LIMIT"], queued)
}

fn queued(row: &Row<'_>, times: &mut Clock) -> Result<Option<Queued>, Fault> {
    let reason = word(row.text("REASON").trim_matches(['(', ')']));
    let Some(state) = state(row.text("STATE"), &reason) else { return Ok(None) };
    let nodes = row.cell("NODES", nodes)?;
    let Counted { accelerators, kind } = held(row, nodes)?;
    Ok(Some(Queued {
        id: word(row.text("JOBID")),
        tasks: row.cell("JOBID", tasks)?,
        state,
        account: word(row.text("ACCOUNT")),
        partition: word(row.text("PARTITION")),
        nodes,
        accelerators,
        kind,
        limit: row.cell("TIME_LIMIT", clock)?,
        used: row.cell("TIME", clock)?.unwrap_or(Duration::ZERO),
        start: row.cell("START_TIME", |text| times.time(text))?,
        submitted: row.cell("SUBMIT_TIME", |text| times.time(text))?,
        priority: row.text("PRIORITY").parse().unwrap_or(0),
        reason,
    }))
}

fn state(text: &str, reason: &str) -> Option<QueueState> {
    Some(match text.split_whitespace().next()? {
        "PENDING" | "PD" if HELD_BACK.iter().any(|begin| reason.starts_with(begin)) => QueueState::HeldBack,
        "PENDING" | "PD" => QueueState::Waits,
        "REQUEUE_HOLD" | "SPECIAL_EXIT" | "RESV_DEL_HOLD" => QueueState::HeldBack,
        "RUNNING" | "R" | "COMPLETING" | "CG" | "CONFIGURING" | "CF" | "SUSPENDED" | "S" | "STOPPED"
        | "ST" | "SIGNALING" | "STAGE_OUT" | "RESIZING" => QueueState::Runs,
        _ => return None,
    })
}

/// `4`, or `4-8` of a job that takes what there is: the least.
fn nodes(text: &str) -> Result<u32, String> {
    count(text.split('-').next().unwrap_or(""))
}

/// What all nodes of it hold together: from the trackable resources, else from what was asked for each node.
fn held(row: &Row<'_>, nodes: u32) -> Result<Counted, Fault> {
    let counted = row.cell("TRES_ALLOC", resources)?;
    if counted.accelerators > 0 {
        return Ok(counted);
    }
    let Counted { accelerators, kind } = row.cell("TRES_PER_NODE", gres)?;
    Ok(Counted { accelerators: accelerators.saturating_mul(nodes.max(1)), kind })
}
