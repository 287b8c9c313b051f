//! Whether the server lives and is ready: for probes, without a token, and therefore without anything worth knowing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration as Wait, Instant as Clock};

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::App;
use super::problem::{Answer, Refusal};

/// The addresses that ask for no token.
pub(crate) const OPEN: [&str; 2] = ["/livez", "/readyz"];

/// How long the core and the disk may take to answer.
pub(super) const PATIENCE: Wait = Wait::from_secs(2);
/// How long an answer is good for: anyone may ask, and the core has other work.
const GOOD_FOR: Wait = Wait::from_secs(1);

/// What was found last, and when.
#[derive(Debug, Default)]
pub(crate) struct Readiness(Mutex<Option<(Clock, bool)>>);

/// Whether the server lives: it answers, and that is all.
#[utoipa::path(get, path = "/livez", tag = "watch", security(()), responses(
    (status = 200, body = String, content_type = "text/plain", description = "it lives"),
))]
pub(crate) async fn live() -> impl IntoResponse {
    plain("ok\n")
}

/// Whether the server is ready: its core decides, and what is decided reaches the disk. Where it is not, 503 with a word.
#[utoipa::path(get, path = "/readyz", tag = "watch", security(()), responses(
    (status = 200, body = String, content_type = "text/plain", description = "it takes work"),
))]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Answer<impl IntoResponse> {
    let before = *app.readiness.0.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = before.filter(|(at, _)| at.elapsed() < GOOD_FOR).map(|(_, ready)| ready);
    let ready = match fresh {
        Some(ready) => ready,
        None => {
            let ready = answers(&app).await;
            *app.readiness.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Clock::now(), ready));
            ready
        }
    };
    if ready { Ok(plain("ok\n")) } else { Err(Refusal::not_ready()) }
}

/// Whether a question gets its answer, which waits for the disk as every answer does.
async fn answers(app: &App) -> bool {
    tokio::time::timeout(PATIENCE, app.ask(|_, _| ())).await.is_ok_and(|answer| answer.is_ok())
}

fn plain(text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text)
}
