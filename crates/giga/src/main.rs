//! The one binary of giga: reads the command line, calls the parts, prints.
//!
//! It wires and prints, and holds no rule of its own. It ends with 0 when the work is done, 1 when it failed, and 2
//! when the input or the call is wrong.
#![expect(clippy::print_stderr, reason = "a command line prints")]

mod beside;
mod check;
#[cfg(feature = "live")]
mod client;
mod compare;
mod completions;
#[cfg(feature = "live")]
mod doctor;
#[cfg(feature = "live")]
mod home;
mod observe;
mod series;
#[cfg(feature = "live")]
mod settings;
mod simulate;
#[cfg(feature = "live")]
mod up;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// Plans, simulates and runs federations of compute sites.
#[derive(Debug, Parser)]
#[command(name = "giga", version)]
struct Call {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Validates descriptions; names each fault with file, line, column and the way to mend it.
    Check(check::Check),
    /// Runs a description in the twin: what it delivers, to whom, and what is lost and why.
    Simulate(Box<simulate::Simulate>),
    /// Looks at a Slurm cluster by `sinfo`, `squeue` and `sacct` alone: who uses it, what waits and is lost, what it draws.
    Observe(Box<observe::Observe>),
    /// Shows what files of weather, prices, carbon, profiles and telemetry hold: span, gaps and how they are filled, figures.
    Series(series::Series),
    /// Lays finished runs side by side: every figure, and how far it is from the first run's.
    Compare(compare::Compare),
    #[cfg(feature = "live")]
    /// Starts a live federation and keeps it up: takes jobs, places them, carries them out.
    Up(up::Up),
    #[cfg(feature = "live")]
    /// Looks at everything that a live federation needs, and says what to do about what is not as it should be.
    Doctor(doctor::Doctor),
    #[cfg(feature = "live")]
    /// Watches one attempt at a job; the local engine calls it.
    #[command(hide = true)]
    Attempt(up::Attempt),
    #[cfg(feature = "live")]
    #[command(flatten)]
    Live(client::Live),
    /// Prints what a shell needs to complete calls of this program.
    Completions(completions::Completions),
}

fn main() -> ExitCode {
    let ended = match Call::parse().verb {
        Verb::Check(check) => check::run(&check),
        Verb::Simulate(simulate) => simulate::run(&simulate),
        Verb::Observe(call) => observe::run(&call),
        Verb::Series(call) => series::run(&call),
        Verb::Compare(compare) => compare::run(&compare),
        Verb::Completions(call) => completions::run(&call, Call::command()),
        #[cfg(feature = "live")]
        Verb::Up(up) => up::run(&up),
        #[cfg(feature = "live")]
        Verb::Doctor(call) => doctor::run(&call),
        #[cfg(feature = "live")]
        Verb::Attempt(attempt) => Ok(up::attempt(&attempt)),
        #[cfg(feature = "live")]
        Verb::Live(verb) => client::run(verb),
    };
    match ended {
        Ok(code) => code,
        // Who reads our output has read enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("giga: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let causes = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    causes.into_iter().any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
