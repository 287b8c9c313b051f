//! Who may write: a row with a holder, a fencing token and an end by the clock of the database.
//!
//! The token grows with each taking. Every transaction that writes looks for it and keeps the row from being taken until it
//! is over ([`super::session`]), so that a server which slept through its lease can never write again, however wrong its
//! clock is. Clocks of servers are only used for the other question: whether one may still start and stop work by
//! what it knows. For that a lease counts as over before it is.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Clock, SystemTime};

use giga_units::Instant;

use super::session::{Fault, Session};
use super::url::Url;
use crate::backend::Standing;
use crate::error::StoreError;
use crate::statement::{Row, Statement};

/// A lease that was taken.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) token: i64,
    length: Duration,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    /// When its latest renewal was asked for.
    asked: Moment,
    /// Who took over, once that is known.
    over: Option<String>,
}

/// A moment by two clocks. One does not go back, the other goes on while the machine sleeps.
#[derive(Debug, Clone, Copy)]
struct Moment(Clock, SystemTime);

impl Moment {
    fn now() -> Self {
        Self(Clock::now(), SystemTime::now())
    }

    /// The longer of both; a clock that was set back counts as none.
    fn elapsed(self) -> Duration {
        self.0.elapsed().max(self.1.elapsed().unwrap_or_default())
    }
}

/// What is known of the lease without it.
struct Found {
    token: i64,
    holder: String,
    until: Instant,
    /// What is left of it.
    left: Duration,
}

const TABLE: &str = "
CREATE TABLE IF NOT EXISTS lease (
    id BIGINT PRIMARY KEY CHECK (id = 1), token BIGINT NOT NULL, holder TEXT NOT NULL, expires TIMESTAMPTZ NOT NULL
);
INSERT INTO lease (id, token, holder, expires) VALUES (1, 0, 'nobody', to_timestamp(0)) ON CONFLICT DO NOTHING;
";
/// Makes two servers that begin at once wait for each other; the number is any.
const ALONE: &str = "SELECT pg_advisory_xact_lock(7474747474)";
const LOOK: &str = "SELECT token, holder, CAST(extract(epoch FROM expires) * 1000 AS BIGINT),
     CAST(ceil(extract(epoch FROM expires - clock_timestamp()) * 1000) AS BIGINT) FROM lease";
/// Whoever writes has the row of the lease; this waits for them to be done. What it waited for is looked at again.
const TAKE: &str = "UPDATE lease SET token = token + 1, holder = $1,
     expires = clock_timestamp() + CAST($2 AS BIGINT) * interval '1 millisecond'
     WHERE id = (SELECT id FROM lease WHERE token = $3 AND expires <= clock_timestamp() FOR UPDATE)";
const RENEW: &str =
    "UPDATE lease SET expires = clock_timestamp() + CAST($2 AS BIGINT) * interval '1 millisecond'
     WHERE token = $1";
const RELEASE: &str =
    "UPDATE lease SET token = token + 1, holder = 'nobody', expires = to_timestamp(0) WHERE token = $1";
/// How often one that may end is looked at.
const AGAIN: Duration = Duration::from_millis(200);
/// How long a database that is not reached is left alone.
const LOST: Duration = Duration::from_millis(250);

impl Lease {
    /// Takes it. One that runs out is waited for; one that is renewed meanwhile has a holder who lives.
    pub(super) async fn take(session: &mut Session, length: Duration) -> Result<Self, Fault> {
        session.run(&format!("BEGIN; {ALONE}; {TABLE} COMMIT")).await?;
        let mut first: Option<Found> = None;
        loop {
            let asked = Moment::now();
            let found = look(session).await?;
            if found.left.is_zero() {
                let holder = holder();
                let values = [(&holder).into(), milliseconds(length).into(), found.token.into()];
                if session.execute(&Statement::new(TAKE, values)).await? == 1 {
                    let held = Mutex::new(Held { asked, over: None });
                    return Ok(Self { token: found.token + 1, length, held });
                }
            } else if let Some(first) = &first
                && (first.token != found.token || first.until != found.until)
            {
                return Err(Fault::Other(StoreError::Leased { holder: found.holder, until: found.until }));
            }
            tokio::time::sleep(AGAIN.min(found.left.max(Duration::from_millis(1)))).await;
            first.get_or_insert(found);
        }
    }

    /// Renews it as long as it is held. Ends where somebody else took over, or it was released.
    pub(super) async fn keep(&self, url: &Url) {
        let mut session: Option<Session> = None;
        let mut wait = self.length / 3;
        loop {
            tokio::time::sleep(wait).await;
            if self.is_over() {
                return;
            }
            let renewed = tokio::time::timeout(self.length / 3, self.renew(url, &mut session)).await;
            wait = match renewed {
                Ok(Ok(())) => self.length / 3,
                Ok(Err(Fault::Fenced)) => {
                    self.end(taken_by(&mut session).await);
                    return;
                }
                Ok(Err(_)) | Err(_) => {
                    session = None;
                    LOST.min(self.length / 10)
                }
            };
        }
    }

    async fn renew(&self, url: &Url, session: &mut Option<Session>) -> Result<(), Fault> {
        let session = match session {
            Some(session) => session,
            None => session.insert(Session::open(url).await?),
        };
        let asked = Moment::now();
        let values = [self.token.into(), milliseconds(self.length).into()];
        if session.execute(&Statement::new(RENEW, values)).await? != 1 {
            return Err(Fault::Fenced);
        }
        self.held().asked = asked;
        Ok(())
    }

    /// Gives it back.
    pub(super) async fn release(&self, session: &mut Session) -> Result<(), Fault> {
        session.execute(&Statement::new(RELEASE, [self.token.into()])).await.map(drop)
    }

    /// From now on nothing may be done under it.
    pub(super) fn end(&self, holder: String) {
        self.held().over.get_or_insert(holder);
    }

    pub(super) fn is_over(&self) -> bool {
        self.held().over.is_some()
    }

    /// Whether one may act. A fifth of the lease is left for what is under way.
    pub(super) fn standing(&self) -> Standing {
        let held = self.held();
        match &held.over {
            Some(holder) => Standing::Over { token: self.token, holder: holder.clone() },
            None if held.asked.elapsed() < self.length * 4 / 5 => Standing::Held,
            None => Standing::Unsure,
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who has it now, where that can be told.
pub(super) async fn taken_by(session: &mut Option<Session>) -> String {
    let found = match session {
        Some(session) => look(session).await.ok(),
        None => None,
    };
    found.map_or_else(|| "somebody else".to_owned(), |found| found.holder)
}

async fn look(session: &mut Session) -> Result<Found, Fault> {
    let found = session.ask(&Statement::new(LOOK, [])).await?.pop();
    let mut row = found.unwrap_or(Row::new(Vec::new()));
    let (token, holder, until, left): (i64, String, i64, i64) =
        (row.take()?, row.take()?, row.take()?, row.take()?);
    let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
    Ok(Found { token, holder, until: Instant::unix_milliseconds(until), left })
}

fn milliseconds(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

/// This process, as people find it.
fn holder() -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine = machine.trim();
    let machine = if machine.is_empty() { "a machine without a name" } else { machine };
    format!("process {} on {machine}", std::process::id())
}
