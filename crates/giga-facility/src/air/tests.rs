//! Moist air by published values, and what holds for all of it.

use proptest::prelude::*;

use super::*;

const SEA: Pascals = Pascals(101_325.0);

fn air(dry_bulb: f64, humidity: f64) -> Air {
    Air::new(Celsius(dry_bulb), humidity, SEA).unwrap()
}

#[track_caller]
fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} and not {expected}");
}

/// ASHRAE Fundamentals 2017, chapter 1, table 3: thermodynamic properties of water at saturation, absolute pressure in kPa, to four digits.
#[test]
fn saturation_is_that_of_the_printed_table() {
    for (temperature, kilopascal) in
        [(-60.0, 0.00108), (-40.0, 0.01285), (-20.0, 0.10326), (-5.0, 0.4018), (0.0, 0.6112)]
    {
        near(saturation_pressure(Celsius(temperature)).0 / 1e3, kilopascal, 6e-5);
    }
    for (temperature, kilopascal) in
        [(5.0, 0.8725), (10.0, 1.228), (25.0, 3.169), (40.0, 7.384), (50.0, 12.35)]
    {
        near(saturation_pressure(Celsius(temperature)).0 / 1e3, kilopascal, 6e-4);
    }
}

/// The same chapter, table 2: moist air at 101.325 kPa, saturated: humidity ratio and enthalpy in kJ/kg. The table is of
/// real gas, so that the equations of perfect gas are off by up to 0.6 %.
#[test]
fn saturated_air_is_near_the_printed_table() {
    for (temperature, ratio, enthalpy) in [
        (-20.0, 0.0006373, -18.542),
        (0.0, 0.0037895, 9.473),
        (20.0, 0.014_758, 57.555),
        (40.0, 0.049_141, 166.683),
    ] {
        near(air(temperature, 1.0).humidity_ratio() / ratio, 1.0, 6e-3);
        near(air(temperature, 1.0).enthalpy().0 / 1e3, enthalpy, 0.8);
    }
}

/// The same chapter, example 1: 40 °C dry bulb and 20 °C wet bulb at 101.325 kPa have a humidity ratio of 0.0065, a
/// relative humidity of 14 %, a dew point of 7 °C and 56.7 kJ/kg by the chart.
#[test]
fn the_worked_example_comes_out() {
    let found = air(40.0, 0.1395);
    near(found.wet_bulb().0, 20.0, 0.05);
    near(found.humidity_ratio(), 0.0065, 2e-4);
    near(found.dew_point().0, 7.0, 0.5);
    near(found.enthalpy().0 / 1e3, 56.7, 0.5);
}

/// Stull 2011, doi:10.1175/JAMC-D-11-0143.1: his example, and the accuracy that he states for his fit at sea level.
#[test]
fn it_agrees_with_the_fit_of_stull() {
    near(air(20.0, 0.5).wet_bulb().0, 13.7, 0.2);
    for (t, percent) in [(-10.0, 80.0), (0.0, 30.0), (10.0, 50.0), (30.0, 20.0), (40.0, 60.0)] {
        let fit: f64 = t * libm::atan(0.151_977 * libm::sqrt(percent + 8.313_659)) + libm::atan(t + percent)
            - libm::atan(percent - 1.676_331)
            + 0.003_918_38 * libm::pow(percent, 1.5) * libm::atan(0.023_101 * percent)
            - 4.686_035;
        let difference = fit - air(t, percent / 100.0).wet_bulb().0;
        assert!((-1.0..=0.65).contains(&difference), "{t} {percent}: {difference}");
    }
}

/// ICAO standard atmosphere (Doc 7488), and ASHRAE table 1: kPa at 0, 500, 1,000 and 2,000 m.
#[test]
fn pressure_falls_with_height() {
    for (height, kilopascal) in [(0.0, 101.325), (500.0, 95.461), (1_000.0, 89.875), (2_000.0, 79.495)] {
        near(standard_pressure(Metres(height)).0 / 1e3, kilopascal, 0.003);
    }
}

#[test]
fn values_outside_the_range_are_named() {
    let error = Air::new(Celsius(20.0), 0.0, SEA).unwrap_err();
    assert_eq!(error.to_string(), "`relative_humidity` is 0 ; the model holds from 0.01 to 1 ");
    assert_eq!(Air::new(Celsius(f64::NAN), 0.5, SEA).unwrap_err().field, "dry_bulb");
    assert_eq!(Air::new(Celsius(20.0), 0.5, Pascals(1.0)).unwrap_err().field, "pressure");
    assert_eq!(Air::at_altitude(Celsius(20.0), 0.5, Metres(9e9)).unwrap_err().field, "altitude");
}

#[test]
fn just_below_freezing_the_wet_bulb_is_of_water_where_it_can_be() {
    let found: Vec<f64> =
        (0..60).map(|percent| air(5.0, 0.30 + 0.002 * f64::from(percent)).wet_bulb().0).collect();
    let below = found.iter().copied().filter(|&t| t < 0.0).fold(f64::MIN, f64::max);
    let above = found.iter().copied().filter(|&t| t >= 0.0).fold(f64::MAX, f64::min);
    assert!(below < -0.2 && below > -0.6, "the step is of some tenths of a kelvin: {below}");
    assert!(above < 0.1, "{above}");
}

/// Any air that is taken.
fn any_air() -> impl Strategy<Value = Air> {
    (-60.0..60.0f64, 0.01..1.0f64, 60_000.0..110_000.0f64).prop_map(|(dry_bulb, humidity, pressure)| {
        Air::new(Celsius(dry_bulb), humidity, Pascals(pressure)).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_wet_bulb_lies_between_dew_point_and_dry_bulb(air in any_air()) {
        let (dew, wet, dry) = (air.dew_point(), air.wet_bulb(), air.dry_bulb());
        prop_assert!(dew <= wet && wet <= dry, "{dew:?} {wet:?} {dry:?}");
    }

    #[test]
    fn the_dew_point_is_where_the_vapour_is_saturated(air in any_air()) {
        let ratio = saturation_pressure(air.dew_point()) / air.vapour_pressure();
        prop_assert!((ratio - 1.0).abs() < 3e-5, "{ratio}");
    }

    #[test]
    fn the_wet_bulb_grows_with_humidity_and_temperature(air in any_air(), more in 0.001..0.2f64, warmer in 0.01..5.0f64) {
        let wetter = Air::new(air.dry_bulb(), (air.relative_humidity() + more).min(1.0), air.pressure()).unwrap();
        prop_assert!(wetter.wet_bulb().0 >= air.wet_bulb().0 - 1e-9);
        let warmer = Celsius((air.dry_bulb().0 + warmer).min(60.0));
        let warmer = Air::new(warmer, air.relative_humidity(), air.pressure()).unwrap();
        prop_assert!(warmer.wet_bulb().0 >= air.wet_bulb().0 - 1e-9);
    }

    /// Air and the water or ice that saturates it have, at the wet bulb, the energy of the saturated air. Enthalpies of
    /// liquid and ice are those that ASHRAE 33 and 35 follow from: 4.186 t, and 2.1 t − 329 kJ/kg.
    #[test]
    fn energy_is_kept_on_the_way_to_the_wet_bulb(air in any_air()) {
        let wet = air.wet_bulb();
        let saturated = humidity_ratio(saturation_pressure(wet), air.pressure());
        let added = saturated - air.humidity_ratio();
        let own = if wet.0 >= 0.0 { 4.186 * wet.0 } else { 2.1 * wet.0 - 329.0 };
        let before = air.enthalpy().0 / 1e3 + added * own;
        let after = saturated_enthalpy(wet, air.pressure()).0 / 1e3;
        prop_assert!((before - after).abs() < 1e-5, "{before} {after}");
    }

    #[test]
    fn saturated_air_is_found_again_by_its_energy(temperature in -60.0..74.0f64, pressure in 60_000.0..110_000.0f64) {
        let enthalpy = saturated_enthalpy(Celsius(temperature), Pascals(pressure));
        let found = saturated_temperature(enthalpy, Pascals(pressure));
        prop_assert!((found.0 - temperature).abs() < 1e-3, "{found:?}");
    }
}
