//! The local engine: attempts as processes of this machine, each under a supervisor of its own.
//!
//! The supervisors outlive the server. What is true lies in files, so that a server that was killed finds everything
//! again: the launch, the claim that only one process can make, the program's process, and the receipt.
//!
//! It is for one machine that one party trusts: programs run as the user of the server and are not shut in. They can
//! not see the server's environment, and nothing of them is left when they end.

mod engine;
mod host;
mod pool;

pub use crate::attempt::idle::READINGS;
pub use crate::attempt::{Device, OpenError, supervise};
pub use engine::LocalEngine;
pub use host::{Host, HostError};
pub use pool::LocalPool;
