//! The glossary as types: what a federation is made of, and what work asks of it.
//!
//! These are values without behaviour of their own beyond small sums. Names become typed indices when a description
//! is read, so that a reference can not point nowhere. [`Federation::flaws`] names what contradicts itself.
//! This crate never reads files, never decides anything, and knows no scheduler.

mod attempt;
mod dataset;
mod engine;
mod federation;
mod flaw;
mod ids;
pub mod image;
mod job_map;
mod overhead;
pub mod sample;
mod series;
mod weather;
mod work;
mod workload;

pub use attempt::{
    AttemptId, AttemptIdError, Container, End, Idling, Launch, Measured, NodeUse, Receipt, SentFile,
};
pub use dataset::{Assurance, DataPolicy, Dataset, Forbidding, Leaving, Network, Wan};
pub use engine::{ContainerRuntime, EngineKind, SlurmAccess, SlurmMode};
pub use federation::{
    Accelerator, Country, Failures, Federation, Flexibility, GridLimit, Maintenance, Owner, Phase, Policy,
    Pool, Preempt, Programme, Project, Sharing, Site,
};
pub use flaw::Flaw;
pub use ids::{AcceleratorId, DatasetId, JobId, OwnerId, PhaseId, PoolId, ProgrammeId, ProjectId, SiteId};
pub use job_map::JobMap;
pub use overhead::{Overhead, Overheads};
pub use series::Series;
pub use weather::Weather;
pub use work::{Arrival, Ask, Asks, ELASTIC_SINCE, JobRequest, Predecessor, Terms, after};
pub use workload::{Arrivals, Checkpoint, DailyCurve, JobClass, Length, Size, Workload};
