//! The Slurm of a site: whether it answers, whether its nodes are those described, and how well it keeps what it promises.

use std::path::Path;

use giga_engine::slurm::{NodeRecord, SlurmPool, Transport};
use giga_model::{Federation, Site};

use super::Check;
use super::site::name;
use crate::up::engines::{slurm_pools, transport};

pub(super) fn checks(federation: &Federation, site: &Site) -> Vec<Check> {
    let Some(access) = &site.slurm else { return Vec::new() };
    let reach = match transport(access) {
        Ok(reach) => reach,
        Err(error) => {
            let help = "name a file that the user of the server may read, and an address of this machine";
            return vec![Check::fail(name(site), format!("{error:#}"), help)];
        }
    };
    let jobs = match reach.queue() {
        Ok(jobs) => jobs,
        Err(fault) => {
            let help = "see that its controller is up and that `conf`, or `rest` with `jwt_key`, leads to it; as the user of \
                        the server, `squeue` has to work here";
            return vec![Check::fail(name(site), fault.to_string(), help)];
        }
    };
    let live = jobs.iter().filter(|job| job.state.is_live()).count();
    let mut checks = vec![Check::ok(name(site), format!("Slurm answers; {live} jobs of this user there"))];
    for pool in slurm_pools(federation, site, access) {
        checks.push(nodes(site, &pool, reach.as_ref()));
    }
    checks.extend(tracking(site, reach.as_ref()));
    checks.extend(access.folder.as_ref().map(|folder| shared(site, folder)));
    checks
}

fn nodes(site: &Site, pool: &SlurmPool, reach: &dyn Transport) -> Check {
    let label = format!("{} pool {}", name(site), pool.name);
    let mut nodes = match reach.nodes(&pool.partition) {
        Ok(nodes) => nodes,
        Err(fault) => {
            return Check::fail(label, fault.to_string(), "see that the partition is there: `sinfo`");
        }
    };
    nodes.retain(|node| pool.constraint.as_ref().is_none_or(|feature| node.features.contains(feature)));
    let poor = |node: &&NodeRecord| !pool.gres.is_empty() && node.accelerators < pool.accelerators_per_node;
    let (found, out) = (nodes.len(), nodes.iter().filter(|node| node.is_out()).count());
    let partition = &pool.partition;
    if found < pool.nodes as usize {
        let text = format!("partition `{partition}` has {found} of {} nodes", pool.nodes);
        let help = match found {
            0 => "see whether partition and `constraint` are named as `sinfo --format='%P %f'` has them",
            _ => "describe as many accelerators as there are, or lend more nodes",
        };
        return Check::fail(label, text, help);
    }
    if let Some(node) = nodes.iter().find(poor) {
        let (has, due) = (node.accelerators, pool.accelerators_per_node);
        let text = format!("node `{}` has {has} accelerators by Slurm, and {due} are described", node.name);
        return Check::fail(label, text, "mend `per_node`, or `Gres=gpu:…` of the node in slurm.conf");
    }
    if out > 0 {
        let help = "`sinfo --list-reasons` says why; nothing is placed on them until they are back";
        return Check::warn(label, format!("{found} nodes, of which {out} are down or drained"), help);
    }
    Check::ok(label, format!("{found} nodes in partition `{partition}`, none out"))
}

/// What is left of a job when its supervisor dies is Slurm's to end, and only control groups find all of it.
fn tracking(site: &Site, reach: &dyn Transport) -> Option<Check> {
    let label = format!("{} processes", name(site));
    match reach.configured("ProctrackType") {
        Ok(Some(kind)) if kind == "proctrack/cgroup" => {
            Some(Check::ok(label, "Slurm tracks them by control groups"))
        }
        Ok(Some(kind)) => {
            let help = "set `ProctrackType=proctrack/cgroup` in slurm.conf, so that nothing outlives a job";
            Some(Check::warn(label, format!("Slurm tracks them by {kind}, which some can escape"), help))
        }
        // Its REST service does not say.
        Ok(None) | Err(_) => None,
    }
}

fn shared(site: &Site, folder: &str) -> Check {
    let label = format!("{} folder", name(site));
    let probe = Path::new(folder).join(format!(".giga-doctor-{}", std::process::id()));
    let tried = std::fs::write(&probe, "").and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) => Check::ok(
            label,
            format!("`{folder}` can be written; see that the nodes see it under the same path"),
        ),
        Err(error) => {
            let help = "make it, on a file system that the nodes share, for the user of the server";
            Check::fail(label, format!("`{folder}`: {error}"), help)
        }
    }
}
