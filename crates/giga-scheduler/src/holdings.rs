//! Who holds what at a site, as what, and how much is in the queue: the sums that shares and binding need.
//!
//! Work that can not be told to leave is firm; all other work is a loan, which may be called back where its owner holds
//! more than its floor. The sums follow from the jobs; they decide nothing.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use giga_model::{JobId, OwnerId, ProgrammeId};
use giga_units::Instant;

use crate::apply::amount_of;
use crate::event::Pace;
use crate::job::{Job, Run, Status};
use crate::plan::Plan;

/// What is held and wanted at a site.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holdings {
    owners: Vec<Holding>,
    programmes: Vec<u64>,
    /// Accelerators held, and the same times the instant at which each gives them back at the latest.
    held: u64,
    held_until: i128,
    /// Accelerator-milliseconds that waiting jobs ask for.
    queued: u128,
    /// Running jobs that do not go at full pace.
    pub(crate) slowed: BTreeSet<JobId>,
    /// Elastic gangs that run smaller than they could at full pace, save their progress, and were not told to stop or to leave.
    pub(crate) small: BTreeSet<JobId>,
    /// Running jobs that were told to stop or to leave.
    pub(crate) leaving: BTreeSet<JobId>,
}

/// What one owner's work holds, in accelerators.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holding {
    /// By work that can not be told to leave.
    pub(crate) firm: u64,
    /// By other work.
    pub(crate) loan: u64,
    /// The part of it that was told to leave already.
    pub(crate) going: u64,
    /// Accelerator-milliseconds that its waiting jobs ask for.
    queued: u128,
    /// Accelerators that its waiting jobs ask for.
    pub(crate) wanted: u64,
    /// Waiting jobs that can not be told to leave.
    pub(crate) firm_waiting: u32,
    /// When firm work gives back what it holds, at the latest.
    firm_ends: BTreeSet<(Instant, JobId, u64)>,
    /// The jobs that may be told to leave, the last that came first, with what they hold.
    pub(crate) loans: BTreeSet<Reverse<(JobId, u64)>>,
}

impl Holding {
    /// When so much of what firm work holds is back, and how much more comes back with it.
    pub(crate) fn firm_back(&self, needed: u64) -> Option<(Instant, u64)> {
        let mut back = 0;
        self.firm_ends.iter().find_map(|(at, _, held)| {
            back += held;
            (back >= needed).then(|| (*at, back - needed))
        })
    }
    /// Accelerator-milliseconds that its own waiting jobs ask for.
    pub(crate) fn ahead(&self) -> u128 {
        self.queued
    }
    /// All that it holds.
    pub(crate) fn all(&self) -> u64 {
        self.firm + self.loan
    }
    /// What it will hold once everything that was told to leave has left.
    pub(crate) fn staying(&self) -> u64 {
        self.all() - self.going
    }
}

impl Holdings {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            owners: vec![Holding::default(); plan.owners],
            programmes: vec![0; plan.programmes.len()],
            ..Self::default()
        }
    }

    pub(crate) fn of(&self, owner: OwnerId) -> &Holding {
        &self.owners[owner.index()]
    }

    /// Every owner's.
    pub(crate) fn owners(&self) -> impl Iterator<Item = (OwnerId, &Holding)> {
        self.owners.iter().enumerate().map(|(index, holding)| (OwnerId::at(index), holding))
    }

    /// Accelerators that the work of a programme holds.
    pub(crate) fn of_programme(&self, programme: ProgrammeId) -> u64 {
        self.programmes[programme.index()]
    }

    /// Accelerator-milliseconds ahead of a job that comes now: what waits, and what running work may still take.
    pub(crate) fn ahead(&self, now: Instant) -> u128 {
        let running = self.held_until - i128::from(self.held) * i128::from(now.as_unix_milliseconds());
        self.queued + u128::try_from(running).unwrap_or(0)
    }

    pub(crate) fn enter(&mut self, job: &Job, asked: u32) {
        match &job.status {
            Status::Waiting => {
                let queued = amount_of(asked, job.limit);
                self.queued += queued;
                let owner = &mut self.owners[job.owner.index()];
                owner.queued += queued;
                owner.wanted += u64::from(asked);
                owner.firm_waiting += u32::from(!job.preemptible);
            }
            Status::Running(run) => self.take(job, run),
        }
    }

    pub(crate) fn leave(&mut self, job: &Job, asked: u32) {
        match &job.status {
            Status::Waiting => {
                let queued = amount_of(asked, job.limit);
                self.queued -= queued;
                let owner = &mut self.owners[job.owner.index()];
                owner.queued -= queued;
                owner.wanted -= u64::from(asked);
                owner.firm_waiting -= u32::from(!job.preemptible);
            }
            Status::Running(run) => self.give(job, run),
        }
    }

    fn take(&mut self, job: &Job, run: &Run) {
        let held = u64::from(run.need.held());
        let owner = &mut self.owners[job.owner.index()];
        if job.preemptible {
            owner.loan += held;
            if run.stopping || run.leaving.is_some() {
                owner.going += held;
            } else {
                owner.loans.insert(Reverse((job.id, held)));
            }
        } else {
            owner.firm += held;
            owner.firm_ends.insert((run.release, job.id, held));
        }
        self.programmes[job.programme.index()] += held;
        self.held += held;
        self.held_until += i128::from(held) * i128::from(run.release.as_unix_milliseconds());
        if run.pace != Pace::Full {
            self.slowed.insert(job.id);
        }
        if run.stopping || run.leaving.is_some() {
            self.leaving.insert(job.id);
        } else if run.need.asked < run.need.full && run.pace == Pace::Full && job.checkpoint.is_some() {
            self.small.insert(job.id);
        }
    }

    fn give(&mut self, job: &Job, run: &Run) {
        let held = u64::from(run.need.held());
        let owner = &mut self.owners[job.owner.index()];
        if job.preemptible {
            owner.loan -= held;
            if run.stopping || run.leaving.is_some() {
                owner.going -= held;
            } else {
                owner.loans.remove(&Reverse((job.id, held)));
            }
        } else {
            owner.firm -= held;
            owner.firm_ends.remove(&(run.release, job.id, held));
        }
        self.programmes[job.programme.index()] -= held;
        self.held -= held;
        self.held_until -= i128::from(held) * i128::from(run.release.as_unix_milliseconds());
        self.slowed.remove(&job.id);
        self.leaving.remove(&job.id);
        self.small.remove(&job.id);
    }
}
