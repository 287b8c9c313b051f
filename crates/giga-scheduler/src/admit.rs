//! Who may ever run, and where: the hard rules. What they forbid is named; nothing of what is cheap comes in here.

use giga_model::{DatasetId, JobRequest, OwnerId, ProjectId, SiteId};
use giga_units::{Duration, Instant};

use crate::event::Rule;
use crate::plan::{Need, Plan, PoolPlan};

impl Plan {
    /// Why nobody may ever run this job anywhere, or the first site that could ever run it.
    pub(crate) fn admit(&self, now: Instant, request: &JobRequest) -> Result<Vec<(SiteId, Vec<Need>)>, Rule> {
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
        self.admit_terms(now, request)?;
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

    pub(crate) fn sites_of(&self, project: ProjectId) -> impl Iterator<Item = SiteId> + '_ {
        let allowed = &self.projects[project.index()].sites;
        (0..self.sites.len()).map(SiteId::at).filter(move |site| allowed.is_empty() || allowed.contains(site))
    }

    pub(crate) fn possible_at(&self, site: SiteId, request: &JobRequest) -> Result<Vec<Need>, Rule> {
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
        let in_share = self.within_floor(site, request, in_nodes)?;
        let headroom = self.headroom(site, plan.phases.len());
        let in_power: Vec<Need> = in_share.into_iter().filter(|need| need.power <= headroom).collect();
        if in_power.is_empty() { Err(Rule::PowerTooLarge { headroom }) } else { Ok(in_power) }
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
        if self.may_leave(request) || !self.has_floors(site) {
            return Ok(ways);
        }
        let floor = self.floor_ever(site, self.projects[request.project.index()].owner);
        let within: Vec<Need> = ways.into_iter().filter(|need| u64::from(need.held()) <= floor).collect();
        let floor = u32::try_from(floor).unwrap_or(u32::MAX);
        if within.is_empty() { Err(Rule::AboveFloor { floor }) } else { Ok(within) }
    }

    /// What an owner may claim at a site once every phase is open and all nodes are up.
    fn floor_ever(&self, site: SiteId, owner: OwnerId) -> u64 {
        let about = &self.sites[site.index()];
        let pools = || self.pools[about.pools.clone()].iter();
        let up = pools().map(PoolPlan::accelerators).sum();
        let ceiling = pools().map(|pool| pool.dynamic.times(pool.accelerators())).sum();
        let powered = self.powered(up, ceiling, self.headroom(site, about.phases.len()));
        let part = u128::from(powered) * u128::from(about.shares[owner.index()]) / 1_000_000;
        u64::try_from(part).expect("a part is less than the whole")
    }

    fn fits_empty(&self, need: &Need) -> bool {
        need.nodes <= self.pools[need.pool.index()].nodes
    }
}
