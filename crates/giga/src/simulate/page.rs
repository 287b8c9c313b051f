//! `report.html` of a run that is over, from its summary and its tables.
//!
//! The tables are read back rather than gathered while they are written: the page then follows from the files alone, so
//! that a run that was stopped and resumed has the same, and the busiest window is known before a job is looked at.

use std::fs::File;
use std::path::Path;

use anyhow::Context as _;
use giga_control::Summary;
use giga_control::record::{HourRecord, JobRecord};
use giga_formats::summary::RunFacts;
use giga_formats::table::{Names, TableReader};
use giga_model::Federation;
use giga_report::page::{self, Hours, Report, Sample, Window};

use super::output::{HOURS, JOBS};

/// The name of the page in the folder of a run.
pub(super) const REPORT: &str = "report.html";

/// Reads the tables in a folder and writes the page beside them.
pub(super) fn write(
    folder: &Path,
    federation: &Federation,
    summary: &Summary,
    facts: &RunFacts,
) -> anyhow::Result<()> {
    let names = Names::of(federation);
    let hours = gather(folder, &names, Hours::new(federation, summary.start, summary.end, summary.submitted))
        .with_context(|| format!("`{}` can not be read back", folder.join(HOURS).display()))?;
    let sample = hours.busiest().map(|window| sampled(folder, &names, window, summary)).transpose();
    let sample = sample.with_context(|| format!("`{}` can not be read back", folder.join(JOBS).display()))?;
    let page = page::report(&Report {
        federation,
        summary,
        facts,
        version: env!("CARGO_PKG_VERSION"),
        hours: &hours,
        sample: sample.as_ref(),
    });
    let path = folder.join(REPORT);
    std::fs::write(&path, page).with_context(|| format!("`{}` can not be written", path.display()))
}

fn gather(folder: &Path, names: &Names, mut hours: Hours) -> anyhow::Result<Hours> {
    let rows = TableReader::<HourRecord>::open(File::open(folder.join(HOURS))?, names)?;
    for row in rows {
        hours.add(&row?);
    }
    Ok(hours)
}

fn sampled(folder: &Path, names: &Names, window: Window, summary: &Summary) -> anyhow::Result<Sample> {
    let rows = TableReader::<JobRecord>::open(File::open(folder.join(JOBS))?, names)?;
    let mut sample = Sample::new(window, summary.end);
    for row in rows.leave_out_of(window.begin, window.end)? {
        sample.add(&row?);
    }
    Ok(sample)
}
