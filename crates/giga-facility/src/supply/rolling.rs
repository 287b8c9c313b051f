//! An optimum of what is known, made anew every day: nothing that comes later is looked at.
//!
//! Prices of the day ahead, and with them load, weather and calls, are known until the end of the next day once they were
//! published, before that until the end of the day. Beyond, each hour is taken to be as that hour of the last known day. What is
//! left at the end of what is looked at is worth what energy of the mean price in it would be there; only where the last hour is
//! looked at, the end counts as it is asked for. So it is for batteries that are filled within what is looked at.

use super::optimum;
use super::part::Battery;
use super::run::{End, RunError};
use super::{Hour, Order, Supply};
use crate::quantity::{EurosPerJoule, Joules};

/// When it is decided and how far is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rolling {
    /// The hour of the day at which the next day is published, and at which is decided; it is also decided at the beginning.
    pub published: usize,
    /// Hours from one decision to the next.
    pub every: usize,
    /// Hours that each decision looks at.
    pub horizon: usize,
    /// The hour of the day, from 0, of the first hour.
    pub first: usize,
}

impl Default for Rolling {
    /// Each day at 13:00, when day-ahead prices of the European markets are out (results of the single day-ahead coupling, by
    /// 13:00 CET), for three days.
    fn default() -> Self {
        Self { published: 13, every: 24, horizon: 72, first: 0 }
    }
}

const DAY: usize = 24;

impl Rolling {
    /// Orders for all hours.
    ///
    /// # Errors
    /// Names what can not be, or what the solver ended as.
    ///
    /// # Panics
    /// As [`Supply::step`].
    pub fn orders(&self, supply: &Supply, hours: &[Hour], end: &End) -> Result<Vec<Vec<Order>>, RunError> {
        for (field, time) in [("every", self.every), ("horizon", self.horizon)] {
            if time == 0 {
                return Err(RunError::NoTime { field });
            }
        }
        supply.check_hours(hours)?;
        supply.check_levels("end", &end.levels)?;
        let mut levels = supply.begin();
        let mut orders = Vec::with_capacity(hours.len());
        while orders.len() < hours.len() {
            let now = orders.len();
            let seen = self.seen(now, hours);
            let is_last = now + seen.len() == hours.len();
            let window_end = if is_last { end.clone() } else { worth(&supply.parts().batteries, &seen) };
            let best = optimum::solve(supply.parts(), &seen, &levels, &window_end)?;
            let until = self.next(now).min(hours.len());
            for (hour, order) in hours[now..until].iter().zip(best.orders) {
                let flows = supply.flow(&levels, hour, &order);
                levels = flows.batteries.iter().map(|battery| battery.level).collect();
                orders.push(order);
            }
        }
        Ok(orders)
    }

    /// When it is decided again: never later than what is looked at.
    fn next(&self, now: usize) -> usize {
        let clock = now + self.first % DAY;
        let next = match clock.checked_sub(self.published) {
            None => now + (self.published - clock),
            Some(since) => now.saturating_add(self.every - since % self.every),
        };
        next.min(now.saturating_add(self.horizon))
    }

    /// What is taken to come from now on.
    fn seen<'a>(&self, now: usize, hours: &'a [Hour]) -> Vec<&'a Hour> {
        let (first, clock) = (self.first % DAY, now + self.first % DAY);
        let days = clock / DAY + if clock % DAY >= self.published { 2 } else { 1 };
        let known = days * DAY - first;
        let until = now.saturating_add(self.horizon).min(hours.len());
        // Of a first day that is not whole, the hours that there are come again.
        let last_day = known.min(DAY);
        let as_taken = |at: usize| if at < known { at } else { known - last_day + (at - known) % last_day };
        (now..until).map(|at| &hours[as_taken(at)]).collect()
    }
}

/// Every joule held at the end is worth the same: halfway between what it would save on its way out and what it would cost to
/// have again, both at the mean price, so that at that price alone it is neither given nor bought.
fn worth(batteries: &[Battery], seen: &[&Hour]) -> End {
    let prices: EurosPerJoule = seen.iter().map(|hour| hour.prices.import).sum();
    let mean = prices / seen.len() as f64;
    let of = |battery: &Battery| {
        ((mean - battery.wear) * battery.discharge_efficiency + mean / battery.charge_efficiency) * 0.5
    };
    let least = batteries.iter().map(of).fold(EurosPerJoule(f64::INFINITY), EurosPerJoule::min);
    let levels: Vec<Joules> = batteries.iter().map(|battery| battery.capacity).collect();
    End { levels, price: least.max(EurosPerJoule::ZERO) }
}
