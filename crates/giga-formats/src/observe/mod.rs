//! What `sinfo`, `squeue` and `sacct` print, read as what a cluster is and does: the input of `giga observe`.
//!
//! The questions stand beside the readers of their answers, so that what is asked for is what is understood. Columns are found by the
//! names in the header, whatever their order, so that tables saved by hand and of other versions of Slurm do as well. A
//! row that can not be read is left out, counted and named. No name of a user or of a job is asked for, and none is kept.

mod account;
mod bars;
mod cells;
mod figures;
mod json;
mod nodes;
mod outline;
mod question;
mod queue;
mod shares;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use giga_units::{Fraction, Instant};

pub use crate::slurm::NodeUse;
pub use account::{Accounted, Became, read_accounted};
pub use bars::{FAULTS_KEPT, Fault, Read, Unread};
pub use figures::{
    AccountUse, Energies, Figures, Idle, Lost, LostTime, MachineFigures, Now, Oldest, PartitionFigures,
    SIZES, SpanFigures, StartForecast,
};
pub use json::write as json;
pub use nodes::{Node, read_nodes};
pub use outline::{AccountOutline, Outline, PoolOutline, ShareBasis, Zone, ZoneUnknown, pools, zone};
pub use question::{Question, questions};
pub use queue::{QueueState, Queued, read_queue};
pub use shares::read_shares;

/// What was read of a cluster at one time.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// What the accounting calls the cluster; empty where nobody says.
    pub cluster: String,
    /// When it was asked.
    pub at: Instant,
    /// From when on the accounting was asked.
    pub since: Instant,
    /// All nodes.
    pub nodes: Vec<Node>,
    /// What runs and waits; `None` where `squeue` was not asked.
    pub queue: Option<Vec<Queued>>,
    /// What ran and runs; `None` where there is no accounting.
    pub jobs: Option<Vec<Accounted>>,
    /// The part of each account by the fair share of Slurm, where it was given.
    pub shares: BTreeMap<String, Fraction>,
}
