//! `access.json`: how to reach a server that was started on this machine, left in its data folder for its owner.
//!
//! It holds a token, so it is written for its owner's eyes only, and not read where others could have read it too.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The name of the file in a data folder.
pub const ACCESS_FILE: &str = "access.json";
const FORMAT: u32 = 1;

/// Where a server is and what opens it.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    /// The address, such as `http://127.0.0.1:7474`.
    pub url: String,
    /// The secret to send.
    pub token: String,
}

impl std::fmt::Debug for Access {
    /// Without the token, so that no log can hold it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Why access could not be read or left.
#[derive(Debug, Error)]
pub enum AccessError {
    /// There is no such file: no server was started with this data folder.
    #[error("there is no `{}`; start a server with `giga up`", path.display())]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be read or written.
    #[error("can not {what} `{}`", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others than its owner may read it.
    #[error("others may read `{0}`, which holds a token; run `chmod 600 {0}`, and make a new key if others could see it", path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// It is something else, or damaged.
    #[error("`{}` is no access file; start the server again to have it written anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        #[source]
        source: serde_json::Error,
    },
    /// Another release wrote it.
    #[error("`{}` has format {found}, and this release reads {FORMAT}; use the release that started the server", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format it has.
        found: u32,
    },
}

impl AccessError {
    /// Whether it may go away by itself: a full disk gets room.
    #[must_use]
    pub fn passes(&self) -> bool {
        let Self::File { source, .. } = self else { return false };
        matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
    }
}

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    url: String,
    token: String,
}

/// Reads the access file of a data folder.
///
/// # Errors
/// Says why not: it is not there, others may read it, or it is none.
pub fn read(folder: &Path) -> Result<Access, AccessError> {
    let path = folder.join(ACCESS_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(AccessError::Absent { path });
        }
        Err(source) => return Err(AccessError::File { what: "read", path, source }),
    };
    if others_may_read(&path)? {
        return Err(AccessError::Open { path });
    }
    match serde_json::from_str::<File>(&text) {
        Err(source) => Err(AccessError::Damaged { path, source }),
        Ok(File { format, .. }) if format != FORMAT => Err(AccessError::Format { path, found: format }),
        Ok(File { url, token, .. }) => Ok(Access { url, token }),
    }
}

/// Leaves an access file in a data folder, for its owner only, in the place of one that is there.
///
/// # Errors
/// Says what could not be written.
pub fn write(folder: &Path, access: &Access) -> Result<(), AccessError> {
    let (path, new) = (folder.join(ACCESS_FILE), folder.join(format!("{ACCESS_FILE}.new")));
    let file = File { format: FORMAT, url: access.url.clone(), token: access.token.clone() };
    let mut text = serde_json::to_string_pretty(&file).expect("plain values can be written");
    text.push('\n');
    let fault = |source| AccessError::File { what: "write", path: path.clone(), source };
    // One that was left by a write that broke off may have other rights.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(fault(error)),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&new, &path)).map_err(fault)
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> Result<bool, AccessError> {
    use std::os::unix::fs::PermissionsExt as _;
    let fault = |source| AccessError::File { what: "read", path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(fault)?.permissions().mode();
    Ok(mode & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_path: &Path) -> Result<bool, AccessError> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Access {
        Access { url: "http://127.0.0.1:7474".into(), token: "giga_abc".into() }
    }

    #[test]
    fn what_is_left_is_read_and_others_can_not_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(read(folder.path()), Err(AccessError::Absent { .. })));
        write(folder.path(), &sample()).expect("a write");
        write(folder.path(), &sample()).expect("a second write");
        assert_eq!(read(folder.path()).expect("an access"), sample());
        assert!(!format!("{:?}", sample()).contains("giga_abc"));
    }

    #[test]
    fn a_full_disk_passes_and_nothing_else_does() {
        let fault = |kind: ErrorKind| {
            AccessError::File { what: "write", path: PathBuf::new(), source: kind.into() }.passes()
        };
        assert!(fault(ErrorKind::StorageFull) && fault(ErrorKind::QuotaExceeded));
        assert!(
            !fault(ErrorKind::PermissionDenied) && !AccessError::Absent { path: PathBuf::new() }.passes()
        );
    }

    #[cfg(unix)]
    #[test]
    fn one_that_others_may_read_is_refused_with_the_way_out() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), &sample()).expect("a write");
        let path = folder.path().join(ACCESS_FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("a change of rights");
        let error = read(folder.path()).expect_err("it is open").to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn what_is_no_access_file_is_said() {
        let check = |text: &str, expected: &str| {
            let folder = tempfile::tempdir().expect("a folder");
            write(folder.path(), &sample()).expect("a write");
            fs::write(folder.path().join(ACCESS_FILE), text).expect("a write");
            let error = read(folder.path()).expect_err("it is none").to_string();
            assert!(error.contains(expected), "{error}");
        };
        let first = "{\"format\": 1, \"url\": \"http://a:1\", \"token\": \"t\"}";
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), &sample()).expect("a write");
        fs::write(folder.path().join(ACCESS_FILE), first).expect("a write");
        let kept = Access { url: "http://a:1".into(), token: "t".into() };
        assert_eq!(read(folder.path()).expect("one that the first release left"), kept);
        check("", "is no access file");
        check("{\"format\": 2, \"url\": \"\", \"token\": \"\"}", "has format 2");
    }
}
