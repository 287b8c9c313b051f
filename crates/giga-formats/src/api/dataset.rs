//! Datasets: where data lies, what may be done with it, who read it, and what is done to bring it elsewhere.

use serde::{Deserialize, Serialize};

use super::stamp::Stamp;

/// The body of `POST /v1/datasets/{dataset}/copies`: look through what lies at a site.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CopyBody {
    /// At which site; may be left out where the description names one place only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// In which folder, from the root on; without it in the folder of the dataset in the site's data area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// The body of `POST /v1/datasets/{dataset}/stage` and of its plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StageBody {
    /// To which site.
    pub to: String,
}

/// How a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CopyState {
    /// The description says that it lies there; nobody looked.
    Declared,
    /// Every byte was as registered when it was looked through last.
    Verified,
    /// Its folder is not there.
    Missing,
    /// It was not as registered when it was looked through last.
    Differs,
}

impl CopyState {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Verified => "verified",
            Self::Missing => "missing",
            Self::Differs => "differs",
        }
    }
}

/// A copy at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CopyView {
    /// The site.
    pub site: String,
    /// How it is.
    pub state: CopyState,
    /// When it was looked through last.
    pub checked: Option<Stamp>,
    /// Its folder, where this server sees it; for operators only.
    pub path: Option<String>,
    /// What was found, where it differs.
    pub said: Option<String>,
}

/// What is registered as the content of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContentView {
    /// Its checksum: the SHA-256 of its manifest, in hexadecimal digits.
    pub sha256: String,
    /// How many files.
    pub files: u64,
    /// How many bytes.
    pub bytes: u64,
    /// The name of the key that registered it.
    pub by_token: String,
    /// When.
    pub at: Stamp,
}

/// Whether a site may read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReaderView {
    /// The site.
    pub site: String,
    /// Its country, by ISO 3166-1.
    pub country: String,
    /// The part of the policy that forbids it, or nothing where it may.
    pub forbidden_by: Option<String>,
    /// The same in words.
    pub text: Option<String>,
}

/// What a project read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadView {
    /// The project.
    pub project: String,
    /// Where.
    pub site: String,
    /// What its jobs said would leave the site of it.
    pub leaving: String,
    /// How many attempts were started that could read it.
    pub attempts: u64,
    /// What they held.
    pub accelerator_milliseconds: i64,
}

/// Something that is done with a dataset at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskView {
    /// Its number.
    pub task: u64,
    /// What: `add` or `stage`.
    pub kind: String,
    /// With which dataset.
    pub dataset: String,
    /// At which site.
    pub site: String,
    /// From which site it is copied.
    pub source: Option<String>,
    /// The key that asked for it, or the job.
    pub by_token: String,
    /// When.
    pub asked: Stamp,
    /// When it was over.
    pub ended: Option<Stamp>,
    /// How far it is: `open`, `done` or `failed`.
    pub state: String,
    /// How many bytes it is about.
    pub bytes: u64,
    /// How many of them were moved or looked through so far.
    pub bytes_done: u64,
    /// How long it was to take by the network of the description.
    pub planned_ms: Option<i64>,
    /// What it costs by that, in millionths of a euro.
    pub cost_microeuro: i64,
    /// What came of it, in words.
    pub said: Option<String>,
}

/// One dataset in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatasetView {
    /// What people call it.
    pub name: String,
    /// Who controls it.
    pub holder: String,
    /// How large it is by the description, in bytes.
    pub size_bytes: u64,
    /// What is registered, or nothing where only the description tells of it.
    pub content: Option<ContentView>,
    /// Where it lies.
    pub copies: Vec<CopyView>,
    /// What may be done with it, a sentence each.
    pub policy: Vec<String>,
}

/// The answer to `GET /v1/datasets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatasetList {
    /// In the order of the description.
    pub datasets: Vec<DatasetView>,
}

/// The answer to `GET /v1/datasets/{dataset}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatasetDetail {
    /// The dataset.
    pub dataset: DatasetView,
    /// The variable in which a job finds where it lies.
    pub variable: String,
    /// Every site, and whether it may read it.
    pub readers: Vec<ReaderView>,
    /// Who read it; for users what their projects read.
    pub reads: Vec<ReadView>,
    /// What was done with it lately, the latest first; for operators only.
    pub tasks: Vec<TaskView>,
}

/// What a staging would do, or does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StagePlanView {
    /// Which dataset.
    pub dataset: String,
    /// From where.
    pub source: String,
    /// To where.
    pub site: String,
    /// Whether it is there already, so that nothing is moved.
    pub there: bool,
    /// How many files.
    pub files: u64,
    /// How many bytes are moved.
    pub bytes: u64,
    /// How fast, by the network of the description.
    pub bits_per_second: u64,
    /// How long that takes.
    pub time_ms: i64,
    /// What it costs, in millionths of a euro.
    pub cost_microeuro: i64,
}

/// The answer to `POST /v1/datasets/{dataset}/stage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StageAnswer {
    /// What it does.
    pub plan: StagePlanView,
    /// The task that does it, or nothing where it is there.
    pub task: Option<TaskView>,
}
