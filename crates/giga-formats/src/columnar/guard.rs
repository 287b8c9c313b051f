//! Refuses Parquet files whose headers promise lists without end.
//!
//! The library skips fields that it does not know, and a list of booleans takes no bytes there: some twenty hostile
//! bytes keep it busy for minutes. The headers are therefore walked here first, with a budget: no honest header has
//! more list elements than bytes. A known field has to be what it should be, so that the library can not read other
//! things from the same bytes. (Thrift's compact protocol; booleans in lists as the library reads them.)

use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::ChunkReader;

use super::ColumnarError;
use super::headers::{FOOTER, Fields, Kind, PAGE};

const MAGIC: &[u8; 4] = b"PAR1";
/// Levels of nesting; those of Parquet have under ten.
const DEPTH_MAX: u8 = 32;
/// The longest header of a page that is read.
const PAGE_HEADER_MAX: u64 = 64 * 1024;
/// The number of the field that holds the size of the page behind its header.
const COMPRESSED_SIZE: i64 = 3;
/// Thrift's wire type of 32-bit numbers.
const INT: u8 = 5;
const DAMAGED: ColumnarError = ColumnarError::Damaged { what: "its lengths contradict each other" };

/// Checks the footer, before the library reads it.
pub(super) fn check_footer(source: &impl ChunkReader) -> Result<(), ColumnarError> {
    let end = source.len().checked_sub(8).ok_or(DAMAGED)?;
    let tail = source.get_bytes(end, 8)?;
    let (length, magic) = tail.split_at(4);
    let length = u32::from_le_bytes(length.try_into().map_err(|_| DAMAGED)?);
    if magic != MAGIC {
        return Err(ColumnarError::Damaged { what: "it does not end as a Parquet file does" });
    }
    let start = end.checked_sub(u64::from(length)).ok_or(DAMAGED)?;
    let footer = source.get_bytes(start, length as usize)?;
    Walk::new(&footer).structure(FOOTER, 0).ok_or(DAMAGED).map(|_| ())
}

/// Checks the header of every page, before the library reads it.
pub(super) fn check_pages(
    source: &impl ChunkReader,
    metadata: &ParquetMetaData,
) -> Result<(), ColumnarError> {
    for column in metadata.row_groups().iter().flat_map(RowGroupMetaData::columns) {
        let (start, length) = column.byte_range();
        let end = start.checked_add(length).filter(|&end| end <= source.len()).ok_or(DAMAGED)?;
        let mut at = start;
        while at < end {
            let header = source.get_bytes(at, (end - at).min(PAGE_HEADER_MAX) as usize)?;
            let mut walk = Walk::new(&header);
            let size = walk.structure(PAGE, 0).flatten();
            let size = size.and_then(|size| u64::try_from(size).ok()).ok_or(DAMAGED)?;
            at += walk.at as u64 + size;
        }
    }
    Ok(())
}

/// Bytes being walked, and how many list elements they may still have.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    budget: u64,
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, budget: bytes.len() as u64 }
    }

    /// Walks over the fields of a struct; gives the number in the field [`COMPRESSED_SIZE`], where there is one.
    fn structure(&mut self, fields: Fields, depth: u8) -> Option<Option<i64>> {
        let (mut field, mut size) = (0_i64, None);
        loop {
            let head = self.byte()?;
            let wire = head & 0x0f;
            if wire == 0 {
                return Some(size);
            }
            field = if head >> 4 == 0 { self.number()? } else { field.checked_add(i64::from(head >> 4))? };
            // Numbers of fields are 16 bits wide; what is beyond would mean another field to the library.
            i16::try_from(field).ok()?;
            match fields.iter().find(|(number, _)| *number == field) {
                Some(&(COMPRESSED_SIZE, Kind::Int)) if wire == INT => size = Some(self.number()?),
                Some(&(_, kind)) => self.known(kind, wire, depth)?,
                None => self.unknown(wire, depth)?,
            }
        }
    }

    /// A field that has to be of a kind.
    fn known(&mut self, kind: Kind, wire: u8, depth: u8) -> Option<()> {
        match (kind, wire) {
            (Kind::Bool, 1 | 2)
            | (Kind::Byte, 3)
            | (Kind::Short, 4)
            | (Kind::Int, INT)
            | (Kind::Long, 6)
            | (Kind::Binary, 8) => self.unknown(wire, depth),
            (Kind::List(element), 9) => {
                let (count, wire) = self.list_head()?;
                (0..count).try_for_each(|_| self.known(*element, wire, depth + 1))
            }
            (Kind::Struct(fields), 12) if depth < DEPTH_MAX => self.structure(fields, depth + 1).map(|_| ()),
            _ => None,
        }
    }

    /// A field that nobody knows, or a plain one.
    fn unknown(&mut self, wire: u8, depth: u8) -> Option<()> {
        match wire {
            1 | 2 => Some(()),
            3 => self.skip(1),
            4..=6 => self.number().map(|_| ()),
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 if depth < DEPTH_MAX => {
                let (count, wire) = self.list_head()?;
                (0..count).try_for_each(|_| self.unknown(wire, depth + 1))
            }
            12 if depth < DEPTH_MAX => self.structure(&[], depth + 1).map(|_| ()),
            _ => None,
        }
    }

    /// How many elements a list has, and of which wire type.
    fn list_head(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        self.budget = self.budget.checked_sub(count)?;
        Some((count, head & 0x0f))
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A signed number: its sign is in the lowest bit.
    fn number(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn skip(&mut self, length: u64) -> Option<()> {
        let end = self.at.checked_add(usize::try_from(length).ok()?)?;
        self.at = end;
        (end <= self.bytes.len()).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_end_is_refused() {
        // Field 9, a list of 2^31 - 1 booleans, then the end of the struct.
        let endless = [0x99, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00];
        assert_eq!(Walk::new(&endless).structure(&[], 0), None);
        let honest = [0x99, 0x21, 0x00];
        assert_eq!(Walk::new(&honest).structure(&[], 0), Some(None));
        let sized = [0x35, 0x0c, 0x00];
        assert_eq!(Walk::new(&sized).structure(PAGE, 0), Some(Some(6)));
        let other_kind = [0x15, 0x0c, 0x18, 0x00, 0x00];
        assert_eq!(Walk::new(&other_kind).structure(PAGE, 0), None, "field 2 of a page is a number");
    }
}
