//! The same work once more, in another federation or with other chance, to be held beside a run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use giga_control::Summary;
use giga_formats::table::TableError;
use giga_model::Federation;
use giga_twin::{Nowhere, Twin};
use indicatif::ProgressBar;

use super::call::{Outset, Refused};
use super::work::{Failure, Work};
use super::{Simulate, drive};

/// Runs the work of an outset in this federation; rows go nowhere.
pub(super) fn run(
    call: &Simulate,
    outset: &Outset,
    federation: Federation,
    seed: u64,
) -> Result<Summary, Refused> {
    let federation = Arc::new(federation);
    let outset = Outset { federation: Arc::clone(&federation), seed, ..outset.clone() };
    let mut twin = Twin::new(federation, seed, outset.start, outset.end);
    let mut work = Work::open(&outset)?;
    let going = AtomicBool::new(false);
    drive(call, &mut twin, &mut work, &mut Nowhere::<TableError>::default(), &ProgressBar::hidden(), &going)
        .map_err(|error| match error {
            Failure::Work(error) => Refused::Failed(error.into()),
            Failure::Rows(error) => Refused::Failed(error.into()),
        })?;
    Ok(twin.finish(&mut Nowhere::<TableError>::default())?)
}
