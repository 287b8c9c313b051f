//! Everything that is read or written: descriptions, work traces, tables, saved runs. The only home of serde.
//!
//! This crate turns bytes into values of the model and values into bytes. It never decides anything, and no input makes
//! it panic: what is wrong with a file is named with its place.

pub mod attempt;
mod columnar;
pub mod description;
pub mod saved;
pub mod summary;
pub mod table;
pub mod work;
