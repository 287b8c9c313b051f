//! The indicators of EN 50600-4 and ISO/IEC 30134 over a window of time, and peaks and ramps of a series of power.
//!
//! PUE is EN 50600-4-2 and ISO/IEC 30134-2, REF -4-3 and -3, ERF -4-6 and -6, CUE -4-8 and -8, WUE -4-9 and -9. Sums go in and
//! ratios come out; a window of less than twelve months is marked as interim, as PUE's standard asks. Nothing is
//! estimated here, and where nothing was used there is no ratio.

mod ramp;

pub use ramp::{Ramps, peak, ramps};

use crate::chain::Position;
use crate::facility::Flows;
use crate::quantity::{Joules, Kilograms, Seconds};

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

    /// The innermost position that no longer counts as equipment.
    #[must_use]
    pub fn from(self) -> Position {
        match self {
            Self::One => Position::Ups,
            Self::Two => Position::Distribution,
            Self::Three => Position::Cable,
        }
    }
}

/// What was used in a window.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sums {
    /// How long it is.
    pub time: Seconds,
    /// Energy of the whole site, at its meter.
    pub site: Joules,
    /// Energy of the equipment, as the category measures it.
    pub equipment: Joules,
    /// Of the energy of the site, what came from renewable sources.
    pub renewable: Joules,
    /// Heat that was used outside.
    pub reused: Joules,
    /// Water that was taken.
    pub water: Kilograms,
    /// Carbon dioxide (equivalent) that the energy of the site stands for.
    pub carbon: Kilograms,
    /// How long no compressor ran.
    pub free: Seconds,
}

impl Sums {
    /// Adds a step. Carbon and renewable energy are those of the supply, which this crate does not know: their shares come in.
    pub fn add(&mut self, flows: &Flows, time: Seconds, category: Category, supply: &Supply) {
        let site = flows.meter() * time;
        self.time += time;
        self.site += site;
        self.equipment += flows.supplied.equipment(category) * time;
        self.renewable += site * supply.renewable;
        self.reused += flows.reused() * time;
        self.water += flows.water().taken * time;
        self.carbon += Kilograms(site.as_kilowatt_hours() * supply.carbon_per_kilowatt_hour.0);
        self.free += if flows.is_free() { time } else { Seconds::ZERO };
    }
}

/// What a kilowatt-hour at the meter stands for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Supply {
    /// Share of it from renewable sources, 0 to 1.
    pub renewable: f64,
    /// Carbon dioxide (equivalent) for each.
    pub carbon_per_kilowatt_hour: Kilograms,
}

/// The indicators of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Indicators {
    /// Where the equipment's energy was measured.
    pub category: Category,
    /// Whether the window is shorter than twelve months, so that none of this is to be compared with years.
    pub interim: bool,
    /// Power usage effectiveness: energy of the site over that of the equipment.
    pub pue: f64,
    /// Water usage effectiveness (category 1, water taken at the site): litres for each kilowatt-hour of the equipment.
    pub wue: f64,
    /// Carbon usage effectiveness: kilograms for each kilowatt-hour of the equipment.
    pub cue: f64,
    /// Renewable energy factor: of the site's energy.
    pub renewable: f64,
    /// Energy reuse factor: heat used outside over the site's energy.
    pub reused: f64,
    /// Time without a compressor, of the window.
    pub free: f64,
}

/// Twelve months, by their shortest: 365 days.
const YEAR: Seconds = Seconds(365.0 * 86_400.0);

impl Indicators {
    /// The indicators of these sums; `None` where equipment or site used nothing, or no time passed.
    #[must_use]
    pub fn new(sums: &Sums, category: Category) -> Option<Self> {
        let is_any = sums.equipment > Joules::ZERO && sums.site > Joules::ZERO && sums.time > Seconds::ZERO;
        let kilowatt_hours = sums.equipment.as_kilowatt_hours();
        is_any.then(|| Self {
            category,
            // A second of grace for sums of many steps.
            interim: sums.time < YEAR - Seconds(1.0),
            pue: sums.site / sums.equipment,
            wue: sums.water.as_litres() / kilowatt_hours,
            cue: sums.carbon.0 / kilowatt_hours,
            renewable: sums.renewable / sums.site,
            reused: sums.reused / sums.site,
            free: sums.free / sums.time,
        })
    }
}

#[cfg(test)]
mod tests;
