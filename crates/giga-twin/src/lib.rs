//! The twin: a simulated world that hosts the same control as the live server.
//!
//! It keeps the events to come, draws chance from keyed streams, and knows what the scheduler may not: how long work
//! really takes and what will break. It decides nothing about work. Same federation, work, seed and version: the same
//! bytes.

mod chance;
mod fork;
mod generator;
mod replay;
mod twin;
mod world;

pub use chance::{Chance, Purpose};
pub use generator::Generator;
pub use replay::{Again, Replay, ReplayError, Step, replay};
pub use twin::{Nowhere, SaveError, Sink, Twin};
