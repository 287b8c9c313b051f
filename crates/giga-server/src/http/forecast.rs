//! What may become of a job. One copy of the state answers all callers of an interval: a desk makes it when somebody asks,
//! never two at a time, and lets it run forward in the twin away from the core.
//!
//! The core only gives the copy away: a few milliseconds for a hundred thousand jobs, once in an interval at most.

use std::sync::{Arc, Weak};
use std::time::{Duration as Wait, Instant as Clock};

use axum::extract::{Path, State};
use axum::{Extension, Json};
use giga_formats::api::{AmountRange, ForecastView, JobState, Stamp, TimeRange};
use giga_formats::job::JobBody;
use giga_model::{Federation, JobId, ProjectId};
use giga_store::{JobRow, Store, StoreError};
use giga_study::{Basis, Ended, Forecast, JobForecast, Runtimes, Spread};
use giga_units::{Amount as _, Duration, Energy, Instant, Money};
use tokio::sync::{mpsc, watch};

use super::jobs::find;
use super::key::Caller;
use super::problem::{Answer, Refusal};
use super::{App, view};

/// From one forecast to the next: how old the one that is shown may be.
const EVERY: Wait = Wait::from_secs(5);
const FUTURES: u32 = 8;
/// How far a future is followed at most (an assumption: further ahead too much comes that nobody foresees).
const MOST: Duration = Duration::days(90);
/// From how many ended jobs run times are learned; what lies further back tells less.
const HISTORY: usize = 1_000;
/// Always the same, so that a job's forecast moves only because its world did.
const SEED: u64 = 1;

/// A forecast of every live job.
struct Made {
    forecast: Forecast,
    runtimes: Runtimes,
    ready: Clock,
}

/// Where handlers ask for the latest forecast.
pub(crate) struct Forecasts {
    wanted: mpsc::Sender<()>,
    latest: watch::Receiver<Option<Arc<Made>>>,
}

/// Where forecasts are made.
pub(crate) struct Desk {
    wanted: mpsc::Receiver<()>,
    latest: watch::Sender<Option<Arc<Made>>>,
}

impl Forecasts {
    /// A forecast that is not old and knows of this job; one is made where there is none.
    async fn of(&self, job: JobId) -> Answer<Arc<Made>> {
        let mut latest = self.latest.clone();
        loop {
            let found = latest.borrow_and_update().clone();
            if let Some(made) = found.filter(|made| made.ready.elapsed() < EVERY && made.forecast.knows(job))
            {
                return Ok(made);
            }
            if let Err(mpsc::error::TrySendError::Closed(())) = self.wanted.try_send(()) {
                return Err(Refusal::unavailable());
            }
            latest.changed().await.map_err(|_| Refusal::unavailable())?;
            if latest.borrow().is_none() {
                return Err(Refusal::unavailable());
            }
        }
    }
}

impl Desk {
    pub(crate) fn open() -> (Forecasts, Self) {
        let (ask, wanted) = mpsc::channel(1);
        let (publish, latest) = watch::channel(None);
        (Forecasts { wanted: ask, latest }, Self { wanted, latest: publish })
    }

    /// Makes a forecast whenever one is wanted, as long as there is a server. Whoever waits is told, also where none
    /// could be made.
    pub(crate) async fn work(mut self, app: Weak<App>) {
        let mut next = tokio::time::Instant::now();
        while self.wanted.recv().await.is_some() {
            tokio::time::sleep_until(next).await;
            let Some(app) = app.upgrade() else { return };
            let made = make(&app).await;
            next = tokio::time::Instant::now() + EVERY;
            // Whoever asked meanwhile is woken and looks; who needs another asks again.
            while self.wanted.try_recv().is_ok() {}
            self.latest.send_replace(made.ok().map(Arc::new));
        }
    }
}

async fn make(app: &App) -> Answer<Made> {
    let (mut fork, now) = app.ask(|control, now| (control.clone(), now)).await?;
    let (store, federation) = (Arc::clone(&app.store), Arc::clone(&app.federation));
    let made = super::blocking(move || {
        // Time went on since the last event; nothing that was due is missing.
        fork.advance(now, &[]);
        let runtimes = runtimes(&store, &federation)?;
        let forecast = giga_study::forecast(&fork, &runtimes, FUTURES, SEED, MOST);
        Ok::<_, StoreError>(Made { forecast, runtimes, ready: Clock::now() })
    });
    Ok(made.await??)
}

/// What the jobs that ended last teach; one whose body can not be read any more teaches nothing.
fn runtimes(store: &Store, federation: &Federation) -> Result<Runtimes, StoreError> {
    let rows = store.ended(HISTORY)?;
    let ended = rows.into_iter().filter_map(|row| {
        let body: JobBody = serde_json::from_str(&row.body).ok()?;
        // How long an elastic gang took says little: it follows from its size.
        let spec = body.check().ok().filter(|spec| spec.asks.iter().all(|ask| ask.least.is_none()))?;
        Some(Ended {
            project: project(federation, &row.project)?,
            ran: row.ended.since(row.started),
            limit: spec.limit,
        })
    });
    Ok(Runtimes::of(ended))
}

fn project(federation: &Federation, name: &str) -> Option<ProjectId> {
    federation.projects.iter().position(|project| project.name == name).map(ProjectId::at)
}

/// What becomes of a job in several simulated futures, in which nothing more comes. Made at most every five seconds.
#[utoipa::path(get, path = "/v1/jobs/{id}/forecast", tag = "jobs", params(("id" = u64, Path)), responses(
    (status = 200, body = ForecastView, description = "when, at what cost, as ranges"),
))]
pub(crate) async fn forecast(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer<Json<ForecastView>> {
    let (row, _) = live(&app, &caller, &id)?;
    let made = app.forecasts.of(row.job).await?;
    // It may have gone on since.
    let (row, state) = live(&app, &caller, &id)?;
    let told = made.forecast.job(row.job).ok_or_else(Refusal::unavailable)?;
    let basis = match project(&app.federation, &row.project) {
        Some(project) => made.runtimes.basis(project),
        None => return Err(Refusal::unknown("project", &row.project)),
    };
    Ok(Json(forecast_view(row.job, state, &made.forecast, told, basis, &row.project)))
}

/// The row of a job that waits or runs.
fn live(app: &App, caller: &Caller, id: &str) -> Answer<(JobRow, JobState)> {
    let row = find(app, caller, id)?;
    let state = view::state(&row);
    if state.is_over() { Err(Refusal::over(row.job.0, state.word())) } else { Ok((row, state)) }
}

fn forecast_view(
    job: JobId,
    state: JobState,
    made: &Forecast,
    told: &JobForecast,
    basis: Basis,
    project: &str,
) -> ForecastView {
    let time = |spread: Spread<Instant>| {
        let [earliest, median, latest] = [spread.low, spread.median, spread.high].map(Stamp);
        TimeRange { earliest, median, latest }
    };
    fn amount<T>(spread: Spread<T>, count: impl Fn(T) -> i128) -> AmountRange {
        let [low, median, high] = [spread.low, spread.median, spread.high].map(|it| view::small(count(it)));
        AmountRange { low, median, high }
    }
    ForecastView {
        id: job.0,
        made_at: Stamp(made.made_at),
        futures: made.futures,
        start: told.start.filter(|_| state == JobState::Waiting).map(time),
        end: told.end.map(time),
        cost_microeuro: told.cost.map(|cost| amount(cost, Money::as_microeuro)),
        energy_joule: told.energy.map(|energy| amount(energy, Energy::as_joules)),
        basis: sentence(made, told, basis, project),
    }
}

/// What the futures rest on.
fn sentence(made: &Forecast, told: &JobForecast, basis: Basis, project: &str) -> String {
    let runs = match basis {
        Basis::Project(count) => {
            format!(
                "run times are drawn from the last {count} ended jobs of project `{project}`, as parts of their limits"
            )
        }
        Basis::All(count) => {
            format!(
                "run times are drawn from the last {count} ended jobs of all projects, as parts of their limits"
            )
        }
        Basis::Prior(count) => format!(
            "only {count} {} ended so far, so any part of a limit is taken to be as likely a run time as any other",
            if count == 1 { "job has" } else { "jobs have" }
        ),
    };
    let futures = made.futures;
    let seen = |spread: Option<Spread<Instant>>| spread.map_or(0, |spread| spread.seen);
    let unseen = match seen(told.end) {
        all if all == futures => String::new(),
        some => format!("; {some} of {futures} futures saw its end within {}", made.most.written()),
    };
    format!(
        "{runs}; the state is that of {}, and nothing that comes later is foreseen; with {futures} futures the first and \
         the last figure are the extremes{unseen}",
        made.made_at
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::core::clock;

    /// The sentence for a job whose end so many of eight futures saw.
    #[track_caller]
    fn check(basis: Basis, seen: u32, pieces: &[&str], absent: &str) {
        let federation = Arc::new(giga_model::sample::empty());
        let control = giga_control::Control::new(federation, clock());
        let made = giga_study::forecast(&control, &Runtimes::default(), FUTURES, SEED, MOST);
        let at = made.made_at;
        let end = (seen > 0).then_some(Spread { low: at, median: at, high: at, seen });
        let told = JobForecast { start: None, end, energy: None, cost: None, interrupted: 0 };
        let text = sentence(&made, &told, basis, "demo");
        pieces.iter().for_each(|piece| assert!(text.contains(piece), "`{piece}` is not in `{text}`"));
        assert!(!text.contains(absent), "{text}");
    }

    #[test]
    fn what_a_forecast_rests_on_is_said() {
        check(Basis::Project(31), 8, &["last 31", "of project `demo`", "nothing that comes later"], "90 d");
        check(
            Basis::All(20),
            3,
            &["20 ended jobs of all", "; 3 of 8 futures saw its end within 90 d"],
            "`demo`",
        );
        check(Basis::Prior(2), 0, &["only 2 jobs have ended", "; 0 of 8 futures"], "`demo`");
    }
}
