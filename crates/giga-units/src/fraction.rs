//! A fraction or factor in millionths.

use crate::amount::Amount;
use crate::quantity::Power;
use crate::time::Duration;

/// A fraction (a share, an availability) or factor (total over useful power), held in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fraction(u64);

impl Fraction {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The whole.
    pub const ONE: Self = Self(1_000_000);

    /// A fraction of so many millionths.
    #[must_use]
    pub const fn ppm(count: u64) -> Self {
        Self(count)
    }
    /// The count of millionths.
    #[must_use]
    pub const fn as_ppm(self) -> u64 {
        self.0
    }
    /// As a plain number, for showing.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
    /// This fraction of a count, rounded down.
    #[must_use]
    pub fn of_count(self, count: u64) -> u64 {
        let part = u128::from(count) * u128::from(self.0) / 1_000_000;
        u64::try_from(part).unwrap_or(u64::MAX)
    }
    /// This fraction of a time, rounded down.
    #[must_use]
    pub fn of_time(self, time: Duration) -> Duration {
        let part = i128::from(time.as_milliseconds()) * i128::from(self.0) / 1_000_000;
        Duration::milliseconds(i64::try_from(part).unwrap_or(i64::MAX))
    }
    /// This fraction of a power, rounded up.
    #[must_use]
    pub fn of(self, power: Power) -> Power {
        let product = u128::from(power.as_milliwatts()) * u128::from(self.0);
        Power::milliwatts(u64::try_from(product.div_ceil(1_000_000)).expect("a power stays inside its range"))
    }
    /// The power that this factor makes into `total`, rounded down: `total / factor`.
    ///
    /// # Panics
    /// Panics when the factor is zero.
    #[must_use]
    pub fn undo(self, total: Power) -> Power {
        assert!(self.0 > 0, "a factor of zero can not be undone");
        let quotient = u128::from(total.as_milliwatts()) * 1_000_000 / u128::from(self.0);
        Power::milliwatts(u64::try_from(quotient).expect("a power stays inside its range"))
    }
}

impl Amount for Fraction {
    const WHAT: &'static str = "fraction";
    const UNITS: &'static [(&'static str, i128)] = &[("%", 10_000), ("ppm", 1)];
    fn from_smallest(count: i128) -> Option<Self> {
        u64::try_from(count).ok().filter(|&ppm| ppm <= 1_000_000_000_000).map(Self)
    }
    fn to_smallest(self) -> i128 {
        i128::from(self.0)
    }
}

impl std::fmt::Display for Fraction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.written())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_facility_factor_rounds_against_the_user() {
        let factor = Fraction::ppm(1_120_000);
        assert_eq!(factor.undo(Power::megawatts(112)), Power::megawatts(100));
        assert_eq!(factor.of(Power::megawatts(100)), Power::megawatts(112));
        let odd = Power::milliwatts(101);
        assert!(factor.of(factor.undo(odd)) <= odd, "what is let in never exceeds the limit");
    }
}
