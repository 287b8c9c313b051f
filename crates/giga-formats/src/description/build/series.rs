//! Prices and carbon over time: hours as they stand, or a built-in shape or a cosine around the mean of the site.

use giga_model::{Series, Weather};
use giga_units::{Duration, Fraction, Instant};

use crate::description::record::Record;
use crate::price_shape::PriceShape;

const HOUR: Duration = Duration::hours(1);
/// Hours of a year; what lies beyond begins again.
const YEAR: usize = 8_760;

/// The series of a record, around a mean in the same unit: µEUR or mg per kWh, which are thousandths of what is written.
pub(super) fn series(record: Option<&Record>, mean: i64) -> Option<Series> {
    let record = record?;
    if let (Some(peak), Some(swing)) = (record.count("peak_hour"), record.amount::<Fraction>("swing")) {
        let hours = (0..24).map(|hour| cosine(mean, f64::from(hour) - peak as f64, swing.as_f64()));
        return Series::new(Instant::unix_milliseconds(0), HOUR, hours.collect());
    }
    Series::new(record.date("first")?, HOUR, record.numbers("values").to_vec())
}

/// The prices of a record. Those of a built-in shape are a year from the hour in which the federation starts, so that its weekdays are
/// those of the calendar; each hour is rounded once.
pub(super) fn prices(record: Option<&Record>, mean: i64, start: Instant) -> Option<Series> {
    let Some(shape) = record.and_then(|record| record.text("shape")).and_then(PriceShape::find) else {
        return series(record, mean);
    };
    let first = Instant::of_hour(start.hour());
    let parts = shape.figures.parts(first, YEAR).into_iter();
    Series::new(first, HOUR, parts.map(|part| libm::round(mean as f64 * part) as i64).collect())
}

/// The air by the hour; `None` where it is not sound.
pub(super) fn weather(record: &Record) -> Option<Weather> {
    let first = record.date("first")?;
    let [dry_bulb, humidity, pressure] = ["dry_bulb", "humidity", "pressure"]
        .map(|key| Series::new(first, HOUR, record.numbers(key).to_vec()));
    Some(Weather { dry_bulb: dry_bulb?, humidity: humidity?, pressure: pressure? })
}

/// What holds so many hours after the peak, rounded once.
fn cosine(mean: i64, hours: f64, swing: f64) -> i64 {
    let angle = hours / 24.0 * std::f64::consts::TAU;
    libm::round(mean as f64 * (1.0 + swing * libm::cos(angle))) as i64
}

#[cfg(test)]
mod tests {
    use super::cosine;

    #[test]
    fn a_day_swings_around_its_mean() {
        assert_eq!([0.0, 6.0, 12.0, -12.0].map(|hours| cosine(100, hours, 0.3)), [130, 100, 70, 70]);
        let day: i64 = (0..24).map(|hour| cosine(1_000_000, f64::from(hour), 0.4)).sum();
        assert!((day - 24_000_000).abs() < 24);
    }
}
