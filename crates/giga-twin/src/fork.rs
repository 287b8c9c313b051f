//! A world that sets out from a control as it is, such as that of a live federation: what is known to come is put on
//! the agenda, and the rest is chance.
//!
//! The control is a copy: nothing here touches the one it was taken from.

use giga_control::{Control, calendar};
use giga_model::{JobMap, PoolId, SiteId};
use giga_scheduler::Job;
use giga_units::{Duration, Instant};

use crate::twin::{Twin, end_of, limits_ahead};
use crate::world::{Agenda, Coming, breakdown};

impl Twin {
    /// A world that goes on from `control` until `end` ([`Instant::FAR`]: until all work is done). `left` says how much
    /// work a job has: of one that runs, counted from the start of its attempt, so more than it has run already.
    ///
    /// An attempt that was told to stop ends at once. A node that is down comes back when it is expected to, one that is
    /// overdue at once (an assumption). Rows that nobody took from the control are dropped: they tell of what was before.
    #[must_use]
    pub fn from_control(
        mut control: Control,
        mut left: impl FnMut(&Job) -> Duration,
        seed: u64,
        end: Instant,
    ) -> Self {
        drop(control.take_rows());
        let mut agenda = Agenda::default();
        calendar(&control, &mut agenda);
        repairs_and_failures(&control, seed, &mut agenda);
        let mut work = JobMap::default();
        for job in control.state().jobs() {
            let left = left(job);
            work.insert(job.id, left);
            finish(&control, job, left, &mut agenda);
        }
        Self::around(control, agenda, work, seed, end)
    }
}

/// Phases, windows, half-lives and years from here on.
fn calendar(control: &Control, agenda: &mut Agenda) {
    let (federation, state, now) = (control.federation(), control.state(), control.now());
    for (index, about) in federation.sites.iter().enumerate() {
        let site = SiteId::at(index);
        let unopened = about.phases.iter().skip(state.phases_open(site));
        unopened.for_each(|phase| agenda.add(phase.opens.max(now), Coming::Phase { site }));
        if let Some((_, until)) = state.limit(site) {
            agenda.add(until.max(now), Coming::LimitEnds { site });
        }
        // What began before is on, was lifted, or comes back at the end of the one that stands in for it.
        limits_ahead(about, site, now, (state.phases_open(site) > 0).then_some(now), agenda);
        let closed = state.closed_until(site);
        if let Some(until) = closed {
            agenda.add(until.max(now), Coming::MaintenanceEnds { site });
        }
        if let Some(windows) = about.maintenance {
            // The window that is on has begun; the first that ends behind it is the next.
            let (begin, _) = windows.window_at(closed.map_or(now, |until| until.max(now)));
            agenda.add(begin.max(now), Coming::MaintenanceBegins { site });
        }
    }
    agenda.add(calendar::next_half_life(federation, now), Coming::HalfLife);
    agenda.add(now.next_year(), Coming::NewYear);
    agenda.add(now.next_hour(), Coming::Hour);
}

/// Failures come without memory, so that what lies behind does not matter.
fn repairs_and_failures(control: &Control, seed: u64, agenda: &mut Agenda) {
    let (federation, now) = (control.federation(), control.now());
    for pool in (0..federation.pools.len()).map(PoolId::at) {
        for (node, until) in control.state().down(pool) {
            agenda.add(until.max(now), Coming::Repaired { pool, node });
        }
        if let Some(first) = breakdown(federation, seed, pool, 0) {
            agenda.add(now + first.gap, Coming::Failure { pool, count: 0 });
        }
    }
}

fn finish(control: &Control, job: &Job, left: Duration, agenda: &mut Agenda) {
    let (Some(run), now) = (job.run(), control.now()) else { return };
    agenda.begin(job, now);
    if let Some(leaving) = run.leaving {
        agenda.add(leaving.by.max(now), Coming::Left { job: job.id, attempt: job.attempts });
    }
    if run.stopping {
        let (job, attempt, completed) = (job.id, job.attempts, false);
        agenda.add(now, Coming::Finished { job, attempt, completed });
    } else if let Some((at, end)) = end_of(job, left, now) {
        agenda.add(at, end);
    }
}
