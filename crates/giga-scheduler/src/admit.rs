//! Who may ever run, and where: the hard rules. What they forbid is named; nothing of what is cheap comes in here.

use std::collections::BTreeMap;
use std::sync::Arc;

use giga_model::{Asks, DatasetId, JobRequest, OwnerId, ProjectId, SiteId, SlurmMode};
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
        let ways: Ways = sites.filter_map(|site| Some((site, plan.ways_ever(site, asks).ok()?))).collect();
        self.0.insert(asks.clone(), Arc::clone(&ways));
        ways
    }
}

impl Plan {
    /// The ways that fit into a site when it is empty and every phase is open, whoever asks; never none.
    fn ways_ever(&self, site: SiteId, asks: &Asks) -> Result<Vec<Need>, Rule> {
        let mut ways = self.needs(site, asks);
        let largest = ways.iter().map(|need| self.pools[need.pool.index()].accelerators()).max();
        let largest = largest.ok_or(Rule::NoSuchAccelerator)?;
        ways.retain(|need| self.fits_empty(need));
        if ways.is_empty() {
            return Err(Rule::GangTooLarge { largest: u32::try_from(largest).unwrap_or(u32::MAX) });
        }
        let headroom = self.headroom(site, self.sites[site.index()].phases.len());
        ways.retain(|need| need.power <= headroom);
        if ways.is_empty() { Err(Rule::PowerTooLarge { headroom }) } else { Ok(ways) }
    }

    /// Where a request could ever run, of the sites that have ways for its asks: those that no rule forbids.
    pub(crate) fn possible<'a>(
        &'a self,
        now: Instant,
        request: &'a JobRequest,
        ways: &'a [(SiteId, Vec<Need>)],
    ) -> impl Iterator<Item = (SiteId, &'a [Need])> + Clone {
        let anywhere = self.admit_request(now, request).is_ok();
        let ways = if anywhere { ways } else { &[] };
        let firm = anywhere && !self.may_leave(request);
        let here = ways.iter().filter(|(site, _)| self.may_use(request.project, *site));
        here.filter_map(move |(site, ways)| {
            Some((*site, self.ways_allowed(*site, request, firm, ways).ok()?))
        })
    }

    /// The rule by which a request can run nowhere: of all sites the one that came the closest.
    ///
    /// # Panics
    /// Panics where it can run somewhere.
    pub(crate) fn why_nowhere(&self, now: Instant, request: &JobRequest) -> Rule {
        if let Err(rule) = self.admit_request(now, request) {
            return rule;
        }
        let rules = self.sites_of(request.project).map(|site| {
            let rule = self.why_not_at(site, request);
            rule.expect("what can run nowhere is forbidden everywhere")
        });
        rules.max().unwrap_or(Rule::NoSuchAccelerator)
    }

    /// The rule that forbids a request at a site, of those that are not about all sites.
    pub(crate) fn why_not_at(&self, site: SiteId, request: &JobRequest) -> Option<Rule> {
        let ways = self.ways_ever(site, &request.asks);
        let firm = !self.may_leave(request);
        ways.and_then(|ways| self.ways_allowed(site, request, firm, &ways).map(drop)).err()
    }

    /// The ways of a request that the rules leave it at a site, of those that fit: from the first to the last.
    fn ways_allowed<'w>(
        &self,
        site: SiteId,
        request: &JobRequest,
        firm: bool,
        mut ways: &'w [Need],
    ) -> Result<&'w [Need], Rule> {
        self.may_read_at(site, request)?;
        if firm && self.has_floors(site) {
            // What its owner may claim once every phase is open and all nodes are up.
            let owner = self.projects[request.project.index()].owner;
            let floor = self.sites[site.index()].floors_ever[owner.index()];
            let within = ways.iter().position(|need| u64::from(need.held()) <= floor);
            let floor = u32::try_from(floor).unwrap_or(u32::MAX);
            ways = &ways[within.ok_or(Rule::AboveFloor { floor })?..];
        }
        // Work that saves nothing has to end between two windows.
        let windows = self.sites[site.index()].maintenance.filter(|_| request.checkpoint.is_none());
        let Some(windows) = windows else { return Ok(ways) };
        let longest = windows.every.saturating_sub(windows.length);
        let last = ways.iter().rposition(|need| need.time(request.limit) <= longest);
        Ok(&ways[..=last.ok_or(Rule::LongerThanBetweenWindows { longest })?])
    }

    /// What a request asks of no site in particular.
    pub(crate) fn admit_request(&self, now: Instant, request: &JobRequest) -> Result<(), Rule> {
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
        (0..self.sites.len()).map(SiteId::at).filter(move |&site| self.may_use(project, site))
    }

    fn may_use(&self, project: ProjectId, site: SiteId) -> bool {
        let allowed = &self.projects[project.index()].sites;
        let ours = self.sites[site.index()].mode != SlurmMode::Observe;
        ours && (allowed.is_empty() || allowed.contains(&site))
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

    /// Whether a site runs containers where that is asked, is assured as far as is asked, and may read all the data.
    fn may_read_at(&self, site: SiteId, request: &JobRequest) -> Result<(), Rule> {
        let Some(terms) = &request.terms else { return Ok(()) };
        let about = &self.sites[site.index()];
        if terms.container && !about.has_containers {
            return Err(Rule::NoContainers);
        }
        if let Some(needed) = terms.assurance.filter(|&needed| about.assurance < needed) {
            return Err(Rule::AssuranceTooLow { needed });
        }
        let mut data = terms.data.iter();
        let forbids =
            |id: &&DatasetId| !self.datasets[id.index()].may_be_read(site, about.country, about.assurance);
        data.find(forbids).map_or(Ok(()), |&dataset| Err(Rule::DataForbids { dataset }))
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
