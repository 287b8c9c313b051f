//! Tables with cells between bars and a header that names them.

use thiserror::Error;

use super::cells::Clock;

/// Faults kept in full; the others are only counted.
pub const FAULTS_KEPT: usize = 20;

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, `{field}`: {what}")]
pub struct Fault {
    /// Counted from 1.
    pub line: u64,
    /// The column as the header calls it, or `line`.
    pub field: String,
    /// What is wrong there, and what would be right.
    pub what: String,
}

/// Why a table says nothing at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unread {
    /// There is no header.
    #[error("it has no header line with names between `|`; save it again as `giga observe --dry-run` shows")]
    NoHeader,
    /// A column is missing.
    #[error("its header has no column `{column}`; save it again as `giga observe --dry-run` shows")]
    NoColumn {
        /// As Slurm calls it.
        column: &'static str,
    },
}

/// What was read of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<T> {
    /// The sound rows in their order.
    pub rows: Vec<T>,
    /// The first rows that could not be read.
    pub faults: Vec<Fault>,
    /// How many could not be read.
    pub faulty: u64,
    /// Times without a zone, which were taken as UTC.
    pub zoneless: u64,
}

/// One row below its header.
pub(super) struct Row<'a> {
    line: u64,
    header: &'a [&'a str],
    cells: &'a [&'a str],
}

impl<'a> Row<'a> {
    /// The cell of a column; empty where there is none.
    pub(super) fn text(&self, column: &str) -> &'a str {
        let place = self.header.iter().position(|name| name.eq_ignore_ascii_case(column));
        place.and_then(|place| self.cells.get(place)).copied().unwrap_or("")
    }

    /// A cell as it is read, or the fault of it.
    pub(super) fn cell<T>(
        &self,
        column: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Fault> {
        let text = self.text(column);
        read(text).map_err(|what| Fault { line: self.line, field: column.to_owned(), what })
    }
}

/// Reads all rows. Of `needed` each column must be there. The last column may hold bars.
pub(super) fn table<T>(
    text: &str,
    needed: &[&'static str],
    mut read: impl FnMut(&Row<'_>, &mut Clock) -> Result<Option<T>, Fault>,
) -> Result<Read<T>, Unread> {
    let mut lines = (1..).zip(text.lines().map(|line| line.trim_end_matches('\r')));
    let (_, first) = lines.find(|(_, line)| line.contains('|')).ok_or(Unread::NoHeader)?;
    let header: Vec<&str> =
        first.trim_start_matches('\u{feff}').trim_end_matches('|').split('|').map(str::trim).collect();
    let has = |column: &str| header.iter().any(|name| name.eq_ignore_ascii_case(column));
    if let Some(column) = needed.iter().copied().find(|column| !has(column)) {
        return Err(Unread::NoColumn { column });
    }
    let (mut found, mut clock) =
        (Read { rows: Vec::new(), faults: Vec::new(), faulty: 0, zoneless: 0 }, Clock::default());
    for (line, text) in lines.filter(|(_, line)| !line.trim().is_empty() && *line != first) {
        let cells: Vec<&str> = text.splitn(header.len(), '|').map(str::trim).collect();
        let row = Row { line, header: &header, cells: &cells };
        let taken = if cells.len() < header.len() {
            let what = format!("it has {} cells where {} are due", cells.len(), header.len());
            Err(Fault { line, field: "line".to_owned(), what })
        } else {
            read(&row, &mut clock)
        };
        match taken {
            Ok(taken) => found.rows.extend(taken),
            Err(fault) => {
                found.faulty += 1;
                if found.faults.len() < FAULTS_KEPT {
                    found.faults.push(fault);
                }
            }
        }
    }
    found.zoneless = clock.zoneless;
    Ok(found)
}
