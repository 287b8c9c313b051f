//! The files below a folder, and whether they are what a manifest says. Nothing is followed out of the folder: what is no plain
//! file and no folder is refused.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use giga_formats::manifest::{Digest, FILES_MAX, Manifest, ManifestError, ManifestFile};
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Why something was not done with files.
#[derive(Debug, Error)]
pub(crate) enum TreeError {
    /// A file or folder can not be used.
    #[error("`{}` can not be used: {cause}", path.display())]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// Something is neither file nor folder.
    #[error("`{}` is neither a plain file nor a folder; links and pipes are not data", path.display())]
    NotPlain { path: PathBuf },
    /// A name is not UTF-8.
    #[error("the name of `{}` is not UTF-8, so no manifest can hold it", path.display())]
    NotText { path: PathBuf },
    /// The files can not be in a manifest.
    #[error("in `{}`: {cause}", root.display())]
    Manifest {
        root: PathBuf,
        #[source]
        cause: ManifestError,
    },
    /// The bytes are not those that were registered.
    #[error("{what}")]
    Differs { what: String },
    /// What is to be copied is not what was registered.
    #[error("{what}")]
    Source { what: String },
    /// Whoever asked for it wants it no more.
    #[error("it was broken off, and is gone on with by the next start")]
    Stopped,
}

/// Says how many bytes were read or written, and learns whether to go on.
pub(crate) type Pulse<'p> = &'p dyn Fn(u64) -> Result<(), TreeError>;

/// How much is read at once.
const PIECE: usize = 1 << 20;

pub(crate) fn fault(path: &Path) -> impl FnOnce(io::Error) -> TreeError + '_ {
    move |cause| TreeError::File { path: path.to_owned(), cause }
}

/// The plain files below a folder, with their paths and sizes.
pub(crate) fn list(root: &Path) -> Result<Vec<(String, u64)>, TreeError> {
    let (mut files, mut folders) = (Vec::new(), vec![(root.to_owned(), String::new())]);
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(fault(&folder))? {
            let entry = entry.map_err(fault(&folder))?;
            let path = entry.path();
            // Of the entry itself, not of what it may point to.
            let about = fs::symlink_metadata(&path).map_err(fault(&path))?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| TreeError::NotText { path: path.clone() })?;
            let below = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            if about.is_dir() {
                folders.push((path, below));
            } else if about.is_file() {
                if files.len() == FILES_MAX {
                    let cause = ManifestError::TooLarge;
                    return Err(TreeError::Manifest { root: root.to_owned(), cause });
                }
                files.push((below, about.len()));
            } else {
                return Err(TreeError::NotPlain { path });
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The manifest of what lies below a folder. Every byte is read.
pub(crate) fn scan(root: &Path, pulse: Pulse<'_>) -> Result<Manifest, TreeError> {
    let wrong = |cause| TreeError::Manifest { root: root.to_owned(), cause };
    let listed = list(root)?;
    // What no manifest can hold is found before hours are spent on reading it.
    let outline =
        |(path, size): &(String, u64)| ManifestFile { path: path.clone(), size: *size, digest: [0; 32] };
    Manifest::of(listed.iter().map(outline).collect()).map_err(wrong)?;
    let mut files = Vec::new();
    for (path, _) in listed {
        let (size, digest) = digest_of(open_below(root, &path), &root.join(&path), pulse)?;
        files.push(ManifestFile { path, size, digest });
    }
    Manifest::of(files).map_err(wrong)
}

/// Size and digest of a file, as it was read.
pub(crate) fn digest(path: &Path, pulse: Pulse<'_>) -> Result<(u64, Digest), TreeError> {
    digest_of(open_plain(path), path, pulse)
}

fn digest_of(file: io::Result<File>, path: &Path, pulse: Pulse<'_>) -> Result<(u64, Digest), TreeError> {
    let mut file = file.map_err(fault(path))?;
    let (mut hash, mut size, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let read = match file.read(&mut piece) {
            Ok(0) => return Ok((size, hash.finalize().into())),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(fault(path)(cause)),
        };
        hash.update(&piece[..read]);
        size += read as u64;
        pulse(read as u64)?;
    }
}

/// The same below a folder, where no folder on the way may be a link either: whoever may write there could make one at any time.
pub(crate) fn open_below(root: &Path, path: &str) -> io::Result<File> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let mut folder = File::open(root)?;
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    for name in folders.split('/').filter(|name| !name.is_empty()) {
        folder = openat(&folder, name, flags | OFlag::O_DIRECTORY, Mode::empty())?.into();
    }
    plain(openat(&folder, name, flags, Mode::empty())?.into())
}

fn plain(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no plain file")) }
}

/// Opens for reading what is a plain file: neither a link nor a pipe that would never answer.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    plain(OpenOptions::new().read(true).custom_flags(flags).open(path)?)
}

/// The first file in which what was found is not what was registered, and how many there are; `None` where there is none.
pub(crate) fn difference(registered: &Manifest, found: &Manifest) -> Option<String> {
    let name = |path: &str| format!("`{}`", path.escape_debug());
    let (mut all, mut first) = (0_u64, None);
    let mut note = |text: String| {
        all += 1;
        first.get_or_insert(text);
    };
    let (mut old, mut new) = (registered.files().iter().peekable(), found.files().iter().peekable());
    loop {
        match (old.peek(), new.peek()) {
            (None, None) => break,
            (Some(one), Some(other)) if one.path == other.path => {
                if one.size != other.size {
                    note(format!("{} has {} bytes instead of {}", name(&one.path), other.size, one.size));
                } else if one.digest != other.digest {
                    note(format!("{} has other bytes", name(&one.path)));
                }
                old.next();
                new.next();
            }
            (Some(one), other) if other.is_none_or(|other| one.path < other.path) => {
                note(format!("{} is missing", name(&one.path)));
                old.next();
            }
            (_, Some(other)) => {
                note(format!("{} was added", name(&other.path)));
                new.next();
            }
            (Some(_), None) => unreachable!("what is only registered is missing"),
        }
    }
    let more = if all > 1 { format!(" ({all} files differ)") } else { String::new() };
    first.map(|first| first + &more)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go_on(_: u64) -> Result<(), TreeError> {
        Ok(())
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn each_difference_is_found() {
        let before = folder(&[("a/1", "one"), ("a/2", "two"), ("b", "three")]);
        let registered = scan(before.path(), &go_on).unwrap();
        assert_eq!((registered.files().len(), registered.bytes()), (3, 11));
        let check = |files: &[(&str, &str)], expected: Option<&str>| {
            let found = scan(folder(files).path(), &go_on).unwrap();
            assert_eq!(difference(&registered, &found).as_deref(), expected);
        };
        check(&[("a/1", "one"), ("a/2", "two"), ("b", "three")], None);
        check(&[("a/1", "one"), ("a/2", "twO"), ("b", "three")], Some("`a/2` has other bytes"));
        check(&[("a/1", "one"), ("a/2", "tw"), ("b", "three")], Some("`a/2` has 2 bytes instead of 3"));
        check(&[("a/1", "one"), ("a/2", "two")], Some("`b` is missing"));
        check(&[("a/1", "one"), ("a/2", "two"), ("b", "three"), ("c", "")], Some("`c` was added"));
        check(&[("0", ""), ("a/1", "one"), ("b", "x")], Some("`0` was added (3 files differ)"));
    }

    #[test]
    fn nothing_is_followed_out_of_the_folder() {
        let outside = folder(&[("secret", "s")]);
        let inside = folder(&[("a", "one")]);
        std::os::unix::fs::symlink(outside.path(), inside.path().join("b")).unwrap();
        let refused = scan(inside.path(), &go_on).unwrap_err();
        assert!(matches!(&refused, TreeError::NotPlain { path } if path.ends_with("b")), "{refused}");
        assert!(open_plain(&inside.path().join("b")).is_err());
        assert!(matches!(scan(folder(&[]).path(), &go_on), Err(TreeError::Manifest { .. })));
    }
}
