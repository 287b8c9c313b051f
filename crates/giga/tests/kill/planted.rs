//! Faults that are planted in a made-up run: each is found by the law that it breaks.

use super::*;

fn attempt(job: u64, number: u32) -> AttemptId {
    AttemptId { job: JobId(job), number }
}

fn begin(job: u64, number: u32, at: i64) -> Line {
    Line::Begin { attempt: attempt(job, number), nonce: format!("n{job}.{number}"), at }
}

fn done(job: u64, number: u32) -> Line {
    Line::Done { attempt: attempt(job, number) }
}

fn tried(number: u32, started: i64, ended: i64, exit: &str) -> Attempt {
    let there = Some((started, ended));
    Attempt { number, started, ended: Some(ended), exit: Some(exit.into()), there }
}

fn sent(job: u64, kind: Kind) -> Sent {
    Sent { word: format!("w{job}"), kind, told: vec![Told { job, replayed: false }] }
}

fn job(id: u64, state: JobState, exit: Option<&str>, attempts: Vec<Attempt>) -> Job {
    Job { id, name: format!("w{id}"), state, exit: exit.map(str::to_owned), attempts }
}

const LOST: &str = "lost: its supervisor died and left no receipt";

/// Four jobs as they should be: one done at the second try, one failed, one cancelled while it waited, one refused.
fn good() -> Evidence {
    let tries = vec![tried(1, 1_000, 2_000, LOST), tried(2, 2_000, 3_000, "exit code 0")];
    Evidence {
        sent: vec![
            sent(0, Kind::Plain),
            sent(1, Kind::Fails),
            sent(2, Kind::Cancelled),
            sent(3, Kind::TooLarge),
        ],
        jobs: vec![
            job(0, JobState::Completed, Some("exit code 0"), tries),
            job(1, JobState::Failed, Some("exit code 3"), vec![tried(1, 1_000, 2_000, "exit code 3")]),
            job(2, JobState::Cancelled, None, Vec::new()),
            job(3, JobState::Refused, Some("it asks for more than there is"), Vec::new()),
        ],
        lines: vec![begin(0, 1, 1_100), begin(1, 1, 1_100), begin(0, 2, 2_100), done(0, 2)],
        troubles: Vec::new(),
        slain: BTreeSet::from([attempt(0, 1)]),
    }
}

/// The laws that a run breaks after one change.
#[track_caller]
fn check(change: impl FnOnce(&mut Evidence), expected: &[&str]) {
    let mut seen = good();
    change(&mut seen);
    let broken: Vec<&str> =
        LAWS.iter().filter(|(_, law)| !law(&seen).is_empty()).map(|(name, _)| *name).collect();
    assert_eq!(broken, expected);
}

#[test]
fn a_good_run_breaks_no_law() {
    check(|_| {}, &[]);
    // A body may have said that it is done when its supervisor was killed.
    check(|seen| seen.lines.insert(2, done(0, 1)), &[]);
}

#[test]
fn a_lost_or_doubled_request_is_found() {
    let lost = "requests answered and then lost";
    let doubled = "requests that led to several jobs";
    check(|seen| drop(seen.jobs.remove(2)), &[lost]);
    check(|seen| seen.sent[2].told.clear(), &[lost]);
    check(|seen| seen.sent[2].told.push(Told { job: 1, replayed: true }), &[lost, doubled]);
    check(|seen| seen.sent[2].told.push(Told { job: 2, replayed: true }), &[]);
    check(|seen| seen.sent[2].told.push(Told { job: 2, replayed: false }), &[doubled]);
    let again = |seen: &mut Evidence| {
        let twin = Job { id: 4, ..seen.jobs[2].clone() };
        seen.jobs.push(twin);
    };
    check(again, &[doubled]);
    let strange = |seen: &mut Evidence| seen.jobs.push(job(9, JobState::Cancelled, None, Vec::new()));
    check(strange, &["jobs that nobody asked for"]);
}

#[test]
fn a_second_beginning_is_found() {
    let twice = "attempts whose body began twice";
    let nonce = "claims used twice";
    check(|seen| seen.lines.insert(3, begin(0, 2, 2_200)), &[twice, nonce]);
    let other_claim = |seen: &mut Evidence| {
        seen.lines.push(Line::Begin { attempt: attempt(0, 2), nonce: "other".into(), at: 2_200 });
    };
    check(other_claim, &[twice]);
    check(|seen| seen.lines.push(begin(0, 3, 3_100)), &["bodies of attempts that nobody decided"]);
    let torn = |seen: &mut Evidence| seen.lines.push(Line::Torn { text: "BEG".into() });
    check(torn, &["bodies of attempts that nobody decided"]);
}

#[test]
fn a_wrong_end_is_found() {
    let completed = "completed jobs without exactly one done attempt";
    let stated = "jobs that ended otherwise than stated or due";
    let otherwise = "attempts done and yet counted otherwise";
    check(|seen| drop(seen.lines.pop()), &[completed]);
    check(|seen| seen.lines.push(done(0, 2)), &[completed, otherwise]);
    check(|seen| seen.lines.push(done(1, 1)), &[otherwise]);
    check(|seen| drop(seen.lines.remove(2)), &[completed]);
    check(|seen| seen.jobs[1].exit = None, &[stated]);
    check(|seen| seen.jobs[1].state = JobState::Completed, &[completed, stated]);
    check(|seen| seen.jobs[3].exit = None, &[stated]);
    check(|seen| seen.jobs[2].state = JobState::Waiting, &["jobs that are not over"]);
    let lost = |times: u32| {
        move |seen: &mut Evidence| {
            let tries = (1..=times).map(|number| tried(number, 1_000, 1_000, LOST)).collect();
            seen.jobs[1] = job(1, JobState::Failed, Some(LOST), tries);
            seen.slain.extend((1..=times).map(|number| attempt(1, number)));
        }
    };
    check(lost(4), &[stated]);
    check(lost(5), &[]);
}

#[test]
fn attempts_that_overlap_or_are_lost_for_no_reason_are_found() {
    let overlap = "attempts of a job that overlapped";
    check(|seen| seen.jobs[0].attempts[0].ended = Some(2_001), &[overlap]);
    check(|seen| seen.jobs[0].attempts[0].ended = None, &[overlap]);
    check(|seen| seen.lines[2] = begin(0, 2, 1_900), &[overlap]);
    check(|seen| seen.lines.insert(3, done(0, 1)), &[overlap]);
    // The clock of the server may be ahead of that of bodies, and they overlap by their own.
    let ahead = |seen: &mut Evidence| {
        for attempt in &mut seen.jobs[0].attempts {
            (attempt.started, attempt.ended) =
                (attempt.started + 600_000, attempt.ended.map(|at| at + 600_000));
        }
    };
    check(ahead, &[]);
    let overlapping = |seen: &mut Evidence| {
        ahead(seen);
        seen.jobs[0].attempts[0].there = Some((1_000, 2_200));
    };
    check(overlapping, &[overlap]);
    let alone = "attempts lost by the server's death alone";
    check(|seen| seen.slain.clear(), &[alone]);
    // Slurm's word counts only where its controller was in trouble while the attempt was there.
    let by_slurm = |troubles: Vec<(i64, i64)>| {
        move |seen: &mut Evidence| {
            let before = &mut seen.jobs[0].attempts[0];
            before.exit = Some(format!("{LOST}: Slurm does not know it any more"));
            let (from, to) = (before.started, before.ended.unwrap_or(0));
            seen.slain.clear();
            seen.troubles = troubles.iter().map(|(a, b)| (from + a, to + b)).collect();
        }
    };
    check(by_slurm(vec![(0, 0)]), &[]);
    check(by_slurm(vec![]), &[alone]);
    check(by_slurm(vec![(-500, -10_000), (10_000, 20_000)]), &[alone]);
}
