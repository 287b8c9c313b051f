//! The linter on a thread of its own, fed with what was decided while the simulation goes on.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use giga_control::record::{HourRecord, JobRecord};
use giga_control::{Linter, Trail};
use giga_model::Federation;
use giga_twin::Sink;

/// Trails that may wait.
const WAITING: usize = 8;

/// Where rows go, beside a linter that takes the trail.
pub(super) struct Linted<'a, R> {
    rows: &'a mut R,
    trails: SyncSender<Trail>,
    linter: JoinHandle<Linter>,
}

impl<'a, R> Linted<'a, R> {
    pub(super) fn new(rows: &'a mut R, federation: Arc<Federation>, mut linter: Linter) -> Self {
        let (trails, waiting) = sync_channel::<Trail>(WAITING);
        let linter = std::thread::spawn(move || {
            waiting.iter().for_each(|trail| linter.follow(&federation, &trail));
            linter
        });
        Self { rows, trails, linter }
    }

    /// The linter, once it has checked all that it was given.
    pub(super) fn join(self) -> Linter {
        drop(self.trails);
        self.linter.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl<R: Sink> Sink for Linted<'_, R> {
    type Error = R::Error;

    fn job(&mut self, row: &JobRecord) -> Result<(), R::Error> {
        self.rows.job(row)
    }

    fn hour(&mut self, row: &HourRecord) -> Result<(), R::Error> {
        self.rows.hour(row)
    }

    fn trail(&mut self, trail: Trail) {
        // It hangs up only when it broke off; that comes out when it is joined.
        let _hung_up = self.trails.send(trail);
    }
}
