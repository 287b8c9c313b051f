//! The data folder: closed to all but its owner, one server's at a time, and of one store.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant as Clock};

use crate::error::StoreError;

/// The database of SQLite.
pub(crate) const FILE: &str = "giga.db";
const LOCK: &str = "lock";
/// The mark of the database elsewhere that the folder belongs to.
const MARK: &str = "store";
/// How long a start waits for the lock, and between two looks.
const PATIENCE: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_millis(10);

/// Makes the folder, and closes it to all but its owner: what lies in it tells the commands and variables of jobs, and who
/// can open its lock can keep the owner out.
pub(crate) fn make(folder: &Path) -> Result<(), StoreError> {
    let fault = |cause| StoreError::File { path: folder.to_owned(), cause };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(fault)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder).map_err(fault)?.permissions().mode();
        if mode & 0o077 != 0 {
            if is_shared(folder).map_err(fault)? {
                return Err(StoreError::Shared { folder: folder.to_owned() });
            }
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(fault)?;
        }
    }
    Ok(())
}

/// Whether something else lies in a folder that holds no store.
#[cfg(unix)]
fn is_shared(folder: &Path) -> std::io::Result<bool> {
    if folder.join(FILE).is_file() || folder.join(MARK).is_file() {
        return Ok(false);
    }
    for entry in fs::read_dir(folder)? {
        // What a first start left that was broken off.
        if entry?.file_name() != LOCK {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes the lock of a folder. Where a server was killed in the middle of starting a process, that process holds the lock for
/// a moment, until it becomes another program.
pub(crate) fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(LOCK);
    let fault = |cause| StoreError::File { path: path.clone(), cause };
    let lock = File::create(&path).map_err(fault)?;
    let until = Clock::now() + PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if Clock::now() < until => std::thread::sleep(AGAIN),
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { folder: folder.to_owned() }),
            Err(TryLockError::Error(cause)) => return Err(fault(cause)),
        }
    }
}

/// Refuses a folder whose attempts belong to a database elsewhere.
pub(crate) fn is_unmarked(folder: &Path) -> Result<(), StoreError> {
    match mark(folder)? {
        None => Ok(()),
        Some(_) => {
            Err(StoreError::Elsewhere { folder: folder.to_owned(), with: "a database that `--store` names" })
        }
    }
}

/// The mark of a folder: which database elsewhere it belongs to.
pub(crate) fn mark(folder: &Path) -> Result<Option<String>, StoreError> {
    let path = folder.join(MARK);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(StoreError::File { path, cause }),
    }
}

/// Marks a folder for a database elsewhere, durably.
pub(crate) fn set_mark(folder: &Path, mark: &str) -> Result<(), StoreError> {
    let (path, new) = (folder.join(MARK), folder.join("store.new"));
    let written = File::create(&new).and_then(|mut file| {
        writeln!(file, "{mark}")?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(folder)?.sync_all()
    });
    written.map_err(|cause| StoreError::File { path, cause })
}
