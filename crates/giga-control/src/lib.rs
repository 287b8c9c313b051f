//! Composes the cores and is the one thing that a host calls.
//!
//! A host brings inputs with their time; [`Control::advance`] decides, checks every batch of events with an independent
//! linter, and meters what they lead to. Twin and server call the same function, so they can not differ. Nothing here
//! reads a clock or a file, and nothing here decides about work: that is the scheduler's.

mod bill;
pub mod calendar;
mod control;
pub mod energy;
mod grid;
mod lending;
mod linter;
mod meter;
mod ramp;
mod reads;
pub mod record;
mod summary;
mod trail;
mod waits;

pub use bill::Bill;
pub use control::Control;
pub use grid::GridSums;
pub use linter::{Linter, Violation};
pub use ramp::{Ramp, Ramps};
pub use reads::DataRead;
pub use summary::{OwnerUse, ProgrammeUse, SiteTotals, Summary, WaitRow};
pub use trail::Trail;
pub use waits::{SIZE_CLASSES, Waits};
