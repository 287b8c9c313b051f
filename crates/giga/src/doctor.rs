//! `giga doctor`: looks at everything that a live federation needs, and says what to do about what is not as it should be.
//!
//! It changes nothing of a federation: it opens what is there to read it, takes a lock or a port only to give it back, and puts a file into
//! a folder that nodes share only to remove it. It may be run beside a server. Each check is a function from what it is given to one line.

mod folder;
mod machine;
mod site;
mod slurm;
mod store;

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use giga_formats::settings::{DATA, FEDERATION, JSON, LISTEN, STORE};
use serde_json::{Value, json};

use crate::home;
use crate::settings::Settings;
use crate::up::HERE;

/// What `giga doctor` was asked.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The description that the server is to be started with, if not that of the data folder.
    federation: Option<PathBuf>,
    /// The data folder, as for `giga up`.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The database that holds the journal, as for `giga up`.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Where the server is to listen, as for `giga up`.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// File of settings, as for `giga up`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

/// What was found at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    name: String,
    state: State,
    /// What is so.
    text: String,
    /// What to do; empty where nothing is to be done.
    help: String,
}

/// How good that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    /// It works, and somebody should know.
    Warn,
    /// It does not work, or will not for long.
    Fail,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl Check {
    fn ok(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Ok, text: text.into(), help: String::new() }
    }

    fn warn(name: impl Into<String>, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Warn, text: text.into(), help: help.into() }
    }

    fn fail(name: impl Into<String>, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Fail, text: text.into(), help: help.into() }
    }

    fn json(&self) -> Value {
        json!({ "check": self.name, "state": self.state.word(), "text": self.text, "help": self.help })
    }
}

/// Looks, and ends with 1 where something fails.
pub(crate) fn run(call: &Doctor) -> anyhow::Result<ExitCode> {
    let (checks, as_json) = match Settings::open(call.config.as_deref()) {
        Ok(settings) => (look(call, &settings), call.json || settings.flag(&JSON)),
        Err(text) => {
            let help = "mend it, or name another with `--config`";
            (vec![Check::fail("settings", text.trim_start_matches("giga: "), help)], call.json)
        }
    };
    let failed = checks.iter().any(|check| check.state == State::Fail);
    let mut out = std::io::stdout().lock();
    if as_json {
        let checks: Vec<Value> = checks.iter().map(Check::json).collect();
        let report = json!({ "format": 1, "version": env!("CARGO_PKG_VERSION"), "checks": checks });
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        write!(out, "{}", screen(&checks))?;
    }
    Ok(ExitCode::from(u8::from(failed)))
}

fn look(call: &Doctor, settings: &Settings) -> Vec<Check> {
    let named = if settings.text(&DATA).is_some() || call.data.is_some() { "named" } else { "usual" };
    let mut checks = vec![Check::ok("giga", format!("version {}", env!("CARGO_PKG_VERSION")))];
    let listen = || settings.text(&LISTEN).and_then(|word| word.parse().ok());
    let listen = call.listen.or_else(listen).unwrap_or(HERE);
    let federation = call.federation.clone().or_else(|| settings.text(&FEDERATION).map(PathBuf::from));
    let Some(folder) = home::folder(call.data.as_deref(), settings) else {
        let help = "set `HOME` or `GIGA_HOME`, or name one with `--data DIR`";
        checks.push(Check::fail("data folder", "there is no home folder", help));
        return checks;
    };
    let server = machine::server(&folder);
    let store = call.store.clone().or_else(|| settings.text(&STORE));
    checks.extend(folder::checks(&folder, named, store.is_none()));
    let (found, beginning) = store::checks(&folder, store.as_deref(), server.is_some());
    checks.extend(found);
    let (found, description) = store::description(federation.as_deref(), beginning.as_ref());
    checks.push(found);
    checks.extend(machine::checks(listen, server.as_deref()));
    if let Some(description) = description {
        checks.extend(site::checks(&description));
    }
    checks
}

fn screen(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for Check { name, state, text, help } in checks {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or("");
        let _ = writeln!(out, "{:4}  {name:width$}  {first}", state.word());
        let indent = " ".repeat(width + 8);
        for line in lines {
            let _ = writeln!(out, "{indent}{line}");
        }
        if !help.is_empty() {
            let _ = writeln!(out, "{indent}help: {help}");
        }
    }
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let (warned, failed) = (count(State::Warn), count(State::Fail));
    let _ = writeln!(out, "{} checks, {warned} warned, {failed} failed", checks.len());
    out
}

/// A path as it stands in messages.
fn shown(path: &Path) -> String {
    format!("`{}`", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_a_check_with_the_way_out_below() {
        let checks = [Check::ok("giga", "version 1"), Check::fail("data folder", "it is full", "free it")];
        let expected = "ok    giga         version 1\nfail  data folder  it is full\n                   help: free it\n\
                        2 checks, 0 warned, 1 failed\n";
        assert_eq!(screen(&checks), expected);
    }
}
