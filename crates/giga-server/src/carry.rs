//! Carries decisions out at one site: keeps what runs there as it should be, and tells the core what became of it.
//!
//! One thread for each site, so that a slow engine holds up nobody else. It holds no policy: what should run comes from
//! durable events, what does comes from the engine, and [`reconcile`] says the steps between. It does nothing while another
//! server may have taken over.

mod reconcile;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration as Wait, Instant as Clock};

use giga_engine::{AttemptId, Contact, End, Engine, EngineError, Idling, Seen};
use giga_formats::attempt::AttemptFile;
use giga_formats::job::{ArraySpec, JobBody, JobSpec};
use giga_model::{Container, JobId, Receipt, SiteId};
use giga_scheduler::Ending;
use giga_store::{Standing, Store};
use giga_units::Duration;

use self::reconcile::{Action, Wanted, reconcile};
use crate::data::{Data, Gate};
use crate::live::command::{Command, Effect, Fact, Order};
use crate::live::core::clock;
use crate::signs::{Idle, Signs, SiteSigns};

/// How often one without work is.
const IDLE: Wait = Wait::from_secs(2);
/// How often the core is told again which nodes are out: a phase may have opened since.
const AGAIN: Wait = Wait::from_secs(60);
/// How long one that does not do what it is asked is left alone.
const PATIENCE: Wait = Wait::from_secs(1);

/// How long it may not be told what runs at a site until nothing more is given to it, as an engine has it of Slurm.
const SILENCE: Wait = Wait::from_secs(60);
/// How often it is asked which accelerators do nothing.
const IDLING: Wait = Wait::from_secs(5);
/// How often it is asked whether the data of an attempt has come.
const LOOK: Wait = Wait::from_millis(200);

/// What carries decisions out at one site.
pub(crate) struct Carrier {
    id: SiteId,
    site: String,
    engine: Arc<dyn Engine>,
    store: Arc<Store>,
    data: Arc<Data>,
    core: SyncSender<Command>,
    signs: Arc<Signs>,
    wanted: BTreeMap<JobId, Order>,
    /// Attempts whose ends the core has in its books.
    settled: BTreeSet<AttemptId>,
    /// Attempts whose data is on its way, and when that was seen last.
    kept_back: BTreeMap<AttemptId, Clock>,
    /// What was said last about a failing engine, so that it is said once.
    complaint: Option<String>,
    /// What is unclear and was said to be.
    unclear: BTreeSet<AttemptId>,
    /// Since when it was not told what runs, and the same in the words of the core.
    deaf: Option<Clock>,
    silent: Option<bool>,
    /// The nodes that were said to be out.
    out: Option<BTreeSet<(String, u32)>>,
    /// When.
    told: Clock,
    /// When it was asked which accelerators do nothing.
    asked_idle: Clock,
}

impl Carrier {
    pub(crate) fn new(
        (id, site): (SiteId, String),
        engine: Arc<dyn Engine>,
        (store, data): (Arc<Store>, Arc<Data>),
        (core, signs): (SyncSender<Command>, Arc<Signs>),
        orders: Vec<Order>,
    ) -> Self {
        let wanted = orders.into_iter().map(|order| (order.attempt.job, order)).collect();
        let (settled, complaint, unclear) = (BTreeSet::new(), None, BTreeSet::new());
        Self {
            id,
            site,
            engine,
            store,
            data,
            core,
            signs,
            wanted,
            settled,
            kept_back: BTreeMap::new(),
            complaint,
            unclear,
            deaf: None,
            silent: None,
            out: None,
            told: Clock::now(),
            asked_idle: Clock::now(),
        }
    }

    /// Works until nobody sends effects any more.
    pub(crate) fn run(mut self, effects: &Receiver<Effect>) {
        loop {
            let wait = self.round();
            match effects.recv_timeout(wait) {
                Ok(effect) => self.take(effect),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while let Ok(effect) = effects.try_recv() {
                self.take(effect);
            }
        }
    }

    fn take(&mut self, effect: Effect) {
        match effect {
            Effect::Run(order) => drop(self.wanted.insert(order.attempt.job, order)),
            Effect::Stop(attempt) => {
                let order = self.wanted.get_mut(&attempt.job).filter(|order| order.attempt == attempt);
                order.into_iter().for_each(|order| order.stopping = true);
            }
            Effect::Drop(job) => drop(self.wanted.remove(&job)),
            Effect::Bring(job) => self.bring(job),
            Effect::Settled(attempt) => drop(self.settled.insert(attempt)),
        }
    }

    /// One comparison, and the steps that follow from it; how long to wait for the next.
    fn round(&mut self) -> Wait {
        let Some(seen) = self.look() else { return PATIENCE };
        self.say_unclear(&seen);
        self.tell_nodes();
        self.tell_idle(&seen);
        // What is gone is settled for good; what is said of it again is no news.
        self.settled.retain(|attempt| seen.contains_key(attempt));
        let wanted = &self.wanted;
        self.kept_back
            .retain(|attempt, _| wanted.get(&attempt.job).is_some_and(|order| order.attempt == *attempt));
        let wanted = self
            .wanted
            .iter()
            .map(|(&job, order)| (job, Wanted { attempt: order.attempt, stopping: order.stopping }));
        let mut facts = Vec::new();
        let mut worked = true;
        for action in reconcile(&wanted.collect(), &seen, &self.settled) {
            // Whoever holds the store now decides what runs; this one only knows what was to run.
            if self.store.standing() != Standing::Held {
                return PATIENCE;
            }
            let done = match action {
                Action::Start(attempt) if self.waits_for_data(attempt) => continue,
                Action::Start(attempt) => match self.start(attempt, seen.contains_key(&attempt)) {
                    Ok(Begun::Handed) => Ok(()),
                    Ok(Begun::KeptBack) => {
                        let (site, job) = (&self.site, attempt.job.0);
                        if self.kept_back.insert(attempt, Clock::now()).is_none() {
                            tracing::info!(site, job, "the job is kept back until its data is there");
                        }
                        continue;
                    }
                    Err(error) => Err(error),
                },
                Action::Stop(attempt) => self.engine.stop(attempt),
                Action::Forget(attempt) => self.engine.forget(attempt),
                Action::Report(attempt) => {
                    facts.extend(fact(attempt, &seen[&attempt]));
                    Ok(())
                }
            };
            match done {
                Ok(()) => self.tell(&action),
                Err(EngineError::Refused { cause, .. }) => facts.extend(refused(&action, cause)),
                Err(error) => {
                    worked = false;
                    self.complain(&error);
                }
            }
        }
        self.tell_begun(&seen);
        if !facts.is_empty() {
            // Where the core is gone there is nobody to tell; the next server will see the same.
            drop(self.core.send(Command::Facts { site: self.id, facts }));
        }
        if !worked {
            return PATIENCE;
        }
        self.complaint = None;
        if self.wanted.is_empty() && seen.is_empty() { IDLE } else { self.engine.pace() }
    }

    /// What runs at the site, where that is told.
    fn look(&mut self) -> Option<BTreeMap<AttemptId, Seen>> {
        match self.engine.observe() {
            Ok(seen) => {
                self.deaf = None;
                match self.engine.contact() {
                    // The books hold what was known last.
                    Contact::Unknown => {}
                    Contact::Answers => self.tell_silence(None),
                    Contact::Silent { cause } => self.tell_silence(Some(cause)),
                }
                self.signs().look(clock());
                self.signs().attempts.set(seen.len());
                Some(seen)
            }
            Err(error) => {
                self.complain(&error);
                let deaf = *self.deaf.get_or_insert_with(Clock::now);
                self.tell_silence((deaf.elapsed() > SILENCE).then(|| error.to_string()));
                None
            }
        }
    }

    /// Tells the core whether work can be given to the site, where that changed. What runs there goes on either way.
    fn tell_silence(&mut self, cause: Option<String>) {
        let silent = cause.is_some();
        if self.silent == Some(silent) {
            return;
        }
        match cause {
            Some(cause) => {
                tracing::warn!(site = self.site, cause, "the site does not answer; nothing starts there");
            }
            None if self.silent.is_some() => tracing::info!(site = self.site, "the site answers again"),
            None => {}
        }
        // Where the core is gone, the next server will say it again.
        drop(self.core.send(Command::Silence { site: self.id, silent }));
        self.silent = Some(silent);
    }

    /// Tells the core which nodes are out, where that changed.
    fn tell_nodes(&mut self) {
        let Some(out) = self.engine.nodes_out() else { return };
        let before = self.out.as_ref().filter(|_| self.told.elapsed() < AGAIN);
        if before == Some(&out) {
            return;
        }
        for (pool, node) in out.difference(self.out.as_ref().unwrap_or(&BTreeSet::new())) {
            tracing::warn!("site {}: node {node} of pool `{pool}` is out", self.site);
        }
        // Where the core is gone, the next server will say it again.
        drop(self.core.send(Command::Nodes { site: self.id, out: out.clone() }));
        (self.out, self.told) = (Some(out), Clock::now());
    }

    /// Tells the core which attempts began that waited at a site which decides that itself; before it hears of their ends.
    fn tell_begun(&mut self, seen: &BTreeMap<AttemptId, Seen>) {
        let mut begun = Vec::new();
        for order in self.wanted.values_mut().filter(|order| order.queued) {
            let since = match seen.get(&order.attempt) {
                Some(Seen::Running { since }) => Some((*since, Duration::ZERO)),
                // One that was fenced in its line took no time.
                Some(Seen::Ended(receipt)) if !matches!(receipt.end, End::NotStarted { .. }) => {
                    let ran = receipt.ended.since(receipt.started);
                    Some((receipt.started, ran)).filter(|_| ran > Duration::ZERO)
                }
                Some(Seen::Lost { .. }) => {
                    self.engine.began(order.attempt).map(|since| (since, Duration::ZERO))
                }
                _ => None,
            };
            let Some((since, ran)) = since else { continue };
            begun.push((order.attempt, since, ran));
            order.queued = false;
        }
        if !begun.is_empty() {
            // Where the core is gone, the next server will say it again.
            drop(self.core.send(Command::Begun { begun }));
        }
    }

    /// Notes whose accelerators do nothing, and says it once of each.
    fn tell_idle(&mut self, seen: &BTreeMap<AttemptId, Seen>) {
        if self.asked_idle.elapsed() < IDLING {
            return;
        }
        self.asked_idle = Clock::now();
        // Where that can not be told, what was told last is kept.
        let Ok(mut idling) = self.engine.idling() else { return };
        idling.retain(|attempt, _| matches!(seen.get(attempt), Some(Seen::Running { .. })));
        let idle = |(attempt, how): (AttemptId, Idling)| {
            let order = self.wanted.get(&attempt.job).filter(|order| order.attempt == attempt)?;
            Some((attempt, Idle { how, accelerators: order.accelerators() }))
        };
        let idle = idling.into_iter().filter_map(idle).collect();
        for (attempt, Idle { how, accelerators }) in self.signs().idle(idle) {
            let (site, job, cpus_thousandths) = (&self.site, attempt.job.0, how.cpus_thousandths);
            let attempt = attempt.number;
            if how.is_on_cpu() {
                tracing::warn!(
                    site,
                    job,
                    attempt,
                    accelerators,
                    cpus_thousandths,
                    "the accelerators of a job do nothing while it works"
                );
            } else {
                tracing::warn!(site, job, attempt, accelerators, "the accelerators of a job do nothing");
            }
        }
    }

    fn signs(&self) -> &SiteSigns {
        self.signs.site(self.id)
    }

    /// Says what was done, to whoever wants to follow it.
    fn tell(&self, action: &Action) {
        let (Action::Start(attempt)
        | Action::Stop(attempt)
        | Action::Report(attempt)
        | Action::Forget(attempt)) = action;
        let (site, job, attempt) = (&self.site, attempt.job.0, attempt.number);
        match action {
            Action::Start(_) => tracing::debug!(site, job, attempt, "attempt is handed over"),
            Action::Stop(_) => tracing::debug!(site, job, attempt, "attempt is asked to stop"),
            Action::Report(_) => tracing::debug!(site, job, attempt, "attempt is over"),
            Action::Forget(_) => tracing::debug!(site, job, attempt, "attempt is settled and forgotten"),
        }
    }

    /// What is unclear needs a person, who has to hear of it.
    fn say_unclear(&mut self, seen: &BTreeMap<AttemptId, Seen>) {
        let unclear = seen.values().filter(|seen| matches!(seen, Seen::Unclear { .. })).count();
        self.signs().unclear.set(unclear);
        let mut told: BTreeMap<&str, Vec<AttemptId>> = BTreeMap::new();
        for (attempt, seen) in seen {
            match seen {
                Seen::Unclear { cause } if self.unclear.insert(*attempt) => {
                    told.entry(cause).or_default().push(*attempt);
                }
                Seen::Unclear { .. } => {}
                _ => drop(self.unclear.remove(attempt)),
            }
        }
        // One cause can concern all that runs at a site: it is said once.
        for (cause, attempts) in told {
            let Some(AttemptId { job, number }) = attempts.first() else { continue };
            let others = attempts.len() - 1;
            tracing::warn!(
                site = self.site,
                job = job.0,
                attempt = number,
                others,
                cause,
                "whether the attempt lives can not be told"
            );
        }
    }

    fn complain(&mut self, error: &EngineError) {
        self.signs().fail();
        let text = error.to_string();
        if self.complaint.as_ref() != Some(&text) {
            tracing::warn!(site = self.site, cause = text, "the engine does not do what it is asked");
            self.complaint = Some(text);
        }
    }

    /// Whether the data of an attempt was on its way a moment ago.
    fn waits_for_data(&self, attempt: AttemptId) -> bool {
        self.kept_back.get(&attempt).is_some_and(|seen| seen.elapsed() < LOOK)
    }

    /// Begins to bring what a waiting job reads, so that it is there when it starts. Whatever is in the way of that is said when
    /// it starts.
    fn bring(&self, job: JobId) {
        if let Ok(Some(spec)) = self.store.body(job).map(|body| body.as_deref().and_then(spec)) {
            drop(self.data.bring(self.id, job, &spec.data));
        }
    }

    /// Hands an attempt over, once its data is there. Of one that is `known` to the engine, the first hand-over counts.
    fn start(&self, attempt: AttemptId, known: bool) -> Result<Begun, EngineError> {
        let order = &self.wanted[&attempt.job];
        let unavailable =
            |cause: String| EngineError::Unavailable { what: "look up what a job runs", cause, source: None };
        let body = self.store.body(attempt.job).map_err(|error| unavailable(error.to_string()))?;
        let spec = body.as_deref().and_then(spec).ok_or_else(|| EngineError::Refused {
            attempt,
            cause: "what it should run can not be read from the store".into(),
        })?;
        let variables = if known {
            BTreeMap::new()
        } else {
            let gate = self.data.gate(self.id, attempt.job, &spec.data);
            match gate.map_err(|error| unavailable(error.to_string()))? {
                Gate::Open(variables) => variables,
                Gate::Wait => return Ok(Begun::KeptBack),
                Gate::Never(cause) => return Err(EngineError::Refused { attempt, cause }),
            }
        };
        // The store may have been waited for, and have gone to another server meanwhile.
        if self.store.standing() != Standing::Held {
            return Err(unavailable("whether the store is still this server's can not be told".into()));
        }
        let reads = variables.values().map(PathBuf::from).collect();
        let container = self.container(attempt, spec.container.clone(), reads)?;
        let mut env = spec.env.clone();
        env.extend(variables);
        env.insert("GIGA_SITE".into(), self.site.clone());
        env.insert("GIGA_JOB_NAME".into(), spec.name.clone());
        if let Some(ArraySpec { count, index: Some(index) }) = spec.array {
            env.insert("GIGA_ARRAY_INDEX".into(), index.to_string());
            env.insert("GIGA_ARRAY_COUNT".into(), count.to_string());
        }
        self.engine.start(&order.launch(spec, env, container)).map(|()| Begun::Handed)
    }

    /// The container of an attempt, with what this site runs it by.
    fn container(
        &self,
        attempt: AttemptId,
        image: Option<String>,
        reads: Vec<PathBuf>,
    ) -> Result<Option<Container>, EngineError> {
        let Some(image) = image else { return Ok(None) };
        match self.data.runtime(self.id) {
            Some(runtime) => Ok(Some(Container { runtime, image, reads })),
            None => Err(EngineError::Refused { attempt, cause: "this site runs no containers".into() }),
        }
    }
}

/// What became of an attempt that should run.
enum Begun {
    /// The engine has it.
    Handed,
    /// Its data is on its way; it is looked at again.
    KeptBack,
}

/// A job as it was kept.
fn spec(body: &str) -> Option<JobSpec> {
    let body: JobBody = serde_json::from_str(body).ok()?;
    body.check().ok()
}

/// What an engine will never do is the end of the attempt, if it was to start it.
fn refused(action: &Action, cause: String) -> Option<Fact> {
    let Action::Start(attempt) = *action else { return None };
    Some(Fact {
        attempt,
        ending: Some((Ending::Failed, clock())),
        ran: Duration::ZERO,
        text: cause,
        receipt: None,
    })
}

/// What there is to tell of an attempt that is over.
fn fact(attempt: AttemptId, seen: &Seen) -> Option<Fact> {
    match seen {
        Seen::Ended(receipt) => {
            let ((ending, text), ended) = (ending(receipt), receipt.ended);
            let ran = ended.since(receipt.started);
            let receipt = Some(AttemptFile::write(receipt));
            Some(Fact { attempt, ending: Some((ending, ended)), ran, text, receipt })
        }
        Seen::Lost { cause } => {
            let text = format!("lost: {cause}");
            Some(Fact { attempt, ending: None, ran: Duration::ZERO, text, receipt: None })
        }
        Seen::Pending | Seen::Running { .. } | Seen::Unclear { .. } => None,
    }
}

/// How an attempt counts, and in words.
fn ending(receipt: &Receipt) -> (Ending, String) {
    match &receipt.end {
        End::Exited { code: 0 } => (Ending::Completed, "exit code 0".into()),
        End::Exited { code } => (Ending::Failed, format!("exit code {code}")),
        End::Signalled { signal } => (Ending::Failed, format!("signal {signal}")),
        End::TimedOut => (Ending::TimedOut, "it reached its limit".into()),
        End::Stopped => (Ending::Cancelled, "it was stopped".into()),
        End::NotStarted { cause } => (Ending::Failed, cause.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc;

    use giga_engine::{Carried, Chunk, OutputStream};
    use giga_model::Launch;
    use giga_store::{Batch, Beginning, Change, NewJob};
    use giga_units::Instant;

    use super::*;

    /// An engine that knows one attempt which nobody wants, and notes what it is asked.
    #[derive(Default)]
    struct Noted(Mutex<Vec<String>>);

    impl Noted {
        fn note(&self, text: String) -> Result<(), EngineError> {
            self.0.lock().unwrap().push(text);
            Ok(())
        }
    }

    const STRANGER: AttemptId = AttemptId { job: JobId(7), number: 1 };
    const MISSING: AttemptId = AttemptId { job: JobId(0), number: 1 };

    impl Engine for Noted {
        fn start(&self, launch: &Launch) -> Result<(), EngineError> {
            self.note(format!("start {}", launch.attempt.job.0))
        }

        fn stop(&self, attempt: AttemptId) -> Result<(), EngineError> {
            self.note(format!("stop {}", attempt.job.0))
        }

        fn observe(&self) -> Result<BTreeMap<AttemptId, Seen>, EngineError> {
            Ok(BTreeMap::from([(STRANGER, Seen::Pending)]))
        }

        fn forget(&self, attempt: AttemptId) -> Result<(), EngineError> {
            self.note(format!("forget {}", attempt.job.0))
        }

        fn output(&self, _: AttemptId, _: OutputStream, _: u64, _: usize) -> Result<Chunk, EngineError> {
            unreachable!("a carrier reads no output")
        }

        fn input(&self, _: AttemptId, _: Option<u64>, _: &[u8]) -> Result<u64, EngineError> {
            unreachable!("a carrier hands nothing in")
        }

        fn carries(&self, _: &str) -> Carried {
            unreachable!("a carrier does not ask")
        }
    }

    #[test]
    fn who_may_not_act_starts_and_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let start = Instant::unix_milliseconds(0);
        let beginning = Beginning { file: "f".into(), text: "t".into(), expanded: "t".into(), start };
        let store = Arc::new(Store::open(folder.path(), &beginning).unwrap().0);
        let new = NewJob {
            job: MISSING.job,
            project: "demo".into(),
            name: "true".into(),
            by: "anna".into(),
            body: r#"{"project":"demo","run":["true"]}"#.into(),
            idempotency: None,
            at: start,
            site: None,
            refusal: None,
            accelerators: 1,
        };
        let changes = vec![Change::Came(Box::new(new))];
        store.append(&[Batch { entries: Vec::new(), changes }]).unwrap();
        let engine = Arc::new(Noted::default());
        let (core, _commands) = mpsc::sync_channel(9);
        let limit = Duration::milliseconds(9);
        let order = Order { attempt: MISSING, nodes: Vec::new(), limit, queued: false, stopping: false };
        let site = (SiteId::at(0), "north".to_owned());
        let noted = Arc::clone(&engine);
        let signs = Arc::new(Signs::new(start, [SiteId::at(0)], 1));
        let federation = giga_model::sample::empty();
        let data = Arc::new(Data::open(Arc::new(federation), Arc::clone(&store), BTreeMap::new()).unwrap());
        let kept = (Arc::clone(&store), data);
        let mut carrier = Carrier::new(site, engine, kept, (core, signs), vec![order]);
        carrier.round();
        assert_eq!(*noted.0.lock().unwrap(), ["stop 7", "start 0"]);
        store.release();
        carrier.round();
        assert_eq!(noted.0.lock().unwrap().len(), 2, "it is no longer the one who decides");
    }
}
