//! Series of a site: which of their forms was written, and the hours of further files.

use giga_units::{Duration, Instant, grouped};

use super::super::beside::Open;
use super::{Gap, quoted};
use crate::description::diagnostic::{Elsewhere, Explain, Findings, nearest};
use crate::description::field::{CARBON_INTENSITY, ENERGY_PRICE, Kind};
use crate::description::hours::{self, Hours, Wanted};
use crate::description::published::{self, Refused};
use crate::description::record::{Origin, Record, Value};
use crate::description::zones::{CARBON_SOURCE, PRICE_SOURCE};
use crate::price_shape::PriceShape;

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
            known_shape(series, findings);
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

/// The built-in shape that a series names; those of carbon have none.
fn shape(series: &Record) -> Option<&str> {
    series.section.field("shape").and_then(|field| series.text(field.key))
}

/// Refuses a shape that is not built in.
fn known_shape(series: &mut Record, findings: &mut Findings) {
    let Some(name) = shape(series).filter(|name| PriceShape::find(name).is_none()) else { return };
    let all = || PriceShape::all().iter().map(|shape| shape.zone);
    let fault =
        Gap::UnknownShape { shape: name.to_owned(), nearest: nearest(name, all()), known: quoted(all()) };
    findings.add(&series.span_of("shape"), series.path_of("shape"), &fault);
    series.broken = true;
}

/// Says where prices follow a built-in shape, where a built-in price or carbon intensity is the same in every hour, and on whose word;
/// nothing where none does.
pub(super) fn built_in(root: &Record) -> Option<String> {
    let sites = || root.tables("site").iter().map(|site| (site, site.text("name").unwrap_or_default()));
    let flat = |key, series| {
        let is_filled = |site: &Record| {
            let entry = site.entry(key);
            !site.has(series) && entry.is_some_and(|entry| matches!(entry.origin, Origin::Filled(_)))
        };
        sites().filter_map(|(site, name)| is_filled(site).then_some(name)).collect::<Vec<_>>()
    };
    let shaped = sites().filter_map(|(site, name)| {
        let shape = site.table("price_series").and_then(shape)?;
        Some(format!("{name} ({shape})"))
    });
    let shaped: Vec<String> = shaped.collect();
    let (prices, carbon) =
        (flat("electricity_price", "price_series"), flat("carbon_intensity", "carbon_series"));
    let its = |source: &str| source.replace("in zone", "in its zone");
    let price = format!("one price ({})", its(PRICE_SOURCE));
    let intensity = format!("one carbon intensity ({})", its(CARBON_SOURCE));
    let mut told = Vec::new();
    if !shaped.is_empty() {
        let at = quoted(shaped.iter().map(String::as_str));
        told.push(format!("prices by the built-in shape of a zone in 2023 (months, hours, weekends, no spikes) around the site's mean at {at}"));
    }
    if !prices.is_empty() && prices == carbon {
        told.push(format!("{price} and {intensity} in every hour at {}", quoted(prices)));
    } else {
        let each = [(price, prices), (intensity, carbon)].into_iter().filter(|(_, sites)| !sites.is_empty());
        told.extend(each.map(|(figure, sites)| format!("{figure} in every hour at {}", quoted(sites))));
    }
    let told = told.join("; ");
    (!told.is_empty())
        .then(|| format!("electricity: {told}; hours come with `price_series` and `carbon_series`"))
}

/// A series is a file, hours, a built-in shape, or a cosine.
fn form(series: &Record) -> Result<(), Gap> {
    let (peak, swing) = (series.has("peak_hour"), series.has("swing"));
    let forms = [series.has("file") || series.has("values"), shape(series).is_some(), peak || swing];
    match forms.into_iter().filter(|form| *form).count() {
        0 => Err(Gap::NoSeries),
        1 if peak != swing => Err(Gap::HalfCosine),
        1 => Ok(()),
        _ => Err(Gap::TwoSeries),
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
