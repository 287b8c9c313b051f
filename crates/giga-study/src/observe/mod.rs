//! What an observed cluster is, does and did: sums over what Slurm told, its energy by a model where nobody measured, the
//! description and the trace for the twin, and when what waits may start.
//!
//! Everything follows from one [`Observation`]. Sums are exact integers; what is an estimate is named so where it is shown.

mod energy;
mod past;
mod settle;
mod start;
#[cfg(test)]
mod tests;
mod trace;

use std::collections::BTreeMap;

use giga_formats::observe::{
    MachineFigures, NodeUse, Now, Observation, Oldest, PartitionFigures, QueueState,
};

pub use energy::energies;
pub use past::span;
pub use settle::settle;
pub use start::{ASSUMES, starts};
pub use trace::{Trace, outline, trace};

/// What the cluster is.
#[must_use]
pub fn machine(seen: &Observation) -> MachineFigures {
    let mut sums = MachineFigures::default();
    for node in &seen.nodes {
        if node.accelerators == 0 {
            sums.plain_nodes += 1;
            continue;
        }
        let (accelerators, out) = (u64::from(node.accelerators), node.usage == NodeUse::Out);
        sums.nodes += 1;
        sums.accelerators += accelerators;
        sums.nodes_out += u64::from(out);
        sums.accelerators_out += if out { accelerators } else { 0 };
        sums.nodes_draining += u64::from(node.usage == NodeUse::Draining);
        for name in &node.partitions {
            let same = |row: &&mut PartitionFigures| {
                row.name == *name && row.kind == node.kind && row.per_node == node.accelerators
            };
            let row = match sums.partitions.iter_mut().find(same) {
                Some(row) => row,
                None => {
                    sums.partitions.push(PartitionFigures {
                        name: name.clone(),
                        kind: node.kind.clone(),
                        per_node: node.accelerators,
                        nodes: 0,
                        accelerators: 0,
                        out: 0,
                    });
                    sums.partitions.last_mut().expect("a row was added")
                }
            };
            row.nodes += 1;
            row.accelerators += accelerators;
            row.out += if out { accelerators } else { 0 };
        }
    }
    sums
}

/// What the cluster does.
#[must_use]
pub fn now(seen: &Observation) -> Option<Now> {
    let mut sums = Now::default();
    for job in seen.queue.as_ref()?.iter().filter(|job| job.accelerators > 0) {
        let tasks = u64::from(job.tasks);
        let accelerators = tasks * u64::from(job.accelerators);
        match job.state {
            QueueState::Runs => {
                sums.running += tasks;
                sums.held += accelerators;
            }
            QueueState::HeldBack => sums.held_back += tasks,
            QueueState::Waits => {
                sums.waiting += tasks;
                sums.wanted += accelerators;
                let wait = job.submitted.map(|submitted| seen.at.since(submitted));
                if let Some(wait) =
                    wait.filter(|wait| sums.oldest.as_ref().is_none_or(|old| *wait > old.wait))
                {
                    let (id, reason) = (job.id.clone(), job.reason.clone());
                    sums.oldest = Some(Oldest { id, wait, accelerators: job.accelerators, reason });
                }
            }
        }
    }
    Some(sums)
}

/// Accelerators that are up: those of nodes that are not out.
fn up(seen: &Observation) -> u64 {
    let up = seen.nodes.iter().filter(|node| node.usage != NodeUse::Out);
    up.map(|node| u64::from(node.accelerators)).sum()
}

/// The most accelerators that a node of each partition has.
fn per_node(seen: &Observation) -> BTreeMap<&str, u32> {
    let mut most: BTreeMap<&str, u32> = BTreeMap::new();
    for node in &seen.nodes {
        for name in &node.partitions {
            let entry = most.entry(name).or_default();
            *entry = node.accelerators.max(*entry);
        }
    }
    most
}
