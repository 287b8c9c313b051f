//! The Slurm engine keeps the contract of engines on a real Slurm, which this program starts itself.
//!
//! It has a `main` of its own because it is also the supervisor of the attempts that it starts. A word on the command line
//! runs the cases that have it in their name.

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(target_os = "linux")]
#[path = "slurm/linux.rs"]
mod linux;
