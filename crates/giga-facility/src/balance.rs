//! What goes in comes out, in every step: energy as electricity, energy as heat, and water, to a part in 10⁹.
//!
//! It is checked in release as well: a model that loses energy has no worth. It never mends anything.

use crate::chain::Position;
use crate::cooling::SUPPLY_MAX;
use crate::facility::Flows;
use crate::quantity::{KilogramsPerSecond, Watts};

/// How far two sums may be apart, of the larger.
pub const TOLERANCE: f64 = 1e-9;

/// What went in and what it went to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Balance {
    /// Electricity at the meter.
    pub electricity: Watts,
    /// Used by nodes and what stands beside them, used by the plant, lost in conversion.
    pub drawn: Watts,
    /// Given off outside: by rejection, condensers, fans there and transformers.
    pub given_off: Watts,
    /// Handed over to a network.
    pub reused: Watts,
    /// Stored in the loops; below zero where they gave back.
    pub stored: Watts,
    /// What nothing cooled.
    pub uncooled: Watts,
    /// Water taken.
    pub taken: KilogramsPerSecond,
    /// Water that left: evaporated, let off, drifted.
    pub left: KilogramsPerSecond,
}

/// Adds up the terms of a step.
#[must_use]
pub fn balance(flows: &Flows) -> Balance {
    let supplied = &flows.supplied;
    let sum = |of: fn(&crate::cooling::CircuitFlows) -> Watts| flows.circuits().map(of).sum::<Watts>();
    let water = flows.water();
    Balance {
        electricity: supplied.meter,
        drawn: supplied.nodes + supplied.beside + supplied.lost() + flows.plant(),
        given_off: sum(|circuit| circuit.rejected + circuit.chilled + circuit.compressors + circuit.fans)
            + supplied.lost_in(Position::Transformer),
        reused: flows.reused(),
        stored: sum(|circuit| circuit.stored),
        uncooled: sum(|circuit| circuit.uncooled),
        taken: water.taken,
        left: water.evaporated + water.blown_down + water.drifted,
    }
}

impl Balance {
    /// How far electricity and what is drawn are apart, of the former.
    #[must_use]
    pub fn electricity_off(&self) -> f64 {
        off(self.drawn.0, self.electricity.0, self.electricity.0)
    }

    /// How far electricity, all of which becomes heat, and where the heat went are apart. What the loops store counts by its
    /// size, since it may be more than all that comes in.
    #[must_use]
    pub fn heat_off(&self) -> f64 {
        let out = self.given_off + self.reused + self.stored + self.uncooled;
        off(out.0, self.electricity.0, self.electricity.0.max(self.stored.0.abs()))
    }

    /// How far water in and water out are apart.
    #[must_use]
    pub fn water_off(&self) -> f64 {
        off(self.left.0, self.taken.0, self.taken.0)
    }
}

fn off(found: f64, expected: f64, scale: f64) -> f64 {
    // Below a microwatt or a microgram a second there is nothing to compare.
    (found - expected).abs() / scale.abs().max(1e-6)
}

/// Panics where a step does not balance.
pub(crate) fn hold(flows: &Flows) {
    let balance = balance(flows);
    assert!(balance.electricity_off() <= TOLERANCE, "electricity balances: {balance:?}");
    assert!(balance.heat_off() <= TOLERANCE, "heat balances: {balance:?}");
    assert!(balance.water_off() <= TOLERANCE, "water balances: {balance:?}");
    // Heat that is left over would hide a fault: only where the supply is as warm as it can be there may be any.
    let least = TOLERANCE * flows.meter().0.max(balance.stored.0.abs()).max(1.0);
    for circuit in flows.circuits() {
        let is_hottest = circuit.supply.0 >= SUPPLY_MAX.0 - 1e-6 && circuit.uncooled.0 >= -least;
        assert!(is_hottest || circuit.uncooled.0.abs() <= least, "heat is left over: {circuit:?}");
    }
}
