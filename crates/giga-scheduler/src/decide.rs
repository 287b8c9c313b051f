//! Turns inputs into events. All policy is here and in [`crate::pass`].

use std::collections::{BTreeSet, VecDeque};

use giga_model::{JobId, JobRequest, PhaseId, PoolId, SiteId};
use giga_units::{Duration, Instant};

use crate::Scheduler;
use crate::bind::{Means, is_flexible};
use crate::event::{Ending, Event, Input, Interruption, Rule};
use crate::job::{Job, Run, Status};
use crate::plan::{Need, Plan};
use crate::witness::Witness;

/// A job that lost so many attempts is not tried again (an assumption).
const LOSSES_MOST: u32 = 5;

/// Raised whenever the same inputs may lead to other events than before: a journal is decided again only by the version
/// that decided it first.
pub const DECISION_VERSION: u32 = 3;

impl Scheduler {
    /// Decides what an input leads to and carries it into the state, event by event.
    ///
    /// An input that contradicts the state (a job that is not there, a node that is already down) leads to nothing:
    /// the world is asynchronous, and late or repeated messages are ordinary.
    pub fn advance(&mut self, now: Instant, input: &Input, witness: &mut impl Witness) {
        match input {
            Input::Submit { request } => self.submit(now, request, witness),
            Input::Finished { job, attempt, ending, at } => {
                self.finish(now, *job, *attempt, (*ending, *at), witness);
            }
            Input::Lost { job, attempt } => self.lost(now, *job, *attempt, witness),
            Input::Begun { job, attempt, at } => self.begun(now, *job, *attempt, *at, witness),
            Input::Cancel { job } => self.cancel(now, *job, witness),
            Input::NodeFailed { pool, node, until } => self.node_failed(now, *pool, *node, *until, witness),
            Input::NodeRepaired { pool, node } => self.node_repaired(now, *pool, *node, witness),
            Input::PhaseOpens { site } => self.phase_opens(now, *site, witness),
            Input::MaintenanceBegins { site } => self.maintenance_begins(now, *site, witness),
            Input::MaintenanceEnds { site } => {
                if self.state.sites[site.index()].closed.is_some() {
                    self.emit(now, Event::Opened { site: *site }, witness);
                }
            }
            Input::LimitFalls { site, power, until } => self.limit_falls(now, *site, *power, *until, witness),
            Input::LimitFollows { site, power, until } => {
                self.limit_follows(now, *site, *power, *until, witness);
            }
            Input::LimitEnds { site } => self.limit_ends(now, *site, witness),
            Input::Drain { site } => {
                self.emit_if(!self.state.is_drained(*site), now, Event::Drained { site: *site }, witness);
            }
            Input::Undrain { site } => {
                self.emit_if(self.state.is_drained(*site), now, Event::Undrained { site: *site }, witness);
            }
            Input::Silent { site } => {
                self.emit_if(!self.state.is_silent(*site), now, Event::Silenced { site: *site }, witness);
            }
            Input::Heard { site } => {
                self.emit_if(self.state.is_silent(*site), now, Event::Heard { site: *site }, witness);
            }
            Input::HourTurns => self.hour_turns(now, witness),
            Input::HalveUse => self.emit(now, Event::UseHalved, witness),
            Input::TurnYear => self.emit(now, Event::YearTurned, witness),
            Input::Schedule => self.schedule(now, witness),
        }
    }

    /// Tells the witness, then carries the event into the state and leaves it to the witness. The end of a job is followed by what
    /// becomes of those that come after it.
    pub(crate) fn emit(&mut self, now: Instant, event: Event, witness: &mut impl Witness) {
        let Event::Ended { job, ending, at } = event else { return self.emit_one(now, event, witness) };
        let mut ended = VecDeque::from([(job, ending, at)]);
        // Each is told once, however many of those before it failed.
        let mut doomed = BTreeSet::new();
        while let Some((job, ending, at)) = ended.pop_front() {
            let followers = self.state.followers(job);
            self.emit_one(now, Event::Ended { job, ending, at }, witness);
            for id in followers {
                let Some(follower) = self.state.job(id).filter(|_| !doomed.contains(&id)) else { continue };
                let mut links = follower.predecessors().iter().filter(|before| before.job == job);
                if ending != Ending::Completed && links.any(|before| !before.any) {
                    doomed.insert(id);
                    ended.push_back((id, Ending::Cancelled, now));
                } else if self.state.live_among(follower.predecessors()).is_none() {
                    self.emit_one(now, Event::Due { job: id }, witness);
                }
            }
        }
    }

    /// The same where it is news.
    pub(crate) fn emit_if(&mut self, news: bool, now: Instant, event: Event, witness: &mut impl Witness) {
        if news {
            self.emit(now, event, witness);
        }
    }

    fn emit_one(&mut self, now: Instant, event: Event, witness: &mut impl Witness) {
        witness.witness(&self.state, now, &event);
        self.state.apply(&self.plan, now, &event);
        witness.keep(event);
    }

    fn submit(&mut self, now: Instant, request: &JobRequest, witness: &mut impl Witness) {
        let job = self.state.next_job();
        let mut means = std::mem::take(&mut self.scratch.means);
        let ways = self.scratch.ways.of(&self.plan, &request.asks);
        let choice = self.choose(now, request, &ways, &mut means);
        self.scratch.means = means;
        let Some((site, deferred)) = choice else {
            let (rule, request) = (self.plan.why_nowhere(now, request), request.clone());
            return self.emit(now, Event::Refused { job, request, rule }, witness);
        };
        let after = request.after();
        if let Some(gone) = self.state.gone_among(after) {
            // Whoever submits names live jobs only; this one ended meanwhile, and how is not known here.
            let (rule, request) = (Rule::PredecessorOver { job: gone }, request.clone());
            return self.emit(now, Event::Refused { job, request, rule }, witness);
        }
        let waits = !after.is_empty();
        self.emit(now, Event::Submitted { job, site, request: request.clone() }, witness);
        if let Some(until) = deferred.filter(|_| !waits) {
            self.emit(now, Event::Deferred { job, until }, witness);
        }
    }

    /// Where a request goes and until when it is kept back, or `None` where it can run nowhere.
    fn choose(
        &self,
        now: Instant,
        request: &JobRequest,
        ways: &[(SiteId, Vec<Need>)],
        means: &mut Means,
    ) -> Option<(SiteId, Option<Instant>)> {
        let possible = self.plan.possible(now, request, ways);
        let mut places = possible.clone();
        let (first, _) = places.next()?;
        if places.next().is_none() && !is_flexible(request) {
            // With but one place and one time nothing has to be compared.
            return Some((first, None));
        }
        let choice = self.bind(now, request, possible, means);
        Some((choice.site, choice.deferred))
    }

    /// A job that was told to stop counts as taken back, unless its work was done before it heard of that; one that was told to
    /// leave waits again. An attempt that was interrupted may turn out to have ended by itself before: what it says of its end counts, unless it was stopped.
    fn finish(
        &mut self,
        now: Instant,
        job: JobId,
        attempt: u32,
        (ending, at): (Ending, Instant),
        witness: &mut impl Witness,
    ) {
        let known = self.state.job(job).filter(|job| job.attempts == attempt && attempt > 0);
        let Some(known) = known else { return };
        let event = match known.run() {
            Some(Run { leaving: Some(leaving), stopping: false, .. })
                if !matches!(ending, Ending::Completed | Ending::TimedOut) =>
            {
                let cause = leaving.cause;
                Event::Interrupted { job, cause, saved: saved(known, now, cause) }
            }
            Some(run) => {
                let done = ending == Ending::Completed || !run.stopping;
                let ending = if done { ending } else { Ending::Cancelled };
                Event::Ended { job, ending, at: at.max(run.started).min(now) }
            }
            None if ending == Ending::Cancelled => return,
            None => Event::Ended { job, ending, at: at.max(known.submitted).min(now) },
        };
        self.emit(now, event, witness);
    }

    /// From here on its time counts. Until when it holds its nodes is known anew, and only now.
    fn begun(&mut self, now: Instant, id: JobId, attempt: u32, at: Instant, witness: &mut impl Witness) {
        let known = self.state.job(id).filter(|job| job.attempts == attempt);
        let Some((job, run)) = known.and_then(|job| Some((job, job.run().filter(|run| run.queued)?))) else {
            return;
        };
        let at = at.max(run.started).min(now);
        let end = run.pace.time(run.need.time(job.limit)).map_or(run.release, |time| at + time);
        let release = self.plan.before_window(job.site, now, end);
        let release = release.min(run.leaving.map_or(Instant::FAR, |leaving| leaving.by));
        self.emit(now, Event::Begun { job: id, at, release }, witness);
    }

    /// A job that loses attempt after attempt would keep its nodes busy for ever.
    fn lost(&mut self, now: Instant, job: JobId, attempt: u32, witness: &mut impl Witness) {
        let Some(known) = self.state.job(job).filter(|job| job.attempts == attempt) else { return };
        match known.run() {
            None => {}
            Some(run) if known.losses + 1 >= LOSSES_MOST && !run.stopping => {
                self.emit(now, Event::Ended { job, ending: Ending::Failed, at: now }, witness);
            }
            Some(_) => self.interrupt(now, job, Interruption::Lost, witness),
        }
    }

    /// What runs keeps its nodes until it has stopped; what waits is gone at once.
    fn cancel(&mut self, now: Instant, job: JobId, witness: &mut impl Witness) {
        let Some(known) = self.state.job(job) else { return };
        match known.run() {
            None => self.emit(now, Event::Ended { job, ending: Ending::Cancelled, at: now }, witness),
            Some(run) if run.stopping => {}
            Some(_) => self.emit(now, Event::Stopping { job }, witness),
        }
    }

    fn node_failed(
        &mut self,
        now: Instant,
        pool: PoolId,
        node: u32,
        until: Instant,
        witness: &mut impl Witness,
    ) {
        let Some(book) = self.state.pools.get(pool.index()).filter(|book| node < book.open) else { return };
        let index = book.index_of(node);
        if book.down.contains_key(&index) {
            return;
        }
        let mut hit = book.holders(index);
        hit.sort_unstable();
        for job in hit {
            self.interrupt(now, job, Interruption::Failure, witness);
        }
        self.emit(now, Event::NodeDown { pool, node, until }, witness);
    }

    pub(crate) fn interrupt(
        &mut self,
        now: Instant,
        job: JobId,
        cause: Interruption,
        witness: &mut impl Witness,
    ) {
        let Some(known) = self.state.job(job) else { return };
        let event = if known.run().is_some_and(|run| run.stopping) {
            Event::Ended { job, ending: Ending::Cancelled, at: now }
        } else {
            Event::Interrupted { job, cause, saved: saved(known, now, cause) }
        };
        self.emit(now, event, witness);
    }

    fn node_repaired(&mut self, now: Instant, pool: PoolId, node: u32, witness: &mut impl Witness) {
        let book = self.state.pools.get(pool.index()).filter(|book| node < book.open);
        if book.is_some_and(|book| book.down.contains_key(&book.index_of(node))) {
            self.emit(now, Event::NodeUp { pool, node }, witness);
        }
    }

    fn phase_opens(&mut self, now: Instant, site: SiteId, witness: &mut impl Witness) {
        let open = self.state.sites[site.index()].phases_open;
        if open < self.plan.sites[site.index()].phases.len() {
            self.house(now, site, witness);
            self.emit(now, Event::PhaseOpened { site, phase: PhaseId::at(open) }, witness);
        }
    }

    fn maintenance_begins(&mut self, now: Instant, site: SiteId, witness: &mut impl Witness) {
        let Some(windows) = self.plan.sites[site.index()].maintenance else { return };
        if self.state.sites[site.index()].closed.is_some() {
            return;
        }
        let runs_here = |job: &&Job| job.site == site && job.status != Status::Waiting;
        let running: Vec<JobId> = self.state.jobs().filter(runs_here).map(|job| job.id).collect();
        for job in running {
            self.interrupt(now, job, Interruption::Maintenance, witness);
        }
        let (_, until) = windows.window_at(now);
        self.emit(now, Event::Closed { site, until }, witness);
    }

    fn schedule(&mut self, now: Instant, witness: &mut impl Witness) {
        let mut looked = false;
        let mut due = self.state.due.clone();
        due.sort_unstable();
        for site in due {
            let book = &self.state.sites[site.index()];
            if book.dirty {
                self.pass(site, now, witness);
            } else if !book.arrivals.is_empty() {
                self.admit_arrivals(site, now, witness);
            } else {
                continue;
            }
            looked = true;
        }
        if looked {
            self.emit(now, Event::Settled, witness);
        }
    }
}

/// Progress of the running attempt that survives: all of it where the end was known ahead and the job can save, the
/// last whole checkpoint interval otherwise.
fn saved(job: &Job, now: Instant, cause: Interruption) -> Duration {
    let (Some(run), Some(every)) = (job.run(), job.checkpoint) else { return Duration::ZERO };
    let elapsed = run.progress(now);
    match cause {
        // It saved itself when it was told to leave; what it did since is not known.
        Interruption::Recalled | Interruption::Grown => {
            run.progress(run.leaving.map_or(now, |leaving| leaving.told))
        }
        // Nobody looked while its limit passed: it can not have run so long, and what it saved is not known.
        Interruption::Maintenance if elapsed >= job.limit => Duration::ZERO,
        Interruption::Maintenance => elapsed,
        Interruption::Failure | Interruption::Grid => elapsed.floor_to(every),
        // It may have died long before that was proven.
        Interruption::Lost => Duration::ZERO,
    }
}

/// What an input leads to, on a copy of the scheduler: the pure form of [`Scheduler::advance`].
#[must_use]
pub fn decide(scheduler: &Scheduler, now: Instant, input: &Input) -> Vec<Event> {
    let mut events = Vec::new();
    scheduler.clone().advance(now, input, &mut events);
    events
}

impl Scheduler {
    /// Looks at every site again, although nothing changed. Nothing may start: what could, has.
    pub fn schedule_again(&mut self, now: Instant, witness: &mut impl Witness) {
        for site in (0..self.state.sites.len()).map(SiteId::at) {
            self.pass(site, now, witness);
        }
    }

    /// The fixed part of the world.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}
