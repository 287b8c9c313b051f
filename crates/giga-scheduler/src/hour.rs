//! What the turn of an hour brings: work that waited for it is due, and waiting work moves where it is clearly cheaper.

use giga_model::{JobId, SiteId};
use giga_units::{Instant, Money};

use crate::Scheduler;
use crate::event::Event;
use crate::witness::Witness;

/// How many waiting jobs of a site are looked at in an hour: the oldest of as many projects.
const LOOK: usize = 32;
/// How many of a drained site, whose ever they are.
const LOOK_DRAINED: usize = 1_024;

impl Scheduler {
    pub(crate) fn hour_turns(&mut self, now: Instant, witness: &mut impl Witness) {
        for site in (0..self.state.sites.len()).map(SiteId::at) {
            let deferred = self.state.sites[site.index()].deferred.iter();
            let due: Vec<JobId> = deferred.take_while(|(at, _)| *at <= now).map(|(_, job)| *job).collect();
            for job in due {
                self.emit(now, Event::Due { job }, witness);
            }
        }
        if self.state.sites.len() > 1 && self.plan.policy.rebinds_max > 0 {
            self.rebind(now, witness);
        }
    }

    /// Moves the oldest waiting jobs of each site to where they cost clearly less.
    fn rebind(&mut self, now: Instant, witness: &mut impl Witness) {
        let mut means = std::mem::take(&mut self.scratch.means);
        for site in (0..self.state.sites.len()).map(SiteId::at) {
            let drained = self.state.is_drained(site);
            let (each, most) = if drained { (LOOK_DRAINED, LOOK_DRAINED) } else { (1, LOOK) };
            for job in self.state.sites[site.index()].queue.oldest(each, most) {
                if let Some((to, saves)) = self.better_place(now, job, &mut means) {
                    self.emit(now, Event::Rebound { job, site: to, saves }, witness);
                }
            }
        }
        self.scratch.means = means;
    }

    /// Where a waiting job costs less by at least what a move has to gain, with what it saves.
    fn better_place(
        &mut self,
        now: Instant,
        id: JobId,
        means: &mut crate::bind::Means,
    ) -> Option<(SiteId, Money)> {
        let job = self.state.job(id)?;
        let claims = self.state.sites[job.site.index()].claims.iter().any(|claim| claim.job == id);
        // Where a job has run, its saved progress lies.
        if claims
            || job.attempts > 0
            || (self.state.kept(job.site) == Some(id) && !self.state.is_drained(job.site))
            || job.moves >= self.plan.policy.rebinds_max
        {
            return None;
        }
        let mut request = self.state.request_of(job);
        // What was kept back for cheap hours is due now, wherever it goes.
        if let Some(terms) = request.terms.as_mut().filter(|terms| terms.deadline.is_some()) {
            std::sync::Arc::make_mut(terms).deadline = None;
        }
        let ways = self.scratch.ways.of(&self.plan, &request.asks);
        let possible = self.plan.possible(now, &request, &ways);
        possible.clone().nth(1)?;
        let here = self.state.cost_here(&self.plan, now, job, means.rate(&self.plan, job.site, now)).total();
        let choice = self.bind(now, &request, possible, means);
        let gain = here.as_microeuro() * i128::from(self.plan.policy.rebind_gain.as_ppm()) / 1_000_000;
        let saves = here.as_microeuro() - choice.cost.total().as_microeuro();
        let moves = choice.site != job.site && saves > 0 && saves >= gain;
        moves.then_some((choice.site, Money::microeuro(saves)))
    }
}
