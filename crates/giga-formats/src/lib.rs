//! Everything that is read or written: work traces and tables. The only home of serde.
//!
//! This crate turns bytes into values of the model and rows of a run into bytes. It never decides anything, and no
//! input makes it panic: what is wrong with a file is named with its place and counted.

mod columnar;
pub mod table;
pub mod work;
