//! The bodies of the HTTP interface, version 1: what a server answers and a client reads, and nothing of how.
//!
//! Units stand in the names of the keys; times are RFC 3339 in UTC with milliseconds. The body of a submission is
//! [`crate::job::JobBody`]. The schemas for an OpenAPI document come with the feature `openapi`.

mod dataset;
mod event;
mod file;
mod forecast;
mod job;
mod key;
mod limit;
mod plan;
mod problem;
mod site;
mod stamp;
#[cfg(test)]
mod tests;

pub use crate::job::FieldFault;
pub use dataset::{
    ContentView, CopyBody, CopyState, CopyView, DatasetDetail, DatasetList, DatasetView, ReadView,
    ReaderView, StageAnswer, StageBody, StagePlanView, TaskView,
};
#[cfg(feature = "openapi")]
pub use event::StreamEvent;
pub use event::{
    EVENT_END, EVENT_ERROR, EVENT_JOB, EVENT_LOG, EVENT_SITE, InputQuery, InputView, JobEvent, JobEventKind,
    LogPiece, LogQuery, LogStream, SiteEvent, SiteEventKind,
};
pub use file::{FileKind, FileList, FileView, FilesQuery};
pub use forecast::{AmountRange, ExplainView, ForecastView, TimeRange};
pub use job::{
    Accepted, AttemptView, IdleView, JobDetail, JobList, JobQuery, JobState, JobView, UnknownState,
};
pub use key::{ALL_PROJECTS, KeyBody, KeyList, KeyView, Role};
pub use limit::{LimitAnswer, LimitBody, LimitStep, LimitView, Obeyed};
pub use plan::{ChoiceView, CostView, ForbiddenView, PlaceView, PlanView, Starts};
pub use problem::{PROBLEM_JSON, Problem, meant};
pub use site::{PoolView, SiteAnswer, SiteList, SiteView};
pub use stamp::Stamp;
