//! Series of a site: which of their three forms was written, and the hours of further files.

use giga_units::{Duration, Instant, grouped};

use super::super::beside::Open;
use super::{Gap, quoted};
use crate::description::diagnostic::{Elsewhere, Explain, Findings};
use crate::description::field::{CARBON_INTENSITY, ENERGY_PRICE, Kind};
use crate::description::hours::{self, Hours, Wanted};
use crate::description::published::{self, Refused};
use crate::description::record::{Origin, Record, Value};
use crate::description::zones::{CARBON_SOURCE, PRICE_SOURCE};

/// Judges the series of all sites, and fills in the hours of those that name a file. What was filled or left out is told
/// in `notes`.
pub(super) fn complete(root: &mut Record, open: &Open<'_>, findings: &mut Findings, notes: &mut Vec<String>) {
    let start = root.date("start").unwrap_or_default();
    for site in root.tables_mut("site") {
        let name = site.text("name").unwrap_or_default().to_owned();
        for key in ["price_series", "carbon_series"] {
            let Some(series) = site.table_mut(key) else { continue };
            if let Err(fault) = form(series) {
                findings.add(&series.span, series.path.clone(), &fault);
                series.broken = true;
            }
            if let (false, false, Some(file)) = (series.broken, series.has("values"), series.text("file")) {
                let file = file.to_owned();
                if let Some(found) = opened(series, &file, open, findings) {
                    notes.push(format!("`{name}`, {key}: {}", fill(series, &file, found, start)));
                }
            }
            if series.has("values") {
                series.fill("first", Value::Date(start), "the start of the federation");
            }
        }
    }
}

/// Says at which sites a built-in price or carbon intensity is the same in every hour, and on whose word; nothing where none is.
pub(super) fn flat(root: &Record) -> Option<String> {
    let at = |key, series| {
        let is_filled = |site: &&Record| {
            let entry = site.entry(key);
            !site.has(series) && entry.is_some_and(|entry| matches!(entry.origin, Origin::Filled(_)))
        };
        let sites = root.tables("site").iter().filter(is_filled);
        sites.map(|site| site.text("name").unwrap_or_default()).collect::<Vec<_>>()
    };
    let prices = at("electricity_price", "price_series");
    let carbon = at("carbon_intensity", "carbon_series");
    let its = |source: &str| source.replace("in zone", "in its zone");
    let price = format!("one price ({})", its(PRICE_SOURCE));
    let intensity = format!("one carbon intensity ({})", its(CARBON_SOURCE));
    let told = match (prices.is_empty(), carbon.is_empty()) {
        (true, true) => return None,
        (false, false) if prices == carbon => {
            format!("{price} and {intensity} in every hour at {}", quoted(prices))
        }
        (false, false) => {
            format!("{price} in every hour at {}, {intensity} at {}", quoted(prices), quoted(carbon))
        }
        (false, true) => format!("{price} in every hour at {}", quoted(prices)),
        (true, false) => format!("{intensity} in every hour at {}", quoted(carbon)),
    };
    Some(format!("electricity: {told}; hours come with `price_series` and `carbon_series`"))
}

/// A series is a file, hours, or a cosine.
fn form(series: &Record) -> Result<(), Gap> {
    let hours = series.has("file") || series.has("values");
    let (peak, swing) = (series.has("peak_hour"), series.has("swing"));
    match (hours, peak, swing) {
        (true, false, false) | (false, true, true) => Ok(()),
        (false, false, false) => Err(Gap::NoSeries),
        (true, ..) => Err(Gap::TwoSeries),
        (false, ..) => Err(Gap::HalfCosine),
    }
}

/// The hours of the file that a series names.
fn opened(series: &mut Record, file: &str, open: &Open<'_>, findings: &mut Findings) -> Option<Hours> {
    let text = match open(file) {
        Ok(text) => text,
        Err(error) => {
            let fault = Gap::Unreadable { file: file.to_owned(), error };
            findings.add(&series.span_of("file"), series.path_of("file"), &fault);
            series.broken = true;
            return None;
        }
    };
    let field = series.section.field("values").expect("a series has values");
    let Kind::Numbers { min, max, .. } = field.kind else { unreachable!("values are numbers") };
    let of = if series.path.ends_with("price_series") { &ENERGY_PRICE } else { &CARBON_INTENSITY };
    let unit = series.text("unit").unwrap_or(of.units[0].0);
    let wanted = Wanted { column: series.text("column"), unit, of, range: (min, max) };
    let path = series.path_of("file");
    let mut tell = |line, marked, fault: &dyn Explain| {
        findings.add_elsewhere(&Elsewhere { file, text: &text, line, marked }, &path, fault);
    };
    match published::read(&text, &wanted) {
        Some(Ok(hours)) => return Some(hours),
        Some(Err(Refused::Rows(rows))) => {
            rows.into_iter().for_each(|row| tell(row.line, row.marked, &row.fault));
        }
        Some(Err(Refused::Whole(fault))) => tell(1, 0..0, &fault),
        None => match hours::read(&text, &wanted) {
            Ok(hours) => return Some(hours),
            Err(rows) => rows.into_iter().for_each(|row| tell(row.line, row.marked, &row.fault)),
        },
    }
    series.broken = true;
    None
}

/// Puts the hours in, and says what was made of the file.
fn fill(series: &mut Record, file: &str, found: Hours, start: Instant) -> String {
    let count = found.values.len();
    let first = anchored(found.first, count, start);
    let mut note = format!("{} hours of `{file}` from {}", grouped(count as u64), found.first);
    if first != found.first {
        note.push_str(&format!(", used from {first}"));
    }
    if found.filled > 0 {
        note.push_str(&format!("; {} without a value got that of the hour before", found.filled));
    }
    if found.doubled > 0 {
        note.push_str(&format!("; {} that came twice left out", found.doubled));
    }
    for part in &found.notes {
        note.push_str("; ");
        note.push_str(part);
    }
    series.fill("first", Value::Date(first), "the first hour of `file`, in the year of the start");
    series.fill("values", Value::Numbers(found.values), &note);
    note
}

/// When the first of so many hours begins to hold: as it stands in the file where the federation starts among them;
/// otherwise at the same hour of the year in which it starts.
pub(super) fn anchored(first: Instant, count: usize, start: Instant) -> Instant {
    let end = first + Duration::hours(i64::try_from(count).unwrap_or(i64::MAX / 3_600_000));
    if first <= start && start < end {
        return first;
    }
    let passed = first.since(year_begin(first));
    if passed >= Duration::days(365) {
        // The 366th day has no other in most years; a file that begins there, by a clock east of Greenwich, is of the year behind it.
        return year_begin(start) - first.next_year().since(first);
    }
    year_begin(start) + passed
}

fn year_begin(at: Instant) -> Instant {
    // Dates of a description lie between 1970 and 2200, so that their year has four digits.
    let text = at.to_string();
    text.get(..4).and_then(|year| Instant::parse(&format!("{year}-01-01"))).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_year_is_used_by_the_hour_of_the_year() {
        let date = |text| Instant::parse(text).expect("a date");
        let check =
            |first, start, expected| assert_eq!(anchored(date(first), 8_760, date(start)), date(expected));
        check("2023-01-01", "2027-01-01", "2027-01-01");
        check("2023-01-01", "2027-06-01", "2027-01-01");
        check("2022-12-31T23:00", "2027-06-01", "2027-12-31T23:00");
        check("2024-12-31T23:00", "2027-06-01", "2026-12-31T23:00");
        check("2024-12-30T23:00", "2027-06-01", "2027-12-31T23:00");
        check("2027-01-01", "2027-06-01", "2027-01-01");
        check("2026-07-01", "2027-06-01", "2026-07-01");
    }
}
