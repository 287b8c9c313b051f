//! Temperatures as a description writes them: `"37 °C"` and `"5 K"`, held in thousandths.

use giga_facility::quantity::{Celsius, Kelvin};
use giga_units::Amount;

/// A temperature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Temperature(i64);

/// A difference of temperatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Difference(i64);

impl From<Temperature> for Celsius {
    fn from(value: Temperature) -> Self {
        Self(value.0 as f64 / 1e3)
    }
}

impl From<Difference> for Kelvin {
    fn from(value: Difference) -> Self {
        Self(value.0 as f64 / 1e3)
    }
}

impl Amount for Temperature {
    const WHAT: &'static str = "temperature";
    const UNITS: &'static [(&'static str, i128)] = &[("°C", 1_000), ("degC", 1_000)];
    const SIGNED: bool = true;

    fn from_smallest(count: i128) -> Option<Self> {
        i64::try_from(count).ok().map(Self)
    }

    fn to_smallest(self) -> i128 {
        self.0.into()
    }
}

impl Amount for Difference {
    const WHAT: &'static str = "difference of temperatures";
    const UNITS: &'static [(&'static str, i128)] = &[("K", 1_000)];

    fn from_smallest(count: i128) -> Option<Self> {
        i64::try_from(count).ok().map(Self)
    }

    fn to_smallest(self) -> i128 {
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures_are_read_with_their_unit() {
        assert_eq!(Temperature::parse("-12.5 °C").map(Celsius::from), Ok(Celsius(-12.5)));
        assert_eq!(Temperature::parse("37 degC"), Temperature::parse("37 °C"));
        assert_eq!(Difference::parse("4.5 K").map(Kelvin::from), Ok(Kelvin(4.5)));
        assert!(Temperature::parse("310 K").is_err() && Difference::parse("-1 K").is_err());
    }
}
