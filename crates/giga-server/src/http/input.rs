//! What is handed in to a job while it runs: what somebody types.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State, rejection::QueryRejection};
use axum::{Extension, Json};
use giga_engine::EngineError;
use giga_formats::api::{InputQuery, InputView, JobState};
use giga_model::AttemptId;

use super::App;
use super::jobs::find;
use super::key::Caller;
use super::logs::site;
use super::problem::{Answer, Refusal, countable};
use super::view;

/// Hands bytes in to a running job, which finds them in the file that `GIGA_INPUT` names. With `at` it can be sent again after a
/// broken connection: the same bytes at the same place change nothing.
#[utoipa::path(post, path = "/v1/jobs/{id}/input", tag = "jobs", params(("id" = u64, Path), InputQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = InputView, description = "where the next piece begins"),
))]
pub(crate) async fn input(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Result<Query<InputQuery>, QueryRejection>,
    body: Bytes,
) -> Answer<Json<InputView>> {
    let query = query.map_err(|error| Refusal::unreadable(error.body_text()))?.0;
    countable("at", query.at)?;
    let row = find(&app, &caller, &id)?;
    let (job, state) = (row.job.0, view::state(&row));
    if state.is_over() {
        return Err(Refusal::over(job, state.word()));
    }
    let attempt = query.attempt.unwrap_or(row.attempts);
    if state == JobState::Waiting || attempt != row.attempts {
        return Err(Refusal::not_running(job, row.attempts));
    }
    let engine = site(&app, &row).and_then(|site| app.engines.get(&site)).map(Arc::clone);
    let Some(engine) = engine else { return Err(Refusal::not_running(job, row.attempts)) };
    let id = AttemptId { job: row.job, number: attempt };
    match super::blocking(move || engine.input(id, query.at, &body)).await? {
        Ok(next) => Ok(Json(InputView { attempt, next })),
        // It was started a moment ago, or is just ending.
        Err(EngineError::Unknown { .. }) => Err(Refusal::not_running(job, attempt)),
        Err(EngineError::Refused { cause, .. }) => Err(Refusal::input(cause)),
        Err(error) => Err(Refusal::engine(error.to_string())),
    }
}
