//! One circuit: a loop that stores heat, its pumps and exchanger, and what takes the heat away.
//!
//! Heat passes the loop as through a mixed tank: what arrives at the plant follows what was put in with the time that water takes
//! to become one rise warmer, so that cooling follows a cut with delay. The plant keeps the supply at its set point while it
//! can; when it can not, the supply becomes warmer until it can, or up to [`SUPPLY_MAX`]. Both are solved so that any
//! time step is stable: the first exactly, the second implicitly.

use super::chiller::Chiller;
use super::rejection::{PadUse, Rated, Task};
use super::{Outside, Pumps, Rejection, Reuse, Reused, Water, Working};
use crate::air::root;
use crate::quantity::{Celsius, JoulesPerKelvin, Kelvin, KilogramsPerSecond, Seconds, Watts};
use crate::range::{OutOfRange, within};

/// The warmest supply that the model knows. Equipment has long switched off by then (ASHRAE's widest class of liquid, W+, ends
/// above 45 °C); heat that is left over is said to be uncooled.
pub const SUPPLY_MAX: Celsius = Celsius(75.0);

/// A design of a circuit.
#[derive(Debug, Clone, PartialEq)]
pub struct Circuit {
    /// The heat that it is rated for.
    pub rated: Watts,
    /// What the supply is kept at.
    pub supply: Celsius,
    /// How much warmer water comes back; flow follows the heat so that it stays.
    pub rise: Kelvin,
    /// What loop and tanks take to become a kelvin warmer.
    pub inertia: JoulesPerKelvin,
    /// How much colder water of the rejection has to be than the supply, at rated heat; it goes with the heat.
    pub exchanger: Kelvin,
    /// What moves the water.
    pub pumps: Pumps,
    /// What gives the heat to the air.
    pub rejection: Rejection,
    /// What does the rest.
    pub chiller: Option<Chiller>,
}

/// What a circuit knows from one step to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loop {
    /// Heat that arrives at the plant.
    pub carried: Watts,
    /// How warm the supply is.
    pub supply: Celsius,
}

/// By what means a circuit is cooled, from little to much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// By the air outside alone.
    Free,
    /// With wet pads.
    Wet,
    /// With chillers behind what the air takes.
    Trim,
    /// With chillers alone: outside is warmer than the water.
    Chilled,
    /// With chillers at their end, and as much by the air as is left.
    Full,
    /// Not enough: the supply is warmer than it should be.
    Short,
}

/// What flows in a circuit, on average over a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CircuitFlows {
    /// By what means.
    pub mode: Mode,
    /// How warm the supply is behind the step.
    pub supply: Celsius,
    /// Heat that was put in, that of the pumps included.
    pub heat: Watts,
    /// Of it, given to the air by what rejects heat.
    pub rejected: Watts,
    /// Of it, taken by chillers.
    pub chilled: Watts,
    /// Of it, given to a network.
    pub reused: Reused,
    /// Of it, stored in the loop; below zero where the loop gave it back.
    pub stored: Watts,
    /// Of it, what nothing took.
    pub uncooled: Watts,
    /// What compressors draw.
    pub compressors: Watts,
    /// What fans of the rejection draw, and fans and pumps of condensers.
    pub fans: Watts,
    /// What pumps draw.
    pub pumps: Watts,
    /// Water.
    pub water: Water,
}

/// What a circuit comes to in a step.
#[derive(Debug, Clone, Copy)]
struct Settled {
    /// How warm the supply is behind it.
    supply: Celsius,
    /// How warm it is while heat is taken away; the same but for rounding.
    at: Celsius,
    /// Heat that warmed it; below zero where it gave heat back.
    warmed: Watts,
    /// Heat that is taken away.
    removed: Watts,
    /// Heat that the water flows for.
    flow: Watts,
}

/// A time step, or for ever.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Span {
    Step(Seconds),
    Steady,
}

/// What surrounds a circuit in a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) outside: &'a Outside,
    pub(crate) working: Working,
    pub(crate) reuse: Option<&'a Reuse>,
    pub(crate) span: Span,
    /// What the tower of the circuit is at its rating; the circuit fills it in.
    pub(crate) tower: Option<Rated>,
}

impl Circuit {
    /// The circuit that nothing went through, at its set point.
    pub(crate) fn still(&self) -> Loop {
        Loop { carried: Watts::ZERO, supply: self.supply }
    }

    /// How long heat takes through the loop.
    pub(crate) fn delay(&self) -> Seconds {
        (self.inertia * self.rise) / self.rated
    }

    /// One step, or what it comes to if all stays.
    pub(crate) fn step(&self, before: &Loop, heat: Watts, around: &Around) -> (Loop, CircuitFlows) {
        let tower = self.rejection.rated(self.rise, around.outside.pressure);
        let around = &Around { tower, ..*around };
        // Flow follows what is put in; pumps warm the loop with what they draw.
        let pumps = self.pumps.draw(self.rated, self.rise, heat / self.rated);
        let heat = heat + pumps;
        let (carried, arriving, delayed) = self.pass(before.carried, heat, around.span);
        // By the set point: a supply that became too warm is no promise to a network.
        let returning = self.supply + self.rise;
        let reused = around
            .reuse
            .map_or(Reused::default(), |reuse| reuse.take(arriving, returning, self.supply, around.outside));
        let left = arriving - reused.taken;
        let settled = self.settle(before.supply, left, around);
        let supply = settled.supply;
        let mut flows = self.remove(&settled, around);
        flows.supply = supply;
        flows.heat = heat;
        flows.reused = reused;
        flows.stored = delayed + settled.warmed;
        flows.pumps = pumps;
        // What is left over by rounding, or by a supply that can not become warmer.
        flows.uncooled = left - settled.warmed - flows.rejected - flows.chilled;
        (Loop { carried, supply }, flows)
    }

    /// What arrives behind the step, what arrived on average, and what the loop stored of it: a mixed tank, solved exactly.
    fn pass(&self, carried: Watts, heat: Watts, span: Span) -> (Watts, Watts, Watts) {
        let Span::Step(time) = span else { return (heat, heat, Watts::ZERO) };
        let steps = time / self.delay();
        let left = -libm::expm1(-steps);
        let mean = if steps > 0.0 { left / steps } else { 1.0 };
        let behind = heat + (carried - heat) * (1.0 - left);
        let arriving = heat + (carried - heat) * mean;
        (behind, arriving, heat - arriving)
    }

    /// How warm the supply is behind a step, what is taken away in it, and the heat that water flows for.
    fn settle(&self, from: Celsius, left: Watts, around: &Around) -> Settled {
        match around.span {
            Span::Steady => self.settle_for_ever(left, around),
            Span::Step(time) => self.settle_within(time, from, left, around),
        }
    }

    fn settle_for_ever(&self, left: Watts, around: &Around) -> Settled {
        if self.can(left, left, self.supply, around) {
            return Settled {
                supply: self.supply,
                at: self.supply,
                warmed: Watts::ZERO,
                removed: left,
                flow: left,
            };
        }
        let excess = |t: f64| (self.most(left, Celsius(t), around) - left).0;
        let supply = Celsius(root(excess, self.supply.0, SUPPLY_MAX.0));
        Settled {
            supply,
            at: supply,
            warmed: Watts::ZERO,
            removed: left.min(self.most(left, supply, around)),
            flow: left,
        }
    }

    fn settle_within(&self, time: Seconds, from: Celsius, left: Watts, around: &Around) -> Settled {
        // Back to the set point within the step or one delay, whichever is longer.
        let back = (from - self.supply) * (time.0 / time.max(self.delay()).0);
        let wanted = left + self.inertia * back / time;
        // A loop that is too warm gets no more water than its pumps are rated for.
        let flow = left.max(wanted.min(self.rated));
        let supply = from - back;
        if self.can(flow, wanted, supply, around) {
            return Settled { supply, at: supply, warmed: left - wanted, removed: wanted, flow };
        }
        let excess = |t: f64| {
            (self.inertia * (Celsius(t) - from) / time - left + self.most(flow, Celsius(t), around)).0
        };
        let at = Celsius(root(excess, supply.0, SUPPLY_MAX.0));
        let removed = self.most(flow, at, around);
        // What was taken away says how warm it became, not the other way about: a small part of a kelvin is much heat in a short
        // step. At its warmest the rest is uncooled.
        let became = from + (left - removed) * time / self.inertia;
        let supply = Celsius(became.0.clamp(self.supply.0, SUPPLY_MAX.0));
        let is_hottest = became > SUPPLY_MAX;
        let warmed = if is_hottest { self.inertia * (supply - from) / time } else { left - removed };
        Settled { supply, at, warmed, removed, flow }
    }

    /// The most that can be taken away at a flow of water and a supply.
    fn most(&self, flow: Watts, supply: Celsius, around: &Around) -> Watts {
        let task = self.task(flow, Watts::ZERO, supply, around);
        let air = self.rejection.flow_max(around.outside, around.working.rejection);
        self.rated * self.rejection.most(&task, around.outside, air, PadUse::Full) + self.chillers(around)
    }

    /// Whether so much can be taken away at a flow of water and a supply.
    fn can(&self, flow: Watts, heat: Watts, supply: Celsius, around: &Around) -> bool {
        if heat <= self.chillers(around) {
            return true;
        }
        let air = self.rejection.flow_max(around.outside, around.working.rejection);
        self.rejection.can(&self.task(flow, heat, supply, around), around.outside, air, PadUse::Full)
            || self.most(flow, supply, around) >= heat
    }

    /// What chillers can take; where a tower takes their heat, no more than what is left of that.
    fn chillers(&self, around: &Around) -> Watts {
        let Working { chillers, rejection } = around.working;
        let left = if self.rejection.tower.is_some() { chillers.min(rejection) } else { chillers };
        self.chiller.map_or(Watts::ZERO, |chiller| chiller.most * left)
    }

    /// The water at the rejection for a flow that is to lose so much heat.
    fn task(&self, flow: Watts, heat: Watts, supply: Celsius, around: &Around) -> Task {
        let share = flow / self.rated;
        let arriving = supply - self.exchanger * share + self.rise;
        let cooled = if flow > Watts::ZERO { self.rise * (heat / flow) } else { self.rise };
        Task {
            rated: self.rated,
            rise: self.rise,
            flow: share,
            heat: heat / self.rated,
            arriving,
            leaving: arriving - cooled,
            tower: around.tower,
        }
    }

    /// Takes heat away. Without chillers: the air outside, then pads. With them: as much by the air as is cheaper, and the rest by
    /// chillers as far as they go.
    fn remove(&self, settled: &Settled, around: &Around) -> CircuitFlows {
        let Settled { at: supply, flow, .. } = *settled;
        let removed = settled.removed.max(Watts::ZERO);
        let (rejected, mode) = self.divide(flow, removed, supply, around);
        let chilled = (removed - rejected).min(self.chillers(around));
        let task = self.task(flow, rejected, supply, around);
        let effort = self.rejection.work(&task, around.outside, around.working.rejection);
        let mut flows = CircuitFlows {
            mode: if supply - self.supply > Kelvin(1e-6) { Mode::Short } else { mode },
            supply,
            heat: Watts::ZERO,
            rejected,
            chilled,
            reused: Reused::default(),
            stored: Watts::ZERO,
            uncooled: Watts::ZERO,
            compressors: Watts::ZERO,
            fans: effort.fans,
            pumps: Watts::ZERO,
            water: effort.water,
        };
        self.chill(&mut flows, flow, around.outside);
        flows
    }

    /// How much of what is taken away goes to the air outside, and by what means the whole is done.
    fn divide(&self, flow: Watts, removed: Watts, supply: Celsius, around: &Around) -> (Watts, Mode) {
        let (outside, working) = (around.outside, around.working.rejection);
        let task = self.task(flow, removed, supply, around);
        let most = |air: f64, pads| self.rated * self.rejection.most(&task, outside, air, pads);
        let air_max = self.rejection.flow_max(outside, working);
        let chillers = self.chillers(around);
        let Some(chiller) = self.chiller.filter(|_| chillers > Watts::ZERO && flow > Watts::ZERO) else {
            let can = |pads| self.rejection.can(&task, outside, air_max, pads);
            return match () {
                () if can(PadUse::None) => (removed, Mode::Free),
                () if can(PadUse::Full) => {
                    (removed, if self.rejection.pads.is_some() { Mode::Wet } else { Mode::Free })
                }
                () => (removed.min(most(air_max, PadUse::Full)), Mode::Wet),
            };
        };
        if self.rejection.pads.is_some() {
            let wet = most(air_max, PadUse::Full);
            let mode = match () {
                () if removed <= most(air_max, PadUse::None) => Mode::Free,
                () if removed <= wet => Mode::Wet,
                () if wet > Watts::ZERO => Mode::Trim,
                () => Mode::Chilled,
            };
            return (removed.min(wet), mode);
        }
        let compressed = 1.0 / chiller.cop(self.leaving(flow), self.ambient(outside));
        let price = compressed + (1.0 + compressed) * chiller.condenser_draw;
        let air = self.rejection.best_flow(&task, outside, working, price).min(air_max);
        if self.rejection.can(&task, outside, air, PadUse::None) {
            return (removed, Mode::Free);
        }
        let cheapest = most(air, PadUse::None);
        match () {
            () if removed - cheapest > chillers => {
                ((removed - chillers).min(most(air_max, PadUse::None)), Mode::Full)
            }
            () if cheapest > Watts::ZERO => (cheapest, Mode::Trim),
            () => (Watts::ZERO, Mode::Chilled),
        }
    }

    /// The water that leaves a chiller: at the set point, since a supply that became warmer would only make it easier.
    fn leaving(&self, flow: Watts) -> Celsius {
        self.supply - self.exchanger * (flow / self.rated)
    }

    /// What condensers stand in.
    fn ambient(&self, outside: &Outside) -> Celsius {
        if self.rejection.tower.is_some() { outside.wet_bulb } else { outside.dry_bulb }
    }

    /// What the chillers draw and evaporate for what they take.
    fn chill(&self, flows: &mut CircuitFlows, flow: Watts, outside: &Outside) {
        let Some(chiller) = self.chiller.filter(|_| flows.chilled > Watts::ZERO) else { return };
        flows.compressors = flows.chilled / chiller.cop(self.leaving(flow), self.ambient(outside));
        let condensed = flows.chilled + flows.compressors;
        flows.fans += condensed * chiller.condenser_draw;
        if let Some(tower) = self.rejection.tower {
            let evaporated = condensed.0 / super::water::LATENT;
            let circulating = condensed.0 / (super::pump::WATER_HEAT * self.rise.0);
            flows.water += tower.basin.water(KilogramsPerSecond(evaporated), KilogramsPerSecond(circulating));
        }
    }

    pub(super) fn flaw(&self) -> Result<(), OutOfRange> {
        within("rated", self.rated.0, 1.0..=1e12, "W")?;
        within("supply", self.supply.0, 5.0..=60.0, "degC")?;
        within("rise", self.rise.0, 1.0..=40.0, "K")?;
        within("inertia", self.inertia.0, 1.0..=1e15, "J/K")?;
        within("exchanger", self.exchanger.0, 0.0..=20.0, "K")?;
        self.pumps.flaw()?;
        self.rejection.flaw()?;
        self.chiller.as_ref().map_or(Ok(()), Chiller::flaw)
    }
}
