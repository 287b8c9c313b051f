//! What comes in and what goes out: inputs are facts from the world, events are decisions with all they need.

use std::sync::Arc;

use giga_model::{JobId, JobRequest, PhaseId, PoolId, SiteId, image};
use giga_units::{Duration, Instant, Power};
use thiserror::Error;

use crate::plan::Need;

/// A fact from the world, or a wake-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Somebody wants work done.
    Submit {
        /// What they ask for.
        request: JobRequest,
    },
    /// An attempt ended by itself, at its limit, or because it was told to.
    Finished {
        /// Of which job.
        job: JobId,
        /// Which attempt, counted from one; what is said of an earlier one is late and means nothing.
        attempt: u32,
        /// How.
        ending: Ending,
        /// When; whoever tells may have been away, so that may be long ago.
        at: Instant,
    },
    /// An attempt is proven dead and left no result.
    Lost {
        /// Of which job.
        job: JobId,
        /// Which attempt, counted from one.
        attempt: u32,
    },
    /// Somebody takes a job back.
    Cancel {
        /// Which.
        job: JobId,
    },
    /// A node stopped working; what ran on it is lost back to its last checkpoint.
    NodeFailed {
        /// In which pool.
        pool: PoolId,
        /// Which, counted from zero within the pool.
        node: u32,
        /// When it is expected back.
        until: Instant,
    },
    /// A node that was down works again.
    NodeRepaired {
        /// In which pool.
        pool: PoolId,
        /// Which.
        node: u32,
    },
    /// The next phase of a site opens.
    PhaseOpens {
        /// Where.
        site: SiteId,
    },
    /// A maintenance window begins; it was known ahead.
    MaintenanceBegins {
        /// Where.
        site: SiteId,
    },
    /// A maintenance window ends.
    MaintenanceEnds {
        /// Where.
        site: SiteId,
    },
    /// A half-life is over: past use of projects counts half from here.
    HalveUse,
    /// A calendar year begins: owners' shares are counted anew.
    TurnYear,
    /// Time to look what can start. Inputs of one instant come first, then this.
    Schedule,
}

/// How an attempt ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The work is done.
    Completed,
    /// The limit was reached first.
    TimedOut,
    /// Somebody took it back.
    Cancelled,
    /// The work went wrong, could not be begun, or was lost too often.
    Failed,
}

/// Why a running job lost its nodes and waits again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// A node failed.
    Failure,
    /// A maintenance window began.
    Maintenance,
    /// The attempt died and left no result.
    Lost,
}

/// Nodes of one word of 64 in a pool: the placement of a job is a list of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Which word of the pool.
    pub word: u32,
    /// Which nodes within it.
    pub mask: u64,
}

/// A decision, with everything that carrying it out needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A job is accepted and bound to a site.
    Submitted {
        /// Its number.
        job: JobId,
        /// Where it waits.
        site: SiteId,
        /// What it asks for.
        request: JobRequest,
    },
    /// A job can never run, by this rule.
    Refused {
        /// Its number.
        job: JobId,
        /// What it asked for.
        request: JobRequest,
        /// Why not.
        rule: Rule,
    },
    /// The first in the order does not fit: from here on it keeps its place until it starts.
    Kept {
        /// Where.
        site: SiteId,
        /// Which.
        job: JobId,
    },
    /// An attempt starts.
    Started {
        /// Which job.
        job: JobId,
        /// Which of its attempts, counted from one.
        attempt: u32,
        /// In which of its ways.
        need: Need,
        /// On which nodes.
        pieces: Arc<[Piece]>,
        /// When it gives the nodes back at the latest: its limit, or the next maintenance window.
        release: Instant,
    },
    /// A running job was taken back: it is to stop, and holds its nodes until it has.
    Stopping {
        /// Which.
        job: JobId,
    },
    /// A job ended for good.
    Ended {
        /// Which.
        job: JobId,
        /// How.
        ending: Ending,
        /// When: never before it started, and perhaps before anybody noticed.
        at: Instant,
    },
    /// A running job lost its nodes and waits again.
    Interrupted {
        /// Which.
        job: JobId,
        /// Why.
        cause: Interruption,
        /// Progress of this attempt that a checkpoint holds.
        saved: Duration,
    },
    /// A node is out.
    NodeDown {
        /// In which pool.
        pool: PoolId,
        /// Which.
        node: u32,
        /// When it is expected back.
        until: Instant,
    },
    /// A node is back.
    NodeUp {
        /// In which pool.
        pool: PoolId,
        /// Which.
        node: u32,
    },
    /// A phase is open.
    PhaseOpened {
        /// Where.
        site: SiteId,
        /// Which.
        phase: PhaseId,
    },
    /// A site is out for maintenance.
    Closed {
        /// Where.
        site: SiteId,
        /// Until when.
        until: Instant,
    },
    /// A site is back from maintenance.
    Opened {
        /// Where.
        site: SiteId,
    },
    /// Past use of projects counts half from here.
    UseHalved,
    /// Owners' use is counted anew.
    YearTurned,
    /// Everything that could start has started.
    Settled,
}

/// Why a job can never run. The later in this list, the closer it came; the closest is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Rule {
    /// There is no such project.
    #[error("the project does not exist")]
    UnknownProject,
    /// It asks for nothing.
    #[error("no accelerators or no time are asked for")]
    NothingAsked,
    /// No site that the project may use has such accelerators.
    #[error("no site of the project has such accelerators")]
    NoSuchAccelerator,
    /// The programme lets in smaller gangs only.
    #[error("the programme lets in at most {most} accelerators at a time")]
    GangAboveProgramme {
        /// The most.
        most: u32,
    },
    /// The programme lets in shorter limits only.
    #[error("the programme lets in at most {longest}")]
    LimitAboveProgramme {
        /// The longest.
        longest: Duration,
    },
    /// No pool is large enough, even empty and with every phase open.
    #[error("the largest pool it could use has {largest} accelerators")]
    GangTooLarge {
        /// Accelerators of the largest pool.
        largest: u32,
    },
    /// No site has the power, even empty and with every phase open.
    #[error("running work may draw at most {headroom} above idle there")]
    PowerTooLarge {
        /// What there is.
        headroom: Power,
    },
    /// It saves no progress and is longer than what lies between two maintenance windows.
    #[error("without checkpoints it must end between two maintenance windows, within {longest}")]
    LongerThanBetweenWindows {
        /// The longest possible.
        longest: Duration,
    },
}

image! { struct Piece { word, mask } }
image! { enum Ending { 0 => Completed, 1 => TimedOut, 2 => Cancelled, 3 => Failed } }
image! { enum Interruption { 0 => Failure, 1 => Maintenance, 2 => Lost } }
image! {
    enum Input {
        0 => Submit { request },
        1 => Finished { job, attempt, ending, at },
        2 => Lost { job, attempt },
        3 => Cancel { job },
        4 => NodeFailed { pool, node, until },
        5 => NodeRepaired { pool, node },
        6 => PhaseOpens { site },
        7 => MaintenanceBegins { site },
        8 => MaintenanceEnds { site },
        9 => HalveUse,
        10 => TurnYear,
        11 => Schedule,
    }
}
image! {
    enum Event {
        0 => Submitted { job, site, request },
        1 => Refused { job, request, rule },
        2 => Kept { site, job },
        3 => Started { job, attempt, need, pieces, release },
        4 => Stopping { job },
        5 => Ended { job, ending, at },
        6 => Interrupted { job, cause, saved },
        7 => NodeDown { pool, node, until },
        8 => NodeUp { pool, node },
        9 => PhaseOpened { site, phase },
        10 => Closed { site, until },
        11 => Opened { site },
        12 => UseHalved,
        13 => YearTurned,
        14 => Settled,
    }
}
image! {
    enum Rule {
        0 => UnknownProject,
        1 => NothingAsked,
        2 => NoSuchAccelerator,
        3 => GangAboveProgramme { most },
        4 => LimitAboveProgramme { longest },
        5 => GangTooLarge { largest },
        6 => PowerTooLarge { headroom },
        7 => LongerThanBetweenWindows { longest },
    }
}
