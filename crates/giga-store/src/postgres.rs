//! PostgreSQL, over a network or a socket: the store of a federation whose server may be taken over by another.
//!
//! The client is asynchronous and a store is not: one thread speaks to the database, and callers wait for it. Questions and
//! changes that meet a lost connection are tried again for a while, since databases are restarted.

mod lease;
mod session;
mod tls;
mod url;

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant as Clock};

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

use self::lease::{Lease, taken_by};
use self::session::{Fault, Session};
use crate::backend::{Backend, RELEASED, Standing};
use crate::change::Entry;
use crate::error::{DatabaseError, StoreError};
use crate::schema;
use crate::statement::{Row, Statement};

pub use self::url::{Url, UrlError};

/// A database.
#[derive(Debug)]
pub(crate) struct Postgres {
    url: Url,
    /// For appending.
    writer: Mutex<Option<Session>>,
    /// For everything else.
    pool: Pool,
    /// What nobody has who only reads.
    lease: Option<Arc<Lease>>,
    thread: Thread,
}

/// How long a change waits for a database that is not there. The token is looked at before anything is written, so that it
/// may be longer than the lease.
const WRITE_MAX: Duration = Duration::from_secs(30);
/// How long a question does, and for a connection to ask it with.
const READ_MAX: Duration = Duration::from_secs(5);
/// Between two tries at first, and later.
const AGAIN: Duration = Duration::from_millis(20);
const AGAIN_MAX: Duration = Duration::from_millis(500);
/// Connections for questions.
const READERS: usize = 8;

impl Postgres {
    /// Takes the lease, and renews it from then on.
    pub(crate) fn open(url: &Url) -> Result<Self, StoreError> {
        let thread = Thread::start()?;
        let (session, lease) = thread
            .wait(async {
                let mut session = Session::open(url).await?;
                let lease = Lease::take(&mut session, url.lease).await?;
                Ok::<_, Fault>((session, Arc::new(lease)))
            })
            .map_err(told)?;
        let (kept, at) = (Arc::clone(&lease), url.clone());
        thread.spawn(async move { kept.keep(&at).await });
        Ok(Self {
            url: url.clone(),
            writer: Mutex::new(Some(session)),
            pool: Pool::default(),
            lease: Some(lease),
            thread,
        })
    }

    /// Only for reading.
    pub(crate) fn read_only(url: &Url) -> Result<Self, StoreError> {
        let thread = Thread::start()?;
        let (writer, pool) = (Mutex::default(), Pool::default());
        let opened = Self { url: url.clone(), writer, pool, lease: None, thread };
        opened.with_reader(async |session: &mut Session| {
            session.ask(&Statement::new("SELECT CAST(1 AS BIGINT)", [])).await
        })?;
        Ok(opened)
    }

    /// Carries a script out behind the fence. What may have come through is looked for by `last` before it is tried again.
    async fn write_with(
        &self,
        session: &mut Option<Session>,
        tables: Option<&str>,
        script: &[Statement<'_>],
        last: Option<&Entry>,
    ) -> Result<Vec<u64>, Fault> {
        let Some(lease) = self.lease.as_ref().filter(|lease| !lease.is_over()) else {
            return Err(Fault::Fenced);
        };
        let mut sought = None;
        let mut tries = Tries::new(WRITE_MAX);
        loop {
            let written = match ready(session, &self.url).await {
                Ok(session) => in_time(session.write(lease.token, tables, script, sought)).await,
                Err(fault) => Err(fault),
            };
            let fault = match written {
                Ok(counts) => return Ok(counts),
                Err(fault) => fault,
            };
            // What another try meets of an earlier one that was still on its way may go away, or be what is sought.
            let twice = sought.is_some() && fault.is_twice();
            let provable = last.is_some() || !matches!(fault, Fault::AtCommit(_) | Fault::Silent);
            if fault.passes() {
                *session = None;
                if lease.is_over() {
                    return Err(Fault::Fenced);
                }
            }
            if !(fault.passes() || twice) || !provable || lease.is_over() || !tries.again().await {
                return Err(fault);
            }
            sought = last;
        }
    }

    /// Asks with a connection of the pool.
    fn with_reader<T>(
        &self,
        question: impl AsyncFn(&mut Session) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let pooled = || {
            let mut session = self.pool.take()?;
            let answer = self.thread.wait(async {
                let mut tries = Tries::new(READ_MAX);
                loop {
                    let answer = match ready(&mut session, &self.url).await {
                        Ok(session) => in_time(question(session)).await,
                        Err(fault) => Err(fault),
                    };
                    match answer {
                        Err(fault) if fault.passes() => {
                            session = None;
                            if !tries.again().await {
                                return Err(fault);
                            }
                        }
                        answer => return answer,
                    }
                }
            });
            self.pool.give(session);
            answer.map_err(told)
        };
        aside(pooled)
    }

    /// Writes, and tells who took over where somebody did.
    fn write_by(
        &self,
        session: &mut Option<Session>,
        tables: Option<&str>,
        script: &[Statement<'_>],
        last: Option<&Entry>,
    ) -> Result<Vec<u64>, StoreError> {
        self.thread.wait(async {
            match (self.write_with(session, tables, script, last).await, &self.lease) {
                (Err(Fault::Fenced), Some(lease)) => {
                    lease.end(taken_by(session).await);
                    Err(self.fenced())
                }
                (written, _) => written.map_err(told),
            }
        })
    }

    fn fenced(&self) -> StoreError {
        match self.standing() {
            Standing::Over { token, holder } => StoreError::Fenced { token, holder },
            Standing::Held | Standing::Unsure => {
                StoreError::Fenced { token: 0, holder: "somebody else".into() }
            }
        }
    }

    fn write_beside(&self, tables: Option<&str>, script: &[Statement<'_>]) -> Result<Vec<u64>, StoreError> {
        aside(|| {
            let mut session = self.pool.take()?;
            let written = self.write_by(&mut session, tables, script, None);
            self.pool.give(session);
            written
        })
    }
}

impl Backend for Postgres {
    fn write(&self, script: &[Statement<'_>], last: Option<&Entry>) -> Result<Vec<u64>, StoreError> {
        if last.is_none() {
            return self.write_beside(None, script);
        }
        aside(|| {
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            self.write_by(&mut writer, None, script, last)
        })
    }

    fn read(&self, question: &Statement<'_>) -> Result<Vec<Row>, StoreError> {
        self.with_reader(async |session: &mut Session| session.ask(question).await)
    }

    fn has_tables(&self) -> Result<bool, StoreError> {
        let sql = "SELECT CAST(1 AS BIGINT) WHERE to_regclass('about') IS NOT NULL";
        Ok(!self.read(&Statement::new(sql, []))?.is_empty())
    }

    fn begin(&self, script: &[Statement<'_>]) -> Result<(), StoreError> {
        self.write_beside(Some(&schema::postgres_tables()), script).map(drop)
    }

    /// In the database, so that whoever takes over starts as quickly.
    fn keep_snapshot(&self, seq: u64, bytes: &[u8], kept: usize) -> Result<(), StoreError> {
        let keep = "INSERT INTO snapshot (seq, image) VALUES ($1, $2) ON CONFLICT (seq) DO UPDATE SET image = excluded.image";
        let remove =
            "DELETE FROM snapshot WHERE seq NOT IN (SELECT seq FROM snapshot ORDER BY seq DESC LIMIT $1)";
        let script =
            [Statement::new(keep, [seq.into(), bytes.into()]), Statement::new(remove, [kept.into()])];
        self.write_beside(None, &script).map(drop)
    }

    fn snapshots(&self) -> Result<Vec<u64>, StoreError> {
        let rows = self.read(&Statement::new("SELECT seq FROM snapshot ORDER BY seq DESC", []))?;
        rows.into_iter().map(|mut row| Ok(row.take()?)).collect()
    }

    fn snapshot(&self, seq: u64) -> Option<Vec<u8>> {
        let question = Statement::new("SELECT image FROM snapshot WHERE seq = $1", [seq.into()]);
        self.read(&question).ok()?.pop()?.take().ok()
    }

    fn fold(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn standing(&self) -> Standing {
        self.lease.as_ref().map_or(Standing::Held, |lease| lease.standing())
    }

    fn release(&self) {
        let Some(lease) = self.lease.as_ref().filter(|lease| !lease.is_over()) else { return };
        lease.end(RELEASED.to_owned());
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // Where this fails, the lease runs out by itself.
        drop(self.thread.wait(async {
            let given = async { lease.release(ready(&mut writer, &self.url).await?).await };
            tokio::time::timeout(READ_MAX, given).await
        }));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.release();
    }
}

/// A connection that lives, as far as can be told.
async fn ready<'a>(session: &'a mut Option<Session>, url: &Url) -> Result<&'a mut Session, Fault> {
    if session.as_ref().is_none_or(Session::is_lost) {
        *session = None;
    }
    match session {
        Some(session) => Ok(session),
        None => Ok(session.insert(in_time(Session::open(url)).await?)),
    }
}

/// An answer within the time that a database has. A connection that gave none is of no use any more.
async fn in_time<T>(answer: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::time::timeout(WRITE_MAX, answer).await.unwrap_or(Err(Fault::Silent))
}

fn told(fault: Fault) -> StoreError {
    match fault {
        Fault::Fenced => StoreError::Fenced { token: 0, holder: "somebody else".into() },
        Fault::Database(error) => DatabaseError::Postgres(error).into(),
        Fault::AtCommit(error) => DatabaseError::Unknown(error).into(),
        Fault::Silent => DatabaseError::Busy.into(),
        Fault::Other(error) => error,
    }
}

/// Tries in longer and longer distances, until it has been long enough.
struct Tries {
    until: Clock,
    wait: Duration,
}

impl Tries {
    fn new(most: Duration) -> Self {
        Self { until: Clock::now() + most, wait: AGAIN }
    }

    /// Waits for the next; `false` where there is none.
    async fn again(&mut self) -> bool {
        if Clock::now() + self.wait > self.until {
            return false;
        }
        tokio::time::sleep(self.wait).await;
        self.wait = (self.wait * 2).min(AGAIN_MAX);
        true
    }
}

/// Connections for questions: a few, for which callers wait.
#[derive(Debug, Default)]
struct Pool {
    places: Mutex<Places>,
    free: Condvar,
}

#[derive(Debug, Default)]
struct Places {
    idle: Vec<Session>,
    taken: usize,
}

impl Pool {
    /// An idle connection, or the right to make one.
    fn take(&self) -> Result<Option<Session>, StoreError> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.free.wait_timeout_while(places, READ_MAX, |places| places.taken >= READERS);
        let (mut places, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if places.taken >= READERS {
            return Err(DatabaseError::Busy.into());
        }
        places.taken += 1;
        Ok(places.idle.pop())
    }

    fn give(&self, session: Option<Session>) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.taken -= 1;
        places.idle.extend(session.filter(|session| !session.is_lost()));
        self.free.notify_one();
    }
}

/// The thread that speaks to the database.
#[derive(Debug)]
struct Thread(Option<Runtime>);

impl Thread {
    fn start() -> Result<Self, StoreError> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("postgres").enable_all().build();
        runtime.map(|runtime| Self(Some(runtime))).map_err(|error| DatabaseError::Thread(error).into())
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("it is taken only when it is dropped")
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        aside(|| self.runtime().block_on(work))
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.runtime().spawn(work));
    }
}

impl Drop for Thread {
    /// Without waiting, since that may be on a thread that must not.
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

/// Waits without keeping the tasks of an asynchronous host from going on.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    let host = Handle::try_current().is_ok_and(|host| host.runtime_flavor() == RuntimeFlavor::MultiThread);
    if host { tokio::task::block_in_place(work) } else { work() }
}
