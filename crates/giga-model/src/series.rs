//! A value over time: prices, carbon intensities.

use giga_units::{Duration, Instant};

/// Values at equal distances, each of which holds until the next. What lies beyond the span is read as if the span began
/// again, so that a year of values serves for every year, and a day for every day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    first: Instant,
    step: Duration,
    values: Vec<i64>,
    /// The sum of all values before each, and of all of them.
    sums: Vec<i128>,
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
        Some(Self { first, step, values, sums })
    }

    /// The value that holds at an instant.
    #[must_use]
    pub fn at(&self, at: Instant) -> i64 {
        let passed = self.passed(at).div_euclid(self.step.as_milliseconds());
        self.values[passed.rem_euclid(self.values.len() as i64) as usize]
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

    /// Value times milliseconds, from the first value on.
    fn area(&self, to: Instant) -> i128 {
        let step = i128::from(self.step.as_milliseconds());
        let passed = i128::from(self.passed(to));
        let (whole, rest) = (passed.div_euclid(step), passed.rem_euclid(step));
        let count = self.values.len() as i128;
        let (rounds, place) = (whole.div_euclid(count), whole.rem_euclid(count) as usize);
        let all = rounds * self.sums[self.values.len()] + self.sums[place];
        all * step + i128::from(self.values[place]) * rest
    }

    /// The values, in order.
    #[must_use]
    pub fn values(&self) -> &[i64] {
        &self.values
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
}
