//! One connection to PostgreSQL: statements known to it, questions, transactions behind the fence.

use std::borrow::Cow;
use std::collections::HashMap;
use std::pin::Pin;
use std::task::Poll;

use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, NoTls};

use super::url::Url;
use crate::change::Entry;
use crate::error::{DatabaseError, StoreError};
use crate::statement::{Cell, Row, Statement, Value};

/// A connection.
#[derive(Debug)]
pub(super) struct Session {
    client: Client,
    known: HashMap<String, tokio_postgres::Statement>,
}

/// What went wrong with a connection.
#[derive(Debug)]
pub(super) enum Fault {
    /// The token is not the latest: somebody else took over.
    Fenced,
    /// The database refused, or was lost.
    Database(Error),
    /// The connection was lost in the middle of a commit.
    AtCommit(Error),
    /// It did not answer for too long.
    Silent,
    /// What it gave is not what it was asked for.
    Other(StoreError),
}

impl Fault {
    /// Whether it may be gone by itself in a while.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Fenced | Self::Other(_) => false,
            Self::AtCommit(_) | Self::Silent => true,
            Self::Database(error) => passes(error),
        }
    }

    /// Whether something is there already that was to be new.
    pub(super) fn is_twice(&self) -> bool {
        matches!(self, Self::Database(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl From<DatabaseError> for Fault {
    fn from(error: DatabaseError) -> Self {
        Self::Other(error.into())
    }
}

/// The statement that keeps a script behind the fence: it finds the lease only under the token of the one who writes, and
/// whoever takes over waits for the end of the transaction. A renewal does not.
const FENCE: &str = "SELECT token FROM lease WHERE token = $1 FOR KEY SHARE";
/// What a database says that stops, starts or has too much to do.
const PASSING: &[SqlState] = &[
    SqlState::ADMIN_SHUTDOWN,
    SqlState::CRASH_SHUTDOWN,
    SqlState::CANNOT_CONNECT_NOW,
    SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    SqlState::TOO_MANY_CONNECTIONS,
    SqlState::T_R_DEADLOCK_DETECTED,
    SqlState::T_R_SERIALIZATION_FAILURE,
    SqlState::LOCK_NOT_AVAILABLE,
];
/// Statements that are under way at once at most.
const TOGETHER: usize = 1_024;

impl Session {
    /// Connects, and sees to it that what is committed is on the disk.
    pub(super) async fn open(url: &Url) -> Result<Self, Fault> {
        let client = match &url.tls {
            None => {
                let (client, connection) = url.config.connect(NoTls).await?;
                drop(tokio::spawn(connection));
                client
            }
            Some(tls) => {
                let (client, connection) = url.config.connect(tls.clone()).await?;
                drop(tokio::spawn(connection));
                client
            }
        };
        // One that stops in the middle of a transaction must not keep out whoever takes over. Plans of single questions are
        // made for their values: which index serves depends on them.
        let text = format!(
            "SET idle_in_transaction_session_timeout = {}; SET plan_cache_mode = force_custom_plan;
             SET default_transaction_isolation = 'read committed'; SET bytea_output = 'hex';
             SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
            url.lease.as_millis()
        );
        client.batch_execute(&text).await?;
        let encoding: String = client.query_one("SHOW server_encoding", &[]).await?.get(0);
        if encoding != "UTF8" {
            return Err(Fault::Other(StoreError::Encoding { found: encoding }));
        }
        Ok(Self { client, known: HashMap::new() })
    }

    pub(super) fn is_lost(&self) -> bool {
        self.client.is_closed()
    }

    /// Several statements without parameters.
    pub(super) async fn run(&self, text: &str) -> Result<(), Fault> {
        Ok(self.client.batch_execute(text).await?)
    }

    async fn known(&mut self, sql: &str) -> Result<tokio_postgres::Statement, Fault> {
        if let Some(known) = self.known.get(sql) {
            return Ok(known.clone());
        }
        let prepared = self.client.prepare(sql).await?;
        self.known.insert(sql.to_owned(), prepared.clone());
        Ok(prepared)
    }

    /// Asks.
    pub(super) async fn ask(&mut self, question: &Statement<'_>) -> Result<Vec<Row>, Fault> {
        let prepared = self.known(&question.sql).await?;
        let values = Values::of(&question.values);
        let rows = self.client.query(&prepared, &values.list()).await?;
        Ok(rows.iter().map(row).collect::<Result<_, _>>()?)
    }

    /// One statement in a transaction of its own; how many rows it changed or found.
    pub(super) async fn execute(&mut self, statement: &Statement<'_>) -> Result<u64, Fault> {
        let prepared = self.known(&statement.sql).await?;
        let values = Values::of(&statement.values);
        Ok(self.client.execute(&prepared, &values.list()).await?)
    }

    /// Carries a script out in one transaction behind the fence, behind making `tables` where there are some to make. With
    /// `sought`, an earlier try may have come through: where the journal has that record, nothing is done again.
    pub(super) async fn write(
        &mut self,
        token: i64,
        tables: Option<&str>,
        script: &[Statement<'_>],
        sought: Option<&Entry>,
    ) -> Result<Vec<u64>, Fault> {
        let written = self.transact(token, tables, script, sought).await;
        if written.is_err() && !self.is_lost() {
            drop(self.run("ROLLBACK").await);
        }
        written
    }

    async fn transact(
        &mut self,
        token: i64,
        tables: Option<&str>,
        script: &[Statement<'_>],
        sought: Option<&Entry>,
    ) -> Result<Vec<u64>, Fault> {
        let fence = Statement::new(FENCE, [token.into()]);
        self.known(&fence.sql).await?;
        // Nothing else is sent before the answer to these: it would be carried out by itself if no transaction began.
        if flight(vec![self.says("BEGIN"), self.sends(&fence)]).await?[1] != 1 {
            return Err(Fault::Fenced);
        }
        if let Some(Entry { seq, record }) = sought {
            let find = Statement::new("SELECT record FROM journal WHERE seq = $1", [(*seq).into()]);
            let found = self.ask(&find).await?.pop().map(|mut row| row.take::<Vec<u8>>()).transpose()?;
            if found.as_ref() == Some(record) {
                self.run("ROLLBACK").await?;
                return Ok(Vec::new());
            }
        }
        if let Some(tables) = tables {
            self.run(tables).await?;
        }
        for statement in script {
            self.known(&statement.sql).await?;
        }
        let mut counts = Vec::with_capacity(script.len() + 1);
        let (before, last) = script.split_at((script.len().max(1) - 1) / TOGETHER * TOGETHER);
        for part in before.chunks(TOGETHER) {
            counts.extend(flight(part.iter().map(|statement| self.sends(statement)).collect()).await?);
        }
        // Where a statement before it fails, this keeps nothing.
        let end = last.iter().map(|statement| self.sends(statement)).chain([self.says("COMMIT")]);
        counts.extend(flight(end.collect()).await.map_err(at_commit)?);
        counts.truncate(script.len());
        Ok(counts)
    }

    fn says<'a>(&'a self, text: &'a str) -> Flight<'a> {
        Box::pin(async move { self.client.batch_execute(text).await.map(|()| 0) })
    }

    /// A statement that is known.
    fn sends<'a>(&'a self, statement: &'a Statement<'a>) -> Flight<'a> {
        Box::pin(async move {
            let values = Values::of(&statement.values);
            self.client.execute(&self.known[&*statement.sql], &values.list()).await
        })
    }
}

/// Something on its way, and how many rows it found or changed.
type Flight<'a> = Pin<Box<dyn Future<Output = Result<u64, Error>> + 'a>>;

/// A database that goes away in the middle of a commit may have made it, also where it says that it ends.
fn at_commit(error: Error) -> Fault {
    if passes(&error) { Fault::AtCommit(error) } else { Fault::Database(error) }
}

/// Whether a connection was lost, or the database says that it is so for a while.
fn passes(error: &Error) -> bool {
    // Without a word of the database there is no connection; but who is not trusted now will not be in a second.
    error.code().map_or_else(|| !is_mistrusted(error), |code| PASSING.contains(code))
}

/// Whether encryption failed by what the other side showed.
fn is_mistrusted(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::InvalidData)
}

/// Sends all without waiting for the answer to each; they are carried out in their order.
async fn flight(mut sent: Vec<Flight<'_>>) -> Result<Vec<u64>, Error> {
    // A first look at each sends it. Answers come in the same order, so that waiting for one after the other loses nothing.
    let mut answers = Vec::with_capacity(sent.len());
    std::future::poll_fn(|cx| {
        answers.extend(sent.iter_mut().map(|answer| answer.as_mut().poll(cx)));
        Poll::Ready(())
    })
    .await;
    let mut counts = Vec::with_capacity(sent.len());
    for (answer, waiting) in answers.into_iter().zip(sent) {
        counts.push(match answer {
            Poll::Ready(answer) => answer?,
            Poll::Pending => waiting.await?,
        });
    }
    Ok(counts)
}

/// Parameters as the client takes them.
enum Parameter<'a> {
    Integer(Option<i64>),
    Text(Option<Cow<'a, str>>),
    Blob(&'a [u8]),
}

struct Values<'a>(Vec<Parameter<'a>>);

impl<'a> Values<'a> {
    fn of(values: &'a [Value<'a>]) -> Self {
        let parameter = |value: &'a Value<'a>| match value {
            Value::Integer(value) => Parameter::Integer(*value),
            Value::Text(value) => Parameter::Text(value.map(plain)),
            Value::Blob(value) => Parameter::Blob(value),
        };
        Self(values.iter().map(parameter).collect())
    }

    fn list(&self) -> Vec<&(dyn ToSql + Sync)> {
        let mut list: Vec<&(dyn ToSql + Sync)> = Vec::with_capacity(self.0.len());
        for value in &self.0 {
            list.push(match value {
                Parameter::Integer(value) => value,
                Parameter::Text(value) => value,
                Parameter::Blob(value) => value,
            });
        }
        list
    }
}

/// PostgreSQL has no text with a zero in it; what people write must not stop a server.
fn plain(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

fn row(row: &tokio_postgres::Row) -> Result<Row, DatabaseError> {
    let cell = |at: usize| -> Result<Cell, Error> {
        Ok(match *row.columns()[at].type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map_or(Cell::Null, Cell::Integer),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.map_or(Cell::Null, Cell::Blob),
            _ => row.try_get::<_, Option<String>>(at)?.map_or(Cell::Null, Cell::Text),
        })
    };
    let cells = (0..row.len()).map(cell).collect::<Result<_, _>>();
    cells.map(Row::new).map_err(DatabaseError::Postgres)
}
