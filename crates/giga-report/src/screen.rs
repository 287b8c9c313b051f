//! One screen: what a run delivered, to whom, what was lost and why, and what it cost.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use giga_control::{ProgrammeUse, Summary};
use giga_formats::summary::RunFacts;
use giga_model::{Federation, ProjectId, SiteId};
use giga_units::{AcceleratorTime, Money, grouped};

use crate::figures::{carbon, energy, hours, money, percent, power, wait};
use crate::table::Side;
use crate::{plants, supply};

/// Width of the bar that stands for the whole.
const BAR: f64 = 40.0;
/// So many sites of those that read a dataset are named.
const SITES_SHOWN: usize = 4;

/// The screen of a run.
#[must_use]
pub fn screen(federation: &Federation, summary: &Summary, facts: &RunFacts) -> String {
    let mut out = String::new();
    head(&mut out, federation, summary, facts);
    jobs(&mut out, summary);
    turns(&mut out, summary);
    time(&mut out, summary, facts);
    owners(&mut out, federation, summary);
    programmes(&mut out, federation, summary);
    waits(&mut out, federation, summary);
    sites(&mut out, federation, summary, facts);
    energy_of_plants(&mut out, federation, summary, facts);
    data(&mut out, federation, summary);
    totals(&mut out, summary);
    out
}

/// What each owner got together with the others, beside what it got in a fixed partition of its own.
#[must_use]
pub fn beside_partition(federation: &Federation, together: &Summary, fixed: &Summary) -> String {
    let mut out = String::new();
    line(&mut out, "\nbeside a fixed partition of every site for each owner, with the same work");
    let rows = together.owners.iter().zip(&fixed.owners).map(|(together, fixed)| {
        let name = federation.owners[together.owner.index()].name.clone();
        let more = together.used.as_hours_f64() - fixed.used.as_hours_f64();
        let part = 100.0 * more / fixed.used.as_hours_f64().max(f64::MIN_POSITIVE);
        let part =
            if fixed.used == AcceleratorTime::ZERO { "–".to_owned() } else { format!("{part:+.2} %") };
        vec![name, hours(together.used), hours(fixed.used), format!("{more:+.0}"), part]
    });
    let columns = ["owner", "shared [accelerator-h]", "partition", "difference", "of the partition"];
    table(&mut out, &columns, rows);
    let ended = |summary: &Summary| grouped(summary.completed + summary.timed_out);
    line(&mut out, "");
    line(&mut out, &format!("jobs ended: {} shared, {} in partitions", ended(together), ended(fixed)));
    let refused = grouped(fixed.refused);
    line(&mut out, &format!("jobs refused: {} shared, {refused} in partitions", grouped(together.refused)));
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

fn head(out: &mut String, federation: &Federation, summary: &Summary, facts: &RunFacts) {
    let accelerators = grouped(federation.accelerators_total());
    line(out, &format!("{}: {accelerators} accelerators", federation.name));
    let length = wait(summary.end.since(summary.start));
    let seed = facts.seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
    line(out, &format!("{} to {} ({length}){seed}", summary.start, summary.end));
    line(out, &format!("work: {}", facts.work));
}

fn jobs(out: &mut String, summary: &Summary) {
    let mut parts = vec![format!("{} submitted", grouped(summary.submitted))];
    let named = [
        ("completed", summary.completed),
        ("stopped at their limit", summary.timed_out),
        ("cancelled", summary.cancelled),
        ("failed", summary.failed),
        ("refused", summary.refused),
        ("running at the end", summary.running),
        ("waiting at the end", summary.waiting),
    ];
    parts.extend(named.iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{} {word}", grouped(*n))));
    line(out, &format!("jobs: {}", parts.join(", ")));
    for (refusal, count) in &summary.refusals {
        line(out, &format!("      {} refused: {}", grouped(*count), refusal.word()));
    }
    if summary.interruptions > 0 {
        line(
            out,
            &format!(
                "      {} attempts interrupted by failures, maintenance, recalls or the grid, and queued again",
                grouped(summary.interruptions)
            ),
        );
    }
}

/// What was called back, moved, and cut: one line for each where there was any.
fn turns(out: &mut String, summary: &Summary) {
    let grid = &summary.grid;
    if summary.recalls > 0 {
        let (count, lost) = (grouped(summary.recalls), hours(summary.recall_lost));
        line(
            out,
            &format!("      {count} told to leave what was lent; {lost} accelerator-hours of work undone"),
        );
    }
    if summary.rebound > 0 {
        line(out, &format!("      {} moved to a cheaper site while they waited", grouped(summary.rebound)));
    }
    if grid.events > 0 {
        let counts = [("capped", grid.capped), ("suspended", grid.suspended), ("sent away", grid.preempted)];
        let counts: Vec<_> =
            counts.iter().map(|(word, count)| format!("{} {word}", grouped(*count))).collect();
        let (events, excess) = (grouped(grid.events), energy(grid.excess_at_most));
        let within = "within the first ten seconds";
        line(
            out,
            &format!(
                "grid: {events} limits; jobs {}; at most {excess} above the limit {within}",
                counts.join(", ")
            ),
        );
    }
    if grid.shorts > 0 {
        let (count, most) = (grouped(grid.shorts), power(grid.short_most));
        line(out, &format!("      short {count} times, by {most} at most: protected work was cut"));
    }
}

/// What each programme lost to the grid, and what it is sold for.
fn programmes(out: &mut String, federation: &Federation, summary: &Summary) {
    let told = |row: &&ProgrammeUse| row.income > Money::ZERO || row.lost_to_grid > AcceleratorTime::ZERO;
    let rows = summary.programmes.iter().filter(told).map(|row| {
        let name = federation.programmes[row.programme.index()].name.clone();
        vec![name, hours(row.used), hours(row.lost_to_grid), money(row.income)]
    });
    let columns = ["programme", "used [accelerator-h]", "lost to the grid", "income"];
    table(out, &columns, rows);
}

fn time(out: &mut String, summary: &Summary, facts: &RunFacts) {
    line(out, "\naccelerator-hours");
    let whole = summary.time.installed;
    let row = |out: &mut String, name: &str, time: AcceleratorTime, bar: bool| {
        let part = time.as_hours_f64() / whole.as_hours_f64().max(f64::MIN_POSITIVE);
        let cells = if bar { (part * BAR).round().max(0.0) as usize } else { 0 };
        let bar = "█".repeat(cells);
        line(out, &format!("  {name:<26}{:>15}{:>10}  {bar}", hours(time), percent(time, whole)));
    };
    row(out, "installed", whole, false);
    if let Some(offered) = facts.offered {
        line(out, &format!("  {:<26}{:>15}{:>10}", "offered", hours(offered), percent(offered, whole)));
    }
    row(out, "delivered", summary.time.delivered, true);
    row(out, "lost: no work", summary.time.no_work, true);
    row(out, "lost: fragmentation", summary.time.fragmentation, true);
    row(out, "lost: power", summary.time.power, true);
    row(out, "lost: failure", summary.time.failure, true);
    row(out, "lost: maintenance", summary.time.maintenance, true);
    row(out, "lost: recall", summary.time.recall, true);
}

fn owners(out: &mut String, federation: &Federation, summary: &Summary) {
    let installed = summary.time.installed;
    let used = summary.owners.iter().fold(AcceleratorTime::ZERO, |sum, row| sum + row.used);
    let rows = summary.owners.iter().map(|row| {
        let name = federation.owners[row.owner.index()].name.clone();
        let (use_of, share) = (percent(row.used, used), percent(row.entitled, installed));
        let rest = [row.entitled, row.within, row.borrowed, row.lent].map(hours);
        [vec![name, hours(row.used), use_of, share], rest.to_vec()].concat()
    });
    let columns = [
        "owner",
        "used [accelerator-h]",
        "of all use",
        "share",
        "entitled",
        "held within",
        "borrowed",
        "lent",
    ];
    table(out, &columns, rows);
    let excess = summary.owners.iter().filter(|row| row.excess > AcceleratorTime::ZERO);
    let excess =
        excess.map(|row| format!("{} {}", federation.owners[row.owner.index()].name, hours(row.excess)));
    let excess: Vec<String> = excess.collect();
    if !excess.is_empty() {
        let all = excess.join(", ");
        line(
            out,
            &format!(
                "  held above floors that shrank, by work that can not be told to leave: {all} accelerator-hours"
            ),
        );
    }
}

/// Where data was read: a row for each dataset that is described.
fn data(out: &mut String, federation: &Federation, summary: &Summary) {
    if federation.datasets.is_empty() {
        return;
    }
    let rows = federation.datasets.iter().enumerate().map(|(index, dataset)| {
        let mut sites: BTreeMap<SiteId, u64> = BTreeMap::new();
        let reads = || summary.reads.iter().filter(|read| read.dataset.index() == index);
        reads().for_each(|read| *sites.entry(read.site).or_default() += read.attempts);
        let projects: BTreeSet<ProjectId> = reads().map(|read| read.project).collect();
        let at = sites.iter().map(|(site, attempts)| {
            let site = &federation.sites[site.index()];
            format!("{} ({}) {}", site.name, site.country.code(), grouped(*attempts))
        });
        let at: Vec<String> = at.collect();
        let shown = at.iter().take(SITES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
        let more = match at.len().saturating_sub(SITES_SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more sites"),
        };
        let at = if at.is_empty() { "nowhere".to_owned() } else { shown + &more };
        vec![dataset.name.clone(), grouped(projects.len() as u64), at]
    });
    let columns =
        [("data", Side::Left), ("projects", Side::Right), ("read at, in so many attempts", Side::Left)];
    line(out, "");
    crate::table::table(&columns, rows).iter().for_each(|text| line(out, text));
}

fn waits(out: &mut String, federation: &Federation, summary: &Summary) {
    let rows = summary.waits.iter().map(|row| {
        let programme = federation.programmes[row.programme.index()].name.clone();
        let (median, p95) = (row.waits.quantile(50), row.waits.quantile(95));
        vec![programme, row.size.to_owned(), grouped(row.waits.count()), wait(median), wait(p95)]
    });
    table(out, &["programme", "accelerators", "jobs started", "median wait", "p95 wait"], rows);
}

fn sites(out: &mut String, federation: &Federation, summary: &Summary, facts: &RunFacts) {
    let rows = federation.sites.iter().zip(&summary.sites).enumerate().map(|(index, (site, sums))| {
        vec![
            site.name.clone(),
            percent(sums.time.delivered, sums.time.installed),
            energy(sums.energy),
            facts.pue(index, sums).map_or_else(|| "–".to_owned(), |pue| format!("{pue:.3}")),
            power(sums.peak),
            power(site.phases.iter().map(|phase| phase.power).sum()),
            carbon(sums.carbon),
            money(sums.cost),
        ]
    });
    let pue = if summary.is_interim() { "interim PUE" } else { "PUE" };
    table(out, &["site", "delivered", "energy", pue, "peak", "of", "carbon", "cost"], rows);
}

/// Where the energy of sites went and came from, and how fast power changed where that is limited.
fn energy_of_plants(out: &mut String, federation: &Federation, summary: &Summary, facts: &RunFacts) {
    let energy = &facts.energy;
    let rows = plants::sites(federation, energy).map(|(site, energy)| plants::row(site, energy));
    table(out, &plants::COLUMNS, rows);
    let books = plants::beside_books(federation, energy);
    books
        .into_iter()
        .chain(plants::ramps(federation, summary))
        .for_each(|text| line(out, &format!("  {text}")));
    table(out, &supply::COLUMNS, supply::ways(federation, energy).map(|(site, way)| supply::row(site, way)));
    supply::remarks(federation, energy).iter().for_each(|text| line(out, &format!("  {text}")));
}

fn totals(out: &mut String, summary: &Summary) {
    let each = summary
        .cost_per_useful_hour()
        .map_or_else(|| "–".to_owned(), |cost| format!("{:.4} EUR", cost.as_euro_f64()));
    line(out, "");
    line(out, &format!("cost of a useful accelerator-hour: {each} (electricity, carbon, capital)"));
    line(out, &format!("violations: {}", grouped(summary.violations)));
    for violation in &summary.first_violations {
        let _ = writeln!(out, "  {violation}");
    }
}

/// A table whose first column is words and whose others are figures, below an empty line.
fn table(out: &mut String, header: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let side = |at| if at == 0 { Side::Left } else { Side::Right };
    let columns: Vec<_> = header.iter().enumerate().map(|(at, name)| (*name, side(at))).collect();
    let lines = crate::table::table(&columns, rows);
    if !lines.is_empty() {
        line(out, "");
    }
    lines.iter().for_each(|text| line(out, text));
}
