//! Golden records of each format, and what is refused.

use std::sync::Arc;

use giga_model::{
    AcceleratorId, Ask, Asks, Assurance, DatasetId, JobId, JobRequest, Leaving, Overhead, PhaseId, PoolId,
    Predecessor, ProjectId, SiteId, Terms,
};
use giga_scheduler::{Ending, Interruption, Need, Pace, Piece, Rule};
use giga_units::{Duration, Fraction, Money, Power};

use super::*;

const GOLDEN_1: &[u8] = include_bytes!("golden/record-1.bin");
const GOLDEN_2: &[u8] = include_bytes!("golden/record-2.bin");
const GOLDEN_3: &[u8] = include_bytes!("golden/record-3.bin");
const GOLDEN_4: &[u8] = include_bytes!("golden/record-4.bin");
const GOLDEN_5: &[u8] = include_bytes!("golden/record-5.bin");
const GOLDEN_6: &[u8] = include_bytes!("golden/record-6.bin");
const GOLDEN_7: &[u8] = include_bytes!("golden/record-7.bin");

fn request() -> JobRequest {
    let first = Ask { accelerator: Some(AcceleratorId(1)), accelerators: 8 };
    let second = Ask { accelerator: None, accelerators: 3 };
    JobRequest {
        project: ProjectId(7),
        asks: Asks::any_of(first, vec![second]),
        limit: Duration::hours(2),
        checkpoint: Some(Duration::seconds(1800)),
        draw: Fraction::ppm(900_000),
        terms: None,
    }
}

/// Every input and every event, with every rule, ending and cause.
fn everything() -> Record {
    let (job, site, pool) = (JobId(5), SiteId(2), PoolId(3));
    let until = Instant::unix_milliseconds(1_800_000_000_000);
    let mut inputs = vec![Input::Submit { request: request() }, Input::Lost { job, attempt: 2 }];
    let endings = [Ending::Completed, Ending::TimedOut, Ending::Cancelled, Ending::Failed];
    inputs.extend(endings.map(|ending| Input::Finished { job, attempt: 1, ending, at: until }));
    inputs.extend([
        Input::Cancel { job },
        Input::NodeFailed { pool, node: 9, until },
        Input::NodeRepaired { pool, node: 9 },
        Input::PhaseOpens { site },
        Input::MaintenanceBegins { site },
        Input::MaintenanceEnds { site },
        Input::HalveUse,
        Input::TurnYear,
        Input::Schedule,
    ]);
    let power = Power::watts(700);
    let need = Need { pool, nodes: 2, each: 4, asked: 8, power, full: 8 };
    let pieces: Arc<[Piece]> = vec![Piece { word: 1, mask: 6 }].into();
    let mut events = vec![
        Event::Submitted { job, site, request: request() },
        Event::Kept { site, job },
        Event::Started { job, attempt: 1, need, pieces, release: until },
        Event::Stopping { job },
        Event::NodeDown { pool, node: 9, until },
        Event::NodeUp { pool, node: 9 },
        Event::PhaseOpened { site, phase: PhaseId(1) },
        Event::Closed { site, until },
        Event::Opened { site },
        Event::UseHalved,
        Event::YearTurned,
        Event::Settled,
    ];
    events.extend(endings.map(|ending| Event::Ended { job, ending, at: until }));
    let causes = [Interruption::Failure, Interruption::Maintenance, Interruption::Lost];
    let saved = Duration::seconds(1800);
    events.extend(causes.map(|cause| Event::Interrupted { job, cause, saved }));
    let longest = Duration::hours(20);
    let rules = [
        Rule::UnknownProject,
        Rule::NothingAsked,
        Rule::NoSuchAccelerator,
        Rule::GangAboveProgramme { most: 4 },
        Rule::LimitAboveProgramme { longest },
        Rule::GangTooLarge { largest: 16 },
        Rule::PowerTooLarge { headroom: power },
        Rule::LongerThanBetweenWindows { longest },
    ];
    events.extend(rules.map(|rule| Event::Refused { job, request: request(), rule }));
    Record { seq: 12, decisions: 1, now: until, inputs, events }
}

/// A difference means that what was recorded would be read as something else: raise the format and keep the old reader.
#[test]
fn records_of_format_1_stay_as_they_are() {
    assert_eq!(read(GOLDEN_1), Ok(everything()));
}

/// What came with format 2: terms, limits, drains, hours, what is lent and called back, moves.
fn what_is_new() -> Record {
    let (job, site, pool) = (JobId(5), SiteId(2), PoolId(3));
    let (until, power) = (Instant::unix_milliseconds(1_800_000_000_000), Power::watts(700));
    let terms = Terms {
        data: vec![DatasetId(1), DatasetId(4)],
        leaving: Leaving::Derived,
        assurance: Assurance::level(3),
        deadline: Some(until),
        after: Vec::new(),
        container: false,
    };
    let request = JobRequest { terms: Some(Arc::new(terms)), ..request() };
    let need = Need { pool, nodes: 2, each: 4, asked: 8, power, full: 8 };
    let inputs = vec![
        Input::Submit { request: request.clone() },
        Input::LimitFalls { site, power, until },
        Input::LimitEnds { site },
        Input::Drain { site },
        Input::Undrain { site },
        Input::HourTurns,
    ];
    let mut events = vec![
        Event::Submitted { job, site, request: request.clone() },
        Event::Leaving { job, cause: Interruption::Recalled, by: until },
        Event::Claimed { job, need, by: until },
        Event::Unclaimed { job },
        Event::Limited { site, power, until },
        Event::Unlimited { site },
        Event::Short { site, missing: power },
        Event::Drained { site },
        Event::Undrained { site },
        Event::Deferred { job, until },
        Event::Due { job },
        Event::Rebound { job, site, saves: Money::euro(3) },
    ];
    let capped = Pace::Capped { power: Fraction::ppm(700_000), speed: Fraction::ppm(900_000) };
    let paces = [Pace::Full, capped, Pace::Suspended];
    events.extend(paces.map(|pace| Event::Paced { job, pace, release: until }));
    let causes = [Interruption::Recalled, Interruption::Grid];
    events.extend(causes.map(|cause| Event::Interrupted { job, cause, saved: Duration::seconds(1800) }));
    let (dataset, needed) = (DatasetId(1), Assurance::level(2).expect("two is a level"));
    let rules = [
        Rule::UnknownDataset,
        Rule::LeavingForbidden { dataset },
        Rule::AssuranceTooLow { needed },
        Rule::DataForbids { dataset },
        Rule::DeadlineTooClose,
        Rule::AboveFloor { floor: 12 },
    ];
    events.extend(rules.map(|rule| Event::Refused { job, request: request.clone(), rule }));
    let record = everything();
    Record {
        decisions: 2,
        inputs: [record.inputs, inputs].concat(),
        events: [record.events, events].concat(),
        ..record
    }
}

#[test]
fn records_of_format_2_stay_as_they_are() {
    assert_eq!(read(GOLDEN_2), Ok(what_is_new()));
}

/// What came with format 3: elastic gangs.
fn what_is_elastic() -> Record {
    let (job, site, pool) = (JobId(5), SiteId(2), PoolId(3));
    let (until, power) = (Instant::unix_milliseconds(1_800_000_000_000), Power::watts(700));
    let first = Ask { accelerator: Some(AcceleratorId(1)), accelerators: 32 };
    let request = JobRequest { asks: Asks::elastic(first, 8), ..request() };
    let need = Need { pool, nodes: 4, each: 4, asked: 16, power, full: 32 };
    let pieces: Arc<[Piece]> = vec![Piece { word: 1, mask: 30 }].into();
    let events = vec![
        Event::Submitted { job, site, request: request.clone() },
        Event::Started { job, attempt: 1, need, pieces, release: until },
        Event::Leaving { job, cause: Interruption::Grown, by: until },
        Event::Interrupted { job, cause: Interruption::Grown, saved: Duration::seconds(1800) },
    ];
    Record { seq: 14, decisions: 3, now: until, inputs: vec![Input::Submit { request }], events }
}

#[test]
fn records_of_format_3_stay_as_they_are() {
    assert_eq!(read(GOLDEN_3), Ok(what_is_elastic()));
}

/// What came with format 4: jobs that come after others, sites that do not answer.
fn what_comes_after() -> Record {
    let (job, site) = (JobId(5), SiteId(2));
    let after = [(3, false), (4, true)].map(|(job, any)| Predecessor { job: JobId(job), any });
    let terms = Terms { after: after.to_vec(), ..Terms::default() };
    let request = JobRequest { terms: Some(Arc::new(terms)), ..request() };
    let rule = Rule::PredecessorOver { job: JobId(4) };
    let events = vec![
        Event::Submitted { job, site, request: request.clone() },
        Event::Refused { job, request: request.clone(), rule },
        Event::Silenced { site },
        Event::Heard { site },
    ];
    let now = Instant::unix_milliseconds(1_800_000_000_000);
    Record {
        seq: 15,
        decisions: 3,
        now,
        inputs: vec![Input::Submit { request }, Input::Silent { site }, Input::Heard { site }],
        events,
    }
}

#[test]
fn records_of_format_4_stay_as_they_are() {
    assert_eq!(read(GOLDEN_4), Ok(what_comes_after()));
}

/// What came with format 5: jobs in containers, and sites that decide themselves when work begins.
fn what_is_contained() -> Record {
    let (job, site) = (JobId(5), SiteId(2));
    let now = Instant::unix_milliseconds(1_800_000_000_000);
    let terms = Terms { container: true, ..Terms::default() };
    let request = JobRequest { terms: Some(Arc::new(terms)), ..request() };
    let events = vec![
        Event::Submitted { job, site, request: request.clone() },
        Event::Refused { job, request: request.clone(), rule: Rule::NoContainers },
        Event::Begun { job, at: now, release: now + Duration::hours(2) },
    ];
    let inputs = vec![Input::Submit { request }, Input::Begun { job, attempt: 1, at: now }];
    Record { seq: 16, decisions: 3, now, inputs, events }
}

#[test]
fn records_of_format_5_stay_as_they_are() {
    assert_eq!(read(GOLDEN_5), Ok(what_is_contained()));
}

/// What came with format 6: buildings that draw with the weather.
fn what_is_housed() -> Record {
    let now = Instant::unix_milliseconds(1_800_000_000_000);
    let overhead = Overhead { base: Power::watts(90_000), factor: Fraction::ppm(1_041_234) };
    let events = vec![Event::Housed { site: SiteId(2), overhead }];
    Record { seq: 17, decisions: 3, now, inputs: vec![Input::HourTurns], events }
}

#[test]
fn records_of_format_6_stay_as_they_are() {
    assert_eq!(read(GOLDEN_6), Ok(what_is_housed()));
}

/// What came with format 7: limits that are lower at their beginning.
fn what_follows_a_limit() -> Record {
    let now = Instant::unix_milliseconds(1_800_000_000_000);
    let (site, power, until) = (SiteId(1), Power::watts(9_000_000), now + Duration::hours(2));
    let first = (Power::watts(8_500_000), now + Duration::seconds(900));
    let inputs = vec![
        Input::LimitFalls { site, power: first.0, until: first.1 },
        Input::LimitFollows { site, power, until },
    ];
    let events = vec![
        Event::Limited { site, power: first.0, until: first.1 },
        Event::Following { site, power, until },
    ];
    Record { seq: 18, decisions: 3, now, inputs, events }
}

#[test]
fn records_of_format_7_stay_as_they_are() {
    assert_eq!(read(GOLDEN_7), Ok(what_follows_a_limit()));
    assert_eq!(write(&what_follows_a_limit()), GOLDEN_7);
}

#[test]
fn damage_anywhere_is_found() {
    for place in 0..GOLDEN_1.len() {
        let mut damaged = GOLDEN_1.to_vec();
        damaged[place] ^= 0x40;
        assert_eq!(read(&damaged), Err(RecordError::Damaged), "byte {place}");
        assert_eq!(read(&GOLDEN_1[..place]), Err(RecordError::Damaged), "cut at {place}");
    }
}

#[test]
fn a_later_format_is_refused_and_not_misread() {
    let mut body = (FORMAT + 1).to_le_bytes().to_vec();
    body.extend_from_slice(&checksum(&body).to_le_bytes());
    assert_eq!(read(&body), Err(RecordError::Later { found: FORMAT + 1 }));
}

#[test]
fn a_snapshot_belongs_to_its_version() {
    let snapshot = Snapshot { seq: 9, control: vec![1, 2, 3] };
    let bytes = write_snapshot(&snapshot, "0.1.0");
    assert_eq!(read_snapshot(&bytes, "0.1.0"), Ok(snapshot));
    assert!(matches!(
        read_snapshot(&bytes, "0.2.0"),
        Err(SnapshotError::Frame(FrameError::OtherVersion { .. }))
    ));
}
