//! The jobs that are waiting or running, and nothing of those that ended.

use std::sync::Arc;

use giga_model::{
    Asks, JobId, JobRequest, OwnerId, Predecessor, ProgrammeId, ProjectId, SiteId, Terms, image,
};
use giga_units::{Duration, Fraction, Instant};

use crate::apply::amount_of;
use crate::event::{Interruption, Pace, Piece};
use crate::plan::{Need, Plan};

/// A job that waits or runs. At most 256 bytes; command, environment and files stay with the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// Who is charged.
    pub project: ProjectId,
    /// On whose share.
    pub owner: OwnerId,
    /// By which door it came.
    pub programme: ProgrammeId,
    /// Whether it may be told to leave its nodes.
    pub preemptible: bool,
    /// How often it was moved while it waited.
    pub(crate) moves: u8,
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
    /// What it asks of the place and the time.
    pub terms: Option<Arc<Terms>>,
    /// Until when it is kept back while it waits.
    pub deferred: Option<Instant>,
    /// Whether a job that it comes after still lives.
    pub awaits: bool,
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

/// That an attempt was told to save itself and leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaving {
    /// Why.
    pub cause: Interruption,
    /// When it was told.
    pub told: Instant,
    /// Until when it may take.
    pub by: Instant,
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
    /// Whether it was handed over to a site that decides itself when it begins, and has not yet.
    pub queued: bool,
    /// Whether it was told to stop.
    pub stopping: bool,
    /// Whether it was told to save itself and leave.
    pub leaving: Option<Leaving>,
    /// How fast it goes.
    pub pace: Pace,
    /// Since when it goes so.
    pub(crate) since: Instant,
    /// Its work before that, with the accelerators that it holds.
    pub(crate) done: Duration,
}

impl Run {
    /// An attempt that begins, or is handed over to a site that decides when it does.
    pub(crate) fn new(
        now: Instant,
        release: Instant,
        need: Need,
        pieces: Arc<[Piece]>,
        queued: bool,
    ) -> Self {
        let (stopping, leaving, pace, done) = (false, None, Pace::Full, Duration::ZERO);
        Self { started: now, release, need, pieces, queued, stopping, leaving, pace, since: now, done }
    }

    /// Since when it goes at its pace.
    #[must_use]
    pub fn since(&self) -> Instant {
        self.since
    }

    /// How long its work would have taken so far at full pace, with the accelerators that it holds.
    #[must_use]
    pub fn worked(&self, now: Instant) -> Duration {
        if self.queued {
            return Duration::ZERO;
        }
        self.done + self.pace.work(now.since(self.since))
    }

    /// How far its work has come: as long as it would have taken at full pace and full size.
    #[must_use]
    pub fn progress(&self, now: Instant) -> Duration {
        self.need.work(self.worked(now))
    }

    /// How long the rest of some work takes at full pace, with the accelerators that it holds.
    #[must_use]
    pub fn rest(&self, work: Duration, now: Instant) -> Duration {
        self.need.time(work).saturating_sub(self.worked(now))
    }

    /// What it may draw above idle at its pace.
    #[must_use]
    pub fn ceiling(&self) -> giga_units::Power {
        self.pace.power(self.need.power)
    }
}

impl Job {
    /// A job as it comes to a site: it waits for its first attempt.
    pub(crate) fn new(
        plan: &Plan,
        id: JobId,
        (site, shape): (SiteId, ShapeId),
        request: &JobRequest,
        now: Instant,
    ) -> Self {
        let project = &plan.projects[request.project.index()];
        Self {
            id,
            project: request.project,
            owner: project.owner,
            programme: project.programme,
            preemptible: plan.may_leave(request),
            moves: 0,
            site,
            shape,
            submitted: now,
            limit: request.limit,
            checkpoint: request.checkpoint,
            draw: request.draw,
            terms: request.terms.clone(),
            deferred: None,
            awaits: false,
            attempts: 0,
            losses: 0,
            status: Status::Waiting,
        }
    }

    /// What an attempt in one of its ways holds while it runs, up to the whole limit, in accelerator-milliseconds.
    pub(crate) fn hold(&self, need: &Need) -> u128 {
        amount_of(need.held(), need.time(self.limit))
    }

    /// Whether it stands in no line: it is kept back for other hours, or comes after a job that lives.
    #[must_use]
    pub fn is_kept_back(&self) -> bool {
        self.deferred.is_some() || self.awaits
    }

    /// The jobs it comes after, whether they are over or not.
    #[must_use]
    pub fn predecessors(&self) -> &[Predecessor] {
        giga_model::after(self.terms.as_deref())
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
    /// The fewest accelerators that any of them holds.
    pub(crate) least: u32,
}

/// A shape, by its place in the table of shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ShapeId(pub(crate) u32);

image! { struct Leaving { cause, told, by } }
image! { struct Run { started, release, need, pieces, queued, stopping, leaving, pace, since, done } }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_small() {
        assert!(size_of::<Job>() <= 256, "{} bytes", size_of::<Job>());
    }
}
