//! What to do so that what runs is what should run. It compares and takes no hints: asked again, it says the same, and
//! once all is as it should be it says nothing.

use std::collections::{BTreeMap, BTreeSet};

use giga_engine::{AttemptId, Seen};
use giga_model::JobId;

/// What should be true of a job's attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) attempt: AttemptId,
    pub(crate) stopping: bool,
}

/// One step towards it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Hand the attempt over, perhaps again.
    Start(AttemptId),
    /// Ask it to stop; where it never began, it never will.
    Stop(AttemptId),
    /// Tell the core how it ended, or that it is lost.
    Report(AttemptId),
    /// Its result is durable: the engine may forget it.
    Forget(AttemptId),
}

/// The steps from what an engine sees to what should be.
///
/// An end is reported until a durable decision says that it is settled; only then it is forgotten. An attempt starts only
/// when no earlier one of its job can still be alive. One that the engine does not know never began; what is unclear is
/// left alone, unless it is to stop.
pub(crate) fn reconcile(
    wanted: &BTreeMap<JobId, Wanted>,
    seen: &BTreeMap<AttemptId, Seen>,
    settled: &BTreeSet<AttemptId>,
) -> Vec<Action> {
    let mut actions = Vec::new();
    for (&attempt, seen) in seen {
        let wanted = wanted.get(&attempt.job).filter(|wanted| wanted.attempt == attempt);
        actions.extend(match (wanted, seen) {
            (Some(_), Seen::Ended(_) | Seen::Lost { .. }) => Some(Action::Report(attempt)),
            (Some(wanted), Seen::Pending) if !wanted.stopping => Some(Action::Start(attempt)),
            (Some(wanted), Seen::Pending | Seen::Running { .. }) => {
                wanted.stopping.then_some(Action::Stop(attempt))
            }
            // To ask it to stop is all that can be done, and does no harm.
            (Some(wanted), Seen::Unclear { .. }) => wanted.stopping.then_some(Action::Stop(attempt)),
            (None, Seen::Ended(_) | Seen::Lost { .. }) if settled.contains(&attempt) => {
                Some(Action::Forget(attempt))
            }
            // Nobody wants it any more, but it may have ended by itself before it was to stop.
            (None, Seen::Ended(_) | Seen::Lost { .. }) => Some(Action::Report(attempt)),
            (None, _) => Some(Action::Stop(attempt)),
        });
    }
    for wanted in wanted.values().filter(|wanted| !seen.contains_key(&wanted.attempt)) {
        if wanted.stopping {
            actions.push(Action::Stop(wanted.attempt));
        } else if !others_live(wanted.attempt, seen) {
            actions.push(Action::Start(wanted.attempt));
        }
    }
    actions
}

/// Whether another attempt of the same job may be alive.
fn others_live(attempt: AttemptId, seen: &BTreeMap<AttemptId, Seen>) -> bool {
    let all = AttemptId { number: 0, ..attempt }..=AttemptId { number: u32::MAX, ..attempt };
    seen.range(all).any(|(_, seen)| !matches!(seen, Seen::Ended(_) | Seen::Lost { .. }))
}

#[cfg(test)]
mod tests {
    use giga_model::{End, Receipt};
    use giga_units::{Duration, Instant};

    use super::*;

    fn attempt(job: u64, number: u32) -> AttemptId {
        AttemptId { job: JobId(job), number }
    }

    fn running() -> Seen {
        Seen::Running { since: Instant::unix_milliseconds(0) }
    }

    fn ended(job: u64, number: u32) -> Seen {
        Seen::Ended(Receipt {
            attempt: attempt(job, number),
            nonce: String::new(),
            started: Instant::unix_milliseconds(0),
            ended: Instant::unix_milliseconds(1),
            end: End::Stopped,
            host: String::new(),
            cpu_time: Duration::ZERO,
            memory_peak: None,
            energy: None,
        })
    }

    #[track_caller]
    fn check(wanted: &[(u64, u32, bool)], seen: &[((u64, u32), Seen)], expected: &[Action]) {
        let wanted = wanted
            .iter()
            .map(|&(job, number, stopping)| (JobId(job), Wanted { attempt: attempt(job, number), stopping }));
        let seen = seen.iter().map(|((job, number), seen)| (attempt(*job, *number), seen.clone()));
        let settled = BTreeSet::from([attempt(1, 1)]);
        assert_eq!(reconcile(&wanted.collect(), &seen.collect(), &settled), expected);
    }

    #[test]
    fn what_should_run_is_started_and_what_runs_is_left_alone() {
        check(&[(1, 1, false)], &[], &[Action::Start(attempt(1, 1))]);
        check(&[(1, 1, false)], &[((1, 1), Seen::Pending)], &[Action::Start(attempt(1, 1))]);
        check(&[(1, 1, false)], &[((1, 1), running())], &[]);
        check(&[(1, 1, false)], &[((1, 1), Seen::Unclear { cause: String::new() })], &[]);
    }

    #[test]
    fn what_should_not_run_is_stopped_and_then_forgotten() {
        check(&[], &[((1, 1), running())], &[Action::Stop(attempt(1, 1))]);
        check(&[], &[((1, 1), Seen::Pending)], &[Action::Stop(attempt(1, 1))]);
        check(&[], &[((1, 1), Seen::Unclear { cause: String::new() })], &[Action::Stop(attempt(1, 1))]);
        check(&[], &[((1, 1), ended(1, 1))], &[Action::Forget(attempt(1, 1))]);
        check(&[], &[((1, 1), Seen::Lost { cause: String::new() })], &[Action::Forget(attempt(1, 1))]);
    }

    #[test]
    fn what_was_told_to_stop_is_stopped_even_before_it_began() {
        check(&[(1, 1, true)], &[], &[Action::Stop(attempt(1, 1))]);
        check(&[(1, 1, true)], &[((1, 1), Seen::Pending)], &[Action::Stop(attempt(1, 1))]);
        check(&[(1, 1, true)], &[((1, 1), running())], &[Action::Stop(attempt(1, 1))]);
    }

    #[test]
    fn what_is_unclear_is_asked_to_stop_where_it_was_told_to() {
        let unclear = Seen::Unclear { cause: String::new() };
        check(&[(1, 1, true)], &[((1, 1), unclear)], &[Action::Stop(attempt(1, 1))]);
    }

    #[test]
    fn an_end_that_is_not_settled_is_reported_also_where_nobody_wants_it() {
        check(&[], &[((2, 1), ended(2, 1))], &[Action::Report(attempt(2, 1))]);
        let lost = Seen::Lost { cause: String::new() };
        check(&[], &[((2, 1), lost)], &[Action::Report(attempt(2, 1))]);
    }

    #[test]
    fn ends_are_reported_until_nobody_wants_to_know() {
        check(&[(1, 1, false)], &[((1, 1), ended(1, 1))], &[Action::Report(attempt(1, 1))]);
        let lost = Seen::Lost { cause: String::new() };
        check(&[(1, 1, true)], &[((1, 1), lost)], &[Action::Report(attempt(1, 1))]);
    }

    #[test]
    fn an_attempt_waits_until_no_earlier_one_can_be_alive() {
        check(&[(1, 2, false)], &[((1, 1), running())], &[Action::Stop(attempt(1, 1))]);
        let unclear = Seen::Unclear { cause: String::new() };
        check(&[(1, 2, false)], &[((1, 1), unclear)], &[Action::Stop(attempt(1, 1))]);
        let both = [Action::Forget(attempt(1, 1)), Action::Start(attempt(1, 2))];
        check(&[(1, 2, false)], &[((1, 1), ended(1, 1))], &both);
        let other = [Action::Stop(attempt(2, 1)), Action::Start(attempt(1, 2))];
        check(&[(1, 2, false)], &[((2, 1), running())], &other);
    }
}
