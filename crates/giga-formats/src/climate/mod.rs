//! Built-in climates: a year by the hour from monthly figures of a place, for sites of which no weather file is at hand.
//!
//! The year is made without chance, the same each time. Means of days follow the seasons so that the mean of each month stays;
//! spells of warm and cold days are spread around them; each day is a cosine with the range of its month. So means, ranges and the
//! usual spread are those of the place. What such a year can not have is an extreme: no heat wave of a single year, no dry
//! foehn, no night that is warm while its day is cool, and a humidity that knows only the season and the hour.

mod table;

use giga_facility::air::{saturation_pressure, standard_pressure};
use giga_facility::quantity::{Celsius, Kelvin, Metres, Pascals};

pub use table::Climate;

const MONTHS: [usize; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAYS: usize = 365;
/// Hours after midnight by the sun when a day is warmest: an assumption.
const WARMEST: f64 = 15.0;

/// The air of a synthetic year by the hour, from the first hour of January, UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct Year {
    /// Dry bulb.
    pub dry_bulb: Vec<Celsius>,
    /// Relative humidity, from 0 to 1.
    pub humidity: Vec<f64>,
    /// Air pressure, the same in every hour: that of the standard atmosphere at the height of the place.
    pub pressure: Pascals,
}

impl Climate {
    /// All built-in climates, by country from north to south.
    #[must_use]
    pub fn all() -> &'static [Self] {
        table::CLIMATES
    }

    /// The climate of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|climate| climate.name == name)
    }

    /// The climate that stands for a bidding zone or, where the zone has none of its own, for a country.
    #[must_use]
    pub fn of_place(country: Option<&str>, zone: Option<&str>) -> Option<&'static Self> {
        let of = |place: &str| table::PLACES.iter().find(|(known, _)| *known == place);
        let (_, name) = zone.and_then(of).or_else(|| country.and_then(of))?;
        Self::find(name)
    }

    /// A year by the hour: 8,760 of them.
    #[must_use]
    pub fn year(&self) -> Year {
        let means: [f64; 12] = std::array::from_fn(|month| self.mean(month).0);
        let ranges = daily(&std::array::from_fn(|month| self.range(month).0));
        let mut days = daily(&means);
        for (day, spell) in days.iter_mut().zip(spells(&means)) {
            *day += spell;
        }
        let (mut dry_bulb, mut humidity) = (Vec::with_capacity(DAYS * 24), Vec::with_capacity(DAYS * 24));
        for (at, (mean, range)) in days.iter().zip(ranges).enumerate() {
            let hours = self.day(*mean, range.max(0.0));
            let moist = f64::from(self.humidity[month_of(at)]) / 100.0;
            humidity.extend(humidities(*mean, &hours, moist));
            dry_bulb.extend(hours.map(Celsius));
        }
        Year { dry_bulb, humidity, pressure: standard_pressure(Metres(self.metres.into())) }
    }

    /// The mean of a month: the middle between its mean lowest and mean highest of a day.
    #[must_use]
    pub fn mean(&self, month: usize) -> Celsius {
        Celsius(f64::from(self.low[month] + self.high[month]) / 20.0)
    }

    /// By how much a day of a month is warmest above its coldest, in the mean.
    #[must_use]
    pub fn range(&self, month: usize) -> Kelvin {
        Kelvin(f64::from(self.high[month] - self.low[month]) / 10.0)
    }

    /// The hours of a day, UTC, each by its middle.
    fn day(&self, mean: f64, range: f64) -> [f64; 24] {
        std::array::from_fn(|hour| {
            let by_the_sun = hour as f64 + 0.5 + f64::from(self.east) / 15.0;
            mean + range / 2.0 * libm::cos((by_the_sun - WARMEST) / 24.0 * std::f64::consts::TAU)
        })
    }
}

/// The days of each month, as places in the year.
fn months() -> impl Iterator<Item = std::ops::Range<usize>> {
    MONTHS.iter().scan(0, |begin, length| {
        let days = *begin..*begin + length;
        *begin = days.end;
        Some(days)
    })
}

fn month_of(day: usize) -> usize {
    months().position(|days| days.contains(&day)).expect("the months make the year")
}

fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// A value for each day, on straight lines between the middles of months that are moved until each month has its mean.
fn daily(means: &[f64; 12]) -> Vec<f64> {
    let mut middles = *means;
    let mut days = lines(&middles);
    // Each round at least halves what is missing.
    for _ in 0..60 {
        for ((middle, mean), month) in middles.iter_mut().zip(means).zip(months()) {
            *middle += mean - average(&days[month]);
        }
        days = lines(&middles);
    }
    days
}

/// Straight lines from the middle of each month to that of the next, around the year.
fn lines(middles: &[f64; 12]) -> Vec<f64> {
    let at: Vec<f64> = months().map(|month| (month.start + month.end) as f64 / 2.0).collect();
    let value = |day: usize| {
        let day = day as f64 + 0.5;
        let after = at.iter().position(|middle| *middle > day).unwrap_or(0);
        let before = (after + 11) % 12;
        let length = (at[after] - at[before]).rem_euclid(DAYS as f64);
        let passed = (day - at[before]).rem_euclid(DAYS as f64);
        middles[before] + (middles[after] - middles[before]) * (passed / length)
    };
    (0..DAYS).map(value).collect()
}

/// How much warmer than its season each day is; nothing in the mean of a month.
///
/// The days of a month are spread as Erbs, Klein and Beckman found (ASHRAE Journal 25(6), 1983, 60–65; the constants from memory):
/// a logistic curve whose width follows from the mean of the month and from how far the seasons are apart. Which day gets
/// which place on it is an assumption: the order of three waves, so that spells last some days.
fn spells(means: &[f64; 12]) -> Vec<f64> {
    let year = average(means);
    let seasons = (means.iter().map(|mean| (mean - year) * (mean - year)).sum::<f64>() / 12.0).sqrt();
    let mut spells = vec![0.0; DAYS];
    for (month, mean) in months().zip(means) {
        let count = month.len() as f64;
        let width = (1.45 - 0.0290 * mean + 0.0664 * seasons).max(0.5) * count.sqrt() / (2.0 * 1.698);
        let mut order: Vec<usize> = month.collect();
        order.sort_by(|one, other| waves(*one).total_cmp(&waves(*other)));
        for (place, day) in order.into_iter().enumerate() {
            let part = (place as f64 + 0.5) / count;
            spells[day] = width * libm::log(part / (1.0 - part));
        }
    }
    spells
}

/// Warm and cold by turns, over 5, 9 and 21 days.
fn waves(day: usize) -> f64 {
    let wave = |days: f64, from: f64| libm::cos(day as f64 / days * std::f64::consts::TAU + from);
    wave(4.7, 0.0) + wave(9.3, 1.0) + 1.5 * wave(21.0, 2.0)
}

/// Relative humidity of the hours of a day with so much moisture in its air that the mean is as asked; lower where air saturates.
fn humidities(mean: f64, hours: &[f64; 24], asked: f64) -> [f64; 24] {
    let saturated = |celsius| saturation_pressure(Celsius(celsius));
    let drier = hours.map(|hour| saturated(mean) / saturated(hour));
    let scale = asked / average(&drier);
    drier.map(|part| (part * scale).clamp(0.01, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_keeps_means_ranges_and_humidity_of_its_months() {
        for climate in Climate::all() {
            let year = climate.year();
            assert_eq!((year.dry_bulb.len(), year.humidity.len()), (8_760, 8_760), "{}", climate.name);
            let dry_bulb: Vec<f64> = year.dry_bulb.iter().map(|hour| hour.0).collect();
            for (at, month) in months().enumerate() {
                let hours = month.start * 24..month.end * 24;
                let found = average(&dry_bulb[hours.clone()]);
                assert!((found - climate.mean(at).0).abs() < 1e-6, "{} {at}: {found}", climate.name);
                let ranges: Vec<f64> = dry_bulb[hours.clone()].chunks(24).map(range_of).collect();
                let range = climate.range(at).0;
                assert!((average(&ranges) / range - 1.0).abs() < 0.02, "{} {at}: {ranges:?}", climate.name);
                let (moist, asked) =
                    (average(&year.humidity[hours]), f64::from(climate.humidity[at]) / 100.0);
                assert!(moist <= asked + 1e-9 && moist > asked - 0.07, "{} {at}: {moist}", climate.name);
            }
        }
    }

    fn range_of(day: &[f64]) -> f64 {
        day.iter().copied().fold(f64::MIN, f64::max) - day.iter().copied().fold(f64::MAX, f64::min)
    }

    #[test]
    fn days_come_in_spells_and_are_warmest_in_the_afternoon() {
        let lyon = Climate::find("lyon").expect("it is built in").year();
        let days: Vec<f64> =
            lyon.dry_bulb.chunks(24).map(|day| day.iter().map(|hour| hour.0).sum::<f64>() / 24.0).collect();
        let steps: Vec<f64> = days.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        let july = &days[181..212];
        let spread =
            july.iter().copied().fold(f64::MIN, f64::max) - july.iter().copied().fold(f64::MAX, f64::min);
        assert!(spread > 10.0 && average(&steps) < spread / 3.0, "{spread} {}", average(&steps));
        let first = &lyon.dry_bulb[..24];
        let warmest = (0..24).max_by(|one, other| first[*one].0.total_cmp(&first[*other].0));
        // 5 degrees east, so that the sun is 20 minutes ahead of UTC.
        assert_eq!(warmest, Some(14));
        assert_eq!(lyon, Climate::find("lyon").expect("it is built in").year());
    }

    #[test]
    fn every_row_can_be_and_every_place_has_one() {
        for climate in Climate::all() {
            assert!((0..12).all(|month| climate.low[month] < climate.high[month]), "{}", climate.name);
            assert!((0..12).all(|month| (20..=100).contains(&climate.humidity[month])), "{}", climate.name);
            assert_eq!(Climate::all().iter().filter(|other| other.name == climate.name).count(), 1);
            assert!(climate.source.contains("humidity"), "{} says where its humidity is from", climate.name);
        }
        assert!(table::PLACES.iter().all(|(_, name)| Climate::find(name).is_some()));
        let name = |country, zone| Climate::of_place(country, zone).map(|climate| climate.name);
        assert_eq!(name(Some("FR"), None), Some("paris"));
        assert_eq!(name(Some("NO"), Some("NO4")), Some("narvik"));
        assert_eq!(name(Some("NO"), None), None, "a country of several climates has none of its own");
        assert_eq!(name(Some("XX"), None), None);
    }

    #[test]
    fn pressure_falls_with_height_as_the_standard_says() {
        // ISO 2533 has 898.75 hPa at 1,000 m and 794.95 hPa at 2,000 m.
        for (metres, pascals) in [(0.0, 101_325.0), (1_000.0, 89_875.0), (2_000.0, 79_495.0)] {
            assert!((standard_pressure(Metres(metres)).0 - pascals).abs() < 5.0, "{metres} m");
        }
    }
}
