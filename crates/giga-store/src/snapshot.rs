//! Snapshots: files beside the database, because they only save time. One that is missing, damaged or of another version
//! is left aside, and the journal is followed from further back.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use giga_formats::journal::{self, Snapshot};

use crate::store::{Store, StoreError};

/// How many are kept: the latest, and one more in case it can not be read.
const KEPT: usize = 2;

impl Store {
    /// Keeps a snapshot; all but the two latest are removed.
    ///
    /// # Errors
    /// Fails where the folder can not be written.
    pub fn keep_snapshot(&self, snapshot: &Snapshot, version: &'static str) -> Result<(), StoreError> {
        let (path, new) = (self.snapshot(snapshot.seq), self.folder.join("snapshot.new"));
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(&journal::write_snapshot(snapshot, version))?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&new, &path)).map_err(|cause| StoreError::File { path, cause })?;
        for (_, old) in self.snapshot_files()?.into_iter().skip(KEPT) {
            fs::remove_file(&old).map_err(|cause| StoreError::File { path: old, cause })?;
        }
        Ok(())
    }

    /// The snapshots that this version can read, the latest first.
    ///
    /// # Errors
    /// Fails where the folder can not be listed.
    pub fn snapshots(&self, version: &'static str) -> Result<Vec<Snapshot>, StoreError> {
        let files = self.snapshot_files()?;
        let read = |path: &Path| journal::read_snapshot(&fs::read(path).ok()?, version).ok();
        Ok(files.iter().filter_map(|(seq, path)| read(path).filter(|found| found.seq == *seq)).collect())
    }

    fn snapshot(&self, seq: u64) -> PathBuf {
        self.folder.join(format!("snapshot-{seq:020}"))
    }

    /// The files of snapshots, the latest first.
    fn snapshot_files(&self) -> Result<Vec<(u64, PathBuf)>, StoreError> {
        let fault = |cause| StoreError::File { path: self.folder.clone(), cause };
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(fault)? {
            let path = entry.map_err(fault)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
            let seq = name.strip_prefix("snapshot-").and_then(|seq| seq.parse().ok());
            files.extend(seq.map(|seq| (seq, path)));
        }
        files.sort_by_key(|(seq, _)| std::cmp::Reverse(*seq));
        Ok(files)
    }
}
