//! Where the energy, heat and water of a site went in a run: its plant under what its nodes drew, hour by hour.
//!
//! This looks back. The books meter by lines that are above the plant, so that no limit is passed; here the plant itself is
//! asked, with the mean of each hour and in steady flow, and both are told side by side. Nothing here decides, and nothing
//! of it is charged to anybody.

mod bridge;
mod lag;
mod sourcing;

use std::collections::BTreeMap;

use giga_facility::air::Air;
use giga_facility::cooling::{Mode, Working};
use giga_facility::indicators::{Category, Indicators, Sums, Supply};
use giga_facility::quantity::{Celsius, Joules, Kilograms, Pascals, Seconds};
use giga_facility::supply::RunError;
use giga_facility::{Facility, Flows, Inputs};
use giga_model::{Federation, Site, Weather};
use giga_units::{Duration, Instant, Power};

use crate::record::HourRecord;
use sourcing::Load;
pub use sourcing::{Sources, Sourcing, Way};

/// What cools a site, and when a part of it does not.
#[derive(Debug, Clone, PartialEq)]
pub struct Plant {
    /// Sound and as it is built.
    pub facility: Facility,
    /// What all nodes of the site draw at most.
    pub nodes: Power,
    /// Times in which less of it works; where they meet, the least holds.
    pub outages: Vec<Outage>,
}

/// What stands at a site beside its nodes, as far as it is described.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Works {
    /// What cools it.
    pub plant: Option<Plant>,
    /// Where its energy comes from.
    pub sourcing: Option<Sourcing>,
}

/// A time in which not all of a plant works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outage {
    /// From here on.
    pub from: Instant,
    /// Until here.
    pub until: Instant,
    /// What works.
    pub working: Working,
}

impl Plant {
    /// What of it works at an instant.
    #[must_use]
    pub fn working(&self, at: Instant) -> Working {
        let out = self.outages.iter().filter(|outage| outage.from <= at && at < outage.until);
        out.fold(Working::default(), |least, outage| Working {
            rejection: least.rejection.min(outage.working.rejection),
            chillers: least.chillers.min(outage.working.chillers),
        })
    }
}

/// The air of a weather at an instant; `None` where it is none that can be.
#[must_use]
pub fn air(weather: &Weather, at: Instant) -> Option<Air> {
    let dry_bulb = Celsius(weather.dry_bulb.at(at) as f64 / 1e3);
    let humidity = (weather.humidity.at(at) as f64 / 1e5).clamp(0.01, 1.0);
    Air::new(dry_bulb, humidity, Pascals(weather.pressure.at(at) as f64)).ok()
}

/// Energy by what used it; the sum is what the meter of the plant shows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Uses {
    /// Accelerators and their nodes.
    pub nodes: Joules,
    /// Network and storage.
    pub beside: Joules,
    /// Lost in conversion from the meter to the chip.
    pub conversion: Joules,
    /// Pumps of the loops.
    pub pumps: Joules,
    /// Fans of rooms, dry coolers and towers.
    pub fans: Joules,
    /// Compressors of chillers.
    pub compressors: Joules,
    /// Heat pumps towards a network of heat.
    pub heat_pumps: Joules,
    /// Lights, controls, offices.
    pub building: Joules,
}

impl Uses {
    fn add(&mut self, flows: &Flows, time: Seconds) {
        self.nodes += flows.supplied.nodes * time;
        self.beside += flows.supplied.beside * time;
        self.conversion += flows.supplied.lost() * time;
        self.building += flows.building * time;
        self.fans += flows.room_fans * time;
        for circuit in flows.circuits() {
            self.pumps += circuit.pumps * time;
            self.fans += circuit.fans * time;
            self.compressors += circuit.compressors * time;
            self.heat_pumps += circuit.reused.lift * time;
        }
    }

    /// Each with its word, in the order from the chip to the meter.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, Joules); 8] {
        [
            ("nodes", self.nodes),
            ("network and storage", self.beside),
            ("conversion", self.conversion),
            ("pumps", self.pumps),
            ("fans", self.fans),
            ("compressors", self.compressors),
            ("heat pumps", self.heat_pumps),
            ("building", self.building),
        ]
    }

    /// All of it.
    #[must_use]
    pub fn meter(&self) -> Joules {
        self.parts().into_iter().map(|(_, energy)| energy).sum()
    }
}

/// What a plant did while the air had a temperature.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Band {
    /// How long.
    pub time: Seconds,
    /// Energy at the meter.
    pub site: Joules,
    /// Energy of the equipment, category 3.
    pub equipment: Joules,
    /// Water taken.
    pub water: Kilograms,
}

impl Band {
    /// Power usage effectiveness in it; `None` where nothing was used.
    #[must_use]
    pub fn pue(&self) -> Option<f64> {
        (self.equipment > Joules::ZERO).then(|| self.site / self.equipment)
    }

    /// Water usage effectiveness in litres for each kilowatt-hour of the equipment.
    #[must_use]
    pub fn wue(&self) -> Option<f64> {
        (self.equipment > Joules::ZERO).then(|| self.water.as_litres() / self.equipment.as_kilowatt_hours())
    }
}

/// Bands are so many kelvin wide.
pub const BAND: i32 = 5;

/// What became of the energy of a site with a plant.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteEnergy {
    /// How long.
    pub time: Seconds,
    /// What used it.
    pub uses: Uses,
    /// What the books metered, by lines above the plant.
    pub metered: Joules,
    /// Heat given to a network.
    pub reused: Joules,
    /// Water taken, and of it what was let off so that salts do not thicken.
    pub water: Kilograms,
    /// The part of `water` that was let off.
    pub blown_down: Kilograms,
    /// Carbon dioxide (equivalent) of the modelled energy, location-based: as the grid is where the site is, or as its supply by the
    /// rule takes it from there, with what its own sources and engines emit.
    pub carbon: Kilograms,
    /// How long no compressor ran.
    pub free: Seconds,
    /// How long a loop was warmer than it is meant to be.
    pub short: Seconds,
    /// By the lower end of each band of dry bulb in °C.
    pub bands: BTreeMap<i32, Band>,
    /// Indicators by the category of where equipment is measured; none where nothing was used.
    pub indicators: Vec<Indicators>,
}

impl SiteEnergy {
    /// With the carbon of what supplied it, by the rule; as it is where all came from the grid, or nobody can say.
    fn supplied(mut self, ways: Option<&Result<Vec<Way>, RunError>>) -> Self {
        let Some(Ok(ways)) = ways else { return self };
        let Some(rule) = ways.first() else { return self };
        self.carbon = rule.carbon.location;
        let meter = self.uses.meter().as_kilowatt_hours();
        for of in &mut self.indicators {
            of.cue = self.carbon.0 * of.pue / meter;
            of.renewable = rule.renewable.unwrap_or_default();
        }
        self
    }
}

/// What became of a site's energy, as far as the site says what stands there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Energy {
    /// Where it went, by its plant.
    pub plant: Option<SiteEnergy>,
    /// Where it came from, by the ways of giving orders to its battery; or why that can not be said.
    pub ways: Option<Result<Vec<Way>, RunError>>,
}

/// What a site's nodes drew, hour by hour.
#[derive(Debug, Clone)]
struct Hours {
    plant: Option<Plant>,
    sourcing: Option<Sourcing>,
    /// Beginning, energy of the nodes, energy at the meter.
    rows: Vec<(Instant, Joules, Joules)>,
}

/// Gathers the hours of sites with a plant or a supply while a run goes on.
#[derive(Debug, Clone)]
pub struct EnergyLog {
    start: Instant,
    sites: Vec<Option<Hours>>,
}

impl EnergyLog {
    /// One for a run that begins then, with what stands at each site.
    #[must_use]
    pub fn new(works: &[Works], start: Instant) -> Self {
        let hours = |Works { plant, sourcing }: &Works| {
            let is_any = plant.is_some() || sourcing.is_some();
            is_any.then(|| Hours { plant: plant.clone(), sourcing: sourcing.clone(), rows: Vec::new() })
        };
        Self { start, sites: works.iter().map(hours).collect() }
    }

    /// Takes an hour.
    pub fn add(&mut self, row: &HourRecord) {
        if let Some(Some(hours)) = self.sites.get_mut(row.site.index()) {
            let joules = |energy: giga_units::Energy| Joules(energy.as_joules() as f64);
            hours.rows.push((row.hour, joules(row.node_energy), joules(row.energy)));
        }
    }

    /// What it comes to at each site of a run that ended then.
    #[must_use]
    pub fn energy(&self, federation: &Federation, end: Instant) -> Vec<Energy> {
        let sites = self.sites.iter().zip(&federation.sites);
        let of = |(hours, site): (&Option<Hours>, &Site)| {
            hours.as_ref().map_or_else(Energy::default, |hours| hours.energy(site, (self.start, end)))
        };
        sites.map(of).collect()
    }
}

impl Hours {
    fn energy(&self, site: &Site, span: (Instant, Instant)) -> Energy {
        let mut loads: Vec<Load> =
            self.rows.iter().map(|&(hour, _, metered)| Load { hour, energy: metered }).collect();
        let plant = self.plant.as_ref().and_then(|plant| self.looked_back(site, plant, span, &mut loads));
        let ways = self.sourcing.as_ref().map(|sourcing| sourcing.ways(site, &loads));
        let plant = plant.map(|plant| plant.supplied(ways.as_ref()));
        Energy { plant, ways }
    }

    /// What the plant made of the hours; the loads become what its meter shows.
    fn looked_back(
        &self,
        site: &Site,
        plant: &Plant,
        (start, end): (Instant, Instant),
        loads: &mut [Load],
    ) -> Option<SiteEnergy> {
        let weather = site.weather.as_ref()?;
        let mut back = LookBack::default();
        for (&(hour, nodes, metered), load) in self.rows.iter().zip(loads) {
            let until = (hour + Duration::hours(1)).min(end);
            let time = Seconds(until.since(hour.max(start)).as_milliseconds() as f64 / 1e3);
            back.metered += metered;
            if time <= Seconds::ZERO {
                continue;
            }
            let inputs =
                Inputs { working: plant.working(hour), ..Inputs::new(nodes / time, &air(weather, hour)?) };
            let flows = plant.facility.draw_with(&inputs);
            let intensity = site.mean_intensity(hour, until).as_milligrams_per_kwh() as f64 / 1e6;
            back.add(&flows, &inputs.air, time, Kilograms(intensity));
            load.energy = flows.meter() * time;
        }
        Some(back.done())
    }
}

/// Sums while hours are gone through.
#[derive(Debug, Default)]
struct LookBack {
    uses: Uses,
    metered: Joules,
    blown_down: Kilograms,
    short: Seconds,
    bands: BTreeMap<i32, Band>,
    sums: [Sums; 3],
}

impl LookBack {
    fn add(&mut self, flows: &Flows, air: &Air, time: Seconds, carbon_per_kilowatt_hour: Kilograms) {
        self.uses.add(flows, time);
        self.blown_down += flows.water().blown_down * time;
        if flows.circuits().any(|circuit| circuit.mode == Mode::Short) {
            self.short += time;
        }
        // What the grid is made of is not known here.
        let supply = Supply { renewable: 0.0, carbon_per_kilowatt_hour };
        for (sums, category) in self.sums.iter_mut().zip(Category::ALL) {
            sums.add(flows, time, category, &supply);
        }
        let lower = (air.dry_bulb().0 / f64::from(BAND)).floor() as i32 * BAND;
        let band = self.bands.entry(lower).or_default();
        band.time += time;
        band.site += flows.meter() * time;
        band.equipment += flows.supplied.equipment(Category::Three) * time;
        band.water += flows.water().taken * time;
    }

    fn done(self) -> SiteEnergy {
        let [sums, ..] = &self.sums;
        SiteEnergy {
            time: sums.time,
            uses: self.uses,
            metered: self.metered,
            reused: sums.reused,
            water: sums.water,
            blown_down: self.blown_down,
            carbon: sums.carbon,
            free: sums.free,
            short: self.short,
            bands: self.bands,
            indicators: self
                .sums
                .iter()
                .zip(Category::ALL)
                .filter_map(|(sums, category)| Indicators::new(sums, category))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
