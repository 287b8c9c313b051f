//! Use by owner, beside what the shares stand for.

use giga_control::OwnerUse;
use giga_units::AcceleratorTime;

use super::Report;
use super::frame::Section;
use super::part::{Bar, Column, bars, begin, behind, hours, legend, sorted, table};
use crate::figures::percent;

/// The section.
pub(super) fn section(report: &Report<'_>) -> Section {
    let rows = &report.summary.owners;
    let installed = report.summary.time.installed;
    let used = rows.iter().fold(AcceleratorTime::ZERO, |sum, row| sum + row.used);
    let most = rows.iter().map(|row| row.used.max(row.entitled)).max().unwrap_or(AcceleratorTime::ZERO);
    let along = |time: AcceleratorTime| time.as_hours_f64() / most.as_hours_f64().max(f64::MIN_POSITIVE);
    let name = |row: &OwnerUse| report.federation.owners[row.owner.index()].name.clone();
    let bar = |row: &OwnerUse| Bar {
        name: name(row),
        figure: format!("{} h · {}", hours(row.used), percent(row.used, used)),
        tip: format!(
            "{}\nused {} accelerator-h, {} of all use\nentitled to {} accelerator-h, a share of {}",
            name(row),
            hours(row.used),
            percent(row.used, used),
            hours(row.entitled),
            percent(row.entitled, installed)
        ),
        parts: vec![("delivered", along(row.used))],
        tick: Some(along(row.entitled)),
    };
    let row = |row: &OwnerUse| {
        let time = |time: AcceleratorTime| sorted(hours(time), time.as_hours_f64());
        [
            Into::into(name(row)),
            time(row.used),
            sorted(percent(row.used, used), row.used.as_hours_f64()),
            sorted(percent(row.entitled, installed), row.entitled.as_hours_f64()),
            time(row.entitled),
            sorted(
                percent(row.used, row.entitled),
                along(row.used) / along(row.entitled).max(f64::MIN_POSITIVE),
            ),
        ]
    };
    let columns =
        ["used [accelerator-h]", "of all use", "share", "entitled [accelerator-h]", "used of entitled"];
    let columns = [&[Column::Words("owner")], &columns.map(Column::Figures)[..]].concat();
    let about = "Useful accelerator-hours of each owner's projects. The upright line is what its shares stand for, of \
                 all that was installed; what one owner leaves idle goes to the others.";
    let marks = [("delivered", "used".to_owned()), ("share", "entitled: share × installed".to_owned())];
    let tag = begin("owners", "Use by owner", about)
        .put(legend(marks))
        .put(bars("use by owner", rows.iter().map(bar)))
        .put(behind("table of owners", table("use by owner", &columns, rows.iter().map(row))));
    Section::new("owners", "Owners", tag)
}
