//! What is known of the content of datasets: its checksum, where copies lie, and what was done to bring them there.
//!
//! The description says which datasets there are and what may be done with them; this is what was found on disks. Nothing is
//! decided here.

use giga_units::{Duration, Instant, Money};

use crate::error::{DatabaseError, StoreError};
use crate::statement::{Row, Statement, Value};
use crate::store::Store;

/// The registered content of a dataset, without its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentRow {
    /// Which dataset.
    pub dataset: String,
    /// The SHA-256 of its manifest, in hexadecimal digits.
    pub digest: String,
    /// How many files.
    pub files: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Whose key registered it.
    pub by: String,
    /// When.
    pub at: Instant,
}

/// A copy of a dataset at a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRow {
    /// Which dataset.
    pub dataset: String,
    /// Where.
    pub site: String,
    /// Its folder.
    pub path: String,
    /// Whether it was as registered when it was looked at last.
    pub sound: bool,
    /// When that was.
    pub checked: Instant,
    /// What was found, where it is not as registered.
    pub said: Option<String>,
}

/// What is done with a dataset at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskKind {
    /// What lies there is looked through, and registered or held against what is.
    Add,
    /// It is copied there from another site.
    Stage,
}

impl TaskKind {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Stage => "stage",
        }
    }
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskState {
    /// It waits or is worked on; a start goes on with it.
    Open,
    /// It is done.
    Done,
    /// It could not be done.
    Failed,
}

impl TaskState {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// Something that is done with a dataset at a site: who asked for it, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// Its number.
    pub task: u64,
    /// What is done.
    pub kind: TaskKind,
    /// With which dataset.
    pub dataset: String,
    /// At which site.
    pub site: String,
    /// From which site it is copied.
    pub source: Option<String>,
    /// The folder at the site.
    pub path: String,
    /// Whose key asked for it, or which job.
    pub by: String,
    /// When.
    pub asked: Instant,
    /// When it was over.
    pub ended: Option<Instant>,
    /// How far it is.
    pub state: TaskState,
    /// How many bytes were moved or looked through, once it is over; before that how many will be, where that is known.
    pub bytes: u64,
    /// How long that was to take.
    pub planned: Option<Duration>,
    /// What it costs by the network of the description.
    pub cost: Money,
    /// What came of it, in words.
    pub said: Option<String>,
}

/// What the end of a task makes durable together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskEnd<'a> {
    /// The task as it is from then on.
    pub task: &'a TaskRow,
    /// What it registered first, with the manifest.
    pub content: Option<(&'a ContentRow, &'a [u8])>,
    /// The copy as it was found or made.
    pub copy: Option<&'a CopyRow>,
}

const TASK: &str = "SELECT task, kind, dataset, site, source, path, by_key, asked, ended, state, bytes, planned, cost_microeuro,
                    said FROM dataset_task";

impl Store {
    /// Adds a task.
    ///
    /// # Errors
    /// Fails where the store can not be written, or has a task of this number.
    pub fn add_task(&self, task: &TaskRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO dataset_task (task, kind, dataset, site, source, path, by_key, asked, ended, state, bytes, planned,
                   cost_microeuro, said) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
        let time = |at: Instant| at.as_unix_milliseconds();
        let values: [Value<'_>; 14] = [
            task.task.into(),
            task.kind.word().into(),
            (&task.dataset).into(),
            (&task.site).into(),
            (&task.source).into(),
            (&task.path).into(),
            (&task.by).into(),
            time(task.asked).into(),
            task.ended.map(time).into(),
            task.state.word().into(),
            task.bytes.into(),
            task.planned.map(Duration::as_milliseconds).into(),
            i64::try_from(task.cost.as_microeuro()).unwrap_or(i64::MAX).into(),
            (&task.said).into(),
        ];
        self.backend.write(&[Statement::new(sql, values)], None).map(drop)
    }

    /// Ends a task: all of what it found is on the disk when this returns, or none of it.
    ///
    /// # Errors
    /// Fails where the store can not be written.
    pub fn end_task(&self, end: &TaskEnd<'_>) -> Result<(), StoreError> {
        let task = end.task;
        let sql = "UPDATE dataset_task SET ended = $2, state = $3, bytes = $4, cost_microeuro = $5, said = $6 WHERE task = $1";
        let values: [Value<'_>; 6] = [
            task.task.into(),
            task.ended.map(Instant::as_unix_milliseconds).into(),
            task.state.word().into(),
            task.bytes.into(),
            i64::try_from(task.cost.as_microeuro()).unwrap_or(i64::MAX).into(),
            (&task.said).into(),
        ];
        let mut script = vec![Statement::new(sql, values)];
        script.extend(end.content.map(|(row, manifest)| content_statement(row, manifest)));
        script.extend(end.copy.map(copy_statement));
        self.backend.write(&script, None).map(drop)
    }

    /// The tasks that are not over, in their order.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn tasks_open(&self) -> Result<Vec<TaskRow>, StoreError> {
        self.rows(&Statement::new(format!("{TASK} WHERE state = 'open' ORDER BY task"), []), task)
    }

    /// The latest tasks of a dataset, the latest first.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn tasks_of(&self, dataset: &str, most: usize) -> Result<Vec<TaskRow>, StoreError> {
        let sql = format!("{TASK} WHERE dataset = $1 ORDER BY task DESC LIMIT $2");
        self.rows(&Statement::new(sql, [dataset.into(), most.into()]), task)
    }

    /// The latest task with a dataset at a site that somebody asked for.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn task_by(&self, dataset: &str, site: &str, by: &str) -> Result<Option<TaskRow>, StoreError> {
        let sql =
            format!("{TASK} WHERE dataset = $1 AND site = $2 AND by_key = $3 ORDER BY task DESC LIMIT 1");
        Ok(self.rows(&Statement::new(sql, [dataset.into(), site.into(), by.into()]), task)?.pop())
    }

    /// The number of the last task, or 0 where there is none.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn last_task(&self) -> Result<u64, StoreError> {
        Ok(self.one("SELECT coalesce(max(task), 0) FROM dataset_task", [], Row::take)?.unwrap_or(0))
    }

    /// The registered content of every dataset that has some.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn contents(&self) -> Result<Vec<ContentRow>, StoreError> {
        self.all("SELECT dataset, digest, files, bytes, by_key, at FROM dataset_content", [], content)
    }

    /// The registered content of a dataset.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn content(&self, dataset: &str) -> Result<Option<ContentRow>, StoreError> {
        let sql = "SELECT dataset, digest, files, bytes, by_key, at FROM dataset_content WHERE dataset = $1";
        self.one(sql, [dataset.into()], content)
    }

    /// The manifest of the registered content of a dataset, as it was kept.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn manifest(&self, dataset: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.one("SELECT manifest FROM dataset_content WHERE dataset = $1", [dataset.into()], Row::take)
    }

    /// Every copy that was looked at or made.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn copies(&self) -> Result<Vec<CopyRow>, StoreError> {
        self.all("SELECT dataset, site, path, sound, checked, said FROM dataset_copy", [], copy)
    }

    /// The copies of a dataset.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn copies_of(&self, dataset: &str) -> Result<Vec<CopyRow>, StoreError> {
        let sql = "SELECT dataset, site, path, sound, checked, said FROM dataset_copy WHERE dataset = $1";
        self.all(sql, [dataset.into()], copy)
    }
}

/// What is registered first counts; another content under the same name is refused by whoever asks, before it comes here.
fn content_statement<'a>(row: &'a ContentRow, manifest: &'a [u8]) -> Statement<'a> {
    let sql = "INSERT INTO dataset_content (dataset, digest, files, bytes, by_key, at, manifest)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values: [Value<'_>; 7] = [
        (&row.dataset).into(),
        (&row.digest).into(),
        row.files.into(),
        row.bytes.into(),
        (&row.by).into(),
        row.at.as_unix_milliseconds().into(),
        manifest.into(),
    ];
    Statement::new(sql, values)
}

fn copy_statement(row: &CopyRow) -> Statement<'_> {
    let sql =
        "INSERT INTO dataset_copy (dataset, site, path, sound, checked, said) VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (dataset, site) DO UPDATE SET path = excluded.path, sound = excluded.sound,
               checked = excluded.checked, said = excluded.said";
    let values: [Value<'_>; 6] = [
        (&row.dataset).into(),
        (&row.site).into(),
        (&row.path).into(),
        i64::from(row.sound).into(),
        row.checked.as_unix_milliseconds().into(),
        (&row.said).into(),
    ];
    Statement::new(sql, values)
}

fn content(row: &mut Row) -> Result<ContentRow, DatabaseError> {
    Ok(ContentRow {
        dataset: row.take()?,
        digest: row.take()?,
        files: row.take()?,
        bytes: row.take()?,
        by: row.take()?,
        at: Instant::unix_milliseconds(row.take()?),
    })
}

fn copy(row: &mut Row) -> Result<CopyRow, DatabaseError> {
    Ok(CopyRow {
        dataset: row.take()?,
        site: row.take()?,
        path: row.take()?,
        sound: row.take::<i64>()? != 0,
        checked: Instant::unix_milliseconds(row.take()?),
        said: row.take()?,
    })
}

fn task(row: &mut Row) -> Result<TaskRow, DatabaseError> {
    let number = row.take()?;
    let kind: String = row.take()?;
    let kind = if kind == TaskKind::Add.word() { TaskKind::Add } else { TaskKind::Stage };
    let (dataset, site, source, path, by) = (row.take()?, row.take()?, row.take()?, row.take()?, row.take()?);
    let (asked, ended): (i64, Option<i64>) = (row.take()?, row.take()?);
    let state: String = row.take()?;
    let states = [TaskState::Open, TaskState::Done, TaskState::Failed];
    let state = states.into_iter().find(|one| one.word() == state).ok_or(DatabaseError::Unreadable)?;
    let (bytes, planned, cost): (u64, Option<i64>, i64) = (row.take()?, row.take()?, row.take()?);
    Ok(TaskRow {
        task: number,
        kind,
        dataset,
        site,
        source,
        path,
        by,
        asked: Instant::unix_milliseconds(asked),
        ended: ended.map(Instant::unix_milliseconds),
        state,
        bytes,
        planned: planned.map(Duration::milliseconds),
        cost: Money::microeuro(cost.into()),
        said: row.take()?,
    })
}
