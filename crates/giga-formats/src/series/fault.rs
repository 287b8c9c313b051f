//! What can be wrong with a file of series, and where its faults are gathered.

use std::ops::Range;

use thiserror::Error;

use super::{Dialect, Quantity};
use crate::description::Faults;
use crate::description::diagnostic::{Elsewhere, Explain, Findings};

/// Most faults of one file that are told.
const FAULTS_MAX: usize = 20;
/// Characters of a cell that a message repeats.
const QUOTED_MAX: usize = 60;
/// A longer line is shown by its beginning.
const LINE_SHOWN: usize = 2_000;

/// A fault at a place of the file.
#[derive(Debug)]
pub(crate) struct RowFault {
    /// From 1.
    pub(crate) line: usize,
    /// Bytes of the line.
    pub(crate) marked: Range<usize>,
    pub(crate) fault: SeriesFault,
}

/// What can be wrong.
#[derive(Debug, Error)]
pub(crate) enum SeriesFault {
    #[error("this is no series that is known")]
    Unknown,
    #[error("there are no rows of values")]
    NoRows,
    #[error("one row alone does not say how long a value holds")]
    OneRow,
    #[error("no column holds values that can be used")]
    NoValues,
    #[error("the header has no `{field}`")]
    NoField { field: &'static str },
    #[error("the JSON can not be read: {error}")]
    Json { error: String },
    #[error("`{field}` is `{text}`, which is not {wanted}")]
    Field { field: String, text: String, wanted: &'static str },
    #[error("`{field}`: `{text}` is not a number")]
    NotANumber { field: String, text: String },
    #[error("`{field}`: `{text}` is far from any value of this kind")]
    OutOfRange { field: String, text: String, of: Quantity },
    #[error("`{field}`: `{text}` is not a time between 1970 and 2200")]
    NotATime { field: String, text: String },
    #[error("the row has {found} cells, and {expected} are due")]
    Cells { found: usize, expected: usize },
    #[error("the row comes before the row above it")]
    Backwards,
    #[error("the row is not a whole number of steps of {step} after the first")]
    OffGrid { step: String },
    #[error("{hours} hours are missing above this row, from {from} on")]
    GapTooLong { hours: i64, from: String },
    #[error("there would be over {most} values")]
    TooMany { most: usize },
    #[error("the file is longer than {most}")]
    TooLong { most: &'static str },
    #[error("`{field}` has the unit `{unit}`, which is not known")]
    Unit { field: String, unit: String },
    #[error("the file holds several areas: `{first}` and `{other}`")]
    Areas { first: String, other: String },
    #[error("`{field}` has {found} values, and `time` has {expected}")]
    Lengths { field: String, found: usize, expected: usize },
}

impl SeriesFault {
    pub(super) fn not_a_number(field: &str, text: &str) -> Self {
        Self::NotANumber { field: field.to_owned(), text: quoted(text) }
    }
    pub(super) fn not_a_time(field: &str, text: &str) -> Self {
        Self::NotATime { field: field.to_owned(), text: quoted(text) }
    }
    pub(super) fn out_of_range(field: &str, text: &str, of: Quantity) -> Self {
        Self::OutOfRange { field: field.to_owned(), text: quoted(text), of }
    }
    pub(super) fn field(field: &str, text: &str, wanted: &'static str) -> Self {
        Self::Field { field: field.to_owned(), text: quoted(text), wanted }
    }
}

impl Explain for SeriesFault {
    fn help(&self) -> String {
        match self {
            Self::Unknown => format!("what can be read: {}", Dialect::list()),
            Self::NoRows | Self::OneRow => "give the file as it was published, with all its rows".into(),
            Self::NoValues => format!(
                "a column may lack {} days in a row at most",
                super::GAP_MAX.as_milliseconds() / 86_400_000
            ),
            Self::NoField { .. } => "give the file as it was published, with its header".into(),
            Self::Json { .. } => "save the answer of the server again, whole".into(),
            Self::Field { .. } => "give the file as it was published".into(),
            Self::NotANumber { .. } => "write for example `35.2`, or nothing where there is no value".into(),
            Self::OutOfRange { of, .. } => {
                let (least, most) = of.range();
                format!(
                    "write {} from {least} to {most} {}, or nothing where there is no value",
                    of.words(),
                    of.unit()
                )
            }
            Self::NotATime { .. } => "write times as the publisher does, such as `2023-01-01 00:00`".into(),
            Self::Cells { .. } => "write one cell for each column".into(),
            Self::Backwards => "sort the rows by their time".into(),
            Self::OffGrid { .. } => "write rows at equal distances".into(),
            Self::GapTooLong { .. } => {
                "add the missing rows, or cut the file there; gaps of up to seven days are filled".into()
            }
            Self::TooMany { .. } | Self::TooLong { .. } => "keep a few years".into(),
            Self::Unit { .. } => "ask for metric units, and prices in EUR/MWh".into(),
            Self::Areas { .. } => "export one area at a time".into(),
            Self::Lengths { .. } => "save the answer of the server again, whole".into(),
        }
    }
}

fn quoted(text: &str) -> String {
    text.chars().take(QUOTED_MAX).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The faults of a file so far.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    faults: Vec<RowFault>,
}

impl Desk {
    pub(super) fn add(&mut self, line: usize, marked: Range<usize>, fault: SeriesFault) {
        if !self.is_full() {
            self.faults.push(RowFault { line, marked, fault });
        }
    }
    /// Whether more would not be told, so that reading on is idle.
    pub(super) fn is_full(&self) -> bool {
        self.faults.len() >= FAULTS_MAX
    }
    pub(super) fn is_clear(&self) -> bool {
        self.faults.is_empty()
    }
    /// All of them; never none.
    pub(super) fn into_faults(mut self) -> Vec<RowFault> {
        if self.faults.is_empty() {
            self.add(1, 0..0, SeriesFault::NoRows);
        }
        self.faults
    }
}

/// Faults with the lines they are on.
pub(super) fn told(file: &str, text: &str, faults: Vec<RowFault>) -> Faults {
    let mut findings = Findings::default();
    for row in faults {
        let shown = shown(text, row.line);
        let place = Elsewhere { file, text: &shown, line: row.line, marked: row.marked };
        findings.add_elsewhere(&place, "", &row.fault);
    }
    findings.finish(file, text).expect_err("a file that was refused has faults")
}

/// The text up to a line, whose end is left out where it is very long.
fn shown(text: &str, line: usize) -> String {
    let content = text.lines().nth(line - 1).unwrap_or("");
    let end = (0..=content.len().min(LINE_SHOWN)).rev().find(|&at| content.is_char_boundary(at)).unwrap_or(0);
    format!("{}{}", "\n".repeat(line - 1), &content[..end])
}
