//! Lost accelerator-hours by cause over the run.

use giga_control::record::TimeUse;
use giga_units::{AcceleratorTime, Instant};

use super::Report;
use super::axis::date;
use super::chart::{Field, Scale, block, drawing};
use super::frame::Section;
use super::headline::parts;
use super::part::{Column, begin, behind, figure, hours, legend, marks, sorted, table};
use super::tag::{Tag, tag};
use crate::figures::percent;

/// The section.
pub(super) fn section(report: &Report<'_>) -> Section {
    let total = &report.summary.time;
    let columns = &report.hours.columns;
    let about = "Accelerator-hours that were installed and led to nothing, by cause. What a failure, a recall or \
                 the grid undid counts when it happens.";
    let words = lost(total).map(|(class, word, time)| {
        (class, format!("{word}: {} h, {}", hours(time), percent(time, total.installed)))
    });
    let drawn = marks(
        figure(
            chart(report),
            "Each column begins at its date. k, m and bn stand for thousands, millions and billions.",
        ),
        "lost accelerator-hours over time",
    );
    let tag = begin("losses", "Lost hours by cause", about)
        .put(legend(words))
        .put(drawn)
        .put(behind("table of lost hours", listed(columns, total)));
    Section::new("losses", "Losses", tag)
}

/// The losses with their classes and causes.
fn lost(time: &TimeUse) -> [(&'static str, &'static str, AcceleratorTime); 6] {
    let [_, no_work, fragmentation, power, failure, maintenance, recall] = parts(time);
    [failure, maintenance, recall, power, fragmentation, no_work]
        .map(|(class, word, time)| (class, word.trim_start_matches("lost: "), time))
}

fn sum(time: &TimeUse) -> AcceleratorTime {
    lost(time).iter().fold(AcceleratorTime::ZERO, |sum, (.., time)| sum + *time)
}

fn chart(report: &Report<'_>) -> Tag {
    let (columns, span) = (&report.hours.columns, report.hours.span);
    let most =
        columns.iter().map(|(_, time)| sum(time)).max().unwrap_or(AcceleratorTime::ZERO).as_hours_f64();
    let units = [(1e9, "bn h"), (1e6, "m h"), (1e3, "k h")];
    let (size, unit) = units.into_iter().find(|(size, _)| most >= *size).unwrap_or((1.0, "h"));
    let field = Field { height: 190.0, scale: Scale { most: most / size * 1.02, unit } };
    let title = format!("Lost accelerator-hours by cause, in {unit}");
    let description =
        lost(&report.summary.time).map(|(_, word, time)| format!("{word}: {}", hours(time))).join(", ");
    let ends = columns.iter().skip(1).map(|(begin, _)| *begin).chain([span.end]);
    let marks = columns.iter().zip(ends).map(|((begin, time), end)| {
        let (from, to) = (span.along(*begin), span.along(end));
        mark(&field, (from, to - (to - from) * 0.12), time, size, *begin, end)
    });
    field.framed(drawing(field.whole(), &title, &description).all(field.grid(span)).all(marks))
}

fn mark(
    field: &Field,
    (from, to): (f64, f64),
    time: &TimeUse,
    size: f64,
    begin: Instant,
    end: Instant,
) -> Tag {
    let mut below = 0.0;
    let blocks = lost(time).map(|(class, _, lost)| {
        let above = below + lost.as_hours_f64().max(0.0) / size;
        let (top, bottom) = (field.y(above), field.y(below));
        below = above;
        block(class, from, to, (top, bottom - top))
    });
    let lines = lost(time)
        .map(|(_, word, lost)| format!("{word}: {} h, {}", hours(lost), percent(lost, time.installed)));
    tag("g").set("data-tip", format!("{} to {}\n{}", date(begin), date(end), lines.join("\n"))).all(blocks)
}

fn listed(columns: &[(Instant, TimeUse)], total: &TimeUse) -> Tag {
    let names = lost(total).map(|(_, word, _)| Column::Figures(word));
    let heads = [
        &[Column::Words("from (UTC)")],
        &names[..],
        &[Column::Figures("all"), Column::Figures("of installed")],
    ]
    .concat();
    let row = |first: String, time: &TimeUse| {
        let cell = |time: AcceleratorTime| sorted(hours(time), time.as_hours_f64());
        let mut row = vec![first.into()];
        row.extend(lost(time).map(|(.., time)| cell(time)));
        row.extend([cell(sum(time)), percent(sum(time), time.installed).into()]);
        row
    };
    let rows = columns.iter().map(|(begin, time)| row(date(*begin), time));
    table("lost accelerator-hours by cause", &heads, rows)
}
