//! Carries decisions out at one site: keeps what runs there as it should be, and tells the core what became of it.
//!
//! One thread for each site, so that a slow engine holds up nobody else. It holds no policy: what should run comes from
//! durable events, what does comes from the engine, and [`reconcile`] says the steps between.

mod reconcile;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration as Wait;

use giga_engine::{AttemptId, End, Engine, EngineError, Seen};
use giga_formats::attempt::AttemptFile;
use giga_formats::job::{JobBody, JobSpec};
use giga_model::{JobId, Receipt, SiteId};
use giga_scheduler::Ending;
use giga_store::Store;

use self::reconcile::{Action, Wanted, reconcile};
use crate::live::command::{Command, Effect, Fact, Order};
use crate::live::core::clock;
use crate::signs::{Signs, SiteSigns};

/// How often an engine with work is looked at. A user feels it as the delay between end and result.
const LOOK: Wait = Wait::from_millis(50);
/// How often one without work is.
const IDLE: Wait = Wait::from_secs(2);
/// How long one that does not do what it is asked is left alone.
const PATIENCE: Wait = Wait::from_secs(1);

/// What carries decisions out at one site.
pub(crate) struct Carrier {
    id: SiteId,
    site: String,
    engine: Arc<dyn Engine>,
    store: Arc<Store>,
    core: SyncSender<Command>,
    signs: Arc<Signs>,
    wanted: BTreeMap<JobId, Order>,
    /// Attempts whose ends the core has in its books.
    settled: BTreeSet<AttemptId>,
    /// What was said last about a failing engine, so that it is said once.
    complaint: Option<String>,
    /// What is unclear and was said to be.
    unclear: BTreeSet<AttemptId>,
}

impl Carrier {
    pub(crate) fn new(
        (id, site): (SiteId, String),
        engine: Arc<dyn Engine>,
        store: Arc<Store>,
        (core, signs): (SyncSender<Command>, Arc<Signs>),
        orders: Vec<Order>,
    ) -> Self {
        let wanted = orders.into_iter().map(|order| (order.attempt.job, order)).collect();
        let (settled, complaint, unclear) = (BTreeSet::new(), None, BTreeSet::new());
        Self { id, site, engine, store, core, signs, wanted, settled, complaint, unclear }
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
            Effect::Settled(attempt) => drop(self.settled.insert(attempt)),
        }
    }

    /// One comparison, and the steps that follow from it; how long to wait for the next.
    fn round(&mut self) -> Wait {
        let seen = match self.engine.observe() {
            Ok(seen) => seen,
            Err(error) => {
                self.complain(&error);
                return PATIENCE;
            }
        };
        self.signs().look(clock());
        self.signs().attempts.set(seen.len());
        self.say_unclear(&seen);
        // What is gone is settled for good; what is said of it again is no news.
        self.settled.retain(|attempt| seen.contains_key(attempt));
        let wanted = self
            .wanted
            .iter()
            .map(|(&job, order)| (job, Wanted { attempt: order.attempt, stopping: order.stopping }));
        let mut facts = Vec::new();
        let mut worked = true;
        for action in reconcile(&wanted.collect(), &seen, &self.settled) {
            let done = match action {
                Action::Start(attempt) => self.start(attempt),
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
        if !facts.is_empty() {
            // Where the core is gone there is nobody to tell; the next server will see the same.
            drop(self.core.send(Command::Facts { site: self.id, facts }));
        }
        if !worked {
            return PATIENCE;
        }
        self.complaint = None;
        if self.wanted.is_empty() && seen.is_empty() { IDLE } else { LOOK }
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
        for (attempt, seen) in seen {
            match seen {
                Seen::Unclear { cause } if self.unclear.insert(*attempt) => {
                    let AttemptId { job, number } = attempt;
                    tracing::warn!(
                        site = self.site,
                        job = job.0,
                        attempt = number,
                        cause,
                        "whether the attempt lives can not be told"
                    );
                }
                Seen::Unclear { .. } => {}
                _ => drop(self.unclear.remove(attempt)),
            }
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

    fn start(&self, attempt: AttemptId) -> Result<(), EngineError> {
        let order = &self.wanted[&attempt.job];
        let unavailable =
            |cause: String| EngineError::Unavailable { what: "look up what a job runs", cause, source: None };
        let body = self.store.body(attempt.job).map_err(|error| unavailable(error.to_string()))?;
        let spec = body.as_deref().and_then(spec).ok_or_else(|| EngineError::Refused {
            attempt,
            cause: "what it should run can not be read from the store".into(),
        })?;
        let mut env = spec.env;
        env.insert("GIGA_SITE".into(), self.site.clone());
        env.insert("GIGA_JOB_NAME".into(), spec.name);
        self.engine.start(&order.launch(spec.command, env, spec.workdir))
    }
}

/// A job as it was kept.
fn spec(body: &str) -> Option<JobSpec> {
    let body: JobBody = serde_json::from_str(body).ok()?;
    body.check().ok()
}

/// What an engine will never do is the end of the attempt, if it was to start it.
fn refused(action: &Action, cause: String) -> Option<Fact> {
    let Action::Start(attempt) = *action else { return None };
    Some(Fact { attempt, ending: Some((Ending::Failed, clock())), text: cause, receipt: None })
}

/// What there is to tell of an attempt that is over.
fn fact(attempt: AttemptId, seen: &Seen) -> Option<Fact> {
    match seen {
        Seen::Ended(receipt) => {
            let ((ending, text), ended) = (ending(receipt), receipt.ended);
            let receipt = Some(AttemptFile::write(receipt));
            Some(Fact { attempt, ending: Some((ending, ended)), text, receipt })
        }
        Seen::Lost { cause } => {
            Some(Fact { attempt, ending: None, text: format!("lost: {cause}"), receipt: None })
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
