//! ENTSO-E: exports of day-ahead prices from the transparency platform, of before and after its renewal.
//!
//! A row names the market time unit it is of, by a clock that the header names: `01.01.2023 00:00 - 01.01.2023 01:00`. By a
//! clock with summer time, the hour that is skipped in spring stands there without a price, and the hour that comes twice in
//! autumn has two rows. Units may change from hours to quarters within a file: an hour's price then holds for four quarters.

use std::ops::Range;

use super::cells::{Sheet, value};
use super::clock::{Clock, Moment};
use super::fault::{Desk, SeriesFault};
use super::{Calendar, Dialect, Draft, Place, Quantity, Row, Rows};

/// The longest market time unit, in milliseconds.
const UNIT_MAX: i64 = 86_400_000;

pub(super) fn draft(text: &str, desk: &mut Desk) -> Option<Draft> {
    let mut sheet = Sheet::of(text);
    // The header of older exports ends with the zone, of which rows hold nothing.
    sheet.spare = usize::from(sheet.names.last().is_some_and(|name| name.contains('|')));
    let named = sheet.names[0].split_once('(').and_then(|(_, name)| name.trim_end().strip_suffix(')'));
    let Some(clock) = named.and_then(Clock::named) else {
        let fault = SeriesFault::field("MTU", sheet.names[0], "a clock such as `(CET/CEST)` or `(UTC)`");
        desk.add(1, 0..sheet.names[0].len(), fault);
        return None;
    };
    let Some(price) = sheet.column(&["day-ahead price"]).filter(|at| *at + sheet.spare < sheet.names.len())
    else {
        desk.add(1, 0..0, SeriesFault::NoField { field: "Day-ahead Price" });
        return None;
    };
    let name = sheet.names[price];
    let told_by_row = name.contains("/MWh") && sheet.names.contains(&"Currency");
    if !told_by_row && !name.contains("EUR/MWh") {
        desk.add(
            1,
            0..0,
            SeriesFault::Unit { field: "Day-ahead Price".into(), unit: name.chars().take(60).collect() },
        );
        return None;
    }
    let before_zone = sheet.names.len() - sheet.spare;
    let place = |wanted: &str| sheet.names[..before_zone].iter().position(|name| *name == wanted);
    let mut reader = Reader {
        price,
        currency: place("Currency"),
        area: place("Area"),
        sequence: place("Sequence"),
        first_area: None,
        first_sequence: None,
        clock,
        made: Rows::default(),
    };
    let mut rows = Vec::new();
    for &(line, row) in &sheet.rows {
        if desk.is_full() {
            break;
        }
        let cells = sheet.cells(line, row, desk);
        rows.extend(cells.and_then(|cells| reader.row(line, &cells, desk)));
    }
    let zone = sheet.names.iter().rev().find_map(|name| name.split_once('|').map(|(_, zone)| zone));
    let name = reader.first_area.or(zone).map(|area| area.trim_start_matches("BZN|").to_owned());
    let place = Place { name, clock: reader.clock.name().to_owned(), ..Place::default() };
    Some(Draft {
        dialect: Dialect::Entsoe,
        place,
        calendar: Calendar::Dated,
        step: None,
        columns: vec![(sheet.names[price].to_owned(), Quantity::EnergyPrice)],
        rows,
        made: reader.made,
        notes: Vec::new(),
    })
}

struct Reader<'t> {
    price: usize,
    currency: Option<usize>,
    area: Option<usize>,
    sequence: Option<usize>,
    first_area: Option<&'t str>,
    first_sequence: Option<&'t str>,
    clock: Clock,
    made: Rows,
}

impl<'t> Reader<'t> {
    fn row(&mut self, line: usize, cells: &[(Range<usize>, &'t str)], desk: &mut Desk) -> Option<Row> {
        if let Some((marked, area)) = self.area.map(|at| &cells[at]) {
            let first = *self.first_area.get_or_insert(area);
            if first != *area {
                let (first, other) = (first.to_owned(), (*area).to_owned());
                desk.add(line, marked.clone(), SeriesFault::Areas { first, other });
                return None;
            }
        }
        if let Some((_, sequence)) = self.sequence.map(|at| &cells[at])
            && *self.first_sequence.get_or_insert(sequence) != *sequence
        {
            self.made.other_sequences += 1;
            return None;
        }
        let value = value(line, &cells[self.price], "Day-ahead Price", Quantity::EnergyPrice, desk).ok()?;
        let currency = self.currency.map(|at| &cells[at]);
        if let Some((marked, unit)) =
            currency.filter(|(_, unit)| !matches!(*unit, "" | "EUR") && value.is_some())
        {
            let unit = format!("{unit}/MWh");
            desk.add(line, marked.clone(), SeriesFault::Unit { field: "Currency".into(), unit });
            return None;
        }
        let (at, until) = self.unit(line, &cells[0], value, desk)?;
        Some(Row { at, until, line, marked: cells[0].0.clone(), values: vec![value] })
    }

    /// When a market time unit begins and ends; `None` where the clock skips it, or after a fault.
    fn unit(
        &mut self,
        line: usize,
        cell: &(Range<usize>, &str),
        value: Option<f64>,
        desk: &mut Desk,
    ) -> Option<(i64, Option<i64>)> {
        let (from, to) = cell.1.split_once(" - ").map_or((cell.1, None), |(from, to)| (from, Some(to)));
        let Some(moment) = self.clock.read(from.trim()) else {
            desk.add(line, cell.0.clone(), SeriesFault::not_a_time("MTU", cell.1));
            return None;
        };
        let at = match moment {
            Moment::At(at) => at,
            Moment::Skipped(at) => {
                self.made.skip(at, value);
                return None;
            }
        };
        // Both ends are read by the face of the clock: the distance of its hands is the length of the unit, except where
        // the clock is set on between them.
        let face = |text: &str| super::clock::civil_or_stamp(text.split(" (").next().unwrap_or(text).trim());
        let length = to.and_then(|to| Some(face(to)? - face(from.trim())?));
        let length = length.filter(|length| (1..=UNIT_MAX).contains(length));
        Some((at, length.map(|length| at + length)))
    }
}
