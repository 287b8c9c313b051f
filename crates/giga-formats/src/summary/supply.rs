//! Where the energy of sites with a supply came from.

use giga_control::energy::{Energy, Way};
use giga_facility::quantity::{Euros, Joules, Kilograms};
use giga_facility::supply::Kind;
use giga_model::Federation;
use serde::Serialize;

/// A site by one way of giving orders to its battery.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    site: &'a str,
    dispatch: &'static str,
    load_mwh: f64,
    from_grid_mwh: f64,
    fed_in_mwh: f64,
    wind_mwh: f64,
    sun_mwh: f64,
    hydro_mwh: f64,
    curtailed_mwh: f64,
    charged_mwh: f64,
    discharged_mwh: f64,
    lost_in_battery_mwh: f64,
    backup_mwh: f64,
    unserved_mwh: f64,
    peak_from_grid_mw: f64,
    cost_eur: f64,
    import_eur: f64,
    export_eur: f64,
    contracts_eur: f64,
    sources_eur: f64,
    backup_eur: f64,
    wear_eur: f64,
    unserved_eur: f64,
    missing_eur: f64,
    regret_eur: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    regret_percent: Option<f64>,
    carbon_location_based_t: f64,
    carbon_market_based_t: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    renewable_energy_factor: Option<f64>,
}

pub(super) fn rows<'a>(federation: &'a Federation, energy: &'a [Energy]) -> Vec<Row<'a>> {
    let sites = federation.sites.iter().zip(energy);
    let of = |(site, energy): (&'a giga_model::Site, &'a Energy)| {
        let ways = energy.ways.iter().flatten().flatten();
        ways.map(move |way| row(&site.name, way))
    };
    sites.flat_map(of).collect()
}

fn row<'a>(site: &'a str, way: &Way) -> Row<'a> {
    let mwh = |energy: Joules| energy.as_kilowatt_hours() / 1e3;
    let tonnes = |carbon: Kilograms| carbon.0 / 1e3;
    let used = |kind| mwh(way.energy.used.get(&kind).copied().unwrap_or_default());
    let (energy, money) = (&way.energy, &way.money);
    let Euros(cost) = money.bill();
    Row {
        site,
        dispatch: way.name,
        load_mwh: mwh(energy.load),
        from_grid_mwh: mwh(energy.imported),
        fed_in_mwh: mwh(energy.exported),
        wind_mwh: used(Kind::Wind),
        sun_mwh: used(Kind::Sun),
        hydro_mwh: used(Kind::Hydro),
        curtailed_mwh: mwh(energy.curtailed),
        charged_mwh: mwh(energy.charged),
        discharged_mwh: mwh(energy.discharged),
        lost_in_battery_mwh: mwh(energy.lost),
        backup_mwh: mwh(energy.backup),
        unserved_mwh: mwh(energy.unserved),
        peak_from_grid_mw: way.peak.0 / 1e6,
        cost_eur: cost,
        import_eur: money.import.0,
        export_eur: money.export.0,
        contracts_eur: money.contracts.0,
        sources_eur: money.sources.0,
        backup_eur: money.backup.0,
        wear_eur: money.wear.0,
        unserved_eur: money.unserved.0,
        missing_eur: way.missing.0,
        regret_eur: way.regret.cost.0,
        regret_percent: way.regret.share.map(|share| share * 100.0),
        carbon_location_based_t: tonnes(way.carbon.location),
        carbon_market_based_t: tonnes(way.carbon.market),
        renewable_energy_factor: way.renewable,
    }
}
