//! Everything that is read or written: descriptions, work, journals. The only home of serde.
//!
//! This crate turns bytes into values and back. It never opens a file by itself and decides nothing.

pub mod description;
