//! What a job printed, at once or as it comes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration as Wait;

use axum::extract::{Path, Query, State, rejection::QueryRejection};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use futures_util::stream::{self, Stream};
use giga_engine::{AttemptId, EngineError, OutputStream};
use giga_formats::api::{EVENT_END, EVENT_ERROR, EVENT_LOG, LogPiece, LogQuery, LogStream, StreamEvent};
use giga_model::SiteId;
use giga_store::JobRow;

use super::App;
use super::jobs::find;
use super::key::Caller;
use super::problem::{Answer, Refusal, countable};
use super::view;

/// The most bytes in one piece.
const PIECE: usize = 64 << 10;
/// How often a followed output is looked at.
const LOOK: Wait = Wait::from_millis(200);
/// The header with which a client goes on after a break: `ATTEMPT:PLACE`.
const LAST: &str = "last-event-id";

/// What a job printed: one piece of it, or with `follow=true` all of it as server-sent events until the job is over.
/// After a break, a client sends the id of the last event it had as `Last-Event-ID`.
#[utoipa::path(get, path = "/v1/jobs/{id}/logs", tag = "jobs", params(("id" = u64, Path), LogQuery), responses(
    (status = 200, description = "a piece; with `follow=true` a stream of `log` and a last `end`",
        content((LogPiece = "application/json"), (StreamEvent = "text/event-stream"))),
))]
pub(crate) async fn logs(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Result<Query<LogQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Answer<Response> {
    let query = query.map_err(|error| Refusal::unreadable(error.body_text()))?.0;
    countable("from", Some(query.from))?;
    let row = find(&app, &caller, &id)?;
    if !query.follow {
        let attempt = query.attempt.unwrap_or(row.attempts);
        let over = is_over(&row, attempt);
        return Ok(Json(piece(&app, &row, query.stream, attempt, query.from, over).await?).into_response());
    }
    let last = headers.get(LAST).and_then(|value| value.to_str().ok()).and_then(|id| id.split_once(':'));
    let last = last.and_then(|(attempt, from)| Some((attempt.parse().ok()?, from.parse().ok()?)));
    let (attempt, from) = last.unwrap_or((query.attempt.unwrap_or(row.attempts.max(1)), query.from));
    let follow =
        Follow { app, caller, id, stream: query.stream, fixed: query.attempt.is_some(), attempt, from };
    let keep = KeepAlive::new().interval(Wait::from_secs(15));
    Ok(Sse::new(follow.events()).keep_alive(keep).into_response())
}

/// Whether nothing more will come from an attempt.
fn is_over(row: &JobRow, attempt: u32) -> bool {
    attempt < row.attempts || row.ended.is_some()
}

async fn piece(
    app: &Arc<App>,
    row: &JobRow,
    stream: LogStream,
    attempt: u32,
    from: u64,
    over: bool,
) -> Answer<LogPiece> {
    let nothing = LogPiece { stream, attempt, from, next: from, text: String::new(), over };
    if attempt == 0 || attempt > row.attempts {
        return Ok(nothing);
    }
    let Some(engine) = site(app, row).and_then(|site| app.engines.get(&site)).map(Arc::clone) else {
        return Ok(nothing);
    };
    let id = AttemptId { job: row.job, number: attempt };
    let which = match stream {
        LogStream::Stdout => OutputStream::Out,
        LogStream::Stderr => OutputStream::Err,
    };
    match super::blocking(move || engine.output(id, which, from, PIECE)).await? {
        Ok(chunk) => {
            let last = over && chunk.rest.as_bytes() == 0;
            Ok(LogPiece::of(stream, attempt, from, &chunk.bytes, last))
        }
        // It was started a moment ago, or never began.
        Err(EngineError::Unknown { .. }) => Ok(nothing),
        Err(error) => Err(Refusal::engine(error.to_string())),
    }
}

pub(crate) fn site(app: &App, row: &JobRow) -> Option<SiteId> {
    let name = row.site.as_ref()?;
    app.federation.sites.iter().position(|site| site.name == *name).map(SiteId::at)
}

/// An output that is followed over the attempts of a job.
struct Follow {
    app: Arc<App>,
    caller: Caller,
    id: String,
    stream: LogStream,
    /// Whether only one attempt is wanted.
    fixed: bool,
    attempt: u32,
    from: u64,
}

impl Follow {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(Some(self), |follow| async {
            let mut follow = follow?;
            let (event, over) = follow.next().await;
            Some((Ok(event), (!over).then_some(follow)))
        })
    }

    /// The next event, and whether it is the last.
    async fn next(&mut self) -> (Event, bool) {
        loop {
            match self.look().await {
                Ok(Some(event)) => return event,
                Ok(None) => tokio::time::sleep(LOOK).await,
                Err(refusal) => return (Event::default().event(EVENT_ERROR).data(refusal.detail()), true),
            }
        }
    }

    async fn look(&mut self) -> Answer<Option<(Event, bool)>> {
        if !self.app.keys.opens(&self.caller) {
            return Err(Refusal::no_token());
        }
        // The row first: what was printed before the end is there once the end is.
        let row = find(&self.app, &self.caller, &self.id)?;
        let over = is_over(&row, self.attempt);
        let piece = piece(&self.app, &row, self.stream, self.attempt, self.from, over).await?;
        if !piece.text.is_empty() {
            self.from = piece.next;
            let event = Event::default().event(EVENT_LOG).id(format!("{}:{}", self.attempt, self.from));
            return Ok(Some((event.data(json(&piece)), false)));
        }
        if over && self.attempt < row.attempts && !self.fixed {
            (self.attempt, self.from) = (self.attempt + 1, 0);
            return Box::pin(self.look()).await;
        }
        let end = || (Event::default().event(EVENT_END).data(json(&view::job(&row))), true);
        Ok(over.then(end))
    }
}

/// A body as the data of an event; JSON holds no line breaks outside of texts, and escapes those inside.
pub(crate) fn json<T: serde::Serialize>(body: &T) -> String {
    serde_json::to_string(body).expect("a body can be written")
}
