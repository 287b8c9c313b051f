use giga_formats::description::{self, Description};
use giga_formats::observe::{
    AccountUse, Lost, Observation, SpanFigures, read_accounted, read_nodes, read_queue, read_shares, zone,
};
use giga_model::Federation;
use giga_units::{AcceleratorTime, Duration, Energy, Fraction, Instant};

use super::*;

const ACCOUNTED: &str = "JobID|Account|Partition|State|Submit|Eligible|Start|End|TimelimitRaw|NNodes|AllocTRES|ConsumedEnergyRaw\n";
const QUEUE: &str =
    "JOBID|STATE|ACCOUNT|PARTITION|NODES|TRES_ALLOC|TIME_LIMIT|TIME|START_TIME|SUBMIT_TIME|PRIORITY|REASON\n";
const NODES: &str = "NODELIST|PARTITION|STATE|GRES\n";

/// A cluster that was asked a thousand seconds after its beginning.
fn seen(nodes: &str, queue: &str, jobs: &str) -> Observation {
    Observation {
        cluster: "a".into(),
        at: Instant::unix_milliseconds(1_001_000_000),
        since: Instant::unix_milliseconds(1_000_000_000),
        nodes: read_nodes(&format!("{NODES}{nodes}")).unwrap().rows,
        queue: Some(read_queue(&format!("{QUEUE}{queue}")).unwrap().rows),
        jobs: Some(read_accounted(&format!("{ACCOUNTED}{jobs}")).unwrap().rows),
        shares: Default::default(),
    }
}

fn described(seen: &Observation, span: &SpanFigures) -> Description {
    let text = outline(seen, Some(span), zone("FI", None, None).ok()).write();
    description::read("a", &text).unwrap_or_else(|faults| panic!("{faults}\n{text}"))
}

fn seconds(count: i128) -> AcceleratorTime {
    AcceleratorTime::milliseconds(count * 1_000)
}

const TWO_NODES: &str = "n0|p*|mixed|gpu:8\nn1|p*|idle|gpu:8\n";

#[test]
fn a_cluster_of_22_05_adds_up_as_a_count_by_hand() {
    let golden = |name: &str| {
        let path =
            format!("{}/../giga-formats/src/observe/golden/{name}-22.05.txt", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    };
    let mut seen = Observation {
        cluster: "a".into(),
        at: Instant::unix_milliseconds(1_795_353_842_000),
        since: Instant::unix_milliseconds(1_795_353_842_000) - Duration::days(30),
        nodes: read_nodes(&golden("sinfo")).unwrap().rows,
        queue: Some(read_queue(&golden("squeue")).unwrap().rows),
        jobs: Some(read_accounted(&golden("sacct")).unwrap().rows),
        shares: read_shares(&golden("sshare")).unwrap().0,
    };
    assert_eq!(settle(&mut seen), Vec::<String>::new());
    let span = span(&seen).unwrap();
    // By awk over the same file.
    let accounts: Vec<_> = span
        .accounts
        .iter()
        .map(|AccountUse { name, runs, used, .. }| (name.as_str(), *runs, *used))
        .collect();
    assert_eq!(
        accounts,
        [("chem", 15, seconds(1_402)), ("bio", 23, seconds(872)), ("physics", 14, seconds(460))]
    );
    assert_eq!((span.runs, span.used), (52, seconds(2_734)));
    let lost: Vec<_> = span.lost.iter().map(|row| (row.lost, row.runs, row.time)).collect();
    assert_eq!(lost, [(Lost::Preempted, 1, seconds(10)), (Lost::Cancelled, 1, seconds(20))]);
    let sums = now(&seen).unwrap();
    assert_eq!((sums.running, sums.held, sums.waiting, sums.wanted, sums.held_back), (3, 12, 2, 48, 7));
    let described = described(&seen, &span).federation;
    assert_eq!(trace(&seen, &described).time, span.used, "the trace holds what was held");
    assert_eq!(
        described.sites[0].shares[0].1,
        Fraction::ppm(359_711),
        "of fair shares, where they are known"
    );
    let (starts, astray) = starts(&seen, &described);
    let shown: Vec<_> = starts.iter().map(|job| (job.id.as_str(), job.seen)).collect();
    assert_eq!((shown, astray), (vec![("57", 0), ("59", 16)], 0), "57 wants four nodes and one is drained");
    assert!(starts[1].start.unwrap()[0] >= seen.at);
}

#[test]
fn what_lay_idle_while_work_waited_is_followed_from_change_to_change() {
    // Eight of sixteen are held for 1,000 s. From 200 s to 500 s a job waits for twelve, of which eight are free.
    let jobs = "1|x|p|RUNNING|1000000|1000000|1000000|Unknown|60|1|gres/gpu=8|\n\
                2|y|p|COMPLETED|1000200|1000200|1000500|1000600|60|1|gres/gpu=4|\n\
                3|y|p|CANCELLED by 0|1000200|1000200|None|1000500|60|1|gres/gpu=8|\n\
                4|y|p|PENDING|1000000|Unknown|Unknown|Unknown|60|1|gres/gpu=8|\n";
    let mut seen = seen(TWO_NODES, "1|RUNNING|x|p|1|gres/gpu=8|1:00:00|16:40|1000000|1000000|1|None\n", jobs);
    assert_eq!(settle(&mut seen), Vec::<String>::new());
    let span = span(&seen).unwrap();
    assert_eq!(span.available, seconds(16_000));
    assert_eq!(span.used, seconds(8_000 + 400));
    assert_eq!(span.idle.all, seconds(8_000 - 400));
    assert_eq!((span.idle.while_waiting, span.idle.wanted), (seconds(2_400), seconds(2_400)));
    assert_eq!(span.waits[1].quantile(50).floor_to(Duration::seconds(1)), Duration::ZERO);
    assert_eq!(span.waits[1].count(), 2, "those that ran");
}

#[test]
fn runs_that_began_before_the_span_come_at_its_beginning() {
    let jobs = "1|x|p|COMPLETED|999000|999000|999500|1000500|60|1|gres/gpu=8|1000\n";
    let seen = seen(TWO_NODES, "", jobs);
    let span = span(&seen).unwrap();
    let federation = described(&seen, &span).federation;
    let trace = trace(&seen, &federation);
    assert_eq!((trace.cut, trace.time, span.used), (1, seconds(4_000), seconds(4_000)));
    let arrival = &trace.arrivals[0];
    assert_eq!((arrival.at, arrival.runtime), (seen.since, Duration::seconds(500)));
    assert_eq!(arrival.request.limit, Duration::seconds(3_600 - 500));
    let energy = energies(&seen, &span, &federation, false).unwrap();
    assert_eq!(energy.measured, Energy::joules(500), "half of it lies in the span");
}

#[test]
fn energy_of_shared_nodes_is_not_taken_for_that_of_the_job() {
    let jobs = "1|x|p|COMPLETED|1000000|1000000|1000000|1000900|60|1|gres/gpu=8|3600000\n\
                2|x|p|COMPLETED|1000000|1000000|1000000|1000900|60|1|gres/gpu=2|3600000\n\
                3|x|p|COMPLETED|1000000|1000000|1000000|1000900|60|1|gres/gpu=2|\n";
    let seen = seen(TWO_NODES, "", jobs);
    let span = span(&seen).unwrap();
    let federation: Federation = described(&seen, &span).federation;
    let sums = energies(&seen, &span, &federation, true).unwrap();
    assert_eq!((sums.measured, sums.measured_runs, sums.shared_runs), (Energy::joules(3_600_000), 1, 1));
    // Four accelerators for 900 s at 250 W idle, at most 1,275 W, and 70 % between.
    assert_eq!(sums.modelled.map(Energy::as_joules), [900_000, 3_483_000, 4_590_000]);
    let low = i128::from(1_360_000) * (3_600_000 + 900_000 + sums.idle.as_joules()) / 1_000_000;
    assert_eq!(sums.meter[0].as_joules(), low);
    assert!(sums.carbon.is_some() && sums.cost.is_some());
}

#[test]
fn what_does_not_hold_together_is_put_right_and_said() {
    let check = |nodes: &str, queue: &str, jobs: &str, word: &str| {
        let mut seen = seen(nodes, queue, jobs);
        let notes = settle(&mut seen);
        assert!(notes.iter().any(|note| note.contains(word)), "{notes:?} should say `{word}`");
        seen
    };
    let runaway = "1|x|p|RUNNING|1000000|1000000|1000000|Unknown|60|1|gres/gpu=8|\n";
    let seen =
        check(TWO_NODES, "2|PENDING|x|p|1|gres/gpu=8|1:00|0:00|N/A|1000900|1|None\n", runaway, "runawayjobs");
    assert_eq!(seen.jobs.unwrap(), []);
    let untold = "1|x|p|COMPLETED|1000000|1000000|1000000|1000100|60|2|cpu=4|\n";
    let seen = check(TWO_NODES, "", untold, "AccountingStorageTRES");
    assert_eq!(seen.jobs.unwrap()[0].accelerators, 16);
    check(TWO_NODES, "", "", "PrivateData");
    let ahead = "1|x|p|COMPLETED|1000000|1000000|1000000|1007200|60|2|gres/gpu=4|\n";
    let seen = check(TWO_NODES, "", ahead, "another zone");
    assert_eq!(seen.at, Instant::unix_milliseconds(1_007_200_000));
}

#[test]
fn a_job_without_a_limit_takes_no_longer_than_the_longest_that_ended() {
    let jobs = "9|x|p|COMPLETED|1000000|1000000|1000000|1000100|UNLIMITED|2|gres/gpu=16|\n";
    let queue = "1|RUNNING|x|p|2|gres/gpu=16|UNLIMITED|0:10|1000990|1000000|1|None\n\
                 2|PENDING|y|p|1|gres/gpu=8|10:00|0:00|N/A|1000100|5|Priority\n";
    let seen = seen(TWO_NODES, queue, jobs);
    let federation = described(&seen, &span(&seen).unwrap()).federation;
    let (starts, _) = starts(&seen, &federation);
    let [_, _, latest] = starts[0].start.unwrap();
    assert!(latest <= seen.at + Duration::seconds(91), "{latest}");
    assert_eq!(trace(&seen, &federation).arrivals[0].request.limit, Duration::seconds(200));
}

#[test]
fn what_waits_starts_when_there_is_room_in_the_order_of_priority() {
    // Both nodes are held to 500 s from now at the latest; whoever has more priority goes first.
    let queue = "1|RUNNING|x|p|2|gres/gpu=16|25:00|16:40|1000000|1000000|1|None\n\
                 2|PENDING|x|p|1|gres/gpu=8|10:00|0:00|N/A|1000100|5|Priority\n\
                 3|PENDING|y|p|2|gres/gpu=16|10:00|0:00|1001900|1000200|9|Resources\n\
                 4|PENDING|y|p|1|gres/gpu=8|10:00|0:00|N/A|1000200|99|Dependency\n\
                 5|PENDING|y|p|9|gres/gpu=72|10:00|0:00|N/A|1000200|1|Resources\n";
    let seen = seen(TWO_NODES, queue, "");
    let federation = described(&seen, &span(&seen).unwrap()).federation;
    let (starts, astray) = starts(&seen, &federation);
    assert_eq!(astray, 0);
    assert_eq!(starts.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["3", "2", "5"]);
    let [first, second, never] = &starts[..] else { panic!("three wait for room") };
    let [_, median, latest] = first.start.unwrap();
    assert!(median > seen.at && latest <= seen.at + Duration::seconds(501), "{median} {latest}");
    assert!(second.start.unwrap()[0] > first.start.unwrap()[0], "two nodes are all there is");
    assert_eq!((never.start, never.seen, first.by_slurm.is_some()), (None, 0, true));
}
