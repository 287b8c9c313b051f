//! Weather of a site: the hours of a weather file, of a built-in climate, or those that are written.

use std::collections::BTreeMap;

use giga_facility::air::standard_pressure;
use giga_facility::quantity::Metres;
use giga_units::{Instant, grouped};

use super::super::beside::Open;
use super::series::anchored;
use super::{Gap, fill_table, hourly, quoted};
use crate::climate::Climate;
use crate::description::diagnostic::{Findings, nearest};
use crate::description::record::{Origin, Record, Value};
use crate::series::{Quantity, Table};

const KEYS: [&str; 3] = ["dry_bulb", "humidity", "pressure"];
const WEATHER: hourly::Wanted = hourly::Wanted {
    holds: |table| {
        [Quantity::DryBulb, Quantity::RelativeHumidity].into_iter().all(|of| table.column(of).is_some())
    },
    other: |file, found| Gap::OtherWeather { file, found },
};

/// Weather files that were read, by name.
type Tables = BTreeMap<String, Table>;

/// Judges the weather of all sites, and fills in the hours of those that name a file or a built-in climate. Where it is not said what
/// air a plant works in, the built-in climate of the place serves.
pub(super) fn complete(root: &mut Record, open: &Open<'_>, findings: &mut Findings, notes: &mut Vec<String>) {
    let start = root.date("start").unwrap_or_default();
    // Sites of a region often name the same file.
    let mut read = Tables::new();
    for site in root.tables_mut("site") {
        let name = site.text("name").unwrap_or_default().to_owned();
        if site.has("cooling") && !site.has("weather") {
            stand_in(site, findings);
        }
        let Some(weather) = site.table_mut("weather").filter(|weather| !weather.broken) else { continue };
        if let Some(note) = filled(weather, (open, &mut read), start, findings) {
            notes.push(format!("`{name}`, weather: {note}"));
        }
        if !weather.broken {
            weather.fill("first", Value::Date(start), "the start of the federation");
        }
    }
}

/// Fills in the hours, and says what they are of.
fn filled(
    weather: &mut Record,
    (open, read): (&Open<'_>, &mut Tables),
    start: Instant,
    findings: &mut Findings,
) -> Option<String> {
    let [dry, humidity, pressure] = KEYS.map(|key| weather.numbers(key).len());
    let text = |key| weather.text(key).map(str::to_owned);
    match (text("file"), text("climate")) {
        (Some(_), Some(_)) => refuse(weather, &Gap::TwoWeathers, findings),
        _ if dry != humidity || dry != pressure => refuse(weather, &Gap::UnevenWeather, findings),
        (None, Some(climate)) => return built_in(weather, &climate, start, findings),
        (Some(file), None) if dry == 0 => {
            if !read.contains_key(&file) {
                let table = hourly::opened(weather, &file, &WEATHER, open, findings)?;
                read.insert(file.clone(), table);
            }
            return Some(fill(weather, &file, &read[&file], start));
        }
        (None, None) if dry == 0 => refuse(weather, &Gap::NoWeather, findings),
        _ => {}
    }
    None
}

/// Puts the built-in climate of the place where none is written.
fn stand_in(site: &mut Record, findings: &mut Findings) {
    let (country, zone) = (site.text("country"), site.text("zone"));
    if country.and_then(giga_model::Country::parse).is_none() {
        site.broken = true;
        return;
    }
    let Some(climate) = Climate::of_place(country, zone) else {
        let place = match zone {
            Some(zone) => format!("zone {zone}"),
            None => format!("{} without a `zone`", country.unwrap_or_default()),
        };
        let fault = Gap::NoClimate { place, known: all_climates() };
        findings.add(&site.span_of("cooling"), site.path_of("weather"), &fault);
        site.broken = true;
        return;
    };
    let source = format!("no weather is written: the built-in climate of {}", climate.place);
    let span = site.span_of("cooling");
    fill_table(site, "weather", span, ("climate", climate.name), &source);
}

/// The hours of a built-in climate. Where they are written already, as in the expanded form, they stay.
fn built_in(weather: &mut Record, name: &str, start: Instant, findings: &mut Findings) -> Option<String> {
    let Some(climate) = Climate::find(name) else {
        let names = Climate::all().iter().map(|climate| climate.name);
        let (climate, nearest) = (name.to_owned(), nearest(name, names));
        let fault = Gap::UnknownClimate { climate, nearest, known: all_climates() };
        findings.add(&weather.span_of("climate"), weather.path_of("climate"), &fault);
        weather.broken = true;
        return None;
    };
    let is_chosen = weather.entry("climate").is_some_and(|entry| entry.origin == Origin::Written);
    let others = Climate::all().iter().filter(|other| other.country == climate.country && other.name != name);
    let others: Vec<&str> = others.map(|other| other.name).collect();
    let note = format!(
        "{}the built-in climate of {} serves, a year made of monthly figures ({}), with the usual warm and cold spells and without \
         extremes{}",
        if is_chosen { "" } else { "none is written; " },
        climate.place,
        climate.source,
        match (is_chosen, others.as_slice()) {
            (true, _) | (_, []) => String::new(),
            (false, others) => format!("; others there are {}", quoted(others.iter().copied())),
        }
    );
    if weather.numbers("dry_bulb").is_empty() {
        let year = climate.year();
        let thousandths = |values: &mut dyn Iterator<Item = f64>| {
            values.map(|value| libm::round(value * 1e3) as i64).collect()
        };
        let begin = Instant::parse("2001-01-01").expect("a date");
        let hours = year.dry_bulb.len();
        weather.fill(
            "first",
            Value::Date(anchored(begin, hours, start)),
            "the first hour of the year of the start",
        );
        let dry_bulb = thousandths(&mut year.dry_bulb.iter().map(|value| value.0));
        weather.fill("dry_bulb", Value::Numbers(dry_bulb), &note);
        let humidity = thousandths(&mut year.humidity.iter().map(|value| value * 100.0));
        weather.fill("humidity", Value::Numbers(humidity), &note);
        weather.fill("pressure", Value::Numbers(vec![libm::round(year.pressure.0) as i64; hours]), &note);
    }
    Some(note)
}

fn all_climates() -> String {
    let mut names: Vec<&str> = Climate::all().iter().map(|climate| climate.name).collect();
    names.sort_unstable();
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn refuse(weather: &mut Record, fault: &Gap, findings: &mut Findings) {
    findings.add(&weather.span, weather.path.clone(), fault);
    weather.broken = true;
}

/// Puts the hours in, and says what was made of the file.
fn fill(weather: &mut Record, file: &str, table: &Table, start: Instant) -> String {
    let first = anchored(table.first, table.len(), start);
    let mut note = format!("{} hours of `{file}`: {}", grouped(table.len() as u64), table.dialect.words());
    note.push_str(&format!(" from {}", table.first));
    if first != table.first {
        note.push_str(&format!(", used from {first}"));
    }
    let filled: usize = table.columns.iter().flat_map(|column| &column.gaps).map(|gap| gap.count).sum();
    if filled > 0 {
        note.push_str(&format!("; filled values: {}", grouped(filled as u64)));
    }
    let thousandths = |quantity, most: f64| {
        let column = table.column(quantity).expect("it was looked for");
        column
            .values
            .iter()
            .map(|value| libm::round(value.clamp(-60.0, most) * 1e3) as i64)
            .collect::<Vec<_>>()
    };
    let pressure = match table.column(Quantity::Pressure) {
        Some(column) => {
            column.values.iter().map(|value| libm::round(value.clamp(6e4, 1.1e5)) as i64).collect()
        }
        None => {
            let metres = table.place.altitude.unwrap_or(0.0);
            note.push_str(&format!("; pressure is that of the standard atmosphere at {metres:.0} m"));
            vec![libm::round(standard_pressure(Metres(metres)).0) as i64; table.len()]
        }
    };
    weather.fill("first", Value::Date(first), "the first hour of `file`, in the year of the start");
    weather.fill("dry_bulb", Value::Numbers(thousandths(Quantity::DryBulb, 60.0)), &note);
    weather.fill("humidity", Value::Numbers(thousandths(Quantity::RelativeHumidity, 100.0)), &note);
    weather.fill("pressure", Value::Numbers(pressure), &note);
    note
}
