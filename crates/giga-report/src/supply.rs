//! Where the energy of sites with a supply came from: by the ways of giving orders to a battery.

use giga_control::energy::{Energy, Way};
use giga_facility::quantity::{Euros, Joules};
use giga_model::{Federation, Site};
use giga_units::Money;

use crate::figures::money;
use crate::plants::joules;

/// Every way of every site that has a supply.
pub(crate) fn ways<'a>(
    federation: &'a Federation,
    energy: &'a [Energy],
) -> impl Iterator<Item = (&'a Site, &'a Way)> {
    let sites = federation.sites.iter().zip(energy);
    sites.flat_map(|(site, energy)| energy.ways.iter().flatten().flatten().map(move |way| (site, way)))
}

/// A sentence for each site whose supply could not be worked out, or did not have what its work drew.
pub(crate) fn remarks(federation: &Federation, energy: &[Energy]) -> Vec<String> {
    let sites = federation.sites.iter().zip(energy);
    let told = |(site, energy): (&Site, &Energy)| match energy.ways.as_ref()? {
        Err(error) => Some(format!("the supply of {} can not be worked out: {error}", site.name)),
        Ok(ways) => {
            let lacking = ways.iter().filter(|way| way.energy.unserved.as_kilowatt_hours() >= 1.0);
            let told: Vec<String> =
                lacking.map(|way| format!("{} ({})", joules(way.energy.unserved), way.name)).collect();
            (!told.is_empty()).then(|| {
                let told = told.join(", ");
                format!("the supply of {} did not have all that its work drew, and lacked {told}", site.name)
            })
        }
    };
    sites.filter_map(told).collect()
}

/// The heads of the columns.
pub(crate) const COLUMNS: [&str; 15] = [
    "supply",
    "battery by",
    "load",
    "grid",
    "peak",
    "wind, sun, hydro",
    "curtailed",
    "from battery",
    "backup",
    "unserved",
    "fed in",
    "cost",
    "regret",
    "carbon by place, by market",
    "REF",
];

/// Euro in the unit that suits it.
pub(crate) fn euros(Euros(amount): Euros) -> String {
    money(Money::microeuro((amount * 1e6).round() as i128))
}

/// A row for a way.
pub(crate) fn row(site: &Site, way: &Way) -> Vec<String> {
    let energy = &way.energy;
    let made: Joules = energy.used.values().copied().sum();
    let regret = way.regret.share.map_or_else(|| "–".to_owned(), |share| format!("{:.2} %", share * 100.0));
    vec![
        site.name.clone(),
        way.name.to_owned(),
        joules(energy.load),
        joules(energy.imported),
        format!("{:.2} MW", way.peak.0 / 1e6),
        joules(made),
        joules(energy.curtailed),
        joules(energy.discharged),
        joules(energy.backup),
        joules(energy.unserved),
        joules(energy.exported),
        euros(way.money.bill()),
        regret,
        format!("{:.1} t, {:.1} t", way.carbon.location.0 / 1e3, way.carbon.market.0 / 1e3),
        way.renewable.map_or_else(|| "–".to_owned(), |share| format!("{share:.3}")),
    ]
}
