//! What a run leaves behind: `jobs.parquet` with a row for each job, `hours.parquet` with a row for each hour of each
//! site.
//!
//! A unit stands at the end of a column's name; dates are UTC; names are dictionary-encoded. Rows go in as they come
//! and leave memory by row groups. A run that stops saves its files with full row groups only and keeps the other rows;
//! when it resumes, all rows go the normal way into new files, so that the bytes at the end are those of a run that
//! never stopped. This module recomputes nothing.

mod hours;
mod jobs;
mod names;

use std::io::Write;
use std::marker::PhantomData;

use giga_control::record::{HourRecord, JobRecord};
use giga_units::Instant;
use parquet::file::reader::ChunkReader;
use thiserror::Error;

pub use crate::columnar::ColumnarError;
use crate::columnar::{ColumnarReader, ColumnarWriter, Field, Values, Wanted};
pub use names::Names;

/// The format that is written; readers accept no later one.
pub const FORMAT: u32 = 1;

/// Why a table could not be written or read.
#[derive(Debug, Error)]
pub enum TableError {
    /// The file itself.
    #[error(transparent)]
    Columnar(#[from] ColumnarError),
    /// Another table.
    #[error("this is not a `{expected}` table of format {FORMAT} or earlier; give the file that a run wrote")]
    NotThisTable {
        /// Which was due.
        expected: &'static str,
    },
    /// A cell can not be what the table says.
    #[error("row {row}, column `{column}`: the value fits nothing in this federation")]
    BadCell {
        /// Counted from 1.
        row: u64,
        /// Which.
        column: &'static str,
    },
    /// Two things of a kind have one name, so that reading back could not tell them apart.
    #[error("`{name}` names two things of the same kind; rename one")]
    NameTwice {
        /// The name.
        name: String,
    },
}

/// A kind of row that has a table: [`JobRecord`] and [`HourRecord`].
#[expect(private_bounds, reason = "the tables are fixed here; nobody outside can add one")]
pub trait Record: Layout + Copy {}
impl Record for JobRecord {}
impl Record for HourRecord {}

/// The columns of a table, and how a row is read off their cells.
trait Layout: Sized + 'static {
    const TABLE: &'static str;
    const FIELDS: &'static [Field<Self, names::Written>];
    fn assemble(batch: &Batch<'_>, row: usize) -> Result<Self, TableError>;
}

/// A table being written.
pub struct TableWriter<R: Record, W: Write + Send> {
    inner: ColumnarWriter<R, names::Written, W>,
}

/// The writer of `jobs.parquet`.
pub type JobsWriter<W> = TableWriter<JobRecord, W>;
/// The writer of `hours.parquet`.
pub type HoursWriter<W> = TableWriter<HourRecord, W>;

impl<R: Record, W: Write + Send> TableWriter<R, W> {
    /// Begins a table.
    ///
    /// # Errors
    /// Fails where nothing can be written, or where two names would be one.
    pub fn new(out: W, names: &Names) -> Result<Self, TableError> {
        names::Index::new(names)?;
        let stamp = (R::TABLE, FORMAT);
        Ok(Self { inner: ColumnarWriter::new(out, stamp, R::FIELDS, names::Written::new(names))? })
    }

    /// Goes on with a run: begins a new file with all rows of the one that [`TableWriter::save`] ended and with the
    /// rows that it handed back.
    ///
    /// # Errors
    /// Fails where the saved file can not be read or the new one not be written.
    pub fn resume(
        saved: impl ChunkReader + 'static,
        rest: &[R],
        out: W,
        names: &Names,
    ) -> Result<Self, TableError> {
        let mut writer = Self::new(out, names)?;
        for row in TableReader::<R>::open(saved, names)? {
            writer.write(&row?)?;
        }
        rest.iter().try_for_each(|row| writer.write(row))?;
        Ok(writer)
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Fails where nothing can be written, or where an amount does not fit into 64 bits.
    ///
    /// # Panics
    /// Panics on an id that has no name.
    pub fn write(&mut self, row: &R) -> Result<(), TableError> {
        Ok(self.inner.write(*row)?)
    }

    /// Writes what is left and ends the file.
    ///
    /// # Errors
    /// Fails where nothing can be written.
    pub fn finish(self) -> Result<W, TableError> {
        Ok(self.inner.finish()?)
    }

    /// Ends the file behind the last full row group and hands back the rows that did not fill one.
    ///
    /// # Errors
    /// Fails where nothing can be written.
    pub fn save(self) -> Result<(W, Vec<R>), TableError> {
        Ok(self.inner.save()?)
    }
}

/// A table being read, row by row.
pub struct TableReader<R> {
    file: ColumnarReader,
    columns: Vec<Wanted>,
    index: names::Index,
    batch: Vec<Values>,
    rows: usize,
    next: usize,
    before: u64,
    failed: bool,
    kind: PhantomData<R>,
}

impl<R: Record> TableReader<R> {
    /// Opens a table that a run of the federation with these names wrote.
    ///
    /// # Errors
    /// Fails where it is no such table.
    pub fn open(source: impl ChunkReader + 'static, names: &Names) -> Result<Self, TableError> {
        let wanted: Vec<Wanted> = R::FIELDS.iter().map(Field::wanted).collect();
        let file = ColumnarReader::open(source, &wanted)?;
        let format = file.stamp("giga.format").and_then(|format| format.parse::<u32>().ok());
        if file.stamp("giga.table") != Some(R::TABLE) || format.is_none_or(|format| format > FORMAT) {
            return Err(TableError::NotThisTable { expected: R::TABLE });
        }
        let index = names::Index::new(names)?;
        let columns = wanted;
        Ok(Self {
            file,
            columns,
            index,
            batch: Vec::new(),
            rows: 0,
            next: 0,
            before: 0,
            failed: false,
            kind: PhantomData,
        })
    }

    fn pull(&mut self) -> Result<Option<R>, TableError> {
        while self.next == self.rows {
            let Some((rows, batch)) = self.file.next()? else { return Ok(None) };
            (self.rows, self.batch, self.next) = (rows, batch, 0);
            self.before = self.file.passed() - rows as u64;
        }
        let batch =
            Batch { values: &self.batch, columns: &self.columns, index: &self.index, before: self.before };
        self.next += 1;
        R::assemble(&batch, self.next - 1).map(Some)
    }
}

impl TableReader<JobRecord> {
    /// Leaves out row groups that have no job which had started before `end` and had not ended by `begin`; of the
    /// others all rows come. Jobs stand in the order of their ends, so that a short window needs few groups.
    ///
    /// # Errors
    /// Fails where the file can not be read.
    pub fn leave_out_of(mut self, begin: Instant, end: Instant) -> Result<Self, TableError> {
        let (begin, end) = (begin.as_unix_milliseconds(), end.as_unix_milliseconds());
        let ran = |[started, ended]: [Option<i64>; 2]| {
            started.is_some_and(|at| at < end) && ended.is_none_or(|at| at > begin)
        };
        self.file.leave_out([jobs::STARTED, jobs::ENDED], ran)?;
        Ok(self)
    }
}

impl<R: Record> Iterator for TableReader<R> {
    type Item = Result<R, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let pulled = self.pull().transpose();
        self.failed = !matches!(pulled, Some(Ok(_)));
        pulled
    }
}

/// Some rows by column, and what their names mean.
struct Batch<'a> {
    values: &'a [Values],
    columns: &'a [Wanted],
    index: &'a names::Index,
    before: u64,
}

impl Batch<'_> {
    /// The number in a cell, as the type that it belongs in; `None` where the cell is empty.
    fn maybe<T: TryFrom<i64>>(&self, row: usize, column: usize) -> Result<Option<T>, TableError> {
        let number = self.values[column].number(row);
        number.map(|number| T::try_from(number).map_err(|_| self.bad(row, column))).transpose()
    }

    /// The number in a cell that is never empty.
    fn number<T: TryFrom<i64>>(&self, row: usize, column: usize) -> Result<T, TableError> {
        self.maybe(row, column)?.ok_or_else(|| self.bad(row, column))
    }

    /// What the name in a cell means; `None` where the cell is empty.
    fn maybe_name<T>(
        &self,
        row: usize,
        column: usize,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, TableError> {
        let text = self.values[column].text(row);
        text.map(|text| find(text).ok_or_else(|| self.bad(row, column))).transpose()
    }

    /// What the name in a cell that is never empty means.
    fn name<T>(&self, row: usize, column: usize, find: impl Fn(&str) -> Option<T>) -> Result<T, TableError> {
        self.maybe_name(row, column, find)?.ok_or_else(|| self.bad(row, column))
    }

    fn bad(&self, row: usize, column: usize) -> TableError {
        TableError::BadCell { row: self.before + row as u64 + 1, column: self.columns[column].name }
    }
}

#[cfg(test)]
mod tests;
