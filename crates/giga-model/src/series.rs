//! A value over time: prices, carbon intensities.

use std::sync::Arc;

use giga_units::{Duration, Instant};

/// Values at equal distances, each of which holds until the next. What lies beyond the span is read as if the span began
/// again, so that a year of values serves for every year, and a day for every day; or another series goes on behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    first: Instant,
    step: Duration,
    values: Vec<i64>,
    /// The sum of all values before each, and of all of them.
    sums: Vec<i128>,
    /// What goes on behind the last value, if it is not the first again.
    behind: Option<Arc<Series>>,
}

impl Series {
    /// Values from `first` on, one for each `step`; `None` where there is none, or the step is not above zero.
    #[must_use]
    pub fn new(first: Instant, step: Duration, values: Vec<i64>) -> Option<Self> {
        if values.is_empty() || step <= Duration::ZERO {
            return None;
        }
        let mut sum = 0;
        let mut sums = vec![0];
        sums.extend(values.iter().map(|value| {
            sum += i128::from(*value);
            sum
        }));
        Some(Self { first, step, values, sums, behind: None })
    }

    /// The same with another series behind its last value.
    #[must_use]
    pub fn followed_by(self, behind: Self) -> Self {
        Self { behind: Some(Arc::new(behind)), ..self }
    }

    /// Each value made another.
    #[must_use]
    pub fn map(&self, to: impl Fn(i64) -> i64) -> Self {
        self.mapped(&to)
    }

    fn mapped(&self, to: &dyn Fn(i64) -> i64) -> Self {
        let values = self.values.iter().copied().map(to).collect();
        let mapped = Self::new(self.first, self.step, values).expect("it is as long as before");
        match &self.behind {
            Some(behind) => mapped.followed_by(behind.mapped(to)),
            None => mapped,
        }
    }

    /// The value that holds at an instant.
    #[must_use]
    pub fn at(&self, at: Instant) -> i64 {
        match &self.behind {
            Some(behind) if self.passed(at) >= self.length() => behind.at(at),
            _ => {
                let place = self.passed(at).div_euclid(self.step.as_milliseconds());
                self.values[place.rem_euclid(self.values.len() as i64) as usize]
            }
        }
    }

    /// The mean between two instants, rounded down; the value at `from` where `to` is not later.
    #[must_use]
    pub fn mean(&self, from: Instant, to: Instant) -> i64 {
        let span = i128::from(self.passed(to)) - i128::from(self.passed(from));
        if span <= 0 {
            return self.at(from);
        }
        let area = self.area(to) - self.area(from);
        i64::try_from(area.div_euclid(span)).expect("a mean lies between the values")
    }

    /// Milliseconds since the first value, below zero before it.
    fn passed(&self, at: Instant) -> i64 {
        at.as_unix_milliseconds().saturating_sub(self.first.as_unix_milliseconds())
    }

    /// How long the values last, in milliseconds.
    fn length(&self) -> i64 {
        self.step.as_milliseconds().saturating_mul(self.values.len() as i64)
    }

    /// Value times milliseconds, from the first value on.
    fn area(&self, to: Instant) -> i128 {
        match &self.behind {
            Some(behind) if self.passed(to) > self.length() => {
                let end = self.first + Duration::milliseconds(self.length());
                self.own_area(end) + behind.area(to) - behind.area(end)
            }
            _ => self.own_area(to),
        }
    }

    fn own_area(&self, to: Instant) -> i128 {
        let step = i128::from(self.step.as_milliseconds());
        let passed = i128::from(self.passed(to));
        let (whole, rest) = (passed.div_euclid(step), passed.rem_euclid(step));
        let count = self.values.len() as i128;
        let (rounds, place) = (whole.div_euclid(count), whole.rem_euclid(count) as usize);
        let all = rounds * self.sums[self.values.len()] + self.sums[place];
        all * step + i128::from(self.values[place]) * rest
    }

    /// The values, in order; not those of a series behind them.
    #[must_use]
    pub fn values(&self) -> &[i64] {
        &self.values
    }

    /// What goes on behind them.
    #[must_use]
    pub fn behind(&self) -> Option<&Self> {
        self.behind.as_deref()
    }
    /// How long each value holds.
    #[must_use]
    pub fn step(&self) -> Duration {
        self.step
    }
    /// When the first value begins to hold.
    #[must_use]
    pub fn first(&self) -> Instant {
        self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_serves_for_every_day() {
        let first = Instant::unix_milliseconds(0);
        let hours = |count: i64| first + Duration::hours(count);
        let series = Series::new(first, Duration::hours(1), (0..24).collect()).expect("it has values");
        assert_eq!([0, 23, 24, 47, -1].map(|hour| series.at(hours(hour))), [0, 23, 0, 23, 23]);
        assert_eq!(series.at(hours(1) + Duration::milliseconds(3_599_999)), 1);
        assert_eq!(series.mean(hours(0), hours(48)), 11);
        assert_eq!(series.mean(hours(3), hours(4)), 3);
        assert_eq!(series.mean(hours(22), hours(26)), (22 + 23) / 4);
        assert_eq!(series.mean(hours(-2), hours(0)), 22);
        assert_eq!(series.mean(hours(5), hours(5)), 5);
        assert_eq!(Series::new(first, Duration::hours(1), Vec::new()), None);
    }

    #[test]
    fn another_series_goes_on_behind() {
        let first = Instant::unix_milliseconds(0);
        let hours = |count: i64| first + Duration::hours(count);
        let series = |at, values| Series::new(hours(at), Duration::hours(1), values).expect("it has values");
        let plain = series(0, (0..24).collect());
        let joined = series(2, vec![100, 200, 300]).followed_by(plain.clone());
        assert_eq!([2, 4, 5, 23, 24, 50].map(|hour| joined.at(hours(hour))), [100, 300, 5, 23, 0, 2]);
        for (from, to) in [(2, 4), (2, 5), (3, 7), (4, 30), (5, 29), (24, 72)] {
            let sum: i64 = (from..to).map(|hour| joined.at(hours(hour))).sum();
            assert_eq!(joined.mean(hours(from), hours(to)), sum / (to - from), "{from} to {to}");
        }
        let half = Duration::milliseconds(1_800_000);
        assert_eq!(joined.mean(hours(4) + half, hours(5) + half), (300 + 5) / 2);
        let doubled = joined.map(|value| value * 2);
        assert_eq!([3, 5].map(|hour| doubled.at(hours(hour))), [400, 10]);
        assert_eq!((joined.values(), joined.behind()), ([100, 200, 300].as_slice(), Some(&plain)));
    }
}
