use giga_units::{Amount as _, Duration, Energy, Fraction, Instant};
use proptest::prelude::*;

use super::*;
use crate::description;

/// Saved from Slurm 22.05 by the script that `giga observe --dry-run` prints.
const SINFO: &str = include_str!("golden/sinfo-22.05.txt");
const SQUEUE: &str = include_str!("golden/squeue-22.05.txt");
const SACCT: &str = include_str!("golden/sacct-22.05.txt");
const SSHARE: &str = include_str!("golden/sshare-22.05.txt");
/// Written by hand as newer versions print.
const SINFO_NEW: &str = include_str!("golden/sinfo-24.05.txt");
const SACCT_NEW: &str = include_str!("golden/sacct-24.05.txt");

#[test]
fn nodes_of_22_05_are_read() {
    let read = read_nodes(SINFO).unwrap();
    let shown: Vec<_> = read.rows.iter().map(|node| (node.name.as_str(), node.usage, node.busy)).collect();
    let (up, out) = (NodeUse::Up, NodeUse::Out);
    assert_eq!(shown, [("a0", up, true), ("a1", up, true), ("a2", up, false), ("a3", out, false)]);
    assert!(read.rows.iter().all(|node| node.accelerators == 8 && node.partitions == ["giga"]));
}

#[test]
fn nodes_of_several_partitions_and_types_are_put_together() {
    let read = read_nodes(SINFO_NEW).unwrap();
    assert_eq!(read.rows.len(), 6);
    assert_eq!(read.rows[0].partitions, ["h100", "all"]);
    let pools = pools(&read.rows);
    let shown: Vec<_> = pools.iter().map(|pool| (pool.name.as_str(), pool.nodes, pool.out)).collect();
    assert_eq!(shown, [("h100-4", 2, 0), ("nvidia_a100_80gb-8", 3, 1)]);
    assert_eq!(Outline::accelerator(&pools[1]), "A100-HGX");
}

#[test]
fn the_queue_of_22_05_is_read() {
    let read = read_queue(SQUEUE).unwrap();
    assert_eq!((read.rows.len(), read.faulty, read.zoneless), (12, 0, 0));
    let count = |state| read.rows.iter().filter(|job| job.state == state).count();
    let counts = [QueueState::Runs, QueueState::Waits, QueueState::HeldBack].map(count);
    assert_eq!(counts, [3, 2, 7], "five tasks of an array, one that depends, one that was queued again");
    let long = read.rows.iter().find(|job| job.id == "58").unwrap();
    assert_eq!((long.limit, long.accelerators, long.nodes), (Some(Duration::seconds(93_840)), 16, 2));
    let unlimited = read.rows.iter().find(|job| job.id == "57").unwrap();
    assert_eq!((unlimited.limit, unlimited.start), (None, None));
}

#[test]
fn a_queue_saved_by_hand_is_read_too() {
    let text = "JOBID|STATE|NODES|TIME_LIMIT|TRES_PER_NODE|REASON\n17_[3-9:2,12%4]|PENDING|2K|30:00|gres:gpu:a:2|(Resources | x)\n";
    let read = read_queue(text).unwrap();
    let job = &read.rows[0];
    assert_eq!((job.tasks, job.nodes, job.accelerators, job.kind.as_str()), (5, 2_048, 4_096, "a"));
    assert_eq!(job.reason, "Resources | x");
}

#[test]
fn jobs_of_22_05_are_read() {
    let read = read_accounted(SACCT).unwrap();
    assert_eq!((read.rows.len(), read.faulty, read.zoneless), (58, 0, 0));
    let find = |id: &str| read.rows.iter().find(|job| job.id == id).unwrap();
    assert_eq!((find("52").became, find("53").became), (Became::Preempted, Became::Runs));
    assert_eq!((find("55").became, find("50").start), (Became::Cancelled, None));
    assert_eq!((find("57").accelerators, find("57").limit), (32, None));
    assert_eq!(find("51").became, Became::Failed);
}

#[test]
fn jobs_of_newer_versions_are_read_and_faults_are_named() {
    let read = read_accounted(SACCT_NEW).unwrap();
    let shown: Vec<_> = read.rows.iter().map(|job| (job.id.as_str(), job.tasks, job.accelerators)).collect();
    assert_eq!(shown, [("900", 1, 4), ("901+0", 1, 8), ("902_[3-9:2,12%4]", 4 + 1, 2), ("903", 1, 1)]);
    // An hour in which clocks were set back is one hour longer than they show.
    let first = &read.rows[0];
    assert_eq!(first.end.unwrap().since(first.start.unwrap()), Duration::hours(1));
    assert_eq!(first.energy, Some(Energy::joules(7_200_000)), "of the job, and not of its step again");
    assert_eq!((read.rows[1].energy, read.rows[3].energy), (None, Some(Energy::joules(1_000))));
    assert_eq!((first.kind.as_str(), read.zoneless), ("h100", 0));
    let faults: Vec<String> = read.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "line 8, `End`: it ended before it started; were the clocks set?",
            "line 9, `Submit`: `yesterday` is no time; set SLURM_TIME_FORMAT=%s, so that Slurm prints seconds since 1970",
            "line 10, `State`: `QUANTUM` is no state of a job that is known",
            "line 11, `line`: it has 5 cells where 14 are due",
        ]
    );
}

#[test]
fn times_without_a_zone_are_counted() {
    let text = "JobID|State|Submit|Start|End|AllocTRES\n1|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:00:01Z|1767225602|\n";
    let read = read_accounted(text).unwrap();
    assert_eq!((read.zoneless, read.faulty), (1, 0));
    assert_eq!(read.rows[0].end, Instant::parse("2026-01-01T00:00:02Z"));
}

#[test]
fn tables_without_what_is_needed_say_so() {
    assert_eq!(read_nodes("").unwrap_err(), Unread::NoHeader);
    let error = read_accounted("JobID|State|Submit|Start|End\n").unwrap_err().to_string();
    assert!(error.contains("no column `AllocTRES`") && error.contains("--dry-run"), "{error}");
}

#[test]
fn fair_shares_are_those_of_accounts_with_users() {
    let (shares, _) = read_shares(SSHARE).unwrap();
    let shown: Vec<_> = shares.iter().map(|(name, share)| (name.as_str(), share.as_ppm())).collect();
    assert_eq!(shown, [("bio", 330_935), ("chem", 359_712), ("physics", 309_352)]);
    let nested =
        "Account|User|RawShares|NormShares\nroot|||1.0\n eu||1|0.5\n  lm||1|0.25\n   lm|anna|1|1.0\n";
    assert_eq!(read_shares(nested).unwrap().0.keys().collect::<Vec<_>>(), ["lm"]);
}

fn outline(zone: Option<Zone>) -> Outline {
    let nodes = [SINFO_NEW.to_owned(), "x1|all|idle|gpu:4\n".to_owned()].concat();
    let part = Some(Fraction::ppm(400_000));
    let accounts = [("lm", part), ("a.b c", part), ("rest", None)];
    Outline {
        name: "north".into(),
        at: Instant::unix_milliseconds(1_795_353_842_000),
        start: Instant::unix_milliseconds(1_795_353_000_000),
        pools: pools(&read_nodes(&nodes).unwrap().rows),
        accounts: accounts.map(|(name, share)| AccountOutline { name: name.into(), share }).to_vec(),
        basis: ShareBasis::Use,
        zone,
    }
}

#[test]
fn what_is_described_can_be_read() {
    for zone in [None, Some(zone("FI", None, None).unwrap())] {
        let text = outline(zone).write();
        let read = description::read("a", &text).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
        assert_eq!((read.federation.pools.len(), read.federation.accelerators_total()), (3, 8 + 24 + 4));
        // That a price of the zone is the same in every hour is told.
        assert!(read.notes.iter().all(|note| note.starts_with("electricity: one price")), "{:?}", read.notes);
        // The defaults that stand there as comments are the defaults.
        let lines = text
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = ")).unwrap_or(line));
        let told = description::read("a", &lines.collect::<Vec<_>>().join("\n")).unwrap();
        assert_eq!(told.federation, read.federation);
    }
}

#[test]
fn zones_are_found_or_those_that_are_known_are_named() {
    assert_eq!(zone("NO4", None, None).unwrap().country, "NO");
    let error = zone("NO", None, None).unwrap_err().to_string();
    assert!(error.contains("NO4") && error.contains("--price"), "{error}");
    let (price, carbon) =
        (giga_units::EnergyPrice::parse("120 EUR/MWh"), giga_units::CarbonIntensity::parse("40 gCO2e/kWh"));
    let swiss = zone("CH", price.ok(), carbon.ok()).unwrap();
    let read = description::read("a", &outline(Some(swiss)).write()).unwrap();
    assert_eq!(read.federation.sites[0].electricity_price.written(), "12 ct/kWh");
    assert!(zone("nowhere", None, None).is_err());
}

#[test]
fn the_questions_only_read() {
    let [sinfo, squeue, sacct] = questions(&["a".into(), "b".into()], Duration::days(30));
    assert_eq!([sinfo.program, squeue.program, sacct.program], ["sinfo", "squeue", "sacct"]);
    assert_eq!(sinfo.to_string(), "sinfo --all --Node '--format=%N|%P|%T|%G' --partition=a,b");
    assert!(sacct.to_string().contains(" --starttime=now-30days "), "{sacct}");
    let short = questions(&[], Duration::hours(1))[2].to_string();
    assert!(short.contains("now-3600seconds") && !short.contains("--partition"), "{short}");
}

/// Cells such as Slurm prints, and such as it does not.
fn cell() -> impl Strategy<Value = String> {
    let known = "[0-9]{1,12}|[0-9]{1,20}\\.batch|gres/gpu(:h100)?=[0-9]{1,9}|gpu:[0-9]{1,12}|PENDING|RUNNING|COMPLETED|\
                 UNLIMITED|Unknown|[0-9]-[0-9]{2}:[0-9]{2}|1_\\[[0-9,%:-]{0,9}\\]|2026-01-01T00:00:00|[^|\n]{0,12}";
    prop::string::string_regex(known).expect("an expression")
}

proptest! {
    #[test]
    fn whatever_stands_there_every_row_is_accounted_for(
        rows in prop::collection::vec(prop::collection::vec(cell(), 0..14), 0..20),
    ) {
        let lines: Vec<String> = rows.iter().map(|row| row.join("|")).collect();
        let body = lines.join("\n");
        let filled = lines.iter().filter(|line| !line.trim().is_empty()).count() as u64;
        let header = |text: &str| text.lines().next().expect("a header").to_owned();
        let nodes = read_nodes(&format!("{}\n{body}", header(SINFO))).unwrap();
        prop_assert!(nodes.faulty <= filled);
        let queue = read_queue(&format!("{}\n{body}", header(SQUEUE))).unwrap();
        prop_assert!(queue.rows.len() as u64 + queue.faulty <= filled);
        let jobs = read_accounted(&format!("{}\n{body}", header(SACCT))).unwrap();
        prop_assert!(jobs.rows.len() as u64 + jobs.faulty <= filled);
        prop_assert!(jobs.rows.iter().all(|job| job.end.is_none() || job.start.is_none() || job.end >= job.start));
        let _ = read_shares(&body);
    }
}
