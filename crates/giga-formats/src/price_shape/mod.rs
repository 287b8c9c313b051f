//! Built-in shapes of prices: how day-ahead prices of a bidding zone lie around their mean over a year, for sites of which no file of
//! prices is at hand.
//!
//! A shape is made of means of one year: of its months, of the hours of a day in summer time and out of it, of working days and
//! weekends. So the seasons, the evenings and the noons of that year are there. What such a year can not have is what came once: a
//! spike, a calm and cold week, a price below zero. Of the variance of the prices that it is made of it holds from 36 to 57 %.

mod table;

use giga_units::{Duration, Instant};
use jiff::Timestamp;
use jiff::civil::Weekday;

use crate::series::central_europe;

/// Factors that are multiplied with each other and with a mean, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Of each month, on the mean of the year.
    pub months: [u16; 12],
    /// Of the hours from midnight by the clock of Central Europe, outside summer time and in it, on the mean of their months.
    pub hours: [[u16; 24]; 2],
    /// Of Monday to Friday and of the weekend, outside summer time and in it, on what that gives.
    pub days: [[u16; 2]; 2],
}

/// The shape of prices of a bidding zone.
#[derive(Debug)]
pub struct PriceShape {
    /// The zone.
    pub zone: &'static str,
    /// What it is made of.
    pub figures: Figures,
}

impl PriceShape {
    /// All shapes, by zone.
    #[must_use]
    pub fn all() -> &'static [Self] {
        table::SHAPES
    }

    /// The shape of a zone.
    #[must_use]
    pub fn find(zone: &str) -> Option<&'static Self> {
        Self::all().iter().find(|shape| shape.zone == zone)
    }
}

impl Figures {
    /// The figures of hourly prices of a whole year from `first` on; `None` where some month, hour or kind of day is missing, or has no
    /// mean above zero.
    #[must_use]
    pub fn of(first: Instant, prices: &[f64]) -> Option<Self> {
        let faces: Vec<Face> = faces(first, prices.len()).collect();
        let mean = prices.iter().sum::<f64>() / prices.len() as f64;
        if mean.is_nan() || mean <= 0.0 {
            return None;
        }
        let mut shape = vec![mean; prices.len()];
        let months = factors(&faces, prices, &mut shape, |face| face.month)?;
        let hours: [u16; 48] = factors(&faces, prices, &mut shape, |face| face.season * 24 + face.hour)?;
        let days: [u16; 4] = factors(&faces, prices, &mut shape, |face| face.season * 2 + face.day)?;
        let hours = [0, 24].map(|from| std::array::from_fn(|hour| hours[from + hour]));
        Some(Self { months, hours, days: [[days[0], days[1]], [days[2], days[3]]] })
    }

    /// So many hours from an instant on, as parts of their mean.
    #[must_use]
    pub fn parts(&self, first: Instant, count: usize) -> Vec<f64> {
        let part = |Face { month, season, day, hour }| {
            let factors = [self.months[month], self.hours[season][hour], self.days[season][day]];
            factors.into_iter().map(f64::from).product::<f64>()
        };
        let mut parts: Vec<f64> = faces(first, count).map(part).collect();
        let mean = parts.iter().sum::<f64>() / count as f64;
        parts.iter_mut().for_each(|part| *part /= mean);
        parts
    }
}

/// What is on the clock and in the calendar of Central Europe.
#[derive(Clone, Copy)]
struct Face {
    month: usize,
    /// Whether it is summer time.
    season: usize,
    /// Whether it is a Saturday or a Sunday.
    day: usize,
    hour: usize,
}

fn faces(first: Instant, count: usize) -> impl Iterator<Item = Face> {
    let zone = central_europe();
    (0..count as i64).map(move |hour| {
        let at = (first + Duration::hours(hour)).as_unix_milliseconds();
        let stamp = Timestamp::from_millisecond(at).expect("dates of descriptions and files are before 2200");
        let info = zone.to_offset_info(stamp);
        let civil = info.offset().to_datetime(stamp);
        Face {
            month: civil.month() as usize - 1,
            season: usize::from(info.dst().is_dst()),
            day: usize::from(matches!(civil.weekday(), Weekday::Saturday | Weekday::Sunday)),
            hour: civil.hour() as usize,
        }
    })
}

/// By what factor, in thousandths, the prices of each group lie above the shape that is known of them, which takes them on; `None` where
/// a group has none.
fn factors<const N: usize>(
    faces: &[Face],
    prices: &[f64],
    shape: &mut [f64],
    group: impl Fn(&Face) -> usize,
) -> Option<[u16; N]> {
    let mut sums = [(0.0, 0.0); N];
    for (face, (price, known)) in faces.iter().zip(prices.iter().zip(shape.iter())) {
        let (all, shaped) = &mut sums[group(face)];
        *all += price;
        *shaped += known;
    }
    let factors = sums.map(|(all, shaped)| all / shaped);
    for (face, known) in faces.iter().zip(shape) {
        *known *= factors[group(face)];
    }
    let sound = factors.iter().all(|factor| (5e-4..60.0).contains(factor));
    sound.then(|| factors.map(|factor| libm::round(factor * 1e3) as u16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::ZONES;

    fn year(text: &str) -> Instant {
        Instant::parse(text).expect("a date")
    }

    fn all(figures: &Figures) -> Vec<u16> {
        [&figures.months[..], figures.hours.as_flattened(), figures.days.as_flattened()].concat()
    }

    #[test]
    fn every_shape_is_of_a_known_zone_and_lies_around_its_mean() {
        for shape in PriceShape::all() {
            assert!(
                ZONES.iter().any(|zone| zone.name == shape.zone && zone.price.is_some()),
                "{}",
                shape.zone
            );
            let parts = shape.figures.parts(year("2027-01-01"), 8_760);
            let mean = parts.iter().sum::<f64>() / 8_760.0;
            let bounds = parts
                .iter()
                .fold((1.0, 1.0), |(low, high): (f64, f64), part| (low.min(*part), high.max(*part)));
            let sound = (mean - 1.0).abs() < 1e-12 && bounds.0 > 0.1 && bounds.1 < 2.6;
            assert!(sound, "{}: mean {mean}, {bounds:?}", shape.zone);
            assert_eq!(
                PriceShape::find(shape.zone).map(|found| found.figures),
                Some(shape.figures),
                "it is there once"
            );
        }
        assert!(PriceShape::find("NO4").is_none());
    }

    #[test]
    fn figures_stay_as_they_are() {
        let mixed = PriceShape::all().iter().flat_map(|shape| all(&shape.figures));
        let sum = mixed.fold(0_u64, |sum, figure| sum.wrapping_mul(31).wrapping_add(figure.into()));
        assert_eq!(
            sum, 8_486_175_638_708_089_237,
            "live federations charge by them: give other figures another name"
        );
    }

    #[test]
    fn hours_are_by_the_clock_of_central_europe() {
        let mut figures = Figures { months: [1_000; 12], hours: [[1_000; 24]; 2], days: [[1_000; 2]; 2] };
        (figures.hours[0][19], figures.hours[1][19], figures.days[0][1]) = (1_500, 2_000, 500);
        // 2027-01-01 is a Friday; summer time begins on the 28th of March at 01:00 UTC.
        let parts = figures.parts(year("2027-01-01"), 8_760);
        let at = |text| {
            parts[(year(text).since(year("2027-01-01")).as_milliseconds() / 3_600_000) as usize] / parts[0]
        };
        let is = |text, part: f64| assert!((at(text) - part).abs() < 1e-9, "{text}: {}", at(text));
        is("2027-01-01T18:00", 1.5);
        is("2027-01-01T17:00", 1.0);
        is("2027-01-01T22:00", 1.0);
        is("2027-01-01T23:00", 0.5);
        is("2027-01-02T18:00", 0.75);
        is("2027-03-28T00:00", 0.5);
        is("2027-03-28T01:00", 1.0);
        is("2027-07-14T17:00", 2.0);
        is("2027-07-14T18:00", 1.0);
    }

    #[test]
    fn figures_of_a_shape_are_its_own() {
        // Only hours differ, by as much on every day: months, hours and days do not get in each other's way.
        let hours = [200_u16, 500]
            .map(|swing| std::array::from_fn(|hour| 1_000 - swing + 2 * swing * (hour as u16 % 2)));
        let known = Figures { months: [1_000; 12], hours, days: [[1_000; 2]; 2] };
        let first = year("2022-12-31T23:00");
        let prices: Vec<f64> = known.parts(first, 8_760).iter().map(|part| part * 51.7).collect();
        let found = Figures::of(first, &prices).expect("a whole year");
        for (found, known) in all(&found).into_iter().zip(all(&known)) {
            assert!(found.abs_diff(known) <= 2, "{found} of {known}");
        }
        assert_eq!(Figures::of(first, &prices[..2_000]), None, "a part of a year has not all months");
        assert_eq!(Figures::of(first, &[]), None);
        assert_eq!(Figures::of(first, &vec![-1.0; 8_760]), None);
    }
}
