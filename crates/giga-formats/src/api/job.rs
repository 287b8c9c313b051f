//! Jobs as they are shown: what was accepted, one, many, and the attempts at one.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::stamp::Stamp;
use crate::job::JobBody;

/// The answer to `POST /v1/jobs`: the job is on record and will not be lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Accepted {
    /// Its number.
    pub id: u64,
    /// How many jobs an array became: this one and those with the numbers behind it. Nothing where it is one job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<u32>,
    /// What it is called.
    pub name: String,
    /// The site it is bound to, or nothing where it was refused.
    pub site: Option<String>,
    /// What became of it so far.
    pub state: JobState,
    /// Whether this key was used before, so that this is the answer of then and no second job.
    pub replayed: bool,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// It is in the line, for the first time or again.
    Waiting,
    /// It was given to a site whose own scheduler decides when it begins.
    Queued,
    /// It holds accelerators and runs.
    Running,
    /// It was told to stop and has not yet.
    Stopping,
    /// Its work is done.
    Completed,
    /// Its command failed, or could not be run.
    Failed,
    /// It was stopped at its limit.
    TimedOut,
    /// It was cancelled.
    Cancelled,
    /// No rule lets it run.
    Refused,
}

/// A word that is no state of a job.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{word}` is no state of a job; write one of {known}")]
pub struct UnknownState {
    /// The word.
    pub word: String,
    /// The states that there are.
    pub known: String,
}

impl JobState {
    /// All states, in the order of a job's life.
    pub const ALL: [Self; 9] = [
        Self::Waiting,
        Self::Queued,
        Self::Running,
        Self::Stopping,
        Self::Completed,
        Self::Failed,
        Self::TimedOut,
        Self::Cancelled,
        Self::Refused,
    ];

    /// The word for it, as it stands in bodies.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::TimedOut => "timed-out",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
        }
    }

    /// Whether nothing will happen to such a job any more.
    #[must_use]
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Waiting | Self::Queued | Self::Running | Self::Stopping)
    }

    /// The state of a word.
    ///
    /// # Errors
    /// Names the states that there are.
    pub fn parse(word: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.word() == word).ok_or_else(|| {
            let known = Self::ALL.map(|state| format!("`{}`", state.word())).join(", ");
            UnknownState { word: word.to_owned(), known }
        })
    }
}

impl std::fmt::Display for JobState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

/// One job in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobView {
    /// Its number.
    pub id: u64,
    /// What people call it.
    pub name: String,
    /// Who is charged.
    pub project: String,
    /// How far it is.
    pub state: JobState,
    /// The site it is bound to, or nothing where it was refused.
    pub site: Option<String>,
    /// The pool of its latest attempt, or nothing before the first.
    pub pool: Option<String>,
    /// Accelerators asked for; of the preferred way before its first attempt.
    pub accelerators: u32,
    /// How often it was started.
    pub attempts: u32,
    /// When it came.
    pub submitted: Stamp,
    /// When its latest attempt started.
    pub started: Option<Stamp>,
    /// When it ended for good.
    pub ended: Option<Stamp>,
    /// How its latest attempt ended in words, such as `exit code 3`, `signal 9` or `the command was not found`.
    pub exit: Option<String>,
    /// Energy so far in joule. An estimate where nothing meters it.
    pub energy_joule: i64,
    /// Cost so far in millionths of a euro.
    pub cost_microeuro: i64,
    /// Emissions so far in milligram of CO2 equivalent.
    pub carbon_milligram: i64,
    /// The name of the key with which it was submitted.
    pub by_token: String,
    /// That its accelerators do nothing, while it runs; nothing where they work, or nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<IdleView>,
}

/// That the accelerators of a job do nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdleView {
    /// Since when.
    pub since: Stamp,
    /// How many processors it kept busy meanwhile, in thousandths of one.
    pub cpus_thousandths: u64,
    /// Whether it works all the same: it may have found no accelerator and fallen back to the processors.
    pub on_cpu: bool,
}

/// The answer to `GET /v1/jobs/{id}`: one job with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobDetail {
    /// The job in short.
    pub job: JobView,
    /// What was submitted.
    pub spec: JobBody,
    /// The attempts at it, the first one first.
    pub attempts: Vec<AttemptView>,
}

/// One attempt at a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptView {
    /// Its number, from 1.
    pub attempt: u32,
    /// Where it ran.
    pub site: String,
    /// In which pool.
    pub pool: String,
    /// Accelerators that it held.
    pub accelerators: u32,
    /// When it started.
    pub started: Stamp,
    /// When it ended, or nothing while it runs.
    pub ended: Option<Stamp>,
    /// How it ended in words: `completed`, `exit code 3`, `interrupted: the node failed`.
    pub exit: Option<String>,
}

/// The answer to `GET /v1/jobs`, the latest job first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobList {
    /// The jobs of this page.
    pub jobs: Vec<JobView>,
    /// What to give as `before` for the next page, or nothing on the last.
    pub next: Option<u64>,
}

/// The query of `GET /v1/jobs`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct JobQuery {
    /// Only jobs in these states, with commas between: `waiting,running`. All unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// At most so many: 50 unless given, 1 where it is 0, 1,000 where it is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(format = "uint32", minimum = 0, maximum = 4294967295_u32))]
    pub limit: Option<u32>,
    /// Only jobs with a number below this one: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(minimum = 0, maximum = 9223372036854775807_i64))]
    pub before: Option<u64>,
}

impl JobQuery {
    /// The states asked for; empty for all.
    ///
    /// # Errors
    /// Names the word that is no state.
    pub fn states(&self) -> Result<Vec<JobState>, UnknownState> {
        let words = self.state.iter().flat_map(|words| words.split(',')).map(str::trim);
        words.filter(|word| !word.is_empty()).map(JobState::parse).collect()
    }
}
