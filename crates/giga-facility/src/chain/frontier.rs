//! Frontier as RAPS models it, for comparison with that program and as an example of a chain.
//!
//! All figures are those of `config/frontier.yaml` in the repository of RAPS (ExaDigiT/RAPS, commit 6490d3a): 25 cooling units of
//! three racks, one rack missing, 128 nodes, eight chassis with four switches in a rack, four nodes to a rectifier.

use super::{Beside, Chain, ChainError, NodeDraw, Position, Span, Stage};
use crate::quantity::Watts;

/// Racks: 25 × 3, less the missing one.
pub const RACKS: u32 = 74;
/// Nodes: 9,472.
pub const NODES: u32 = RACKS * 128;
/// Units that pump water through the racks.
pub const COOLING_UNITS: u32 = 25;
/// What each of them draws on average.
pub const COOLING_UNIT: Watts = Watts(8473.47);

/// A node: four MI250X, one processor.
pub const NODE: NodeDraw = NodeDraw {
    accelerators: 4,
    accelerator: Span { idle: Watts(88.0), most: Watts(560.0) },
    processors: Span { idle: Watts(90.0), most: Watts(280.0) },
    // Memory, four network cards, disks.
    rest: Watts(74.26 + 4.0 * 20.0 + 30.0),
    held: 0.0,
};

/// Its conversions: down to the node's voltage, and from alternating current, with the switches behind the rectifiers.
///
/// # Errors
/// None: the stages are sound.
pub fn chain() -> Result<Chain, ChainError> {
    let node = Stage {
        name: "node converter",
        position: Position::Node,
        units: NODES,
        constant: Watts(13.0),
        efficiency: 0.98,
        rated: Watts(2_704.0),
        resistance: 0.0,
        beside: Beside::default(),
    };
    let switches = Watts(f64::from(RACKS * 8 * 4) * 250.0);
    let rectifier = Stage {
        name: "rectifier",
        position: Position::Cabinet,
        units: NODES / 4,
        constant: Watts(17.0),
        efficiency: 0.96,
        rated: Watts(12_500.0),
        resistance: 0.0,
        beside: Beside { constant: switches, share: 0.0 },
    };
    Chain::new(vec![node, rectifier])
}

/// What all nodes draw where each is so busy: (accelerators, processors) from 0 to 1.
#[must_use]
pub fn nodes(busy: super::Use) -> Watts {
    NODE.draw(busy, super::Pace::Full) * f64::from(NODES)
}

/// What all cooling units draw.
#[must_use]
pub fn cooling_units() -> Watts {
    COOLING_UNIT * f64::from(COOLING_UNITS)
}
