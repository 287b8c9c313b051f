//! One screen of an observed cluster. What is an estimate says so beside its figure.

use std::fmt::Write as _;

use giga_formats::observe::{Energies, Figures, MachineFigures, Now, SIZES, SpanFigures, StartForecast};
use giga_units::{AcceleratorTime, Duration, Energy, Instant, grouped};

use crate::figures::{carbon, energy, money, percent, wait};
use crate::table::{Side, table};

/// So many accounts, and so many jobs that wait, are shown; the JSON has all.
const ACCOUNTS_SHOWN: usize = 15;
const JOBS_SHOWN: usize = 10;

/// The screen; `assumes` says what the starts rest on.
#[must_use]
pub fn observe(figures: &Figures, assumes: &str) -> String {
    let mut out = String::new();
    machine(&mut out, figures, &figures.machine);
    if let Some(sums) = &figures.now {
        now(&mut out, sums, &figures.machine);
    }
    if let Some(sums) = &figures.span {
        span(&mut out, sums, figures.at);
    }
    if let Some(sums) = &figures.energy {
        energies(&mut out, sums);
    }
    starts(&mut out, &figures.forecast, figures.at, assumes);
    if !figures.notes.is_empty() {
        line(&mut out, "");
    }
    figures.notes.iter().for_each(|note| line(&mut out, &format!("note: {note}")));
    out
}

fn line(out: &mut String, text: &str) {
    let _ = writeln!(out, "{}", text.trim_end());
}

/// A table below an empty line, whose first `words` columns are words.
fn rows(out: &mut String, header: &[&str], words: usize, rows: Vec<Vec<String>>) {
    let side = |at| if at < words { Side::Left } else { Side::Right };
    let columns: Vec<_> = header.iter().enumerate().map(|(at, name)| (*name, side(at))).collect();
    let lines = table(&columns, rows);
    if !lines.is_empty() {
        line(out, "");
    }
    lines.iter().for_each(|text| line(out, text));
}

fn machine(out: &mut String, figures: &Figures, sums: &MachineFigures) {
    let name = if figures.cluster.is_empty() { "this cluster" } else { &figures.cluster };
    let (accelerators, nodes) = (grouped(sums.accelerators), grouped(sums.nodes));
    line(out, &format!("{name}: {accelerators} accelerators on {nodes} nodes, asked {}", figures.at));
    let mut parts = Vec::new();
    if sums.nodes_out > 0 {
        let (nodes, accelerators) = (grouped(sums.nodes_out), grouped(sums.accelerators_out));
        parts.push(format!("{accelerators} accelerators on {nodes} nodes are down or drained"));
    }
    if sums.nodes_draining > 0 {
        parts.push(format!("{} nodes finish what they have", grouped(sums.nodes_draining)));
    }
    if sums.plain_nodes > 0 {
        parts.push(format!("{} nodes without accelerators are left out", grouped(sums.plain_nodes)));
    }
    if !parts.is_empty() {
        line(out, &format!("  {}", parts.join("; ")));
    }
    let partition = |row: &giga_formats::observe::PartitionFigures| {
        let kind = if row.kind.is_empty() { "no type told" } else { &row.kind };
        vec![
            row.name.clone(),
            kind.to_owned(),
            row.per_node.to_string(),
            grouped(row.nodes),
            grouped(row.accelerators),
            grouped(row.out),
        ]
    };
    let header = ["partition", "type", "per node", "nodes", "accelerators", "of them out"];
    rows(out, &header, 2, sums.partitions.iter().map(partition).collect());
}

fn now(out: &mut String, sums: &Now, machine: &MachineFigures) {
    let up = machine.accelerators - machine.accelerators_out;
    line(out, "\nnow");
    let (running, held) = (grouped(sums.running), grouped(sums.held));
    line(out, &format!("  {running} jobs hold {held} of {} accelerators that are up", grouped(up)));
    let (waiting, wanted) = (grouped(sums.waiting), grouped(sums.wanted));
    line(out, &format!("  {waiting} jobs wait for room, for {wanted} accelerators together"));
    if sums.held_back > 0 {
        line(
            out,
            &format!("  {} wait for something else: a hold, another job, a date", grouped(sums.held_back)),
        );
    }
    if let Some(oldest) = &sums.oldest {
        let (id, reason, wanted) = (&oldest.id, &oldest.reason, grouped(oldest.accelerators.into()));
        line(
            out,
            &format!(
                "  the longest wait is {}: job {id}, {wanted} accelerators ({reason})",
                wait(oldest.wait)
            ),
        );
    }
}

/// Accelerator-hours: two decimals where there are few.
fn hours(time: AcceleratorTime) -> String {
    match time.as_hours_f64() {
        few if few < 100.0 => format!("{few:.2}"),
        _ => crate::figures::hours(time),
    }
}

fn span(out: &mut String, sums: &SpanFigures, at: Instant) {
    let (runs, length) = (grouped(sums.runs), wait(at.since(sums.from)));
    line(out, &format!("\n{} to {at} ({length}): {runs} runs with accelerators", sums.from));
    line(out, "accelerator-hours");
    let mut row = |name: &str, time: AcceleratorTime, note: &str| {
        let (hours, part) = (hours(time), percent(time, sums.available));
        line(out, &format!("  {name:<32}{hours:>15}{part:>11}  {note}"));
    };
    row("available", sums.available, "estimate: what is up now, over the span");
    row("held by jobs", sums.used, "");
    row("idle", sums.idle.all, "estimate: available and not held");
    row("idle while work waited", sums.idle.while_waiting, "estimate");
    row("idle and wanted by that work", sums.idle.wanted, "estimate: what lending could win at most");
    for lost in &sums.lost {
        let note = format!("{} runs{}", grouped(lost.runs), kept(lost.lost));
        row(&format!("held: {}", lost.lost.word()), lost.time, &note);
    }
    let account = |account: &giga_formats::observe::AccountUse| {
        let name = if account.name.is_empty() { "no account" } else { &account.name };
        let fair =
            account.fair.map_or_else(|| "–".to_owned(), |fair| format!("{:.2} %", fair.as_f64() * 100.0));
        vec![
            name.to_owned(),
            grouped(account.runs),
            hours(account.used),
            percent(account.used, sums.used),
            fair,
        ]
    };
    let shown: Vec<_> = sums.accounts.iter().take(ACCOUNTS_SHOWN).map(account).collect();
    rows(out, &["account", "runs", "used [accelerator-h]", "of all use", "fair share"], 1, shown);
    if let Some(more) = sums.accounts.len().checked_sub(ACCOUNTS_SHOWN).filter(|more| *more > 0) {
        line(out, &format!("  and {more} more accounts (`--json` has all)"));
    }
    let waits = SIZES.iter().zip(&sums.waits).filter(|(_, waits)| waits.count() > 0);
    let waits = waits.map(|((_, name), waits)| {
        let (median, p95) = (waits.quantile(50), waits.quantile(95));
        vec![(*name).to_owned(), grouped(waits.count()), wait(median), wait(p95)]
    });
    rows(out, &["accelerators", "runs started", "median wait", "p95 wait"], 1, waits.collect());
}

const fn kept(lost: giga_formats::observe::Lost) -> &'static str {
    use giga_formats::observe::Lost;
    match lost {
        Lost::TimedOut | Lost::Preempted => "; what they saved is not lost",
        Lost::Cancelled => "; some had done what they were for",
        Lost::Failed | Lost::NodeFailed => "",
    }
}

fn range([low, assumed, high]: [Energy; 3]) -> String {
    format!("{} ({} to {})", energy(assumed), energy(low), energy(high))
}

fn energies(out: &mut String, sums: &Energies) {
    line(out, "\nenergy of the span");
    let all = sums.measured_time + sums.modelled_time;
    let (runs, part) = (grouped(sums.measured_runs), percent(sums.measured_time, all));
    line(out, &format!("  measured   {} of {runs} runs, {part} of the held hours", energy(sums.measured)));
    line(
        out,
        "             by ConsumedEnergyRaw, of runs that held whole nodes; of others that figure is not theirs alone",
    );
    if sums.shared_runs > 0 {
        line(
            out,
            &format!(
                "             {} runs on shared nodes told one, which was not used",
                grouped(sums.shared_runs)
            ),
        );
    }
    line(out, &format!("  modelled   {} of all other runs: estimate", range(sums.modelled)));
    line(out, "             between an idle node and its most by the description, 70 % of the way assumed");
    line(out, &format!("  idle       {} of what lay idle: estimate by the same model", energy(sums.idle)));
    let factor = sums.facility_factor.as_f64();
    line(
        out,
        &format!(
            "  meter      {}: estimate, all of it times a facility factor of {factor:.2}",
            range(sums.meter)
        ),
    );
    match (sums.carbon, sums.cost) {
        (Some([low, assumed, high]), Some([least, cost, most])) => {
            let (low, assumed, high) = (carbon(low), carbon(assumed), carbon(high));
            line(
                out,
                &format!("  carbon     {assumed} ({low} to {high}): estimate, at the zone's yearly mean"),
            );
            let (least, cost, most) = (money(least), money(cost), money(most));
            line(
                out,
                &format!(
                    "  cost       {cost} ({least} to {most}): estimate, at the zone's yearly mean price"
                ),
            );
        }
        _ => line(out, "  carbon and cost need the place: `--zone FI`, or `--zone CH --price … --carbon …`"),
    }
}

fn starts(out: &mut String, jobs: &[StartForecast], at: Instant, assumes: &str) {
    if jobs.is_empty() {
        return;
    }
    line(out, "\nwhen what waits may start: estimate");
    let from_now = |instant: Instant| match instant.since(at) {
        Duration::ZERO => "now".to_owned(),
        later => format!("in {}", wait(later)),
    };
    let job = |job: &StartForecast| {
        let (median, between) = match job.start {
            Some([low, median, high]) => {
                (from_now(median), format!("{} to {}", from_now(low), from_now(high)))
            }
            None => ("not within 30 d".to_owned(), "–".to_owned()),
        };
        let waited = job.submitted.map_or_else(|| "–".to_owned(), |since| wait(at.since(since)));
        let slurm = job.by_slurm.map_or_else(|| "–".to_owned(), from_now);
        vec![
            job.id.clone(),
            job.account.clone(),
            grouped(job.accelerators.into()),
            waited,
            median,
            between,
            slurm,
        ]
    };
    let header = ["job", "account", "accelerators", "waited", "starts", "between", "by Slurm"];
    rows(out, &header, 2, jobs.iter().take(JOBS_SHOWN).map(job).collect());
    if let Some(more) = jobs.len().checked_sub(JOBS_SHOWN).filter(|more| *more > 0) {
        line(out, &format!("  and {} more (`--json` has all)", grouped(more as u64)));
    }
    line(out, &format!("  it assumes: {assumes}"));
}
