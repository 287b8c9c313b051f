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
        let asked = Asked::of(filter);
        self.rows(&Statement::new(asked.sql, asked.values), job_row)
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

/// A page of jobs as it is asked for. Where projects or states are named, it is put together of the latest of each of them,
/// which an index has in their order; else a rare one would be looked for in the whole history.
struct Asked<'a> {
    sql: String,
    values: Vec<Value<'a>>,
    filter: &'a JobFilter,
}

/// The most parts that a page is put together of; with more names it is looked for.
const PARTS_MAX: usize = 64;

impl<'a> Asked<'a> {
    fn of(filter: &'a JobFilter) -> Self {
        let mut asked = Self { sql: String::new(), values: Vec::new(), filter };
        let names = |list: &'a [String]| list.iter().map(Some).collect::<Vec<_>>();
        let projects = filter.projects.as_deref().map_or_else(|| vec![None], names);
        let states = if filter.states.is_empty() { vec![None] } else { names(&filter.states) };
        let parts = projects.len() * states.len();
        if parts == 0 || parts > PARTS_MAX {
            asked.looked_for();
            return asked;
        }
        for (number, (project, state)) in
            projects.iter().flat_map(|project| states.iter().map(move |state| (project, state))).enumerate()
        {
            asked.sql += if number > 0 { " UNION ALL " } else { "" };
            asked.sql += "SELECT * FROM (";
            asked.select();
            for (column, name) in [("project", project), ("state", state)] {
                if let Some(name) = name {
                    let mark = asked.mark(*name);
                    asked.sql += &format!(" AND {column} = {mark}");
                }
            }
            asked.latest();
            asked.sql += &format!(") AS part{number}");
        }
        let most = asked.mark(filter.most);
        asked.sql += &format!(" ORDER BY job DESC LIMIT {most}");
        asked
    }

    fn looked_for(&mut self) {
        self.select();
        let projects = self.filter.projects.as_deref();
        for (column, names) in [("project", projects), ("state", Some(self.filter.states.as_slice()))] {
            // No project may be named, and then there is no job; no state stands for all.
            let Some(names) = names.filter(|names| column == "project" || !names.is_empty()) else {
                continue;
            };
            let marks: Vec<String> = names.iter().map(|name| self.mark(name)).collect();
            // A list of none is no SQL everywhere, and nothing equals NULL.
            let marks = if marks.is_empty() { "NULL".to_owned() } else { marks.join(", ") };
            self.sql += &format!(" AND {column} IN ({marks})");
        }
        self.latest();
    }

    fn select(&mut self) {
        self.sql += &format!("SELECT {COLUMNS} FROM job WHERE TRUE");
    }

    /// What holds in every part.
    fn latest(&mut self) {
        if self.filter.live {
            self.sql += " AND ended IS NULL";
        }
        if let Some(before) = self.filter.before {
            let mark = self.mark(before.0);
            self.sql += &format!(" AND job < {mark}");
        }
        let most = self.mark(self.filter.most);
        self.sql += &format!(" ORDER BY job DESC LIMIT {most}");
    }

    /// A parameter behind those that are there.
    fn mark(&mut self, value: impl Into<Value<'a>>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }
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
