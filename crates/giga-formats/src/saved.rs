//! A run that was stopped: everything it needs to go on, in one file.
//!
//! The frame says what it is and which version wrote it, and a checksum finds damage. The state inside is an image,
//! which only the version that wrote it can read; the description is kept as text beside it.

use giga_control::record::{HourRecord, JobRecord};
use giga_model::image::{Image, ImageError, Source};
use giga_model::{Arrival, image};
use giga_units::{Fraction, Instant};
use thiserror::Error;

use crate::frame::{Frame, FrameError, checksum, checksum_on};

const FRAME: Frame = Frame { magic: *b"GIGASAVE", format: 7 };

/// A stopped run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Where the description came from.
    pub federation_file: String,
    /// The description itself.
    pub federation_text: String,
    /// What was made of it when it was read, a sentence each; its further files are not read again.
    pub notes: Vec<String>,
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
        federation_file, federation_text, notes, work_file, work_had, work_format, strict, load, seed, start, jobs, hours, run,
    }
}

/// Why a file is no stopped run that can go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SavedError {
    /// It is something else, of another version, or damaged.
    #[error("this is no saved run that can go on: {0}; run from the beginning")]
    Frame(#[from] FrameError),
    /// Its bytes say nothing.
    #[error("the saved run can not be read; run from the beginning")]
    Image(#[from] ImageError),
}

/// The bytes of a stopped run.
#[must_use]
pub fn write(saved: &Saved, version: &'static str) -> Vec<u8> {
    FRAME.write(&image::to_bytes(saved), version)
}

/// Reads a stopped run back.
///
/// # Errors
/// Fails where the bytes are something else, of another version, or damaged.
pub fn read(bytes: &[u8], version: &'static str) -> Result<Saved, SavedError> {
    Ok(image::from_bytes(FRAME.read(bytes, version)?)?)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> Saved {
        Saved {
            federation_file: "a.toml".into(),
            federation_text: "format = 1".into(),
            notes: vec!["it is flat".into()],
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
        assert_eq!(read(b"GIGA", "0.1.0"), Err(FrameError::Other.into()));
        let short = FRAME.write(b"GIGA", "0.1.0");
        assert!(matches!(read(&short, "0.1.0"), Err(SavedError::Image(_))));
    }
}
