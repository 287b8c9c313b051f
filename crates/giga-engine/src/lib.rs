//! What carries decisions out at a site: the engine trait, the contract that every engine keeps, and the local engine.
//!
//! An engine holds no policy: it never chooses what runs, never tries again by itself, and never decides what a lost
//! attempt means. All its calls may be repeated, because the one who calls may be killed between the call and the
//! answer. Only what an engine *proves* counts: "I can not see it" is [`Seen::Unclear`], never an end.

#[cfg(target_os = "linux")]
mod attempt;
pub mod contract;
mod engine;
#[cfg(target_os = "linux")]
pub mod local;
#[cfg(target_os = "linux")]
pub mod slurm;
pub mod tls;

pub use attempt::{Entry, EntryKind, JobFolder, runtime_program};
pub use engine::{Carried, Chunk, Contact, Engine, EngineError, INPUT_MOST, OutputStream, Seen};
pub use giga_model::{AttemptId, End, Idling, Launch, Measured, NodeUse, Receipt};
