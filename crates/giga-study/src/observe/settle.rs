//! What does not hold together in what Slurm told, put right before anything is counted, and said.

use std::collections::{BTreeMap, BTreeSet};

use giga_formats::observe::{Became, Observation, QueueState};
use giga_units::Duration;

/// A job may start between two questions; one that is older is in the queue, or it is over.
const BETWEEN: Duration = Duration::seconds(120);

/// Puts right what can be, and says what was done; a sentence each.
#[must_use]
pub fn settle(seen: &mut Observation) -> Vec<String> {
    let mut notes = Vec::new();
    runaways(seen, &mut notes);
    ahead(seen, &mut notes);
    untold(seen, &mut notes);
    unseen(seen, &mut notes);
    notes
}

/// Jobs that run by the accounting and not by the controller: their end was lost.
fn runaways(seen: &mut Observation, notes: &mut Vec<String>) {
    let (Some(queue), Some(jobs)) = (&seen.queue, &mut seen.jobs) else { return };
    let known: BTreeSet<&str> = queue.iter().map(|job| job.id.as_str()).collect();
    let before = jobs.len();
    let latest = seen.at - BETWEEN;
    jobs.retain(|job| {
        let old = job.start.is_none_or(|start| start < latest);
        !(job.became == Became::Runs && old && !known.contains(job.id.as_str()))
    });
    let gone = before - jobs.len();
    if gone > 0 {
        notes.push(format!(
            "{gone} jobs run by sacct and not by squeue: their ends were lost, and they are left out (`sacctmgr show \
             runawayjobs` lists them)"
        ));
    }
}

/// Times after the moment of asking: clocks that differ.
fn ahead(seen: &mut Observation, notes: &mut Vec<String>) {
    let past = seen.jobs.iter().flatten().filter_map(|job| job.end.max(job.start));
    let Some(last) = past.max().filter(|last| *last > seen.at) else { return };
    let by = last.since(seen.at);
    if by > BETWEEN {
        notes.push(format!(
            "jobs started or ended up to {:.1} h after the time of asking: the times are of another zone, or a clock is \
             wrong; the latest of them is taken as that time",
            by.as_hours_f64()
        ));
    }
    seen.at = last;
}

/// Where no run of the accounting tells of accelerators, it is not told to keep them.
fn untold(seen: &mut Observation, notes: &mut Vec<String>) {
    let most: BTreeMap<String, u32> =
        super::per_node(seen).into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    let Some(jobs) = &mut seen.jobs else { return };
    let ran = jobs.iter().any(|job| job.start.is_some());
    if !ran || jobs.iter().any(|job| job.accelerators > 0) || most.values().all(|count| *count == 0) {
        return;
    }
    for job in jobs {
        let per_node = most.get(job.partition.as_str()).copied().unwrap_or(0);
        job.accelerators = per_node.saturating_mul(job.nodes);
    }
    notes.push(
        "sacct tells of no accelerators: every job is taken to hold all those of its nodes, which is an upper bound; \
         `AccountingStorageTRES=gres/gpu` in slurm.conf makes it tell"
            .to_owned(),
    );
}

/// Where nobody else's jobs are shown, sums are of one user only.
fn unseen(seen: &Observation, notes: &mut Vec<String>) {
    let Some(queue) = &seen.queue else { return };
    let runs = queue.iter().any(|job| job.state == QueueState::Runs);
    let busy = seen.nodes.iter().filter(|node| node.busy).count();
    if busy > 0 && !runs {
        notes.push(format!(
            "sinfo shows {busy} nodes at work and squeue shows no job there: `PrivateData` of slurm.conf may hide those of \
             others; an operator sees all"
        ));
    }
}
