//! Everything that is read or written: descriptions, work traces, tables, saved runs, journals. The only home of serde.
//!
//! This crate turns bytes into values of the model and values into bytes. It never decides anything, and no input makes
//! it panic: what is wrong with a file is named with its place.

pub mod access;
pub mod api;
pub mod attempt;
pub mod climate;
mod columnar;
pub mod description;
pub mod frame;
pub mod job;
pub mod journal;
pub mod manifest;
pub mod observe;
pub mod openmetrics;
pub mod price_shape;
pub mod saved;
pub mod series;
pub mod settings;
pub mod slurm;
pub mod summary;
pub mod table;
pub mod work;
