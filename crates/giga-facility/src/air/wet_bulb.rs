//! The thermodynamic wet bulb (ASHRAE 33 with water, 35 with ice), solved so that it always converges.

use super::humidity_ratio;
use super::saturation::{newton, pressure_and_growth, ratio_growth};
use crate::quantity::{Celsius, Kelvin, Pascals};

/// What evaporates: its latent heat at 0 °C, and how its own heat and that of its vapour change with the wet bulb.
struct Source {
    latent: f64,
    vapour_less_own: f64,
    own: f64,
}

/// Latent heat in kJ/kg and specific heats in kJ/(kg K), as ASHRAE 33 and 35 have them.
const WATER: Source = Source { latent: 2501.0, vapour_less_own: 2.326, own: 4.186 };
const ICE: Source = Source { latent: 2830.0, vapour_less_own: 0.24, own: 2.1 };

const FREEZING: Celsius = Celsius(0.0);

/// The wet bulb of air that is not saturated.
pub(super) fn solve(dry_bulb: Celsius, humidity: f64, dew_point: Celsius, pressure: Pascals) -> Celsius {
    let above = |source: &Source, at: Celsius| excess(source, dry_bulb, at, humidity, pressure);
    // Below its dew point the air would be over-saturated, above its dry bulb there is nothing to cool.
    if dry_bulb >= FREEZING && (dew_point >= FREEZING || above(&WATER, FREEZING).0 <= 0.0) {
        let low = dew_point.max(FREEZING);
        return Celsius(newton(|t| above(&WATER, Celsius(t)), low.0, dry_bulb.0));
    }
    let high = dry_bulb.0.min(FREEZING.0);
    Celsius(newton(|t| above(&ICE, Celsius(t)), dew_point.0, high))
}

/// By how much air with this wet bulb would be more humid than it is, and how that grows with each kelvin.
///
/// The equations solved for the humidity ratio have a denominator that is positive here; multiplied by it they keep their
/// root, and their slope is simple.
fn excess(source: &Source, dry_bulb: Celsius, at: Celsius, humidity: f64, pressure: Pascals) -> (f64, f64) {
    let (saturated, growth) = pressure_and_growth(at);
    let ratio = humidity_ratio(saturated, pressure);
    let ratio_growth = ratio_growth(saturated, growth, pressure);
    let heat = source.latent - source.vapour_less_own * at.0;
    let Kelvin(depression) = dry_bulb - at;
    let value = heat * ratio
        - 1.006 * depression
        - humidity * (source.latent + 1.86 * dry_bulb.0 - source.own * at.0);
    let slope = heat * ratio_growth - source.vapour_less_own * ratio + 1.006 + humidity * source.own;
    (value, slope)
}
