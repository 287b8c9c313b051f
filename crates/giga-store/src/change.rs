//! What one transaction brings.

use giga_model::JobId;
use giga_units::{Carbon, Energy, Instant, Money};

/// Everything that becomes durable together.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Records of the journal, in their order.
    pub entries: Vec<Entry>,
    /// What they mean for the tables of jobs, in the order in which it happened.
    pub changes: Vec<Change>,
}

/// A record of the journal as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub seq: u64,
    /// As `giga_formats::journal` writes it.
    pub record: Vec<u8>,
}

/// Something that happened to a job.
#[derive(Debug, Clone)]
pub enum Change {
    /// It came.
    Came(Box<NewJob>),
    /// An attempt started.
    Started {
        /// Which job.
        job: JobId,
        /// Which attempt, counted from one.
        attempt: u32,
        /// When.
        at: Instant,
        /// In which pool.
        pool: String,
        /// Accelerators that it holds.
        held: u32,
        /// Whether it waits at a site that decides itself when it begins.
        queued: bool,
    },
    /// An attempt began that waited so.
    Begun {
        /// Which job.
        job: JobId,
        /// When.
        at: Instant,
    },
    /// It was told to stop.
    Stopping {
        /// Which job.
        job: JobId,
    },
    /// It waits at another site from here on.
    Moved {
        /// Which job.
        job: JobId,
        /// Where.
        site: String,
    },
    /// An attempt lost its nodes and the job waits again.
    Interrupted {
        /// Which job.
        job: JobId,
        /// When.
        at: Instant,
        /// Why.
        cause: String,
    },
    /// What the engine said of an attempt.
    Result {
        /// Which job.
        job: JobId,
        /// Which attempt, counted from one.
        attempt: u32,
        /// How it ended, in words.
        text: String,
        /// As `giga_formats::attempt` writes it, where there is one.
        receipt: Option<String>,
    },
    /// It ended for good.
    Ended {
        /// Which job.
        job: JobId,
        /// When.
        at: Instant,
        /// The word for how.
        state: &'static str,
        /// At the meter.
        energy: Energy,
        /// Electricity, carbon and capital of what it held.
        cost: Money,
        /// From its energy.
        carbon: Carbon,
    },
}

/// A job as it comes.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its number.
    pub job: JobId,
    /// Who is charged.
    pub project: String,
    /// What people call it.
    pub name: String,
    /// Whose key it came with.
    pub by: String,
    /// What was asked for, as the body of the request.
    pub body: String,
    /// The word that makes a repeated request the same request.
    pub idempotency: Option<String>,
    /// When it came.
    pub at: Instant,
    /// Where it waits, or `None` where it was refused.
    pub site: Option<String>,
    /// By which rule it was refused.
    pub refusal: Option<String>,
    /// Accelerators asked for.
    pub accelerators: u32,
}
