//! What must hold behind any number of kills, as functions from what was seen to complaints. They look at values only, so
//! that each is shown below to find its fault.

use std::collections::{BTreeMap, BTreeSet};

use giga_formats::api::JobState;
use giga_model::{AttemptId, JobId};

use crate::work::{Kind, is_lost};

/// All that was seen of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    /// What was sent, with every answer.
    pub(crate) sent: Vec<Sent>,
    /// What the server knows in the end.
    pub(crate) jobs: Vec<Job>,
    /// What bodies wrote, in the order of the file.
    pub(crate) lines: Vec<Line>,
    /// The attempts whose supervisors were killed on purpose.
    pub(crate) slain: BTreeSet<AttemptId>,
    /// On Slurm, from when until when a controller was killed or stood still: what it forgot then is ended, and that is said.
    pub(crate) troubles: Vec<(i64, i64)>,
}

impl Evidence {
    /// Whether an attempt is lost, for the reason that a controller was in trouble while it was there.
    pub(crate) fn is_forgotten(&self, attempt: &Attempt) -> bool {
        let exit = attempt.exit.as_deref().unwrap_or("");
        let said = is_lost(exit) && (exit.contains("Slurm") || exit.contains("the site"));
        let there = |&(from, until): &(i64, i64)| {
            attempt.there.is_some_and(|(begun, over)| begun <= until && from <= over)
        };
        said && self.troubles.iter().any(there)
    }
}

/// A request, however often it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) word: String,
    pub(crate) kind: Kind,
    pub(crate) told: Vec<Told>,
}

/// An answer to a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) job: u64,
    pub(crate) replayed: bool,
}

/// A job in the server's books. Times are in milliseconds since 1970.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) state: JobState,
    pub(crate) exit: Option<String>,
    pub(crate) attempts: Vec<Attempt>,
}

#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) number: u32,
    pub(crate) started: i64,
    pub(crate) ended: Option<i64>,
    pub(crate) exit: Option<String>,
    /// From when until when it was there, by the machine's clock: that of the server may have been set meanwhile.
    pub(crate) there: Option<(i64, i64)>,
}

/// A line that a body wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Begin { attempt: AttemptId, nonce: String, at: i64 },
    Done { attempt: AttemptId },
    Torn { text: String },
}

/// A complaint says what is wrong with what.
pub(crate) type Law = fn(&Evidence) -> Vec<String>;

/// Every law by its name in the log.
pub(crate) const LAWS: &[(&str, Law)] = &[
    ("requests answered and then lost", lost),
    ("requests that led to several jobs", doubled),
    ("jobs that nobody asked for", unasked),
    ("attempts whose body began twice", begun_twice),
    ("claims used twice", nonces),
    ("bodies of attempts that nobody decided", undecided),
    ("jobs that are not over", not_over),
    ("completed jobs without exactly one done attempt", completed),
    ("jobs that ended otherwise than stated or due", stated),
    ("attempts done and yet counted otherwise", done_otherwise),
    ("attempts of a job that overlapped", overlapping),
    ("attempts lost by the server's death alone", lost_alone),
];

/// How far the clock of a line (hundredths of a second since the machine came up) may lie before the server's.
const CLOCKS: i64 = 50;

/// After so many lost attempts a job has failed, by the scheduler's rule.
const ATTEMPTS_MOST: usize = 5;

impl Evidence {
    fn kinds(&self) -> BTreeMap<&str, Kind> {
        self.sent.iter().map(|sent| (sent.word.as_str(), sent.kind)).collect()
    }

    fn begins(&self) -> impl Iterator<Item = (AttemptId, &str, i64)> {
        self.lines.iter().filter_map(|line| match line {
            Line::Begin { attempt, nonce, at } => Some((*attempt, nonce.as_str(), *at)),
            _ => None,
        })
    }

    fn dones(&self) -> impl Iterator<Item = AttemptId> {
        self.lines
            .iter()
            .filter_map(|line| if let Line::Done { attempt } = line { Some(*attempt) } else { None })
    }
}

impl Job {
    /// Whether it failed because its attempts were lost so often that no other was made.
    fn given_up(&self) -> bool {
        let lost = |attempt: &Attempt| attempt.exit.as_deref().is_some_and(is_lost);
        let all = self.attempts.len() == ATTEMPTS_MOST && self.attempts.iter().all(lost);
        self.state == JobState::Failed && all && self.exit.as_deref().is_some_and(is_lost)
    }

    fn attempt(&self, number: u32) -> AttemptId {
        AttemptId { job: JobId(self.id), number }
    }
}

fn several<T: Ord + std::fmt::Debug>(items: impl Iterator<Item = T>) -> Vec<String> {
    let mut counts: BTreeMap<T, u32> = BTreeMap::new();
    items.for_each(|item| *counts.entry(item).or_default() += 1);
    let several = counts.into_iter().filter(|&(_, count)| count > 1);
    several.map(|(item, count)| format!("{item:?}: {count} times")).collect()
}

fn lost(seen: &Evidence) -> Vec<String> {
    let names: BTreeMap<u64, &str> = seen.jobs.iter().map(|job| (job.id, job.name.as_str())).collect();
    let told = seen.sent.iter().flat_map(|sent| sent.told.iter().map(move |told| (sent, told.job)));
    let lost = told.filter(|(sent, job)| names.get(job) != Some(&sent.word.as_str()));
    let unanswered = seen.sent.iter().filter(|sent| sent.told.is_empty());
    let unanswered = unanswered.map(|sent| format!("{}: never answered", sent.word));
    lost.map(|(sent, job)| format!("{}: job {job} is {:?}", sent.word, names.get(&job)))
        .chain(unanswered)
        .collect()
}

fn doubled(seen: &Evidence) -> Vec<String> {
    let mut complaints = several(seen.jobs.iter().map(|job| job.name.as_str()));
    complaints.extend(several(seen.jobs.iter().map(|job| job.id)));
    for Sent { word, told, .. } in &seen.sent {
        let jobs: BTreeSet<u64> = told.iter().map(|told| told.job).collect();
        if jobs.len() > 1 {
            complaints.push(format!("{word}: answered with jobs {jobs:?}"));
        }
        if told.iter().filter(|told| !told.replayed).count() > 1 {
            complaints.push(format!("{word}: said to be new more than once"));
        }
    }
    complaints
}

fn unasked(seen: &Evidence) -> Vec<String> {
    let kinds = seen.kinds();
    let unasked = seen.jobs.iter().filter(|job| !kinds.contains_key(job.name.as_str()));
    unasked.map(|job| format!("job {} `{}`", job.id, job.name)).collect()
}

fn begun_twice(seen: &Evidence) -> Vec<String> {
    several(seen.begins().map(|(attempt, ..)| attempt.to_string()))
}

fn nonces(seen: &Evidence) -> Vec<String> {
    several(seen.begins().map(|(_, nonce, _)| nonce))
}

fn undecided(seen: &Evidence) -> Vec<String> {
    let attempts =
        |job: &Job| job.attempts.iter().map(|attempt| job.attempt(attempt.number)).collect::<Vec<_>>();
    let decided: BTreeSet<AttemptId> = seen.jobs.iter().flat_map(attempts).collect();
    let written = seen.begins().map(|(attempt, ..)| attempt).chain(seen.dones());
    let torn = seen.lines.iter().filter_map(|line| {
        if let Line::Torn { text } = line {
            Some(format!("a line that says nothing: `{text}`"))
        } else {
            None
        }
    });
    let strange = written.filter(|attempt| !decided.contains(attempt)).map(|attempt| attempt.to_string());
    strange.chain(torn).collect()
}

fn not_over(seen: &Evidence) -> Vec<String> {
    let live = seen.jobs.iter().filter(|job| !job.state.is_over());
    live.map(|job| format!("job {} is {}", job.id, job.state)).collect()
}

fn completed(seen: &Evidence) -> Vec<String> {
    let begun: BTreeSet<AttemptId> = seen.begins().map(|(attempt, ..)| attempt).collect();
    let mut complaints = Vec::new();
    for job in seen.jobs.iter().filter(|job| job.state == JobState::Completed) {
        let last = job.attempts.last().map(|attempt| job.attempt(attempt.number));
        let done = seen.dones().filter(|&done| Some(done) == last).count();
        let good =
            job.attempts.iter().filter(|attempt| attempt.exit.as_deref() == Some("exit code 0")).count();
        if done != 1 || good != 1 || !last.is_some_and(|last| begun.contains(&last)) {
            complaints
                .push(format!("job {}: {done} lines by its last attempt, {good} good receipts", job.id));
        }
    }
    complaints
}

fn stated(seen: &Evidence) -> Vec<String> {
    let kinds = seen.kinds();
    let wrong = seen.jobs.iter().filter(|job| job.state.is_over()).filter(|job| {
        let kind = kinds.get(job.name.as_str());
        let due = kind.is_none_or(|kind| kind.may_end(job.state, job.exit.as_deref()));
        !due && !job.given_up()
    });
    wrong.map(|job| format!("job {} `{}` is {}: {:?}", job.id, job.name, job.state, job.exit)).collect()
}

/// A body says that it is done with its last breath. Only one whose supervisor was killed in that very moment may count as
/// something else.
fn done_otherwise(seen: &Evidence) -> Vec<String> {
    let kinds = seen.kinds();
    let jobs: BTreeMap<u64, &Job> = seen.jobs.iter().map(|job| (job.id, job)).collect();
    let mut complaints = several(seen.dones().map(|attempt| attempt.to_string()));
    for done in seen.dones() {
        let Some(job) = jobs.get(&done.job.0) else { continue };
        let kind = kinds.get(job.name.as_str());
        let attempt = job.attempts.iter().find(|attempt| attempt.number == done.number);
        let exit = attempt.and_then(|attempt| attempt.exit.as_deref()).unwrap_or("");
        let forgotten = attempt.is_some_and(|attempt| seen.is_forgotten(attempt));
        let slain = is_lost(exit) && seen.slain.contains(&done) || forgotten;
        let may = kind.is_some_and(|kind| kind.may_be_done());
        if !may || !(exit == "exit code 0" || slain) {
            complaints.push(format!("{done}: {exit}"));
        }
    }
    complaints
}

fn overlapping(seen: &Evidence) -> Vec<String> {
    let mut complaints = Vec::new();
    let begins: BTreeMap<AttemptId, i64> = seen.begins().map(|(attempt, _, at)| (attempt, at)).collect();
    for job in &seen.jobs {
        for pair in job.attempts.windows(2) {
            let (before, after) = (&pair[0], &pair[1]);
            let next = job.attempt(after.number);
            // The books by the server's clock, bodies by the machine's.
            let booked = before.ended.is_some_and(|ended| ended <= after.started);
            let seen = before.there.zip(begins.get(&next));
            let apart = booked && seen.is_none_or(|((_, over), begun)| over <= begun + CLOCKS);
            if !apart || after.number != before.number + 1 {
                complaints.push(format!("{next} began before the one before it had ended"));
            }
        }
    }
    let mut latest: BTreeMap<JobId, u32> = BTreeMap::new();
    for line in &seen.lines {
        let (Line::Begin { attempt, .. } | Line::Done { attempt }) = line else { continue };
        let latest = latest.entry(attempt.job).or_default();
        if *latest > attempt.number {
            complaints.push(format!("{attempt} still wrote when attempt {latest} had begun"));
        }
        *latest = attempt.number.max(*latest);
    }
    complaints
}

fn lost_alone(seen: &Evidence) -> Vec<String> {
    let mut complaints = Vec::new();
    for job in &seen.jobs {
        for attempt in &job.attempts {
            let id = job.attempt(attempt.number);
            let exit = attempt.exit.as_deref().unwrap_or("");
            let excused = seen.slain.contains(&id) || seen.is_forgotten(attempt);
            if (is_lost(exit) || exit.is_empty()) && !excused {
                complaints.push(format!("{id}: `{exit}`"));
            }
        }
    }
    complaints
}

#[cfg(test)]
#[path = "planted.rs"]
mod planted;
