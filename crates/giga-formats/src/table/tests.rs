use std::fs::File;
use std::io::Write as _;

use giga_control::record::{Outcome, Refusal, TimeUse};
use giga_model::{JobId, OwnerId, PoolId, ProgrammeId, ProjectId, SiteId};
use giga_units::{AcceleratorTime, Carbon, Duration, Energy, Instant, Money, Power};

use super::*;
use crate::columnar::GROUP_ROWS;

fn names() -> Names {
    let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Names {
        projects: list(&["bio", "lm"]),
        programmes: list(&["fast lane"]),
        owners: list(&["Union", "NO"]),
        sites: list(&["narvik", "munich"]),
        pools: vec![(SiteId(0), "main".into()), (SiteId(1), "main".into())],
    }
}

fn job(number: u64) -> JobRecord {
    let refused = number % 7 == 3;
    let site = (!refused).then_some(SiteId((number % 2) as u16));
    JobRecord {
        job: JobId(number),
        project: ProjectId((number % 2) as u32),
        programme: ProgrammeId(0),
        owner: OwnerId((number % 2) as u16),
        site,
        pool: site.map(|site| PoolId(site.0)),
        accelerators: (number % 64) as u32 + 1,
        held: 64,
        submitted: Instant::unix_milliseconds(1_800_000_000_000 + number as i64 * 31_000),
        started: (!refused).then_some(Instant::unix_milliseconds(1_800_000_500_000 + number as i64 * 31_000)),
        ended: None,
        attempts: 1,
        waited: Duration::milliseconds((number % 1_000_000) as i64 * 977),
        outcome: jobs::OUTCOMES[(number % 6) as usize],
        refusal: refused.then_some(Refusal::ALL[(number % 8) as usize]),
        useful: AcceleratorTime::milliseconds(i128::from(number) * 123_457),
        lost: AcceleratorTime::milliseconds(0),
        energy: Energy::joules(i128::from(number) * 1_001),
        cost: Money::microeuro(5 - i128::from(number)),
        carbon: Carbon::milligrams(i128::from(number) * 3),
    }
}

fn hour(number: i64) -> HourRecord {
    let time = |parts: i64| AcceleratorTime::milliseconds(i128::from(parts * 1_000));
    HourRecord {
        hour: Instant::unix_milliseconds(number * 3_600_000),
        site: SiteId((number % 2) as u16),
        time: TimeUse { installed: time(5), delivered: time(-1), no_work: time(6), ..TimeUse::default() },
        energy: Energy::joules(7),
        node_energy: Energy::joules(6),
        peak: Power::megawatts(230),
        cost: Money::euro(-3),
        carbon: Carbon::milligrams(1),
        running: number as u32,
        waiting: 2,
    }
}

fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn written<R: Record>(rows: impl Iterator<Item = R>) -> Vec<u8> {
    let mut writer = TableWriter::new(Vec::new(), &names()).unwrap();
    for row in rows {
        writer.write(&row).unwrap();
    }
    writer.finish().unwrap()
}

fn check<R: Record + PartialEq + std::fmt::Debug>(rows: &[R]) {
    let bytes = written(rows.iter().copied());
    let read: Result<Vec<R>, TableError> = TableReader::open(file_of(&bytes), &names()).unwrap().collect();
    assert_eq!(read.unwrap(), rows);
}

#[test]
fn tables_read_back() {
    check(&(0..30_000).map(job).collect::<Vec<_>>());
    check(&(0..9_000).map(hour).collect::<Vec<_>>());
    check::<JobRecord>(&[]);
}

#[test]
fn a_run_that_stops_and_goes_on_gives_the_same_bytes() {
    let total = GROUP_ROWS as u64 * 2 + 1_000;
    let whole = written((0..total).map(job));
    for stop in [0, 5, GROUP_ROWS as u64, GROUP_ROWS as u64 + 9] {
        let mut writer = JobsWriter::new(Vec::new(), &names()).unwrap();
        (0..stop).for_each(|number| writer.write(&job(number)).unwrap());
        let (saved, rest) = writer.save().unwrap();
        assert_eq!(rest.len() as u64, stop % GROUP_ROWS as u64);
        let mut writer = JobsWriter::resume(file_of(&saved), &rest, Vec::new(), &names()).unwrap();
        (stop..total).for_each(|number| writer.write(&job(number)).unwrap());
        assert!(writer.finish().unwrap() == whole, "stopped behind {stop} rows");
    }
}

#[test]
fn what_does_not_belong_is_named() {
    let bytes = written((0..10).map(job));
    let other = TableReader::<HourRecord>::open(file_of(&bytes), &names());
    assert!(matches!(other, Err(TableError::Columnar(ColumnarError::NoColumn { column: "hour" }))));
    let fewer = Names { projects: vec!["bio".into()], ..names() };
    let second = TableReader::<JobRecord>::open(file_of(&bytes), &fewer).unwrap().nth(1).unwrap();
    assert_eq!(
        second.unwrap_err().to_string(),
        "row 2, column `project`: the value fits nothing in this federation"
    );
    let twice = Names { owners: vec!["NO".into(), "NO".into()], ..names() };
    assert!(matches!(JobsWriter::new(Vec::new(), &twice), Err(TableError::NameTwice { .. })));
}

#[test]
fn every_outcome_stands_at_the_place_of_its_number() {
    for (place, outcome) in jobs::OUTCOMES.into_iter().enumerate() {
        assert_eq!(outcome as usize, place);
    }
    assert_eq!(jobs::OUTCOMES.last(), Some(&Outcome::Failed));
}

/// Of three row groups, whose jobs end one after the other, those come that a window touches, and no row is misnumbered.
#[test]
fn groups_without_a_job_of_the_window_are_left_out() {
    let at = |number: u64| Instant::unix_milliseconds(number as i64 * 1_000);
    let row = |number: u64| JobRecord {
        started: Some(at(number)),
        ended: Some(at(number + 10)),
        ..job(number * 7)
    };
    let group = GROUP_ROWS as u64;
    let bytes = written((0..3 * group).map(row));
    let numbers = |begin: u64, end: u64| {
        let reader = TableReader::<JobRecord>::open(file_of(&bytes), &names()).unwrap();
        let rows = reader.leave_out_of(at(begin), at(end)).unwrap().map(|row| row.unwrap().job.0 / 7);
        rows.collect::<Vec<_>>()
    };
    assert_eq!(numbers(group + 50, group + 60), (group..2 * group).collect::<Vec<_>>());
    assert_eq!(numbers(group, group + 1), (0..2 * group).collect::<Vec<_>>(), "ten of the first still ran");
    assert!(numbers(3 * group + 10, 4 * group).is_empty(), "the last had ended");
    let other = Names { projects: vec!["bio".into()], ..names() };
    let reader = TableReader::<JobRecord>::open(file_of(&bytes), &other).unwrap();
    let first = reader.leave_out_of(at(group + 50), at(group + 60)).unwrap().find_map(Result::err).unwrap();
    assert!(first.to_string().starts_with(&format!("row {}, column `project`", group + 2)), "{first}");
}
