//! Records of the journal, and snapshots: what a live federation is built from again.
//!
//! A record holds the inputs of one instant and the events they led to. It stays readable for good: a change of what an
//! input or an event looks like raises [`FORMAT`], and the reader of every earlier format is kept. Golden files of each format
//! are read in tests. A snapshot only saves time: one of another version is left aside, and the journal followed from
//! further back.

use giga_model::image::{self, Image, ImageError, Source};
use giga_scheduler::{Event, Input};
use giga_units::Instant;
use thiserror::Error;

use crate::frame::{Frame, FrameError, checksum};

/// The format of the records that are written.
pub const FORMAT: u16 = 7;

/// Inputs of one instant with the events they led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the journal, from 1 without a gap.
    pub seq: u64,
    /// By which version of the policy it was decided: [`giga_scheduler::DECISION_VERSION`] then.
    pub decisions: u32,
    /// When. It never goes back from one record to the next.
    pub now: Instant,
    /// What came in, in order; a look at the queues follows the last.
    pub inputs: Vec<Input>,
    /// What that led to, in order.
    pub events: Vec<Event>,
}

giga_model::image! { struct Record { seq, decisions, now, inputs, events } }

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordError {
    /// A later version wrote them.
    #[error(
        "the record has format {found} and this version reads up to {FORMAT}; use the later version again"
    )]
    Later {
        /// Their format.
        found: u16,
    },
    /// Their checksum does not agree.
    #[error("the record is damaged: its checksum does not agree; restore the journal from a copy")]
    Damaged,
    /// They are whole, but say nothing.
    #[error("the record can not be read; restore the journal from a copy")]
    Image(#[from] ImageError),
}

/// The bytes of a record.
#[must_use]
pub fn write(record: &Record) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + 96 * (record.inputs.len() + record.events.len()));
    FORMAT.write(&mut out);
    record.write(&mut out);
    checksum(&out).write(&mut out);
    out
}

/// Reads a record of any format so far.
///
/// # Errors
/// Fails where the bytes are no whole record of a known format.
pub fn read(bytes: &[u8]) -> Result<Record, RecordError> {
    let end = bytes.len().checked_sub(size_of::<u64>()).ok_or(RecordError::Damaged)?;
    let (body, sum) = bytes.split_at(end);
    if checksum(body).to_le_bytes() != sum {
        return Err(RecordError::Damaged);
    }
    let mut source = Source::new(body);
    match u16::read(&mut source)? {
        format @ 1..=FORMAT => {
            source.written_in(format);
            let record = Record::read(&mut source)?;
            if source.is_empty() { Ok(record) } else { Err(source.bad_tag(0).into()) }
        }
        found => Err(RecordError::Later { found }),
    }
}

const SNAPSHOT: Frame = Frame { magic: *b"GIGASNAP", format: 6 };

/// What was known behind a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The last record that is in it.
    pub seq: u64,
    /// The image of the control.
    pub control: Vec<u8>,
}

giga_model::image! { struct Snapshot { seq, control } }

/// The bytes of a snapshot.
#[must_use]
pub fn write_snapshot(snapshot: &Snapshot, version: &'static str) -> Vec<u8> {
    SNAPSHOT.write(&image::to_bytes(snapshot), version)
}

/// Why bytes are no snapshot that this version can use.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// They are something else, of another version, or damaged.
    #[error("this is no snapshot to go on from: {0}")]
    Frame(#[from] FrameError),
    /// They say nothing.
    #[error("the snapshot can not be read")]
    Image(#[from] ImageError),
}

/// Reads a snapshot back.
///
/// # Errors
/// Fails where the bytes are something else, of another version, or damaged.
pub fn read_snapshot(bytes: &[u8], version: &'static str) -> Result<Snapshot, SnapshotError> {
    Ok(image::from_bytes(SNAPSHOT.read(bytes, version)?)?)
}

#[cfg(test)]
mod tests;
