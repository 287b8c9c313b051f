//! A random small world around a control: phases and windows come when they are due, all else as it is told.

use std::sync::Arc;

use giga_control::Control;
use giga_model::sample::{accelerator, add_site, empty, programme, project};
use giga_model::{
    Accelerator, AcceleratorId, Ask, Asks, Federation, JobId, JobRequest, Maintenance, Owner, OwnerId,
    PoolId, Programme, ProgrammeId, ProjectId, SiteId,
};
use giga_scheduler::{Ending, Event, Input, Job};
use giga_units::{Duration, Fraction, Instant, Power};
use proptest::prelude::*;
use proptest::sample::Index;

/// What each accelerator's part of its node draws while it idles.
pub(crate) const IDLE: Power = Power::watts(200);

/// One thing that may happen.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Submit { project: Index, asks: Vec<(Option<Index>, u32)>, limit: i64, saves: Option<i64>, draw: u64 },
    Finish(Index, bool),
    Cancel(Index),
    Lose(Index),
    Fail { pool: Index, node: Index, repair: i64 },
    Repair(Index),
    Halve,
    NewYear,
}

fn step() -> impl Strategy<Value = Step> {
    let minutes = |most: i64| (1_i64..most * 60_000).prop_map(|milliseconds| milliseconds);
    let ask = (proptest::option::weighted(0.3, any::<Index>()), 1_u32..14);
    let asks = proptest::collection::vec(ask, 1..3);
    let submit = (any::<Index>(), asks, minutes(400), proptest::option::of(minutes(60)), 0_u64..5);
    prop_oneof![
        10 => submit.prop_map(|(project, asks, limit, saves, draw)| {
            Step::Submit { project, asks, limit, saves, draw: draw * 250_000 }
        }),
        5 => (any::<Index>(), any::<bool>()).prop_map(|(index, whole)| Step::Finish(index, whole)),
        1 => any::<Index>().prop_map(Step::Cancel),
        1 => any::<Index>().prop_map(Step::Lose),
        2 => (any::<Index>(), any::<Index>(), minutes(200))
            .prop_map(|(pool, node, repair)| Step::Fail { pool, node, repair }),
        1 => any::<Index>().prop_map(Step::Repair),
        1 => Just(Step::Halve),
        1 => Just(Step::NewYear),
    ]
}

/// Waits in milliseconds, each with what happens then at one instant.
pub(crate) fn history() -> impl Strategy<Value = Vec<(i64, Vec<Step>)>> {
    let wait = prop_oneof![3 => 1_i64..3_000_000, 1 => Just(0), 1 => Just(3_600_000)];
    proptest::collection::vec((wait, proptest::collection::vec(step(), 1..4)), 1..40)
}

fn kind(name: &str, per_node: u16, nodes_per_rack: u16) -> Accelerator {
    let node_idle = IDLE.times(u64::from(per_node));
    let node_max = node_idle + Power::watts(1_000).times(u64::from(per_node));
    Accelerator { node_idle, node_max, ..accelerator(name, per_node, nodes_per_rack) }
}

/// Federations of one or two sites with one or two small pools each; some are short of power, some have maintenance,
/// some open a second phase later, and the facilities differ. All powers are whole watts.
pub(crate) fn federation() -> impl Strategy<Value = Federation> {
    let pools = proptest::collection::vec((0_usize..3, 1_u32..7), 1..3);
    let site = (pools, 60_u64..101, any::<bool>(), proptest::option::of(1_i64..30_000_000), 0_u64..3);
    let people = (1_usize..4, 1_usize..3, 1_usize..6);
    (proptest::collection::vec(site, 1..3), people, any::<u64>()).prop_map(|(sites, people, salt)| {
        let mut federation = empty();
        settle(&mut federation, people, salt);
        let kinds = [kind("A", 1, 3), kind("B", 4, 2), kind("C", 8, 1)];
        for (index, (pools, power, windows, second, factor)) in sites.into_iter().enumerate() {
            let pools: Vec<_> = pools.into_iter().map(|(kind, nodes)| (kinds[kind].clone(), nodes)).collect();
            let id = add_site(&mut federation, &format!("site{index}"), &pools);
            let site = &mut federation.sites[id.index()];
            site.facility_factor = Fraction::ppm(1_000_000 + factor * 120_000);
            site.phases[0].power = site.facility_factor.of(site.phases[0].power.times(power).split(100));
            site.oversubscribed = power < 100;
            site.maintenance = windows.then(|| Maintenance {
                first: Instant::unix_milliseconds(9_000_000),
                every: Duration::hours(7),
                length: Duration::milliseconds(2_000_000),
            });
            if let Some(opens) = second {
                let opens = Instant::unix_milliseconds(opens);
                let phase = giga_model::Phase { opens, ..site.phases[0].clone() };
                site.phases.push(phase);
            }
        }
        federation
    })
}

fn settle(federation: &mut Federation, (owners, programmes, projects): (usize, usize, usize), salt: u64) {
    federation.owners = (0..owners).map(|n| Owner { name: format!("owner{n}") }).collect();
    let programme = |n: usize| Programme {
        priority: i32::try_from(n).expect("small"),
        gang_max: (n == 1).then_some(12),
        limit_max: (n == 1).then_some(Duration::hours(5)),
        ..programme(&format!("programme{n}"))
    };
    federation.programmes = (0..programmes).map(programme).collect();
    let pick = |n: usize, of: usize| (salt >> (n * 3)) as usize % of;
    let projects = (0..projects).map(|n| {
        project(&format!("p{n}"), ProgrammeId::at(pick(n, programmes)), OwnerId::at(pick(n + 7, owners)))
    });
    federation.projects = projects.collect();
}

/// What control was told at one instant, and what it decided.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) now: Instant,
    pub(crate) inputs: Vec<Input>,
    pub(crate) events: Vec<Event>,
}

/// A control, and all that it was told.
pub(crate) struct World {
    federation: Arc<Federation>,
    pub(crate) control: Control,
    pub(crate) now: Instant,
    pub(crate) batches: Vec<Batch>,
}

impl World {
    pub(crate) fn new(federation: Arc<Federation>) -> Self {
        let control = Control::new(Arc::clone(&federation), federation.start);
        let mut world = Self { now: federation.start, federation, control, batches: Vec::new() };
        world.wait(Duration::ZERO);
        world
    }

    fn tell(&mut self, inputs: Vec<Input>) {
        let events = self.control.advance(self.now, &inputs).to_vec();
        self.batches.push(Batch { now: self.now, inputs, events });
    }

    /// Lets time pass; what is due on the way happens at its instant.
    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some((at, input)) = self.due().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            self.tell(vec![input]);
        }
        self.now = end;
    }

    /// The next phase or window to come.
    fn due(&self) -> Option<(Instant, Input)> {
        let sites = self.federation.sites.iter().enumerate();
        let due = sites.flat_map(|(index, about)| {
            let site = SiteId::at(index);
            let state = self.control.state();
            let phase = about.phases.get(state.phases_open(site));
            let phase = phase.map(|phase| (phase.opens, Input::PhaseOpens { site }));
            let window = about.maintenance.map(|windows| match state.closed_until(site) {
                Some(until) => (until, Input::MaintenanceEnds { site }),
                None => (windows.window_at(self.now).0, Input::MaintenanceBegins { site }),
            });
            phase.into_iter().chain(window)
        });
        due.min_by_key(|(at, _)| *at)
    }

    /// Some things at one instant.
    pub(crate) fn step(&mut self, steps: &[Step]) {
        let inputs = steps.iter().filter_map(|step| self.input(step)).collect();
        self.tell(inputs);
    }

    fn input(&self, step: &Step) -> Option<Input> {
        let state = self.control.state();
        let some = |index: &Index, jobs: Vec<JobId>| (!jobs.is_empty()).then(|| *index.get(&jobs));
        let attempt = |job: Option<JobId>| job.and_then(|job| Some((job, state.job(job)?.attempts)));
        match step {
            Step::Submit { project, asks, limit, saves, draw } => {
                let request = JobRequest {
                    project: ProjectId::at(project.index(self.federation.projects.len())),
                    asks: self.asks(asks),
                    limit: Duration::milliseconds(*limit),
                    checkpoint: saves.map(Duration::milliseconds),
                    draw: Fraction::ppm(*draw),
                    terms: None,
                };
                Some(Input::Submit { request })
            }
            Step::Finish(index, whole) => {
                let running = state.jobs().filter(|job| job.run().is_some()).map(|job| job.id).collect();
                let ending = if *whole { Ending::Completed } else { Ending::TimedOut };
                attempt(some(index, running)).map(|(job, attempt)| Input::Finished {
                    job,
                    attempt,
                    ending,
                    at: self.now,
                })
            }
            Step::Lose(index) => {
                // Beyond its limit an attempt counts no more, while the power of its nodes still does.
                let within = |job: &Job| job.run().is_some_and(|run| self.now <= run.started + job.limit);
                let running = state.jobs().filter(|job| within(job)).map(|job| job.id).collect();
                attempt(some(index, running)).map(|(job, attempt)| Input::Lost { job, attempt })
            }
            Step::Cancel(index) => {
                some(index, state.jobs().map(|job| job.id).collect()).map(|job| Input::Cancel { job })
            }
            Step::Fail { pool, node, repair } => {
                let pool = PoolId::at(pool.index(self.federation.pools.len()));
                let nodes = self.federation.nodes_of(pool) as usize;
                let node = u32::try_from(node.index(nodes)).expect("small");
                let until = self.now + Duration::milliseconds(*repair);
                Some(Input::NodeFailed { pool, node, until })
            }
            Step::Repair(index) => {
                let pools = (0..self.federation.pools.len()).map(PoolId::at);
                let down: Vec<_> =
                    pools.flat_map(|pool| state.down(pool).map(move |(node, _)| (pool, node))).collect();
                let some = (!down.is_empty()).then(|| *index.get(&down));
                some.map(|(pool, node)| Input::NodeRepaired { pool, node })
            }
            Step::Halve => Some(Input::HalveUse),
            Step::NewYear => Some(Input::TurnYear),
        }
    }

    fn asks(&self, asks: &[(Option<Index>, u32)]) -> Asks {
        let kinds = self.federation.accelerators.len();
        let mut asks = asks.iter().map(|(kind, accelerators)| Ask {
            accelerator: kind.as_ref().map(|kind| AcceleratorId::at(kind.index(kinds))),
            accelerators: *accelerators,
        });
        let first = asks.next().expect("at least one ask");
        Asks::any_of(first, asks.collect())
    }
}
