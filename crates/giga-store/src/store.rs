//! One folder, one store: opening, appending, following the journal, snapshots.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as Clock};

use giga_formats::journal::{self, Record, RecordError};
use giga_model::JobId;
use giga_units::Instant;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use thiserror::Error;

use crate::change::{Batch, Change, Entry, NewJob};
use crate::schema;

/// Why a store can not do what it is asked to. What stands in a message is not its source as well, so that a chain tells it
/// once.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database refused.
    #[error("the database: {0}")]
    Database(rusqlite::Error),
    /// A file or folder can not be used.
    #[error("`{}` can not be used: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// Another server works in the folder.
    #[error("another server works in `{}`; stop it, or name another folder with `--data`", folder.display())]
    InUse {
        /// Which folder.
        folder: PathBuf,
    },
    /// Others may enter the folder, and it is not only the store's.
    #[error(
        "`{0}` is open to others and holds other things than a federation's; close it with `chmod 700 {0}`, or name a \
         folder of its own with `--data`",
        folder.display()
    )]
    Shared {
        /// Which folder.
        folder: PathBuf,
    },
    /// The folder holds no store.
    #[error("`{}` holds no journal; name the folder that `giga up --data` was given", folder.display())]
    Absent {
        /// Which folder.
        folder: PathBuf,
    },
    /// A later version wrote it.
    #[error(
        "the store has format {found} and this version reads {}; use the later version again",
        schema::FORMAT
    )]
    Later {
        /// Its format.
        found: i64,
    },
    /// A record can not be read.
    #[error("record {seq} of the journal: {cause}")]
    Record {
        /// Which.
        seq: u64,
        /// Why not.
        cause: RecordError,
    },
    /// A record is missing.
    #[error("the journal goes from record {before} to {after}; restore it from a copy")]
    Gap {
        /// The last that was there.
        before: u64,
        /// The next that was found.
        after: u64,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

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

/// The store in a folder.
#[derive(Debug)]
pub struct Store {
    pub(crate) folder: PathBuf,
    file: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    /// Whether the log has grown so long that a commit has to wait for it to be folded.
    long: AtomicBool,
    /// Held as long as the store is open for writing.
    _lock: Option<File>,
}

const FILE: &str = "giga.db";
const LOCK: &str = "lock";
/// How long a start waits for the lock, and between two looks.
const PATIENCE: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_millis(10);
/// Pages of 4 KiB: 256 MiB.
const LOG_PAGES_MAX: i64 = 65_536;

impl Store {
    /// Opens the store of a folder for writing, and begins it where there is none. Only one process at a time can.
    ///
    /// # Errors
    /// Fails where the folder can not be used, is in use, or holds what this version can not read.
    pub fn open(folder: &Path, beginning: &Beginning) -> Result<(Self, Opened), StoreError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |cause| StoreError::File { path, cause }
        };
        let path = folder.join(LOCK);
        make(folder)?;
        let lock = File::create(&path).map_err(at(&path))?;
        take(&lock).map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::InUse { folder: folder.to_owned() },
            TryLockError::Error(cause) => StoreError::File { path, cause },
        })?;
        let mut connection = schema::writer(&folder.join(FILE))?;
        let found = about(&connection)?;
        let opened = match found {
            Some(found) => Opened::Found(found),
            None => {
                begin(&mut connection, beginning)?;
                Opened::New
            }
        };
        Ok((Self::on(folder, connection, Some(lock)), opened))
    }

    /// Opens the store of a folder to read it, also while a server works in it.
    ///
    /// # Errors
    /// Fails where there is none, or one that this version can not read.
    pub fn read_only(folder: &Path) -> Result<(Self, Beginning), StoreError> {
        let absent = || StoreError::Absent { folder: folder.to_owned() };
        let file = folder.join(FILE);
        if !file.is_file() {
            return Err(absent());
        }
        let connection = schema::reader(&file)?;
        let beginning = about(&connection)?.ok_or_else(absent)?;
        Ok((Self::on(folder, connection, None), beginning))
    }

    fn on(folder: &Path, connection: Connection, lock: Option<File>) -> Self {
        Self {
            folder: folder.to_owned(),
            file: folder.join(FILE),
            writer: Mutex::new(connection),
            readers: Mutex::default(),
            long: AtomicBool::new(false),
            _lock: lock,
        }
    }

    /// Makes a batch durable: all of it is on the disk when this returns, or none of it.
    ///
    /// # Errors
    /// Fails where the disk is full or the database refuses; nothing of the batch is kept then.
    pub fn append<'a>(&self, batches: impl IntoIterator<Item = &'a Batch>) -> Result<(), StoreError> {
        let mut writer = self.writer();
        let transaction = writer.transaction()?;
        for batch in batches {
            for Entry { seq, record } in &batch.entries {
                let sql = "INSERT INTO journal (seq, record) VALUES (?1, ?2)";
                transaction.prepare_cached(sql)?.execute(params![seq, record])?;
            }
            batch.changes.iter().try_for_each(|change| write(&transaction, change))?;
        }
        transaction.commit()?;
        if self.long.swap(false, Ordering::Relaxed) {
            // The batch is durable already. Where this fails, so does the next fold, which says why.
            drop(writer.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())));
        }
        Ok(())
    }

    /// The records behind `after`, at most so many; they follow each other without a gap.
    ///
    /// # Errors
    /// Fails where one is missing or damaged, or the database refuses.
    pub fn records(&self, after: u64, most: usize) -> Result<Vec<Record>, StoreError> {
        let rows: Vec<(u64, Vec<u8>)> = self.read(|connection| {
            let sql = "SELECT seq, record FROM journal WHERE seq > ?1 ORDER BY seq LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params![after, most], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })?;
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
        self.read(|connection| {
            connection.query_row("SELECT coalesce(max(seq), 0) FROM journal", [], |row| row.get(0))
        })
    }

    /// The job that a request with this word led to before, with what it asked for.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn submitted(&self, by: &str, idempotency: &str) -> Result<Option<(JobId, String)>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT job, body FROM job WHERE by_key = ?1 AND idempotency = ?2";
            let row = |row: &rusqlite::Row<'_>| Ok((JobId(row.get(0)?), row.get(1)?));
            connection.prepare_cached(sql)?.query_row([by, idempotency], row).optional()
        })
    }

    /// Folds the log into the file, as far as nobody is in the way; commits go on meanwhile. Where they never pause and the
    /// log grows long, the next one folds all of it and starts it anew.
    ///
    /// # Errors
    /// Fails where the database refuses.
    pub fn fold(&self) -> Result<(), StoreError> {
        let connection = schema::writer(&self.file)?;
        let pages: i64 = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?;
        self.long.store(pages > LOG_PAGES_MAX, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn writer(&self) -> MutexGuard<'_, Connection> {
        // A panic in between has rolled its transaction back.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads with a connection of its own, so that no reader waits for a commit.
    pub(crate) fn read<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = idle.map_or_else(|| schema::reader(&self.file), Ok)?;
        let answer = question(&connection)?;
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(answer)
    }
}

/// Makes the folder, and closes it to all but its owner: what lies in it tells the commands and variables of jobs, and who
/// can open its lock can keep the owner out.
fn make(folder: &Path) -> Result<(), StoreError> {
    let fault = |cause| StoreError::File { path: folder.to_owned(), cause };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(fault)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder).map_err(fault)?.permissions().mode();
        if mode & 0o077 != 0 {
            if is_shared(folder).map_err(fault)? {
                return Err(StoreError::Shared { folder: folder.to_owned() });
            }
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(fault)?;
        }
    }
    Ok(())
}

/// Whether something else lies in a folder that holds no store.
#[cfg(unix)]
fn is_shared(folder: &Path) -> std::io::Result<bool> {
    if folder.join(FILE).is_file() {
        return Ok(false);
    }
    for entry in fs::read_dir(folder)? {
        // What a first start left that was broken off.
        if entry?.file_name() != LOCK {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes the lock of a folder. Where a server was killed in the middle of starting a process, that process holds the lock for
/// a moment, until it becomes another program.
fn take(lock: &File) -> Result<(), TryLockError> {
    let until = Clock::now() + PATIENCE;
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if Clock::now() < until => std::thread::sleep(AGAIN),
            taken => return taken,
        }
    }
}

/// What the store began with, or `None` where it is new.
fn about(connection: &Connection) -> Result<Option<Beginning>, StoreError> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'about'";
    if connection.query_row(sql, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(None);
    }
    let sql = "SELECT value FROM about WHERE name = ?1";
    let Some(format) = connection.query_row(sql, ["format"], |row| row.get(0)).optional()? else {
        return Ok(None);
    };
    if format != schema::FORMAT {
        return Err(StoreError::Later { found: format });
    }
    let start = connection.query_row(sql, ["start"], |row| row.get(0))?;
    Ok(Some(Beginning {
        file: connection.query_row(sql, ["file"], |row| row.get(0))?,
        text: connection.query_row(sql, ["federation"], |row| row.get(0))?,
        expanded: connection.query_row(sql, ["expanded"], |row| row.get(0))?,
        start: Instant::unix_milliseconds(start),
    }))
}

fn begin(connection: &mut Connection, beginning: &Beginning) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    schema::create(&transaction)?;
    let sql = "INSERT INTO about (name, value) VALUES (?1, ?2)";
    transaction.execute(sql, params!["format", schema::FORMAT])?;
    transaction.execute(sql, params!["file", beginning.file])?;
    transaction.execute(sql, params!["federation", beginning.text])?;
    transaction.execute(sql, params!["expanded", beginning.expanded])?;
    transaction.execute(sql, params!["start", beginning.start.as_unix_milliseconds()])?;
    Ok(transaction.commit()?)
}

fn write(transaction: &Transaction<'_>, change: &Change) -> rusqlite::Result<()> {
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        transaction.prepare_cached(sql)?.execute(values).map(drop)
    };
    match change {
        Change::Came(new) => came(transaction, new),
        Change::Started { job, attempt, at, pool, held } => {
            let at = at.as_unix_milliseconds();
            let sql = "UPDATE job SET state = 'running', attempts = ?2, started = ?3, pool = ?4,
                       accelerators = ?5 WHERE job = ?1";
            run(sql, &[&job.0, attempt, &at, pool, held])?;
            let sql = "INSERT OR IGNORE INTO attempt (job, attempt, started, pool, accelerators)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            run(sql, &[&job.0, attempt, &at, pool, held])
        }
        Change::Stopping { job } => run("UPDATE job SET state = 'stopping' WHERE job = ?1", &[&job.0]),
        Change::Moved { job, site } => run("UPDATE job SET site = ?2 WHERE job = ?1", &[&job.0, site]),
        Change::Interrupted { job, at, cause } => {
            run("UPDATE job SET state = 'waiting' WHERE job = ?1", &[&job.0])?;
            let sql = "UPDATE attempt SET ended = ?2, result = coalesce(result, ?3) WHERE job = ?1 AND ended IS NULL";
            run(sql, &[&job.0, &at.as_unix_milliseconds(), cause])
        }
        Change::Result { job, attempt, text, receipt } => {
            let sql = "UPDATE attempt SET result = ?3, receipt = ?4 WHERE job = ?1 AND attempt = ?2";
            run(sql, &[&job.0, attempt, text, receipt])?;
            run("UPDATE job SET result = ?3 WHERE job = ?1 AND attempts = ?2", &[&job.0, attempt, text])
        }
        Change::Ended { job, at, state, energy, cost, carbon } => {
            let at = at.as_unix_milliseconds();
            let sql = "UPDATE job SET state = ?2, ended = ?3, energy_joule = ?4, cost_microeuro = ?5,
                       carbon_milligram = ?6 WHERE job = ?1";
            let (energy, cost, carbon) = (energy.as_joules(), cost.as_microeuro(), carbon.as_milligrams());
            run(sql, &[&job.0, state, &at, &small(energy), &small(cost), &small(carbon)])?;
            let sql = "UPDATE attempt SET ended = ?2 WHERE job = ?1 AND ended IS NULL";
            run(sql, &[&job.0, &at])
        }
    }
}

/// What a job draws and costs fits 63 bits many times over; more is kept as the most.
fn small(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

fn came(transaction: &Transaction<'_>, new: &NewJob) -> rusqlite::Result<()> {
    let at = new.at.as_unix_milliseconds();
    let refused = new.refusal.is_some();
    let (state, ended) = if refused { ("refused", Some(at)) } else { ("waiting", None) };
    let sql = "INSERT INTO job (job, project, name, by_key, body, idempotency, submitted, state, site, accelerators, ended,
               result) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    transaction.prepare_cached(sql)?.execute(params![
        new.job.0,
        new.project,
        new.name,
        new.by,
        new.body,
        new.idempotency,
        at,
        state,
        new.site,
        new.accelerators,
        ended,
        new.refusal,
    ])?;
    Ok(())
}
