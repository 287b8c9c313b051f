//! What gives heat to the air outside: dry coolers, dry coolers behind wet pads, open towers.
//!
//! All are counterflow exchangers of equal capacity flows, as at their rating: then what drives them is the same at both ends,
//! and goes with heat over air flow. For dry ones that is a difference of temperatures, for towers one of enthalpies of
//! saturated air (Merkel 1925; Braun, Klein and Mitchell 1989, ASHRAE Transactions 95(2), 164–174). Besides, air can
//! carry no more heat than makes it as warm, or as rich, as the water that comes in. Fans follow the fan laws: power with the cube
//! of speed, mass flow with density.

use super::Outside;
use super::pump::WATER_HEAT;
use super::water::{Basin, LATENT, Water};
use crate::air::{
    humidity_ratio, newton, saturated_between, saturated_enthalpy, saturated_enthalpy_and_growth,
    saturation_pressure,
};
use crate::quantity::{Celsius, JoulesPerKilogram, Kelvin, KilogramsPerSecond, Pascals, Watts};
use crate::range::{OutOfRange, within};

/// Pads that wet the air in front of a dry cooler.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pads {
    /// How far they bring the dry bulb towards the wet bulb, of the way.
    pub effect: f64,
    /// Their water.
    pub basin: Basin,
}

/// An open tower.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tower {
    /// The wet bulb that it is rated at.
    pub wet_bulb: Celsius,
    /// Its water.
    pub basin: Basin,
}

/// What gives heat to the air.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rejection {
    /// How far the water that leaves is above the dry bulb, or the wet bulb of a tower, at rated heat and full fans.
    pub approach: Kelvin,
    /// What the fans draw at full speed in air of 1.2 kg/m³.
    pub fans: Watts,
    /// Wet pads; fans go to full speed before water is used.
    pub pads: Option<Pads>,
    /// Where it is an open tower.
    pub tower: Option<Tower>,
}

/// What it is asked: to take a share of the rated heat from a share of the rated flow of water, which comes in and is to leave
/// so warm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Task {
    pub(super) rated: Watts,
    pub(super) rise: Kelvin,
    pub(super) flow: f64,
    pub(super) heat: f64,
    pub(super) arriving: Celsius,
    pub(super) leaving: Celsius,
    /// What a tower is at its rating, in this air.
    pub(super) tower: Option<Rated>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Effort {
    pub(super) fans: Watts,
    pub(super) water: Water,
}

/// Above this, saturated air is no model any more; a tower takes water to be no warmer.
const WARMEST: Celsius = Celsius(75.0);

impl Rejection {
    /// What it is at its rating, where it is a tower.
    pub(super) fn rated(&self, rise: Kelvin, pressure: Pascals) -> Option<Rated> {
        let wet_bulb = self.tower.as_ref()?.wet_bulb;
        let at = |temperature: Celsius| saturated_enthalpy(temperature, pressure);
        let air = at(wet_bulb);
        let leaving = wet_bulb + self.approach;
        let drive = at(leaving) - air;
        // Equal capacity flows: the hot end is driven by as much as the cold one.
        Some(Rated { drive, air_rise: at(leaving + rise) - drive - air })
    }

    /// The flow of air at full speed, of the rated one by mass.
    pub(super) fn flow_max(&self, outside: &Outside, working: f64) -> f64 {
        working * outside.density
    }

    /// The most of the rated heat that it can take with a flow of air from water that arrives so warm.
    pub(super) fn most(&self, task: &Task, outside: &Outside, flow: f64, pads: PadUse) -> f64 {
        if flow <= 0.0 || task.flow <= 0.0 {
            return 0.0;
        }
        if let Some(rated) = &task.tower {
            return most_of_tower(rated, task, outside, flow);
        }
        let air = self.air_in(outside, if pads == PadUse::Full { 1.0 } else { 0.0 });
        let drive = (task.arriving - air).max(Kelvin::ZERO);
        // With the share s of the rated heat, water leaves rise · s/water cooler; what drives the cold end is approach · s/flow.
        let cold_end = drive / (self.approach / flow + task.rise / task.flow);
        cold_end.min(flow * (drive / task.rise))
    }

    /// Whether it can take the heat of a task with a flow of air; quicker than to ask for the most.
    pub(super) fn can(&self, task: &Task, outside: &Outside, flow: f64, pads: PadUse) -> bool {
        let Some(rated) = &task.tower else { return self.most(task, outside, flow, pads) >= task.heat };
        if flow <= 0.0 || task.heat <= 0.0 || task.arriving > WARMEST {
            return task.heat <= self.most(task, outside, flow, pads);
        }
        richness(task.leaving, outside).0 >= rated.drive.0 * task.heat / flow
            && richness(task.arriving, outside).0 * flow >= rated.air_rise.0 * task.heat
    }

    /// The flow of air at which a little more of it costs as much as it saves, where each watt that is left over costs `price`.
    ///
    /// With fans P·u³ and heat q(u) = N/(A/u + R) the cost is least where R·u² + A·u = √(price·N·A/(3P)); where the air
    /// can carry no more, q(u) = u·N/C, it is least where 3P·u² = price·N/C. Saturated air is taken as linear between both ends.
    pub(super) fn best_flow(&self, task: &Task, outside: &Outside, working: f64, price: f64) -> f64 {
        let (drive, cold, hot, carried) = match &task.tower {
            Some(rated) => {
                let drive = richness(task.arriving, outside).0;
                let fall = drive - richness(task.arriving - task.rise, outside).0;
                (drive, rated.drive.0, fall / task.flow, rated.air_rise.0)
            }
            None => {
                let drive = (task.arriving - outside.dry_bulb).0;
                (drive, self.approach.0, task.rise.0 / task.flow, task.rise.0)
            }
        };
        if drive <= 0.0 || self.fans <= Watts::ZERO {
            return if drive <= 0.0 { 0.0 } else { f64::INFINITY };
        }
        let worth = price * (task.rated / self.fans_by_cube(outside, working)) * drive / 3.0;
        let root = (worth * cold).sqrt();
        let by_cold_end = 2.0 * root / (cold + (cold * cold + 4.0 * hot * root).sqrt());
        let crossing = (carried - cold) / hot;
        if by_cold_end >= crossing { by_cold_end } else { (worth / carried).sqrt().min(crossing) }
    }

    /// Takes a share of the rated heat that it can take: fans as slow as that allows, then pads as dry.
    pub(super) fn work(&self, task: &Task, outside: &Outside, working: f64) -> Effort {
        let flow_max = self.flow_max(outside, working);
        if task.heat <= 0.0 || flow_max <= 0.0 {
            return Effort::default();
        }
        match &self.tower {
            Some(tower) => self.work_of_tower(&tower.basin, task, outside, flow_max, working),
            None => self.work_dry(task, outside, flow_max, working),
        }
    }

    fn work_dry(&self, task: &Task, outside: &Outside, flow_max: f64, working: f64) -> Effort {
        let needed = |air: Celsius| {
            let cold_end = self.approach * task.heat / (task.leaving - air);
            let carried = task.rise * task.heat / (task.arriving - air);
            if task.leaving <= air { f64::INFINITY } else { cold_end.max(carried) }
        };
        let flow = needed(self.air_in(outside, 0.0)).min(flow_max);
        let fans = self.fan_draw(flow, outside, working);
        let Some(pads) = self.pads.filter(|_| flow >= flow_max) else {
            return Effort { fans, water: Water::default() };
        };
        // How cool the air has to come in at full flow, by either end.
        let by_cold_end = task.leaving - self.approach * (task.heat / flow);
        let by_carrying = task.arriving - task.rise * (task.heat / flow);
        let wanted = (outside.dry_bulb - by_cold_end).max(outside.dry_bulb - by_carrying);
        let cooled = wanted.max(Kelvin::ZERO).min(outside.dry_bulb - self.air_in(outside, 1.0));
        // Air as heavy as warms by the rated rise with the rated heat, and is cooled at constant enthalpy.
        let evaporated = KilogramsPerSecond(task.rated.0 / task.rise.0 * flow * cooled.0 / LATENT);
        Effort { fans, water: pads.basin.water(evaporated, evaporated) }
    }

    fn work_of_tower(
        &self,
        basin: &Basin,
        task: &Task,
        outside: &Outside,
        most: f64,
        working: f64,
    ) -> Effort {
        let Some(rated) = &task.tower else { return Effort::default() };
        let drive = richness(task.leaving, outside);
        let cold_end = rated.drive * task.heat / drive;
        let carried = rated.air_rise * task.heat / richness(task.arriving, outside);
        let flow = if drive <= JoulesPerKilogram::ZERO { most } else { cold_end.max(carried).min(most) };
        let air = task.rated / rated.air_rise * flow;
        // Air leaves saturated with what it took; it can not leave richer than the water that comes in.
        let given = (task.rated * task.heat / air).min(richness(task.arriving, outside));
        let between = (outside.wet_bulb, task.arriving.max(outside.wet_bulb));
        let out = saturated_between(outside.enthalpy + given, outside.pressure, between);
        let gained = humidity_ratio(saturation_pressure(out), outside.pressure) - outside.humidity_ratio;
        let circulating = KilogramsPerSecond(task.rated.0 * task.flow / (WATER_HEAT * task.rise.0));
        let water = basin.water(air * gained, circulating);
        Effort { fans: self.fan_draw(flow, outside, working), water }
    }

    fn fan_draw(&self, flow: f64, outside: &Outside, working: f64) -> Watts {
        self.fans_by_cube(outside, working) * (flow * flow * flow)
    }

    /// What they draw over the cube of flow: of so many working cells, each turns at flow / (cells · density), and draws with the
    /// cube of that and with density.
    fn fans_by_cube(&self, outside: &Outside, working: f64) -> Watts {
        let reach = working * outside.density;
        self.fans / (reach * reach)
    }

    /// The air that comes in, with pads wet for a share of the time.
    fn air_in(&self, outside: &Outside, wet: f64) -> Celsius {
        let effect = self.pads.map_or(0.0, |pads| pads.effect);
        outside.dry_bulb - (outside.dry_bulb - outside.wet_bulb) * (effect * wet)
    }

    pub(super) fn flaw(&self) -> Result<(), OutOfRange> {
        within("approach", self.approach.0, 0.5..=30.0, "K")?;
        within("fans", self.fans.0, 0.0..=1e12, "W")?;
        if let Some(pads) = &self.pads {
            within("effect", pads.effect, 0.0..=1.0, "")?;
            pads.basin.flaw()?;
        }
        if let Some(tower) = &self.tower {
            within("wet_bulb", tower.wet_bulb.0, 0.0..=35.0, "degC")?;
            tower.basin.flaw()?;
        }
        Ok(())
    }
}

/// Whether pads may be wet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PadUse {
    None,
    Full,
}

/// The most that a tower takes with a flow of air.
fn most_of_tower(rated: &Rated, task: &Task, outside: &Outside, flow: f64) -> f64 {
    let arriving = task.arriving.0.min(WARMEST.0);
    if arriving <= outside.wet_bulb.0 {
        return 0.0;
    }
    // The leaving water t at which both ends fit: richness(t) = drive · share/flow with share = water · (arriving − t)/rise.
    let by_kelvin = rated.drive.0 * task.flow / (task.rise.0 * flow);
    let step = |t: f64| {
        let (enthalpy, growth) = saturated_enthalpy_and_growth(Celsius(t), outside.pressure);
        (enthalpy.0 - outside.enthalpy.0 - by_kelvin * (arriving - t), growth + by_kelvin)
    };
    let leaving = newton(step, outside.wet_bulb.0, arriving);
    let carried = flow * (richness(task.arriving, outside) / rated.air_rise).max(0.0);
    (task.flow * (arriving - leaving) / task.rise.0).min(carried)
}

/// By how much saturated air at the water's temperature is richer than the air outside.
fn richness(water: Celsius, outside: &Outside) -> JoulesPerKilogram {
    let water = Celsius(water.0.min(WARMEST.0));
    saturated_enthalpy(water, outside.pressure) - outside.enthalpy
}

/// A tower at its rating.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rated {
    /// What drives the cold end.
    drive: JoulesPerKilogram,
    /// What each kilogram of air takes up.
    air_rise: JoulesPerKilogram,
}
