//! `/metrics`: the figures of the core, and what the server notes of itself.
//!
//! Where the core or the disk does not answer in time, its figures are left out and the others are told all the same:
//! that is when somebody needs them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant as Clock;

use axum::Extension;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use giga_formats::openmetrics::{Exposition, Kind, OPENMETRICS_TEXT, Unit};
use giga_model::SiteId;
use giga_units::Bytes;

use super::App;
use super::figures::figures;
use super::health::PATIENCE;
use super::key::Caller;
use super::problem::{Answer, Faulty};
use crate::live::core::clock;
use crate::signs::{Route, Signs, StoreFault};

/// What an operator watches, as OpenMetrics 1.0. For keys of operators, and of the role `metrics`, which open nothing else.
#[utoipa::path(get, path = "/metrics", tag = "watch", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text", description = "families of figures"),
))]
pub(crate) async fn metrics(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Answer<impl IntoResponse> {
    caller.must_watch()?;
    let asked = app.ask(|control, _| figures(control, clock()));
    let core = tokio::time::timeout(PATIENCE, asked).await.ok().and_then(Result::ok);
    let ready = core.is_some();
    let mut out = core.unwrap_or_default();
    let help =
        "Whether the core and the disk answered in time; the figures of the core are left out where not.";
    out.family("ready", Kind::Gauge, Unit::None, help).sample(&[], ready);
    journal(&app, &mut out);
    engines(&app, &mut out);
    requests(&app.signs, &mut out);
    let app = Arc::clone(&app);
    let text = super::blocking(move || {
        machine(&app.folder, &app.signs, app.version, &mut out);
        out.finish()
    });
    Ok(([(header::CONTENT_TYPE, OPENMETRICS_TEXT)], text.await?))
}

fn journal(app: &App, out: &mut Exposition) {
    let signs = &app.signs;
    let help = "Records of the journal that are durable.";
    let durable = *app.durable.borrow();
    out.family("journal_records", Kind::Counter, Unit::None, help).sample(&[], durable);
    let help = "Batches that are decided and not durable yet; answers wait for them.";
    out.family("journal_unwritten_batches", Kind::Gauge, Unit::None, help).sample(&[], signs.unwritten.now());
    let help = "How long it took to make what was decided durable.";
    out.family("commit", Kind::Histogram, Unit::Seconds, help).histogram(&[], &signs.commits.buckets());
    let help = "How long the core took to decide what came together.";
    out.family("decision", Kind::Histogram, Unit::Seconds, help).histogram(&[], &signs.decisions.buckets());
    let help = "What the store could not do: read, fold its log, keep a snapshot.";
    let mut family = out.family("store_faults", Kind::Counter, Unit::None, help);
    for fault in StoreFault::ALL {
        family.sample(&[("what", fault.word())], signs.faults(fault));
    }
}

fn engines(app: &App, out: &mut Exposition) {
    let (signs, sites) = (&app.signs, &app.federation.sites);
    let name = |id: SiteId| sites[id.index()].name.as_str();
    let help = "When the engine of a site last told what runs; 0 before the first time.";
    let mut family = out.family("engine_look_timestamp", Kind::Gauge, Unit::Seconds, help);
    signs.sites().for_each(|(id, site)| family.sample(&[("site", name(id))], site.looked()));
    let help = "Calls that the engine of a site did not answer as it should.";
    let mut family = out.family("engine_failures", Kind::Counter, Unit::None, help);
    for (id, site) in signs.sites() {
        family.sample(&[("site", name(id))], site.failures.load(Relaxed));
    }
    let help = "Attempts that the engine of a site knows of.";
    let mut family = out.family("engine_attempts", Kind::Gauge, Unit::None, help);
    signs.sites().for_each(|(id, site)| family.sample(&[("site", name(id))], site.attempts.now()));
    let help = "Attempts of which it can not be told whether they live; they need a person.";
    let mut family = out.family("engine_unclear_attempts", Kind::Gauge, Unit::None, help);
    signs.sites().for_each(|(id, site)| family.sample(&[("site", name(id))], site.unclear.now()));
    let help =
        "Accelerators that do nothing for the job that holds them; with what=\"cpu\" it works without them.";
    let mut family = out.family("site_idle_accelerators", Kind::Gauge, Unit::None, help);
    for (id, site) in signs.sites() {
        let (nothing, cpu) = site.idle_accelerators();
        family.sample(&[("site", name(id)), ("what", "nothing")], nothing);
        family.sample(&[("site", name(id)), ("what", "cpu")], cpu);
    }
}

fn requests(signs: &Signs, out: &mut Exposition) {
    let asked = signs.asked();
    let help = "Requests by route and class of the answer's status.";
    let mut family = out.family("http_requests", Kind::Counter, Unit::None, help);
    for (route, asked) in &asked {
        let classes = (1..).zip(&asked.classes[1..]).filter(|(_, count)| **count > 0);
        for (class, count) in classes {
            let class = format!("{class}xx");
            family.sample(&[("method", route.verb), ("route", &route.path), ("status", &class)], *count);
        }
    }
    let help = "From a request to the head of its answer; a stream goes on behind it.";
    let mut family = out.family("http_answer", Kind::Histogram, Unit::Seconds, help);
    for (route, asked) in &asked {
        family.histogram(&[("method", route.verb), ("route", &route.path)], &asked.time());
    }
    let help = "Connections that are open.";
    out.family("connections", Kind::Gauge, Unit::None, help).sample(&[], signs.connections.now());
    let help = "Connections that may be open at once; more wait in line.";
    out.family("connections_max", Kind::Gauge, Unit::None, help).sample(&[], signs.connections_max);
}

fn machine(folder: &Path, signs: &Signs, version: &str, out: &mut Exposition) {
    // Where the system does not say, nothing is claimed.
    if let Ok(disk) = nix::sys::statvfs::statvfs(folder) {
        let size = |blocks: u64| Bytes::of(blocks.saturating_mul(disk.fragment_size()));
        let help = "What is free on the disk of the data folder.";
        out.family("data_free", Kind::Gauge, Unit::Bytes, help).sample(&[], size(disk.blocks_available()));
        let help = "The size of the disk of the data folder.";
        out.family("data_size", Kind::Gauge, Unit::Bytes, help).sample(&[], size(disk.blocks()));
    }
    let help = "When this process began.";
    out.family("start_timestamp", Kind::Gauge, Unit::Seconds, help).sample(&[], signs.started);
    let help = "What this program is.";
    out.family("build", Kind::Info, Unit::None, help).sample(&[("version", version)], true);
}

/// Counts every request by its route, also those that are let in nowhere.
pub(crate) async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (begun, verb) = (Clock::now(), verb(request.method()));
    // What is no address of ours is one route, so that nobody can make more of them.
    let path = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    if response.extensions().get::<Faulty>().is_some() {
        app.signs.fault(StoreFault::Read);
    }
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    tracing::debug!(method = verb, route = path, status, microseconds = took.as_micros(), "answered");
    app.signs.ask(Route { verb, path }, status, took);
    response
}

fn verb(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
