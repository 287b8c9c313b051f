//! Test reference years of the Deutscher Wetterdienst (`TRY*.dat`), of 2011 by station and of 2017 by square kilometre.
//!
//! A head in German, the names of the columns, a line of `***`, then a row for each hour 1 to 24 in Central European Time (MEZ)
//! without summer time. Columns go by their names, since the two editions order them differently. A row has no year; a value
//! holds over the hour that ends at its time.

use super::cells::{checked, number};
use super::clock::{self, Clock};
use super::fault::{Desk, SeriesFault};
use super::projection;
use super::{Calendar, Dialect, Draft, Place, Quantity, Row, Rows};

/// Hours ahead of UTC.
const AHEAD: i32 = 3_600;
/// The year in which the hours are put: the first of a century, without a leap day.
const YEAR: i16 = 2_001;
/// A column that is read.
#[derive(Clone, Copy)]
struct Known {
    name: &'static str,
    /// What the head calls it.
    words: &'static str,
    quantity: Quantity,
    /// To the unit of the quantity.
    factor: f64,
    /// The least number that stands for a missing value.
    missing: f64,
}

const COLUMNS: [Known; 6] = [
    known("t", "Lufttemperatur", Quantity::DryBulb, 1.0, 99.9),
    known("p", "Luftdruck", Quantity::Pressure, 100.0, 9_999.0),
    known("RF", "Relative Feuchte", Quantity::RelativeHumidity, 1.0, 999.0),
    known("WG", "Windgeschwindigkeit", Quantity::WindSpeed, 1.0, 99.9),
    known("B", "Direkte Sonnenbestrahlungsstärke", Quantity::SolarDirect, 1.0, 9_999.0),
    known("D", "Diffuse Sonnenbestrahlungsstärke", Quantity::SolarDiffuse, 1.0, 9_999.0),
];

const fn known(
    name: &'static str,
    words: &'static str,
    quantity: Quantity,
    factor: f64,
    missing: f64,
) -> Known {
    Known { name, words, quantity, factor, missing }
}

/// Whether a line is the one between head and rows.
pub(super) fn is_fence(line: &str) -> bool {
    line.trim_start().starts_with("***")
}

pub(super) fn draft(text: &str, desk: &mut Desk) -> Option<Draft> {
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let head: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| !is_fence(line)).collect();
    let names: Vec<&str> =
        head.iter().rev().find(|line| !line.trim().is_empty())?.split_whitespace().collect();
    let place = |name: &str| names.iter().position(|known| *known == name);
    let (Some(month), Some(day), Some(hour)) = (place("MM"), place("DD"), place("HH")) else {
        desk.add(head.len().max(1), 0..0, SeriesFault::NoField { field: "MM DD HH" });
        return None;
    };
    let columns: Vec<_> =
        COLUMNS.into_iter().filter_map(|column| Some((place(column.name)?, column))).collect();
    let sheet = Sheet { width: names.len(), times: [month, day, hour], columns };
    let mut rows = Vec::new();
    for (line, row) in lines.filter(|(_, row)| !row.trim().is_empty()) {
        if desk.is_full() {
            break;
        }
        rows.extend(sheet.row(line, row, desk));
    }
    let named =
        sheet.columns.iter().map(|(_, known)| (format!("{} {}", known.name, known.words), known.quantity));
    let columns = named.collect();
    Some(Draft {
        dialect: Dialect::Dwd,
        place: self::place(&head),
        calendar: Calendar::Typical,
        step: Some(3_600_000),
        columns,
        rows,
        made: Rows::default(),
        notes: vec![note(&head)],
    })
}

struct Sheet {
    width: usize,
    /// Month, day, hour.
    times: [usize; 3],
    columns: Vec<(usize, Known)>,
}

impl Sheet {
    fn row(&self, line: usize, row: &str, desk: &mut Desk) -> Option<Row> {
        let cells: Vec<_> = row
            .split_whitespace()
            .map(|cell| {
                let begin = cell.as_ptr() as usize - row.as_ptr() as usize;
                (begin..begin + cell.len(), cell)
            })
            .collect();
        if cells.len() != self.width {
            let fault = SeriesFault::Cells { found: cells.len(), expected: self.width };
            desk.add(line, 0..row.len(), fault);
            return None;
        }
        let [month, day, hour] = self.times.map(|at| cells[at].1.parse::<i8>().ok());
        let begin = month.zip(day).and_then(|(month, day)| clock::day(YEAR, month, day, AHEAD));
        let at = begin.zip(hour.filter(|hour| (1..=24).contains(hour)));
        let marked = cells[self.times[0]].0.start..cells[self.times[2]].0.end;
        let marked = marked.start.min(marked.end)..marked.end;
        let Some((begin, hour)) = at else {
            let said = self.times.map(|at| cells[at].1).join(" ");
            desk.add(line, marked, SeriesFault::not_a_time("MM DD HH", &said));
            return None;
        };
        let values = self.columns.iter().map(|&(at, Known { name, quantity, factor, missing, .. })| {
            let Some(number) = number(cells[at].1) else {
                desk.add(line, cells[at].0.clone(), SeriesFault::not_a_number(name, cells[at].1));
                return None;
            };
            if number >= missing || number <= -missing {
                return Some(None);
            }
            checked(line, &cells[at], number * factor, name, quantity, desk).ok()
        });
        let values = values.collect::<Option<Vec<_>>>()?;
        let at = begin + (i64::from(hour) - 1) * 3_600_000;
        Some(Row { at, until: None, line, marked, values })
    }
}

/// What stands behind a name in the head.
fn said<'t>(head: &[&'t str], name: &str) -> Option<&'t str> {
    head.iter()
        .find_map(|line| Some(line.trim_start().strip_prefix(name)?.trim_start().strip_prefix(':')?.trim()))
}

fn metres(head: &[&str], name: &str) -> Option<f64> {
    number(said(head, name)?.split_whitespace().next()?)
}

/// The place by its square of the grid, or by the words of the older head.
fn place(head: &[&str]) -> Place {
    let clock = Clock::fixed(AHEAD).map_or_else(String::new, |clock| clock.name().to_owned());
    let square = metres(head, "Rechtswert").zip(metres(head, "Hochwert"));
    // The limits of the squares that the head itself states.
    let inside = |(right, up): &(f64, f64)| {
        (3_670_500.0..=4_389_500.0).contains(right) && (2_242_500.0..=3_179_500.0).contains(up)
    };
    let degrees = square.filter(inside).map(|(right, up)| projection::degrees(right, up));
    let above = || {
        let line = head.iter().find(|line| line.contains("Meter ueber NN"))?;
        number(line.split("Meter ueber NN").next()?.split_whitespace().last()?)
    };
    Place {
        name: said(head, "Station").map(|words| words.chars().take(60).collect()),
        latitude: degrees.map(|(latitude, _)| latitude),
        longitude: degrees.map(|(_, longitude)| longitude),
        altitude: metres(head, "Hoehenlage").or_else(above),
        clock,
    }
}

fn note(head: &[&str]) -> String {
    let short = |name: &str| said(head, name).map(|words| words.chars().take(40).collect::<String>());
    let kind = short("Art des TRY").unwrap_or_else(|| "a test reference year".into());
    let from = short("Bezugszeitraum").map_or_else(String::new, |years| format!(" of {years}"));
    format!("a typical year ({kind}{from}); the dates are put in {YEAR}")
}
