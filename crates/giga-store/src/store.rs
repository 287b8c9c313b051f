//! One store: opening, appending, following the journal.

use std::path::Path;

use giga_formats::journal::{self, Record, RecordError};
use giga_model::JobId;
use giga_units::Instant;

use crate::backend::{Backend, Standing};
use crate::change::Batch;
use crate::error::{DatabaseError, StoreError};
use crate::postgres::{Postgres, Url};
use crate::sqlite::Sqlite;
use crate::statement::{Row, Statement, Value};
use crate::{folder, schema, script};

/// What a federation began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// The name of the file of its description.
    pub file: String,
    /// The description as it was written.
    pub text: String,
    /// The same with every default filled in: defaults of a later version may differ, and a federation that lives keeps those
    /// it began with.
    pub expanded: String,
    /// When.
    pub start: Instant,
}

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// Nothing: the beginning that was offered is the beginning now.
    New,
    /// What was there before.
    Found(Beginning),
}

/// A store: SQLite in a folder, or a database of PostgreSQL.
#[derive(Debug)]
pub struct Store {
    pub(crate) backend: Box<dyn Backend>,
}

impl Store {
    /// Opens the store of a folder for writing, and begins it where there is none. Only one process at a time can.
    ///
    /// # Errors
    /// Fails where the folder can not be used, is in use, or holds what this version can not read.
    pub fn open(folder: &Path, beginning: &Beginning) -> Result<(Self, Opened), StoreError> {
        folder::make(folder)?;
        folder::is_unmarked(folder)?;
        let lock = folder::lock(folder)?;
        let store = Self::on(Sqlite::open(folder, lock)?);
        let opened = store.begun(beginning)?;
        Ok((store, opened))
    }

    /// Opens a database of PostgreSQL for writing, and begins a store there where there is none. Only who holds its lease
    /// can; one that is about to run out is waited for. The folder is that of the engines' files, and belongs to the
    /// database from then on.
    ///
    /// # Errors
    /// Fails where the database can not be used, is in use, or holds what this version can not read, and where it began
    /// with another folder.
    pub fn connect(url: &Url, folder: &Path, beginning: &Beginning) -> Result<(Self, Opened), StoreError> {
        folder::make(folder)?;
        if folder.join(folder::FILE).is_file() {
            let with = "the SQLite in it, without `--store`";
            return Err(StoreError::Elsewhere { folder: folder.to_owned(), with });
        }
        let store = Self::on(Postgres::open(url)?);
        let opened = store.begun(beginning)?;
        store.bind(folder)?;
        Ok((store, opened))
    }

    /// Opens the store of a folder to read it, also while a server works in it.
    ///
    /// # Errors
    /// Fails where there is none, or one that this version can not read.
    pub fn read_only(folder: &Path) -> Result<(Self, Beginning), StoreError> {
        let absent = || StoreError::Absent { folder: folder.to_owned() };
        let store = Self::on(Sqlite::read_only(folder)?.ok_or_else(absent)?);
        let beginning = store.about()?.ok_or_else(absent)?;
        Ok((store, beginning))
    }

    /// Opens a database of PostgreSQL to read it, also while a server works on it.
    ///
    /// # Errors
    /// Fails where it holds no store, or one that this version can not read.
    pub fn connect_read_only(url: &Url) -> Result<(Self, Beginning), StoreError> {
        let store = Self::on(Postgres::read_only(url)?);
        let beginning = store.about()?.ok_or_else(|| StoreError::Empty { url: url.to_string() })?;
        Ok((store, beginning))
    }

    fn on(backend: impl Backend + 'static) -> Self {
        Self { backend: Box::new(backend) }
    }

    /// What is there, or the beginning that is offered.
    fn begun(&self, beginning: &Beginning) -> Result<Opened, StoreError> {
        if let Some(found) = self.about()? {
            self.backend.begin(&[])?;
            return Ok(Opened::Found(found));
        }
        // The numbers are numbers where the column can hold them.
        let number = |name: &'static str, value: i64| {
            let sql = "INSERT INTO about (name, value) VALUES ($1, CAST($2 AS BIGINT))";
            Statement::new(sql, [name.into(), value.into()])
        };
        self.backend.begin(&[
            number("format", schema::FORMAT),
            number("start", beginning.start.as_unix_milliseconds()),
            known("file", &beginning.file),
            known("federation", &beginning.text),
            known("expanded", &beginning.expanded),
        ])?;
        Ok(Opened::New)
    }

    /// What the store began with, or `None` where it is new.
    fn about(&self) -> Result<Option<Beginning>, StoreError> {
        if !self.backend.has_tables()? {
            return Ok(None);
        }
        let Some(format) = self.known("format")? else { return Ok(None) };
        let number = |text: String| text.parse().unwrap_or(i64::MAX);
        let found = number(format);
        if found != schema::FORMAT {
            return Err(StoreError::Later { found });
        }
        let text = |name| Ok::<_, StoreError>(self.known(name)?.unwrap_or_default());
        Ok(Some(Beginning {
            file: text("file")?,
            text: text("federation")?,
            expanded: text("expanded")?,
            start: Instant::unix_milliseconds(number(text("start")?)),
        }))
    }

    fn known(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.one("SELECT CAST(value AS TEXT) FROM about WHERE name = $1", [name.into()], Row::take)
    }

    /// Binds a database to the folder of engines' files: with another one, what runs would not be seen, and begin twice.
    /// Whatever is killed in between is mended by the next start, since the folder is marked first.
    fn bind(&self, folder: &Path) -> Result<(), StoreError> {
        let unbound = || StoreError::Unbound { folder: folder.to_owned() };
        let with = "another database; name that with `--store`";
        let elsewhere = || StoreError::Elsewhere { folder: folder.to_owned(), with };
        let found = folder::mark(folder)?;
        match (self.known("id")?, found) {
            (Some(id), Some(found)) if id == found => {}
            (Some(_), Some(_)) => return Err(elsewhere()),
            (Some(_), None) if self.known("bound")?.is_some() => return Err(unbound()),
            (Some(id), None) => folder::set_mark(folder, &id)?,
            (None, Some(_)) => return Err(elsewhere()),
            (None, None) => {
                // Made by the database, so that no two databases have the same.
                let sql = "INSERT INTO about (name, value) VALUES ('id', CAST(gen_random_uuid() AS TEXT))";
                self.backend.write(&[Statement::new(sql, [])], None)?;
                folder::set_mark(folder, &self.known("id")?.unwrap_or_default())?;
            }
        }
        let sql = "INSERT INTO about (name, value) VALUES ('bound', 'yes') ON CONFLICT DO NOTHING";
        self.backend.write(&[Statement::new(sql, [])], None).map(drop)
    }

    /// Makes a batch durable: all of it is on the disk when this returns, or none of it.
    ///
    /// # Errors
    /// Fails where the disk is full or the database refuses or can not be reached for longer than is waited for. Nothing of
    /// the batch is kept then, but for a database that was lost in the middle of a commit and did not come back: what became
    /// of that is found by the next start. [`StoreError::Fenced`] says that another server took over.
    pub fn append<'a>(&self, batches: impl IntoIterator<Item = &'a Batch>) -> Result<(), StoreError> {
        let (mut statements, mut last) = (Vec::new(), None);
        for batch in batches {
            statements.extend(script::of(batch));
            last = batch.entries.last().or(last);
        }
        self.backend.write(&statements, last).map(drop)
    }

    /// The records behind `after`, at most so many; they follow each other without a gap.
    ///
    /// # Errors
    /// Fails where one is missing or damaged, or the database refuses.
    pub fn records(&self, after: u64, most: usize) -> Result<Vec<Record>, StoreError> {
        let sql = "SELECT seq, record FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2";
        let rows: Vec<(u64, Vec<u8>)> =
            self.all(sql, [after.into(), most.into()], |row| Ok((row.take()?, row.take()?)))?;
        let mut before = after;
        let mut records = Vec::with_capacity(rows.len());
        for (seq, bytes) in rows {
            if seq != before + 1 {
                return Err(StoreError::Gap { before, after: seq });
            }
            let record = journal::read(&bytes).map_err(|cause| StoreError::Record { seq, cause })?;
            if record.seq != seq {
                return Err(StoreError::Record { seq, cause: RecordError::Damaged });
            }
            records.push(record);
            before = seq;
        }
        Ok(records)
    }

    /// The last record, or 0 where there is none.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn last(&self) -> Result<u64, StoreError> {
        let last = self.one("SELECT coalesce(max(seq), 0) FROM journal", [], Row::take)?;
        Ok(last.unwrap_or(0))
    }

    /// The job that a request with this word led to before, with what it asked for.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn submitted(&self, by: &str, idempotency: &str) -> Result<Option<(JobId, String)>, StoreError> {
        let sql = "SELECT job, body FROM job WHERE by_key = $1 AND idempotency = $2";
        self.one(sql, [by.into(), idempotency.into()], |row| Ok((JobId(row.take()?), row.take()?)))
    }

    /// Folds the log of SQLite into the file, as far as nobody is in the way; commits go on meanwhile. Where they never pause
    /// and the log grows long, the next one folds all of it and starts it anew. PostgreSQL does that by itself.
    ///
    /// # Errors
    /// Fails where the database refuses.
    pub fn fold(&self) -> Result<(), StoreError> {
        self.backend.fold()
    }

    /// Whether a server may act for this store: start and stop work. In a folder it always may, since nobody can take the
    /// lock from a process that lives; a lease runs out.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.backend.standing()
    }

    /// Gives a lease back, so that the next server need not wait until it runs out; the lock of a folder goes with the store.
    /// Nothing can be written from then on. A store that is dropped does it by itself.
    pub fn release(&self) {
        self.backend.release();
    }

    /// Every row of an answer.
    pub(crate) fn all<'a, T, const N: usize>(
        &self,
        sql: &'static str,
        values: [Value<'a>; N],
        read: impl Fn(&mut Row) -> Result<T, DatabaseError>,
    ) -> Result<Vec<T>, StoreError> {
        self.rows(&Statement::new(sql, values), read)
    }

    pub(crate) fn rows<T>(
        &self,
        question: &Statement<'_>,
        read: impl Fn(&mut Row) -> Result<T, DatabaseError>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.backend.read(question)?;
        rows.into_iter().map(|mut row| Ok(read(&mut row)?)).collect()
    }

    /// The one row of an answer, or `None`.
    pub(crate) fn one<'a, T, const N: usize>(
        &self,
        sql: &'static str,
        values: [Value<'a>; N],
        read: impl Fn(&mut Row) -> Result<T, DatabaseError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(sql, values, read)?.pop())
    }
}

fn known<'a>(name: &'static str, value: &'a str) -> Statement<'a> {
    Statement::new("INSERT INTO about (name, value) VALUES ($1, $2)", [name.into(), value.into()])
}
