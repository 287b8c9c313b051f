//! A run that was stopped: everything it needs to go on, in one file.
//!
//! The frame says what it is and which version wrote it, and a checksum finds damage. The state inside is an image,
//! which only the version that wrote it can read; the description is kept as text beside it.

use giga_control::record::{HourRecord, JobRecord};
use giga_model::image::{Image, ImageError, Source};
use giga_model::{Arrival, image};
use giga_units::{Fraction, Instant};
use thiserror::Error;

const MAGIC: &[u8; 8] = b"GIGASAVE";
const FORMAT: u32 = 1;
/// Magic, format, version (16 bytes), checksum.
const FRAME: usize = 8 + 4 + 16 + 8;

/// A stopped run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Where the description came from.
    pub federation_file: String,
    /// The description itself.
    pub federation_text: String,
    /// Where the work came from, or `None` where it was generated.
    pub work_file: Option<String>,
    /// Stands for the work that was read so far.
    pub work_had: Fingerprint,
    /// The name of the work's format, where one was given.
    pub work_format: Option<String>,
    /// Whether faulty rows refuse the work.
    pub strict: bool,
    /// The load, where the call set another than the description's.
    pub load: Option<Fraction>,
    /// The seed of all chance.
    pub seed: u64,
    /// When the run began.
    pub start: Instant,
    /// Rows of `jobs.parquet` that filled no group.
    pub jobs: Vec<JobRecord>,
    /// Rows of `hours.parquet` that filled no group.
    pub hours: Vec<HourRecord>,
    /// The image of the run.
    pub run: Vec<u8>,
}

image! {
    struct Saved {
        federation_file, federation_text, work_file, work_had, work_format, strict, load, seed, start, jobs, hours, run,
    }
}

/// Why a file is no stopped run that can go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SavedError {
    /// It is something else.
    #[error("this is no saved run; give the folder that `--out` named")]
    NotSaved,
    /// Another version wrote it.
    #[error("another version ({found}) saved this run and only that one can go on with it; this is {ours}")]
    OtherVersion {
        /// Who wrote it.
        found: String,
        /// Who reads it.
        ours: &'static str,
    },
    /// Its bytes changed.
    #[error("the saved run is damaged: its checksum does not agree; run from the beginning")]
    Damaged,
    /// Its bytes say nothing.
    #[error("the saved run can not be read; run from the beginning")]
    Image(#[from] ImageError),
}

/// The bytes of a stopped run.
#[must_use]
pub fn write(saved: &Saved, version: &'static str) -> Vec<u8> {
    let body = image::to_bytes(saved);
    let mut out = Vec::with_capacity(FRAME + body.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&FORMAT.to_le_bytes());
    out.extend_from_slice(&padded(version));
    out.extend_from_slice(&checksum(&body).to_le_bytes());
    out.extend_from_slice(&body);
    out
}

/// Reads a stopped run back.
///
/// # Errors
/// Fails where the bytes are something else, of another version, or damaged.
pub fn read(bytes: &[u8], version: &'static str) -> Result<Saved, SavedError> {
    if bytes.len() < FRAME || !bytes.starts_with(MAGIC) {
        return Err(SavedError::NotSaved);
    }
    let (frame, body) = bytes.split_at(FRAME);
    if frame[8..12] != FORMAT.to_le_bytes() || frame[12..28] != padded(version) {
        let format = u32::from_le_bytes(frame[8..12].try_into().expect("four bytes"));
        let name = String::from_utf8_lossy(&frame[12..28]).trim_end_matches('\0').to_owned();
        let found = if format == FORMAT { name } else { format!("{name} with format {format}") };
        return Err(SavedError::OtherVersion { found, ours: version });
    }
    if frame[28..36] != checksum(body).to_le_bytes() {
        return Err(SavedError::Damaged);
    }
    Ok(image::from_bytes(body)?)
}

fn padded(version: &str) -> [u8; 16] {
    let mut name = [0; 16];
    name.iter_mut().zip(version.bytes()).for_each(|(slot, byte)| *slot = byte);
    name
}

/// Stands for jobs in their order, so that a run does not go on with other work than it began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(checksum(&[]))
    }
}

impl Fingerprint {
    /// One more job.
    pub fn add(&mut self, arrival: &Arrival) {
        self.0 = checksum_on(self.0, &image::to_bytes(arrival));
    }
}

impl Image for Fingerprint {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
    fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
        Ok(Self(Image::read(source)?))
    }
}

/// FNV-1a over 64 bits (RFC 9923): finds damage by accident, not by intent.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    checksum_on(0xcbf2_9ce4_8422_2325, bytes)
}

fn checksum_on(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> Saved {
        Saved {
            federation_file: "a.toml".into(),
            federation_text: "format = 1".into(),
            work_file: None,
            work_had: Fingerprint::default(),
            work_format: None,
            strict: false,
            load: Some(Fraction::ONE),
            seed: 7,
            start: Instant::unix_milliseconds(5),
            jobs: Vec::new(),
            hours: Vec::new(),
            run: vec![1, 2, 3],
        }
    }

    #[test]
    fn a_saved_run_reads_back_and_nothing_else_does() {
        let bytes = write(&saved(), "0.1.0");
        assert_eq!(read(&bytes, "0.1.0"), Ok(saved()));
        assert_eq!(read(b"GIGA", "0.1.0"), Err(SavedError::NotSaved));
        let other = SavedError::OtherVersion { found: "0.1.0".into(), ours: "0.2.0" };
        assert_eq!(read(&bytes, "0.2.0"), Err(other));
        for place in FRAME..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert_eq!(read(&damaged, "0.1.0"), Err(SavedError::Damaged));
        }
    }
}
