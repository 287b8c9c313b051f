//! Any table with a header, a time in its first column and numbers in others; times are UTC unless they say otherwise.
//!
//! What a column is of follows from the unit in its name, where one stands there.

use super::cells::{BLANKS, Sheet, number, value};
use super::clock::{Clock, Moment};
use super::fault::{Desk, SeriesFault};
use super::{Calendar, Dialect, Draft, Place, Quantity, Row, Rows};

/// Rows by which columns of numbers are known.
const PROBE: usize = 48;

pub(super) fn draft(text: &str, desk: &mut Desk) -> Option<Draft> {
    let sheet = Sheet::of(text);
    let (columns, unread) = columns(&sheet);
    if columns.is_empty() {
        desk.add(1, 0..0, SeriesFault::NoField { field: "column of numbers" });
        return None;
    }
    let mut clock = Clock::utc();
    let mut rows = Vec::new();
    for &(line, row) in &sheet.rows {
        if desk.is_full() {
            break;
        }
        let Some(cells) = sheet.cells(line, row, desk) else { continue };
        let values: Result<Vec<_>, ()> =
            columns.iter().map(|&(at, of)| value(line, &cells[at], sheet.names[at], of, desk)).collect();
        let Ok(values) = values else { continue };
        let Some(Moment::At(at)) = clock.read(cells[0].1) else {
            desk.add(line, cells[0].0.clone(), SeriesFault::not_a_time(sheet.names[0], cells[0].1));
            continue;
        };
        rows.push(Row { at, until: None, line, marked: cells[0].0.clone(), values });
    }
    Some(Draft {
        dialect: Dialect::Plain,
        place: Place { clock: clock.name().to_owned(), ..Place::default() },
        calendar: Calendar::Dated,
        step: None,
        columns: columns.iter().map(|&(at, of)| (sheet.names[at].to_owned(), of)).collect(),
        rows,
        made: Rows::default(),
        notes: if unread.is_empty() { Vec::new() } else { vec![format!("not read: {}", unread.join(", "))] },
    })
}

/// Columns that hold numbers, and the names of those that do not.
fn columns(sheet: &Sheet<'_>) -> (Vec<(usize, Quantity)>, Vec<String>) {
    // A faulty cell is a fault of its row and does not make a column of words.
    let numbers = |at: usize| {
        let probe =
            sheet.rows.iter().take(PROBE).filter_map(|(_, row)| super::cells(row, sheet.separator).nth(at));
        let probe: Vec<&str> = probe.map(|(_, cell)| cell).filter(|cell| !BLANKS.contains(cell)).collect();
        let sound = probe.iter().filter(|cell| number(cell).is_some()).count();
        sound > 0 && 2 * sound >= probe.len()
    };
    let (known, unread): (Vec<usize>, Vec<usize>) = (1..sheet.names.len()).partition(|&at| numbers(at));
    let quoted = |at: usize| format!("`{}`", sheet.names[at].chars().take(60).collect::<String>());
    let named = known.into_iter().map(|at| (at, quantity(sheet.names[at])));
    (named.collect(), unread.into_iter().map(quoted).collect())
}

fn quantity(name: &str) -> Quantity {
    match name {
        _ if name.contains("EUR/MWh") => Quantity::EnergyPrice,
        _ if name.contains("gCO2") || name.contains("gCO₂") => Quantity::CarbonLifeCycle,
        _ if name.contains("°C") => Quantity::DryBulb,
        _ => Quantity::Number,
    }
}
