//! Conservative backfill to a depth: what is promised to those behind the first in the line holds, and is what a slow reference
//! promises.

use std::collections::BTreeMap;

use giga_model::sample::{accelerator, add_site, empty, programme, project};
use giga_model::{
    Ask, Asks, Federation, JobId, JobRequest, Maintenance, Owner, OwnerId, ProgrammeId, ProjectId, Sharing,
    SiteId,
};
use giga_scheduler::{Ending, Event, Input, Job, Scheduler};
use giga_units::{Duration, Fraction, Instant, Power};
use proptest::prelude::*;

const SITE: SiteId = SiteId(0);

/// A site with one pool, whose jobs wait in the order in which they came.
fn federation(per_node: u16, nodes: u32, power: u64, depth: u16, windows: bool) -> Federation {
    let mut federation = empty();
    federation.owners = vec![Owner { name: "owner".to_owned() }];
    federation.programmes = vec![programme("programme")];
    federation.projects = vec![project("project", ProgrammeId(0), OwnerId(0))];
    add_site(&mut federation, "north", &[(accelerator("A", per_node, 4), nodes)]);
    let site = &mut federation.sites[0];
    site.phases[0].power = Power::milliwatts(site.phases[0].power.as_milliwatts() / 100 * power);
    site.oversubscribed = power < 100;
    site.maintenance = windows.then(|| Maintenance {
        first: Instant::unix_milliseconds(45),
        every: Duration::milliseconds(60),
        length: Duration::milliseconds(5),
    });
    federation.policy.sharing = Sharing::Order;
    federation.policy.reservations = depth;
    federation
}

fn request((accelerators, limit, saves): (u32, i64, bool)) -> JobRequest {
    JobRequest {
        project: ProjectId(0),
        asks: Asks::one(Ask { accelerator: None, accelerators }),
        limit: Duration::milliseconds(limit),
        checkpoint: saves.then(|| Duration::milliseconds(1)),
        draw: Fraction::ONE,
        terms: None,
    }
}

/// A scheduler with a host that ends what reaches the time it was given.
struct World {
    scheduler: Scheduler,
    maintenance: Option<Maintenance>,
    /// Whether nodes have parts: which of them a promise goes to can change with time alone.
    parts: bool,
    now: Instant,
    /// By job: how long it really runs.
    takes: BTreeMap<JobId, Duration>,
    started: BTreeMap<JobId, Instant>,
}

impl World {
    fn new(federation: &Federation) -> Self {
        let now = Instant::unix_milliseconds(0);
        let maintenance = federation.sites[0].maintenance;
        let parts = federation.accelerators[0].per_node > 1;
        let (takes, started) = (BTreeMap::new(), BTreeMap::new());
        let mut world =
            Self { scheduler: Scheduler::new(federation), maintenance, parts, now, takes, started };
        world.tell(&[Input::PhaseOpens { site: SITE }]);
        world
    }

    fn tell(&mut self, inputs: &[Input]) {
        let mut events = Vec::new();
        for input in inputs.iter().chain([&Input::Schedule]) {
            self.scheduler.advance(self.now, input, &mut events);
        }
        for event in &events {
            if let Event::Started { job, .. } = event {
                self.started.entry(*job).or_insert(self.now);
            }
        }
        let (mut again, mut once_more) = (Vec::new(), Vec::new());
        let mut copy = self.scheduler.clone();
        copy.schedule_again(self.now, &mut again);
        copy.schedule_again(self.now, &mut once_more);
        assert!(again.is_empty() || self.parts, "solving twice changes nothing: {again:?}");
        assert_eq!(once_more, [], "solving twice changes nothing");
    }

    fn submit(&mut self, asked: (u32, i64, bool), takes: i64) {
        let job = self.scheduler.state().next_job();
        self.takes.insert(job, Duration::milliseconds(takes.min(asked.1)));
        self.tell(&[Input::Submit { request: request(asked) }]);
    }

    /// One millisecond later: what is over ends, and windows begin and end.
    fn tick(&mut self) {
        self.now = self.now + Duration::milliseconds(1);
        let over = |job: &&Job| job.run().is_some_and(|run| run.progress(self.now) >= self.takes[&job.id]);
        let end = |job: &Job| Input::Finished {
            job: job.id,
            attempt: job.attempts,
            ending: Ending::Completed,
            at: self.now,
        };
        let mut inputs: Vec<Input> = self.scheduler.state().jobs().filter(over).map(end).collect();
        if let Some(windows) = self.maintenance {
            let (begin, _) = windows.window_at(self.now);
            let ended = self.scheduler.state().closed_until(SITE).is_some_and(|until| until <= self.now);
            inputs.extend(ended.then_some(Input::MaintenanceEnds { site: SITE }));
            inputs.extend((begin == self.now).then_some(Input::MaintenanceBegins { site: SITE }));
        }
        self.tell(&inputs);
    }
}

/// Jobs as they come: after how many milliseconds, accelerators, limit, whether it saves, and how long it takes.
fn jobs(saves: bool) -> impl Strategy<Value = Vec<(i64, u32, i64, bool, i64)>> {
    let saves = if saves { any::<bool>().boxed() } else { Just(false).boxed() };
    proptest::collection::vec((0_i64..4, 1_u32..17, 1_i64..30, saves, 1_i64..30), 1..40)
}

/// The starts that a first-come-first-served line keeps, found by trying every millisecond: so many nodes of one accelerator and no
/// bound of power.
fn slow(world: &World, nodes: u32, depth: usize) -> Vec<(JobId, Instant)> {
    const HORIZON: usize = 2_000;
    let mut free = vec![i64::from(nodes); HORIZON];
    let after =
        |at: Instant| usize::try_from(at.since(world.now).as_milliseconds()).expect("not in the past");
    for run in world.scheduler.state().jobs().filter_map(Job::run) {
        // What is over by now and still there comes back at the next moment.
        let until = after(run.release).max(1);
        free[..until].iter_mut().for_each(|free| *free -= i64::from(run.need.held()));
    }
    let waiting = world.scheduler.state().jobs().filter(|job| job.run().is_none());
    let mut promises = Vec::new();
    for job in waiting.take(depth) {
        let held = i64::from(world.scheduler.state().asks(job).first().accelerators);
        let length = usize::try_from(job.limit.as_milliseconds()).expect("a limit");
        let fits = |at: &usize| free[*at..*at + length].iter().all(|free| *free >= held);
        let at = (1..HORIZON - length).find(fits).expect("everything ends");
        free[at..at + length].iter_mut().for_each(|free| *free -= held);
        promises.push((job.id, world.now + Duration::milliseconds(at as i64)));
    }
    promises
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Where all that runs takes as long as it may, each job starts by when it was first promised to.
    #[test]
    fn promises_hold(
        nodes in 17_u32..40,
        power in 50_u64..101,
        depth in 2_u16..12,
        windows in any::<bool>(),
        jobs in jobs(true),
    ) {
        let mut world = World::new(&federation(1, nodes, power, depth, windows));
        let mut promised: BTreeMap<JobId, Instant> = BTreeMap::new();
        let mut jobs = jobs.into_iter();
        let mut pause = 0;
        let mut next = jobs.next();
        for _ in 0..600 {
            while let Some((gap, accelerators, limit, saves, _)) = next.filter(|job| job.0 <= pause) {
                pause -= gap;
                // What a window interrupts comes back to its old place, before those that were promised something since.
                world.submit((accelerators, limit, saves && !windows), limit);
                next = jobs.next();
            }
            for (job, at) in world.scheduler.promises(SITE, world.now) {
                promised.entry(job).or_insert(at);
            }
            world.tick();
            pause += 1;
        }
        for (job, at) in promised {
            let started = world.started.get(&job);
            prop_assert!(started.is_some_and(|started| *started <= at), "job {job}: {started:?} after {at:?}");
        }
    }

    /// Parts of nodes, windows, work that saves: nothing starts at a second look, and everything starts in the end.
    #[test]
    fn a_look_is_complete(
        per_node in prop_oneof![Just(4_u16), Just(8)],
        nodes in 4_u32..8,
        power in 50_u64..101,
        depth in 2_u16..12,
        windows in any::<bool>(),
        jobs in jobs(true),
    ) {
        let mut world = World::new(&federation(per_node, nodes, power, depth, windows));
        for (gap, accelerators, limit, saves, takes) in jobs {
            (0..gap).for_each(|_| world.tick());
            world.submit((accelerators.min(8), limit, saves), takes);
        }
        (0..1_500).for_each(|_| world.tick());
        prop_assert_eq!(world.scheduler.state().live(), 0);
    }

    /// Where work ends early, the promises of an instant are still those of a slow reference.
    #[test]
    fn promises_are_those_of_a_slow_reference(
        nodes in 2_u32..20,
        depth in 2_u16..12,
        jobs in jobs(false),
    ) {
        let mut world = World::new(&federation(1, nodes, 100, depth, false));
        for (gap, accelerators, limit, saves, takes) in jobs {
            (0..gap).for_each(|_| world.tick());
            world.submit((accelerators.min(nodes), limit, saves), takes);
            let expected = slow(&world, nodes, usize::from(depth));
            let found = world.scheduler.promises(SITE, world.now);
            prop_assert_eq!(found, expected);
        }
    }
}

/// The second in the line keeps a start that EASY would give away: 4 accelerators are busy until 10, the first wants 6 for 5, the
/// second all 8 for 5; the third, small and long, fits beside the first only.
#[test]
fn the_second_is_not_delayed() {
    let start_of_second = |depth: u16| {
        let mut world = World::new(&federation(1, 8, 100, depth, false));
        world.submit((4, 10, false), 10);
        world.submit((6, 5, false), 5);
        world.submit((8, 5, false), 5);
        world.submit((2, 100, false), 100);
        (0..150).for_each(|_| world.tick());
        world.started[&JobId(2)].as_unix_milliseconds()
    };
    assert_eq!(start_of_second(1), 100, "EASY lets the long one take what the first leaves spare");
    assert_eq!(start_of_second(2), 15, "it waits for the second as well");
}
