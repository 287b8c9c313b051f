//! What Slurm knows of a job, in one model for every way of asking.

use super::cell::gres;

/// A job as Slurm lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number. After a crash of the controller another job may get the same one.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub user: String,
    /// When it was submitted, in seconds since 1970.
    pub submitted: i64,
    /// Where it stands.
    pub state: JobState,
    /// Why it waits or ended, in Slurm's word; it may be empty.
    pub reason: String,
    /// The nodes that it has, as Slurm writes lists of them.
    pub nodes: String,
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// It waits.
    Waits,
    /// It has nodes, and processes of it may live.
    Lives,
    /// It ended by itself, and Slurm saw to it that nothing of it lives.
    Over,
    /// It is over by Slurm's word, which its nodes may not have heard: a node that does not answer is given up, and its jobs keep
    /// the word that they had.
    Unreached,
}

impl JobState {
    /// Reads Slurm's word, long as in `RUNNING` or with more behind it as in `CANCELLED by 0`.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word.split_whitespace().next().unwrap_or_default() {
            "PENDING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED" | "SPECIAL_EXIT" | "RESV_DEL_HOLD" => {
                Self::Waits
            }
            "BOOT_FAIL" | "COMPLETED" | "FAILED" | "OUT_OF_MEMORY" | "REVOKED" => Self::Over,
            "NODE_FAIL" | "CANCELLED" | "DEADLINE" | "PREEMPTED" | "TIMEOUT" => Self::Unreached,
            // `RUNNING`, `COMPLETING`, `CONFIGURING`, `SUSPENDED`, `STOPPED`, `STAGE_OUT` and whatever comes later.
            _ => Self::Lives,
        }
    }

    /// Whether it waits or may live.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Waits | Self::Lives)
    }
}

/// What is asked of Slurm for one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The name that tells it from all others.
    pub name: String,
    /// The batch script.
    pub script: String,
    /// Where what the script itself prints goes.
    pub log: String,
    /// Where the script begins.
    pub workdir: String,
    /// The variables it finds.
    pub env: Vec<(String, String)>,
    /// The partition.
    pub partition: String,
    /// Features that its nodes must have, if any.
    pub constraint: Option<String>,
    /// The account that is charged, if one must be named.
    pub account: Option<String>,
    /// The quality of service, if one must be named.
    pub qos: Option<String>,
    /// The reservation that is lent, if one is.
    pub reservation: Option<String>,
    /// How many nodes.
    pub nodes: u32,
    /// Which, by name.
    pub hosts: Vec<String>,
    /// Accelerators of each, as Slurm names them: `gpu:4`. Empty where they are not counted.
    pub gres: String,
    /// Processors of each.
    pub cpus: u32,
    /// Memory of each in MiB; zero where it is not counted.
    pub memory: u64,
    /// The longest it may run, in minutes.
    pub minutes: u64,
}

impl Record {
    /// Whether it waits for something that no time brings: it was held, or could not be launched.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        let words = ["held", "Held", "BadConstraints", "NeverSatisfied", "LaunchFail"];
        self.state == JobState::Waits && words.iter().any(|word| self.reason.contains(word))
    }

    /// Why a job waits or ended: what ended says its end as well.
    #[must_use]
    pub fn why(state: &str, reason: &str) -> String {
        match (JobState::parse(state), reason) {
            (JobState::Over | JobState::Unreached, "" | "None") => state.to_owned(),
            (JobState::Over | JobState::Unreached, reason) => format!("{state}, {reason}"),
            (_, reason) => reason.to_owned(),
        }
    }
}

/// A node as Slurm describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecord {
    /// Its name.
    pub name: String,
    /// Its processors.
    pub cpus: u32,
    /// Its memory in MiB.
    pub memory: u64,
    /// Its accelerators.
    pub accelerators: u32,
    /// Slurm's word for how it is: `idle`, `drain*`.
    pub state: String,
    /// Its features.
    pub features: Vec<String>,
}

/// Whether work can run on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeUse {
    /// It can.
    Up,
    /// What runs there goes on, and nothing new comes.
    Draining,
    /// Nothing runs there: down, drained, failed, in maintenance.
    Out,
}

impl NodeUse {
    /// Reads Slurm's word, long as in `draining@` or short as in `drng`; the sign behind it says more of a node that is up or out.
    #[must_use]
    pub fn parse(state: &str) -> Self {
        let word = state.to_ascii_lowercase();
        let begins = |words: &[&str]| words.iter().any(|begin| word.starts_with(begin));
        if begins(&["draining", "drng", "failing", "failg"]) {
            Self::Draining
        } else if begins(&[
            "down",
            "drain",
            "fail",
            "maint",
            "unk",
            "err",
            "inval",
            "future",
            "futr",
            "boot_fail",
        ]) {
            Self::Out
        } else {
            Self::Up
        }
    }
}

impl NodeRecord {
    /// Whether nothing can run on it, as far as Slurm knows. One that is being drained still runs what it has, and of one that a
    /// controller has not heard of yet since it came up nothing is known.
    #[must_use]
    pub fn is_out(&self) -> bool {
        NodeUse::parse(&self.state) == NodeUse::Out && !self.state.to_ascii_lowercase().starts_with("unk")
    }
}

/// The accelerators of `gpu:h200:8(S:0-1),shard:4`; none where that can not be read.
pub(crate) fn accelerators(list: &str) -> u32 {
    gres(list).map_or(0, |counted| counted.accelerators)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_slurm_are_understood() {
        let check = |word, expected| assert_eq!(JobState::parse(word), expected, "{word}");
        check("PENDING", JobState::Waits);
        check("RUNNING", JobState::Lives);
        check("COMPLETING", JobState::Lives);
        check("COMPLETED", JobState::Over);
        check("CANCELLED by 1000", JobState::Unreached);
        check("CANCELLED", JobState::Unreached);
        check("NODE_FAIL", JobState::Unreached);
        // What is not known may live.
        check("QUANTUM", JobState::Lives);
        check("", JobState::Lives);
    }

    #[test]
    fn nodes_that_are_out_are_told() {
        let check = |state: &str, expected| {
            let (name, features) = ("a".to_owned(), Vec::new());
            let node =
                NodeRecord { name, cpus: 1, memory: 1, accelerators: 1, state: state.into(), features };
            assert_eq!(node.is_out(), expected, "{state}");
        };
        for state in ["idle", "mix", "alloc", "drng", "draining", "idle*", "resv", "MIXED", "comp", "unk*"] {
            check(state, false);
        }
        for state in ["down", "down*", "drain", "drained", "fail", "maint", "DRAINED", "inval", "futr"] {
            check(state, true);
        }
    }

    #[test]
    fn accelerators_of_a_node_are_counted() {
        let check = |gres, expected| assert_eq!(accelerators(gres), expected, "{gres}");
        check("gpu:4", 4);
        check("gpu:h200:8(S:0-1)", 8);
        check("gpu:a:2,gpu:b:1,shard:64", 3);
        check("(null)", 0);
        check("", 0);
    }
}
