//! The merit order of an hour: what the site's net demand costs at least, and who serves it.
//!
//! Demand is load and charging less discharging. What may be fed in comes first as energy that is not sold, so that
//! import and export are one order and are never used both, as export pays no more than import costs. The cost is
//! convex and piecewise linear in the demand. What is paid whatever is used is not in it.

use super::part::{Parts, Terms};
use super::{HOUR, Hour};
use crate::quantity::{Euros, EurosPerJoule, Joules, Watts};

/// Who serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// What is not fed in.
    Export,
    Source(usize),
    Import,
    Backup,
    /// Nobody.
    Unserved,
}

/// So much energy at one price.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rung {
    pub(super) by: By,
    pub(super) energy: Joules,
    pub(super) price: EurosPerJoule,
}

/// Rungs by price, from the least demand that there may be: all that can be fed in is.
#[derive(Debug, Clone)]
pub(super) struct Merit {
    /// Below zero where energy is fed in.
    pub(super) from: Joules,
    /// At the least demand: what feeding in earns, below zero.
    pub(super) cost: Euros,
    pub(super) rungs: Vec<Rung>,
}

/// What a source could make in an hour.
pub(super) fn produced(rated: Watts, factor: f64) -> Joules {
    rated * factor * HOUR
}

/// What is paid whatever is used: settlement of contracts and of sources elsewhere, and what is paid as produced.
pub(super) fn fixed(parts: &Parts, hour: &Hour) -> Euros {
    let spot = hour.prices.spot;
    let contracts = parts.contracts.iter();
    let mut fixed: Euros = contracts.map(|contract| (contract.price - spot) * (contract.power * HOUR)).sum();
    for (source, factor) in parts.sources.iter().zip(&hour.factors) {
        let made = produced(source.rated, *factor);
        fixed += match source.terms {
            Terms::Own(_) => Euros::ZERO,
            Terms::Contracted(price) => price * made,
            Terms::Settled(price) => (price - spot) * made,
        };
    }
    fixed
}

impl Merit {
    /// The order of an hour that was checked.
    pub(super) fn new(parts: &Parts, hour: &Hour) -> Self {
        let Parts { connection, sources, backup, lost_load, .. } = parts;
        let available = &hour.available;
        let export = connection.export * available.firm * HOUR;
        let import = connection.firm * available.firm + connection.interruptible * available.interruptible;
        let mut rungs = Vec::with_capacity(sources.len() + 4);
        let mut add = |by, energy: Joules, price| {
            if energy > Joules::ZERO {
                rungs.push(Rung { by, energy, price });
            }
        };
        // At one price the first of these is used first.
        add(By::Export, export, hour.prices.export);
        for (index, (source, factor)) in sources.iter().zip(&hour.factors).enumerate() {
            let made = produced(source.rated, *factor);
            match source.terms {
                Terms::Own(running) => add(By::Source(index), made, running),
                Terms::Contracted(_) => add(By::Source(index), made, EurosPerJoule::ZERO),
                Terms::Settled(_) => {}
            }
        }
        add(By::Import, import * HOUR, hour.prices.import);
        if let Some(backup) = backup {
            add(By::Backup, backup.power * HOUR, backup.price);
        }
        add(By::Unserved, hour.load * HOUR, *lost_load);
        rungs.sort_by(|a, b| a.price.0.total_cmp(&b.price.0));
        Self { from: -export, cost: hour.prices.export * -export, rungs }
    }

    /// The most that can be demanded.
    pub(super) fn to(&self) -> Joules {
        self.from + self.rungs.iter().map(|rung| rung.energy).sum()
    }

    /// What each rung gives to a demand within the ends.
    pub(super) fn served(&self, demand: Joules) -> impl Iterator<Item = (&Rung, Joules)> {
        let mut left = demand - self.from;
        self.rungs.iter().map(move |rung| {
            let energy = rung.energy.min(left).max(Joules::ZERO);
            left = left - energy;
            (rung, energy)
        })
    }

    /// What a demand costs.
    pub(super) fn cost_of(&self, demand: Joules) -> Euros {
        self.served(demand).fold(self.cost, |cost, (rung, energy)| cost + rung.price * energy)
    }

    /// The demand up to which another joule costs less than a price.
    pub(super) fn below(&self, price: EurosPerJoule) -> Joules {
        let cheap = self.rungs.iter().take_while(|rung| rung.price < price);
        cheap.fold(self.from, |demand, rung| demand + rung.energy)
    }
}
