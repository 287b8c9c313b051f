//! What became of energy, heat and water at sites with a plant.

use giga_control::energy::{BAND, Energy, SiteEnergy};
use giga_facility::indicators::Category;
use giga_facility::quantity::Joules;
use giga_model::Federation;
use serde::Serialize;

/// A site with a plant.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    name: &'a str,
    metered_mwh: f64,
    modelled_mwh: f64,
    nodes_mwh: f64,
    network_and_storage_mwh: f64,
    conversion_mwh: f64,
    pumps_mwh: f64,
    fans_mwh: f64,
    compressors_mwh: f64,
    heat_pumps_mwh: f64,
    building_mwh: f64,
    heat_reused_mwh: f64,
    water_m3: f64,
    blown_down_m3: f64,
    carbon_location_based_t: f64,
    no_compressor_h: f64,
    too_warm_h: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pue_category_1: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pue_category_2: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pue_category_3: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wue_l_per_kwh: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cue_kg_per_kwh: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erf: Option<f64>,
    interim: bool,
}

/// What a plant did while the air had a temperature.
#[derive(Serialize)]
pub(super) struct Band<'a> {
    site: &'a str,
    dry_bulb: String,
    hours_h: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pue: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wue_l_per_kwh: Option<f64>,
}

fn plants<'a>(
    federation: &'a Federation,
    energy: &'a [Energy],
) -> impl Iterator<Item = (&'a str, &'a SiteEnergy)> {
    let sites = federation.sites.iter().zip(energy);
    sites.filter_map(|(site, energy)| Some((site.name.as_str(), energy.plant.as_ref()?)))
}

pub(super) fn rows<'a>(federation: &'a Federation, energy: &'a [Energy]) -> Vec<Row<'a>> {
    plants(federation, energy).map(|(name, energy)| row(name, energy)).collect()
}

fn row<'a>(name: &'a str, energy: &SiteEnergy) -> Row<'a> {
    let mwh = |energy: Joules| energy.as_kilowatt_hours() / 1e3;
    let of = |category| energy.indicators.iter().find(|of| of.category == category);
    let pue = |category| of(category).map(|of| of.pue);
    let (uses, within) = (&energy.uses, of(Category::Three));
    Row {
        name,
        metered_mwh: mwh(energy.metered),
        modelled_mwh: mwh(uses.meter()),
        nodes_mwh: mwh(uses.nodes),
        network_and_storage_mwh: mwh(uses.beside),
        conversion_mwh: mwh(uses.conversion),
        pumps_mwh: mwh(uses.pumps),
        fans_mwh: mwh(uses.fans),
        compressors_mwh: mwh(uses.compressors),
        heat_pumps_mwh: mwh(uses.heat_pumps),
        building_mwh: mwh(uses.building),
        heat_reused_mwh: mwh(energy.reused),
        water_m3: energy.water.as_litres() / 1e3,
        blown_down_m3: energy.blown_down.as_litres() / 1e3,
        carbon_location_based_t: energy.carbon.0 / 1e3,
        no_compressor_h: energy.free.0 / 3_600.0,
        too_warm_h: energy.short.0 / 3_600.0,
        pue_category_1: pue(Category::One),
        pue_category_2: pue(Category::Two),
        pue_category_3: pue(Category::Three),
        wue_l_per_kwh: within.map(|of| of.wue),
        cue_kg_per_kwh: within.map(|of| of.cue),
        erf: within.map(|of| of.reused),
        interim: within.is_none_or(|of| of.interim),
    }
}

pub(super) fn bands<'a>(federation: &'a Federation, energy: &'a [Energy]) -> Vec<Band<'a>> {
    let of_site = |(site, energy): (&'a str, &'a SiteEnergy)| {
        energy.bands.iter().map(move |(lower, band)| Band {
            site,
            dry_bulb: format!("{lower} to {} °C", lower + BAND),
            hours_h: band.time.0 / 3_600.0,
            pue: band.pue(),
            wue_l_per_kwh: band.wue(),
        })
    };
    plants(federation, energy).flat_map(of_site).collect()
}
