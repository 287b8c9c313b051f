//! The federation: sites with phases and pools, owners with shares, programmes and projects.

use std::sync::Arc;

use giga_units::{
    Bytes, CarbonIntensity, CarbonPrice, Duration, EnergyPrice, Flops, Fraction, Instant, Money, Power,
};

use crate::dataset::{Assurance, Dataset, Network};
use crate::engine::{ContainerRuntime, EngineKind, SlurmAccess, SlurmMode};
use crate::ids::{AcceleratorId, OwnerId, PoolId, ProgrammeId, SiteId};
use crate::overhead::Overheads;
use crate::series::Series;
use crate::weather::Weather;
use crate::workload::Workload;

/// The sites, their owners and the rules they agreed on.
#[derive(Debug, Clone, PartialEq)]
pub struct Federation {
    /// What people call it.
    pub name: String,
    /// When a simulation begins unless told otherwise.
    pub start: Instant,
    /// The sites. A job binds to the one where it costs least; the first of these where several cost the same.
    pub sites: Vec<Site>,
    /// All pools of all sites; those of one site are neighbours.
    pub pools: Vec<Pool>,
    /// The kinds of accelerators that the pools hold.
    pub accelerators: Vec<Accelerator>,
    /// Who paid.
    pub owners: Vec<Owner>,
    /// The doors for users.
    pub programmes: Vec<Programme>,
    /// The allocations.
    pub projects: Vec<Project>,
    /// Data that is registered, with what may be done with it.
    pub datasets: Vec<Dataset>,
    /// What connects the sites.
    pub network: Network,
    /// The price put on emissions in every cost.
    pub carbon_price: CarbonPrice,
    /// How the scheduler behaves.
    pub policy: Policy,
    /// The generated work, where the description has any.
    pub workload: Option<Workload>,
}

/// One location: grid connection, facility, pools.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub country: Country,
    /// What is added when, ordered by date.
    pub phases: Vec<Phase>,
    /// The pools here.
    pub pools: Vec<PoolId>,
    /// Power at the meter over power of the nodes, where `overheads` says no more of it.
    pub facility_factor: Fraction,
    /// The same hour by hour, where it follows from the weather and the building.
    pub overheads: Option<Arc<Overheads>>,
    /// What electricity costs here, on average.
    pub electricity_price: EnergyPrice,
    /// The same over time in µEUR per kWh, where it is known.
    pub price_series: Option<Series>,
    /// What electricity emits here, on average.
    pub carbon_intensity: CarbonIntensity,
    /// The same over time in mg CO2e per kWh, where it is known.
    pub carbon_series: Option<Series>,
    /// The air there over time, where it is known.
    pub weather: Option<Weather>,
    /// How far sovereignty over it is assured.
    pub assurance: Assurance,
    /// How running work there can be made to draw less.
    pub flexibility: Flexibility,
    /// Times in which the grid gives less, that the description names; sorted, and apart from each other.
    pub limits: Vec<GridLimit>,
    /// Yearly cost of building and grounds, as money per MW of connection and hour.
    pub facility_cost_per_megawatt_hour: Money,
    /// Whether the pools may together need more power than the site has; the scheduler then keeps them below it.
    pub oversubscribed: bool,
    /// Whether the connection is meant to be far larger than the pools need.
    pub spare_power: bool,
    /// Each owner's fraction of the site's available accelerator time.
    pub shares: Vec<(OwnerId, Fraction)>,
    /// What breaks and how long a repair takes, or `None` where nothing breaks.
    pub failures: Option<Failures>,
    /// Windows known ahead in which the whole site is out, or `None`.
    pub maintenance: Option<Maintenance>,
    /// What carries decisions out there, or `None` where the site is only described.
    pub engine: Option<EngineKind>,
    /// How its Slurm is reached, where that carries decisions out.
    pub slurm: Option<Box<SlurmAccess>>,
    /// What runs containers there, or `None` where nothing does.
    pub containers: Option<ContainerRuntime>,
    /// By how much its power may change within a minute, where its grid operator says so. Nothing enforces it; it is counted.
    pub ramp_most: Option<Power>,
}

impl Site {
    /// What its Slurm lets us do; where it has none, all is ours.
    #[must_use]
    pub fn mode(&self) -> SlurmMode {
        self.slurm.as_ref().map_or(SlurmMode::Owned, |slurm| slurm.mode)
    }

    /// What electricity costs at an instant.
    #[must_use]
    pub fn price_at(&self, at: Instant) -> EnergyPrice {
        let known = self.price_series.as_ref().map(|series| series.at(at));
        known.map_or(self.electricity_price, EnergyPrice::microeuro_per_kwh)
    }

    /// What electricity emits at an instant.
    #[must_use]
    pub fn intensity_at(&self, at: Instant) -> CarbonIntensity {
        let known = self.carbon_series.as_ref().map(|series| series.at(at));
        known.map_or(self.carbon_intensity, CarbonIntensity::milligrams_per_kwh)
    }

    /// The mean price between two instants.
    #[must_use]
    pub fn mean_price(&self, from: Instant, to: Instant) -> EnergyPrice {
        let known = self.price_series.as_ref().map(|series| series.mean(from, to));
        known.map_or(self.electricity_price, EnergyPrice::microeuro_per_kwh)
    }

    /// The mean intensity between two instants.
    #[must_use]
    pub fn mean_intensity(&self, from: Instant, to: Instant) -> CarbonIntensity {
        let known = self.carbon_series.as_ref().map(|series| series.mean(from, to));
        known.map_or(self.carbon_intensity, CarbonIntensity::milligrams_per_kwh)
    }

    /// The power of the connection at an instant, with nothing limiting it.
    #[must_use]
    pub fn open_at(&self, at: Instant) -> Power {
        self.phases.iter().filter(|phase| phase.opens <= at).map(|phase| phase.power).sum()
    }

    /// The power of the connection with so many phases open, and nothing limiting it.
    #[must_use]
    pub fn connection(&self, phases_open: usize) -> Power {
        self.phases[..phases_open].iter().map(|phase| phase.power).sum()
    }
}

/// How running work can be made to draw less without ending it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flexibility {
    /// What a capped accelerator may draw of what it could draw above idle; the whole where nothing can be capped.
    pub cap_power: Fraction,
    /// How fast work goes forward under the cap.
    pub cap_speed: Fraction,
    /// Whether work can be suspended: it keeps its nodes and memory and draws nothing above idle.
    pub suspends: bool,
}

impl Flexibility {
    /// Work runs as it does, or not at all.
    pub const NONE: Self = Self { cap_power: Fraction::ONE, cap_speed: Fraction::ONE, suspends: false };

    /// Whether caps save anything.
    #[must_use]
    pub fn caps(&self) -> bool {
        self.cap_power < Fraction::ONE
    }
}

/// A time in which the grid gives less than the connection has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridLimit {
    /// From when on.
    pub from: Instant,
    /// Until when.
    pub until: Instant,
    /// What the site may draw at the meter then.
    pub power: Power,
}

/// What a site adds at a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// When it opens.
    pub opens: Instant,
    /// Power that the connection gains.
    pub power: Power,
    /// Nodes that each pool gains.
    pub nodes: Vec<(PoolId, u32)>,
}

/// Identical nodes at a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Where it stands.
    pub site: SiteId,
    /// What people call it.
    pub name: String,
    /// What it holds.
    pub accelerator: AcceleratorId,
}

/// A kind of accelerator as it is installed: in a node, in a rack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accelerator {
    /// Its name in the catalogue or the description.
    pub name: String,
    /// Accelerators in one node, at most 255.
    pub per_node: u16,
    /// Nodes in one rack, which is one scale-up domain.
    pub nodes_per_rack: u16,
    /// What a node draws while nothing runs.
    pub node_idle: Power,
    /// What a node draws at most, accelerators included.
    pub node_max: Power,
    /// Memory of one accelerator.
    pub memory: Bytes,
    /// Dense 16-bit arithmetic of one accelerator.
    pub speed: Flops,
    /// Yearly cost of one accelerator with its part of node, rack and network, per hour.
    pub cost_per_hour: Money,
}

impl Accelerator {
    /// What one accelerator can add to its node's idle draw, rounded up.
    #[must_use]
    pub fn dynamic(&self) -> Power {
        let span = self.node_max.saturating_sub(self.node_idle).as_milliwatts();
        Power::milliwatts(span.div_ceil(u64::from(self.per_node)))
    }
    /// What a node draws at most as the scheduler counts it: idle and every accelerator's addition.
    #[must_use]
    pub fn node_ceiling(&self) -> Power {
        self.node_idle + self.dynamic().times(u64::from(self.per_node))
    }
}

/// A country by its ISO 3166-1 code of two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Reads two capital letters.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 2] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }
    /// The two letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a country code is ASCII")
    }
}

/// Who paid and so has shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// What people call it.
    pub name: String,
}

/// A door for users with its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programme {
    /// What people call it.
    pub name: String,
    /// The higher goes first among the work of one owner.
    pub priority: i32,
    /// The largest gang it lets in, in accelerators.
    pub gang_max: Option<u32>,
    /// The longest time limit it lets in.
    pub limit_max: Option<Duration>,
    /// Which of its work may be told to leave its nodes.
    pub preempt: Preempt,
    /// Whether its work is cut last when power is short.
    pub protected: bool,
    /// The most of a site's available accelerators that its work may hold at a time.
    pub use_max: Option<Fraction>,
    /// What an accelerator-hour is sold for, or `None` where nothing is charged.
    pub price_per_hour: Option<Money>,
}

/// Which work may be told to leave its nodes and to wait again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Preempt {
    /// None.
    Never,
    /// Work that saves its progress.
    Saved,
    /// All of it: what saves nothing begins anew.
    Always,
}

impl Preempt {
    /// All, from the most careful on.
    pub const ALL: [Self; 3] = [Self::Never, Self::Saved, Self::Always];

    /// The word for it in a description.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Saved => "saved",
            Self::Always => "always",
        }
    }
    /// The rule of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.word() == word)
    }
    /// Whether work that saves its progress, or does not, may be told to leave.
    #[must_use]
    pub const fn allows(self, saves: bool) -> bool {
        match self {
            Self::Never => false,
            Self::Saved => saves,
            Self::Always => true,
        }
    }
}

/// An allocation under a programme, charged to an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// What people call it.
    pub name: String,
    /// The door it came in by.
    pub programme: ProgrammeId,
    /// Whose share it uses.
    pub owner: OwnerId,
    /// Its weight against other projects of the same owner and programme, above zero.
    pub weight: Fraction,
    /// Where it may run, or empty for every site.
    pub sites: Vec<SiteId>,
    /// From when on it sends no more work, or `None` where it goes on.
    pub until: Option<Instant>,
}

/// What breaks and how long a repair takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// Mean time of one accelerator between failures that stop the work on its node.
    pub accelerator_mtbf: Duration,
    /// Mean time until the node is back.
    pub repair: Duration,
}

/// Windows that repeat, in which a whole site is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Maintenance {
    /// When the first begins.
    pub first: Instant,
    /// From one beginning to the next; longer than `length`.
    pub every: Duration,
    /// How long each lasts.
    pub length: Duration,
}

impl Maintenance {
    /// The first window that ends after `now`, as begin and end: the one that is on, or the next.
    #[must_use]
    pub fn window_at(&self, now: Instant) -> (Instant, Instant) {
        let passed = now.since(self.first + self.length);
        let over = now >= self.first + self.length;
        let count = if over { passed.as_milliseconds() / self.every.as_milliseconds() + 1 } else { 0 };
        let begin = self.first + Duration::milliseconds(self.every.as_milliseconds().saturating_mul(count));
        (begin, begin + self.length)
    }
}

/// How the scheduler behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// After how long past use counts half among projects.
    pub half_life: Duration,
    /// What shares mean.
    pub sharing: Sharing,
    /// How long work that is told to leave may take to save itself; what is lent comes back within it.
    pub grace: Duration,
    /// What an hour of waiting costs for each accelerator that is asked for.
    pub waiting_price: Money,
    /// What another site must be cheaper by, of the cost here, before waiting work moves there.
    pub rebind_gain: Fraction,
    /// How often a job may be moved while it waits.
    pub rebinds_max: u8,
    /// How many of the first in the line keep a start: with one it is EASY backfill, with more conservative up to that depth.
    pub reservations: u16,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            half_life: Duration::days(7),
            sharing: Sharing::Floors,
            grace: Duration::seconds(120),
            waiting_price: Money::euro(1),
            rebind_gain: Fraction::ppm(100_000),
            rebinds_max: 3,
            reservations: 1,
        }
    }
}

/// What an owner's share of a site means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sharing {
    /// A floor: what the owner can claim at once. What it leaves idle is lent, and comes back.
    Floors,
    /// Only a place in the order of waiting work.
    Order,
}

impl Sharing {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Floors, Self::Order];

    /// The word for it in a description.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Floors => "floors",
            Self::Order => "order",
        }
    }
    /// The meaning of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sharing| sharing.word() == word)
    }
}

impl Federation {
    /// The kind of accelerator in a pool.
    #[must_use]
    pub fn accelerator_of(&self, pool: PoolId) -> &Accelerator {
        &self.accelerators[self.pools[pool.index()].accelerator.index()]
    }
    /// Nodes in a pool once every phase is open.
    #[must_use]
    pub fn nodes_of(&self, pool: PoolId) -> u32 {
        let site = &self.sites[self.pools[pool.index()].site.index()];
        site.phases.iter().flat_map(|phase| &phase.nodes).filter(|(id, _)| *id == pool).map(|(_, n)| n).sum()
    }
    /// Accelerators in a pool once every phase is open.
    #[must_use]
    pub fn accelerators_in(&self, pool: PoolId) -> u64 {
        u64::from(self.nodes_of(pool)) * u64::from(self.accelerator_of(pool).per_node)
    }
    /// All accelerators once every phase is open.
    #[must_use]
    pub fn accelerators_total(&self) -> u64 {
        (0..self.pools.len()).map(|pool| self.accelerators_in(PoolId::at(pool))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_repeat() {
        let start = Instant::unix_milliseconds(0);
        let at = |hours| start + Duration::hours(hours);
        let weekly = Maintenance { first: at(10), every: Duration::days(7), length: Duration::hours(8) };
        let check = |now, begin| assert_eq!(weekly.window_at(at(now)), (at(begin), at(begin + 8)));
        check(0, 10);
        check(10, 10);
        check(17, 10);
        check(18, 178);
        check(178, 178);
        check(200, 346);
    }
}
