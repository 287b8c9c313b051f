//! What operators tell a site: to draw less, to start nothing more. As everything that is decided, it is on the disk before
//! it is answered; whether engines have done it by then is said apart.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use giga_control::{Control, calendar};
use giga_formats::api::{LimitAnswer, LimitBody, SiteAnswer, SiteView};
use giga_model::SiteId;
use giga_scheduler::{Event, Input, Interruption, Pace};
use giga_units::{Amount as _, Instant, Power};
use tokio::sync::oneshot;

use super::App;
use super::key::Caller;
use super::problem::{Answer, Refusal};
use super::sites::{Seen, seen};
use crate::live::command::{Command, Ordered};
use crate::live::core::{answer, clock};

/// Lets a site draw less at the meter for a time. Work is capped where its engine can, then suspended or stopped, the least
/// loss first, protected work last.
///
/// What was ordered is on the disk when this answers; `site.limit.obeyed` says whether it is done by then, and
/// `GET /v1/sites` says so later. A new limit takes the place of the one before.
#[utoipa::path(post, path = "/v1/sites/{site}/limit", operation_id = "limit_site", tag = "sites",
    request_body = LimitBody, params(("site" = String, Path)), responses(
    (status = 200, body = LimitAnswer, description = "what was ordered"),
))]
pub(crate) async fn limit(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    body: Bytes,
) -> Answer<Json<LimitAnswer>> {
    caller.must_operate()?;
    let site = app.site(&name)?;
    let unreadable = |error| Refusal::unreadable(format!("the body is no limit: {error}"));
    let body: LimitBody = serde_json::from_slice(&body).map_err(unreadable)?;
    let (power, until) = body.check(clock()).map_err(|faults| Refusal::faulty("limit", faults))?;
    let input = Input::LimitFalls { site, power, until };
    let power_written = power.written();
    tracing::info!(site = name, by = caller.name(), power = power_written, %until, "a limit is ordered");
    let (done, seen) = operate(&app, site, input, move |_, told| Done::of(told, site, power, until)).await?;
    Ok(Json(done.answer(seen.view(&app).await?, power)))
}

/// Ends the limit of a site before its time; where none is on, nothing happens.
///
/// One that stood in for a limit of the description gives way to that again; ending that too lifts it for good.
#[utoipa::path(delete, path = "/v1/sites/{site}/limit", operation_id = "end_limit", tag = "sites",
    params(("site" = String, Path)), responses(
    (status = 200, body = SiteAnswer, description = "the site as it is now, and what is to be said of it"),
))]
pub(crate) async fn end_limit(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer<Json<SiteAnswer>> {
    tell(&app, &caller, &name, |site| Input::LimitEnds { site }, lifted).await
}

/// Lets a site start nothing more; what runs there goes on to its end.
#[utoipa::path(post, path = "/v1/sites/{site}/drain", operation_id = "drain_site", tag = "sites",
    params(("site" = String, Path)), responses(
    (status = 200, body = SiteAnswer, description = "the site as it is now, and what is to be said of it"),
))]
pub(crate) async fn drain(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer<Json<SiteAnswer>> {
    let note = |_: &Control, site, told: &Ordered<'_>| {
        let news = told.events.contains(&Event::Drained { site });
        (!news).then(|| "it was drained already".to_owned())
    };
    tell(&app, &caller, &name, |site| Input::Drain { site }, note).await
}

/// Lets a site that was drained take work again.
#[utoipa::path(delete, path = "/v1/sites/{site}/drain", operation_id = "end_drain", tag = "sites",
    params(("site" = String, Path)), responses(
    (status = 200, body = SiteAnswer, description = "the site as it is now, and what is to be said of it"),
))]
pub(crate) async fn end_drain(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer<Json<SiteAnswer>> {
    let note = |_: &Control, site, told: &Ordered<'_>| {
        let news = told.events.contains(&Event::Undrained { site });
        Some(if news { "it takes work again" } else { "it was not drained" }.to_owned())
    };
    tell(&app, &caller, &name, |site| Input::Undrain { site }, note).await
}

async fn tell(
    app: &App,
    caller: &Caller,
    name: &str,
    input: impl Fn(SiteId) -> Input,
    note: impl FnOnce(&Control, SiteId, &Ordered<'_>) -> Option<String> + Send + 'static,
) -> Answer<Json<SiteAnswer>> {
    caller.must_operate()?;
    let site = app.site(name)?;
    let order = input(site);
    let text = match order {
        Input::LimitEnds { .. } => "the end of a limit is ordered",
        Input::Drain { .. } => "a drain is ordered",
        _ => "the end of a drain is ordered",
    };
    tracing::info!(site = name, by = caller.name(), "{text}");
    let look = move |control: &Control, told: &Ordered<'_>| note(control, site, told);
    let (note, seen) = operate(app, site, order, look).await?;
    Ok(Json(SiteAnswer { site: seen.view(app).await?, notes: note.into_iter().collect() }))
}

/// What ending a limit came to.
fn lifted(control: &Control, site: SiteId, told: &Ordered<'_>) -> Option<String> {
    let Some((power, until)) = told.limit_before else { return Some("no limit was on".to_owned()) };
    let power = power.written();
    Some(match calendar::limit_described(control.federation(), site, control.now()) {
        None => format!("the limit of {power} is lifted"),
        Some(limit) if control.state().limit(site).is_some() => {
            format!(
                "the limit of {power} is lifted; that of the description, {}, holds again",
                limit.power.written()
            )
        }
        Some(_) => format!("the limit of {power} is lifted, though the description has it until {until}"),
    })
}

/// Tells the core; the answer comes when it is durable, with what `look` finds in the events and the site behind them.
async fn operate<T: Send + 'static>(
    app: &App,
    site: SiteId,
    input: Input,
    look: impl FnOnce(&Control, &Ordered<'_>) -> T + Send + 'static,
) -> Answer<(T, Seen)> {
    let (reply, told) = oneshot::channel();
    let outcome = move |control: &Control, told: &Ordered<'_>| {
        answer(reply, (look(control, told), seen(control, site)))
    };
    app.tell(Command::Operate { input, outcome: Box::new(outcome) })?;
    told.await.map_err(|_| Refusal::unavailable())
}

/// What a limit did to running work.
#[derive(Default)]
struct Done {
    /// Whether it is new.
    fell: bool,
    /// Power and end of another that it took the place of.
    instead_of: Option<(Power, Instant)>,
    capped: Vec<u64>,
    suspended: Vec<u64>,
    sent_away: Vec<u64>,
    short: Power,
}

impl Done {
    /// What follows the fall of this limit in events that were decided together.
    fn of(told: &Ordered<'_>, site: SiteId, power: Power, until: Instant) -> Self {
        // At its beginning a limit may be lower, and that may be all of it.
        let is_its = |event: &Event| match *event {
            Event::Limited { site: of, power: first, until: rest } => {
                of == site && first <= power && rest <= until
            }
            _ => false,
        };
        let place = told.events.iter().rposition(is_its);
        let Some(place) = place else { return Self::default() };
        let mut done = Self { fell: true, instead_of: told.limit_before, ..Self::default() };
        for event in &told.events[place + 1..] {
            match event {
                Event::Paced { job, pace: Pace::Capped { .. }, .. } => done.capped.push(job.0),
                Event::Paced { job, pace: Pace::Suspended, .. } => done.suspended.push(job.0),
                Event::Interrupted { job, cause: Interruption::Grid, .. } => done.sent_away.push(job.0),
                Event::Short { missing, .. } => done.short = *missing,
                // What was told to stop before ends with it.
                Event::Ended { .. } => {}
                _ => break,
            }
        }
        done
    }

    fn answer(self, site: SiteView, power: Power) -> LimitAnswer {
        let mut notes = Vec::new();
        if !self.fell {
            notes.push("this limit was on already".to_owned());
        }
        if let Some((power, until)) = self.instead_of {
            notes.push(format!("it takes the place of {} until {until}", power.written()));
        }
        let connection = Power::milliwatts(site.power_connection_milliwatt);
        if power >= connection {
            notes.push(format!("it changes nothing: the connection has {}", connection.written()));
        }
        if site.limit.is_some_and(|limit| limit.power_milliwatt < power.as_milliwatts()) {
            notes.push("at first it may draw less: its plant still cools what was drawn before".to_owned());
        }
        let Self { capped, suspended, sent_away, short, .. } = self;
        LimitAnswer { site, capped, suspended, sent_away, short_milliwatt: short.as_milliwatts(), notes }
    }
}
