//! The same work in fixed partitions.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use giga_control::Summary;
use giga_formats::table::TableError;
use giga_study::partitioned;
use giga_twin::{Nowhere, Twin};
use indicatif::ProgressBar;

use super::call::{Outset, Refused};
use super::work::{Failure, Work};
use super::{Simulate, drive};

/// Runs the work of an outset again where every owner has its part of each site for itself.
pub(super) fn run(call: &Simulate, outset: &Outset) -> Result<Summary, Refused> {
    let federation = Arc::new(partitioned(&outset.federation));
    let mut twin = Twin::new(federation, outset.seed, outset.start, outset.end);
    let mut work = Work::open(outset)?;
    let going = AtomicBool::new(false);
    drive(call, &mut twin, &mut work, &mut Nowhere::<TableError>::default(), &ProgressBar::hidden(), &going)
        .map_err(|error| match error {
            Failure::Work(error) => Refused::Failed(error.into()),
            Failure::Rows(error) => Refused::Failed(error.into()),
        })?;
    Ok(twin.finish(&mut Nowhere::<TableError>::default())?)
}
