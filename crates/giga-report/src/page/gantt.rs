//! Jobs over time: a sample of those that ran in a window at a site.

use giga_control::record::JobRecord;
use giga_units::{AcceleratorTime, grouped};

use super::Report;
use super::axis::{Span, date, length};
use super::chart::{block, dates, drawing, line, words};
use super::frame::Section;
use super::part::{Column, begin, behind, hours, legend, marks, sorted, table};
use super::sample::{Drawn, Sample};
use super::tag::{Tag, tag};
use crate::figures::{percent, wait};

/// Height of a lane with the room below it, of a bar, of the words above a class, and of the dates.
const LANE: f64 = 15.0;
const BAR: f64 = 11.0;
const WORDS: f64 = 24.0;
const DATES: f64 = 24.0;

/// The section.
pub(super) fn section(report: &Report<'_>, sample: &Sample) -> Section {
    let window = Span { begin: sample.window.begin, end: sample.window.end };
    let site = &report.federation.sites[sample.window.site.index()].name;
    let classes = sample.drawn();
    let all = || classes.iter().flat_map(|(_, drawn)| drawn);
    let held = all().fold(AcceleratorTime::ZERO, |sum, drawn| sum + drawn.held);
    let about = format!(
        "{} of the {} jobs that ran at {site} from {} to {} (UTC), the stretch of {} in which a site delivered most. The \
         jobs of each size are drawn by lot, as far as there are lanes; these held {} of what all did. A lane is no \
         node: which nodes a job had is not kept.",
        grouped(all().count() as u64),
        grouped(sample.jobs),
        date(window.begin),
        date(window.end),
        length(window.length()),
        percent(held, sample.held)
    );
    let legend = legend([
        ("job", "ran".to_owned()),
        ("job-again", "ran in several attempts, from its first start".to_owned()),
        ("wait", "waited just before".to_owned()),
    ]);
    let title = format!("Jobs at {site}");
    let figure = marks(tag("figure").put(chart(report, sample, &classes, window, &title)), &title);
    let whole = begin("jobs", "Jobs over time", &about)
        .put(legend)
        .put(figure)
        .put(behind("table of these jobs", listed(report, sample, all())));
    Section::new("jobs", "Jobs", whole)
}

fn chart(
    report: &Report<'_>,
    sample: &Sample,
    classes: &[(&str, Vec<Drawn>)],
    window: Span,
    title: &str,
) -> Tag {
    let lanes = |drawn: &[Drawn]| drawn.iter().map(|drawn| drawn.lane + 1).max().unwrap_or(0) as f64;
    let height = classes.iter().map(|(_, drawn)| WORDS + LANE * lanes(drawn)).sum::<f64>();
    let mut all = Vec::new();
    all.extend(dates(window, height + 2.0, -height - 2.0));
    let mut top = 0.0;
    for (size, drawn) in classes {
        all.push(words("name over", 0.0, top + 16.0, &format!("{size} accelerators")));
        top += WORDS;
        all.extend(drawn.iter().map(|drawn| mark(report, sample, drawn, window, top)));
        top += LANE * lanes(drawn);
    }
    drawing(height + DATES, title, "A bar for each job, by size, from left to right in time.").all(all)
}

fn mark(report: &Report<'_>, sample: &Sample, drawn: &Drawn, window: Span, top: f64) -> Tag {
    let job = &drawn.job;
    let y = top + drawn.lane as f64 * LANE;
    let started = job.started.unwrap_or(job.submitted);
    let (from, to) = (window.along(started), window.along(sample.end_of(job)));
    let shown = window.along(sample.shown_from(job));
    let class = if job.attempts > 1 { "job-again" } else { "job" };
    let waited = (shown < from).then(|| line("wait", (shown, y + BAR / 2.0), (from, y + BAR / 2.0)));
    tag("g").set("data-tip", tip(report, job)).put(waited).put(block(class, from, to, (y, BAR)))
}

fn tip(report: &Report<'_>, job: &JobRecord) -> String {
    let federation = report.federation;
    let project = &federation.projects[job.project.index()].name;
    let owner = &federation.owners[job.owner.index()].name;
    let attempts = if job.attempts > 1 { format!(", {} attempts", job.attempts) } else { String::new() };
    format!(
        "job {} of {project} ({owner})\n{} accelerators, {} held\nsubmitted {}, waited {}\n{} to {}\n{}{attempts}",
        job.job,
        grouped(u64::from(job.accelerators)),
        grouped(u64::from(job.held)),
        date(job.submitted),
        wait(job.waited),
        job.started.map_or_else(String::new, date),
        job.ended.map_or_else(|| "the end of the run".to_owned(), date),
        job.outcome.word()
    )
}

fn listed<'a>(report: &Report<'_>, sample: &Sample, drawn: impl Iterator<Item = &'a Drawn>) -> Tag {
    let columns = [
        Column::Figures("job"),
        Column::Words("project"),
        Column::Words("owner"),
        Column::Figures("accelerators"),
        Column::Words("started (UTC)"),
        Column::Figures("waited"),
        Column::Figures("ran"),
        Column::Figures("attempts"),
        Column::Words("outcome"),
        Column::Figures("useful [accelerator-h]"),
    ];
    let federation = report.federation;
    let rows = drawn.map(|drawn| {
        let job = &drawn.job;
        let ran = sample.end_of(job).since(job.started.unwrap_or(job.submitted));
        vec![
            sorted(job.job.to_string(), job.job.0 as f64),
            federation.projects[job.project.index()].name.as_str().into(),
            federation.owners[job.owner.index()].name.as_str().into(),
            sorted(grouped(u64::from(job.accelerators)), f64::from(job.accelerators)),
            Into::into(job.started.map_or_else(String::new, date)),
            sorted(wait(job.waited), job.waited.as_milliseconds() as f64),
            sorted(wait(ran), ran.as_milliseconds() as f64),
            sorted(job.attempts.to_string(), f64::from(job.attempts)),
            job.outcome.word().into(),
            sorted(hours(job.useful), job.useful.as_hours_f64()),
        ]
    });
    table("the jobs of the chart", &columns, rows)
}
