//! The stream of arrivals, whatever the format.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use giga_model::{Arrival, JobRequest};
use giga_units::{Duration, Instant};
use parquet::file::reader::ChunkReader;

use super::format::WorkFormat;
use super::lines::Lines;
use super::order::Ordered;
use super::plain::{HOURS, Hours, PHILLY, Philly, TOKENS, Tokens};
use super::report::{self, Report};
use super::row::{Desk, Row};
use super::sacct::Sacct;
use super::swf::Swf;
use super::table::Table;
use super::table_parquet::ParquetRows;
use super::text::{Rows, TextRows, header};
use super::{Dates, LIMIT_FACTOR, ReadOptions, WorkError};

/// Enough of a file to tell its format by.
const HEAD: usize = 64 * 1024;

/// Opens a file of work. Without a format it is told by the file's name and first bytes.
///
/// # Errors
/// Fails where the file can not be opened, its format is not known or its header lacks columns.
pub fn open(
    path: &Path,
    format: Option<WorkFormat>,
    options: &ReadOptions<'_>,
) -> Result<WorkReader, WorkError> {
    let mut input = BufReader::with_capacity(HEAD, open_file(path)?);
    let format = match format {
        Some(format) => format,
        None => WorkFormat::detect(path, &mut input)?,
    };
    match format {
        WorkFormat::TableParquet => read_parquet(open_file(path)?, options),
        _ => read_text(input, format, options),
    }
}

fn open_file(path: &Path) -> Result<File, WorkError> {
    File::open(path).map_err(|source| WorkError::Open { path: path.to_owned(), source })
}

/// Reads a format that is text.
///
/// # Errors
/// Fails where the header lacks columns, or where the format is no text.
pub fn read_text(
    input: impl BufRead + Send + 'static,
    format: WorkFormat,
    options: &ReadOptions<'_>,
) -> Result<WorkReader, WorkError> {
    let mut lines = Lines::new(input);
    let rows: Box<dyn Rows> = match format {
        WorkFormat::Swf => Box::new(TextRows::new(lines, Swf)),
        WorkFormat::Philly => fixed(&mut lines, PHILLY).map(|()| Box::new(TextRows::new(lines, Philly)))?,
        WorkFormat::Hours => fixed(&mut lines, HOURS).map(|()| Box::new(TextRows::new(lines, Hours)))?,
        WorkFormat::Tokens => fixed(&mut lines, TOKENS).map(|()| Box::new(TextRows::new(lines, Tokens)))?,
        WorkFormat::Sacct => {
            let dialect = Sacct::new(&header(&mut lines)?)?;
            Box::new(TextRows::new(lines, dialect))
        }
        WorkFormat::Table => {
            let dialect = Table::new(&header(&mut lines)?)?;
            Box::new(TextRows::new(lines, dialect))
        }
        WorkFormat::TableParquet => return Err(WorkError::UnknownFormat),
    };
    WorkReader::new(rows, format, options)
}

/// Reads our own table from Parquet.
///
/// # Errors
/// Fails where it is no Parquet file or columns are missing.
pub fn read_parquet(
    source: impl ChunkReader + 'static,
    options: &ReadOptions<'_>,
) -> Result<WorkReader, WorkError> {
    WorkReader::new(Box::new(ParquetRows::open(source)?), WorkFormat::TableParquet, options)
}

/// Checks a header that never differs.
fn fixed<B: BufRead>(lines: &mut Lines<B>, expected: &'static str) -> Result<(), WorkError> {
    if header(lines)?.trim() == expected { Ok(()) } else { Err(WorkError::OtherColumns { expected }) }
}

/// Arrivals in the order of submission.
///
/// A faulty row is no item: it is counted in the [`Report`]. An error is the last item.
pub struct WorkReader {
    rows: Box<dyn Rows>,
    format: WorkFormat,
    ordered: Ordered,
    desk: Desk,
    dates: Dates,
    draw: giga_units::Fraction,
    /// From the trace's clock to ours in milliseconds, once the first row is known.
    shift: Option<i64>,
    jobs: u64,
    ended: bool,
}

impl WorkReader {
    fn new(rows: Box<dyn Rows>, format: WorkFormat, options: &ReadOptions<'_>) -> Result<Self, WorkError> {
        if options.projects.is_empty() {
            return Err(WorkError::NoProjects);
        }
        let mut desk = Desk::new(options);
        desk.epoch = format.dated().then_some(0);
        Ok(Self {
            rows,
            format,
            ordered: Ordered::new(format.sorting()),
            desk,
            dates: options.dates,
            draw: options.draw,
            shift: None,
            jobs: 0,
            ended: false,
        })
    }

    /// What was read so far; the whole once the stream has ended.
    #[must_use]
    pub fn report(&self) -> Report {
        Report {
            format: self.format,
            rows: self.desk.rows,
            jobs: self.jobs,
            faults: self.desk.faults.clone(),
            skipped: self.desk.skipped.clone(),
            mapped: self.desk.owners.mappings().to_vec(),
            nameless: self.desk.owners.nameless(),
            moved: self.ordered.moved,
            notes: self.desk.notes.clone(),
        }
    }

    fn arrival(&mut self, row: Row) -> Result<Arrival, WorkError> {
        let shift = match self.shift {
            Some(shift) => shift,
            None => self.first_shift(row.at)?,
        };
        self.shift = Some(shift);
        self.jobs += 1;
        let limit = self.limit(&row);
        let draw = row.draw.unwrap_or_else(|| {
            self.desk.note(report::DRAW_ASSUMED);
            self.draw
        });
        Ok(Arrival {
            at: Instant::unix_milliseconds(row.at.saturating_add(shift)),
            request: JobRequest {
                project: row.project,
                asks: row.asks,
                limit,
                checkpoint: row.checkpoint,
                draw,
                terms: None,
            },
            runtime: row.runtime,
        })
    }

    fn first_shift(&self, first: i64) -> Result<i64, WorkError> {
        match self.dates {
            Dates::From(from) => Ok(from.as_unix_milliseconds().saturating_sub(first)),
            Dates::Kept => self.desk.epoch.ok_or(WorkError::NoDates),
        }
    }

    /// What was asked for, but in a trace never less than the job is known to have run.
    fn limit(&mut self, row: &Row) -> Duration {
        match row.limit {
            Some(limit) if limit >= row.runtime || !self.format.is_trace() => limit,
            Some(_) => {
                self.desk.note(report::LIMIT_RAISED);
                row.runtime
            }
            None => {
                self.desk.note(report::LIMIT_ASSUMED);
                row.runtime.times(u64::from(LIMIT_FACTOR))
            }
        }
    }
}

impl Iterator for WorkReader {
    type Item = Result<Arrival, WorkError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = self.ordered.next(self.rows.as_mut(), &mut self.desk).transpose();
        let arrival = row.map(|row| row.and_then(|row| self.arrival(row)));
        self.ended = !matches!(arrival, Some(Ok(_)));
        arrival
    }
}
