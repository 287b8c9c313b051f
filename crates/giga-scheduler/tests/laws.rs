//! Laws of the scheduler on random small federations and random histories.

mod reference;

use giga_model::image::Source;
use giga_model::sample::{accelerator, add_site, empty, programme, project};
use giga_model::{
    AcceleratorId, Ask, Asks, Federation, JobId, JobRequest, Maintenance, Owner, OwnerId, PhaseId, PoolId,
    Programme, ProgrammeId, ProjectId, SiteId,
};
use giga_scheduler::{Ending, Event, Input, Plan, Scheduler, State, decide};
use giga_units::{Duration, Fraction, Instant, Power};
use proptest::prelude::*;
use proptest::sample::Index;
use reference::{Reference, Start, nodes_of};

#[derive(Debug, Clone)]
enum Step {
    Submit { project: Index, asks: Vec<(Option<Index>, u32)>, limit: i64, saves: bool },
    Finish(Index),
    Cancel(Index),
    Lose(Index),
    Fail { pool: Index, node: Index, repair: i64 },
    Repair(Index),
    Halve,
    NewYear,
}

fn step() -> impl Strategy<Value = Step> {
    let ask = (proptest::option::weighted(0.3, any::<Index>()), 1_u32..14);
    let submit = (any::<Index>(), proptest::collection::vec(ask, 1..3), 1_i64..40, any::<bool>());
    prop_oneof![
        8 => submit.prop_map(|(project, asks, limit, saves)| Step::Submit { project, asks, limit, saves }),
        5 => any::<Index>().prop_map(Step::Finish),
        1 => any::<Index>().prop_map(Step::Cancel),
        1 => any::<Index>().prop_map(Step::Lose),
        1 => (any::<Index>(), any::<Index>(), 1_i64..20)
            .prop_map(|(pool, node, repair)| Step::Fail { pool, node, repair }),
        1 => any::<Index>().prop_map(Step::Repair),
        1 => Just(Step::Halve),
        1 => Just(Step::NewYear),
    ]
}

/// Federations of one or two sites with up to three small pools each; some are short of power, some have maintenance,
/// some open a second phase later.
fn federation() -> impl Strategy<Value = Federation> {
    let pool = (0_usize..3, 1_u32..7);
    let site =
        (proptest::collection::vec(pool, 1..3), 40_u64..101, any::<bool>(), proptest::option::of(5_i64..60));
    let sites = proptest::collection::vec(site, 1..3);
    let people = (1_usize..4, 1_usize..3, 1_usize..6);
    (sites, people, any::<u64>()).prop_map(|(sites, (owners, programmes, projects), salt)| {
        let mut federation = empty();
        // The reference knows shares as an order only; what floors promise has laws of its own.
        federation.policy.sharing = giga_model::Sharing::Order;
        federation.owners = (0..owners).map(|n| Owner { name: format!("owner{n}") }).collect();
        federation.programmes = (0..programmes)
            .map(|n| Programme { priority: n as i32, ..programme(&format!("programme{n}")) })
            .collect();
        let pick = |n: usize, of: usize| (salt >> (n * 3)) as usize % of;
        let projects = (0..projects).map(|n| {
            project(&format!("p{n}"), ProgrammeId::at(pick(n, programmes)), OwnerId::at(pick(n + 7, owners)))
        });
        federation.projects = projects.collect();
        let kinds = [accelerator("A", 1, 3), accelerator("B", 4, 2), accelerator("C", 8, 1)];
        for (index, (pools, power, windows, second)) in sites.into_iter().enumerate() {
            let pools: Vec<_> = pools.into_iter().map(|(kind, nodes)| (kinds[kind].clone(), nodes)).collect();
            let id = add_site(&mut federation, &format!("site{index}"), &pools);
            let site = &mut federation.sites[id.index()];
            let whole = site.phases[0].power.as_milliwatts();
            site.phases[0].power = Power::milliwatts(whole / 100 * power);
            site.oversubscribed = power < 100;
            site.maintenance = windows.then(|| Maintenance {
                first: Instant::unix_milliseconds(20),
                every: Duration::milliseconds(50),
                length: Duration::milliseconds(5),
            });
            if let Some(opens) = second {
                let mut phase = site.phases[0].clone();
                phase.opens = Instant::unix_milliseconds(opens);
                site.phases.push(phase);
            }
        }
        federation
    })
}

/// A scheduler, the reference, and a third that only applies events.
struct Trial {
    federation: Federation,
    fast: Scheduler,
    slow: Reference,
    applied: State,
    now: Instant,
    recorded: Vec<(Instant, Input, Vec<Event>)>,
}

impl Trial {
    fn new(federation: Federation) -> Self {
        let plan = Plan::new(&federation);
        let mut trial = Self {
            fast: Scheduler::new(&federation),
            slow: Reference::new(&federation),
            applied: State::new(&plan),
            now: Instant::unix_milliseconds(0),
            recorded: Vec::new(),
            federation,
        };
        trial.open_due();
        trial.settle();
        trial
    }

    /// Tells the scheduler, and lets the others follow; only the scheduler may start anything, at `Schedule`.
    fn tell(&mut self, input: Input) -> Vec<Event> {
        let mut events = Vec::new();
        self.fast.advance(self.now, &input, &mut events);
        for event in &events {
            self.slow.follow(self.now, event);
            self.applied.apply(self.fast.plan(), self.now, event);
        }
        self.recorded.push((self.now, input, events.clone()));
        events
    }

    /// Everything that can start does, and it is what the reference starts.
    fn settle(&mut self) {
        let expected = self.slow.schedule(self.now);
        let events = self.tell(Input::Schedule);
        let found: Vec<Start> = events
            .iter()
            .filter_map(|event| match event {
                Event::Started { job, need, pieces, release, .. } => {
                    Some((*job, *need, nodes_of(&self.federation, need.pool, pieces), *release))
                }
                _ => None,
            })
            .collect();
        assert_eq!(found, expected, "at {}", self.now.as_unix_milliseconds());
        let (mut again, mut once_more) = (Vec::new(), Vec::new());
        let mut copy = self.fast.clone();
        copy.schedule_again(self.now, &mut again);
        copy.schedule_again(self.now, &mut once_more);
        assert!(again.is_empty() || self.is_something_late(), "solving twice changes nothing: {again:?}");
        assert_eq!(once_more, [], "solving twice changes nothing");
    }

    /// Whether something should be back by now and is not: a reservation then moves without any event.
    fn is_something_late(&self) -> bool {
        let state = self.fast.state();
        let late = state.jobs().filter_map(|job| job.run()).any(|run| run.release <= self.now);
        late || (0..self.federation.pools.len())
            .any(|pool| state.down(PoolId::at(pool)).any(|(_, at)| at <= self.now))
    }

    /// Phases and windows that are due.
    fn open_due(&mut self) {
        for site in (0..self.federation.sites.len()).map(SiteId::at) {
            let phases = self.federation.sites[site.index()].phases.len();
            while self.fast.state().phases_open(site) < phases {
                let next = PhaseId::at(self.fast.state().phases_open(site));
                if self.fast.plan().phase_opens(site, next) > self.now {
                    break;
                }
                self.tell(Input::PhaseOpens { site });
            }
            let Some(windows) = self.federation.sites[site.index()].maintenance else { continue };
            let (begin, _) = windows.window_at(self.now);
            let closed = self.fast.state().closed_until(site);
            if closed.is_some_and(|until| until <= self.now) {
                self.tell(Input::MaintenanceEnds { site });
            } else if begin <= self.now && closed.is_none() {
                self.tell(Input::MaintenanceBegins { site });
            }
        }
    }

    fn wait(&mut self, milliseconds: i64) {
        for _ in 0..milliseconds {
            self.now = self.now + Duration::milliseconds(1);
            let before = self.recorded.len();
            self.open_due();
            if self.recorded.len() > before {
                self.settle();
            }
        }
    }

    fn step(&mut self, step: &Step) {
        let some = |index: &Index, jobs: Vec<JobId>| (!jobs.is_empty()).then(|| *index.get(&jobs));
        let state = self.fast.state();
        let attempt = |index: &Index| {
            let running = state.jobs().filter(|job| job.run().is_some()).map(|job| job.id).collect();
            some(index, running).map(|job| (job, state.job(job).expect("it runs").attempts))
        };
        let input = match step {
            Step::Submit { project, asks, limit, saves } => {
                Some(self.submission(project, asks, *limit, *saves))
            }
            Step::Finish(index) => attempt(index).map(|(job, attempt)| Input::Finished {
                job,
                attempt,
                ending: Ending::Completed,
                // Noticed late; the scheduler takes care that it is not before the start.
                at: self.now - Duration::milliseconds(2),
            }),
            Step::Lose(index) => attempt(index).map(|(job, attempt)| Input::Lost { job, attempt }),
            Step::Cancel(index) => {
                some(index, state.jobs().map(|job| job.id).collect()).map(|job| Input::Cancel { job })
            }
            Step::Fail { pool, node, repair } => {
                let pool = PoolId::at(pool.index(self.federation.pools.len()));
                let node = u32::try_from(node.index(self.federation.nodes_of(pool) as usize)).expect("small");
                let until = self.now + Duration::milliseconds(*repair);
                Some(Input::NodeFailed { pool, node, until })
            }
            Step::Repair(index) => {
                let pools = (0..self.federation.pools.len()).map(PoolId::at);
                let down: Vec<_> =
                    pools.flat_map(|pool| state.down(pool).map(move |(node, _)| (pool, node))).collect();
                (!down.is_empty())
                    .then(|| *index.get(&down))
                    .map(|(pool, node)| Input::NodeRepaired { pool, node })
            }
            Step::Halve => Some(Input::HalveUse),
            Step::NewYear => Some(Input::TurnYear),
        };
        if let Some(input) = input {
            self.tell(input);
        }
    }

    fn submission(&self, project: &Index, asks: &[(Option<Index>, u32)], limit: i64, saves: bool) -> Input {
        let kinds = self.federation.accelerators.len();
        let mut asks = asks.iter().map(|(kind, accelerators)| Ask {
            accelerator: kind.as_ref().map(|kind| AcceleratorId::at(kind.index(kinds))),
            accelerators: *accelerators,
        });
        let first = asks.next().expect("at least one ask");
        let others: Vec<Ask> = asks.collect();
        // A smaller second way on anything makes an elastic gang of the first.
        let asks = match others[..] {
            [Ask { accelerator: None, accelerators }] if accelerators < first.accelerators => {
                Asks::elastic(first, accelerators)
            }
            _ => Asks::any_of(first, others),
        };
        Input::Submit {
            request: JobRequest {
                project: ProjectId::at(project.index(self.federation.projects.len())),
                asks,
                limit: Duration::milliseconds(limit),
                checkpoint: saves.then_some(Duration::milliseconds(3)),
                draw: Fraction::ONE,
                terms: None,
            },
        }
    }

    /// The state that only applied events is the decided one, and an image of it goes on as it would have.
    fn check_state(&mut self) {
        let (mut decided, mut applied) = (Vec::new(), Vec::new());
        self.fast.state().write_image(&mut decided);
        self.applied.write_image(&mut applied);
        assert_eq!(decided, applied, "apply of the recorded events equals the decided state");
        let restored =
            State::read_image(self.fast.plan(), &mut Source::new(&decided)).expect("an image reads back");
        self.fast = Scheduler::with_state(self.fast.plan().clone().into(), restored);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(3_000), ..ProptestConfig::default() })]

    #[test]
    fn every_start_is_the_references(
        federation in federation(),
        history in proptest::collection::vec((0_i64..4, proptest::collection::vec(step(), 1..4)), 1..30),
    ) {
        let mut trial = Trial::new(federation.clone());
        for (wait, steps) in history {
            trial.wait(wait);
            steps.iter().for_each(|step| trial.step(step));
            trial.settle();
        }
        trial.check_state();
        trial.wait(30);
        trial.check_state();

        let mut again = Scheduler::new(&federation);
        for (now, input, events) in &trial.recorded {
            prop_assert_eq!(&decide(&again, *now, input), events, "deciding again agrees");
            events.iter().for_each(|event| again.apply(*now, event));
        }
    }
}
