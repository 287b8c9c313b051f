//! The indicators of EN 50600-4 and ISO/IEC 30134, from energies and water over a time.

use crate::chain::Place;

/// Where the energy of the equipment is measured (ISO/IEC 30134-2, EN 50600-4-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Basic: behind the uninterruptible supply.
    One,
    /// Intermediate: behind the distribution in the hall.
    Two,
    /// Advanced: where the equipment takes it.
    Three,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Three];

    /// The innermost place that no longer counts as equipment.
    #[must_use]
    pub fn from(self) -> Place {
        match self {
            Self::One => Place::Ups,
            Self::Two => Place::Distribution,
            Self::Three => Place::Cable,
        }
    }
}
