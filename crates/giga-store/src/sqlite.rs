//! SQLite, in a file of the data folder: the store of a federation on one machine.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, Transaction, params_from_iter};

use crate::backend::{Backend, RELEASED, Standing};
use crate::change::Entry;
use crate::error::StoreError;
use crate::folder::FILE;
use crate::schema;
use crate::statement::{Cell, Row, Statement, Value};

/// The database of a folder.
#[derive(Debug)]
pub(crate) struct Sqlite {
    folder: PathBuf,
    file: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    /// Whether the log has grown so long that a commit has to wait for it to be folded.
    long: AtomicBool,
    released: AtomicBool,
    /// Held as long as the store is open for writing.
    _lock: Option<File>,
}

/// Pages of 4 KiB: 256 MiB.
const LOG_PAGES_MAX: i64 = 65_536;
/// How long a connection waits for another.
const PATIENCE: Duration = Duration::from_secs(10);

impl Sqlite {
    /// For writing, as long as the lock is held.
    pub(crate) fn open(folder: &Path, lock: File) -> Result<Self, StoreError> {
        let connection = writer(&folder.join(FILE))?;
        Ok(Self::on(folder, connection, Some(lock)))
    }

    /// Only for reading, or `None` where there is none.
    pub(crate) fn read_only(folder: &Path) -> Result<Option<Self>, StoreError> {
        let file = folder.join(FILE);
        if !file.is_file() {
            return Ok(None);
        }
        let connection = reader(&file)?;
        Ok(Some(Self::on(folder, connection, None)))
    }

    fn on(folder: &Path, connection: Connection, lock: Option<File>) -> Self {
        Self {
            folder: folder.to_owned(),
            file: folder.join(FILE),
            writer: Mutex::new(connection),
            readers: Mutex::default(),
            long: AtomicBool::new(false),
            released: AtomicBool::new(false),
            _lock: lock,
        }
    }

    /// Carries out what one transaction holds.
    fn transact<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        if let Standing::Over { token, holder } = self.standing() {
            return Err(StoreError::Fenced { token, holder });
        }
        // A panic in between has rolled its transaction back.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = writer.transaction()?;
        let done = work(&transaction)?;
        transaction.commit()?;
        if self.long.swap(false, Ordering::Relaxed) {
            // The batch is durable already. Where this fails, so does the next fold, which says why.
            drop(writer.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())));
        }
        Ok(done)
    }

    /// Asks with a connection of its own, so that no reader waits for a commit.
    fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = idle.map_or_else(|| reader(&self.file), Ok)?;
        let answer = question(&connection)?;
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(answer)
    }

    fn snapshot_file(&self, seq: u64) -> PathBuf {
        self.folder.join(format!("snapshot-{seq:020}"))
    }
}

impl Backend for Sqlite {
    fn write(&self, script: &[Statement<'_>], _last: Option<&Entry>) -> Result<Vec<u64>, StoreError> {
        self.transact(|transaction| script.iter().map(|statement| execute(transaction, statement)).collect())
    }

    fn read(&self, question: &Statement<'_>) -> Result<Vec<Row>, StoreError> {
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(&sql(question))?;
            let columns = statement.column_count();
            let read = |row: &rusqlite::Row<'_>| {
                (0..columns).map(|at| cell(row, at)).collect::<rusqlite::Result<_>>().map(Row::new)
            };
            let rows = statement.query_map(params_from_iter(&question.values), read)?;
            rows.collect()
        })
    }

    fn has_tables(&self) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'about'";
        self.ask(|connection| connection.query_row(sql, [], |row| Ok(row.get::<_, i64>(0)? > 0)))
    }

    fn begin(&self, script: &[Statement<'_>]) -> Result<(), StoreError> {
        self.transact(|transaction| {
            transaction.execute_batch(schema::TABLES)?;
            script.iter().try_for_each(|statement| execute(transaction, statement).map(drop))
        })
    }

    /// Snapshots are files beside the database, because they only save time.
    fn keep_snapshot(&self, seq: u64, bytes: &[u8], kept: usize) -> Result<(), StoreError> {
        let (path, new) = (self.snapshot_file(seq), self.folder.join("snapshot.new"));
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&new, &path)).map_err(|cause| StoreError::File { path, cause })?;
        for old in self.snapshots()?.into_iter().skip(kept) {
            let old = self.snapshot_file(old);
            fs::remove_file(&old).map_err(|cause| StoreError::File { path: old, cause })?;
        }
        Ok(())
    }

    fn snapshots(&self) -> Result<Vec<u64>, StoreError> {
        let fault = |cause| StoreError::File { path: self.folder.clone(), cause };
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(fault)? {
            let name = entry.map_err(fault)?.file_name();
            let seq = name.to_str().and_then(|name| name.strip_prefix("snapshot-")?.parse::<u64>().ok());
            found.extend(seq);
        }
        found.sort_unstable_by_key(|&seq| std::cmp::Reverse(seq));
        Ok(found)
    }

    fn snapshot(&self, seq: u64) -> Option<Vec<u8>> {
        fs::read(self.snapshot_file(seq)).ok()
    }

    fn fold(&self) -> Result<(), StoreError> {
        let connection = writer(&self.file)?;
        let pages: i64 = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?;
        self.long.store(pages > LOG_PAGES_MAX, Ordering::Relaxed);
        Ok(())
    }

    /// The lock is the kernel's, who takes it from nobody who lives.
    fn standing(&self) -> Standing {
        if self.released.load(Ordering::Relaxed) {
            Standing::Over { token: 0, holder: RELEASED.to_owned() }
        } else {
            Standing::Held
        }
    }

    /// The lock goes with the store.
    fn release(&self) {
        self.released.store(true, Ordering::Relaxed);
    }
}

/// A connection that writes. A commit returns when it is on the disk (WAL with full sync); the log is folded into the
/// file by whoever calls [`crate::Store::fold`], never by a commit.
fn writer(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// A connection that only reads.
fn reader(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn sql(statement: &Statement<'_>) -> String {
    statement.sql.replace('$', "?")
}

fn execute(transaction: &Transaction<'_>, statement: &Statement<'_>) -> rusqlite::Result<u64> {
    let values = params_from_iter(&statement.values);
    transaction.prepare_cached(&sql(statement))?.execute(values).map(|rows| rows as u64)
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Integer(value) => value.to_sql(),
            Self::Text(value) => value.to_sql(),
            Self::Blob(value) => value.to_sql(),
        }
    }
}

fn cell(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Cell> {
    Ok(match row.get_ref(at)? {
        ValueRef::Null | ValueRef::Real(_) => Cell::Null,
        ValueRef::Integer(value) => Cell::Integer(value),
        ValueRef::Text(_) => Cell::Text(row.get(at)?),
        ValueRef::Blob(value) => Cell::Blob(value.to_vec()),
    })
}
