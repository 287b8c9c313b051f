//! One job of a trace before its time is shifted, and the desk that all rows pass.

use std::collections::BTreeMap;

use giga_model::{AcceleratorId, Ask, Asks, ProjectId};
use giga_units::{Duration, Fraction};

use super::fault::{Cause, Fault, Faults, quoted};
use super::owner::Owners;
use super::{ReadOptions, WorkError};

/// A job as a trace has it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Where it stands, from 1.
    pub(super) line: u64,
    /// When it was submitted, in milliseconds by the trace's own clock.
    pub(super) at: i64,
    pub(super) project: ProjectId,
    pub(super) asks: Asks,
    pub(super) runtime: Duration,
    /// What was asked for, or `None` where the trace does not say.
    pub(super) limit: Option<Duration>,
    pub(super) checkpoint: Option<Duration>,
    /// `None` where the trace does not say.
    pub(super) draw: Option<Fraction>,
}

impl Row {
    /// A row of a trace that knows only when, who, how many and how long.
    pub(super) fn plain(
        line: u64,
        at: i64,
        project: ProjectId,
        accelerators: u32,
        runtime: Duration,
    ) -> Self {
        let asks = Asks::one(Ask { accelerator: None, accelerators });
        Self { line, at, project, asks, runtime, limit: None, checkpoint: None, draw: None }
    }
}

/// Why a sound row is no job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    /// It was taken back before it ran, or the trace does not know how long it ran.
    NeverRan,
    /// It waited or ran when the table was printed.
    NotEnded,
    /// It is a step inside a job that has its own row.
    Step,
    /// It is a part of a job that has its own row.
    PartOfJob,
    /// It used no accelerator.
    NoAccelerator,
}

impl Skip {
    /// What happened, for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NeverRan => "never ran",
            Self::NotEnded => "had not ended",
            Self::Step => "steps of jobs",
            Self::PartOfJob => "parts of jobs",
            Self::NoAccelerator => "without accelerators",
        }
    }
}

/// What a line of a trace is.
pub(super) enum Parsed {
    Job(Row),
    Skip(Skip),
    /// A comment or a blank line.
    Nothing,
}

/// What all rows of a file pass: it knows the federation's names and keeps the counts.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) owners: Owners,
    accelerators: BTreeMap<String, AcceleratorId>,
    strict: bool,
    pub(super) rows: u64,
    pub(super) faults: Faults,
    pub(super) skipped: BTreeMap<Skip, u64>,
    pub(super) notes: BTreeMap<&'static str, u64>,
    /// The date of the trace's time zero in Unix milliseconds, once it is known.
    pub(super) epoch: Option<i64>,
}

impl Desk {
    pub(super) fn new(options: &ReadOptions<'_>) -> Self {
        let accelerators = options.accelerators.iter().enumerate();
        Self {
            owners: Owners::new(options.projects),
            accelerators: accelerators
                .map(|(place, name)| (name.clone(), AcceleratorId::at(place)))
                .collect(),
            strict: options.strict,
            rows: 0,
            faults: Faults::default(),
            skipped: BTreeMap::new(),
            notes: BTreeMap::new(),
            epoch: None,
        }
    }

    /// Counts a faulty row.
    ///
    /// # Errors
    /// Refuses the file where the reader is strict.
    pub(super) fn fault(&mut self, fault: Fault) -> Result<(), WorkError> {
        if self.strict {
            return Err(WorkError::Strict { fault });
        }
        self.faults.add(fault);
        Ok(())
    }

    /// Counts what was parsed and lets a job through.
    pub(super) fn take(&mut self, parsed: Result<Parsed, Fault>) -> Result<Option<Row>, WorkError> {
        self.rows += u64::from(!matches!(parsed, Ok(Parsed::Nothing)));
        match parsed {
            Ok(Parsed::Job(row)) => return Ok(Some(row)),
            Ok(Parsed::Skip(skip)) => *self.skipped.entry(skip).or_default() += 1,
            Ok(Parsed::Nothing) => {}
            Err(fault) => self.fault(fault)?,
        }
        Ok(None)
    }

    /// Counts a row of which something worth knowing was assumed.
    pub(super) fn note(&mut self, what: &'static str) {
        *self.notes.entry(what).or_default() += 1;
    }

    pub(super) fn accelerator(&self, name: &str) -> Result<AcceleratorId, Cause> {
        self.accelerators.get(name).copied().ok_or_else(|| Cause::UnknownAccelerator(quoted(name)))
    }

    /// Whether an accelerator of the federation is called so.
    pub(super) fn knows(&self, name: &str) -> Option<AcceleratorId> {
        self.accelerators.get(name).copied()
    }
}

/// Puts a cause at its place.
pub(super) trait At<T> {
    fn at(self, line: u64, column: &'static str) -> Result<T, Fault>;
}

impl<T> At<T> for Result<T, Cause> {
    fn at(self, line: u64, column: &'static str) -> Result<T, Fault> {
        self.map_err(|cause| Fault { line, column, cause })
    }
}
