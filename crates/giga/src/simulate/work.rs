//! The work of a run: generated, or read from a file.

use std::io::Write as _;
use std::process::ExitCode;

use giga_formats::saved::Fingerprint;
use giga_formats::table::TableError;
use giga_formats::work::{self as formats, ReadOptions, WorkError, WorkFormat, WorkReader};
use giga_model::{Arrival, Federation};
use giga_twin::Generator;

use super::ahead::Ahead;
use super::call::{Outset, Refused};

/// Where arrivals come from.
pub(super) enum Work {
    Generated { arrivals: Ahead<Arrival>, load: String },
    Read { reader: Box<WorkReader>, file: String, had: Fingerprint },
}

/// What breaks a run off.
#[derive(Debug)]
pub(super) enum Failure {
    /// The work can not be read on.
    Work(WorkError),
    /// The rows can not be written.
    Rows(TableError),
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        Self::Rows(error)
    }
}

impl Iterator for Work {
    type Item = Result<Arrival, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Generated { arrivals, .. } => arrivals.next().map(Ok),
            Self::Read { reader, had, .. } => {
                let arrival = reader.next()?;
                if let Ok(arrival) = &arrival {
                    had.add(arrival);
                }
                Some(arrival.map_err(Failure::Work))
            }
        }
    }
}

impl Work {
    pub(super) fn open(outset: &Outset) -> Result<Self, Refused> {
        let Some(path) = &outset.work_file else { return Ok(Self::generated(outset)) };
        let projects: Vec<String> =
            outset.federation.projects.iter().map(|project| project.name.clone()).collect();
        let kinds: Vec<String> =
            outset.federation.accelerators.iter().map(|kind| kind.name.clone()).collect();
        let options =
            ReadOptions { strict: outset.strict, ..ReadOptions::new(&projects, &kinds, outset.start) };
        let format = outset.work_format.as_deref().map(str::parse::<WorkFormat>).transpose();
        let file = path.display().to_string();
        let refuse = |error: WorkError| Refused::input(describe(&file, &error));
        let reader = formats::open(path, format.map_err(refuse)?, &options).map_err(refuse)?;
        Ok(Self::Read { reader: Box::new(reader), file, had: Fingerprint::default() })
    }

    fn generated(outset: &Outset) -> Self {
        let generator = Generator::new(std::sync::Arc::clone(&outset.federation), outset.seed, outset.start);
        let load = outset.federation.workload.as_ref().map_or_else(String::new, |work| work.load.to_string());
        Self::Generated { arrivals: Ahead::of(generator.expect("a run without a file has a workload")), load }
    }

    /// Passes over what a saved run has had, and refuses work that is not the same up to there.
    pub(super) fn pass_over(&mut self, count: u64, had: Fingerprint) -> Result<(), Refused> {
        let same = (0..count).all(|_| matches!(self.next(), Some(Ok(_))));
        match self {
            Self::Read { file, had: found, .. } if !same || *found != had => {
                Err(Refused::input(format_args!(
                    "`{file}` is not what it was when the run was saved; put the old file back and go on"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Stands for all that was read so far; for generated work the seed says it all.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Generated { .. } => Fingerprint::default(),
            Self::Read { had, .. } => *had,
        }
    }

    /// Refuses a file that is over and had not one job: it is not what it was taken for.
    pub(super) fn is_any(&self) -> Result<(), Refused> {
        let Self::Read { reader, file, .. } = self else { return Ok(()) };
        let report = reader.report();
        if report.jobs > 0 || report.faults.count == 0 {
            return Ok(());
        }
        let (word, first) = (report.format.word(), &report.faults.first[0]);
        Err(Refused::input(format_args!(
            "no row of `{file}` could be read as {word}; name its format with `--format`. The first: {first}"
        )))
    }

    /// Where the work came from, in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Generated { load, .. } => format!("generated for a load of {load}"),
            Self::Read { reader, file, .. } => format!("{} read from {file}", reader.report().format.word()),
        }
    }

    /// What is to be said about reading it.
    pub(super) fn notes(&self, federation: &Federation) -> Vec<String> {
        let Self::Read { reader, .. } = self else { return Vec::new() };
        let projects: Vec<String> = federation.projects.iter().map(|project| project.name.clone()).collect();
        reader.report().lines(&projects)
    }
}

fn describe(file: &str, error: &WorkError) -> String {
    let mut text = match error {
        // These name the file, or are about the call.
        WorkError::Open { .. } | WorkError::NoSuchFormat { .. } => error.to_string(),
        _ => format!("`{file}`: {error}"),
    };
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    text
}

/// A faulty file ends with 2, anything else with 1.
pub(super) fn explain_failure(failure: &Failure, work: &Work) -> anyhow::Result<ExitCode> {
    match (failure, work) {
        (Failure::Work(error), Work::Read { file, .. }) => {
            writeln!(std::io::stderr(), "giga: {}", describe(file, error))?;
            Ok(ExitCode::from(2))
        }
        (Failure::Work(error), Work::Generated { .. }) => anyhow::bail!("{error}"),
        (Failure::Rows(error), _) => anyhow::bail!("the tables can not be written: {error}"),
    }
}
