//! What a node draws by how busy it is, and what a cap makes of it.
//!
//! Power goes in a straight line from idle to most with use, as RAPS has it. How much speed a cap costs is the site's own
//! [`Flexibility`], which the scheduler uses as well; this file only says what lies between its one measured point and the
//! ends. It never decides who is capped.

use giga_model::Flexibility;

use crate::quantity::Watts;

/// What a part draws, from idle to most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// While it does nothing.
    pub idle: Watts,
    /// At its most.
    pub most: Watts,
}

impl Span {
    fn at(&self, share: f64) -> Watts {
        self.idle + (self.most - self.idle) * share.clamp(0.0, 1.0)
    }
}

/// How busy a node is; shares from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Use {
    /// Of what its accelerators could draw above idle.
    pub accelerators: f64,
    /// Of what its processors could.
    pub processors: f64,
}

/// How fast work on a node may go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// As it would.
    Full,
    /// With accelerators that may draw this share of what they could above idle.
    Capped(f64),
    /// Not at all: it keeps its memory.
    Suspended,
}

/// What the nodes of a pool draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeDraw {
    /// How many accelerators one has.
    pub accelerators: u16,
    /// What each of them draws.
    pub accelerator: Span,
    /// What all processors of a node draw.
    pub processors: Span,
    /// Memory, network cards, disks.
    pub rest: Watts,
    /// What suspended work still makes an accelerator draw, of what it could above idle. The scheduler takes it for nothing.
    pub held: f64,
}

impl NodeDraw {
    /// What a node draws that is so busy, at this pace. One that does nothing, or holds suspended work, draws all the same.
    #[must_use]
    pub fn draw(&self, busy: Use, pace: Pace) -> Watts {
        let (accelerators, processors) = match pace {
            Pace::Full => (busy.accelerators, busy.processors),
            Pace::Capped(most) => (busy.accelerators.min(most), busy.processors),
            Pace::Suspended => (self.held, 0.0),
        };
        self.accelerator.at(accelerators) * f64::from(self.accelerators)
            + self.processors.at(processors)
            + self.rest
    }
}

/// How fast work goes forward at a pace, of its own speed.
///
/// A cap costs nothing until it cuts what the work would draw. Then the speed follows straight lines through nothing, the
/// point that the site states, and the whole: more is never claimed than was measured, since the true curve bends
/// upwards between such points (arXiv:2205.09646: at 150 of 250 W 6.8 % more time).
#[must_use]
pub fn speed(flexibility: &Flexibility, busy: Use, pace: Pace) -> f64 {
    let most = match pace {
        Pace::Full => return 1.0,
        Pace::Suspended => return 0.0,
        Pace::Capped(most) => most.clamp(0.0, 1.0),
    };
    if busy.accelerators <= most {
        return 1.0;
    }
    let left = most / busy.accelerators.clamp(0.0, 1.0).max(most);
    let (power, speed) = (flexibility.cap_power.as_f64(), flexibility.cap_speed.as_f64());
    if left >= power {
        // Where the point is the whole, there is no line above it.
        let along = if power < 1.0 { (left - power) / (1.0 - power) } else { 1.0 };
        speed + (1.0 - speed) * along
    } else {
        speed * left / power
    }
}
