//! Moist air: what its temperature, humidity and pressure say about how far it can cool.
//!
//! Everything that rejects heat asks this module: dry coolers for the dry bulb, towers and pads for the wet bulb, both for
//! density. Formulas are those of the ASHRAE Handbook, Fundamentals 2017, chapter 1, which this file names "ASHRAE" with the
//! number of the equation. It is meant for −40 to 50 °C, 1 to 100 % and 0 to 2,000 m, and takes somewhat more. It
//! never reads weather, and it holds no mean or default climate.

mod saturation;
mod wet_bulb;

pub use saturation::{humidity_ratio, saturation_pressure};
pub(crate) use saturation::{newton, root};

use crate::quantity::{Celsius, JoulesPerKilogram, KilogramsPerCubicMetre, Metres, Pascals};
use crate::range::{OutOfRange, within};

/// Air outside a site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Air {
    dry_bulb: Celsius,
    relative_humidity: f64,
    pressure: Pascals,
}

impl Air {
    /// Air of this temperature, relative humidity (0.01 to 1) and pressure.
    ///
    /// # Errors
    /// Names the first value that is outside −60 to 60 °C, 0.01 to 1, or 60 to 110 kPa.
    pub fn new(dry_bulb: Celsius, relative_humidity: f64, pressure: Pascals) -> Result<Self, OutOfRange> {
        within("dry_bulb", dry_bulb.0, -60.0..=60.0, "degC")?;
        within("relative_humidity", relative_humidity, 0.01..=1.0, "")?;
        within("pressure", pressure.0, 60_000.0..=110_000.0, "Pa")?;
        Ok(Self { dry_bulb, relative_humidity, pressure })
    }

    /// The same at the pressure of the standard atmosphere for a height above the sea.
    ///
    /// # Errors
    /// As [`Air::new`]; a height outside −500 to 4,000 m is named, too.
    pub fn at_altitude(
        dry_bulb: Celsius,
        relative_humidity: f64,
        altitude: Metres,
    ) -> Result<Self, OutOfRange> {
        within("altitude", altitude.0, -500.0..=4_000.0, "m")?;
        Self::new(dry_bulb, relative_humidity, standard_pressure(altitude))
    }

    /// Temperature by an ordinary thermometer.
    #[must_use]
    pub fn dry_bulb(&self) -> Celsius {
        self.dry_bulb
    }

    /// Pressure of the vapour in it over that of saturated air; 0.01 to 1.
    #[must_use]
    pub fn relative_humidity(&self) -> f64 {
        self.relative_humidity
    }

    /// Pressure of all of it.
    #[must_use]
    pub fn pressure(&self) -> Pascals {
        self.pressure
    }

    /// Pressure of the vapour in it (ASHRAE 12).
    #[must_use]
    pub fn vapour_pressure(&self) -> Pascals {
        saturation_pressure(self.dry_bulb) * self.relative_humidity
    }

    /// Kilograms of vapour for each kilogram of dry air (ASHRAE 20).
    #[must_use]
    pub fn humidity_ratio(&self) -> f64 {
        humidity_ratio(self.vapour_pressure(), self.pressure)
    }

    /// Energy above that of dry air and liquid water at 0 °C, by the mass of dry air (ASHRAE 30).
    #[must_use]
    pub fn enthalpy(&self) -> JoulesPerKilogram {
        enthalpy(self.dry_bulb, self.humidity_ratio())
    }

    /// Density of the mixture (ASHRAE 9 and 26).
    #[must_use]
    pub fn density(&self) -> KilogramsPerCubicMetre {
        let ratio = self.humidity_ratio();
        // 287.042 J/(kg K) is the gas constant of dry air (ASHRAE 1), 1.607858 the molar mass of dry air over that of water.
        let volume = 287.042 * self.dry_bulb.absolute().0 * (1.0 + 1.607_858 * ratio) / self.pressure.0;
        KilogramsPerCubicMetre((1.0 + ratio) / volume)
    }

    /// Where dew or frost begins as it is cooled.
    #[must_use]
    pub fn dew_point(&self) -> Celsius {
        if self.relative_humidity >= 1.0 {
            return self.dry_bulb;
        }
        saturation::temperature(self.vapour_pressure(), self.dry_bulb)
    }

    /// Thermodynamic wet bulb: where it comes to by evaporating water into it.
    ///
    /// Just below 0 °C the equations for ice and for water overlap: a band of humidity has a solution with each. The one
    /// with water is taken there, so that a wet bulb is below 0 °C only where it can not be above. That way it is one
    /// function, growing with humidity and temperature, with a step of some tenths of a kelvin at 0 °C.
    #[must_use]
    pub fn wet_bulb(&self) -> Celsius {
        if self.relative_humidity >= 1.0 {
            return self.dry_bulb;
        }
        wet_bulb::solve(self.dry_bulb, self.humidity_ratio(), self.dew_point(), self.pressure)
    }
}

/// Energy of air of a temperature and humidity ratio above dry air and liquid water at 0 °C (ASHRAE 30).
#[must_use]
pub fn enthalpy(dry_bulb: Celsius, humidity_ratio: f64) -> JoulesPerKilogram {
    let t = dry_bulb.0;
    JoulesPerKilogram(1e3 * (1.006 * t + humidity_ratio * (2501.0 + 1.86 * t)))
}

/// Energy of saturated air.
#[must_use]
pub fn saturated_enthalpy(temperature: Celsius, pressure: Pascals) -> JoulesPerKilogram {
    enthalpy(temperature, humidity_ratio(saturation_pressure(temperature), pressure))
}

/// The same with how much it grows for each kelvin, in J/(kg K).
pub(crate) fn saturated_enthalpy_and_growth(
    temperature: Celsius,
    pressure: Pascals,
) -> (JoulesPerKilogram, f64) {
    let t = temperature.0;
    let (vapour, growth) = saturation::pressure_and_growth(temperature);
    let ratio = humidity_ratio(vapour, pressure);
    let ratio_growth = saturation::ratio_growth(vapour, growth, pressure);
    let slope = 1e3 * (1.006 + ratio_growth * (2501.0 + 1.86 * t) + ratio * 1.86);
    (enthalpy(temperature, ratio), slope)
}

/// The temperature at which saturated air has this energy; −60 to 75 °C, the nearest end for what lies beyond.
#[must_use]
pub fn saturated_temperature(enthalpy: JoulesPerKilogram, pressure: Pascals) -> Celsius {
    saturated_between(enthalpy, pressure, (Celsius(-60.0), Celsius(75.0)))
}

/// The same between two temperatures.
pub(crate) fn saturated_between(
    enthalpy: JoulesPerKilogram,
    pressure: Pascals,
    (low, high): (Celsius, Celsius),
) -> Celsius {
    let step = |t: f64| {
        let (at, slope) = saturated_enthalpy_and_growth(Celsius(t), pressure);
        (at.0 - enthalpy.0, slope)
    };
    Celsius(newton(step, low.0, high.0.min(75.0).max(low.0)))
}

/// Pressure of the standard atmosphere at a height above the sea (ICAO Doc 7488; ASHRAE 3).
#[must_use]
pub fn standard_pressure(altitude: Metres) -> Pascals {
    Pascals(101_325.0 * libm::pow(1.0 - 2.25577e-5 * altitude.0, 5.2559))
}

#[cfg(test)]
mod tests;
