//! What comes in and what goes out: inputs are facts from the world, events are decisions with all they need.

mod image;

use std::sync::Arc;

use giga_model::{Assurance, DatasetId, JobId, JobRequest, Overhead, PhaseId, PoolId, SiteId};
use giga_units::{Duration, Fraction, Instant, Money, Power};
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
    /// An attempt began that a site's own scheduler had in its line.
    Begun {
        /// Of which job.
        job: JobId,
        /// Which attempt, counted from one.
        attempt: u32,
        /// When; whoever tells may have been away, so that may be long ago.
        at: Instant,
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
    /// From now on a site may draw less at the meter.
    LimitFalls {
        /// Where.
        site: SiteId,
        /// What it may draw, facility included.
        power: Power,
        /// Until when, as far as is known.
        until: Instant,
    },
    /// What a site may draw once the limit that is on has lasted its time.
    LimitFollows {
        /// Where.
        site: SiteId,
        /// What it may draw then, facility included.
        power: Power,
        /// Until when, as far as is known.
        until: Instant,
    },
    /// The limit is over.
    LimitEnds {
        /// Where.
        site: SiteId,
    },
    /// Nothing more is to start at a site; what runs there ends by itself.
    Drain {
        /// Where.
        site: SiteId,
    },
    /// A site that was drained takes work again.
    Undrain {
        /// Where.
        site: SiteId,
    },
    /// What runs work at a site has not answered for a while: nothing that is started there would begin.
    Silent {
        /// Where.
        site: SiteId,
    },
    /// It answers again.
    Heard {
        /// Where.
        site: SiteId,
    },
    /// A whole hour begins: prices are others, work that waited for it is due, and waiting work may move.
    HourTurns,
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
    /// What it held was lent, and was called back.
    Recalled,
    /// The grid gave less.
    Grid,
    /// Its gang is elastic, and there is room for a larger one.
    Grown,
}

/// How fast a running attempt goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As it would by itself.
    Full,
    /// Under a cap.
    Capped {
        /// What it may draw of what it could draw above idle.
        power: Fraction,
        /// How fast its work goes forward.
        speed: Fraction,
    },
    /// Not at all: it keeps its nodes and memory, and draws nothing above idle.
    Suspended,
}

impl Pace {
    /// What may be drawn at this pace of what could be drawn.
    #[must_use]
    pub fn power(self, full: Power) -> Power {
        match self {
            Self::Full => full,
            Self::Capped { power, .. } => power.of(full),
            Self::Suspended => Power::ZERO,
        }
    }
    /// How much work is done in a time.
    #[must_use]
    pub fn work(self, time: Duration) -> Duration {
        match self {
            Self::Full => time,
            Self::Capped { speed, .. } => speed.of_time(time),
            Self::Suspended => Duration::ZERO,
        }
    }
    /// How long some work takes, rounded up; `None` where it never ends.
    #[must_use]
    pub fn time(self, work: Duration) -> Option<Duration> {
        match self {
            Self::Full => Some(work),
            Self::Capped { speed, .. } if speed > Fraction::ZERO => {
                let ppm = i128::from(speed.as_ppm());
                let time = (i128::from(work.as_milliseconds()) * 1_000_000 + ppm - 1) / ppm;
                Some(Duration::milliseconds(i64::try_from(time).unwrap_or(i64::MAX / 4)))
            }
            Self::Capped { .. } | Self::Suspended => None,
        }
    }
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
    /// An attempt began that waited at a site which decides that itself.
    Begun {
        /// Of which job.
        job: JobId,
        /// When: never before it was handed over, and perhaps before anybody noticed.
        at: Instant,
        /// When it gives its nodes back at the latest, as far as is known.
        release: Instant,
    },
    /// A running job was taken back: it is to stop, and holds its nodes until it has.
    Stopping {
        /// Which.
        job: JobId,
    },
    /// A running job was told to save itself and leave: it holds its nodes until it has, at most until then.
    Leaving {
        /// Which.
        job: JobId,
        /// Why.
        cause: Interruption,
        /// Until when it may take.
        by: Instant,
    },
    /// An owner's job waits for nodes that others were told to leave: they are kept for it.
    Claimed {
        /// Which job.
        job: JobId,
        /// What is kept for it.
        need: Need,
        /// When all of it will be there.
        by: Instant,
    },
    /// A job gave up what was kept for it.
    Unclaimed {
        /// Which.
        job: JobId,
    },
    /// A running job goes at another pace.
    Paced {
        /// Which.
        job: JobId,
        /// How fast.
        pace: Pace,
        /// When it gives its nodes back at the latest, as far as is known.
        release: Instant,
    },
    /// A site may draw less at the meter.
    Limited {
        /// Where.
        site: SiteId,
        /// What it may draw.
        power: Power,
        /// Until when, as far as is known.
        until: Instant,
    },
    /// It is known what follows the limit that is on.
    Following {
        /// Where.
        site: SiteId,
        /// What the site may draw then.
        power: Power,
        /// Until when, as far as is known.
        until: Instant,
    },
    /// A site may draw again what its connection has.
    Unlimited {
        /// Where.
        site: SiteId,
    },
    /// What the building of a site draws in all from here on.
    Housed {
        /// Where.
        site: SiteId,
        /// For what its nodes draw.
        overhead: Overhead,
    },
    /// A limit is below what protected work and idle nodes draw.
    Short {
        /// Where.
        site: SiteId,
        /// What is missing at the meter before protected work is cut.
        missing: Power,
    },
    /// Nothing more starts at a site.
    Drained {
        /// Where.
        site: SiteId,
    },
    /// A site takes work again.
    Undrained {
        /// Where.
        site: SiteId,
    },
    /// A site does not answer: nothing starts there until it does.
    Silenced {
        /// Where.
        site: SiteId,
    },
    /// A site answers again.
    Heard {
        /// Where.
        site: SiteId,
    },
    /// A waiting job is kept back for cheaper or cleaner hours.
    Deferred {
        /// Which.
        job: JobId,
        /// Until when.
        until: Instant,
    },
    /// A job that was kept back, or came after others, takes its place in the line.
    Due {
        /// Which.
        job: JobId,
    },
    /// A waiting job moves to another site.
    Rebound {
        /// Which.
        job: JobId,
        /// Where it waits from here on.
        site: SiteId,
        /// What that saves, as far as can be told now.
        saves: Money,
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
    /// There is no such dataset.
    #[error("a dataset that it reads does not exist")]
    UnknownDataset,
    /// More of the data would leave its place than its holder allows.
    #[error("the holder of the data does not let that much of it leave")]
    LeavingForbidden {
        /// Which data.
        dataset: DatasetId,
    },
    /// No site runs containers.
    #[error("no site of the project runs containers")]
    NoContainers,
    /// No site is assured enough.
    #[error("no site of the project has assurance level {}", needed.get())]
    AssuranceTooLow {
        /// What is asked for.
        needed: Assurance,
    },
    /// The policy of the data forbids every site that there is.
    #[error("the holder of the data does not let it be read at any site of the project")]
    DataForbids {
        /// Which data.
        dataset: DatasetId,
    },
    /// A job that it comes after ended while it was submitted.
    #[error("job {job} ended in the moment in which this came; submit it again")]
    PredecessorOver {
        /// Which.
        job: JobId,
    },
    /// It is to be done before it could be.
    #[error("its deadline is sooner than its time limit allows")]
    DeadlineTooClose,
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
    /// It can not be told to leave, and is larger than what its owner may claim.
    #[error("work that can not be told to leave may hold at most {floor} accelerators of its owner's share")]
    AboveFloor {
        /// The owner's largest floor, with every phase open.
        floor: u32,
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
