//! From chip to meter: what conversion, distribution, network and storage add to what the nodes draw.
//!
//! A chain is a list of stages from the node outwards. Each has so many equal units, which share its load evenly, and loses by
//! unit something constant, something in proportion and something with the square of its load. The form
//! `input = (output + constant + square) / efficiency` is that of RAPS, the power model of Frontier (Brewer and others, SC24,
//! arXiv:2410.05133), with the square of the current added for what has windings and cables. It never knows what the load is for.

pub mod frontier;
mod node;

pub use node::{NodeDraw, Pace, Span, Use, speed};

use crate::indicators::Category;
use crate::quantity::Watts;
use crate::range::{OutOfRange, within};

/// The most stages that a chain may have.
pub const STAGES_MAX: usize = 8;

/// Where a stage stands, from the chip outwards. It says what its loss heats, and what each category of PUE measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Position {
    /// In the node itself.
    Node,
    /// Power supplies of the cabinet, cooled with the nodes and part of the equipment.
    Cabinet,
    /// Cables and bars between distribution and cabinets: the room air takes their heat.
    Cable,
    /// Distribution in the hall: the room air takes its heat.
    Distribution,
    /// Uninterruptible supply: the room air takes its heat.
    Ups,
    /// Transformers and switchgear, which stand in the open and are cooled by themselves.
    Transformer,
}

/// Something that draws power beside the nodes: network, storage, management.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Beside {
    /// Whatever the nodes do.
    pub constant: Watts,
    /// Of what the nodes draw.
    pub share: f64,
}

/// One conversion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// What it is called.
    pub name: &'static str,
    /// Where it stands.
    pub position: Position,
    /// How many share the load evenly.
    pub units: u32,
    /// What one loses whatever its load.
    pub constant: Watts,
    /// Output over input, without the other two losses; above 0 up to 1.
    pub efficiency: f64,
    /// What one can give.
    pub rated: Watts,
    /// What one loses by resistance at its rated output, of that output; it goes with the square of the load.
    pub resistance: f64,
    /// What joins the load in front of it.
    pub beside: Beside,
}

impl Position {
    /// All of them, from the node outwards.
    pub const ALL: [Self; 6] =
        [Self::Node, Self::Cabinet, Self::Cable, Self::Distribution, Self::Ups, Self::Transformer];
}

impl Stage {
    /// What goes into all units, where this comes out of them.
    #[must_use]
    fn input(&self, output: Watts) -> Watts {
        let units = f64::from(self.units);
        let each = output / units;
        let square = each * (self.resistance * (each / self.rated));
        (each + self.constant + square) * (units / self.efficiency)
    }

    fn flaw(&self) -> Result<(), OutOfRange> {
        within("units", f64::from(self.units), 1.0..=1e9, "")?;
        within("constant", self.constant.0, 0.0..=1e12, "W")?;
        within("efficiency", self.efficiency, 0.01..=1.0, "")?;
        within("rated", self.rated.0, 1e-3..=1e12, "W")?;
        within("resistance", self.resistance, 0.0..=1.0, "")?;
        within("beside", self.beside.constant.0, 0.0..=1e12, "W")?;
        within("beside share", self.beside.share, 0.0..=10.0, "")
    }
}

/// Why a chain can not be.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ChainError {
    /// More stages than can be.
    #[error("a chain has {0} stages; it can have {STAGES_MAX}")]
    TooLong(usize),
    /// A stage stands further in than the one before it.
    #[error("stage `{0}` stands further in than the one before it; write them from the node outwards")]
    OutOfOrder(&'static str),
    /// A value of a stage is outside its range.
    #[error("stage `{name}` can not be")]
    Value {
        /// Which stage.
        name: &'static str,
        /// Which value.
        #[source]
        source: OutOfRange,
    },
}

/// All stages between the nodes and the meter.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    stages: Vec<Stage>,
}

impl Chain {
    /// A chain of these stages, from the node outwards.
    ///
    /// # Errors
    /// Names the first stage that stands out of order or has a value outside its range, or that there are too many.
    pub fn new(stages: Vec<Stage>) -> Result<Self, ChainError> {
        if stages.len() > STAGES_MAX {
            return Err(ChainError::TooLong(stages.len()));
        }
        for stage in &stages {
            stage.flaw().map_err(|source| ChainError::Value { name: stage.name, source })?;
        }
        if let Some(pair) = stages.windows(2).find(|pair| pair[0].position > pair[1].position) {
            return Err(ChainError::OutOfOrder(pair[1].name));
        }
        Ok(Self { stages })
    }

    /// Its stages, from the node outwards.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// What the meter sees where nodes draw so much, and the plant so much behind the transformers. Less than nothing counts
    /// as nothing.
    #[must_use]
    pub fn supply(&self, nodes: Watts, plant: Watts) -> Supplied {
        let (nodes, plant) = (nodes.max(Watts::ZERO), plant.max(Watts::ZERO));
        let mut supplied = Supplied::new(nodes, plant);
        let mut flowing = nodes;
        for (number, stage) in self.stages.iter().enumerate() {
            supplied.pass(stage.position, flowing);
            if stage.position == Position::Transformer && !supplied.plant_joined {
                supplied.plant_joined = true;
                flowing += plant;
            }
            let beside = stage.beside.constant + nodes * stage.beside.share;
            supplied.beside += beside;
            let output = flowing + beside;
            flowing = stage.input(output);
            supplied.losses[number] = flowing - output;
            supplied.lost[stage.position as usize] += flowing - output;
            supplied.count_as_equipment(beside);
        }
        supplied.pass_all(flowing);
        supplied.meter = if supplied.plant_joined { flowing } else { flowing + plant };
        supplied
    }
}

/// Where the power at a meter goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Supplied {
    /// To the nodes.
    pub nodes: Watts,
    /// To network, storage and management.
    pub beside: Watts,
    /// To the plant: cooling and the building.
    pub plant: Watts,
    /// Lost in each stage, in their order.
    pub losses: [Watts; STAGES_MAX],
    /// At the meter.
    pub meter: Watts,
    lost: [Watts; 6],
    measured: [Option<Watts>; 3],
    plant_joined: bool,
}

impl Supplied {
    fn new(nodes: Watts, plant: Watts) -> Self {
        Self {
            nodes,
            beside: Watts::ZERO,
            plant,
            losses: [Watts::ZERO; STAGES_MAX],
            meter: Watts::ZERO,
            lost: [Watts::ZERO; 6],
            measured: [None; 3],
            plant_joined: false,
        }
    }

    /// Notes what flows into everything further in than a position, for the categories that measure there.
    fn pass(&mut self, position: Position, flowing: Watts) {
        for category in Category::ALL {
            let measured = &mut self.measured[category as usize];
            if measured.is_none() && position >= category.from() {
                *measured = Some(flowing);
            }
        }
    }

    /// What joins further out than a category measures is equipment all the same, and is measured where it joins.
    fn count_as_equipment(&mut self, beside: Watts) {
        for measured in self.measured.iter_mut().flatten() {
            *measured += beside;
        }
    }

    fn pass_all(&mut self, flowing: Watts) {
        for measured in &mut self.measured {
            measured.get_or_insert(flowing);
        }
    }

    /// Lost in the stages that stand there.
    #[must_use]
    pub fn lost_in(&self, position: Position) -> Watts {
        self.lost[position as usize]
    }

    /// Lost in all stages.
    #[must_use]
    pub fn lost(&self) -> Watts {
        self.losses.iter().copied().sum()
    }

    /// Power of the equipment as a category of PUE measures it.
    #[must_use]
    pub fn equipment(&self, category: Category) -> Watts {
        self.measured[category as usize].unwrap_or(self.nodes)
    }

    /// What arrives where it is used, of what the meter sees; one where nothing flows.
    #[must_use]
    pub fn efficiency(&self) -> f64 {
        if self.meter > Watts::ZERO { 1.0 - self.lost() / self.meter } else { 1.0 }
    }
}

#[cfg(test)]
mod tests;
