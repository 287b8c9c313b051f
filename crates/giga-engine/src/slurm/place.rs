//! What a server brings to a site: who it is there, and the program that supervises attempts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::unistd::{User, geteuid};
use sha2::{Digest as _, Sha256};

/// The name of the user of this process, or its number where it has none.
#[must_use]
pub fn user() -> String {
    let user = geteuid();
    User::from_uid(user).ok().flatten().map_or_else(|| user.to_string(), |user| user.name)
}

/// Puts a copy of this program into a folder that the nodes share with us, and gives its path. Each version has a name of its own,
/// and is not touched again: a network file system takes a file that is replaced from those who run it.
///
/// # Errors
/// Fails where it can not be copied.
pub fn program(folder: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let digest: String =
        Sha256::digest(fs::read("/proc/self/exe")?)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let path = folder.join(format!("giga-{digest}"));
    if !path.try_exists()? {
        // It has its name only once it is whole.
        let new = folder.join(format!(".giga-{digest}.{}", std::process::id()));
        fs::copy("/proc/self/exe", &new)?;
        fs::File::open(&new)?.sync_all()?;
        fs::rename(&new, &path)?;
    }
    path.canonicalize()
}
