//! Sites over HTTP.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use giga_control::Control;
use giga_engine::{AttemptId, Seen as Attempt};
use giga_formats::api::{LimitStep, LimitView, Obeyed, PoolView, SiteList, SiteView, Stamp};
use giga_model::{PoolId, SiteId};
use giga_scheduler::Job;
use giga_units::{Amount as _, Power};

use super::App;
use super::problem::Answer;

/// Every site as it is now.
#[utoipa::path(get, path = "/v1/sites", operation_id = "list_sites", tag = "sites", responses(
    (status = 200, body = SiteList, description = "all sites"),
))]
pub(crate) async fn list(State(app): State<Arc<App>>) -> Answer<Json<SiteList>> {
    let asked = app.ask(|control, _| {
        let sites = (0..control.federation().sites.len()).map(SiteId::at);
        sites.map(|site| seen(control, site)).collect::<Vec<_>>()
    });
    let mut sites = Vec::new();
    for seen in asked.await? {
        sites.push(seen.view(&app).await?);
    }
    Ok(Json(SiteList { sites }))
}

/// A site as the books have it, before its engine is asked.
pub(crate) struct Seen {
    id: SiteId,
    view: SiteView,
    /// The attempts that should run, where a limit is on.
    running: BTreeSet<AttemptId>,
}

impl Seen {
    /// The same with what its engine says of a limit that is on: it is complied with once nothing lives that was sent away.
    /// This follows from what is, not from what was told, so that it is true behind a restart too.
    pub(crate) async fn view(self, app: &App) -> Answer<SiteView> {
        let Self { id, mut view, running } = self;
        let (Some(limit), Some(engine)) = (view.limit.as_mut(), app.engines.get(&id).cloned()) else {
            return Ok(view);
        };
        let lives = move |(attempt, seen): (AttemptId, Attempt)| {
            !matches!(seen, Attempt::Ended(_) | Attempt::Lost { .. }) && !running.contains(&attempt)
        };
        let complied = move || engine.observe().is_ok_and(|all| !all.into_iter().any(lives));
        if super::blocking(complied).await? {
            limit.obeyed = Obeyed::Complied;
        }
        Ok(view)
    }
}

/// A site as the books have it.
pub(crate) fn seen(control: &Control, id: SiteId) -> Seen {
    let state = control.state();
    let running = |job: &Job| job.run().map(|_| AttemptId { job: job.id, number: job.attempts });
    let here = state.jobs().filter(|job| state.limit(id).is_some() && job.site == id);
    Seen { id, view: site_view(control, id), running: here.filter_map(running).collect() }
}

fn site_view(control: &Control, id: SiteId) -> SiteView {
    let (federation, state) = (control.federation(), control.state());
    let site = &federation.sites[id.index()];
    let ordered = ordered(control, id);
    let queued = state.queued(control.federation(), id);
    let limit = state.limit(id).map(|(power, until)| LimitView {
        power_milliwatt: power.as_milliwatts(),
        until: Stamp(until),
        then: state
            .limit_behind(id)
            .map(|(power, until)| LimitStep { power_milliwatt: power.as_milliwatts(), until: Stamp(until) }),
        breach_milliwatt: ordered.saturating_sub(power).as_milliwatts(),
        obeyed: Obeyed::Ordered,
    });
    SiteView {
        name: site.name.clone(),
        country: site.country.code().to_owned(),
        engine: site.engine.map(|engine| engine.word().to_owned()),
        mode: site.slurm.as_ref().map(|slurm| slurm.mode.word().to_owned()),
        pools: site.pools.iter().map(|&pool| pool_view(control, pool)).collect(),
        running: (state.running(id) - queued).into(),
        queued: queued.into(),
        waiting: state.waiting(id).into(),
        deferred: state.deferred(id) as u64,
        awaiting: state.awaiting(id) as u64,
        capacity: state.capacity(id),
        drained: state.is_drained(id),
        silent: state.is_silent(id),
        limit,
        power_connection_milliwatt: site.connection(state.phases_open(id)).as_milliwatts(),
        power_ordered_milliwatt: ordered.as_milliwatts(),
        power_headroom_milliwatt: state.headroom(id).as_milliwatts(),
        power_free_milliwatt: state.power_free(id).as_milliwatts(),
        electricity_price: site.electricity_price.written(),
        carbon_intensity: site.carbon_intensity.written(),
        closed_until: state.closed_until(id).map(Stamp),
    }
}

/// What idle nodes and running jobs may draw together at the meter, each job at the pace it was told.
pub(super) fn ordered(control: &Control, id: SiteId) -> Power {
    let (federation, state) = (control.federation(), control.state());
    let site = &federation.sites[id.index()];
    let open = site.phases[..state.phases_open(id)].iter().flat_map(|phase| &phase.nodes);
    let idle: Power =
        open.map(|(pool, nodes)| federation.accelerator_of(*pool).node_idle.times(u64::from(*nodes))).sum();
    // Once a limit has fallen, what was cut fits below it.
    state.overhead(id).of(idle + state.headroom(id).saturating_sub(state.power_free(id)))
}

fn pool_view(control: &Control, id: PoolId) -> PoolView {
    let (federation, state) = (control.federation(), control.state());
    let kind = federation.accelerator_of(id);
    let (nodes, per_node) = (state.nodes_open(id), u64::from(kind.per_node));
    PoolView {
        name: federation.pools[id.index()].name.clone(),
        accelerator: kind.name.clone(),
        nodes,
        accelerators: u64::from(nodes) * per_node,
        free: state.accelerators_free(id),
        down: state.down(id).count() as u64 * per_node,
    }
}
