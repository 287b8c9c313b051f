//! A random small world around a control: phases and windows come when they are due, all else as it is told.

use std::sync::Arc;

use giga_control::Control;
use giga_model::sample::{accelerator, add_site, empty, programme, project};
use giga_model::{
    Accelerator, AcceleratorId, Ask, Asks, Federation, JobId, JobRequest, Maintenance, Owner, OwnerId,
    PoolId, Programme, ProgrammeId, ProjectId, SiteId,
};
use giga_model::{
    Assurance, ContainerRuntime, DataPolicy, Dataset, DatasetId, Flexibility, Leaving, Overhead, Overheads,
    Predecessor, Preempt, Series, Sharing, SlurmAccess, SlurmMode, Terms,
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
    Submit {
        project: Index,
        asks: Vec<(Option<Index>, u32)>,
        limit: i64,
        saves: Option<i64>,
        draw: u64,
        wishes: Option<Wishes>,
    },
    Finish(Index, bool),
    Cancel(Index),
    Lose(Index),
    /// One begins that was handed over, and that is heard so late.
    Begin(Index, i64),
    Fail {
        pool: Index,
        node: Index,
        repair: i64,
    },
    Repair(Index),
    Halve,
    NewYear,
    /// A limit of the grid in parts of a hundred of the connection, and how long it lasts.
    Limit {
        site: Index,
        part: u64,
        lasts: i64,
    },
    /// What follows the limit that is on, and for how long.
    Follow {
        site: Index,
        part: u64,
        lasts: i64,
    },
    Unlimit(Index),
    Drain(Index, bool),
    Silence(Index, bool),
    /// One that was told to leave has left before it had to.
    Leave(Index),
    Hour,
}

/// What a job may ask of place and time.
#[derive(Debug, Clone)]
pub(crate) struct Wishes {
    data: Option<Index>,
    leaving: Index,
    assurance: Option<u8>,
    slack: Option<i64>,
    after: Vec<(Index, bool)>,
    container: bool,
}

fn wishes() -> impl Strategy<Value = Option<Wishes>> {
    let assurance = proptest::option::weighted(0.2, 1_u8..5);
    let slack = proptest::option::weighted(0.3, 0_i64..80_000_000);
    let after = proptest::collection::vec(any::<(Index, bool)>(), 0..3);
    let container = proptest::bool::weighted(0.2);
    let parts = (proptest::option::of(any::<Index>()), any::<Index>(), assurance, slack, after, container);
    let some = parts.prop_map(|(data, leaving, assurance, slack, after, container)| Wishes {
        data,
        leaving,
        assurance,
        slack,
        after,
        container,
    });
    proptest::option::weighted(0.3, some)
}

fn step() -> impl Strategy<Value = Step> {
    let minutes = |most: i64| (1_i64..most * 60_000).prop_map(|milliseconds| milliseconds);
    let ask = (proptest::option::weighted(0.3, any::<Index>()), 1_u32..14);
    let asks = proptest::collection::vec(ask, 1..3);
    let submit = (any::<Index>(), asks, minutes(400), proptest::option::of(minutes(60)), 0_u64..5, wishes());
    prop_oneof![
        10 => submit.prop_map(|(project, asks, limit, saves, draw, wishes)| {
            Step::Submit { project, asks, limit, saves, draw: draw * 250_000, wishes }
        }),
        5 => (any::<Index>(), any::<bool>()).prop_map(|(index, whole)| Step::Finish(index, whole)),
        1 => any::<Index>().prop_map(Step::Cancel),
        1 => any::<Index>().prop_map(Step::Lose),
        3 => (any::<Index>(), minutes(90)).prop_map(|(index, late)| Step::Begin(index, late)),
        2 => (any::<Index>(), any::<Index>(), minutes(200))
            .prop_map(|(pool, node, repair)| Step::Fail { pool, node, repair }),
        1 => any::<Index>().prop_map(Step::Repair),
        1 => Just(Step::Halve),
        1 => Just(Step::NewYear),
        2 => (any::<Index>(), 0_u64..101, minutes(300))
            .prop_map(|(site, part, lasts)| Step::Limit { site, part, lasts }),
        1 => (any::<Index>(), 0_u64..101, minutes(300))
            .prop_map(|(site, part, lasts)| Step::Follow { site, part, lasts }),
        1 => any::<Index>().prop_map(Step::Unlimit),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(site, on)| Step::Drain(site, on)),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(site, on)| Step::Silence(site, on)),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(site, on)| Step::Silence(site, on)),
        1 => any::<Index>().prop_map(Step::Leave),
        2 => Just(Step::Hour),
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
            site.overheads = (salt >> (50 + index) & 1 == 1).then(|| Arc::new(overheads(salt)));
            site.phases[0].power = site.shown_at_most(site.phases[0].power.times(power).split(100));
            site.oversubscribed = power < 100;
            site.maintenance = windows.then(|| Maintenance {
                first: Instant::unix_milliseconds(9_000_000),
                every: Duration::hours(7),
                length: Duration::milliseconds(2_000_000),
            });
            site.flexibility = flexibility(salt >> index);
            site.assurance = Assurance::level(1 + (salt >> (40 + index)) as u8 % 4).expect("one to four");
            let mode = if salt >> (44 + index) & 3 == 3 { SlurmMode::Guest } else { SlurmMode::Owned };
            site.slurm = Some(Box::new(SlurmAccess { mode, ..SlurmAccess::default() }));
            site.containers = (salt >> (30 + index) & 1 == 1).then_some(ContainerRuntime::Apptainer);
            site.price_series = (salt >> (20 + index) & 1 == 1).then(|| prices(salt));
            if let Some(opens) = second {
                let opens = Instant::unix_milliseconds(opens);
                let phase = giga_model::Phase { opens, ..site.phases[0].clone() };
                site.phases.push(phase);
            }
        }
        datasets(&mut federation, salt);
        federation.policy.sharing = Sharing::ALL[usize::from(salt >> 60 == 0)];
        federation.policy.grace = Duration::milliseconds(1 + i64::from((salt >> 33) as u16) * 10);
        federation
    })
}

/// What a building draws in each hour of a day, by chance.
fn overheads(salt: u64) -> Overheads {
    let line = |hour: u64| {
        let drawn = salt.rotate_left(hour as u32 * 5);
        let (base, factor) = (Power::watts(drawn % 50), Fraction::ppm(1_000_000 + drawn / 50 % 100_000));
        Overhead { base, factor }
    };
    let lines: Vec<_> = (0..24).map(line).collect();
    Overheads::new(Instant::unix_milliseconds(0), Duration::hours(1), &lines).expect("a day has hours")
}

/// Whether work can be capped, to seven tenths of the power and half the speed, and suspended.
fn flexibility(salt: u64) -> Flexibility {
    let (cap_power, cap_speed) = (Fraction::ppm(700_000), Fraction::ppm(500_000));
    let caps = salt & 1 == 1;
    let none = Flexibility { suspends: salt & 2 == 2, ..Flexibility::NONE };
    if caps { Flexibility { cap_power, cap_speed, ..none } } else { none }
}

fn prices(salt: u64) -> Series {
    let values = (0..24).map(|hour| i64::from((salt.rotate_left(hour) & 0xffff) as u16) - 5_000).collect();
    Series::new(Instant::unix_milliseconds(0), Duration::hours(1), values).expect("there are values")
}

/// A dataset at each site with a policy of its own, and one that may go everywhere.
fn datasets(federation: &mut Federation, salt: u64) {
    let sites = federation.sites.len();
    federation.datasets = (0..=sites)
        .map(|n| Dataset {
            name: format!("data{n}"),
            holder: "clinic".into(),
            size: giga_units::Bytes::gigabytes(5),
            places: vec![SiteId::at(n % sites)],
            policy: DataPolicy {
                countries: Vec::new(),
                sites: Vec::new(),
                may_leave: if n == sites {
                    Leaving::Everything
                } else {
                    Leaving::ALL[(salt >> (50 + n)) as usize % 4]
                },
                assurance: Assurance::level(1 + (salt >> n) as u8 % 3).expect("one to three"),
            },
        })
        .collect();
}

fn settle(federation: &mut Federation, (owners, programmes, projects): (usize, usize, usize), salt: u64) {
    federation.owners = (0..owners).map(|n| Owner { name: format!("owner{n}") }).collect();
    let pick = |n: usize, of: usize| (salt >> (n * 3)) as usize % of;
    let programme = |n: usize| Programme {
        priority: i32::try_from(n).expect("small"),
        preempt: Preempt::ALL[pick(n + 11, 3)],
        protected: n == 1,
        use_max: (pick(n + 13, 4) == 0).then_some(Fraction::ppm(400_000)),
        gang_max: (n == 1).then_some(12),
        limit_max: (n == 1).then_some(Duration::hours(5)),
        ..programme(&format!("programme{n}"))
    };
    federation.programmes = (0..programmes).map(programme).collect();
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
    /// The last whole hour that turned.
    hour: Instant,
    pub(crate) batches: Vec<Batch>,
}

impl World {
    pub(crate) fn new(federation: Arc<Federation>) -> Self {
        let control = Control::new(Arc::clone(&federation), federation.start);
        let mut world =
            Self { now: federation.start, hour: federation.start, federation, control, batches: Vec::new() };
        world.wait(Duration::ZERO);
        world
    }

    fn tell(&mut self, inputs: Vec<Input>) {
        if inputs.contains(&Input::HourTurns) {
            self.hour = self.now;
        }
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

    /// The next phase or window to come, and the next hour where buildings draw by the hour.
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
            let limit = state.limit(site).map(|(_, until)| (until, Input::LimitEnds { site }));
            phase.into_iter().chain(window).chain(limit)
        });
        let leaving = self.control.state().jobs().filter_map(|job| {
            let leaving = job.run()?.leaving?;
            let (job, attempt, at) = (job.id, job.attempts, leaving.by);
            Some((at, Input::Finished { job, attempt, ending: Ending::Cancelled, at }))
        });
        let housed = self.federation.sites.iter().any(|site| site.overheads.is_some());
        let hour = housed.then(|| (self.hour.next_hour(), Input::HourTurns));
        let due = due.chain(leaving).chain(hour);
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
            Step::Submit { project, asks, limit, saves, draw, wishes } => {
                let request = JobRequest {
                    project: ProjectId::at(project.index(self.federation.projects.len())),
                    asks: self.asks(asks),
                    limit: Duration::milliseconds(*limit),
                    checkpoint: saves.map(Duration::milliseconds),
                    draw: Fraction::ppm(*draw),
                    terms: wishes.as_ref().map(|wishes| self.terms(wishes, *limit)),
                };
                Some(Input::Submit { request })
            }
            Step::Finish(index, whole) => {
                let runs = |job: &&Job| job.run().is_some_and(|run| !run.queued);
                let running = state.jobs().filter(runs).map(|job| job.id).collect();
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
            Step::Begin(index, late) => {
                let queued = |job: &&Job| job.run().is_some_and(|run| run.queued);
                let queued = state.jobs().filter(queued).map(|job| job.id).collect();
                let at = Instant::unix_milliseconds(self.now.as_unix_milliseconds() - late);
                attempt(some(index, queued)).map(|(job, attempt)| Input::Begun { job, attempt, at })
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
            other => self.other_input(other),
        }
    }

    /// So many hundredths of a connection.
    fn part_of(&self, site: SiteId, part: u64) -> Power {
        let whole: Power = self.federation.sites[site.index()].phases.iter().map(|phase| phase.power).sum();
        whole.times(part).split(100)
    }

    fn other_input(&self, step: &Step) -> Option<Input> {
        let state = self.control.state();
        match step {
            Step::Halve => Some(Input::HalveUse),
            Step::NewYear => Some(Input::TurnYear),
            Step::Hour => Some(Input::HourTurns),
            Step::Limit { site, part, lasts } => {
                let site = self.site(site);
                let until = self.now + Duration::milliseconds(*lasts);
                Some(Input::LimitFalls { site, power: self.part_of(site, *part), until })
            }
            Step::Follow { site, part, lasts } => {
                let site = self.site(site);
                let until = state.limit(site)?.1 + Duration::milliseconds(*lasts);
                Some(Input::LimitFollows { site, power: self.part_of(site, *part), until })
            }
            Step::Unlimit(site) => Some(Input::LimitEnds { site: self.site(site) }),
            Step::Drain(site, true) => Some(Input::Drain { site: self.site(site) }),
            Step::Drain(site, false) => Some(Input::Undrain { site: self.site(site) }),
            Step::Silence(site, true) => Some(Input::Silent { site: self.site(site) }),
            Step::Silence(site, false) => Some(Input::Heard { site: self.site(site) }),
            Step::Leave(index) => {
                let told = |job: &&Job| job.run().is_some_and(|run| run.leaving.is_some());
                let leaving: Vec<&Job> = state.jobs().filter(told).collect();
                let job = (!leaving.is_empty()).then(|| *index.get(&leaving))?;
                let (job, attempt, ending, at) = (job.id, job.attempts, Ending::Cancelled, self.now);
                Some(Input::Finished { job, attempt, ending, at })
            }
            _ => None,
        }
    }

    fn site(&self, index: &Index) -> SiteId {
        SiteId::at(index.index(self.federation.sites.len()))
    }

    fn terms(&self, wishes: &Wishes, limit: i64) -> Arc<Terms> {
        let data = wishes.data.iter().map(|index| DatasetId::at(index.index(self.federation.datasets.len())));
        let slack = wishes.slack.map(|slack| self.now + Duration::milliseconds(limit.saturating_add(slack)));
        let live: Vec<JobId> = self.control.state().jobs().map(|job| job.id).collect();
        // Now and then also after one that never was.
        let before = |(index, any): &(Index, bool)| Predecessor {
            job: live.get(index.index(live.len() + 1)).copied().unwrap_or(JobId(u64::from(u32::MAX))),
            any: *any,
        };
        Arc::new(Terms {
            after: wishes.after.iter().map(before).collect(),
            data: data.collect(),
            leaving: *wishes.leaving.get(&Leaving::ALL),
            assurance: wishes.assurance.and_then(Assurance::level),
            deadline: slack,
            container: wishes.container,
        })
    }

    fn asks(&self, asks: &[(Option<Index>, u32)]) -> Asks {
        let kinds = self.federation.accelerators.len();
        let mut asks = asks.iter().map(|(kind, accelerators)| Ask {
            accelerator: kind.as_ref().map(|kind| AcceleratorId::at(kind.index(kinds))),
            accelerators: *accelerators,
        });
        let first = asks.next().expect("at least one ask");
        let others: Vec<Ask> = asks.collect();
        // A smaller second way on anything makes an elastic gang of the first.
        match others[..] {
            [Ask { accelerator: None, accelerators }] if accelerators < first.accelerators => {
                Asks::elastic(first, accelerators)
            }
            _ => Asks::any_of(first, others),
        }
    }
}
