//! The store of a live federation: the journal with its snapshots, what became of each job, and who may come in.
//!
//! The journal is the truth; the tables of jobs and attempts are written in the same transaction and hold what scheduling
//! does not need: commands, names, results. Nothing is decided here. What [`Store::append`] was given is on the disk when
//! it returns, all of it or none.

mod change;
mod history;
mod key;
mod schema;
mod snapshot;
mod store;

pub use change::{Batch, Change, Entry, NewJob};
pub use history::{AttemptRow, EndedRow, JobFilter, JobRow};
pub use key::Key;
pub use store::{Beginning, Opened, Store, StoreError};
