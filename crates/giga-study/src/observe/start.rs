//! When what waits may start: a control is told what runs and waits, and goes on in several futures.

use std::collections::BTreeMap;
use std::sync::Arc;

use giga_control::Control;
use giga_formats::observe::{Became, Observation, Outline, QueueState, Queued, StartForecast, pools};
use giga_model::{
    Ask, Asks, Federation, JobId, JobRequest, Owner, OwnerId, PoolId, Project, ProjectId, Sharing, SiteId,
};
use giga_scheduler::{Input, Job};
use giga_twin::{Chance, Purpose};
use giga_units::{Duration, Fraction};

use super::trace::{Kinds, waits};
use crate::forecast::forecast_with;
use crate::runtimes::{Ended, Runtimes};

/// What the futures assume, for people.
pub const ASSUMES: &str = "nothing more comes, nothing breaks; the order is Slurm's priority now, with backfill behind \
    the first; run times as parts of limits, as in jobs of the account that ended; without a limit at most as long as the longest of them all; nodes that drain stay; partitions share \
    their nodes";

const FUTURES: u32 = 16;
/// How far a future is followed at most (an assumption: what comes later changes more than is known).
const MOST: Duration = Duration::days(30);
/// Stands for "no limit" where no job is known that ended.
const UNLIMITED: Duration = MOST;
const SEED: u64 = 1;
/// More tasks than this of those that wait are not followed.
const TASKS_MAX: usize = 100_000;

/// When the jobs of the queue that wait for room may start, in the order of Slurm's priority, and how many of those that
/// run found no place in the description. `federation` is the one that was described.
#[must_use]
pub fn starts(seen: &Observation, federation: &Federation) -> (Vec<StartForecast>, usize) {
    if !waits(seen) || federation.pools.is_empty() {
        return (Vec::new(), 0);
    }
    let live = Live::of(seen, federation);
    let mut control = Control::new(Arc::new(queue_only(seen, federation)), seen.at);
    control.advance(seen.at, &[Input::PhaseOpens { site: SiteId(0) }]);
    let submit = |job: &Known| Input::Submit { request: job.request.clone() };
    let (running, waiting) = live.jobs.split_at(live.running);
    control.advance(seen.at, &running.iter().map(submit).collect::<Vec<_>>());
    let lost = control.state().jobs().filter(|job| job.run().is_none()).count()
        + running.len().saturating_sub(control.state().live());
    control.advance(seen.at, &waiting.iter().map(submit).collect::<Vec<_>>());
    let at_once: BTreeMap<JobId, bool> =
        control.state().jobs().map(|job| (job.id, job.run().is_some())).collect();
    let left = |job: &Job, seed: u64| live.left(job, seed);
    let forecast = forecast_with(&control, &left, FUTURES, SEED, MOST);
    let told = waiting.iter().enumerate().map(|(place, known)| {
        let id = JobId((live.running + place) as u64);
        let spread = forecast.job(id).and_then(|job| job.start);
        let (start, seen_in) = match at_once.get(&id) {
            Some(true) => (Some([seen.at; 3]), FUTURES),
            _ => (
                spread.map(|spread| [spread.low, spread.median, spread.high]),
                spread.map_or(0, |it| it.seen),
            ),
        };
        StartForecast {
            id: known.job.id.clone(),
            account: known.job.account.clone(),
            accelerators: known.job.accelerators,
            submitted: known.job.submitted,
            start,
            seen: seen_in,
            by_slurm: known.job.start.filter(|start| *start > seen.at),
        }
    });
    (told.collect(), lost)
}

/// A job of the queue, as the control is told of it.
struct Known<'a> {
    job: &'a Queued,
    account: ProjectId,
    limit: Duration,
    request: JobRequest,
}

/// What runs, then what waits.
struct Live<'a> {
    jobs: Vec<Known<'a>>,
    running: usize,
    runtimes: Runtimes,
}

impl<'a> Live<'a> {
    fn of(seen: &'a Observation, federation: &Federation) -> Self {
        let place = |account: &str| {
            let name = Outline::project(account);
            ProjectId::at(federation.projects.iter().position(|project| project.name == name).unwrap_or(0))
        };
        let kinds = Kinds::of(seen, federation);
        let unlimited = longest(seen).unwrap_or(UNLIMITED);
        let known = |job: &'a Queued| {
            let gone = if job.state == QueueState::Runs { job.used } else { Duration::ZERO };
            // What has run for longer than all others is taken to be half done.
            let unlimited = || unlimited.max(gone.times(2));
            let limit = job.limit.filter(|limit| *limit > Duration::ZERO).unwrap_or_else(unlimited);
            let ask =
                Ask { accelerator: kinds.of_job(&job.kind, &job.partition), accelerators: job.accelerators };
            let request = JobRequest {
                project: ProjectId(0),
                asks: Asks::one(ask),
                limit: limit.saturating_sub(gone).max(Duration::seconds(1)),
                checkpoint: None,
                draw: Fraction::ONE,
                terms: None,
            };
            Known { job, account: place(&job.account), limit, request }
        };
        let queue = || seen.queue.iter().flatten().filter(|job| job.accelerators > 0);
        let mut running: Vec<&Queued> = queue().filter(|job| job.state == QueueState::Runs).collect();
        // The largest first, so that they find their places as surely as they have them.
        running.sort_by_key(|job| std::cmp::Reverse(job.accelerators));
        let mut waiting: Vec<&Queued> = queue().filter(|job| job.state == QueueState::Waits).collect();
        waiting.sort_by_key(|job| (std::cmp::Reverse(job.priority), job.submitted));
        let tasks = waiting.into_iter().flat_map(|job| std::iter::repeat_n(job, job.tasks as usize));
        let mut jobs: Vec<Known<'a>> = running.into_iter().map(known).collect();
        let running = jobs.len();
        jobs.extend(tasks.take(TASKS_MAX).map(known));
        let ended = seen.jobs.iter().flatten().filter_map(|job| {
            let fair = matches!(job.became, Became::Completed | Became::Failed | Became::TimedOut);
            let ran = job.end.filter(|_| fair && job.accelerators > 0)?.since(job.start?);
            let limit = job.limit.filter(|limit| *limit > Duration::ZERO)?;
            Some(Ended { project: place(&job.account), ran, limit })
        });
        Self { running, runtimes: Runtimes::of(ended), jobs }
    }

    /// How long a job goes on from the time of asking.
    fn left(&self, job: &Job, seed: u64) -> Duration {
        let Some(known) = usize::try_from(job.id.0).ok().and_then(|place| self.jobs.get(place)) else {
            return job.limit;
        };
        let gone = if known.job.state == QueueState::Runs { known.job.used } else { Duration::ZERO };
        let mut chance = Chance::of(seed, Purpose::RunTime, job.id.0, 0);
        let all = self.runtimes.draw(&mut chance, known.account, known.limit, gone);
        all.saturating_sub(gone).max(Duration::seconds(1))
    }
}

/// The longest run that ended.
fn longest(seen: &Observation) -> Option<Duration> {
    let ended = seen.jobs.iter().flatten().filter(|job| job.accelerators > 0);
    let longest = ended.filter_map(|job| Some(job.end?.since(job.start?))).max()?;
    Some(longest.max(Duration::seconds(1)))
}

/// The federation with one queue in the order of submission, and only the nodes that are up.
fn queue_only(seen: &Observation, federation: &Federation) -> Federation {
    let mut alone = federation.clone();
    alone.start = seen.at;
    alone.policy.sharing = Sharing::Order;
    alone.owners = vec![Owner { name: "all".to_owned() }];
    let first = federation.projects.first().cloned();
    alone.projects = first.map(|project| Project { owner: OwnerId(0), ..project }).into_iter().collect();
    let out: BTreeMap<String, u64> =
        pools(&seen.nodes).into_iter().map(|pool| (pool.name, pool.out)).collect();
    for site in &mut alone.sites {
        site.shares = vec![(OwnerId(0), Fraction::ONE)];
        for phase in &mut site.phases {
            phase.opens = seen.at;
            for (pool, nodes) in &mut phase.nodes {
                let name = &federation.pools[PoolId::index(*pool)].name;
                let gone = out.get(name).copied().unwrap_or(0);
                *nodes = nodes.saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX));
            }
        }
    }
    alone
}
