//! A sample of the jobs that ran in a window: of each size class those that held the most accelerator time there, as
//! far as there are lanes for them.

use std::collections::BTreeSet;

use giga_control::SIZE_CLASSES;
use giga_control::record::JobRecord;
use giga_model::JobId;
use giga_units::{AcceleratorTime, Duration, Instant};

use super::hours::Window;

/// Jobs of a size class that are kept, and lanes that they are drawn in.
const KEPT: usize = 60;
const LANES: usize = 9;

/// The jobs of a window: how many there were, and the largest of each size class.
#[derive(Debug, Clone)]
pub struct Sample {
    pub(super) window: Window,
    /// Jobs that ran in the window, and the accelerator time that they held in it.
    pub(super) jobs: u64,
    pub(super) held: AcceleratorTime,
    classes: Vec<BTreeSet<Kept>>,
    last: Instant,
}

/// A job in the order of what it held in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kept {
    held: AcceleratorTime,
    job: JobRecord,
}

impl Kept {
    fn order(&self) -> (AcceleratorTime, std::cmp::Reverse<JobId>) {
        (self.held, std::cmp::Reverse(self.job.job))
    }
}
impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Kept {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

/// A job that is drawn, and in which lane of its class.
pub(super) struct Drawn {
    pub(super) lane: usize,
    pub(super) held: AcceleratorTime,
    pub(super) job: JobRecord,
}

impl Sample {
    /// Gathers the jobs of a window of a run that ended at `end`.
    #[must_use]
    pub fn new(window: Window, end: Instant) -> Self {
        let classes = vec![BTreeSet::new(); SIZE_CLASSES.len()];
        Self { window, jobs: 0, held: AcceleratorTime::ZERO, classes, last: end }
    }

    /// Adds a job, if it ran in the window.
    pub fn add(&mut self, job: &JobRecord) {
        let Some(started) = job.started.filter(|_| job.site == Some(self.window.site)) else { return };
        let (begin, end) = (started.max(self.window.begin), self.end_of(job).min(self.window.end));
        if begin >= end {
            return;
        }
        let held = AcceleratorTime::of(u64::from(job.held), end.since(begin));
        self.jobs += 1;
        self.held += held;
        let class = SIZE_CLASSES.iter().position(|(most, _)| job.accelerators <= *most).unwrap_or(0);
        let kept = &mut self.classes[class];
        kept.insert(Kept { held, job: *job });
        if kept.len() > KEPT {
            kept.pop_first();
        }
    }

    /// When a job gave back what it held; the end of the run where it had not.
    pub(super) fn end_of(&self, job: &JobRecord) -> Instant {
        job.ended.unwrap_or(self.last)
    }

    /// From when on a job is drawn: it waits on a thin line, of which a twelfth of the window is enough.
    pub(super) fn shown_from(&self, job: &JobRecord) -> Instant {
        let window = self.window.end.since(self.window.begin);
        let started = job.started.unwrap_or(job.submitted);
        job.submitted.max(started - Duration::milliseconds(window.as_milliseconds() / 12)).min(started)
    }

    /// The size classes that have jobs, with those that are drawn: the largest first, each in the first lane that is
    /// free where it is drawn.
    pub(super) fn drawn(&self) -> Vec<(&'static str, Vec<Drawn>)> {
        let classes = SIZE_CLASSES.iter().zip(&self.classes).rev().filter(|(_, kept)| !kept.is_empty());
        classes.map(|((_, name), kept)| (*name, self.lanes(kept))).collect()
    }

    fn lanes(&self, kept: &BTreeSet<Kept>) -> Vec<Drawn> {
        let mut taken: Vec<Vec<(Instant, Instant)>> = vec![Vec::new(); LANES];
        let mut drawn = Vec::new();
        for kept in kept.iter().rev() {
            let (begin, end) = (self.shown_from(&kept.job), self.end_of(&kept.job));
            let free =
                |lane: &Vec<(Instant, Instant)>| lane.iter().all(|(from, to)| end <= *from || *to <= begin);
            let Some(lane) = taken.iter().position(free) else { continue };
            taken[lane].push((begin, end));
            drawn.push(Drawn { lane, held: kept.held, job: kept.job });
        }
        drawn
    }
}
