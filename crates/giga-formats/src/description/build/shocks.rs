//! Shocks: all are judged, and those that are chosen are applied to what was built.

use std::sync::Arc;

use giga_control::energy::Sourcing;
use giga_facility::cooling::Working;
use giga_facility::quantity::Kelvin;
use giga_facility::supply::Kind;
use giga_model::{Project, Site};
use giga_units::{Duration, EnergyPrice, Fraction, Instant};

use super::changed::{Span, changed};
use super::cooling::{Change, Cooled};
use super::limits::{Cut, cut, cuts, places};
use super::{AllNames, Names, supply};
use crate::description::diagnostic::Findings;
use crate::description::meaning::Meaning;
use crate::description::record::Record;
use crate::description::warmth::Difference;

/// What a shock does.
enum Shock {
    /// Sites get less power.
    Cut { sites: Vec<usize>, cuts: Vec<Cut> },
    /// The cooling of sites can do less, so that they may draw less.
    Hot { sites: Vec<usize>, cuts: Vec<Cut> },
    /// Warmer air at sites, or a part of their plants out.
    Plant { sites: Vec<usize>, change: Change },
    /// Another price or carbon intensity.
    Price { sites: Vec<usize>, span: Span, price: Price },
    /// What sources of a kind, or all, make.
    Sources { sites: Vec<usize>, span: Span, kind: Option<Kind>, times: Fraction },
    /// Phases of a site open later.
    Delay { site: usize, by: Duration },
    /// The projects of an owner send nothing more.
    Leave { owner: usize, at: Instant },
}

/// How a price changes.
#[derive(Clone, Copy)]
struct Price {
    times: Fraction,
    plus: EnergyPrice,
    carbon_times: Fraction,
}

/// What shocks change.
pub(super) struct World<'w> {
    pub(super) sites: &'w mut [Site],
    pub(super) cooled: &'w mut [Option<Cooled>],
    pub(super) sourcing: &'w mut [Option<Sourcing>],
    pub(super) projects: &'w mut [Project],
    /// By site, what the grid gives less.
    pub(super) cuts: &'w mut [Vec<Cut>],
    /// By site, what its plant can cool less.
    pub(super) uncooled: &'w mut [Vec<Cut>],
}

/// An hour but for its last millisecond.
const ALMOST: Duration = Duration::milliseconds(3_599_999);

const KINDS: [&str; 7] = ["limit", "delay", "leave", "heat", "plant", "price", "sources"];

/// Applies the shocks that happen. Gives their names in the order in which they were chosen.
pub(super) fn apply(
    root: &Record,
    names: &AllNames<'_>,
    world: &mut World<'_>,
    findings: &mut Findings,
) -> Vec<String> {
    let known = Names::of(root, "shock", findings);
    let start = root.date("start").unwrap_or_default();
    let World { sites, sourcing, .. } = &*world;
    let mut judge = Judge { root, names, start, sites, sourcing, findings };
    let mut shocks: Vec<Option<Shock>> =
        root.tables("shock").iter().map(|record| judge.shock(record)).collect();
    let mut applied = Vec::new();
    for (name, span) in root.names("shocked") {
        let Some(index) = known.find(name, span, root.path_of("shocked"), findings) else { continue };
        applied.push(name.clone());
        if let Some(shock) = shocks[index].take() {
            world.happen(shock, start);
        }
    }
    world.heat(start);
    applied
}

impl World<'_> {
    fn happen(&mut self, shock: Shock, start: Instant) {
        match shock {
            Shock::Cut { sites, cuts } => sites.into_iter().for_each(|site| self.cuts[site].extend(&cuts)),
            Shock::Hot { sites, cuts } => {
                sites.into_iter().for_each(|site| self.uncooled[site].extend(&cuts));
            }
            Shock::Plant { sites, change } => {
                for site in sites {
                    self.cooled[site].iter_mut().for_each(|cooled| cooled.changes.push(change));
                }
            }
            Shock::Price { sites, span, price } => {
                sites.into_iter().for_each(|site| reprice(&mut self.sites[site], start, span, price));
            }
            Shock::Sources { sites, span, kind, times } => {
                for site in sites {
                    self.sourcing[site].iter_mut().for_each(|all| make(all, start, span, (kind, times)));
                }
            }
            Shock::Delay { site, by } => delay(&mut self.sites[site], by, start),
            Shock::Leave { owner, at } => leave(self.projects, owner, at),
        }
    }

    /// Works out anew what plants under a shock draw, and how far they can cool.
    fn heat(&mut self, start: Instant) {
        let sites = self.sites.iter_mut().zip(self.cooled.iter_mut()).zip(self.uncooled.iter_mut());
        for ((site, cooled), uncooled) in sites {
            let Some(cooled) = cooled.as_mut().filter(|cooled| !cooled.changes.is_empty()) else { continue };
            let Some(shocked) = cooled.shocked(site, start) else { continue };
            site.overheads = Some(Arc::new(shocked.overheads));
            site.weather = Some(shocked.weather);
            uncooled.extend(shocked.cuts);
        }
    }
}

/// Reads shocks.
struct Judge<'w, 'r> {
    root: &'w Record,
    names: &'w AllNames<'r>,
    start: Instant,
    sites: &'w [Site],
    sourcing: &'w [Option<Sourcing>],
    findings: &'w mut Findings,
}

impl Judge<'_, '_> {
    fn shock(&mut self, record: &Record) -> Option<Shock> {
        let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| record.has(kind)).collect();
        let &[kind] = kinds.as_slice() else {
            let name = record.text("name").unwrap_or_default().to_owned();
            let fault = Meaning::ShockKinds { name, count: kinds.len() };
            self.findings.add(&record.span, record.path.clone(), &fault);
            return None;
        };
        let below = record.table(kind)?;
        match kind {
            "limit" => {
                let sites = places(below, self.names, self.sites, self.findings);
                Some(Shock::Cut { sites, cuts: cuts(below, self.findings) })
            }
            "heat" => self.heat(below),
            "plant" => self.plant(below),
            "price" => self.price(below),
            "sources" => self.sources(below),
            "delay" => {
                let site = self.names.sites.at(below, "site", self.findings)?;
                Some(Shock::Delay { site, by: below.amount("by")? })
            }
            _ => {
                let owner = self.names.owners.at(below, "owner", self.findings)?;
                Some(Shock::Leave { owner, at: below.date("at")? })
            }
        }
    }

    fn heat(&mut self, below: &Record) -> Option<Shock> {
        match (below.amount::<Difference>("warmer").map(Kelvin::from), below.has("part")) {
            (None, true) => {
                let sites = places(below, self.names, self.sites, self.findings);
                Some(Shock::Hot { sites, cuts: cut(below, self.findings).into_iter().collect() })
            }
            (Some(Kelvin(warmer)), false) => {
                let change = Change { span: self.span(below)?, warmer, working: Working::default() };
                Some(Shock::Plant { sites: self.cooled_places(below)?, change })
            }
            _ if below.broken => None,
            _ => {
                self.findings.add(&below.span, below.path.clone(), &Meaning::HeatKinds);
                None
            }
        }
    }

    fn plant(&mut self, below: &Record) -> Option<Shock> {
        let left = |key| below.amount::<Fraction>(key).map(Fraction::as_f64);
        let working = Working { rejection: left("rejection")?, chillers: left("chillers")? };
        self.changes(below, working != Working::default())?;
        let change = Change { span: self.span(below)?, warmer: 0.0, working };
        Some(Shock::Plant { sites: self.cooled_places(below)?, change })
    }

    fn price(&mut self, below: &Record) -> Option<Shock> {
        let price = Price {
            times: below.factor("times")?,
            plus: below.amount("plus")?,
            carbon_times: below.factor("carbon_times")?,
        };
        let is_other = |fraction: Fraction| fraction != Fraction::ONE;
        let changes = is_other(price.times) || is_other(price.carbon_times);
        self.changes(below, changes || price.plus != EnergyPrice::default())?;
        let sites = places(below, self.names, self.sites, self.findings);
        Some(Shock::Price { sites, span: self.span(below)?, price })
    }

    /// A shock that changes nothing is a fault.
    fn changes(&mut self, below: &Record, does: bool) -> Option<()> {
        if !does {
            self.findings.add(&below.span, below.path.clone(), &Meaning::ShockIdle);
        }
        does.then_some(())
    }

    fn sources(&mut self, below: &Record) -> Option<Shock> {
        let kind = below.text("kind").map(supply::kind);
        let sites = places(below, self.names, self.sites, self.findings);
        let has = |site: &usize| {
            let sources = self.sourcing[*site].iter().flat_map(|sourcing| &sourcing.supply.parts().sources);
            sources.into_iter().any(|source| kind.is_none_or(|kind| kind == source.kind))
        };
        // What a site with a faulty supply has is not known.
        let is_known = |site: &usize| {
            let record = self.root.tables("site").get(*site);
            self.sourcing[*site].is_some() || record.is_some_and(|record| !record.has("supply"))
        };
        if !sites.is_empty() && sites.iter().all(is_known) && !sites.iter().any(has) {
            self.findings.add(&below.span, below.path.clone(), &Meaning::NoSources);
            return None;
        }
        Some(Shock::Sources { sites, span: self.span(below)?, kind, times: below.factor("times")? })
    }

    /// Sites that have a plant; one that has none is a fault.
    fn cooled_places(&mut self, below: &Record) -> Option<Vec<usize>> {
        let sites = places(below, self.names, self.sites, self.findings);
        let has = |site: usize| self.root.tables("site").get(site).is_some_and(|site| site.has("cooling"));
        let bare = sites.iter().find(|&&site| !has(site));
        let Some(&bare) = bare else { return Some(sites) };
        let fault = Meaning::NoCooling { site: self.sites[bare].name.clone() };
        self.findings.add(&below.span, below.path.clone(), &fault);
        None
    }

    /// From when until when, in whole hours around it.
    fn span(&mut self, below: &Record) -> Option<Span> {
        let (from, length) = (below.date("from")?, below.amount::<Duration>("for")?);
        let span = Span {
            from: Instant::of_hour(from.hour()),
            until: Instant::of_hour((from + length + ALMOST).hour()),
        };
        let is_near = from >= self.start && span.until <= self.start + Duration::days(10 * 366);
        if !is_near {
            self.findings.add(&below.span_of("from"), below.path_of("from"), &Meaning::ShockFar);
        }
        is_near.then_some(span)
    }
}

/// So many times what a millionth is of.
fn times(value: i64, by: Fraction) -> i64 {
    i64::try_from(i128::from(value) * i128::from(by.as_ppm()) / 1_000_000).unwrap_or(i64::MAX)
}

/// Capacity factors stay within nothing and all.
fn make(sourcing: &mut Sourcing, start: Instant, span: Span, (kind, by): (Option<Kind>, Fraction)) {
    let sources = &sourcing.supply.parts().sources;
    for (factors, source) in sourcing.factors.iter_mut().zip(sources) {
        if kind.is_none_or(|kind| kind == source.kind) {
            let to = |value| times(value, by).clamp(0, 100_000);
            *factors = changed(Some(factors), 0, (start, span), to);
        }
    }
}

fn reprice(site: &mut Site, start: Instant, span: Span, price: Price) {
    // The widest that a price may be written, so that no sum of prices can overflow: 100,000 EUR/MWh.
    let most = 100_000_000;
    let mean = site.electricity_price.as_microeuro_per_kwh();
    let plus = price.plus.as_microeuro_per_kwh();
    let to = |value| times(value, price.times).saturating_add(plus).clamp(-most, most);
    site.price_series = Some(changed(site.price_series.as_ref(), mean, (start, span), to));
    if price.carbon_times != Fraction::ONE {
        let mean = site.carbon_intensity.as_milligrams_per_kwh();
        let to = |value| times(value, price.carbon_times).clamp(0, most);
        site.carbon_series = Some(changed(site.carbon_series.as_ref(), mean, (start, span), to));
    }
}

/// Phases after the start come later; where none does, all of them.
fn delay(site: &mut Site, by: Duration, start: Instant) {
    let later = site.phases.iter().any(|phase| phase.opens > start);
    for phase in site.phases.iter_mut().filter(|phase| !later || phase.opens > start) {
        phase.opens = phase.opens + by;
    }
}

fn leave(projects: &mut [Project], owner: usize, at: Instant) {
    for project in projects.iter_mut().filter(|project| project.owner.index() == owner) {
        project.until = Some(project.until.map_or(at, |until| until.min(at)));
    }
}
