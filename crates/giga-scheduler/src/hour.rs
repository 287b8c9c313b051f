//! What the turn of an hour brings: work that waited for it is due, waiting work moves where it is clearly cheaper, and elastic gangs
//! grow where nobody waits.

use giga_model::{JobId, SiteId};
use giga_units::{Duration, Instant, Money, Power};

use crate::Scheduler;
use crate::event::{Event, Interruption};
use crate::floors::Lines;
use crate::job::{Job, Run};
use crate::plan::Need;
use crate::witness::Witness;

/// How many waiting jobs of a site are looked at in an hour: the oldest of as many projects.
const LOOK: usize = 32;
/// How many of a site that is drained or silent, whose ever they are.
const LOOK_SHUT: usize = 1_024;
/// How much sooner a gang has to end for a new start with more nodes: the time until it is looked at again.
const HOUR: Duration = Duration::hours(1);

/// What a running gang could have, what it holds included.
struct Room {
    nodes: u32,
    power: Power,
}

impl Scheduler {
    pub(crate) fn hour_turns(&mut self, now: Instant, witness: &mut impl Witness) {
        for site in (0..self.state.sites.len()).map(SiteId::at) {
            self.house(now, site, witness);
            let deferred = self.state.sites[site.index()].deferred.iter();
            let due: Vec<JobId> = deferred.take_while(|(at, _)| *at <= now).map(|(_, job)| *job).collect();
            for job in due {
                self.emit(now, Event::Due { job }, witness);
            }
        }
        if self.state.sites.len() > 1 && self.plan.policy.rebinds_max > 0 {
            self.rebind(now, witness);
        }
        for site in (0..self.state.sites.len()).map(SiteId::at) {
            self.grow(now, site, witness);
        }
    }

    /// Tells elastic gangs of a site that run smaller than they could to save themselves and start again with more nodes, where nobody
    /// waits for these and it ends them sooner by an hour.
    fn grow(&mut self, now: Instant, site: SiteId, witness: &mut impl Witness) {
        let book = &self.state.sites[site.index()];
        if book.holdings.small.is_empty() || book.queue.len() > 0 || book.closed.is_some() || book.is_shut() {
            return;
        }
        let mut power = book.power_free();
        let range = self.plan.sites[site.index()].pools.clone();
        let mut free: Vec<u32> = self.state.pools[range.clone()].iter().map(|pool| pool.whole_free).collect();
        for id in book.holdings.small.clone() {
            let Some((job, run)) = self.state.job(id).and_then(|job| Some((job, job.run()?))) else {
                continue;
            };
            let own = &mut free[run.need.pool.index() - range.start];
            let room = Room { nodes: *own + run.need.nodes, power: power + run.ceiling() };
            let Some(need) = self.larger(now, job, run, &room) else { continue };
            *own -= need.nodes - run.need.nodes;
            power = room.power.saturating_sub(need.power);
            let by = now + self.plan.policy.grace;
            self.emit(now, Event::Leaving { job: id, cause: Interruption::Grown, by }, witness);
        }
    }

    /// The largest way of a running gang in its own pool that there is room for, where it ends an hour sooner that way.
    fn larger(&self, now: Instant, job: &Job, run: &Run, room: &Room) -> Option<Need> {
        let ways = self.state.shapes[job.shape.0 as usize].needs.iter();
        let mut larger = ways.filter(|need| need.pool == run.need.pool && need.asked > run.need.asked);
        let most = self.state.most_held(&self.plan, now, job, &Lines::default());
        let most = most.saturating_add(run.need.held());
        let fits = |need: &&Need| {
            need.nodes <= room.nodes
                && need.power <= room.power
                && need.held() <= most
                && need.nodes >= run.need.nodes
                && self.state.beside_claims(job.site, need, None)
        };
        let need = larger.find(fits)?;
        let left = job.limit.saturating_sub(run.progress(now));
        let sooner = run.need.time(left).saturating_sub(self.plan.policy.grace + need.time(left));
        (sooner >= HOUR).then_some(*need)
    }

    /// Moves the oldest waiting jobs of each site to where they cost clearly less.
    fn rebind(&mut self, now: Instant, witness: &mut impl Witness) {
        let mut means = std::mem::take(&mut self.scratch.means);
        for site in (0..self.state.sites.len()).map(SiteId::at) {
            let shut = self.state.sites[site.index()].is_shut();
            let (each, most) = if shut { (LOOK_SHUT, LOOK_SHUT) } else { (1, LOOK) };
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
        if claims || job.attempts > 0 || job.moves >= self.plan.policy.rebinds_max {
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
