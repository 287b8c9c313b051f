//! From a store to a control: the latest snapshot that can be read, and every record behind it.

use std::sync::Arc;

use giga_control::Control;
use giga_formats::journal::Snapshot;
use giga_model::Federation;
use giga_model::image::Source;
use giga_store::{Store, StoreError};
use giga_units::Instant;

/// How many records are held in memory while they are followed.
const PAGE: usize = 100;

/// A control that knows everything the journal says, and the last record.
///
/// # Errors
/// Fails where a record is missing or damaged.
pub(crate) fn resume(
    store: &Store,
    federation: &Arc<Federation>,
    start: Instant,
    version: &'static str,
) -> Result<(Control, u64), StoreError> {
    let last = store.last()?;
    let snapshots = store.snapshots(version)?;
    // One that is ahead of the journal belongs to a longer journal than this.
    let usable = snapshots.iter().filter(|snapshot| snapshot.seq <= last);
    let restored = usable.filter_map(|snapshot| Some((restore(federation, snapshot)?, snapshot.seq))).next();
    let (mut control, mut seq) = restored.unwrap_or_else(|| (Control::new(Arc::clone(federation), start), 0));
    loop {
        let records = store.records(seq, PAGE)?;
        let Some(end) = records.last() else { return Ok((control, seq)) };
        seq = end.seq;
        for record in &records {
            control.follow(record.now, &record.events);
            // The rows were written with the record.
            control.take_rows();
        }
    }
}

fn restore(federation: &Arc<Federation>, snapshot: &Snapshot) -> Option<Control> {
    let mut source = Source::new(&snapshot.control);
    let control = Control::read_image(Arc::clone(federation), &mut source).ok()?;
    source.is_empty().then_some(control)
}
