//! Rows at equal distances: what is doubled is left out, what is missing is filled, and both are kept account of.

use giga_units::{Duration, Instant};

use super::fault::SeriesFault;
use super::{Column, Desk, Draft, Gap, Quantity, Row, Rule, Table};

/// The longest gap that is filled from its ends.
pub const FILL_SHORT: Duration = Duration::hours(3);
/// The longest gap that is filled at all; behind a longer one, what stands there would be an invention.
pub const GAP_MAX: Duration = Duration::days(7);

/// Most values of all columns of a table together.
const VALUES_MAX: usize = 4_000_000;
const DAY: i64 = Duration::days(1).as_milliseconds();

/// Makes a table of a draft; `None` after a fault was noted.
pub(super) fn settle(mut draft: Draft, desk: &mut Desk) -> Option<Table> {
    in_order(&mut draft, desk);
    if !desk.is_clear() {
        return None;
    }
    let (first, last) = (draft.rows.first()?.at, draft.rows.last()?);
    let Some(step) = draft.step.or_else(|| distance(&draft.rows)) else {
        desk.add(last.line, last.marked.clone(), SeriesFault::OneRow);
        return None;
    };
    regular(&draft.rows, step, desk);
    let end = last.until.unwrap_or(last.at + step).clamp(last.at + step, last.at + DAY.max(step));
    let count = usize::try_from((end - first) / step).ok()?;
    if count.saturating_mul(draft.columns.len().max(1)) > VALUES_MAX {
        desk.add(last.line, last.marked.clone(), SeriesFault::TooMany { most: VALUES_MAX });
    }
    if !desk.is_clear() {
        return None;
    }
    let columns = (0..draft.columns.len()).filter_map(|at| column(&mut draft, at, first, step, count));
    // Notes are added to the draft while the columns are made.
    let columns: Vec<Column> = columns.collect();
    if columns.is_empty() {
        desk.add(1, 0..0, SeriesFault::NoValues);
        return None;
    }
    Some(Table {
        dialect: draft.dialect,
        place: draft.place,
        calendar: draft.calendar,
        first: Instant::unix_milliseconds(first),
        step: Duration::milliseconds(step),
        columns,
        rows: draft.made,
        notes: draft.notes,
    })
}

/// Leaves out rows of an instant that was there already; a row that goes back is a fault.
fn in_order(draft: &mut Draft, desk: &mut Desk) {
    let mut last: Option<i64> = None;
    let mut doubled = Vec::new();
    draft.rows.retain(|row| match last {
        Some(last) if row.at < last => {
            desk.add(row.line, row.marked.clone(), SeriesFault::Backwards);
            false
        }
        Some(last) if row.at == last => {
            doubled.push(Instant::unix_milliseconds(row.at));
            false
        }
        _ => {
            last = Some(row.at);
            true
        }
    });
    draft.made.doubled.extend(doubled);
}

/// The least distance of two rows, or how long the first holds.
fn distance(rows: &[Row]) -> Option<i64> {
    let holds = rows.first().and_then(|row| Some(row.until? - row.at));
    rows.windows(2).map(|pair| pair[1].at - pair[0].at).chain(holds).filter(|step| *step > 0).min()
}

/// Notes rows between the steps, and rows behind too long a gap.
fn regular(rows: &[Row], step: i64, desk: &mut Desk) {
    for pair in rows.windows(2) {
        let (before, row) = (&pair[0], &pair[1]);
        if (row.at - rows[0].at) % step != 0 {
            let step = Duration::milliseconds(step).to_string();
            desk.add(row.line, row.marked.clone(), SeriesFault::OffGrid { step });
        }
        let from = before.at + step;
        if row.at - from > GAP_MAX.as_milliseconds() {
            let hours = (row.at - from) / 3_600_000;
            let from = Instant::unix_milliseconds(from).to_string();
            desk.add(row.line, row.marked.clone(), SeriesFault::GapTooLong { hours, from });
        }
    }
}

/// One column of the draft on the grid, filled; `None`, with a note, where too much of it is missing.
fn column(draft: &mut Draft, at: usize, first: i64, step: i64, count: usize) -> Option<Column> {
    let (name, quantity) = draft.columns[at].clone();
    let mut values = vec![None; count];
    for (place, row) in draft.rows.iter().enumerate() {
        let next = draft.rows.get(place + 1).map_or(i64::MAX, |next| next.at);
        let until = row.until.unwrap_or(row.at + step).min(next).max(row.at + step);
        let begin = ((row.at - first) / step) as usize;
        let end = (((until - first) / step) as usize).min(count);
        values[begin..end].fill(row.values[at]);
    }
    let runs = runs(&values);
    let longest = runs.iter().map(|(_, length)| *length).max().unwrap_or(0);
    if longest as i64 * step > GAP_MAX.as_milliseconds() || longest == count {
        let why = if longest == count { "it holds no values" } else { "it lacks over seven days in a row" };
        draft.notes.push(format!("`{name}` is left out: {why}"));
        return None;
    }
    let gaps = runs.iter().map(|&(begin, length)| {
        let rule = rule(&values, begin, length, step, quantity);
        fill(&mut values, begin, length, step, rule);
        Gap { from: Instant::unix_milliseconds(first + begin as i64 * step), count: length, rule }
    });
    let gaps = gaps.collect();
    let values = values.into_iter().map(|value| value.expect("every gap is filled")).collect();
    Some(Column { name, quantity, values, gaps })
}

/// Where values are missing, and how many in a row.
fn runs(values: &[Option<f64>]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (place, _) in values.iter().enumerate().filter(|(_, value)| value.is_none()) {
        match runs.last_mut() {
            Some((begin, length)) if *begin + *length == place => *length += 1,
            _ => runs.push((place, 1)),
        }
    }
    runs
}

/// What a gap is filled by: everything before it is there, given or filled.
fn rule(values: &[Option<f64>], begin: usize, length: usize, step: i64, quantity: Quantity) -> Rule {
    if begin == 0 {
        return Rule::After;
    }
    let open = begin + length == values.len();
    if length as i64 * step <= FILL_SHORT.as_milliseconds() {
        return if open { Rule::Before } else { quantity.short() };
    }
    let reaches = |rule| back(rule, step).is_some_and(|back| back <= begin);
    let rules = [quantity.long(), Rule::DayBefore];
    rules.into_iter().find(|rule| reaches(*rule)).unwrap_or(Rule::Before)
}

/// How many steps a rule looks back; `None` where that is no whole number.
fn back(rule: Rule, step: i64) -> Option<usize> {
    let span = match rule {
        Rule::DayBefore => DAY,
        Rule::WeekBefore => 7 * DAY,
        Rule::Linear | Rule::Before | Rule::After => step,
    };
    (span % step == 0).then_some((span / step) as usize)
}

fn fill(values: &mut [Option<f64>], begin: usize, length: usize, step: i64, rule: Rule) {
    let end = begin + length;
    let after = values.get(end).copied().flatten();
    match rule {
        Rule::After => values[begin..end].fill(after),
        Rule::Linear => {
            let before = values[begin - 1].expect("what is before a gap is there");
            let after = after.unwrap_or(before);
            for (at, value) in values[begin..end].iter_mut().enumerate() {
                let part = (at + 1) as f64 / (length + 1) as f64;
                *value = Some(before + (after - before) * part);
            }
        }
        Rule::Before | Rule::DayBefore | Rule::WeekBefore => {
            let back = back(rule, step).expect("the rule was chosen for this step");
            for place in begin..end {
                values[place] = values[place - back];
            }
        }
    }
}
