//! The files of an attempt: what was handed over, the claim, the program's process, the receipt, that it is lost, that its
//! accelerators are idle; and readings of accelerators that were recorded.
//!
//! Each is one JSON object in the same frame: `format`, `kind`, `body` and a `checksum` of the body, so that damage by
//! accident is found. Reading never panics and never guesses: what is not whole is an error.

mod file;
mod readings;

pub use readings::{Reading, ReadingsFault, readings};

use giga_model::{AttemptId, Idling, Launch, Receipt};
use giga_units::{Bytes, Instant};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The format that is written, and the only one that is read.
pub const FORMAT: u32 = 1;

/// A launch with the choices that the engine made about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// What was asked for.
    pub launch: Launch,
    /// For each node of the launch, which of its accelerators.
    pub slots: Vec<Vec<u32>>,
    /// The processors of the host that it keeps to; empty where it may use all.
    pub cpus: Vec<u32>,
    /// Its part of the processors, in thousandths of one.
    pub cpus_thousandths: u64,
    /// Its part of main memory.
    pub memory: Bytes,
    /// The ids of the real devices that it may use; empty where its accelerators are virtual.
    pub devices: Vec<String>,
}

/// A process that can not be mistaken for a later one with the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// When it began, in clock ticks since the host came up.
    pub start_ticks: u64,
    /// Which coming up of the host that was.
    pub boot: String,
}

/// Who took an attempt for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claimant {
    /// A supervisor, which goes on to run the program.
    Supervisor(ProcessId),
    /// The engine, because it was asked to stop it before it began: it never begins.
    Fence,
}

/// That an attempt is taken, once and for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which attempt.
    pub attempt: AttemptId,
    /// A word that no other claim has.
    pub nonce: String,
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: Claimant,
    /// The number of the batch job that did it, where one did.
    pub batch: Option<u64>,
}

/// The program of an attempt as a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The process; it leads a session and a group of its own.
    pub process: ProcessId,
    /// When it began.
    pub at: Instant,
}

/// That an attempt is dead and left no receipt, once and for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Which attempt.
    pub attempt: AttemptId,
    /// How that is known, for a person.
    pub cause: String,
    /// When that was found.
    pub at: Instant,
}

/// Why a file of an attempt says nothing.
#[derive(Debug, Error)]
pub enum AttemptFileError {
    /// It is no whole JSON object of this shape.
    #[error("this is no whole `{kind}` file")]
    Broken {
        /// Which file was due.
        kind: &'static str,
        /// What JSON has to say.
        #[source]
        source: serde_json::Error,
    },
    /// Another version wrote it.
    #[error("this `{kind}` file has format {found}; this version reads format {FORMAT}")]
    OtherFormat {
        /// Which file was due.
        kind: &'static str,
        /// What stands there.
        found: u32,
    },
    /// It is another file of an attempt.
    #[error("this is a `{found}` file where a `{kind}` file was due")]
    OtherKind {
        /// Which file was due.
        kind: &'static str,
        /// What stands there.
        found: String,
    },
    /// Its bytes changed.
    #[error("this `{kind}` file is damaged: its checksum does not agree")]
    Damaged {
        /// Which file was due.
        kind: &'static str,
    },
    /// A value in it can not be.
    #[error("`{field}` of this `{kind}` file can not be what it says")]
    BadValue {
        /// Which file was due.
        kind: &'static str,
        /// Which value.
        field: &'static str,
    },
}

/// A value that has a file among those of an attempt.
#[expect(private_bounds, reason = "the files are fixed here; nobody outside can add one")]
pub trait AttemptFile: Shape {
    /// The text of the file.
    fn write(&self) -> String {
        let body = self.to_file();
        let checksum = checksum_of(&body);
        let frame = Frame { format: FORMAT, kind: Self::KIND.to_owned(), body, checksum };
        let mut text = serde_json::to_string_pretty(&frame).expect("text, numbers and lists are always JSON");
        text.push('\n');
        text
    }

    /// Reads the text of a file back.
    ///
    /// # Errors
    /// Fails where the text is not whole, of another format or kind, damaged, or says what can not be.
    fn read(text: &[u8]) -> Result<Self, AttemptFileError> {
        let broken = |source| AttemptFileError::Broken { kind: Self::KIND, source };
        let probe: Probe = serde_json::from_slice(text).map_err(broken)?;
        if probe.format != FORMAT {
            return Err(AttemptFileError::OtherFormat { kind: Self::KIND, found: probe.format });
        }
        if probe.kind != Self::KIND {
            return Err(AttemptFileError::OtherKind { kind: Self::KIND, found: probe.kind });
        }
        let frame: Frame<Self::File> = serde_json::from_slice(text).map_err(broken)?;
        if frame.checksum != checksum_of(&frame.body) {
            return Err(AttemptFileError::Damaged { kind: Self::KIND });
        }
        let bad = |field| AttemptFileError::BadValue { kind: Self::KIND, field };
        Self::from_file(frame.body).map_err(bad)
    }
}
impl AttemptFile for Handover {}
impl AttemptFile for Claim {}
impl AttemptFile for Body {}
impl AttemptFile for Lost {}
impl AttemptFile for Idling {}
impl AttemptFile for Receipt {}

/// How a value lies in its file. What comes back as an error names the bad value.
pub(crate) trait Shape: Sized {
    const KIND: &'static str;
    type File: Serialize + DeserializeOwned;
    fn to_file(&self) -> Self::File;
    fn from_file(file: Self::File) -> Result<Self, &'static str>;
}

#[derive(Deserialize)]
struct Probe {
    format: u32,
    kind: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Frame<T> {
    format: u32,
    kind: String,
    body: T,
    checksum: String,
}

/// The compact text of a body is the same wherever it is written: fields in order, integers and text only.
fn checksum_of(body: &impl Serialize) -> String {
    let bytes = serde_json::to_vec(body).expect("text, numbers and lists are always JSON");
    format!("{:016x}", crate::frame::checksum(&bytes))
}
