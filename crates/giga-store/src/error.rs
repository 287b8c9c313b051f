//! Why a store can not do what it is asked to.

use std::io::ErrorKind;
use std::path::PathBuf;

use giga_formats::journal::RecordError;
use giga_units::Instant;
use thiserror::Error;

use crate::schema;

/// Why a store can not do what it is asked to. What stands in a message is not its source as well, so that a chain tells it
/// once.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database refused.
    #[error("the database: {0}")]
    Database(DatabaseError),
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
    /// Another server holds the lease of the database.
    #[error(
        "another server works on the database: {holder}; its lease holds until {until} unless it renews it once more; \
         stop it, or name another database with `--store`"
    )]
    Leased {
        /// Who.
        holder: String,
        /// Until when, by the clock of the database.
        until: Instant,
    },
    /// Another server took the database over while this one could not renew its lease.
    #[error(
        "the store is no longer this server's (fencing token {token}); it is with {holder}. Nothing is written or started here \
         any more"
    )]
    Fenced {
        /// Under which token this one wrote.
        token: i64,
        /// Who took over, or that nobody did.
        holder: String,
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
    /// The folder belongs to another store, so its attempts are another federation's.
    #[error("`{}` holds what runs for another store: {with}; name that, or another folder with `--data`", folder.display())]
    Elsewhere {
        /// Which folder.
        folder: PathBuf,
        /// Which store, and how to name it.
        with: &'static str,
    },
    /// The database was begun with another folder, which knows what runs.
    #[error(
        "what runs for this database is kept in another folder than `{}`; name that with `--data`, or copy it here, so \
         that nothing is started twice",
        folder.display()
    )]
    Unbound {
        /// Which folder was named.
        folder: PathBuf,
    },
    /// The folder holds no store.
    #[error("`{}` holds no journal; name the folder that `giga up --data` was given", folder.display())]
    Absent {
        /// Which folder.
        folder: PathBuf,
    },
    /// The database holds no store.
    #[error("`{url}` holds no journal; name the database that `giga up --store` was given")]
    Empty {
        /// Which database, without a password.
        url: String,
    },
    /// The database does not keep texts as they are.
    #[error(
        "the database has the encoding {found}; make one with `createdb --encoding UTF8 --template template0`"
    )]
    Encoding {
        /// Which encoding.
        found: String,
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

impl StoreError {
    /// Whether it may go away by itself: another server ends, a database comes up, a full disk gets room. All else is mended by
    /// somebody.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Database(_) | Self::InUse { .. } | Self::Leased { .. } | Self::Fenced { .. } => true,
            Self::File { cause, .. } => {
                matches!(cause.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }
}

/// What a database said.
#[derive(Debug, Error)]
pub enum DatabaseError {
    /// SQLite refused.
    #[error("{0}")]
    Sqlite(rusqlite::Error),
    /// PostgreSQL refused, or can not be reached.
    #[error("{}", chain(.0))]
    Postgres(tokio_postgres::Error),
    /// The connection was lost while something became durable that can not be looked up; it may have or not.
    #[error("the connection was lost in the middle of a change, which may have been made or not: {}", chain(.0))]
    Unknown(tokio_postgres::Error),
    /// It did not answer in time, or no connection to it was free.
    #[error("it does not answer in time")]
    Busy,
    /// The system gives no thread to speak to it.
    #[error("no thread: {0}")]
    Thread(std::io::Error),
    /// A column holds something else than it should.
    #[error("a column of the tables holds what it should not; restore them from a copy")]
    Unreadable,
}

/// What PostgreSQL said, or why it could not be asked, with every cause. The values that its details name are left out.
pub(crate) fn chain(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return said.message().to_owned();
    }
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        told += &format!(": {error}");
        cause = error.source();
    }
    told
}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(DatabaseError::Sqlite(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_passes_and_a_closed_folder_does_not() {
        let fault = |kind: ErrorKind| StoreError::File { path: PathBuf::new(), cause: kind.into() }.passes();
        assert!(fault(ErrorKind::StorageFull) && fault(ErrorKind::QuotaExceeded));
        assert!(!fault(ErrorKind::PermissionDenied));
    }
}
