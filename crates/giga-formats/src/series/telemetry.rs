//! Telemetry of cooling units: seconds since a start, the heat of each unit in W, and the wet bulb outside.
//!
//! The file dates nothing; its beginning is put at 1970-01-01T00:00Z. A value holds until the next.

use super::cells::{Sheet, number, value};
use super::clock;
use super::fault::{Desk, SeriesFault};
use super::{Calendar, Dialect, Draft, Place, Quantity, Row, Rows};

pub(super) fn draft(text: &str, desk: &mut Desk) -> Option<Draft> {
    let sheet = Sheet::of(text);
    let columns: Vec<(String, Quantity)> =
        sheet.names[1..].iter().map(|name| ((*name).to_owned(), quantity(name))).collect();
    let mut rows = Vec::new();
    for &(line, row) in &sheet.rows {
        if desk.is_full() {
            break;
        }
        let Some(cells) = sheet.cells(line, row, desk) else { continue };
        let values: Result<Vec<_>, ()> = cells[1..]
            .iter()
            .zip(&columns)
            .map(|(cell, (name, of))| value(line, cell, name, *of, desk))
            .collect();
        let Ok(values) = values else { continue };
        // A century of seconds is well inside the whole numbers of a float.
        let seconds = number(cells[0].1).filter(|seconds| (0.0..=3.2e9).contains(seconds));
        let at = seconds.map(|seconds| libm::round(seconds * 1_000.0) as i64).and_then(clock::known);
        let Some(at) = at else {
            let fault = SeriesFault::field("time", cells[0].1, "a number of seconds since the start");
            desk.add(line, cells[0].0.clone(), fault);
            continue;
        };
        rows.push(Row { at, until: None, line, marked: cells[0].0.clone(), values });
    }
    Some(Draft {
        dialect: Dialect::Telemetry,
        place: Place { clock: "seconds since the start".into(), ..Place::default() },
        calendar: Calendar::Undated,
        step: None,
        columns,
        rows,
        made: Rows::default(),
        notes: vec!["the file has no dates; its start is put at 1970-01-01T00:00:00Z".into()],
    })
}

fn quantity(name: &str) -> Quantity {
    let name = name.to_lowercase();
    if name.starts_with("power[") {
        Quantity::Power
    } else if name.contains("wetbulb") || name.contains("wet bulb") {
        Quantity::WetBulb
    } else {
        Quantity::Number
    }
}
