//! Data over HTTP: where it lies, whether it can leave, who read it; registering what lies at a site, and staging.
//!
//! Operators see all of it. A user sees the datasets that one of its projects could read somewhere, and what its projects read.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use giga_formats::api::{
    ContentView, CopyBody, CopyState, CopyView, DatasetDetail, DatasetList, DatasetView, ReadView,
    ReaderView, StageAnswer, StageBody, StagePlanView, Stamp, TaskView,
};
use giga_model::{Dataset, DatasetId, Federation, Site, SiteId};
use giga_store::{ContentRow, CopyRow, TaskRow};
use giga_units::{Bytes as Amount, Duration};
use serde::de::DeserializeOwned;

use super::App;
use super::key::Caller;
use super::problem::{Answer, Refusal};
use super::view::small;
use crate::data::{Declined, StagingPlan, variable, why, words};

/// How many tasks of a dataset are shown.
const TASKS_SHOWN: usize = 20;

/// Every dataset that the caller's projects could read somewhere; every one for operators.
#[utoipa::path(get, path = "/v1/datasets", operation_id = "list_datasets", tag = "data", responses(
    (status = 200, body = DatasetList, description = "in the order of the description"),
))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Answer<Json<DatasetList>> {
    // Folders of sites are looked at, which may lie on a file system that does not answer.
    let views = move || {
        let (contents, copies) = (app.store.contents()?, app.store.copies()?);
        let mut datasets = Vec::new();
        for data in app.federation.datasets.iter().filter(|data| may_see(&app.federation, &caller, data)) {
            let content = contents.iter().find(|row| row.dataset == data.name).cloned();
            let copies: Vec<&CopyRow> = copies.iter().filter(|row| row.dataset == data.name).collect();
            datasets.push(view(&app, &caller, data, content, &copies));
        }
        Ok(Json(DatasetList { datasets }))
    };
    super::blocking(views).await?
}

/// All that is known of a dataset: where it lies, what may be done with it where, who read it, what was done with it.
#[utoipa::path(get, path = "/v1/datasets/{dataset}", operation_id = "show_dataset", tag = "data",
    params(("dataset" = String, Path)), responses(
    (status = 200, body = DatasetDetail, description = "the dataset"),
))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer<Json<DatasetDetail>> {
    let reads = app.ask(|control, _| control.reads()).await?;
    super::blocking(move || detail(&app, &caller, &name, &reads)).await?
}

/// It looks at folders of sites, and so may block.
fn detail(
    app: &App,
    caller: &Caller,
    name: &str,
    reads: &[giga_control::DataRead],
) -> Answer<Json<DatasetDetail>> {
    let (id, data) = find(app, caller, name)?;
    let federation = &app.federation;
    let project = |read: &giga_control::DataRead| federation.projects[read.project.index()].name.clone();
    let mine = reads.iter().filter(|read| read.dataset == id && caller.may_use(&project(read)));
    let reads = mine.map(|read| ReadView {
        project: project(read),
        site: federation.sites[read.site.index()].name.clone(),
        leaving: read.leaving.word().to_owned(),
        attempts: read.attempts,
        accelerator_milliseconds: small(read.held.as_milliseconds()),
    });
    let reads = reads.collect();
    let (content, copies) = (app.store.content(name)?, app.store.copies_of(name)?);
    let dataset = view(app, caller, data, content, &copies.iter().collect::<Vec<_>>());
    let tasks = match caller.must_operate() {
        Ok(()) => app.store.tasks_of(name, TASKS_SHOWN)?,
        Err(_) => Vec::new(),
    };
    let tasks = tasks.into_iter().map(|row| task(app, row)).collect();
    let readers = federation.sites.iter().enumerate();
    let readers = readers.map(|(at, site)| reader(federation, data, SiteId::at(at), site)).collect();
    Ok(Json(DatasetDetail { dataset, variable: variable(name), readers, reads, tasks }))
}

/// Looks through what lies at a site: every byte is read. Where nothing is registered, it becomes what is registered; otherwise it
/// is held against that, and a copy that differs is not read by any job.
///
/// It answers at once, with a task; `GET /v1/datasets/{dataset}` tells how far that is.
#[utoipa::path(post, path = "/v1/datasets/{dataset}/copies", operation_id = "add_copy", tag = "data",
    request_body = CopyBody, params(("dataset" = String, Path)), responses(
    (status = 202, body = TaskView, description = "the task that looks"),
))]
pub(crate) async fn add(order: Order<CopyBody>) -> Answer<(StatusCode, Json<TaskView>)> {
    super::blocking(move || looked_through(order)).await?
}

fn looked_through(order: Order<CopyBody>) -> Answer<(StatusCode, Json<TaskView>)> {
    let Order { app, caller, name, body } = order;
    let (_, data) = find(&app, &caller, &name)?;
    let site = match (&body.site, data.places.as_slice()) {
        (Some(site), _) => app.site(site)?,
        (None, [only]) => *only,
        (None, places) => {
            let names = places.iter().map(|site| app.federation.sites[site.index()].name.as_str());
            let names = names.collect::<Vec<_>>().join(", ");
            let detail = format!("data `{name}` has several places; say which one is meant: {names}");
            return Err(Refusal::data(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-site",
                "The site is missing",
                detail,
            ));
        }
    };
    let path = body.path.unwrap_or_default();
    tracing::info!(dataset = name, by = caller.name(), "data is to be looked through");
    let row = app.data.add(data, site, &path, caller.name())?;
    Ok((StatusCode::ACCEPTED, Json(task(&app, row))))
}

/// What a staging would do, and what it would take and cost by the network of the description; nothing is done.
#[utoipa::path(post, path = "/v1/datasets/{dataset}/stage/plan", operation_id = "plan_staging", tag = "data",
    request_body = StageBody, params(("dataset" = String, Path)), responses(
    (status = 200, body = StagePlanView, description = "from where, how much, how long, at what cost"),
))]
pub(crate) async fn plan(order: Order<StageBody>) -> Answer<Json<StagePlanView>> {
    let Order { app, caller, name, body } = order;
    let plan = move || {
        let (_, data) = find(&app, &caller, &name)?;
        let plan = app.data.plan(data, app.site(&body.to)?)?;
        Ok(Json(plan_view(&app, &plan)))
    };
    super::blocking(plan).await?
}

/// Copies a dataset to a site, if its policy lets that happen, and checks every byte there. Nothing has the name of the dataset there
/// until all of it is as registered.
///
/// It answers at once, with a task; one that was broken off is gone on with. Where it is there already, nothing is done.
#[utoipa::path(post, path = "/v1/datasets/{dataset}/stage", operation_id = "stage_dataset", tag = "data",
    request_body = StageBody, params(("dataset" = String, Path)), responses(
    (status = 202, body = StageAnswer, description = "what it does, and the task that does it"),
    (status = 200, body = StageAnswer, description = "it is there already"),
))]
pub(crate) async fn stage(order: Order<StageBody>) -> Answer<(StatusCode, Json<StageAnswer>)> {
    let Order { app, caller, name, body } = order;
    let stage = move || {
        let (_, data) = find(&app, &caller, &name)?;
        let (plan, row) = app.data.stage(data, app.site(&body.to)?, caller.name())?;
        tracing::info!(dataset = name, site = body.to, by = caller.name(), "a staging is ordered");
        let status = if row.is_some() { StatusCode::ACCEPTED } else { StatusCode::OK };
        let task = row.map(|row| task(&app, row));
        Ok((status, Json(StageAnswer { plan: plan_view(&app, &plan), task })))
    };
    super::blocking(stage).await?
}

/// What an operator asks of a dataset.
pub(crate) struct Order<T> {
    app: Arc<App>,
    caller: Caller,
    /// Which dataset.
    name: String,
    body: T,
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Order<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Extension(caller) = Extension::<Caller>::from_request_parts(&mut parts, app)
            .await
            .map_err(IntoResponse::into_response)?;
        let Path(name) =
            Path::from_request_parts(&mut parts, app).await.map_err(IntoResponse::into_response)?;
        let request = Request::from_parts(parts, body);
        let body = Bytes::from_request(request, app).await.map_err(IntoResponse::into_response)?;
        caller.must_operate().map_err(IntoResponse::into_response)?;
        let body = read(&body).map_err(IntoResponse::into_response)?;
        Ok(Self { app: Arc::clone(app), caller, name, body })
    }
}

/// Reads a body; none stands for one that says nothing. A list in the place of an object is refused, which serde would take.
fn read<T: DeserializeOwned>(body: &Bytes) -> Answer<T> {
    let body = if body.is_empty() { b"{}".as_slice() } else { body };
    let unreadable = |cause: String| Refusal::unreadable(format!("the body is not understood: {cause}"));
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(unreadable("it is no object".into()));
    }
    serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))
}

/// A dataset that the caller may see.
fn find<'a>(app: &'a App, caller: &Caller, name: &str) -> Answer<(DatasetId, &'a Dataset)> {
    let federation = &app.federation;
    let found = federation.datasets.iter().position(|data| data.name == name);
    let found = found.map(|at| (DatasetId::at(at), &federation.datasets[at]));
    found.filter(|(_, data)| may_see(federation, caller, data)).ok_or_else(|| {
        let names = federation.datasets.iter().filter(|data| may_see(federation, caller, data));
        Refusal::unknown_dataset(name, names.map(|data| data.name.as_str()))
    })
}

/// Whether a project of the caller could read it at some site.
fn may_see(federation: &Federation, caller: &Caller, data: &Dataset) -> bool {
    let may_read = |id: SiteId| {
        let site = &federation.sites[id.index()];
        data.may_be_read(id, site.country, site.assurance)
    };
    let mut mine = federation.projects.iter().filter(|project| caller.may_use(&project.name));
    caller.must_operate().is_ok()
        || mine.any(|project| match project.sites.as_slice() {
            [] => (0..federation.sites.len()).map(SiteId::at).any(may_read),
            sites => sites.iter().copied().any(may_read),
        })
}

fn view(
    app: &App,
    caller: &Caller,
    data: &Dataset,
    content: Option<ContentRow>,
    rows: &[&CopyRow],
) -> DatasetView {
    let sites = app.federation.sites.iter().enumerate().map(|(at, site)| (SiteId::at(at), site));
    let operates = caller.must_operate().is_ok();
    let copies = sites.filter_map(|(id, site)| {
        let row = rows.iter().find(|row| row.site == site.name);
        let is_place = row.is_some() || data.places.contains(&id);
        is_place.then(|| copy(app, data, (id, site), row.copied(), operates))
    });
    let content = content.map(|row| ContentView {
        sha256: row.digest,
        files: row.files,
        bytes: row.bytes,
        by_token: row.by,
        at: Stamp(row.at),
    });
    DatasetView {
        name: data.name.clone(),
        holder: data.holder.clone(),
        size_bytes: data.size.as_bytes(),
        content,
        copies: copies.collect(),
        policy: words(&app.federation, data),
    }
}

fn copy(
    app: &App,
    data: &Dataset,
    (id, site): (SiteId, &Site),
    row: Option<&CopyRow>,
    operates: bool,
) -> CopyView {
    let folder = app.data.folder(id, &data.name, row.map_or("", |row| &row.path));
    let state = match row {
        None => CopyState::Declared,
        Some(_) if folder.as_ref().is_some_and(|folder| !folder.is_dir()) => CopyState::Missing,
        Some(row) if row.sound => CopyState::Verified,
        Some(_) => CopyState::Differs,
    };
    CopyView {
        site: site.name.clone(),
        state,
        checked: row.map(|row| Stamp(row.checked)),
        path: folder.filter(|_| operates).map(|folder| folder.display().to_string()),
        said: row.and_then(|row| row.said.clone()),
    }
}

fn reader(federation: &Federation, data: &Dataset, id: SiteId, site: &Site) -> ReaderView {
    let part = data.reading_forbidden(id, site.country, site.assurance);
    ReaderView {
        site: site.name.clone(),
        country: site.country.code().to_owned(),
        forbidden_by: part.map(|part| part.word().to_owned()),
        text: part.map(|part| format!("it {}", why(federation, data, site, part))),
    }
}

fn task(app: &App, row: TaskRow) -> TaskView {
    let done = if row.ended.is_some() { row.bytes } else { app.data.moved(row.task) };
    TaskView {
        task: row.task,
        kind: row.kind.word().to_owned(),
        dataset: row.dataset,
        site: row.site,
        source: row.source,
        by_token: row.by,
        asked: Stamp(row.asked),
        ended: row.ended.map(Stamp),
        state: row.state.word().to_owned(),
        bytes: row.bytes,
        bytes_done: done,
        planned_ms: row.planned.map(Duration::as_milliseconds),
        cost_microeuro: small(row.cost.as_microeuro()),
        said: row.said,
    }
}

fn plan_view(app: &App, plan: &StagingPlan) -> StagePlanView {
    let name = |site: SiteId| app.federation.sites[site.index()].name.clone();
    let bytes: Amount = plan.bytes();
    StagePlanView {
        dataset: plan.content.dataset.clone(),
        source: name(plan.source),
        site: name(plan.target),
        there: plan.there,
        files: plan.content.files,
        bytes: bytes.as_bytes(),
        bits_per_second: plan.wan.rate.as_bits_per_second(),
        time_ms: plan.time().as_milliseconds(),
        cost_microeuro: small(plan.cost().as_microeuro()),
    }
}

impl From<Declined> for Refusal {
    fn from(declined: Declined) -> Self {
        let (status, kind, title) = match &declined {
            Declined::Forbidden { .. } => {
                (StatusCode::FORBIDDEN, "policy-forbids", "The policy of the data forbids it")
            }
            Declined::NoCopy { .. } => (StatusCode::CONFLICT, "no-copy", "There is no sound copy"),
            Declined::NoArea { .. } => (StatusCode::CONFLICT, "not-supported", "Not supported"),
            Declined::Busy { .. } => (StatusCode::CONFLICT, "busy", "Something else is done there"),
            Declined::Path { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "no-folder", "The folder can not be used")
            }
            Declined::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "", ""),
        };
        match declined {
            Declined::Store(error) => error.into(),
            declined => Refusal::data(status, kind, title, declined.to_string()),
        }
    }
}
