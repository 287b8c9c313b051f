//! Cells of text as numbers, times and durations. The one place where a trace's decimals become integers.

use giga_units::{Duration, Instant};

use super::fault::{Cause, quoted};

/// The longest time that a trace may state: a hundred years.
const DURATION_MAX: Duration = Duration::days(36_500);
/// The latest time since the beginning of a trace, and the latest date, that a trace may state: the year 9999.
const TIME_MAX: i64 = 253_402_300_799_999;

/// A cell that must hold something.
pub(super) fn filled(text: &str) -> Result<&str, Cause> {
    if text.is_empty() { Err(Cause::Empty) } else { Ok(text) }
}

/// A decimal number times `factor`, rounded to the nearest integer in the range of times.
pub(super) fn scaled(text: &str, factor: i64) -> Result<i64, Cause> {
    let out_of_range = || Cause::OutOfRange(quoted(text));
    if let Ok(whole) = text.parse::<i64>() {
        let product = whole.checked_mul(factor).ok_or_else(out_of_range)?;
        return if product.abs() <= TIME_MAX { Ok(product) } else { Err(out_of_range()) };
    }
    let number: f64 = filled(text)?.parse().map_err(|_| Cause::NotANumber(quoted(text)))?;
    let product = (number * factor as f64).round();
    if product.is_finite() && product.abs() <= TIME_MAX as f64 {
        Ok(product as i64)
    } else {
        Err(out_of_range())
    }
}

/// A length of time counted in units of so many milliseconds.
pub(crate) fn length(text: &str, unit: Duration) -> Result<Duration, Cause> {
    bounded(scaled(text, unit.as_milliseconds())?, text)
}

fn bounded(milliseconds: i64, text: &str) -> Result<Duration, Cause> {
    let duration = Duration::milliseconds(milliseconds);
    let fits = (Duration::ZERO..=DURATION_MAX).contains(&duration);
    if fits { Ok(duration) } else { Err(Cause::OutOfRange(quoted(text))) }
}

/// A duration of our own table, already in milliseconds or parsed from an amount, if it is one that work can take.
pub(super) fn work_length(duration: Duration) -> Result<Duration, Cause> {
    let fits = duration > Duration::ZERO && duration <= DURATION_MAX;
    if fits { Ok(duration) } else { Err(Cause::OutOfRange(duration.to_string())) }
}

/// A count of accelerators: at least one. Traces write `2` and `2.0`.
pub(super) fn accelerators(text: &str) -> Result<u32, Cause> {
    let count = scaled(text, 1)?;
    whole(count).ok_or_else(|| Cause::OutOfRange(quoted(text)))
}

/// A count as a positive number of accelerators.
pub(super) fn whole(count: i64) -> Option<u32> {
    u32::try_from(count).ok().filter(|&count| count > 0)
}

/// A date with time, or milliseconds since 1970.
pub(super) fn instant(text: &str) -> Result<i64, Cause> {
    if text.parse::<i64>().is_ok() {
        return scaled(text, 1);
    }
    dated(text)
}

/// A date with time; without a zone it is UTC.
pub(super) fn dated(text: &str) -> Result<i64, Cause> {
    let instant = Instant::parse(filled(text)?).ok_or_else(|| Cause::NotATime(quoted(text)))?;
    stamp(instant.as_unix_milliseconds()).ok_or_else(|| Cause::OutOfRange(quoted(text)))
}

/// Milliseconds since 1970, if they are in the range of dates.
pub(super) fn stamp(milliseconds: i64) -> Option<i64> {
    (-TIME_MAX..=TIME_MAX).contains(&milliseconds).then_some(milliseconds)
}

/// A duration as Slurm writes it: `[D-]HH:MM:SS[.mmm]`, `MM:SS` or, behind a day, `D-HH` and `D-HH:MM`.
pub(crate) fn clock(text: &str) -> Result<Duration, Cause> {
    let wrong = || Cause::NotADuration(quoted(text));
    let (days, clock) = match filled(text)?.split_once('-') {
        Some((days, clock)) => (Some(days), clock),
        None => (None, text),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let units: &[i64] = match (days.is_some(), parts.len()) {
        (true, 1..=3) => &[3_600_000, 60_000, 1_000],
        (false, 3) => &[3_600_000, 60_000, 1_000],
        (false, 2) => &[60_000, 1_000],
        _ => return Err(wrong()),
    };
    let plain = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !parts.iter().chain(days.iter()).all(plain) {
        return Err(wrong());
    }
    let mut total = days.map_or(Ok(0), |days| scaled(days, 86_400_000))?;
    for (part, unit) in parts.iter().zip(units) {
        total = total.checked_add(scaled(part, *unit).map_err(|_| wrong())?).ok_or_else(wrong)?;
    }
    bounded(total, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slurm_durations() {
        let check =
            |text: &str, seconds: i64| assert_eq!(clock(text), Ok(Duration::seconds(seconds)), "{text}");
        check("00:00:05", 5);
        check("1-02:03:04", 86_400 + 2 * 3_600 + 3 * 60 + 4);
        check("02:30", 150);
        check("7-00", 7 * 86_400);
        for bad in ["", "5", "1:2:3:4", "x-00:00:01", "-1:00:00", "1-", "00:0a:00", "1--1"] {
            assert!(clock(bad).is_err(), "{bad}");
        }
        assert!(clock("99999999999999999999-00:00:00").is_err());
    }

    #[test]
    fn numbers_that_make_no_sense() {
        assert_eq!(scaled("66.0", 1_000), Ok(66_000));
        assert_eq!(scaled("19.083333333333332", 3_600_000), Ok(68_700_000));
        for bad in ["NaN", "inf", "-inf", "1e300", "9223372036854775807", "", "x", "1,5"] {
            assert!(scaled(bad, 1_000).is_err(), "{bad}");
        }
        assert!(length("-1", Duration::seconds(1)).is_err());
        assert!(accelerators("0").is_err());
        assert!(accelerators("5000000000").is_err());
    }
}
