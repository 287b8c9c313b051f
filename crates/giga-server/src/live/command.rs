//! What the core is asked, and what it answers once that is durable.

use std::collections::{BTreeSet, HashMap};
use std::mem;
use std::sync::Arc;

use giga_control::Control;
use giga_formats::job::JobSpec;
use giga_model::{AttemptId, Container, JobId, JobRequest, Launch, NodeUse, SiteId};
use giga_scheduler::{Ending, Event, Input};
use giga_units::{Duration, Instant, Power};
use tokio::sync::oneshot;

use crate::http::{Fingerprint, digest};

/// An answer on its way: called once everything that was decided before it is durable, dropped if that fails.
pub(crate) type Release = Box<dyn FnOnce() + Send>;

/// A question about the state as it is.
pub(crate) type Question = Box<dyn FnOnce(&Control, Instant) -> Release + Send>;

/// The same of the state behind an order, with what it led to.
pub(crate) type Outcome = Box<dyn FnOnce(&Control, &Ordered<'_>) -> Release + Send>;

/// What an order found, and what it led to.
pub(crate) struct Ordered<'a> {
    /// The limit that was on at the site before it.
    pub(crate) limit_before: Option<(Power, Instant)>,
    /// What was decided together with it.
    pub(crate) events: &'a [Event],
}

/// Something for the core.
pub(crate) enum Command {
    /// Somebody wants work done.
    Submit(Box<Submission>),
    /// Somebody takes a job back; the answer is whether it was live.
    Cancel { job: JobId, reply: oneshot::Sender<bool> },
    /// An operator tells a site what to do.
    Operate { input: Input, outcome: Outcome },
    /// Attempts began then that a site had in a line of its own, and ran at least so long.
    Begun { begun: Vec<(AttemptId, Instant, Duration)> },
    /// The engine of a site saw something.
    Facts { site: SiteId, facts: Vec<Fact> },
    /// These nodes of a site, by pool and number, are out, and all others of it work.
    Nodes { site: SiteId, out: BTreeSet<(String, u32)> },
    /// Whether what runs work at a site has not answered for a while.
    Silence { site: SiteId, silent: bool },
    /// Somebody wants to know.
    Ask(Question),
    /// The end: a last snapshot, and nothing after it.
    Stop,
}

/// A job on its way in.
pub(crate) struct Submission {
    pub(crate) request: JobRequest,
    /// The jobs that it is, at least one: the tasks of an array get numbers one behind the other.
    pub(crate) tasks: Arc<[Task]>,
    pub(crate) project: String,
    /// The name of the key it came with.
    pub(crate) by: String,
    pub(crate) idempotency: Option<String>,
    /// As of which record the store was asked for the word, and did not know it.
    pub(crate) looked: u64,
    pub(crate) reply: oneshot::Sender<Submitted>,
}

/// One job of a submission.
pub(crate) struct Task {
    pub(crate) name: String,
    /// The body of its request as it is kept.
    pub(crate) body: String,
}

impl Submission {
    /// What tells it from another request: the body of its first job.
    pub(crate) fn body(&self) -> &str {
        self.tasks.first().map_or("", |task| &task.body)
    }
}

/// What became of a submission: of its first job, where it is several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Submitted {
    /// It is in the books, and perhaps started at once.
    Bound { job: JobId, site: SiteId, started: bool },
    /// It can never run.
    Refused { job: JobId, rule: giga_scheduler::Rule },
    /// The same request came before and led to this job.
    Before { job: JobId },
    /// The word was used for another request.
    OtherRequest { job: JobId },
    /// A job that it comes after is over: nothing was submitted, and the store says how that ended.
    Overtaken,
}

/// What an engine saw of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) attempt: AttemptId,
    /// How it ended and when, or `None` where it was lost.
    pub(crate) ending: Option<(Ending, Instant)>,
    /// How long it ran by the clock of its host; zero where that is not known.
    pub(crate) ran: Duration,
    /// The same in words.
    pub(crate) text: String,
    /// The receipt as it is kept.
    pub(crate) receipt: Option<String>,
}

impl Fact {
    pub(crate) fn input(&self) -> Input {
        let (job, attempt) = (self.attempt.job, self.attempt.number);
        match self.ending {
            Some((ending, at)) => Input::Finished { job, attempt, ending, at },
            None => Input::Lost { job, attempt },
        }
    }
}

/// What a site's engine is to do from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// This attempt should run.
    Run(Order),
    /// This attempt should stop.
    Stop(AttemptId),
    /// Nothing of this job should run.
    Drop(JobId),
    /// This job waits here: the data that it reads has to be here when it starts.
    Bring(JobId),
    /// What was said of this attempt is in the books, or is no news: the engine may forget it once nobody wants it.
    Settled(AttemptId),
}

/// An attempt that should run: everything but the command, which is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) attempt: AttemptId,
    pub(crate) nodes: Vec<NodeUse>,
    pub(crate) limit: Duration,
    /// Whether the core waits to hear that it began.
    pub(crate) queued: bool,
    pub(crate) stopping: bool,
}

/// From the request to stop until an attempt is killed: an assumption, as in many batch systems (Slurm's KillWait is
/// 30 s, Kubernetes' grace period as well); shorter here because these are small local jobs.
const GRACE: Duration = Duration::seconds(10);

impl Order {
    /// How many accelerators it holds.
    pub(crate) fn accelerators(&self) -> u64 {
        self.nodes.iter().map(|node| u64::from(node.accelerators)).sum()
    }

    pub(crate) fn launch(
        &self,
        spec: JobSpec,
        env: std::collections::BTreeMap<String, String>,
        container: Option<Container>,
    ) -> Launch {
        let Self { attempt, nodes, limit, .. } = self.clone();
        let JobSpec { command, files, workdir, .. } = spec;
        Launch { attempt, nodes, limit, grace: GRACE, command, env, files, workdir, container }
    }
}

/// The words of requests whose records are the latest. Whoever submits looked into the store first, as of some record; a
/// word that came behind that record is here, as long as the record is not too far back.
#[derive(Debug)]
pub(crate) struct Recent {
    /// The record behind which every word is here.
    from: u64,
    /// The record behind which the younger ones are.
    young_from: u64,
    young: Words,
    old: Words,
}

/// By key and word: the job, and the digest of the request.
type Words = HashMap<(String, String), (JobId, Fingerprint)>;

/// What is known of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// It led to this job, with a request of this digest.
    Before(JobId, Fingerprint),
    /// It is new.
    New,
    /// The store was looked into too long ago.
    TooLongAgo,
}

/// Words are kept for one to two times so many records: minutes under the heaviest load.
const GENERATION: u64 = 4_096;
/// And no more than so many words, whatever their number of records: some 20 MB.
const WORDS_MOST: usize = 100_000;

impl Recent {
    pub(crate) fn new(seq: u64) -> Self {
        Self { from: seq, young_from: seq, young: Words::new(), old: Words::new() }
    }

    /// What is known of a word that was not in the store as of record `looked`.
    pub(crate) fn find(&self, by: &str, word: &str, looked: u64) -> Known {
        let key = (by.to_owned(), word.to_owned());
        match self.young.get(&key).or_else(|| self.old.get(&key)) {
            Some((job, digest)) => Known::Before(*job, *digest),
            None if looked < self.from => Known::TooLongAgo,
            None => Known::New,
        }
    }

    /// A word that comes with record `seq`.
    pub(crate) fn add(&mut self, seq: u64, by: &str, word: &str, job: JobId, body: &str) {
        if seq > self.young_from + GENERATION || self.young.len() >= WORDS_MOST {
            self.old = mem::take(&mut self.young);
            (self.from, self.young_from) = (self.young_from, seq - 1);
        }
        self.young.insert((by.to_owned(), word.to_owned()), (job, digest(body)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_known_or_the_store_was_asked_too_long_ago() {
        let mut recent = Recent::new(10);
        recent.add(11, "anna", "w", JobId(1), "a");
        let known = |recent: &Recent, looked| recent.find("anna", "w", looked);
        assert_eq!(known(&recent, 10), Known::Before(JobId(1), digest("a")));
        assert_eq!(recent.find("berta", "w", 10), Known::New);
        assert_eq!(recent.find("berta", "w", 9), Known::TooLongAgo);
        recent.add(11 + GENERATION, "anna", "x", JobId(2), "b");
        assert_eq!(known(&recent, 10), Known::Before(JobId(1), digest("a")));
        assert_eq!(recent.find("berta", "w", 10), Known::New);
        recent.add(11 + 2 * GENERATION, "anna", "y", JobId(3), "c");
        assert_eq!(known(&recent, 10), Known::TooLongAgo, "the store knows it by now");
        assert_eq!(recent.find("berta", "w", 10 + GENERATION), Known::New);
    }
}
