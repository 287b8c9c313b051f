//! Where the energy of a site came from in a run: its supply under what its meter showed, hour by hour, with batteries by a rule, by
//! a rolling optimum and by the optimum of all hours.
//!
//! This looks back as well. What work ran knew the price of taking more from the grid, by which the books charge, and the limits of
//! the connection with what was described to bridge them.

use std::collections::BTreeMap;

use giga_facility::quantity::{Euros, EurosPerJoule, Joules, KilogramsPerJoule, Watts};
use giga_facility::supply::{
    Available, Carbon, Connection, HOUR, Hour, Intensity, Kind, Money, Order, Regret, Rolling, Rule, Run,
    RunError, Supply, Tariff, optimum,
};
use giga_model::{GridLimit, Series, Site};
use giga_units::{CarbonIntensity, Duration, Instant, Power};

/// Where a site's energy comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Sourcing {
    /// What stands there, and what was bought.
    pub supply: Supply,
    /// What lies between the exchange and the site, whose own price has the surcharge in it.
    pub tariff: Tariff,
    /// For each source its capacity factor by the hour, in thousandths of a percent.
    pub factors: Vec<Series>,
    /// Carbon of what nobody claims by contract, or that of the grid.
    pub residual: Option<CarbonIntensity>,
    /// Part of each battery that the rule keeps for calls, and that bridges limits.
    pub reserve: f64,
    /// Whether engines bridge limits.
    pub backup_bridges: bool,
    /// When the grid gives less, apart and in order; a site's own limits have what bridges them.
    pub limits: Vec<GridLimit>,
}

/// What a way of giving orders to batteries came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// Which: `rule`, `rolling` or `optimum`.
    pub name: &'static str,
    /// Energy by source.
    pub energy: Sources,
    /// The highest power that was taken from the grid, as the mean of an hour.
    pub peak: Watts,
    /// Money by part.
    pub money: Money,
    /// What batteries lack at the end of what they began with, at the value of lost load.
    pub missing: Euros,
    /// Carbon in both ways of counting.
    pub carbon: Carbon,
    /// Renewable energy factor of EN 50600-4-3; `None` where nothing was used.
    pub renewable: Option<f64>,
    /// How much dearer it was than the optimum, with what is missing in the battery at the end.
    pub regret: Regret,
}

/// Energy by where it came from and went.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sources {
    /// What the site asked for.
    pub load: Joules,
    /// From the grid.
    pub imported: Joules,
    /// To it.
    pub exported: Joules,
    /// Used of what wind, sun and water made, behind the meter or elsewhere.
    pub used: BTreeMap<Kind, Joules>,
    /// What they could have made and did not.
    pub curtailed: Joules,
    /// Into batteries.
    pub charged: Joules,
    /// Out of them.
    pub discharged: Joules,
    /// Lost in them.
    pub lost: Joules,
    /// From engines.
    pub backup: Joules,
    /// What could not be had.
    pub unserved: Joules,
}

/// The load of an hour at the meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    pub(super) hour: Instant,
    pub(super) energy: Joules,
}

impl Sourcing {
    /// What all three ways come to under these loads.
    ///
    /// # Errors
    /// Names the hour that can not be.
    pub(super) fn ways(&self, site: &Site, loads: &[Load]) -> Result<Vec<Way>, RunError> {
        let hours: Vec<Hour> = loads.iter().map(|load| self.hour(site, load)).collect();
        let end = self.supply.end();
        let carried = |orders: &[Vec<Order>]| self.supply.run(&hours, orders, &end);
        let best = carried(&optimum(&self.supply, &hours, &end)?.orders)?;
        let first = loads.first().map_or(0, |load| market_hour(load.hour));
        let rolling = Rolling { first, ..Rolling::default() };
        let rolling = carried(&rolling.orders(&self.supply, &hours, &end)?)?;
        let rule = carried(&Rule { reserve: self.reserve, first }.orders(&self.supply, &hours, &end)?)?;
        let way = |name, run: &Run| self.way(name, run, &best);
        Ok(vec![way("rule", &rule), way("rolling", &rolling), way("optimum", &best)])
    }

    fn hour(&self, site: &Site, load: &Load) -> Hour {
        let (at, until) = (load.hour, load.hour + Duration::hours(1));
        let grid = KilogramsPerJoule::from(site.mean_intensity(at, until));
        Hour {
            load: load.energy / HOUR,
            prices: self.tariff.at(EurosPerJoule::from(site.mean_price(at, until)) - self.tariff.surcharge),
            carbon: Intensity { grid, residual: self.residual.map_or(grid, KilogramsPerJoule::from) },
            available: available(&self.supply.parts().connection, given(site, &self.limits, at)),
            factors: self
                .factors
                .iter()
                .map(|factors| (factors.at(at) as f64 / 1e5).clamp(0.0, 1.0))
                .collect(),
        }
    }

    fn way(&self, name: &'static str, run: &Run, best: &Run) -> Way {
        let mut energy = Sources::default();
        let mut peak = Watts::ZERO;
        for flows in &run.flows {
            peak = peak.max(flows.imported / HOUR);
            energy.load += flows.load;
            energy.imported += flows.imported;
            energy.exported += flows.exported;
            energy.backup += flows.backup;
            energy.unserved += flows.unserved;
            for (source, part) in flows.sources.iter().zip(&self.supply.parts().sources) {
                *energy.used.entry(part.kind).or_default() += source.used;
                energy.curtailed += source.curtailed;
            }
            for battery in &flows.batteries {
                energy.charged += battery.charged;
                energy.discharged += battery.discharged;
                energy.lost += battery.lost;
            }
        }
        Way {
            name,
            energy,
            peak,
            money: run.money(),
            missing: run.missing,
            carbon: run.carbon(),
            renewable: run.renewable(),
            regret: run.regret(best),
        }
    }
}

/// The hour of the market's day, which is that of Central Europe; it is taken to have no summer time.
pub(super) fn market_hour(at: Instant) -> usize {
    (at.hour() + 1).rem_euclid(24) as usize
}

/// What there is of a connection that gives so much: what is interruptible goes first, and what may be fed in goes with what is firm.
fn available(connection: &Connection, given: Watts) -> Available {
    let share = |power: Watts, of: Watts| if of > Watts::ZERO { (power / of).clamp(0.0, 1.0) } else { 1.0 };
    let beyond = (given - connection.firm).max(Watts::ZERO);
    Available { firm: share(given, connection.firm), interruptible: share(beyond, connection.interruptible) }
}

/// What the grid gives in an hour, on average: of all phases those that are open, and less where a limit holds.
fn given(site: &Site, limits: &[GridLimit], at: Instant) -> Watts {
    let until = at + Duration::hours(1);
    let limits = &limits[limits.partition_point(|limit| limit.until <= at)..];
    let limits = &limits[..limits.partition_point(|limit| limit.from < until)];
    let mut edges = vec![at, until];
    edges.extend(site.phases.iter().map(|phase| phase.opens));
    edges.extend(limits.iter().flat_map(|limit| [limit.from, limit.until]));
    edges.retain(|edge| (at..=until).contains(edge));
    edges.sort_unstable();
    let part = |pair: &[Instant]| {
        let holds = limits.iter().filter(|limit| limit.from <= pair[0] && pair[0] < limit.until);
        let given = holds.map(|limit| limit.power).fold(site.open_at(pair[0]), Power::min);
        Watts::from(given) * (pair[1].since(pair[0]).as_milliseconds() as f64 / 3.6e6)
    };
    edges.windows(2).map(part).sum()
}
