//! What happens to jobs, as it happens, straight from the journal: a client that comes back misses nothing.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration as Wait;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use giga_formats::api::{EVENT_JOB, EVENT_SITE, JobEvent, JobEventKind, SiteEvent, SiteEventKind, Stamp};
use giga_model::{Federation, JobId, SiteId};
use giga_scheduler::{Event as Decision, Pace};
use giga_store::StoreError;
use giga_units::{Amount as _, Money};
use tokio::sync::watch;

use super::App;
use super::key::Caller;
use super::logs::json;
use super::problem::{Answer, Refusal};
use crate::live::effect::{interruption, state};

/// How many records are read at once.
const PAGE: usize = 256;

/// The header with which a client goes on after a break: `SEQ:INDEX`, or `SEQ` for behind all of that record.
const LAST: &str = "last-event-id";

/// What happens to the jobs that a token may see, as server-sent events `job` with the body `JobEvent`, and to sites, as
/// events `site` with the body `SiteEvent`, from now on.
///
/// The id of an event is `SEQ:INDEX`: the record of the journal, and the place in it. With an id as the header
/// `Last-Event-ID` the stream begins behind that event; with `SEQ` alone behind all of that record, so that `0` tells all
/// there was.
#[utoipa::path(get, path = "/v1/events", tag = "jobs", responses(
    (status = 200, body = JobEvent, content_type = "text/event-stream", description = "events, until the client leaves"),
))]
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let durable = app.durable.clone();
    let from = match headers.get(LAST) {
        None => Place::behind(*app.durable.borrow()),
        Some(value) => {
            let fault =
                || Refusal::unreadable("`Last-Event-ID` is `SEQ:INDEX` or `SEQ`, as it came with an event");
            value.to_str().ok().and_then(Place::parse).ok_or_else(fault)?
        }
    };
    let revoked = app.keys.revocations();
    let feed = Feed { app, caller, durable, revoked, from, ready: VecDeque::new() };
    let events = stream::unfold(feed, |mut feed| async {
        let (place, event) = feed.next().await?;
        let (name, data) = match &event {
            Body::Job(event) => (EVENT_JOB, json(event)),
            Body::Site(event) => (EVENT_SITE, json(event)),
        };
        Some((Ok(Event::default().event(name).id(place.to_string()).data(data)), feed))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Wait::from_secs(15))))
}

/// A place in the journal, between two events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// The record.
    seq: u64,
    /// The last decision in it that was told, or `None` where all of them were.
    index: Option<usize>,
}

impl Place {
    fn behind(seq: u64) -> Self {
        Self { seq, index: None }
    }

    /// Reads `SEQ:INDEX` or `SEQ`.
    fn parse(text: &str) -> Option<Self> {
        let (seq, index) = match text.split_once(':') {
            None => (text, None),
            Some((seq, index)) => (seq, Some(index.parse().ok()?)),
        };
        // The store counts to 63 bits.
        seq.parse().ok().filter(|seq| i64::try_from(*seq).is_ok()).map(|seq| Self { seq, index })
    }

    /// The last record of which nothing is left to tell.
    fn done(self) -> u64 {
        if self.index.is_some() { self.seq.saturating_sub(1) } else { self.seq }
    }

    /// Whether a decision was told already.
    fn covers(self, seq: u64, index: usize) -> bool {
        seq < self.seq || seq == self.seq && self.index.is_none_or(|last| index <= last)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seq)?;
        self.index.map_or(Ok(()), |index| write!(f, ":{index}"))
    }
}

/// One listener.
struct Feed {
    app: Arc<App>,
    caller: Caller,
    durable: watch::Receiver<u64>,
    revoked: watch::Receiver<()>,
    /// Up to where it was told.
    from: Place,
    ready: VecDeque<Told>,
}

/// What is told.
enum Body {
    Job(JobEvent),
    Site(SiteEvent),
}

/// An event with its place.
type Told = (Place, Body);

impl Feed {
    /// The next event with its place, or `None` when the key is revoked, the server stops or the journal can not be read.
    async fn next(&mut self) -> Option<Told> {
        loop {
            // A look before each event: a revoked key reads on nowhere.
            if !self.app.keys.opens(&self.caller) {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let (app, caller, from) = (Arc::clone(&self.app), self.caller.clone(), self.from);
            let page = super::blocking(move || page(&app, &caller, from)).await.ok()?.ok()?;
            match page {
                Some((last, events)) => {
                    self.from = Place::behind(last);
                    self.ready.extend(events);
                }
                None => tokio::select! {
                    more = self.durable.changed() => more.ok()?,
                    _ = self.revoked.changed() => {}
                },
            }
        }
    }
}

/// The last of the next records behind a place, with what they tell a caller; `None` where there are none yet.
fn page(app: &App, caller: &Caller, from: Place) -> Result<Option<(u64, Vec<Told>)>, StoreError> {
    let records = app.store.records(from.done(), PAGE)?;
    let Some(last) = records.last().map(|record| record.seq) else { return Ok(None) };
    let mut events = Vec::new();
    for record in &records {
        let (seq, at) = (record.seq, Stamp(record.now));
        for (index, decision) in
            record.events.iter().enumerate().filter(|(index, _)| !from.covers(seq, *index))
        {
            if let Some(body) = body(app, caller, (seq, at), decision)? {
                events.push((Place { seq, index: Some(index) }, body));
            }
        }
    }
    Ok(Some((last, events)))
}

/// What a decision tells a caller, if anything: of jobs only those that it may see, of sites everything.
fn body(
    app: &App,
    caller: &Caller,
    (seq, at): (u64, Stamp),
    decision: &Decision,
) -> Result<Option<Body>, StoreError> {
    if let Some((site, kind, text)) = told_of_site(decision) {
        let site = app.federation.sites[site.index()].name.clone();
        return Ok(Some(Body::Site(SiteEvent { seq, at, text: format!("{site} {text}"), site, kind })));
    }
    let Some((job, kind, text)) = told(&app.federation, decision) else { return Ok(None) };
    let row = app.store.job(job)?.filter(|row| caller.may_use(&row.project));
    Ok(row.map(|row| Body::Job(JobEvent { seq, at, job: job.0, kind, site: row.site, text })))
}

fn told(federation: &Federation, decision: &Decision) -> Option<(JobId, JobEventKind, String)> {
    Some(match decision {
        Decision::Submitted { job, .. } => (*job, JobEventKind::Submitted, format!("job {job} came")),
        Decision::Refused { job, rule, .. } => {
            (*job, JobEventKind::Refused, format!("job {job} was refused: {rule}"))
        }
        Decision::Started { job, attempt, .. } => {
            (*job, JobEventKind::Started, format!("attempt {attempt} at job {job} started"))
        }
        Decision::Begun { job, at, .. } => (*job, JobEventKind::Begun, format!("job {job} began at {at}")),
        Decision::Stopping { job } => (*job, JobEventKind::Stopping, format!("job {job} was told to stop")),
        Decision::Interrupted { job, cause, .. } => {
            let text = format!("job {job} waits again: {}", interruption(*cause));
            (*job, JobEventKind::Interrupted, text)
        }
        Decision::Ended { job, ending, .. } => {
            (*job, JobEventKind::Ended, format!("job {job} is {}", state(*ending)))
        }
        _ => return told_of_lending(decision).or_else(|| told_of_waiting(federation, decision)),
    })
}

/// What is told of work that has to leave, or for which others have to, and of work that is slowed.
fn told_of_lending(decision: &Decision) -> Option<(JobId, JobEventKind, String)> {
    Some(match decision {
        Decision::Leaving { job, cause, by } => {
            let text = format!("job {job} was told to leave by {by}: {}", interruption(*cause));
            (*job, JobEventKind::Leaving, text)
        }
        Decision::Claimed { job, by, .. } => {
            (*job, JobEventKind::Claimed, format!("others leave for job {job} by {by}"))
        }
        Decision::Unclaimed { job } => {
            (*job, JobEventKind::Unclaimed, format!("nothing is kept for job {job} any more"))
        }
        Decision::Paced { job, pace, .. } => {
            let how = match pace {
                Pace::Full => "goes on at full pace".to_owned(),
                Pace::Capped { power, .. } => {
                    format!("goes on slower, with {} of its power", power.written())
                }
                Pace::Suspended => "is suspended".to_owned(),
            };
            (*job, JobEventKind::Paced, format!("job {job} {how}"))
        }
        _ => return None,
    })
}

/// What is told of work that is kept back, or moves.
fn told_of_waiting(federation: &Federation, decision: &Decision) -> Option<(JobId, JobEventKind, String)> {
    Some(match decision {
        Decision::Deferred { job, until } => {
            let text = format!("job {job} is kept back for cheaper or cleaner hours until {until}");
            (*job, JobEventKind::Deferred, text)
        }
        Decision::Due { job } => (*job, JobEventKind::Due, format!("job {job} takes its place in the line")),
        Decision::Rebound { job, site, saves } => {
            let site = &federation.sites[site.index()].name;
            let saves = saves.max(&Money::ZERO).written();
            (
                *job,
                JobEventKind::Moved,
                format!("job {job} waits at {site} from here on, which saves {saves}"),
            )
        }
        _ => return None,
    })
}

fn told_of_site(decision: &Decision) -> Option<(SiteId, SiteEventKind, String)> {
    Some(match decision {
        Decision::Limited { site, power, until } => {
            (*site, SiteEventKind::Limited, format!("may draw {} until {until}", power.written()))
        }
        Decision::Following { site, power, until } => {
            (*site, SiteEventKind::Limited, format!("may draw {} behind that until {until}", power.written()))
        }
        Decision::Unlimited { site } => {
            (*site, SiteEventKind::Unlimited, "may draw again what its connection has".to_owned())
        }
        Decision::Short { site, missing } => {
            let text = format!("is short by {} with everything cut but protected work", missing.written());
            (*site, SiteEventKind::Short, text)
        }
        Decision::Drained { site } => (*site, SiteEventKind::Drained, "starts nothing more".to_owned()),
        Decision::Undrained { site } => (*site, SiteEventKind::Undrained, "takes work again".to_owned()),
        Decision::Silenced { site } => {
            (*site, SiteEventKind::Silent, "does not answer, and nothing starts there".to_owned())
        }
        Decision::Heard { site } => (*site, SiteEventKind::Heard, "answers again".to_owned()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_between_two_events() {
        let check = |text: &str, expected: Option<(u64, [bool; 3])>| {
            let place = Place::parse(text);
            let told = place.map(|place| {
                assert_eq!(place.to_string(), text);
                (place.done(), [(6, 9), (7, 1), (7, 2)].map(|(seq, index)| place.covers(seq, index)))
            });
            assert_eq!(told, expected, "{text}");
        };
        check("7:1", Some((6, [true, true, false])));
        check("7", Some((7, [true, true, true])));
        check("6", Some((6, [true, false, false])));
        check("0", Some((0, [false, false, false])));
        for text in ["", "x", "-1", ":1", "7:", "7:x", "7:1:2", "9223372036854775808"] {
            check(text, None);
        }
    }
}
