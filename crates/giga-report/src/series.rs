//! A file of series on the screen: what was read, what was filled and how, figures, and a small drawing of each column.

use std::collections::BTreeMap;

use giga_formats::series::{Calendar, Column, Place, Rule, Statistics, Table};
use giga_units::{Instant, grouped};

use crate::figures::wait;

/// Parts of a drawing from left to right; with its labels it fits 80 columns.
const PARTS: usize = 62;
/// Lines of a drawing; one where there are many columns.
const HEIGHT: usize = 3;
/// More columns than this are drawn in one line each.
const COLUMNS_HIGH: usize = 8;
/// So many gaps are named; the others are counted.
const GAPS_SHOWN: usize = 12;
/// Eighths of a cell.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The same in signs that every terminal has.
const PLAIN: [char; 9] = [' ', '.', ':', '-', '=', '+', '*', '%', '#'];

/// What drawings are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signs {
    /// Blocks of Unicode.
    #[default]
    Blocks,
    /// ASCII alone, in units too.
    Plain,
}

impl Signs {
    /// Those for a terminal, by the value of its locale, such as `de_DE.UTF-8`. Where none is set, terminals of today take Unicode.
    #[must_use]
    pub fn of_locale(locale: Option<&str>) -> Self {
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        if locale.is_empty() || locale.contains("utf-8") || locale.contains("utf8") {
            Self::Blocks
        } else {
            Self::Plain
        }
    }

    fn all(self) -> [char; 9] {
        match self {
            Self::Blocks => BLOCKS,
            Self::Plain => PLAIN,
        }
    }
}

/// The screen of a file.
#[must_use]
pub fn series(name: &str, table: &Table, signs: Signs) -> String {
    let mut lines = vec![format!("{name}: {}", table.dialect.words())];
    lines.extend(
        head(table).into_iter().map(|(word, text)| format!("  {word:<8} {text}").trim_end().to_owned()),
    );
    let height = if table.columns.len() > COLUMNS_HIGH { 1 } else { HEIGHT };
    for column in &table.columns {
        lines.push(String::new());
        lines.extend(self::column(table, column, height, signs));
    }
    let screen = lines.join("\n") + "\n";
    if signs == Signs::Plain { screen.replace('°', "deg") } else { screen }
}

/// What holds for all columns: a word and a text for each line.
fn head(table: &Table) -> Vec<(&'static str, String)> {
    let span = wait(table.end().since(table.first));
    let (count, step) = (grouped(table.len() as u64), table.step);
    let dates = match table.calendar {
        Calendar::Dated => "",
        Calendar::Typical => "; a typical year",
        Calendar::Undated => "; no dates of its own",
    };
    let mut rows = vec![
        ("place", place(&table.place)),
        ("span", format!("{} to {} ({span})", table.first, table.end())),
        ("values", format!("{count} in each column, {step} each{dates}")),
    ];
    rows.extend(gaps(table).into_iter().map(|text| ("filled", text)));
    rows.extend(clock(table).into_iter().map(|text| ("rows", text)));
    rows.extend(table.notes.iter().map(|note| ("note", note.clone())));
    rows
}

fn place(place: &Place) -> String {
    let side = |degrees: f64, above: &str, below: &str| {
        format!("{:.2}° {}", degrees.abs(), if degrees < 0.0 { below } else { above })
    };
    let mut parts: Vec<String> = place.name.iter().cloned().collect();
    parts.extend(place.latitude.map(|degrees| side(degrees, "N", "S")));
    parts.extend(place.longitude.map(|degrees| side(degrees, "E", "W")));
    parts.extend(place.altitude.map(|metres| format!("{metres:.0} m")));
    parts.push(format!("clock: {}", place.clock));
    parts.join(", ")
}

/// One line for each span that was filled, with the columns that it is of.
fn gaps(table: &Table) -> Vec<String> {
    let mut spans: BTreeMap<(Instant, usize, Rule), Vec<&str>> = BTreeMap::new();
    for column in &table.columns {
        for gap in &column.gaps {
            spans.entry((gap.from, gap.count, gap.rule)).or_default().push(column.quantity.words());
        }
    }
    let told = spans.iter().take(GAPS_SHOWN).map(|((from, count, rule), of)| {
        let of =
            if of.len() == table.columns.len() { String::new() } else { format!(" ({})", of.join(", ")) };
        format!("{} from {from} by {}{of}", values(*count), rule.words())
    });
    let mut told: Vec<String> = told.collect();
    let more = spans.len() - told.len();
    if more > 0 {
        told.push(format!("and {more} more spans"));
    }
    if told.is_empty() {
        told.push("nothing".into());
    }
    told
}

fn values(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} value{plural}", grouped(count as u64))
}

/// What the clock and the publisher did to the rows.
fn clock(table: &Table) -> Vec<String> {
    let rows = &table.rows;
    let named = |instants: &[Instant]| {
        instants.iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let mut told = Vec::new();
    if rows.skipped > 0 {
        told.push(format!("{} of an hour that the clock skips, without a value", rows.skipped));
    }
    if !rows.invented.is_empty() {
        let at = named(&rows.invented);
        told.push(format!("{} of an hour that the clock skips left out ({at})", rows.invented.len()));
    }
    if !rows.once.is_empty() {
        let at = named(&rows.once);
        told.push(format!("{} of an hour that the clock has twice is not there ({at})", rows.once.len()));
    }
    if !rows.doubled.is_empty() {
        let at = named(&rows.doubled);
        told.push(format!("{} that came twice left out ({at})", rows.doubled.len()));
    }
    if rows.other_sequences > 0 {
        told.push(format!("{} of further sequences left out", grouped(rows.other_sequences as u64)));
    }
    if rows.estimated > 0 {
        told.push(format!("{} estimated by the publisher", grouped(rows.estimated as u64)));
    }
    told
}

fn column(table: &Table, column: &Column, height: usize, signs: Signs) -> Vec<String> {
    let Statistics { mean, least, most, percentiles } = column.statistics(table);
    let unit = column.quantity.unit();
    let unit = if unit.is_empty() { String::new() } else { format!(" [{unit}]") };
    let [low, median, high] = percentiles.map(figure);
    let mut lines = vec![
        format!("  {}{unit}: {}", column.quantity.words(), column.name),
        format!("    mean {}; 5 % {low}, median {median}, 95 % {high}", figure(mean)),
        format!("    least {:>11} at {}", figure(least.0), least.1),
        format!("    most  {:>11} at {}", figure(most.0), most.1),
    ];
    lines.extend(drawing(&column.thinned(PARTS), height, signs.all()));
    lines
}

/// Means from left to right, as columns of blocks between the least and the most of them.
fn drawing(means: &[f64], height: usize, signs: [char; 9]) -> Vec<String> {
    let least = means.iter().copied().fold(f64::INFINITY, f64::min);
    let most = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let whole = (height * 8) as f64;
    let eighths = means.iter().map(|mean| {
        let part = if most > least { (mean - least) / (most - least) } else { 0.5 };
        // The least is seen too.
        ((part * whole).round() as usize).clamp(1, height * 8)
    });
    let eighths: Vec<usize> = eighths.collect();
    let line = |row: usize| {
        let below = (height - 1 - row) * 8;
        let label = match row {
            0 => figure(most),
            _ if row + 1 == height => figure(least),
            _ => String::new(),
        };
        let blocks = eighths.iter().map(|count| signs[count.saturating_sub(below).min(8)]);
        format!("    {label:>11} {}", blocks.collect::<String>()).trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

/// A value with as many figures as people read.
fn figure(value: f64) -> String {
    let size = value.abs();
    if (10_000.0..1e15).contains(&size) {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", grouped(size.round() as u64));
    }
    if size > 0.0 && !(0.01..1e15).contains(&size) { format!("{value:.2e}") } else { format!("{value:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_fits_eighty_columns_and_says_what_was_filled() {
        let rows: String = (0..400)
            .filter(|hour| *hour != 300)
            .map(|hour| format!("{},{}\n", Instant::of_hour(hour), (hour * 7) % 100 - 20))
            .collect();
        let table = giga_formats::series::read("x", &format!("time,price EUR/MWh\n{rows}")).expect("sound");
        let screen = series("x.csv", &table, Signs::Blocks);
        assert!(screen.starts_with("x.csv: CSV with times\n  place    clock: UTC\n"), "{screen}");
        assert!(
            screen.contains("  filled   1 value from 1970-01-13T12:00:00Z by the value before\n"),
            "{screen}"
        );
        assert!(screen.contains("\n    mean 29.73; 5 % -15.00, median 30.00, 95 % 74.00\n"), "{screen}");
        assert!(screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
    }

    #[test]
    fn a_drawing_goes_from_the_least_to_the_most() {
        assert_eq!(drawing(&[0.0, 4.0, 8.0], 1, BLOCKS), ["           8.00 ▁▄█"]);
        let two = drawing(&[-1.0, 0.0, 1.0], 2, BLOCKS);
        assert_eq!(two, ["           1.00   █", "          -1.00 ▁██"]);
        assert_eq!(drawing(&[5.0, 5.0], 1, BLOCKS), ["           5.00 ▄▄"]);
    }

    #[test]
    fn a_terminal_without_unicode_gets_plain_signs() {
        let of = Signs::of_locale;
        assert_eq!([of(None), of(Some("C.UTF-8")), of(Some("de_DE.utf8"))], [Signs::Blocks; 3]);
        assert_eq!([of(Some("C")), of(Some("de_DE.ISO-8859-1"))], [Signs::Plain; 2]);
        let text = "time,air [°C]\n1970-01-01T00:00,1\n1970-01-01T01:00,2\n1970-01-01T02:00,9\n";
        let table = giga_formats::series::read("x", text).expect("sound");
        let screen = series("x.csv", &table, Signs::Plain);
        assert!(screen.is_ascii() && screen.contains('#') && screen.contains("deg"), "{screen}");
    }

    #[test]
    fn figures_are_as_long_as_people_read() {
        assert_eq!([0.0, -3.456, 98_765.4, 1.5e-8].map(figure), ["0.00", "-3.46", "98,765", "1.50e-8"]);
    }
}
