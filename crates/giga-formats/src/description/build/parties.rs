//! Owners, programmes and projects.

use std::collections::BTreeMap;
use std::ops::Range;

use giga_model::{Owner, OwnerId, Preempt, Programme, ProgrammeId, Project};
use giga_units::Fraction;

use super::AllNames;
use super::data::sites_at;
use crate::description::diagnostic::Findings;
use crate::description::meaning::Meaning;
use crate::description::record::Record;
use crate::description::table::PROJECTS_MAX;

/// The owners.
pub(super) fn owners(root: &Record) -> Vec<Owner> {
    let name = |record: &Record| record.text("name").unwrap_or_default().to_owned();
    root.tables("owner").iter().map(|record| Owner { name: name(record) }).collect()
}

/// The programmes.
pub(super) fn programmes(root: &Record) -> Vec<Programme> {
    let programme = |record: &Record| Programme {
        name: record.text("name").unwrap_or_default().to_owned(),
        priority: record.count("priority").and_then(|count| i32::try_from(count).ok()).unwrap_or_default(),
        gang_max: record.count("gang_max").and_then(|count| u32::try_from(count).ok()),
        limit_max: record.amount("limit_max"),
        preempt: record.text("preempt").and_then(Preempt::parse).unwrap_or(Preempt::Saved),
        protected: record.flag("protected"),
        use_max: record.amount("use_max"),
        price_per_hour: record.amount("price"),
    };
    root.tables("programme").iter().map(programme).collect()
}

/// The projects, those made by `count` one by one.
pub(super) fn projects(root: &Record, names: &AllNames<'_>, findings: &mut Findings) -> Vec<Project> {
    let total: u64 = root.tables("project").iter().filter_map(|record| record.count("count")).sum();
    if total > PROJECTS_MAX {
        let largest = root.tables("project").iter().max_by_key(|record| record.count("count"));
        let record = largest.expect("there are projects where their sum is large");
        findings.add(&record.span_of("count"), record.path_of("count"), &Meaning::TooManyProjects);
        return Vec::new();
    }
    let mut projects = Vec::new();
    let mut taken = BTreeMap::<String, Range<usize>>::new();
    for record in root.tables("project") {
        let Some(pattern) = project(record, names, findings) else { continue };
        for name in copies(&pattern.name, record.count("count").unwrap_or(1)) {
            if taken.insert(name.clone(), record.span_of("name")).is_some() {
                let fault = Meaning::NameTwice { what: "project", name: name.clone() };
                findings.add(&record.span_of("name"), record.path_of("name"), &fault);
                break;
            }
            projects.push(Project { name, ..pattern.clone() });
        }
    }
    projects
}

fn project(record: &Record, names: &AllNames<'_>, findings: &mut Findings) -> Option<Project> {
    let programme = names.programmes.at(record, "programme", findings);
    let owner = names.owners.at(record, "owner", findings);
    let sites = sites_at(record, "sites", names, findings);
    Some(Project {
        name: record.text("name")?.to_owned(),
        programme: ProgrammeId::at(programme?),
        owner: OwnerId::at(owner?),
        weight: record.factor("weight").unwrap_or(Fraction::ONE),
        sites,
        until: record.date("until"),
    })
}

/// `name` alone, or `name-01` to `name-NN`.
fn copies(name: &str, count: u64) -> impl Iterator<Item = String> {
    let width = count.to_string().len().max(2);
    (1..=count)
        .map(move |number| if count == 1 { name.to_owned() } else { format!("{name}-{number:0width$}") })
}
