//! An attempt as those who carry it out know it: what is handed over, and what comes back.
//!
//! These are values only. Nothing here starts a process, reads a clock, or decides whether there is another try.

use std::collections::BTreeMap;
use std::path::PathBuf;

use giga_units::{Bytes, Duration, Energy, Fraction, Instant};
use thiserror::Error;

use crate::{ContainerRuntime, JobId};

/// One try at a job; written `giga-17-1`. Tries are counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId {
    /// The job.
    pub job: JobId,
    /// Which try at it.
    pub number: u32,
}

impl std::fmt::Display for AttemptId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "giga-{}-{}", self.job, self.number)
    }
}

/// A text that names no attempt.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` names no attempt; one is written like `giga-17-1`")]
pub struct AttemptIdError {
    /// What stands there.
    pub text: String,
}

impl std::str::FromStr for AttemptId {
    type Err = AttemptIdError;

    /// Reads what [`Display`](std::fmt::Display) writes, and nothing else: two texts never name one attempt.
    fn from_str(text: &str) -> Result<Self, AttemptIdError> {
        let parsed = || {
            let (job, number) = text.strip_prefix("giga-")?.split_once('-')?;
            Some(Self { job: JobId(job.parse().ok()?), number: number.parse().ok()? })
        };
        let id = parsed().filter(|id| id.to_string() == text);
        id.ok_or_else(|| AttemptIdError { text: text.to_owned() })
    }
}

/// Accelerators that an attempt has on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeUse {
    /// The pool, by name.
    pub pool: String,
    /// The node, counted within its pool from zero.
    pub node: u32,
    /// How many of its accelerators.
    pub accelerators: u32,
}

/// All that an engine needs to carry out an attempt; it leaves no choice but which accelerators of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// Which attempt.
    pub attempt: AttemptId,
    /// Where, never empty.
    pub nodes: Vec<NodeUse>,
    /// The longest it may run; it is stopped then.
    pub limit: Duration,
    /// From the request to stop until it is killed.
    pub grace: Duration,
    /// The program and its arguments, never empty.
    pub command: Vec<String>,
    /// The variables of the job, beside those that the engine sets.
    pub env: BTreeMap<String, String>,
    /// Files that lie in that folder of the job's own when it begins, unless something lies there already.
    pub files: Vec<SentFile>,
    /// Where it runs; `None` is a folder of the job's own that is kept over attempts.
    pub workdir: Option<PathBuf>,
    /// What it runs in, or `None` where it runs as any other program.
    pub container: Option<Container>,
}

/// A file that a job brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentFile {
    /// Where it lies in the folder of the job: relative, and of plain names only.
    pub path: PathBuf,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Whether it can be run as a program.
    pub executable: bool,
}

/// What a program runs in, beside its working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// What runs it.
    pub runtime: ContainerRuntime,
    /// An absolute path, or a reference such as `docker://debian:12`.
    pub image: String,
    /// Folders that are there inside under the same paths, to be read only.
    pub reads: Vec<PathBuf>,
}

/// How an attempt ended, as the one who watched it saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It ended by itself.
    Exited {
        /// Its exit code; zero is success.
        code: i32,
    },
    /// A signal ended it that no one here sent.
    Signalled {
        /// The number of the signal.
        signal: i32,
    },
    /// It reached its limit and was stopped.
    TimedOut,
    /// It was stopped because someone asked.
    Stopped,
    /// Its program never ran and never will under this attempt.
    NotStarted {
        /// Why, for a person.
        cause: String,
    },
}

/// A measured or estimated energy. Value, method and uncertainty are never apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// The value.
    pub energy: Energy,
    /// How it was found, such as `nvml counter`.
    pub method: String,
    /// How far it may be off in either direction, as a part of the value.
    pub uncertainty: Fraction,
}

/// That the accelerators of an attempt do nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Idling {
    /// Since when.
    pub since: Instant,
    /// How many processors its program kept busy meanwhile, in thousandths of one.
    pub cpus_thousandths: u64,
}

impl Idling {
    /// Half a processor: an assumption, far above what a program takes that waits.
    const WORKS: u64 = 500;

    /// Whether the program works all the same, as one does that found no accelerator and fell back to the processors.
    #[must_use]
    pub const fn is_on_cpu(&self) -> bool {
        Self::is_work(self.cpus_thousandths)
    }

    /// Whether so many processors, in thousandths of one, are work and no waiting.
    #[must_use]
    pub const fn is_work(cpus_thousandths: u64) -> bool {
        cpus_thousandths >= Self::WORKS
    }
}

/// What is left of an attempt: its end and what it used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Which attempt.
    pub attempt: AttemptId,
    /// The nonce of the claim under which it ran.
    pub nonce: String,
    /// When its program began, or was to begin.
    pub started: Instant,
    /// When nothing of it was left.
    pub ended: Instant,
    /// How it ended.
    pub end: End,
    /// The host that watched it.
    pub host: String,
    /// Processor time of all its processes.
    pub cpu_time: Duration,
    /// The most memory that one of its processes had, where known.
    pub memory_peak: Option<Bytes>,
    /// The energy of its accelerators, where it was measured.
    pub energy: Option<Measured>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(u64, u32)>) {
        let read = text.parse::<AttemptId>().ok();
        assert_eq!(read.map(|id| (id.job.0, id.number)), expected, "{text}");
        if let Some(id) = read {
            assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn attempts_are_read_as_they_are_written() {
        check("giga-17-1", Some((17, 1)));
        check("giga-0-4294967295", Some((0, u32::MAX)));
        for text in ["", "giga", "giga-17", "giga-17-", "giga-+17-1", "giga-017-1", "giga-17-1-", "17-1"] {
            check(text, None);
        }
    }
}
