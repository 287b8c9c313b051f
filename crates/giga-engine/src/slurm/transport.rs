//! How Slurm is asked: one trait for its command line and for its REST service.

use thiserror::Error;

use super::record::{Ask, Record};

/// Why Slurm did not answer as it should.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Slurm said no, and nothing was done.
    #[error("Slurm refuses it: {0}")]
    Refused(String),
    /// Slurm says that no node of it can ever do this.
    #[error("Slurm can never do it: {0}")]
    Never(String),
    /// It may or may not have been done.
    #[error("Slurm does not answer: {0}")]
    Unknown(String),
}

/// A way to ask one cluster. Every call ends within half a minute or so.
pub trait Transport: Send + Sync {
    /// Submits a job and gives its number. Where the answer is lost, it may have been submitted.
    ///
    /// # Errors
    /// Says whether it can have happened, and whether it ever can.
    fn submit(&self, ask: &Ask) -> Result<u64, Fault>;

    /// The jobs of our own that the controller knows, also those that ended some minutes ago.
    ///
    /// # Errors
    /// [`Fault::Unknown`] where the controller does not answer.
    fn queue(&self) -> Result<Vec<Record>, Fault>;

    /// The jobs of these names that the accounting knows; none where there is no accounting.
    ///
    /// # Errors
    /// [`Fault::Unknown`] where it does not answer.
    fn accounted(&self, names: &[String]) -> Result<Vec<Record>, Fault>;

    /// Ends a job, if it still has this name.
    ///
    /// # Errors
    /// Says that it may not have happened.
    fn cancel(&self, id: u64, name: &str) -> Result<(), Fault>;

    /// Sends the batch script of a job the signal to finish, if the job still has this name.
    ///
    /// # Errors
    /// Says that it may not have happened.
    fn terminate(&self, id: u64, name: &str) -> Result<(), Fault>;

    /// What the nodes of a partition are.
    ///
    /// # Errors
    /// [`Fault::Unknown`] where the controller does not answer.
    fn nodes(&self, partition: &str) -> Result<Vec<NodeRecord>, Fault>;
}

/// A node as Slurm describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecord {
    /// Its name.
    pub name: String,
    /// Its processors.
    pub cpus: u32,
    /// Its memory in MiB.
    pub memory: u64,
    /// Its accelerators.
    pub accelerators: u32,
    /// Slurm's word for how it is, in small letters: `idle`, `drained*`.
    pub state: String,
}
