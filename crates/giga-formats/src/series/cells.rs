//! Cells of a table of text, with their places, and numbers in them.

use std::ops::Range;

use super::fault::{Desk, SeriesFault};
use super::{Quantity, dialect};

/// What stands where there is no value.
pub(crate) const BLANKS: &[&str] = &["", "-", "NA", "N/A", "n/a", "n/e", "NaN", "nan", "null", "None"];

/// The cells of a row with their places; quotes may hold separators, and do not count.
pub(crate) fn cells(row: &str, separator: char) -> impl Iterator<Item = (Range<usize>, &str)> {
    debug_assert!(separator.is_ascii(), "rows are looked through by the byte");
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let from = next?;
        let mut quoted = false;
        let end = row.as_bytes()[from..].iter().position(|byte| {
            quoted ^= *byte == b'"';
            !quoted && *byte == separator as u8
        });
        let part = &row[from..end.map_or(row.len(), |end| from + end)];
        next = end.map(|end| from + end + 1);
        let cell = part.trim_start();
        let begin = from + (part.len() - cell.len());
        let cell = cell.trim_end();
        Some((begin..begin + cell.len(), cell.trim_matches('"').trim()))
    })
}

/// A table of text with a header.
pub(super) struct Sheet<'t> {
    pub(super) names: Vec<&'t str>,
    pub(super) separator: char,
    /// Cells that may be lacking at the end of a row.
    pub(super) spare: usize,
    /// Rows behind the header that are not blank, with their lines from 1.
    pub(super) rows: Vec<(usize, &'t str)>,
}

impl<'t> Sheet<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
        let mut lines = lines.filter(|(_, line)| !line.trim().is_empty());
        let header = lines.next().map_or("", |(_, line)| line);
        let separator = dialect::separator(header);
        let names = cells(header, separator).map(|(_, name)| name).collect();
        Self { names, separator, spare: 0, rows: lines.collect() }
    }

    /// The cells of a row, if it has as many as the header, or a few less where the dialect spares them.
    pub(super) fn cells(
        &self,
        line: usize,
        row: &'t str,
        desk: &mut Desk,
    ) -> Option<Vec<(Range<usize>, &'t str)>> {
        let cells: Vec<_> = cells(row, self.separator).collect();
        if cells.len() > self.names.len() || cells.len() + self.spare < self.names.len() {
            let fault = SeriesFault::Cells { found: cells.len(), expected: self.names.len() };
            desk.add(line, 0..row.len(), fault);
            return None;
        }
        Some(cells)
    }

    /// The first column whose name, in small letters, holds all of these words.
    pub(super) fn column(&self, words: &[&str]) -> Option<usize> {
        self.names.iter().position(|name| {
            let name = name.to_lowercase();
            words.iter().all(|word| name.contains(word))
        })
    }
}

/// A finite number; a comma may be the point where it can not separate cells.
pub(super) fn number(cell: &str) -> Option<f64> {
    let parsed = if cell.contains(',') { cell.replace(',', ".").parse() } else { cell.parse() };
    parsed.ok().filter(|number: &f64| number.is_finite())
}

/// The value of a cell; `Err` after a fault was noted.
pub(super) fn value(
    line: usize,
    cell: &(Range<usize>, &str),
    field: &str,
    of: Quantity,
    desk: &mut Desk,
) -> Result<Option<f64>, ()> {
    if BLANKS.contains(&cell.1) {
        return Ok(None);
    }
    let Some(number) = number(cell.1) else {
        desk.add(line, cell.0.clone(), SeriesFault::not_a_number(field, cell.1));
        return Err(());
    };
    checked(line, cell, number, field, of, desk)
}

/// A number, if it makes sense for its quantity.
pub(super) fn checked(
    line: usize,
    cell: &(Range<usize>, &str),
    number: f64,
    field: &str,
    of: Quantity,
    desk: &mut Desk,
) -> Result<Option<f64>, ()> {
    let (least, most) = of.range();
    if number < least || number > most {
        desk.add(line, cell.0.clone(), SeriesFault::out_of_range(field, cell.1, of));
        return Err(());
    }
    Ok(Some(number))
}
