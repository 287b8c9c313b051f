//! How long jobs waited for their first start, by programme and size.

use giga_control::WaitRow;
use giga_units::{Duration, grouped};

use super::Report;
use super::chart::{block, drawing, line, percent, words};
use super::frame::Section;
use super::part::{Column, begin, behind, legend, marks, sorted, table};
use super::tag::{Tag, classed, said, tag};
use crate::figures::wait;

/// What stands below a chart: a second to a year, each a step of about ten.
const TICKS: [(i64, &str); 6] = [
    (1_000, "up to 1 s"),
    (60_000, "1 min"),
    (3_600_000, "1 h"),
    (86_400_000, "1 d"),
    (604_800_000, "1 w"),
    (31_536_000_000, "1 y"),
];
/// From where on waits are told apart, in milliseconds; shorter ones stand at the left.
const LEAST: f64 = 1_000.0;
const ROW: f64 = 36.0;

/// The section.
pub(super) fn section(report: &Report<'_>) -> Section {
    let rows = &report.summary.waits;
    let name = |row: &WaitRow| report.federation.programmes[row.programme.index()].name.as_str();
    let longest = rows.iter().map(|row| row.waits.quantile(95).as_milliseconds()).max().unwrap_or(0);
    let scale = Scale { most: (longest as f64 * 1.3).max(60_000.0) };
    let charts = rows.chunk_by(|one, next| one.programme == next.programme);
    let charts = charts.map(|rows| chart(name(&rows[0]), rows, scale));
    let row = |row: &WaitRow| {
        let time = |time: Duration| sorted(wait(time), time.as_milliseconds() as f64);
        let count = sorted(grouped(row.waits.count()), row.waits.count() as f64);
        [
            name(row).into(),
            row.size.into(),
            count,
            time(row.waits.quantile(50)),
            time(row.waits.mean()),
            time(row.waits.quantile(95)),
        ]
    };
    let columns = ["jobs started", "median wait", "mean wait", "p95 wait"].map(Column::Figures);
    let columns = [&[Column::Words("programme"), Column::Words("accelerators")], &columns[..]].concat();
    let about = "From submission to the first start, by programme and by accelerators asked for; jobs that never \
                 started are not in it. Times stand on a scale of tenfold steps. Half of the jobs waited no longer than \
                 the median, all but 5 % no longer than p95.";
    let tag = begin("waits", "Waiting", about)
        .put(legend([("dot", "median".to_owned()), ("p95", "p95".to_owned())]))
        .put(classed("div", "small").all(charts))
        .put(behind("table of waits", table("waits by programme and size", &columns, rows.iter().map(row))));
    Section::new("waits", "Waiting", tag)
}

/// Times in steps of ten, from a second on.
#[derive(Debug, Clone, Copy)]
struct Scale {
    most: f64,
}

impl Scale {
    fn along(self, milliseconds: i64) -> f64 {
        let over = (milliseconds as f64 / LEAST).max(1.0).ln();
        (over / (self.most / LEAST).ln()).clamp(0.0, 1.0) * 0.97 + 0.015
    }
}

fn chart(programme: &str, rows: &[WaitRow], scale: Scale) -> Tag {
    let height = ROW * rows.len() as f64 + 20.0;
    let ticks = TICKS.into_iter().filter(|(tick, _)| *tick as f64 <= scale.most);
    let ticks = ticks.flat_map(|(tick, name)| {
        let x = scale.along(tick);
        let (class, at) = if tick == TICKS[0].0 { ("note", 0.0) } else { ("note middle", x) };
        [line("grid", (x, 0.0), (x, height - 18.0)), words(class, at, height - 4.0, name)]
    });
    let title = format!("Waits of {programme}");
    let drawn = drawing(height, &title, "Median and 95th percentile by accelerators asked for.").all(ticks);
    let drawn = drawn.all(rows.iter().enumerate().map(|(at, row)| mark(row, at as f64 * ROW, scale)));
    let figure = tag("figure").put(said("h3", programme)).put(drawn);
    marks(figure, &title)
}

fn mark(row: &WaitRow, top: f64, scale: Scale) -> Tag {
    let (median, p95) = (row.waits.quantile(50), row.waits.quantile(95));
    let (from, to) = (scale.along(median.as_milliseconds()), scale.along(p95.as_milliseconds()));
    let tip = format!(
        "{} accelerators: {} jobs started\nmedian {}, mean {}, p95 {}",
        row.size,
        grouped(row.waits.count()),
        wait(median),
        wait(row.waits.mean()),
        wait(p95)
    );
    let y = top + 24.0;
    tag("g")
        .set("data-tip", tip)
        .put(classed("rect", "touch").set("width", "100%").set("height", ROW).set("y", top))
        .put(words("name over", 0.0, top + 13.0, row.size))
        .put(words("value end over", 1.0, top + 13.0, &format!("{} · {}", wait(median), wait(p95))))
        .put(line("range", (from, y), (to, y)))
        .put(block("p95", to - 0.008, to + 0.008, (y - 4.0, 8.0)))
        .put(classed("circle", "dot").set("cx", percent(from)).set("cy", y).set("r", 4))
}
