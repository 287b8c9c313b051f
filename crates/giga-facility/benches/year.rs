//! How long a year of one site takes by the hour, and a day of a site of Frontier's size by the second; beside them, in the same
//! run, the year with a wet bulb by plain halving, as a reference that does not change with this code.
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::hint::black_box;
use std::time::Instant as Clock;

use giga_facility::air::{Air, humidity_ratio, saturation_pressure};
use giga_facility::chain::{Chain, Pace, Stage, Use, frontier};
use giga_facility::quantity::{Celsius, Joules, Pascals, Seconds, Watts};
use giga_facility::{Facility, Inputs, Preset};

const NODES: Watts = Watts(20e6);
const HOURS: u32 = 8_760;
const SECONDS: u32 = 86_400;

fn main() {
    let weather: Vec<Air> = (0..HOURS).map(|hour| air(f64::from(hour) * 3_600.0)).collect();
    println!("reference: {HOURS} wet bulbs by halving, {:.1} ms", fastest(|| halving_year(&weather)) * 1e3);
    println!(
        "{HOURS} wet bulbs, {:.1} ms",
        fastest(|| weather.iter().map(|air| air.wet_bulb().0).sum()) * 1e3
    );
    for preset in Preset::ALL {
        let facility = preset.facility(NODES).expect("the preset is sound");
        let steps = fastest(|| year(&facility, &weather));
        let steady = fastest(|| weather.iter().map(|air| facility.draw(NODES * 0.8, air).meter().0).sum());
        let bound = fastest(|| {
            weather.iter().map(|air| facility.bound(NODES * 0.2, NODES, &Inputs::new(NODES, air)).slope).sum()
        });
        let (steps, steady, bound) = (steps * 1e3, steady * 1e3, bound * 1e3);
        println!(
            "{preset:?}, {HOURS} hours: steps {steps:.1} ms, steady {steady:.1} ms, bounds {bound:.1} ms"
        );
    }
    let site = frontier_site();
    println!("Frontier, {SECONDS} seconds: {:.3} s", fastest(|| day(&site)));
    println!("the same with 25 loads and chains, {SECONDS} seconds: {:.3} s", fastest(|| units_day(&site)));
}

/// The fastest of three runs, in seconds.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn fastest(run: impl Fn() -> f64) -> f64 {
    (0..3).fold(f64::INFINITY, |least, _| {
        let begun = Clock::now();
        black_box(run());
        least.min(begun.elapsed().as_secs_f64())
    })
}

/// A made-up year: 10 °C on average, 12 K up and down over it, 5 K over the day.
fn air(second: f64) -> Air {
    let turn = |period: f64| libm::sin(second / period * std::f64::consts::TAU);
    let dry_bulb = 10.0 + 12.0 * turn(365.0 * 86_400.0) + 5.0 * turn(86_400.0);
    let humidity = 0.7 - 0.2 * turn(86_400.0);
    Air::new(Celsius(dry_bulb), humidity, Pascals(100_000.0)).expect("the air is within its ranges")
}

/// Nodes that are never quite as busy as before.
fn busy(second: f64) -> f64 {
    0.6 + 0.3 * libm::sin(second / 700.0) + 0.1 * libm::sin(second / 31.0)
}

fn year(facility: &Facility, weather: &[Air]) -> f64 {
    let mut state = facility.rest(&Inputs::new(NODES, &weather[0]));
    let mut energy = Joules::ZERO;
    for (hour, air) in weather.iter().enumerate() {
        let inputs = Inputs::new(NODES * busy(hour as f64 * 3_600.0), air);
        let (next, flows) = facility.step(&state, &inputs, Seconds(3_600.0));
        energy += flows.meter() * Seconds(3_600.0);
        state = next;
    }
    energy.0
}

/// Frontier's chain with towers, for all nodes.
fn frontier_site() -> Facility {
    let tower = Preset::Tower.facility(Watts(27e6)).expect("the preset is sound");
    Facility::new(frontier::chain().expect("the stages are sound"), tower.plant().clone())
        .expect("the plant is sound")
}

fn day(site: &Facility) -> f64 {
    let nodes = |second: f64| {
        let share = busy(second);
        frontier::nodes(Use { accelerators: share, processors: share })
    };
    run_day(site, nodes, SECONDS)
}

fn run_day(site: &Facility, nodes: impl Fn(f64) -> Watts, seconds: u32) -> f64 {
    let mut state = site.rest(&Inputs::new(nodes(0.0), &air(0.0)));
    let mut energy = Joules::ZERO;
    for second in 0..seconds {
        let second = f64::from(second);
        let (next, flows) = site.step(&state, &Inputs::new(nodes(second), &air(second)), Seconds(1.0));
        energy += flows.meter() * Seconds(1.0);
        state = next;
    }
    energy.0
}

/// Twenty-five cooling units, each with a load and a chain of its own, behind one plant.
fn units_day(site: &Facility) -> f64 {
    let whole = frontier::chain().expect("the stages are sound");
    let part =
        whole.stages().iter().map(|stage| Stage { units: stage.units / frontier::RACKS * 3, ..*stage });
    let chain = Chain::new(part.collect()).expect("the stages are sound");
    let mut state = site.rest(&Inputs::new(NODES, &air(0.0)));
    let mut energy = Joules::ZERO;
    for second in 0..SECONDS {
        let second = f64::from(second);
        let nodes = (0..frontier::COOLING_UNITS).map(|unit| {
            let share = busy(second + f64::from(unit) * 977.0);
            frontier::NODE.draw(Use { accelerators: share, processors: share }, Pace::Full) * 384.0
        });
        let total = nodes.fold(Watts::ZERO, |total, nodes| {
            energy += chain.supply(nodes, frontier::COOLING_UNIT).meter * Seconds(1.0);
            total + nodes
        });
        let (next, flows) = site.step(&state, &Inputs::new(total, &air(second)), Seconds(1.0));
        energy += flows.plant() * Seconds(1.0);
        state = next;
    }
    energy.0
}

fn halving_year(weather: &[Air]) -> f64 {
    weather.iter().map(halved).sum()
}

/// The wet bulb above or below 0 °C by 60 halvings between −100 °C and the dry bulb.
fn halved(air: &Air) -> f64 {
    let (dry_bulb, humidity) = (air.dry_bulb().0, air.humidity_ratio());
    let (mut low, mut high) = (-100.0, dry_bulb);
    for _ in 0..60 {
        let at = 0.5 * (low + high);
        let ratio = humidity_ratio(saturation_pressure(Celsius(at)), air.pressure());
        let needed = if at >= 0.0 {
            ((2501.0 - 2.326 * at) * ratio - 1.006 * (dry_bulb - at))
                / (2501.0 + 1.86 * dry_bulb - 4.186 * at)
        } else {
            ((2830.0 - 0.24 * at) * ratio - 1.006 * (dry_bulb - at)) / (2830.0 + 1.86 * dry_bulb - 2.1 * at)
        };
        if needed > humidity { high = at } else { low = at }
    }
    low
}
