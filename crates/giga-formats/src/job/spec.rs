//! A job after it was checked, and back to what would be written for it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use giga_model::{Assurance, Leaving, Predecessor, SentFile};
use giga_units::{Amount as _, Bytes, Duration, Instant};

use super::body::{AcceleratorsBody, JobBody, ResourcesBody, RunBody};
use super::sent;

/// A job whose every value is inside its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSpec {
    /// What people call it: 1 to 64 letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// Who is charged, or `None` for the only project that a token allows.
    pub project: Option<String>,
    /// The program and its arguments; never empty. A script has become `/bin/sh -e -c SCRIPT`.
    pub command: Vec<String>,
    /// Variables of its environment; none begins with `GIGA_`.
    pub env: BTreeMap<String, String>,
    /// Files that lie in its folder when it begins; none where `workdir` is given.
    pub files: Vec<SentFile>,
    /// An absolute folder, or `None` for one of the job's own.
    pub workdir: Option<PathBuf>,
    /// The image of its container: an absolute path or a reference; `None` to run as any other program.
    pub container: Option<String>,
    /// The longest it may run, from one second to one year.
    pub limit: Duration,
    /// How often it saves its progress, or `None` where an interruption loses all of it.
    pub checkpoint: Option<Duration>,
    /// The datasets it reads, by name; at most 100.
    pub data: Vec<String>,
    /// What leaves the site of that.
    pub leaving: Leaving,
    /// The least assurance of a site that runs it, or `None` for any.
    pub assurance: Option<Assurance>,
    /// When it has to be done, or `None` for as soon as can be.
    pub deadline: Option<Deadline>,
    /// The jobs it comes after; at most 1,000.
    pub after: Vec<Predecessor>,
    /// The array that it is, or is a task of.
    pub array: Option<ArraySpec>,
    /// The ways in which it can run, the preferred one first; 1 to 16.
    pub asks: Vec<AskSpec>,
    /// Processor cores in all, or `None` for its part of the nodes.
    pub cpus: Option<u32>,
    /// Main memory in all, or `None` for its part of the nodes.
    pub memory: Option<Bytes>,
}

/// An array of jobs, or one of its tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArraySpec {
    /// How many tasks it has; 1 to 1,000.
    pub count: u32,
    /// Which of them this is, from 0 on; `None` for all.
    pub index: Option<u32>,
}

/// When a job has to be done, as its user says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// At a date.
    At(Instant),
    /// So long after its submission.
    After(Duration),
}

impl Deadline {
    /// The date, for a job that is submitted at `now`.
    #[must_use]
    pub fn at(self, now: Instant) -> Instant {
        match self {
            Self::At(at) => at,
            Self::After(time) => now + time,
        }
    }
}

impl std::fmt::Display for Deadline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(at) => write!(f, "{at}"),
            Self::After(time) => f.write_str(&time.written()),
        }
    }
}

/// One way in which a job can run, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskSpec {
    /// The kind, or `None` for any.
    pub accelerator: Option<String>,
    /// How many at the same time; at least one.
    pub accelerators: u32,
    /// How few will do where the job is elastic: only where this is its one way to run.
    pub least: Option<u32>,
}

/// What stands before a script in a command. `-e`: a script that goes on after a failure and ends well would report
/// work as done that is not.
pub(super) const SHELL: [&str; 3] = ["/bin/sh", "-e", "-c"];

impl JobSpec {
    /// What would be written for this job. It checks to an equal one.
    #[must_use]
    pub fn body(&self) -> JobBody {
        JobBody {
            name: Some(self.name.clone()),
            project: self.project.clone(),
            run: self.run(),
            workdir: self.workdir.as_ref().map(|folder| folder.display().to_string()),
            container: self.container.clone(),
            limit: Some(self.limit.written()),
            checkpoint: self.checkpoint.map(Duration::written),
            data: self.data.clone(),
            leaving: Some(self.leaving)
                .filter(|leaving| *leaving > Leaving::Nothing)
                .map(|l| l.word().to_owned()),
            assurance: self.assurance.map(|level| i64::from(level.get())),
            deadline: self.deadline.map(|deadline| deadline.to_string()),
            after: self.predecessors(false),
            after_any: self.predecessors(true),
            array: self.array.map(|array| i64::from(array.count)),
            index: self.array.and_then(|array| array.index).map(i64::from),
            env: self.env.clone(),
            files: sent::written(&self.files),
            resources: ResourcesBody {
                accelerators: Some(self.accelerators()),
                cpus: self.cpus.map(i64::from),
                memory: self.memory.map(Bytes::written),
            },
        }
    }

    fn predecessors(&self, any: bool) -> Vec<i64> {
        let these = self.after.iter().filter(|before| before.any == any);
        these.map(|before| i64::try_from(before.job.0).unwrap_or(i64::MAX)).collect()
    }

    /// How many tasks the array has that this is; `None` where it is one job.
    #[must_use]
    pub fn array_of(&self) -> Option<u32> {
        self.array.filter(|array| array.index.is_none()).map(|array| array.count)
    }

    /// How many jobs this is.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.array_of().unwrap_or(1)
    }

    /// The job at a place: a task of an array with its number behind its name, or itself.
    #[must_use]
    pub fn task(&self, index: u32) -> Self {
        let Some(ArraySpec { count, index: None }) = self.array else { return self.clone() };
        let name = format!("{}-{index}", self.name);
        Self { name, array: Some(ArraySpec { count, index: Some(index) }), ..self.clone() }
    }

    /// The jobs that this is, in their order.
    pub fn tasks(&self) -> impl Iterator<Item = Self> + '_ {
        (0..self.count()).map(|index| self.task(index))
    }

    fn run(&self) -> RunBody {
        match self.command.as_slice() {
            [shell @ .., script] if shell == SHELL => RunBody::Script(script.clone()),
            command => RunBody::Command(command.to_vec()),
        }
    }

    fn accelerators(&self) -> AcceleratorsBody {
        match self.asks.as_slice() {
            [AskSpec { accelerator: None, accelerators, least: None }] => {
                AcceleratorsBody::Count(i64::from(*accelerators))
            }
            [only] => AcceleratorsBody::One(only.to_string()),
            several => AcceleratorsBody::AnyOf(several.iter().map(ToString::to_string).collect()),
        }
    }
}

impl std::fmt::Display for AskSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(name) = &self.accelerator {
            write!(f, "{name}:")?;
        }
        if let Some(least) = self.least {
            write!(f, "{least}-")?;
        }
        write!(f, "{}", self.accelerators)
    }
}
