//! What happens to jobs, as it happens, straight from the journal: a client that comes back misses nothing.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration as Wait;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use giga_formats::api::{EVENT_JOB, JobEvent, JobEventKind, Stamp};
use giga_formats::journal::Record;
use giga_model::JobId;
use giga_scheduler::Event as Decision;
use tokio::sync::watch;

use super::App;
use super::key::Caller;
use super::logs::json;
use super::problem::Answer;
use crate::live::effect::{interruption, state};

/// How many records are read at once.
const PAGE: usize = 256;

/// What happens to the jobs that a token may see, as server-sent events `job` with the body `JobEvent`, from now on or, with
/// the header `Last-Event-ID`, behind that record of the journal.
#[utoipa::path(get, path = "/v1/events", tag = "jobs", responses(
    (status = 200, body = JobEvent, content_type = "text/event-stream", description = "events, until the client leaves"),
))]
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let last = last.map(|last: u64| last.min(i64::MAX as u64));
    let durable = app.durable.clone();
    let seq = last.unwrap_or_else(|| *app.durable.borrow());
    let feed = Feed { app, caller, durable, seq, ready: VecDeque::new() };
    let events = stream::unfold(feed, |mut feed| async {
        let event = feed.next().await?;
        let sent = Event::default().event(EVENT_JOB).id(event.seq.to_string()).data(json(&event));
        Some((Ok(sent), feed))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Wait::from_secs(15))))
}

/// One listener.
struct Feed {
    app: Arc<App>,
    caller: Caller,
    durable: watch::Receiver<u64>,
    /// The last record that was told.
    seq: u64,
    ready: VecDeque<JobEvent>,
}

impl Feed {
    /// The next event, or `None` when the server stops or the journal can not be read.
    async fn next(&mut self) -> Option<JobEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let (store, after) = (Arc::clone(&self.app.store), self.seq);
            let records = super::blocking(move || store.records(after, PAGE)).await.ok()?.ok()?;
            if records.is_empty() {
                self.durable.changed().await.ok()?;
            }
            for record in records {
                self.seq = record.seq;
                self.tell(&record);
            }
        }
    }

    fn tell(&mut self, record: &Record) {
        for decision in &record.events {
            let Some((job, kind, text)) = told(decision) else { continue };
            let row = self.app.store.job(job).ok().flatten().filter(|row| self.caller.may_use(&row.project));
            let Some(row) = row else { continue };
            let (seq, at) = (record.seq, Stamp(record.now));
            self.ready.push_back(JobEvent { seq, at, job: job.0, kind, site: row.site, text });
        }
    }
}

fn told(decision: &Decision) -> Option<(JobId, JobEventKind, String)> {
    Some(match decision {
        Decision::Submitted { job, .. } => (*job, JobEventKind::Submitted, format!("job {job} came")),
        Decision::Refused { job, rule, .. } => {
            (*job, JobEventKind::Refused, format!("job {job} was refused: {rule}"))
        }
        Decision::Started { job, attempt, .. } => {
            (*job, JobEventKind::Started, format!("attempt {attempt} at job {job} started"))
        }
        Decision::Stopping { job } => (*job, JobEventKind::Stopping, format!("job {job} was told to stop")),
        Decision::Interrupted { job, cause, .. } => {
            let text = format!("job {job} waits again: {}", interruption(*cause));
            (*job, JobEventKind::Interrupted, text)
        }
        Decision::Ended { job, ending, .. } => {
            (*job, JobEventKind::Ended, format!("job {job} is {}", state(*ending)))
        }
        _ => return None,
    })
}
