//! What a batch means for the tables, as statements.

use giga_units::Instant;

use crate::change::{Batch, Change, Entry, NewJob};
use crate::statement::{Statement, Value};

/// Everything that one batch says.
pub(crate) fn of(batch: &Batch) -> impl Iterator<Item = Statement<'_>> {
    let entries = batch.entries.iter().map(|Entry { seq, record }| {
        let sql = "INSERT INTO journal (seq, record) VALUES ($1, $2)";
        Statement::new(sql, [Value::from(*seq), Value::from(record.as_slice())])
    });
    entries.chain(batch.changes.iter().flat_map(change))
}

fn change(change: &Change) -> Vec<Statement<'_>> {
    match change {
        Change::Came(new) => vec![came(new)],
        Change::Started { job, attempt, at, pool, held, queued } => {
            let values = |last| [job.0.into(), (*attempt).into(), pool.into(), (*held).into(), last];
            let (state, started) = if *queued { ("queued", None) } else { ("running", Some(*at)) };
            let started = started.map(Instant::as_unix_milliseconds).into();
            let sql = format!(
                "UPDATE job SET state = '{state}', attempts = $2, pool = $3, accelerators = $4, started = $5 WHERE job = $1"
            );
            let row =
                "INSERT INTO attempt (job, attempt, pool, accelerators, started) VALUES ($1, $2, $3, $4, $5)
                       ON CONFLICT DO NOTHING";
            vec![Statement::new(sql, values(started)), Statement::new(row, values(time(*at)))]
        }
        Change::Begun { job, at } => {
            let sql =
                "UPDATE job SET state = CASE state WHEN 'queued' THEN 'running' ELSE state END, started = $2
                       WHERE job = $1";
            let row = "UPDATE attempt SET started = $2 WHERE job = $1 AND ended IS NULL";
            vec![
                Statement::new(sql, [job.0.into(), time(*at)]),
                Statement::new(row, [job.0.into(), time(*at)]),
            ]
        }
        Change::Stopping { job } => {
            vec![Statement::new("UPDATE job SET state = 'stopping' WHERE job = $1", [job.0.into()])]
        }
        Change::Moved { job, site } => {
            vec![Statement::new("UPDATE job SET site = $2 WHERE job = $1", [job.0.into(), site.into()])]
        }
        Change::Interrupted { job, at, cause } => {
            let sql = "UPDATE attempt SET ended = $2, result = coalesce(result, $3) WHERE job = $1 AND ended IS NULL";
            vec![
                Statement::new("UPDATE job SET state = 'waiting' WHERE job = $1", [job.0.into()]),
                Statement::new(sql, [job.0.into(), time(*at), cause.into()]),
            ]
        }
        Change::Result { job, attempt, text, receipt } => {
            let attempt = || Value::from(*attempt);
            let sql = "UPDATE attempt SET result = $3, receipt = $4 WHERE job = $1 AND attempt = $2";
            let row = "UPDATE job SET result = $3 WHERE job = $1 AND attempts = $2";
            vec![
                Statement::new(sql, [job.0.into(), attempt(), text.into(), receipt.into()]),
                Statement::new(row, [job.0.into(), attempt(), text.into()]),
            ]
        }
        Change::Ended { job, at, state, energy, cost, carbon } => {
            let sql = "UPDATE job SET state = $2, ended = $3, energy_joule = $4, cost_microeuro = $5,
                       carbon_milligram = $6 WHERE job = $1";
            let (energy, cost, carbon) = (energy.as_joules(), cost.as_microeuro(), carbon.as_milligrams());
            let (energy, cost, carbon) = (small(energy), small(cost), small(carbon));
            let row = "UPDATE attempt SET ended = $2 WHERE job = $1 AND ended IS NULL";
            vec![
                Statement::new(sql, [job.0.into(), (*state).into(), time(*at), energy, cost, carbon]),
                Statement::new(row, [job.0.into(), time(*at)]),
            ]
        }
    }
}

fn came(new: &NewJob) -> Statement<'_> {
    let at = new.at.as_unix_milliseconds();
    let (state, ended) = if new.refusal.is_some() { ("refused", Some(at)) } else { ("waiting", None) };
    let sql = "INSERT INTO job (job, project, name, by_key, body, idempotency, submitted, state, site, accelerators, ended,
               result) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let values = [
        new.job.0.into(),
        (&new.project).into(),
        (&new.name).into(),
        (&new.by).into(),
        (&new.body).into(),
        (&new.idempotency).into(),
        at.into(),
        state.into(),
        (&new.site).into(),
        new.accelerators.into(),
        ended.into(),
        (&new.refusal).into(),
    ];
    Statement::new(sql, values)
}

fn time(at: Instant) -> Value<'static> {
    at.as_unix_milliseconds().into()
}

/// What a job draws and costs fits 63 bits many times over; more is kept as the most.
fn small(amount: i128) -> Value<'static> {
    i64::try_from(amount).unwrap_or(i64::MAX).into()
}
