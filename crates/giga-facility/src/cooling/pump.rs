//! Pumps by the affinity laws.

use crate::quantity::{Kelvin, Pascals, Watts};
use crate::range::{OutOfRange, within};

/// Heat that a kilogram of water takes for each kelvin, in J/(kg K), at 25 to 45 °C (IAPWS: 4.18).
pub(super) const WATER_HEAT: f64 = 4180.0;
/// Its density there, in kg/m³.
const WATER_DENSITY: f64 = 995.0;

/// What moves the water of a circuit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pumps {
    /// Pressure that they make at the rated flow, all loops of the circuit together.
    pub pressure: Pascals,
    /// Of that, what does not fall with the flow: valves, open basins.
    pub fixed_share: f64,
    /// Hydraulic power over electrical power.
    pub efficiency: f64,
    /// The least flow, of the rated one.
    pub flow_min: f64,
}

impl Pumps {
    /// What they draw where a share of the rated heat is carried with the rated rise.
    ///
    /// Flow follows the heat. Pressure has a part that stays and one with the square of flow, so power has one with the flow and
    /// one with its cube (affinity laws, ASHRAE Handbook, HVAC Systems and Equipment 2020, ch. 44).
    #[must_use]
    pub(super) fn draw(&self, rated: Watts, rise: Kelvin, heat: f64) -> Watts {
        let flow = heat.max(self.flow_min);
        let volume = rated.0 / (WATER_HEAT * rise.0 * WATER_DENSITY);
        let full = Watts(volume * self.pressure.0 / self.efficiency);
        full * (flow * (self.fixed_share + (1.0 - self.fixed_share) * flow * flow))
    }

    pub(super) fn flaw(&self) -> Result<(), OutOfRange> {
        within("pressure", self.pressure.0, 0.0..=2e6, "Pa")?;
        within("fixed_share", self.fixed_share, 0.0..=1.0, "")?;
        within("efficiency", self.efficiency, 0.05..=1.0, "")?;
        within("flow_min", self.flow_min, 0.0..=1.0, "")
    }
}
