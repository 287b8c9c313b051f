//! Instants and durations in milliseconds; the proleptic Gregorian calendar in UTC.

use std::ops::{Add, AddAssign, Sub};
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::quantity::quantity;

quantity! {
    /// A length of time, held in milliseconds. A year is 365 days.
    Duration(i64), "duration", signed false,
    ["s" => 1_000, "min" => 60_000, "h" => 3_600_000, "d" => 86_400_000, "w" => 604_800_000, "y" => 31_536_000_000, "ms" => 1]
}

impl Duration {
    /// So many milliseconds.
    #[must_use]
    pub const fn milliseconds(count: i64) -> Self {
        Self(count)
    }
    /// So many seconds.
    #[must_use]
    pub const fn seconds(count: i64) -> Self {
        Self(count * 1_000)
    }
    /// So many hours.
    #[must_use]
    pub const fn hours(count: i64) -> Self {
        Self(count * 3_600_000)
    }
    /// So many days of 24 hours.
    #[must_use]
    pub const fn days(count: i64) -> Self {
        Self(count * 86_400_000)
    }
    /// The count of milliseconds.
    #[must_use]
    pub const fn as_milliseconds(self) -> i64 {
        self.0
    }
    /// In hours, for showing.
    #[must_use]
    pub fn as_hours_f64(self) -> f64 {
        self.0 as f64 / 3.6e6
    }
    /// Whole multiples of `step` in this duration, rounded down to a multiple.
    #[must_use]
    pub const fn floor_to(self, step: Self) -> Self {
        if step.0 <= 0 { self } else { Self(self.0 / step.0 * step.0) }
    }
}

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(i64);

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

impl Instant {
    /// Later than anything that happens.
    pub const FAR: Self = Self(i64::MAX);

    /// So many milliseconds after the epoch.
    #[must_use]
    pub const fn unix_milliseconds(count: i64) -> Self {
        Self(count)
    }
    /// Milliseconds after the epoch.
    #[must_use]
    pub const fn as_unix_milliseconds(self) -> i64 {
        self.0
    }
    /// Time since `earlier`; zero where that is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        if self.0 <= earlier.0 { Duration::ZERO } else { Duration::milliseconds(self.0 - earlier.0) }
    }

    /// Reads `2026-12-01`, `2026-12-01T06:00` or `2026-12-01T06:00:00Z`; without a zone it is UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(stamp) = text.parse::<Timestamp>() {
            return Some(Self(stamp.as_millisecond()));
        }
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        Some(Self(civil.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond()))
    }

    /// The beginning of an hour, counted from 1970.
    #[must_use]
    pub const fn of_hour(count: i64) -> Self {
        Self(count.saturating_mul(HOUR))
    }
    /// In which hour it lies, counted from 1970.
    #[must_use]
    pub const fn hour(self) -> i64 {
        self.0.div_euclid(HOUR)
    }
    /// The next whole hour of UTC.
    #[must_use]
    pub const fn next_hour(self) -> Self {
        Self::of_hour(self.hour() + 1)
    }
    /// The first instant of the next calendar year, UTC; `FAR` beyond the year 9998.
    #[must_use]
    pub fn next_year(self) -> Self {
        let year = Timestamp::from_millisecond(self.0).map(|stamp| stamp.to_zoned(TimeZone::UTC).year());
        year.map_or(Self::FAR, |year| Self::month_of(year + 1, 1))
    }

    /// The first instant of the next calendar month, UTC; `FAR` beyond the year 9998.
    #[must_use]
    pub fn next_month(self) -> Self {
        let date = Timestamp::from_millisecond(self.0).map(|stamp| stamp.to_zoned(TimeZone::UTC).date());
        let Ok(date) = date else { return Self::FAR };
        let (year, month) =
            if date.month() == 12 { (date.year() + 1, 1) } else { (date.year(), date.month() + 1) };
        Self::month_of(year, month)
    }

    /// The first instant of a month, UTC; `FAR` where the calendar ends before.
    fn month_of(year: i16, month: i8) -> Self {
        let first = Date::new(year, month, 1).and_then(|date| date.to_zoned(TimeZone::UTC));
        first.map_or(Self::FAR, |zoned| Self(zoned.timestamp().as_millisecond()))
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match Timestamp::from_millisecond(self.0) {
            Ok(stamp) => write!(f, "{stamp}"),
            Err(_) => f.write_str("never"),
        }
    }
}

/// What a clock of the system says; a clock that is set before 1970 says 1970.
impl From<SystemTime> for Instant {
    fn from(clock: SystemTime) -> Self {
        let since = clock.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_milliseconds()))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_milliseconds()))
    }
}

/// Time on accelerators: a count of accelerators times a duration, held in accelerator-milliseconds. May be negative
/// in one hour of a table, where work done earlier turned out lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AcceleratorTime(i128);

impl AcceleratorTime {
    /// None.
    pub const ZERO: Self = Self(0);

    /// So many accelerators for so long.
    #[must_use]
    pub fn of(accelerators: u64, duration: Duration) -> Self {
        Self(i128::from(accelerators) * i128::from(duration.as_milliseconds()))
    }
    /// So many accelerator-milliseconds.
    #[must_use]
    pub const fn milliseconds(count: i128) -> Self {
        Self(count)
    }
    /// The count of accelerator-milliseconds.
    #[must_use]
    pub const fn as_milliseconds(self) -> i128 {
        self.0
    }
    /// In accelerator-hours, for showing.
    #[must_use]
    pub fn as_hours_f64(self) -> f64 {
        self.0 as f64 / 3.6e6
    }
}

impl Add for AcceleratorTime {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
impl Sub for AcceleratorTime {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}
impl AddAssign for AcceleratorTime {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
impl std::ops::SubAssign for AcceleratorTime {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_and_shown_in_utc() {
        let noon = Instant::parse("2026-12-01T12:00").expect("a civil time");
        assert_eq!(noon.to_string(), "2026-12-01T12:00:00Z");
        assert_eq!(Instant::parse("2026-12-01T13:00:00+01:00"), Some(noon));
        assert_eq!(Instant::parse("2026-13-01"), None);
        assert_eq!(noon.next_year(), Instant::parse("2027-01-01").expect("a date"));
        assert_eq!(noon.next_month(), noon.next_year());
        assert_eq!((noon - Duration::days(1)).next_month(), Instant::parse("2026-12-01").expect("a date"));
    }

    #[test]
    fn time_before_is_no_time() {
        let (early, late) = (Instant::unix_milliseconds(5), Instant::unix_milliseconds(9));
        assert_eq!(late.since(early), Duration::milliseconds(4));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
