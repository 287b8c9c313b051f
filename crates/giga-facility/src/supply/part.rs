//! The parts of a supply, each with the ranges it holds for, and figures to start from where a part has common ones.
//!
//! "technology-data" is the collection that PyPSA-Eur uses (costs for 2030), with the source that it names.

use crate::quantity::{EurosPerJoule, Joules, KilogramsPerJoule, Watts};
use crate::range::{OutOfRange, within};

/// Powers at the grid connection.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Connection {
    /// What may be taken for certain.
    pub firm: Watts,
    /// What may be taken beyond it unless it is called off.
    pub interruptible: Watts,
    /// What may be fed in.
    pub export: Watts,
}

/// Base load at a fixed price. It is settled in money: power × (price − spot) is on the bill, whatever is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contract {
    /// The same in every hour.
    pub power: Watts,
    /// The fixed price.
    pub price: EurosPerJoule,
    /// What certificates say of its energy; without them it counts as what is bought without a contract.
    pub origin: Option<Origin>,
}

/// What certificates of origin say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Origin {
    /// Carbon of the energy.
    pub carbon: KilogramsPerJoule,
    /// Whether it is from wind, sun, water or the like.
    pub is_renewable: bool,
}

/// What a source lives on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Wind.
    Wind,
    /// Light of the sun.
    Sun,
    /// Running water.
    Hydro,
}

/// Where a source stands and what is paid for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Terms {
    /// The site's own, behind its meter: what is used costs so much to make.
    Own(EurosPerJoule),
    /// Behind the meter, paid as produced: all that it could produce is paid, used or curtailed.
    Contracted(EurosPerJoule),
    /// Elsewhere in the grid, paid as produced and settled in money: produced × (price − spot) is on the bill. Nothing of it
    /// reaches the site by itself.
    Settled(EurosPerJoule),
}

/// Wind, sun or water. What nobody takes is curtailed, which costs nothing more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Source {
    /// What it lives on.
    pub kind: Kind,
    /// What it makes at a capacity factor of one.
    pub rated: Watts,
    /// Where it stands and what it costs.
    pub terms: Terms,
    /// Direct carbon of what it makes.
    pub carbon: KilogramsPerJoule,
}

/// A battery. It stands for many units, of which some may charge while others discharge, so that it can burn energy where that is
/// paid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Battery {
    /// The most that it holds.
    pub capacity: Joules,
    /// The most that it takes from the site.
    pub charge: Watts,
    /// The most that it gives to the site.
    pub discharge: Watts,
    /// What is stored of what is taken.
    pub charge_efficiency: f64,
    /// What is given of what is let out.
    pub discharge_efficiency: f64,
    /// Share of the level that is lost by itself in an hour, before anything is charged.
    pub self_discharge: f64,
    /// What giving energy to the site wears off.
    pub wear: EurosPerJoule,
    /// The level at the beginning, and what has to be there again at the end.
    pub begin: Joules,
}

/// Power from fuel, for what nothing cheaper reaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backup {
    /// The most that they give.
    pub power: Watts,
    /// Fuel and what running costs, for electricity.
    pub price: EurosPerJoule,
    /// Direct carbon of the electricity.
    pub carbon: KilogramsPerJoule,
}

/// All of a supply.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parts {
    /// To the grid.
    pub connection: Connection,
    /// Base load, settled in money.
    pub contracts: Vec<Contract>,
    /// Wind, sun and water.
    pub sources: Vec<Source>,
    /// Batteries; orders come in the same order.
    pub batteries: Vec<Battery>,
    /// Power from fuel, if there is any.
    pub backup: Option<Backup>,
    /// What energy is worth to those who do not get it: what is dearer is not bought.
    pub lost_load: EurosPerJoule,
}

impl Battery {
    /// A battery for so many joules that charges and discharges with the same power, and begins half full.
    ///
    /// Efficiency: 0.9193 each way at the transformer, lithium iron phosphate (Viswanathan and others 2022, Pacific Northwest
    /// National Laboratory, p. 24; in technology-data). Wear: 189.86 €/kWh and 25 years (Danish Energy Agency; in
    /// technology-data) over one full cycle a day, which is an assumption. Self-discharge: 1.5 % in a month, assumption.
    #[must_use]
    pub fn lithium(capacity: Joules, power: Watts) -> Self {
        Self {
            capacity,
            charge: power,
            discharge: power,
            charge_efficiency: 0.9193,
            discharge_efficiency: 0.9193,
            self_discharge: 0.015 / 730.0,
            wear: EurosPerJoule::per_megawatt_hour(189_861.0 / (25.0 * 365.0)),
            begin: capacity * 0.5,
        }
    }

    /// What is left of the level after an hour.
    pub(crate) fn kept(&self) -> f64 {
        1.0 - self.self_discharge
    }

    /// What comes back of what was taken.
    pub(crate) fn round_trip(&self) -> f64 {
        self.charge_efficiency * self.discharge_efficiency
    }
}

impl Backup {
    /// Diesel engines (technology-data): fuel 43.63 €/MWh (World Bank 2025 and TYNDP 2024), efficiency 35 % and 8.01 €/MWh for
    /// running (Danish Energy Agency), 0.2571 t of carbon dioxide for each MWh of fuel.
    #[must_use]
    pub fn diesel(power: Watts) -> Self {
        Self {
            power,
            price: EurosPerJoule::per_megawatt_hour(43.63 / 0.35 + 8.01),
            carbon: KilogramsPerJoule::per_megawatt_hour(257.1 / 0.35),
        }
    }
}

/// A part of a supply is outside the ranges of the model.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{part} {index}: {source}")]
pub struct SupplyError {
    /// Which part: connection, contract, source, battery, backup, lost load.
    pub part: &'static str,
    /// Which of them, from 0.
    pub index: usize,
    /// What is wrong with it.
    #[source]
    pub source: OutOfRange,
}

/// The most of any power: far above any site.
const POWER_MAX: f64 = 1e13;
/// The most of any price, in €/MWh: far above any that was seen.
const PRICE_MAX: f64 = 1e6;

pub(super) fn power(field: &'static str, value: Watts) -> Result<(), OutOfRange> {
    within(field, value.0, 0.0..=POWER_MAX, "W")
}

pub(super) fn price(field: &'static str, value: EurosPerJoule) -> Result<(), OutOfRange> {
    within(field, value.as_per_megawatt_hour(), -PRICE_MAX..=PRICE_MAX, "EUR/MWh")
}

pub(super) fn cost(field: &'static str, value: EurosPerJoule) -> Result<(), OutOfRange> {
    within(field, value.as_per_megawatt_hour(), 0.0..=PRICE_MAX, "EUR/MWh")
}

pub(super) fn carbon(field: &'static str, value: KilogramsPerJoule) -> Result<(), OutOfRange> {
    within(field, value.as_per_megawatt_hour(), 0.0..=1e5, "kg/MWh")
}

impl Parts {
    pub(super) fn check(&self) -> Result<(), SupplyError> {
        let at = |part, index| move |source| SupplyError { part, index, source };
        self.connection.check().map_err(at("connection", 0))?;
        for (index, contract) in self.contracts.iter().enumerate() {
            contract.check().map_err(at("contract", index))?;
        }
        for (index, source) in self.sources.iter().enumerate() {
            source.check().map_err(at("source", index))?;
        }
        for (index, battery) in self.batteries.iter().enumerate() {
            battery.check().map_err(at("battery", index))?;
        }
        self.backup.iter().try_for_each(Backup::check).map_err(at("backup", 0))?;
        cost("lost_load", self.lost_load).map_err(at("lost load", 0))
    }
}

impl Connection {
    fn check(&self) -> Result<(), OutOfRange> {
        power("firm", self.firm)?;
        power("interruptible", self.interruptible)?;
        power("export", self.export)
    }
}

impl Contract {
    fn check(&self) -> Result<(), OutOfRange> {
        power("power", self.power)?;
        price("price", self.price)?;
        self.origin.map_or(Ok(()), |origin| carbon("origin", origin.carbon))
    }
}

impl Source {
    fn check(&self) -> Result<(), OutOfRange> {
        power("rated", self.rated)?;
        let (Terms::Own(paid) | Terms::Contracted(paid) | Terms::Settled(paid)) = self.terms;
        price("price", paid)?;
        carbon("carbon", self.carbon)
    }
}

impl Battery {
    fn check(&self) -> Result<(), OutOfRange> {
        within("capacity", self.capacity.0, 0.0..=1e17, "J")?;
        power("charge", self.charge)?;
        power("discharge", self.discharge)?;
        within("charge_efficiency", self.charge_efficiency, 0.01..=1.0, "")?;
        within("discharge_efficiency", self.discharge_efficiency, 0.01..=1.0, "")?;
        within("self_discharge", self.self_discharge, 0.0..=0.5, "")?;
        cost("wear", self.wear)?;
        within("begin", self.begin.0, 0.0..=self.capacity.0, "J")
    }
}

impl Backup {
    fn check(&self) -> Result<(), OutOfRange> {
        power("power", self.power)?;
        cost("price", self.price)?;
        carbon("carbon", self.carbon)
    }
}
