//! A plant in warmer air, or of which a part is out.
//!
//! Work is kept to what the plant can cool: where a shock makes a loop too warm, the site may draw no more than what its plant can
//! take away, as if the grid gave less. What its loops become in ordinary weather is its own: a shock is judged by what it adds.

use giga_control::energy::{Outage, air};
use giga_facility::air::{Air, saturation_pressure};
use giga_facility::cooling::Working;
use giga_facility::quantity::{Celsius, Kelvin, Watts};
use giga_facility::{Flows, Inputs};
use giga_model::{Overhead, Overheads, Series, Site, Weather};
use giga_units::{Duration, Fraction, Instant, Power};

use super::Cooled;
use crate::description::build::changed::{Span, hours};
use crate::description::build::limits::{Cut, bound};

const HOUR: Duration = Duration::hours(1);

/// How much warmer than it is meant to be, or than it would be without the shock at full load, a loop may become before work is
/// cut: as far as what ASHRAE TC 9.9 allows for rooms (32 °C, class A1) is above what it recommends (27 °C). For liquid an
/// assumption.
const WARMER_MOST: Kelvin = Kelvin(5.0);

/// What a shock does to a plant for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::description::build) struct Change {
    pub(in crate::description::build) span: Span,
    /// By how many kelvin the air is warmer.
    pub(in crate::description::build) warmer: f64,
    pub(in crate::description::build) working: Working,
}

/// What a plant under shocks comes to.
pub(in crate::description::build) struct Shocked {
    pub(in crate::description::build) overheads: Overheads,
    pub(in crate::description::build) weather: Weather,
    /// What the site may draw where its plant can not cool all of it.
    pub(in crate::description::build) cuts: Vec<Cut>,
}

impl Cooled {
    /// The same with its changes; `None` where the air is none that can be.
    pub(in crate::description::build) fn shocked(&mut self, site: &Site, start: Instant) -> Option<Shocked> {
        let weather = site.weather.as_ref()?;
        for change in self.changes.iter().filter(|change| change.working != Working::default()) {
            let Change { span, working, .. } = *change;
            self.plant.outages.push(Outage { from: span.from, until: span.until, working });
        }
        let last = self.changes.iter().map(|change| change.span.until).max()?;
        let (begin, count) = hours(self.first, start, last);
        let place = |at: Instant| at.since(self.first).as_milliseconds().div_euclid(HOUR.as_milliseconds());
        let (mut lines, mut airs, mut cuts) = (Vec::new(), Vec::new(), Vec::new());
        for hour in 0..count {
            let at = begin + Duration::hours(hour);
            let ordinary = air(weather, at)?;
            let outside = self.warmed(ordinary, at)?;
            airs.push(outside);
            let working = self.plant.working(at);
            if self.warmer(at) == 0.0 && working == Working::default() {
                lines.push(self.lines[place(at).rem_euclid(self.lines.len() as i64) as usize]);
                continue;
            }
            let full = Watts::from(self.grid.nodes.most);
            let inputs = Inputs { working, ..Inputs::new(full, &outside) };
            let line = self.line(&inputs);
            lines.push(line);
            let known = self.warmth(&self.plant.facility.draw_with(&Inputs::new(full, &ordinary)));
            let most = self.coolable(&inputs, &known);
            if most < self.grid.nodes.most {
                cuts.push(bound(at, at + HOUR, line.of(most)));
            }
        }
        let overheads = Overheads::new(begin, HOUR, &lines)?.followed_by(self.overheads());
        Some(Shocked { overheads, weather: joined(begin, &airs, weather)?, cuts })
    }

    fn warmer(&self, at: Instant) -> f64 {
        let now = self.changes.iter().filter(|change| change.span.holds(at));
        now.map(|change| change.warmer).fold(0.0, f64::max)
    }

    /// Air that became warmer and has as much water in it.
    fn warmed(&self, air: Air, at: Instant) -> Option<Air> {
        let warmer = self.warmer(at);
        if warmer == 0.0 {
            return Some(air);
        }
        let dry_bulb = Celsius((air.dry_bulb().0 + warmer).min(60.0));
        let less = saturation_pressure(air.dry_bulb()) / saturation_pressure(dry_bulb);
        Air::new(dry_bulb, (air.relative_humidity() * less).clamp(0.01, 1.0), air.pressure()).ok()
    }

    fn line(&self, inputs: &Inputs) -> Overhead {
        let nodes = self.grid.nodes;
        let bound = self.plant.facility.bound(Watts::from(nodes.idle), Watts::from(nodes.most), inputs);
        let factor = Fraction::ppm((bound.slope * 1e6).ceil() as u64).max(Fraction::ONE);
        Overhead { base: bound.fixed.rounded_up(), factor }
    }

    /// The most that the nodes may draw so that no loop becomes too warm, by halving.
    fn coolable(&self, inputs: &Inputs, known: &[Kelvin]) -> Power {
        let most = Watts::from(self.grid.nodes.most);
        let fits = |nodes: Watts| {
            let warmth = self.warmth(&self.plant.facility.draw_with(&Inputs { nodes, ..*inputs }));
            warmth.iter().zip(known).all(|(is, known)| *is - known.max(Kelvin::ZERO) <= WARMER_MOST)
        };
        if fits(most) {
            return self.grid.nodes.most;
        }
        let (mut least, mut over) = (Watts::ZERO, most);
        for _ in 0..20 {
            let middle = (least + over) * 0.5;
            if fits(middle) { least = middle } else { over = middle }
        }
        // Rounded down: no loop becomes warmer for the rounding.
        Power::milliwatts((least.0 * 1e3) as u64)
    }

    /// How much warmer than it is meant to be each loop is.
    fn warmth(&self, flows: &Flows) -> Vec<Kelvin> {
        let plant = self.plant.facility.plant();
        let made = plant.liquid.iter().chain([&plant.room]).map(|circuit| circuit.supply);
        flows.circuits().zip(made).map(|(is, made)| is.supply - made).collect()
    }
}

/// Airs by the hour as a description holds them, and behind them a weather as it was.
fn joined(first: Instant, airs: &[Air], behind: &Weather) -> Option<Weather> {
    let of = |read: &dyn Fn(&Air) -> f64, behind: &Series| {
        let values = airs.iter().map(|air| libm::round(read(air)) as i64).collect();
        Some(Series::new(first, HOUR, values)?.followed_by(behind.clone()))
    };
    Some(Weather {
        dry_bulb: of(&|air| air.dry_bulb().0 * 1e3, &behind.dry_bulb)?,
        humidity: of(&|air| air.relative_humidity() * 1e5, &behind.humidity)?,
        pressure: of(&|air| air.pressure().0, &behind.pressure)?,
    })
}
