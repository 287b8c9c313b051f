//! Parts that sections are made of: headings, tables that open, legends, rows of bars.

use giga_units::AcceleratorTime;

use super::chart::{block, drawing, line, short};
use super::tag::{Tag, classed, said, tag};
use crate::figures;

/// Accelerator-hours; of few of them with decimals.
pub(crate) fn hours(time: AcceleratorTime) -> String {
    let few = time.as_hours_f64();
    if few.abs() < 100.0 { short(few, 2) } else { figures::hours(time) }
}

/// A section with its heading and a sentence or two on what it shows.
pub(crate) fn begin(id: &str, heading: &str, about: &str) -> Tag {
    let head = format!("{id}-head");
    tag("section")
        .set("id", id)
        .set("aria-labelledby", &head)
        .put(said("h2", heading).set("id", &head))
        .put((!about.is_empty()).then(|| classed("p", "about").text(about)))
}

/// A column of a table: words stand left, figures right.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column<'a> {
    Words(&'a str),
    Figures(&'a str),
}

/// A cell with what it is sorted by, where that is not its text.
pub(crate) struct Cell {
    text: String,
    order: Option<f64>,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), order: None }
    }
}

/// A cell that shows a figure in the unit that suits it, and is sorted by it.
pub(crate) fn sorted(text: String, order: f64) -> Cell {
    Cell { text, order: Some(order) }
}

/// A table that scrolls within its box.
pub(crate) fn table<R: IntoIterator<Item = Cell>>(
    name: &str,
    columns: &[Column<'_>],
    rows: impl IntoIterator<Item = R>,
) -> Tag {
    let class = |column: &Column<'_>| matches!(column, Column::Figures(_)).then_some("n");
    let classed = |tag: Tag, class: Option<&str>| class.map_or(tag.clone(), |class| tag.set("class", class));
    let heads = columns.iter().map(|column| {
        let (Column::Words(text) | Column::Figures(text)) = column;
        classed(said("th", text), class(column)).set("scope", "col")
    });
    let cell = |(column, cell): (&Column<'_>, Cell)| {
        let tag = classed(said("td", cell.text), class(column));
        cell.order.map_or(tag.clone(), |order| tag.set("data-order", order))
    };
    let rows = rows.into_iter().map(|row| tag("tr").all(columns.iter().zip(row).map(cell)));
    let body = tag("tbody").all(rows);
    let head = tag("thead").put(tag("tr").all(heads));
    let caption = self::classed("caption", "hidden").text(name);
    let table = tag("table").put(caption).put(head).put(body);
    self::classed("div", "scroll").set("tabindex", 0).set("role", "region").set("aria-label", name).put(table)
}

/// A table behind a word that opens it.
pub(crate) fn behind(word: &str, table: Tag) -> Tag {
    tag("details").put(said("summary", word)).put(table)
}

/// A figure with what it shows in words below.
pub(crate) fn figure(drawing: Tag, caption: &str) -> Tag {
    tag("figure").put(drawing).put(said("figcaption", caption))
}

/// What the marks of a chart mean: the class of each with its word.
pub(crate) fn legend<'a>(marks: impl IntoIterator<Item = (&'a str, String)>) -> Tag {
    let mark = |(class, word): (&str, String)| {
        let swatch =
            tag("svg").set("class", "swatch").set("width", 18).set("height", 12).set("aria-hidden", "true");
        let drawn = match class {
            "limit" | "most" | "share" | "wait" => line(class, (0.0, 6.0), (1.0, 6.0)),
            "dot" => classed("circle", class).set("cx", 9).set("cy", 6).set("r", 4),
            "p95" => block(class, 0.3, 0.7, (2.0, 8.0)),
            _ => block(class, 0.0, 1.0, (1.0, 10.0)),
        };
        tag("li").put(swatch.put(drawn)).put(said("span", word))
    };
    classed("ul", "legend").all(marks.into_iter().map(mark))
}

/// A row with a name, its figure in words, and a bar below; a tick marks what it is held against.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) figure: String,
    pub(crate) tip: String,
    /// Parts of the width, each with its class.
    pub(crate) parts: Vec<(&'static str, f64)>,
    pub(crate) tick: Option<f64>,
}

/// Rows of bars, each in a drawing of its own so that they go side by side where there is room.
pub(crate) fn bars(name: &str, rows: impl IntoIterator<Item = Bar>) -> Tag {
    let rows: Vec<Bar> = rows.into_iter().collect();
    // Few are held against each other best below one another.
    let class = if rows.len() > 8 { "bars many" } else { "bars" };
    let bar = |bar: Bar| {
        let head = classed("div", "row")
            .put(said("span", &bar.name))
            .put(classed("span", "value").text(&bar.figure));
        let mut drawn = drawing(16.0, &bar.name, &bar.tip).put(block("track", 0.0, 1.0, (3.0, 10.0)));
        let mut from = 0.0;
        for (class, part) in &bar.parts {
            drawn = drawn.put(block(class, from, from + part.max(0.0), (3.0, 10.0)));
            from += part.max(0.0);
        }
        let tick = bar.tick.map(|at| line("share", (at.min(0.998), 0.0), (at.min(0.998), 16.0)));
        tag("div").set("data-tip", bar.tip).put(head).put(drawn.put(tick))
    };
    marks(classed("div", class), name).all(rows.into_iter().map(bar))
}

/// A box in which the arrow keys go from mark to mark.
pub(crate) fn marks(tag: Tag, name: &str) -> Tag {
    let hint = format!("{name}; the arrow keys go through it");
    tag.set("data-marks", "").set("tabindex", 0).set("role", "group").set("aria-label", hint)
}
