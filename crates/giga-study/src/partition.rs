//! The same federation cut into fixed partitions: every owner has its share of each site for itself, and nothing is lent. What owners
//! get there, beside what they get together, is what sharing is worth to each.

use giga_model::{
    DataPolicy, Dataset, Federation, Network, OwnerId, Phase, Pool, PoolId, Project, Sharing, Site, SiteId,
};
use giga_units::{Fraction, Power};

/// A federation with a site of its own for each owner's share of each site, named `site/owner`. Nodes and power are rounded down
/// to whole nodes and watts; what nobody has a share of, and what rounding leaves over, is nobody's.
///
/// Projects, programmes, datasets and kinds of accelerators keep their numbers, so that the same work can be sent to both.
#[must_use]
pub fn partitioned(federation: &Federation) -> Federation {
    let mut cut = Federation {
        sites: Vec::new(),
        pools: Vec::new(),
        projects: Vec::new(),
        datasets: Vec::new(),
        network: Network { common: federation.network.common, links: Vec::new() },
        ..federation.clone()
    };
    cut.policy.sharing = Sharing::Order;
    let mut parts = vec![Vec::new(); federation.sites.len()];
    for (index, site) in federation.sites.iter().enumerate() {
        for &(owner, share) in site.shares.iter().filter(|(_, share)| *share > Fraction::ZERO) {
            if let Some(id) = part(&mut cut, federation, site, owner, share) {
                parts[index].push((id, owner));
            }
        }
    }
    let all_parts = |sites: &[SiteId]| -> Vec<SiteId> {
        sites.iter().flat_map(|site| parts[site.index()].iter().map(|(id, _)| *id)).collect()
    };
    cut.projects = federation.projects.iter().map(|project| own(project, &parts)).collect();
    let dataset = |data: &Dataset| Dataset {
        places: all_parts(&data.places),
        policy: DataPolicy { sites: all_parts(&data.policy.sites), ..data.policy.clone() },
        ..data.clone()
    };
    cut.datasets = federation.datasets.iter().map(dataset).collect();
    cut
}

/// A project may use its owner's parts of the sites that it may use; a site that is not there where it has none.
fn own(project: &Project, parts: &[Vec<(SiteId, OwnerId)>]) -> Project {
    let allowed = |index: usize| project.sites.is_empty() || project.sites.contains(&SiteId::at(index));
    let sites = parts.iter().enumerate().filter(|(index, _)| allowed(*index)).flat_map(|(_, parts)| parts);
    let mut sites: Vec<SiteId> =
        sites.filter(|(_, owner)| *owner == project.owner).map(|(id, _)| *id).collect();
    if sites.is_empty() {
        sites.push(SiteId(u16::MAX));
    }
    Project { sites, ..project.clone() }
}

/// Adds an owner's part of a site; `None` where its share is less than a node.
fn part(
    cut: &mut Federation,
    whole: &Federation,
    site: &Site,
    owner: OwnerId,
    share: Fraction,
) -> Option<SiteId> {
    let id = SiteId::at(cut.sites.len());
    let of = |nodes: u32| share.of_count(nodes.into()) as u32;
    let used = |pool: &PoolId| {
        site.phases.iter().flat_map(|phase| &phase.nodes).any(|(id, nodes)| id == pool && of(*nodes) > 0)
    };
    let pools: Vec<PoolId> = site.pools.iter().copied().filter(used).collect();
    if pools.is_empty() {
        return None;
    }
    let first = cut.pools.len();
    let place = |pool: PoolId| pools.iter().position(|&other| other == pool).map(|at| PoolId::at(first + at));
    let phases = site.phases.iter().map(|phase| Phase {
        opens: phase.opens,
        power: watts(phase.power, share),
        nodes: phase
            .nodes
            .iter()
            .filter_map(|&(pool, nodes)| Some((place(pool)?, of(nodes))))
            .filter(|(_, nodes)| *nodes > 0)
            .collect(),
    });
    let limits =
        site.limits.iter().map(|limit| giga_model::GridLimit { power: watts(limit.power, share), ..*limit });
    let part = Site {
        name: format!("{}/{}", site.name, whole.owners[owner.index()].name),
        phases: phases.collect(),
        pools: (first..first + pools.len()).map(PoolId::at).collect(),
        shares: vec![(owner, Fraction::ONE)],
        limits: limits.collect(),
        ..site.clone()
    };
    for pool in pools {
        cut.pools.push(Pool { site: id, ..whole.pools[pool.index()].clone() });
    }
    cut.sites.push(part);
    Some(id)
}

/// A part of a power, in whole watts, rounded down.
fn watts(power: Power, share: Fraction) -> Power {
    Power::watts(share.of_count(power.as_milliwatts()) / 1000)
}

#[cfg(test)]
mod tests {
    use giga_model::sample::{accelerator, add_site, empty, project};
    use giga_model::{Owner, ProgrammeId};

    use super::*;

    #[test]
    fn every_owner_has_its_part_for_itself() {
        let mut federation = empty();
        federation.owners = ["union", "state", "nobody"].map(|name| Owner { name: name.into() }).to_vec();
        federation.projects = (0..3).map(|owner| project("work", ProgrammeId(0), OwnerId(owner))).collect();
        add_site(&mut federation, "north", &[(accelerator("A", 4, 2), 10)]);
        federation.sites[0].shares =
            vec![(OwnerId(0), Fraction::ppm(650_000)), (OwnerId(1), Fraction::ppm(300_000))];
        let cut = partitioned(&federation);
        let about: Vec<_> =
            cut.sites.iter().map(|site| (site.name.as_str(), site.phases[0].nodes[0].1)).collect();
        assert_eq!(about, [("north/union", 6), ("north/state", 3)]);
        let sites: Vec<_> = cut.projects.iter().map(|project| project.sites.clone()).collect();
        assert_eq!(sites, [vec![SiteId(0)], vec![SiteId(1)], vec![SiteId(u16::MAX)]]);
        assert_eq!(cut.flaws(), []);
        assert_eq!(cut.pools[1].site, SiteId(1));
    }
}
