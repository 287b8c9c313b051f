//! The local engine: attempts as processes of this machine, each under a supervisor of its own.
//!
//! The supervisors outlive the server. What is true lies in files, so that a server that was killed finds everything
//! again: the launch, the claim that only one process can make, the program's process, and the receipt.
//!
//! It is for one machine that one party trusts: programs run as the user of the server and are not shut in. They can
//! not see the server's environment, and nothing of them is left when they end.
//!
//! ```text
//! FOLDER/live/giga-17-1/   launch.json claim.json body.json receipt.json stop stdout stderr supervisor.log
//! FOLDER/done/giga-17-1/   the same, when its result is durable elsewhere
//! FOLDER/work/17/          where the programs of job 17 run, kept over its attempts
//! ```

mod body;
mod claim;
mod energy;
mod engine;
mod fence;
mod folder;
mod host;
mod pool;
mod process;
mod supervisor;

pub use engine::{LocalEngine, OpenError};
pub use host::{Device, Host, HostError};
pub use pool::LocalPool;
pub use supervisor::supervise;
