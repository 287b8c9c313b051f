//! What an event means outside the core: for the tables of jobs, and for the engines. Nothing is decided here.

use giga_control::Control;
use giga_control::record::JobRecord;
use giga_formats::api::JobState;
use giga_model::{AttemptId, Federation, JobId, NodeUse, SiteId, SlurmMode};
use giga_scheduler::{Ending, Event, Interruption, Job, Run, State};
use giga_store::Change;
use giga_units::{Carbon, Energy, Instant, Money};

use super::command::{Effect, Order};

/// The change that an event makes to the tables of jobs; the bill is asked for where a job ended.
pub(crate) fn change<'a>(
    federation: &Federation,
    now: Instant,
    event: &Event,
    bill: impl Fn(JobId) -> Option<&'a JobRecord>,
) -> Option<Change> {
    Some(match event {
        Event::Started { job, attempt, need, .. } => {
            let pool = federation.pools[need.pool.index()].name.clone();
            let site = federation.pools[need.pool.index()].site;
            let queued = federation.sites[site.index()].mode() == SlurmMode::Guest;
            Change::Started { job: *job, attempt: *attempt, at: now, pool, held: need.held(), queued }
        }
        Event::Begun { job, at, .. } => Change::Begun { job: *job, at: *at },
        Event::Stopping { job } | Event::Leaving { job, .. } => Change::Stopping { job: *job },
        Event::Rebound { job, site, .. } => {
            Change::Moved { job: *job, site: federation.sites[site.index()].name.clone() }
        }
        Event::Interrupted { job, cause, .. } => {
            Change::Interrupted { job: *job, at: now, cause: interruption(*cause).to_owned() }
        }
        Event::Ended { job, ending, at } => {
            let nothing = (Energy::ZERO, Money::ZERO, Carbon::ZERO);
            let (energy, cost, carbon) = bill(*job).map_or(nothing, |row| (row.energy, row.cost, row.carbon));
            Change::Ended { job: *job, at: *at, state: state(*ending).word(), energy, cost, carbon }
        }
        _ => return None,
    })
}

/// Why an attempt was broken off, in words.
pub(crate) const fn interruption(cause: Interruption) -> &'static str {
    match cause {
        Interruption::Failure => "a node failed",
        Interruption::Maintenance => "maintenance began",
        Interruption::Lost => "the attempt died and left no result",
        Interruption::Recalled => "what it held was lent and was called back",
        Interruption::Grid => "the grid gave less",
        Interruption::Grown => "there is room for a larger gang",
    }
}

/// The state of a job that ended.
pub(crate) const fn state(ending: Ending) -> JobState {
    match ending {
        Ending::Completed => JobState::Completed,
        Ending::TimedOut => JobState::TimedOut,
        Ending::Cancelled => JobState::Cancelled,
        Ending::Failed => JobState::Failed,
    }
}

/// What an engine has to do because of an event. It is asked after the whole batch was applied: a job may have gone on
/// since, and then what it became later is what counts.
pub(crate) fn effect<'a>(
    control: &Control,
    event: &Event,
    bill: impl Fn(JobId) -> Option<&'a JobRecord>,
) -> Option<(SiteId, Effect)> {
    let state = control.state();
    match event {
        Event::Submitted { job, .. } | Event::Rebound { job, .. } => {
            let reads = |job: &&Job| job.terms.as_ref().is_some_and(|terms| !terms.data.is_empty());
            let job = state.job(*job).filter(reads)?;
            Some((job.site, Effect::Bring(job.id)))
        }
        Event::Started { job, attempt, .. } => {
            let job = state.job(*job).filter(|job| job.attempts == *attempt)?;
            Some((job.site, Effect::Run(order(control.federation(), state, job, job.run()?))))
        }
        Event::Stopping { job } | Event::Leaving { job, .. } => {
            let job = state.job(*job)?;
            Some((job.site, Effect::Stop(AttemptId { job: job.id, number: job.attempts })))
        }
        Event::Interrupted { job, .. } => {
            let waits = state.job(*job).filter(|job| job.run().is_none())?;
            Some((waits.site, Effect::Drop(*job)))
        }
        Event::Ended { job, .. } => Some((bill(*job)?.site?, Effect::Drop(*job))),
        _ => None,
    }
}

/// What should run at each site: where a restart begins.
pub(crate) fn orders(control: &Control) -> Vec<(SiteId, Order)> {
    let (federation, state) = (control.federation(), control.state());
    let running = state.jobs().filter_map(|job| Some((job, job.run()?)));
    running.map(|(job, run)| (job.site, order(federation, state, job, run))).collect()
}

fn order(federation: &Federation, state: &State, job: &Job, run: &Run) -> Order {
    let pool = &federation.pools[run.need.pool.index()].name;
    let accelerators = u32::from(run.need.each);
    let node = |node| NodeUse { pool: pool.clone(), node, accelerators };
    Order {
        attempt: AttemptId { job: job.id, number: job.attempts },
        nodes: state.nodes(run.need.pool, &run.pieces).into_iter().map(node).collect(),
        limit: run.need.time(job.limit),
        queued: run.queued,
        stopping: run.stopping || run.leaving.is_some(),
    }
}
