//! The parameters of generated work. The draws themselves belong to the twin.

use giga_units::{Duration, Fraction};

use crate::dataset::{Assurance, Leaving};
use crate::ids::{AcceleratorId, DatasetId, ProgrammeId};

/// Work to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// The seed of all chance in a run, unless the command line gives another.
    pub seed: u64,
    /// Offered accelerator time over what the open phases have: the one knob of load.
    pub load: Fraction,
    /// The kinds of work.
    pub classes: Vec<JobClass>,
    /// The time limits that users ask for; a job asks for the first that holds its own guess, or for the last.
    pub limits: Vec<Duration>,
}

/// A kind of work.
#[derive(Debug, Clone, PartialEq)]
pub struct JobClass {
    /// What people call it.
    pub name: String,
    /// The programme whose projects send it.
    pub programme: ProgrammeId,
    /// When its jobs come.
    pub arrivals: Arrivals,
    /// How large they are, with weights.
    pub sizes: Vec<Size>,
    /// How long they take.
    pub length: Length,
    /// The shortest and longest that a draw may give.
    pub length_range: (Duration, Duration),
    /// By which factor users guess above the true length, at most; the guess is uniform between 1 and this.
    pub guess_max: Fraction,
    /// How jobs save their progress.
    pub checkpoint: Checkpoint,
    /// What they draw of what their accelerators could draw above idle.
    pub draw: Fraction,
    /// The kinds of accelerators that will do, the preferred first; empty for any.
    pub accelerators: Vec<AcceleratorId>,
    /// The data each of its jobs reads.
    pub data: Vec<DatasetId>,
    /// What leaves the site of that.
    pub leaving: Leaving,
    /// The least assurance of a site that runs it.
    pub assurance: Option<Assurance>,
    /// How long after it came a job has to be done, as a multiple of its limit; `None` where it is wanted at once.
    pub slack: Option<Fraction>,
    /// Down to which part of its size a gang may shrink, and take longer; `None` where it is rigid.
    pub elastic: Option<Fraction>,
}

/// When the jobs of a class come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    /// As a Poisson process that offers this fraction of the whole offered accelerator time.
    Random {
        /// The fraction.
        share: Fraction,
        /// How the rate moves over the day, or `None` for a constant rate.
        daily: Option<DailyCurve>,
    },
    /// From every project of the programme at equal distances, beginning at the start.
    Regular {
        /// From one job to the next.
        every: Duration,
        /// How many from each project.
        count: u32,
    },
}

/// A rate that swings as a cosine over the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyCurve {
    /// Hours after midnight UTC when it is highest.
    pub peak_hour: u8,
    /// How far it swings from its mean, from none to the whole.
    pub swing: Fraction,
}

/// A gang size and how often it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Accelerators.
    pub accelerators: u32,
    /// Weight against the other sizes, in numbers of jobs.
    pub weight: Fraction,
}

/// How long jobs take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// All the same.
    Fixed(Duration),
    /// Log-normal.
    LogNormal {
        /// Half take less.
        median: Duration,
        /// The standard deviation of the logarithm.
        sigma: Fraction,
    },
}

/// How jobs save their progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkpoint {
    /// Not at all.
    None,
    /// At fixed distances.
    Every(Duration),
    /// As often as Young's rule says for a gang of its size: sqrt(2 · MTBF · cost), Young 1974
    /// (doi:10.1145/361147.361115).
    Young {
        /// How long it takes to write one checkpoint.
        cost: Duration,
    },
}
