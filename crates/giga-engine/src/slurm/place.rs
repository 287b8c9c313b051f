//! What a server brings to a site: who it is there, and the program that supervises attempts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::unistd::{User, geteuid};

/// The name of the user of this process, or its number where it has none.
#[must_use]
pub fn user() -> String {
    let user = geteuid();
    User::from_uid(user).ok().flatten().map_or_else(|| user.to_string(), |user| user.name)
}

/// Puts a copy of this program into a folder that the nodes share with us, and gives its path. Supervisors that run go on with
/// the copy that they began with.
///
/// # Errors
/// Fails where it can not be copied.
pub fn program(folder: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let (path, new) = (folder.join("giga"), folder.join(format!("giga.{}", std::process::id())));
    fs::copy("/proc/self/exe", &new)?;
    fs::rename(&new, &path)?;
    path.canonicalize()
}
