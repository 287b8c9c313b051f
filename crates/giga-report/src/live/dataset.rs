//! Data as a person reads it who is asked about it: where it lies, whether it can leave, who read it, what was done with it.

use giga_formats::api::{
    CopyState, CopyView, DatasetDetail, DatasetList, DatasetView, StagePlanView, Stamp, TaskView,
};
use giga_units::{AcceleratorTime, Amount as _, Bytes, DataRate, Duration, Instant, several};

use super::{cost, second, text};
use crate::figures;
use crate::table::{Side, table};

/// The datasets, one a line.
#[must_use]
pub fn datasets(list: &DatasetList) -> String {
    let columns = [
        ("dataset", Side::Left),
        ("holder", Side::Left),
        ("size", Side::Right),
        ("files", Side::Right),
        ("places", Side::Left),
        ("SHA-256", Side::Left),
    ];
    let rows = list.datasets.iter().map(|data| {
        let places = data.copies.iter().map(|copy| match copy.state {
            CopyState::Verified => copy.site.clone(),
            state => format!("{} ({})", copy.site, state.word()),
        });
        let content = data.content.as_ref();
        vec![
            data.name.clone(),
            data.holder.clone(),
            content.map_or_else(
                || format!("{} (declared)", size(data.size_bytes)),
                |content| size(content.bytes),
            ),
            content.map_or_else(|| "–".to_owned(), |content| giga_units::grouped(content.files)),
            places.collect::<Vec<_>>().join(", "),
            content.map_or_else(
                || "not registered".to_owned(),
                |content| content.sha256.chars().take(16).collect(),
            ),
        ]
    });
    text(table(&columns, rows))
}

/// All that is known of one.
#[must_use]
pub fn dataset(detail: &DatasetDetail, now: Instant) -> String {
    let data = &detail.dataset;
    let mut out = format!("{}, held by {}\n", data.name, data.holder);
    out += &content(data);
    out.push_str("\nwhere it lies\n");
    data.copies.iter().for_each(|copy| out += &lies(copy));
    out.push_str("\ncan it leave, and what may be done with it\n");
    data.policy.iter().for_each(|sentence| out += &format!("  {sentence}\n"));
    out.push_str("\nwho may read it where\n");
    for reader in &detail.readers {
        let why = match (&reader.forbidden_by, &reader.text) {
            (Some(part), Some(text)) => format!("no, by `{part}`: {text}"),
            _ => "yes".to_owned(),
        };
        out += &format!("  {} ({})  {why}\n", reader.site, reader.country);
    }
    out.push_str("  every project may whose jobs run there; they find it in ");
    out += &format!("`{}`\n\nwho read it\n", detail.variable);
    out += &reads(detail);
    if !detail.tasks.is_empty() {
        out.push_str("\nwhat was done with it\n");
        detail.tasks.iter().for_each(|task| out += &format!("  {}\n", line(task, now)));
    }
    out
}

fn content(data: &DatasetView) -> String {
    let declared = size(data.size_bytes);
    let Some(content) = &data.content else {
        let name = &data.name;
        return format!(
            "  {declared} by the description; nothing is registered: `giga dataset add {name} --at SITE` looks through what lies there\n"
        );
    };
    let files = several(content.files, "file");
    let (found, at, by) = (size(content.bytes), second(content.at), &content.by_token);
    let sha256 = &content.sha256;
    format!(
        "  {found} in {files} ({declared} by the description)\n  SHA-256 {sha256}, registered {at} UTC by `{by}`\n"
    )
}

fn lies(copy: &CopyView) -> String {
    let checked = copy.checked.map_or_else(String::new, |at| format!(" {} UTC", second(at)));
    let path = copy.path.as_ref().map_or_else(String::new, |path| format!("  {path}"));
    let said = copy.said.as_ref().map_or_else(String::new, |said| format!("\n    {said}"));
    format!("  {}  {}{checked}{path}{said}\n", copy.site, copy.state.word())
}

fn reads(detail: &DatasetDetail) -> String {
    if detail.reads.is_empty() {
        return "  nobody\n".to_owned();
    }
    let columns = [
        ("project", Side::Left),
        ("site", Side::Left),
        ("attempts", Side::Right),
        ("held", Side::Right),
        ("left the site", Side::Left),
    ];
    let rows = detail.reads.iter().map(|read| {
        let held = AcceleratorTime::milliseconds(read.accelerator_milliseconds.into()).as_hours_f64();
        vec![
            read.project.clone(),
            read.site.clone(),
            read.attempts.to_string(),
            format!("{held:.3} accelerator-hours"),
            format!("{}, as the jobs said", read.leaving),
        ]
    });
    text(table(&columns, rows))
}

/// What a staging would do.
#[must_use]
pub fn staging(plan: &StagePlanView) -> String {
    let StagePlanView { dataset, source, site, .. } = plan;
    if plan.there {
        return format!("{dataset} is at {site}, as registered; nothing is moved\n");
    }
    let (amount, files) = (size(plan.bytes), several(plan.files, "file"));
    let rate = DataRate::bits_per_second(plan.bits_per_second).written();
    let time = figures::wait(Duration::milliseconds(plan.time_ms));
    let cost = cost(plan.cost_microeuro);
    format!(
        "{dataset}: {amount} in {files} from {source} to {site}\n  {time} at {rate}, {cost}, by the network of the description\n"
    )
}

/// A task in a line: what, who, how far, what it took and cost.
#[must_use]
pub fn task(task: &TaskView, now: Instant) -> String {
    format!("{}\n", line(task, now))
}

fn line(task: &TaskView, now: Instant) -> String {
    let from = task.source.as_ref().map_or_else(String::new, |source| format!("{source} to "));
    let what = match task.kind.as_str() {
        "stage" => format!("staged {from}{}", task.site),
        _ => format!("looked through at {}", task.site),
    };
    let (asked, by) = (second(task.asked), &task.by_token);
    let how = match task.state.as_str() {
        "open" => {
            let whole = if task.bytes > 0 { format!(" of {}", size(task.bytes)) } else { String::new() };
            format!("going on, {}{whole}", size(task.bytes_done))
        }
        "done" => done(task, now),
        _ => format!("failed: {}", task.said.as_deref().unwrap_or("nobody knows why")),
    };
    format!("{asked} UTC by `{by}`: {what}, {how}")
}

fn done(task: &TaskView, now: Instant) -> String {
    let ended = task.ended.map_or(now, |Stamp(ended)| ended);
    let took = ended.since(task.asked.0);
    let planned = task.planned_ms.map_or_else(String::new, |planned| {
        format!(
            " (planned {}, {})",
            figures::wait(Duration::milliseconds(planned)),
            cost(task.cost_microeuro)
        )
    });
    let said = task.said.as_ref().map_or_else(String::new, |said| format!("; {said}"));
    format!("{} in {}{planned}{said}", size(task.bytes), figures::wait(took))
}

/// An amount of data in the unit that suits it.
fn size(bytes: u64) -> String {
    let units = [("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    match units.iter().find(|(_, unit)| bytes as f64 >= *unit) {
        Some((name, unit)) => format!("{:.2} {name}", bytes as f64 / unit),
        None => Bytes::of(bytes).written(),
    }
}
