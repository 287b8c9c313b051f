//! Work from outside: traces of real clusters, and our own table, as a stream of arrivals.
//!
//! What every format has in common happens here: rows that can not be read are counted and named, or refuse the file
//! where the reader is strict; owners become projects; the trace is moved to the date that the caller gives; limits
//! are completed, and raised to the run time where a trace shows that its job ran longer; only our own table may say that a
//! job needs more than its limit. The scheduler's world never learns from which format a job came. Formats that are published in the
//! order of submission stream with bounded memory; Philly and `sacct` tables are not, and are sorted in memory.
//! Reading the same file again gives the same arrivals, so that a run that resumes skips those it has had.

pub(crate) mod cell;
mod fault;
mod format;
mod lines;
mod order;
mod owner;
mod plain;
mod reader;
mod report;
mod row;
mod sacct;
mod swf;
mod table;
mod table_parquet;
mod text;
mod write;

use std::io;
use std::path::PathBuf;

use giga_units::{Duration, Fraction, Instant};
use thiserror::Error;

use crate::columnar::ColumnarError;
pub use fault::{Cause, FAULTS_KEPT, Fault, Faults};
pub use format::WorkFormat;
pub use order::REORDER_WINDOW;
pub use owner::{Mapping, Match, OWNERS_MAX};
pub use reader::{WorkReader, open, read_parquet, read_text};
pub use report::Report;
pub use row::Skip;
pub use write::{WorkWriter, create};

/// Requested over needed time where a trace does not say what was requested. In the excerpt of the HPC2N log, jobs over
/// a minute ask for 1.7 times their run time in the median; a round figure on the generous side.
pub const LIMIT_FACTOR: u32 = 2;

/// Which date the first job of a trace gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// The first submission is at this instant; all others keep their distance to it.
    From(Instant),
    /// As the trace has them.
    Kept,
}

/// How to read a trace.
#[derive(Debug, Clone)]
pub struct ReadOptions<'a> {
    /// The federation's projects by id; at least one.
    pub projects: &'a [String],
    /// The federation's accelerators by id.
    pub accelerators: &'a [String],
    /// When the first job comes.
    pub dates: Dates,
    /// What jobs draw of what their accelerators could draw above idle, where the trace does not say.
    pub draw: Fraction,
    /// Whether the first faulty row refuses the file.
    pub strict: bool,
}

impl<'a> ReadOptions<'a> {
    /// With the trace moved to `from`, jobs that draw all they can, and faulty rows counted.
    #[must_use]
    pub fn new(projects: &'a [String], accelerators: &'a [String], from: Instant) -> Self {
        Self { projects, accelerators, dates: Dates::From(from), draw: Fraction::ONE, strict: false }
    }
}

/// Why work could not be read or written.
#[derive(Debug, Error)]
pub enum WorkError {
    /// The file is not there or not ours to open.
    #[error("`{}` can not be opened", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The reading or writing broke off.
    #[error("the work can not be read or written")]
    Io(#[from] io::Error),
    /// A Parquet file.
    #[error(transparent)]
    Columnar(#[from] ColumnarError),
    /// Nothing known looks like this.
    #[error("the format of the work is not known; name it, one of: {}", WorkFormat::list())]
    UnknownFormat,
    /// The name of the format has no meaning.
    #[error("`{word}` is no format of work; write one of: {}", WorkFormat::list())]
    NoSuchFormat {
        /// What was given.
        word: String,
    },
    /// There is not even a header.
    #[error("the file has no rows")]
    NoRows,
    /// The header can not be read.
    #[error("the header of the file can not be read")]
    Header {
        /// Why not.
        #[source]
        fault: Fault,
    },
    /// The header lacks a column.
    #[error("the header has no column `{column}`; write the table again with it")]
    NoColumn {
        /// Which.
        column: &'static str,
    },
    /// The header is another one.
    #[error("the header is not `{expected}`; name the right format")]
    OtherColumns {
        /// What it should be.
        expected: &'static str,
    },
    /// The federation has nobody to charge.
    #[error("the federation has no project; work needs one that is charged")]
    NoProjects,
    /// The trace counts from a beginning whose date it does not tell.
    #[error("the trace tells no dates that could be kept; say when its first job comes")]
    NoDates,
    /// A faulty row in a strict reading.
    #[error(
        "the file has a faulty row and is refused; without `--strict` such rows are left out and counted"
    )]
    Strict {
        /// The first.
        #[source]
        fault: Fault,
    },
    /// An arrival refers to a name that is not there, or that a table can not hold.
    #[error("`{name}` can not stand in a table of work; a name must not hold `|` or line ends")]
    Name {
        /// The name.
        name: String,
    },
}

/// A run time of zero in a trace that counts whole seconds: it was shorter than a second, and is taken as one.
fn at_least_a_second(runtime: Duration, desk: &mut row::Desk) -> Duration {
    if runtime > Duration::ZERO {
        return runtime;
    }
    desk.note(report::SHORT_RUN);
    Duration::seconds(1)
}

#[cfg(test)]
mod tests;
