//! What lending gave and took, by owner, and what limits of the grid did. There is no such section where nothing was lent
//! and no limit fell.

use giga_control::{GridSums, OwnerUse, ProgrammeUse, Summary};
use giga_units::{AcceleratorTime, grouped};

use super::Report;
use super::frame::Section;
use super::part::{Bar, Column, bars, begin, behind, hours, legend, sorted, table};
use super::tag::{Tag, classed, said, tag};
use crate::figures::{energy, power};

/// What is shown of an owner: words, and where they are read.
type Kind = (&'static str, fn(&OwnerUse) -> AcceleratorTime);
const KINDS: [Kind; 5] = [
    ("entitled", |row| row.entitled),
    ("held within floor", |row| row.within),
    ("borrowed", |row| row.borrowed),
    ("of it firm, above a floor that shrank", |row| row.excess),
    ("lent", |row| row.lent),
];

/// The section, or `None` where there is nothing to show.
pub(super) fn section(report: &Report<'_>) -> Option<Section> {
    let summary = report.summary;
    let lent = summary.owners.iter().any(|row| row.borrowed > AcceleratorTime::ZERO) || summary.recalls > 0;
    if !lent && summary.grid.events == 0 {
        return None;
    }
    let about = "What the work of each owner held of its own floor and of what others left idle, what others held of its \
                 floor, and what limits of the grid did.";
    let tag = begin("lending", "Lending and the grid", about)
        .put(lent.then(|| owners(report)))
        .put((summary.recalls > 0).then(|| recalls(summary)))
        .put((summary.grid.events > 0).then(|| grid(&summary.grid)))
        .put(programmes(report));
    Some(Section::new("lending", "Lending", tag))
}

fn owners(report: &Report<'_>) -> Tag {
    let rows = &report.summary.owners;
    let most = rows.iter().map(|row| (row.within + row.borrowed).max(row.entitled)).max();
    let most = most.map_or(1.0, |most| most.as_hours_f64().max(f64::MIN_POSITIVE));
    let along = |time: AcceleratorTime| time.as_hours_f64() / most;
    let name = |row: &OwnerUse| report.federation.owners[row.owner.index()].name.clone();
    let said_of = |row: &OwnerUse, (word, read): &Kind| format!("{word}: {} accelerator-h", hours(read(row)));
    let bar = |row: &OwnerUse| Bar {
        name: name(row),
        figure: format!("{} h lent", hours(row.lent)),
        tip: [name(row)]
            .into_iter()
            .chain(KINDS.iter().map(|kind| said_of(row, kind)))
            .collect::<Vec<_>>()
            .join("\n"),
        parts: vec![("delivered", along(row.within)), ("borrowed", along(row.borrowed))],
        tick: Some(along(row.entitled)),
    };
    let cells = |row: &OwnerUse| {
        let cell = |(_, read): &Kind| sorted(hours(read(row)), read(row).as_hours_f64());
        [name(row).into()].into_iter().chain(KINDS.iter().map(cell)).collect::<Vec<_>>()
    };
    let columns =
        [&[Column::Words("owner [accelerator-h]")], &KINDS.map(|(word, _)| Column::Figures(word))[..]]
            .concat();
    let marks = [("delivered", "held within floor"), ("borrowed", "borrowed"), ("share", "entitled")];
    tag("div")
        .put(legend(marks.map(|(class, word)| (class, word.to_owned()))))
        .put(bars("lending by owner", rows.iter().map(bar)))
        .put(behind("table of lending", table("lending by owner", &columns, rows.iter().map(cells))))
}

fn figures(heading: &str, all: impl IntoIterator<Item = (&'static str, String)>) -> Tag {
    let figure = |(word, value): (&str, String)| tag("div").put(said("dt", word)).put(said("dd", value));
    tag("div").put(said("h3", heading)).put(classed("dl", "figures").all(all.into_iter().map(figure)))
}

fn recalls(summary: &Summary) -> Tag {
    let undone = format!("{} accelerator-h", hours(summary.recall_lost));
    figures("Called back", [("jobs told to leave", grouped(summary.recalls)), ("work undone", undone)])
}

fn grid(sums: &GridSums) -> Tag {
    let mut all = vec![
        ("limits that fell", grouped(sums.events)),
        ("jobs capped", grouped(sums.capped)),
        ("suspended", grouped(sums.suspended)),
        ("sent away", grouped(sums.preempted)),
        ("energy above a limit, at most", energy(sums.excess_at_most)),
        ("limits that were short", grouped(sums.shorts)),
    ];
    if sums.shorts > 0 {
        all.push(("power short, at most", power(sums.short_most)));
    }
    figures("Limits of the grid", all)
}

/// What the work of each programme lost to the grid, where any did.
fn programmes(report: &Report<'_>) -> Option<Tag> {
    let lost: Vec<&ProgrammeUse> =
        report.summary.programmes.iter().filter(|row| row.lost_to_grid > AcceleratorTime::ZERO).collect();
    let name = |row: &ProgrammeUse| report.federation.programmes[row.programme.index()].name.clone();
    let cell = |time: AcceleratorTime| sorted(hours(time), time.as_hours_f64());
    let row = |row: &&ProgrammeUse| [name(row).into(), cell(row.used), cell(row.lost_to_grid)];
    let columns = [
        Column::Words("programme [accelerator-h]"),
        Column::Figures("used"),
        Column::Figures("lost to the grid"),
    ];
    (!lost.is_empty()).then(|| {
        let table = table("lost to the grid by programme", &columns, lost.iter().map(row));
        behind("table of what programmes lost to the grid", table)
    })
}
