//! The same work in fixed partitions.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use giga_control::Summary;
use giga_control::record::{HourRecord, JobRecord};
use giga_formats::table::TableError;
use giga_study::partitioned;
use giga_twin::{Sink, Twin};
use indicatif::ProgressBar;

use super::call::{Outset, Refused};
use super::output::Rows;
use super::work::{Failure, Work};
use super::{Simulate, drive};

/// Where rows go that nobody keeps.
struct Nowhere;

impl Rows for Nowhere {}

impl Sink for Nowhere {
    type Error = TableError;
    fn job(&mut self, _: &JobRecord) -> Result<(), TableError> {
        Ok(())
    }
    fn hour(&mut self, _: &HourRecord) -> Result<(), TableError> {
        Ok(())
    }
}

/// Runs the work of an outset again where every owner has its part of each site for itself.
pub(super) fn run(call: &Simulate, outset: &Outset) -> Result<Summary, Refused> {
    let federation = Arc::new(partitioned(&outset.federation));
    let mut twin = Twin::new(federation, outset.seed, outset.start, outset.end);
    let mut work = Work::open(outset)?;
    let going = AtomicBool::new(false);
    drive(call, &mut twin, &mut work, &mut Nowhere, &ProgressBar::hidden(), &going).map_err(|error| {
        match error {
            Failure::Work(error) => Refused::Failed(error.into()),
            Failure::Rows(error) => Refused::Failed(error.into()),
        }
    })?;
    Ok(twin.finish(&mut Nowhere)?)
}
