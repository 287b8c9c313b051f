//! Bringing the files of a dataset to a folder, so that being killed at any byte costs nothing but time.
//!
//! Files come one after another into a folder beside, each checked by what is on the disk there before it gets its name. When all
//! are there, that folder gets the name of the dataset by one step. So what has the name is whole and as registered, or is not there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

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
        let mut file = tree::open_plain(&self.0.join(path))?;
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
                None => self.clean().map(|()| Staged::Before),
                Some(difference) => Err(TreeError::Differs {
                    what: format!(
                        "what lies in `{}` is not what is registered: {difference}; move it away and stage again",
                        self.target.display()
                    ),
                }),
            };
        }
        let whole = self.room()?;
        for (number, file) in self.manifest.files().iter().enumerate() {
            let path = whole.join(&file.path);
            if !is_sound(&path, file, pulse)? {
                let part = self.tied().join(format!("part-{number}"));
                self.bring_file(mover, file, &part, pulse)?;
                make_folder(path.parent().expect("it lies below a folder"))?;
                fs::set_permissions(&part, std::os::unix::fs::PermissionsExt::from_mode(0o400))
                    .map_err(fault(&part))?;
                fs::rename(&part, &path).map_err(fault(&path))?;
            }
        }
        self.finish(&whole)?;
        self.clean().map(|()| Staged::Here)
    }

    /// The folder aside for what is registered now.
    fn tied(&self) -> PathBuf {
        let digest = super::digest(self.manifest);
        self.aside.join(&hex(&digest)[..16])
    }

    /// Makes room aside; what was brought of another content is thrown away.
    fn room(&self) -> Result<PathBuf, TreeError> {
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
        Ok(whole)
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
        Err(TreeError::Differs { what })
    }

    /// Gives what is whole its name.
    fn finish(&self, whole: &Path) -> Result<(), TreeError> {
        let found = tree::list(whole)?;
        let expected = self.manifest.files().iter().map(|file| (&file.path, file.size));
        if !expected.eq(found.iter().map(|(path, size)| (path, *size))) {
            remove(&self.tied())?;
            let what = "somebody else wrote where it was being staged; stage it again".to_owned();
            return Err(TreeError::Differs { what });
        }
        sync_folders(whole)?;
        let parent = self.target.parent().expect("it lies in the data area of a site");
        make_folder(parent)?;
        fs::rename(whole, self.target).map_err(fault(self.target))?;
        sync(parent)
    }

    fn clean(&self) -> Result<(), TreeError> {
        remove(self.aside)
    }
}

/// Whether a file that an earlier call brought is as it should be; what is not is removed.
fn is_sound(path: &Path, file: &ManifestFile, pulse: Pulse<'_>) -> Result<bool, TreeError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(cause) => return Err(fault(path)(cause)),
        Ok(about) if about.is_file() && about.len() == file.size => {
            let (size, digest) = tree::digest(path, &|_| pulse(0))?;
            if (size, digest) == (file.size, file.digest) {
                pulse(file.size)?;
                return Ok(true);
            }
        }
        Ok(_) => {}
    }
    remove(path).map(|()| false)
}

/// Adds to a part what it lacks, from a byte on; all of it is on the disk when this returns.
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
    out.sync_all().map_err(fault(part))
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

/// Makes the names in a folder and all below it durable.
fn sync_folders(root: &Path) -> Result<(), TreeError> {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(fault(&folder))? {
            let entry = entry.map_err(fault(&folder))?;
            if entry.file_type().map_err(fault(&folder))?.is_dir() {
                folders.push(entry.path());
            }
        }
        sync(&folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
