//! Files that a job brings along, put into its folder before its program begins.
//!
//! Each is there whole or not at all. What lies there already stays: an attempt before this one may have changed it, and a job goes on
//! from what it left. Nothing is written outside that folder, whatever links the job has put into it.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;

use giga_model::SentFile;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{Mode, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

/// What a file that is being written is called, beside the others.
const BEGUN: &str = ".giga-sent";

/// Puts the files into a folder where nothing lies in their way.
pub(crate) fn put(folder: &Path, files: &[SentFile]) -> io::Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let folder = File::open(folder)?;
    files.iter().try_for_each(|file| match lay(&folder, file) {
        // The job has made something else of the folder that it lay in.
        Err(Errno::ENOTDIR | Errno::ELOOP | Errno::EXDEV) => Ok(()),
        laid => laid.map_err(|errno| {
            let fault = io::Error::from(errno);
            io::Error::new(fault.kind(), format!("`{}`: {fault}", file.path.display()))
        }),
    })
}

fn lay(folder: &File, file: &SentFile) -> Result<(), Errno> {
    let within = folder_of(folder, file.path.parent().unwrap_or(Path::new("")))?;
    let name = file.path.file_name().ok_or(Errno::EINVAL)?;
    match fstatat(&within, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Err(Errno::ENOENT) => {}
        there => return there.map(drop),
    }
    // One that a kill left behind is no file of the job.
    match unlinkat(&within, BEGUN, UnlinkatFlags::NoRemoveDir) {
        Err(errno) if errno != Errno::ENOENT => return Err(errno),
        _ => {}
    }
    let mode = if file.executable { Mode::S_IRWXU } else { Mode::S_IRUSR | Mode::S_IWUSR };
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
    let mut begun = File::from(beneath(&within, Path::new(BEGUN), flags, mode)?);
    let written = begun.write_all(&file.bytes).and_then(|()| begun.sync_all());
    written.map_err(|fault| fault.raw_os_error().map_or(Errno::EIO, Errno::from_raw))?;
    nix::fcntl::renameat(&within, BEGUN, &within, name)
}

/// A folder below another, made where it is missing.
fn folder_of(folder: &File, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut within = beneath(folder, Path::new("."), flags, Mode::empty())?;
    for name in path {
        match mkdirat(&within, name, Mode::S_IRWXU) {
            Err(errno) if errno != Errno::EEXIST => return Err(errno),
            _ => {}
        }
        within = beneath(&within, Path::new(name), flags, Mode::empty())?;
    }
    Ok(within)
}

fn beneath(folder: impl std::os::fd::AsFd, path: &Path, flags: OFlag, mode: Mode) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS;
    openat2(folder, path, OpenHow::new().flags(flags).mode(mode).resolve(resolve))
}
