//! A job as it is written: the keys of a job file and of the body of a submission.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sent::FileBody;

/// What a job file says and what is sent to submit it. Nothing in it is checked yet but its form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JobBody {
    /// What people call it; without one the first word of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who is charged; may be left out where the token allows one project only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// What to run: a script for `/bin/sh`, or a command with its arguments as a list.
    pub run: RunBody,
    /// An absolute folder to run in; without one a folder of the job's own, kept over its attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
    /// The image of a container to run in: an absolute path at the site, or a reference such as `docker://debian:12` where the
    /// runtime of the site takes one. It runs only where a site has such a runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The longest it may run, such as `2 h`; it is stopped then. One hour unless given (an assumption).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// How often it saves its progress, such as `30 min`; without it an interruption loses all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// The datasets it reads, by name; it runs where all their policies allow it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<String>,
    /// What of that data, or of what is made of it, leaves the site: `nothing` unless given, `aggregated`, `derived` or
    /// `everything`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<String>,
    /// The least assurance level of a site that runs it, 1 to 4; any unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assurance: Option<i64>,
    /// When it has to be done: a date such as `2027-03-01T08:00Z`, or a time from its submission such as `12 h`. Until then it
    /// may wait for cheap and clean hours; without it it starts as soon as it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// The numbers of jobs that have to be completed before it starts. Where one of them ends otherwise, it is cancelled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<i64>,
    /// The numbers of jobs that have to be over before it starts, however they ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_any: Vec<i64>,
    /// How many tasks it has, 1 to 1,000: as many jobs, which differ by `GIGA_ARRAY_INDEX` in their environment, from 0 on. One job
    /// without an index unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<i64>,
    /// Only this task of the array; all of them unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<i64>,
    /// Variables of its environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Files that lie in its folder when it begins, by their paths there; 512 KiB together at most. What a job has made of them stays.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, FileBody>,
    /// What it needs.
    #[serde(default)]
    pub resources: ResourcesBody,
}

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged, expecting = "`run` takes a script as a text, or a command as a list of texts")]
pub enum RunBody {
    /// A script for `/bin/sh`, which stops at the first command that fails.
    Script(String),
    /// A program and its arguments, run as they are, without a shell.
    Command(Vec<String>),
}

/// What a job needs while it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResourcesBody {
    /// Accelerators: a number of any kind, `"H200-HGX:8"`, or a list of such texts, the preferred first. One unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerators: Option<AcceleratorsBody>,
    /// Processor cores in all; without it the job's part of its nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<i64>,
    /// Main memory in all, such as `4 GiB`; without it the job's part of its nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
}

/// Which accelerators a job can run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(
    untagged,
    expecting = "`accelerators` takes a whole number, a text such as \"H200-HGX:8\", or a list of such texts"
)]
pub enum AcceleratorsBody {
    /// So many of any kind.
    Count(i64),
    /// So many of one kind: `H200-HGX:8`.
    One(String),
    /// Any of these, the preferred one first.
    AnyOf(Vec<String>),
}
