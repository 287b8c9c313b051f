//! How Slurm is asked: one trait for its command line and for its REST service.

use giga_formats::slurm::{Ask, NodeRecord, Record};
use thiserror::Error;

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

    /// A value of its configuration, such as `ProctrackType`; `None` where it has none, or it can not be asked this way.
    ///
    /// # Errors
    /// [`Fault::Unknown`] where the controller does not answer.
    fn configured(&self, name: &str) -> Result<Option<String>, Fault>;
}

/// What Slurm says of a request that none of its nodes can ever carry out.
const NEVER: [&str; 3] = [
    "Requested node configuration is not available",
    "Requested time limit is invalid",
    "Invalid generic resource (gres) specification",
];
/// What it says where an answer was lost.
const LOST: [&str; 6] =
    ["timed out", "Unable to contact", "Zero Bytes", "Connection", "Transport", "Communication"];

/// What the words of a failed submission mean.
pub(super) fn refusal(text: &str) -> Fault {
    if NEVER.iter().any(|never| text.contains(never)) {
        Fault::Never(text.to_owned())
    } else if LOST.iter().any(|lost| text.contains(lost)) {
        Fault::Unknown(text.to_owned())
    } else {
        Fault::Refused(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_from_lost_answers() {
        let check =
            |text: &str, expected: fn(String) -> Fault| assert_eq!(refusal(text), expected(text.into()));
        check("Batch job submission failed: Invalid partition name specified", Fault::Refused);
        check("Batch job submission failed: Requested node configuration is not available", Fault::Never);
        check("Batch job submission failed: Socket timed out on send/recv operation", Fault::Unknown);
        check(
            "Batch job submission failed: Unable to contact slurm controller (connect failure)",
            Fault::Unknown,
        );
    }
}
