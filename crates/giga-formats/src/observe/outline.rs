//! The description of one observed site, as a file that people go on with: what Slurm says, and what it does not know as
//! assumptions that say so.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use giga_units::{Amount as _, CarbonIntensity, EnergyPrice, Fraction, Instant, Power};
use thiserror::Error;

use super::nodes::Node;
use crate::description::{CATALOGUE, Known, ZONES};
use crate::slurm::NodeUse;

/// Nodes of one type of accelerator, and as many in each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolOutline {
    /// What it is called.
    pub name: String,
    /// Slurm's type; empty where it gives none.
    pub kind: String,
    /// Accelerators in each node.
    pub per_node: u32,
    /// Nodes, those that are out included.
    pub nodes: u64,
    /// Nodes that are out.
    pub out: u64,
    /// The partitions that its nodes are in.
    pub partitions: Vec<String>,
}

/// An account that becomes an owner and a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountOutline {
    /// Its name as a project.
    pub name: String,
    /// Its part; `None` where it stands with others under one owner.
    pub share: Option<Fraction>,
}

/// Where shares come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareBasis {
    /// From what was used in the span.
    Use,
    /// From Slurm's fair share.
    FairShare,
    /// Nothing is known: equal parts.
    Equal,
}

/// Where the site draws its electricity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// The country by its code.
    pub country: String,
    /// The bidding zone, where it is one of those that are known.
    pub name: Option<&'static str>,
    /// Its price, where a figure was given; otherwise that of the zone holds.
    pub price: Option<EnergyPrice>,
    /// Its carbon intensity, likewise.
    pub carbon: Option<CarbonIntensity>,
}

/// No figures are known for a zone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "no price and carbon intensity are built in for `{zone}`; name one of {known}, or give both with `--price` and `--carbon`"
)]
pub struct ZoneUnknown {
    /// What was asked for.
    pub zone: String,
    /// Those with both figures.
    pub known: String,
}

/// Finds a zone, or a country that is one, or takes a country with figures of its own.
///
/// # Errors
/// Says which zones are known.
pub fn zone(
    word: &str,
    price: Option<EnergyPrice>,
    carbon: Option<CarbonIntensity>,
) -> Result<Zone, ZoneUnknown> {
    let known = ZONES.iter().find(|zone| zone.name == word || (zone.whole && zone.country == word));
    match known {
        Some(zone)
            if (price.is_some() || zone.price.is_some()) && (carbon.is_some() || zone.carbon.is_some()) =>
        {
            Ok(Zone { country: zone.country.to_owned(), name: Some(zone.name), price, carbon })
        }
        None if price.is_some() && carbon.is_some() && giga_model::Country::parse(word).is_some() => {
            Ok(Zone { country: word.to_owned(), name: None, price, carbon })
        }
        _ => {
            let whole = ZONES.iter().filter(|zone| zone.price.is_some() && zone.carbon.is_some());
            let known = whole.map(|zone| if zone.whole { zone.country } else { zone.name });
            Err(ZoneUnknown { zone: word.to_owned(), known: known.collect::<Vec<_>>().join(", ") })
        }
    }
}

/// The most accelerators that a node of a description has.
const PER_NODE_MAX: u32 = 255;

/// The nodes with accelerators, put together by type and count.
#[must_use]
pub fn pools(nodes: &[Node]) -> Vec<PoolOutline> {
    let mut found: BTreeMap<(&str, u32), PoolOutline> = BTreeMap::new();
    for node in nodes.iter().filter(|node| (1..=PER_NODE_MAX).contains(&node.accelerators)) {
        let pool = found.entry((&node.kind, node.accelerators)).or_insert_with(|| PoolOutline {
            name: String::new(),
            kind: node.kind.clone(),
            per_node: node.accelerators,
            nodes: 0,
            out: 0,
            partitions: Vec::new(),
        });
        pool.nodes += 1;
        pool.out += u64::from(node.usage == NodeUse::Out);
        let new = node.partitions.iter().filter(|name| !pool.partitions.contains(name)).cloned();
        let new: Vec<String> = new.collect();
        pool.partitions.extend(new);
    }
    let mut pools: Vec<PoolOutline> = found.into_values().collect();
    for pool in &mut pools {
        pool.name = format!("{}-{}", plain(&pool.kind, "gpu"), pool.per_node);
    }
    pools
}

/// A word as a name of a description.
pub(super) fn plain(word: &str, otherwise: &str) -> String {
    let plain: String = word
        .chars()
        .map(|sign| if sign.is_control() || "/|\"\\`".contains(sign) { '-' } else { sign })
        .collect();
    let plain = plain.trim();
    if plain.is_empty() || [".", "..", "*"].contains(&plain) {
        otherwise.to_owned()
    } else {
        plain.to_owned()
    }
}

/// All that a description says of an observed site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// What the cluster is called.
    pub name: String,
    /// When it was asked.
    pub at: Instant,
    /// When a simulation begins: the first submission of the trace.
    pub start: Instant,
    /// Its pools.
    pub pools: Vec<PoolOutline>,
    /// Its accounts; at least one.
    pub accounts: Vec<AccountOutline>,
    /// Where their shares come from.
    pub basis: ShareBasis,
    /// Where it stands, where that was said.
    pub zone: Option<Zone>,
}

/// The owner of accounts beyond those that have a share of their own.
const OTHERS: &str = "other-accounts";

impl Outline {
    /// The name of an account as a project.
    #[must_use]
    pub fn project(account: &str) -> String {
        plain(account, "no-account")
    }

    /// The accelerator of a pool, as the description calls it.
    #[must_use]
    pub fn accelerator(pool: &PoolOutline) -> String {
        match like(&pool.kind) {
            Some(known) if figure(known, "per_node") == pool.per_node.to_string() => known.name.to_owned(),
            _ => pool.name.clone(),
        }
    }

    /// The file.
    #[must_use]
    pub fn write(&self) -> String {
        let mut out = String::new();
        self.head(&mut out);
        self.accelerators(&mut out);
        self.site(&mut out);
        self.parties(&mut out);
        out
    }

    fn head(&self, out: &mut String) {
        let Self { name, at, start, .. } = self;
        let name = plain(name, "slurm");
        let _ = write!(
            out,
            "# `{name}` as `giga observe` saw it at {at}: what sinfo, squeue and sacct say of it.\n\
             # Mode: observe. Nothing is submitted there, and this file gives nobody a way to.\n\
             # What Slurm does not know is an assumption and says so; lines that begin with `#` hold the defaults.\n\n\
             format = 1\nname = {}\nstart = {start} # the first submission of the trace\n\n\
             [policy]\nsharing = \"order\" # as Slurm's fair share: it orders what waits, and takes nothing back\n\
             # half_life = \"7 d\" # put `PriorityDecayHalfLife` of slurm.conf here\n\
             # reservations = 1 # EASY backfill; `bf_max_job_test` of Slurm goes deeper\n",
            quoted(&name)
        );
    }

    fn accelerators(&self, out: &mut String) {
        for pool in self.pools.iter().filter(|pool| Self::accelerator(pool) == pool.name) {
            let (base, why) = match like(&pool.kind) {
                Some(known) => (known, format!("as {} for each accelerator", known.name)),
                None => {
                    let base = like("h100").expect("the catalogue has it");
                    (
                        base,
                        format!("Slurm gives no type that is known; as {} for each accelerator", base.name),
                    )
                }
            };
            let cost = figure(base, "cost");
            let _ = write!(
                out,
                "\n[[accelerator]]\nname = {}\nper_node = {} # sinfo\n\
                 node_idle = {} # assumption: {why}\nnode_max = {} # assumption: {why}\n\
                 cost = {cost} # assumption: {why}\n",
                quoted(&pool.name),
                pool.per_node,
                quoted(&scaled(base, "node_idle", pool.per_node).written()),
                quoted(&scaled(base, "node_max", pool.per_node).written()),
            );
        }
    }

    fn site(&self, out: &mut String) {
        let name = plain(&self.name, "slurm");
        let _ = write!(out, "\n[[site]]\nname = {}\n", quoted(&name));
        self.energy(out);
        let _ = write!(
            out,
            "# facility_factor = 1.36 # assumption: put the PUE of the building here\n\
             # facility_cost = \"13 m EUR\" # assumption: capital for building and grounds per MW\n\n\
             [site.failures]\nenabled = false # the trace has what broke\n\n[site.shares] # {}\n",
            match self.basis {
                ShareBasis::Use => "measured: the part of each account of all accelerator-hours of the span",
                ShareBasis::FairShare => "Slurm's fair share of each account",
                ShareBasis::Equal => "assumption: equal parts, since neither use nor fair share is known",
            }
        );
        for (owner, share) in self.shares() {
            let _ = writeln!(out, "{} = {}", quoted(owner), quoted(&share.written()));
        }
        let need: Power = self.pools.iter().map(|pool| self.need(pool)).sum();
        // A kilowatt more than the pools can need, so that no rounding is between.
        let kilowatts = need.as_milliwatts().div_ceil(1_000_000) + 1;
        let power = Power::watts(kilowatts * 1_000).written();
        let _ = write!(
            out,
            "\n[[site.phase]]\npower = {} # assumption: what all nodes need at most, times the facility factor\n",
            quoted(&power)
        );
        for pool in &self.pools {
            let (nodes, out_now, partitions) = (pool.nodes, pool.out, pool.partitions.join(", "));
            let _ = write!(
                out,
                "[[site.phase.pool]] # {nodes} nodes, {out_now} of them out; partitions {}\nname = {}\n\
                 accelerator = {}\naccelerators = {}\n",
                plain(&partitions, "unknown"),
                quoted(&pool.name),
                quoted(&Self::accelerator(pool)),
                nodes * u64::from(pool.per_node),
            );
        }
    }

    fn energy(&self, out: &mut String) {
        let Some(zone) = &self.zone else {
            out.push_str(
                "country = \"ZZ\" # unknown: put the code of the country here, or observe with `--zone`\n\
                 electricity_price = \"90 EUR/MWh\" # assumption: between the means of Finland and Germany in 2023\n\
                 carbon_intensity = \"200 gCO2e/kWh\" # assumption: between the means of Finland and Germany in 2025\n",
            );
            return;
        };
        let _ = writeln!(out, "country = {}", quoted(&zone.country));
        if let Some(name) = zone.name {
            let _ = writeln!(out, "zone = {} # price and carbon intensity follow from it", quoted(name));
        }
        if let Some(price) = zone.price {
            let _ = writeln!(out, "electricity_price = {} # as it was given", quoted(&price.written()));
        }
        if let Some(carbon) = zone.carbon {
            let _ = writeln!(out, "carbon_intensity = {} # as it was given", quoted(&carbon.written()));
        }
    }

    fn need(&self, pool: &PoolOutline) -> Power {
        let base = like(&pool.kind).or_else(|| like("h100")).expect("the catalogue has it");
        let nodes = scaled(base, "node_max", pool.per_node).times(pool.nodes);
        Fraction::ppm(1_360_000).of(nodes)
    }

    /// Owners with their shares; what is left of the whole is left out.
    fn shares(&self) -> Vec<(&str, Fraction)> {
        let mut shares: Vec<(&str, Fraction)> = self
            .accounts
            .iter()
            .filter_map(|account| Some((account.name.as_str(), account.share?)))
            .collect();
        if shares.len() < self.accounts.len() {
            let given: u64 = shares.iter().map(|(_, share)| share.as_ppm()).sum();
            shares.push((OTHERS, Fraction::ppm(1_000_000_u64.saturating_sub(given).max(1))));
        }
        shares
    }

    fn parties(&self, out: &mut String) {
        for (owner, _) in self.shares() {
            let _ = write!(out, "\n[[owner]]\nname = {}\n", quoted(owner));
        }
        out.push_str("\n[[programme]]\nname = \"slurm\"\n");
        for account in &self.accounts {
            let owner = if account.share.is_some() { account.name.as_str() } else { OTHERS };
            let (project, owner) = (quoted(&account.name), quoted(owner));
            let _ = write!(out, "\n[[project]]\nname = {project}\nowner = {owner}\n");
        }
    }
}

/// A text of TOML. What is put in has no quotes, backslashes and control characters.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// The entry of the catalogue that a type of Slurm is like, such as `nvidia_a100_80gb`.
fn like(kind: &str) -> Option<&'static Known> {
    const LIKE: [(&str, &str); 10] = [
        ("gb300", "GB300-NVL72"),
        ("gb200", "GB200-NVL72"),
        ("gh200", "GH200"),
        ("b200", "B200-HGX"),
        ("h200", "H200-HGX"),
        ("h100", "H100-HGX"),
        ("a100", "A100-HGX"),
        ("mi300", "MI300X"),
        ("mi250", "MI250X-LUMI"),
        ("vr200", "VR-NVL72"),
    ];
    let kind = kind.to_ascii_lowercase();
    let (_, name) = LIKE.into_iter().find(|(word, _)| kind.contains(word))?;
    CATALOGUE.iter().find(|known| known.name == name)
}

fn figure(known: &'static Known, key: &str) -> &'static str {
    let found = known.figures.iter().find(|(name, ..)| *name == key);
    found.map(|(_, value, _)| *value).expect("every entry of the catalogue has it")
}

/// A power of a node with another number of the same accelerators.
fn scaled(known: &'static Known, key: &str, per_node: u32) -> Power {
    let power = Power::parse(figure(known, key).trim_matches('"')).expect("the catalogue is sound");
    let of: u64 = figure(known, "per_node").parse().expect("the catalogue is sound");
    Power::watts(power.times(per_node.into()).split(of).as_milliwatts().div_ceil(1_000))
}
