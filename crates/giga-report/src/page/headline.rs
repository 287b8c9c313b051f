//! The head of a page and its first section: which run it was, and what it came to in a few figures.

use giga_control::Summary;
use giga_control::record::TimeUse;
use giga_units::{AcceleratorTime, Power, grouped};

use super::Report;
use super::axis::date;
use super::frame::Section;
use super::part::{Bar, Column, bars, begin, behind, hours, legend, sorted, table};
use super::tag::{Tag, classed, said, tag};
use crate::figures::{carbon, energy, money, percent, power, wait};

/// The parts of installed time: the class of each, its word and its amount.
pub(super) fn parts(time: &TimeUse) -> [(&'static str, &'static str, AcceleratorTime); 7] {
    [
        ("delivered", "delivered", time.delivered),
        ("lost-no-work", "lost: no work", time.no_work),
        ("woven-fragmentation", "lost: fragmentation", time.fragmentation),
        ("woven-power", "lost: power", time.power),
        ("lost-failure", "lost: failure", time.failure),
        ("woven-maintenance", "lost: maintenance", time.maintenance),
        ("woven-recall", "lost: recall", time.recall),
    ]
}

/// One time over another, from 0 to 1.
pub(super) fn part(time: AcceleratorTime, whole: AcceleratorTime) -> f64 {
    if whole > AcceleratorTime::ZERO {
        (time.as_hours_f64() / whole.as_hours_f64()).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// Which run it was.
pub(super) fn head(report: &Report<'_>) -> Tag {
    let Report { federation, summary, facts, version, .. } = report;
    let sites = federation.sites.len();
    let accelerators = grouped(federation.accelerators_total());
    let what = format!("{accelerators} accelerators at {sites} site{}", if sites == 1 { "" } else { "s" });
    let length = wait(summary.end.since(summary.start));
    let mut run = vec![
        ("span", format!("{} to {} ({length})", date(summary.start), date(summary.end))),
        ("work", facts.work.clone()),
        ("seed", facts.seed.map_or_else(|| "none".to_owned(), |seed| seed.to_string())),
        ("version", format!("giga {version}")),
    ];
    run.insert(0, ("federation", what));
    if !facts.shocks.is_empty() {
        run.insert(3, ("shocks that happened", facts.shocks.join(", ")));
    }
    let run = run.into_iter().map(|(word, text)| tag("div").put(said("dt", word)).put(said("dd", text)));
    tag("header").put(said("h1", &federation.name)).put(classed("dl", "run").all(run))
}

/// The first section.
pub(super) fn section(report: &Report<'_>) -> Section {
    let summary = report.summary;
    let about =
        "Every accelerator-hour that was installed stands in exactly one of the seven parts of the bar.";
    let whole = summary.time.installed;
    let bar = Bar {
        name: format!("{} accelerator-h installed", hours(whole)),
        figure: format!("{} delivered", percent(summary.time.delivered, whole)),
        tip: parts(&summary.time)
            .map(|(_, word, time)| format!("{word}: {}", percent(time, whole)))
            .join("\n"),
        parts: parts(&summary.time).map(|(class, _, time)| (class, part(time, whole))).to_vec(),
        tick: None,
    };
    let words = parts(&summary.time);
    let legend = legend(words.map(|(class, word, time)| (class, format!("{word} {}", percent(time, whole)))));
    let tag = begin("headline", "Headline figures", about)
        .put(violations(summary))
        .put(classed("dl", "figures").all(figures(report)))
        .put(bars("where the accelerator-hours went", [bar]))
        .put(legend)
        .put(behind("table of accelerator-hours", time_table(report)))
        .put(behind("table of jobs", job_table(summary)));
    Section::new("headline", "Headline", tag)
}

fn figures(report: &Report<'_>) -> Vec<Tag> {
    let summary = report.summary;
    let each = summary.cost_per_useful_hour();
    let figure = |word: &str, value: String, note: String| {
        tag("div").put(said("dt", word)).put(said("dd", value)).put(classed("dd", "note").text(note))
    };
    let highest = report.hours.all.peak.iter().copied().max().unwrap_or(Power::ZERO);
    let limit: Power = report.federation.sites.iter().map(super::sites::connection).sum();
    let of = if report.federation.sites.len() == 1 { "of" } else { "at most, of" };
    vec![
        figure("jobs", grouped(summary.submitted), format!("{} completed", grouped(summary.completed))),
        figure(
            "delivered",
            percent(summary.time.delivered, summary.time.installed),
            format!("{} accelerator-h", hours(summary.time.delivered)),
        ),
        figure("energy", energy(summary.energy), "at the meter".to_owned()),
        figure("peak", power(highest), format!("{of} {}", power(limit))),
        figure("cost", money(summary.cost), "electricity, carbon, capital".to_owned()),
        figure(
            "cost of a useful hour",
            each.map_or_else(|| "–".to_owned(), |cost| format!("{:.4} EUR", cost.as_euro_f64())),
            "EUR per accelerator-h delivered".to_owned(),
        ),
        figure("carbon", carbon(summary.carbon), "of the energy".to_owned()),
        figure("interrupted", grouped(summary.interruptions), "attempts, queued again".to_owned()),
        figure("violations", grouped(summary.violations), "found by the linter".to_owned()),
    ]
}

/// What must never be there, said before all else where it is.
fn violations(summary: &Summary) -> Option<Tag> {
    let first = summary.first_violations.iter().map(|violation| said("li", violation));
    let text = format!("The linter found {} violations. The first:", grouped(summary.violations));
    (summary.violations > 0)
        .then(|| classed("div", "alarm").set("role", "note").put(said("p", text)).put(tag("ul").all(first)))
}

fn time_table(report: &Report<'_>) -> Tag {
    let whole = report.summary.time.installed;
    let mut rows = vec![("installed", whole)];
    rows.extend(report.facts.offered.map(|offered| ("offered", offered)));
    rows.extend(parts(&report.summary.time).map(|(_, word, time)| (word, time)));
    let columns = [Column::Words("part"), Column::Figures("accelerator-h"), Column::Figures("of installed")];
    let row = |(word, time): (&str, AcceleratorTime)| {
        let sort = time.as_hours_f64();
        [word.into(), sorted(hours(time), sort), sorted(percent(time, whole), sort)]
    };
    table("accelerator-hours", &columns, rows.into_iter().map(row))
}

fn job_table(summary: &Summary) -> Tag {
    let mut rows = vec![
        ("submitted".to_owned(), summary.submitted),
        ("completed".to_owned(), summary.completed),
        ("stopped at their limit".to_owned(), summary.timed_out),
        ("cancelled".to_owned(), summary.cancelled),
        ("failed".to_owned(), summary.failed),
        ("refused".to_owned(), summary.refused),
    ];
    rows.extend(summary.refusals.iter().map(|(rule, count)| (format!("refused: {}", rule.word()), *count)));
    rows.push(("running at the end".to_owned(), summary.running));
    rows.push(("waiting at the end".to_owned(), summary.waiting));
    let causes = "failures, maintenance, recalls or the grid";
    rows.push((format!("attempts interrupted by {causes}"), summary.interruptions));
    rows.push(("told to leave what was lent".to_owned(), summary.recalls));
    rows.push(("moved to another site while they waited".to_owned(), summary.rebound));
    let row = |(word, count): (String, u64)| [word.into(), sorted(grouped(count), count as f64)];
    table("jobs", &[Column::Words("what became of them"), Column::Figures("jobs")], rows.into_iter().map(row))
}
