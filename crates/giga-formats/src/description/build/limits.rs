//! Times in which the grid gives less, from all places that name them, laid over each other.

use std::collections::BTreeMap;

use giga_model::{Country, GridLimit, Phase, Site};
use giga_units::{Duration, Fraction, Instant, Power};

use super::AllNames;
use crate::description::diagnostic::Findings;
use crate::description::meaning::Meaning;
use crate::description::record::Record;

/// One time in which less is given, as it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    from: Instant,
    until: Instant,
    left: Left,
}

/// What is left of the connection.
#[derive(Debug, Clone, Copy)]
enum Left {
    Power(Power),
    Part(Fraction),
}

/// Most times that one limit with `every` comes to.
const TIMES_MAX: i64 = 10_000;

/// Reads `from`, `for`, `every`, `until` and `power` or `part`; what is faulty is reported.
pub(super) fn cuts(record: &Record, findings: &mut Findings) -> Vec<Cut> {
    let Some(first) = cut(record, findings) else { return Vec::new() };
    let until = record.date("until");
    let odd = match record.amount::<Duration>("every") {
        None if until.is_some() => Some(Meaning::UntilAlone),
        _ => until.filter(|until| *until < first.from).map(|_| Meaning::UntilEarly),
    };
    if let Some(odd) = odd {
        findings.add(&record.span_of("until"), record.path_of("until"), &odd);
        return Vec::new();
    }
    let Some(every) = record.amount::<Duration>("every") else { return vec![first] };
    let until = until.unwrap_or(first.from + Duration::days(365));
    let count = until.since(first.from).as_milliseconds().max(0) / every.as_milliseconds() + 1;
    let fault = match first.until.since(first.from) {
        length if every < length => Meaning::EveryShort,
        _ if count > TIMES_MAX => Meaning::EveryMany { count },
        _ => {
            let shift = |turn: i64| Duration::milliseconds(every.as_milliseconds() * turn);
            let at = |turn| Cut { from: first.from + shift(turn), until: first.until + shift(turn), ..first };
            return (0..count).map(at).collect();
        }
    };
    findings.add(&record.span_of("every"), record.path_of("every"), &fault);
    Vec::new()
}

/// A power that a site may draw at most for a time.
pub(super) fn bound(from: Instant, until: Instant, power: Power) -> Cut {
    Cut { from, until, left: Left::Power(power) }
}

/// Limits as cuts, to be laid over others.
pub(super) fn cuts_of(limits: &[GridLimit]) -> Vec<Cut> {
    limits.iter().map(|limit| bound(limit.from, limit.until, limit.power)).collect()
}

/// Reads one such time.
pub(super) fn cut(record: &Record, findings: &mut Findings) -> Option<Cut> {
    let has_power = record.section.field("power").is_some();
    let power = if has_power { record.amount("power").map(Left::Power) } else { None };
    let left = match (power, record.amount("part").map(Left::Part)) {
        (Some(left), None) | (None, Some(left)) => Some(left),
        _ if record.broken => None,
        (both, _) => {
            let fault = if both.is_some() { Meaning::PowerTwice } else { Meaning::NoPower };
            findings.add(&record.span, record.path.clone(), &fault);
            None
        }
    };
    let (from, length) = (record.date("from")?, record.amount::<Duration>("for")?);
    Some(Cut { from, until: from + length, left: left? })
}

/// The limits of one site that its own table names.
pub(super) fn of_site(record: &Record, findings: &mut Findings) -> Vec<Cut> {
    record.tables("limit").iter().flat_map(|limit| cuts(limit, findings)).collect()
}

/// The sites that `country`, `countries` and `sites` name, each once; what is faulty is reported.
pub(super) fn places(
    record: &Record,
    names: &AllNames<'_>,
    sites: &[Site],
    findings: &mut Findings,
) -> Vec<usize> {
    let mut places = Vec::new();
    if !["country", "countries", "sites"].iter().any(|key| record.has(key)) {
        findings.add(&record.span, record.path.clone(), &Meaning::NoPlaces);
    }
    let country = record.text("country").map(|code| (code, record.span_of("country"), "country"));
    let countries = record.names("countries").iter();
    let countries = countries.map(|(code, span)| (code.as_str(), span.clone(), "countries"));
    for (code, span, key) in country.into_iter().chain(countries) {
        let inside = |site: &&Site| Country::parse(code) == Some(site.country);
        let fault = match Country::parse(code) {
            None => Meaning::Country { code: code.to_owned() },
            Some(_) if sites.iter().any(|site| inside(&site)) => {
                places.extend(sites.iter().enumerate().filter(|(_, site)| inside(site)).map(|(at, _)| at));
                continue;
            }
            // A site of which the country is faulty may be there.
            Some(_) if names.has_unknown_country => continue,
            Some(_) => Meaning::NoSiteThere { code: code.to_owned() },
        };
        findings.add(&span, record.path_of(key), &fault);
    }
    for (name, span) in record.names("sites") {
        places.extend(names.sites.find(name, span, record.path_of("sites"), findings));
    }
    places.sort_unstable();
    places.dedup();
    places
}

/// Lays cuts over each other: sorted, apart, and where several meet the lowest. A part is of the connection that is open
/// at that time.
pub(super) fn merged(cuts: &[Cut], phases: &[Phase]) -> Vec<GridLimit> {
    let mut edges = Vec::new();
    for piece in cuts.iter().flat_map(|cut| pieces(cut, phases)) {
        edges.push((piece.from, true, piece.power));
        edges.push((piece.until, false, piece.power));
    }
    edges.sort_unstable();
    let mut open = BTreeMap::<Power, usize>::new();
    let (mut limits, mut last) = (Vec::<GridLimit>::new(), Instant::default());
    for (at, begins, power) in edges {
        if let Some((&lowest, _)) = open.first_key_value() {
            extend(&mut limits, GridLimit { from: last, until: at, power: lowest });
        }
        let count = open.entry(power).or_default();
        *count = if begins { *count + 1 } else { count.saturating_sub(1) };
        if *count == 0 {
            open.remove(&power);
        }
        last = at;
    }
    limits
}

/// Adds a time, or makes the last one longer where nothing changes.
fn extend(limits: &mut Vec<GridLimit>, next: GridLimit) {
    match limits.last_mut() {
        _ if next.from >= next.until => {}
        Some(last) if last.until == next.from && last.power == next.power => last.until = next.until,
        _ => limits.push(next),
    }
}

/// A cut in pieces of constant power: a part is of another whole once a phase opens.
fn pieces(cut: &Cut, phases: &[Phase]) -> Vec<GridLimit> {
    let part = match cut.left {
        Left::Power(power) => return vec![GridLimit { from: cut.from, until: cut.until, power }],
        Left::Part(part) => part,
    };
    let inside = |at: &Instant| *at > cut.from && *at < cut.until;
    let mut edges: Vec<Instant> = phases.iter().map(|phase| phase.opens).filter(inside).collect();
    edges.extend([cut.from, cut.until]);
    edges.sort_unstable();
    let power = |from: Instant| {
        let open = phases.iter().filter(|phase| phase.opens <= from).map(|phase| phase.power).sum::<Power>();
        // Rounded down: a limit is never above what was written.
        Power::milliwatts(
            u64::try_from(u128::from(open.as_milliwatts()) * u128::from(part.as_ppm()) / 1_000_000)
                .expect("a part of a power is no larger than it"),
        )
    };
    let piece = |pair: &[Instant]| GridLimit { from: pair[0], until: pair[1], power: power(pair[0]) };
    edges.windows(2).map(piece).filter(|piece| piece.from < piece.until).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_meet_are_laid_over_each_other() {
        let at = |hours| Instant::unix_milliseconds(0) + Duration::hours(hours);
        let cut = |from, until, left| Cut { from: at(from), until: at(until), left };
        let megawatts = |count| Left::Power(Power::megawatts(count));
        let phase =
            |opens, power| Phase { opens: at(opens), power: Power::megawatts(power), nodes: Vec::new() };
        let phases = [phase(0, 100), phase(20, 100)];
        let half = Left::Part(Fraction::ppm(500_000));
        let check = |cuts: &[Cut], expected: &[(i64, i64, u64)]| {
            let found = merged(cuts, &phases);
            let limit = |&(from, until, power): &(i64, i64, u64)| GridLimit {
                from: at(from),
                until: at(until),
                power: Power::megawatts(power),
            };
            assert_eq!(found, expected.iter().map(limit).collect::<Vec<_>>());
        };
        check(&[], &[]);
        check(&[cut(10, 30, half)], &[(10, 20, 50), (20, 30, 100)]);
        check(&[cut(10, 15, half), cut(12, 18, megawatts(70))], &[(10, 15, 50), (15, 18, 70)]);
        check(&[cut(1, 9, megawatts(7)), cut(3, 5, megawatts(7)), cut(9, 10, megawatts(7))], &[(1, 10, 7)]);
        check(&[cut(1, 9, megawatts(7)), cut(3, 5, megawatts(2))], &[(1, 3, 7), (3, 5, 2), (5, 9, 7)]);
        check(&[cut(1, 2, megawatts(7)), cut(4, 5, megawatts(7))], &[(1, 2, 7), (4, 5, 7)]);
    }
}
