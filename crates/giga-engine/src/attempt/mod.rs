//! What all engines share that keep their attempts in folders: the files of an attempt, the claim, the supervisor.
//!
//! What is true lies in files, so that a server that was killed finds everything again: the launch, the claim that only one
//! process can make, the program's process, and the receipt.
//!
//! ```text
//! FOLDER/live/giga-17-1/   launch.json claim.json body.json receipt.json stop stdout stderr supervisor.log
//! FOLDER/done/giga-17-1/   the same, when its result is durable elsewhere
//! FOLDER/work/17/          where the programs of job 17 run, kept over its attempts
//! ```

pub(crate) mod body;
pub(crate) mod claim;
pub(crate) mod container;
pub(crate) mod energy;
pub(crate) mod fence;
pub(crate) mod folder;
pub(crate) mod home;
pub(crate) mod idle;
pub(crate) mod launch;
pub(crate) mod process;
pub(crate) mod sent;
pub(crate) mod supervisor;
pub(crate) mod work;

use std::fs;
use std::time::SystemTime;

use giga_units::Instant;

pub use container::runtime_program;
pub use energy::Device;
pub use home::OpenError;
pub use supervisor::supervise;
pub use work::{Entry, EntryKind, JobFolder};

/// The clock of this machine.
pub(crate) fn now() -> Instant {
    Instant::from(SystemTime::now())
}

/// The name of this machine.
pub(crate) fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "unknown".to_owned() } else { name.trim().to_owned() }
}
