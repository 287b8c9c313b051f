//! The columns of `jobs.parquet`.

use giga_control::record::{JobRecord, Outcome, Refusal};
use giga_model::{JobId, OwnerId, PoolId, ProgrammeId, ProjectId, SiteId};
use giga_units::{AcceleratorTime, Carbon, Duration, Energy, Instant, Money};

use super::names::Written;
use super::{Batch, Layout, TableError};
use crate::columnar::{Cell, Field};

/// The places of two columns that are looked at alone.
pub(super) const STARTED: usize = 9;
pub(super) const ENDED: usize = 10;

/// All outcomes, each at the place of its number.
pub(super) const OUTCOMES: [Outcome; 7] = [
    Outcome::Completed,
    Outcome::TimedOut,
    Outcome::Cancelled,
    Outcome::Refused,
    Outcome::Running,
    Outcome::Waiting,
    Outcome::Failed,
];

fn milliseconds(instant: Instant) -> i128 {
    instant.as_unix_milliseconds().into()
}

impl Layout for JobRecord {
    const TABLE: &'static str = "jobs";

    const FIELDS: &'static [Field<Self, Written>] = &[
        Field::required("job", Cell::Number(|row| Some(row.job.0.into()))),
        Field::required(
            "project",
            Cell::Text(|names, row| Some(names.projects[row.project.index()].clone())),
        ),
        Field::required(
            "programme",
            Cell::Text(|names, row| Some(names.programmes[row.programme.index()].clone())),
        ),
        Field::required("owner", Cell::Text(|names, row| Some(names.owners[row.owner.index()].clone()))),
        Field::optional("site", Cell::Text(|names, row| Some(names.sites[row.site?.index()].clone()))),
        Field::optional("pool", Cell::Text(|names, row| Some(names.pools[row.pool?.index()].clone()))),
        Field::required("accelerators", Cell::Number(|row| Some(row.accelerators.into()))),
        Field::required("held", Cell::Number(|row| Some(row.held.into()))),
        Field::required("submitted", Cell::Instant(|row| Some(milliseconds(row.submitted)))),
        Field::optional("started", Cell::Instant(|row| row.started.map(milliseconds))),
        Field::optional("ended", Cell::Instant(|row| row.ended.map(milliseconds))),
        Field::required("attempts", Cell::Number(|row| Some(row.attempts.into()))),
        Field::required("waited_ms", Cell::Number(|row| Some(row.waited.as_milliseconds().into()))),
        Field::required(
            "outcome",
            Cell::Text(|names, row| Some(names.outcomes[row.outcome as usize].clone())),
        ),
        Field::optional(
            "refusal",
            Cell::Text(|names, row| Some(names.refusals[row.refusal? as usize].clone())),
        ),
        Field::required("useful_accelerator_ms", Cell::Number(|row| Some(row.useful.as_milliseconds()))),
        Field::required("lost_accelerator_ms", Cell::Number(|row| Some(row.lost.as_milliseconds()))),
        Field::required("energy_j", Cell::Number(|row| Some(row.energy.as_joules()))),
        Field::required("cost_uEUR", Cell::Number(|row| Some(row.cost.as_microeuro()))),
        Field::required("carbon_mg", Cell::Number(|row| Some(row.carbon.as_milligrams()))),
    ];

    fn assemble(batch: &Batch<'_>, row: usize) -> Result<Self, TableError> {
        let index = batch.index;
        let site = batch.maybe_name(row, 4, |name| index.sites.find(name))?.map(SiteId::at);
        let pool = batch.maybe_name(row, 5, |name| index.pool(site?, name))?;
        let outcome = |word: &str| OUTCOMES.into_iter().find(|outcome| outcome.word() == word);
        let refusal = |word: &str| Refusal::ALL.into_iter().find(|refusal| refusal.word() == word);
        Ok(Self {
            job: JobId(batch.number(row, 0)?),
            project: ProjectId::at(batch.name(row, 1, |name| index.projects.find(name))?),
            programme: ProgrammeId::at(batch.name(row, 2, |name| index.programmes.find(name))?),
            owner: OwnerId::at(batch.name(row, 3, |name| index.owners.find(name))?),
            site,
            pool: pool.map(PoolId::at),
            accelerators: batch.number(row, 6)?,
            held: batch.number(row, 7)?,
            submitted: Instant::unix_milliseconds(batch.number(row, 8)?),
            started: batch.maybe(row, STARTED)?.map(Instant::unix_milliseconds),
            ended: batch.maybe(row, ENDED)?.map(Instant::unix_milliseconds),
            attempts: batch.number(row, 11)?,
            waited: Duration::milliseconds(batch.number(row, 12)?),
            outcome: batch.name(row, 13, outcome)?,
            refusal: batch.maybe_name(row, 14, refusal)?,
            useful: AcceleratorTime::milliseconds(batch.number(row, 15)?),
            lost: AcceleratorTime::milliseconds(batch.number(row, 16)?),
            energy: Energy::joules(batch.number(row, 17)?),
            cost: Money::microeuro(batch.number(row, 18)?),
            carbon: Carbon::milligrams(batch.number(row, 19)?),
        })
    }
}
