//! The folder of an engine: the attempts in it, which of them are over for good, and what they print.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration as Span, Instant as Clock};

use giga_model::{AttemptId, Idling};
use giga_units::Bytes;
use thiserror::Error;

use super::folder::{Folder, Found, make_folder, open_plain, open_to_write, sync};
use super::idle::IDLING;
use super::launch::unavailable;
use super::supervisor::{ERR, INPUT, OUT};
use crate::engine::INPUT_MOST;
use crate::{Chunk, EngineError, OutputStream};

/// Why an engine could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Its folder can not be used.
    #[error("the engine's folder `{folder}` can not be used; give one that can be written to")]
    Folder {
        /// Which.
        folder: PathBuf,
        /// What was in the way.
        #[source]
        source: io::Error,
    },
    /// No program was given.
    #[error("no program was named that supervises attempts; name one")]
    NoSupervisor,
}

/// How long the lock of a folder is waited for, and between two tries: what is done under it takes some milliseconds.
const PATIENCE: Span = Span::from_secs(10);
const AGAIN: Span = Span::from_millis(2);

/// The folder of an engine.
#[derive(Debug)]
pub(crate) struct Home(PathBuf);

impl Home {
    /// Makes the folder where it is missing.
    pub(crate) fn open(folder: &Path) -> Result<Self, OpenError> {
        let prepared = || {
            ["live", "done", "work"].iter().try_for_each(|name| make_folder(&folder.join(name)))?;
            sync(folder)?;
            folder.canonicalize()
        };
        prepared().map(Self).map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
    pub(crate) fn live(&self, attempt: AttemptId) -> Folder {
        Folder::at(self.0.join("live").join(attempt.to_string()))
    }
    pub(crate) fn done(&self, attempt: AttemptId) -> Folder {
        Folder::at(self.0.join("done").join(attempt.to_string()))
    }

    /// Makes the folder of an attempt in `live/`; it may be there.
    pub(crate) fn make_live(&self, attempt: AttemptId) -> io::Result<Folder> {
        let folder = self.live(attempt);
        make_folder(folder.path())?;
        sync(&self.0.join("live"))?;
        Ok(folder)
    }

    /// Keeps other processes from making or moving folders of attempts until the file is dropped. One that sleeps while it has the
    /// lock is not waited for without end, so that it is heard of.
    pub(crate) fn lock(&self) -> io::Result<File> {
        let file = File::options().write(true).create(true).truncate(false).open(self.0.join("lock"))?;
        let until = Clock::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(fault)) => return Err(fault),
                Err(TryLockError::WouldBlock) if Clock::now() < until => std::thread::sleep(AGAIN),
                Err(TryLockError::WouldBlock) => {
                    let path = self.0.join("lock");
                    let text =
                        format!("another process holds `{}` and may sleep; `fuser` names it", path.display());
                    return Err(io::Error::new(ErrorKind::WouldBlock, text));
                }
            }
        }
    }

    /// The attempts in `live/`.
    pub(crate) fn listed(&self) -> io::Result<Vec<AttemptId>> {
        let mut attempts = Vec::new();
        for entry in fs::read_dir(self.0.join("live"))? {
            attempts.extend(entry?.file_name().to_str().and_then(|name| name.parse::<AttemptId>().ok()));
        }
        Ok(attempts)
    }

    /// The attempts whose accelerators are idle.
    pub(crate) fn idling(&self) -> io::Result<BTreeMap<AttemptId, Idling>> {
        let read = |attempt: AttemptId| match self.live(attempt).read::<Idling>(IDLING) {
            Ok(Found::Whole(idling)) => Some((attempt, idling)),
            // What is not known now is asked again.
            Ok(Found::Nothing | Found::Broken(_)) | Err(_) => None,
        };
        Ok(self.listed()?.into_iter().filter_map(read).collect())
    }

    /// Moves an attempt to `done/`; it may be there.
    pub(crate) fn file_away(&self, attempt: AttemptId) -> io::Result<()> {
        match fs::rename(self.live(attempt).path(), self.done(attempt).path()) {
            Err(fault) if fault.kind() != ErrorKind::NotFound => return Err(fault),
            _ => {}
        }
        sync(&self.0.join("done")).and_then(|()| sync(&self.0.join("live")))
    }

    /// What [`crate::Engine::output`] promises.
    pub(crate) fn output(
        &self,
        attempt: AttemptId,
        stream: OutputStream,
        from: u64,
        most: usize,
    ) -> Result<Chunk, EngineError> {
        let name = match stream {
            OutputStream::Out => OUT,
            OutputStream::Err => ERR,
        };
        // It may move to `done/` between the looks, and never back.
        let folders = [self.live(attempt), self.done(attempt)];
        for folder in &folders {
            match open_plain(&folder.file(name)) {
                Ok(file) => return piece(file, from, most).map_err(unavailable("read an output")),
                Err(fault) if fault.kind() == ErrorKind::NotFound => {}
                Err(fault) => return Err(unavailable("read an output")(fault)),
            }
        }
        let known = folders.iter().any(|folder| folder.path().exists());
        if known {
            Ok(Chunk { next: from, ..Chunk::default() })
        } else {
            Err(EngineError::Unknown { attempt })
        }
    }
}

impl Home {
    /// What [`crate::Engine::input`] promises.
    pub(crate) fn input(
        &self,
        attempt: AttemptId,
        at: Option<u64>,
        bytes: &[u8],
    ) -> Result<u64, EngineError> {
        let folder = self.live(attempt);
        if !folder.path().exists() {
            return Err(EngineError::Unknown { attempt });
        }
        let refused = |cause: String| EngineError::Refused { attempt, cause };
        let file = open_to_write(&folder.file(INPUT)).map_err(unavailable("open what is handed in"))?;
        // Until it is closed: two who type at once take turns.
        file.lock().map_err(unavailable("lock what is handed in"))?;
        let end = file.metadata().map_err(unavailable("look at what is handed in"))?.len();
        let at = at.unwrap_or(end);
        if at > end {
            return Err(refused(format!("{end} bytes were handed in so far, and this begins at {at}")));
        }
        let mut before = vec![0; usize::try_from(end - at).unwrap_or(usize::MAX).min(bytes.len())];
        file.read_exact_at(&mut before, at).map_err(unavailable("read what was handed in"))?;
        if !bytes.starts_with(&before) {
            return Err(refused(format!(
                "somebody else handed in something at {at}; {end} bytes are there by now"
            )));
        }
        let next = at.saturating_add(bytes.len() as u64);
        if next > INPUT_MOST {
            return Err(refused(format!(
                "at most {INPUT_MOST} bytes can be handed in; write a file instead"
            )));
        }
        file.write_all_at(bytes, at).map_err(unavailable("write what is handed in"))?;
        Ok(next)
    }
}

fn piece(mut file: File, from: u64, most: usize) -> io::Result<Chunk> {
    // Files can not be read from places far beyond their end, and there is nothing there.
    if from >= file.metadata()?.len() {
        return Ok(Chunk { next: from, ..Chunk::default() });
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    (&mut file).take(most as u64).read_to_end(&mut bytes)?;
    let next = from.saturating_add(bytes.len() as u64);
    let rest = Bytes::of(file.metadata()?.len().saturating_sub(next));
    Ok(Chunk { bytes, next, rest })
}
