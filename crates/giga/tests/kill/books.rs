//! What the server says in the end, what bodies wrote, and what the journal says of both.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use giga_control::Control;
use giga_formats::api::{JobDetail, JobList, JobState};
use giga_formats::description;
use giga_formats::journal::Record;
use giga_model::{AttemptId, JobId};
use giga_scheduler::{DECISION_VERSION, Ending, Event};
use giga_store::Store;
use giga_units::Instant;

use crate::client::Request;
use crate::clock::LEAP;
use crate::laws::{Attempt, Job, Line};
use crate::server::Place;

/// Every job, page by page, each with its attempts.
pub(crate) fn jobs(data: &Path) -> Vec<Job> {
    let mut ids = Vec::new();
    let mut next = None;
    loop {
        let before = next.map_or_else(String::new, |next: u64| format!("&before={next}"));
        let list: JobList = ask(data, &format!("/v1/jobs?limit=200{before}"));
        ids.extend(list.jobs.iter().map(|job| job.id));
        next = list.next;
        if next.is_none() {
            break;
        }
    }
    ids.sort_unstable();
    ids.into_iter().map(|id| job(ask(data, &format!("/v1/jobs/{id}")))).collect()
}

/// Adds when attempts were there by the machine's clock. That of the server is the same unless it was set.
pub(crate) fn witness(place: &Place, jobs: &mut [Job]) {
    for job in jobs {
        for attempt in &mut job.attempts {
            let id = AttemptId { job: JobId(job.id), number: attempt.number };
            let booked = attempt.ended.map(|ended| (attempt.started, ended));
            attempt.there = if place.clock.is_some() { place.there(id) } else { booked };
        }
    }
}

/// How many jobs are not over.
pub(crate) fn live(data: &Path) -> usize {
    let list: JobList = ask(data, "/v1/jobs?state=waiting,running,stopping&limit=1000");
    list.jobs.len()
}

/// Which they are, for a person.
pub(crate) fn which_live(data: &Path) -> String {
    let list: JobList = ask(data, "/v1/jobs?state=waiting,running,stopping&limit=20");
    let line = |job: &giga_formats::api::JobView| {
        let explained = Request::get(format!("/v1/jobs/{}/explain", job.id)).until_answered(data).body;
        format!("\n  {} {} at {:?}, {} attempts: {explained}", job.id, job.state, job.site, job.attempts)
    };
    list.jobs.iter().map(line).collect()
}

fn ask<T: serde::de::DeserializeOwned>(data: &Path, path: &str) -> T {
    let answer = Request::get(path).until_answered(data);
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{path}: {error}: {answer:?}"))
}

fn job(detail: JobDetail) -> Job {
    let attempts = detail.attempts.into_iter().map(|attempt| Attempt {
        number: attempt.attempt,
        started: attempt.started.0.as_unix_milliseconds(),
        ended: attempt.ended.map(|ended| ended.0.as_unix_milliseconds()),
        exit: attempt.exit,
        there: None,
    });
    let (id, name, state) = (detail.job.id, detail.job.name, detail.job.state);
    Job { id, name, state, exit: detail.job.exit, attempts: attempts.collect() }
}

/// What bodies wrote.
pub(crate) fn lines(path: &Path) -> Vec<Line> {
    let up = fs::read_to_string("/proc/uptime").expect("Linux tells how long it is up");
    let now = Instant::from(SystemTime::now()).as_unix_milliseconds();
    let came_up = now - uptime(up.split(' ').next().unwrap_or("")).expect("a time");
    let text = fs::read_to_string(path).expect("what bodies wrote");
    let read = |text: &str| line(text, came_up).unwrap_or_else(|| Line::Torn { text: text.to_owned() });
    text.lines().map(read).collect()
}

fn line(text: &str, came_up: i64) -> Option<Line> {
    let words: Vec<&str> = text.split(' ').collect();
    match words.as_slice() {
        ["BEGIN", attempt, nonce, up] => {
            let (attempt, at) = (attempt.parse().ok()?, came_up + uptime(up)?);
            Some(Line::Begin { attempt, nonce: (*nonce).to_owned(), at })
        }
        ["DONE", attempt] => Some(Line::Done { attempt: attempt.parse().ok()? }),
        _ => None,
    }
}

/// `12.34` in milliseconds.
fn uptime(text: &str) -> Option<i64> {
    let (seconds, hundredths) = text.split_once('.')?;
    Some(seconds.parse::<i64>().ok()? * 1000 + hundredths.parse::<i64>().ok()? * 10)
}

/// What the journal says.
#[derive(Default)]
pub(crate) struct Audit {
    pub(crate) records: u64,
    pub(crate) events: u64,
    /// Records that lie so long behind the one before that the clock was set forwards.
    pub(crate) leaps: u64,
    /// Records at the very instant of the one before: the clock was set back, or they came within a millisecond.
    pub(crate) still: u64,
    /// Where deciding again led to something else.
    pub(crate) differing: Vec<String>,
    pub(crate) violations: Vec<String>,
    /// What the tables say otherwise than the journal.
    pub(crate) rows: Vec<String>,
}

/// Reads the journal from its first record, decides everything again, and compares: with its own events, and with the
/// books.
///
/// # Panics
/// Panics where a record is missing or damaged.
pub(crate) fn audit(data: &Path, jobs: &[Job]) -> Audit {
    let (store, beginning) = Store::read_only(data).expect("the store can be read");
    let federation = description::read(&beginning.file, &beginning.text).expect("it has no fault").federation;
    let mut control = Control::new(Arc::new(federation), beginning.start);
    let mut tales: BTreeMap<JobId, Tale> = BTreeMap::new();
    let mut audit = Audit::default();
    let mut before: Option<Instant> = None;
    loop {
        let records = store.records(audit.records, 1_000).expect("the journal is whole");
        let Some(end) = records.last() else { break };
        let last = end.seq;
        for record in &records {
            let passed = before.replace(record.now).map(|before| record.now.since(before).as_milliseconds());
            audit.leaps += u64::from(passed.is_some_and(|passed| passed >= LEAP));
            audit.still += u64::from(passed == Some(0));
            again(&mut control, record, &mut audit.differing);
            record.events.iter().for_each(|event| tell(&mut tales, event));
            audit.events += record.events.len() as u64;
        }
        audit.records = last;
    }
    let summary = control.summary();
    audit.violations = summary.first_violations.iter().map(|violation| format!("{violation:?}")).collect();
    assert_eq!(summary.violations == 0, audit.violations.is_empty(), "violations are counted and named");
    audit.rows = compare(&tales, jobs);
    audit
}

fn again(control: &mut Control, record: &Record, differing: &mut Vec<String>) {
    let events = control.advance(record.now, &record.inputs);
    if events != record.events || record.decisions != DECISION_VERSION {
        differing.push(format!("record {}: {:?} and now {events:?}", record.seq, record.events));
    }
    control.take_rows();
}

/// What the journal tells of one job.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tale {
    attempts: u32,
    end: Option<JobState>,
}

fn tell(tales: &mut BTreeMap<JobId, Tale>, event: &Event) {
    match event {
        Event::Submitted { job, .. } => *tales.entry(*job).or_default() = Tale::default(),
        Event::Refused { job, .. } => tales.entry(*job).or_default().end = Some(JobState::Refused),
        Event::Started { job, attempt, .. } => tales.entry(*job).or_default().attempts = *attempt,
        Event::Ended { job, ending, .. } => {
            tales.entry(*job).or_default().end = Some(match ending {
                Ending::Completed => JobState::Completed,
                Ending::TimedOut => JobState::TimedOut,
                Ending::Cancelled => JobState::Cancelled,
                Ending::Failed => JobState::Failed,
            });
        }
        _ => {}
    }
}

fn compare(tales: &BTreeMap<JobId, Tale>, jobs: &[Job]) -> Vec<String> {
    let attempts = |job: &Job| u32::try_from(job.attempts.len()).expect("a few attempts");
    let rows = jobs.iter().map(|job| {
        let end = job.state.is_over().then_some(job.state);
        (JobId(job.id), Tale { attempts: attempts(job), end })
    });
    let rows: BTreeMap<JobId, Tale> = rows.collect();
    let all = tales.keys().chain(rows.keys().filter(|job| !tales.contains_key(job)));
    let differ = all.filter(|job| tales.get(job) != rows.get(job));
    differ.map(|job| format!("job {job}: {:?} and {:?}", tales.get(job), rows.get(job))).collect()
}
