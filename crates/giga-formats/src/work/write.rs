//! Writing our own table, so that generated work can be kept, changed and run again.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use giga_model::{Arrival, Ask};
use giga_units::Amount;
use parquet::data_type::ByteArray;

use super::WorkError;
use super::format::WorkFormat;
use super::table::ANY;
use crate::columnar::{Cell, ColumnarWriter, Field};

/// The format in the metadata of a Parquet table.
const FORMAT: u32 = 1;
const HEADER: &str = "submitted,project,accelerators,accelerator,any_of,limit,runtime,checkpoint,draw";

const FIELDS: &[Field<Arrival, Names>] = &[
    Field::required("submitted", Cell::Instant(|row| Some(row.at.as_unix_milliseconds().into()))),
    Field::required("project", Cell::Text(|names, row| Some(names.project(row).into()))),
    Field::required("accelerators", Cell::Number(|row| Some(row.request.asks.first().accelerators.into()))),
    Field::optional(
        "accelerator",
        Cell::Text(|names, row| names.kind(row.request.asks.first()).map(Into::into)),
    ),
    Field::optional("any_of", Cell::Text(|names, row| names.any_of(row).map(|list| ByteArray::from(&*list)))),
    Field::required("limit_ms", Cell::Number(|row| Some(row.request.limit.as_milliseconds().into()))),
    Field::required("runtime_ms", Cell::Number(|row| Some(row.runtime.as_milliseconds().into()))),
    Field::optional(
        "checkpoint_ms",
        Cell::Number(|row| Some(row.request.checkpoint?.as_milliseconds().into())),
    ),
    Field::required("draw_ppm", Cell::Number(|row| Some(row.request.draw.as_ppm().into()))),
];

/// The names that arrivals refer to.
struct Names {
    projects: Vec<String>,
    accelerators: Vec<String>,
}

impl Names {
    fn new(projects: &[String], accelerators: &[String]) -> Result<Self, WorkError> {
        let unfit =
            |name: &&String| name.is_empty() || name.contains(['|', '\n', '\r']) || name.trim() != *name;
        if let Some(name) = projects.iter().chain(accelerators).find(unfit) {
            return Err(WorkError::Name { name: name.clone() });
        }
        Ok(Self { projects: projects.to_vec(), accelerators: accelerators.to_vec() })
    }

    fn project(&self, row: &Arrival) -> &str {
        &self.projects[row.request.project.index()]
    }

    fn kind(&self, ask: Ask) -> Option<&str> {
        ask.accelerator.map(|kind| self.accelerators[kind.index()].as_str())
    }

    /// The list of ways to run, where there is more than one.
    fn any_of(&self, row: &Arrival) -> Option<String> {
        let ask = |ask: Ask| format!("{}:{}", self.kind(ask).unwrap_or(ANY), ask.accelerators);
        let first = row.request.asks.first();
        if let Some(least) = row.request.asks.least() {
            return Some(format!("{}:{least}-{}", self.kind(first).unwrap_or(ANY), first.accelerators));
        }
        let asks: Vec<String> = row.request.asks.iter().map(ask).collect();
        (asks.len() > 1).then(|| asks.join("|"))
    }
}

/// A table of work being written.
pub struct WorkWriter<W: Write + Send> {
    inner: Inner<W>,
}

enum Inner<W: Write + Send> {
    Csv { out: W, names: Names },
    Parquet(Box<ColumnarWriter<Arrival, Names, W>>),
}

/// Begins a table in a file: Parquet where its name ends so, else comma-separated values.
///
/// # Errors
/// Fails where the file can not be written or a name can not stand in a table.
pub fn create(
    path: &Path,
    projects: &[String],
    accelerators: &[String],
) -> Result<WorkWriter<BufWriter<File>>, WorkError> {
    let parquet = path.extension().is_some_and(|extension| extension == "parquet");
    let format = if parquet { WorkFormat::TableParquet } else { WorkFormat::Table };
    let file = File::create(path).map_err(|source| WorkError::Open { path: path.to_owned(), source })?;
    WorkWriter::new(BufWriter::new(file), format, projects, accelerators)
}

impl<W: Write + Send> WorkWriter<W> {
    /// Begins a table in [`WorkFormat::Table`] or [`WorkFormat::TableParquet`], given the names by id.
    ///
    /// # Errors
    /// Fails where nothing can be written, a name can not stand in a table, or the format is only for reading.
    pub fn new(
        mut out: W,
        format: WorkFormat,
        projects: &[String],
        accelerators: &[String],
    ) -> Result<Self, WorkError> {
        let names = Names::new(projects, accelerators)?;
        let inner = match format {
            WorkFormat::Table => {
                writeln!(out, "{HEADER}")?;
                Inner::Csv { out, names }
            }
            WorkFormat::TableParquet => {
                Inner::Parquet(Box::new(ColumnarWriter::new(out, ("work", FORMAT), FIELDS, names)?))
            }
            _ => return Err(WorkError::UnknownFormat),
        };
        Ok(Self { inner })
    }

    /// Adds a job.
    ///
    /// # Errors
    /// Fails where nothing can be written.
    ///
    /// # Panics
    /// Panics on an id that has no name.
    pub fn write(&mut self, arrival: &Arrival) -> Result<(), WorkError> {
        match &mut self.inner {
            Inner::Csv { out, names } => write_line(out, names, arrival),
            Inner::Parquet(writer) => Ok(writer.write(arrival.clone())?),
        }
    }

    /// Ends the table.
    ///
    /// # Errors
    /// Fails where nothing can be written.
    pub fn finish(self) -> Result<W, WorkError> {
        let mut out = match self.inner {
            Inner::Csv { out, .. } => out,
            Inner::Parquet(writer) => writer.finish()?,
        };
        out.flush()?;
        Ok(out)
    }
}

fn write_line(out: &mut impl Write, names: &Names, arrival: &Arrival) -> Result<(), WorkError> {
    let request = &arrival.request;
    let first = request.asks.first();
    writeln!(
        out,
        "{},{},{},{},{},{},{},{},{}",
        arrival.at,
        cell(names.project(arrival)),
        first.accelerators,
        cell(names.kind(first).unwrap_or("")),
        cell(&names.any_of(arrival).unwrap_or_default()),
        request.limit.written(),
        arrival.runtime.written(),
        request.checkpoint.map(Amount::written).unwrap_or_default(),
        request.draw.written(),
    )?;
    Ok(())
}

/// A cell, in quotes where it needs them.
fn cell(text: &str) -> String {
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
