//! A site and a year that are made up: prices with nights, noons and weekends, wind and sun that push them down, some below zero,
//! calls and a cut of the connection. The same on every machine.

use giga_facility::quantity::{EurosPerJoule, Joules, KilogramsPerJoule, Watts};
use giga_facility::supply::{
    Available, Backup, Battery, Connection, Contract, Hour, Intensity, Kind, Parts, Source, Supply, Tariff,
    Terms,
};

pub(crate) const HOURS: u32 = 8_760;
const MW: Watts = Watts(1e6);

fn price(euros: f64) -> EurosPerJoule {
    EurosPerJoule::per_megawatt_hour(euros)
}

/// 230 MW of load behind 200 MW of connection, of which 50 can be called off.
pub(crate) fn supply() -> Supply {
    let own = |kind, rated: f64, running: f64| Source {
        kind,
        rated: MW * rated,
        terms: Terms::Own(price(running)),
        carbon: KilogramsPerJoule::ZERO,
    };
    let parts = Parts {
        connection: Connection { firm: MW * 150.0, interruptible: MW * 50.0, export: MW * 40.0 },
        contracts: vec![Contract { power: MW * 80.0, price: price(68.0), origin: None }],
        sources: vec![own(Kind::Wind, 280.0, 1.5), own(Kind::Sun, 140.0, 0.01)],
        batteries: vec![Battery::lithium(Joules::megawatt_hours(400.0), MW * 100.0)],
        backup: Some(Backup::diesel(MW * 80.0)),
        lost_load: price(8_000.0),
    };
    Supply::new(parts).expect("the parts are within their ranges")
}

/// Its hours.
pub(crate) fn hours() -> Vec<Hour> {
    let mut chance = Chance(7);
    let (mut wind, mut market) = (0.0, 0.0);
    (0..HOURS)
        .map(|hour| {
            wind = 0.97 * wind + 0.25 * chance.next();
            market = 0.9 * market + 9.0 * chance.next();
            let wind = 1.0 / (1.0 + libm::exp(1.0 - 1.2 * wind - 0.4 * season(hour)));
            self::hour(hour, wind, sun(hour) * (0.7 + 0.3 * chance.next()), market, chance.next())
        })
        .collect()
}

fn hour(hour: u32, wind: f64, sun: f64, market: f64, load: f64) -> Hour {
    let of_day = f64::from(hour % 24);
    let peak = |at: f64| libm::exp(-(of_day - at) * (of_day - at) / 6.0);
    let weekend = if hour / 24 % 7 >= 5 { -20.0 } else { 0.0 };
    // A day in spring without much demand, here and elsewhere.
    let holiday = if hour / 24 == 120 { 1.0 } else { 0.0 };
    let spot = 85.0 + 12.0 * season(hour) + 25.0 * peak(8.0) + 45.0 * peak(19.0) + weekend - 250.0 * holiday
        + market
        - 70.0 * wind
        - 120.0 * sun;
    let tariff = Tariff { surcharge: price(12.0), deduction: price(2.0) };
    Hour {
        load: MW * (230.0 * (0.93 + 0.04 * load) - 4.0 * season(hour) - 90.0 * holiday),
        prices: tariff.at(price(spot)),
        carbon: Intensity {
            grid: KilogramsPerJoule::per_megawatt_hour(320.0 - 150.0 * wind),
            residual: KilogramsPerJoule::per_megawatt_hour(480.0),
        },
        available: match hour {
            4_000..4_006 => Available { firm: 0.5, interruptible: 0.0 },
            _ if hour / 24 % 11 == 3 && (17..21).contains(&(hour % 24)) => Available::CALLED_OFF,
            _ => Available::ALL,
        },
        factors: vec![wind, sun],
    }
}

/// One in the middle of winter, −1 in the middle of summer.
fn season(hour: u32) -> f64 {
    libm::cos(f64::from(hour) / f64::from(HOURS) * std::f64::consts::TAU)
}

fn sun(hour: u32) -> f64 {
    let height = libm::sin((f64::from(hour % 24) - 6.0) / 12.0 * std::f64::consts::PI);
    (height * (0.55 - 0.35 * season(hour)) - 0.05 - 0.1 * season(hour)).clamp(0.0, 1.0)
}

/// Numbers between −1 and 1 by a linear congruence (Knuth's MMIX).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((self.0 >> 32) as u32) / f64::from(u32::MAX) * 2.0 - 1.0
    }
}
