//! The image of the state. Everything that the books are built from is checked before it goes in, so that bytes that are
//! no image are refused and never break an invariant.

use std::sync::Arc;

use giga_model::image::{Image, ImageError, Source};
use giga_model::{Asks, JobId, Overhead, PoolId, ProjectId, SiteId, Terms};
use giga_units::{Duration, Fraction, Instant, Power};

use crate::job::{Job, Run, Status};
use crate::plan::Plan;
use crate::queue::Account;
use crate::state::{Claim, State};

impl State {
    /// Writes the state; [`State::read_image`] builds it again from the plan.
    pub fn write_image(&self, out: &mut Vec<u8>) {
        self.next_job.write(out);
        for site in &self.sites {
            (site.phases_open as u64).write(out);
            site.closed.write(out);
            site.drained.write(out);
            site.silent.write(out);
            site.overhead.write(out);
            site.limit.write(out);
            site.limit_behind.write(out);
            site.claims.write(out);
            site.accounts.accounts().write(out);
            site.kept.write(out);
            site.arrivals.write(out);
            site.dirty.write(out);
        }
        for pool in (0..self.pools.len()).map(PoolId::at) {
            self.down(pool).collect::<Vec<_>>().write(out);
        }
        (self.jobs.len() as u64).write(out);
        self.jobs.iter().for_each(|job| self.write_job(job, out));
    }

    fn write_job(&self, job: &Job, out: &mut Vec<u8>) {
        job.id.write(out);
        job.project.write(out);
        job.site.write(out);
        self.asks(job).write(out);
        job.submitted.write(out);
        job.limit.write(out);
        job.checkpoint.write(out);
        job.draw.write(out);
        job.terms.as_deref().cloned().write(out);
        job.deferred.write(out);
        job.moves.write(out);
        job.attempts.write(out);
        job.losses.write(out);
        job.run().cloned().write(out);
    }

    /// Builds a state from its image.
    ///
    /// # Errors
    /// Fails where the bytes are no image of a state under this plan.
    pub fn read_image(plan: &Plan, source: &mut Source<'_>) -> Result<Self, ImageError> {
        let mut state = Self::new(plan);
        state.next_job = Image::read(source)?;
        let mut claims = Vec::new();
        for index in 0..state.sites.len() {
            let phases = u64::read(source)?;
            if phases > plan.sites[index].phases.len() as u64 {
                return Err(source.bad_tag(0));
            }
            (0..phases).for_each(|_| state.open_phase(plan, SiteId::at(index)));
            let closed = Image::read(source)?;
            let (drained, silent) = (Image::read(source)?, Image::read(source)?);
            let overhead: Overhead = Image::read(source)?;
            if overhead.factor < Fraction::ONE {
                return Err(source.bad_tag(0));
            }
            state.set_overhead(plan, SiteId::at(index), overhead);
            let limit: Option<(Power, Instant)> = Image::read(source)?;
            if limit.is_some() {
                state.set_limit(plan, SiteId::at(index), limit);
            }
            let behind: Option<(Power, Instant)> = Image::read(source)?;
            claims.push(Vec::<Claim>::read(source)?);
            let site = &mut state.sites[index];
            site.limit_behind = behind;
            (site.closed, site.drained, site.silent) = (closed, drained, silent);
            let accounts: Vec<Account> = Image::read(source)?;
            site.kept = Image::read(source)?;
            site.arrivals = Image::read(source)?;
            site.dirty = Image::read(source)?;
            if !site.accounts.restore(&accounts) {
                return Err(source.bad_tag(0));
            }
        }
        for pool in &mut state.pools {
            for (node, until) in Vec::<(u32, Instant)>::read(source)? {
                if node >= pool.open || pool.down.contains_key(&pool.index_of(node)) {
                    return Err(source.bad_tag(0));
                }
                pool.fail(pool.index_of(node), until);
            }
        }
        for (index, site) in (0..state.sites.len()).map(|index| (index, SiteId::at(index))) {
            state.recount_capacity(plan, site);
            if state.sites[index].dirty || !state.sites[index].arrivals.is_empty() {
                state.make_due(site);
            }
        }
        for _ in 0..u64::read(source)? {
            let job = state.read_job(plan, source)?;
            if !state.may_enter(&job) {
                return Err(source.bad_tag(0));
            }
            state.enter(job);
        }
        for (site, claims) in state.sites.iter_mut().zip(claims) {
            site.claims = claims;
        }
        if state.holds_what_runs(plan) && state.claims_are_sound() {
            Ok(state)
        } else {
            Err(source.bad_tag(0))
        }
    }

    /// Whether a job of an image can be put into the books, whatever its bytes are.
    fn may_enter(&self, job: &Job) -> bool {
        // Tags of releases leave four bits to other things.
        let numbered = job.id.0 < self.next_job && job.id.0 >> 60 == 0 && self.jobs.may_follow(job.id);
        let asks = self.asks(job).iter().all(|ask| ask.accelerators > 0);
        let ways = &self.shapes[job.shape.0 as usize].needs;
        let runs = job.run().is_none_or(|run| {
            let pool = ways.contains(&run.need).then(|| &self.pools[run.need.pool.index()]);
            run.pace.power(run.need.power) <= run.need.power
                && job.deferred.is_none()
                && self.live_among(job.predecessors()).is_none()
                && pool.is_some_and(|pool| pool.has(&run.need, &run.pieces))
        });
        numbered && asks && !ways.is_empty() && job.limit > Duration::ZERO && runs
    }

    /// Whether the accounts hold what the running jobs do, and only waiting jobs are due for a first look.
    fn holds_what_runs(&self, plan: &Plan) -> bool {
        let sites = (0..self.sites.len()).map(SiteId::at);
        sites.zip(&self.sites).all(|(id, site)| {
            let mut held = vec![0; plan.owners + plan.projects.len()];
            for job in self.jobs.iter().filter(|job| job.site == id) {
                let amount = job.run().map_or(0, |run| job.hold(&run.need));
                held[plan.projects[job.project.index()].owner.index()] += amount;
                held[plan.owners + job.project.index()] += amount;
            }
            let waits = |job: &JobId| {
                self.job(*job).is_some_and(|job| job.site == id && job.status == Status::Waiting)
            };
            site.accounts.accounts().iter().map(|account| account.held).eq(held)
                && (site.dirty || site.arrivals.iter().all(waits))
                && site.kept.iter().all(waits)
        })
    }

    /// Whether every claim is of a waiting job at its site, for one of its ways.
    fn claims_are_sound(&self) -> bool {
        let sites = self.sites.iter().enumerate();
        let mut claims = sites.flat_map(|(index, site)| site.claims.iter().map(move |claim| (index, claim)));
        claims.all(|(index, claim)| {
            self.job(claim.job).is_some_and(|job| {
                job.site.index() == index
                    && job.status == Status::Waiting
                    && self.shapes[job.shape.0 as usize].needs.contains(&claim.need)
            })
        })
    }

    fn read_job(&mut self, plan: &Plan, source: &mut Source<'_>) -> Result<Job, ImageError> {
        let (id, project, site) = (Image::read(source)?, ProjectId::read(source)?, SiteId::read(source)?);
        if site.index() >= plan.sites.len() || project.index() >= plan.projects.len() {
            return Err(source.bad_tag(0));
        }
        let asks = Asks::read(source)?;
        let shape = self.shape(plan, site, &asks);
        let about = &plan.projects[project.index()];
        let mut job = Job {
            id,
            project,
            owner: about.owner,
            programme: about.programme,
            preemptible: false,
            site,
            shape,
            submitted: Image::read(source)?,
            limit: Image::read(source)?,
            checkpoint: Image::read(source)?,
            draw: Image::read(source)?,
            terms: Option::<Terms>::read(source)?.map(Arc::new),
            deferred: Image::read(source)?,
            awaits: false,
            moves: Image::read(source)?,
            attempts: Image::read(source)?,
            losses: Image::read(source)?,
            status: Option::<Run>::read(source)?.map_or(Status::Waiting, Status::Running),
        };
        job.preemptible = plan.preempt_of(project).allows(job.checkpoint.is_some());
        Ok(job)
    }
}
