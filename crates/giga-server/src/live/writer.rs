//! The thread that makes things durable: everything that was decided meanwhile shares one commit. Only then answers go
//! out and engines are told.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use giga_formats::journal::Snapshot;
use giga_model::SiteId;
use giga_store::{Store, StoreError};
use tokio::sync::watch;

use super::command::Effect;
use super::core::Decided;

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
    version: &'static str,
) -> Result<(), StoreError> {
    let mut keeper: Option<JoinHandle<()>> = None;
    while let Ok(first) = decided.recv() {
        let mut group = vec![first];
        while group.len() < TOGETHER
            && let Ok(next) = decided.try_recv()
        {
            group.push(next);
        }
        if group.iter().any(|decided| !decided.batch.entries.is_empty()) {
            store.append(group.iter().map(|decided| &decided.batch))?;
        }
        for decided in group {
            decided.releases.into_iter().for_each(|release| release());
            decided.effects.into_iter().for_each(|(site, effect)| carriers(site, effect));
            durable.send_if_modified(|seq| std::mem::replace(seq, decided.seq) != decided.seq);
            if let Some(snapshot) = decided.snapshot {
                keeper = keep(Arc::clone(store), snapshot, version);
            }
        }
    }
    // The last one is kept before the program ends.
    keeper.into_iter().for_each(|keeper| drop(keeper.join()));
    Ok(())
}

/// A snapshot only saves time, so nobody waits for it and its failure is a remark.
fn keep(store: Arc<Store>, snapshot: Snapshot, version: &'static str) -> Option<JoinHandle<()>> {
    let keep = move || {
        if let Err(error) = store.keep_snapshot(&snapshot, version) {
            tracing::warn!("no snapshot was kept; a restart will take longer: {error}");
        }
    };
    let spawned = std::thread::Builder::new().name("snapshot".into()).spawn(keep);
    spawned.map_err(|error| tracing::warn!("no snapshot was kept; a restart will take longer: {error}")).ok()
}
