//! The facility: what a site draws at its meter, and what becomes of its heat and water, from the power of its nodes, the
//! air outside and the time step; and how it is supplied ([`supply`]).
//!
//! A pure core. Everything here is a function of its arguments: nothing reads a clock, a file or chance, and nothing decides
//! about work. Floats live here as types of one unit each ([`quantity`]); they leave for the scheduler through one function
//! that rounds up ([`quantity::Watts::rounded_up`]). No constant is fitted to a case that the model is judged on: each has
//! a source, or says that it is an assumption. The page docs/facility.md has the formulas together.

pub mod air;
pub mod balance;
mod bound;
pub mod chain;
pub mod cooling;
mod facility;
pub mod indicators;
mod preset;
pub mod quantity;
mod range;
pub mod supply;

pub use bound::Bound;
pub use facility::{Facility, Flows, Inputs, State};
pub use preset::{Chillers, Design, Preset, PresetError, district};
pub use range::OutOfRange;
