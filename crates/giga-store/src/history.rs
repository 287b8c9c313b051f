//! What became of jobs, as it is asked for.

use giga_model::JobId;
use giga_units::{Carbon, Energy, Instant, Money};

use crate::error::{DatabaseError, StoreError};
use crate::statement::{Row, Statement, Value};
use crate::store::Store;

/// A job as the tables know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// Its number.
    pub job: JobId,
    /// Who is charged.
    pub project: String,
    /// What people call it.
    pub name: String,
    /// Whose key it came with.
    pub by: String,
    /// The word for where it stands.
    pub state: String,
    /// Where it waits or ran.
    pub site: Option<String>,
    /// In which pool it last ran.
    pub pool: Option<String>,
    /// Accelerators it asked for, or held once it ran.
    pub accelerators: u32,
    /// How often it was started.
    pub attempts: u32,
    /// When it came.
    pub submitted: Instant,
    /// When its latest attempt started.
    pub started: Option<Instant>,
    /// When it ended.
    pub ended: Option<Instant>,
    /// How it ended, or why it was refused, in words.
    pub result: Option<String>,
    /// At the meter.
    pub energy: Option<Energy>,
    /// Electricity, carbon and capital of what it held.
    pub cost: Option<Money>,
    /// From its energy.
    pub carbon: Option<Carbon>,
}

/// One try at a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// Which, counted from one.
    pub attempt: u32,
    /// In which pool.
    pub pool: String,
    /// Accelerators that it held.
    pub accelerators: u32,
    /// When it was started.
    pub started: Instant,
    /// When it was over.
    pub ended: Option<Instant>,
    /// How, in words.
    pub result: Option<String>,
    /// What the engine said of it, as it was written.
    pub receipt: Option<String>,
}

/// Which jobs are asked for, the latest first.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only of these projects, or `None` for all.
    pub projects: Option<Vec<String>>,
    /// Only in these states, or in any where there are none.
    pub states: Vec<String>,
    /// Only those that wait or run.
    pub live: bool,
    /// Only those before this one.
    pub before: Option<JobId>,
    /// At most so many.
    pub most: usize,
}

/// A job whose one attempt ended by itself or at its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedRow {
    /// Who was charged.
    pub project: String,
    /// What it asked for, as the body of the request that brought it.
    pub body: String,
    /// When its attempt started.
    pub started: Instant,
    /// When it ended.
    pub ended: Instant,
}

const COLUMNS: &str =
    "job, project, name, by_key, state, site, pool, accelerators, attempts, submitted, started, ended,
                       result, energy_joule, cost_microeuro, carbon_milligram";

impl Store {
    /// Jobs, the latest first.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn jobs(&self, filter: &JobFilter) -> Result<Vec<JobRow>, StoreError> {
        let mut sql = format!("SELECT {COLUMNS} FROM job WHERE TRUE");
        let mut values: Vec<Value<'_>> = Vec::new();
        if let Some(projects) = &filter.projects {
            sql += &format!(" AND project IN ({})", marks(values.len(), projects.len()));
            values.extend(projects.iter().map(Value::from));
        }
        if !filter.states.is_empty() {
            sql += &format!(" AND state IN ({})", marks(values.len(), filter.states.len()));
            values.extend(filter.states.iter().map(Value::from));
        }
        if filter.live {
            sql += " AND ended IS NULL";
        }
        if let Some(before) = filter.before {
            sql += &format!(" AND job < {}", marks(values.len(), 1));
            values.push(before.0.into());
        }
        sql += &format!(" ORDER BY job DESC LIMIT {}", marks(values.len(), 1));
        values.push(filter.most.into());
        self.rows(&Statement::new(sql, values), job_row)
    }

    /// One job.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn job(&self, job: JobId) -> Result<Option<JobRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM job WHERE job = $1");
        Ok(self.rows(&Statement::new(sql, [job.0.into()]), job_row)?.pop())
    }

    /// What a job asked for, as the body of the request that brought it.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn body(&self, job: JobId) -> Result<Option<String>, StoreError> {
        self.one("SELECT body FROM job WHERE job = $1", [job.0.into()], Row::take)
    }

    /// The jobs that ended last by themselves or at their limit, in one attempt; at most so many, the latest first.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn ended(&self, most: usize) -> Result<Vec<EndedRow>, StoreError> {
        // The words of the states stand here as they do in the index, so that it is used. What has no end is not in there.
        let sql = "SELECT project, body, started, ended FROM job
                   WHERE state IN ('completed', 'failed', 'timed-out') AND attempts = 1 AND started IS NOT NULL
                   ORDER BY ended DESC, job DESC LIMIT $1";
        self.all(sql, [most.into()], ended_row)
    }

    /// The attempts of a job in their order.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn attempts(&self, job: JobId) -> Result<Vec<AttemptRow>, StoreError> {
        let sql = "SELECT attempt, pool, accelerators, started, ended, result, receipt FROM attempt
                   WHERE job = $1 ORDER BY attempt";
        self.all(sql, [job.0.into()], attempt_row)
    }
}

/// So many parameters behind those that are there.
fn marks(known: usize, count: usize) -> String {
    let marks: Vec<String> = (known + 1..=known + count).map(|number| format!("${number}")).collect();
    // A list of none is no SQL everywhere, and nothing equals NULL.
    if marks.is_empty() { "NULL".to_owned() } else { marks.join(", ") }
}

fn instant(row: &mut Row) -> Result<Option<Instant>, DatabaseError> {
    Ok(row.take::<Option<i64>>()?.map(Instant::unix_milliseconds))
}

fn job_row(row: &mut Row) -> Result<JobRow, DatabaseError> {
    fn amount(row: &mut Row) -> Result<Option<i128>, DatabaseError> {
        Ok(row.take::<Option<i64>>()?.map(i128::from))
    }
    Ok(JobRow {
        job: JobId(row.take()?),
        project: row.take()?,
        name: row.take()?,
        by: row.take()?,
        state: row.take()?,
        site: row.take()?,
        pool: row.take()?,
        accelerators: row.take()?,
        attempts: row.take()?,
        submitted: Instant::unix_milliseconds(row.take()?),
        started: instant(row)?,
        ended: instant(row)?,
        result: row.take()?,
        energy: amount(row)?.map(Energy::joules),
        cost: amount(row)?.map(Money::microeuro),
        carbon: amount(row)?.map(Carbon::milligrams),
    })
}

fn ended_row(row: &mut Row) -> Result<EndedRow, DatabaseError> {
    let (project, body) = (row.take()?, row.take()?);
    let mut at = || row.take().map(Instant::unix_milliseconds);
    Ok(EndedRow { project, body, started: at()?, ended: at()? })
}

fn attempt_row(row: &mut Row) -> Result<AttemptRow, DatabaseError> {
    Ok(AttemptRow {
        attempt: row.take()?,
        pool: row.take()?,
        accelerators: row.take()?,
        started: Instant::unix_milliseconds(row.take()?),
        ended: instant(row)?,
        result: row.take()?,
        receipt: row.take()?,
    })
}
