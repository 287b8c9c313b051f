//! Every site that a job may be thought of at: what it costs there, or the rule that forbids it. Nothing is changed by asking.

use giga_model::{JobId, JobRequest, SiteId};
use giga_units::Instant;

use crate::Scheduler;
use crate::admit::WaysMemo;
use crate::bind::{Cost, Means};
use crate::event::Rule;

impl Scheduler {
    /// What a request that came now would cost at each site that its project may use, or which rule forbids it there. What a
    /// job with a deadline saves by waiting for cheap hours is not in it.
    #[must_use]
    pub fn places(&self, request: &JobRequest, now: Instant) -> Vec<(SiteId, Result<Cost, Rule>)> {
        let everywhere = self.plan.admit_request(now, request).err();
        if everywhere == Some(Rule::UnknownProject) {
            return Vec::new();
        }
        let (mut means, ways) = (Means::default(), WaysMemo::default().of(&self.plan, &request.asks));
        let possible: Vec<_> = self.plan.possible(now, request, &ways).collect();
        let mut cost = |site: SiteId| match possible.iter().find(|(id, _)| *id == site) {
            Some((_, ways)) => {
                Ok(self.state.price(&self.plan, now, request, site, ways, means.rate(&self.plan, site, now)))
            }
            None => {
                let rule = everywhere.or_else(|| self.plan.why_not_at(site, request));
                Err(rule.expect("a site that is not possible is forbidden"))
            }
        };
        self.plan.sites_of(request.project).map(|site| (site, cost(site))).collect()
    }

    /// The same for a job that waits, as if it came now; empty where it does not.
    #[must_use]
    pub fn places_of(&self, job: JobId, now: Instant) -> Vec<(SiteId, Result<Cost, Rule>)> {
        let waiting = self.state.job(job).filter(|job| job.run().is_none());
        waiting.map_or_else(Vec::new, |job| self.places(&self.state.request_of(job), now))
    }
}
