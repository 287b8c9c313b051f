//! What a kind of database has to bring so that a store can be on it.

use std::fmt::Debug;

use crate::change::Entry;
use crate::error::StoreError;
use crate::statement::{Row, Statement};

/// A database under a store.
pub(crate) trait Backend: Debug + Send + Sync {
    /// Carries a script out in one transaction that is on the disk when this returns; how many rows each statement changed.
    /// `last` is the last record that the script appends, by which a database over a network finds out what became of a
    /// commit whose answer was lost.
    fn write(&self, script: &[Statement<'_>], last: Option<&Entry>) -> Result<Vec<u64>, StoreError>;

    /// Asks, beside whoever writes.
    fn read(&self, question: &Statement<'_>) -> Result<Vec<Row>, StoreError>;

    /// Whether the tables are there.
    fn has_tables(&self) -> Result<bool, StoreError>;

    /// Makes the tables and indices that are not there, and says the script, together.
    fn begin(&self, script: &[Statement<'_>]) -> Result<(), StoreError>;

    /// Keeps the bytes of a snapshot; all but the `kept` latest are removed.
    fn keep_snapshot(&self, seq: u64, bytes: &[u8], kept: usize) -> Result<(), StoreError>;

    /// The records behind which there are snapshots, the latest first.
    fn snapshots(&self) -> Result<Vec<u64>, StoreError>;

    /// The bytes of one, or `None` where it can not be read.
    fn snapshot(&self, seq: u64) -> Option<Vec<u8>>;

    /// See [`crate::Store::fold`].
    fn fold(&self) -> Result<(), StoreError>;

    /// See [`crate::Store::standing`].
    fn standing(&self) -> Standing;

    /// See [`crate::Store::release`].
    fn release(&self);
}

/// Who holds a store that was given back.
pub(crate) const RELEASED: &str = "nobody: it was given back";

/// Whether a server may act for its store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It may: nobody else can.
    Held,
    /// The lease may have run out, and it can not be told: the database is not reached. Nothing may be started or stopped
    /// until it is.
    Unsure,
    /// Somebody else may have taken over, or the store was released: this one may never act again.
    Over {
        /// The token under which this one wrote.
        token: i64,
        /// Who took over, or that nobody did.
        holder: String,
    },
}
