//! Rows in the order of submission.
//!
//! Formats that are published in order stream: a row may stand up to [`REORDER_WINDOW`] rows too low and is put
//! right; one further out of place is a fault, since the work before it has already been handed out. Formats that
//! are published unsorted are read whole and sorted; equal times keep the order of the file.

use std::collections::VecDeque;

use super::WorkError;
use super::fault::{Cause, Fault};
use super::row::{Desk, Row};
use super::text::Rows;

/// By how many rows a row of a sorted format may be out of place.
pub const REORDER_WINDOW: usize = 4_096;

/// How a format is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sorting {
    InOrder,
    Unsorted,
}

/// Rows that wait for their turn.
pub(super) struct Ordered {
    sorting: Sorting,
    waiting: VecDeque<Row>,
    handed_out: i64,
    ended: bool,
    /// Rows that stood too low and were put right.
    pub(super) moved: u64,
}

impl Ordered {
    pub(super) fn new(sorting: Sorting) -> Self {
        Self { sorting, waiting: VecDeque::new(), handed_out: i64::MIN, ended: false, moved: 0 }
    }

    /// The next job by submission.
    pub(super) fn next(&mut self, rows: &mut dyn Rows, desk: &mut Desk) -> Result<Option<Row>, WorkError> {
        while !self.ended && (self.sorting == Sorting::Unsorted || self.waiting.len() <= REORDER_WINDOW) {
            match rows.next(desk)? {
                Some(row) => self.admit(row, desk)?,
                None => self.end(),
            }
        }
        let row = self.waiting.pop_front();
        self.handed_out = row.as_ref().map_or(self.handed_out, |row| row.at);
        Ok(row)
    }

    fn admit(&mut self, row: Row, desk: &mut Desk) -> Result<(), WorkError> {
        if row.at < self.handed_out {
            return desk.fault(too_late(&row));
        }
        if self.sorting == Sorting::Unsorted || self.waiting.back().is_none_or(|last| last.at <= row.at) {
            self.waiting.push_back(row);
            return Ok(());
        }
        let place = self.waiting.partition_point(|other| other.at <= row.at);
        self.waiting.insert(place, row);
        self.moved += 1;
        Ok(())
    }

    fn end(&mut self) {
        self.ended = true;
        if self.sorting == Sorting::Unsorted {
            self.waiting.make_contiguous().sort_by_key(|row| row.at);
        }
    }
}

fn too_late(row: &Row) -> Fault {
    Fault { line: row.line, column: "submitted", cause: Cause::OutOfOrder { window: REORDER_WINDOW } }
}
