//! Jobs: many in a table, one with all that is known of it.

use giga_formats::api::{AttemptView, IdleView, JobDetail, JobList, JobState, JobView, Stamp};
use giga_formats::job::{AcceleratorsBody, JobBody, RunBody};
use giga_units::Instant;

use super::{carbon, cost, energy, second, text};
use crate::figures::wait;
use crate::table::{Side, table};

/// The jobs of a page, one a line; nothing where there are none.
#[must_use]
pub fn jobs(list: &JobList, now: Instant) -> String {
    let columns = [
        ("job", Side::Right),
        ("name", Side::Left),
        ("project", Side::Left),
        ("state", Side::Left),
        ("site", Side::Left),
        ("accelerators", Side::Right),
        ("submitted (UTC)", Side::Left),
        ("waited", Side::Right),
        ("ran", Side::Right),
    ];
    let row = |job: &JobView| {
        vec![
            job.id.to_string(),
            job.name.clone(),
            job.project.clone(),
            job.state.word().to_owned() + if job.idle.is_some() { ", idle" } else { "" },
            job.site.clone().unwrap_or_else(none),
            job.accelerators.to_string(),
            second(job.submitted),
            waited(job, now),
            ran(job, now),
        ]
    };
    text(table(&columns, list.jobs.iter().map(row)))
}

/// What it comes after, a line for each kind.
fn after(spec: &JobBody) -> Vec<String> {
    let list = |jobs: &[i64]| jobs.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let kinds = [(&spec.after, "completed"), (&spec.after_any, "over, however they ended")];
    let lines = kinds.into_iter().filter(|(jobs, _)| !jobs.is_empty());
    lines
        .map(|(jobs, how)| format!("{} {}: {how}", if jobs.len() == 1 { "job" } else { "jobs" }, list(jobs)))
        .collect()
}

/// One job with its attempts.
#[must_use]
pub fn job(detail: &JobDetail, now: Instant) -> String {
    let job = &detail.job;
    let mut out = headline(job) + "\n";
    let mut row = |name: &str, text: &str| {
        let mut lines = text.lines();
        out.push_str(&format!("  {name:<13}{}\n", lines.next().unwrap_or("")));
        lines.for_each(|line| out.push_str(&format!("  {:<13}{line}\n", "")));
    };
    row("project", &job.project);
    row("submitted", &format!("{} UTC with key {}", second(job.submitted), job.by_token));
    if let Some(site) = &job.site {
        let pool = job.pool.as_ref().map_or_else(String::new, |pool| format!(", pool {pool}"));
        row("site", &format!("{site}{pool}"));
    }
    row("asks for", &asks(&detail.spec));
    row("limit", detail.spec.limit.as_deref().unwrap_or("1 h"));
    if let Some(checkpoint) = &detail.spec.checkpoint {
        row("checkpoint", &format!("every {checkpoint}"));
    }
    if !detail.spec.data.is_empty() {
        let leaving = detail.spec.leaving.as_deref().unwrap_or("nothing");
        row("reads", &format!("{}; {leaving} of it leaves", detail.spec.data.join(", ")));
    }
    if let Some(least) = detail.spec.assurance {
        row("assurance", &format!("{least} at least"));
    }
    detail.spec.deadline.iter().for_each(|deadline| row("deadline", deadline));
    after(&detail.spec).iter().for_each(|text| row("after", text));
    if let (Some(count), Some(index)) = (detail.spec.array, detail.spec.index) {
        row("array", &format!("task {index} of {count}, counted from 0"));
    }
    row("run", &run(&detail.spec));
    detail.spec.container.iter().for_each(|image| row("container", image));
    detail.spec.workdir.iter().for_each(|folder| row("workdir", folder));
    detail.spec.env.iter().for_each(|(name, value)| row("env", &format!("{name}={value}")));
    if job.state != JobState::Refused {
        row("waited", &waited(job, now));
    }
    if job.attempts > 0 {
        row("ran", &ran(job, now));
        let (energy, cost) = (energy(job.energy_joule), cost(job.cost_microeuro));
        row("used", &format!("{energy}, {cost}, {} CO2e", carbon(job.carbon_milligram)));
    }
    job.idle.iter().for_each(|idle| row("idle", &nothing_done(idle, now)));
    if !detail.attempts.is_empty() {
        out.push('\n');
        out.push_str(&attempts(&detail.attempts, now));
    }
    out
}

/// That the accelerators of a job do nothing, and what that may mean.
fn nothing_done(idle: &IdleView, now: Instant) -> String {
    let long = wait(now.since(idle.since.0));
    let since = format!("its accelerators have done nothing since {} UTC ({long})", second(idle.since));
    if !idle.on_cpu {
        return since + "; it holds them and pays for them";
    }
    let cpus = idle.cpus_thousandths as f64 / 1_000.0;
    format!("{since}, while {cpus:.1} processors work: it may have found none and fallen back")
}

/// How far a job is, in one line.
#[must_use]
pub fn headline(job: &JobView) -> String {
    format!("job {} ({}): {}", job.id, job.name, state(job))
}

fn state(job: &JobView) -> String {
    match &job.exit {
        Some(exit) if exit != job.state.word() => format!("{}, {exit}", job.state),
        _ => job.state.to_string(),
    }
}

fn attempts(attempts: &[AttemptView], now: Instant) -> String {
    let columns = [
        ("attempt", Side::Right),
        ("site", Side::Left),
        ("pool", Side::Left),
        ("accelerators", Side::Right),
        ("started (UTC)", Side::Left),
        ("ran", Side::Right),
        ("ended", Side::Left),
    ];
    let rows = attempts.iter().map(|attempt| {
        let until = attempt.ended.map_or(now, |ended| ended.0);
        let exit = attempt.exit.clone().unwrap_or_else(|| match attempt.ended {
            Some(ended) => second(ended),
            None => none(),
        });
        vec![
            attempt.attempt.to_string(),
            attempt.site.clone(),
            attempt.pool.clone(),
            attempt.accelerators.to_string(),
            second(attempt.started),
            wait(until.since(attempt.started.0)),
            exit,
        ]
    });
    text(table(&columns, rows))
}

/// From its submission to its latest start, or until now.
fn waited(job: &JobView, now: Instant) -> String {
    let begun = job.started.filter(|_| job.state != JobState::Queued);
    let until = begun.or(job.ended).map_or(now, |Stamp(at)| at);
    if job.state == JobState::Refused { none() } else { wait(until.since(job.submitted.0)) }
}

/// From its latest start to its end, or until now. A job that waits again does not run.
fn ran(job: &JobView, now: Instant) -> String {
    match (job.started, job.state) {
        (None, _) | (_, JobState::Waiting | JobState::Queued) => none(),
        (Some(Stamp(started)), _) => wait(job.ended.map_or(now, |ended| ended.0).since(started)),
    }
}

fn none() -> String {
    "–".to_owned()
}

fn asks(spec: &JobBody) -> String {
    let accelerators = match &spec.resources.accelerators {
        None => "1 accelerator".to_owned(),
        Some(AcceleratorsBody::Count(1)) => "1 accelerator".to_owned(),
        Some(AcceleratorsBody::Count(count)) => format!("{count} accelerators"),
        Some(AcceleratorsBody::One(text)) => text.clone(),
        Some(AcceleratorsBody::AnyOf(texts)) => texts.join(" or "),
    };
    let cpus = spec.resources.cpus.map(|count| format!("{count} cpus"));
    [Some(accelerators), cpus, spec.resources.memory.clone()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

fn run(spec: &JobBody) -> String {
    match &spec.run {
        RunBody::Script(script) => script.trim_end().to_owned(),
        RunBody::Command(words) => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    }
}

/// A word as a shell would take it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
