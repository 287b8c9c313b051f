//! The jobs that are waiting or running, and nothing of those that ended.

use std::sync::Arc;

use giga_model::{Asks, JobId, JobRequest, ProjectId, SiteId, image};
use giga_units::{Duration, Fraction, Instant};

use crate::event::Piece;
use crate::plan::Need;

/// A job that waits or runs. At most 256 bytes; command, environment and files stay with the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// Who is charged.
    pub project: ProjectId,
    /// Where it is bound to.
    pub site: SiteId,
    pub(crate) shape: ShapeId,
    /// When it came.
    pub submitted: Instant,
    /// What is left of its time limit.
    pub limit: Duration,
    /// How often it saves its progress.
    pub checkpoint: Option<Duration>,
    /// What it draws of what its accelerators could draw above idle.
    pub draw: Fraction,
    /// How often it was started.
    pub attempts: u32,
    /// How often an attempt died and left no result.
    pub losses: u32,
    /// Whether it waits or runs.
    pub status: Status,
}

/// Whether a job waits or runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It waits for its next attempt.
    Waiting,
    /// An attempt runs.
    Running(Run),
}

/// A running attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// When it started.
    pub started: Instant,
    /// When it gives its nodes back at the latest.
    pub release: Instant,
    /// In which of its ways it runs.
    pub need: Need,
    /// On which nodes.
    pub pieces: Arc<[Piece]>,
    /// Whether it was told to stop.
    pub stopping: bool,
}

impl Job {
    /// A job as it comes to a site: it waits for its first attempt.
    pub(crate) fn new(id: JobId, site: SiteId, shape: ShapeId, request: &JobRequest, now: Instant) -> Self {
        Self {
            id,
            project: request.project,
            site,
            shape,
            submitted: now,
            limit: request.limit,
            checkpoint: request.checkpoint,
            draw: request.draw,
            attempts: 0,
            losses: 0,
            status: Status::Waiting,
        }
    }

    /// The running attempt, if one runs.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        match &self.status {
            Status::Waiting => None,
            Status::Running(run) => Some(run),
        }
    }
}

/// A distinct set of asks at a site, with the ways in which it can be met there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) asks: Asks,
    pub(crate) needs: Box<[Need]>,
}

/// A shape, by its place in the table of shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ShapeId(pub(crate) u32);

image! { struct Run { started, release, need, pieces, stopping } }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_small() {
        assert!(size_of::<Job>() <= 256, "{} bytes", size_of::<Job>());
    }
}
