//! The pools of a local engine: which accelerators an attempt gets, and what they carry.

use std::collections::{BTreeMap, BTreeSet};

use giga_formats::attempt::Handover;
use giga_model::{Launch, NodeUse};

use crate::Carried;

/// A pool of nodes that this machine stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPool {
    /// Its name in the description.
    pub name: String,
    /// How many nodes.
    pub nodes: u32,
    /// How many accelerators each has.
    pub accelerators_per_node: u32,
    /// What one accelerator brings with it.
    pub carried: Carried,
    /// The processors of its accelerators, by number: for each as many as it carries whole ones, first accelerator
    /// first. Empty where accelerators share processors.
    pub cpus: Vec<u32>,
    /// The ids of real devices, one for each accelerator, first node first. Empty where they are virtual.
    pub devices: Vec<String>,
}

/// Accelerators in use: by pool and node, which.
pub(super) type InUse = BTreeMap<(String, u32), BTreeSet<u32>>;

/// Adds what a launch has to what is in use.
pub(super) fn occupy(in_use: &mut InUse, handover: &Handover) {
    for (node, slots) in handover.launch.nodes.iter().zip(&handover.slots) {
        in_use.entry((node.pool.clone(), node.node)).or_default().extend(slots);
    }
}

/// Why these pools can never carry a launch, with the way out.
pub(super) fn fault(pools: &[LocalPool], launch: &Launch) -> Option<String> {
    let mut seen = BTreeSet::new();
    if launch.nodes.is_empty() {
        return Some("it names no node; give it at least one".to_owned());
    }
    launch.nodes.iter().find_map(|node| {
        let NodeUse { pool: name, node: number, accelerators } = node;
        let Some(pool) = pools.iter().find(|pool| &pool.name == name) else {
            return Some(format!("there is no pool `{name}` here; describe it and restart the server"));
        };
        if *number >= pool.nodes {
            return Some(format!("pool `{name}` has {} nodes and no node {number}", pool.nodes));
        }
        let most = pool.accelerators_per_node;
        if *accelerators == 0 || *accelerators > most {
            return Some(format!("{accelerators} accelerators on a node of `{name}`; ask for 1 to {most}"));
        }
        let first_time = seen.insert((name, number));
        (!first_time).then(|| format!("node {number} of pool `{name}` is named twice; name it once"))
    })
}

/// Chooses accelerators for a launch that has no [`fault`]: of each node the lowest that are free. `None` where too few
/// are free now.
pub(super) fn choose(pools: &[LocalPool], in_use: &InUse, launch: &Launch) -> Option<Handover> {
    let (mut slots, mut cpus, mut devices) = (Vec::new(), Vec::new(), Vec::new());
    let mut carried = Carried::default();
    for node in &launch.nodes {
        let pool = pools.iter().find(|pool| pool.name == node.pool)?;
        let taken = in_use.get(&(node.pool.clone(), node.node));
        let free =
            (0..pool.accelerators_per_node).filter(|slot| taken.is_none_or(|taken| !taken.contains(slot)));
        let chosen: Vec<u32> = free.take(node.accelerators as usize).collect();
        if chosen.len() < node.accelerators as usize {
            return None;
        }
        for &slot in &chosen {
            let place = node.node as usize * pool.accelerators_per_node as usize + slot as usize;
            let whole = usize::try_from(pool.carried.cpus_thousandths / 1000).unwrap_or(0);
            cpus.extend(pool.cpus.iter().skip(place.saturating_mul(whole)).take(whole));
            devices.extend(pool.devices.get(place).cloned());
        }
        carried.cpus_thousandths += pool.carried.cpus_thousandths * u64::from(node.accelerators);
        carried.memory += pool.carried.memory.times(node.accelerators.into());
        slots.push(chosen);
    }
    let Carried { cpus_thousandths, memory } = carried;
    Some(Handover { launch: launch.clone(), slots, cpus, cpus_thousandths, memory, devices })
}

#[cfg(test)]
mod tests {
    use super::*;
    use giga_model::{AttemptId, JobId};
    use giga_units::{Bytes, Duration};

    fn pools() -> Vec<LocalPool> {
        vec![LocalPool {
            name: "a".into(),
            nodes: 2,
            accelerators_per_node: 4,
            carried: Carried { cpus_thousandths: 2_000, memory: Bytes::of(10) },
            cpus: (0..16).collect(),
            devices: (0..8).map(|device| format!("GPU-{device}")).collect(),
        }]
    }

    fn launch(nodes: &[(&str, u32, u32)]) -> Launch {
        let node = |&(pool, node, accelerators): &(&str, u32, u32)| NodeUse {
            pool: pool.into(),
            node,
            accelerators,
        };
        Launch {
            attempt: AttemptId { job: JobId(1), number: 1 },
            nodes: nodes.iter().map(node).collect(),
            limit: Duration::hours(1),
            grace: Duration::seconds(1),
            command: vec!["true".into()],
            env: BTreeMap::new(),
            files: Vec::new(),
            workdir: None,
            container: None,
        }
    }

    #[track_caller]
    fn check(in_use: &mut InUse, nodes: &[(&str, u32, u32)], expected: Option<&[&[u32]]>) {
        let chosen = choose(&pools(), in_use, &launch(nodes));
        let slots =
            chosen.as_ref().map(|handover| handover.slots.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert_eq!(slots.as_deref(), expected);
        if let Some(handover) = chosen {
            occupy(in_use, &handover);
        }
    }

    #[test]
    fn the_lowest_free_are_chosen() {
        let mut in_use = InUse::new();
        check(&mut in_use, &[("a", 0, 2)], Some(&[&[0, 1]]));
        check(&mut in_use, &[("a", 0, 1), ("a", 1, 4)], Some(&[&[2], &[0, 1, 2, 3]]));
        check(&mut in_use, &[("a", 0, 2)], None);
        in_use.get_mut(&("a".into(), 0)).unwrap().remove(&0);
        check(&mut in_use, &[("a", 0, 2)], Some(&[&[0, 3]]));
    }

    #[test]
    fn accelerators_carry_their_parts() {
        let handover = choose(&pools(), &InUse::new(), &launch(&[("a", 1, 2)])).unwrap();
        assert_eq!(handover.cpus, [8, 9, 10, 11]);
        assert_eq!(handover.devices, ["GPU-4", "GPU-5"]);
        assert_eq!((handover.cpus_thousandths, handover.memory), (4_000, Bytes::of(20)));
    }

    #[test]
    fn what_never_fits_is_named() {
        let fault = |nodes: &[(&str, u32, u32)]| fault(&pools(), &launch(nodes)).unwrap_or_default();
        assert_eq!(fault(&[("a", 1, 4)]), "");
        assert!(fault(&[]).contains("no node"));
        assert!(fault(&[("b", 0, 1)]).contains("no pool `b`"));
        assert!(fault(&[("a", 2, 1)]).contains("no node 2"));
        assert!(fault(&[("a", 0, 5)]).contains("1 to 4"));
        assert!(fault(&[("a", 0, 1), ("a", 0, 1)]).contains("named twice"));
    }
}
