//! Capital as a cost by the hour.

use giga_units::{Duration, Fraction, Money};

/// Hours of a year of 365 days.
const HOURS_PER_YEAR: f64 = 8_760.0;

/// What capital costs by the hour when it is paid back with interest over its life in equal parts: capital · CRF /
/// 8760 with CRF = r(1+r)^n/((1+r)^n − 1), or 1/n without interest; rounded once, to the nearest µEUR.
pub(super) fn per_hour(capital: Money, rate: Fraction, life: Duration) -> Money {
    let years = life.as_hours_f64() / HOURS_PER_YEAR;
    if years <= 0.0 {
        return Money::ZERO;
    }
    let rate = rate.as_f64();
    let growth = libm::pow(1.0 + rate, years);
    let recovery = if growth > 1.0 { rate * growth / (growth - 1.0) } else { 1.0 / years };
    Money::microeuro(libm::round(capital.as_microeuro() as f64 * recovery / HOURS_PER_YEAR) as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capital_is_paid_back_with_interest() {
        let check = |rate, years: i64, expected| {
            let hour = per_hour(Money::euro(100_000), Fraction::ppm(rate), Duration::days(365 * years));
            assert_eq!(hour.as_microeuro(), expected);
        };
        // 100,000 EUR over 5 years without interest: 20,000 EUR a year.
        check(0, 5, 2_283_105);
        // At 7 % the recovery factor over 5 years is 0.243891 (annuity tables).
        check(70_000, 5, 2_784_140);
        check(1, 100, 114_161);
    }
}
