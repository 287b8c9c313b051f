//! Writing by row group: rows are kept until a group is full, then each column is encoded in one go.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type};

use super::{Cell, ColumnarError, Field, GROUP_ROWS, Presence};

/// Rows on their way into a file.
pub(crate) struct ColumnarWriter<R: 'static, N: 'static, W: Write + Send> {
    fields: &'static [Field<R, N>],
    names: N,
    file: SerializedFileWriter<W>,
    group: Vec<R>,
    scratch: Scratch,
}

/// Buffers that every column of every group uses again.
#[derive(Default)]
struct Scratch {
    numbers: Vec<i64>,
    texts: Vec<ByteArray>,
    levels: Vec<i16>,
}

impl<R, N, W: Write + Send> ColumnarWriter<R, N, W> {
    /// Begins a file; `table` and `format` stand in it for those who read it back.
    pub(crate) fn new(
        out: W,
        (table, format): (&str, u32),
        fields: &'static [Field<R, N>],
        names: N,
    ) -> Result<Self, ColumnarError> {
        let columns = fields.iter().map(|field| field.schema().map(Arc::new)).collect::<Result<_, _>>()?;
        let schema = Type::group_type_builder(table).with_fields(columns).build()?;
        let properties = Arc::new(properties(table, format, fields));
        let file = SerializedFileWriter::new(out, Arc::new(schema), properties)?;
        Ok(Self { fields, names, file, group: Vec::new(), scratch: Scratch::default() })
    }

    /// Adds a row.
    pub(crate) fn write(&mut self, row: R) -> Result<(), ColumnarError> {
        if self.group.capacity() == 0 {
            self.group.reserve_exact(GROUP_ROWS);
        }
        self.group.push(row);
        if self.group.len() == GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    /// Writes what is left and ends the file.
    pub(crate) fn finish(mut self) -> Result<W, ColumnarError> {
        if !self.group.is_empty() {
            self.flush()?;
        }
        Ok(self.file.into_inner()?)
    }

    /// Ends the file behind the last full group and hands back the rows that did not fill one.
    pub(crate) fn save(self) -> Result<(W, Vec<R>), ColumnarError> {
        Ok((self.file.into_inner()?, self.group))
    }

    fn flush(&mut self) -> Result<(), ColumnarError> {
        let mut group = self.file.next_row_group()?;
        for field in self.fields {
            let Some(mut column) = group.next_column()? else { break };
            self.scratch.write(field, &self.names, &self.group, &mut column)?;
            column.close()?;
        }
        group.close()?;
        self.group.clear();
        Ok(())
    }
}

impl Scratch {
    fn write<R, N>(
        &mut self,
        field: &Field<R, N>,
        names: &N,
        rows: &[R],
        column: &mut SerializedColumnWriter<'_>,
    ) -> Result<(), ColumnarError> {
        self.levels.clear();
        match field.cell {
            Cell::Number(read) | Cell::Instant(read) => {
                self.gather_numbers(field.name, rows.iter().map(read))?;
                let levels = self.levels_of(field, self.numbers.len())?;
                column.typed::<Int64Type>().write_batch(&self.numbers, levels, None)?;
            }
            Cell::Text(read) => {
                self.gather_texts(rows.iter().map(|row| read(names, row)));
                let levels = self.levels_of(field, self.texts.len())?;
                column.typed::<ByteArrayType>().write_batch(&self.texts, levels, None)?;
            }
        }
        Ok(())
    }

    fn gather_numbers(
        &mut self,
        column: &'static str,
        cells: impl Iterator<Item = Option<i128>>,
    ) -> Result<(), ColumnarError> {
        self.numbers.clear();
        for cell in cells {
            self.levels.push(i16::from(cell.is_some()));
            if let Some(number) = cell {
                self.numbers.push(i64::try_from(number).map_err(|_| ColumnarError::TooLarge { column })?);
            }
        }
        Ok(())
    }

    fn gather_texts(&mut self, cells: impl Iterator<Item = Option<ByteArray>>) {
        self.texts.clear();
        for cell in cells {
            self.levels.push(i16::from(cell.is_some()));
            self.texts.extend(cell);
        }
    }

    /// The levels for an optional column; a required one has none, and must have all its values.
    fn levels_of<R, N>(&self, field: &Field<R, N>, values: usize) -> Result<Option<&[i16]>, ParquetError> {
        match field.presence {
            Presence::Optional => Ok(Some(&self.levels)),
            Presence::Required if values == self.levels.len() => Ok(None),
            Presence::Required => {
                Err(ParquetError::General(format!("column `{}` misses values", field.name)))
            }
        }
    }
}

fn properties<R, N>(table: &str, format: u32, fields: &[Field<R, N>]) -> WriterProperties {
    let stamp = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let mut properties = WriterProperties::builder()
        .set_created_by("giga".to_owned())
        .set_key_value_metadata(Some(vec![
            stamp("giga.table", table.to_owned()),
            stamp("giga.format", format.to_string()),
        ]))
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(None)
        .set_write_batch_size(8 * 1024);
    for field in fields {
        let path = ColumnPath::from(field.name);
        properties = match field.cell {
            Cell::Text(_) => properties.set_column_dictionary_enabled(path, true),
            _ => properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
        };
    }
    properties.build()
}
