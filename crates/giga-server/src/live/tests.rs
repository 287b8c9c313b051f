//! Laws of the live loop, without threads and sockets: what is durable is enough to go on, and a repeated request is one job.

use std::sync::Arc;
use std::sync::mpsc;

use giga_control::Control;
use giga_formats::description;
use giga_model::{
    Ask, Asks, AttemptId, Federation, JobId, JobRequest, Predecessor, ProjectId, SiteId, Terms,
};
use giga_scheduler::{Ending, Input};
use giga_store::{Beginning, Store};
use giga_units::{Duration, Fraction, Instant, Power};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::command::{Command, Fact, Submission, Submitted, Task};
use super::core::{Core, Decided};
use super::resume::resume;

const VERSION: &str = "test";

/// Two sites of two nodes; one opens a phase later and is out once a week.
const TEXT: &str = r#"
format = 1
name = "two"
start = 2027-01-01
[[accelerator]]
name = "A"
per_node = 4
node_idle = "1 kW"
node_max = "5 kW"
cost = "1000 EUR"
[[site]]
name = "north"
country = "FI"
zone = "FI"
engine = "local"
[site.maintenance]
first = 2027-01-02
every = "7 d"
length = "8 h"
[[site.phase]]
power = "20 kW"
[[site.phase.pool]]
name = "main"
accelerator = "A"
accelerators = 8
[[site.phase]]
opens = 2027-01-01T05:00:00Z
power = "20 kW"
[[site.phase.pool]]
name = "main"
accelerator = "A"
accelerators = 4
[[site]]
name = "south"
country = "ES"
zone = "ES"
engine = "local"
[[site.phase]]
power = "20 kW"
[[site.phase.pool]]
name = "main"
accelerator = "A"
accelerators = 8
"#;

fn federation() -> Arc<Federation> {
    Arc::new(description::read("two.toml", TEXT).expect("it has no fault").federation)
}

/// One thing that comes to the core.
#[derive(Debug, Clone)]
enum Step {
    Submit {
        accelerators: u32,
        hours: i64,
        word: Option<u8>,
        saves: bool,
        tasks: u8,
        after: Option<(u64, bool)>,
    },
    Cancel(u64),
    Fact {
        job: u64,
        attempt: u32,
        ending: Option<u8>,
    },
    Wait {
        minutes: i64,
    },
    Limit {
        site: u16,
        watts: u64,
        minutes: i64,
    },
    EndLimit {
        site: u16,
    },
    Drain {
        site: u16,
    },
    EndDrain {
        site: u16,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let word = proptest::option::of(0_u8..4);
    prop_oneof![
        4 => (1_u32..14, 1_i64..30, word, any::<bool>(), 1_u8..4, proptest::option::of((0_u64..12, any::<bool>())))
            .prop_map(|(accelerators, hours, word, saves, tasks, after)| {
                Step::Submit { accelerators, hours, word, saves, tasks, after }
            }),
        1 => (0_u64..12).prop_map(Step::Cancel),
        3 => (0_u64..12, 1_u32..3, proptest::option::of(0_u8..4))
            .prop_map(|(job, attempt, ending)| Step::Fact { job, attempt, ending }),
        2 => (1_i64..600).prop_map(|minutes| Step::Wait { minutes }),
        1 => (0_u16..2, 0_u64..25_000, 1_i64..600)
            .prop_map(|(site, watts, minutes)| Step::Limit { site, watts, minutes }),
        1 => (0_u16..2, 0..3).prop_map(|(site, what)| match what {
            0 => Step::EndLimit { site },
            1 => Step::Drain { site },
            _ => Step::EndDrain { site },
        }),
    ]
}

/// A core whose batches go to a real store.
struct Trial {
    federation: Arc<Federation>,
    core: Core,
    store: Store,
    now: Instant,
    told: Vec<(Option<u8>, oneshot::Receiver<Submitted>)>,
    _folder: TempDir,
}

impl Trial {
    fn new() -> Self {
        let federation = federation();
        let start = federation.start;
        let folder = TempDir::new().expect("a folder");
        let beginning = Beginning { file: String::new(), text: TEXT.into(), expanded: String::new(), start };
        let (store, _) = Store::open(folder.path(), &beginning).expect("a store");
        let core = core(Control::new(Arc::clone(&federation), start), 0);
        Self { federation, core, store, now: start, told: Vec::new(), _folder: folder }
    }

    /// Steps that come together.
    fn step(&mut self, steps: &[Step]) {
        let mut commands = Vec::new();
        for step in steps {
            match step {
                Step::Wait { minutes } => self.now = self.now + Duration::seconds(60 * minutes),
                Step::Limit { site, watts, minutes } => {
                    let until = self.now + Duration::seconds(60 * minutes);
                    let (site, power) = (SiteId(*site), Power::watts(*watts));
                    commands.push(operate(Input::LimitFalls { site, power, until }));
                }
                Step::EndLimit { site } => commands.push(operate(Input::LimitEnds { site: SiteId(*site) })),
                Step::Drain { site } => commands.push(operate(Input::Drain { site: SiteId(*site) })),
                Step::EndDrain { site } => commands.push(operate(Input::Undrain { site: SiteId(*site) })),
                Step::Cancel(job) => {
                    commands.push(Command::Cancel { job: JobId(*job), reply: oneshot::channel().0 });
                }
                Step::Fact { job, attempt, ending } => {
                    let endings = [Ending::Completed, Ending::TimedOut, Ending::Cancelled, Ending::Failed];
                    let attempt = AttemptId { job: JobId(*job), number: *attempt };
                    // Noticed late, as after an hour without a server.
                    let at = self.now - Duration::hours(1);
                    let ending = ending.map(|place| (endings[usize::from(place)], at));
                    let ran = Duration::ZERO;
                    let facts = vec![Fact { attempt, ending, ran, text: "x".into(), receipt: None }];
                    commands.push(Command::Facts { site: SiteId(0), facts });
                }
                Step::Submit { accelerators, hours, word, saves, tasks, after } => {
                    let (reply, told) = oneshot::channel();
                    let looked = self.store.last().expect("a store");
                    if let Some(word) = word
                        && let Some((job, _)) =
                            self.store.submitted("anna", &word.to_string()).expect("a store")
                    {
                        drop(reply.send(Submitted::Before { job }));
                        self.told.push((Some(*word), told));
                        continue;
                    }
                    self.told.push((*word, told));
                    commands.push(Command::Submit(Box::new(Submission {
                        request: JobRequest {
                            project: ProjectId(0),
                            asks: Asks::one(Ask { accelerator: None, accelerators: *accelerators }),
                            limit: Duration::hours(*hours),
                            checkpoint: saves.then_some(Duration::hours(1)),
                            draw: Fraction::ONE,
                            terms: word.is_none().then(|| Arc::new(terms(*after))),
                        },
                        // Requests with the same word are the same request, as a client would send it.
                        tasks: (0..*tasks)
                            .map(|task| format!("{word:?}-{task}"))
                            .map(|body| Task { name: "x".into(), body })
                            .collect(),
                        project: self.federation.projects[0].name.clone(),
                        by: "anna".into(),
                        idempotency: word.map(|word| word.to_string()),
                        looked,
                        reply,
                    })));
                }
            }
        }
        self.keep(commands);
    }

    fn keep(&mut self, commands: Vec<Command>) {
        let decided: Decided = self.core.step(self.now, commands);
        self.store.append([&decided.batch]).expect("a commit");
        decided.releases.into_iter().for_each(|release| release());
    }

    /// A server that starts now from what is on the disk.
    fn restart(&self) -> Control {
        let (control, seq) =
            resume(&self.store, &self.federation, self.federation.start, VERSION).expect("a whole journal");
        assert_eq!(seq, self.store.last().expect("a store"));
        control
    }

    fn image(mut control: Control, now: Instant) -> Vec<u8> {
        // Records are only made where something happened; the hours between close on the next one.
        control.advance(now, &[]);
        control.take_rows();
        let mut image = Vec::new();
        control.write_image(&mut image);
        image
    }
}

fn terms(after: Option<(u64, bool)>) -> Terms {
    let after = after.map(|(job, any)| Predecessor { job: JobId(job), any });
    Terms { after: after.into_iter().collect(), ..Terms::default() }
}

fn operate(input: Input) -> Command {
    Command::Operate { input, outcome: Box::new(|_, _| Box::new(|| ())) }
}

fn core(control: Control, seq: u64) -> Core {
    // Nothing is sent: a test takes what a step decides.
    let plants = vec![None; control.federation().sites.len()];
    Core::new(control, plants, seq, mpsc::sync_channel(1).0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(200), ..ProptestConfig::default() })]

    #[test]
    fn what_is_durable_is_enough_to_go_on(
        history in proptest::collection::vec(proptest::collection::vec(step(), 1..4), 1..25),
        snapshot_at in 0_usize..25,
    ) {
        let mut trial = Trial::new();
        for (place, steps) in history.iter().enumerate() {
            trial.step(steps);
            if place == snapshot_at {
                let snapshot = trial.core.snapshot();
                trial.store.keep_snapshot(&snapshot, VERSION).expect("a snapshot");
            }
        }
        let live = Trial::image(trial.core.control.clone(), trial.now);
        prop_assert!(Trial::image(trial.restart(), trial.now) == live, "snapshot and journal");
        let other = resume(&trial.store, &trial.federation, trial.federation.start, "other").expect("a whole journal");
        prop_assert!(Trial::image(other.0, trial.now) == live, "the journal alone");
        prop_assert_eq!(trial.core.control.summary().violations, 0);

        let mut again = Control::new(Arc::clone(&trial.federation), trial.federation.start);
        for record in trial.store.records(0, usize::MAX >> 1).expect("a whole journal") {
            prop_assert!(record.inputs.iter().all(|input| again.knows(input)));
            prop_assert_eq!(again.advance(record.now, &record.inputs), record.events.as_slice());
        }
    }

    #[test]
    fn a_word_is_one_job(history in proptest::collection::vec(proptest::collection::vec(step(), 1..6), 1..12)) {
        let mut trial = Trial::new();
        history.iter().for_each(|steps| trial.step(steps));
        let mut jobs = std::collections::BTreeMap::new();
        for (word, told) in &mut trial.told {
            let told = told.try_recv().expect("an answer to each");
            let other = matches!(told, Submitted::OtherRequest { .. });
            prop_assert!(!other, "a word stands for one request");
            if let Some(word) = word {
                prop_assert_eq!(*jobs.entry(*word).or_insert(told.job()), told.job());
            }
        }
    }
}

/// The ends that a job was given, by what the records say.
fn ends(trial: &Trial) -> Vec<Ending> {
    let records = trial.store.records(0, 1_000).expect("a whole journal");
    let events = records.iter().flat_map(|record| &record.events);
    events
        .filter_map(|event| match event {
            giga_scheduler::Event::Ended { ending, .. } => Some(*ending),
            _ => None,
        })
        .collect()
}

#[test]
fn work_that_was_done_before_a_window_is_not_done_again() {
    let submit = Step::Submit { accelerators: 8, hours: 20, word: None, saves: true, tasks: 1, after: None };
    let done = Step::Fact { job: 0, attempt: 1, ending: Some(0) };
    let stopped = Step::Fact { job: 0, attempt: 1, ending: Some(2) };
    let check = |steps: Vec<Vec<Step>>, expected: &[Ending]| {
        let mut trial = Trial::new();
        steps.iter().for_each(|steps| trial.step(steps));
        assert_eq!(ends(&trial), expected);
    };
    // Both come in one step, an hour into the window of the second day.
    let into_window = Step::Wait { minutes: 25 * 60 };
    check(vec![vec![submit.clone()], vec![into_window.clone(), done.clone()]], &[Ending::Completed]);
    // It was interrupted first, and says only then that it had ended by itself.
    check(vec![vec![submit.clone()], vec![into_window.clone()], vec![done]], &[Ending::Completed]);
    check(vec![vec![submit], vec![into_window], vec![stopped]], &[]);
}

/// What runs for half an hour is charged for that, however far the clock of its host is behind, and never for time to come.
#[test]
fn a_host_whose_clock_is_behind_is_charged_for_what_it_ran() {
    for (behind, noticed, expected) in [(0, 60, 30), (90, 60, 30), (90, 20, 20)] {
        let mut trial = Trial::new();
        trial.step(&[Step::Submit {
            accelerators: 8,
            hours: 20,
            word: None,
            saves: false,
            tasks: 1,
            after: None,
        }]);
        let minutes = |minutes: i64| Duration::seconds(60 * minutes);
        let begun = trial.now;
        trial.now = begun + minutes(noticed);
        let attempt = AttemptId { job: JobId(0), number: 1 };
        let ended = begun + minutes(30) - minutes(behind);
        let ending = Some((Ending::Completed, ended));
        let facts = vec![Fact { attempt, ending, ran: minutes(30), text: "x".into(), receipt: None }];
        trial.keep(vec![Command::Facts { site: SiteId(0), facts }]);
        let records = trial.store.records(0, 1_000).expect("a whole journal");
        let at = records.iter().flat_map(|record| &record.events).find_map(|event| match event {
            giga_scheduler::Event::Ended { at, .. } => Some(*at),
            _ => None,
        });
        assert_eq!(at, Some(begun + minutes(expected)), "{behind} min behind, noticed after {noticed}");
    }
}

#[test]
fn a_drained_site_runs_out_and_starts_again() {
    let mut trial = Trial::new();
    let submit = |accelerators| Step::Submit {
        accelerators,
        hours: 10,
        word: None,
        saves: false,
        tasks: 1,
        after: None,
    };
    // Both sites are held, and a third job waits at one of them.
    trial.step(&[submit(8), submit(8), submit(8)]);
    let job = |trial: &Trial, job| trial.core.control.state().job(JobId(job)).expect("it lives").clone();
    let here = job(&trial, 2).site;
    let holder = (0..2).find(|holder| job(&trial, *holder).site == here).expect("it is held");
    trial.step(&[Step::Drain { site: here.0 }]);
    assert!(job(&trial, holder).run().is_some(), "what runs goes on");
    let done = Step::Fact { job: holder, attempt: 1, ending: Some(0) };
    trial.step(&[Step::Wait { minutes: 10 }, done]);
    assert!(job(&trial, 2).run().is_none() && trial.core.control.state().running(here) == 0);
    trial.step(&[Step::EndDrain { site: here.0 }]);
    assert!(job(&trial, 2).run().is_some());
}
