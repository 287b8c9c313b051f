//! How fast the tables of a run are written: a million rows of `jobs.parquet`, on one core, into memory.
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::hint::black_box;
use std::time::Instant as Clock;

use giga_control::record::{JobRecord, Outcome};
use giga_formats::table::{JobsWriter, Names};
use giga_model::{JobId, OwnerId, PoolId, ProgrammeId, ProjectId, SiteId};
use giga_units::{AcceleratorTime, Carbon, Duration, Energy, Instant, Money};

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
        useful: AcceleratorTime::of(u64::from(accelerators), runtime),
        lost: AcceleratorTime::ZERO,
        energy: Energy::joules(noise * 1_003),
        cost: Money::microeuro((noise * 17) as i64),
        carbon: Carbon::milligrams(noise * 5),
    }
}

/// The finalizer of SplitMix64, cut to 31 bits: figures that do not compress.
fn scrambled(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed >> 33
}
