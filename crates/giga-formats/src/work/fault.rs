//! What can be wrong with one row of a trace.
//!
//! A fault belongs to a row: the row is left out and the reading goes on, unless the reader is strict.

use std::collections::BTreeMap;

use thiserror::Error;

/// Faults kept in full; the others are only counted by cause.
pub const FAULTS_KEPT: usize = 20;
/// Characters of a faulty cell that a message repeats.
const QUOTED_MAX: usize = 40;

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column `{column}`: {cause}")]
pub struct Fault {
    /// Counted from 1; in a Parquet file the row.
    pub line: u64,
    /// The column as the format calls it, or `line` where the whole line is at fault.
    pub column: &'static str,
    /// What is wrong there.
    pub cause: Cause,
}

impl Fault {
    /// A fault of a whole line.
    pub(super) fn of_line(line: u64, cause: Cause) -> Self {
        Self { line, column: "line", cause }
    }
}

/// What is wrong with a cell or a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Cause {
    /// Nothing stands there.
    #[error("the cell is empty and must not be")]
    Empty,
    /// It is no number.
    #[error("`{0}` is not a number")]
    NotANumber(String),
    /// The number makes no sense there.
    #[error("`{0}` is out of range here")]
    OutOfRange(String),
    /// It is no date or time.
    #[error("`{0}` is not a time; write it as `2026-12-01T06:00:00Z`")]
    NotATime(String),
    /// It is no length of time.
    #[error("`{0}` is not a duration; write it as `D-HH:MM:SS`")]
    NotADuration(String),
    /// An amount of our own table is written wrongly.
    #[error(transparent)]
    Amount(#[from] giga_units::AmountError),
    /// No accelerator of the federation is called so.
    #[error("no accelerator is called `{0}`; use a name from the description")]
    UnknownAccelerator(String),
    /// The ways to run are written wrongly.
    #[error("`{0}` is not a list such as `GB300-NVL72:8|H200-HGX:16`")]
    NotAsks(String),
    /// `any_of` and the single columns contradict each other.
    #[error("`any_of` begins with another ask than `accelerators` and `accelerator` say; leave these empty")]
    AsksDisagree,
    /// The line has another number of cells than it should.
    #[error("the line has {found} cells where {expected} are due")]
    Cells {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A quote is opened and not closed, or stands inside a plain cell.
    #[error("a quote stands alone")]
    LoneQuote,
    /// The line does not end.
    #[error("the line is longer than {max} bytes")]
    TooLong {
        /// The longest that is read.
        max: usize,
    },
    /// The bytes are no text.
    #[error("the line is not UTF-8")]
    NotUtf8,
    /// The row was submitted long before rows that stand above it.
    #[error("the row belongs more than {window} rows further up; sort the file by submission")]
    OutOfOrder {
        /// By how many rows a row may be out of place.
        window: usize,
    },
    /// There are more owners than are kept apart.
    #[error("there are more than {max} different owners")]
    TooManyOwners {
        /// The most that are kept apart.
        max: usize,
    },
}

impl Cause {
    /// The cause without the particulars, for counting.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotANumber(_) => "not a number",
            Self::OutOfRange(_) => "out of range",
            Self::NotATime(_) => "not a time",
            Self::NotADuration(_) => "not a duration",
            Self::Amount(_) => "not an amount",
            Self::UnknownAccelerator(_) => "unknown accelerator",
            Self::NotAsks(_) => "not a list of asks",
            Self::AsksDisagree => "contradicting asks",
            Self::Cells { .. } => "wrong number of cells",
            Self::LoneQuote => "lone quote",
            Self::TooLong { .. } => "line too long",
            Self::NotUtf8 => "not UTF-8",
            Self::OutOfOrder { .. } => "out of order",
            Self::TooManyOwners { .. } => "too many owners",
        }
    }
}

/// The beginning of a faulty cell, fit for a message.
pub(super) fn quoted(text: &str) -> String {
    text.chars().take(QUOTED_MAX).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The faults of a file so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults {
    /// All of them.
    pub count: u64,
    /// How many by the word of their cause.
    pub by_cause: BTreeMap<&'static str, u64>,
    /// The first [`FAULTS_KEPT`] in full.
    pub first: Vec<Fault>,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.count += 1;
        *self.by_cause.entry(fault.cause.word()).or_default() += 1;
        if self.first.len() < FAULTS_KEPT {
            self.first.push(fault);
        }
    }
}
