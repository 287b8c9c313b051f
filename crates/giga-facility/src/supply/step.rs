//! One hour: what batteries are ordered to do is done as far as it can be, and the cheapest of the rest does what is left.

use std::ops::AddAssign;

use super::merit::{By, Merit, produced};
use super::part::{Battery, Origin, Parts, Terms};
use super::{HOUR, Hour, HourError, Supply, balance};
use crate::quantity::{Euros, Joules, Kilograms, Watts};

/// What a battery is to do in an hour, on average.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Order {
    /// To take from the site.
    pub charge: Watts,
    /// To give to the site.
    pub discharge: Watts,
}

/// Where energy, money and carbon of an hour went.
#[derive(Debug, Clone, PartialEq)]
pub struct Flows {
    /// What was asked for.
    pub load: Joules,
    /// Taken from the grid.
    pub imported: Joules,
    /// Fed into it.
    pub exported: Joules,
    /// Of each source.
    pub sources: Vec<SourceFlows>,
    /// Of each battery.
    pub batteries: Vec<BatteryFlows>,
    /// From backup.
    pub backup: Joules,
    /// Of the load, what nobody could supply for less than it is worth.
    pub unserved: Joules,
    /// What it cost.
    pub money: Money,
    /// What it emitted.
    pub carbon: Carbon,
    /// Of what came in, what was renewable by its certificates or was made behind the meter, and was not fed in.
    pub renewable: Joules,
}

impl Flows {
    /// What the site used, with what its batteries took and did not give back yet.
    #[must_use]
    pub fn taken(&self) -> Joules {
        let batteries: Joules =
            self.batteries.iter().map(|battery| battery.charged - battery.discharged).sum();
        self.load - self.unserved + batteries
    }
}

/// What became of what a source could make. Of one that stands elsewhere, all is used there.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SourceFlows {
    /// Taken by the site, its batteries or the grid.
    pub used: Joules,
    /// Not made though it could have been.
    pub curtailed: Joules,
}

/// What went through a battery.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BatteryFlows {
    /// Taken from the site.
    pub charged: Joules,
    /// Given to the site.
    pub discharged: Joules,
    /// Lost by itself and in both conversions.
    pub lost: Joules,
    /// What it held at the beginning of the hour.
    pub before: Joules,
    /// What it holds at the end.
    pub level: Joules,
}

/// Money by part; what is earned is below zero, and the sum is what the hour cost.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Money {
    /// For energy taken from the grid.
    pub import: Euros,
    /// For energy fed in: below zero where that is paid.
    pub export: Euros,
    /// Settlement of base load and of sources elsewhere.
    pub contracts: Euros,
    /// For sources behind the meter.
    pub sources: Euros,
    /// For fuel.
    pub backup: Euros,
    /// Of batteries.
    pub wear: Euros,
    /// What the load that was not supplied would have been worth.
    pub unserved: Euros,
}

impl Money {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> Euros {
        self.parts().into_iter().sum()
    }

    /// What was or has to be paid: all but the worth of what was not supplied.
    #[must_use]
    pub fn bill(&self) -> Euros {
        self.total() - self.unserved
    }

    pub(super) fn parts(&self) -> [Euros; 7] {
        let Self { import, export, contracts, sources, backup, wear, unserved } = *self;
        [import, export, contracts, sources, backup, wear, unserved]
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.import += other.import;
        self.export += other.export;
        self.contracts += other.contracts;
        self.sources += other.sources;
        self.backup += other.backup;
        self.wear += other.wear;
        self.unserved += other.unserved;
    }
}

/// Carbon in both ways of the GHG Protocol's Scope 2 Guidance (World Resources Institute 2015), with the direct carbon of the
/// site's own sources and backup (its Scope 1) in both. What is fed in is credited in neither.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Carbon {
    /// Location-based: what is taken from the grid counts as the grid's average.
    pub location: Kilograms,
    /// Market-based: contracts with an origin and sources elsewhere count with their own carbon, as much as they give in the same
    /// hour and at most what is taken; the rest as the residual mix. The Guidance asks for certificates from as near in time
    /// as possible; a year is common.
    pub market: Kilograms,
}

impl AddAssign for Carbon {
    fn add_assign(&mut self, other: Self) {
        self.location += other.location;
        self.market += other.market;
    }
}

/// A step can not be made.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum StepError {
    /// The hour can not be.
    #[error(transparent)]
    Hour(#[from] HourError),
    /// There is not one level and one order for each battery.
    #[error("{levels} levels and {orders} orders for {batteries} batteries; give one of each")]
    Count {
        /// Levels that came in.
        levels: usize,
        /// Orders that came in.
        orders: usize,
        /// Batteries that there are.
        batteries: usize,
    },
    /// A level or an order is no number.
    #[error("the level or the order of battery {battery} is no number")]
    NoNumber {
        /// Which battery, from 0.
        battery: usize,
    },
}

impl Supply {
    /// One hour from these levels, and where it went; levels at its end are in the flows.
    ///
    /// An order is carried out as far as powers, capacity and level allow, and as the site can take or give so much. Sources, grid,
    /// backup and nobody serve the rest in the order of their prices.
    ///
    /// # Errors
    /// Says what of the hour can not be, or that levels or orders are not one for each battery, or are no numbers.
    ///
    /// # Panics
    /// Panics where energy or money does not balance, which would be a fault of the model.
    pub fn step(&self, levels: &[Joules], hour: &Hour, orders: &[Order]) -> Result<Flows, StepError> {
        self.check(hour)?;
        let batteries = &self.parts().batteries;
        let (count, levels_count, orders_count) = (batteries.len(), levels.len(), orders.len());
        if levels_count != count || orders_count != count {
            return Err(StepError::Count { levels: levels_count, orders: orders_count, batteries: count });
        }
        let is_number = |(level, order): (&Joules, &Order)| {
            level.0.is_finite() && order.charge.0.is_finite() && order.discharge.0.is_finite()
        };
        if let Some(battery) = levels.iter().zip(orders).position(|pair| !is_number(pair)) {
            return Err(StepError::NoNumber { battery });
        }
        Ok(self.flow(levels, hour, orders))
    }

    /// The same for what was checked.
    pub(super) fn flow(&self, levels: &[Joules], hour: &Hour, orders: &[Order]) -> Flows {
        let parts = self.parts();
        let merit = Merit::new(parts, hour);
        let batteries = carry_out(&parts.batteries, levels, hour, orders, &merit);
        let load = hour.load * HOUR;
        let demand = load + batteries.iter().map(|battery| battery.charged - battery.discharged).sum();
        let mut flows = Flows {
            load,
            imported: Joules::ZERO,
            exported: -merit.from,
            sources: sources(parts, hour),
            batteries,
            backup: Joules::ZERO,
            unserved: Joules::ZERO,
            money: Money::default(),
            carbon: Carbon::default(),
            renewable: Joules::ZERO,
        };
        for (rung, energy) in merit.served(demand) {
            match rung.by {
                By::Export => flows.exported = flows.exported - energy,
                By::Source(index) => {
                    flows.sources[index].used += energy;
                    flows.sources[index].curtailed = rung.energy - energy;
                }
                By::Import => flows.imported = energy,
                By::Backup => flows.backup = energy,
                By::Unserved => flows.unserved = energy,
            }
        }
        flows.money = money(parts, hour, &flows);
        (flows.carbon, flows.renewable) = origins(parts, hour, &flows);
        balance::hold(parts, hour, &flows, merit.cost_of(demand));
        flows
    }
}

/// Sources before any is used; those elsewhere are used there.
fn sources(parts: &Parts, hour: &Hour) -> Vec<SourceFlows> {
    let both = parts.sources.iter().zip(&hour.factors);
    both.map(|(source, factor)| match source.terms {
        Terms::Settled(_) => SourceFlows { used: produced(source.rated, *factor), curtailed: Joules::ZERO },
        Terms::Own(_) | Terms::Contracted(_) => SourceFlows::default(),
    })
    .collect()
}

/// Orders as they can be carried out.
fn carry_out(
    batteries: &[Battery],
    levels: &[Joules],
    hour: &Hour,
    orders: &[Order],
    merit: &Merit,
) -> Vec<BatteryFlows> {
    let each = || batteries.iter().zip(levels);
    let mut allowed: Vec<_> =
        each().zip(orders).map(|((battery, level), order)| battery.allowed(*level, order)).collect();
    cut(&mut allowed, batteries, levels, merit, hour.load * HOUR);
    let done = each().zip(allowed);
    done.map(|((battery, level), (charge, discharge))| battery.flow(*level, charge, discharge)).collect()
}

/// Cuts charging and discharging to what the site can give or take.
fn cut(
    allowed: &mut [(Joules, Joules)],
    batteries: &[Battery],
    levels: &[Joules],
    merit: &Merit,
    load: Joules,
) {
    let net: Joules = allowed.iter().map(|(charge, discharge)| *charge - *discharge).sum();
    let (excess, lack) = (merit.from - (load + net), load + net - merit.to());
    if excess > Joules::ZERO {
        // Batteries that give more than they take give less, and none comes to take more than it gives: levels stay within.
        let given = |(charge, discharge): (Joules, Joules)| (discharge - charge).max(Joules::ZERO);
        let share = excess / allowed.iter().copied().map(given).sum::<Joules>();
        for pair in allowed {
            pair.1 = pair.1 - given(*pair) * share.min(1.0);
        }
    } else if lack > Joules::ZERO {
        let taken = |(charge, discharge): (Joules, Joules)| (charge - discharge).max(Joules::ZERO);
        let share = (lack / allowed.iter().copied().map(taken).sum::<Joules>()).min(1.0);
        for ((battery, level), pair) in batteries.iter().zip(levels).zip(allowed) {
            *pair = battery.taking_less(*level, *pair, taken(*pair) * share);
        }
    }
}

impl Battery {
    /// What of an order powers, capacity and level allow.
    fn allowed(&self, level: Joules, order: &Order) -> (Joules, Joules) {
        let rest = self.rest(level);
        let mut charge = order.charge.min(self.charge).max(Watts::ZERO) * HOUR;
        let mut discharge = order.discharge.min(self.discharge).max(Watts::ZERO) * HOUR;
        let after = rest + charge * self.charge_efficiency - discharge / self.discharge_efficiency;
        if after > self.capacity {
            let room = self.capacity - rest + discharge / self.discharge_efficiency;
            charge = charge.min(room / self.charge_efficiency).max(Joules::ZERO);
        } else if after < Joules::ZERO {
            let held = rest + charge * self.charge_efficiency;
            discharge = discharge.min(held * self.discharge_efficiency).max(Joules::ZERO);
        }
        (charge, discharge)
    }

    /// The same with so much less taken from the site, of what is charged beyond what is discharged: less is charged until the level
    /// would be empty, and from there on less of both, so that it stays so.
    fn taking_less(
        &self,
        level: Joules,
        (charge, discharge): (Joules, Joules),
        less: Joules,
    ) -> (Joules, Joules) {
        let after =
            self.rest(level) + charge * self.charge_efficiency - discharge / self.discharge_efficiency;
        let first = less.min(after.max(Joules::ZERO) / self.charge_efficiency);
        let lost = 1.0 - self.round_trip();
        // Without losses a battery that takes more than it gives is never empty.
        let both = if lost > 0.0 { (less - first) / lost } else { Joules::ZERO };
        let charge = (charge - first - both).max(Joules::ZERO);
        (charge, (discharge - both * self.round_trip()).max(Joules::ZERO))
    }

    /// What is left of a level before anything is charged.
    pub(super) fn rest(&self, level: Joules) -> Joules {
        level.max(Joules::ZERO).min(self.capacity) * self.kept()
    }

    fn flow(&self, level: Joules, charged: Joules, discharged: Joules) -> BatteryFlows {
        let before = level.max(Joules::ZERO).min(self.capacity);
        let let_out = discharged / self.discharge_efficiency;
        let after = before * self.kept() + charged * self.charge_efficiency - let_out;
        let lost =
            before * self.self_discharge + charged * (1.0 - self.charge_efficiency) + (let_out - discharged);
        // Only the last bits of the sums above can lie outside.
        let level = after.max(Joules::ZERO).min(self.capacity);
        BatteryFlows { charged, discharged, lost, before, level }
    }
}

fn money(parts: &Parts, hour: &Hour, flows: &Flows) -> Money {
    let prices = &hour.prices;
    let wear = parts.batteries.iter().zip(&flows.batteries);
    let mut money = Money {
        import: prices.import * flows.imported,
        export: prices.export * -flows.exported,
        contracts: Euros::ZERO,
        sources: Euros::ZERO,
        backup: parts.backup.map_or(Euros::ZERO, |backup| backup.price * flows.backup),
        wear: wear.map(|(battery, flows)| battery.wear * flows.discharged).sum(),
        unserved: parts.lost_load * flows.unserved,
    };
    for contract in &parts.contracts {
        money.contracts += (contract.price - prices.spot) * (contract.power * HOUR);
    }
    for (source, flows) in parts.sources.iter().zip(&flows.sources) {
        match source.terms {
            Terms::Own(running) => money.sources += running * flows.used,
            Terms::Contracted(price) => money.sources += price * (flows.used + flows.curtailed),
            Terms::Settled(price) => money.contracts += (price - prices.spot) * flows.used,
        }
    }
    money
}

/// What comes with an origin.
#[derive(Default)]
struct Named {
    energy: Joules,
    renewable: Joules,
    carbon: Kilograms,
}

impl Named {
    fn add(&mut self, energy: Joules, origin: Origin) {
        self.energy += energy;
        self.renewable += if origin.is_renewable { energy } else { Joules::ZERO };
        self.carbon += origin.carbon * energy;
    }
}

/// Carbon, and what was renewable.
fn origins(parts: &Parts, hour: &Hour, flows: &Flows) -> (Carbon, Joules) {
    let mut own = parts.backup.map_or(Kilograms::ZERO, |backup| backup.carbon * flows.backup);
    let mut behind = Joules::ZERO;
    let mut named = Named::default();
    for contract in &parts.contracts {
        if let Some(origin) = contract.origin {
            named.add(contract.power * HOUR, origin);
        }
    }
    for (source, flows) in parts.sources.iter().zip(&flows.sources) {
        match source.terms {
            Terms::Own(_) | Terms::Contracted(_) => {
                own += source.carbon * flows.used;
                behind += flows.used;
            }
            Terms::Settled(_) => named.add(flows.used, Origin { carbon: source.carbon, is_renewable: true }),
        }
    }
    let covered = named.energy.min(flows.imported);
    let share = if named.energy > Joules::ZERO { covered / named.energy } else { 0.0 };
    let carbon = Carbon {
        location: own + hour.carbon.grid * flows.imported,
        market: own + named.carbon * share + hour.carbon.residual * (flows.imported - covered),
    };
    (carbon, named.renewable * share + (behind - flows.exported).max(Joules::ZERO))
}
