//! Where a site's energy comes from, hour by hour, and what that costs: connection, contracts, wind, sun and water, batteries and
//! backup.
//!
//! A [`Supply`] is what stands there. [`Supply::step`] carries out what batteries are ordered to do in an hour, lets the cheapest
//! of the rest do what is left, and says where energy, money and carbon went; each balances to a part in 10⁹, in release too.
//! Orders come from a [`Rule`], from a [`Rolling`] optimum or from the optimum of all hours ([`optimum`]); all are carried out by
//! that one step, so that they are metered by the same code. It works by the hour. It never knows what the load is for, and never
//! learns a price before it is known, but in the optimum, which bounds the other two.

mod balance;
mod convex;
mod hour;
mod merit;
mod optimum;
mod part;
#[cfg(feature = "clarabel")]
mod programme;
mod rolling;
mod rule;
mod run;
mod step;

pub use hour::{Available, Hour, HourError, Intensity, Prices, Tariff};
pub use optimum::{Optimum, optimum};
pub use part::{Backup, Battery, Connection, Contract, Kind, Origin, Parts, Source, SupplyError, Terms};
#[cfg(feature = "clarabel")]
pub use programme::programme;
pub use rolling::Rolling;
pub use rule::Rule;
pub use run::{End, Regret, Run, RunError};
pub use step::{BatteryFlows, Carbon, Flows, Money, Order, SourceFlows, StepError};

use crate::quantity::{Joules, Seconds};

/// The length of a step.
pub const HOUR: Seconds = Seconds(3_600.0);

/// What supplies a site, within the ranges that the model holds for.
#[derive(Debug, Clone, PartialEq)]
pub struct Supply {
    parts: Parts,
}

impl Supply {
    /// A supply of these parts.
    ///
    /// # Errors
    /// Names the part and the value that is outside its range.
    pub fn new(parts: Parts) -> Result<Self, SupplyError> {
        parts.check()?;
        Ok(Self { parts })
    }

    /// What it is made of.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// What batteries hold at the beginning.
    #[must_use]
    pub fn begin(&self) -> Vec<Joules> {
        self.parts.batteries.iter().map(|battery| battery.begin).collect()
    }
}

#[cfg(test)]
mod tests;
