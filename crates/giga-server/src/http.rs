//! The HTTP interface, version 1: who may ask, what is asked, what is answered. It decides nothing about work.

mod choices;
mod datasets;
mod document;
mod events;
mod figures;
mod files;
mod forecast;
mod health;
mod input;
mod jobs;
mod key;
mod keys;
mod logs;
mod metrics;
mod operate;
mod problem;
mod request;
mod sites;
mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header;
use axum::{Router, middleware};
use giga_control::Control;
use giga_engine::Engine;
use giga_model::{Federation, SiteId};
use giga_store::Store;
use giga_units::Instant;
use tokio::sync::{oneshot, watch};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use forecast::{Desk, Forecasts};
use health::Readiness;
pub(crate) use key::{Fingerprint, Keys, digest, token};
use problem::{Answer, Refusal};

use crate::data::Data;
use crate::live::command::Command;
use crate::signs::Signs;

/// The largest body of a request, in bytes.
const BODY_MAX: usize = 1 << 20;

/// What every request can see.
pub(crate) struct App {
    pub(crate) federation: Arc<Federation>,
    pub(crate) store: Arc<Store>,
    pub(crate) keys: Keys,
    pub(crate) core: SyncSender<Command>,
    /// The last record that is durable.
    pub(crate) durable: watch::Receiver<u64>,
    pub(crate) engines: BTreeMap<SiteId, Arc<dyn Engine>>,
    pub(crate) data: Arc<Data>,
    pub(crate) forecasts: Forecasts,
    pub(crate) signs: Arc<Signs>,
    pub(crate) readiness: Readiness,
    /// The data folder.
    pub(crate) folder: PathBuf,
    pub(crate) version: &'static str,
}

impl App {
    /// Hands a command to the core. A core that can not keep up refuses, rather than to let the line grow without end.
    fn tell(&self, command: Command) -> Answer<()> {
        self.core.try_send(command).map_err(|_| Refusal::unavailable())
    }

    /// The site of this name.
    fn site(&self, name: &str) -> Answer<SiteId> {
        let names = self.federation.sites.iter().map(|site| site.name.as_str());
        let place = names.clone().position(|known| known == name);
        place.map(SiteId::at).ok_or_else(|| Refusal::unknown_site(name, names))
    }

    /// Asks the state as it is. The answer comes when everything it tells of is durable.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Control, Instant) -> T + Send + 'static,
    ) -> Answer<T> {
        let (reply, told) = oneshot::channel();
        self.tell(Command::Ask(Box::new(move |control, now| {
            crate::live::core::answer(reply, question(control, now))
        })))?;
        told.await.map_err(|_| Refusal::unavailable())
    }
}

/// Does what blocks away from the threads that serve.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Answer<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::unavailable())
}

#[derive(OpenApi)]
#[openapi(info(
    title = "giga",
    description = "One federation over many sites: submit, watch and explain work."
))]
struct Doc;

/// All routes; every one asks for a token, except the two that only say whether the server lives and is ready.
pub(crate) fn router(app: Arc<App>) -> Router {
    let (routes, mut document) = OpenApiRouter::<Arc<App>>::with_openapi(Doc::openapi())
        .routes(routes!(jobs::plan))
        .routes(routes!(jobs::submit, jobs::list))
        .routes(routes!(jobs::show))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::explain))
        .routes(routes!(forecast::forecast))
        .routes(routes!(logs::logs))
        .routes(routes!(files::list))
        .routes(routes!(files::fetch))
        .routes(routes!(input::input))
        .routes(routes!(events::events))
        .routes(routes!(sites::list))
        .routes(routes!(operate::limit, operate::end_limit))
        .routes(routes!(operate::drain, operate::end_drain))
        .routes(routes!(datasets::list))
        .routes(routes!(datasets::show))
        .routes(routes!(datasets::add))
        .routes(routes!(datasets::plan))
        .routes(routes!(datasets::stage))
        .routes(routes!(keys::create, keys::list))
        .routes(routes!(keys::revoke))
        .routes(routes!(metrics::metrics))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .split_for_parts();
    document::complete(&mut document);
    let document: Arc<str> = document.to_json().expect("the document can be written").into();
    let answer = async move || ([(header::CONTENT_TYPE, "application/json")], document.to_string());
    routes
        .route("/v1/jobs/{id}/files/{path}/{*rest}", axum::routing::get(files::fetch_below))
        .route("/v1/openapi.json", axum::routing::get(answer))
        .fallback(async |request: Request| Refusal::no_route(request.uri().path()))
        .method_not_allowed_fallback(async |request: Request| {
            Refusal::no_method(request.method().as_str(), request.uri().path())
        })
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(middleware::map_response(problem::uniform))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), key::admit))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), metrics::count))
        .with_state(app)
}
