//! A facility: a chain and a plant, and what they draw for what the nodes draw.

use crate::air::Air;
use crate::balance;
use crate::chain::{Chain, Position, Supplied};
use crate::cooling::{Around, Circuit, CircuitFlows, Loop, Outside, Plant, PlantError, Span, Water, Working};
use crate::quantity::{Seconds, Watts};

/// What stands between the nodes of a site and its meter, the air outside and its water.
#[derive(Debug, Clone, PartialEq)]
pub struct Facility {
    chain: Chain,
    plant: Plant,
}

/// What a facility is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inputs {
    /// What the nodes draw, as the description counts it.
    pub nodes: Watts,
    /// The air outside.
    pub air: Air,
    /// What of the plant works.
    pub working: Working,
}

impl Inputs {
    /// A sound plant under this draw and air.
    #[must_use]
    pub fn new(nodes: Watts, air: &Air) -> Self {
        Self { nodes, air: *air, working: Working::default() }
    }
}

/// What a facility knows from one step to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct State {
    /// Of the liquid.
    pub liquid: Option<Loop>,
    /// Of the room air.
    pub room: Loop,
}

/// Where energy and water go, on average over a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flows {
    /// Electricity from the meter to the nodes and the plant, and what is lost between.
    pub supplied: Supplied,
    /// Lights and controls.
    pub building: Watts,
    /// Fans of the rooms.
    pub room_fans: Watts,
    /// The circuit of the liquid.
    pub liquid: Option<CircuitFlows>,
    /// The circuit of the room air.
    pub room: CircuitFlows,
}

impl Flows {
    /// What the meter sees.
    #[must_use]
    pub fn meter(&self) -> Watts {
        self.supplied.meter
    }

    /// Both circuits.
    pub fn circuits(&self) -> impl Iterator<Item = &CircuitFlows> {
        self.liquid.iter().chain(std::iter::once(&self.room))
    }

    /// What the plant draws: pumps, fans, compressors, heat pumps, building.
    #[must_use]
    pub fn plant(&self) -> Watts {
        self.building + self.room_fans + self.circuits().map(circuit_draw).sum()
    }

    /// Heat handed over to a network.
    #[must_use]
    pub fn reused(&self) -> Watts {
        self.circuits().map(|circuit| circuit.reused.delivered()).sum()
    }

    /// All water.
    #[must_use]
    pub fn water(&self) -> Water {
        let mut water = Water::default();
        self.circuits().for_each(|circuit| water += circuit.water);
        water
    }

    /// Whether no compressor of a chiller runs.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.circuits().all(|circuit| circuit.compressors <= Watts::ZERO)
    }
}

fn circuit_draw(circuit: &CircuitFlows) -> Watts {
    circuit.pumps + circuit.fans + circuit.compressors + circuit.reused.lift
}

/// Heat that goes into the circuits.
struct Heats {
    liquid: Watts,
    room: Watts,
    room_fans: Watts,
}

impl Facility {
    /// A facility of this chain and plant.
    ///
    /// # Errors
    /// Names what of the plant can not be.
    pub fn new(chain: Chain, plant: Plant) -> Result<Self, PlantError> {
        plant.check()?;
        Ok(Self { chain, plant })
    }

    /// From the nodes to the meter.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The design of its cooling.
    #[must_use]
    pub fn plant(&self) -> &Plant {
        &self.plant
    }

    /// The state that it comes to where nodes draw so much for long.
    #[must_use]
    pub fn rest(&self, inputs: &Inputs) -> State {
        self.run(None, inputs, &Outside::new(&inputs.air), Span::Steady).0
    }

    /// What flows where nodes draw so much, and the air stays, for long: the steady state.
    ///
    /// # Panics
    /// Panics where energy or water does not balance, which would be a fault of the model.
    #[must_use]
    pub fn draw(&self, nodes: Watts, air: &Air) -> Flows {
        self.draw_with(&Inputs::new(nodes, air))
    }

    /// The same with a plant of which not all works.
    ///
    /// # Panics
    /// As [`Facility::draw`].
    #[must_use]
    pub fn draw_with(&self, inputs: &Inputs) -> Flows {
        self.steady(inputs, &Outside::new(&inputs.air))
    }

    /// One step of any length above zero.
    ///
    /// # Panics
    /// Panics where the step is not above zero or no number, where the state is of another kind of plant, or where energy or
    /// water does not balance, which would be a fault of the model.
    #[must_use]
    pub fn step(&self, state: &State, inputs: &Inputs, time: Seconds) -> (State, Flows) {
        assert!(time.0 > 0.0 && time.0.is_finite(), "a step takes time");
        assert_eq!(state.liquid.is_some(), self.plant.liquid.is_some(), "the state is of this plant");
        self.run(Some(state), inputs, &Outside::new(&inputs.air), Span::Step(time))
    }

    /// The steady state where what follows from the air is known.
    pub(crate) fn steady(&self, inputs: &Inputs, outside: &Outside) -> Flows {
        self.run(None, inputs, outside, Span::Steady).1
    }

    fn run(&self, state: Option<&State>, inputs: &Inputs, outside: &Outside, span: Span) -> (State, Flows) {
        let nodes = inputs.nodes.max(Watts::ZERO);
        let heats = self.heats(nodes);
        let reuse = self.plant.reuse.as_ref();
        let around = Around { outside, working: inputs.working.bounded(), reuse, span, tower: None };
        let run = |circuit: &Circuit, held: Option<Loop>, heat: Watts, around: &Around| {
            circuit.step(&held.unwrap_or_else(|| circuit.still()), heat, around)
        };
        let liquid = self
            .plant
            .liquid
            .as_ref()
            .map(|circuit| run(circuit, state.and_then(|state| state.liquid), heats.liquid, &around));
        let dry = Around { reuse: None, ..around };
        let room = run(&self.plant.room, state.map(|state| state.room), heats.room, &dry);
        let mut flows = Flows {
            supplied: self.chain.supply(nodes, Watts::ZERO),
            building: self.plant.building,
            room_fans: heats.room_fans,
            liquid: liquid.map(|(_, flows)| flows),
            room: room.1,
        };
        flows.supplied = self.chain.supply(nodes, flows.plant());
        balance::hold(&flows);
        (State { liquid: liquid.map(|(held, _)| held), room: room.0 }, flows)
    }

    /// Where heat comes up: liquid takes its share of nodes and cabinets, the air of the rooms all else but transformers.
    fn heats(&self, nodes: Watts) -> Heats {
        let plant = &self.plant;
        let inside = self.chain.supply(nodes, Watts::ZERO);
        let lost = |position| inside.lost_in(position);
        let equipment = inside.nodes + inside.beside + lost(Position::Node) + lost(Position::Cabinet);
        let by_liquid = equipment * plant.liquid_share;
        let in_rooms = equipment - by_liquid
            + lost(Position::Cable)
            + lost(Position::Distribution)
            + lost(Position::Ups)
            + plant.building;
        let room_fans = plant.room_fans.draw(in_rooms / plant.room.rated);
        Heats { liquid: by_liquid, room: in_rooms + room_fans, room_fans }
    }
}
