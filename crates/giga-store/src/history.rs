//! What became of jobs, as it is asked for.

use giga_model::JobId;
use giga_units::{Carbon, Energy, Instant, Money};
use rusqlite::{OptionalExtension as _, Row, ToSql, params};

use crate::store::{Store, StoreError};

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
        let mut values: Vec<&dyn ToSql> = Vec::new();
        if let Some(projects) = &filter.projects {
            let marks = vec!["?"; projects.len()].join(", ");
            sql += &format!(" AND project IN ({marks})");
            values.extend(projects.iter().map(|project| project as &dyn ToSql));
        }
        if !filter.states.is_empty() {
            let marks = vec!["?"; filter.states.len()].join(", ");
            sql += &format!(" AND state IN ({marks})");
            values.extend(filter.states.iter().map(|state| state as &dyn ToSql));
        }
        if filter.live {
            sql += " AND ended IS NULL";
        }
        let before = filter.before.map(|job| job.0);
        if let Some(before) = &before {
            sql += " AND job < ?";
            values.push(before);
        }
        sql += " ORDER BY job DESC LIMIT ?";
        values.push(&filter.most);
        self.read(|connection| {
            connection.prepare_cached(&sql)?.query_map(values.as_slice(), job_row)?.collect()
        })
    }

    /// One job.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn job(&self, job: JobId) -> Result<Option<JobRow>, StoreError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM job WHERE job = ?1");
            connection.prepare_cached(&sql)?.query_row([job.0], job_row).optional()
        })
    }

    /// What a job asked for, as the body of the request that brought it.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn body(&self, job: JobId) -> Result<Option<String>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT body FROM job WHERE job = ?1";
            connection.prepare_cached(sql)?.query_row([job.0], |row| row.get(0)).optional()
        })
    }

    /// The jobs that ended last by themselves or at their limit, in one attempt; at most so many, the latest first.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn ended(&self, most: usize) -> Result<Vec<EndedRow>, StoreError> {
        self.read(|connection| {
            // The words of the states stand here as they do in the index, so that it is used.
            let sql = "SELECT project, body, started, ended FROM job
                       WHERE state IN ('completed', 'failed', 'timed-out') AND attempts = 1 AND started IS NOT NULL
                       ORDER BY ended DESC, job DESC LIMIT ?1";
            connection.prepare_cached(sql)?.query_map([most], ended_row)?.collect()
        })
    }

    /// The attempts of a job in their order.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn attempts(&self, job: JobId) -> Result<Vec<AttemptRow>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT attempt, pool, accelerators, started, ended, result, receipt FROM attempt
                       WHERE job = ?1 ORDER BY attempt";
            connection.prepare_cached(sql)?.query_map(params![job.0], attempt_row)?.collect()
        })
    }
}

fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Instant>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Instant::unix_milliseconds))
}

fn job_row(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    let amount = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(i128::from));
    Ok(JobRow {
        job: JobId(row.get(0)?),
        project: row.get(1)?,
        name: row.get(2)?,
        by: row.get(3)?,
        state: row.get(4)?,
        site: row.get(5)?,
        pool: row.get(6)?,
        accelerators: row.get(7)?,
        attempts: row.get(8)?,
        submitted: Instant::unix_milliseconds(row.get(9)?),
        started: instant(row, 10)?,
        ended: instant(row, 11)?,
        result: row.get(12)?,
        energy: amount(13)?.map(Energy::joules),
        cost: amount(14)?.map(Money::microeuro),
        carbon: amount(15)?.map(Carbon::milligrams),
    })
}

fn ended_row(row: &Row<'_>) -> rusqlite::Result<EndedRow> {
    let at = |column| row.get(column).map(Instant::unix_milliseconds);
    Ok(EndedRow { project: row.get(0)?, body: row.get(1)?, started: at(2)?, ended: at(3)? })
}

fn attempt_row(row: &Row<'_>) -> rusqlite::Result<AttemptRow> {
    Ok(AttemptRow {
        attempt: row.get(0)?,
        pool: row.get(1)?,
        accelerators: row.get(2)?,
        started: Instant::unix_milliseconds(row.get(3)?),
        ended: instant(row, 4)?,
        result: row.get(5)?,
        receipt: row.get(6)?,
    })
}
