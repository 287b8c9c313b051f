//! What the scheduler is told once: the federation as dense tables of integers.

use std::sync::Arc;

use giga_model::image::{Image, ImageError, Source};
use giga_model::{
    Accelerator, Assurance, Country, Dataset, Federation, Flexibility, Network, Overhead, Overheads, OwnerId,
    PhaseId, Policy, PoolId, Preempt, ProgrammeId, ProjectId, Sharing, SiteId, SlurmMode,
};
use giga_model::{Asks, ELASTIC_SINCE, JobRequest, Maintenance};
use giga_units::{Duration, Fraction, Instant, Power};

use crate::bind::Rates;

/// The fixed part of the world: it never changes while a scheduler lives.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) sites: Vec<SitePlan>,
    pub(crate) pools: Vec<PoolPlan>,
    pub(crate) projects: Vec<ProjectPlan>,
    pub(crate) programmes: Vec<ProgrammePlan>,
    pub(crate) owners: usize,
    pub(crate) datasets: Vec<Dataset>,
    pub(crate) network: Network,
    pub(crate) policy: Policy,
}

#[derive(Debug, Clone)]
pub(crate) struct SitePlan {
    pub(crate) pools: std::ops::Range<usize>,
    pub(crate) phases: Vec<PhasePlan>,
    /// By owner; zero where the owner has no share here.
    pub(crate) shares: Vec<Fraction>,
    /// By owner: what it may claim once every phase is open and all nodes are up, in accelerators.
    pub(crate) floors_ever: Vec<u64>,
    /// Whether shares are floors here.
    pub(crate) has_floors: bool,
    pub(crate) maintenance: Option<Maintenance>,
    pub(crate) country: Country,
    pub(crate) assurance: Assurance,
    pub(crate) has_containers: bool,
    pub(crate) flexibility: Flexibility,
    /// Whether its own scheduler decides when work begins, or we only look on and nothing is ever placed there.
    pub(crate) mode: SlurmMode,
    /// What the building draws in all, where that does not change.
    pub(crate) overhead: Overhead,
    /// The same hour by hour, where it does.
    overheads: Option<Arc<Overheads>>,
    pub(crate) rates: Rates,
}

#[derive(Debug, Clone)]
pub(crate) struct PhasePlan {
    pub(crate) opens: Instant,
    /// What running work may draw above idle once this phase and all before it are open, whatever the hour.
    pub(crate) headroom: Power,
    /// What the connection has then, and what the nodes draw idle.
    connection: Power,
    idle: Power,
    /// Nodes by pool of the site, that open with this phase.
    pub(crate) nodes: Vec<(PoolId, u32)>,
}

#[derive(Debug, Clone)]
pub(crate) struct PoolPlan {
    pub(crate) site: SiteId,
    pub(crate) accelerator: giga_model::AcceleratorId,
    pub(crate) per_node: u16,
    pub(crate) nodes_per_rack: u16,
    pub(crate) nodes: u32,
    /// What one accelerator may add to its node's idle draw.
    pub(crate) dynamic: Power,
    /// What an hour of one accelerator costs, in µEUR.
    pub(crate) cost_per_hour: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct ProjectPlan {
    pub(crate) owner: OwnerId,
    pub(crate) programme: ProgrammeId,
    pub(crate) weight: u64,
    pub(crate) sites: Vec<SiteId>,
}

#[derive(Debug, Clone)]
pub(crate) struct ProgrammePlan {
    pub(crate) priority: i32,
    pub(crate) gang_max: Option<u32>,
    pub(crate) limit_max: Option<Duration>,
    preempt: Preempt,
    pub(crate) protected: bool,
    /// Of a site's capacity.
    pub(crate) use_max: Option<Fraction>,
}

/// One way to run a job at a site: so many nodes of a pool, so many accelerators on each, and their power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Which pool.
    pub pool: PoolId,
    /// How many nodes; one where only a part of a node is needed.
    pub nodes: u32,
    /// Accelerators asked for; whole nodes can hold more.
    pub asked: u32,
    /// Accelerators on each node: all of them, unless only a part of one node is needed.
    pub each: u16,
    /// What the accelerators may add to the idle draw of their nodes.
    pub power: Power,
    /// Accelerators for which the time limit is meant: with fewer, the work of an elastic gang takes longer.
    pub full: u32,
}

impl Need {
    /// How long some of the work takes this way, rounded up, where `work` is the time it takes at full size: in proportion, which is
    /// the most it can be for work that speeds up no more than its accelerators grow.
    #[must_use]
    pub fn time(&self, work: Duration) -> Duration {
        scale(work, self.full, self.asked, u64::from(self.asked) - 1)
    }

    /// How much work is done this way in a time, rounded down, as the time it takes at full size.
    #[must_use]
    pub fn work(&self, time: Duration) -> Duration {
        scale(time, self.asked, self.full, 0)
    }

    /// Accelerators held while it runs.
    #[must_use]
    pub fn held(&self) -> u32 {
        self.nodes * u32::from(self.each)
    }
}

impl Image for Need {
    fn write(&self, out: &mut Vec<u8>) {
        let Self { pool, nodes, asked, each, power, full } = self;
        pool.write(out);
        nodes.write(out);
        asked.write(out);
        each.write(out);
        power.write(out);
        full.write(out);
    }
    fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
        let (pool, nodes, asked) = (Image::read(source)?, Image::read(source)?, Image::read(source)?);
        let (each, power) = (Image::read(source)?, Image::read(source)?);
        let full = if source.format() < ELASTIC_SINCE { asked } else { Image::read(source)? };
        if asked == 0 || full < asked {
            return Err(source.bad_tag(0));
        }
        Ok(Self { pool, nodes, asked, each, power, full })
    }
}

/// A time by a ratio that is at most one or at least one, with `up` of the divisor added before it is divided.
fn scale(time: Duration, by: u32, over: u32, up: u64) -> Duration {
    if by == over {
        return time;
    }
    let scaled = (i128::from(time.as_milliseconds()) * i128::from(by) + i128::from(up)) / i128::from(over);
    Duration::milliseconds(i64::try_from(scaled).unwrap_or(i64::MAX / 4))
}

impl Plan {
    /// Reads the tables off a federation that has no [`giga_model::Flaw`].
    #[must_use]
    pub fn new(federation: &Federation) -> Self {
        let mut next = 0;
        let sites = (0..federation.sites.len()).map(|index| {
            let pools = next..next + federation.sites[index].pools.len();
            next = pools.end;
            site_plan(federation, index, pools)
        });
        let mut plan = Self {
            sites: sites.collect(),
            pools: (0..federation.pools.len())
                .map(|index| pool_plan(federation, PoolId::at(index)))
                .collect(),
            projects: federation.projects.iter().map(project_plan).collect(),
            programmes: federation.programmes.iter().map(programme_plan).collect(),
            owners: federation.owners.len(),
            datasets: federation.datasets.clone(),
            network: federation.network.clone(),
            policy: federation.policy,
        };
        let floors = plan.policy.sharing == Sharing::Floors && plan.owners > 1;
        for site in (0..plan.sites.len()).map(SiteId::at) {
            let ever = (0..plan.owners).map(|owner| plan.floor_ever(site, OwnerId::at(owner))).collect();
            let about = &mut plan.sites[site.index()];
            about.has_floors = floors && about.shares.iter().any(|&share| share > Fraction::ZERO);
            about.floors_ever = ever;
        }
        plan
    }

    /// Whether work may be told to leave its nodes.
    pub(crate) fn may_leave(&self, request: &JobRequest) -> bool {
        self.preempt_of(request.project).allows(request.checkpoint.is_some())
    }

    /// Which work of a project may be told to leave.
    pub(crate) fn preempt_of(&self, project: ProjectId) -> Preempt {
        self.programmes[self.projects[project.index()].programme.index()].preempt
    }

    /// Whether shares are floors at a site: they are said to be, somebody has one, and there is somebody to share with.
    pub(crate) fn has_floors(&self, site: SiteId) -> bool {
        self.sites[site.index()].has_floors
    }

    /// How many of the accelerators that are up can be powered: as many as the headroom is of their ceilings.
    pub(crate) fn powered(&self, up: u64, ceiling: Power, headroom: Power) -> u64 {
        if headroom >= ceiling {
            return up;
        }
        let part = u128::from(up) * u128::from(headroom.as_milliwatts());
        u64::try_from(part / u128::from(ceiling.as_milliwatts())).expect("a part is less than the whole")
    }

    /// What running work may draw above idle with so many phases open while the building draws so much, and the grid gives no more
    /// than `limit`.
    pub(crate) fn headroom_under(
        &self,
        site: SiteId,
        phases_open: usize,
        overhead: Overhead,
        limit: Option<Power>,
    ) -> Power {
        let Some(last) = phases_open.checked_sub(1) else { return Power::ZERO };
        let phase = &self.sites[site.index()].phases[last];
        let meter = limit.map_or(phase.connection, |limit| limit.min(phase.connection));
        overhead.undo(meter).saturating_sub(phase.idle)
    }

    /// What the building of a site draws in all from now on, where that changes with the hour.
    pub(crate) fn overhead_now(&self, site: SiteId, now: Instant) -> Option<Overhead> {
        self.sites[site.index()].overheads.as_ref().map(|hours| hours.at(now))
    }

    /// What is missing at the meter where a limit or the connection is below what idle nodes and `kept` above idle draw.
    pub(crate) fn missing(
        &self,
        site: SiteId,
        phases_open: usize,
        overhead: Overhead,
        limit: Option<Power>,
        kept: Power,
    ) -> Power {
        let Some(last) = phases_open.checked_sub(1) else { return Power::ZERO };
        let phase = &self.sites[site.index()].phases[last];
        let meter = limit.map_or(phase.connection, |limit| limit.min(phase.connection));
        overhead.of(phase.idle + kept).saturating_sub(meter)
    }

    /// An end, or the next maintenance window where that begins first.
    pub(crate) fn before_window(&self, site: SiteId, now: Instant, end: Instant) -> Instant {
        end.min(self.next_window(site, now).max(now))
    }

    /// When the next maintenance window begins, or the one that is on began; [`Instant::FAR`] where there is none.
    pub(crate) fn next_window(&self, site: SiteId, now: Instant) -> Instant {
        let windows = self.sites[site.index()].maintenance;
        windows.map_or(Instant::FAR, |windows| windows.window_at(now).0)
    }

    /// When a phase opens.
    #[must_use]
    pub fn phase_opens(&self, site: SiteId, phase: PhaseId) -> Instant {
        self.sites[site.index()].phases[phase.index()].opens
    }

    /// What running work may draw above idle at a site with so many phases open, whatever the hour.
    #[must_use]
    pub fn headroom(&self, site: SiteId, phases_open: usize) -> Power {
        let last = phases_open.checked_sub(1);
        last.map_or(Power::ZERO, |last| self.sites[site.index()].phases[last].headroom)
    }

    /// The ways in which asks can be met at a site, whatever is free, in the order of preference.
    pub(crate) fn needs(&self, site: SiteId, asks: &Asks) -> Vec<Need> {
        let mut needs = Vec::new();
        for ask in asks.iter() {
            let full = asks.least().map_or(ask.accelerators, |_| asks.first().accelerators);
            for index in self.sites[site.index()].pools.clone() {
                let pool = &self.pools[index];
                if ask.accelerator.is_none_or(|kind| kind == pool.accelerator) {
                    needs.push(Need { full, ..pool.need(PoolId::at(index), ask.accelerators) });
                }
            }
        }
        needs
    }
}

impl PoolPlan {
    /// Accelerators once every phase is open.
    pub(crate) fn accelerators(&self) -> u64 {
        u64::from(self.nodes) * u64::from(self.per_node)
    }

    fn need(&self, pool: PoolId, accelerators: u32) -> Need {
        let per_node = u32::from(self.per_node);
        let (nodes, each) = if accelerators < per_node {
            (1, u16::try_from(accelerators).expect("less than a node's accelerators"))
        } else {
            (accelerators.div_ceil(per_node), self.per_node)
        };
        let held = u64::from(nodes) * u64::from(each);
        // A gang beyond any pool is refused by its nodes; its power only has to stay countable until then.
        let milliwatts = self.dynamic.as_milliwatts().saturating_mul(held);
        let power = Power::milliwatts(milliwatts);
        Need { pool, nodes, asked: accelerators, each, power, full: accelerators }
    }
}

fn site_plan(federation: &Federation, index: usize, pools: std::ops::Range<usize>) -> SitePlan {
    let site = &federation.sites[index];
    let (mut power, mut idle) = (Power::ZERO, Power::ZERO);
    let phases = site.phases.iter().map(|phase| {
        power += phase.power;
        for &(pool, nodes) in &phase.nodes {
            idle += federation.accelerator_of(pool).node_idle.times(u64::from(nodes));
        }
        let headroom = site.room_at_least(power).saturating_sub(idle);
        let nodes = phase.nodes.clone();
        PhasePlan { opens: phase.opens, headroom, connection: power, idle, nodes }
    });
    let mut shares = vec![Fraction::ZERO; federation.owners.len()];
    for &(owner, share) in &site.shares {
        shares[owner.index()] = share;
    }
    SitePlan {
        pools,
        phases: phases.collect(),
        floors_ever: Vec::new(),
        has_floors: false,
        shares,
        maintenance: site.maintenance,
        country: site.country,
        assurance: site.assurance,
        has_containers: site.containers.is_some(),
        flexibility: site.flexibility,
        mode: site.mode(),
        overhead: Overhead::of_factor(site.facility_factor),
        overheads: site.overheads.clone(),
        rates: Rates::new(site, federation.carbon_price),
    }
}

fn pool_plan(federation: &Federation, pool: PoolId) -> PoolPlan {
    let kind: &Accelerator = federation.accelerator_of(pool);
    PoolPlan {
        site: federation.pools[pool.index()].site,
        accelerator: federation.pools[pool.index()].accelerator,
        per_node: kind.per_node,
        nodes_per_rack: kind.nodes_per_rack,
        nodes: federation.nodes_of(pool),
        dynamic: kind.dynamic(),
        cost_per_hour: i64::try_from(kind.cost_per_hour.as_microeuro()).unwrap_or(i64::MAX),
    }
}

fn project_plan(project: &giga_model::Project) -> ProjectPlan {
    ProjectPlan {
        owner: project.owner,
        programme: project.programme,
        weight: project.weight.as_ppm().max(1),
        sites: project.sites.clone(),
    }
}

fn programme_plan(programme: &giga_model::Programme) -> ProgrammePlan {
    ProgrammePlan {
        priority: programme.priority,
        gang_max: programme.gang_max,
        limit_max: programme.limit_max,
        preempt: programme.preempt,
        protected: programme.protected,
        use_max: programme.use_max,
    }
}
