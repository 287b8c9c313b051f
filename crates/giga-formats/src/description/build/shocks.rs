//! Shocks: all are judged, and those that are chosen are applied to what was built.

use giga_model::{Project, Site};
use giga_units::{Duration, Instant};

use super::limits::{Cut, cut, places};
use super::{AllNames, Names};
use crate::description::diagnostic::Findings;
use crate::description::meaning::Meaning;
use crate::description::record::Record;

/// What a shock does.
enum Shock {
    /// Sites get less power.
    Cut { sites: Vec<usize>, cut: Cut },
    /// Phases of a site open later.
    Delay { site: usize, by: Duration },
    /// The projects of an owner send nothing more.
    Leave { owner: usize, at: Instant },
}

const KINDS: [&str; 4] = ["limit", "delay", "leave", "heat"];

/// Applies the shocks that happen: phases move, projects end. Gives their names in the order in which they were
/// chosen. What they cut comes to `cuts`, by site.
pub(super) fn apply(
    root: &Record,
    names: &AllNames<'_>,
    sites: &mut [Site],
    projects: &mut [Project],
    cuts: &mut [Vec<Cut>],
    findings: &mut Findings,
) -> Vec<String> {
    let known = Names::of(root, "shock", findings);
    let records = root.tables("shock");
    let mut shocks: Vec<Option<Shock>> =
        records.iter().map(|record| shock(record, names, sites, findings)).collect();
    let mut applied = Vec::new();
    for (name, span) in root.names("shocked") {
        let Some(index) = known.find(name, span, root.path_of("shocked"), findings) else { continue };
        applied.push(name.clone());
        match shocks[index].take() {
            None => {}
            Some(Shock::Cut { sites, cut }) => sites.into_iter().for_each(|site| cuts[site].push(cut)),
            Some(Shock::Delay { site, by }) => {
                delay(&mut sites[site], by, root.date("start").unwrap_or_default());
            }
            Some(Shock::Leave { owner, at }) => leave(projects, owner, at),
        }
    }
    applied
}

fn shock(record: &Record, names: &AllNames<'_>, sites: &[Site], findings: &mut Findings) -> Option<Shock> {
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| record.has(kind)).collect();
    let &[kind] = kinds.as_slice() else {
        let name = record.text("name").unwrap_or_default().to_owned();
        findings.add(&record.span, record.path.clone(), &Meaning::ShockKinds { name, count: kinds.len() });
        return None;
    };
    let below = record.table(kind)?;
    match kind {
        "limit" | "heat" => {
            let sites = places(below, names, sites, findings);
            Some(Shock::Cut { sites, cut: cut(below, findings)? })
        }
        "delay" => {
            Some(Shock::Delay { site: names.sites.at(below, "site", findings)?, by: below.amount("by")? })
        }
        _ => Some(Shock::Leave { owner: names.owners.at(below, "owner", findings)?, at: below.date("at")? }),
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
