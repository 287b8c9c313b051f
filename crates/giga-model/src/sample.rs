//! Small federations for tests, examples and benches: made-up figures, sound by construction.

use giga_units::{Bytes, CarbonIntensity, CarbonPrice, EnergyPrice, Flops, Fraction, Instant, Money, Power};

use crate::dataset::{Assurance, Network, Wan};
use crate::federation::{
    Accelerator, Country, Federation, Flexibility, Owner, Phase, Policy, Pool, Preempt, Programme, Project,
    Site,
};
use crate::ids::{AcceleratorId, OwnerId, PoolId, ProgrammeId, SiteId};

/// A federation without sites: one owner with the project `work` under the programme `open`.
#[must_use]
pub fn empty() -> Federation {
    Federation {
        name: "sample".into(),
        start: Instant::unix_milliseconds(0),
        sites: Vec::new(),
        pools: Vec::new(),
        accelerators: Vec::new(),
        owners: vec![Owner { name: "everyone".into() }],
        programmes: vec![programme("open")],
        projects: vec![project("work", ProgrammeId(0), OwnerId(0))],
        datasets: Vec::new(),
        network: Network { common: Wan::default(), links: Vec::new() },
        carbon_price: CarbonPrice::ZERO,
        policy: Policy::default(),
        workload: None,
    }
}

/// A programme that lets in everything.
#[must_use]
pub fn programme(name: &str) -> Programme {
    Programme {
        name: name.into(),
        priority: 0,
        gang_max: None,
        limit_max: None,
        preempt: Preempt::Saved,
        protected: false,
        use_max: None,
        price_per_hour: None,
    }
}

/// A project of weight one that may use every site.
#[must_use]
pub fn project(name: &str, programme: ProgrammeId, owner: OwnerId) -> Project {
    Project { name: name.into(), programme, owner, weight: Fraction::ONE, sites: Vec::new(), until: None }
}

/// An accelerator whose nodes idle at 1 kW and add 1 kW for each accelerator.
#[must_use]
pub fn accelerator(name: &str, per_node: u16, nodes_per_rack: u16) -> Accelerator {
    Accelerator {
        name: name.into(),
        per_node,
        nodes_per_rack,
        node_idle: Power::watts(1_000),
        node_max: Power::watts(1_000 * (1 + u64::from(per_node))),
        memory: Bytes::gigabytes(192),
        speed: Flops::tera(1_000),
        cost_per_hour: Money::euro(1),
    }
}

/// Adds a site with a pool of so many nodes of each kind, all open from the start, with as much power as they need
/// and 35 EUR/MWh.
pub fn add_site(federation: &mut Federation, name: &str, pools: &[(Accelerator, u32)]) -> SiteId {
    let id = SiteId::at(federation.sites.len());
    let mut nodes = Vec::new();
    let mut power = Power::ZERO;
    for (kind, count) in pools {
        let known = federation.accelerators.iter().position(|other| other.name == kind.name);
        let accelerator = AcceleratorId::at(known.unwrap_or(federation.accelerators.len()));
        if known.is_none() {
            federation.accelerators.push(kind.clone());
        }
        let pool = PoolId::at(federation.pools.len());
        federation.pools.push(Pool { site: id, name: kind.name.clone(), accelerator });
        nodes.push((pool, *count));
        power += kind.node_ceiling().times(u64::from(*count));
    }
    let share = Fraction::ppm(Fraction::ONE.as_ppm() / federation.owners.len().max(1) as u64);
    federation.sites.push(Site {
        name: name.into(),
        country: Country::parse("NO").expect("two letters"),
        pools: nodes.iter().map(|(pool, _)| *pool).collect(),
        phases: vec![Phase { opens: federation.start, power, nodes }],
        facility_factor: Fraction::ONE,
        overheads: None,
        electricity_price: EnergyPrice::microeuro_per_kwh(35_000),
        price_series: None,
        carbon_intensity: CarbonIntensity::milligrams_per_kwh(49_000),
        carbon_series: None,
        weather: None,
        assurance: Assurance::LOWEST,
        flexibility: Flexibility::NONE,
        limits: Vec::new(),
        facility_cost_per_megawatt_hour: Money::euro(100),
        oversubscribed: false,
        spare_power: false,
        shares: (0..federation.owners.len()).map(|owner| (OwnerId::at(owner), share)).collect(),
        failures: None,
        maintenance: None,
        engine: None,
        slurm: None,
        containers: None,
        ramp_most: None,
    });
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_no_flaw() {
        let mut federation = empty();
        add_site(&mut federation, "north", &[(accelerator("A", 4, 18), 36), (accelerator("B", 8, 4), 4)]);
        assert_eq!(federation.flaws(), []);
        assert_eq!(federation.accelerators_total(), 176);
    }
}
