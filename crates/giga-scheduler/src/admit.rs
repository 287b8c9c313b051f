//! Who may ever run, and where: the hard rules. What they forbid is named; nothing of what is cheap comes in here.

use std::collections::BTreeMap;
use std::sync::Arc;

use giga_model::{Asks, DatasetId, JobRequest, OwnerId, ProjectId, SiteId};
use giga_units::{Duration, Instant};

use crate::event::Rule;
use crate::plan::{Need, Plan, PoolPlan};

/// The ways of an ask at every site that could ever run it, whoever asks.
type Ways = Arc<[(SiteId, Vec<Need>)]>;

/// Remembers the ways of asks: most jobs ask for what another asked for before.
#[derive(Debug, Clone, Default)]
pub(crate) struct WaysMemo(BTreeMap<Asks, Ways>);

/// How many different asks are remembered before all are forgotten.
const REMEMBERED: usize = 4_096;

impl WaysMemo {
    pub(crate) fn of(&mut self, plan: &Plan, asks: &Asks) -> Ways {
        if let Some(ways) = self.0.get(asks) {
            return Arc::clone(ways);
        }
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        let sites = (0..plan.sites.len()).map(SiteId::at);
        let ways: Ways = sites.filter_map(|site| Some((site, plan.ways_ever(site, asks)?))).collect();
        self.0.insert(asks.clone(), Arc::clone(&ways));
        ways
    }
}

/// Possible places as they are asked about.
pub(crate) fn places(possible: &[(SiteId, Vec<Need>)]) -> impl Iterator<Item = (SiteId, &[Need])> + Clone {
    possible.iter().map(|(site, ways)| (*site, ways.as_slice()))
}

impl Plan {
    /// The ways that fit into a site when it is empty and every phase is open; `None` where there is none.
    fn ways_ever(&self, site: SiteId, asks: &Asks) -> Option<Vec<Need>> {
        let headroom = self.headroom(site, self.sites[site.index()].phases.len());
        let fits = |need: &Need| self.fits_empty(need) && need.power <= headroom;
        let ways: Vec<Need> = self.needs(site, asks).into_iter().filter(fits).collect();
        (!ways.is_empty()).then_some(ways)
    }

    /// Where a request could ever run, of the sites that have ways for its asks: the same as [`Plan::admit`] finds, without the
    /// rules that forbid it.
    pub(crate) fn possible<'a>(
        &'a self,
        now: Instant,
        request: &'a JobRequest,
        ways: &'a [(SiteId, Vec<Need>)],
    ) -> impl Iterator<Item = (SiteId, &'a [Need])> + Clone {
        let anywhere = self.admit_request(now, request).is_ok();
        let allowed = self.projects.get(request.project.index()).map_or(&[][..], |project| &project.sites);
        let ways = if anywhere { ways } else { &[] };
        let here = move |site: SiteId| allowed.is_empty() || allowed.contains(&site);
        ways.iter().filter_map(move |(site, ways)| {
            let fits = here(*site)
                && self.may_read_at(*site, request).is_ok()
                && self.between_windows(*site, request).is_ok();
            let most = if fits { self.floor_for(*site, request) } else { return None };
            let within = ways.iter().position(|need| u64::from(need.held()) <= most)?;
            Some((*site, &ways[within..]))
        })
    }

    /// Why nobody may ever run this job anywhere, or the first site that could ever run it.
    pub(crate) fn admit(&self, now: Instant, request: &JobRequest) -> Result<Vec<(SiteId, Vec<Need>)>, Rule> {
        self.admit_request(now, request)?;
        let mut reason = Rule::NoSuchAccelerator;
        let mut possible = Vec::new();
        for site in self.sites_of(request.project) {
            match self.may_read_at(site, request).and_then(|()| self.possible_at(site, request)) {
                Ok(needs) => possible.push((site, needs)),
                Err(rule) => reason = reason.max(rule),
            }
        }
        if possible.is_empty() { Err(reason) } else { Ok(possible) }
    }

    /// What a request asks of no site in particular.
    fn admit_request(&self, now: Instant, request: &JobRequest) -> Result<(), Rule> {
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
        self.admit_terms(now, request)
    }

    pub(crate) fn sites_of(&self, project: ProjectId) -> impl Iterator<Item = SiteId> + '_ {
        let allowed = &self.projects[project.index()].sites;
        (0..self.sites.len()).map(SiteId::at).filter(move |site| allowed.is_empty() || allowed.contains(site))
    }

    pub(crate) fn possible_at(&self, site: SiteId, request: &JobRequest) -> Result<Vec<Need>, Rule> {
        let plan = &self.sites[site.index()];
        self.between_windows(site, request)?;
        let needs = self.needs(site, &request.asks);
        let Some(largest) = needs.iter().map(|need| self.pools[need.pool.index()].accelerators()).max()
        else {
            return Err(Rule::NoSuchAccelerator);
        };
        let in_nodes: Vec<Need> = needs.iter().copied().filter(|need| self.fits_empty(need)).collect();
        if in_nodes.is_empty() {
            return Err(Rule::GangTooLarge { largest: u32::try_from(largest).unwrap_or(u32::MAX) });
        }
        let in_share = self.within_floor(site, request, in_nodes)?;
        let headroom = self.headroom(site, plan.phases.len());
        let in_power: Vec<Need> = in_share.into_iter().filter(|need| need.power <= headroom).collect();
        if in_power.is_empty() { Err(Rule::PowerTooLarge { headroom }) } else { Ok(in_power) }
    }

    /// Whether work that saves nothing ends between two windows.
    fn between_windows(&self, site: SiteId, request: &JobRequest) -> Result<(), Rule> {
        let windows = self.sites[site.index()].maintenance.filter(|_| request.checkpoint.is_none());
        let longest = windows.map(|windows| windows.every.saturating_sub(windows.length));
        match longest.filter(|&longest| request.limit > longest) {
            Some(longest) => Err(Rule::LongerThanBetweenWindows { longest }),
            None => Ok(()),
        }
    }

    /// What its terms ask of no site in particular.
    fn admit_terms(&self, now: Instant, request: &JobRequest) -> Result<(), Rule> {
        let Some(terms) = &request.terms else { return Ok(()) };
        for &id in &terms.data {
            let data = self.datasets.get(id.index()).ok_or(Rule::UnknownDataset)?;
            if terms.leaving > data.policy.may_leave {
                return Err(Rule::LeavingForbidden { dataset: id });
            }
        }
        if terms.deadline.is_some_and(|deadline| deadline < now + request.limit) {
            return Err(Rule::DeadlineTooClose);
        }
        Ok(())
    }

    /// Whether a site is assured as far as is asked, and may read all the data.
    pub(crate) fn may_read_at(&self, site: SiteId, request: &JobRequest) -> Result<(), Rule> {
        let Some(terms) = &request.terms else { return Ok(()) };
        let about = &self.sites[site.index()];
        if let Some(needed) = terms.assurance.filter(|&needed| about.assurance < needed) {
            return Err(Rule::AssuranceTooLow { needed });
        }
        let mut data = terms.data.iter();
        let forbids =
            |id: &&DatasetId| !self.datasets[id.index()].may_be_read(site, about.country, about.assurance);
        data.find(forbids).map_or(Ok(()), |&dataset| Err(Rule::DataForbids { dataset }))
    }

    /// The ways that an owner could ever claim, of work that can not be told to leave.
    fn within_floor(&self, site: SiteId, request: &JobRequest, ways: Vec<Need>) -> Result<Vec<Need>, Rule> {
        let floor = self.floor_for(site, request);
        let within: Vec<Need> = ways.into_iter().filter(|need| u64::from(need.held()) <= floor).collect();
        let floor = u32::try_from(floor).unwrap_or(u32::MAX);
        if within.is_empty() { Err(Rule::AboveFloor { floor }) } else { Ok(within) }
    }

    /// The most accelerators that a job may ever hold as far as shares go: all, or its owner's floor once every phase is open and
    /// all nodes are up.
    fn floor_for(&self, site: SiteId, request: &JobRequest) -> u64 {
        let owner = self.projects[request.project.index()].owner;
        let bound = self.has_floors(site) && !self.may_leave(request);
        if bound { self.sites[site.index()].floors_ever[owner.index()] } else { u64::MAX }
    }

    /// What an owner may claim at a site once every phase is open and all nodes are up.
    pub(crate) fn floor_ever(&self, site: SiteId, owner: OwnerId) -> u64 {
        let about = &self.sites[site.index()];
        let pools = || self.pools[about.pools.clone()].iter();
        let up = pools().map(PoolPlan::accelerators).sum();
        let ceiling = pools().map(|pool| pool.dynamic.times(pool.accelerators())).sum();
        let powered = self.powered(up, ceiling, self.headroom(site, about.phases.len()));
        about.shares[owner.index()].of_count(powered)
    }

    fn fits_empty(&self, need: &Need) -> bool {
        need.nodes <= self.pools[need.pool.index()].nodes
    }
}
