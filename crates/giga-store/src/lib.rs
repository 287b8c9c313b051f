//! The store of a live federation: the journal with its snapshots, what became of each job, and who may come in.
//!
//! The journal is the truth; the tables of jobs and attempts are written in the same transaction and hold what scheduling
//! does not need: commands, names, results. Nothing is decided here. What [`Store::append`] was given is on the disk when
//! it returns, all of it or none.
//!
//! It lies on SQLite in a folder, or on a database of PostgreSQL; one contract and one text of SQL serve both.

mod backend;
mod change;
mod dataset;
mod error;
mod folder;
mod history;
mod key;
mod postgres;
mod schema;
mod script;
mod snapshot;
mod sqlite;
mod statement;
mod store;

pub use backend::Standing;
pub use change::{Batch, Change, Entry, NewJob};
pub use dataset::{ContentRow, CopyRow, TaskEnd, TaskKind, TaskRow, TaskState};
pub use error::{DatabaseError, StoreError};
pub use history::{AttemptRow, EndedRow, JobFilter, JobRow};
pub use key::Key;
pub use postgres::{Url, UrlError};
pub use store::{Beginning, Opened, Store};
