//! Profiles: one number in each line and nothing else, a year of hours or of quarter hours.
//!
//! Such a file says neither what it is of nor when. Load profiles of the Energy Transition Model sum to 1/3600, so that a yearly
//! energy in MJ times a value is a power in MW; they are known by that sum and told as multiples of their mean. Numbers from 0 to 1 are taken for
//! capacity factors, all others stay bare numbers.

use super::cells::{BLANKS, number};
use super::clock::{self, Clock};
use super::fault::{Desk, SeriesFault};
use super::{Calendar, Dialect, Draft, Place, Quantity, Row, Rows};

/// Hours of a year without and with a leap day.
const YEAR: [usize; 2] = [8_760, 8_784];
/// So many lines may be missing at the end of a year; a file with fewer lines is taken as it is.
const SHORT_MAX: usize = 24;
/// How far a sum may be from 1/3600, as a part of it.
const SUM_TOLERANCE: f64 = 1e-4;

pub(super) fn draft(text: &str, desk: &mut Desk) -> Option<Draft> {
    let mut values = Vec::new();
    for (at, line) in text.trim_end().lines().enumerate() {
        if desk.is_full() {
            return None;
        }
        let cell = line.trim().trim_matches('"');
        let value = if BLANKS.contains(&cell) { None } else { number(cell) };
        if value.is_none() && !BLANKS.contains(&cell) {
            desk.add(at + 1, 0..line.len(), SeriesFault::not_a_number("value", cell));
        }
        values.push((at + 1, line.len(), value));
    }
    let count = values.len();
    let (step, mut notes) = length(count);
    let (quantity, factor) = meaning(&values, &mut notes);
    let (least, most) = quantity.range();
    let year = if count == YEAR[1] || count == 4 * YEAR[1] { 2_004 } else { 2_001 };
    let first = clock::day(year, 1, 1, 0).expect("a year that is read");
    let rows = values.into_iter().enumerate().filter_map(|(place, (line, length, value))| {
        let value = value.map(|value| value * factor);
        if value.is_some_and(|value| value < least || value > most) {
            desk.add(line, 0..length, SeriesFault::out_of_range("value", "this number", quantity));
            return None;
        }
        let at = first.checked_add(i64::try_from(place).ok()?.checked_mul(step)?)?;
        Some(Row { at, until: None, line, marked: 0..length, values: vec![value] })
    });
    let mut rows: Vec<Row> = rows.collect();
    complete(&mut rows, step, &mut notes);
    notes.push(format!("the file has no dates; its hours are put in {year}"));
    Some(Draft {
        dialect: Dialect::Profile,
        place: Place { clock: Clock::utc().name().to_owned(), ..Place::default() },
        calendar: Calendar::Undated,
        step: Some(step),
        columns: vec![("value".into(), quantity)],
        rows,
        made: Rows::default(),
        notes,
    })
}

/// How long each value holds, by their number.
fn length(count: usize) -> (i64, Vec<String>) {
    if YEAR.iter().any(|hours| (4 * hours - 4 * SHORT_MAX..=4 * hours).contains(&count)) {
        return (900_000, Vec::new());
    }
    let short = YEAR.iter().any(|hours| (hours - SHORT_MAX..=*hours).contains(&count));
    let note = format!("{count} lines are no year; each is taken for an hour");
    (3_600_000, if short { Vec::new() } else { vec![note] })
}

/// What the numbers are of, and the factor to its unit.
fn meaning(values: &[(usize, usize, Option<f64>)], notes: &mut Vec<String>) -> (Quantity, f64) {
    let given = || values.iter().filter_map(|(.., value)| *value);
    let (count, sum) = (given().count() as f64, given().sum::<f64>());
    if (sum * 3_600.0 - 1.0).abs() <= SUM_TOLERANCE {
        notes.push("the values sum to 1/3600; they are told as multiples of their mean".into());
        return (Quantity::OfMean, count / sum);
    }
    if given().all(|value| (0.0..=1.0).contains(&value)) {
        return (Quantity::CapacityFactor, 1.0);
    }
    notes.push("the file does not say what its numbers are of".into());
    (Quantity::Number, 1.0)
}

/// Adds what a year lacks at its end as rows without a value.
fn complete(rows: &mut Vec<Row>, step: i64, notes: &mut Vec<String>) {
    let each = (3_600_000 / step) as usize;
    let count = rows.len();
    let whole = YEAR.map(|hours| hours * each);
    let due = whole.into_iter().find(|due| (due - SHORT_MAX * each..*due).contains(&count));
    let (Some(due), Some(last)) = (due.filter(|_| !whole.contains(&count)), rows.last()) else { return };
    let (at, line) = (last.at, last.line);
    notes.push(format!("{} lines are missing at the end of the year", due - count));
    for more in 1..=due - count {
        rows.push(Row { at: at + more as i64 * step, until: None, line, marked: 0..0, values: vec![None] });
    }
}
