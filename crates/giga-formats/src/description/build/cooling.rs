//! What a site draws beside its nodes: a line for each hour, from its plant and the air outside.
//!
//! A line is worked out for the corners of a grid of temperatures and humidities and is above those of all corners around an
//! hour, so that a year asks the facility for some hundred airs and not for thousands. That the meter is never above it between
//! the corners is what the facility promises of a line and a test shows of weather.

mod lagged;
mod shocked;

use std::collections::BTreeMap;

use giga_control::energy::Plant;
use giga_facility::air::Air;
use giga_facility::cooling::Mode;
use giga_facility::quantity::{Celsius, Pascals, Watts};
use giga_facility::{Facility, Inputs, Preset};
use giga_model::{Overhead, Overheads};
use giga_units::{Duration, Fraction, Instant, Power, grouped};

use crate::description::record::Record;
pub(super) use shocked::Change;

/// Between two corners of the grid: half a kelvin, and five hundredths of humidity.
const KELVIN_HALVES: f64 = 2.0;
const HUMIDITY_STEPS: f64 = 20.0;

/// What the nodes of a site draw: the least that is on at a time, and the most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nodes {
    pub(super) idle: Power,
    pub(super) most: Power,
}

/// What a plant comes to in a weather.
#[derive(Debug, Clone)]
pub(super) struct Cooled {
    pub(super) plant: Plant,
    grid: Grid,
    /// The first hour of the weather, and the air of each.
    first: Instant,
    airs: Vec<(f64, f64)>,
    lines: Vec<Overhead>,
    /// What shocks do to it.
    pub(super) changes: Vec<Change>,
}

/// A plant in a weather; `None` where the air or the size is outside what the facility takes.
pub(super) fn cooled(cooling: &Record, weather: &Record, nodes: Nodes) -> Option<Cooled> {
    let facility = preset(cooling.text("kind")?).facility(Watts::from(nodes.most)).ok()?;
    let (dry_bulb, humidity) = (weather.numbers("dry_bulb"), weather.numbers("humidity"));
    // Of the highest pressure wet bulbs are highest, and a plant with water cools least.
    let pressure = weather.numbers("pressure").iter().max()?;
    let mut grid = Grid {
        facility: facility.clone(),
        nodes,
        pressure: Pascals(*pressure as f64),
        corners: BTreeMap::new(),
    };
    let airs = dry_bulb.iter().zip(humidity);
    let airs: Vec<(f64, f64)> =
        airs.map(|(dry_bulb, humidity)| (*dry_bulb as f64 / 1e3, *humidity as f64 / 1e5)).collect();
    let lines = airs.iter().map(|&(dry_bulb, humidity)| grid.line(dry_bulb, humidity));
    let lines = lines.collect::<Option<Vec<_>>>()?;
    let plant = Plant { facility, outages: Vec::new() };
    Some(Cooled { plant, grid, first: weather.date("first")?, airs, lines, changes: Vec::new() })
}

impl Cooled {
    /// What the site draws beside its nodes, hour by hour.
    pub(super) fn overheads(&self) -> Overheads {
        Overheads::new(self.first, Duration::hours(1), &self.lines).expect("there are hours")
    }

    /// What a planner should know of it, as the end of a sentence.
    pub(super) fn about(&mut self) -> String {
        let mut full = FullLoad::default();
        for &(dry_bulb, humidity) in &self.airs {
            full.add(&self.grid.nearest(dry_bulb, humidity).expect("its line was found"));
        }
        full.told()
    }
}

fn preset(kind: &str) -> Preset {
    match kind {
        "tower" => Preset::Tower,
        "warm-water-wet" => Preset::WarmWaterWet,
        "chilled-air" => Preset::ChilledAir,
        _ => Preset::WarmWater,
    }
}

#[derive(Debug, Clone)]
struct Grid {
    facility: Facility,
    nodes: Nodes,
    pressure: Pascals,
    /// By halves of a kelvin and twentieths of humidity.
    corners: BTreeMap<(i64, i64), Corner>,
}

/// What a plant does in an air.
#[derive(Debug, Clone, Copy)]
struct Corner {
    line: Overhead,
    /// What the meter shows for each power of the nodes at full load.
    ratio: f64,
    /// Whether no compressor runs then, and whether a loop is warmer than it is meant to be.
    is_free: bool,
    is_short: bool,
}

/// The hours of a weather at full load, counted.
#[derive(Debug, Default)]
struct FullLoad {
    ratios: Vec<f64>,
    free: u64,
    short: u64,
}

impl FullLoad {
    fn add(&mut self, corner: &Corner) {
        self.ratios.push(corner.ratio);
        self.free += u64::from(corner.is_free);
        self.short += u64::from(corner.is_short);
    }

    fn told(&self) -> String {
        let hours = self.ratios.len();
        let (least, most) = self
            .ratios
            .iter()
            .fold((f64::MAX, 0.0_f64), |(least, most), ratio| (least.min(*ratio), most.max(*ratio)));
        let mean = self.ratios.iter().sum::<f64>() / hours as f64;
        let short = match self.short {
            0 => String::new(),
            count => format!(", and in {} a loop becomes warmer than it is meant to be", grouped(count)),
        };
        format!(
            "at full load the meter shows {mean:.3} of what the nodes draw in the mean, {least:.3} to {most:.3}; in {} of {} hours no \
             compressor runs{short}",
            grouped(self.free),
            grouped(hours as u64)
        )
    }
}

impl Grid {
    /// A line above those of the four corners around an air.
    fn line(&mut self, dry_bulb: f64, humidity: f64) -> Option<Overhead> {
        let (kelvins, twentieths) = (dry_bulb * KELVIN_HALVES, humidity * HUMIDITY_STEPS);
        let mut line = Overhead::default();
        for kelvin in [kelvins.floor(), kelvins.ceil()] {
            for twentieth in [twentieths.floor(), twentieths.ceil()] {
                let corner = self.corner(kelvin as i64, twentieth as i64)?.line;
                line.base = line.base.max(corner.base);
                line.factor = line.factor.max(corner.factor);
            }
        }
        Some(line)
    }

    /// The corner that is nearest to an air.
    fn nearest(&mut self, dry_bulb: f64, humidity: f64) -> Option<Corner> {
        self.corner((dry_bulb * KELVIN_HALVES).round() as i64, (humidity * HUMIDITY_STEPS).round() as i64)
    }

    fn corner(&mut self, kelvin: i64, twentieth: i64) -> Option<Corner> {
        if let Some(corner) = self.corners.get(&(kelvin, twentieth)) {
            return Some(*corner);
        }
        let humidity = (twentieth as f64 / HUMIDITY_STEPS).max(0.01);
        let air = Air::new(Celsius(kelvin as f64 / KELVIN_HALVES), humidity, self.pressure).ok()?;
        let (idle, most) = (Watts::from(self.nodes.idle), Watts::from(self.nodes.most));
        let bound = self.facility.bound(idle, most, &Inputs::new(most, &air));
        // A float as an integer saturates; a meter shows at least what its nodes draw.
        let factor = Fraction::ppm((bound.slope * 1e6).ceil() as u64).max(Fraction::ONE);
        let line = Overhead { base: bound.fixed.rounded_up(), factor };
        let flows = self.facility.draw(most, &air);
        let corner = Corner {
            line,
            ratio: flows.meter() / most,
            is_free: flows.is_free(),
            is_short: flows.circuits().any(|circuit| circuit.mode == Mode::Short),
        };
        self.corners.insert((kelvin, twentieth), corner);
        Some(corner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// A plant in any air draws no more than the line of the hour says, and not much less.
        #[test]
        fn a_line_is_above_the_meter(
            kind in 0_usize..4,
            dry_bulb in -30.0_f64..48.0,
            humidity in 0.01_f64..1.0,
            part in 0.0_f64..1.0,
            megawatts in 1_u64..300,
        ) {
            let most = Power::megawatts(megawatts);
            let nodes = Nodes { idle: most.split(5), most };
            let facility = Preset::ALL[kind].facility(Watts::from(most)).expect("a power");
            let pressure = Pascals(101_325.0);
            let mut grid = Grid { facility: facility.clone(), nodes, pressure, corners: BTreeMap::new() };
            let line = grid.line(dry_bulb, humidity).expect("an air that can be");
            let draw = nodes.idle + Power::milliwatts((part * (most.as_milliwatts() - nodes.idle.as_milliwatts()) as f64) as u64);
            let air = Air::new(Celsius(dry_bulb), humidity, pressure).expect("an air that can be");
            let meter = facility.draw(Watts::from(draw), &air).meter();
            prop_assert!(line.of(draw) >= meter.rounded_up(), "{} of {meter:?}", line.of(draw));
            prop_assert!(line.of(draw) <= (meter * 1.1).rounded_up(), "{} of {meter:?}", line.of(draw));
        }
    }
}
