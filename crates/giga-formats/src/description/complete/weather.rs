//! Weather of a site: the hours of a weather file, or those that are written.

use giga_units::{Duration, Instant, grouped};

use super::super::beside::Open;
use super::Gap;
use super::series::anchored;
use crate::description::diagnostic::{Elsewhere, Findings};
use crate::description::record::{Record, Value};
use crate::series::{self, Quantity, Table};

const KEYS: [&str; 3] = ["dry_bulb", "humidity", "pressure"];
/// Hours of a leap year: what lies beyond begins again anyhow.
const HOURS_MAX: usize = 8_784;

/// Judges the weather of all sites, and fills in the hours of those that name a file.
pub(super) fn complete(root: &mut Record, open: &Open<'_>, findings: &mut Findings, notes: &mut Vec<String>) {
    let start = root.date("start").unwrap_or_default();
    for site in root.tables_mut("site") {
        let name = site.text("name").unwrap_or_default().to_owned();
        let Some(weather) = site.table_mut("weather").filter(|weather| !weather.broken) else { continue };
        let written = KEYS.map(|key| weather.numbers(key).len());
        match (written, weather.text("file").map(str::to_owned)) {
            ([0, 0, 0], Some(file)) => {
                if let Some(table) = opened(weather, &file, open, findings) {
                    let note = fill(weather, &file, &table, start);
                    notes.push(format!("`{name}`, weather: {note}"));
                }
            }
            ([0, 0, 0], None) => refuse(weather, &Gap::NoWeather, findings),
            ([dry, humidity, pressure], _) if dry != humidity || dry != pressure => {
                refuse(weather, &Gap::UnevenWeather, findings);
            }
            _ => {}
        }
        if !weather.broken {
            weather.fill("first", Value::Date(start), "the start of the federation");
        }
    }
}

fn refuse(weather: &mut Record, fault: &Gap, findings: &mut Findings) {
    findings.add(&weather.span, weather.path.clone(), fault);
    weather.broken = true;
}

/// The table of a weather file that has hours of dry bulb and humidity.
fn opened(weather: &mut Record, file: &str, open: &Open<'_>, findings: &mut Findings) -> Option<Table> {
    let (span, path) = (weather.span_of("file"), weather.path_of("file"));
    weather.broken = true;
    let text = match open(file) {
        Ok(text) => text,
        Err(error) => {
            findings.add(&span, path, &Gap::Unreadable { file: file.to_owned(), error });
            return None;
        }
    };
    let table = match series::read_rows(&text) {
        Ok(table) => table,
        Err(rows) => {
            for row in rows {
                let place = Elsewhere { file, text: &text, line: row.line, marked: row.marked };
                findings.add_elsewhere(&place, path.clone(), &row.fault);
            }
            return None;
        }
    };
    let has = |quantity| table.column(quantity).is_some();
    let sound = has(Quantity::DryBulb) && has(Quantity::RelativeHumidity);
    if !sound || table.step != Duration::hours(1) || table.len() > HOURS_MAX {
        let fault = Gap::OtherWeather { file: file.to_owned(), found: table.dialect.words() };
        findings.add(&span, path, &fault);
        return None;
    }
    weather.broken = false;
    Some(table)
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
        column.values.iter().map(|value| libm::round(value.min(most) * 1e3) as i64).collect::<Vec<_>>()
    };
    let pressure = match table.column(Quantity::Pressure) {
        Some(column) => column.values.iter().map(|value| libm::round(*value) as i64).collect(),
        None => {
            let metres = table.place.altitude.unwrap_or(0.0);
            note.push_str(&format!("; pressure is that of the standard atmosphere at {metres:.0} m"));
            vec![standard_pressure(metres); table.len()]
        }
    };
    weather.fill("first", Value::Date(first), "the first hour of `file`, in the year of the start");
    weather.fill("dry_bulb", Value::Numbers(thousandths(Quantity::DryBulb, 70.0)), &note);
    weather.fill("humidity", Value::Numbers(thousandths(Quantity::RelativeHumidity, 100.0)), &note);
    weather.fill("pressure", Value::Numbers(pressure), &note);
    note
}

/// Pa at so many metres above the sea by the standard atmosphere (ISO 2533), below 11 km.
fn standard_pressure(metres: f64) -> i64 {
    libm::round(101_325.0 * libm::pow(1.0 - 0.0065 * metres / 288.15, 5.255_88)) as i64
}

#[cfg(test)]
mod tests {
    use super::standard_pressure;

    #[test]
    fn pressure_falls_with_height_as_the_standard_says() {
        assert_eq!(standard_pressure(0.0), 101_325);
        // ISO 2533 has 898.75 hPa at 1,000 m and 794.95 hPa at 2,000 m.
        assert!(
            (standard_pressure(1_000.0) - 89_875).abs() < 5
                && (standard_pressure(2_000.0) - 79_495).abs() < 5
        );
    }
}
