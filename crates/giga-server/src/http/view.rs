//! Rows as they are shown.

use giga_formats::api::{AttemptView, IdleView, JobState, JobView, Stamp};
use giga_model::Idling;
use giga_store::{AttemptRow, JobRow};

/// Amounts in bodies have 64 bits; more is shown as the most.
pub(crate) fn small(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

pub(crate) fn state(row: &JobRow) -> JobState {
    JobState::parse(&row.state).expect("only states of jobs are written")
}

pub(crate) fn job(row: &JobRow) -> JobView {
    JobView {
        id: row.job.0,
        name: row.name.clone(),
        project: row.project.clone(),
        state: state(row),
        site: row.site.clone(),
        pool: row.pool.clone(),
        accelerators: row.accelerators,
        attempts: row.attempts,
        submitted: Stamp(row.submitted),
        started: row.started.map(Stamp),
        ended: row.ended.map(Stamp),
        exit: row.result.clone(),
        energy_joule: row.energy.map_or(0, |energy| small(energy.as_joules())),
        cost_microeuro: row.cost.map_or(0, |cost| small(cost.as_microeuro())),
        carbon_milligram: row.carbon.map_or(0, |carbon| small(carbon.as_milligrams())),
        by_token: row.by.clone(),
        idle: None,
    }
}

pub(crate) fn idle(how: Idling) -> IdleView {
    IdleView { since: Stamp(how.since), cpus_thousandths: how.cpus_thousandths, on_cpu: how.is_on_cpu() }
}

pub(crate) fn attempt(site: &str, row: AttemptRow) -> AttemptView {
    AttemptView {
        attempt: row.attempt,
        site: site.to_owned(),
        pool: row.pool,
        accelerators: row.accelerators,
        started: Stamp(row.started),
        ended: row.ended.map(Stamp),
        exit: row.result,
    }
}
