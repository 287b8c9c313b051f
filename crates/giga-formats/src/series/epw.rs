//! EPW: weather years of EnergyPlus, typical or real.
//!
//! Eight lines of header, then a row for each hour 1 to 24 in local standard time. EnergyPlus takes hour 1 for the time from
//! 00:00 to 01:00; so does this reader, and a value holds over the hour that ends at its time. Codes of missing values are
//! those of the data dictionary in EnergyPlus's Auxiliary Programs.

use super::cells::{cells, checked, number};
use super::clock::{self, Clock};
use super::fault::{Desk, SeriesFault};
use super::{Calendar, Dialect, Draft, Place, Quantity, Row, Rows};

/// Cells of a row: year, month, day, hour, minute, marks, and values up to the wind.
const CELLS_MIN: usize = 22;
/// The columns that are read: place, name, quantity, and the least number that stands for a missing value.
const COLUMNS: [(usize, &str, Quantity, f64); 8] = [
    (6, "dry bulb temperature", Quantity::DryBulb, 99.9),
    (7, "dew point temperature", Quantity::DewPoint, 99.9),
    (8, "relative humidity", Quantity::RelativeHumidity, 999.0),
    (9, "atmospheric station pressure", Quantity::Pressure, 999_999.0),
    (13, "global horizontal radiation", Quantity::SolarGlobal, 9_999.0),
    (14, "direct normal radiation", Quantity::SolarDirectNormal, 9_999.0),
    (15, "diffuse horizontal radiation", Quantity::SolarDiffuse, 9_999.0),
    (21, "wind speed", Quantity::WindSpeed, 999.0),
];

/// When a row is, as it says.
struct Said {
    year: i16,
    month: i8,
    day: i8,
    hour: i64,
}

pub(super) fn draft(text: &str, desk: &mut Desk) -> Option<Draft> {
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let (mut head, mut leap_day, mut each_hour) = (None, false, None);
    for (line, row) in lines.by_ref().take(40) {
        let names: Vec<&str> = cells(row, ',').map(|(_, cell)| cell).collect();
        let first = names[0].to_ascii_uppercase();
        if first == "LOCATION" {
            head = location(line, row, desk);
        } else if first.starts_with("HOLIDAYS") {
            leap_day = names.get(1).is_some_and(|cell| cell.eq_ignore_ascii_case("yes"));
        } else if first == "DATA PERIODS" {
            each_hour = names.get(2).and_then(|cell| cell.parse::<i64>().ok());
            break;
        }
    }
    let (place, ahead) = head?;
    let Some(each_hour) = each_hour.filter(|count| [1, 2, 3, 4, 6, 10, 12, 15, 20, 30, 60].contains(count))
    else {
        desk.add(1, 0..0, SeriesFault::NoField { field: "DATA PERIODS, with the records of an hour" });
        return None;
    };
    let mut said = Vec::new();
    for (line, row) in lines.filter(|(_, row)| !row.trim().is_empty()) {
        if desk.is_full() {
            break;
        }
        said.extend(self::row(line, row, desk));
    }
    let step = 3_600_000 / each_hour;
    let years = Years::of(&said, leap_day);
    let mut rows: Vec<Row> = Vec::with_capacity(said.len());
    let mut hour: Option<(i64, i64)> = None;
    for (said, mut row) in said {
        let year = years.made_up.unwrap_or(said.year);
        let Some(day) = clock::day(year, said.month, said.day, ahead) else {
            let date = format!("{year}-{}-{}", said.month, said.day);
            desk.add(row.line, row.marked, SeriesFault::not_a_time("date", &date));
            continue;
        };
        // Records of an hour are told apart by their order: the minutes of such files follow no one rule.
        let begin = day + (said.hour - 1) * 3_600_000;
        let record = hour.filter(|(last, _)| *last == begin).map_or(0, |(_, record)| record + 1);
        hour = Some((begin, record));
        row.at = begin + if record < each_hour { record * step } else { (each_hour - 1) * step };
        rows.push(row);
    }
    let columns = COLUMNS.map(|(_, name, quantity, _)| (name.to_owned(), quantity)).into();
    let (calendar, notes) = years.told();
    let dialect = Dialect::Epw;
    Some(Draft { dialect, place, calendar, step: Some(step), columns, rows, made: Rows::default(), notes })
}

/// The place, and how many seconds its clock is ahead of UTC.
fn location(line: usize, row: &str, desk: &mut Desk) -> Option<(Place, i32)> {
    let parts: Vec<_> = cells(row, ',').collect();
    if parts.len() < 10 {
        desk.add(line, 0..row.len(), SeriesFault::Cells { found: parts.len(), expected: 10 });
        return None;
    }
    let number = |at: usize| number(parts[at].1);
    let ahead =
        number(8).filter(|hours| hours.abs() <= 15.0).map(|hours| libm::round(hours * 3_600.0) as i32);
    let Some((clock, ahead)) = ahead.and_then(|ahead| Some((Clock::fixed(ahead)?, ahead))) else {
        let fault = SeriesFault::field("time zone", parts[8].1, "a number of hours");
        desk.add(line, parts[8].0.clone(), fault);
        return None;
    };
    let words: Vec<&str> = [1, 3].map(|at| parts[at].1).into();
    let named: Vec<&str> = words.into_iter().filter(|word| !matches!(*word, "" | "-" | "unknown")).collect();
    let place = Place {
        name: (!named.is_empty()).then(|| named.join(", ")),
        latitude: number(6).filter(|degrees| degrees.abs() <= 90.0),
        longitude: number(7).filter(|degrees| degrees.abs() <= 180.0),
        altitude: number(9).filter(|metres| (-500.0..9_000.0).contains(metres)),
        clock: clock.name().to_owned(),
    };
    Some((place, ahead))
}

/// One row with its values; `None` after a fault.
fn row(line: usize, row: &str, desk: &mut Desk) -> Option<(Said, Row)> {
    let parts: Vec<_> = cells(row, ',').collect();
    if parts.len() < CELLS_MIN {
        desk.add(line, 0..row.len(), SeriesFault::Cells { found: parts.len(), expected: CELLS_MIN });
        return None;
    }
    let mut whole = |at: usize, field, least: i16, most: i16| {
        let count = parts[at].1.parse::<i16>().ok().filter(|count| (least..=most).contains(count));
        if count.is_none() {
            desk.add(line, parts[at].0.clone(), SeriesFault::field(field, parts[at].1, "a number that fits"));
        }
        count
    };
    let said = Said {
        year: whole(0, "year", 1_900, 2_199)?,
        month: whole(1, "month", 1, 12)? as i8,
        day: whole(2, "day", 1, 31)? as i8,
        hour: i64::from(whole(3, "hour", 1, 24)?),
    };
    let values = COLUMNS.iter().map(|&(at, field, quantity, missing)| {
        let cell = &parts[at];
        if cell.1.is_empty() {
            return Some(None);
        }
        let Some(number) = number(cell.1) else {
            desk.add(line, cell.0.clone(), SeriesFault::not_a_number(field, cell.1));
            return None;
        };
        // The dictionary calls everything from the code on missing; a cold place has its code below zero as well.
        if number >= missing || number <= -missing {
            return Some(None);
        }
        checked(line, cell, number, field, quantity, desk).ok()
    });
    let values = values.collect::<Option<Vec<_>>>()?;
    Some((said, Row { at: 0, until: None, line, marked: 0..parts[4].0.end, values }))
}

/// From which years the months are, and which year they are put in.
struct Years {
    first: i16,
    last: i16,
    made_up: Option<i16>,
}

impl Years {
    fn of(rows: &[(Said, Row)], leap_day: bool) -> Self {
        let years = || rows.iter().map(|(said, _)| said.year);
        let (first, last) = (years().min().unwrap_or(2_001), years().max().unwrap_or(2_001));
        let has_leap_day = rows.iter().any(|(said, _)| (said.month, said.day) == (2, 29));
        let leap = first % 4 == 0 && (first % 100 != 0 || first % 400 == 0);
        let whole = rows.last().is_some_and(|(said, _)| said.month > 2)
            && rows.first().is_some_and(|(said, _)| said.month <= 2);
        // A whole year without a leap day that says it has none is typical whatever year stands there.
        let without = leap && whole && !has_leap_day && !leap_day;
        let back = years().zip(years().skip(1)).any(|(year, next)| next < year) || is_one_year(rows);
        let typical = without || (first != last && back);
        // 1970 is the first year that is read; older ones are of typical years only.
        let made_up = (typical || first < 1_970).then_some(if has_leap_day { 2_004 } else { 2_001 });
        Self { first, last, made_up }
    }

    fn told(&self) -> (Calendar, Vec<String>) {
        let Self { first, last, .. } = self;
        let Some(year) = self.made_up else { return (Calendar::Dated, Vec::new()) };
        let from = if first == last { format!("of {first}") } else { format!("from {first} to {last}") };
        (
            Calendar::Typical,
            vec![format!("a typical year: its months are {from}; the dates are put in {year}")],
        )
    }
}

/// Whether the rows go through one calendar year, whatever years stand there.
fn is_one_year(rows: &[(Said, Row)]) -> bool {
    let date = |said: &Said| (said.month, said.day, said.hour);
    rows.windows(2).all(|pair| date(&pair[0].0) <= date(&pair[1].0))
}
