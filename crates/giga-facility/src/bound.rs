//! A straight line above what a facility draws, for a scheduler that knows only integers and sums.
//!
//! In the steady state the meter is convex in what the nodes draw while nothing changes its way of working: conversion, pumps,
//! fans and chillers all bend upwards. Where pads, chillers or a network set in or are at their end, it has corners, of which
//! some bend down. So a line that is above the ends and above all corners is above everything between. A corner is shut in between
//! two draws, and the line has to be a step above both meters already at the lower draw. It never looks at time: what a loop takes
//! up or gives back in a step is not in it.

use crate::cooling::{CircuitFlows, Mode, Outside, SUPPLY_MAX};
use crate::facility::{Facility, Flows, Inputs};
use crate::quantity::Watts;

/// `fixed + slope × nodes` is at least what the meter sees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Whatever the nodes draw.
    pub fixed: Watts,
    /// For each watt of the nodes.
    pub slope: f64,
}

impl Bound {
    /// The bound for what the nodes draw.
    #[must_use]
    pub fn at(&self, nodes: Watts) -> Watts {
        self.fixed + nodes * self.slope
    }
}

/// Into how small a part of the range a corner is shut in: 2¹².
const HALVINGS: u32 = 12;

/// How many draws between the ends are looked at besides; more where a loop is too warm, since fans then work at the end of what
/// they can, and the meter bends down in places.
const LOOKS: u32 = 16;
const LOOKS_SHORT: u32 = 63;

/// Of the meter, what the line is lifted by for what lies between those looks; laws found up to 3 in a million there.
const LIFT_SHORT: f64 = 1e-5;

/// How the parts of a plant work: equal means that the meter is convex in between.
type Way = [(Mode, bool, bool); 2];

fn way(flows: &Flows) -> Way {
    // Where a loop is at its hottest, less is taken away than comes, and fans may do less.
    let of = |circuit: &CircuitFlows| (circuit.mode, circuit.reused.all, circuit.supply >= SUPPLY_MAX);
    [flows.liquid.as_ref().map_or((Mode::Free, true, false), of), of(&flows.room)]
}

impl Facility {
    /// A line above the meter for all draws of the nodes from the least to the most, in this air and with what works.
    ///
    /// It touches at one end or corner unless a loop is too warm, and is that of the two ends lifted as far as the corners need. `inputs.nodes` is not
    /// looked at.
    ///
    /// # Panics
    /// As [`Facility::draw`].
    #[must_use]
    pub fn bound(&self, least: Watts, most: Watts, inputs: &Inputs) -> Bound {
        let outside = Outside::new(&inputs.air);
        let at = |nodes: Watts| self.steady(&Inputs { nodes, ..*inputs }, &outside);
        let (least, most) = (least.max(Watts::ZERO).min(most), most.max(least).max(Watts::ZERO));
        let (first, last) = (at(least), at(most));
        let span = most - least;
        let slope = if span > Watts::ZERO { (last.meter() - first.meter()) / span } else { 1.0 };
        let mut points = vec![(least, first.meter()), (most, last.meter())];
        let end = |nodes, flows: &Flows| End { nodes, way: way(flows), meter: flows.meter() };
        corners(&at, slope, [end(least, &first), end(most, &last)], HALVINGS, &mut points);
        let needed = points.iter().map(|(nodes, meter)| *meter - *nodes * slope);
        let fixed = needed.fold(Watts(f64::MIN), Watts::max);
        let is_short = last.circuits().any(|circuit| circuit.mode == Mode::Short);
        // In both, the last bits of the sums above.
        let (looks, lift) = if is_short { (LOOKS_SHORT, LIFT_SHORT) } else { (LOOKS, 1e-12) };
        let between = (1..=looks).map(|look| least + span * (f64::from(look) / f64::from(looks + 1)));
        let missing = between.map(|nodes| at(nodes).meter() - nodes * slope - fixed);
        let fixed = fixed + missing.fold(Watts::ZERO, Watts::max) * 2.0;
        Bound { fixed: fixed + last.meter() * lift, slope }
    }
}

/// One side of a corner.
#[derive(Debug, Clone, Copy)]
struct End {
    nodes: Watts,
    way: Way,
    meter: Watts,
}

/// Notes for each corner the draw below it with what the line has to be there: the meter may jump in between, up or down.
fn corners(
    at: &impl Fn(Watts) -> Flows,
    slope: f64,
    [low, high]: [End; 2],
    halvings: u32,
    points: &mut Vec<(Watts, Watts)>,
) {
    if low.way == high.way {
        return;
    }
    if halvings == 0 {
        points.push((low.nodes, low.meter.max(high.meter) + (high.nodes - low.nodes) * slope.abs()));
        return;
    }
    let nodes = (low.nodes + high.nodes) / 2.0;
    let flows = at(nodes);
    let middle = End { nodes, way: way(&flows), meter: flows.meter() };
    corners(at, slope, [low, middle], halvings - 1, points);
    corners(at, slope, [middle, high], halvings - 1, points);
}
