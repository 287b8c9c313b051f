//! The plain quantities. Each is a count of one small unit.

use std::ops::AddAssign;

use crate::rate::{CarbonIntensity, EnergyPrice};
use crate::time::Duration;

/// Adds, subtracts, sums and parses a newtype over an integer. Overflow is a broken invariant and panics.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident($int:ty), $what:literal, signed $signed:literal, [$($unit:literal => $size:expr),+ $(,)?]) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name($int);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0);
            /// The most that can be held.
            pub const MAX: Self = Self(<$int>::MAX);

            /// The difference, or zero where `other` is larger.
            #[must_use]
            pub const fn saturating_sub(self, other: Self) -> Self {
                let difference = self.0.saturating_sub(other.0);
                Self(if difference < 0 as $int { 0 } else { difference })
            }

            /// So many times this amount.
            ///
            /// # Panics
            /// Panics when the product does not fit.
            #[must_use]
            #[track_caller]
            pub const fn times(self, count: u64) -> Self {
                match self.0.checked_mul(count as $int) {
                    Some(product) => Self(product),
                    None => panic!(concat!($what, " overflows")),
                }
            }

            /// An equal part of this amount, rounded down.
            #[must_use]
            pub const fn split(self, parts: u64) -> Self {
                Self(self.0 / parts as $int)
            }
        }

        impl std::ops::Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0.checked_add(other.0).expect(concat!($what, " overflows")))
            }
        }
        impl std::ops::Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0.checked_sub(other.0).expect(concat!($what, " falls below its range")))
            }
        }
        impl std::ops::AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
        impl std::ops::SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }
        impl std::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
                parts.fold(Self::ZERO, std::ops::Add::add)
            }
        }
        impl $crate::amount::Amount for $name {
            const WHAT: &'static str = $what;
            const UNITS: &'static [(&'static str, i128)] = &[$(($unit, $size)),+];
            const SIGNED: bool = $signed;
            fn from_smallest(count: i128) -> Option<Self> {
                // A hundredth of the range is left free, so that sums of a few parsed amounts can not overflow.
                let limit = i128::from(<$int>::MAX.min(i64::MAX as $int)) / 100;
                (-limit..=limit).contains(&count).then(|| Self(<$int>::try_from(count).expect("inside the limit")))
            }
            fn to_smallest(self) -> i128 {
                i128::from(self.0)
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::amount::Amount::written(*self))
            }
        }
    };
}
pub(crate) use quantity;

quantity! {
    /// Electrical power, held in milliwatt.
    Power(u64), "power", signed false,
    ["MW" => 1_000_000_000, "GW" => 1_000_000_000_000, "kW" => 1_000_000, "W" => 1_000, "mW" => 1]
}

impl Power {
    /// Power of so many megawatt.
    #[must_use]
    pub const fn megawatts(count: u64) -> Self {
        Self(count * 1_000_000_000)
    }
    /// Power of so many watt.
    #[must_use]
    pub const fn watts(count: u64) -> Self {
        Self(count * 1_000)
    }
    /// Power of so many milliwatt.
    #[must_use]
    pub const fn milliwatts(count: u64) -> Self {
        Self(count)
    }
    /// The count of milliwatt.
    #[must_use]
    pub const fn as_milliwatts(self) -> u64 {
        self.0
    }
    /// In megawatt, for showing.
    #[must_use]
    pub fn as_megawatts_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
    /// The energy that flows at this power for so long, added to an exact meter.
    #[must_use]
    pub fn over(self, duration: Duration) -> EnergyMeter {
        let milliseconds = u128::try_from(duration.as_milliseconds()).unwrap_or(0);
        EnergyMeter(u128::from(self.0) * milliseconds)
    }
}

quantity! {
    /// Energy, held in joule.
    Energy(i128), "energy", signed false,
    ["MWh" => 3_600_000_000, "GWh" => 3_600_000_000_000, "kWh" => 3_600_000, "J" => 1]
}

impl Energy {
    /// Energy of so many joule.
    #[must_use]
    pub const fn joules(count: i128) -> Self {
        Self(count)
    }
    /// The count of joule.
    #[must_use]
    pub const fn as_joules(self) -> i128 {
        self.0
    }
    /// In megawatt-hours, for showing.
    #[must_use]
    pub fn as_megawatt_hours_f64(self) -> f64 {
        self.0 as f64 / 3.6e9
    }
    /// What this energy costs at a price, rounded to the nearest µEUR.
    #[must_use]
    pub fn cost(self, price: EnergyPrice) -> Money {
        let product = self.0 * i128::from(price.as_microeuro_per_kwh());
        Money(round_div(product, 3_600_000))
    }
    /// What this energy emits at an intensity, rounded to the nearest mg.
    #[must_use]
    pub fn emission(self, intensity: CarbonIntensity) -> Carbon {
        let product = self.0 * i128::from(intensity.as_milligrams_per_kwh());
        Carbon(round_div(product, 3_600_000))
    }
}

pub(crate) const fn round_div(dividend: i128, divisor: i128) -> i128 {
    let half = if dividend < 0 { -divisor / 2 } else { divisor / 2 };
    (dividend + half) / divisor
}

/// An exact running sum of energy in microjoule, so that many short intervals lose nothing to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct EnergyMeter(u128);

impl EnergyMeter {
    /// A sum of so many microjoule.
    #[must_use]
    pub const fn microjoules(count: u128) -> Self {
        Self(count)
    }
    /// The count of microjoule.
    #[must_use]
    pub const fn as_microjoules(self) -> u128 {
        self.0
    }
    /// The sum in whole joule, rounded down.
    #[must_use]
    pub fn energy(self) -> Energy {
        Energy(i128::try_from(self.0 / 1_000_000).expect("a sixth of the range always fits"))
    }
}

impl AddAssign for EnergyMeter {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

quantity! {
    /// Money, held in millionths of a euro. May be negative: a price can be.
    Money(i128), "money", signed true,
    ["EUR" => 1_000_000, "bn EUR" => 1_000_000_000_000_000, "m EUR" => 1_000_000_000_000, "k EUR" => 1_000_000_000, "ct" => 10_000, "uEUR" => 1]
}

impl Money {
    /// So many euro.
    #[must_use]
    pub const fn euro(count: i128) -> Self {
        Self(count * 1_000_000)
    }
    /// So many millionths of a euro.
    #[must_use]
    pub const fn microeuro(count: i128) -> Self {
        Self(count)
    }
    /// The count of millionths of a euro.
    #[must_use]
    pub const fn as_microeuro(self) -> i128 {
        self.0
    }
    /// In euro, for showing.
    #[must_use]
    pub fn as_euro_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

quantity! {
    /// Greenhouse gas as CO2 equivalent, held in milligram.
    Carbon(i128), "carbon", signed false,
    ["t" => 1_000_000_000, "kt" => 1_000_000_000_000, "kg" => 1_000_000, "g" => 1_000, "mg" => 1]
}

impl Carbon {
    /// So many milligram.
    #[must_use]
    pub const fn milligrams(count: i128) -> Self {
        Self(count)
    }
    /// The count of milligram.
    #[must_use]
    pub const fn as_milligrams(self) -> i128 {
        self.0
    }
    /// In tonnes, for showing.
    #[must_use]
    pub fn as_tonnes_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

quantity! {
    /// An amount of data, held in bytes; units are decimal.
    Bytes(u64), "amount of data", signed false,
    ["GB" => 1_000_000_000, "PB" => 1_000_000_000_000_000, "TB" => 1_000_000_000_000, "MB" => 1_000_000, "kB" => 1_000,
     "GiB" => 1 << 30, "TiB" => 1 << 40, "MiB" => 1 << 20, "KiB" => 1 << 10, "B" => 1]
}

impl Bytes {
    /// So many mebibyte of 2^20 bytes.
    #[must_use]
    pub const fn mebibytes(count: u64) -> Self {
        Self(count << 20)
    }
    /// So many gigabyte of 10^9 bytes.
    #[must_use]
    pub const fn gigabytes(count: u64) -> Self {
        Self(count * 1_000_000_000)
    }
    /// So many bytes.
    #[must_use]
    pub const fn of(count: u64) -> Self {
        Self(count)
    }
    /// The count of bytes.
    #[must_use]
    pub const fn as_bytes(self) -> u64 {
        self.0
    }
}

quantity! {
    /// How fast data moves, held in bits a second; units are decimal.
    DataRate(u64), "data rate", signed false,
    ["Gbit/s" => 1_000_000_000, "Tbit/s" => 1_000_000_000_000, "Mbit/s" => 1_000_000, "kbit/s" => 1_000, "bit/s" => 1]
}

impl DataRate {
    /// So many bits a second.
    #[must_use]
    pub const fn bits_per_second(count: u64) -> Self {
        Self(count)
    }
    /// The count of bits a second.
    #[must_use]
    pub const fn as_bits_per_second(self) -> u64 {
        self.0
    }
}

quantity! {
    /// Arithmetic speed, held in 10^9 operations a second.
    Flops(u64), "arithmetic speed", signed false,
    ["TFLOP/s" => 1_000, "EFLOP/s" => 1_000_000_000, "PFLOP/s" => 1_000_000, "GFLOP/s" => 1]
}

impl Flops {
    /// So many 10^12 operations a second.
    #[must_use]
    pub const fn tera(count: u64) -> Self {
        Self(count * 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Amount;

    #[test]
    fn power_over_time_is_energy_without_loss() {
        let mut meter = EnergyMeter::default();
        for _ in 0..3_600_000 {
            meter += Power::milliwatts(1).over(Duration::milliseconds(1));
        }
        assert_eq!(meter.as_microjoules(), 3_600_000);
        assert_eq!(Power::megawatts(1).over(Duration::hours(1)).energy().written(), "1 MWh");
    }

    #[test]
    fn energy_costs_and_emits() {
        let energy = Power::megawatts(230).over(Duration::hours(1)).energy();
        assert_eq!(energy.cost(EnergyPrice::microeuro_per_kwh(35_000)), Money::euro(8_050));
        assert_eq!(energy.cost(EnergyPrice::microeuro_per_kwh(-1_000)), Money::euro(-230));
        assert_eq!(energy.emission(CarbonIntensity::milligrams_per_kwh(49_000)).written(), "11.27 t");
    }
}
