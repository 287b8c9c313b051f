//! Plants to start from, sized for what the nodes draw at most, and what a planner may change of them.
//!
//! Every figure has a source or is an assumption; docs/facility.md has them in a table. None was chosen by what came out.

use crate::chain::{Beside, Chain, ChainError, Position, Stage};
use crate::cooling::{
    Basin, Chiller, Circuit, Lift, Pads, Plant, PlantError, Pumps, Rejection, Reuse, RoomFans, Tower,
};
use crate::facility::Facility;
use crate::quantity::{Celsius, JoulesPerKelvin, Kelvin, Pascals, Watts};

/// A kind of site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Preset {
    /// Warm water to the chip and dry coolers, as JUPITER and Narvik.
    WarmWater,
    /// The same with wet pads in front of the coolers.
    WarmWaterWet,
    /// Water to the chip and open towers, as Frontier.
    Tower,
    /// Room air and air-cooled chillers with free cooling, as most halls built so far.
    ChilledAir,
}

/// Why a preset could not be built: its size is no power.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum PresetError {
    /// The chain can not be.
    #[error("the chain can not be built")]
    Chain(#[from] ChainError),
    /// The plant can not be.
    #[error("the plant can not be built")]
    Plant(#[from] PlantError),
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::WarmWater, Self::WarmWaterWet, Self::Tower, Self::ChilledAir];

    /// A facility for nodes that draw so much at most.
    ///
    /// # Errors
    /// Where the power is none, not finite, or above 100 GW.
    pub fn facility(self, nodes: Watts) -> Result<Facility, PresetError> {
        self.design().facility(nodes)
    }

    /// What a planner may change of it, as it stands in the preset.
    #[must_use]
    pub fn design(self) -> Design {
        let (supply, rise) = match self {
            // Leonardo: 37 to 47 °C; ASHRAE class W40 gives 40 °C at most.
            Self::WarmWater | Self::WarmWaterWet | Self::ChilledAir => (Celsius(37.0), Kelvin(10.0)),
            // Frontier: 30 to 38 °C (Sun and others 2024, Scientific Data 11:1077).
            Self::Tower => (Celsius(30.0), Kelvin(8.0)),
        };
        let liquid_share = match self {
            // Assumption: power supplies, network and disks stay in air.
            Self::WarmWater | Self::WarmWaterWet => 0.90,
            // RAPS's figure for Frontier (`cooling_efficiency`).
            Self::Tower => 0.945,
            Self::ChilledAir => 0.0,
        };
        // Assumptions; a tower is rated at the wet bulb of the Cooling Technology Institute, 25.6 °C (78 °F).
        let approach = Kelvin(if self == Self::Tower { 4.0 } else { 5.0 });
        // Water at 29.4 °C is 4 K above a wet bulb of 25.4, and condensation 7.2 K above that water.
        let carnot_share = if self == Self::Tower { 0.72 } else { 0.45 };
        Design {
            preset: self,
            liquid_share,
            supply,
            rise,
            approach,
            chillers: Chillers::Rooms,
            carnot_share,
            cycles: BASIN.cycles,
            spare: SPARE,
            reuse: None,
        }
    }
}

/// Which circuits have chillers behind what the air outside takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Chillers {
    /// That of the rooms.
    Rooms,
    /// That of the liquid as well.
    All,
    /// None: where air outside does not suffice, loops become warmer than they are meant to be.
    None,
}

/// A preset with what a planner may change of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    preset: Preset,
    /// Share of the equipment's heat that liquid takes.
    pub liquid_share: f64,
    /// What the supply of the liquid is kept at.
    pub supply: Celsius,
    /// How much warmer the liquid comes back.
    pub rise: Kelvin,
    /// How near water comes to the dry bulb in dry coolers, or to the wet bulb in a tower, at rated heat.
    pub approach: Kelvin,
    /// Where there are chillers.
    pub chillers: Chillers,
    /// Their coefficient of performance over that of Carnot.
    pub carnot_share: f64,
    /// How often salts are concentrated before water of towers and pads is let off.
    pub cycles: f64,
    /// For how much more than the most the plant is built.
    pub spare: f64,
    /// A district network that takes heat of the liquid.
    pub reuse: Option<Reuse>,
}

impl Design {
    /// A facility for nodes that draw so much at most.
    ///
    /// # Errors
    /// Where the power is none, not finite, or above 100 GW, or a value of the design is outside its range.
    pub fn facility(&self, nodes: Watts) -> Result<Facility, PresetError> {
        let chain = chain(self.preset, nodes)?;
        let heats = self.heats(&chain, nodes);
        let (by_liquid, by_air) = (heats.liquid * (1.0 + self.spare), heats.air * (1.0 + self.spare));
        let plant = Plant {
            liquid_share: self.liquid_share,
            liquid: (self.liquid_share > 0.0).then(|| self.circuit(by_liquid, Of::Liquid)),
            // Fans of the rooms add their heat.
            room: self.circuit(by_air * (1.0 + ROOM_FANS), Of::Room),
            room_fans: RoomFans { rated: by_air * ROOM_FANS, flow_min: 0.4 },
            building: nodes * BUILDING,
            reuse: self.reuse,
        };
        Ok(Facility::new(chain, plant)?)
    }

    /// The heat that liquid takes where nodes draw so much.
    ///
    /// # Errors
    /// As [`Design::facility`].
    pub fn liquid_heat(&self, nodes: Watts) -> Result<Watts, PresetError> {
        Ok(self.heats(&chain(self.preset, nodes)?, nodes).liquid)
    }

    fn heats(&self, chain: &Chain, nodes: Watts) -> Heats {
        let full = chain.supply(nodes, Watts::ZERO);
        let equipment = full.nodes + full.beside;
        let in_halls: Watts = [Position::Cable, Position::Distribution, Position::Ups]
            .iter()
            .map(|position| full.lost_in(*position))
            .sum();
        let air = equipment * (1.0 - self.liquid_share) + in_halls + nodes * BUILDING;
        Heats { liquid: equipment * self.liquid_share, air }
    }

    fn circuit(&self, rated: Watts, of: Of) -> Circuit {
        let (supply, rise) = match of {
            Of::Liquid => (self.supply, self.rise),
            // Chilled water for air at 24 °C in front of the nodes: within 18 to 27 °C that ASHRAE recommends.
            Of::Room => (Celsius(18.0), Kelvin(8.0)),
        };
        let has_chiller =
            self.chillers == Chillers::All || (self.chillers == Chillers::Rooms && of == Of::Room);
        Circuit {
            rated,
            supply,
            rise,
            // Assumption: water for three minutes of full flow stands in pipes and tanks, so that the delay is three minutes.
            inertia: JoulesPerKelvin(rated.0 * 180.0 / rise.0),
            exchanger: Kelvin(2.0),
            // Assumption: 250 kPa for all loops, a fifth of it fixed, pump and motor at 0.70.
            pumps: Pumps { pressure: Pascals(250e3), fixed_share: 0.2, efficiency: 0.70, flow_min: 0.4 },
            rejection: self.rejection(rated, of),
            chiller: has_chiller.then(|| self.chiller(rated)),
        }
    }

    fn rejection(&self, rated: Watts, of: Of) -> Rejection {
        let basin = Basin { cycles: self.cycles, ..BASIN };
        let tower = Tower { wet_bulb: Celsius(25.6), basin };
        let pads = Pads { effect: 0.8, basin: Basin { drift: 0.0, ..basin } };
        match self.preset {
            // Assumption: 10 kW of fans for each MW.
            Preset::Tower => {
                Rejection { approach: self.approach, fans: rated * 0.010, pads: None, tower: Some(tower) }
            }
            // Assumption: 20 kW of fans for each MW of a dry cooler.
            _ => Rejection {
                approach: self.approach,
                fans: rated * 0.020,
                pads: (self.preset == Preset::WarmWaterWet && of == Of::Liquid).then_some(pads),
                tower: None,
            },
        }
    }

    /// Shares of Carnot follow from the least efficiencies of ASHRAE 90.1-2019, table 6.8.1-3, at the rating of AHRI 550/590
    /// (6.7 °C leaving; 35 °C air, or 29.4 °C water that leaves at 34.6): 2.96 for large air-cooled machines, 6.28 for large
    /// centrifugal ones; evaporation 2 K below, condensation 12 K above the air or 2 K above the water.
    fn chiller(&self, rated: Watts) -> Chiller {
        let air_cooled = Chiller {
            most: rated,
            carnot_share: self.carnot_share,
            cop_max: 12.0,
            evaporator: Kelvin(2.0),
            condenser: Kelvin(12.0),
            // The rated efficiency of an air-cooled machine has its fans in it.
            condenser_draw: 0.0,
        };
        match self.preset {
            Preset::Tower => Chiller {
                condenser: Kelvin(11.2),
                // Assumption: tower fans and condenser pumps, 20 kW for each MW.
                condenser_draw: 0.020,
                ..air_cooled
            },
            _ => air_cooled,
        }
    }
}

/// Heat at the most that nodes draw.
struct Heats {
    liquid: Watts,
    air: Watts,
}

/// Which circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Liquid,
    Room,
}

/// Assumption: plants are built for a tenth more than the most.
const SPARE: f64 = 0.1;
/// Assumption: lights, controls and offices take 5 kW for each MW.
const BUILDING: f64 = 0.005;
/// Assumption: fans of rooms take 40 kW for each MW of heat in the air.
const ROOM_FANS: f64 = 0.04;
/// Assumption: five cycles; drift 0.005 % as drift eliminators are sold.
const BASIN: Basin = Basin { cycles: 5.0, drift: 5e-5 };

/// From nodes that take alternating current to the meter.
///
/// Transformers: two transformations, each at the peak efficiency index that Regulation (EU) 548/2014, annex I, asks of
/// liquid-filled ones up to 4 MVA since July 2021, 99.532 %. The index is reached where constant and resistive loss are
/// equal; that this is at 40 % of load is an assumption. Uninterruptible supply, assumptions within what vendors state: 99.3 % at
/// full load where it stands beside the way of the current, 95.6 % where it converts twice as in halls with room air.
fn chain(preset: Preset, nodes: Watts) -> Result<Chain, ChainError> {
    let megawatts = (nodes.0 / 1e6).max(1e-3);
    let units = |each: f64| (megawatts * 1.25 / each).ceil().clamp(1.0, 1e9) as u32;
    let stage = |name, position, rated: f64, constant: f64, resistance: f64, beside| Stage {
        name,
        position,
        units: units(rated),
        constant: Watts(rated * 1e6 * constant),
        efficiency: 1.0,
        rated: Watts(rated * 1e6),
        resistance,
        beside,
    };
    let beside = Beside { constant: Watts::ZERO, share: 0.06 };
    let none = Beside::default();
    // 1 − index = 2·√(constant·resistance); equal at load s: constant = resistance·s².
    let transformer = |load: f64| {
        let loss = (1.0 - 0.995_32) / 2.0;
        (loss * load, loss / load)
    };
    let (constant, resistance) = transformer(0.4);
    let supply = stage("supply", Position::Ups, 1.0, 0.003, 0.004, none);
    let twice = Stage { constant: Watts(15e3), efficiency: 0.985, resistance: 0.015, ..supply };
    Chain::new(vec![
        // Network, storage and management join here: 6 % of the nodes (assumption).
        stage("cables", Position::Cable, 1.0, 0.0, 0.005, beside),
        stage("distribution", Position::Distribution, 1.0, 0.001, 0.002, none),
        if preset == Preset::ChilledAir { twice } else { supply },
        stage("transformers", Position::Transformer, 4.0, 2.0 * constant, 2.0 * resistance, none),
    ])
}

/// A network of this many watts at most, with a heat pump where the loop is colder than it.
///
/// Assumptions: 70 °C flow, 5 K, 15 % of the most in summer, heating from 15 °C down to −15 °C; half of Carnot, as large heat pumps
/// reach (Arpagaus and others 2018, Energy 152: 40 to 60 %).
#[must_use]
pub fn district(most: Watts) -> Reuse {
    Reuse {
        network: Celsius(70.0),
        approach: Kelvin(5.0),
        most,
        base: 0.15,
        heating_limit: Celsius(15.0),
        coldest: Celsius(-15.0),
        lift: Some(Lift { carnot_share: 0.5, cop_max: 10.0 }),
    }
}
