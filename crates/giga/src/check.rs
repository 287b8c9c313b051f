//! `giga check`: validates descriptions and prints their complete form or the schema.
//!
//! It opens the files and prints what the reader of descriptions says about them; it judges nothing itself.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use giga_formats::description::{self, Description, Diagnostic, Faults};
use serde_json::{Value, json};

/// What `giga check` was asked.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Descriptions to validate.
    #[arg(required_unless_present = "schema")]
    files: Vec<PathBuf>,
    /// Print each description complete: every default filled in, with its source.
    #[arg(long)]
    expand: bool,
    /// Print the JSON Schema of descriptions.
    #[arg(long)]
    schema: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Checks all files and says what was found; ends with 2 where any is faulty or can not be read.
pub(crate) fn run(check: &Check) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    if check.schema {
        writeln!(out, "{}", description::schema())?;
    }
    let checked: Vec<Checked> = check.files.iter().map(Checked::read).collect();
    if check.json && !check.files.is_empty() {
        let files: Vec<Value> = checked.iter().map(|file| file.json(check.expand)).collect();
        let faults: usize = checked.iter().map(Checked::faults).sum();
        let report = json!({ "format": 1, "faults": faults, "files": files });
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        for file in &checked {
            file.print(check, &mut out)?;
        }
    }
    let sound = checked.iter().all(|file| matches!(file.result, Outcome::Sound(_)));
    Ok(ExitCode::from(if sound { 0 } else { 2 }))
}

/// One file and what was found in it.
struct Checked {
    name: String,
    result: Outcome,
}

enum Outcome {
    Sound(Box<Description>),
    Faulty(Faults),
    Unreadable(String),
}

impl Checked {
    fn read(path: &PathBuf) -> Self {
        let name = path.display().to_string();
        let result = match std::fs::read_to_string(path) {
            Err(error) => Outcome::Unreadable(error.to_string()),
            Ok(text) => match crate::beside::read(path, &text, &[]) {
                Ok(description) => Outcome::Sound(Box::new(description)),
                Err(faults) => Outcome::Faulty(faults),
            },
        };
        Self { name, result }
    }

    fn faults(&self) -> usize {
        match &self.result {
            Outcome::Sound(_) => 0,
            Outcome::Faulty(faults) => faults.diagnostics().len(),
            Outcome::Unreadable(_) => 1,
        }
    }

    fn print(&self, check: &Check, out: &mut impl std::io::Write) -> std::io::Result<()> {
        let name = &self.name;
        match &self.result {
            Outcome::Sound(description) if check.expand => {
                write!(out, "{}", description::expand(description))
            }
            Outcome::Sound(description) => {
                writeln!(out, "{name}: sound; {}", summary(description))?;
                description.notes.iter().try_for_each(|note| writeln!(out, "note: {note}"))
            }
            Outcome::Faulty(faults) => write!(std::io::stderr(), "{faults}"),
            Outcome::Unreadable(error) => writeln!(std::io::stderr(), "giga: can not read `{name}`: {error}"),
        }
    }

    fn json(&self, expand: bool) -> Value {
        match &self.result {
            Outcome::Sound(description) => {
                let expanded = expand.then(|| description::expand(description));
                json!({ "file": self.name, "diagnostics": [], "notes": description.notes, "expanded": expanded })
            }
            Outcome::Faulty(faults) => {
                let diagnostics: Vec<Value> = faults.diagnostics().iter().map(diagnostic).collect();
                json!({ "file": self.name, "diagnostics": diagnostics })
            }
            Outcome::Unreadable(error) => {
                let message = format!("can not read the file: {error}");
                json!({ "file": self.name, "diagnostics": [{ "file": self.name, "message": message }] })
            }
        }
    }
}

/// A fault for programs.
pub(crate) fn diagnostic(diagnostic: &Diagnostic) -> Value {
    json!({
        "file": diagnostic.file,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "key": diagnostic.key,
        "message": diagnostic.message,
        "help": diagnostic.help,
    })
}

fn summary(description: &Description) -> String {
    let federation = &description.federation;
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!(
        "{}, {} accelerators, {}, {}",
        count(federation.sites.len(), "site"),
        federation.accelerators_total(),
        count(federation.owners.len(), "owner"),
        count(federation.projects.len(), "project"),
    )
}
