//! What the scheduler is told once: the federation as dense tables of integers.

use giga_model::{Accelerator, Federation, OwnerId, PhaseId, PoolId, ProgrammeId, ProjectId, SiteId};
use giga_model::{Asks, JobRequest, Maintenance};
use giga_units::{Duration, Fraction, Instant, Power};

use crate::event::Rule;

/// The fixed part of the world: it never changes while a scheduler lives.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) sites: Vec<SitePlan>,
    pub(crate) pools: Vec<PoolPlan>,
    pub(crate) projects: Vec<ProjectPlan>,
    pub(crate) programmes: Vec<ProgrammePlan>,
    pub(crate) owners: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct SitePlan {
    pub(crate) pools: std::ops::Range<usize>,
    pub(crate) phases: Vec<PhasePlan>,
    /// Parts per million, by owner; zero where the owner has no share here.
    pub(crate) shares: Vec<u64>,
    pub(crate) maintenance: Option<Maintenance>,
}

#[derive(Debug, Clone)]
pub(crate) struct PhasePlan {
    pub(crate) opens: Instant,
    /// What running work may draw above idle once this phase and all before it are open.
    pub(crate) headroom: Power,
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
    gang_max: Option<u32>,
    limit_max: Option<Duration>,
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
}

impl Need {
    /// Accelerators held while it runs.
    #[must_use]
    pub fn held(&self) -> u32 {
        self.nodes * u32::from(self.each)
    }
}

giga_model::image! { struct Need { pool, nodes, asked, each, power } }

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
        Self {
            sites: sites.collect(),
            pools: (0..federation.pools.len())
                .map(|index| pool_plan(federation, PoolId::at(index)))
                .collect(),
            projects: federation.projects.iter().map(project_plan).collect(),
            programmes: federation.programmes.iter().map(programme_plan).collect(),
            owners: federation.owners.len(),
        }
    }

    /// When a phase opens.
    #[must_use]
    pub fn phase_opens(&self, site: SiteId, phase: PhaseId) -> Instant {
        self.sites[site.index()].phases[phase.index()].opens
    }

    /// What running work may draw above idle at a site with so many phases open.
    #[must_use]
    pub fn headroom(&self, site: SiteId, phases_open: usize) -> Power {
        let phases = &self.sites[site.index()].phases;
        phases_open.checked_sub(1).map_or(Power::ZERO, |last| phases[last].headroom)
    }

    /// Why nobody may ever run this job anywhere, or the first site that could ever run it.
    pub(crate) fn admit(&self, request: &JobRequest) -> Result<Vec<(SiteId, Vec<Need>)>, Rule> {
        let Some(project) = self.projects.get(request.project.index()) else {
            return Err(Rule::UnknownProject);
        };
        if request.asks.iter().any(|ask| ask.accelerators == 0) || request.limit <= Duration::ZERO {
            return Err(Rule::NothingAsked);
        }
        let programme = &self.programmes[project.programme.index()];
        let largest = request.asks.iter().map(|ask| ask.accelerators).max().unwrap_or(0);
        if let Some(most) = programme.gang_max.filter(|&most| largest > most) {
            return Err(Rule::GangAboveProgramme { most });
        }
        if let Some(longest) = programme.limit_max.filter(|&longest| request.limit > longest) {
            return Err(Rule::LimitAboveProgramme { longest });
        }
        let mut reason = Rule::NoSuchAccelerator;
        let mut possible = Vec::new();
        for site in self.sites_of(request.project) {
            match self.possible_at(site, request) {
                Ok(needs) => possible.push((site, needs)),
                Err(rule) => reason = reason.max(rule),
            }
        }
        if possible.is_empty() { Err(reason) } else { Ok(possible) }
    }

    fn sites_of(&self, project: ProjectId) -> impl Iterator<Item = SiteId> + '_ {
        let allowed = &self.projects[project.index()].sites;
        (0..self.sites.len()).map(SiteId::at).filter(move |site| allowed.is_empty() || allowed.contains(site))
    }

    fn possible_at(&self, site: SiteId, request: &JobRequest) -> Result<Vec<Need>, Rule> {
        let plan = &self.sites[site.index()];
        if let Some(windows) = plan.maintenance.filter(|_| request.checkpoint.is_none()) {
            let longest = windows.every.saturating_sub(windows.length);
            if request.limit > longest {
                return Err(Rule::LongerThanBetweenWindows { longest });
            }
        }
        let needs = self.needs(site, &request.asks);
        let Some(largest) = needs.iter().map(|need| self.pools[need.pool.index()].accelerators()).max()
        else {
            return Err(Rule::NoSuchAccelerator);
        };
        let in_nodes: Vec<Need> = needs.iter().copied().filter(|need| self.fits_empty(need)).collect();
        if in_nodes.is_empty() {
            return Err(Rule::GangTooLarge { largest: u32::try_from(largest).unwrap_or(u32::MAX) });
        }
        let headroom = self.headroom(site, plan.phases.len());
        let in_power: Vec<Need> = in_nodes.into_iter().filter(|need| need.power <= headroom).collect();
        if in_power.is_empty() { Err(Rule::PowerTooLarge { headroom }) } else { Ok(in_power) }
    }

    fn fits_empty(&self, need: &Need) -> bool {
        need.nodes <= self.pools[need.pool.index()].nodes
    }

    /// The ways in which asks can be met at a site, whatever is free, in the order of preference.
    pub(crate) fn needs(&self, site: SiteId, asks: &Asks) -> Vec<Need> {
        let mut needs = Vec::new();
        for ask in asks.iter() {
            for index in self.sites[site.index()].pools.clone() {
                let pool = &self.pools[index];
                if ask.accelerator.is_none_or(|kind| kind == pool.accelerator) {
                    needs.push(pool.need(PoolId::at(index), ask.accelerators));
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
        Need { pool, nodes, asked: accelerators, each, power: Power::milliwatts(milliwatts) }
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
        let headroom = site.facility_factor.undo(power).saturating_sub(idle);
        PhasePlan { opens: phase.opens, headroom, nodes: phase.nodes.clone() }
    });
    let mut shares = vec![0; federation.owners.len()];
    for &(owner, share) in &site.shares {
        shares[owner.index()] = Fraction::as_ppm(share);
    }
    SitePlan { pools, phases: phases.collect(), shares, maintenance: site.maintenance }
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
    }
}
