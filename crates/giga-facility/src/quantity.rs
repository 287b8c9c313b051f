//! Physical quantities as floats of one SI unit each, with the operators that physics allows and no others.
//!
//! The integers of `giga-units` are for what is counted and kept; these are for what is worked out. They never check
//! a range: types that are built of them do.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use giga_units::{CarbonIntensity, EnergyPrice, Power};

/// A newtype over `f64` that adds, subtracts, scales by plain numbers, and gives a plain number as a ratio.
macro_rules! quantity {
    ($($(#[$doc:meta])* $name:ident;)+) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
        pub struct $name(pub f64);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0.0);

            /// The larger of the two.
            #[must_use]
            pub fn max(self, other: Self) -> Self {
                Self(self.0.max(other.0))
            }

            /// The smaller of the two.
            #[must_use]
            pub fn min(self, other: Self) -> Self {
                Self(self.0.min(other.0))
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }
        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self(self.0 * factor)
            }
        }
        impl Div<f64> for $name {
            type Output = Self;
            fn div(self, divisor: f64) -> Self {
                Self(self.0 / divisor)
            }
        }
        impl Div for $name {
            type Output = f64;
            fn div(self, other: Self) -> f64 {
                self.0 / other.0
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
                all.fold(Self::ZERO, Add::add)
            }
        }
    )+ };
}

quantity! {
    /// A difference of temperatures.
    Kelvin;
    /// Pressure.
    Pascals;
    /// A height, or a distance.
    Metres;
    /// Time.
    Seconds;
    /// Power, electrical or of heat.
    Watts;
    /// Energy.
    Joules;
    /// Mass; of water, one is a litre but for what warmth does to it.
    Kilograms;
    /// A flow of mass.
    KilogramsPerSecond;
    /// Energy in a mass; of moist air, by the mass of its dry part.
    JoulesPerKilogram;
    /// What a body takes to become a kelvin warmer.
    JoulesPerKelvin;
    /// Heat that passes for each kelvin between two bodies.
    WattsPerKelvin;
    /// Density.
    KilogramsPerCubicMetre;
    /// Money; below zero where it is earned.
    Euros;
    /// A price of energy, in euro for each joule. Read and written by the megawatt-hour, as it is traded.
    EurosPerJoule;
    /// Carbon dioxide (equivalent) that comes with energy.
    KilogramsPerJoule;
}

/// A product of two quantities, and the two quotients that follow from it.
macro_rules! product {
    ($($a:ident * $b:ident = $c:ident;)+) => { $(
        impl Mul<$b> for $a {
            type Output = $c;
            fn mul(self, other: $b) -> $c {
                $c(self.0 * other.0)
            }
        }
        impl Div<$b> for $c {
            type Output = $a;
            fn div(self, other: $b) -> $a {
                $a(self.0 / other.0)
            }
        }
        impl Div<$a> for $c {
            type Output = $b;
            fn div(self, other: $a) -> $b {
                $b(self.0 / other.0)
            }
        }
    )+ };
}

product! {
    Watts * Seconds = Joules;
    KilogramsPerSecond * Seconds = Kilograms;
    KilogramsPerSecond * JoulesPerKilogram = Watts;
    JoulesPerKelvin * Kelvin = Joules;
    WattsPerKelvin * Kelvin = Watts;
    WattsPerKelvin * Seconds = JoulesPerKelvin;
    EurosPerJoule * Joules = Euros;
    KilogramsPerJoule * Joules = Kilograms;
}

/// A temperature on the Celsius scale.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Celsius(pub f64);

impl Celsius {
    /// Where the absolute scale has its zero.
    pub const ABSOLUTE_ZERO: Self = Self(-273.15);

    /// How far above absolute zero it is.
    #[must_use]
    pub fn absolute(self) -> Kelvin {
        self - Self::ABSOLUTE_ZERO
    }

    /// The higher of the two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }
}

impl Sub for Celsius {
    type Output = Kelvin;
    fn sub(self, other: Self) -> Kelvin {
        Kelvin(self.0 - other.0)
    }
}
impl Add<Kelvin> for Celsius {
    type Output = Self;
    fn add(self, warmer: Kelvin) -> Self {
        Self(self.0 + warmer.0)
    }
}
impl Sub<Kelvin> for Celsius {
    type Output = Self;
    fn sub(self, colder: Kelvin) -> Self {
        Self(self.0 - colder.0)
    }
}

impl Watts {
    /// The same in the integer that the scheduler keeps, rounded up to the next milliwatt: what is drawn is never told too
    /// small. Less than nothing is nothing.
    #[must_use]
    pub fn rounded_up(self) -> Power {
        // A float as an integer saturates, and what is no number becomes zero.
        Power::milliwatts((self.0 * 1e3).ceil() as u64)
    }
}

impl From<Power> for Watts {
    fn from(power: Power) -> Self {
        Self(power.as_milliwatts() as f64 / 1e3)
    }
}

impl From<EnergyPrice> for EurosPerJoule {
    fn from(price: EnergyPrice) -> Self {
        // µEUR/kWh are thousandths of EUR/MWh.
        Self::per_megawatt_hour(price.as_microeuro_per_kwh() as f64 / 1e3)
    }
}

impl From<CarbonIntensity> for KilogramsPerJoule {
    fn from(intensity: CarbonIntensity) -> Self {
        // mg/kWh are thousandths of kg/MWh.
        Self::per_megawatt_hour(intensity.as_milligrams_per_kwh() as f64 / 1e3)
    }
}

impl Kilograms {
    /// Water as its volume, at a kilogram for a litre.
    #[must_use]
    pub fn as_litres(self) -> f64 {
        self.0
    }
}

impl Joules {
    /// So many megawatt-hours.
    #[must_use]
    pub fn megawatt_hours(count: f64) -> Self {
        Self(count * MEGAWATT_HOUR)
    }

    /// The same in kilowatt-hours.
    #[must_use]
    pub fn as_kilowatt_hours(self) -> f64 {
        self.0 / 3.6e6
    }

    /// The same in megawatt-hours.
    #[must_use]
    pub fn as_megawatt_hours(self) -> f64 {
        self.0 / MEGAWATT_HOUR
    }
}

/// In joules.
const MEGAWATT_HOUR: f64 = 3.6e9;

impl EurosPerJoule {
    /// A price by the megawatt-hour.
    #[must_use]
    pub fn per_megawatt_hour(euros: f64) -> Self {
        Self(euros / MEGAWATT_HOUR)
    }

    /// The same in euro for each megawatt-hour.
    #[must_use]
    pub fn as_per_megawatt_hour(self) -> f64 {
        self.0 * MEGAWATT_HOUR
    }
}

impl KilogramsPerJoule {
    /// Carbon by the megawatt-hour; a gram for each kilowatt-hour is a kilogram for each megawatt-hour.
    #[must_use]
    pub fn per_megawatt_hour(kilograms: f64) -> Self {
        Self(kilograms / MEGAWATT_HOUR)
    }

    /// The same in kilograms for each megawatt-hour.
    #[must_use]
    pub fn as_per_megawatt_hour(self) -> f64 {
        self.0 * MEGAWATT_HOUR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_multiply_and_divide_as_physics_does() {
        assert_eq!(Watts(2.0) * Seconds(3.0), Joules(6.0));
        assert_eq!(Joules(6.0) / Seconds(3.0), Watts(2.0));
        assert_eq!(Celsius(40.0) - Celsius(25.0), Kelvin(15.0));
        assert_eq!(Celsius(0.0).absolute(), Kelvin(273.15));
        assert_eq!(Watts(3.0) / Watts(2.0), 1.5);
        assert_eq!(EurosPerJoule::per_megawatt_hour(50.0) * Joules::megawatt_hours(2.0), Euros(100.0));
        assert_eq!(
            KilogramsPerJoule::per_megawatt_hour(300.0) * (Watts(1e6) * Seconds(7_200.0)),
            Kilograms(600.0)
        );
    }

    #[test]
    fn what_goes_to_the_scheduler_is_rounded_up() {
        assert_eq!(Watts(1.000_000_1).rounded_up(), Power::milliwatts(1_001));
        assert_eq!(Watts(2.0).rounded_up(), Power::watts(2));
        assert_eq!(Watts(-2.0).rounded_up(), Power::ZERO);
        assert_eq!(Watts(f64::NAN).rounded_up(), Power::ZERO);
        assert_eq!(Watts::from(Power::watts(5)), Watts(5.0));
    }
}
