//! The folder of one attempt: names of its files, and how they are written so that a crash leaves all or nothing.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use giga_formats::attempt::{AttemptFile, AttemptFileError, Body};
use giga_units::Instant;

use super::body::BODY;
use super::host_name;

/// No file of an attempt that we wrote is larger.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The folder of one attempt.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

/// Whether a file that only one may make was made by this call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    Here,
    Before,
}

/// A file of an attempt as it is found.
#[derive(Debug)]
pub(crate) enum Found<T> {
    Nothing,
    Whole(T),
    /// It is there and says nothing; that will not change.
    Broken(AttemptFileError),
}

impl Folder {
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// When the program began, as it wrote itself; nothing where it did not.
    pub(crate) fn began(&self) -> io::Result<Option<Instant>> {
        Ok(match self.read::<Body>(BODY)? {
            Found::Whole(body) => Some(body.at),
            Found::Nothing | Found::Broken(_) => None,
        })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Fails where it can not be told what is there, which says nothing about the file.
    pub(crate) fn read<T: AttemptFile>(&self, name: &str) -> io::Result<Found<T>> {
        let file = match open_plain(&self.file(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(error),
        };
        let mut text = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut text)?;
        Ok(T::read(&text).map_or_else(Found::Broken, Found::Whole))
    }

    /// Writes a file that only one may make: whole or not at all, and durable when it returns.
    pub(crate) fn make(&self, name: &str, value: &impl AttemptFile) -> io::Result<Made> {
        let temporary = self.temporary(name, value)?;
        let linked = fs::hard_link(&temporary, self.file(name));
        let removed = fs::remove_file(&temporary);
        let made = match linked {
            Ok(()) => Made::Here,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Made::Before,
            Err(error) => return Err(error),
        };
        removed?;
        sync(&self.0)?;
        Ok(made)
    }

    /// Writes or replaces a file: whole or not at all, and durable when it returns.
    pub(crate) fn put(&self, name: &str, value: &impl AttemptFile) -> io::Result<()> {
        let temporary = self.temporary(name, value)?;
        fs::rename(&temporary, self.file(name))?;
        sync(&self.0)
    }

    /// Makes an empty file that asks for something.
    pub(crate) fn raise(&self, name: &str) -> io::Result<()> {
        private(OpenOptions::new().append(true).create(true)).open(self.file(name))?.sync_all()?;
        sync(&self.0)
    }

    /// Opens an output for appending.
    pub(crate) fn append(&self, name: &str) -> io::Result<File> {
        private(OpenOptions::new().append(true).create(true)).open(self.file(name))
    }

    fn temporary(&self, name: &str, value: &impl AttemptFile) -> io::Result<PathBuf> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // A process of the same number before may have left one behind, which is written over; one on another host has another name.
        let path = self.file(&format!(".{name}.{}.{}.{count}", host_name(), std::process::id()));
        let written = || {
            let options = &mut OpenOptions::new();
            let mut file = private(options.write(true).create(true).truncate(true)).open(&path)?;
            file.write_all(value.write().as_bytes())?;
            file.sync_all()
        };
        written().inspect_err(|_| {
            // What is half written only takes room; the next try writes it again.
            let _ = fs::remove_file(&path);
        })?;
        Ok(path)
    }
}

/// Opens for reading what is a plain file: a pipe in its place would never answer.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other(format!("`{}` is no plain file", path.display())));
    }
    Ok(file)
}

/// Opens for writing what is a plain file, or makes it; a link in its place leads nowhere.
pub(crate) fn open_to_write(path: &Path) -> io::Result<File> {
    let options = &mut OpenOptions::new();
    let options = private(options.read(true).write(true).create(true).truncate(false));
    let file = options.custom_flags(NONBLOCK | nix::libc::O_NOFOLLOW).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other(format!("`{}` is no plain file", path.display())));
    }
    Ok(file)
}

const NONBLOCK: i32 = nix::libc::O_NONBLOCK;

/// Only the user of the server reads what jobs say and are told.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// Makes a folder and those above it; it may be there.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes the entries of a folder durable.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use giga_formats::attempt::{Body, ProcessId};
    use giga_units::Instant;

    fn body(pid: u32) -> Body {
        let process = ProcessId { pid, start_ticks: 1, boot: "b".into() };
        Body { process, at: Instant::unix_milliseconds(1) }
    }

    #[test]
    fn what_one_may_make_is_made_once() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::at(home.path());
        let check = |pid, expected| assert_eq!(folder.make("body.json", &body(pid)).unwrap(), expected);
        check(1, Made::Here);
        check(2, Made::Before);
        assert!(matches!(folder.read::<Body>("body.json").unwrap(), Found::Whole(found) if found == body(1)));
        folder.put("body.json", &body(3)).unwrap();
        assert!(matches!(folder.read::<Body>("body.json").unwrap(), Found::Whole(found) if found == body(3)));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing temporary is left");
    }

    #[test]
    fn what_is_no_whole_file_is_broken_and_a_pipe_does_not_hang() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::at(home.path());
        assert!(matches!(folder.read::<Body>("body.json").unwrap(), Found::Nothing));
        fs::write(folder.file("body.json"), "{\"format\": 1,").unwrap();
        assert!(matches!(folder.read::<Body>("body.json").unwrap(), Found::Broken(_)));
        let pipe = folder.file("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(folder.read::<Body>("pipe").is_err());
    }
}
