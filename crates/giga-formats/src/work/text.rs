//! Traces of lines of text: the part that all of them share.

use std::borrow::Cow;
use std::io::BufRead;

use super::WorkError;
use super::fault::{Cause, Fault};
use super::lines::{Lines, comma_cells};
use super::row::{Desk, Parsed, Row};

/// Where rows come from, in the order of the file.
pub(super) trait Rows: Send {
    /// The next job, or `None` at the end.
    fn next(&mut self, desk: &mut Desk) -> Result<Option<Row>, WorkError>;
}

/// How one format writes a job.
pub(super) trait Dialect: Send {
    /// What one line is.
    fn parse(&mut self, line: u64, text: &str, desk: &mut Desk) -> Result<Parsed, Fault>;
}

/// The lines of a text in a dialect.
pub(super) struct TextRows<B, D> {
    lines: Lines<B>,
    dialect: D,
}

impl<B: BufRead, D> TextRows<B, D> {
    pub(super) fn new(lines: Lines<B>, dialect: D) -> Self {
        Self { lines, dialect }
    }
}

impl<B: BufRead + Send, D: Dialect> Rows for TextRows<B, D> {
    fn next(&mut self, desk: &mut Desk) -> Result<Option<Row>, WorkError> {
        while let Some((line, text)) = self.lines.next()? {
            let parsed = match text {
                Ok(text) => self.dialect.parse(line, text, desk),
                Err(cause) => Err(Fault::of_line(line, cause)),
            };
            if let Some(row) = desk.take(parsed)? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }
}

/// The first line that is not blank, which names the columns.
pub(super) fn header<B: BufRead>(lines: &mut Lines<B>) -> Result<String, WorkError> {
    while let Some((line, text)) = lines.next()? {
        let text = text.map_err(|cause| WorkError::Header { fault: Fault::of_line(line, cause) })?;
        if !text.trim().is_empty() {
            return Ok(text.to_owned());
        }
    }
    Err(WorkError::NoRows)
}

/// The cells of a line, if it has as many as its header; `None` for a blank line.
pub(super) fn cells_of(line: u64, text: &str, expected: usize) -> Result<Option<Vec<Cow<'_, str>>>, Fault> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let cells = comma_cells(text).map_err(|cause| Fault::of_line(line, cause))?;
    if cells.len() != expected {
        return Err(Fault::of_line(line, Cause::Cells { found: cells.len(), expected }));
    }
    Ok(Some(cells))
}
