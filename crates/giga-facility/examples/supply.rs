//! Prints the made-up year of a supply as a table, with the parts, our optimum and the time it took in front, for other programs to
//! solve the same.
#![expect(clippy::print_stdout, reason = "what an example prints is what it is for")]

use std::time::Instant as Clock;

use giga_facility::quantity::{EurosPerJoule, Watts};
use giga_facility::supply::{Supply, Terms, optimum};

#[path = "../benches/supply/made_up.rs"]
mod made_up;

fn main() {
    let (supply, hours) = (made_up::supply(), made_up::hours());
    let (milliseconds, best) = timed(&supply, &hours);
    let run = supply.run(&hours, &best.orders, &supply.end()).expect("the year is sound");
    fact("cost", (best.cost - run.money().contracts).0);
    fact("carried_out", (run.cost() - run.money().contracts).0);
    fact("milliseconds", milliseconds);
    parts(&supply);
    println!("load,import_price,export_price,import_max,export_max,wind,sun");
    let connection = supply.parts().connection;
    for hour in &hours {
        let import =
            connection.firm * hour.available.firm + connection.interruptible * hour.available.interruptible;
        let [load, import, export] =
            [hour.load, import, connection.export * hour.available.firm].map(megawatts);
        let [bought, sold] =
            [hour.prices.import, hour.prices.export].map(EurosPerJoule::as_per_megawatt_hour);
        println!("{load},{bought},{sold},{import},{export},{},{}", hour.factors[0], hour.factors[1]);
    }
}

fn megawatts(power: Watts) -> f64 {
    power.0 / 1e6
}

fn fact(name: &str, value: f64) {
    println!("# {name} {value}");
}

/// In MW, MWh and EUR/MWh.
fn parts(supply: &Supply) {
    let parts = supply.parts();
    for (name, source) in ["wind", "sun"].into_iter().zip(&parts.sources) {
        fact(&format!("{name}_rated"), megawatts(source.rated));
        let (Terms::Own(running) | Terms::Contracted(running) | Terms::Settled(running)) = source.terms;
        fact(&format!("{name}_price"), running.as_per_megawatt_hour());
    }
    let battery = parts.batteries[0];
    fact("capacity", battery.capacity.as_megawatt_hours());
    fact("charge", megawatts(battery.charge));
    fact("discharge", megawatts(battery.discharge));
    fact("charge_efficiency", battery.charge_efficiency);
    fact("discharge_efficiency", battery.discharge_efficiency);
    fact("self_discharge", battery.self_discharge);
    fact("wear", battery.wear.as_per_megawatt_hour());
    fact("begin", battery.begin.as_megawatt_hours());
    let backup = parts.backup.expect("the made-up site has backup");
    fact("backup", megawatts(backup.power));
    fact("backup_price", backup.price.as_per_megawatt_hour());
    fact("lost_load", parts.lost_load.as_per_megawatt_hour());
}

#[expect(clippy::disallowed_methods, reason = "the time is put beside that of others")]
fn timed(supply: &Supply, hours: &[giga_facility::supply::Hour]) -> (f64, giga_facility::supply::Optimum) {
    let begun = Clock::now();
    let best = optimum(supply, hours, &supply.end()).expect("the year is sound");
    (begun.elapsed().as_secs_f64() * 1e3, best)
}
