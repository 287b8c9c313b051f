//! The pressure of saturated vapour over ice and water, and its inverse.
//!
//! Hyland and Wexler 1983 (ASHRAE Transactions 89(2A), 500–519) as ASHRAE 5 and 6 give it. The two curves meet at the
//! triple point, 0.01 °C, to 1 part in 100,000; ice counts up to there.

use crate::quantity::{Celsius, Pascals};

/// Where ice, water and vapour meet.
const TRIPLE_POINT: Celsius = Celsius(0.01);

/// Pressure of saturated vapour, over ice up to the triple point and over water above it.
///
/// ASHRAE gives the range as −100 to 200 °C.
#[must_use]
pub fn saturation_pressure(temperature: Celsius) -> Pascals {
    Pascals(libm::exp(logarithm(temperature)))
}

/// The natural logarithm of that pressure in pascal.
fn logarithm(temperature: Celsius) -> f64 {
    let t = temperature.absolute().0;
    if temperature <= TRIPLE_POINT {
        let series = 6.392_524_7
            + t * (-9.677_843e-3 + t * (6.221_570_1e-7 + t * (2.074_782_5e-9 + t * -9.484_024e-13)));
        -5.674_535_9e3 / t + series + 4.163_501_9 * libm::log(t)
    } else {
        let series = 1.391_499_3 + t * (-4.864_023_9e-2 + t * (4.176_476_8e-5 + t * -1.445_209_3e-8));
        -5.800_220_6e3 / t + series + 6.545_967_3 * libm::log(t)
    }
}

/// How much the logarithm grows with each kelvin.
fn growth(temperature: Celsius) -> f64 {
    let t = temperature.absolute().0;
    if temperature <= TRIPLE_POINT {
        let series =
            -9.677_843e-3 + t * (2.0 * 6.221_570_1e-7 + t * (3.0 * 2.074_782_5e-9 + t * -3.793_609_6e-12));
        5.674_535_9e3 / (t * t) + series + 4.163_501_9 / t
    } else {
        let series = -4.864_023_9e-2 + t * (2.0 * 4.176_476_8e-5 + t * (-3.0 * 1.445_209_3e-8));
        5.800_220_6e3 / (t * t) + series + 6.545_967_3 / t
    }
}

/// The pressure of saturated vapour with its growth for each kelvin.
pub(super) fn pressure_and_growth(temperature: Celsius) -> (Pascals, f64) {
    let pressure = saturation_pressure(temperature);
    (pressure, pressure.0 * growth(temperature))
}

/// Kilograms of vapour for each kilogram of dry air, where the vapour has this pressure (ASHRAE 20).
#[must_use]
pub fn humidity_ratio(vapour: Pascals, pressure: Pascals) -> f64 {
    0.621_945 * vapour.0 / (pressure.0 - vapour.0)
}

/// How much the humidity ratio grows where the pressure of the vapour grows so.
pub(super) fn ratio_growth(vapour: Pascals, growth: f64, pressure: Pascals) -> f64 {
    let dry = pressure.0 - vapour.0;
    0.621_945 * pressure.0 * growth / (dry * dry)
}

/// The temperature, not above `most`, at which vapour of this pressure is saturated.
pub(super) fn temperature(vapour: Pascals, most: Celsius) -> Celsius {
    let wanted = libm::log(vapour.0);
    let (low, high) = (-100.0, most.0);
    let step = |t: f64| (logarithm(Celsius(t)) - wanted, growth(Celsius(t)));
    Celsius(newton(step, low, high))
}

/// How near a root has to be, in kelvin; far below what anybody measures.
const NEAR: f64 = 1e-10;

/// The root of a growing function in a bracket by Newton's steps, each of which is replaced by halving where it would leave
/// the bracket. Halving alone would end after 40 steps, so that 100 are enough whatever the function; where it jumps, the
/// jump is the root.
pub(crate) fn newton(step: impl Fn(f64) -> (f64, f64), mut low: f64, mut high: f64) -> f64 {
    let mut at = high;
    for _ in 0..100 {
        let (value, slope) = step(at);
        if value > 0.0 {
            high = at;
        } else {
            low = at;
        }
        let next = at - value / slope;
        let next = if next > low && next < high { next } else { 0.5 * (low + high) };
        if (next - at).abs() < NEAR {
            return next;
        }
        at = next;
    }
    at
}

/// The root of a growing function without its slope: the Illinois form of the rule of false position, which halves the
/// weight of an end that stays (Dahlquist and Björck 2008, Numerical Methods in Scientific Computing I, 6.2.2).
pub(crate) fn root(value: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let (mut below, mut above) = (value(low), value(high));
    if below >= 0.0 {
        return low;
    }
    if above <= 0.0 {
        return high;
    }
    for round in 0..200 {
        // Every third try halves, so that the bracket shrinks at a known rate whatever the function does.
        let share = if round % 3 == 2 { 0.5 } else { below / (below - above) };
        let at = low + share * (high - low);
        if high - low < NEAR || at <= low || at >= high {
            return at.clamp(low, high);
        }
        let here = value(at);
        if here > 0.0 {
            (high, above) = (at, here);
            below *= 0.5;
        } else if here < 0.0 {
            (low, below) = (at, here);
            above *= 0.5;
        } else {
            return at;
        }
    }
    0.5 * (low + high)
}
