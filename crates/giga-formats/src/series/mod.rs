//! Series that are real: weather years, prices, carbon, profiles and telemetry, as their publishers write them.
//!
//! Each publisher has a dialect in a file of its own, found by content and never by the name of a file. A dialect turns lines
//! into rows with an instant; [`grid`] puts the rows of all dialects at equal distances, fills what is missing by stated rules
//! and counts it. Nothing here opens a file, prints, or fails to say what it did: a value that nobody published is in
//! [`Column::gaps`], a row that was left out is counted. No input makes it panic.
//!
//! Values are floats in the unit of their [`Quantity`]; whoever decides by them makes integers of them, once.

mod cells;
mod clock;
mod clock_prices;
mod dialect;
mod dwd;
mod electricity_maps;
mod entsoe;
mod epw;
mod fault;
mod grid;
mod open_meteo;
mod plain;
mod profile;
mod projection;
mod quantity;
mod statistics;
mod telemetry;

use std::ops::Range;

use giga_units::{Duration, Instant};

use crate::description::Faults;
pub(crate) use cells::{BLANKS, cells};
pub(crate) use clock::central_europe;
pub use dialect::Dialect;
pub(crate) use fault::{Desk, RowFault};
pub use grid::{FILL_SHORT, GAP_MAX};
pub use quantity::{Quantity, Rule};
pub use statistics::Statistics;

/// What a file of series holds, at equal distances.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// How the file was written.
    pub dialect: Dialect,
    /// Where the values are from, as far as the file says.
    pub place: Place,
    /// What the dates are worth.
    pub calendar: Calendar,
    /// When the first value begins to hold, in UTC.
    pub first: Instant,
    /// How long each value holds.
    pub step: Duration,
    /// One for each quantity, all of the same length; never none, never empty.
    pub columns: Vec<Column>,
    /// What the clock and the publisher did to the rows.
    pub rows: Rows,
    /// What else a reader should know, a sentence each.
    pub notes: Vec<String>,
}

/// Values of one quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// As the file calls it.
    pub name: String,
    /// What it is of.
    pub quantity: Quantity,
    /// In the unit of the quantity, all finite.
    pub values: Vec<f64>,
    /// What the file does not say and was filled, in order.
    pub gaps: Vec<Gap>,
}

/// Values that are not in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// When the first of them begins to hold.
    pub from: Instant,
    /// How many.
    pub count: usize,
    /// What stands there instead.
    pub rule: Rule,
}

/// Where values are from; what a file does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Place {
    /// A name, a bidding zone.
    pub name: Option<String>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Metres above the sea.
    pub altitude: Option<f64>,
    /// The clock of the file, such as `UTC+1` or `CET/CEST`.
    pub clock: String,
}

/// What the dates of a table are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calendar {
    /// They are those of the file.
    Dated,
    /// A typical year: months of several years, or a mean one; its year is made up.
    Typical,
    /// The file counts from a beginning that it does not date.
    Undated,
}

/// What was made of rows besides gaps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// Rows of an instant that was there already, which are left out.
    pub doubled: Vec<Instant>,
    /// Rows of an hour that the clock skipped in spring, left out although they hold a value.
    pub invented: Vec<Instant>,
    /// Rows of an hour that the clock skipped, without a value, as it should be.
    pub skipped: usize,
    /// Hours that the clock had twice in autumn and the file has once; the second is a gap.
    pub once: Vec<Instant>,
    /// Values that the publisher calls estimated.
    pub estimated: usize,
    /// Rows of further sequences of an auction, left out.
    pub other_sequences: usize,
}

impl Table {
    /// When the last value ceases to hold.
    #[must_use]
    pub fn end(&self) -> Instant {
        self.at(self.len())
    }
    /// How many values each column has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }
    /// Whether there are none; never of a table that was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// When the value at a place begins to hold.
    #[must_use]
    pub fn at(&self, place: usize) -> Instant {
        let passed = i64::try_from(place).unwrap_or(i64::MAX).saturating_mul(self.step.as_milliseconds());
        Instant::unix_milliseconds(self.first.as_unix_milliseconds().saturating_add(passed))
    }
    /// The first column of a quantity.
    #[must_use]
    pub fn column(&self, quantity: Quantity) -> Option<&Column> {
        self.columns.iter().find(|column| column.quantity == quantity)
    }
}

/// Reads a file of series. `file` is only what messages call it.
///
/// # Errors
/// The first faults, in the order of the lines, each with place and remedy; never none.
pub fn read(file: &str, text: &str) -> Result<Table, Faults> {
    read_rows(text).map_err(|faults| fault::told(file, text, faults))
}

/// The same with faults that know their rows alone.
pub(crate) fn read_rows(text: &str) -> Result<Table, Vec<RowFault>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut desk = Desk::default();
    let draft = match Dialect::of(text) {
        _ if text.lines().nth(LINES_MAX).is_some() => {
            desk.add(1, 0..0, fault::SeriesFault::TooLong { most: "2,200,000 lines" });
            None
        }
        Some(dialect) => dialect.draft(text, &mut desk),
        None => {
            desk.add(1, 0..0, fault::SeriesFault::Unknown);
            None
        }
    };
    let table = draft.and_then(|draft| grid::settle(draft, &mut desk));
    match table {
        Some(table) if desk.is_clear() => Ok(table),
        _ => Err(desk.into_faults()),
    }
}

/// Most lines of a file: a year by 15 s.
const LINES_MAX: usize = 2_200_000;

/// What a dialect makes of a text: rows in the order of the file.
struct Draft {
    dialect: Dialect,
    place: Place,
    calendar: Calendar,
    /// Milliseconds that each value holds, where the dialect knows.
    step: Option<i64>,
    columns: Vec<(String, Quantity)>,
    rows: Vec<Row>,
    made: Rows,
    notes: Vec<String>,
}

/// One row of a draft.
struct Row {
    /// Milliseconds after 1970 at which its values begin to hold.
    at: i64,
    /// When they cease to, where the row says so.
    until: Option<i64>,
    line: usize,
    /// Where the time stands in its line.
    marked: Range<usize>,
    /// One for each column.
    values: Vec<Option<f64>>,
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
