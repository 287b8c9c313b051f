//! Prices and carbon of a site from files as their publishers write them, as whole hours.
//!
//! The readers of [`series`] know how such a file is written; here the column is chosen and becomes integers. Any other table
//! is for the reader of plain hours.

use giga_units::Duration;
use thiserror::Error;

use super::complete::quoted;
use super::diagnostic::{Explain, nearest};
use super::field::ENERGY_PRICE;
use super::hours::{Hours, Wanted};
use super::table::HOURS_MAX;
use crate::series::{self, Column, Dialect, Quantity, RowFault, Table};

const HOUR: Duration = Duration::hours(1);

/// Why a published file gives no hours.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Rows that can not be read.
    Rows(Vec<RowFault>),
    /// The file is sound, and not what is wanted.
    Whole(PublishedFault),
}

/// What can be wrong with a sound file.
#[derive(Debug, Error)]
pub(crate) enum PublishedFault {
    #[error("there is no column `{column}`")]
    NoColumn { column: String, nearest: Option<String>, known: String },
    #[error("the file is in `{of}`, and `unit` is `{unit}`")]
    OtherUnit { of: &'static str, unit: String },
    #[error("each value holds {step}, which is no part of an hour")]
    NotHourly { step: Duration },
    #[error("there would be over {HOURS_MAX} hours")]
    TooMany,
}

impl Explain for PublishedFault {
    fn help(&self) -> String {
        match self {
            Self::NoColumn { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::NoColumn { known, .. } => format!("write `column` with one of {known}, or leave it out"),
            Self::OtherUnit { .. } => "leave `unit` out: the file says its own".into(),
            Self::NotHourly { .. } => "export hours, or quarters of an hour".into(),
            Self::TooMany => "keep a year, or a few".into(),
        }
    }
}

/// The hours of a published file; `None` where it is none that holds what is wanted.
pub(crate) fn read(text: &str, wanted: &Wanted<'_>) -> Option<Result<Hours, Refused>> {
    let price = std::ptr::eq(wanted.of, &raw const ENERGY_PRICE);
    let known = match Dialect::of(text)? {
        Dialect::Entsoe | Dialect::ClockPrices => price,
        Dialect::ElectricityMaps => !price,
        _ => false,
    };
    known.then(|| {
        let table = series::read_rows(text).map_err(Refused::Rows)?;
        hours(&table, wanted).map_err(Refused::Whole)
    })
}

fn hours(table: &Table, wanted: &Wanted<'_>) -> Result<Hours, PublishedFault> {
    let column = column(table, wanted.column)?;
    // Of the units of carbon, all are the same number.
    if column.quantity == Quantity::EnergyPrice && wanted.unit != column.quantity.unit() {
        let unit = wanted.unit.to_owned();
        return Err(PublishedFault::OtherUnit { of: column.quantity.unit(), unit });
    }
    let (step, hour) = (table.step.as_milliseconds(), HOUR.as_milliseconds());
    if hour % step != 0 {
        return Err(PublishedFault::NotHourly { step: table.step });
    }
    let each = (hour / step) as usize;
    if column.values.len().div_ceil(each) > HOURS_MAX {
        return Err(PublishedFault::TooMany);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    // Thousandths of what is written are the smallest unit of both quantities.
    let values = column.values.chunks(each).map(|values| libm::round(mean(values) * 1e3) as i64);
    let notes = notes(table, column, each);
    Ok(Hours {
        first: table.first,
        values: values.collect(),
        filled: 0,
        doubled: table.rows.doubled.len(),
        notes,
    })
}

/// The column of a name, or the first: over the life cycle where there are two of carbon.
fn column<'t>(table: &'t Table, name: Option<&str>) -> Result<&'t Column, PublishedFault> {
    let Some(name) = name else { return Ok(&table.columns[0]) };
    let known = || table.columns.iter().map(|column| column.name.as_str());
    table.columns.iter().find(|column| column.name == name).ok_or_else(|| {
        let nearest = nearest(name, known()).map(str::to_owned);
        PublishedFault::NoColumn { column: name.to_owned(), nearest, known: quoted(known()) }
    })
}

/// What was made of the file, a part of a sentence each.
fn notes(table: &Table, column: &Column, each: usize) -> Vec<String> {
    let mut notes = vec![format!("{} ({})", table.dialect.words(), table.place.clock)];
    if table.columns.len() > 1 {
        notes.push(column.quantity.words().to_owned());
    }
    if each > 1 {
        notes.push(format!("means of {each} values each"));
    }
    notes.extend(
        column
            .gaps
            .iter()
            .map(|gap| format!("{} from {} filled by {}", gap.count, gap.from, gap.rule.words())),
    );
    let rows = &table.rows;
    if !rows.invented.is_empty() {
        notes.push(format!("{} of an hour that the clock skips left out", rows.invented.len()));
    }
    if rows.estimated > 0 {
        notes.push(format!("{} estimated by the publisher", rows.estimated));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::field::CARBON_INTENSITY;

    fn price<'w>(column: Option<&'w str>, unit: &'w str) -> Wanted<'w> {
        Wanted { column, unit, of: &ENERGY_PRICE, range: (-10_000_000, 100_000_000) }
    }

    /// The first hour, the values, and the notes behind the first.
    fn check(text: &str, wanted: &Wanted<'_>, first: &str, values: &[i64], notes: &[&str]) {
        let found = read(text, wanted).expect("a published file").expect("sound");
        assert_eq!((found.first.to_string().as_str(), found.values.as_slice()), (first, values));
        assert_eq!(found.notes[1..], *notes);
    }

    fn fault(text: &str, wanted: &Wanted<'_>) -> String {
        match read(text, wanted).expect("a published file").expect_err("refused") {
            Refused::Rows(rows) => format!("{}: {}", rows[0].line, rows[0].fault),
            Refused::Whole(fault) => format!("{fault} ({})", fault.help()),
        }
    }

    const EXPORT: &str = "\"MTU (CET/CEST)\",\"Day-ahead Price [EUR/MWh]\",\"Currency\",\"BZN|XX\"\n\
        \"26.03.2023 01:00 - 26.03.2023 02:00\",\"1.5\",\"EUR\"\n\"26.03.2023 02:00 - 26.03.2023 03:00\",\"\",\"\"\n\
        \"26.03.2023 03:00 - 26.03.2023 04:00\",\"-2.25\",\"EUR\"\n";

    #[test]
    fn an_export_may_be_named_directly() {
        check(EXPORT, &price(None, "EUR/MWh"), "2023-03-26T00:00:00Z", &[1_500, -2_250], &[]);
        assert!(fault(EXPORT, &price(None, "ct/kWh")).contains("leave `unit` out"));
        let named = fault(EXPORT, &price(Some("Day-ahead Price"), "EUR/MWh"));
        assert_eq!(named, "there is no column `Day-ahead Price` (did you mean `Day-ahead Price [EUR/MWh]`?)");
        let faulty = EXPORT.replace("-2.25", "cheap");
        assert_eq!(fault(&faulty, &price(None, "EUR/MWh")), "4: `Day-ahead Price`: `cheap` is not a number");
    }

    #[test]
    fn quarters_become_hours() {
        let rows: String = (0..6)
            .map(|quarter| format!("01/10/2025 {:02}:{:02}:00,{quarter}\n", quarter / 4, quarter % 4 * 15))
            .collect();
        let text = format!("\"MTU (UTC)\",\"Day-ahead Price (EUR/MWh)\"\n{rows}");
        let notes = ["means of 4 values each"];
        check(&text, &price(None, "EUR/MWh"), "2025-10-01T00:00:00Z", &[1_500, 4_500], &notes);
    }

    #[test]
    fn carbon_is_that_of_the_life_cycle_unless_a_column_is_named() {
        let text = "Datetime (UTC),Zone Id,Carbon Intensity gCO₂eq/kWh (direct),Carbon Intensity gCO₂eq/kWh (LCA),Data Estimated\n\
            2023-01-01 00:00:00,XX,100,150,true\n2023-01-01 01:00:00,XX,110,160,false\n";
        let carbon =
            |column| Wanted { column, unit: "gCO2e/kWh", of: &CARBON_INTENSITY, range: (0, 10_000_000) };
        let first = "2023-01-01T00:00:00Z";
        check(
            text,
            &carbon(None),
            first,
            &[150_000, 160_000],
            &["carbon, life cycle", "1 estimated by the publisher"],
        );
        let direct = carbon(Some("Carbon Intensity gCO₂eq/kWh (direct)"));
        check(text, &direct, first, &[100_000, 110_000], &["carbon, direct", "1 estimated by the publisher"]);
        assert!(read(text, &price(None, "EUR/MWh")).is_none());
        assert!(read("time,price\n2023-01-01,1\n", &price(None, "EUR/MWh")).is_none());
    }
}
