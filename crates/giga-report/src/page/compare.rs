//! Runs beside each other, as a page.

use super::frame::{Section, page};
use super::part::{Bar, Cell, Column, bars, begin, sorted, table};
use super::tag::{Tag, classed, said, tag};
use crate::compare::{Comparison, Row, about, figure, letter, percent, signed};

/// The figures that are drawn above all tables, each by group and words.
const DRAWN: [(&str, &str); 7] = [
    ("jobs", "completed"),
    ("accelerator hours", "delivered"),
    ("", "energy"),
    ("", "carbon"),
    ("", "cost"),
    ("", "cost of a useful accelerator-hour"),
    ("", "violations"),
];

const ABOUT: &str = "The bars of a figure share one scale from zero. Differences are against run A; a dash stands where a \
                     run has no such figure, or where A has none of it and so no percentage. What is shown is rounded.";

/// The page of a comparison.
#[must_use]
pub fn compared(comparison: &Comparison) -> String {
    let mut sections = vec![headline(comparison)];
    for (at, (group, rows)) in comparison.groups().iter().enumerate() {
        let name = &heading(group);
        let id = format!("part-{at}");
        let tag = begin(&id, name, "").put(listed(name, comparison, rows));
        sections.push(Section::new(&id, name, tag));
    }
    page("Comparison of runs", head(comparison), &sections)
}

/// A group's name as a heading.
fn heading(group: &str) -> String {
    let mut letters = if group.is_empty() { "whole run" } else { group }.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn head(comparison: &Comparison) -> Tag {
    let run = |(at, (name, run)): (usize, &(String, giga_formats::summary::ReadSummary))| {
        tag("div").put(said("dt", format_args!("{} · {name}", letter(at)))).put(said("dd", about(run)))
    };
    let cautions = comparison
        .cautions()
        .into_iter()
        .map(|caution| classed("p", "about").text(format_args!("Note: {caution}.")));
    tag("header")
        .put(said("h1", "Comparison of runs"))
        .put(classed("dl", "run down").all(comparison.runs.iter().enumerate().map(run)))
        .all(cautions)
}

fn headline(comparison: &Comparison) -> Section {
    let find = |(group, what): &(&str, &str)| {
        comparison.rows.iter().find(|row| row.group == *group && row.what == *what)
    };
    let drawn = DRAWN.iter().filter_map(find).map(|row| {
        let name =
            if row.unit.is_empty() { row.what.clone() } else { format!("{} [{}]", row.what, row.unit) };
        tag("div").put(said("h3", &name)).put(bars(&name, runs(row)))
    });
    let tag = begin("headline", "Headline figures", ABOUT).put(classed("div", "small").all(drawn));
    Section::new("headline", "Headline", tag)
}

/// A bar for each run.
fn runs(row: &Row) -> Vec<Bar> {
    let most = row.values.iter().flatten().fold(f64::MIN_POSITIVE, |most, value| most.max(*value));
    let bar = |(at, value): (usize, &Option<f64>)| {
        let difference = row.difference(at).filter(|_| at > 0);
        let apart = difference.map_or_else(String::new, |difference| format!(" · {}", percent(&difference)));
        let said = value.map_or_else(|| "–".to_owned(), figure);
        Bar {
            name: letter(at),
            tip: format!("{} {}: {said} {}{apart}", letter(at), row.what, row.unit),
            figure: format!("{said}{apart}"),
            parts: vec![("delivered", value.unwrap_or(0.0) / most)],
            tick: None,
        }
    };
    row.values.iter().enumerate().map(bar).collect()
}

fn listed(name: &str, comparison: &Comparison, rows: &[&Row]) -> Tag {
    let of_run = |run| [letter(run), format!("{} − A", letter(run)), "in % of A".to_owned()];
    let heads: Vec<String> = (1..comparison.runs.len()).flat_map(of_run).collect();
    let mut columns = vec![Column::Words("figure"), Column::Words("unit"), Column::Figures("A")];
    columns.extend(heads.iter().map(|head| Column::Figures(head)));
    table(name, &columns, rows.iter().map(|row| cells(row)))
}

fn cells(row: &Row) -> Vec<Cell> {
    let none = || Cell::from("–");
    let value = |at: usize| {
        row.values.get(at).copied().flatten().map_or_else(none, |value| sorted(figure(value), value))
    };
    let mut cells = vec![row.name().into(), row.unit.into(), value(0)];
    for at in 1..row.values.len() {
        let difference = row.difference(at);
        cells.push(value(at));
        cells.push(difference.map_or_else(none, |apart| sorted(signed(apart.absolute), apart.absolute)));
        cells.push(
            difference.map_or_else(none, |apart| sorted(percent(&apart), apart.percent.unwrap_or(f64::MAX))),
        );
    }
    cells
}
