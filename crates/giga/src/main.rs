//! The one binary of giga: reads the command line, calls the parts, prints.
//!
//! It wires and prints, and holds no rule of its own. It ends with 0 when the work is done, 1 when it failed, and 2
//! when the input or the call is wrong.
#![expect(clippy::print_stderr, reason = "a command line prints")]

mod check;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
}

fn main() -> ExitCode {
    let ended = match Call::parse().verb {
        Verb::Check(check) => check::run(&check),
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("giga: {error:#}");
            ExitCode::from(1)
        }
    }
}
