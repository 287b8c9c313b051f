//! The data folder: who may enter it, what it lies on, how much room is left, whether a way in was left there.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use giga_formats::access::{self, AccessError};
use giga_units::Bytes;
use nix::sys::statvfs::statvfs;

use super::{Check, shown};

/// With less the journal may soon find no room.
const FREE_LEAST: Bytes = Bytes::mebibytes(256);
/// With less somebody should look.
const FREE_WARN: Bytes = Bytes::mebibytes(5 << 10);

/// `journal` says that it holds the journal, and no database does.
pub(super) fn checks(folder: &Path, named: &str, journal: bool) -> Vec<Check> {
    let mut checks = vec![entry(folder, named)];
    // The disk on which it is or will be.
    if let Some(there) = folder.ancestors().find(|path| path.exists()) {
        checks.extend(disk(there, snapshots(folder)));
        checks.extend(file_system(there).filter(|_| journal));
    }
    checks.extend(way_in(folder));
    checks
}

fn entry(folder: &Path, named: &str) -> Check {
    const NAME: &str = "data folder";
    let about = match fs::metadata(folder) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return absent(folder, named),
        Err(error) => {
            let help = "let the user of the server enter it, or name another with `--data`";
            return Check::fail(NAME, format!("{} can not be entered: {error}", shown(folder)), help);
        }
    };
    if !about.is_dir() {
        let text = format!("{} is no folder", shown(folder));
        return Check::fail(NAME, text, "move it away, or name another with `--data`");
    }
    let (mode, me) = (about.permissions().mode() & 0o777, nix::unistd::geteuid().as_raw());
    if about.uid() != me {
        let text = format!("{} belongs to user {}, and this is user {me}", shown(folder), about.uid());
        return Check::fail(
            NAME,
            text,
            "call giga as the user of the server, or give the folder to this one",
        );
    }
    if mode & 0o700 != 0o700 {
        let text = format!("{} has mode {mode:04o}", shown(folder));
        return Check::fail(NAME, text, format!("give it back with `chmod 700 {}`", folder.display()));
    }
    if mode & 0o077 != 0 {
        let text = format!("{} has mode {mode:04o}: others may enter", shown(folder));
        let help = format!(
            "`chmod 700 {}`; a server does so itself, where nothing else lies there",
            folder.display()
        );
        return Check::warn(NAME, text, help);
    }
    Check::ok(NAME, format!("{}, mode {mode:04o}", shown(folder)))
}

fn absent(folder: &Path, named: &str) -> Check {
    let above = folder.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let text = format!("the {named} one is {}, which is not there yet", shown(folder));
    if nix::unistd::access(above, nix::unistd::AccessFlags::W_OK).is_ok() {
        return Check::ok("data folder", text + "; `giga up` makes it");
    }
    let help = format!("make it and give it to the user of the server: {} can not be written", shown(above));
    Check::fail("data folder", text, help)
}

/// The size of the largest snapshot: the next is written whole before an old one goes.
fn snapshots(folder: &Path) -> Bytes {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let snapshots = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("snapshot-"));
    let sizes = snapshots.filter_map(|entry| Some(entry.metadata().ok()?.len()));
    Bytes::of(sizes.max().unwrap_or(0))
}

fn disk(there: &Path, snapshot: Bytes) -> Option<Check> {
    const NAME: &str = "disk";
    let disk = statvfs(there).ok()?;
    let free = Bytes::of(disk.blocks_available().saturating_mul(disk.fragment_size()));
    let text = format!("{} free, the largest snapshot has {}", size(free), size(snapshot));
    let help = "free some, or move the data folder: where the journal can not be written, the server ends";
    Some(if free < FREE_LEAST || free < snapshot {
        Check::fail(NAME, text, help)
    } else if free < FREE_WARN {
        Check::warn(NAME, text, help)
    } else if disk.files() > 0 && disk.files_available() < 10_000 {
        Check::warn(NAME, format!("{} files may still be made there", disk.files_available()), help)
    } else {
        Check::ok(NAME, text)
    })
}

/// In the unit that people buy disks by.
pub(super) fn size(bytes: Bytes) -> String {
    let (tenths, unit) = match bytes.as_bytes() {
        few @ ..1_000_000_000 => (few / 100_000, "MB"),
        many => (many / 100_000_000, "GB"),
    };
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(target_os = "linux")]
fn file_system(there: &Path) -> Option<Check> {
    use nix::sys::statfs::{FUSE_SUPER_MAGIC, NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, TMPFS_MAGIC, statfs};
    const NAME: &str = "file system";
    let kind = statfs(there).ok()?.filesystem_type();
    let far = "SQLite's write-ahead log needs a disk of this machine: locks and memory are not shared over a network";
    Some(match kind {
        NFS_SUPER_MAGIC | SMB_SUPER_MAGIC => Check::fail(NAME, "it lies on another machine", far),
        TMPFS_MAGIC => {
            let text = "it lies in memory: a power cut takes all of it";
            Check::warn(NAME, text, "name a folder on a disk with `--data`, unless this is a try")
        }
        FUSE_SUPER_MAGIC => Check::warn(NAME, "it is mounted by a program (FUSE)", far),
        _ => Check::ok(NAME, "of this machine"),
    })
}

#[cfg(not(target_os = "linux"))]
fn file_system(_: &Path) -> Option<Check> {
    None
}

fn way_in(folder: &Path) -> Option<Check> {
    const NAME: &str = "access file";
    match access::read(folder) {
        Ok(access) => Some(Check::ok(NAME, format!("leads to {}", access.url))),
        Err(AccessError::Absent { .. }) => None,
        Err(AccessError::Open { path }) => {
            let help = format!("`chmod 600 {}`, and make a new key if others could see it", path.display());
            Some(Check::fail(NAME, format!("others may read {}, which holds a token", shown(&path)), help))
        }
        Err(error) => {
            Some(Check::fail(NAME, error.to_string(), "start the server again to have it written anew"))
        }
    }
}
