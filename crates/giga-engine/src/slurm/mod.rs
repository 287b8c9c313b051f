//! The Slurm engine: attempts as jobs of a Slurm cluster, each under a supervisor of its own on the first of its nodes.
//!
//! Slurm is asked by its command line or its REST service, one typed model for both. Only what starts now is submitted, into a
//! partition or reservation that is lent to us. What is true lies in a folder that the nodes share with us, in the same
//! files as those of the local engine: Slurm's word alone never says that an attempt ended well, and a number of Slurm is no
//! identity. [`protocol`] says what follows from what is seen.

mod cli;
mod engine;
mod known;
mod place;
pub mod protocol;
mod rest;
mod token;
mod transport;

pub use cli::Cli;
pub use engine::{SlurmEngine, SlurmPool, SlurmSite};
pub use giga_formats::slurm::{Ask, JobState, NodeRecord, Record};
pub use place::{program, user};
pub use rest::Rest;
pub use transport::{Fault, Transport};
