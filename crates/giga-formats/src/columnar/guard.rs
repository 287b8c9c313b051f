//! Refuses Parquet files whose headers promise lists without end.
//!
//! The library skips fields that it does not know, and a list of booleans takes no bytes there: some twenty hostile
//! bytes keep it busy for minutes. The headers are therefore walked here first, with a budget: no honest header has
//! more list elements than bytes. (Thrift's compact protocol; booleans in lists as the library reads them.)

use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::ChunkReader;

use super::ColumnarError;

const MAGIC: &[u8; 4] = b"PAR1";
/// Levels of nesting; those of Parquet have under ten.
const DEPTH_MAX: u8 = 32;
/// The longest header of a page that is read.
const PAGE_HEADER_MAX: u64 = 64 * 1024;
/// The number of the field that holds the size of the page behind its header.
const COMPRESSED_SIZE: i64 = 3;
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
    Walk::new(&footer).structure(0).ok_or(DAMAGED).map(|_| ())
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
            let size =
                walk.structure(0).flatten().and_then(|size| u64::try_from(size).ok()).ok_or(DAMAGED)?;
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
    fn structure(&mut self, depth: u8) -> Option<Option<i64>> {
        let (mut field, mut size) = (0_i64, None);
        loop {
            let head = self.byte()?;
            let kind = head & 0x0f;
            if kind == 0 {
                return Some(size);
            }
            field = if head >> 4 == 0 { self.number()? } else { field.checked_add(i64::from(head >> 4))? };
            if field == COMPRESSED_SIZE && kind == 5 {
                size = Some(self.number()?);
            } else {
                self.value(kind, depth)?;
            }
        }
    }

    fn value(&mut self, kind: u8, depth: u8) -> Option<()> {
        match kind {
            1 | 2 => Some(()),
            3 => self.skip(1),
            4..=6 => self.number().map(|_| ()),
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 if depth < DEPTH_MAX => self.list(depth + 1),
            12 if depth < DEPTH_MAX => self.structure(depth + 1).map(|_| ()),
            _ => None,
        }
    }

    fn list(&mut self, depth: u8) -> Option<()> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        self.budget = self.budget.checked_sub(count)?;
        (0..count).try_for_each(|_| self.value(head & 0x0f, depth))
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
        assert_eq!(Walk::new(&endless).structure(0), None);
        let honest = [0x99, 0x21, 0x00];
        assert_eq!(Walk::new(&honest).structure(0), Some(None));
        let sized = [0x35, 0x0c, 0x00];
        assert_eq!(Walk::new(&sized).structure(0), Some(Some(6)));
    }
}
