//! The live federation: one process that decides, keeps, answers and carries out.
//!
//! ```text
//!  HTTP ──commands──> core ──decided──> writer ──durable──> answers
//!                      ^                   └──effects──> carriers ──> engines
//!                      └───────── facts ────────────────────┘
//! ```
//!
//! The core is one thread that owns the control and knows no disk; the writer makes what was decided durable, many
//! decisions in a commit, and only then lets answers out and tells the carriers. What is killed in between is found again:
//! the journal says what should be, the engines say what is.

mod carry;
mod data;
mod http;
mod listen;
mod live;
mod server;
mod signs;

pub use server::{Call, Found, Home, Server, ServerError, Stopped, may_listen};
