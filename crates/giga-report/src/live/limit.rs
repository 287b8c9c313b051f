//! What a limit did, in a few lines, and how a site stands to one that is on.

use giga_formats::api::{LimitAnswer, LimitView, Obeyed, SiteView};
use giga_units::{Instant, Power, several};

use super::ahead;
use crate::figures::power;

/// The answer to a limit.
#[must_use]
pub fn limit(answer: &LimitAnswer, now: Instant) -> String {
    let site = &answer.site;
    let Some(limit) = &site.limit else { return format!("{}: the limit is over already\n", site.name) };
    let mut out = format!("{}: {}\n", site.name, may_draw(limit, now));
    let mut row = |name: &str, text: &str| out.push_str(&format!("  {name:<11}{text}\n"));
    let done = [
        ("capped", &answer.capped, "slower, with less power"),
        ("suspended", &answer.suspended, "standing still"),
        ("sent away", &answer.sent_away, "stopped, waiting again"),
    ];
    for (word, jobs, means) in done.into_iter().filter(|(_, jobs, _)| !jobs.is_empty()) {
        let numbers: Vec<String> = jobs.iter().take(NAMED).map(u64::to_string).collect();
        let more = if jobs.len() > NAMED { ", …" } else { "" };
        let count = several(jobs.len() as u64, "job");
        row(word, &format!("{count} ({means}): {}{more}", numbers.join(", ")));
    }
    let nothing_left = answer.sent_away.is_empty() && limit.obeyed == Obeyed::Complied;
    let ordered = || format!("{} at most", watt(site.power_ordered_milliwatt));
    row("power", &if nothing_left { ordered() } else { against(site, limit) });
    if answer.short_milliwatt > 0 {
        let short = watt(answer.short_milliwatt);
        row("short", &format!("by {short} with everything cut but protected work"));
    }
    if limit.breach_milliwatt > 0 {
        row("breach", &breach(limit));
    }
    answer.notes.iter().for_each(|note| row("note", note));
    out
}

/// How many jobs are named in a line.
const NAMED: usize = 12;

/// What is to be known of a site beside its figures: limit, drain, work that is kept back.
pub(super) fn remarks(site: &SiteView, now: Instant) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(limit) = &site.limit {
        all.push(format!("{}; {}", may_draw(limit, now), against(site, limit)));
        all.extend((limit.breach_milliwatt > 0).then(|| format!("is in breach {}", breach(limit))));
    }
    let open: u64 = site.pools.iter().map(|pool| pool.accelerators).sum();
    if site.capacity < open {
        all.push(format!("has {} of {open} accelerators up and powered", site.capacity));
    }
    if site.drained {
        all.push("is drained: nothing more starts there".to_owned());
    }
    match site.mode.as_deref() {
        Some("guest") => {
            let there = several(site.queued, "job");
            all.push(format!("decides itself when work begins that is given to it: {there} in its line"));
        }
        Some("observe") => all.push("is only looked at: nothing is placed there".to_owned()),
        _ => {}
    }
    if site.silent {
        all.push("does not answer: nothing starts there until it does".to_owned());
    }
    if site.deferred > 0 {
        all.push(format!("keeps {} back for cheaper or cleaner hours", several(site.deferred, "job")));
    }
    if site.awaiting > 0 {
        all.push(format!("has {} that wait for the end of other jobs", several(site.awaiting, "job")));
    }
    all
}

fn may_draw(limit: &LimitView, now: Instant) -> String {
    let until = |milliwatt, until| format!("{} until {}", watt(milliwatt), ahead(until, now));
    let then = limit.then.map(|then| format!(", then {}", until(then.power_milliwatt, then.until)));
    format!("may draw {}{}", until(limit.power_milliwatt, limit.until), then.unwrap_or_default())
}

fn against(site: &SiteView, limit: &LimitView) -> String {
    let ordered = watt(site.power_ordered_milliwatt);
    match limit.obeyed {
        Obeyed::Ordered => format!("{ordered} at most are ordered; what was sent away is not all gone yet"),
        Obeyed::Complied => format!("{ordered} at most, and what was sent away is gone"),
    }
}

fn breach(limit: &LimitView) -> String {
    format!("by {}: its idle nodes alone draw more", watt(limit.breach_milliwatt))
}

fn watt(milliwatt: u64) -> String {
    power(Power::milliwatts(milliwatt))
}
