//! What the description says will come: phases, maintenance, half-lives, years. A host that lives by a real clock asks here
//! what is due and until when it may sleep. Nothing is remembered: all of it follows from what was known before.

use giga_model::{Federation, GridLimit, SiteId};
use giga_scheduler::{Input, State};
use giga_units::{Duration, Instant, Power};

/// What comes due in `(before, now]`, and at the very beginning what was due by then, in the order of its time.
#[must_use]
pub fn due(federation: &Federation, state: &State, before: Instant, now: Instant) -> Vec<(Instant, Input)> {
    let mut all = Vec::new();
    for site in (0..federation.sites.len()).map(SiteId::at) {
        phases(federation, state, site, now, &mut all);
        maintenance(federation, state, site, now, &mut all);
        limits(federation, state, site, (before, now), &mut all);
    }
    let hour = Instant::of_hour(now.hour());
    if hour > before && state.minds_the_hour() {
        all.push((hour, Input::HourTurns));
    }
    let mut at = next_half_life(federation, before);
    while at <= now {
        all.push((at, Input::HalveUse));
        at = at + federation.policy.half_life;
    }
    let mut at = before.next_year();
    while at <= now {
        all.push((at, Input::TurnYear));
        at = at.next_year();
    }
    all.sort_by_key(|(at, _)| *at);
    all
}

/// When something comes due next, if nothing else happens.
#[must_use]
pub fn next(federation: &Federation, state: &State, now: Instant) -> Instant {
    let mut next = now.next_year().min(next_half_life(federation, now));
    if state.minds_the_hour() {
        next = next.min(now.next_hour());
    }
    for (index, site) in federation.sites.iter().enumerate() {
        let id = SiteId::at(index);
        next = next.min(site.phases.get(state.phases_open(id)).map_or(Instant::FAR, |phase| phase.opens));
        next = next.min(state.closed_until(id).unwrap_or(Instant::FAR));
        next = next.min(state.limit(id).map_or(Instant::FAR, |(_, until)| until));
        let falls = site.limits.iter().map(|limit| limit.from).filter(|from| *from > now);
        next = next.min(falls.min().unwrap_or(Instant::FAR));
        let windows = site.maintenance.filter(|_| state.closed_until(id).is_none());
        next = next.min(windows.map_or(Instant::FAR, |windows| windows.window_at(now).0));
    }
    next
}

fn phases(
    federation: &Federation,
    state: &State,
    site: SiteId,
    now: Instant,
    all: &mut Vec<(Instant, Input)>,
) {
    let phases = &federation.sites[site.index()].phases[state.phases_open(site)..];
    let opened = phases.iter().map(|phase| phase.opens).take_while(|opens| *opens <= now);
    all.extend(opened.map(|opens| (opens, Input::PhaseOpens { site })));
}

/// Limits that the description names fall when it says; whatever limit is on ends when it was said to, or is lifted by the
/// next. One that stood in for a limit of the description gives way to it again. One that came and went while nobody looked
/// leaves no trace.
fn limits(
    federation: &Federation,
    state: &State,
    site: SiteId,
    (before, now): (Instant, Instant),
    all: &mut Vec<(Instant, Input)>,
) {
    let ended = state.limit(site).map(|(_, until)| until).filter(|until| *until <= now);
    all.extend(ended.map(|until| (until, Input::LimitEnds { site })));
    let goes_on = state.limit_behind(site).is_some_and(|(_, until)| now < until);
    if let Some(limit) = limit_described(federation, site, now)
        && (before < limit.from || state.phases_open(site) == 0 || (ended.is_some() && !goes_on))
    {
        // Behind the end of the other, which would take it away again.
        all.push((limit.from.max(ended.unwrap_or(limit.from)), falls(site, limit)));
    }
}

/// The limit of the description that is on at a site then; there is one at most.
#[must_use]
pub fn limit_described(federation: &Federation, site: SiteId, at: Instant) -> Option<GridLimit> {
    let limits = federation.sites[site.index()].limits.iter();
    limits.filter(|limit| limit.from <= at && at < limit.until).copied().next()
}

/// What ending a limit by hand brings back: the limit of the description that it stood in for. Nothing where that one itself
/// is ended, or none is on.
#[must_use]
pub fn limit_restored(
    federation: &Federation,
    site: SiteId,
    ended: Option<(Power, Instant)>,
    now: Instant,
) -> Option<Input> {
    let described = limit_described(federation, site, now)?;
    let by_hand = ended.is_some_and(|ended| ended != (described.power, described.until));
    by_hand.then(|| falls(site, described))
}

const fn falls(site: SiteId, limit: GridLimit) -> Input {
    Input::LimitFalls { site, power: limit.power, until: limit.until }
}

/// A window that began and ended while nobody looked leaves no trace: nothing stopped for it.
fn maintenance(
    federation: &Federation,
    state: &State,
    site: SiteId,
    now: Instant,
    all: &mut Vec<(Instant, Input)>,
) {
    let Some(windows) = federation.sites[site.index()].maintenance else { return };
    if let Some(until) = state.closed_until(site).filter(|until| *until <= now) {
        all.push((until, Input::MaintenanceEnds { site }));
    }
    let (begin, _) = windows.window_at(now);
    if begin <= now && state.closed_until(site).is_none_or(|until| until <= now) {
        all.push((begin, Input::MaintenanceBegins { site }));
    }
}

/// When the next half-life of past use is over: they follow each other from the start of the federation on.
#[must_use]
pub fn next_half_life(federation: &Federation, now: Instant) -> Instant {
    let (start, every) = (federation.start, federation.policy.half_life);
    let passed = now.since(start).max(Duration::ZERO).as_milliseconds() / every.as_milliseconds();
    start + Duration::milliseconds(every.as_milliseconds().saturating_mul(passed + 1))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use giga_model::Maintenance;
    use giga_model::sample::{accelerator, add_site, empty};

    use super::*;
    use crate::Control;

    fn hour(hours: i64) -> Instant {
        Instant::unix_milliseconds(0) + Duration::hours(hours)
    }

    /// A site with a weekly window of 8 hours from hour 10, half-lives of a day, from the first hour of 1970.
    fn federation() -> Federation {
        let mut federation = empty();
        add_site(&mut federation, "north", &[(accelerator("A", 8, 1), 1)]);
        federation.start = hour(0);
        federation.policy.half_life = Duration::days(1);
        let (first, every, length) = (hour(10), Duration::days(7), Duration::hours(8));
        federation.sites[0].maintenance = Some(Maintenance { first, every, length });
        federation.sites[0].phases[0].opens = hour(1);
        federation
    }

    #[test]
    fn what_the_description_says_comes_when_it_says() {
        let federation = federation();
        let mut control = Control::new(Arc::new(federation.clone()), hour(0));
        let site = SiteId(0);
        let mut check = |now: i64, expected: &[(i64, Input)], then: i64| {
            let found = due(&federation, control.state(), control.now(), hour(now));
            let expected: Vec<_> = expected.iter().map(|(at, input)| (hour(*at), input.clone())).collect();
            assert_eq!(found, expected, "at hour {now}");
            let inputs: Vec<Input> = found.into_iter().map(|(_, input)| input).collect();
            control.advance(hour(now), &inputs);
            assert_eq!(next(&federation, control.state(), control.now()), hour(then), "after hour {now}");
        };
        check(0, &[], 1);
        check(1, &[(1, Input::PhaseOpens { site })], 10);
        check(11, &[(10, Input::MaintenanceBegins { site })], 18);
        check(18, &[(18, Input::MaintenanceEnds { site })], 24);
        check(50, &[(24, Input::HalveUse), (48, Input::HalveUse)], 72);
        let days = |days: std::ops::RangeInclusive<i64>| days.map(|day| (day * 24, Input::HalveUse));
        let mut long: Vec<(i64, Input)> = days(3..=14).collect();
        long.push((10 + 14 * 24, Input::MaintenanceBegins { site }));
        check(11 + 14 * 24, &long, 18 + 14 * 24);
    }

    #[test]
    fn a_limit_set_by_hand_gives_way_to_the_described_one_again() {
        let mut federation = federation();
        let (site, watts) = (SiteId(0), Power::watts);
        federation.sites[0].maintenance = None;
        let described = |from, until, power| GridLimit { from: hour(from), until: hour(until), power };
        federation.sites[0].limits = vec![described(2, 8, watts(50)), described(8, 9, watts(60))];
        let falls = |power, until| Input::LimitFalls { site, power: watts(power), until: hour(until) };
        let ends = Input::LimitEnds { site };
        let check = |by_hand: &[(i64, Input)], expected: &[(i64, Input)]| {
            let mut control = Control::new(Arc::new(federation.clone()), hour(0));
            for (at, input) in by_hand {
                let due: Vec<Input> = due(&federation, control.state(), control.now(), hour(*at))
                    .into_iter()
                    .map(|(_, x)| x)
                    .collect();
                control.advance(hour(*at), &due);
                control.advance(hour(*at), std::slice::from_ref(input));
            }
            let mut found = Vec::new();
            while next(&federation, control.state(), control.now()) < hour(12) {
                let now = next(&federation, control.state(), control.now());
                let due = due(&federation, control.state(), control.now(), now);
                control.advance(now, &due.iter().map(|(_, input)| input.clone()).collect::<Vec<_>>());
                found.extend(due);
            }
            let expected: Vec<_> = expected.iter().map(|(at, input)| (hour(*at), input.clone())).collect();
            assert_eq!(found, expected, "after {by_hand:?}");
        };
        let rest = [(8, ends.clone()), (8, falls(60, 9)), (9, ends.clone())];
        let mut back = vec![(5, ends.clone()), (5, falls(50, 8))];
        back.extend(rest.clone());
        check(&[(3, falls(30, 5))], &back);
        // What follows comes first, and then the described one again.
        let follows = |power, until| Input::LimitFollows { site, power: watts(power), until: hour(until) };
        let mut back = vec![(4, ends.clone()), (6, ends.clone()), (6, falls(50, 8))];
        back.extend(rest.clone());
        check(&[(3, falls(30, 4)), (3, follows(40, 6))], &back);
        // One that was ended by hand stays ended.
        check(&[(3, ends.clone())], &[(8, falls(60, 9)), (9, ends.clone())]);
        // One that ends behind it leaves nothing to bring back.
        check(&[(8, falls(30, 10))], &[(10, ends.clone())]);
        // Nobody looked while it fell, and while the other ended.
        let mut control = Control::new(Arc::new(federation.clone()), hour(0));
        control.advance(hour(1), &[Input::PhaseOpens { site }, falls(30, 5)]);
        let found = due(&federation, control.state(), control.now(), hour(6));
        assert_eq!(found, [(hour(5), ends), (hour(5), falls(50, 8))]);

        let restored = |ended, at| limit_restored(&federation, site, ended, hour(at));
        assert_eq!(restored(Some((watts(30), hour(5))), 4), Some(falls(50, 8)));
        assert_eq!(restored(Some((watts(50), hour(8))), 4), None, "the described one itself");
        assert_eq!(restored(None, 4), None);
        assert_eq!(restored(Some((watts(30), hour(12))), 9), None, "it is over");
    }

    #[test]
    fn a_year_turns_once() {
        let federation = federation();
        let control = Control::new(Arc::new(federation.clone()), hour(0));
        let turns = |from: i64, to: i64| {
            let all = due(&federation, control.state(), hour(from), hour(to));
            all.iter().filter(|(_, input)| *input == Input::TurnYear).count()
        };
        assert_eq!([turns(0, 1), turns(0, 365 * 24), turns(365 * 24, 366 * 24)], [0, 1, 0]);
    }
}
