//! The thread that makes things durable: everything that was decided meanwhile shares one commit. Only then answers go
//! out and engines are told.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Instant as Clock;

use giga_formats::journal::Snapshot;
use giga_model::SiteId;
use giga_store::{Store, StoreError};
use tokio::sync::watch;

use super::command::Effect;
use super::core::Decided;
use crate::signs::{Signs, StoreFault};

/// Where effects go.
pub(crate) type Carriers = Box<dyn Fn(SiteId, Effect) + Send>;

/// How many batches share a commit at most.
const TOGETHER: usize = 256;

/// Writes until the core is gone. Where the disk fails it ends with that: whoever waits for an answer gets none, and
/// nothing that was answered is lost.
///
/// # Errors
/// Says why the store could not be written.
pub(crate) fn write(
    store: &Arc<Store>,
    decided: &Receiver<Decided>,
    durable: &watch::Sender<u64>,
    carriers: &Carriers,
    signs: &Arc<Signs>,
    version: &'static str,
) -> Result<(), StoreError> {
    let mut keeping = None;
    while let Ok(first) = decided.recv() {
        let mut group = vec![first];
        while group.len() < TOGETHER
            && let Ok(next) = decided.try_recv()
        {
            group.push(next);
        }
        if group.iter().any(|decided| !decided.batch.entries.is_empty()) {
            let begun = Clock::now();
            store.append(group.iter().map(|decided| &decided.batch))?;
            signs.commits.add(begun.elapsed());
        }
        for decided in group {
            signs.unwritten.down();
            decided.releases.into_iter().for_each(|release| release());
            decided.effects.into_iter().for_each(|(site, effect)| carriers(site, effect));
            durable.send_if_modified(|seq| std::mem::replace(seq, decided.seq) != decided.seq);
            if let Some(snapshot) = decided.snapshot {
                // One at a time: they are written under one name before they get their own.
                wait_for(keeping.take());
                keeping = keep(Arc::clone(store), snapshot, Arc::clone(signs), version);
            }
        }
    }
    // The process ends behind this, and a snapshot that is half written with it.
    wait_for(keeping);
    Ok(())
}

/// Waits until a snapshot is kept. A thread that panicked has kept none, which is no worse than a full disk.
fn wait_for(keeping: Option<JoinHandle<()>>) {
    drop(keeping.map(JoinHandle::join));
}

/// A snapshot only saves time, so no answer waits for it and its failure is a remark.
fn keep(
    store: Arc<Store>,
    snapshot: Snapshot,
    signs: Arc<Signs>,
    version: &'static str,
) -> Option<JoinHandle<()>> {
    let keep = move || {
        if let Err(error) = store.keep_snapshot(&snapshot, version) {
            signs.fault(StoreFault::Snapshot);
            tracing::warn!(cause = %error, "no snapshot was kept; a restart will take longer");
        }
    };
    let thread = std::thread::Builder::new().name("snapshot".into()).spawn(keep);
    thread
        .inspect_err(
            |error| tracing::warn!(cause = %error, "no snapshot was kept; a restart will take longer"),
        )
        .ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use giga_store::Beginning;
    use giga_units::Instant;

    use super::*;

    #[test]
    fn the_last_snapshot_is_whole_when_the_writer_ends() {
        let folder = tempfile::tempdir().unwrap();
        let start = Instant::unix_milliseconds(0);
        let beginning = Beginning { file: "f".into(), text: "t".into(), expanded: "t".into(), start };
        let store = Arc::new(Store::open(folder.path(), &beginning).unwrap().0);
        let (out, decided) = mpsc::channel();
        // Large enough that writing it takes a while.
        let snapshot = |seq| Snapshot { seq, control: vec![7; 16 << 20] };
        let signs = Arc::new(Signs::new(start, [], 1));
        for seq in [1, 2] {
            signs.unwritten.up();
            out.send(Decided { seq, snapshot: Some(snapshot(seq)), ..Decided::default() }).unwrap();
        }
        drop(out);
        let (durable, _seen) = watch::channel(0);
        let nobody: Carriers = Box::new(|_, _| {});
        write(&store, &decided, &durable, &nobody, &signs, "0.0.0").unwrap();
        let kept: Vec<u64> = store.snapshots("0.0.0").unwrap().iter().map(|found| found.seq).collect();
        assert_eq!(kept, [2, 1]);
    }
}
