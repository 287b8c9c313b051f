//! Cooling: what it takes to bring heat from nodes and rooms to the air outside, or to a district network.
//!
//! A plant has a circuit for the air of its rooms and, where nodes are cooled by liquid, one for that. A circuit has a loop that
//! stores heat, pumps, an exchanger, something that rejects heat to the air, and perhaps a chiller that does what that can
//! not. Whether cooling is free follows from the air; it is never put in. Nothing here decides what work runs, and no
//! node is switched off: what can not be cooled is said.

mod chiller;
mod circuit;
mod pump;
mod rejection;
mod reuse;
mod water;

pub use chiller::Chiller;
pub(crate) use circuit::{Around, Span};
pub use circuit::{Circuit, CircuitFlows, Loop, Mode, SUPPLY_MAX};
pub use pump::Pumps;
pub use rejection::{Pads, Rejection, Tower};
pub use reuse::{Lift, Reuse, Reused};
pub use water::{Basin, Water};

use crate::air::{Air, saturated_enthalpy};
use crate::quantity::{Celsius, JoulesPerKilogram, Pascals, Watts};
use crate::range::{OutOfRange, within};

/// What all parts of a plant ask of the air, worked out once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outside {
    pub(crate) dry_bulb: Celsius,
    pub(crate) wet_bulb: Celsius,
    pub(crate) humidity_ratio: f64,
    /// Of saturated air at the wet bulb.
    pub(crate) enthalpy: JoulesPerKilogram,
    pub(crate) pressure: Pascals,
    /// Over that of the air that fans are rated in.
    pub(crate) density: f64,
}

/// Density of the air that fans are rated in: 1.2 kg/m³ (ISO 5801, standard air).
const RATED_DENSITY: f64 = 1.2;

impl Outside {
    pub(crate) fn new(air: &Air) -> Self {
        let wet_bulb = air.wet_bulb();
        Self {
            dry_bulb: air.dry_bulb(),
            wet_bulb,
            humidity_ratio: air.humidity_ratio(),
            enthalpy: saturated_enthalpy(wet_bulb, air.pressure()),
            pressure: air.pressure(),
            density: air.density().0 / RATED_DENSITY,
        }
    }
}

/// How much of the plant works; shares from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Working {
    /// Of what rejects heat to the air.
    pub rejection: f64,
    /// Of the chillers.
    pub chillers: f64,
}

impl Default for Working {
    fn default() -> Self {
        Self { rejection: 1.0, chillers: 1.0 }
    }
}

impl Working {
    /// With shares brought into their range.
    pub(crate) fn bounded(self) -> Self {
        Self { rejection: self.rejection.clamp(0.0, 1.0), chillers: self.chillers.clamp(0.0, 1.0) }
    }
}

/// Fans that move the air of the rooms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoomFans {
    /// What they draw at the heat that the rooms are made for.
    pub rated: Watts,
    /// The least flow, of that at the rated heat.
    pub flow_min: f64,
}

impl RoomFans {
    /// What they draw at a share of the rated heat: the air keeps its rise, and power goes with the cube of flow (fan laws,
    /// ASHRAE Handbook, HVAC Systems and Equipment 2020, ch. 21).
    #[must_use]
    pub fn draw(&self, heat: f64) -> Watts {
        let flow = heat.max(self.flow_min);
        self.rated * (flow * flow * flow)
    }
}

/// The design of a plant.
#[derive(Debug, Clone, PartialEq)]
pub struct Plant {
    /// Share of the equipment's heat that liquid takes; it needs a circuit unless it is 0.
    pub liquid_share: f64,
    /// The circuit of the liquid.
    pub liquid: Option<Circuit>,
    /// The circuit of the room air.
    pub room: Circuit,
    /// What moves the room air.
    pub room_fans: RoomFans,
    /// Lights, controls, offices: always.
    pub building: Watts,
    /// A district network that takes heat of the liquid.
    pub reuse: Option<Reuse>,
}

/// Why a plant can not be.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum PlantError {
    /// Liquid takes heat and has no circuit.
    #[error("`liquid_share` is above 0 and there is no liquid circuit; add one")]
    NoLiquid,
    /// A value is outside its range.
    #[error("the {part} can not be")]
    Value {
        /// Of which part.
        part: &'static str,
        /// Which value.
        #[source]
        source: OutOfRange,
    },
}

impl Plant {
    /// Looks whether it can be.
    ///
    /// # Errors
    /// Names the first value that is outside its range.
    pub fn check(&self) -> Result<(), PlantError> {
        let of = |part: &'static str| move |source: OutOfRange| PlantError::Value { part, source };
        within("liquid_share", self.liquid_share, 0.0..=1.0, "").map_err(of("plant"))?;
        within("building", self.building.0, 0.0..=1e12, "W").map_err(of("plant"))?;
        within("rated", self.room_fans.rated.0, 0.0..=1e12, "W").map_err(of("room fans"))?;
        within("flow_min", self.room_fans.flow_min, 0.0..=1.0, "").map_err(of("room fans"))?;
        self.room.flaw().map_err(of("room circuit"))?;
        if let Some(liquid) = &self.liquid {
            liquid.flaw().map_err(of("liquid circuit"))?;
        } else if self.liquid_share > 0.0 {
            return Err(PlantError::NoLiquid);
        }
        self.reuse.as_ref().map_or(Ok(()), |reuse| reuse.flaw().map_err(of("reuse of heat")))
    }
}
