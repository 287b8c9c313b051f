//! Our own table as Parquet: the columns of the CSV table with the unit in the name, as whole numbers.

use giga_units::{Duration, Fraction};
use parquet::file::reader::ChunkReader;

use super::WorkError;
use super::cell;
use super::fault::{Cause, Fault};
use super::row::{At, Desk, Parsed, Row};
use super::table::{Single, within_one};
use super::text::Rows;
use crate::columnar::{ColumnarReader, Kind, Values, Wanted};

/// The columns in the order in which they are asked for.
mod column {
    pub(super) const SUBMITTED: usize = 0;
    pub(super) const PROJECT: usize = 1;
    pub(super) const ACCELERATORS: usize = 2;
    pub(super) const ACCELERATOR: usize = 3;
    pub(super) const ANY_OF: usize = 4;
    pub(super) const LIMIT: usize = 5;
    pub(super) const RUNTIME: usize = 6;
    pub(super) const CHECKPOINT: usize = 7;
    pub(super) const DRAW: usize = 8;
}

const fn wanted(name: &'static str, kind: Kind, required: bool) -> Wanted {
    Wanted { name, kind, required }
}

const WANTED: [Wanted; 9] = [
    wanted("submitted", Kind::Number, true),
    wanted("project", Kind::Text, true),
    wanted("accelerators", Kind::Number, true),
    wanted("accelerator", Kind::Text, false),
    wanted("any_of", Kind::Text, false),
    wanted("limit_ms", Kind::Number, false),
    wanted("runtime_ms", Kind::Number, true),
    wanted("checkpoint_ms", Kind::Number, false),
    wanted("draw_ppm", Kind::Number, false),
];

/// The rows of a file.
pub(super) struct ParquetRows {
    file: ColumnarReader,
    batch: Vec<Values>,
    rows: usize,
    next: usize,
    before: u64,
}

impl ParquetRows {
    pub(super) fn open(source: impl ChunkReader + 'static) -> Result<Self, WorkError> {
        let file = ColumnarReader::open(source, &WANTED)?;
        Ok(Self { file, batch: Vec::new(), rows: 0, next: 0, before: 0 })
    }

    fn parse(&self, row: usize, desk: &mut Desk) -> Result<Parsed, Fault> {
        let line = self.before + row as u64 + 1;
        let number = |column: usize| self.batch[column].number(row);
        let text = |column: usize| self.batch[column].text(row).filter(|text| !text.is_empty());
        let length = |column: usize| {
            let length = number(column).map(|count| cell::work_length(Duration::milliseconds(count)));
            length.transpose().at(line, WANTED[column].name)
        };
        let out_of_range = |count: i64| Cause::OutOfRange(count.to_string());
        let at = number(column::SUBMITTED).ok_or(Cause::Empty);
        let at = at.and_then(|at| cell::stamp(at).ok_or_else(|| out_of_range(at))).at(line, "submitted")?;
        let count = number(column::ACCELERATORS);
        let count = count.map(|count| cell::whole(count).ok_or_else(|| out_of_range(count)));
        let accelerators = count.transpose().at(line, "accelerators")?;
        let single = Single { accelerators, accelerator: text(column::ACCELERATOR) };
        let asks = single.or_any_of(text(column::ANY_OF), line, desk)?;
        let runtime = length(column::RUNTIME)?.ok_or(Cause::Empty).at(line, "runtime_ms")?;
        let (limit, checkpoint) = (length(column::LIMIT)?, length(column::CHECKPOINT)?);
        let draw = number(column::DRAW).map(|ppm| {
            let ppm = u64::try_from(ppm).map_err(|_| out_of_range(ppm))?;
            within_one(Fraction::ppm(ppm))
        });
        let draw = draw.transpose().at(line, "draw_ppm")?;
        let name = text(column::PROJECT).ok_or(Cause::Empty).at(line, "project")?;
        let project = desk.owners.project(name).at(line, "project")?;
        Ok(Parsed::Job(Row { line, at, project, asks, runtime, limit, checkpoint, draw }))
    }
}

impl Rows for ParquetRows {
    fn next(&mut self, desk: &mut Desk) -> Result<Option<Row>, WorkError> {
        loop {
            while self.next == self.rows {
                self.before += self.rows as u64;
                let Some((rows, batch)) = self.file.next()? else { return Ok(None) };
                (self.rows, self.batch, self.next) = (rows, batch, 0);
            }
            self.next += 1;
            let parsed = self.parse(self.next - 1, desk);
            if let Some(row) = desk.take(parsed)? {
                return Ok(Some(row));
            }
        }
    }
}
