//! `giga completions`: what a shell needs to complete calls of this program.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Command, ValueEnum};
use clap_complete::{Shell, generate};

/// What `giga completions` was asked.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// For which shell.
    shell: Kind,
}

/// The shells of most people.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Bash,
    Zsh,
    Fish,
}

/// Prints it.
pub(crate) fn run(call: &Completions, mut program: Command) -> anyhow::Result<ExitCode> {
    let shell = match call.shell {
        Kind::Bash => Shell::Bash,
        Kind::Zsh => Shell::Zsh,
        Kind::Fish => Shell::Fish,
    };
    let mut text = Vec::new();
    generate(shell, &mut program, "giga", &mut text);
    std::io::stdout().lock().write_all(&text)?;
    Ok(ExitCode::SUCCESS)
}
