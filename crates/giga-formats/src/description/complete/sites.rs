//! What a site takes from its zone, from the owners and from the start of the federation.

use giga_units::{Amount, Fraction};

use super::{Gap, fill, fill_table, names, quoted};
use crate::description::diagnostic::{Findings, nearest};
use crate::description::record::{Record, Share, Value};
use crate::description::zones::{CARBON_SOURCE, PRICE_SOURCE, ZONES, Zone};
use crate::price_shape::PriceShape;

/// Fills in shares, prices and dates of all sites.
pub(super) fn complete(root: &mut Record, findings: &mut Findings) {
    let (owners, start) = (names(root, "owner"), root.date("start"));
    for site in root.tables_mut("site") {
        shares(site, &owners);
        energy(site, findings);
        flexibility(site);
        for phase in site.tables_mut("phase") {
            if let Some(start) = start {
                phase.fill("opens", Value::Date(start), "the start of the federation");
            }
        }
    }
}

fn shares(site: &mut Record, owners: &[String]) {
    let Some(count) = u64::try_from(owners.len()).ok().filter(|&count| count > 0) else { return };
    let part = Fraction::ppm(Fraction::ONE.as_ppm() / count);
    let span = site.span.clone();
    let share = |name: &String| Share { name: name.clone(), span: span.clone(), part, text: part.written() };
    site.fill("shares", Value::Shares(owners.iter().map(share).collect()), "equal parts for all owners");
}

/// How work there can be made to draw less. What runs it for real, where there is such, can neither cap nor suspend yet.
fn flexibility(site: &mut Record) {
    let figures = if site.has("engine") {
        let source = "the engines there are cap nothing and suspend nothing";
        [("\"100 %\"", source), ("\"100 %\"", source), ("false", source)]
    } else {
        [
            ("\"60 %\"", "arXiv:2205.09646: 150 of 250 W; of other kinds and above idle an assumption"),
            ("\"93.6 %\"", "arXiv:2205.09646: under that cap large language models trained 6.8 % longer"),
            ("true", "Slurm: `scontrol suspend` stops a job that keeps nodes and memory"),
        ]
    };
    for (key, (text, source)) in ["cap_power", "cap_speed", "suspends"].iter().zip(figures) {
        fill(site, key, text, source);
    }
}

fn energy(site: &mut Record, findings: &mut Findings) {
    let zone = match zone_of(site) {
        Ok(zone) => zone,
        Err(fault) => {
            findings.add(&site.span_of("zone"), site.path_of("zone"), &fault);
            site.broken = true;
            return;
        }
    };
    let price = zone.and_then(|zone| zone.price);
    let is_written = site.has("electricity_price");
    figure(site, zone, ("electricity_price", "price of electricity", "\"50 EUR/MWh\""), price, findings);
    // A price that is written holds in every hour.
    if let Some(shape) = zone.filter(|_| !is_written).and_then(|zone| PriceShape::find(zone.name)) {
        let source = format!("no price is written: the built-in shape of zone {}", shape.zone);
        let span = site.span.clone();
        fill_table(site, "price_series", span, ("shape", shape.zone), &source);
    }
    let carbon = zone.and_then(|zone| zone.carbon);
    figure(site, zone, ("carbon_intensity", "carbon intensity", "\"100 gCO2e/kWh\""), carbon, findings);
}

/// The zone that a site names or lies in; an error where it names one that is not known or lies elsewhere.
fn zone_of(site: &Record) -> Result<Option<&'static Zone>, Gap> {
    let country = site.text("country");
    let Some(name) = site.text("zone") else {
        return Ok(ZONES.iter().find(|zone| zone.whole && Some(zone.country) == country));
    };
    let Some(zone) = ZONES.iter().find(|zone| zone.name == name) else {
        if site.has("electricity_price") && site.has("carbon_intensity") {
            return Ok(None);
        }
        let known = || ZONES.iter().map(|zone| zone.name);
        return Err(Gap::UnknownZone {
            zone: name.to_owned(),
            nearest: nearest(name, known()),
            known: quoted(known()),
        });
    };
    match country {
        Some(written) if written != zone.country => {
            Err(Gap::ZoneElsewhere { zone: zone.name, country: zone.country, written: written.to_owned() })
        }
        _ => Ok(Some(zone)),
    }
}

fn figure(
    site: &mut Record,
    zone: Option<&'static Zone>,
    (key, what, example): (&'static str, &'static str, &'static str),
    known: Option<&'static str>,
    findings: &mut Findings,
) {
    let source = if key == "electricity_price" { PRICE_SOURCE } else { CARBON_SOURCE };
    match (known, zone) {
        _ if site.has(key) => {}
        (Some(text), Some(zone)) => fill(site, key, text, &format!("{source} {}", zone.name)),
        _ if site.text("country").and_then(giga_model::Country::parse).is_none() => site.broken = true,
        _ => {
            let place = match (site.text("zone"), site.text("country")) {
                (Some(zone), _) => format!("zone {zone}"),
                (None, Some(country)) => format!("{country} without a `zone`"),
                (None, None) => return site.broken = true,
            };
            findings.add(
                &site.span_of("name"),
                site.path_of(key),
                &Gap::NoFigure { key, what, place, example },
            );
            site.broken = true;
        }
    }
}
