//! Times as files write them, and the clocks they are read by.

use giga_units::Instant;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// Clocks of Europe that change with the seasons: at 01:00 UTC on the last Sunday of March and of October
/// (Directive 2000/84/EC, articles 2 and 3), written as POSIX rules.
const SEASONS: [Seasons; 3] = [
    Seasons { name: "CET/CEST", rule: "CET-1CEST,M3.5.0,M10.5.0/3", names: &[("CEST", 2), ("CET", 1)] },
    Seasons { name: "WET/WEST", rule: "WET0WEST,M3.5.0/1,M10.5.0", names: &[("WEST", 1), ("WET", 0)] },
    Seasons { name: "EET/EEST", rule: "EET-2EEST,M3.5.0/3,M10.5.0/4", names: &[("EEST", 3), ("EET", 2)] },
];

/// A clock with summer time.
struct Seasons {
    name: &'static str,
    rule: &'static str,
    /// What a time by it may have behind it, with the hours ahead of UTC.
    names: &'static [(&'static str, i32)],
}

/// By which clock a file is read.
pub(super) struct Clock {
    name: String,
    zone: TimeZone,
    /// Names that a time may have behind it, with their hours ahead of UTC.
    names: &'static [(&'static str, i32)],
    /// The instant that was read last.
    last: Option<i64>,
}

/// What a time comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Milliseconds after 1970.
    At(i64),
    /// The clock skipped it; it would be at.
    Skipped(i64),
}

impl Clock {
    /// A clock that is so many seconds ahead of UTC in every season; `None` beyond a day.
    pub(super) fn fixed(seconds: i32) -> Option<Self> {
        let offset = Offset::from_seconds(seconds).ok()?;
        let name = match (seconds, seconds.rem_euclid(3_600)) {
            (0, _) => "UTC".to_owned(),
            (_, 0) => format!("UTC{:+}", seconds / 3_600),
            _ => format!("UTC{offset}"),
        };
        Some(Self { name, zone: TimeZone::fixed(offset), names: &[("UTC", 0)], last: None })
    }

    pub(super) fn utc() -> Self {
        Self::fixed(0).expect("UTC is a clock")
    }

    /// A clock by what a header calls it, such as `CET/CEST` or `UTC`.
    pub(super) fn named(name: &str) -> Option<Self> {
        if matches!(name, "UTC" | "GMT") {
            return Some(Self::utc());
        }
        let Seasons { name, rule, names } = SEASONS.iter().find(|seasons| seasons.name == name)?;
        let zone = TimeZone::posix(rule).expect("the rules of the table are sound");
        Some(Self { name: (*name).to_owned(), zone, names, last: None })
    }

    /// What people call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Reads a time. Of an hour that the clock has twice, the first is meant until it was read.
    pub(super) fn read(&mut self, text: &str) -> Option<Moment> {
        if let Ok(stamp) = text.parse::<Timestamp>() {
            return self.keep(stamp.as_millisecond()).map(Moment::At);
        }
        let (text, ahead) = self.suffix(text);
        let civil = civil(text)?;
        if let Some(hours) = ahead {
            return self.keep(milliseconds(Offset::from_hours(hours as i8).ok()?, civil)?).map(Moment::At);
        }
        match self.zone.to_ambiguous_zoned(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                self.keep(milliseconds(offset, civil)?).map(Moment::At)
            }
            AmbiguousOffset::Gap { before, .. } => known(milliseconds(before, civil)?).map(Moment::Skipped),
            AmbiguousOffset::Fold { before, after } => {
                let (first, second) = (milliseconds(before, civil)?, milliseconds(after, civil)?);
                let again = self.last.is_some_and(|last| last >= first);
                self.keep(if again { second } else { first }).map(Moment::At)
            }
        }
    }

    /// Whether an instant lies in the second of two hours that the clock calls the same.
    pub(super) fn is_again(&self, at: i64) -> bool {
        let Ok(stamp) = Timestamp::from_millisecond(at) else { return false };
        let civil = stamp.to_zoned(self.zone.clone()).datetime();
        match self.zone.to_ambiguous_zoned(civil).offset() {
            AmbiguousOffset::Fold { after, .. } => milliseconds(after, civil) == Some(at),
            _ => false,
        }
    }

    fn keep(&mut self, at: i64) -> Option<i64> {
        self.last = Some(known(at)?);
        self.last
    }

    /// Takes a name such as `(CEST)` from behind a time.
    fn suffix<'t>(&self, text: &'t str) -> (&'t str, Option<i32>) {
        let found = self.names.iter().find_map(|(name, hours)| {
            let rest = text.strip_suffix(')')?.strip_suffix(name)?.strip_suffix('(')?;
            Some((rest.trim_end(), Some(*hours)))
        });
        found.unwrap_or((text, None))
    }
}

/// The clock of Central Europe.
pub(crate) fn central_europe() -> TimeZone {
    Clock::named("CET/CEST").expect("it is in the table").zone
}

/// Milliseconds after 1970, if they are of a time that is read.
pub(super) fn known(at: i64) -> Option<i64> {
    let end = Instant::parse("2200-01-02").expect("a date").as_unix_milliseconds();
    // A first hour of 1970 east of Greenwich is of 1969 in UTC.
    (-86_400_000..end).contains(&at).then_some(at)
}

fn milliseconds(offset: Offset, civil: DateTime) -> Option<i64> {
    offset.to_timestamp(civil).ok().map(Timestamp::as_millisecond)
}

/// A time of the calendar without a zone: `2023-01-31 00:00`, `31.01.2023 00:00` or `31/01/2023 00:00:00`.
pub(super) fn civil(text: &str) -> Option<DateTime> {
    if let Ok(civil) = text.parse::<DateTime>() {
        return Some(civil);
    }
    let (date, time) = text.split_once(' ')?;
    let mut parts = date.split(['.', '/']).map(|part| part.parse::<i16>().ok());
    let (day, month, year) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    let date = Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    Some(date.to_datetime(time.trim().parse().ok()?))
}

/// Whether a text is a time of any kind, in milliseconds after 1970 as if it were UTC.
pub(super) fn civil_or_stamp(text: &str) -> Option<i64> {
    match text.parse::<Timestamp>() {
        Ok(stamp) => known(stamp.as_millisecond()),
        Err(_) => known(milliseconds(Offset::UTC, civil(text)?)?),
    }
}

/// The beginning of a day by a clock that is so many seconds ahead of UTC.
pub(super) fn day(year: i16, month: i8, day: i8, ahead: i32) -> Option<i64> {
    let date = Date::new(year, month, day).ok()?;
    known(milliseconds(Offset::from_seconds(ahead).ok()?, date.at(0, 0, 0, 0))?)
}
