//! Hourly values from a CSV file: a header, a time, and one column of numbers. What ENTSO-E and Electricity Maps publish is read by
//! [`super::published`].
//!
//! Exchanges and grid operators publish such files with hours that are missing, doubled at the end of summer time, or
//! without a value. Those are filled or left out, and counted; anything else that is wrong is named with its line.

use std::ops::Range;

use giga_units::{Duration, Instant};
use thiserror::Error;

use super::complete::quoted;
use super::diagnostic::{Explain, nearest};
use super::field::AmountKind;
use super::table::HOURS_MAX;
use crate::series::{BLANKS, cells};

/// Most faults of one file that are told.
const FAULTS_MAX: usize = 20;
/// Rows by which columns of numbers are known.
const PROBE: usize = 48;

/// What is wanted of a file.
pub(crate) struct Wanted<'w> {
    /// The name of the column, or `None` for the only one of numbers.
    pub(crate) column: Option<&'w str>,
    /// The unit of its values.
    pub(crate) unit: &'w str,
    /// The quantity they are of.
    pub(crate) of: &'static AmountKind,
    /// The least and the most in the smallest unit of that quantity.
    pub(crate) range: (i64, i64),
}

/// The hours of a file, in the smallest unit of their quantity.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hours {
    pub(crate) first: Instant,
    pub(crate) values: Vec<i64>,
    /// Hours without a value, which have that of the hour before.
    pub(crate) filled: usize,
    /// Rows of an hour that was there already, which are left out.
    pub(crate) doubled: usize,
    /// What else was made of the file, a part of a sentence each.
    pub(crate) notes: Vec<String>,
}

/// A fault at a place of the file.
#[derive(Debug)]
pub(crate) struct RowFault {
    /// From 1.
    pub(crate) line: usize,
    /// Bytes of the line.
    pub(crate) marked: Range<usize>,
    pub(crate) fault: HoursFault,
}

/// What can be wrong with such a file.
#[derive(Debug, Error)]
pub(crate) enum HoursFault {
    #[error("there are no rows of hours")]
    NoRows,
    #[error("the first line is no header: `{cell}` is a time")]
    NoHeader { cell: String },
    #[error("there is no column `{column}`")]
    NoColumn { column: String, nearest: Option<String>, known: String },
    #[error("{count} columns hold numbers")]
    WhichColumn { count: usize, known: String },
    #[error("`{text}` is not a time between 1970 and 2200")]
    NotATime { text: String },
    #[error("`{text}` is not a number")]
    NotANumber { text: String },
    #[error("`{text}` is far from any value of this kind")]
    OutOfRange { text: String, least: String, most: String },
    #[error("the row has {found} cells, and the header has {expected}")]
    Cells { found: usize, expected: usize },
    #[error("`{text}` is not a whole number of hours after the first row")]
    NotHourly { text: String },
    #[error("`{text}` comes before the row above it")]
    Backwards { text: String },
    #[error("there would be over {HOURS_MAX} hours")]
    TooMany,
}

impl Explain for HoursFault {
    fn help(&self) -> String {
        match self {
            Self::NoRows => "write a header and rows such as `2023-01-01T00:00,35.2`".into(),
            Self::NoHeader { .. } => "write the names of the columns above, such as `time,price`".into(),
            Self::NoColumn { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::NoColumn { known, .. } => format!("write `column` with one of {known}"),
            Self::WhichColumn { count: 0, .. } => "write numbers with a point, such as `35.2`".into(),
            Self::WhichColumn { known, .. } => format!("write `column` with one of {known}"),
            Self::NotATime { .. } => {
                "write for example `2023-01-01T00:00`; it is UTC unless it says otherwise".into()
            }
            Self::NotANumber { .. } => "write for example `35.2`, or nothing where there is no value".into(),
            Self::OutOfRange { least, most, .. } => {
                format!("write a value from {least} to {most}, or another `unit`")
            }
            Self::Cells { .. } => "write one cell for each column".into(),
            Self::NotHourly { .. } => {
                "write one row for each hour; quarters of an hour have to be averaged first".into()
            }
            Self::Backwards { .. } => "sort the rows by their time".into(),
            Self::TooMany => "keep a year, or a few".into(),
        }
    }
}

/// Reads a file.
///
/// # Errors
/// Its first faults, in the order of the lines; never none.
pub(crate) fn read(text: &str, wanted: &Wanted<'_>) -> Result<Hours, Vec<RowFault>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let mut lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let Some((line, header)) = lines.next() else {
        return Err(vec![RowFault { line: 1, marked: 0..0, fault: HoursFault::NoRows }]);
    };
    let separator = if header.contains(';') { ';' } else { ',' };
    let names: Vec<&str> = cells(header, separator).map(|(_, cell)| cell).collect();
    let rows: Vec<(usize, &str)> = lines.collect();
    let whole = |fault| vec![RowFault { line, marked: 0..header.len(), fault }];
    if names.first().is_some_and(|cell| Instant::parse(cell).is_some()) {
        return Err(whole(HoursFault::NoHeader { cell: names[0].to_owned() }));
    }
    let column = column(&names, &rows, separator, wanted).map_err(whole)?;
    let mut reader =
        Reader { wanted, column, width: names.len(), separator, grid: Grid::default(), faults: vec![] };
    for (line, row) in rows {
        if reader.faults.len() >= FAULTS_MAX {
            break;
        }
        reader.row(line, row);
    }
    if !reader.faults.is_empty() {
        return Err(reader.faults);
    }
    reader.grid.hours().ok_or_else(|| whole(HoursFault::NoRows))
}

/// The column that is wanted, by its place.
fn column(
    names: &[&str],
    rows: &[(usize, &str)],
    separator: char,
    wanted: &Wanted<'_>,
) -> Result<usize, HoursFault> {
    let others = || names.iter().copied().enumerate().skip(1);
    if let Some(column) = wanted.column {
        return others().find(|(_, name)| *name == column).map(|(at, _)| at).ok_or_else(|| {
            let known = || others().map(|(_, name)| name);
            let nearest = nearest(column, known()).map(str::to_owned);
            HoursFault::NoColumn { column: column.to_owned(), nearest, known: quoted(known()) }
        });
    }
    let numbers = |at: usize| {
        let probe = rows.iter().take(PROBE).filter_map(|(_, row)| cells(row, separator).nth(at));
        let mut probe = probe.map(|(_, cell)| cell).filter(|cell| !BLANKS.contains(cell)).peekable();
        probe.peek().is_some() && probe.all(|cell| value(cell, separator, wanted).is_some())
    };
    let found: Vec<(usize, &str)> = others().filter(|&(at, _)| numbers(at)).collect();
    match (found.as_slice(), names) {
        (&[(only, _)], _) => Ok(only),
        // Where there is no choice, the rows tell what is wrong with their cells.
        ([], [_, _]) => Ok(1),
        _ => {
            let known = if found.is_empty() { others().collect() } else { found.clone() };
            let known = quoted(known.iter().map(|(_, name)| *name));
            Err(HoursFault::WhichColumn { count: found.len(), known })
        }
    }
}

/// A cell in the smallest unit; `None` where it is no number. Where semicolons separate, a comma may be the point.
fn value(cell: &str, separator: char, wanted: &Wanted<'_>) -> Option<i64> {
    let number = if separator == ';' { cell.replace(',', ".") } else { cell.to_owned() };
    let count = (wanted.of.read)(&format!("{number} {}", wanted.unit)).ok()?;
    i64::try_from(count).ok()
}

struct Reader<'w> {
    wanted: &'w Wanted<'w>,
    column: usize,
    width: usize,
    separator: char,
    grid: Grid,
    faults: Vec<RowFault>,
}

impl Reader<'_> {
    fn row(&mut self, line: usize, row: &str) {
        let cells: Vec<(Range<usize>, &str)> = cells(row, self.separator).collect();
        if cells.len() != self.width {
            let fault = HoursFault::Cells { found: cells.len(), expected: self.width };
            return self.faults.push(RowFault { line, marked: 0..row.len(), fault });
        }
        let (time, value) = (&cells[0], &cells[self.column]);
        let value = match self.value(value.1) {
            Ok(value) => value,
            Err(fault) => return self.faults.push(RowFault { line, marked: value.0.clone(), fault }),
        };
        if let Err(fault) = self.grid.add(time.1, value) {
            self.faults.push(RowFault { line, marked: time.0.clone(), fault });
        }
    }

    fn value(&self, cell: &str) -> Result<Option<i64>, HoursFault> {
        if BLANKS.contains(&cell) {
            return Ok(None);
        }
        let text = || cell.chars().take(60).collect();
        let (least, most) = self.wanted.range;
        match value(cell, self.separator, self.wanted) {
            None => Err(HoursFault::NotANumber { text: text() }),
            Some(value) if value < least || value > most => {
                let [least, most] = [least, most].map(super::expand::thousandths);
                let unit = self.wanted.of.units[0].0;
                let [least, most] = [least, most].map(|count| format!("`{count} {unit}`"));
                Err(HoursFault::OutOfRange { text: text(), least, most })
            }
            Some(value) => Ok(Some(value)),
        }
    }
}

/// Hours as they come up.
#[derive(Default)]
struct Grid {
    first: Instant,
    hours: Vec<Option<i64>>,
    doubled: usize,
}

impl Grid {
    fn add(&mut self, cell: &str, value: Option<i64>) -> Result<(), HoursFault> {
        const HOUR: i64 = Duration::hours(1).as_milliseconds();
        let text = || cell.chars().take(60).collect();
        let at = time(cell).ok_or_else(|| HoursFault::NotATime { text: text() })?;
        if self.hours.is_empty() {
            self.first = at;
        }
        let passed = at.as_unix_milliseconds() - self.first.as_unix_milliseconds();
        if passed % HOUR != 0 {
            return Err(HoursFault::NotHourly { text: text() });
        }
        let place = usize::try_from(passed / HOUR).map_err(|_| HoursFault::Backwards { text: text() })?;
        if place >= HOURS_MAX {
            return Err(HoursFault::TooMany);
        }
        if place >= self.hours.len() {
            self.hours.resize(place, None);
            self.hours.push(value);
        } else if place + 1 == self.hours.len() {
            self.doubled += 1;
        } else {
            return Err(HoursFault::Backwards { text: text() });
        }
        Ok(())
    }

    /// All hours with a value, or `None` where no hour has one.
    fn hours(self) -> Option<Hours> {
        let mut before = self.hours.iter().copied().find_map(|value| value)?;
        let filled = self.hours.iter().filter(|value| value.is_none()).count();
        let fill = |value: Option<i64>| {
            before = value.unwrap_or(before);
            before
        };
        let values = self.hours.into_iter().map(fill).collect();
        Some(Hours { first: self.first, values, filled, doubled: self.doubled, notes: Vec::new() })
    }
}

fn time(cell: &str) -> Option<Instant> {
    let end = Instant::parse("2200-01-01").expect("a date");
    Instant::parse(cell).filter(|at| *at >= Instant::unix_milliseconds(0) && *at <= end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::field::ENERGY_PRICE;

    fn wanted(column: Option<&str>) -> Wanted<'_> {
        Wanted { column, unit: "EUR/MWh", of: &ENERGY_PRICE, range: (-10_000_000, 100_000_000) }
    }

    fn hours(text: &str) -> Hours {
        read(text, &wanted(None)).expect("a sound file")
    }

    #[test]
    fn hours_are_read_with_gaps_and_zones() {
        let text = "time,price\n2023-01-01T01:00+01:00,35.2\n2023-01-01T01:00Z,\n2023-01-01T04:00:00Z,-1.5\n";
        let found = hours(text);
        assert_eq!(found.first.to_string(), "2023-01-01T00:00:00Z");
        assert_eq!(found.values, [35_200, 35_200, 35_200, 35_200, -1_500]);
        assert_eq!((found.filled, found.doubled), (3, 0));
        assert_eq!(hours("t,p\n2023-01-01,NaN\n2023-01-01T01:00,4\n").values, [4_000, 4_000]);
    }

    #[test]
    fn summer_time_begins_and_ends() {
        let local = |day: &str, hours: &[u32]| {
            let row = |hour: &u32| format!("2023-{day}T{hour:02}:00,{hour}\n");
            format!("time,price\n{}", hours.iter().map(row).collect::<String>())
        };
        let spring = hours(&local("03-26", &[0, 1, 3, 4]));
        assert_eq!((spring.values.len(), spring.filled), (5, 1));
        let autumn = hours(&local("10-29", &[0, 1, 2, 2, 3]));
        assert_eq!((autumn.values.as_slice(), autumn.doubled), (&[0, 1_000, 2_000, 3_000][..], 1));
    }

    #[test]
    fn the_column_is_named_or_the_only_one_of_numbers() {
        let text = "\u{feff}time;\"zone; name\";price\n2023-01-01 00:00;NO4;1,5\n\n2023-01-01 01:00;NO4;2\n";
        assert_eq!(hours(text).values, [1_500, 2_000]);
        let two = "time,a,b\n2023-01-01,1,2\n";
        assert_eq!(read(two, &wanted(Some("b"))).expect("a sound file").values, [2_000]);
        let fault = |text: &str, column| {
            let faults = read(text, &wanted(column)).expect_err("a faulty file");
            faults
                .iter()
                .map(|row| format!("{}: {} ({})", row.line, row.fault, row.fault.help()))
                .collect::<Vec<_>>()
        };
        assert_eq!(fault(two, None), ["1: 2 columns hold numbers (write `column` with one of `a`, `b`)"]);
        assert_eq!(fault(two, Some("bb")), ["1: there is no column `bb` (did you mean `b`?)"]);
        assert!(fault("2023-01-01,1\n", None)[0].starts_with("1: the first line is no header"));
        assert!(fault("", None)[0].starts_with("1: there are no rows"));
        assert!(fault("a,b\n", None)[0].starts_with("1: there are no rows"));
    }

    #[test]
    fn every_faulty_row_is_named() {
        let text = "time,price\n2023-01-01,1\nsoon,1\n2023-01-01T00:15,1\n2023-01-01T01:00,1 EUR\n2023-01-01T01:00\n\
                    2023-01-01T02:00,200000\n2023-01-01T03:00,1\n2022-12-31,1\n2190-01-01,1\n";
        let faults = read(text, &wanted(None)).expect_err("a faulty file");
        let told: Vec<String> = faults.iter().map(|row| format!("{}: {}", row.line, row.fault)).collect();
        let begins = [
            "3: `soon` is not a time",
            "4: `2023-01-01T00:15` is not a whole",
            "5: `1 EUR` is not a number",
            "6: the row has 1 cells",
            "7: `200000` is far",
            "9: `2022-12-31` comes before",
            "10: there would be over",
        ];
        assert_eq!(told.len(), begins.len(), "{told:?}");
        for (told, begin) in told.iter().zip(begins) {
            assert!(told.starts_with(begin), "{told}");
        }
        assert_eq!(faults[2].marked, 17..22);
    }
}
