//! Rows as Parquet files, written and read by column without Arrow.
//!
//! A table is one list of [`Field`]s; schema, writing and the order of columns follow from it. The bytes of a file
//! depend on its rows only: row groups have a fixed size, and neither time nor thread leaves a trace in them.

mod guard;
mod headers;
mod read;
mod write;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::schema::types::Type;
use thiserror::Error;

pub(crate) use read::{ColumnarReader, Kind, Values, Wanted};
pub(crate) use write::ColumnarWriter;

/// Rows in one row group: what a writer holds in memory.
pub(crate) const GROUP_ROWS: usize = 128 * 1024;

/// A column of a table whose rows are `R`, written with names `N`.
pub(crate) struct Field<R: 'static, N: 'static> {
    pub(crate) name: &'static str,
    pub(crate) presence: Presence,
    pub(crate) cell: Cell<R, N>,
}

/// Whether a cell may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Optional,
}

/// How the cell of a row is read off.
pub(crate) enum Cell<R: 'static, N: 'static> {
    /// A whole number; the unit is in the column's name.
    Number(fn(&R) -> Option<i128>),
    /// Milliseconds since 1970, UTC.
    Instant(fn(&R) -> Option<i128>),
    /// A name or a word, dictionary-encoded.
    Text(fn(&N, &R) -> Option<ByteArray>),
}

impl<R, N> Field<R, N> {
    pub(crate) const fn required(name: &'static str, cell: Cell<R, N>) -> Self {
        Self { name, presence: Presence::Required, cell }
    }
    pub(crate) const fn optional(name: &'static str, cell: Cell<R, N>) -> Self {
        Self { name, presence: Presence::Optional, cell }
    }

    /// What a reader of the same table expects of the column.
    pub(crate) fn wanted(&self) -> Wanted {
        let kind = if matches!(self.cell, Cell::Text(_)) { Kind::Text } else { Kind::Number };
        Wanted { name: self.name, kind, required: true }
    }

    fn schema(&self) -> Result<Type, ParquetError> {
        let (physical, logical) = match self.cell {
            Cell::Number(_) => (PhysicalType::INT64, None),
            Cell::Instant(_) => (PhysicalType::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
            Cell::Text(_) => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let repetition = match self.presence {
            Presence::Required => Repetition::REQUIRED,
            Presence::Optional => Repetition::OPTIONAL,
        };
        Type::primitive_type_builder(self.name, physical)
            .with_logical_type(logical)
            .with_repetition(repetition)
            .build()
    }
}

/// Why a Parquet file could not be written or read.
#[derive(Debug, Error)]
pub enum ColumnarError {
    /// The library refuses.
    #[error("the parquet file can not be read or written")]
    Parquet(#[from] ParquetError),
    /// The library broke off; the bytes are hostile or damaged.
    #[error("the parquet file is damaged: {what}")]
    Damaged {
        /// What was found.
        what: &'static str,
    },
    /// A column is not there.
    #[error("the parquet file has no column `{column}`")]
    NoColumn {
        /// Which.
        column: &'static str,
    },
    /// A column holds another kind of value.
    #[error("column `{column}` of the parquet file does not hold {expected}")]
    WrongType {
        /// Which.
        column: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// A number does not fit into a column.
    #[error("a value of column `{column}` does not fit into 64 bits")]
    TooLarge {
        /// Which.
        column: &'static str,
    },
}

#[cfg(test)]
mod tests;
