//! Sites over HTTP.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use giga_control::Control;
use giga_formats::api::{PoolView, SiteList, SiteView, Stamp};
use giga_model::{PoolId, SiteId};
use giga_units::Amount as _;

use super::App;
use super::problem::Answer;

/// Every site as it is now.
#[utoipa::path(get, path = "/v1/sites", operation_id = "list_sites", tag = "sites", responses(
    (status = 200, body = SiteList, description = "all sites"),
))]
pub(crate) async fn list(State(app): State<Arc<App>>) -> Answer<Json<SiteList>> {
    let sites = app.ask(|control, _| {
        let sites = (0..control.federation().sites.len()).map(SiteId::at);
        sites.map(|site| site_view(control, site)).collect()
    });
    Ok(Json(SiteList { sites: sites.await? }))
}

fn site_view(control: &Control, id: SiteId) -> SiteView {
    let (federation, state) = (control.federation(), control.state());
    let site = &federation.sites[id.index()];
    let headroom = control.scheduler().plan().headroom(id, state.phases_open(id));
    SiteView {
        name: site.name.clone(),
        country: site.country.code().to_owned(),
        engine: site.engine.map(|engine| engine.word().to_owned()),
        pools: site.pools.iter().map(|&pool| pool_view(control, pool)).collect(),
        running: state.running(id).into(),
        waiting: state.waiting(id).into(),
        power_headroom_milliwatt: headroom.as_milliwatts(),
        power_free_milliwatt: state.power_free(id).as_milliwatts(),
        electricity_price: site.electricity_price.written(),
        carbon_intensity: site.carbon_intensity.written(),
        closed_until: state.closed_until(id).map(Stamp),
    }
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
