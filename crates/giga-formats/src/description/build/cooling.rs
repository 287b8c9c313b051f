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
use giga_facility::cooling::{Lift, Mode, Reuse};
use giga_facility::quantity::{Celsius, Kelvin, Pascals, Watts};
use giga_facility::{Chillers, Design, Facility, Inputs, district};
use giga_model::{Overhead, Overheads};
use giga_units::{Amount as _, Duration, Fraction, Instant, Power, grouped};

use crate::description::complete::cooling::preset;
use crate::description::record::Record;
use crate::description::warmth::{Difference, Temperature};
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
    /// The first hour of the weather.
    first: Instant,
    lines: Vec<Overhead>,
    full: FullLoad,
    /// What shocks do to it.
    pub(super) changes: Vec<Change>,
}

/// A plant in a weather; `None` where the air or the size is outside what the facility takes.
pub(super) fn cooled(cooling: &Record, weather: &Record, nodes: Nodes) -> Option<Cooled> {
    let facility = design(cooling, Watts::from(nodes.most))?.facility(Watts::from(nodes.most)).ok()?;
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
    let mut full = FullLoad::default();
    for &(dry_bulb, humidity) in &airs {
        full.add(&grid.nearest(dry_bulb, humidity)?);
    }
    let plant = Plant { facility, nodes: nodes.most, outages: Vec::new() };
    Some(Cooled { plant, grid, first: weather.date("first")?, lines, full, changes: Vec::new() })
}

impl Cooled {
    /// What the site draws beside its nodes, hour by hour.
    pub(super) fn overheads(&self) -> Overheads {
        Overheads::new(self.first, Duration::hours(1), &self.lines).expect("there are hours")
    }

    /// Power at the meter over that of the nodes, at full load in the mean.
    pub(super) fn factor(&self) -> Fraction {
        Fraction::ppm(libm::round(self.full.mean() * 1e6) as u64)
    }

    /// What a planner should know of it, as the end of a sentence.
    pub(super) fn about(&self) -> String {
        self.full.told()
    }
}

/// The preset of the kind with what is written of it; `None` where the nodes are too large for one.
fn design(cooling: &Record, nodes: Watts) -> Option<Design> {
    let mut design = preset(cooling.text("kind")?).design();
    let share = |record: &Record, key| record.amount::<Fraction>(key).map(Fraction::as_f64);
    let difference = |key| cooling.amount::<Difference>(key).map(Kelvin::from);
    design.liquid_share = share(cooling, "liquid_share").unwrap_or(design.liquid_share);
    design.supply = cooling.amount::<Temperature>("supply").map_or(design.supply, Celsius::from);
    design.rise = difference("rise").unwrap_or(design.rise);
    design.approach = difference("approach").unwrap_or(design.approach);
    design.chillers = match cooling.text("chillers") {
        Some("all") => Chillers::All,
        Some("none") => Chillers::None,
        _ => Chillers::Rooms,
    };
    design.carnot_share = share(cooling, "carnot").unwrap_or(design.carnot_share);
    design.cycles = cooling.factor("cycles").map_or(design.cycles, Fraction::as_f64);
    design.spare = share(cooling, "spare").unwrap_or(design.spare);
    if let Some(network) = cooling.table("reuse") {
        let of_liquid = share(network, "share").unwrap_or(1.0);
        let most = match network.amount::<Power>("power") {
            Some(power) => Watts::from(power),
            None => design.liquid_heat(nodes).ok()? * of_liquid,
        };
        design.reuse = Some(reuse(network, most));
    }
    Some(design)
}

fn reuse(network: &Record, most: Watts) -> Reuse {
    let usual = district(most);
    let warmth = |key, usual| network.amount::<Temperature>(key).map_or(usual, Celsius::from);
    let part = |key, usual| network.amount::<Fraction>(key).map_or(usual, Fraction::as_f64);
    let pump = |lift: Lift| Lift { carnot_share: part("carnot", lift.carnot_share), ..lift };
    Reuse {
        network: warmth("temperature", usual.network),
        approach: network.amount::<Difference>("approach").map_or(usual.approach, Kelvin::from),
        base: part("base", usual.base),
        heating_limit: warmth("heating_limit", usual.heating_limit),
        coldest: warmth("coldest", usual.coldest),
        lift: usual.lift.filter(|_| network.flag("heat_pump")).map(pump),
        most,
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
    /// Heat that a network has of it.
    reused: Watts,
}

/// The hours of a weather at full load, counted.
#[derive(Debug, Clone, Default)]
struct FullLoad {
    ratios: Vec<f64>,
    free: u64,
    short: u64,
    reused: Watts,
}

impl FullLoad {
    fn add(&mut self, corner: &Corner) {
        self.ratios.push(corner.ratio);
        self.free += u64::from(corner.is_free);
        self.short += u64::from(corner.is_short);
        self.reused += corner.reused;
    }

    fn mean(&self) -> f64 {
        self.ratios.iter().sum::<f64>() / self.ratios.len() as f64
    }

    fn told(&self) -> String {
        let hours = self.ratios.len();
        let (least, most) = self
            .ratios
            .iter()
            .fold((f64::MAX, 0.0_f64), |(least, most), ratio| (least.min(*ratio), most.max(*ratio)));
        let reused = match (self.reused / hours as f64).rounded_up() {
            Power::ZERO => String::new(),
            power => format!(", and a network has {} of heat in the mean", kilowatts(power).written()),
        };
        let short = match self.short {
            0 => String::new(),
            count => format!(", and in {} a loop becomes warmer than it is meant to be", grouped(count)),
        };
        format!(
            "at full load the meter shows {:.3} of what the nodes draw in the mean, {least:.3} to {most:.3}; in {} of {} hours no \
             compressor runs{short}{reused}",
            self.mean(),
            grouped(self.free),
            grouped(hours as u64)
        )
    }
}

/// In whole kilowatts, as people say it.
fn kilowatts(power: Power) -> Power {
    Power::watts(power.as_milliwatts() / 1_000_000 * 1_000)
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
            reused: flows.reused(),
        };
        self.corners.insert((kelvin, twentieth), corner);
        Some(corner)
    }
}

#[cfg(test)]
mod tests {
    use giga_facility::Preset;
    use proptest::prelude::*;

    use super::*;

    /// A preset, also with what a planner may change of it.
    fn any_design() -> impl Strategy<Value = Design> {
        let loops = (10.0..60.0_f64, 2.0..40.0_f64, 1.0..30.0_f64, 0.0..1.0_f64);
        let network = (20.0..120.0_f64, 0.05..2.0_f64, any::<bool>());
        let changed = proptest::option::of((loops, 0_usize..3, 0.05..0.9_f64, proptest::option::of(network)));
        (0_usize..4, changed).prop_map(|(kind, changed)| {
            let preset = Preset::ALL[kind];
            let mut design = preset.design();
            let Some(((supply, rise, approach, share), chillers, carnot, network)) = changed else {
                return design;
            };
            (design.supply, design.rise, design.approach) = (Celsius(supply), Kelvin(rise), Kelvin(approach));
            (design.liquid_share, design.carnot_share) = (share, carnot);
            design.chillers = [Chillers::Rooms, Chillers::None, Chillers::All][chillers];
            if preset == Preset::WarmWaterWet && design.chillers == Chillers::All {
                design.chillers = Chillers::Rooms;
            }
            design.reuse = network.map(|(warmth, part, has_pump)| {
                let usual = district(Watts(part * 1e8));
                Reuse { network: Celsius(warmth), lift: usual.lift.filter(|_| has_pump), ..usual }
            });
            design
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// A plant in any air draws no more than the line of the hour says, and a preset not much less.
        #[test]
        fn a_line_is_above_the_meter(
            design in any_design(),
            dry_bulb in -30.0_f64..48.0,
            humidity in 0.01_f64..1.0,
            part in 0.0_f64..1.0,
            megawatts in 1_u64..300,
        ) {
            let most = Power::megawatts(megawatts);
            let nodes = Nodes { idle: most.split(5), most };
            let facility = design.facility(Watts::from(most)).expect("a power");
            let pressure = Pascals(101_325.0);
            let mut grid = Grid { facility: facility.clone(), nodes, pressure, corners: BTreeMap::new() };
            let line = grid.line(dry_bulb, humidity).expect("an air that can be");
            let draw = nodes.idle + Power::milliwatts((part * (most.as_milliwatts() - nodes.idle.as_milliwatts()) as f64) as u64);
            let air = Air::new(Celsius(dry_bulb), humidity, pressure).expect("an air that can be");
            let meter = facility.draw(Watts::from(draw), &air).meter();
            prop_assert!(line.of(draw) >= meter.rounded_up(), "{} of {meter:?}", line.of(draw));
            let is_preset = Preset::ALL.iter().any(|preset| preset.design() == design);
            prop_assert!(!is_preset || line.of(draw) <= (meter * 1.1).rounded_up(), "{} of {meter:?}", line.of(draw));
        }
    }
}
