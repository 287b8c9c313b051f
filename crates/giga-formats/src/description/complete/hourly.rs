//! Further files that the readers of published series know, by the hour.

use giga_units::Duration;

use super::super::beside::Open;
use super::Gap;
use crate::description::diagnostic::{Elsewhere, Findings};
use crate::description::record::Record;
use crate::series::{self, Table};

/// Hours of a leap year: what lies beyond begins again anyhow.
const HOURS_MAX: usize = 8_784;

/// What a file has to hold, and what is said of one that does not, of its name and its dialect.
pub(super) struct Wanted {
    pub(super) holds: fn(&Table) -> bool,
    pub(super) other: fn(String, &'static str) -> Gap,
}

/// The table of the file that a record names; `None`, with the record broken, where it is not by the hour, too long, not what is
/// wanted, or can not be read.
pub(super) fn opened(
    record: &mut Record,
    file: &str,
    wanted: &Wanted,
    open: &Open<'_>,
    findings: &mut Findings,
) -> Option<Table> {
    let (span, path) = (record.span_of("file"), record.path_of("file"));
    record.broken = true;
    let text = match open(file) {
        Ok(text) => text,
        Err(error) => {
            findings.add(&span, path, &Gap::Unreadable { file: file.to_owned(), error });
            return None;
        }
    };
    let table = match series::read_rows(&text) {
        Ok(table) => table,
        Err(rows) => {
            for row in rows {
                let place = Elsewhere { file, text: &text, line: row.line, marked: row.marked };
                findings.add_elsewhere(&place, path.clone(), &row.fault);
            }
            return None;
        }
    };
    if !(wanted.holds)(&table) || table.step != Duration::hours(1) || table.len() > HOURS_MAX {
        findings.add(&span, path, &(wanted.other)(file.to_owned(), table.dialect.words()));
        return None;
    }
    record.broken = false;
    Some(table)
}
