//! Water that a plant takes and where it goes.

use std::ops::AddAssign;

use crate::quantity::KilogramsPerSecond;
use crate::range::{OutOfRange, within};

/// Latent heat of water at 25 °C in J/kg (ASHRAE 2017 ch. 1, table 3: 2,442 kJ/kg).
pub(super) const LATENT: f64 = 2.442e6;

/// Flows of water; what is taken is what leaves.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Water {
    /// Taken from the mains.
    pub taken: KilogramsPerSecond,
    /// Gone into the air as vapour.
    pub evaporated: KilogramsPerSecond,
    /// Let off so that salts do not thicken.
    pub blown_down: KilogramsPerSecond,
    /// Carried off as drops.
    pub drifted: KilogramsPerSecond,
}

impl AddAssign for Water {
    fn add_assign(&mut self, other: Self) {
        self.taken += other.taken;
        self.evaporated += other.evaporated;
        self.blown_down += other.blown_down;
        self.drifted += other.drifted;
    }
}

/// How water is kept where it evaporates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Basin {
    /// How often salts are concentrated before water is let off; above 1.
    pub cycles: f64,
    /// Drops carried off, of the water that circulates.
    pub drift: f64,
}

impl Basin {
    /// What is taken where so much evaporates of so much that circulates.
    ///
    /// Salts stay behind: what leaves as liquid is evaporation over cycles less one, and drift is part of it (ASHRAE Handbook,
    /// HVAC Systems and Equipment 2020, ch. 40).
    pub(super) fn water(&self, evaporated: KilogramsPerSecond, circulating: KilogramsPerSecond) -> Water {
        let evaporated = evaporated.max(KilogramsPerSecond::ZERO);
        if evaporated == KilogramsPerSecond::ZERO {
            return Water::default();
        }
        let drifted = circulating * self.drift;
        let blown_down = (evaporated / (self.cycles - 1.0) - drifted).max(KilogramsPerSecond::ZERO);
        Water { taken: evaporated + blown_down + drifted, evaporated, blown_down, drifted }
    }

    pub(super) fn flaw(&self) -> Result<(), OutOfRange> {
        within("cycles", self.cycles, 1.05..=100.0, "")?;
        within("drift", self.drift, 0.0..=0.01, "")
    }
}
