//! Many hours one after the other, what they come to, and how far one way of giving orders is from another.

use super::step::{Carbon, Flows, Money, Order, StepError};
use super::{Hour, HourError, Supply};
use crate::quantity::{Euros, EurosPerJoule, Joules};

/// What batteries should hold at the end, and what is missing costs. It is the same for all ways of giving orders, so that none
/// looks cheap because it left its batteries empty. What is held beyond is worth nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// For each battery.
    pub levels: Vec<Joules>,
    /// For each joule of level that is missing.
    pub price: EurosPerJoule,
}

/// Hours that were carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Hour by hour.
    pub flows: Vec<Flows>,
    /// What batteries hold at the end.
    pub levels: Vec<Joules>,
    /// What is missing at the end.
    pub missing: Euros,
}

/// How much dearer a run was than the optimum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regret {
    /// Cost less that of the optimum.
    pub cost: Euros,
    /// Of the size of the optimum's cost; `None` where that is nothing.
    pub share: Option<f64>,
}

/// Hours can not be carried out, or no orders be found for them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RunError {
    /// An hour can not be.
    #[error("hour {hour}: {source}")]
    Hour {
        /// Which, from 0.
        hour: usize,
        /// What is wrong with it.
        #[source]
        source: HourError,
    },
    /// A step can not be made.
    #[error("hour {hour}: {source}")]
    Step {
        /// Which hour, from 0.
        hour: usize,
        /// What is wrong with it.
        #[source]
        source: StepError,
    },
    /// There are not orders for every hour.
    #[error("orders for {orders} of {hours} hours; give them for each")]
    Orders {
        /// Hours with orders.
        orders: usize,
        /// Hours that there are.
        hours: usize,
    },
    /// Levels at the beginning or end are not one for each battery, or are no numbers between nothing and its capacity.
    #[error("`{field}` is not one level within its capacity for each of {batteries} batteries")]
    Levels {
        /// `begin` or `end`.
        field: &'static str,
        /// Batteries that there are.
        batteries: usize,
    },
    /// Several batteries, and nothing that could optimise them together.
    #[error("{batteries} batteries need the feature `clarabel`; without it there may be one")]
    Batteries {
        /// Batteries that there are.
        batteries: usize,
    },
    /// The solver came to no end.
    #[error("the solver ended as `{status}`")]
    Unsolved {
        /// What it says of it.
        status: String,
    },
    /// Decisions that follow each other by no time, or look at no hour.
    #[error("`{field}` is 0; give at least 1 hour")]
    NoTime {
        /// Which field.
        field: &'static str,
    },
}

impl Supply {
    /// As much as at the beginning; what is missing would have been charged at the value of lost load.
    #[must_use]
    pub fn end(&self) -> End {
        let batteries = &self.parts().batteries;
        let worst = batteries.iter().map(|battery| battery.charge_efficiency).fold(1.0, f64::min);
        End { levels: self.begin(), price: self.parts().lost_load / worst }
    }

    /// Carries out orders for each hour and battery, from the levels at the beginning.
    ///
    /// # Errors
    /// Names the first hour or order that can not be.
    ///
    /// # Panics
    /// As [`Supply::step`].
    pub fn run(&self, hours: &[Hour], orders: &[Vec<Order>], end: &End) -> Result<Run, RunError> {
        if orders.len() != hours.len() {
            return Err(RunError::Orders { orders: orders.len(), hours: hours.len() });
        }
        self.check_levels("end", &end.levels)?;
        let mut levels = self.begin();
        let mut all = Vec::with_capacity(hours.len());
        for (hour, (at, orders)) in hours.iter().zip(orders).enumerate() {
            let flows = self.step(&levels, at, orders).map_err(|source| RunError::Step { hour, source })?;
            levels = flows.batteries.iter().map(|battery| battery.level).collect();
            all.push(flows);
        }
        let missing = end.missing(&levels);
        Ok(Run { flows: all, levels, missing })
    }

    pub(super) fn check_hours(&self, hours: &[Hour]) -> Result<(), RunError> {
        let check = |(hour, at)| self.check(at).map_err(|source| RunError::Hour { hour, source });
        hours.iter().enumerate().try_for_each(check)
    }

    pub(super) fn check_levels(&self, field: &'static str, levels: &[Joules]) -> Result<(), RunError> {
        let batteries = &self.parts().batteries;
        let is_within = levels.len() == batteries.len()
            && levels
                .iter()
                .zip(batteries)
                .all(|(level, battery)| (0.0..=battery.capacity.0).contains(&level.0));
        is_within.then_some(()).ok_or(RunError::Levels { field, batteries: batteries.len() })
    }
}

impl End {
    /// What is missing of the levels, in money.
    #[must_use]
    pub fn missing(&self, levels: &[Joules]) -> Euros {
        let missing =
            self.levels.iter().zip(levels).map(|(asked, level)| (*asked - *level).max(Joules::ZERO));
        self.price * missing.sum::<Joules>()
    }
}

impl Run {
    /// Money of all hours.
    #[must_use]
    pub fn money(&self) -> Money {
        self.flows.iter().fold(Money::default(), |mut sum, flows| {
            sum += flows.money;
            sum
        })
    }

    /// Carbon of all hours.
    #[must_use]
    pub fn carbon(&self) -> Carbon {
        self.flows.iter().fold(Carbon::default(), |mut sum, flows| {
            sum += flows.carbon;
            sum
        })
    }

    /// Renewable energy factor, REF of EN 50600-4-3 and ISO/IEC 30134-3: renewable energy that is the site's by certificates or
    /// made behind its meter, over what the site took, at most 1; `None` where it took nothing. The grid's own mix counts nothing,
    /// and certificates count in the hour in which their energy was made, which is stricter than the standards' year.
    #[must_use]
    pub fn renewable(&self) -> Option<f64> {
        let (renewable, taken) =
            self.flows.iter().fold((Joules::ZERO, Joules::ZERO), |(renewable, taken), flows| {
                (renewable + flows.renewable, taken + flows.taken())
            });
        (taken > Joules::ZERO).then(|| (renewable / taken).min(1.0))
    }

    /// All that it cost, with what is missing at the end.
    #[must_use]
    pub fn cost(&self) -> Euros {
        self.money().total() + self.missing
    }

    /// How much dearer it was than the optimum of the same hours and end.
    #[must_use]
    pub fn regret(&self, optimum: &Self) -> Regret {
        let (best, cost) = (optimum.cost(), self.cost() - optimum.cost());
        let share = (best != Euros::ZERO).then(|| cost.0 / best.0.abs());
        Regret { cost, share }
    }
}
