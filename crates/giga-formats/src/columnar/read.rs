//! Reading by batches, from our own files and from those of other tools.
//!
//! Numbers may be 32 or 64 bits wide or doubles, dates may count milliseconds, micro- or nanoseconds: what common
//! tools make of such a table. The library's decoders are known to panic on some damaged files; the calls into it are
//! therefore caught here, and a panic counts as damage; what the host's panic hook prints is printed all the same.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::basic::{LogicalType, TimeUnit, Type as PhysicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};

use super::{ColumnarError, guard};

/// Rows read at a time.
const BATCH_ROWS: usize = 8 * 1024;
/// The most bytes that one column of one row group may unfold to; our own have one megabyte.
const CHUNK_MAX: i64 = 1 << 30;

/// The cells of a column, in the order of the rows.
#[derive(Debug)]
pub(crate) enum Values {
    Numbers(Vec<Option<i64>>),
    Texts(Vec<Option<ByteArray>>),
    /// The file has no such column.
    Absent,
}

impl Values {
    /// The number in a row, or `None` where the cell is empty.
    pub(crate) fn number(&self, row: usize) -> Option<i64> {
        match self {
            Self::Numbers(numbers) => numbers.get(row).copied().flatten(),
            _ => None,
        }
    }
    /// The text in a row, or `None` where the cell is empty or not UTF-8.
    pub(crate) fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Texts(texts) => texts.get(row)?.as_ref().and_then(|text| text.as_utf8().ok()),
            _ => None,
        }
    }
}

/// A file being read; the columns come in the order in which they were asked for.
pub(crate) struct ColumnarReader {
    file: Box<dyn FileReader>,
    places: Vec<Option<Place>>,
    /// The row groups that are still to be read, the next one first.
    groups: VecDeque<usize>,
    columns: Vec<Option<ColumnReader>>,
    rows_left: usize,
    /// Rows of the file up to the end of the last batch, those of groups that were left out included.
    passed: u64,
}

/// Where a column is and by what its numbers are multiplied and divided to be milliseconds.
#[derive(Clone, Copy)]
struct Place {
    column: usize,
    divisor: i64,
}

/// What a reader expects of a column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Text,
}

impl ColumnarReader {
    /// Opens a file and finds the columns.
    pub(crate) fn open(source: impl ChunkReader + 'static, wanted: &[Wanted]) -> Result<Self, ColumnarError> {
        let (file, places) = guarded(|| {
            guard::check_footer(&source)?;
            guard::check_pages(&source, &ParquetMetaDataReader::new().parse_and_finish(&source)?)?;
            let file = SerializedFileReader::new(source)?;
            check_sizes(&file)?;
            let places = wanted.iter().map(|wanted| find(&file, wanted)).collect::<Result<_, _>>()?;
            Ok((file, places))
        })?;
        let groups = (0..file.num_row_groups()).collect();
        Ok(Self { file: Box::new(file), places, groups, columns: Vec::new(), rows_left: 0, passed: 0 })
    }

    /// What stands in the file under a key.
    pub(crate) fn stamp(&self, key: &str) -> Option<&str> {
        let stamps = self.file.metadata().file_metadata().key_value_metadata()?;
        stamps.iter().find(|stamp| stamp.key == key)?.value.as_deref()
    }

    /// The next rows: how many, and the cells of each column; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(usize, Vec<Values>)>, ColumnarError> {
        while self.rows_left == 0 {
            let Some(group) = self.groups.pop_front() else { return Ok(None) };
            self.columns = self.open_columns(group, |_| true)?;
            self.rows_left = self.rows_in(group)?;
            self.passed = (0..group).map(|earlier| self.rows_in(earlier)).sum::<Result<usize, _>>()? as u64;
        }
        let rows = self.rows_left.min(BATCH_ROWS);
        self.rows_left -= rows;
        let mut columns = std::mem::take(&mut self.columns);
        let values = self.read_batch(&mut columns, rows)?;
        self.columns = columns;
        self.passed += rows as u64;
        Ok(Some((rows, values)))
    }

    /// How many rows the file has up to the end of the batch that [`ColumnarReader::next`] gave last.
    pub(crate) fn passed(&self) -> u64 {
        self.passed
    }

    /// Leaves out the row groups in which no row is wanted by its cells of these columns, which alone are read for it.
    /// To be called before the first row is read.
    pub(crate) fn leave_out<const N: usize>(
        &mut self,
        columns: [usize; N],
        wanted: impl Fn([Option<i64>; N]) -> bool,
    ) -> Result<(), ColumnarError> {
        let all = std::mem::take(&mut self.groups);
        for group in all {
            if self.has_wanted(group, columns, &wanted)? {
                self.groups.push_back(group);
            }
        }
        Ok(())
    }

    fn has_wanted<const N: usize>(
        &self,
        group: usize,
        columns: [usize; N],
        wanted: impl Fn([Option<i64>; N]) -> bool,
    ) -> Result<bool, ColumnarError> {
        let mut open = self.open_columns(group, |column| columns.contains(&column))?;
        let mut left = self.rows_in(group)?;
        while left > 0 {
            let rows = left.min(BATCH_ROWS);
            left -= rows;
            let values = self.read_batch(&mut open, rows)?;
            let cells = |row| columns.map(|column| values.get(column).and_then(|cells| cells.number(row)));
            if (0..rows).any(|row| wanted(cells(row))) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read_batch(
        &self,
        columns: &mut [Option<ColumnReader>],
        rows: usize,
    ) -> Result<Vec<Values>, ColumnarError> {
        let pairs = columns.iter_mut().zip(&self.places);
        let read = |(column, place): (&mut Option<ColumnReader>, &Option<Place>)| match (column, place) {
            (Some(column), Some(place)) => read_column(column, rows, place.divisor),
            _ => Ok(Values::Absent),
        };
        guarded(|| pairs.map(read).collect())
    }

    fn open_columns(
        &self,
        group: usize,
        which: impl Fn(usize) -> bool,
    ) -> Result<Vec<Option<ColumnReader>>, ColumnarError> {
        guarded(|| {
            let group = self.file.get_row_group(group)?;
            let places = self.places.iter().enumerate();
            let open = |(at, place): (usize, &Option<Place>)| {
                let place = place.filter(|_| which(at));
                place.map(|place| group.get_column_reader(place.column)).transpose()
            };
            Ok(places.map(open).collect::<Result<Vec<_>, ParquetError>>()?)
        })
    }

    fn rows_in(&self, group: usize) -> Result<usize, ColumnarError> {
        let rows = self.file.metadata().row_group(group).num_rows();
        usize::try_from(rows).map_err(|_| ColumnarError::Damaged { what: "a negative count" })
    }
}

/// Calls into the library; a panic in there is damage in the file.
fn guarded<T>(call: impl FnOnce() -> Result<T, ColumnarError>) -> Result<T, ColumnarError> {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or(Err(ColumnarError::Damaged { what: "its parts contradict each other" }))
}

/// Refuses a file that promises to unfold without bounds.
fn check_sizes(file: &dyn FileReader) -> Result<(), ColumnarError> {
    for group in file.metadata().row_groups() {
        for column in group.columns() {
            if !(0..=CHUNK_MAX).contains(&column.uncompressed_size()) {
                return Err(ColumnarError::Damaged { what: "a column unfolds to over a gigabyte" });
            }
        }
    }
    Ok(())
}

fn find(file: &dyn FileReader, wanted: &Wanted) -> Result<Option<Place>, ColumnarError> {
    let schema = file.metadata().file_metadata().schema_descr();
    let Some(column) = schema.columns().iter().position(|column| column.path().string() == wanted.name)
    else {
        let missing = Err(ColumnarError::NoColumn { column: wanted.name });
        return if wanted.required { missing } else { Ok(None) };
    };
    let found = schema.column(column);
    let fits = match wanted.kind {
        Kind::Number => {
            matches!(found.physical_type(), PhysicalType::INT32 | PhysicalType::INT64 | PhysicalType::DOUBLE)
        }
        Kind::Text => found.physical_type() == PhysicalType::BYTE_ARRAY,
    };
    if !fits || found.max_rep_level() > 0 || found.max_def_level() > 1 {
        let expected = if wanted.kind == Kind::Number { "numbers" } else { "text" };
        return Err(ColumnarError::WrongType { column: wanted.name, expected });
    }
    let divisor = match found.logical_type_ref() {
        Some(LogicalType::Timestamp(stamp)) => match stamp.unit {
            TimeUnit::MILLIS => 1,
            TimeUnit::MICROS => 1_000,
            TimeUnit::NANOS => 1_000_000,
        },
        _ => 1,
    };
    Ok(Some(Place { column, divisor }))
}

fn read_column(column: &mut ColumnReader, rows: usize, divisor: i64) -> Result<Values, ColumnarError> {
    let scale = |number: i64| number.div_euclid(divisor);
    Ok(match column {
        ColumnReader::Int64ColumnReader(column) => Values::Numbers(cells(column, rows, scale)?),
        ColumnReader::Int32ColumnReader(column) => Values::Numbers(cells(column, rows, i64::from)?),
        // Tools that know no empty integers write doubles; `as` saturates, and the row is then out of range.
        ColumnReader::DoubleColumnReader(column) => {
            Values::Numbers(cells(column, rows, |number| number as i64)?)
        }
        ColumnReader::ByteArrayColumnReader(column) => Values::Texts(cells(column, rows, |text| text)?),
        _ => return Err(ColumnarError::Damaged { what: "a column has changed its type" }),
    })
}

/// The cells of so many rows, `None` where one is empty.
fn cells<T: DataType, V>(
    column: &mut ColumnReaderImpl<T>,
    rows: usize,
    convert: impl Fn(T::T) -> V,
) -> Result<Vec<Option<V>>, ColumnarError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let (records, ..) = column.read_records(rows, Some(&mut levels), None, &mut values)?;
    if records != rows {
        return Err(ColumnarError::Damaged { what: "a column ends early" });
    }
    let mut values = values.into_iter().map(convert);
    if levels.is_empty() {
        return Ok(values.map(Some).collect());
    }
    Ok(levels.iter().map(|&level| if level > 0 { values.next() } else { None }).collect())
}
