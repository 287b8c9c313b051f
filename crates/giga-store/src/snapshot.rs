//! Snapshots only save time. One that is missing, damaged or of another version is left aside, and the journal is followed
//! from further back.

use giga_formats::journal::{self, Snapshot};

use crate::error::StoreError;
use crate::store::Store;

/// How many are kept: the latest, and one more in case it can not be read.
const KEPT: usize = 2;

impl Store {
    /// Keeps a snapshot; all but the two latest are removed.
    ///
    /// # Errors
    /// Fails where the folder or the database can not be written.
    pub fn keep_snapshot(&self, snapshot: &Snapshot, version: &'static str) -> Result<(), StoreError> {
        self.backend.keep_snapshot(snapshot.seq, &journal::write_snapshot(snapshot, version), KEPT)
    }

    /// The snapshots that this version can read, the latest first.
    ///
    /// # Errors
    /// Fails where the folder or the database can not be read.
    pub fn snapshots(&self, version: &'static str) -> Result<Vec<Snapshot>, StoreError> {
        let read = |seq: u64| journal::read_snapshot(&self.backend.snapshot(seq)?, version).ok();
        let seqs = self.backend.snapshots()?.into_iter();
        Ok(seqs.filter_map(|seq| read(seq).filter(|found| found.seq == seq)).collect())
    }
}
