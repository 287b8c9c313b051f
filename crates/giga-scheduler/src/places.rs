//! Every site that a job may be thought of at: what it costs there, or the rule that forbids it. Nothing is changed by asking.

use giga_model::{JobId, JobRequest, SiteId};
use giga_units::Instant;

use crate::Scheduler;
use crate::bind::{Cost, Means};
use crate::event::Rule;

impl Scheduler {
    /// What a request that came now would cost at each site that its project may use, or which rule forbids it there. What a
    /// job with a deadline saves by waiting for cheap hours is not in it.
    #[must_use]
    pub fn places(&self, request: &JobRequest, now: Instant) -> Vec<(SiteId, Result<Cost, Rule>)> {
        let everywhere = self.plan.admit(now, request).err().filter(is_of_no_site);
        if everywhere == Some(Rule::UnknownProject) {
            return Vec::new();
        }
        let mut means = Means::default();
        let mut cost = |site: SiteId| {
            everywhere.map_or(Ok(()), Err)?;
            let ways =
                self.plan.may_read_at(site, request).and_then(|()| self.plan.possible_at(site, request))?;
            Ok(self.state.price(&self.plan, now, request, site, &ways, means.rate(&self.plan, site, now)))
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

/// Whether a rule forbids a request wherever it would go.
fn is_of_no_site(rule: &Rule) -> bool {
    match rule {
        Rule::UnknownProject
        | Rule::NothingAsked
        | Rule::UnknownDataset
        | Rule::LeavingForbidden { .. }
        | Rule::DeadlineTooClose
        | Rule::GangAboveProgramme { .. }
        | Rule::LimitAboveProgramme { .. } => true,
        Rule::NoSuchAccelerator
        | Rule::AssuranceTooLow { .. }
        | Rule::DataForbids { .. }
        | Rule::GangTooLarge { .. }
        | Rule::AboveFloor { .. }
        | Rule::PowerTooLarge { .. }
        | Rule::LongerThanBetweenWindows { .. } => false,
    }
}
