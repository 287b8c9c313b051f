//! Turns completed records into a federation: names become indices, capital becomes cost by the hour.
//!
//! What is faulty is reported and left out or set to nothing, so that the rest can be built and judged; the federation
//! is only given out when there was no fault.

mod agreements;
mod changed;
mod cooling;
mod cost;
mod data;
mod limits;
mod parties;
mod series;
mod shocks;
mod sites;
mod supply;
mod workload;

use std::collections::BTreeMap;
use std::ops::Range;

use giga_control::energy::Works;
use giga_model::{Federation, Policy, Project, Sharing};
use giga_units::Fraction;

use super::complete::quoted;
use super::diagnostic::{Findings, nearest};
use super::meaning::Meaning;
use super::record::Record;
use limits::Cut;
use shocks::World;
use sites::Placed;

/// A federation and where its parts stand in the file.
pub(crate) struct Built {
    pub(crate) federation: Federation,
    /// The shocks that happen, by name.
    pub(crate) shocks: Vec<String>,
    /// By site, what stands there beside its nodes.
    pub(crate) works: Vec<Works>,
    /// What readers should know of it, a sentence each.
    pub(crate) notes: Vec<String>,
    /// For every site what can be judged.
    pub(crate) sound: Vec<Sound>,
    /// For every pool the place where it was first named.
    pub(crate) pools: Vec<(Range<usize>, String)>,
}

/// What of a site was read without fault, so that it can be judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sound {
    /// Everything that its power balance needs.
    pub(crate) power: bool,
    /// The dates of its phases.
    pub(crate) dates: bool,
}

/// Builds the federation.
pub(crate) fn build(root: &Record, findings: &mut Findings) -> Built {
    let names = Names::of_all(root, findings);
    let rate = root.amount_or_zero::<Fraction>("discount_rate");
    let accelerators = sites::accelerators(root, rate, findings);
    let mut placed = sites::sites(root, &names, &accelerators, rate, findings);
    let mut projects = parties::projects(root, &names, findings);
    let programmes = parties::programmes(root);
    let shocks = times(root, &names, &mut placed, &mut projects, findings);
    // Whether a site can feed what it holds is judged by its own weather, not by that of a shock.
    for (sound, cooled) in placed.sound.iter_mut().zip(&placed.cooled) {
        sound.power &= cooled.as_ref().is_none_or(|cooled| cooled.changes.is_empty());
    }
    let datasets = data::datasets(root, &names, &placed.sites, findings);
    let sound = ["site", "dataset", "project"]
        .iter()
        .all(|key| !root.broken_at(key) && root.tables(key).iter().all(|record| !record.broken));
    let world = data::World { sites: &placed.sites, datasets: &datasets, projects: &projects, sound };
    let workload = workload::workload(root, &names, &programmes, &world, findings);
    let mut federation = Federation {
        name: root.text("name").unwrap_or_default().to_owned(),
        start: root.date("start").unwrap_or_default(),
        sites: placed.sites,
        pools: placed.pools,
        accelerators,
        owners: parties::owners(root),
        programmes,
        projects,
        datasets,
        network: data::network(root, &names, findings),
        carbon_price: root.amount_or_zero("carbon_price"),
        policy: policy(root),
        workload,
    };
    agreements::apply(root, &names, &mut federation, findings);
    let plants = placed.cooled.into_iter().map(|cooled| Some(cooled?.plant));
    let works = plants.zip(placed.sourcing).map(|(plant, sourcing)| Works { plant, sourcing }).collect();
    Built { federation, shocks, works, notes: placed.notes, sound: placed.sound, pools: placed.places }
}

/// Applies shocks, and lays the limits of all sites over each other. Gives the shocks that happen.
fn times(
    root: &Record,
    names: &AllNames<'_>,
    Placed { sites, cooled, sourcing, notes, .. }: &mut Placed,
    projects: &mut [Project],
    findings: &mut Findings,
) -> Vec<String> {
    let mut cuts: Vec<Vec<Cut>> =
        root.tables("site").iter().map(|site| limits::of_site(site, findings)).collect();
    for limit in root.tables("limit") {
        let places = limits::places(limit, names, sites, findings);
        let times = limits::cuts(limit, findings);
        places.into_iter().for_each(|site| cuts[site].extend(&times));
    }
    let mut uncooled = vec![Vec::new(); sites.len()];
    let mut world = World { sites, cooled, sourcing, projects, cuts: &mut cuts, uncooled: &mut uncooled };
    let shocks = shocks::apply(root, names, &mut world, findings);
    for (site, record) in sites.iter_mut().zip(root.tables("site")) {
        record.table("supply").into_iter().for_each(|supply| supply::surcharged(site, supply));
    }
    for ((((site, cooled), sourcing), cuts), uncooled) in
        sites.iter_mut().zip(cooled).zip(sourcing).zip(&cuts).zip(uncooled)
    {
        site.limits = limits::merged(cuts, &site.phases);
        if let Some(sourcing) = sourcing {
            notes.extend(supply::bridge(site, sourcing));
        }
        if let Some(cooled) = cooled {
            site.limits = cooled.lagged(site, &site.limits);
        }
        // Neither cooling that is lacking nor its limits are bridged.
        if !uncooled.is_empty() {
            let mut all = limits::cuts_of(&site.limits);
            all.extend(uncooled);
            site.limits = limits::merged(&all, &site.phases);
        }
    }
    shocks
}

fn policy(root: &Record) -> Policy {
    let Some(record) = root.table("policy") else { return Policy::default() };
    Policy {
        half_life: record.amount_or_zero("half_life"),
        sharing: record.text("sharing").and_then(Sharing::parse).unwrap_or(Sharing::Floors),
        grace: record.amount_or_zero("grace"),
        waiting_price: record.amount_or_zero("waiting_price"),
        rebind_gain: record.amount_or_zero("rebind_gain"),
        rebinds_max: record
            .count("rebinds_max")
            .and_then(|count| u8::try_from(count).ok())
            .unwrap_or_default(),
        reservations: record.count("reservations").and_then(|count| u16::try_from(count).ok()).unwrap_or(1),
    }
}

/// The names of a kind of thing, with the index of each.
struct Names<'r> {
    what: &'static str,
    /// Whether the list itself was faulty, so that no name can be said to be missing.
    broken: bool,
    ids: BTreeMap<&'r str, usize>,
}

impl<'r> Names<'r> {
    fn of(root: &'r Record, what: &'static str, findings: &mut Findings) -> Self {
        let mut ids = BTreeMap::new();
        for (index, record) in root.tables(what).iter().enumerate() {
            let Some(name) = record.text("name") else { continue };
            if ids.insert(name, index).is_some() {
                let fault = Meaning::NameTwice { what, name: name.to_owned() };
                findings.add(&record.span_of("name"), record.path_of("name"), &fault);
            }
        }
        Self { what, broken: root.broken_at(what), ids }
    }

    fn of_all(root: &'r Record, findings: &mut Findings) -> AllNames<'r> {
        AllNames {
            accelerators: Self::of(root, "accelerator", findings),
            sites: Self::of(root, "site", findings),
            owners: Self::of(root, "owner", findings),
            programmes: Self::of(root, "programme", findings),
            datasets: Self::of(root, "dataset", findings),
            has_unknown_country: root.broken_at("site")
                || root
                    .tables("site")
                    .iter()
                    .any(|site| site.text("country").and_then(giga_model::Country::parse).is_none()),
        }
    }

    /// The index of a name; a name that is not there is reported.
    fn find(&self, name: &str, span: &Range<usize>, path: String, findings: &mut Findings) -> Option<usize> {
        if let Some(&index) = self.ids.get(name) {
            return Some(index);
        }
        if self.broken {
            return None;
        }
        let catalogue = || match self.what {
            "accelerator" => super::catalogue::CATALOGUE.iter().map(|known| known.name).collect(),
            _ => Vec::new(),
        };
        let known = || self.ids.keys().copied().chain(catalogue());
        // The search is long where there are many names, and past hundreds of faults nobody reads it.
        let few = findings.count() < 500;
        let nearest = if few { nearest(name, known()).map(str::to_owned) } else { None };
        let fault =
            Meaning::UnknownName { what: self.what, name: name.to_owned(), nearest, known: quoted(known()) };
        findings.add(span, path, &fault);
        None
    }

    /// The index of the name at a key of a record; one that was faulty before is not reported again.
    fn at(&self, record: &Record, key: &str, findings: &mut Findings) -> Option<usize> {
        self.find(record.text(key)?, &record.span_of(key), record.path_of(key), findings)
    }
}

/// The names of every kind of thing that is referred to by name.
struct AllNames<'r> {
    accelerators: Names<'r>,
    sites: Names<'r>,
    owners: Names<'r>,
    programmes: Names<'r>,
    datasets: Names<'r>,
    /// Whether of a site it is not known where it is.
    has_unknown_country: bool,
}
