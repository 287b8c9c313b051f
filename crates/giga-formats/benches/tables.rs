//! How fast tables are written and read on one core: a million rows of `jobs.parquet` into memory, and a million jobs of
//! our own table of work there and back.
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::hint::black_box;
use std::time::Instant as Clock;

use giga_control::record::{JobRecord, Outcome};
use giga_formats::table::{JobsWriter, Names};
use giga_formats::work::{self, ReadOptions, WorkFormat};
use giga_model::{Arrival, Ask, Asks, JobId, JobRequest, OwnerId, PoolId, ProgrammeId, ProjectId, SiteId};
use giga_units::{AcceleratorTime, Carbon, Duration, Energy, Fraction, Instant, Money};

const ROWS: u64 = 1_000_000;

fn main() {
    let many = |kind: &str, count: usize| (0..count).map(|number| format!("{kind} {number}")).collect();
    let names = Names {
        projects: many("project", 200),
        programmes: many("programme", 5),
        owners: many("owner", 12),
        sites: many("site", 3),
        pools: (0..6).map(|number| (SiteId(number / 2), format!("pool {number}"))).collect(),
    };
    let rows: Vec<JobRecord> = (0..ROWS).map(row).collect();
    for _ in 0..3 {
        let begun = Clock::now();
        let mut writer = JobsWriter::new(Vec::new(), &names).expect("memory can be written");
        rows.iter().for_each(|row| writer.write(row).expect("memory can be written"));
        let bytes = black_box(writer.finish().expect("memory can be written"));
        let seconds = begun.elapsed().as_secs_f64();
        println!("jobs.parquet: {ROWS} rows, {} bytes, {seconds:.3} s", bytes.len());
    }
    work_there_and_back(WorkFormat::Table);
    work_there_and_back(WorkFormat::TableParquet);
}

fn work_there_and_back(format: WorkFormat) {
    let projects: Vec<String> = (0..200).map(|number| format!("project {number}")).collect();
    let folder = tempfile::tempdir().expect("there is room for a file");
    let path = folder.path().join("work").with_extension(format.word());
    let begun = Clock::now();
    let mut writer = work::create(&path, &projects, &[]).expect("the file can be written");
    (0..ROWS).for_each(|number| writer.write(&arrival(number)).expect("the file can be written"));
    writer.finish().expect("the file can be written");
    let written = begun.elapsed().as_secs_f64();
    let begun = Clock::now();
    let options = ReadOptions::new(&projects, &[], Instant::unix_milliseconds(0));
    let reader = work::open(&path, Some(format), &options).expect("the file was written");
    let jobs = reader.map(|arrival| arrival.expect("the rows are sound")).map(black_box).count();
    let read = begun.elapsed().as_secs_f64();
    println!("work as {}: {jobs} jobs written in {written:.3} s, read in {read:.3} s", format.word());
}

fn arrival(number: u64) -> Arrival {
    let record = row(number);
    let ask = Ask { accelerator: None, accelerators: record.accelerators };
    Arrival {
        at: record.submitted,
        request: JobRequest {
            project: record.project,
            asks: Asks::one(ask),
            limit: Duration::hours(24),
            checkpoint: Some(Duration::hours(1)),
            draw: Fraction::ppm(800_000),
            terms: None,
        },
        runtime: record.waited + Duration::seconds(1),
    }
}

/// A row whose numbers are as irregular as those of a real run.
fn row(number: u64) -> JobRecord {
    let noise = scrambled(number);
    let pool = (noise % 6) as u16;
    let submitted = Instant::unix_milliseconds(1_800_000_000_000 + (number * 31_536 + noise % 20_000) as i64);
    let waited = Duration::milliseconds((noise % 7_200_000) as i64);
    let runtime = Duration::milliseconds((noise % 90_000_000) as i64);
    let accelerators = 1 << (noise % 8);
    let started = submitted + waited;
    JobRecord {
        job: JobId(number),
        project: ProjectId((noise % 200) as u32),
        programme: ProgrammeId((noise % 5) as u16),
        owner: OwnerId((noise % 12) as u16),
        site: Some(SiteId(pool / 2)),
        pool: Some(PoolId(pool)),
        accelerators,
        held: accelerators.max(4),
        submitted,
        started: Some(started),
        ended: Some(started + runtime),
        attempts: 1,
        waited,
        outcome: if noise.is_multiple_of(9) { Outcome::TimedOut } else { Outcome::Completed },
        refusal: None,
        useful: AcceleratorTime::of(u64::from(accelerators), runtime),
        lost: AcceleratorTime::ZERO,
        energy: Energy::joules(i128::from(noise) * 1_003),
        cost: Money::microeuro(i128::from(noise) * 17),
        carbon: Carbon::milligrams(i128::from(noise) * 5),
    }
}

/// The finalizer of SplitMix64, cut to 31 bits: figures that do not compress.
fn scrambled(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed >> 33
}
