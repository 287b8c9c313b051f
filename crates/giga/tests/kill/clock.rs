//! The clock of the server, which is set forwards and back while it works. Only the server sees it: libfaketime is loaded into
//! that process alone. What the server starts gets none of it, because engines hand on only the few variables they name; nodes
//! have clocks of their own, and those are right. Time that only passes (`CLOCK_MONOTONIC`) is left alone, as on a machine
//! whose clock is set.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::chance::Chance;
use crate::load::hold;

/// How far it is set, in seconds. A day and an hour is longer than the limit of every job, and turns hours and a day.
const JUMPS: &[(u64, i64)] = &[(4, 600), (4, -600), (2, 90_000), (2, -90_000), (2, -20)];

/// By so much at least a jump forwards shows in a journal, in milliseconds: no round of the proof is so long.
pub(crate) const LEAP: i64 = 300_000;

pub(crate) struct Clock {
    library: PathBuf,
    /// Says how far the clock is from the right time.
    file: PathBuf,
    /// The same, in seconds.
    off: Arc<Mutex<i64>>,
}

impl Clock {
    /// One that is right, or why there can be none.
    pub(crate) fn find(folder: &Path) -> Result<Self, String> {
        let folders = fs::read_dir("/usr/lib").into_iter().flatten().filter_map(Result::ok);
        let library = folders
            .map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"))
            .find(|path| path.is_file())
            .ok_or("there is no libfaketime; apt-get install faketime")?;
        let clock = Self { library, file: folder.join("clock"), off: Arc::default() };
        write(&clock.file, 0).map_err(|fault| fault.to_string())?;
        Ok(clock)
    }

    /// Lets a process that is about to begin live by it.
    pub(crate) fn wind(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("FAKETIME_TIMESTAMP_FILE", &self.file).envs([
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ]);
    }

    /// A jump in seconds: the first is forwards and the second back, so that every run has both.
    pub(crate) fn draw(chance: &mut Chance, before: u64) -> i64 {
        match before {
            0 => 600,
            1 => -600,
            _ => chance.weighted(JUMPS),
        }
    }

    /// Sets it by so many seconds, when that time has passed.
    pub(crate) fn jump(&self, seconds: i64, wait: Duration) {
        let (file, off) = (self.file.clone(), Arc::clone(&self.off));
        thread::spawn(move || {
            thread::sleep(wait);
            let mut off = hold(&off);
            *off += seconds;
            // The run may be over by then, and its folder gone.
            let _ = write(&file, *off);
        });
    }
}

/// Aside first, so that nobody reads half of it.
fn write(file: &Path, off: i64) -> std::io::Result<()> {
    let aside = file.with_extension("new");
    fs::write(&aside, format!("{off:+}\n"))?;
    fs::rename(&aside, file)
}

/// Removes what the library leaves behind of a process that was killed: it would keep another one of the same number from
/// beginning.
pub(crate) fn forget(pid: u32) {
    for name in ["faketime_shm", "sem.faketime_sem"] {
        let _ = fs::remove_file(format!("/dev/shm/{name}_{pid}"));
    }
}
