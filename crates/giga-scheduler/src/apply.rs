//! Carries events into the state. There is no policy here, so that journals of earlier releases stay readable.

use std::sync::Arc;

use giga_model::{JobId, JobRequest, PoolId, SiteId, SlurmMode};
use giga_units::{Duration, Instant};

use crate::event::{Event, Interruption};
use crate::job::{Job, Leaving, Run, Status};
use crate::plan::Plan;
use crate::state::{Claim, State};

impl State {
    /// Carries one event into the state.
    ///
    /// # Panics
    /// Panics where an event contradicts the state: a job that is not there, a node that is not free.
    pub fn apply(&mut self, plan: &Plan, now: Instant, event: &Event) {
        match event {
            Event::Submitted { job, site, request } => self.submitted(plan, now, *job, *site, request),
            Event::Refused { job, .. } => self.next_job = job.0 + 1,
            Event::Kept { site, job } => self.sites[site.index()].kept = Some(*job),
            Event::Started { job, attempt, need, pieces, release } => {
                let mode = plan.sites[plan.pools[need.pool.index()].site.index()].mode;
                let guest = mode == SlurmMode::Guest;
                self.started(*job, *attempt, Run::new(now, *release, *need, Arc::clone(pieces), guest));
            }
            Event::Stopping { job } => self.stopping(*job),
            Event::Ended { job, at, .. } => self.ended(*at, *job),
            Event::Interrupted { job, cause, saved } => {
                self.interrupted(now, *job, *saved);
                if *cause == Interruption::Lost {
                    self.jobs.get_mut(*job).expect("an interrupted job waits").losses += 1;
                }
            }
            Event::NodeDown { pool, node, until } => self.node_down(plan, *pool, *node, *until),
            Event::NodeUp { pool, node } => self.node_up(plan, *pool, *node),
            Event::PhaseOpened { site, .. } => {
                self.open_phase(plan, *site);
                self.touch(*site);
            }
            Event::Closed { site, until } => {
                self.sites[site.index()].closed = Some(*until);
                self.touch(*site);
            }
            Event::Opened { site } => {
                self.sites[site.index()].closed = None;
                self.touch(*site);
            }
            Event::Leaving { .. }
            | Event::Claimed { .. }
            | Event::Unclaimed { .. }
            | Event::Begun { .. }
            | Event::Paced { .. }
            | Event::Deferred { .. }
            | Event::Due { .. }
            | Event::Rebound { .. } => self.apply_to_job(plan, now, event),
            Event::Limited { .. }
            | Event::Following { .. }
            | Event::Unlimited { .. }
            | Event::Housed { .. }
            | Event::Short { .. } => self.apply_to_power(plan, event),
            Event::Drained { site } => self.sites[site.index()].drained = true,
            Event::Undrained { site } => {
                self.sites[site.index()].drained = false;
                self.touch(*site);
            }
            Event::Silenced { site } => self.sites[site.index()].silent = true,
            Event::Heard { site } => {
                self.sites[site.index()].silent = false;
                self.touch(*site);
            }
            Event::UseHalved => self.recount(crate::queue::Use::halve),
            Event::YearTurned => self.recount(crate::queue::Use::turn_year),
            Event::Settled => self.settled(),
        }
    }

    /// What changes what a site may draw.
    fn apply_to_power(&mut self, plan: &Plan, event: &Event) {
        match event {
            Event::Limited { site, power, until } => {
                self.set_limit(plan, *site, Some((*power, *until)));
                self.sites[site.index()].limit_behind = None;
                self.touch(*site);
            }
            Event::Following { site, power, until } => {
                self.sites[site.index()].limit_behind = Some((*power, *until));
            }
            Event::Unlimited { site } => {
                self.set_limit(plan, *site, None);
                self.sites[site.index()].limit_behind = None;
                self.touch(*site);
            }
            Event::Housed { site, overhead } => {
                let matters = self.set_overhead(plan, *site, *overhead);
                if matters {
                    self.touch(*site);
                }
            }
            _ => {}
        }
    }

    /// Notes that a site has to be looked at again.
    fn touch(&mut self, site: SiteId) {
        self.make_due(site);
        let site = &mut self.sites[site.index()];
        site.dirty = true;
        site.epoch += 1;
    }

    fn submitted(&mut self, plan: &Plan, now: Instant, id: JobId, site: SiteId, request: &JobRequest) {
        let shape = self.shape(plan, site, &request.asks);
        let job = Job::new(plan, id, (site, shape), request, now);
        self.next_job = id.0 + 1;
        self.enter(job);
        if self.job(id).is_some_and(|job| !job.awaits) {
            self.arrive(site, id);
        }
    }

    fn arrive(&mut self, site: SiteId, job: JobId) {
        self.make_due(site);
        self.sites[site.index()].arrivals.push(job);
    }

    fn started(&mut self, id: JobId, attempt: u32, run: Run) {
        let job = self.job(id).expect("only a live job starts");
        let (site, owner, project, hold) = (job.site, job.owner, job.project, job.hold(&run.need));
        self.account(site, project, |accounts| accounts.hold(owner, project, hold));
        self.sites[site.index()].epoch += 1;
        self.change(id, |job| {
            job.attempts = attempt;
            job.status = Status::Running(run);
        });
    }

    /// Events about one live job that neither begin nor end anything.
    fn apply_to_job(&mut self, plan: &Plan, now: Instant, event: &Event) {
        match event {
            Event::Leaving { job, cause, by } => self.with_run(*job, |run| {
                run.leaving = Some(Leaving { cause: *cause, told: now, by: *by });
                run.release = run.release.min(*by);
            }),
            Event::Claimed { job, need, by } => {
                let site = self.job(*job).expect("only a live job claims").site;
                self.sites[site.index()].claims.push(Claim { job: *job, need: *need, by: *by });
            }
            Event::Unclaimed { job } => {
                let site = self.job(*job).expect("only a live job claims").site;
                self.sites[site.index()].claims.retain(|claim| claim.job != *job);
                self.touch(site);
            }
            Event::Begun { job, at, release } => self.with_run(*job, |run| {
                (run.queued, run.started, run.since, run.release) = (false, *at, *at, *release);
            }),
            Event::Paced { job, pace, release } => self.with_run(*job, |run| {
                (run.done, run.since) = (run.worked(now), now);
                (run.pace, run.release) = (*pace, *release);
            }),
            Event::Deferred { job, until } => {
                let site = self.change(*job, |job| job.deferred = Some(*until));
                self.sites[site.index()].arrivals.retain(|id| id != job);
            }
            Event::Due { job } => {
                let site = self.change(*job, |job| (job.deferred, job.awaits) = (None, false));
                self.arrive(site, *job);
            }
            Event::Rebound { job, site, .. } => self.rebound(plan, *job, *site),
            _ => unreachable!("only events about one job come here"),
        }
    }

    /// Changes a running attempt, and all that follows from it.
    fn with_run(&mut self, id: JobId, change: impl FnOnce(&mut Run)) {
        let site = self.change(id, |job| {
            let Status::Running(run) = &mut job.status else { panic!("job {id} does not run") };
            change(run);
        });
        self.sites[site.index()].epoch += 1;
    }

    fn rebound(&mut self, plan: &Plan, id: JobId, site: SiteId) {
        let job = self.job(id).expect("only a live job moves");
        let (from, asks) = (job.site, self.asks(job).clone());
        let shape = self.shape(plan, site, &asks);
        self.sites[from.index()].arrivals.retain(|&other| other != id);
        self.touch(from);
        self.change(id, |job| {
            (job.site, job.shape) = (site, shape);
            job.moves = job.moves.saturating_add(1);
        });
        self.arrive(site, id);
    }

    /// The job stays where it is: what runs on its nodes still runs.
    fn stopping(&mut self, id: JobId) {
        self.with_run(id, |run| run.stopping = true);
    }

    fn ended(&mut self, at: Instant, id: JobId) {
        self.settle(at, id);
        let job = self.leave(id);
        self.touch(job.site);
    }

    fn interrupted(&mut self, now: Instant, id: JobId, saved: Duration) {
        self.settle(now, id);
        let site = self.change(id, |job| {
            job.limit = job.limit.saturating_sub(saved).max(Duration::milliseconds(1));
            job.status = Status::Waiting;
        });
        self.touch(site);
    }

    /// Turns what a running job held into what it used.
    fn settle(&mut self, now: Instant, id: JobId) {
        let job = self.job(id).expect("only a live job settles");
        let Some(run) = job.run() else { return };
        // Never more than the hold: nobody may have looked while the limit passed.
        let held = if run.queued { Duration::ZERO } else { now.since(run.started) };
        let used = held.min(run.need.time(job.limit));
        let (held, used) = (job.hold(&run.need), amount_of(run.need.held(), used));
        let (site, owner, project) = (job.site, job.owner, job.project);
        self.account(site, project, |accounts| accounts.settle(owner, project, held, used));
    }

    fn node_down(&mut self, plan: &Plan, pool: PoolId, node: u32, until: Instant) {
        let book = &mut self.pools[pool.index()];
        book.fail(book.index_of(node), until);
        self.recount_capacity(plan, plan.pools[pool.index()].site);
        self.touch(plan.pools[pool.index()].site);
    }

    fn node_up(&mut self, plan: &Plan, pool: PoolId, node: u32) {
        let book = &mut self.pools[pool.index()];
        book.repair(book.index_of(node));
        self.recount_capacity(plan, plan.pools[pool.index()].site);
        self.touch(plan.pools[pool.index()].site);
    }

    fn recount(&mut self, change: impl Fn(&mut crate::queue::Use)) {
        for site in &mut self.sites {
            change(&mut site.accounts);
            site.queue.reorder(&site.accounts);
            site.dirty = true;
            site.epoch += 1;
        }
        self.due = (0..self.sites.len()).map(SiteId::at).collect();
    }

    fn settled(&mut self) {
        for site in std::mem::take(&mut self.due) {
            let site = &mut self.sites[site.index()];
            site.arrivals.clear();
            site.dirty = false;
        }
    }
}

/// So many accelerators over a time, in accelerator-milliseconds.
pub(crate) fn amount_of(accelerators: u32, duration: Duration) -> u128 {
    u128::from(accelerators) * u128::try_from(duration.as_milliseconds()).unwrap_or(0)
}
