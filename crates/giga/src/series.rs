//! `giga series`: what files of weather, prices, carbon, profiles and telemetry hold.
//!
//! It opens the files and prints what the readers of series say about them; it judges nothing itself.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use giga_formats::description::Faults;
use giga_formats::series::{self, Calendar, Column, Gap, Table};
use serde_json::{Value, json};

use crate::beside;
use crate::check::diagnostic;

/// What `giga series` was asked.
#[derive(Debug, Args)]
pub(crate) struct Series {
    /// Files as they were published; how each is written is found by its content.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Reads all files and shows them; ends with 2 where one can not be read.
pub(crate) fn run(call: &Series) -> anyhow::Result<ExitCode> {
    let files: Vec<Read> = call.files.iter().map(|path| Read::of(path)).collect();
    let mut out = std::io::stdout().lock();
    if call.json {
        let told: Vec<Value> = files.iter().map(Read::json).collect();
        let faults: usize = files.iter().map(Read::faults).sum();
        let report = json!({ "format": 1, "faults": faults, "files": told });
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        for (at, file) in files.iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            file.print(&mut out)?;
        }
    }
    let sound = files.iter().all(|file| matches!(file.result, Outcome::Sound(_)));
    Ok(ExitCode::from(if sound { 0 } else { 2 }))
}

/// One file and what it holds.
struct Read {
    name: String,
    result: Outcome,
}

enum Outcome {
    Sound(Box<Table>),
    Faulty(Faults),
    Unreadable(String),
}

impl Read {
    fn of(path: &Path) -> Self {
        let name = path.display().to_string();
        let result = match beside::bytes(path) {
            Err(error) => Outcome::Unreadable(error),
            // Heads in other encodings hold words only; what is read is ASCII in all dialects.
            Ok(bytes) => match series::read(&name, &String::from_utf8_lossy(&bytes)) {
                Ok(table) => Outcome::Sound(Box::new(table)),
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

    fn print(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        match &self.result {
            Outcome::Sound(table) => write!(out, "{}", giga_report::series(&self.name, table, signs())),
            Outcome::Faulty(faults) => write!(std::io::stderr(), "{faults}"),
            Outcome::Unreadable(error) => {
                writeln!(std::io::stderr(), "giga: can not read `{}`: {error}", self.name)
            }
        }
    }

    fn json(&self) -> Value {
        let name = &self.name;
        match &self.result {
            Outcome::Sound(table) => object(name, table),
            Outcome::Faulty(faults) => {
                let diagnostics: Vec<Value> = faults.diagnostics().iter().map(diagnostic).collect();
                json!({ "file": name, "diagnostics": diagnostics })
            }
            Outcome::Unreadable(error) => {
                let message = format!("can not read the file: {error}");
                json!({ "file": name, "diagnostics": [{ "file": name, "message": message }] })
            }
        }
    }
}

/// Blocks, unless they go to a terminal whose locale says that it has none.
fn signs() -> giga_report::Signs {
    if !std::io::stdout().is_terminal() {
        return giga_report::Signs::Blocks;
    }
    let mut locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().filter_map(|name| std::env::var(name).ok());
    giga_report::Signs::of_locale(locale.find(|value| !value.is_empty()).as_deref())
}

fn object(name: &str, table: &Table) -> Value {
    let (place, rows) = (&table.place, &table.rows);
    let times =
        |instants: &[giga_units::Instant]| instants.iter().map(ToString::to_string).collect::<Vec<_>>();
    let calendar = match table.calendar {
        Calendar::Dated => "dated",
        Calendar::Typical => "typical",
        Calendar::Undated => "undated",
    };
    let columns: Vec<Value> = table.columns.iter().map(|column| figures(table, column)).collect();
    json!({
        "file": name,
        "diagnostics": [],
        "dialect": table.dialect.word(),
        "place": {
            "name": place.name,
            "latitude_degrees": place.latitude,
            "longitude_degrees": place.longitude,
            "altitude_m": place.altitude,
            "clock": place.clock,
        },
        "calendar": calendar,
        "from": table.first.to_string(),
        "until": table.end().to_string(),
        "step_ms": table.step.as_milliseconds(),
        "count": table.len(),
        "rows": {
            "doubled": times(&rows.doubled),
            "invented": times(&rows.invented),
            "skipped": rows.skipped,
            "once": times(&rows.once),
            "estimated": rows.estimated,
            "other_sequences": rows.other_sequences,
        },
        "notes": table.notes,
        "columns": columns,
    })
}

fn figures(table: &Table, column: &Column) -> Value {
    let figures = column.statistics(table);
    let gap = |gap: &Gap| json!({ "from": gap.from.to_string(), "count": gap.count, "filled_by": gap.rule.words() });
    let gaps: Vec<Value> = column.gaps.iter().map(gap).collect();
    let [p5, p50, p95] = figures.percentiles;
    json!({
        "column": column.name,
        "quantity": column.quantity.words(),
        "unit": column.quantity.unit(),
        "filled": column.gaps.iter().map(|gap| gap.count).sum::<usize>(),
        "gaps": gaps,
        "mean": figures.mean,
        "least": { "value": figures.least.0, "at": figures.least.1.to_string() },
        "most": { "value": figures.most.0, "at": figures.most.1.to_string() },
        "p5": p5,
        "p50": p50,
        "p95": p95,
    })
}
