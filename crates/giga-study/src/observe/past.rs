//! What happened in the span: use by account, waits, what was lost, what lay idle.

use std::collections::BTreeMap;

use giga_control::Waits;
use giga_formats::observe::{
    AccountUse, Accounted, Became, Idle, Lost, LostTime, Observation, SIZES, SpanFigures,
};
use giga_units::{AcceleratorTime, Duration, Instant};

use super::up;

/// A run with accelerators, and what of it lies in the span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) job: &'a Accounted,
    /// When it began to hold them, in the span.
    pub(super) from: Instant,
    /// When it ended, or the time of asking.
    pub(super) to: Instant,
    /// When it really began.
    pub(super) start: Instant,
}

impl Run<'_> {
    pub(super) fn held(&self) -> AcceleratorTime {
        AcceleratorTime::of(self.job.accelerators.into(), self.to.since(self.from))
    }
}

/// The beginning of the span: what was asked for, or the first that is known where that is later.
pub(super) fn beginning(seen: &Observation) -> Instant {
    let jobs = seen.jobs.iter().flatten();
    let first = jobs.filter_map(|job| job.submitted.or(job.start)).min();
    first.unwrap_or(seen.at).max(seen.since).min(seen.at)
}

/// All runs in the span that held accelerators for any time.
pub(super) fn runs(seen: &Observation) -> impl Iterator<Item = Run<'_>> {
    let from = beginning(seen);
    seen.jobs.iter().flatten().filter_map(move |job| {
        let start = job.start.filter(|_| job.accelerators > 0 && job.became != Became::Waits)?;
        let to = if job.became == Became::Runs { seen.at } else { job.end? };
        let (begin, to) = (start.max(from), to.min(seen.at));
        (to > begin).then_some(Run { job, from: begin, to, start })
    })
}

/// What the accounting tells of the span; `None` where there is none.
#[must_use]
pub fn span(seen: &Observation) -> Option<SpanFigures> {
    let jobs = seen.jobs.as_ref()?;
    let from = beginning(seen);
    let mut sums = SpanFigures {
        from,
        available: AcceleratorTime::of(up(seen), seen.at.since(from)),
        waits: vec![Waits::default(); SIZES.len()],
        ..SpanFigures::default()
    };
    let (mut accounts, mut lost) = (BTreeMap::new(), BTreeMap::new());
    for run in runs(seen) {
        let held = run.held();
        sums.runs += 1;
        sums.used += held;
        let account: &mut (u64, AcceleratorTime) = accounts.entry(run.job.account.as_str()).or_default();
        account.0 += 1;
        account.1 += held;
        if let Some(way) = way(run.job.became) {
            let entry: &mut (u64, AcceleratorTime) = lost.entry(way).or_default();
            entry.0 += 1;
            entry.1 += held;
        }
    }
    for job in jobs.iter().filter(|job| job.accelerators > 0 && job.became != Became::Waits) {
        let Some((start, eligible)) = job.start.zip(job.eligible.or(job.submitted)) else { continue };
        let ran = job.end.is_none_or(|end| end > start);
        if start >= from && ran {
            let size =
                SIZES.iter().position(|(most, _)| job.accelerators <= *most).unwrap_or(SIZES.len() - 1);
            sums.waits[size].add(start.since(eligible));
        }
    }
    sums.accounts = accounts
        .into_iter()
        .map(|(name, (runs, used))| AccountUse {
            name: name.to_owned(),
            runs,
            used,
            fair: seen.shares.get(name).copied(),
        })
        .collect();
    sums.accounts.sort_by_key(|account| std::cmp::Reverse(account.used));
    sums.lost = lost.into_iter().map(|(lost, (runs, time))| LostTime { lost, runs, time }).collect();
    sums.idle = idle(seen, from);
    Some(sums)
}

fn way(became: Became) -> Option<Lost> {
    match became {
        Became::Waits | Became::Runs | Became::Completed => None,
        Became::Failed => Some(Lost::Failed),
        Became::NodeFailed => Some(Lost::NodeFailed),
        Became::TimedOut => Some(Lost::TimedOut),
        Became::Preempted => Some(Lost::Preempted),
        Became::Cancelled => Some(Lost::Cancelled),
    }
}

/// From when to when a job waited that could have started, in the span.
fn waited(job: &Accounted, from: Instant, at: Instant) -> Option<(Instant, Instant)> {
    let begin = job.eligible.filter(|_| job.accelerators > 0)?.max(from);
    let end = match job.became {
        Became::Waits => at,
        // One that was taken back before it ran has the same start and end, or only an end.
        _ => job.start.or(job.end)?.min(at),
    };
    (end > begin).then_some((begin, end))
}

/// Follows what was held and wanted from change to change.
fn idle(seen: &Observation, from: Instant) -> Idle {
    let mut changes: Vec<(Instant, i128, i128)> = Vec::new();
    for run in runs(seen) {
        let held = i128::from(run.job.accelerators);
        changes.extend([(run.from, held, 0), (run.to, -held, 0)]);
    }
    for job in seen.jobs.iter().flatten() {
        if let Some((begin, end)) = waited(job, from, seen.at) {
            let wanted = i128::from(job.accelerators) * i128::from(job.tasks);
            changes.extend([(begin, 0, wanted), (end, 0, -wanted)]);
        }
    }
    changes.push((seen.at, 0, 0));
    changes.sort_unstable();
    let (up, mut idle) = (i128::from(up(seen)), Idle::default());
    let (mut last, mut held, mut wanted) = (from, 0_i128, 0_i128);
    for (at, more_held, more_wanted) in changes {
        let (free, length) = ((up - held).max(0), at.since(last));
        idle.all += time(free, length);
        if wanted > 0 {
            idle.while_waiting += time(free, length);
            idle.wanted += time(free.min(wanted), length);
        }
        held += more_held;
        wanted += more_wanted;
        last = last.max(at);
    }
    idle
}

fn time(accelerators: i128, length: Duration) -> AcceleratorTime {
    AcceleratorTime::milliseconds(accelerators * i128::from(length.as_milliseconds()))
}
