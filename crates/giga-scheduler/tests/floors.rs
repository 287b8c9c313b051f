//! What shares promise, as laws on random histories of a site where any free accelerators will do: nodes of one accelerator, and
//! power for all. What is left then is exact: nobody waits longer than the grace for what it may claim.

use std::collections::BTreeMap;

use giga_model::sample::{accelerator, add_site, empty, programme, project};
use giga_model::{
    Ask, Asks, Federation, JobId, JobRequest, Owner, OwnerId, Preempt, ProgrammeId, ProjectId, SiteId,
};
use giga_scheduler::{Ending, Event, Explanation, Input, Interruption, Job, Scheduler};
use giga_units::{Duration, Fraction, Instant};
use proptest::prelude::*;
use proptest::sample::Index;

const SITE: SiteId = SiteId(0);
const GRACE: i64 = 5;

/// So many accelerators in nodes of one, shared by owners as told; every owner has a project whose work may be told to leave
/// and one whose work may not.
fn federation(accelerators: u32, shares: &[u64]) -> Federation {
    let mut federation = empty();
    federation.owners = (0..shares.len()).map(|n| Owner { name: format!("owner{n}") }).collect();
    let rule = |name: &str, preempt| giga_model::Programme { preempt, ..programme(name) };
    federation.programmes = vec![rule("lent", Preempt::Always), rule("firm", Preempt::Never)];
    federation.projects = (0..shares.len())
        .flat_map(|owner| {
            [0, 1].map(|kind| project(&format!("{owner}-{kind}"), ProgrammeId(kind), OwnerId::at(owner)))
        })
        .collect();
    add_site(&mut federation, "north", &[(accelerator("A", 1, 4), accelerators)]);
    federation.sites[0].shares = shares
        .iter()
        .enumerate()
        .map(|(owner, percent)| (OwnerId::at(owner), Fraction::ppm(percent * 10_000)))
        .collect();
    federation.policy.grace = Duration::milliseconds(GRACE);
    federation
}

/// A scheduler with its host: what was told to leave leaves when it has to, what reaches its limit ends.
struct World {
    scheduler: Scheduler,
    federation: Federation,
    now: Instant,
    events: Vec<(Instant, Event)>,
    /// Since when each job waits for what its owner may claim.
    waits: BTreeMap<JobId, Instant>,
}

impl World {
    fn new(federation: Federation) -> Self {
        let scheduler = Scheduler::new(&federation);
        let waits = BTreeMap::new();
        let now = Instant::unix_milliseconds(0);
        let mut world = Self { scheduler, federation, now, events: Vec::new(), waits };
        world.tell(&[Input::PhaseOpens { site: SITE }]);
        world
    }

    fn tell(&mut self, inputs: &[Input]) {
        let mut events = Vec::new();
        inputs
            .iter()
            .chain([&Input::Schedule])
            .for_each(|input| self.scheduler.advance(self.now, input, &mut events));
        self.events.extend(events.into_iter().map(|event| (self.now, event)));
        self.check();
    }

    fn submit(&mut self, owner: usize, firm: bool, accelerators: u32, limit: i64) {
        let request = JobRequest {
            project: ProjectId::at(owner * 2 + usize::from(firm)),
            asks: Asks::one(Ask { accelerator: None, accelerators }),
            limit: Duration::milliseconds(limit),
            checkpoint: None,
            draw: Fraction::ONE,
            terms: None,
        };
        self.tell(&[Input::Submit { request }]);
    }

    /// One millisecond later: what is due by then happens first.
    fn tick(&mut self) {
        self.now = self.now + Duration::milliseconds(1);
        let over = |job: &Job| {
            let (run, at) = (job.run()?, self.now);
            let (ending, due) = match run.leaving {
                Some(leaving) => (Ending::Cancelled, leaving.by.min(run.started + job.limit)),
                None => (Ending::TimedOut, run.started + job.limit),
            };
            let ending = if run.started + job.limit <= at { Ending::Completed } else { ending };
            (due <= at).then_some(Input::Finished { job: job.id, attempt: job.attempts, ending, at })
        };
        let inputs: Vec<Input> = self.scheduler.state().jobs().filter_map(over).collect();
        self.tell(&inputs);
    }

    fn held(&self, owner: OwnerId) -> u64 {
        let (firm, loan) = self.scheduler.state().held(SITE, owner);
        firm + loan
    }

    fn asked(&self, job: &Job) -> u64 {
        u64::from(self.scheduler.state().asks(job).first().accelerators)
    }

    /// What holds at every instant, once everything that could start has.
    fn check(&mut self) {
        let state = self.scheduler.state();
        let capacity = state.capacity(SITE);
        let mut held = 0;
        for owner in (0..self.federation.owners.len()).map(OwnerId::at) {
            let (firm, loan) = state.held(SITE, owner);
            assert!(firm <= state.floor(SITE, owner), "firm work is within its owner's floor");
            held += firm + loan;
        }
        assert!(held <= capacity);
        let before = std::mem::take(&mut self.waits);
        for owner in (0..self.federation.owners.len()).map(OwnerId::at) {
            for job in self.that_may(owner) {
                let since = before.get(&job).copied().unwrap_or(self.now);
                let told = self.scheduler.explain(job, self.now);
                assert!(matches!(told, Explanation::Waiting { .. }), "{told:?}");
                assert!(
                    self.now <= since + Duration::milliseconds(GRACE),
                    "owner {} waits since {since} for what it may claim, job {job}, at {}",
                    owner.0,
                    self.now
                );
                self.waits.insert(job, since);
            }
        }
    }

    /// An owner's waiting jobs, where all of them together would be within its floor: then each of them may claim.
    fn that_may(&self, owner: OwnerId) -> Vec<JobId> {
        let state = self.scheduler.state();
        let mine = |job: &&Job| job.owner == owner && job.run().is_none();
        let waiting: Vec<&Job> = state.jobs().filter(mine).collect();
        let asked: u64 = waiting.iter().map(|job| self.asked(job)).sum();
        let fits = self.held(owner) + asked <= state.floor(SITE, owner);
        if fits { waiting.iter().map(|job| job.id).collect() } else { Vec::new() }
    }
}

/// An owner's job: firm or not, how large, how long, and how long until the next comes.
type Coming = (Index, bool, u32, i64, i64);

fn histories() -> impl Strategy<Value = (u32, Vec<u64>, Vec<Coming>)> {
    let shares = proptest::collection::vec(1_u64..34, 2..4);
    let job = (any::<Index>(), any::<bool>(), 1_u32..9, 1_i64..40, 0_i64..6);
    (4_u32..24, shares, proptest::collection::vec(job, 1..40))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2_000), ..ProptestConfig::default() })]

    #[test]
    fn what_an_owner_may_claim_it_has_within_the_grace((accelerators, shares, jobs) in histories()) {
        let mut world = World::new(federation(accelerators, &shares));
        for (owner, firm, size, limit, wait) in jobs {
            world.submit(owner.index(shares.len()), firm, size, limit);
            (0..wait).for_each(|_| world.tick());
        }
        (0..60).for_each(|_| world.tick());
    }
}

#[test]
fn what_is_lent_comes_back_and_only_as_much_as_is_claimed() {
    let mut world = World::new(federation(10, &[50, 50]));
    // Owner 1 is away, and owner 0 has ten jobs of one accelerator: five within its floor, five on what is lent.
    (0..10).for_each(|_| world.submit(0, false, 1, 1_000));
    assert_eq!((world.held(OwnerId(0)), world.held(OwnerId(1))), (10, 0));
    world.events.clear();
    world.submit(1, true, 3, 100);
    let told: Vec<u64> = world
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Leaving { job, cause: Interruption::Recalled, by } => {
                assert_eq!(*by, world.now + Duration::milliseconds(GRACE));
                Some(job.0)
            }
            _ => None,
        })
        .collect();
    assert_eq!(told, [9, 8, 7], "the latest started lose the least");
    (0..GRACE).for_each(|_| world.tick());
    assert_eq!((world.held(OwnerId(0)), world.held(OwnerId(1))), (7, 3));
    // What waits again starts when there is room, and not before.
    assert_eq!(world.scheduler.state().waiting(SITE), 3);
    (0..100).for_each(|_| world.tick());
    assert_eq!((world.held(OwnerId(0)), world.held(OwnerId(1))), (10, 0));
}

#[test]
fn many_small_jobs_come_back_within_one_grace() {
    let mut world = World::new(federation(10, &[50, 50]));
    (0..10).for_each(|_| world.submit(0, false, 1, 1_000));
    (0..5).for_each(|_| world.submit(1, false, 1, 1_000));
    (0..GRACE).for_each(|_| world.tick());
    assert_eq!((world.held(OwnerId(0)), world.held(OwnerId(1))), (5, 5));
}

#[test]
fn firm_work_waits_for_its_owners_floor_although_there_is_room() {
    let mut world = World::new(federation(10, &[30, 70]));
    world.submit(0, true, 3, 100);
    world.submit(0, true, 2, 100);
    assert_eq!(world.held(OwnerId(0)), 3);
    let told = world.scheduler.explain(JobId(1), world.now);
    let Explanation::Waiting { because, .. } = told else { panic!("{told:?}") };
    assert_eq!(format!("{because:?}"), "Floor { room: 0, needed: 2 }");
    // What can be told to leave takes the room meanwhile.
    world.submit(0, false, 6, 100);
    assert_eq!(world.held(OwnerId(0)), 9);
}

/// Who leaves: what came last, even where an older job started later because it had to start again; and nobody by whom its owner would
/// fall below its floor while others will do.
#[test]
fn what_came_last_is_called_back_first() {
    let mut scheduler = Scheduler::new(&federation(16, &[50, 50]));
    let tell = |scheduler: &mut Scheduler, at: i64, inputs: Vec<Input>| {
        let mut events = Vec::new();
        let now = Instant::unix_milliseconds(at);
        inputs.iter().chain([&Input::Schedule]).for_each(|input| scheduler.advance(now, input, &mut events));
        events
    };
    let lent = |owner: u32, accelerators| Input::Submit {
        request: JobRequest {
            project: ProjectId(owner * 2),
            asks: Asks::one(Ask { accelerator: None, accelerators }),
            limit: Duration::milliseconds(1_000),
            checkpoint: Some(Duration::milliseconds(1)),
            draw: Fraction::ONE,
            terms: None,
        },
    };
    tell(
        &mut scheduler,
        0,
        vec![Input::PhaseOpens { site: SITE }, lent(0, 2), lent(0, 2), lent(0, 10), lent(0, 2)],
    );
    // Job 0 fails and starts again, the last of all by its start.
    let nodes = scheduler
        .state()
        .job(JobId(0))
        .and_then(Job::run)
        .map(|run| scheduler.state().nodes(run.need.pool, &run.pieces));
    let node = nodes.expect("it runs")[0];
    let pool = giga_model::PoolId(0);
    tell(&mut scheduler, 1, vec![Input::NodeFailed { pool, node, until: Instant::unix_milliseconds(2) }]);
    tell(&mut scheduler, 2, vec![Input::NodeRepaired { pool, node }]);
    let events = tell(&mut scheduler, 3, vec![lent(1, 4)]);
    let left: Vec<u64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Leaving { job, .. } => Some(job.0),
            _ => None,
        })
        .collect();
    assert_eq!(left, [3, 1], "neither the gang of ten nor the job that was here first");
}
