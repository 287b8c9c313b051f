//! A sample of the jobs that ran in a window: some of each size class, drawn evenly by number, as far as there are
//! lanes for them.

use std::collections::BTreeMap;

use giga_control::SIZE_CLASSES;
use giga_control::record::JobRecord;
use giga_model::JobId;
use giga_units::{AcceleratorTime, Duration, Instant};

use super::hours::Window;

/// Jobs of a size class that are kept, and lanes that they are drawn in.
const KEPT: usize = 80;
const LANES: usize = 9;

/// The jobs of a window: how many there were, and some of each size class.
#[derive(Debug, Clone)]
pub struct Sample {
    pub(super) window: Window,
    /// Jobs that ran in the window, and the accelerator time that they held in it.
    pub(super) jobs: u64,
    pub(super) held: AcceleratorTime,
    /// By size class, in the order of their draws.
    classes: Vec<BTreeMap<u64, Drawn>>,
    last: Instant,
}

/// A job that is drawn, and in which lane of its class.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn {
    pub(super) lane: usize,
    pub(super) held: AcceleratorTime,
    pub(super) job: JobRecord,
}

impl Sample {
    /// Gathers the jobs of a window of a run that ended at `end`.
    #[must_use]
    pub fn new(window: Window, end: Instant) -> Self {
        let classes = vec![BTreeMap::new(); SIZE_CLASSES.len()];
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
        kept.insert(draw(job.job), Drawn { lane: 0, held, job: *job });
        if kept.len() > KEPT {
            kept.pop_last();
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

    /// The size classes that have jobs, the largest first, with those that are drawn: each in the first lane that is
    /// free there.
    pub(super) fn drawn(&self) -> Vec<(&'static str, Vec<Drawn>)> {
        let classes = SIZE_CLASSES.iter().zip(&self.classes).rev().filter(|(_, kept)| !kept.is_empty());
        classes.map(|((_, name), kept)| (*name, self.lanes(kept))).collect()
    }

    fn lanes(&self, kept: &BTreeMap<u64, Drawn>) -> Vec<Drawn> {
        let mut taken: Vec<Vec<(Instant, Instant)>> = vec![Vec::new(); LANES];
        let mut drawn = Vec::new();
        for kept in kept.values() {
            let (begin, end) = (self.shown_from(&kept.job), self.end_of(&kept.job));
            let free = |lane: &Vec<_>| lane.iter().all(|(from, to)| end <= *from || *to <= begin);
            let Some(lane) = taken.iter().position(free) else { continue };
            taken[lane].push((begin, end));
            drawn.push(Drawn { lane, ..*kept });
        }
        drawn
    }
}

/// A number that stands for a job by chance, the same in every run, and never one for two jobs (the finalizer of
/// SplitMix64: Steele, Lea, Flood 2014).
fn draw(job: JobId) -> u64 {
    let mixed = job.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
