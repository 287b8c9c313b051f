//! `giga compare`: lays runs side by side from their `summary.json`.
//!
//! It reads the files, names what is wrong with a folder, and prints what the report makes of them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use giga_formats::summary::{self, ReadSummary};
use giga_report::compare::{Comparison, Row, comparison};
use serde_json::{Value, json};

use crate::simulate::SAVED;

/// What `giga compare` was asked.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// Folders that `giga simulate --out` wrote, two or more; the others are held against the first.
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Write the comparison as a page as well.
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// Print one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

/// Reads all runs and shows them; ends with 2 where one can not be compared.
pub(crate) fn run(call: &Compare) -> anyhow::Result<ExitCode> {
    let runs = match read_all(&call.folders) {
        Ok(runs) => runs,
        Err(fault) => {
            writeln!(std::io::stderr(), "giga: {fault}")?;
            return Ok(ExitCode::from(2));
        }
    };
    let compared = Comparison::new(runs);
    if let Some(path) = &call.out {
        std::fs::write(path, giga_report::page::compared(&compared))
            .with_context(|| format!("`{}` can not be written", path.display()))?;
    }
    let mut out = std::io::stdout().lock();
    if call.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&object(&compared))?)?;
    } else {
        write!(out, "{}", comparison(&compared))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The summaries of all folders, or what is wrong with the first that has none.
fn read_all(folders: &[PathBuf]) -> Result<Vec<(String, ReadSummary)>, String> {
    if let [only] = folders {
        return Err(format!("`{}` alone can not be compared; name a second folder", only.display()));
    }
    let mut runs: Vec<(PathBuf, String, ReadSummary)> = Vec::new();
    for folder in folders {
        let name = folder.display().to_string();
        let summary = read(folder)?;
        let place = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        if let Some((_, first, _)) = runs.iter().find(|(known, ..)| *known == place) {
            return Err(format!("`{name}` is the same folder as `{first}`; name another run"));
        }
        runs.push((place, name, summary));
    }
    Ok(runs.into_iter().map(|(_, name, summary)| (name, summary)).collect())
}

fn read(folder: &Path) -> Result<ReadSummary, String> {
    let (name, path) = (folder.display(), folder.join("summary.json"));
    if !folder.exists() {
        return Err(format!("`{name}` does not exist; name a folder that `giga simulate --out` wrote"));
    }
    if !folder.is_dir() {
        return Err(format!("`{name}` is no folder; name the folder in which a run left its `summary.json`"));
    }
    if !path.exists() && folder.join(SAVED).exists() {
        return Err(format!(
            "the run in `{name}` is not over; go on with it by `giga simulate --resume {name}`"
        ));
    }
    if !path.exists() {
        return Err(format!(
            "`{name}` holds no run: it has no `summary.json`; name a folder that `giga simulate --out` wrote"
        ));
    }
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("`{}` can not be read: {error}", path.display()))?;
    summary::read(&text).map_err(|error| format!("`{}`: {error}", path.display()))
}

fn object(comparison: &Comparison) -> Value {
    let run = |(folder, run): &(String, ReadSummary)| {
        json!({
            "folder": folder,
            "federation": run.federation,
            "work": run.work,
            "seed": run.seed,
            "from": run.from,
            "until": run.until,
            "shocks": run.shocks,
        })
    };
    let runs: Vec<Value> = comparison.runs.iter().map(run).collect();
    let figures: Vec<Value> = comparison.rows.iter().map(figure).collect();
    json!({ "format": 1, "runs": runs, "notes": comparison.cautions(), "figures": figures })
}

fn figure(row: &Row) -> Value {
    let differences = (1..row.values.len()).map(|run| row.difference(run));
    let (absolute, percent): (Vec<_>, Vec<_>) = differences
        .map(|apart| (apart.map(|apart| apart.absolute), apart.and_then(|apart| apart.percent)))
        .unzip();
    json!({
        "group": row.group,
        "of": row.of,
        "figure": row.what,
        "unit": row.unit,
        "values": row.values,
        "differences": absolute,
        "percent": percent,
    })
}
