//! A plain rule that looks at the prices of the day and at the hour: what an operator could do by hand.
//!
//! Each day the cheapest and the dearest hour are paired, then the next two, as long as the spread pays for losses and wear and
//! the battery is not filled or emptied by the hours before. In cheap hours it charges, in dear ones it discharges, for the
//! site's own use alone. A reserve stays for hours in which connection and sources do not reach; those come first in any hour.
//! What would be curtailed is charged. On the last day the level that is asked for at the end is kept as a reserve.

use super::merit::{By, Merit};
use super::part::Battery;
use super::run::{End, RunError};
use super::{HOUR, Hour, Order, Supply};
use crate::quantity::{EurosPerJoule, Joules, Watts};

/// A rule by the day's prices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Share of each battery's capacity that stays for hours in which connection and sources do not reach; 0 to 1.
    pub reserve: f64,
    /// The hour of the day, from 0, of the first hour.
    pub first: usize,
}

const DAY: usize = 24;

/// What the day's prices say of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Cheap,
    Neither,
    Dear,
}

impl Rule {
    /// Orders for all hours.
    ///
    /// # Errors
    /// Names the hour or the levels that can not be.
    ///
    /// # Panics
    /// As [`Supply::step`].
    pub fn orders(&self, supply: &Supply, hours: &[Hour], end: &End) -> Result<Vec<Vec<Order>>, RunError> {
        supply.check_hours(hours)?;
        supply.check_levels("end", &end.levels)?;
        let batteries = &supply.parts().batteries;
        let last_day = hours.len().saturating_sub(DAY);
        let mut levels = supply.begin();
        let mut orders = Vec::with_capacity(hours.len());
        let (rest, days) = hours.split_at(((DAY - self.first % DAY) % DAY).min(hours.len()));
        for day in std::iter::once(rest).chain(days.chunks(DAY)) {
            let marks: Vec<Vec<Mark>> = batteries.iter().map(|battery| marks(battery, day)).collect();
            for (index, hour) in day.iter().enumerate() {
                let is_last_day = orders.len() >= last_day;
                let merit = Merit::new(supply.parts(), hour);
                let mut state = Around::new(hour, &merit);
                let order = batteries.iter().enumerate().map(|(number, battery)| {
                    let reserve = battery.capacity * self.reserve.clamp(0.0, 1.0);
                    let asked = if is_last_day { end.levels[number] } else { Joules::ZERO };
                    let rest = battery.rest(levels[number]);
                    state.order(battery, marks[number][index], rest, reserve.max(asked))
                });
                let order: Vec<Order> = order.collect();
                let flows = supply.flow(&levels, hour, &order);
                levels = flows.batteries.iter().map(|battery| battery.level).collect();
                orders.push(order);
            }
        }
        Ok(orders)
    }
}

/// Cheap and dear hours of a day.
fn marks(battery: &Battery, day: &[Hour]) -> Vec<Mark> {
    let mut marks = vec![Mark::Neither; day.len()];
    let filled = battery.capacity / (battery.charge * HOUR * battery.charge_efficiency);
    let emptied = battery.capacity * battery.discharge_efficiency / (battery.discharge * HOUR);
    let price = |hour: usize| day[hour].prices.import;
    let mut by_price: Vec<usize> = (0..day.len()).collect();
    by_price.sort_by(|a, b| price(*a).0.total_cmp(&price(*b).0));
    for pair in 0..day.len() / 2 {
        let (cheap, dear) = (by_price[pair], by_price[day.len() - 1 - pair]);
        let needed = price(cheap) / battery.round_trip() + battery.wear;
        if needed >= price(dear) {
            break;
        }
        let before = pair as f64;
        if before < filled {
            marks[cheap] = Mark::Cheap;
        }
        if before < emptied {
            marks[dear] = Mark::Dear;
        }
    }
    marks
}

/// What is left for batteries to do in an hour.
struct Around {
    /// What sources behind the meter can make.
    made: Joules,
    /// What can be taken from the grid.
    import: Joules,
    /// What can be fed in for money.
    sold: Joules,
    /// Load, and what batteries before take or give.
    demand: Joules,
}

impl Around {
    fn new(hour: &Hour, merit: &Merit) -> Self {
        let sum = |of: fn(&By) -> bool| {
            merit.rungs.iter().filter(|rung| of(&rung.by)).map(|rung| rung.energy).sum::<Joules>()
        };
        let is_paid = hour.prices.export > EurosPerJoule::ZERO;
        Self {
            made: sum(|by| matches!(by, By::Source(_))),
            import: sum(|by| *by == By::Import),
            sold: if is_paid { -merit.from } else { Joules::ZERO },
            demand: hour.load * HOUR,
        }
    }

    /// The order for one battery, which changes what is left for the next.
    fn order(&mut self, battery: &Battery, mark: Mark, rest: Joules, reserve: Joules) -> Order {
        let room = self.made + self.import - self.demand;
        let own = (self.demand - self.made).max(Joules::ZERO);
        let above = (rest - reserve).max(Joules::ZERO) * battery.discharge_efficiency;
        let (mut charge, mut discharge) = (Joules::ZERO, Joules::ZERO);
        if room < Joules::ZERO {
            discharge = -room;
        } else if mark == Mark::Dear && rest > reserve {
            discharge = above.min(own);
        } else {
            let spare = self.made - self.demand - self.sold;
            let to = if mark == Mark::Cheap { battery.capacity } else { reserve };
            let wanted = (to - rest) / battery.charge_efficiency;
            let full = (battery.capacity - rest) / battery.charge_efficiency;
            charge = wanted.max(spare.min(full)).min(room).max(Joules::ZERO);
        }
        charge = charge.min(battery.charge * HOUR);
        discharge = discharge.min(battery.discharge * HOUR).min(rest * battery.discharge_efficiency);
        self.demand = self.demand + charge - discharge;
        let power = |energy: Joules| Watts(energy / (Watts(1.0) * HOUR));
        Order { charge: power(charge), discharge: power(discharge) }
    }
}
