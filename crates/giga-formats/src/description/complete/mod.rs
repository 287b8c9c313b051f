//! Fills in what the field table leaves to a rule: parties, prices, catalogue entries, classes of work.
//!
//! Afterwards a record holds everything that the build needs, each value with its source, so that the expanded form
//! is a plain print of it. What is written is never changed; what can not be filled is reported here.

mod classes;
pub(super) mod cooling;
mod hourly;
mod series;
mod sites;
mod supply;
mod weather;

use std::ops::Range;

use thiserror::Error;

use super::beside::Beside;
use super::catalogue;
use super::decode::literal;
use super::diagnostic::{Explain, Findings};
use super::field::{Kind, Section};
use super::record::{Origin, Record, Value};

/// Most projects that are made where none is written.
const DEFAULT_PROJECTS_MAX: usize = 100_000;

/// A rule that found nothing to fill in.
#[derive(Debug, Error)]
pub(crate) enum Gap {
    #[error("no {what} is known for {place}")]
    NoFigure { key: &'static str, what: &'static str, place: String, example: &'static str },
    #[error("`{zone}` is not a zone with known figures")]
    UnknownZone { zone: String, nearest: Option<&'static str>, known: String },
    #[error("zone `{zone}` is in {country}, and the site is in {written}")]
    ZoneElsewhere { zone: &'static str, country: &'static str, written: String },
    #[error("`{name}` is not a built-in class of work")]
    UnknownClass { name: String, nearest: Option<&'static str>, known: String },
    #[error("{section} needs `{key}`: there are several {key}s")]
    Ambiguous { section: &'static str, key: &'static str, known: String },
    #[error(
        "there is no project, and {owners} owners under {programmes} programmes are too many to get one each"
    )]
    TooManyPairs { owners: usize, programmes: usize },
    #[error("a series names a file, hours, a built-in shape or a cosine, and here is none of them")]
    NoSeries,
    #[error("`{shape}` is no built-in shape of prices")]
    UnknownShape { shape: String, nearest: Option<&'static str>, known: String },
    #[error("these factors have neither a `file` nor hours")]
    NoHours,
    #[error("a series is a file, hours, a built-in shape or a cosine, and here are several")]
    TwoSeries,
    #[error("this series has only one of `peak_hour` and `swing`")]
    HalfCosine,
    #[error("a source needs `mean` or `factors`, and here is neither")]
    NoFactors,
    #[error("`{file}` says how its hours are to their mean, and not what that is")]
    NoMean { file: String },
    #[error("`{file}` is a {found}, and no year of capacity factors by the hour")]
    OtherFactors { file: String, found: &'static str },
    #[error("weather names a file, a built-in climate or hours, and here is none of them")]
    NoWeather,
    #[error("weather names a file or a built-in climate, and here are both")]
    TwoWeathers,
    #[error("no built-in climate stands for {place}")]
    NoClimate { place: String, known: String },
    #[error("`{climate}` is not a built-in climate")]
    UnknownClimate { climate: String, nearest: Option<&'static str>, known: String },
    #[error("`dry_bulb`, `humidity` and `pressure` have not as many hours each")]
    UnevenWeather,
    #[error("`{file}` is a {found}, and no year of weather by the hour with dry bulb and humidity")]
    OtherWeather { file: String, found: &'static str },
    #[error("`{file}` can not be read: {error}")]
    Unreadable { file: String, error: String },
    #[error("a class of work needs a `name`")]
    NoName,
    #[error("class `{class}` has no `{key}`")]
    NoClassKey { class: String, key: &'static str, example: &'static str },
}

impl Explain for Gap {
    fn help(&self) -> String {
        match self {
            Self::NoFigure { key, example, .. } => {
                format!(
                    "write `{key} = {example}` with the figure of the site, or a `zone` with known figures"
                )
            }
            Self::UnknownZone { nearest: Some(nearest), .. }
            | Self::UnknownClass { nearest: Some(nearest), .. }
            | Self::UnknownClimate { nearest: Some(nearest), .. }
            | Self::UnknownShape { nearest: Some(nearest), .. } => {
                format!("did you mean `{nearest}`?")
            }
            Self::UnknownZone { known, .. } => {
                format!(
                    "write one of {known}, or drop `zone` and write `electricity_price` and `carbon_intensity`"
                )
            }
            Self::UnknownClass { known, .. } => {
                format!("write one of {known}, or drop `like` and write all keys")
            }
            Self::ZoneElsewhere { country, .. } => {
                format!("write `country = \"{country}\"`, or another zone")
            }
            Self::Ambiguous { key, known, .. } => format!("write `{key} = …` with one of {known}"),
            Self::TooManyPairs { .. } => "add the tables [[project]] that there are".into(),
            Self::NoSeries => {
                "write `{ file = \"prices.csv\" }`, or `{ peak_hour = 19, swing = \"30 %\" }`".into()
            }
            Self::NoHours => "write `{ file = \"wind.csv\" }`, or `{ values = [0, 25, 100] }` in %".into(),
            Self::TwoSeries => "keep one of `file`, `values`, `shape`, or `peak_hour` with `swing`".into(),
            Self::HalfCosine => "write both, such as `peak_hour = 19` and `swing = \"30 %\"`".into(),
            Self::NoFactors => "write `mean = \"45 %\"`, or `factors = { file = \"wind.csv\" }`".into(),
            Self::NoMean { .. } => "write `mean = \"28 %\"` beside `factors`".into(),
            Self::OtherFactors { .. } => {
                "name a column of a year's hours from 0 to 1; `giga series` shows what a file holds".into()
            }
            Self::NoWeather => "write `{ file = \"lyon.epw\" }`, or `{ climate = \"lyon\" }`".into(),
            Self::TwoWeathers => "keep one of `file` and `climate`".into(),
            Self::NoClimate { known, .. } => {
                format!(
                    "write `weather = {{ file = \"lyon.epw\" }}`, or `{{ climate = … }}` with the nearest of {known}"
                )
            }
            Self::UnknownShape { known, .. } => {
                format!("write one of {known}, or `file` with prices by the hour")
            }
            Self::UnknownClimate { known, .. } => {
                format!("write one of {known}, or `file` with a weather file")
            }
            Self::UnevenWeather => "write one value of each for every hour".into(),
            Self::OtherWeather { .. } => {
                "name a weather file of up to one year; `giga series` shows what a file holds".into()
            }
            Self::Unreadable { .. } => "write the path as it is from the folder of the description".into(),
            Self::NoName => "write `name`, or `like` with the name of a built-in class".into(),
            Self::NoClassKey { key, example, .. } => {
                format!("write for example `{key} = {example}`, or use `like`")
            }
        }
    }
}

/// Fills in everything that a rule gives. What readers should know of it is told in `notes`.
pub(crate) fn complete(
    root: &mut Record,
    beside: &Beside<'_>,
    findings: &mut Findings,
    notes: &mut Vec<String>,
) {
    parties(root);
    projects(root, findings);
    sites::complete(root, findings);
    series::complete(root, beside.open, findings, notes);
    weather::complete(root, beside.open, findings, notes);
    supply::complete(root, beside.open, findings, notes);
    cooling::complete(root, findings, notes);
    notes.extend(series::built_in(root));
    links(root);
    shocked(root, beside.shocks);
    classes::complete(root, findings);
    accelerators(root);
}

/// Fills a key with a built-in text.
fn fill(record: &mut Record, key: &str, text: &str, source: &str) {
    if !record.has(key) {
        let field = record.section.field(key).expect("only keys of the section are filled");
        record.fill(key, literal(field, text, &record.path, &record.span), source);
    }
}

/// Fills a key with a table of one text, where there is none.
fn fill_table(record: &mut Record, key: &str, span: Range<usize>, (inner, text): (&str, &str), source: &str) {
    let Some(Kind::Table(section)) = record.section.field(key).map(|field| field.kind) else {
        unreachable!("`{key}` is a table")
    };
    let mut table = Record::new(section, record.path_of(key), span, Origin::Filled(source.to_owned()));
    table.fill(inner, Value::Text(text.to_owned()), source);
    presets(&mut table);
    record.fill(key, Value::Table(table), source);
}

/// The section of a list of tables.
fn section_of(root: &Record, key: &str) -> &'static Section {
    match root.section.field(key).map(|field| field.kind) {
        Some(Kind::Tables(section, _)) => section,
        _ => unreachable!("`{key}` is a list of tables"),
    }
}

/// A new record for a list, at the place of `root`.
fn made(root: &Record, key: &str, source: &str, texts: &[(&str, &str)]) -> Record {
    let origin = Origin::Filled(source.to_owned());
    let mut record = Record::new(section_of(root, key), format!("{key}[+]"), root.span.clone(), origin);
    for (key, text) in texts {
        record.fill(key, Value::Text((*text).to_owned()), source);
    }
    presets(&mut record);
    record
}

/// Fills in what the field table presets.
fn presets(record: &mut Record) {
    for field in record.section.fields {
        if let super::field::Preset::Is(text) = field.preset {
            fill(record, field.key, text, field.source);
        }
    }
}

fn parties(root: &mut Record) {
    let only = [("owner", "everyone"), ("programme", "open")];
    for (key, name) in only {
        if !root.has(key) {
            let source = "none is written";
            let record = made(root, key, source, &[("name", name)]);
            root.append(key, vec![record], source);
        }
    }
}

/// The sound names of a list of tables, in its order.
fn names(root: &Record, key: &str) -> Vec<String> {
    root.tables(key).iter().filter_map(|record| record.text("name")).map(str::to_owned).collect()
}

fn projects(root: &mut Record, findings: &mut Findings) {
    let (owners, programmes) = (names(root, "owner"), names(root, "programme"));
    if !root.has("project") && owners.len() * programmes.len() > DEFAULT_PROJECTS_MAX {
        let fault = Gap::TooManyPairs { owners: owners.len(), programmes: programmes.len() };
        return findings.add(&root.span, "project", &fault);
    }
    if !root.has("project") {
        return root.append("project", default_projects(root, &owners, &programmes), "none is written");
    }
    for record in root.tables_mut("project") {
        for (key, names) in [("programme", &programmes), ("owner", &owners)] {
            match names.as_slice() {
                _ if record.has(key) => {}
                [] => record.broken = true,
                [only] => record.fill(key, Value::Text(only.clone()), "the only one there is"),
                several => {
                    let known = quoted(several.iter().map(String::as_str));
                    let fault = Gap::Ambiguous { section: record.section.name, key, known };
                    findings.add(&record.span, record.path_of(key), &fault);
                    record.broken = true;
                }
            }
        }
    }
}

fn default_projects(root: &Record, owners: &[String], programmes: &[String]) -> Vec<Record> {
    let alone = owners.len() * programmes.len() == 1;
    let pairs = owners.iter().flat_map(|owner| programmes.iter().map(move |programme| (owner, programme)));
    let record = |(owner, programme): (&String, &String)| {
        let name = if alone { "all".to_owned() } else { format!("{owner}-{programme}") };
        let texts = [("name", name.as_str()), ("programme", programme), ("owner", owner)];
        made(root, "project", "none is written", &texts)
    };
    pairs.map(record).collect()
}

/// A link is as the network where nothing else is said of it.
fn links(root: &mut Record) {
    let keys = ["rate", "cost_per_terabyte"];
    let common = keys.map(|key| root.table("network").and_then(|network| network.entry(key)).cloned());
    for link in root.tables_mut("link") {
        for (key, entry) in keys.iter().zip(&common) {
            if let Some(entry) = entry {
                link.fill(key, entry.value.clone(), "that of [network]");
            }
        }
    }
}

/// Adds the shocks that the caller names to those of the file.
fn shocked(root: &mut Record, more: &[&str]) {
    if root.broken_at("shocked") {
        return;
    }
    let mut names = root.names("shocked").to_vec();
    let known = names.len();
    // The call has no lines: what is wrong with its names shows where the shocks begin.
    let place = root.tables("shock").first().map_or_else(|| root.span.clone(), |shock| shock.span.clone());
    for name in more {
        if names.iter().all(|(other, _)| other != name) {
            names.push(((*name).to_owned(), place.clone()));
        }
    }
    if names.len() > known {
        let field = root.section.field("shocked").expect("the file has shocks");
        let (span, origin) = (root.span_of("shocked"), Origin::Filled("named in the call".to_owned()));
        root.put(super::record::Entry { field, value: Value::Names(names), span, origin });
    }
}

/// Adds the entries of the catalogue that are named and not defined in the file.
fn accelerators(root: &mut Record) {
    let mut defined = names(root, "accelerator");
    let mut added = Vec::new();
    for name in named_accelerators(root) {
        let Some(known) = catalogue::find(&name).filter(|_| !defined.contains(&name)) else { continue };
        let mut record = made(root, "accelerator", "built-in catalogue", &[("name", &name)]);
        for (key, text, source) in known.figures {
            refill(&mut record, key, text, source);
        }
        defined.push(name);
        added.push(record);
    }
    root.append("accelerator", added, "built-in catalogue");
}

/// Puts a figure of the catalogue in the place of a general default.
fn refill(record: &mut Record, key: &str, text: &str, source: &str) {
    let field = record.section.field(key).expect("the catalogue has only keys of the section");
    let value = literal(field, text, &record.path, &record.span);
    let (span, origin) = (record.span.clone(), Origin::Filled(source.to_owned()));
    record.put(super::record::Entry { field, value, span, origin });
}

/// Every name of an accelerator in pools and classes, in the order of the file.
fn named_accelerators(root: &Record) -> Vec<String> {
    let phases = root.tables("site").iter().flat_map(|site| site.tables("phase"));
    let pools = phases.flat_map(|phase| phase.tables("pool")).filter_map(|pool| pool.text("accelerator"));
    let classes = root.table("workload").into_iter().flat_map(|workload| workload.tables("class"));
    let asked = classes.flat_map(|class| class.names("accelerators")).map(|(name, _)| name.as_str());
    let mut seen = std::collections::BTreeSet::new();
    pools.chain(asked).filter(|name| seen.insert(*name)).map(str::to_owned).collect()
}

/// Names in backticks, at most twenty of them.
pub(crate) fn quoted<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut names = names.into_iter();
    let mut shown: Vec<String> = names.by_ref().take(20).map(|name| format!("`{name}`")).collect();
    let more = names.count();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}
