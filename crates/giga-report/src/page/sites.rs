//! The sites: where they are, what they have, what they delivered and at what price.

use giga_control::SiteTotals;
use giga_model::{Federation, Site};
use giga_units::{Amount as _, Power, grouped};

use super::Report;
use super::frame::Section;
use super::headline::{part, parts};
use super::part::{Bar, Cell, Column, bars, begin, behind, legend, sorted, table};
use crate::figures::{carbon, energy, money, percent, power};

/// What a site's connection carries once every phase is open.
pub(super) fn connection(site: &Site) -> Power {
    site.phases.iter().map(|phase| phase.power).sum()
}

/// The section.
pub(super) fn section(report: &Report<'_>) -> Section {
    let (federation, summary) = (report.federation, report.summary);
    let sites = || federation.sites.iter().zip(&summary.sites);
    let about = "What each site's installed accelerator time became, in parts of it. Electricity price and carbon \
                 intensity are those of the description; the connection is that of all phases.";
    let marks = parts(&summary.time).map(|(class, word, _)| (class, word.to_owned()));
    let tag = begin("sites", "Sites", about)
        .put(legend(marks))
        .put(bars("sites", sites().map(|(site, sums)| bar(site, sums))))
        .put(behind("table of sites", listed(federation, sites())));
    Section::new("sites", "Sites", tag)
}

fn bar(site: &Site, sums: &SiteTotals) -> Bar {
    let whole = sums.time.installed;
    let lines = parts(&sums.time).map(|(_, word, time)| format!("{word}: {}", percent(time, whole)));
    Bar {
        name: format!("{} ({})", site.name, site.country.code()),
        figure: format!("{} delivered", percent(sums.time.delivered, whole)),
        tip: format!("{}\n{}", site.name, lines.join("\n")),
        parts: parts(&sums.time).map(|(class, _, time)| (class, part(time, whole))).to_vec(),
        tick: None,
    }
}

fn accelerators(federation: &Federation, site: &Site) -> u64 {
    site.pools.iter().map(|pool| federation.accelerators_in(*pool)).sum()
}

fn listed<'a>(
    federation: &Federation,
    sites: impl Iterator<Item = (&'a Site, &'a SiteTotals)>,
) -> super::tag::Tag {
    let figures = [
        "accelerators",
        "delivered",
        "energy",
        "peak",
        "of",
        "electricity",
        "carbon intensity",
        "carbon",
        "cost",
    ];
    let columns =
        [&[Column::Words("site"), Column::Words("country")], &figures.map(Column::Figures)[..]].concat();
    let rows = sites.map(|(site, sums)| -> Vec<Cell> {
        let accelerators = accelerators(federation, site);
        let size = |power: Power| power.as_milliwatts() as f64;
        vec![
            site.name.as_str().into(),
            site.country.code().into(),
            sorted(grouped(accelerators), accelerators as f64),
            sorted(
                percent(sums.time.delivered, sums.time.installed),
                part(sums.time.delivered, sums.time.installed),
            ),
            sorted(energy(sums.energy), sums.energy.as_megawatt_hours_f64()),
            sorted(power(sums.peak), size(sums.peak)),
            sorted(power(connection(site)), size(connection(site))),
            sorted(site.electricity_price.written(), site.electricity_price.as_microeuro_per_kwh() as f64),
            sorted(site.carbon_intensity.written(), site.carbon_intensity.as_milligrams_per_kwh() as f64),
            sorted(carbon(sums.carbon), sums.carbon.as_tonnes_f64()),
            sorted(money(sums.cost), sums.cost.as_euro_f64()),
        ]
    });
    table("sites", &columns, rows)
}
