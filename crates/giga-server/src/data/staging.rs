//! Bringing the files of a dataset to a folder, so that being killed at any byte costs nothing but time.
//!
//! Files come one after another into a folder beside, each read back and checked before it gets its name. When all are there and
//! on the disk, that folder gets the name of the dataset by one step. So what has the name is whole and as registered, or is not there.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration as Wait, Instant as Clock};

use giga_formats::manifest::{Manifest, ManifestFile, hex};

use super::tree::{self, Pulse, TreeError, fault};

/// Reads the files of a copy at another place.
pub(crate) trait Mover {
    /// The bytes of a file, from one of them on.
    fn open(&self, path: &str, from: u64) -> io::Result<Box<dyn Read>>;
}

/// The copy lies in a folder that this machine sees.
pub(crate) struct FromFolder(pub(crate) PathBuf);

impl Mover for FromFolder {
    fn open(&self, path: &str, from: u64) -> io::Result<Box<dyn Read>> {
        let mut file = tree::open_below(&self.0, path)?;
        io::Seek::seek(&mut file, io::SeekFrom::Start(from))?;
        Ok(Box::new(file))
    }
}

/// One staging.
pub(crate) struct Staging<'s> {
    /// What is brought.
    pub(crate) manifest: &'s Manifest,
    /// Where it is kept until all is there; of this dataset alone, and on the disk of `target`.
    pub(crate) aside: &'s Path,
    /// Its folder in the end.
    pub(crate) target: &'s Path,
}

/// What a staging came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Staged {
    /// It was brought.
    Here,
    /// It was there, and is as registered.
    Before,
}

/// The folder aside for what is registered now.
struct Room {
    /// Parts lie here.
    tied: PathBuf,
    /// And what is whole, under its own name.
    whole: PathBuf,
}

/// How much is moved at once.
const PIECE: usize = 1 << 20;

impl Staging<'_> {
    /// Brings what is missing, and goes on where an earlier call was broken off. Each byte that is there and checked counts in
    /// `pulse`, once more where it has to be brought again.
    ///
    /// # Errors
    /// Says what is in the way; what was brought so far stays aside.
    pub(crate) fn bring(&self, mover: &dyn Mover, pulse: Pulse<'_>) -> Result<Staged, TreeError> {
        if fs::symlink_metadata(self.target).is_ok() {
            let found = tree::scan(self.target, pulse)?;
            return match tree::difference(self.manifest, &found) {
                // A call that was killed after it gave the name left its folder aside.
                None if fs::symlink_metadata(self.tied()).is_ok() => Ok(Staged::Here),
                None => Ok(Staged::Before),
                Some(difference) => Err(TreeError::Differs {
                    what: format!(
                        "what lies in `{}` is not what is registered: {difference}; move it away and stage again",
                        self.target.display()
                    ),
                }),
            };
        }
        let room = self.room()?;
        let (found, missing): (Vec<_>, Vec<_>) = self
            .manifest
            .files()
            .iter()
            .enumerate()
            .partition(|(_, file)| is_there(&room.whole.join(&file.path), file));
        for (number, file) in missing {
            self.name(mover, &room, number, file, pulse)?;
        }
        // What an earlier call brought is read again once all the rest is there: so that one that is killed again and again gets
        // further each time.
        for (number, file) in found {
            if !is_sound(&room.whole.join(&file.path), file, pulse)? {
                self.name(mover, &room, number, file, pulse)?;
            }
        }
        self.finish(&room)?;
        Ok(Staged::Here)
    }

    /// The folder aside of what is registered now.
    fn tied(&self) -> PathBuf {
        self.aside.join(&hex(&super::digest(self.manifest))[..16])
    }

    /// Brings a file and gives it its name aside.
    fn name(
        &self,
        mover: &dyn Mover,
        room: &Room,
        number: usize,
        file: &ManifestFile,
        pulse: Pulse<'_>,
    ) -> Result<(), TreeError> {
        let (part, path) = (room.tied.join(format!("part-{number}")), room.whole.join(&file.path));
        self.bring_file(mover, file, &part, pulse)?;
        make_folder(path.parent().expect("it lies below a folder"))?;
        fs::rename(&part, &path).map_err(fault(&path))
    }

    /// Makes room aside; what was brought of another content is thrown away.
    fn room(&self) -> Result<Room, TreeError> {
        let tied = self.tied();
        make_folder(self.aside)?;
        for entry in fs::read_dir(self.aside).map_err(fault(self.aside))? {
            let path = entry.map_err(fault(self.aside))?.path();
            if path != tied {
                remove(&path)?;
            }
        }
        let whole = tied.join("whole");
        make_folder(&whole)?;
        Ok(Room { tied, whole })
    }

    /// Brings a file into its part, and checks what is on the disk. A part that was left may be torn: then it is brought again
    /// as a whole.
    fn bring_file(
        &self,
        mover: &dyn Mover,
        file: &ManifestFile,
        part: &Path,
        pulse: Pulse<'_>,
    ) -> Result<(), TreeError> {
        let left = fs::symlink_metadata(part).map_or(0, |about| about.len());
        let starts = if left == 0 || left > file.size { [Some(0), None] } else { [Some(left), Some(0)] };
        for from in starts.into_iter().flatten() {
            append(mover, file, part, from, pulse)?;
            let (size, digest) = tree::digest(part, &|_| pulse(0))?;
            if (size, digest) == (file.size, file.digest) {
                return Ok(());
            }
        }
        remove(part)?;
        let path = file.path.escape_debug();
        let what =
            format!("`{path}` is not what is registered where it comes from; `giga dataset add` says more");
        Err(TreeError::Source { what })
    }

    /// Gives what is whole its name, once it is on the disk and read-only.
    fn finish(&self, Room { tied, whole }: &Room) -> Result<(), TreeError> {
        let found = tree::list(whole)?;
        let expected = self.manifest.files().iter().map(|file| (&file.path, file.size));
        if !expected.eq(found.iter().map(|(path, size)| (path, *size))) {
            remove(tied)?;
            let what = "somebody else wrote where it was being staged; stage it again".to_owned();
            return Err(TreeError::Differs { what });
        }
        for file in self.manifest.files() {
            let path = whole.join(&file.path);
            let read_only = std::os::unix::fs::PermissionsExt::from_mode(0o400);
            fs::set_permissions(&path, read_only).map_err(fault(&path))?;
        }
        // All at once: until here nothing relies on what is on the disk, since a later call reads all of it again.
        let disk = File::open(whole).map_err(fault(whole))?;
        nix::unistd::syncfs(&disk).map_err(|error| fault(whole)(error.into()))?;
        let parent = self.target.parent().expect("it lies in the data area of a site");
        make_folder(parent)?;
        fs::rename(whole, self.target).map_err(fault(self.target))?;
        sync(parent)
    }

    /// Removes what is aside, once what came of it is kept.
    pub(crate) fn clean(&self) -> Result<(), TreeError> {
        remove(self.aside)
    }
}

/// How long another process that writes there is waited for, and between two tries.
const PATIENCE: Wait = Wait::from_secs(10);
const AGAIN: Wait = Wait::from_millis(100);

/// Keeps other processes from writing where a dataset is staged until the file is dropped: one that lost the store while it slept
/// would go on when it wakes.
pub(crate) fn lock(path: &Path, pulse: Pulse<'_>) -> Result<File, TreeError> {
    make_folder(path.parent().expect("it lies in the area of a site"))?;
    let file = File::options().write(true).create(true).truncate(false).open(path).map_err(fault(path))?;
    let until = Clock::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(cause)) => return Err(fault(path)(cause)),
            Err(TryLockError::WouldBlock) if Clock::now() < until => std::thread::sleep(AGAIN),
            Err(TryLockError::WouldBlock) => {
                let text = format!("another process writes there; `fuser {}` names it", path.display());
                return Err(fault(path)(io::Error::new(ErrorKind::WouldBlock, text)));
            }
        }
        pulse(0)?;
    }
}

/// Whether an earlier call brought a file, as far as can be told without reading it.
fn is_there(path: &Path, file: &ManifestFile) -> bool {
    let about = fs::symlink_metadata(path);
    about.is_ok_and(|about| about.is_file() && about.len() == file.size)
}

/// Whether a file that an earlier call brought is as it should be; what is not is removed.
fn is_sound(path: &Path, file: &ManifestFile, pulse: Pulse<'_>) -> Result<bool, TreeError> {
    let (size, digest) = tree::digest(path, &|_| pulse(0))?;
    if (size, digest) == (file.size, file.digest) {
        return pulse(file.size).map(|()| true);
    }
    remove(path).map(|()| false)
}

/// Adds to a part what it lacks, from a byte on.
fn append(
    mover: &dyn Mover,
    file: &ManifestFile,
    part: &Path,
    from: u64,
    pulse: Pulse<'_>,
) -> Result<(), TreeError> {
    if fs::symlink_metadata(part).is_ok_and(|about| !about.is_file()) {
        remove(part)?;
    }
    let flags = nix::libc::O_NOFOLLOW;
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).custom_flags(flags);
    let mut out = options.open(part).map_err(fault(part))?;
    out.set_len(from).map_err(fault(part))?;
    pulse(from)?;
    let source = |cause: io::Error| {
        let path = PathBuf::from(&file.path);
        let cause = io::Error::new(cause.kind(), format!("at its source: {cause}"));
        TreeError::File { path, cause }
    };
    // No more than is registered: what grew since is found by its digest.
    let mut bytes = mover.open(&file.path, from).map_err(source)?.take(file.size - from);
    let mut piece = vec![0; PIECE];
    loop {
        let read = match bytes.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(cause) => return Err(source(cause)),
        };
        out.write_all(&piece[..read]).map_err(fault(part))?;
        pulse(read as u64)?;
    }
    Ok(())
}

fn make_folder(path: &Path) -> Result<(), TreeError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(fault(path))
}

fn remove(path: &Path) -> Result<(), TreeError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(fault(path)(cause)),
        _ => Ok(()),
    }
}

fn sync(folder: &Path) -> Result<(), TreeError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault(folder))
}

#[cfg(test)]
mod tests;
