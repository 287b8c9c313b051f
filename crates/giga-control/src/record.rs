//! The rows of a run: one for each job that ended, one for each hour of each site.

use giga_model::{JobId, OwnerId, PoolId, ProgrammeId, ProjectId, SiteId};
use giga_scheduler::Rule;
use giga_units::{AcceleratorTime, Carbon, Duration, Energy, Instant, Money, Power};

/// What became of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Its work is done.
    Completed,
    /// It reached its time limit first.
    TimedOut,
    /// It was taken back.
    Cancelled,
    /// It can never run here.
    Refused,
    /// It ran when the run ended.
    Running,
    /// It waited when the run ended.
    Waiting,
    /// It went wrong.
    Failed,
}

impl Outcome {
    /// The word in tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::TimedOut => "timed-out",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Running => "running",
            Self::Waiting => "waiting",
        }
    }
}

/// By which rule a job can never run, without the figures of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// There is no such project.
    UnknownProject,
    /// It asks for nothing.
    NothingAsked,
    /// No site that the project may use has such accelerators.
    NoSuchAccelerator,
    /// The programme lets in smaller gangs only.
    GangAboveProgramme,
    /// The programme lets in shorter limits only.
    LimitAboveProgramme,
    /// No pool is large enough.
    GangTooLarge,
    /// No site has the power.
    PowerTooLarge,
    /// It is longer than what lies between two maintenance windows.
    LongerThanBetweenWindows,
    /// A dataset that it reads does not exist.
    UnknownDataset,
    /// More of the data would leave its place than its holder allows.
    LeavingForbidden,
    /// No site is assured enough.
    AssuranceTooLow,
    /// The policy of the data forbids every site.
    DataForbids,
    /// Its deadline is sooner than its limit allows.
    DeadlineTooClose,
    /// It can not be told to leave, and is larger than its owner's floor.
    AboveFloor,
    /// A job that it comes after ended while it was submitted.
    PredecessorOver,
    /// No site runs containers.
    NoContainers,
}

impl Refusal {
    /// All of them, each at the place of its number.
    pub const ALL: [Self; 16] = [
        Self::UnknownProject,
        Self::NothingAsked,
        Self::NoSuchAccelerator,
        Self::GangAboveProgramme,
        Self::LimitAboveProgramme,
        Self::GangTooLarge,
        Self::PowerTooLarge,
        Self::LongerThanBetweenWindows,
        Self::UnknownDataset,
        Self::LeavingForbidden,
        Self::AssuranceTooLow,
        Self::DataForbids,
        Self::DeadlineTooClose,
        Self::AboveFloor,
        Self::PredecessorOver,
        Self::NoContainers,
    ];

    /// The word in tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::UnknownProject => "unknown-project",
            Self::NothingAsked => "nothing-asked",
            Self::NoSuchAccelerator => "no-such-accelerator",
            Self::GangAboveProgramme => "gang-above-programme",
            Self::LimitAboveProgramme => "limit-above-programme",
            Self::GangTooLarge => "gang-too-large",
            Self::PowerTooLarge => "power-too-large",
            Self::LongerThanBetweenWindows => "longer-than-between-windows",
            Self::UnknownDataset => "unknown-dataset",
            Self::LeavingForbidden => "leaving-forbidden",
            Self::AssuranceTooLow => "assurance-too-low",
            Self::DataForbids => "data-forbids",
            Self::DeadlineTooClose => "deadline-too-close",
            Self::AboveFloor => "above-floor",
            Self::PredecessorOver => "predecessor-over",
            Self::NoContainers => "no-containers",
        }
    }
}

impl From<Rule> for Refusal {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::UnknownProject => Self::UnknownProject,
            Rule::NothingAsked => Self::NothingAsked,
            Rule::NoSuchAccelerator => Self::NoSuchAccelerator,
            Rule::GangAboveProgramme { .. } => Self::GangAboveProgramme,
            Rule::LimitAboveProgramme { .. } => Self::LimitAboveProgramme,
            Rule::GangTooLarge { .. } => Self::GangTooLarge,
            Rule::PowerTooLarge { .. } => Self::PowerTooLarge,
            Rule::LongerThanBetweenWindows { .. } => Self::LongerThanBetweenWindows,
            Rule::UnknownDataset => Self::UnknownDataset,
            Rule::LeavingForbidden { .. } => Self::LeavingForbidden,
            Rule::AssuranceTooLow { .. } => Self::AssuranceTooLow,
            Rule::DataForbids { .. } => Self::DataForbids,
            Rule::DeadlineTooClose => Self::DeadlineTooClose,
            Rule::AboveFloor { .. } => Self::AboveFloor,
            Rule::PredecessorOver { .. } => Self::PredecessorOver,
            Rule::NoContainers => Self::NoContainers,
        }
    }
}

giga_model::image! {
    enum Refusal {
        0 => UnknownProject,
        1 => NothingAsked,
        2 => NoSuchAccelerator,
        3 => GangAboveProgramme,
        4 => LimitAboveProgramme,
        5 => GangTooLarge,
        6 => PowerTooLarge,
        7 => LongerThanBetweenWindows,
        8 => UnknownDataset,
        9 => LeavingForbidden,
        10 => AssuranceTooLow,
        11 => DataForbids,
        12 => DeadlineTooClose,
        13 => AboveFloor,
        14 => PredecessorOver,
        15 => NoContainers,
    }
}

/// All there is to say about one job at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobRecord {
    /// Which.
    pub job: JobId,
    /// Who was charged.
    pub project: ProjectId,
    /// By which door.
    pub programme: ProgrammeId,
    /// On whose share.
    pub owner: OwnerId,
    /// Where, or `None` where it was refused.
    pub site: Option<SiteId>,
    /// In which pool it ran last.
    pub pool: Option<PoolId>,
    /// Accelerators asked for.
    pub accelerators: u32,
    /// Accelerators it held: whole nodes can be more than was asked.
    pub held: u32,
    /// When it came.
    pub submitted: Instant,
    /// When it first started.
    pub started: Option<Instant>,
    /// When it ended.
    pub ended: Option<Instant>,
    /// How often it was started.
    pub attempts: u32,
    /// From submission to the first start.
    pub waited: Duration,
    /// How it ended.
    pub outcome: Outcome,
    /// By which rule it was refused, where it was.
    pub refusal: Option<Refusal>,
    /// Time of the accelerators it asked for in which its work went forward.
    pub useful: AcceleratorTime,
    /// Time of the accelerators it held that led to nothing: lost work and what whole nodes held in excess.
    pub lost: AcceleratorTime,
    /// At the meter, the idle draw of its nodes included.
    pub energy: Energy,
    /// Electricity, carbon and capital of what it held.
    pub cost: Money,
    /// From its energy.
    pub carbon: Carbon,
}

/// What happened at one site in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourRecord {
    /// The beginning of the hour; the first and last may be shorter.
    pub hour: Instant,
    /// Where.
    pub site: SiteId,
    /// What became of the accelerator time.
    pub time: TimeUse,
    /// At the meter.
    pub energy: Energy,
    /// Of it, what the nodes drew, idle or not.
    pub node_energy: Energy,
    /// The highest power at the meter.
    pub peak: Power,
    /// Electricity, carbon and capital.
    pub cost: Money,
    /// From the energy.
    pub carbon: Carbon,
    /// Jobs running at the end of the hour.
    pub running: u32,
    /// Jobs waiting at the end of the hour.
    pub waiting: u32,
}

/// Where accelerator time went. The parts add up to `installed` exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeUse {
    /// Accelerators of open phases times time.
    pub installed: AcceleratorTime,
    /// Work that counted. May be negative in an hour in which earlier work turned out lost.
    pub delivered: AcceleratorTime,
    /// Idle: nobody had asked.
    pub no_work: AcceleratorTime,
    /// Idle or held in excess although work waited: the shape did not fit or was kept for a reserved job.
    pub fragmentation: AcceleratorTime,
    /// Idle although work waited that only power kept out, slowed or suspended for want of it, and work undone for it.
    pub power: AcceleratorTime,
    /// Nodes that were down, and work since the last checkpoint that a failure undid.
    pub failure: AcceleratorTime,
    /// Out for a window known ahead, or idle before one because the first in the line would run into it.
    pub maintenance: AcceleratorTime,
    /// Work undone because what was lent was called back, and the time it took to leave.
    pub recall: AcceleratorTime,
}

impl TimeUse {
    /// All parts but `installed`, each with its word.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, AcceleratorTime); 7] {
        [
            ("delivered", self.delivered),
            ("no_work", self.no_work),
            ("fragmentation", self.fragmentation),
            ("power", self.power),
            ("failure", self.failure),
            ("maintenance", self.maintenance),
            ("recall", self.recall),
        ]
    }
}

impl std::ops::AddAssign for TimeUse {
    fn add_assign(&mut self, other: Self) {
        self.installed += other.installed;
        self.delivered += other.delivered;
        self.no_work += other.no_work;
        self.fragmentation += other.fragmentation;
        self.power += other.power;
        self.failure += other.failure;
        self.maintenance += other.maintenance;
        self.recall += other.recall;
    }
}

giga_model::image! { struct TimeUse { installed, delivered, no_work, fragmentation, power, failure, maintenance, recall } }
giga_model::image! {
    enum Outcome {
        0 => Completed,
        1 => TimedOut,
        2 => Cancelled,
        3 => Refused,
        4 => Running,
        5 => Waiting,
        6 => Failed,
    }
}
giga_model::image! {
    struct JobRecord {
        job, project, programme, owner, site, pool, accelerators, held, submitted, started, ended, attempts, waited,
        outcome, refusal, useful, lost, energy, cost, carbon,
    }
}
giga_model::image! { struct HourRecord { hour, site, time, energy, node_energy, peak, cost, carbon, running, waiting } }
