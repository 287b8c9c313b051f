//! The folder that an engine keeps for a job over its attempts, looked at from outside.
//!
//! What lies there is the job's doing. A path is resolved by the kernel below that folder: neither `..` nor a link leads out of
//! it, also where the job changes links meanwhile. Only plain files are opened, and nothing is waited for.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd as _;
use std::path::Path;

use giga_model::JobId;
use giga_units::Bytes;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};

use super::home::Home;

/// The folder of a job.
#[derive(Debug)]
pub struct JobFolder(File);

/// What lies in a folder of a job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name; what is no UTF-8 is replaced.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// How large it is, where it is a file.
    pub size: Bytes,
}

/// What lies under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
    /// A link, wherever it leads.
    Link,
    /// Anything else.
    Other,
}

impl JobFolder {
    /// The folder of a job, or `None` where it never began here.
    pub(crate) fn open(home: &Home, job: JobId) -> io::Result<Option<Self>> {
        let home = File::open(home.path())?;
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        // The folder itself is the job's to move: what lies there under its name may be a link by now.
        let resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS;
        let path = Path::new("work").join(job.to_string());
        match openat2(&home, &path, OpenHow::new().flags(flags).resolve(resolve)) {
            Ok(folder) => Ok(Some(Self(File::from(folder)))),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// What lies in a folder below it, by name, at most so many; and whether there is more.
    ///
    /// # Errors
    /// Fails where that is no folder, leads out of this one, or can not be read.
    pub fn list(&self, path: &Path, most: usize) -> io::Result<(Vec<Entry>, bool)> {
        let folder = self.beneath(path, OFlag::O_DIRECTORY)?;
        // By its open handle: the path may mean something else by now.
        let mut found = fs::read_dir(format!("/proc/self/fd/{}", folder.as_raw_fd()))?;
        let mut entries = Vec::new();
        for entry in found.by_ref().take(most) {
            let entry = entry?;
            // It may be gone again.
            let Ok(about) = entry.metadata() else { continue };
            let kind = match about.file_type() {
                kind if kind.is_file() => EntryKind::File,
                kind if kind.is_dir() => EntryKind::Folder,
                kind if kind.is_symlink() => EntryKind::Link,
                _ => EntryKind::Other,
            };
            let size = Bytes::of(if kind == EntryKind::File { about.len() } else { 0 });
            entries.push(Entry { name: entry.file_name().to_string_lossy().into_owned(), kind, size });
        }
        entries.sort();
        Ok((entries, found.next().is_some()))
    }

    /// Opens a plain file below it, and says how long that is now.
    ///
    /// # Errors
    /// Fails where that is no plain file, leads out of this folder, or can not be read.
    pub fn file(&self, path: &Path) -> io::Result<(File, u64)> {
        let file = self.beneath(path, OFlag::empty())?;
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no plain file"));
        }
        Ok((file, about.len()))
    }

    fn beneath(&self, path: &Path, flags: OFlag) -> io::Result<File> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = flags | OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS;
        match openat2(&self.0, path, OpenHow::new().flags(flags).resolve(resolve)) {
            Ok(opened) => Ok(File::from(opened)),
            Err(Errno::EXDEV) => {
                Err(io::Error::new(ErrorKind::PermissionDenied, "it leads out of the folder of the job"))
            }
            Err(errno) => Err(errno.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_leads_out_of_the_folder_of_a_job() {
        let outside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("secret"), "s").expect("a write");
        let home = Home::open(&outside.path().join("engine")).expect("a home");
        assert!(JobFolder::open(&home, JobId(7)).expect("a look").is_none());
        let work = home.path().join("work/7");
        fs::create_dir_all(work.join("out")).expect("a folder");
        fs::write(work.join("out/model"), "bytes").expect("a write");
        symlink("out/model", work.join("inside")).expect("a link");
        symlink(outside.path().join("secret"), work.join("absolute")).expect("a link");
        symlink("../../../secret", work.join("relative")).expect("a link");
        symlink("../../..", work.join("out/up")).expect("a link");
        symlink("/proc/self/root", work.join("magic")).expect("a link");
        nix::unistd::mkfifo(&work.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        let folder = JobFolder::open(&home, JobId(7)).expect("a look").expect("a folder");
        let read = |path: &str| {
            let (mut file, length) = folder.file(Path::new(path)).map_err(|fault| fault.kind())?;
            let mut text = String::new();
            file.read_to_string(&mut text).map_err(|fault| fault.kind())?;
            assert_eq!(text.len() as u64, length);
            Ok(text)
        };
        assert_eq!(read("out/model"), Ok("bytes".to_owned()));
        assert_eq!(read("out/../inside"), Ok("bytes".to_owned()), "a link within is followed");
        let out = [
            "absolute",
            "relative",
            "out/up/secret",
            "../7/out/model",
            "../../../secret",
            "magic/etc/passwd",
        ];
        for path in out.iter().chain(&["/etc/passwd", "out/up/engine/work/7/out/model"]) {
            assert_eq!(read(path), Err(ErrorKind::PermissionDenied), "{path}");
            assert!(folder.list(Path::new(path), 9).is_err(), "{path}");
        }
        assert_eq!(read("pipe"), Err(ErrorKind::InvalidInput));
        assert_eq!(read("out"), Err(ErrorKind::InvalidInput));
        assert_eq!(read("none"), Err(ErrorKind::NotFound));
        // Its whole folder in the place of another's, or of the machine's, and something that never opens.
        for (job, leads) in [(8, "7"), (9, "/")] {
            symlink(leads, home.path().join(format!("work/{job}"))).expect("a link");
            assert!(JobFolder::open(&home, JobId(job)).is_err(), "{leads}");
        }
        nix::unistd::mkfifo(&home.path().join("work/10"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        assert!(JobFolder::open(&home, JobId(10)).is_err());
        let (entries, more) = folder.list(Path::new("out"), 9).expect("a list");
        let named = entries.iter().map(|entry| (entry.name.as_str(), entry.kind)).collect::<Vec<_>>();
        assert_eq!((named, more), (vec![("model", EntryKind::File), ("up", EntryKind::Link)], false));
        assert_eq!(entries[0].size, Bytes::of(5));
        assert!(folder.list(Path::new(""), 2).expect("a list").1, "there is more");
    }
}
