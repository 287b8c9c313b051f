//! What a description can contradict itself about.

use giga_units::{Fraction, Power};

use crate::federation::{Federation, Site};
use crate::ids::{OwnerId, PhaseId, PoolId, SiteId};

/// Connection power over need above which a description is taken to join two press figures that do not belong
/// together (1 GW and 100,000 accelerators are 10 kW each, where sites plan 2.3 to 3.6 kW).
const SPARE_FACTOR: u64 = 2;

/// A contradiction in a federation, by the places it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// The nodes opened up to this phase need more power than the connection has by then.
    PowerTooSmall {
        /// Where.
        site: SiteId,
        /// From which phase on.
        phase: PhaseId,
        /// What the nodes need at most, facility included.
        needed: Power,
        /// What the connection has.
        available: Power,
    },
    /// A phase brings less power than its own nodes draw idle, or the idle draw alone is above the connection; what
    /// runs would have to stop, even with `oversubscribed`.
    IdleAbovePower {
        /// Where.
        site: SiteId,
        /// From which phase on.
        phase: PhaseId,
        /// What the idle nodes need, facility included.
        needed: Power,
        /// What the connection has.
        available: Power,
    },
    /// The connection is over twice what the nodes can ever need.
    PowerTooLarge {
        /// Where.
        site: SiteId,
        /// What the nodes need at most, facility included.
        needed: Power,
        /// What the connection has.
        available: Power,
        /// Accelerators once all phases are open.
        accelerators: u64,
    },
    /// The owners' shares of a site are together above the whole.
    SharesAboveWhole {
        /// Where.
        site: SiteId,
        /// The sum.
        total: Fraction,
    },
    /// An owner stands twice among the shares of a site.
    ShareTwice {
        /// Where.
        site: SiteId,
        /// Who.
        owner: OwnerId,
    },
    /// A maintenance window is as long as the time between two.
    MaintenanceAlways {
        /// Where.
        site: SiteId,
    },
    /// Phases of a site are not in the order of their dates.
    PhasesOutOfOrder {
        /// Where.
        site: SiteId,
        /// The one that opens before its predecessor.
        phase: PhaseId,
    },
    /// A pool never gets a node.
    PoolEmpty {
        /// Which.
        pool: PoolId,
    },
}

/// What the nodes of one phase draw idle.
fn phase_idle(federation: &Federation, phase: usize, site: &Site) -> Power {
    let nodes = site.phases[phase].nodes.iter();
    nodes.map(|&(pool, nodes)| federation.accelerator_of(pool).node_idle.times(u64::from(nodes))).sum()
}

impl Federation {
    /// All contradictions, in the order of the sites; empty for a sound federation.
    #[must_use]
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        for site in 0..self.sites.len() {
            self.power_flaws(SiteId::at(site), &mut flaws);
            self.share_flaws(SiteId::at(site), &mut flaws);
            self.time_flaws(SiteId::at(site), &mut flaws);
        }
        let empty = (0..self.pools.len()).map(PoolId::at).filter(|&pool| self.nodes_of(pool) == 0);
        flaws.extend(empty.map(|pool| Flaw::PoolEmpty { pool }));
        flaws
    }

    fn power_flaws(&self, id: SiteId, flaws: &mut Vec<Flaw>) {
        let site = &self.sites[id.index()];
        let (mut available, mut idle, mut most) = (Power::ZERO, Power::ZERO, Power::ZERO);
        for (index, phase) in site.phases.iter().enumerate() {
            let before = available;
            let room_before = site.room_at_least(available).saturating_sub(idle);
            available += phase.power;
            for &(pool, nodes) in &phase.nodes {
                idle += self.accelerator_of(pool).node_idle.times(u64::from(nodes));
                most += self.accelerator_of(pool).node_ceiling().times(u64::from(nodes));
            }
            let (needed, needed_idle) = (site.shown_at_most(most), site.shown_at_most(idle));
            let phase = PhaseId::at(index);
            if needed_idle > available {
                return flaws.push(Flaw::IdleAbovePower { site: id, phase, needed: needed_idle, available });
            }
            if site.room_at_least(available).saturating_sub(idle) < room_before {
                let own = phase_idle(self, index, site);
                let needed = before + site.shown_at_most(own);
                return flaws.push(Flaw::IdleAbovePower {
                    site: id,
                    phase: PhaseId::at(index),
                    needed,
                    available,
                });
            }
            if needed > available && !site.oversubscribed {
                return flaws.push(Flaw::PowerTooSmall { site: id, phase, needed, available });
            }
        }
        let needed = site.shown_at_most(most);
        if available > needed.times(SPARE_FACTOR) && !site.spare_power && !site.phases.is_empty() {
            let accelerators = site.pools.iter().map(|&pool| self.accelerators_in(pool)).sum();
            flaws.push(Flaw::PowerTooLarge { site: id, needed, available, accelerators });
        }
    }

    fn share_flaws(&self, id: SiteId, flaws: &mut Vec<Flaw>) {
        let shares = &self.sites[id.index()].shares;
        for (place, &(owner, _)) in shares.iter().enumerate() {
            if shares[..place].iter().any(|&(other, _)| other == owner) {
                flaws.push(Flaw::ShareTwice { site: id, owner });
            }
        }
        let total = shares.iter().map(|(_, share)| share.as_ppm()).fold(0, u64::saturating_add);
        if total > Fraction::ONE.as_ppm() {
            flaws.push(Flaw::SharesAboveWhole { site: id, total: Fraction::ppm(total) });
        }
    }

    fn time_flaws(&self, id: SiteId, flaws: &mut Vec<Flaw>) {
        let site = &self.sites[id.index()];
        if site.maintenance.is_some_and(|windows| windows.length >= windows.every) {
            flaws.push(Flaw::MaintenanceAlways { site: id });
        }
        for (index, pair) in site.phases.windows(2).enumerate() {
            if pair[1].opens < pair[0].opens {
                flaws.push(Flaw::PhasesOutOfOrder { site: id, phase: PhaseId::at(index + 1) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{accelerator, add_site, empty};

    #[test]
    fn a_phase_may_not_take_power_from_what_runs() {
        let mut federation = empty();
        add_site(&mut federation, "north", &[(accelerator("A", 4, 2), 4)]);
        federation.sites[0].oversubscribed = true;
        let mut second = federation.sites[0].phases[0].clone();
        // Four nodes draw 4 kW idle.
        second.power = Power::watts(4_000);
        federation.sites[0].phases.push(second);
        assert_eq!(federation.flaws(), []);
        federation.sites[0].phases[1].power = Power::watts(3_999);
        let (needed, available) = (Power::watts(24_000), Power::watts(23_999));
        let flaw = Flaw::IdleAbovePower { site: SiteId(0), phase: PhaseId(1), needed, available };
        assert_eq!(federation.flaws(), [flaw]);
    }
}
