//! Chillers that trim what the air outside can not take.

use crate::quantity::{Celsius, Kelvin, Watts};
use crate::range::{OutOfRange, within};

/// A compression chiller with its condenser, described by how near it comes to Carnot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chiller {
    /// The most heat that all of them can take from the water.
    pub most: Watts,
    /// Coefficient of performance over that of Carnot between evaporation and condensation.
    pub carnot_share: f64,
    /// The most that the coefficient comes to, however small the lift.
    pub cop_max: f64,
    /// How far evaporation is below the water that leaves.
    pub evaporator: Kelvin,
    /// How far condensation is above the dry bulb, or the wet bulb where the circuit has a tower.
    pub condenser: Kelvin,
    /// What fans and pumps of the condenser draw, of the heat that it gives off.
    pub condenser_draw: f64,
}

impl Chiller {
    /// Heat taken over what the compressor draws, for water that leaves at a temperature and air outside of one.
    ///
    /// Carnot's coefficient times a share: the lift is all that counts, part load does not.
    #[must_use]
    pub fn cop(&self, leaving: Celsius, outside: Celsius) -> f64 {
        let cold = (leaving - self.evaporator).absolute();
        let lift = outside + self.condenser - (leaving - self.evaporator);
        let carnot = cold / lift;
        if lift <= Kelvin::ZERO { self.cop_max } else { (self.carnot_share * carnot).min(self.cop_max) }
    }

    pub(super) fn flaw(&self) -> Result<(), OutOfRange> {
        within("most", self.most.0, 0.0..=1e12, "W")?;
        within("carnot_share", self.carnot_share, 0.05..=0.9, "")?;
        within("cop_max", self.cop_max, 1.0..=50.0, "")?;
        within("evaporator", self.evaporator.0, 0.0..=20.0, "K")?;
        within("condenser", self.condenser.0, 0.0..=40.0, "K")?;
        within("condenser_draw", self.condenser_draw, 0.0..=0.2, "")
    }
}
