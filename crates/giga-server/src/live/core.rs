//! The one thread that decides: takes what has come, tells control, and hands on what that led to.
//!
//! It never waits for a disk: a batch that is decided goes to the writer, which makes it durable before anybody hears of
//! it. Reading is a question in the same line, so that no answer tells of what could still be lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration as Wait, Instant as Clock, SystemTime};

use giga_control::energy::Plant;
use giga_control::record::JobRecord;
use giga_control::{Control, calendar};
use giga_formats::journal::{self, Record, Snapshot};
use giga_model::{AttemptId, Federation, GridLimit, JobId, SiteId};
use giga_scheduler::{DECISION_VERSION, Ending, Event, Input, Job};
use giga_store::{Batch, Change, Entry, NewJob};
use giga_units::{Duration, Instant, Power};
use tokio::sync::oneshot;

use super::command::{
    Command, Effect, Fact, Known, Ordered, Outcome, Recent, Release, Submission, Submitted,
};
use super::effect;
use super::limit::On;
use crate::http::digest;
use crate::signs::Signs;

/// The time of this machine.
pub(crate) fn clock() -> Instant {
    Instant::from(SystemTime::now())
}

/// What was decided together, on its way to the disk.
#[derive(Default)]
pub(crate) struct Decided {
    pub(crate) batch: Batch,
    /// The last record when this is durable.
    pub(crate) seq: u64,
    pub(crate) releases: Vec<Release>,
    pub(crate) effects: Vec<(SiteId, Effect)>,
    pub(crate) snapshot: Option<Snapshot>,
}

/// The core with what it needs beside control.
pub(crate) struct Core {
    pub(super) control: Control,
    federation: Arc<Federation>,
    /// By site, what cools it.
    plants: Vec<Option<Plant>>,
    seq: u64,
    recent: Recent,
    out: SyncSender<Decided>,
    /// Inputs since the last snapshot.
    behind: u64,
}

/// How many commands are taken together at most: enough to share a commit, few enough to answer soon.
const TOGETHER: usize = 512;
/// How many inputs a restart follows at most, if the server is killed.
const SNAPSHOT_EVERY: u64 = 20_000;
/// When a node is expected back where the description does not say: an assumption, as its default for failures.
const REPAIR: Duration = Duration::hours(4);
/// How long the core sleeps at most. A clock that was set is noticed by then.
const SLEEP: Wait = Wait::from_secs(10);

impl Core {
    pub(crate) fn new(
        control: Control,
        plants: Vec<Option<Plant>>,
        seq: u64,
        out: SyncSender<Decided>,
    ) -> Self {
        let federation = Arc::clone(control.federation());
        let recent = Recent::new(seq);
        Self { control, federation, plants, seq, recent, out, behind: 0 }
    }

    /// Works until it is told to stop, or the writer has failed.
    pub(crate) fn run(mut self, commands: &Receiver<Command>, signs: &Signs) {
        loop {
            let due = calendar::next(&self.federation, self.control.state(), self.control.now());
            let wait = due.since(clock()).as_milliseconds();
            let wait = Wait::from_millis(u64::try_from(wait).unwrap_or(0)).min(SLEEP);
            let mut batch = Vec::new();
            match commands.recv_timeout(wait) {
                Ok(command) => batch.push(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => batch.push(Command::Stop),
            }
            while batch.len() < TOGETHER
                && let Ok(command) = commands.try_recv()
            {
                batch.push(command);
            }
            let over = batch.iter().any(|command| matches!(command, Command::Stop));
            let begun = Clock::now();
            let mut decided = self.step(clock(), batch);
            signs.decisions.add(begun.elapsed());
            if over || self.behind >= SNAPSHOT_EVERY {
                decided.snapshot = Some(self.snapshot());
            }
            signs.unwritten.up();
            if self.out.send(decided).is_err() || over {
                return;
            }
        }
    }

    pub(super) fn snapshot(&mut self) -> Snapshot {
        self.behind = 0;
        let mut control = Vec::new();
        self.control.write_image(&mut control);
        Snapshot { seq: self.seq, control }
    }

    /// Decides what has come up to `now`.
    pub(crate) fn step(&mut self, now: Instant, commands: Vec<Command>) -> Decided {
        let now = now.max(self.control.now());
        let mut step = Step::default();
        let due = calendar::due(&self.federation, self.control.state(), self.control.now(), now);
        step.due.extend(due.into_iter().map(|(_, input)| input));
        let (mut questions, mut submissions) = (Vec::new(), Vec::new());
        for command in commands {
            match command {
                Command::Submit(submission) => submissions.push(*submission),
                Command::Cancel { job, reply } => self.cancel(job, reply, &mut step),
                Command::Operate { input, outcome } => self.operate(now, input, outcome, &mut step),
                Command::Begun { begun } => {
                    step.seen.extend(begun.into_iter().map(|(AttemptId { job, number }, since, ran)| {
                        // Where the clock of its host is ahead of ours, it began at least so long ago.
                        Input::Begun { job, attempt: number, at: since.min(now - ran) }
                    }));
                }
                Command::Facts { site, facts } => {
                    facts.into_iter().for_each(|fact| self.fact(site, fact, &mut step));
                }
                Command::Nodes { site, out } => self.nodes(now, site, &out, &mut step),
                Command::Silence { site, silent } => {
                    let input = if silent { Input::Silent { site } } else { Input::Heard { site } };
                    step.inputs.push(input);
                }
                Command::Ask(question) => questions.push(question),
                Command::Stop => {}
            }
        }
        // They come last: what ends in this step is over for those that come after it.
        submissions.into_iter().for_each(|submission| self.submit(submission, &mut step));
        let mut decided = self.decide(now, step);
        decided.releases.extend(questions.into_iter().map(|question| question(&self.control, now)));
        decided
    }

    /// A request that came before is answered as before; a new one becomes an input.
    fn submit(&mut self, submission: Submission, step: &mut Step) {
        if let Some(word) = &submission.idempotency {
            let twin = step
                .coming
                .iter()
                .position(|other| other.idempotency.as_ref() == Some(word) && other.by == submission.by);
            if let Some(place) = twin {
                step.twins.push((place, submission));
                return;
            }
            match self.recent.find(&submission.by, word, submission.looked) {
                Known::New => {}
                Known::Before(job, print) => {
                    let told = before(job, print == digest(submission.body()));
                    return step.releases.push(answer(submission.reply, told));
                }
                // No answer: whoever waits for one is told to send it again, and will look again.
                Known::TooLongAgo => return,
            }
        }
        let after = submission.request.after();
        if self.control.state().gone_among(after).is_some()
            || after.iter().any(|before| step.may_end(before.job))
        {
            return step.releases.push(answer(submission.reply, Submitted::Overtaken));
        }
        let input = || Input::Submit { request: submission.request.clone() };
        step.inputs.extend(submission.tasks.iter().map(|_| input()));
        step.coming.push(submission);
    }

    fn cancel(&self, job: JobId, reply: oneshot::Sender<bool>, step: &mut Step) {
        let live = self.control.state().job(job).is_some();
        if live {
            step.inputs.push(Input::Cancel { job });
        }
        step.releases.push(answer(reply, live));
    }

    /// A limit that is ended by hand gives way to the described one that it stood in for.
    fn operate(&self, now: Instant, input: Input, outcome: Outcome, step: &mut Step) {
        let on = |site| step.limit(site, On::of(self.control.state(), site));
        let mut limit_before = None;
        let inputs = match input {
            Input::LimitFalls { site, power, until } => {
                let on = on(site);
                limit_before = on.lasting();
                let plant = self.plants[site.index()].as_ref();
                on.falls(&self.federation, site, GridLimit { from: now, until, power }, plant)
            }
            Input::LimitEnds { site } => {
                limit_before = on(site).lasting();
                let back = calendar::limit_restored(&self.federation, site, limit_before, now);
                std::iter::once(input).chain(back).collect()
            }
            input => vec![input],
        };
        step.inputs.extend(inputs);
        step.outcomes.push((limit_before, outcome));
    }

    /// What the books say otherwise of the nodes of a site than its engine does.
    fn nodes(&self, now: Instant, site: SiteId, out: &BTreeSet<(String, u32)>, step: &mut Step) {
        let site = &self.federation.sites[site.index()];
        let until = now + site.failures.map_or(REPAIR, |failures| failures.repair);
        for &pool in &site.pools {
            let name = &self.federation.pools[pool.index()].name;
            let down: BTreeSet<u32> = self.control.state().down(pool).map(|(node, _)| node).collect();
            let seen: BTreeSet<u32> =
                out.iter().filter(|(of, _)| of == name).map(|(_, node)| *node).collect();
            let failed = seen.difference(&down).map(|&node| Input::NodeFailed { pool, node, until });
            let repaired = down.difference(&seen).map(|&node| Input::NodeRepaired { pool, node });
            step.inputs.extend(failed.chain(repaired));
        }
    }

    /// What is said of an earlier attempt is late, and not worth a record. An interrupted one may have ended by itself
    /// before it heard of that, and then its end counts.
    fn fact(&self, site: SiteId, mut fact: Fact, step: &mut Step) {
        let AttemptId { job, number } = fact.attempt;
        step.settled.push((site, Effect::Settled(fact.attempt)));
        let known = self.control.state().job(job).filter(|job| job.attempts == number);
        if let (Some((_, at)), Some(run)) = (&mut fact.ending, known.and_then(Job::run)) {
            // Where the clock of its host is behind ours, it did not end before it had run so long.
            *at = (*at).max(run.started + fact.ran);
        }
        let by_itself = fact.ending.is_some_and(|(ending, _)| ending != Ending::Cancelled);
        let news = known.is_some_and(|job| job.run().is_some() || by_itself);
        if news && step.results.iter().all(|other| other.attempt != fact.attempt) {
            step.seen.push(fact.input());
            let stopped = fact.ending.is_some() && !by_itself;
            if stopped && let Some(leaving) = known.and_then(|job| job.run()?.leaving) {
                // That it was stopped says less than why.
                effect::interruption(leaving.cause).clone_into(&mut fact.text);
            }
            step.results.push(fact);
        }
    }

    fn decide(&mut self, now: Instant, step: Step) -> Decided {
        let mut decided = Decided { releases: step.releases, effects: step.settled, ..Decided::default() };
        // What has happened comes before what is due: work that ended is not interrupted.
        let mut inputs = step.seen;
        inputs.extend(step.due);
        inputs.extend(step.inputs);
        if !inputs.is_empty() {
            let known = self.control.violations().0;
            let events = self.control.advance(now, &inputs).to_vec();
            self.report(known);
            decided.batch.changes.extend(step.results.into_iter().map(result));
            let told = self.admit(now, &events, &step.coming, &mut decided.batch);
            for (place, twin) in step.twins {
                let first = &step.coming[place];
                let told = told[place].job().map(|job| before(job, first.body() == twin.body()));
                decided.releases.extend(told.map(|told| answer(twin.reply, told)));
            }
            let replies = step.coming.into_iter().map(|submission| submission.reply);
            decided.releases.extend(replies.zip(told).map(|(reply, told)| answer(reply, told)));
            self.follow(now, &events, &mut decided);
            let outcomes = step.outcomes.into_iter();
            let told = |limit_before| Ordered { limit_before, events: &events };
            let answers = outcomes.map(|(before, outcome)| outcome(&self.control, &told(before)));
            decided.releases.extend(answers);
            if !events.is_empty() {
                self.record(now, inputs, events, &mut decided.batch);
            }
        }
        decided.seq = self.seq;
        decided
    }

    /// A decision that breaks a rule is a fault of this program. It is carried out, because the books hold it by now, and
    /// said as loudly as can be.
    fn report(&self, before: u64) {
        let (count, first) = self.control.violations();
        if count > before {
            let known = usize::try_from(before).unwrap_or(usize::MAX);
            let new = first.iter().skip(known).map(ToString::to_string).collect::<Vec<_>>().join("; ");
            tracing::error!(count = count - before, rules = new, "decisions broke a rule");
        }
    }

    fn record(&mut self, now: Instant, inputs: Vec<Input>, events: Vec<Event>, batch: &mut Batch) {
        self.seq += 1;
        self.behind += inputs.len() as u64;
        let record = Record { seq: self.seq, decisions: DECISION_VERSION, now, inputs, events };
        batch.entries.push(Entry { seq: self.seq, record: journal::write(&record) });
    }

    /// What became of the first job of each submission, in their order; all of them come into the books.
    fn admit(
        &mut self,
        now: Instant,
        events: &[Event],
        coming: &[Submission],
        batch: &mut Batch,
    ) -> Vec<Submitted> {
        let starts: BTreeSet<JobId> = self.control.started().collect();
        let outcomes = events.iter().filter_map(|event| match event {
            Event::Submitted { job, site, .. } => {
                let started = starts.contains(job);
                Some(Submitted::Bound { job: *job, site: *site, started })
            }
            Event::Refused { job, rule, .. } => Some(Submitted::Refused { job: *job, rule: *rule }),
            _ => None,
        });
        let told: Vec<Submitted> = outcomes.collect();
        let tasks =
            coming.iter().flat_map(|submission| submission.tasks.iter().map(move |task| (submission, task)));
        assert_eq!(told.len(), tasks.clone().count(), "each job of a submission leads to one outcome");
        let mut firsts = Vec::with_capacity(coming.len());
        for ((submission, task), told) in tasks.zip(told) {
            let (job, site, refusal) = match &told {
                Submitted::Bound { job, site, .. } => {
                    (*job, Some(self.federation.sites[site.index()].name.clone()), None)
                }
                Submitted::Refused { job, rule } => (*job, None, Some(rule.to_string())),
                _ => unreachable!("events tell of these two only"),
            };
            let is_first = std::ptr::eq(task, &raw const submission.tasks[0]);
            let word = submission.idempotency.as_ref().filter(|_| is_first);
            if let Some(word) = word {
                // Its record is the next one.
                self.recent.add(self.seq + 1, &submission.by, word, job, &task.body);
            }
            if is_first {
                firsts.push(told);
            }
            batch.changes.push(Change::Came(Box::new(NewJob {
                job,
                project: submission.project.clone(),
                name: task.name.clone(),
                by: submission.by.clone(),
                body: task.body.clone(),
                idempotency: word.cloned(),
                at: now,
                site,
                refusal,
                accelerators: submission.request.asks.first().accelerators,
            })));
        }
        firsts
    }

    /// What the events mean for the tables of jobs and for the engines.
    fn follow(&mut self, now: Instant, events: &[Event], decided: &mut Decided) {
        let (rows, _) = self.control.take_rows();
        let by_job: BTreeMap<JobId, &JobRecord> = rows.iter().map(|row| (row.job, row)).collect();
        let bill = |job: JobId| by_job.get(&job).copied();
        for event in events {
            decided.batch.changes.extend(effect::change(&self.federation, now, event, bill));
            decided.effects.extend(effect::effect(&self.control, event, bill));
        }
    }
}

/// What one step gathers before control is told.
#[derive(Default)]
struct Step {
    /// What engines saw.
    seen: Vec<Input>,
    /// What the calendar says.
    due: Vec<Input>,
    inputs: Vec<Input>,
    settled: Vec<(SiteId, Effect)>,
    coming: Vec<Submission>,
    /// Repeated requests of this very step, with the place of the first.
    twins: Vec<(usize, Submission)>,
    results: Vec<Fact>,
    /// Orders, each with the limit that was on before it.
    outcomes: Vec<(Option<(Power, Instant)>, Outcome)>,
    releases: Vec<Release>,
}

impl Step {
    /// Whether something in this step may end a job.
    fn may_end(&self, job: JobId) -> bool {
        self.seen.iter().chain(&self.inputs).any(|input| match *input {
            Input::Finished { job: of, .. } | Input::Lost { job: of, .. } | Input::Cancel { job: of } => {
                of == job
            }
            _ => false,
        })
    }

    /// The limit of a site as it is behind what has come so far in this step.
    fn limit(&self, site: SiteId, before: On) -> On {
        let due = self.due.iter().fold(before, |on, input| on.after(site, input, true));
        self.inputs.iter().fold(due, |on, input| on.after(site, input, false))
    }
}

impl Submitted {
    /// Which job it is about.
    pub(crate) const fn job(&self) -> Option<JobId> {
        match self {
            Self::Bound { job, .. }
            | Self::Refused { job, .. }
            | Self::Before { job }
            | Self::OtherRequest { job } => Some(*job),
            Self::Overtaken => None,
        }
    }
}

fn before(job: JobId, same: bool) -> Submitted {
    if same { Submitted::Before { job } } else { Submitted::OtherRequest { job } }
}

/// An answer to one who may have gone away meanwhile.
pub(crate) fn answer<T: Send + 'static>(reply: oneshot::Sender<T>, value: T) -> Release {
    Box::new(move || drop(reply.send(value)))
}

fn result(fact: Fact) -> Change {
    let AttemptId { job, number } = fact.attempt;
    Change::Result { job, attempt: number, text: fact.text, receipt: fact.receipt }
}
