//! The containers that make the scheduler fast. None of them knows what it holds.

mod bits;
mod releases;

pub(crate) use bits::{BitSet, ones};
pub(crate) use releases::Releases;
