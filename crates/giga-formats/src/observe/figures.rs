//! What an observation comes to. Whoever works it out is elsewhere; here are the values that are shown and written.

use giga_control::Waits;
use giga_units::{AcceleratorTime, Carbon, Duration, Energy, Fraction, Instant, Money};

/// Classes of jobs by accelerators: the most of each, and its name.
pub const SIZES: [(u32, &str); 5] =
    [(1, "1"), (8, "2-8"), (64, "9-64"), (512, "65-512"), (u32::MAX, "over 512")];

/// All figures of an observation.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// What the cluster is called.
    pub cluster: String,
    /// When it was asked.
    pub at: Instant,
    /// What it is.
    pub machine: MachineFigures,
    /// What it does; `None` where `squeue` was not asked.
    pub now: Option<Now>,
    /// What it did; `None` where there is no accounting.
    pub span: Option<SpanFigures>,
    /// What that took; `None` where nothing is known of the past.
    pub energy: Option<Energies>,
    /// When what waits may start; empty where nothing waits or it was not asked.
    pub forecast: Vec<StartForecast>,
    /// What was assumed or left out, a sentence each.
    pub notes: Vec<String>,
}

/// The machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MachineFigures {
    /// Nodes with accelerators.
    pub nodes: u64,
    /// Nodes without.
    pub plain_nodes: u64,
    /// Accelerators of all nodes.
    pub accelerators: u64,
    /// Nodes with accelerators that are down, drained or in maintenance.
    pub nodes_out: u64,
    /// Their accelerators.
    pub accelerators_out: u64,
    /// Nodes with accelerators that finish what they have.
    pub nodes_draining: u64,
    /// By partition; nodes of several partitions count in each.
    pub partitions: Vec<PartitionFigures>,
}

/// Accelerators of one type in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionFigures {
    /// The partition.
    pub name: String,
    /// Slurm's type; empty where it gives none.
    pub kind: String,
    /// How many in each node.
    pub per_node: u32,
    /// Nodes.
    pub nodes: u64,
    /// Accelerators.
    pub accelerators: u64,
    /// Accelerators on nodes that are out.
    pub out: u64,
}

/// What runs and waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Now {
    /// Jobs that hold accelerators.
    pub running: u64,
    /// What they hold.
    pub held: u64,
    /// Jobs that wait for accelerators.
    pub waiting: u64,
    /// What they want.
    pub wanted: u64,
    /// Jobs that wait for something else than room.
    pub held_back: u64,
    /// The one that waits the longest for room.
    pub oldest: Option<Oldest>,
}

/// The job that waits the longest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oldest {
    /// Its number.
    pub id: String,
    /// For how long, since it was submitted.
    pub wait: Duration,
    /// What it wants.
    pub accelerators: u32,
    /// Slurm's word for why.
    pub reason: String,
}

/// What happened in a span of time.
#[derive(Debug, Clone, Default)]
pub struct SpanFigures {
    /// Its beginning.
    pub from: Instant,
    /// Runs in it that held accelerators.
    pub runs: u64,
    /// The accelerators that are up now, over the span: an estimate, since nobody keeps what was down when.
    pub available: AcceleratorTime,
    /// What was held.
    pub used: AcceleratorTime,
    /// By account, the largest first.
    pub accounts: Vec<AccountUse>,
    /// From when on a job could have started to its start, by [`SIZES`].
    pub waits: Vec<Waits>,
    /// What was held by runs that did not end well.
    pub lost: Vec<LostTime>,
    /// What nobody held.
    pub idle: Idle,
}

/// What one account used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountUse {
    /// Its name.
    pub name: String,
    /// Its runs.
    pub runs: u64,
    /// What they held.
    pub used: AcceleratorTime,
    /// Its part by Slurm's fair share, where that is known.
    pub fair: Option<Fraction>,
}

/// Why a run did not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lost {
    /// It went wrong.
    Failed,
    /// A node failed.
    NodeFailed,
    /// Its limit; it may have saved its progress.
    TimedOut,
    /// It made room, or was queued again; it may have saved its progress.
    Preempted,
    /// Somebody took it back while it ran; it may have done what it was for.
    Cancelled,
}

impl Lost {
    /// Its name on the screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::NodeFailed => "node failed",
            Self::TimedOut => "stopped at their limit",
            Self::Preempted => "sent away or queued again",
            Self::Cancelled => "cancelled while they ran",
        }
    }

    /// Its name in JSON.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::NodeFailed => "node_failed",
            Self::TimedOut => "timed_out",
            Self::Preempted => "preempted",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What runs held that ended in one such way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostTime {
    /// In which way.
    pub lost: Lost,
    /// How many.
    pub runs: u64,
    /// What they held in the span.
    pub time: AcceleratorTime,
}

/// Accelerator time that nobody held, of those that are up now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Idle {
    /// All of it.
    pub all: AcceleratorTime,
    /// While at least one job waited that could have started.
    pub while_waiting: AcceleratorTime,
    /// Of that, no more at any time than what those jobs wanted: what lending and another order could win at most.
    pub wanted: AcceleratorTime,
}

/// What the span took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Energies {
    /// What Slurm measured of runs that held whole nodes.
    pub measured: Energy,
    /// How many runs that covers.
    pub measured_runs: u64,
    /// What these held.
    pub measured_time: AcceleratorTime,
    /// What Slurm told of runs that shared their nodes, and was not used.
    pub shared_runs: u64,
    /// Of all other runs by the model: the least, the assumed and the most.
    pub modelled: [Energy; 3],
    /// What the model covers.
    pub modelled_time: AcceleratorTime,
    /// Of idle accelerators by the model, their part of the nodes included.
    pub idle: Energy,
    /// Power at the meter over that of the nodes.
    pub facility_factor: Fraction,
    /// All of it at the meter: the least, the assumed and the most.
    pub meter: [Energy; 3],
    /// What that emits, where the zone is known.
    pub carbon: Option<[Carbon; 3]>,
    /// What that costs, where the zone is known.
    pub cost: Option<[Money; 3]>,
}

/// When a job that waits may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartForecast {
    /// Its number in Slurm.
    pub id: String,
    /// Who is charged.
    pub account: String,
    /// What it wants.
    pub accelerators: u32,
    /// Since when it waits.
    pub submitted: Option<Instant>,
    /// The earliest, the median and the latest start over the futures; `None` where none saw it start.
    pub start: Option<[Instant; 3]>,
    /// In how many futures it started.
    pub seen: u32,
    /// What Slurm itself expects, where it says.
    pub by_slurm: Option<Instant>,
}
