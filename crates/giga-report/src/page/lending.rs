//! What lending gave and took, by owner, and what events of the grid did. There is no such section where nothing is
//! known of either.

use giga_model::OwnerId;
use giga_units::{AcceleratorTime, Energy, Power, grouped};

use super::Report;
use super::frame::Section;
use super::part::{Bar, Column, bars, begin, behind, hours, legend, sorted, table};
use super::tag::{Tag, classed, said, tag};
use crate::figures::{energy, power};

/// What lending and grid events came to; empty where a run knows of neither.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lending {
    /// By owner, in the order they are shown.
    pub owners: Vec<OwnerLending>,
    /// Events of the grid.
    pub grid: Option<GridSums>,
}

/// What lending gave an owner and took from it, each where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnerLending {
    /// Who.
    pub owner: OwnerId,
    /// What its shares stand for.
    pub entitled: Option<AcceleratorTime>,
    /// What it used inside its floor.
    pub within_floor: Option<AcceleratorTime>,
    /// What it used of others' floors.
    pub borrowed: Option<AcceleratorTime>,
    /// What others used of its floor.
    pub lent: Option<AcceleratorTime>,
    /// What it called back.
    pub recalled: Option<AcceleratorTime>,
    /// Work of its own that was undone when others called back.
    pub preempted: Option<AcceleratorTime>,
}

/// What events of the grid came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GridSums {
    /// How many there were.
    pub events: u64,
    /// Energy that was not drawn because of them.
    pub cut: Energy,
    /// Energy drawn beyond what was allowed.
    pub excess: Energy,
    /// The most power that was missing.
    pub short: Power,
}

/// What is shown of an owner: words, and where they are read.
type Kind = (&'static str, fn(&OwnerLending) -> Option<AcceleratorTime>);
const KINDS: [Kind; 6] = [
    ("entitled", |row| row.entitled),
    ("within floor", |row| row.within_floor),
    ("borrowed", |row| row.borrowed),
    ("lent", |row| row.lent),
    ("recalled", |row| row.recalled),
    ("lost by preemption", |row| row.preempted),
];

/// The section, or `None` where there is nothing to show.
pub(super) fn section(report: &Report<'_>) -> Option<Section> {
    let lending = report.lending;
    if lending.owners.is_empty() && lending.grid.is_none() {
        return None;
    }
    let about = "What each owner used of its own floor and of what others left idle, and what others used of its floor.";
    let tag = begin("lending", "Lending", about)
        .put((!lending.owners.is_empty()).then(|| owners(report)))
        .put(lending.grid.as_ref().map(grid));
    Some(Section::new("lending", "Lending", tag))
}

fn owners(report: &Report<'_>) -> Tag {
    let rows = &report.lending.owners;
    let used = |row: &OwnerLending| {
        [row.within_floor, row.borrowed]
            .into_iter()
            .flatten()
            .fold(AcceleratorTime::ZERO, |sum, time| sum + time)
    };
    let most = rows.iter().map(|row| used(row).max(row.entitled.unwrap_or(AcceleratorTime::ZERO))).max();
    let most = most.map_or(1.0, |most| most.as_hours_f64().max(f64::MIN_POSITIVE));
    let along = |time: Option<AcceleratorTime>| time.map_or(0.0, |time| time.as_hours_f64() / most);
    let name = |row: &OwnerLending| report.federation.owners[row.owner.index()].name.clone();
    let said_of = |row: &OwnerLending, (word, read): &Kind| {
        read(row).map(|time| format!("{word}: {} accelerator-h", hours(time)))
    };
    let bar = |row: &OwnerLending| Bar {
        name: name(row),
        figure: row.lent.map_or_else(String::new, |lent| format!("{} h lent", hours(lent))),
        tip: [name(row)]
            .into_iter()
            .chain(KINDS.iter().filter_map(|kind| said_of(row, kind)))
            .collect::<Vec<_>>()
            .join("\n"),
        parts: vec![("delivered", along(row.within_floor)), ("borrowed", along(row.borrowed))],
        tick: row.entitled.map(|time| along(Some(time))),
    };
    let cells = |row: &OwnerLending| {
        let cell = |(_, read): &Kind| match read(row) {
            Some(time) => sorted(hours(time), time.as_hours_f64()),
            None => "–".into(),
        };
        [name(row).into()].into_iter().chain(KINDS.iter().map(cell)).collect::<Vec<_>>()
    };
    let columns =
        [&[Column::Words("owner [accelerator-h]")], &KINDS.map(|(word, _)| Column::Figures(word))[..]]
            .concat();
    let marks = [("delivered", "used within floor"), ("borrowed", "borrowed"), ("share", "entitled")];
    tag("div")
        .put(legend(marks.map(|(class, word)| (class, word.to_owned()))))
        .put(bars("lending by owner", rows.iter().map(bar)))
        .put(behind("table of lending", table("lending by owner", &columns, rows.iter().map(cells))))
}

fn grid(sums: &GridSums) -> Tag {
    let figure = |word: &str, value: String| tag("div").put(said("dt", word)).put(said("dd", value));
    let figures = [
        figure("events of the grid", grouped(sums.events)),
        figure("energy cut", energy(sums.cut)),
        figure("energy in excess", energy(sums.excess)),
        figure("power short", power(sums.short)),
    ];
    tag("div").put(said("h3", "Events of the grid")).put(classed("dl", "figures").all(figures))
}
