//! The machine: its processors, memory and accelerators, and how pools divide them.

use std::fs;
use std::io;

use giga_units::Bytes;
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use thiserror::Error;

use super::pool::LocalPool;
use crate::Carried;
use crate::attempt::Device;

/// What this machine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The processors that this process may use, by number.
    pub cpus: Vec<u32>,
    /// Main memory, or less where this process may use less.
    pub memory: Bytes,
    /// Its NVIDIA accelerators; none where there is no driver, or support for it was not built.
    pub devices: Vec<Device>,
}

/// Why the machine could not be looked at.
#[derive(Debug, Error)]
#[error("what this machine has can not be told from `{place}`; the local engine needs Linux with /proc")]
pub struct HostError {
    /// Where it was looked for.
    pub place: &'static str,
    /// What was in the way.
    #[source]
    pub source: io::Error,
}

impl Host {
    /// Looks at this machine.
    ///
    /// # Errors
    /// Fails where the kernel does not tell.
    pub fn here() -> Result<Self, HostError> {
        let fault = |place| move |source| HostError { place, source };
        let cpus = usable_cpus().map_err(fault("sched_getaffinity"))?;
        let memory = memory().map_err(fault("/proc/meminfo"))?;
        Ok(Self { cpus, memory, devices: crate::attempt::energy::devices() })
    }

    /// Divides this machine evenly among all accelerators of these pools, given as name, nodes and accelerators of a
    /// node. Where one accelerator's part is a whole processor or more, it gets processors of its own. Pools of
    /// several sites on one machine must be divided in one call.
    #[must_use]
    pub fn divide(&self, pools: &[(&str, u32, u32)]) -> Vec<LocalPool> {
        let count = |&(_, nodes, per_node): &(&str, u32, u32)| u64::from(nodes) * u64::from(per_node);
        let total = pools.iter().map(count).sum::<u64>().max(1);
        let cpus_thousandths = (self.cpus.len() as u64 * 1000 / total).max(1);
        let carried = Carried { cpus_thousandths, memory: self.memory.split(total) };
        let whole = usize::try_from(cpus_thousandths / 1000).unwrap_or(0);
        let mut cpus = self.cpus.as_slice();
        let divided = pools.iter().map(|pool| {
            let slots = usize::try_from(count(pool)).unwrap_or(usize::MAX);
            let (own, rest) = cpus.split_at(slots.saturating_mul(whole).min(cpus.len()));
            cpus = rest;
            LocalPool {
                name: pool.0.to_owned(),
                nodes: pool.1,
                accelerators_per_node: pool.2,
                carried,
                cpus: own.to_vec(),
                devices: Vec::new(),
            }
        });
        divided.collect()
    }
}

fn usable_cpus() -> io::Result<Vec<u32>> {
    let set = sched_getaffinity(Pid::from_raw(0))?;
    let usable = (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false));
    Ok(usable.filter_map(|cpu| u32::try_from(cpu).ok()).collect())
}

/// The machine's memory, or the bound of the control group where that is lower.
fn memory() -> io::Result<Bytes> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    let total = kilobytes.ok_or(io::ErrorKind::InvalidData)?.saturating_mul(1024);
    let bound =
        fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    Ok(Bytes::of(bound.map_or(total, |bound: u64| bound.min(total))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cpus: u32, pools: &[(&str, u32, u32)], thousandths: u64, own: &[&[u32]]) {
        let host = Host { cpus: (0..cpus).collect(), memory: Bytes::of(1_000), devices: Vec::new() };
        let divided = host.divide(pools);
        assert!(divided.iter().all(|pool| pool.carried.cpus_thousandths == thousandths), "{divided:?}");
        assert_eq!(divided.iter().map(|pool| pool.cpus.as_slice()).collect::<Vec<_>>(), own);
    }

    #[test]
    fn a_machine_is_divided_evenly() {
        check(8, &[("a", 1, 2), ("b", 2, 1)], 2_000, &[&[0, 1, 2, 3], &[4, 5, 6, 7]]);
        check(2, &[("a", 1, 2), ("b", 1, 2)], 500, &[&[], &[]]);
        check(1, &[("a", 100, 100)], 1, &[&[]]);
        check(4, &[], 4_000, &[]);
    }

    #[test]
    fn this_machine_can_be_told() {
        let host = Host::here().unwrap();
        assert!(!host.cpus.is_empty() && host.memory > Bytes::ZERO);
    }
}
