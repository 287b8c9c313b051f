//! Slurm's jobs and nodes in one model, and the bodies of its REST service (`openapi/v0.0.38`, of Slurm 22.05).
//!
//! What the service leaves out is null, 0 or 4294967294, errors come in two shapes, and an answer with a number in it means
//! that the job was submitted, whatever errors stand beside it. `requeue: false` changes nothing; `no_requeue: true` does, and so does `nodelist`, which its own document leaves out.

pub(crate) mod cell;
mod hosts;
mod lines;
mod record;
mod rest;

pub use cell::shell_word;
pub use hosts::hosts;
pub use lines::{job_line, node_line};
pub use record::{Ask, JobState, NodeRecord, NodeUse, Record};
pub use rest::{Answer, read_answer, read_jobs, read_nodes, submission};
