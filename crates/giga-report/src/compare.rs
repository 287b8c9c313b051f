//! Two runs or more beside each other: every figure of their summaries, and how far each is from the first.

use giga_formats::summary::{Figure, ReadSummary};
use giga_units::grouped;

use crate::table::{Side, table};

/// Runs to be held against the first of them, each with what the caller calls it.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The runs, in the order of the call.
    pub runs: Vec<(String, ReadSummary)>,
    /// Their figures, in the order of the first summary that has them.
    pub rows: Vec<Row>,
}

/// A figure in every run.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it belongs to: `jobs`, `sites` and the like, or nothing.
    pub group: String,
    /// Which of them, or nothing.
    pub of: String,
    /// What it says, in the words of the screen.
    pub what: String,
    /// The unit, or nothing for a count.
    pub unit: &'static str,
    /// By run; `None` where a run has no such figure.
    pub values: Vec<Option<f64>>,
}

/// How far a figure is from that of the first run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// In the unit of the figure.
    pub absolute: f64,
    /// In percent of the first, or `None` where that is zero and the other is not.
    pub percent: Option<f64>,
}

impl Comparison {
    /// Puts the figures of all runs into rows.
    #[must_use]
    pub fn new(runs: Vec<(String, ReadSummary)>) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        let mut places = std::collections::BTreeMap::new();
        for (at, (_, run)) in runs.iter().enumerate() {
            for figure in &run.figures {
                let key = (figure.group.clone(), figure.of.clone(), figure.what.clone(), figure.unit);
                let place = *places.entry(key).or_insert_with(|| {
                    rows.push(Row::of(figure, runs.len()));
                    rows.len() - 1
                });
                rows[place].values[at] = Some(figure.value);
            }
        }
        Self { runs, rows }
    }

    /// The groups in the order of their first figures, each with its rows.
    #[must_use]
    pub fn groups(&self) -> Vec<(&str, Vec<&Row>)> {
        let mut groups: Vec<(&str, Vec<&Row>)> = Vec::new();
        for row in &self.rows {
            match groups.iter_mut().find(|(group, _)| *group == row.group) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((&row.group, vec![row])),
            }
        }
        groups
    }

    /// What keeps figures from standing beside each other as they are, in sentences.
    #[must_use]
    pub fn cautions(&self) -> Vec<String> {
        let differ = |part: fn(&ReadSummary) -> &str| {
            self.runs.windows(2).any(|pair| part(&pair[0].1) != part(&pair[1].1))
        };
        let mut cautions = Vec::new();
        if differ(|run| &run.federation) {
            cautions.push("the runs are of different federations".to_owned());
        }
        if differ(|run| &run.from) || differ(|run| &run.until) {
            cautions.push("the runs are of different times: amounts grow with the time".to_owned());
        }
        cautions
    }
}

impl Row {
    fn of(figure: &Figure, runs: usize) -> Self {
        Self {
            group: figure.group.clone(),
            of: figure.of.clone(),
            what: screen_word(&figure.group, &figure.what, figure.unit),
            unit: figure.unit,
            values: vec![None; runs],
        }
    }

    /// How far a run is from the first; `None` where one of the two has no such figure.
    #[must_use]
    pub fn difference(&self, run: usize) -> Option<Difference> {
        let (first, other) = ((*self.values.first()?)?, (*self.values.get(run)?)?);
        let absolute = other - first;
        let percent = if absolute == 0.0 {
            Some(0.0)
        } else {
            Some(absolute / first.abs() * 100.0).filter(|part| part.is_finite())
        };
        Some(Difference { absolute, percent })
    }

    /// The words of the row: which, and what of it.
    #[must_use]
    pub fn name(&self) -> String {
        if self.of.is_empty() { self.what.clone() } else { format!("{}: {}", self.of, self.what) }
    }
}

/// What the screen says for a key.
fn screen_word(group: &str, what: &str, unit: &str) -> String {
    let word = match (group, what) {
        ("jobs", "timed out") => "stopped at their limit",
        ("jobs", "running") => "running at the end",
        ("jobs", "waiting") => "waiting at the end",
        ("", "cost") if unit == "EUR per accelerator-h" => "cost of a useful accelerator-hour",
        ("", "interruptions") => "attempts interrupted",
        (
            "accelerator hours" | "sites",
            "no work" | "fragmentation" | "power" | "failure" | "maintenance" | "recall",
        ) => {
            return format!("lost: {what}");
        }
        ("waits", "median" | "mean" | "p95") => return format!("{what} wait"),
        ("waits", "jobs") => "jobs started",
        _ => what,
    };
    word.to_owned()
}

/// Which run it was, in one line: its federation, time, seed, work and shocks.
pub(crate) fn about(run: &ReadSummary) -> String {
    let seed = run.seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
    let work = if run.work.is_empty() { String::new() } else { format!(", {}", run.work) };
    let shocks = match run.shocks.as_slice() {
        [] => String::new(),
        names => format!("; shocks that happened: {}", names.join(", ")),
    };
    format!("{}, {} to {}{seed}{work}{shocks}", run.federation, run.from, run.until)
}

/// The letter of a run: A, B, and so on; behind Z its number.
#[must_use]
pub fn letter(run: usize) -> String {
    match u8::try_from(run) {
        Ok(at) if at < 26 => char::from(b'A' + at).to_string(),
        _ => format!("#{}", run + 1),
    }
}

/// A figure with five digits at most behind which it is rounded, or all before the point.
#[must_use]
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if size >= 1_000.0 {
        // Beyond 64 bits `as` saturates; no run comes near.
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", grouped(size.round() as u64));
    }
    let decimals = match size {
        s if s >= 100.0 => 2,
        s if s >= 10.0 => 3,
        s if s >= 0.001 || s == 0.0 => 4,
        _ => 9,
    };
    crate::page::short(value, decimals)
}

/// A difference with its sign.
#[must_use]
pub fn signed(value: f64) -> String {
    let text = figure(value);
    if value > 0.0 && text != "0" { format!("+{text}") } else { text }
}

/// A difference in percent with its sign.
#[must_use]
pub fn percent(difference: &Difference) -> String {
    match difference.percent {
        Some(0.0) => "0 %".to_owned(),
        Some(part) => format!("{part:+.2} %"),
        None => "–".to_owned(),
    }
}

/// One screen: the runs, then a table of all figures.
#[must_use]
pub fn comparison(comparison: &Comparison) -> String {
    let mut out = String::new();
    for (at, (name, run)) in comparison.runs.iter().enumerate() {
        out.push_str(&format!("{}  {name}: {}\n", letter(at), about(run)));
    }
    comparison.cautions().iter().for_each(|caution| out.push_str(&format!("note: {caution}\n")));
    let mut heads = vec![
        ("figure".to_owned(), Side::Left),
        ("unit".to_owned(), Side::Left),
        ("A".to_owned(), Side::Right),
    ];
    for at in 1..comparison.runs.len() {
        let letter = letter(at);
        let more = [letter.clone(), format!("{letter} - A"), "in % of A".to_owned()];
        heads.extend(more.map(|head| (head, Side::Right)));
    }
    let columns: Vec<(&str, Side)> = heads.iter().map(|(head, side)| (head.as_str(), *side)).collect();
    let mut rows = Vec::new();
    for (group, of_group) in comparison.groups() {
        if !group.is_empty() {
            rows.push(vec![group.to_owned()]);
        }
        rows.extend(of_group.into_iter().map(|row| cells(row, !group.is_empty())));
    }
    out.push('\n');
    for line in table(&columns, rows) {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

fn cells(row: &Row, inside: bool) -> Vec<String> {
    let none = || "–".to_owned();
    let value = |at: usize| row.values.get(at).copied().flatten().map_or_else(none, figure);
    let name = if inside { format!("  {}", row.name()) } else { row.name() };
    let mut cells = vec![name, row.unit.to_owned(), value(0)];
    for at in 1..row.values.len() {
        let difference = row.difference(at);
        cells.push(value(at));
        cells.push(difference.map_or_else(none, |difference| signed(difference.absolute)));
        cells.push(difference.map_or_else(none, |difference| percent(&difference)));
    }
    cells
}
