//! The tables, and how a connection is set up.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// The format of the tables.
pub(crate) const FORMAT: i64 = 1;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS about (
    name TEXT PRIMARY KEY, value ANY NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY, record BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS job (
    job INTEGER PRIMARY KEY, project TEXT NOT NULL, name TEXT NOT NULL, by_key TEXT NOT NULL, body TEXT NOT NULL,
    idempotency TEXT, submitted INTEGER NOT NULL, state TEXT NOT NULL, site TEXT, pool TEXT, accelerators INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, started INTEGER, ended INTEGER, result TEXT, energy_joule INTEGER,
    cost_microeuro INTEGER, carbon_milligram INTEGER
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS job_idempotency ON job (by_key, idempotency) WHERE idempotency IS NOT NULL;
CREATE INDEX IF NOT EXISTS job_project ON job (project, job);
CREATE INDEX IF NOT EXISTS job_live ON job (job) WHERE ended IS NULL;
CREATE INDEX IF NOT EXISTS job_ended ON job (ended, job) WHERE state IN ('completed', 'failed', 'timed-out');
CREATE TABLE IF NOT EXISTS attempt (
    job INTEGER NOT NULL, attempt INTEGER NOT NULL, pool TEXT NOT NULL, accelerators INTEGER NOT NULL,
    started INTEGER NOT NULL, ended INTEGER, result TEXT, receipt TEXT, PRIMARY KEY (job, attempt)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS access_key (
    name TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, role TEXT NOT NULL, projects TEXT NOT NULL, created INTEGER NOT NULL
) STRICT;
";

/// A connection that writes. A commit returns when it is on the disk (WAL with full sync); the log is folded into the
/// file by whoever calls [`crate::Store::fold`], never by a commit.
pub(crate) fn writer(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// A connection that only reads.
pub(crate) fn reader(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

pub(crate) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)
}
