//! Drawings that stretch to the width they are given: places from left to right are in percent, letters keep their size.

use std::fmt::Write as _;

use giga_units::Instant;

use super::axis::{Span, steps};
use super::tag::{Tag, classed, said, tag};

/// Room above the highest line for its words, and below the lowest for dates, in pixels.
const HEAD: f64 = 18.0;
const FOOT: f64 = 22.0;

/// A drawing with its name and description for those who do not see it.
pub(crate) fn drawing(height: f64, title: &str, description: &str) -> Tag {
    tag("svg")
        .set("class", "chart")
        .set("role", "img")
        .set("width", "100%")
        .set("height", px(height))
        .set("aria-label", format!("{title}. {description}"))
        .put(said("title", title))
        .put(said("desc", description))
}

/// A length or place in pixels.
pub(crate) fn px(value: f64) -> String {
    short(value, 1)
}

/// A place from left to right, from 0 to 1, in percent.
pub(crate) fn percent(part: f64) -> String {
    format!("{}%", short(part.clamp(0.0, 1.0) * 100.0, 3))
}

/// A figure without zeros that say nothing.
pub(crate) fn short(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A letter's place in a drawing.
pub(crate) fn words(class: &str, x: f64, y: f64, text: &str) -> Tag {
    classed("text", class).set("x", percent(x)).set("y", px(y)).text(text)
}

/// A rectangle between two parts of the width.
pub(crate) fn block(class: &str, from: f64, to: f64, (y, height): (f64, f64)) -> Tag {
    let (from, to) = (from.clamp(0.0, 1.0), to.clamp(0.0, 1.0));
    classed("rect", class)
        .set("x", percent(from))
        .set("width", percent(to - from))
        .set("y", px(y))
        .set("height", px(height))
}

/// A straight line.
pub(crate) fn line(class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> Tag {
    let ends = [("x1", percent(x1)), ("y1", px(y1)), ("x2", percent(x2)), ("y2", px(y2))];
    ends.into_iter().fold(classed("line", class), |line, (key, value)| line.set(key, value))
}

/// Dates below a chart whose lowest line is so far from above, each with a line that begins so far above it or below.
pub(crate) fn dates(span: Span, bottom: f64, length: f64) -> Vec<Tag> {
    let date = |(at, (when, said)): (usize, (Instant, String))| {
        let x = span.along(when);
        // Words that would be cut off at the right of a telephone end at their line; every second is left out there.
        let side = if x + 0.028 * said.len() as f64 > 1.0 { " end" } else { "" };
        let more = if at % 2 == 1 { " more" } else { "" };
        let words = words(&format!("note{side}{more}"), x, bottom + 17.0, &said);
        [line("grid", (x, bottom), (x, bottom + length)), words]
    };
    span.dates().into_iter().enumerate().flat_map(date).collect()
}

/// What a chart measures upwards, in one unit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) most: f64,
    pub(crate) unit: &'static str,
}

/// The part of a chart between its words: how high it is, and what it measures.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) height: f64,
    pub(crate) scale: Scale,
}

impl Field {
    /// The height of the chart around it.
    pub(crate) fn whole(&self) -> f64 {
        HEAD + self.height + FOOT
    }

    /// How far from above a figure stands, in pixels.
    pub(crate) fn y(&self, value: f64) -> f64 {
        HEAD + self.height * (1.0 - self.part(value))
    }

    fn part(&self, value: f64) -> f64 {
        if self.scale.most > 0.0 { (value / self.scale.most).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Lines of the scale with their words above them, and dates below.
    pub(crate) fn grid(&self, span: Span) -> Vec<Tag> {
        let mut all = Vec::new();
        let steps = steps(self.scale.most);
        for (at, step) in steps.iter().enumerate() {
            let y = self.y(*step);
            all.push(line(if at == 0 { "base" } else { "grid" }, (0.0, y), (1.0, y)));
        }
        all.extend(dates(span, HEAD + self.height, 5.0));
        all
    }

    /// A drawing with the words of its lines to the left of it.
    pub(crate) fn framed(&self, drawing: Tag) -> Tag {
        let all = steps(self.scale.most);
        let label = |step: &f64| {
            classed("text", "note end").set("x", 36).set("y", px(self.y(*step) + 4.0)).text(short(*step, 3))
        };
        let unit = classed("text", "note end").set("x", 36).set("y", 10).text(self.scale.unit);
        let beside = classed("svg", "chart beside")
            .set("width", 44)
            .set("height", px(self.whole()))
            .set("aria-hidden", "true")
            .put(unit)
            .all(all.iter().map(label));
        classed("div", "framed").put(beside).put(drawing)
    }

    /// A drawing inside that stretches with the width: its places are in parts of `width` and in thousandths of the
    /// height from above.
    pub(crate) fn stretched(&self, width: f64) -> Tag {
        tag("svg")
            .set("x", 0)
            .set("y", px(HEAD))
            .set("width", "100%")
            .set("height", px(self.height))
            .set("viewBox", format!("0 0 {} 1000", short(width, 3)))
            .set("preserveAspectRatio", "none")
            .set("aria-hidden", "true")
    }

    /// A line of steps inside a stretched drawing: each value holds for one unit of width.
    pub(crate) fn stairs(&self, values: &[f64]) -> String {
        let level = |value: f64| (1000.0 * (1.0 - self.part(value))).round() as i64;
        let mut path = String::new();
        let mut before = None;
        for value in values {
            let y = level(*value);
            match before {
                None => {
                    let _ = write!(path, "M0 {y}h1");
                }
                Some(before) if before == y => path.push_str("h1"),
                Some(_) => {
                    let _ = write!(path, "V{y}h1");
                }
            }
            before = Some(y);
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(
            (short(2.50, 2), short(-0.001, 1), short(100.0, 0)),
            ("2.5".into(), "0".into(), "100".into())
        );
        assert_eq!((percent(0.5), percent(7.0)), ("50%".into(), "100%".into()));
    }

    #[test]
    fn stairs_hold_each_value_for_a_step() {
        let field = Field { height: 100.0, scale: Scale { most: 4.0, unit: "MW" } };
        assert_eq!(field.stairs(&[0.0, 4.0, 4.0, 9.0, 2.0]), "M0 1000h1V0h1h1h1V500h1");
        assert_eq!(field.stairs(&[]), "");
    }
}
