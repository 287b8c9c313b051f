//! Series that a shock changes for a while.
//!
//! A series begins again behind its end, and so would a shock in it. Behind the shock a changed series therefore goes on as the one
//! that was there before.

use giga_model::Series;
use giga_units::{Duration, Instant};

const HOUR: Duration = Duration::hours(1);

/// A time in which a shock happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Instant,
    pub(super) until: Instant,
}

impl Span {
    pub(super) fn holds(&self, at: Instant) -> bool {
        self.from <= at && at < self.until
    }
}

/// The hours that a changed series has of its own, from one that is not after the start until a change is over: the first, and how
/// many.
pub(super) fn hours(first: Instant, start: Instant, until: Instant) -> (Instant, i64) {
    let whole = start.since(first).as_milliseconds().div_euclid(HOUR.as_milliseconds());
    let begin = first + Duration::hours(whole);
    (begin, until.since(begin).as_milliseconds() / HOUR.as_milliseconds() + 1)
}

/// A series by the hour that is changed for a time, or a mean that is.
pub(super) fn changed(
    series: Option<&Series>,
    mean: i64,
    (start, span): (Instant, Span),
    to: impl Fn(i64) -> i64,
) -> Series {
    let flat = || Series::new(start, HOUR, vec![mean]).expect("it is one value");
    let before = series.cloned().unwrap_or_else(flat);
    let (begin, count) = hours(before.first(), start, span.until);
    let value = |at: Instant| if span.holds(at) { to(before.at(at)) } else { before.at(at) };
    let values = (0..count).map(|hour| value(begin + Duration::hours(hour))).collect();
    Series::new(begin, HOUR, values).expect("there is an hour at least").followed_by(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Instant {
        Instant::unix_milliseconds(0) + Duration::hours(hours)
    }

    #[test]
    fn a_change_holds_for_its_time_and_does_not_come_back() {
        let day = Series::new(at(40), HOUR, (0..24).collect()).expect("a day");
        let span = Span { from: at(105), until: at(108) };
        let series = changed(Some(&day), 0, (at(100), span), |value| value * 10);
        let years = 9 * 365 * 24;
        for hour in (100..400).chain(years..years + 400) {
            let plain = day.at(at(hour));
            let expected = if (105..108).contains(&hour) { plain * 10 } else { plain };
            assert_eq!(series.at(at(hour)), expected, "hour {hour}");
        }
        let flat = changed(None, 7, (at(100), span), |value| value - 9);
        assert_eq!([104, 105, 107, 108].map(|hour| flat.at(at(hour))), [7, -2, -2, 7]);
    }
}
