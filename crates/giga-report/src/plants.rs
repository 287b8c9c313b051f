//! Sites with a plant on the screen: where their energy, heat and water went, and how fast the power of sites changed.

use giga_control::energy::{Energy, SiteEnergy};
use giga_control::{Ramps, Summary};
use giga_facility::indicators::{Category, Indicators};
use giga_facility::quantity::{Joules, Kilograms, Seconds};
use giga_model::{Federation, Site};
use giga_units::grouped;

use crate::figures::{energy, power};

/// Energy in the unit that suits it.
pub(crate) fn joules(amount: Joules) -> String {
    energy(giga_units::Energy::joules(amount.0.max(0.0).round() as i128))
}

/// Water in cubic metres.
pub(crate) fn water(amount: Kilograms) -> String {
    format!("{:.0} m³", amount.as_litres() / 1e3)
}

/// A part of energy in percent.
pub(crate) fn part(amount: Joules, whole: Joules) -> String {
    if whole > Joules::ZERO { format!("{:.2} %", amount / whole * 100.0) } else { "–".to_owned() }
}

fn part_of_time(amount: Seconds, whole: Seconds) -> String {
    if whole > Seconds::ZERO { format!("{:.1} %", amount / whole * 100.0) } else { "–".to_owned() }
}

/// The indicators of the innermost category.
pub(crate) fn within(energy: &SiteEnergy) -> Option<&Indicators> {
    energy.indicators.iter().find(|of| of.category == Category::Three)
}

/// Energy by plants: sites that have one.
pub(crate) fn sites<'a>(
    federation: &'a Federation,
    energy: &'a [Energy],
) -> impl Iterator<Item = (&'a Site, &'a SiteEnergy)> {
    federation.sites.iter().zip(energy).filter_map(|(site, energy)| Some((site, energy.plant.as_ref()?)))
}

/// The heads of the columns.
pub(crate) const COLUMNS: [&str; 11] = [
    "plant",
    "by its model",
    "nodes",
    "network, storage",
    "conversion",
    "cooling",
    "WUE [L/kWh]",
    "water",
    "heat reused",
    "no compressor",
    "too warm",
];

/// A row for a site.
pub(crate) fn row(site: &Site, energy: &SiteEnergy) -> Vec<String> {
    let (uses, meter) = (&energy.uses, energy.uses.meter());
    let cooling = uses.pumps + uses.fans + uses.compressors + uses.heat_pumps + uses.building;
    let of = |read: fn(&Indicators) -> f64, decimals: usize| {
        within(energy).map_or_else(|| "–".to_owned(), |of| format!("{:.decimals$}", read(of)))
    };
    vec![
        site.name.clone(),
        joules(meter),
        part(uses.nodes, meter),
        part(uses.beside, meter),
        part(uses.conversion, meter),
        part(cooling, meter),
        of(|of| of.wue, 2),
        water(energy.water),
        joules(energy.reused),
        part_of_time(energy.free, energy.time),
        format!("{} h", grouped((energy.short.0 / 3_600.0).round() as u64)),
    ]
}

/// What the books metered beside the plants, in a sentence; nothing where no site has one.
pub(crate) fn beside_books(federation: &Federation, energy: &[Energy]) -> Option<String> {
    let sum = |of: fn(&SiteEnergy) -> Joules| {
        sites(federation, energy).map(|(_, energy)| of(energy)).sum::<Joules>()
    };
    let (metered, modelled) = (sum(|energy| energy.metered), sum(|energy| energy.uses.meter()));
    (modelled > Joules::ZERO).then(|| {
        let more = (metered / modelled - 1.0) * 100.0;
        format!(
            "books meter by lines above the plants: {} in all, {more:+.2} %; PUE and WUE are of category 3, water that is taken at the site",
            joules(metered)
        )
    })
}

/// A sentence for each site whose power may change only so fast.
pub(crate) fn ramps(federation: &Federation, summary: &Summary) -> Vec<String> {
    let sites = federation.sites.iter().zip(&summary.ramps);
    let told = |(site, ramps): (&Site, &Ramps)| {
        let most = power(site.ramp_most?);
        let (up, down) = (power(ramps.minute.up), power(ramps.minute.down));
        Some(format!(
            "ramps of {}: at most {up} up and {down} down within a minute; {} times over {most}",
            site.name,
            grouped(ramps.over)
        ))
    };
    sites.filter_map(told).collect()
}
