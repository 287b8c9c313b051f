use std::io::{Cursor, Write as _};

use giga_model::{AcceleratorId, Arrival, Ask, Asks, JobRequest, ProjectId};
use giga_units::{Duration, Fraction, Instant};
use proptest::prelude::*;

use super::*;

const FROM: Instant = Instant::unix_milliseconds(1_800_000_000_000);

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn read(text: &str, format: WorkFormat, change: impl Fn(&mut ReadOptions<'_>)) -> (Vec<Arrival>, Report) {
    let (projects, accelerators) = (names(&["bio", "lm"]), names(&["GB300", "H200"]));
    let mut options = ReadOptions::new(&projects, &accelerators, FROM);
    change(&mut options);
    let mut reader = read_text(Cursor::new(text.to_owned()), format, &options).unwrap();
    let arrivals = reader.by_ref().map(Result::unwrap).collect();
    (arrivals, reader.report())
}

/// One line an arrival: seconds since the beginning, project, accelerators, limit and run time.
fn shown(arrivals: &[Arrival]) -> Vec<String> {
    let show = |arrival: &Arrival| {
        let request = &arrival.request;
        let (at, first) = (arrival.at.since(FROM).as_milliseconds(), request.asks.first());
        format!(
            "+{at} p{} {}x {} of {}",
            request.project.0, first.accelerators, arrival.runtime, request.limit
        )
    };
    arrivals.iter().map(show).collect()
}

fn check(text: &str, format: WorkFormat, expected: &[&str]) -> Report {
    let (arrivals, report) = read(text, format, |_| {});
    assert_eq!(shown(&arrivals), expected);
    let left_out = report.faults.count + report.skipped.values().sum::<u64>();
    assert_eq!(report.rows, report.jobs + left_out, "every row is a job or is accounted for");
    report
}

fn first_fault(report: &Report) -> String {
    report.faults.first.first().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn standard_workload_format() {
    let text = "; UnixStartTime: 1027839845\n; MaxProcs: 240\n\
        1 10 -1 3600 30 -1 -1 32 7200 -1 1 8 3 -1 -1 1 -1 -1\n\
        2 20 -1 -1 -1 -1 -1 4 7200 -1 5 8 3 -1 -1 1 -1 -1\n\
        3 30 -1 100 4 -1 -1 -1 60 -1 0 8 -1 -1 -1 1 -1 -1\n\
        4 40 -1 0 2 -1 -1 -1 -1 -1 1 -1 -1 -1 -1 1 -1 -1\n\
        5 50 -1 9 2 -1 -1 -1 -1 -1 3 -1 -1 -1 -1 1 -1 -1\n\
        6 60 -1 9\n";
    let expected = ["+0 p0 32x 1 h of 2 h", "+20000 p1 4x 100 s of 100 s", "+30000 p0 2x 1 s of 2 s"];
    let report = check(text, WorkFormat::Swf, &expected);
    assert_eq!(report.skipped.values().collect::<Vec<_>>(), [&1, &1]);
    assert_eq!(report.notes[report::LIMIT_RAISED], 1);
    assert_eq!(first_fault(&report), "line 8, column `line`: the line has 4 cells where 18 are due");
    let (kept, _) = read(text, WorkFormat::Swf, |options| options.dates = Dates::Kept);
    assert_eq!(kept[0].at, Instant::unix_milliseconds(1_027_839_855_000));
}

#[test]
fn sacct_tables() {
    let text = "JobID|JobName|Account|Submit|Start|End|Elapsed|Timelimit|State|AllocTRES|\n\
        7|train|lm|2026-01-02T00:00:10|x|y|1-00:00:00|2-00:00:00|COMPLETED|cpu=8,gres/gpu:h200=8,gres/gpu=8,node=1|\n\
        7.batch|batch|lm|2026-01-02T00:00:10|x|y|1-00:00:00||COMPLETED|cpu=8|\n\
        5|a|other|2026-01-02T00:00:00|x|y|00:10:00|UNLIMITED|TIMEOUT|gres/gpu:H200=4|\n\
        8|w|lm|2026-01-02T00:00:11|Unknown|Unknown|00:00:00|01:00:00|PENDING||\n\
        9|c|lm|2026-01-02T00:00:12|Unknown|x|00:00:00|01:00:00|CANCELLED by 12||\n\
        10|c|lm|2026-01-02T00:00:12|x|x|00:00:01|01:00:00|COMPLETED|cpu=4|\n\
        11|a|lm|sometime|x|x|00:00:01|01:00:00|COMPLETED|gres/gpu=1|\n\
        12|a|b|c|lm|2026-01-02T00:00:12|x|x|00:00:01|01:00:00|COMPLETED|gres/gpu=1|\n";
    let report = check(text, WorkFormat::Sacct, &["+0 p0 4x 10 min of 20 min", "+10000 p1 8x 1 d of 2 d"]);
    let skipped: Vec<_> = report.skipped.keys().map(|skip| skip.word()).collect();
    assert_eq!(skipped, ["never ran", "had not ended", "steps of jobs", "without accelerators"]);
    assert_eq!(report.faults.by_cause.keys().collect::<Vec<_>>(), [&"not a time", &"wrong number of cells"]);
    let (arrivals, _) = read(text, WorkFormat::Sacct, |_| {});
    assert_eq!(arrivals[0].request.asks.first().accelerator, Some(AcceleratorId(1)));
    assert_eq!(arrivals[1].request.asks.first().accelerator, None, "names differ in case");
}

#[test]
fn sacct_tables_of_few_columns() {
    let text = "JobIDRaw|JobID|Submit|ElapsedRaw|TimelimitRaw|NNodes\n1|1|1767312000|60|5|3\n";
    check(text, WorkFormat::Sacct, &["+0 p0 3x 1 min of 5 min"]);
    let text =
        "JobID|Submit|Start|End|NCPUS\n1|2026-01-02T00:00:00|2026-01-02T00:01:00|2026-01-02T00:03:00|3\n";
    check(text, WorkFormat::Sacct, &["+0 p0 3x 2 min of 4 min"]);
    let projects = names(&["bio"]);
    let options = ReadOptions::new(&projects, &[], FROM);
    let no_size =
        read_text(Cursor::new("JobID|Submit|Elapsed\n"), WorkFormat::Sacct, &options).err().unwrap();
    assert_eq!(no_size.to_string(), "the header has no column `AllocTRES`; write the table again with it");
}

#[test]
fn philly_is_sorted() {
    let text = "timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-09 07:01:55,66.0,1,66.0,lm\n\
        2017-10-09 07:01:00,10.5,8,84.0,zz\n2017-10-09 07:01:00,1.0,0,0.0,zz\nbad,1.0,1,1.0,zz\n\n";
    let report =
        check(text, WorkFormat::Philly, &["+0 p0 8x 10.5 s of 21 s", "+55000 p1 1x 1.1 min of 2.2 min"]);
    assert_eq!(
        first_fault(&report),
        "line 5, column `timestamp`: `bad` is not a time; write it as `2026-12-01T06:00:00Z`"
    );
    assert_eq!(report.mapped.len(), 2);
}

#[test]
fn hours_and_tokens() {
    let text = "arrival_time,length,cpus\n0.5,4.25,128\n1.5,NaN,2\n1.5,1e300,2\n2.5,0.5,2\n";
    let report =
        check(text, WorkFormat::Hours, &["+0 p0 128x 4.25 h of 8.5 h", "+7200000 p1 2x 30 min of 1 h"]);
    assert_eq!(report.faults.by_cause["out of range"], 2);
    let text = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4800,10\r\n";
    check(text, WorkFormat::Tokens, &["+0 p0 1x 680 ms of 1.36 s"]);
}

#[test]
fn our_own_table() {
    let text = "submitted,project,accelerators,accelerator,any_of,limit,runtime,checkpoint,draw,remark\n\
        2026-12-01T06:00:00Z,lm,8,GB300,,6 h,1 h,30 min,80 %,\"a, b\"\n\
        1796104800001,bio,,,GB300:8|*:16,,1 h,,,\n\
        1796104800002,bio,4,B200,,,1 h,,,\n1796104800002,bio,4,,H200:8,,1 h,,,\n\
        1796104800002,bio,4,,,6,1 h,,,\n1796104800002,bio,4,,,,1 h,,\"80 %,\n1796104800002,bio,0,,,,1 h,,,\n";
    let report = check(text, WorkFormat::Table, &["+0 p1 8x 1 h of 6 h", "+1 p0 8x 1 h of 2 h"]);
    let causes: Vec<_> = report.faults.first.iter().map(|fault| fault.cause.word()).collect();
    assert_eq!(
        causes,
        ["unknown accelerator", "contradicting asks", "not an amount", "lone quote", "out of range"]
    );
}

#[test]
fn strict_refuses_at_the_first_fault() {
    let projects = names(&["bio"]);
    let options = ReadOptions { strict: true, ..ReadOptions::new(&projects, &[], FROM) };
    let text = "arrival_time,length,cpus\n1,1,1\n2,x,1\n3,1,1\n";
    let mut reader = read_text(Cursor::new(text), WorkFormat::Hours, &options).unwrap();
    assert!(matches!(reader.next(), Some(Err(WorkError::Strict { fault })) if fault.line == 3));
    assert!(reader.next().is_none());
}

#[test]
fn dates_that_are_not_told_can_not_be_kept() {
    let projects = names(&["bio"]);
    let options = ReadOptions { dates: Dates::Kept, ..ReadOptions::new(&projects, &[], FROM) };
    let mut reader =
        read_text(Cursor::new("arrival_time,length,cpus\n1,1,1\n"), WorkFormat::Hours, &options).unwrap();
    assert!(matches!(reader.next(), Some(Err(WorkError::NoDates))));
}

#[test]
fn a_row_a_little_too_low_is_put_right_and_one_far_too_low_is_a_fault() {
    let row = |hour: usize| format!("{hour},1,1\n");
    let rows = |hours: &mut dyn Iterator<Item = usize>| hours.map(row).collect::<String>();
    let text = format!("arrival_time,length,cpus\n{}", rows(&mut [5, 3, 4, 9].into_iter()));
    let (arrivals, report) = read(&text, WorkFormat::Hours, |_| {});
    assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
    assert_eq!((arrivals.len(), report.moved), (4, 2));
    let text = format!("arrival_time,length,cpus\n{}", rows(&mut (1..=REORDER_WINDOW + 5).chain([0, 9_999])));
    let (arrivals, report) = read(&text, WorkFormat::Hours, |_| {});
    assert_eq!(arrivals.len(), REORDER_WINDOW + 6);
    assert_eq!(report.faults.by_cause["out of order"], 1);
}

fn any_arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    let ask = (prop::option::of(0_u16..2), 1_u32..100_000)
        .prop_map(|(kind, accelerators)| Ask { accelerator: kind.map(AcceleratorId), accelerators });
    let length = || (1_i64..3_000_000_000).prop_map(Duration::milliseconds);
    let job = (0_i64..4_000_000_000_000, 0_u32..2, prop::collection::vec(ask, 1..4), length(), length());
    let rest = (prop::option::of(length()), 0_u64..=1_000_000);
    let arrival =
        (job, rest).prop_map(|((at, project, mut asks, runtime, limit), (checkpoint, draw))| Arrival {
            at: Instant::unix_milliseconds(at),
            request: JobRequest {
                project: ProjectId(project),
                asks: Asks::any_of(asks.remove(0), asks),
                limit,
                checkpoint,
                draw: Fraction::ppm(draw),
                terms: None,
            },
            runtime,
        });
    prop::collection::vec(arrival, 0..40).prop_map(|mut arrivals| {
        arrivals.sort_by_key(|arrival| arrival.at);
        arrivals
    })
}

fn round_trip(arrivals: &[Arrival], format: WorkFormat) -> Vec<Arrival> {
    let (projects, accelerators) = (names(&["bio, \"new\"", "lm"]), names(&["GB300-NVL72", "H200: HGX"]));
    let mut writer = WorkWriter::new(Vec::new(), format, &projects, &accelerators).unwrap();
    arrivals.iter().for_each(|arrival| writer.write(arrival).unwrap());
    let bytes = writer.finish().unwrap();
    let options =
        ReadOptions { dates: Dates::Kept, strict: true, ..ReadOptions::new(&projects, &accelerators, FROM) };
    let reader = match format {
        WorkFormat::TableParquet => {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes).unwrap();
            read_parquet(file, &options)
        }
        _ => read_text(Cursor::new(bytes), format, &options),
    };
    reader.unwrap().collect::<Result<_, _>>().unwrap()
}

proptest! {
    #[test]
    fn tables_read_back_what_was_written(arrivals in any_arrivals()) {
        prop_assert_eq!(&round_trip(&arrivals, WorkFormat::Table), &arrivals);
        prop_assert_eq!(&round_trip(&arrivals, WorkFormat::TableParquet), &arrivals);
    }

    #[test]
    fn no_text_makes_a_reader_panic(rows in prop::collection::vec("[-0-9eE.,|;:\" TZa-z\u{e9}]{0,60}", 0..20)) {
        let headers = [
            (WorkFormat::Swf, ""),
            (WorkFormat::Sacct, "JobID|Submit|Elapsed|NNodes"),
            (WorkFormat::Philly, "timestamp,duration,num_gpus,gpu_time,cluster"),
            (WorkFormat::Hours, "arrival_time,length,cpus"),
            (WorkFormat::Tokens, "TIMESTAMP,ContextTokens,GeneratedTokens"),
            (WorkFormat::Table, "submitted,project,runtime,accelerators"),
        ];
        for (format, header) in headers {
            let (arrivals, report) = read(&format!("{header}\n{}", rows.join("\n")), format, |_| {});
            prop_assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
            let long_enough = |arrival: &Arrival| arrival.request.limit >= arrival.runtime;
            prop_assert!(!format.is_trace() || arrivals.iter().all(long_enough));
            prop_assert_eq!(arrivals.len() as u64, report.jobs);
        }
    }
}
