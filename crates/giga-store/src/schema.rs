//! The tables: one text for both kinds of database.

/// The format of the tables. Whole tables and indices that are added are no part of it: those that a store of an earlier version
/// lacks are made when it is opened, and that version does not look at them.
pub(crate) const FORMAT: i64 = 1;

/// As SQLite is told.
pub(crate) const TABLES: &str = "
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
CREATE INDEX IF NOT EXISTS job_state ON job (state, job);
CREATE INDEX IF NOT EXISTS job_project_state ON job (project, state, job);
CREATE INDEX IF NOT EXISTS job_live ON job (job) WHERE ended IS NULL;
CREATE INDEX IF NOT EXISTS job_ended ON job (ended, job) WHERE state IN ('completed', 'failed', 'timed-out');
CREATE TABLE IF NOT EXISTS attempt (
    job INTEGER NOT NULL, attempt INTEGER NOT NULL, pool TEXT NOT NULL, accelerators INTEGER NOT NULL,
    started INTEGER NOT NULL, ended INTEGER, result TEXT, receipt TEXT, PRIMARY KEY (job, attempt)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS access_key (
    name TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, role TEXT NOT NULL, projects TEXT NOT NULL, created INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS dataset_content (
    dataset TEXT PRIMARY KEY, digest TEXT NOT NULL, files INTEGER NOT NULL, bytes INTEGER NOT NULL, by_key TEXT NOT NULL,
    at INTEGER NOT NULL, manifest BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS dataset_copy (
    dataset TEXT NOT NULL, site TEXT NOT NULL, path TEXT NOT NULL, sound INTEGER NOT NULL, checked INTEGER NOT NULL,
    said TEXT, PRIMARY KEY (dataset, site)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dataset_task (
    task INTEGER PRIMARY KEY, kind TEXT NOT NULL, dataset TEXT NOT NULL, site TEXT NOT NULL, source TEXT, path TEXT NOT NULL,
    by_key TEXT NOT NULL, asked INTEGER NOT NULL, ended INTEGER, state TEXT NOT NULL, bytes INTEGER NOT NULL,
    planned INTEGER, cost_microeuro INTEGER NOT NULL, said TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS dataset_task_dataset ON dataset_task (dataset, task);
CREATE INDEX IF NOT EXISTS dataset_task_open ON dataset_task (task) WHERE state = 'open';
";

/// What SQLite has in files: snapshots, and who may write.
const BESIDE: &str = "
CREATE TABLE IF NOT EXISTS snapshot (
    seq BIGINT PRIMARY KEY, image BYTEA NOT NULL
);
";

/// As PostgreSQL is told: the same tables in its words, and what SQLite has in files.
pub(crate) fn postgres_tables() -> String {
    let words = [
        (" INTEGER", " BIGINT"),
        (" BLOB", " BYTEA"),
        (" ANY", " TEXT"),
        (" STRICT, WITHOUT ROWID;", ";"),
        (" STRICT;", ";"),
    ];
    let tables =
        words.iter().fold(TABLES.to_owned(), |tables, (sqlite, postgres)| tables.replace(sqlite, postgres));
    tables + BESIDE
}
