//! Where the energy, heat and water of sites with a plant went and how good that was, and where the energy of sites with a supply came
//! from. There is no such section where no site has either.

use giga_control::energy::{BAND, SiteEnergy};
use giga_model::Site;

use super::Report;
use super::frame::Section;
use super::part::{Cell, Column, begin, behind, sorted, table};
use super::tag::{Tag, said};
use crate::plants::{beside_books, joules, part, ramps, sites, water, within};
use crate::supply;

/// The section, or `None` where no site has a plant and none limits its ramps.
pub(super) fn section(report: &Report<'_>) -> Option<Section> {
    let (federation, energy) = (report.federation, &report.facts.energy);
    let has_plants = sites(federation, energy).next().is_some();
    let ramps = ramps(federation, report.summary);
    let has_supply = supply::ways(federation, energy).next().is_some();
    let remarks = supply::remarks(federation, energy);
    if !has_plants && !has_supply && ramps.is_empty() && remarks.is_empty() {
        return None;
    }
    let about = if has_plants { OF_PLANTS } else { "What became of the energy of sites." };
    let tag = begin("plants", "Energy, heat and water", about)
        .put(has_plants.then(|| uses(report)))
        .put(beside_books(federation, energy).map(|text| said("p", text)))
        .put(has_plants.then(|| indicators(report)))
        .put(has_plants.then(|| behind("by temperature outside", bands(report))))
        .all(ramps.into_iter().map(|text| said("p", text)))
        .put(has_supply.then(|| sources(report)))
        .put(has_supply.then(|| said("p", OF_SUPPLY)))
        .all(remarks.into_iter().map(|text| said("p", text)));
    Some(Section::new("plants", "Energy, heat and water", tag))
}

const OF_PLANTS: &str = "What the plant of each site makes of what its nodes drew, by the mean of each hour and in steady flow. It looks back \
                         and is charged to nobody: the books meter by lines above the plant.";

const OF_SUPPLY: &str = "Supply looks back as well: orders for the battery by a rule on the prices of the day, by an optimum made anew each day from \
                         what is known then, and by the optimum of all hours, which nobody can know; regret is what each costs more than that. \
                         Cost has the bill and wear; regret also what unserved load would have been worth, and what the battery lacks at the \
                         end. What the books charged is electricity at the price of the exchange and what lies on top of it.";

fn sources(report: &Report<'_>) -> Tag {
    let (words, figures) = supply::COLUMNS.split_at(2);
    let columns: Vec<Column<'_>> = words
        .iter()
        .map(|name| Column::Words(name))
        .chain(figures.iter().map(|name| Column::Figures(name)))
        .collect();
    let ways = supply::ways(report.federation, &report.facts.energy);
    table(
        "energy by source",
        &columns,
        ways.map(|(site, way)| supply::row(site, way).into_iter().map(Cell::from).collect::<Vec<_>>()),
    )
}

fn rows<'a>(
    report: &'a Report<'_>,
    row: impl Fn(&'a Site, &'a SiteEnergy) -> Vec<Cell>,
) -> impl Iterator<Item = Vec<Cell>> {
    sites(report.federation, &report.facts.energy).map(move |(site, energy)| row(site, energy))
}

fn uses(report: &Report<'_>) -> Tag {
    let words = giga_control::energy::Uses::default().parts().map(|(word, _)| Column::Figures(word));
    let columns = [&[Column::Words("site"), Column::Figures("at the meter")][..], &words].concat();
    let rows = rows(report, |site, energy| {
        let meter = energy.uses.meter();
        let mut cells = vec![site.name.as_str().into(), sorted(joules(meter), meter.0)];
        cells.extend(energy.uses.parts().map(|(_, used)| {
            sorted(part(used, meter), used / meter.max(giga_facility::quantity::Joules(1.0)))
        }));
        cells
    });
    table("energy by use", &columns, rows)
}

fn indicators(report: &Report<'_>) -> Tag {
    let interim = if report.summary.is_interim() { "interim, " } else { "" };
    let pue = format!("{interim}PUE 1");
    let figures = [
        &pue,
        "PUE 2",
        "PUE 3",
        "WUE [L/kWh]",
        "CUE [kg/kWh]",
        "ERF",
        "water",
        "heat reused",
        "location-based",
    ];
    let columns = [&[Column::Words("site")][..], &figures.map(Column::Figures)].concat();
    let rows = rows(report, |site, energy| {
        let figure = |value: Option<f64>| {
            value.map_or_else(|| "–".into(), |value| sorted(format!("{value:.3}"), value))
        };
        let mut cells: Vec<Cell> = vec![site.name.as_str().into()];
        cells.extend((0..3).map(|at| figure(energy.indicators.get(at).map(|of| of.pue))));
        let of = within(energy);
        cells.extend([of.map(|of| of.wue), of.map(|of| of.cue), of.map(|of| of.reused)].map(figure));
        let tonnes = energy.carbon.0 / 1e3;
        cells.push(sorted(water(energy.water), energy.water.0));
        cells.push(sorted(joules(energy.reused), energy.reused.0));
        cells.push(sorted(format!("{tonnes:.1} t"), tonnes));
        cells
    });
    table("indicators of EN 50600-4 by category", &columns, rows)
}

fn bands(report: &Report<'_>) -> Tag {
    let figures = ["hours", "PUE", "WUE [L/kWh]"].map(Column::Figures);
    let columns = [&[Column::Words("site"), Column::Words("dry bulb")][..], &figures].concat();
    let rows = sites(report.federation, &report.facts.energy).flat_map(|(site, energy)| {
        energy.bands.iter().map(move |(lower, band)| -> Vec<Cell> {
            let figure = |value: Option<f64>| {
                value.map_or_else(|| "–".into(), |value| sorted(format!("{value:.3}"), value))
            };
            let hours = band.time.0 / 3_600.0;
            vec![
                site.name.as_str().into(),
                sorted(format!("{lower} to {} °C", lower + BAND), f64::from(*lower)),
                sorted(format!("{hours:.0}"), hours),
                figure(band.pue()),
                figure(band.wue()),
            ]
        })
    });
    table("PUE and WUE by temperature", &columns, rows)
}
