//! Heat for a district network.

use super::Outside;
use crate::quantity::{Celsius, Kelvin, Watts};
use crate::range::{OutOfRange, within};

/// A heat pump between the loop and the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lift {
    /// Coefficient of performance over that of Carnot.
    pub carnot_share: f64,
    /// The most that the coefficient comes to.
    pub cop_max: f64,
}

/// A district network that takes heat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reuse {
    /// How warm its water has to become.
    pub network: Celsius,
    /// How much warmer the loop has to be than that.
    pub approach: Kelvin,
    /// The most that it takes, on the coldest day.
    pub most: Watts,
    /// Of that, what it takes in summer as well, for hot water.
    pub base: f64,
    /// Above this nobody heats.
    pub heating_limit: Celsius,
    /// The dry bulb at which it takes the most.
    pub coldest: Celsius,
    /// What makes the heat warmer where the loop is too cold; none where only its own warmth is taken.
    pub lift: Option<Lift>,
}

/// Heat given to a network.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reused {
    /// Taken from the loop.
    pub taken: Watts,
    /// What the heat pump draws.
    pub lift: Watts,
    /// Whether the network would take more than there is.
    pub all: bool,
}

impl Reused {
    /// Handed over to the network: what was taken, and what the pump added.
    #[must_use]
    pub fn delivered(&self) -> Watts {
        self.taken + self.lift
    }
}

impl Reuse {
    /// What the network asks for at a dry bulb: heating goes in a straight line from its limit to the coldest day (degree days,
    /// EN ISO 15927-6), and hot water is always needed.
    #[must_use]
    pub fn demand(&self, dry_bulb: Celsius) -> Watts {
        let heating = (self.heating_limit - dry_bulb) / (self.heating_limit - self.coldest);
        self.most * heating.clamp(self.base, 1.0)
    }

    /// What it takes of heat that comes back from the nodes at a temperature and is to be cooled to another.
    pub(super) fn take(&self, heat: Watts, returning: Celsius, supply: Celsius, outside: &Outside) -> Reused {
        let demand = self.demand(outside.dry_bulb);
        if returning - self.approach >= self.network {
            return Reused { taken: heat.min(demand), lift: Watts::ZERO, all: heat <= demand };
        }
        let Some(lift) = &self.lift else { return Reused::default() };
        let cop = lift.cop(supply - self.approach, self.network + self.approach);
        // Of each watt that is handed over, 1/cop is electricity.
        let most = demand * (1.0 - 1.0 / cop);
        let taken = heat.min(most);
        Reused { taken, lift: taken / (cop - 1.0), all: heat <= most }
    }

    pub(super) fn flaw(&self) -> Result<(), OutOfRange> {
        within("network", self.network.0, 0.0..=130.0, "degC")?;
        within("approach", self.approach.0, 0.0..=30.0, "K")?;
        within("most", self.most.0, 0.0..=1e12, "W")?;
        within("base", self.base, 0.0..=1.0, "")?;
        within("heating_limit", self.heating_limit.0, 5.0..=30.0, "degC")?;
        within("coldest", self.coldest.0, -60.0..=4.0, "degC")?;
        let Some(lift) = &self.lift else { return Ok(()) };
        within("carnot_share", lift.carnot_share, 0.05..=0.9, "")?;
        within("cop_max", lift.cop_max, 1.5..=50.0, "")
    }
}

impl Lift {
    /// Heat handed over for each watt that is drawn; at least 1.05, since a pump that does less is an electric heater.
    fn cop(&self, cold: Celsius, hot: Celsius) -> f64 {
        let carnot = hot.absolute() / (hot - cold).max(Kelvin(0.1));
        (self.carnot_share * carnot).clamp(1.05, self.cop_max)
    }
}
