//! `Datetime,Price (EUR/MWh)`: prices by the face of the clock in Central Europe, with 24 hours on every day.
//!
//! Whoever made such files wrote an hour that the clock skips in spring and one row for the two hours of autumn. The hour of
//! spring is invented and left out; the second hour of autumn is a gap. That the clock is the Central European one does not
//! stand in the file: the prices of 2023 for Germany, the Netherlands and France agree with ENTSO-E's exports by that clock in
//! winter and summer alike, and those of Portugal are by it too.

use super::cells::{Sheet, value};
use super::clock::{Clock, Moment};
use super::fault::{Desk, SeriesFault};
use super::{Calendar, Dialect, Draft, Place, Quantity, Row, Rows};

pub(super) fn draft(text: &str, desk: &mut Desk) -> Option<Draft> {
    let sheet = Sheet::of(text);
    let mut clock = Clock::named("CET/CEST").expect("the clock of the table");
    let (mut rows, mut made) = (Vec::new(), Rows::default());
    for &(line, row) in &sheet.rows {
        if desk.is_full() {
            break;
        }
        let Some(cells) = sheet.cells(line, row, desk) else { continue };
        let Ok(value) = value(line, &cells[1], "Price", Quantity::EnergyPrice, desk) else { continue };
        match clock.read(cells[0].1) {
            Some(Moment::At(at)) => {
                rows.push(Row { at, until: None, line, marked: cells[0].0.clone(), values: vec![value] });
            }
            Some(Moment::Skipped(at)) => made.skip(at, value),
            None => desk.add(line, cells[0].0.clone(), SeriesFault::not_a_time("Datetime", cells[0].1)),
        }
    }
    made.note_once(&rows, &clock);
    Some(Draft {
        dialect: Dialect::ClockPrices,
        place: Place { clock: clock.name().to_owned(), ..Place::default() },
        calendar: Calendar::Dated,
        step: None,
        columns: vec![(sheet.names[1].to_owned(), Quantity::EnergyPrice)],
        rows,
        made,
        notes: vec!["the file names no clock; it is read by that of Central Europe".into()],
    })
}

impl Rows {
    /// Keeps account of a row that the clock skips.
    pub(super) fn skip(&mut self, at: i64, value: Option<f64>) {
        match value {
            Some(_) => self.invented.push(giga_units::Instant::unix_milliseconds(at)),
            None => self.skipped += 1,
        }
    }

    /// Names the second hours of autumn that rows leave out.
    pub(super) fn note_once(&mut self, rows: &[Row], clock: &Clock) {
        const HOUR: i64 = 3_600_000;
        for pair in rows.windows(2) {
            let missing = pair[0].at + HOUR;
            if pair[1].at == missing + HOUR && clock.is_again(missing) {
                self.once.push(giga_units::Instant::unix_milliseconds(missing));
            }
        }
    }
}
