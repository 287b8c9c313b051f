//! Jobs over HTTP: plan, submit, list, show, cancel, explain.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State, rejection::QueryRejection};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use giga_control::{Bill, Control};
use giga_formats::api::{
    Accepted, ChoiceView, ExplainView, FieldFault, JobDetail, JobList, JobQuery, JobState, JobView,
    PlaceView, PlanView, Stamp, Starts,
};
use giga_formats::job::{JobBody, JobSpec};
use giga_model::{AttemptId, Federation, JobId, SlurmMode};
use giga_report::{reason, sentence};
use giga_scheduler::{Because, Explanation, Job, Need, Preview, Run};
use giga_store::{JobFilter, JobRow};
use giga_units::{Amount as _, Instant};
use tokio::sync::oneshot;

use super::choices::choices;
use super::key::Caller;
use super::problem::{Answer, Refusal, countable};
use super::request::{Understood, come_after, understand};
use super::{App, view};
use crate::live::command::{Command, Submission, Submitted, Task};
use crate::live::effect::interruption;

/// The header that makes a repeated request the same request.
const IDEMPOTENCY: &str = "idempotency-key";
/// The longest word in it.
const IDEMPOTENCY_MAX: usize = 255;

/// What would become of a job if it were submitted now; nothing is.
#[utoipa::path(post, path = "/v1/plan", tag = "jobs", request_body = JobBody, responses(
    (status = 200, body = PlanView, description = "where, when, at what cost at most"),
))]
pub(crate) async fn plan(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Answer<Json<PlanView>> {
    let mut understood = understand(&app, &caller, &read(&body)?)?;
    come_after(&app, &caller, &mut understood).await?;
    let request = understood.request.clone();
    let ask = move |control: &Control, now| {
        let preview = control.scheduler().preview(&request, now);
        let chosen = match &preview {
            Preview::Placed { site, .. } => Some(*site),
            Preview::Refused { .. } => None,
        };
        let choices = choices(control, &control.scheduler().places(&request, now), chosen);
        (preview, choices, now)
    };
    let (preview, choices, now) = app.ask(ask).await?;
    if let Preview::Placed { site, .. } = &preview {
        let (asked, site, names) = (Arc::clone(&app), *site, understood.spec.data.clone());
        understood.notes.extend(super::blocking(move || asked.data.notes(site, &names)).await??);
    }
    Ok(Json(plan_view(&app.federation, understood, preview, choices, now)))
}

fn plan_view(
    federation: &Federation,
    understood: Understood,
    preview: Preview,
    choices: Vec<ChoiceView>,
    now: Instant,
) -> PlanView {
    let Understood { spec, request, project, notes } = understood;
    let tasks = spec.count();
    let mut view = PlanView {
        name: spec.name,
        project,
        place: None,
        limit: request.limit.written(),
        starts: None,
        choices,
        energy_most_joule: 0,
        cost_most_microeuro: 0,
        notes,
        refused: None,
    };
    match preview {
        Preview::Refused { rule } => view.refused = Some(rule.to_string()),
        Preview::Placed { site, need, because, room_at, .. } => {
            let limit = need.time(request.limit);
            let bill = Bill::of(federation, &need, request.draw, now, limit);
            view.limit = limit.written();
            view.energy_most_joule = view::small(bill.energy.as_joules() * i128::from(tasks));
            view.cost_most_microeuro = view::small(bill.cost.as_microeuro() * i128::from(tasks));
            if tasks > 1 {
                view.notes.push(format!(
                    "these are {tasks} jobs: place and start are of the first, energy and cost of all"
                ));
            }
            view.place = Some(place(federation, &federation.sites[site.index()], &need));
            view.starts = Some(match because {
                Because::Due => Starts::Now,
                because => {
                    // Room at a site where nothing starts is of no use.
                    let room_at = room_at.filter(|_| !matches!(because, Because::Drained | Because::Silent));
                    Starts::Waits { reason: reason(federation, &because), room_at: room_at.map(Stamp) }
                }
            });
            if need.held() > need.asked {
                view.notes
                    .push("it holds whole nodes, which have more accelerators than it asked for".into());
            }
            if need.asked < need.full {
                view.notes.push(format!(
                    "with {} of {} accelerators its limit is longer in proportion",
                    need.asked, need.full
                ));
            }
            if request.checkpoint.is_none() {
                view.notes.push("it saves no progress: an interruption starts it from the beginning".into());
            }
        }
    }
    view
}

fn place(federation: &Federation, site: &giga_model::Site, need: &Need) -> PlaceView {
    PlaceView {
        site: site.name.clone(),
        country: site.country.code().to_owned(),
        pool: federation.pools[need.pool.index()].name.clone(),
        accelerator: federation.accelerator_of(need.pool).name.clone(),
        accelerators: need.held(),
        nodes: need.nodes,
    }
}

/// Submits a job. When this answers, the job is on the disk.
///
/// With the header `Idempotency-Key` a request can be sent again after a broken connection: the same key with the same
/// body leads to the same job.
#[utoipa::path(post, path = "/v1/jobs", tag = "jobs", request_body = JobBody,
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255,
        pattern = "^[!-~]([ -~]*[!-~])?$", description = "a word of one's own, at most 255 characters")),
    responses(
        (status = 201, body = Accepted, description = "a new job"),
        (status = 200, body = Accepted, description = "the job that this request led to before"),
        ))]
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<(StatusCode, Json<Accepted>)> {
    let idempotency = idempotency(&headers)?;
    let mut understood = understand(&app, &caller, &read(&body)?)?;
    // First the record, then the look: what comes behind it the core knows.
    let looked = *app.durable.borrow();
    let first = task(&understood.spec.task(0));
    let name = understood.spec.name.clone();
    let several = understood.spec.array_of();
    let before = |job| replay(&app, &caller, name.clone(), job, several);
    if let Some(word) = &idempotency
        && let Some((job, kept)) = app.store.submitted(caller.name(), word)?
    {
        return if kept == first.body { before(job) } else { Err(Refusal::other_request(job.0)) };
    }
    let count = understood.spec.count();
    if first.body.len() as u64 * u64::from(count) > ARRAY_MOST {
        return Err(too_much(count));
    }
    let tasks: Arc<[Task]> = understood.spec.tasks().map(|spec| task(&spec)).collect();
    for _ in 0..OVERTAKEN_MOST {
        come_after(&app, &caller, &mut understood).await?;
        let (reply, told) = oneshot::channel();
        app.tell(Command::Submit(Box::new(Submission {
            request: understood.request.clone(),
            tasks: Arc::clone(&tasks),
            project: understood.project.clone(),
            by: caller.name().to_owned(),
            idempotency: idempotency.clone(),
            looked,
            reply,
        })))?;
        let (job, site, state) = match told.await.map_err(|_| Refusal::unavailable())? {
            Submitted::Bound { job, site, started } => {
                let about = &app.federation.sites[site.index()];
                let begun =
                    if about.mode() == SlurmMode::Guest { JobState::Queued } else { JobState::Running };
                (job, Some(about.name.clone()), if started { begun } else { JobState::Waiting })
            }
            Submitted::Refused { job, .. } => (job, None, JobState::Refused),
            Submitted::Before { job } => return before(job),
            Submitted::OtherRequest { job } => return Err(Refusal::other_request(job.0)),
            // The store knows by now how that job ended.
            Submitted::Overtaken => continue,
        };
        let accepted = Accepted { id: job.0, tasks: several, name, site, state, replayed: false };
        return Ok((StatusCode::CREATED, Json(accepted)));
    }
    Err(Refusal::unavailable())
}

/// How often a submission is tried anew because a job that it comes after ended meanwhile: each time another one.
const OVERTAKEN_MOST: usize = 20;

/// What all jobs of an array may say together, in bytes: each is kept.
const ARRAY_MOST: u64 = 16 << 20;

fn too_much(count: u32) -> Refusal {
    let message = format!(
        "{count} jobs of this size are more than the {} MiB that an array may have",
        ARRAY_MOST >> 20
    );
    let help = "put what they run into a file, and let each run that".to_owned();
    Refusal::faulty("job", vec![FieldFault { field: "array".into(), message, help }])
}

/// One job of a submission.
fn task(spec: &JobSpec) -> Task {
    let body = serde_json::to_string(&spec.body()).expect("a body can be written");
    Task { name: spec.name.clone(), body }
}

/// The job that a request led to before, as long as the caller may still use its project: a key can be revoked and made
/// anew under the same name for others.
fn replay(
    app: &App,
    caller: &Caller,
    name: String,
    job: JobId,
    tasks: Option<u32>,
) -> Answer<(StatusCode, Json<Accepted>)> {
    let row = app.store.job(job)?.ok_or_else(Refusal::unavailable)?;
    if !caller.may_use(&row.project) {
        let name = caller.name();
        let detail = format!(
            "this Idempotency-Key led to a job that key `{name}` may not see; take a new one for new work"
        );
        return Err(Refusal::forbidden(detail));
    }
    let state = view::state(&row);
    Ok((StatusCode::OK, Json(Accepted { id: job.0, tasks, name, site: row.site, state, replayed: true })))
}

fn idempotency(headers: &HeaderMap) -> Answer<Option<String>> {
    let Some(value) = headers.get(IDEMPOTENCY) else { return Ok(None) };
    let word = value.to_str().ok().filter(|word| (1..=IDEMPOTENCY_MAX).contains(&word.len()));
    let fault = || Refusal::unreadable("`Idempotency-Key` takes 1 to 255 visible ASCII characters");
    word.map(|word| Some(word.to_owned())).ok_or_else(fault)
}

fn read(body: &[u8]) -> Answer<JobBody> {
    serde_json::from_slice(body).map_err(|error| Refusal::unreadable(format!("the body is no job: {error}")))
}

/// Jobs, the latest first.
#[utoipa::path(get, path = "/v1/jobs", operation_id = "list_jobs", tag = "jobs", params(JobQuery), responses(
    (status = 200, body = JobList, description = "a page of jobs"),
))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<JobQuery>, QueryRejection>,
) -> Answer<Json<JobList>> {
    let query = query.map_err(|error| Refusal::unreadable(error.body_text()))?.0;
    countable("before", query.before)?;
    let states = query.states().map_err(|error| Refusal::unreadable(error.to_string()))?;
    let most = query.limit.unwrap_or(50).clamp(1, 1_000) as usize;
    let filter = JobFilter {
        projects: caller.projects().map(<[String]>::to_vec),
        live: !states.is_empty() && states.iter().all(|state| !state.is_over()),
        states: states.into_iter().map(|state| state.word().to_owned()).collect(),
        before: query.before.map(JobId),
        most: most + 1,
    };
    let store = Arc::clone(&app.store);
    let mut rows = super::blocking(move || store.jobs(&filter)).await??;
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| more).map(|row| row.job.0);
    Ok(Json(JobList { jobs: rows.iter().map(|row| seen(&app, row)).collect(), next }))
}

/// A job, and whether its accelerators do anything.
fn seen(app: &App, row: &JobRow) -> JobView {
    let site = row.site.as_deref().and_then(|name| app.site(name).ok());
    let attempt = AttemptId { job: row.job, number: row.attempts };
    let runs = view::state(row) == JobState::Running;
    let idling = site.filter(|_| runs).and_then(|site| app.signs.site(site).idling(attempt));
    JobView { idle: idling.map(view::idle), ..view::job(row) }
}

/// One job with what was submitted and its attempts.
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = u64, Path)), responses(
    (status = 200, body = JobDetail, description = "the job"),
))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer<Json<JobDetail>> {
    let row = find(&app, &caller, &id)?;
    let body = app.store.body(row.job)?.unwrap_or_default();
    let spec = read(body.as_bytes())?;
    let site = row.site.clone().unwrap_or_default();
    let attempts = app.store.attempts(row.job)?.into_iter().map(|attempt| view::attempt(&site, attempt));
    Ok(Json(JobDetail { job: seen(&app, &row), spec, attempts: attempts.collect() }))
}

/// Takes a job back. What runs keeps its accelerators until it has stopped.
#[utoipa::path(post, path = "/v1/jobs/{id}/cancel", tag = "jobs", params(("id" = u64, Path)), responses(
    (status = 200, body = JobView, description = "the job as it is now"),
))]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer<Json<JobView>> {
    let job = find(&app, &caller, &id)?.job;
    let (reply, told) = oneshot::channel();
    app.tell(Command::Cancel { job, reply })?;
    let live = told.await.map_err(|_| Refusal::unavailable())?;
    let row = find(&app, &caller, &id)?;
    // Cancelling twice is no mistake: a client may not have heard the first answer.
    let cancelled = matches!(view::state(&row), JobState::Cancelled | JobState::Stopping);
    if live || cancelled { Ok(Json(view::job(&row))) } else { Err(Refusal::over(job.0, &row.state)) }
}

/// Why a job is where it is.
#[utoipa::path(get, path = "/v1/jobs/{id}/explain", tag = "jobs", params(("id" = u64, Path)), responses(
    (status = 200, body = ExplainView, description = "what there is to say"),
))]
pub(crate) async fn explain(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer<Json<ExplainView>> {
    let job = find(&app, &caller, &id)?.job;
    let (explanation, ordered, choices, now) = app
        .ask(move |control, now| {
            let (scheduler, live) = (control.scheduler(), control.state().job(job));
            let choices = choices(control, &scheduler.places_of(job, now), live.map(|job| job.site));
            (scheduler.explain(job, now), live.and_then(Job::run).and_then(ordered), choices, now)
        })
        .await?;
    // The state kept nothing of a job that is over; the books did.
    let row = find(&app, &caller, &id)?;
    let last = app.store.attempts(job)?.pop().and_then(|attempt| attempt.result);
    let mut view = explain_view(&app.federation, &row, last, &explanation, ordered, now);
    view.sentences.extend(waits_elsewhere(&app, &row));
    view.sentences.extend(data_on_its_way(&app, &row)?);
    view.sentences.extend(never_came(&app, &caller, &row).await?);
    Ok(Json(ExplainView { choices, ..view }))
}

/// What the scheduler of its site says of a job that stands in a line there.
fn waits_elsewhere(app: &App, row: &JobRow) -> Option<String> {
    let queued = view::state(row) == JobState::Queued;
    let site = row.site.as_deref().filter(|_| queued).and_then(|name| app.site(name).ok())?;
    app.engines.get(&site)?.waits_for(AttemptId { job: row.job, number: row.attempts })
}

/// What a job that is not over still waits for, though the core may have started it.
fn data_on_its_way(app: &App, row: &JobRow) -> Answer<Vec<String>> {
    let Some(site) = row.site.as_ref().filter(|_| row.ended.is_none()) else { return Ok(Vec::new()) };
    let body = app.store.body(row.job)?.and_then(|body| serde_json::from_str::<JobBody>(&body).ok());
    Ok(body.map_or_else(Vec::new, |body| app.data.on_its_way(site, &body.data)))
}

/// Which job kept a cancelled one from ever starting: one that it came after, and that was over first.
async fn never_came(app: &Arc<App>, caller: &Caller, row: &JobRow) -> Answer<Vec<String>> {
    if view::state(row) != JobState::Cancelled || row.attempts > 0 {
        return Ok(Vec::new());
    }
    let (store, job) = (Arc::clone(&app.store), row.job);
    let look = move || {
        let body = store.body(job)?.and_then(|body| serde_json::from_str::<JobBody>(&body).ok());
        let before = body.map_or_else(Vec::new, |body| body.after);
        let before = before.into_iter().filter_map(|job| u64::try_from(job).ok());
        before.map(|job| store.job(JobId(job))).collect::<Result<Vec<_>, _>>()
    };
    let failed = |before: &JobRow| {
        let first = before.ended.is_some_and(|ended| row.ended.is_some_and(|at| ended <= at));
        first && view::state(before) != JobState::Completed && caller.may_use(&before.project)
    };
    let rows = super::blocking(look).await??.into_iter().flatten().filter(failed);
    Ok(rows
        .map(|before| format!("job {}, which it came after, ended as {}", before.job, view::state(&before)))
        .collect())
}

/// What a running attempt was told, if anything.
fn ordered(run: &Run) -> Option<String> {
    let until = "and keeps its accelerators until it has";
    match run.leaving {
        _ if run.stopping => Some(format!("it was told to stop, {until}")),
        Some(leaving) => {
            let (cause, by) = (interruption(leaving.cause), leaving.by);
            Some(format!("it was told to leave by {by}, {until}: {cause}"))
        }
        None => None,
    }
}

fn explain_view(
    federation: &Federation,
    row: &JobRow,
    last: Option<String>,
    explanation: &Explanation,
    ordered: Option<String>,
    now: Instant,
) -> ExplainView {
    let mut sentences = Vec::new();
    let mut room = None;
    match explanation {
        Explanation::Gone | Explanation::Refused { .. } => {
            let result = row.result.as_ref().map_or_else(String::new, |result| format!(": {result}"));
            sentences.push(format!("{}{result}", row.state));
        }
        Explanation::Running { .. } => {
            sentences.push(sentence(federation, now, explanation));
            sentences.extend(ordered);
        }
        Explanation::Waiting { room_at, .. } => {
            sentences.push(sentence(federation, now, explanation));
            sentences.extend(last.map(|result| format!("attempt {} ended: {result}", row.attempts)));
            if row.attempts > 0 && federation.sites.len() > 1 {
                sentences.push("it stays at this site: what it saved lies there".into());
            }
            room = room_at.map(Stamp);
        }
    }
    ExplainView { id: row.job.0, state: view::state(row), sentences, room_at: room, choices: Vec::new() }
}

/// The row of a job that the caller may see.
pub(crate) fn find(app: &App, caller: &Caller, id: &str) -> Answer<JobRow> {
    // The store counts to 63 bits, and so do jobs.
    let number = id.parse().ok().filter(|number| i64::try_from(*number).is_ok()).map(JobId);
    let number = number.ok_or_else(|| Refusal::unknown("job", id))?;
    let row = app.store.job(number)?.filter(|row| caller.may_use(&row.project));
    row.ok_or_else(|| Refusal::unknown("job", id))
}
