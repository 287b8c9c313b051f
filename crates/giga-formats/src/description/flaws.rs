//! Contradictions of a federation, at the lines that make them and with figures that would mend them.

use giga_model::{Federation, Flaw, PoolId, SiteId};
use giga_units::{Amount, Fraction, Power, grouped};
use thiserror::Error;

use super::build::Built;
use super::diagnostic::{Explain, Findings};
use super::record::Record;

/// A contradiction, with what its message and remedy need.
#[derive(Debug, Error)]
enum Contradiction {
    #[error("the pools of `{site}` need up to {needed}, and its connection has {available} by this phase")]
    PowerTooSmall { site: String, needed: String, available: String, raise: String, fewer: Option<Fewer> },
    #[error(
        "the idle nodes of `{site}` alone need {needed}, and its connection has {available} by this phase"
    )]
    IdleAbovePower { site: String, needed: String, available: String, raise: String },
    #[error(
        "{available} for {accelerators} accelerators is {each} each, and those of `{site}` need at most {need}"
    )]
    PowerTooLarge {
        site: String,
        available: String,
        accelerators: String,
        each: String,
        need: String,
        lower: String,
        more: String,
    },
    #[error("`{site}` has {available} of power and no accelerators")]
    PowerForNothing { site: String, available: String },
    #[error("the shares of `{site}` are together {total}")]
    SharesAboveWhole { site: String, total: String, excess: String },
    #[error("`{owner}` stands twice among the shares of `{site}`")]
    ShareTwice { site: String, owner: String },
    #[error("a maintenance window of `{site}` is as long as the time between two")]
    MaintenanceAlways { site: String },
    #[error("this phase of `{site}` opens before the one above it")]
    PhasesOutOfOrder { site: String },
    #[error("pool `{pool}` never gets a node")]
    PoolEmpty { pool: String },
}

/// How many accelerators of a pool would fit.
#[derive(Debug)]
struct Fewer {
    pool: String,
    accelerators: String,
}

impl Explain for Contradiction {
    fn help(&self) -> String {
        match self {
            Self::PowerTooSmall { raise, fewer, .. } => {
                let fewer = fewer.as_ref().map_or_else(String::new, |fewer| {
                    format!("lower `accelerators` of pool `{}` to {}, or ", fewer.pool, fewer.accelerators)
                });
                format!(
                    "raise `power` of this phase to at least {raise}, or {fewer}set `oversubscribed = true` to let \
                     the scheduler keep the pools below the power"
                )
            }
            Self::IdleAbovePower { raise, .. } => {
                format!("raise `power` of this phase to at least {raise}, or lower `accelerators`")
            }
            Self::PowerTooLarge { lower, more, .. } => format!(
                "the two figures may speak of different stages: lower `power` to about {lower}, raise `accelerators` \
                 to about {more}, or set `spare_power = true` where the rest is meant for later"
            ),
            Self::PowerForNothing { .. } => "add a [[site.phase.pool]], or set `spare_power = true`".into(),
            Self::SharesAboveWhole { excess, .. } => {
                format!("take {excess} away so that they are at most 100 %")
            }
            Self::ShareTwice { .. } => "write the sum once".into(),
            Self::MaintenanceAlways { .. } => "raise `every`, or lower `length`".into(),
            Self::PhasesOutOfOrder { .. } => "write the phases in the order of their dates".into(),
            Self::PoolEmpty { .. } => "write `accelerators`, or drop the pool".into(),
        }
    }
}

/// Reports all contradictions of the sites that could be built.
pub(crate) fn report(root: &Record, built: &Built, findings: &mut Findings) {
    let judge = Judge { root, federation: &built.federation, built };
    for flaw in built.federation.flaws() {
        judge.report(&flaw, findings);
    }
    for site in root.tables("site") {
        shares(site, findings);
    }
}

struct Judge<'b> {
    root: &'b Record,
    federation: &'b Federation,
    built: &'b Built,
}

impl Judge<'_> {
    fn report(&self, flaw: &Flaw, findings: &mut Findings) {
        let (site, place, key) = self.place(flaw);
        let sound = self.built.sound[site.index()];
        let judged = match flaw {
            Flaw::PowerTooSmall { .. } | Flaw::IdleAbovePower { .. } | Flaw::PowerTooLarge { .. } => {
                sound.power
            }
            Flaw::PhasesOutOfOrder { .. } => sound.dates,
            Flaw::SharesAboveWhole { .. } => false,
            Flaw::PoolEmpty { .. } | Flaw::ShareTwice { .. } | Flaw::MaintenanceAlways { .. } => true,
        };
        if !judged {
            return;
        }
        let contradiction = self.contradiction(flaw);
        if let Flaw::PoolEmpty { pool } = flaw {
            let (span, path) = &self.built.pools[pool.index()];
            return findings.add(span, path, &contradiction);
        }
        findings.add(&place.span_of(key), place.path_of(key), &contradiction);
    }

    /// The site that a flaw concerns, and the record and key that make it.
    fn place(&self, flaw: &Flaw) -> (SiteId, &Record, &'static str) {
        let record = |site: SiteId| &self.root.tables("site")[site.index()];
        let phase = |site: SiteId, index: usize| &record(site).tables("phase")[index];
        match *flaw {
            Flaw::PowerTooSmall { site, phase: id, .. } | Flaw::IdleAbovePower { site, phase: id, .. } => {
                (site, phase(site, id.index()), "power")
            }
            Flaw::PowerTooLarge { site, .. } => {
                let last = self.federation.sites[site.index()].phases.len() - 1;
                (site, phase(site, last), "power")
            }
            Flaw::SharesAboveWhole { site, .. } | Flaw::ShareTwice { site, .. } => {
                (site, record(site), "shares")
            }
            Flaw::MaintenanceAlways { site } => (site, record(site), "maintenance"),
            Flaw::PhasesOutOfOrder { site, phase: id } => (site, phase(site, id.index()), "opens"),
            Flaw::PoolEmpty { pool } => {
                let site = self.federation.pools[pool.index()].site;
                (site, record(site), "name")
            }
        }
    }

    fn contradiction(&self, flaw: &Flaw) -> Contradiction {
        let called = |site: SiteId| self.federation.sites[site.index()].name.clone();
        match *flaw {
            Flaw::PowerTooSmall { site, phase, needed, available } => Contradiction::PowerTooSmall {
                site: called(site),
                needed: above(needed),
                available: available.written(),
                raise: self.raise(site, phase.index(), needed, available),
                fewer: self.fewer(site, phase.index(), needed, available),
            },
            Flaw::IdleAbovePower { site, phase, needed, available } => Contradiction::IdleAbovePower {
                site: called(site),
                needed: above(needed),
                available: available.written(),
                raise: self.raise(site, phase.index(), needed, available),
            },
            Flaw::PowerTooLarge { site, available, accelerators: 0, .. } => {
                Contradiction::PowerForNothing { site: called(site), available: available.written() }
            }
            Flaw::PowerTooLarge { site, needed, available, accelerators } => {
                too_large(called(site), needed, available, accelerators)
            }
            Flaw::SharesAboveWhole { site, total } => above_whole(called(site), total),
            Flaw::ShareTwice { site, owner } => {
                let owner = self.federation.owners[owner.index()].name.clone();
                Contradiction::ShareTwice { site: called(site), owner }
            }
            Flaw::MaintenanceAlways { site } => Contradiction::MaintenanceAlways { site: called(site) },
            Flaw::PhasesOutOfOrder { site, .. } => Contradiction::PhasesOutOfOrder { site: called(site) },
            Flaw::PoolEmpty { pool } => {
                Contradiction::PoolEmpty { pool: self.federation.pools[pool.index()].name.clone() }
            }
        }
    }

    /// The power of a phase with which its site would have enough.
    fn raise(&self, site: SiteId, phase: usize, needed: Power, available: Power) -> String {
        above(self.federation.sites[site.index()].phases[phase].power + needed.saturating_sub(available))
    }

    /// The accelerators that the largest pool of a phase may add so that the power is enough, where any may.
    fn fewer(&self, site: SiteId, phase: usize, needed: Power, available: Power) -> Option<Fewer> {
        let site = &self.federation.sites[site.index()];
        let draw = |pool: PoolId| self.federation.accelerator_of(pool).node_ceiling();
        let &(pool, nodes) = site.phases[phase]
            .nodes
            .iter()
            .max_by_key(|&&(pool, nodes)| draw(pool).times(u64::from(nodes)))?;
        let factor = site.facility_factor;
        let excess = factor.undo(needed.saturating_sub(available)) + Power::milliwatts(1);
        let drop = excess.as_milliwatts().div_ceil(draw(pool).as_milliwatts().max(1));
        let left = u64::from(nodes).checked_sub(drop).filter(|&left| left > 0)?;
        let accelerators = left * u64::from(self.federation.accelerator_of(pool).per_node);
        let pool = self.federation.pools[pool.index()].name.clone();
        Some(Fewer { pool, accelerators: grouped(accelerators) })
    }
}

/// Judges the shares as they are written, those of unknown owners included.
fn shares(site: &Record, findings: &mut Findings) {
    let total = Fraction::ppm(site.shares("shares").iter().map(|share| share.part.as_ppm()).sum());
    if total > Fraction::ONE {
        let fault = above_whole(site.text("name").unwrap_or_default().to_owned(), total);
        findings.add(&site.span_of("shares"), site.path_of("shares"), &fault);
    }
}

fn above_whole(site: String, total: Fraction) -> Contradiction {
    let excess = Fraction::ppm(total.as_ppm().saturating_sub(Fraction::ONE.as_ppm()));
    Contradiction::SharesAboveWhole { site, total: total.written(), excess: excess.written() }
}

fn too_large(site: String, needed: Power, available: Power, accelerators: u64) -> Contradiction {
    let fitting = u128::from(available.as_milliwatts()) * u128::from(accelerators)
        / u128::from(needed.as_milliwatts().max(1));
    Contradiction::PowerTooLarge {
        site,
        available: available.written(),
        accelerators: grouped(accelerators),
        each: above(available.split(accelerators)),
        need: above(needed.split(accelerators)),
        lower: above(needed),
        more: grouped(u64::try_from(fitting).unwrap_or(u64::MAX)),
    }
}

/// A power in a handy unit with one decimal, rounded up.
fn above(power: Power) -> String {
    let milliwatts = power.as_milliwatts();
    let units = [("MW", 1_000_000_000_u64), ("kW", 1_000_000), ("W", 1_000)];
    let (unit, size) = units.into_iter().find(|&(_, size)| milliwatts >= size).unwrap_or(("W", 1_000));
    let tenths = milliwatts.div_ceil(size / 10);
    if tenths.is_multiple_of(10) {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}
