//! Cells of Slurm's tables as times, counts and accelerators.

use giga_units::{Duration, Instant};

use crate::slurm::cell::{COUNT_MAX, Counted, count, is_none, quoted, tracked};
use crate::work::cell;

/// The latest time that is one: the year 9999, in milliseconds.
const LATEST: i64 = 253_402_300_799_999;

/// Reads times, and counts those that do not say of which zone they are.
#[derive(Debug, Default)]
pub(super) struct Clock {
    pub(super) zoneless: u64,
}

impl Clock {
    /// A time as seconds since 1970 or as ISO; `None` where Slurm knows none.
    pub(super) fn time(&mut self, text: &str) -> Result<Option<Instant>, String> {
        if is_none(text) || text == "0" {
            return Ok(None);
        }
        if let Ok(seconds) = text.parse::<i64>() {
            let at = seconds.checked_mul(1_000).filter(|at| (0..=LATEST).contains(at));
            return at.map(|at| Some(Instant::unix_milliseconds(at))).ok_or_else(|| not_a_time(text));
        }
        let at = Instant::parse(text).ok_or_else(|| not_a_time(text))?;
        let zoned =
            text.ends_with(['Z', 'z']) || text.get(10..).is_some_and(|rest| rest.contains(['+', '-']));
        self.zoneless += u64::from(!zoned);
        if (0..=LATEST).contains(&at.as_unix_milliseconds()) { Ok(Some(at)) } else { Err(not_a_time(text)) }
    }
}

fn not_a_time(text: &str) -> String {
    format!(
        "`{}` is no time; set SLURM_TIME_FORMAT=%s, so that Slurm prints seconds since 1970",
        quoted(text)
    )
}

/// A time limit or a time used, as Slurm's clock writes them; `None` where there is none.
pub(super) fn clock(text: &str) -> Result<Option<Duration>, String> {
    let unlimited = ["UNLIMITED", "Partition_Limit"].iter().any(|word| text.eq_ignore_ascii_case(word));
    if unlimited || is_none(text) {
        return Ok(None);
    }
    cell::clock(text).map(Some).map_err(|cause| cause.to_string())
}

/// A length in whole units; `None` where there is none.
pub(super) fn length(text: &str, unit: Duration) -> Result<Option<Duration>, String> {
    if text.eq_ignore_ascii_case("UNLIMITED") || text.eq_ignore_ascii_case("Partition_Limit") || is_none(text)
    {
        return Ok(None);
    }
    cell::length(text, unit).map(Some).map_err(|cause| cause.to_string())
}

/// The accelerators in a list of resources that Slurm tracks. The plain count is the whole.
pub(super) fn resources(list: &str) -> Result<Counted, String> {
    let (mut plain, mut named, mut kinds) = (None, 0_u32, Vec::new());
    for (kind, number) in tracked(list) {
        match kind {
            None => plain = Some(count(number)?),
            Some(kind) => {
                named = named.saturating_add(count(number)?);
                kinds.push(kind);
            }
        }
    }
    let kind = if let [kind] = kinds[..] { kind.to_owned() } else { String::new() };
    Ok(Counted { accelerators: plain.unwrap_or(named), kind })
}

/// The joules in such a list.
pub(super) fn energy_in(list: &str) -> Option<i128> {
    let energy = list.split(',').find_map(|resource| resource.trim().strip_prefix("energy="))?;
    joules(energy)
}

/// A count of joules that can be one: Slurm prints 2^64 − 2 and the like where it has none.
pub(super) fn joules(text: &str) -> Option<i128> {
    let joules: i128 = text.parse().ok()?;
    (joules > 0 && joules < 4_000_000_000_000_000).then_some(joules)
}

/// How many tasks a job number stands for: `17_[3-9:2,12%4]` are five, `17` and `17_3` are one.
pub(super) fn tasks(id: &str) -> Result<u32, String> {
    let Some((_, list)) = id.split_once('[') else { return Ok(1) };
    let list = list.split([']', '%']).next().unwrap_or("");
    let wrong = || format!("`{}` is no list of tasks; ask squeue with `--array`", quoted(id));
    let mut all = 0_u64;
    for range in list.split(',').filter(|range| *range != "...") {
        let (range, step) = range.split_once(':').unwrap_or((range, "1"));
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
        let (first, last, step) = (number(first)?, number(last)?, number(step)?);
        if last < first || step == 0 {
            return Err(wrong());
        }
        all = all.saturating_add((last - first) / step + 1);
    }
    u32::try_from(all.min(COUNT_MAX)).map_err(|_| wrong())
}

/// A word with what might harm a terminal or a file taken out.
pub(super) fn word(text: &str) -> String {
    let text = if is_none(text) { "" } else { text };
    text.chars().take(128).map(|sign| if sign.is_control() { '?' } else { sign }).collect()
}
