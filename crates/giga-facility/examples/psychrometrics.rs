//! Prints moist air over the whole range that it is meant for as a table, for other programs to compare.
#![expect(clippy::print_stdout, reason = "what an example prints is what it is for")]

use giga_facility::air::Air;
use giga_facility::quantity::{Celsius, Metres};

fn main() {
    println!("dry_bulb,relative_humidity,pressure,humidity_ratio,enthalpy,dew_point,wet_bulb");
    for altitude in [0.0, 250.0, 500.0, 1_000.0, 1_500.0, 2_000.0] {
        for half_degrees in -80..=100 {
            for percent in 1..=100 {
                let dry_bulb = Celsius(f64::from(half_degrees) / 2.0);
                let air = Air::at_altitude(dry_bulb, f64::from(percent) / 100.0, Metres(altitude));
                row(&air.expect("the grid lies within the range"));
            }
        }
    }
}

fn row(air: &Air) {
    let (dry_bulb, humidity, pressure) = (air.dry_bulb().0, air.relative_humidity(), air.pressure().0);
    let (ratio, enthalpy) = (air.humidity_ratio(), air.enthalpy().0);
    println!(
        "{dry_bulb},{humidity},{pressure},{ratio},{enthalpy},{},{}",
        air.dew_point().0,
        air.wet_bulb().0
    );
}
