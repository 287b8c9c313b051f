//! Prices and intensities: what turns energy and carbon into money and emissions.

use crate::amount::Amount;
use crate::quantity::{Carbon, Money, round_div};

macro_rules! rate {
    ($(#[$doc:meta])* $name:ident, $what:literal, signed $signed:literal, $build:ident, $read:ident, $unit_doc:literal, [$($unit:literal => $size:expr),+]) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(i64);

        impl $name {
            /// Nothing for nothing.
            pub const ZERO: Self = Self(0);
            #[doc = concat!("A rate of so many ", $unit_doc, ".")]
            #[must_use]
            pub const fn $build(count: i64) -> Self {
                Self(count)
            }
            #[doc = concat!("The count of ", $unit_doc, ".")]
            #[must_use]
            pub const fn $read(self) -> i64 {
                self.0
            }
        }
        impl Amount for $name {
            const WHAT: &'static str = $what;
            const UNITS: &'static [(&'static str, i128)] = &[$(($unit, $size)),+];
            const SIGNED: bool = $signed;
            fn from_smallest(count: i128) -> Option<Self> {
                let limit = i128::from(i64::MAX / 1_000_000);
                (-limit..=limit).contains(&count).then_some(Self(count as i64))
            }
            fn to_smallest(self) -> i128 {
                i128::from(self.0)
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.written())
            }
        }
    };
}

rate! {
    /// A price of electricity. May be negative, as spot prices are at times.
    EnergyPrice, "price of electricity", signed true, microeuro_per_kwh, as_microeuro_per_kwh, "µEUR per kWh",
    ["EUR/MWh" => 1_000, "ct/kWh" => 10_000, "EUR/kWh" => 1_000_000]
}

rate! {
    /// Greenhouse gas per unit of electricity.
    CarbonIntensity, "carbon intensity", signed false, milligrams_per_kwh, as_milligrams_per_kwh, "mg CO2e per kWh",
    ["gCO2e/kWh" => 1_000, "g/kWh" => 1_000, "kgCO2e/MWh" => 1_000]
}

rate! {
    /// A price put on emissions.
    CarbonPrice, "carbon price", signed false, microeuro_per_tonne, as_microeuro_per_tonne, "µEUR per tonne",
    ["EUR/t" => 1_000_000, "EUR/tCO2e" => 1_000_000]
}

impl CarbonPrice {
    /// What so much carbon costs, rounded to the nearest µEUR.
    #[must_use]
    pub fn cost(self, carbon: Carbon) -> Money {
        let product = carbon.as_milligrams() * i128::from(self.0);
        Money::microeuro(round_div(product, 1_000_000_000))
    }
}
