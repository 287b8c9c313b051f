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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::mpsc;

    use axum::Extension;
    use giga_formats::api::Role;
    use giga_store::{Beginning, Key, Store};
    use giga_units::Instant;
    use tokio::sync::watch;

    use super::*;
    use crate::data::Data;
    use crate::http::{Desk, Keys, digest, metrics};
    use crate::signs::Signs;

    /// A server whose core takes questions and never answers, as where the disk hangs.
    #[tokio::test]
    async fn where_the_core_does_not_answer_it_is_not_ready_and_still_tells_its_own_figures() {
        let folder = tempfile::tempdir().unwrap();
        let start = Instant::unix_milliseconds(0);
        let beginning = Beginning { file: "f".into(), text: "t".into(), expanded: "t".into(), start };
        let store = Store::open(folder.path(), &beginning).unwrap().0;
        let key = Key { name: "p".into(), role: Role::Metrics, projects: Vec::new(), created: start };
        store.add_key(&key, &digest("token")).unwrap();
        let (core, _silent) = mpsc::sync_channel(8);
        let (federation, store) = (Arc::new(giga_model::sample::empty()), Arc::new(store));
        let data = Data::open(Arc::clone(&federation), Arc::clone(&store), BTreeMap::new()).unwrap();
        let app = Arc::new(App {
            federation,
            store,
            data: Arc::new(data),
            keys: Keys::default(),
            core,
            durable: watch::channel(7).1,
            engines: BTreeMap::new(),
            forecasts: Desk::open().0,
            signs: Arc::new(Signs::new(start, [], 1)),
            readiness: Readiness::default(),
            folder: folder.path().to_owned(),
            version: "0",
        });
        let refused = ready(State(Arc::clone(&app))).await.err().unwrap().into_response();
        assert_eq!(refused.status(), 503);
        let begun = Clock::now();
        assert!(ready(State(Arc::clone(&app))).await.is_err());
        assert!(begun.elapsed() < PATIENCE / 2, "the core is not asked again for every stranger");
        let caller = app.keys.find(&app.store, "token").unwrap().unwrap();
        let told = metrics::metrics(State(app), Extension(caller)).await.unwrap().into_response();
        let body = axum::body::to_bytes(told.into_body(), usize::MAX).await.unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        assert!(
            text.contains("\ngiga_ready 0\n") && text.contains("giga_journal_records_total 7\n"),
            "{text}"
        );
        assert!(!text.contains("giga_jobs") && text.ends_with("# EOF\n"), "{text}");
    }
}
