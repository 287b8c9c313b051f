//! Capacity factors of sources: the hours of further files, and a mean where a source needs one.

use giga_units::{Amount as _, Fraction, Instant, grouped};

use super::super::beside::Open;
use super::series::anchored;
use super::{Gap, hourly};
use crate::description::diagnostic::Findings;
use crate::description::record::{Record, Value};
use crate::series::{Quantity, Table};

const FACTORS: hourly::Wanted = hourly::Wanted {
    holds: |table| {
        [Quantity::CapacityFactor, Quantity::OfMean].into_iter().any(|of| table.column(of).is_some())
    },
    other: |file, found| Gap::OtherFactors { file, found },
};

/// Fills in the factors of all sources of all sites.
pub(super) fn complete(root: &mut Record, open: &Open<'_>, findings: &mut Findings, notes: &mut Vec<String>) {
    let start = root.date("start").unwrap_or_default();
    for site in root.tables_mut("site") {
        let name = site.text("name").unwrap_or_default().to_owned();
        let Some(supply) = site.table_mut("supply") else { continue };
        for (number, source) in supply.tables_mut("source").iter_mut().enumerate() {
            if let Some(note) = complete_one(source, start, open, findings) {
                notes.push(format!("`{name}`, source {number} of supply: {note}"));
            }
        }
    }
}

fn complete_one(
    source: &mut Record,
    start: Instant,
    open: &Open<'_>,
    findings: &mut Findings,
) -> Option<String> {
    let mean = source.amount::<Fraction>("mean");
    let (span, path) = (source.span.clone(), source.path.clone());
    let Some(factors) = source.table_mut("factors") else {
        if mean.is_none() && !source.broken {
            findings.add(&span, path, &Gap::NoFactors);
            source.broken = true;
        }
        return None;
    };
    let file = factors.text("file").map(str::to_owned);
    let note = match (factors.numbers("values").len(), file) {
        (0, Some(file)) => {
            let table = hourly::opened(factors, &file, &FACTORS, open, findings)?;
            Some(fill(factors, &file, &table, (mean, start), findings)?)
        }
        (0, None) => {
            if !factors.broken && !factors.broken_at("values") {
                findings.add(&factors.span, factors.path.clone(), &Gap::NoHours);
            }
            factors.broken = true;
            None
        }
        _ => None,
    };
    factors.fill("first", Value::Date(start), "the start of the federation");
    note
}

/// Puts the hours in as percent, and says what was made of the file.
fn fill(
    factors: &mut Record,
    file: &str,
    table: &Table,
    (mean, start): (Option<Fraction>, Instant),
    findings: &mut Findings,
) -> Option<String> {
    let first = anchored(table.first, table.len(), start);
    let mut note = format!("{} hours of `{file}` as used from {first}", grouped(table.len() as u64));
    let (column, by) = match (table.column(Quantity::CapacityFactor), table.column(Quantity::OfMean), mean) {
        (Some(column), ..) => (column, 1.0),
        (None, Some(column), Some(mean)) => {
            note.push_str(&format!("; a shape, with {} as its mean", mean.written()));
            (column, mean.as_f64())
        }
        _ => {
            let fault = Gap::NoMean { file: file.to_owned() };
            findings.add(&factors.span_of("file"), factors.path_of("file"), &fault);
            factors.broken = true;
            return None;
        }
    };
    let over = column.values.iter().filter(|value| **value * by > 1.0).count();
    if over > 0 {
        note.push_str(&format!(
            "; {} hours above the whole of its power count as that",
            grouped(over as u64)
        ));
    }
    let percent = column.values.iter().map(|value| libm::round((value * by).clamp(0.0, 1.0) * 1e5) as i64);
    factors.fill("first", Value::Date(first), "the first hour of `file`, in the year of the start");
    factors.fill("values", Value::Numbers(percent.collect()), &note);
    Some(note)
}
