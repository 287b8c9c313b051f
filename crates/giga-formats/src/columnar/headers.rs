//! What stands in the headers of a Parquet file, by field number (parquet.thrift of the Parquet format).
//!
//! The library reads a known field as what it should be, whatever it says it is; the walk before it has to insist, or
//! the two would read different things from the same bytes.

/// A struct's known fields.
pub(super) type Fields = &'static [(i64, Kind)];

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Bool,
    Byte,
    Short,
    Int,
    Long,
    Binary,
    List(&'static Kind),
    Struct(Fields),
    /// Known and not read here: encryption and geography.
    Refused,
}

use Kind::{Binary, Bool, Byte, Int, List, Long, Refused, Short, Struct};

pub(super) const FOOTER: Fields = &[
    (1, Int),
    (2, List(&Struct(SCHEMA))),
    (3, Long),
    (4, List(&Struct(ROW_GROUP))),
    (5, List(&Struct(KEY_VALUE))),
    (6, Binary),
    (7, List(&Struct(ORDER))),
    (8, Refused),
    (9, Refused),
];

pub(super) const PAGE: Fields = &[
    (1, Int),
    (2, Int),
    (3, Int),
    (4, Int),
    (5, Struct(&[(1, Int), (2, Int), (3, Int), (4, Int), (5, Struct(STATISTICS))])),
    (6, Struct(&[])),
    (7, Struct(&[(1, Int), (2, Int), (3, Bool)])),
    (8, Struct(PAGE_2)),
];

const PAGE_2: Fields =
    &[(1, Int), (2, Int), (3, Int), (4, Int), (5, Int), (6, Int), (7, Bool), (8, Struct(STATISTICS))];

const SCHEMA: Fields = &[
    (1, Int),
    (2, Int),
    (3, Int),
    (4, Binary),
    (5, Int),
    (6, Int),
    (7, Int),
    (8, Int),
    (9, Int),
    (10, Struct(LOGICAL)),
];

/// The logical types; those without fields of their own are empty.
const LOGICAL: Fields = &[
    (1, Struct(&[])),
    (2, Struct(&[])),
    (3, Struct(&[])),
    (4, Struct(&[])),
    (5, Struct(&[(1, Int), (2, Int)])),
    (6, Struct(&[])),
    (7, Struct(&[(1, Bool), (2, Struct(UNIT))])),
    (8, Struct(&[(1, Bool), (2, Struct(UNIT))])),
    (10, Struct(&[(1, Byte), (2, Bool)])),
    (11, Struct(&[])),
    (12, Struct(&[])),
    (13, Struct(&[])),
    (14, Struct(&[])),
    (15, Struct(&[])),
    (16, Struct(&[(1, Byte)])),
    (17, Refused),
    (18, Refused),
];

const UNIT: Fields = &[(1, Struct(&[])), (2, Struct(&[])), (3, Struct(&[]))];
const ORDER: Fields = &[(1, Struct(&[])), (2, Struct(&[]))];
const KEY_VALUE: Fields = &[(1, Binary), (2, Binary)];

const ROW_GROUP: Fields = &[
    (1, List(&Struct(COLUMN))),
    (2, Long),
    (3, Long),
    (4, List(&Struct(&[(1, Int), (2, Bool), (3, Bool)]))),
    (5, Long),
    (6, Long),
    (7, Short),
];

const COLUMN: Fields = &[
    (1, Binary),
    (2, Long),
    (3, Struct(COLUMN_DATA)),
    (4, Long),
    (5, Int),
    (6, Long),
    (7, Int),
    (8, Refused),
    (9, Refused),
];

const COLUMN_DATA: Fields = &[
    (1, Int),
    (2, List(&Int)),
    (3, List(&Binary)),
    (4, Int),
    (5, Long),
    (6, Long),
    (7, Long),
    (8, List(&Struct(KEY_VALUE))),
    (9, Long),
    (10, Long),
    (11, Long),
    (12, Struct(STATISTICS)),
    (13, List(&Struct(&[(1, Int), (2, Int), (3, Int)]))),
    (14, Long),
    (15, Int),
    (16, Struct(&[(1, Long), (2, List(&Long)), (3, List(&Long))])),
    (17, Refused),
];

const STATISTICS: Fields =
    &[(1, Binary), (2, Binary), (3, Long), (4, Long), (5, Binary), (6, Binary), (7, Bool), (8, Bool)];
