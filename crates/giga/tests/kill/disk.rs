//! Disks of their own, so small that they can be full: one under the data folder of the server, which must promise only what it
//! can keep, and one under the folder that it shares with the nodes, where supervisors have to wait for room.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory that ends with this value.
pub(crate) struct Disk(PathBuf);

/// A disk without room, until this is dropped.
pub(crate) struct Full(PathBuf);

/// Room for a journal and some snapshots of a run, or for its attempts.
const SIZE: &str = "size=64m,mode=700";

impl Disk {
    /// Mounts one, or says why that can not be: it takes the rights of root.
    pub(crate) fn mount(at: PathBuf) -> Result<Self, String> {
        fs::create_dir_all(&at).map_err(|fault| format!("mount: {fault}"))?;
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(&at).output();
        let mounted = mounted.map_err(|fault| format!("mount: {fault}"))?;
        if mounted.status.success() {
            Ok(Self(at))
        } else {
            Err(String::from_utf8_lossy(&mounted.stderr).trim().to_owned())
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Leaves no room on it, or so many bytes.
    pub(crate) fn fill(&self, room: u64) -> Full {
        let full = Full(self.0.join("full"));
        let mut file = File::create(&full.0).expect("a name takes no room in memory");
        let bytes = [0; 1 << 16];
        loop {
            match file.write(&bytes) {
                Ok(_) => {}
                Err(fault) if fault.kind() == ErrorKind::StorageFull => break,
                Err(fault) => panic!("`{}`: {fault}", full.0.display()),
            }
        }
        let length = file.metadata().expect("its length").len();
        file.set_len(length.saturating_sub(room)).expect("it can be cut");
        full
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        // Where it is gone, the run is over and its disk as well.
        let _ = fs::remove_file(&self.0);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, since one who reads may have a file open; what can not be taken away is left to whoever looks for it.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
