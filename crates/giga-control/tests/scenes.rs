//! What the meter makes of single jobs, by hand.

use std::sync::Arc;

use giga_control::Control;
use giga_control::record::Refusal;
use giga_model::sample::{accelerator, add_site, empty};
use giga_model::{
    AcceleratorId, Ask, Asks, Assurance, DataPolicy, Dataset, DatasetId, JobId, JobRequest, Leaving, Owner,
    OwnerId, PoolId, Preempt, ProjectId, SiteId, Terms,
};
use giga_scheduler::{Ending, Input};
use giga_units::{AcceleratorTime, Bytes, Duration, Fraction, Instant};

fn ask(kind: u16, accelerators: u32) -> Ask {
    Ask { accelerator: Some(AcceleratorId(kind)), accelerators }
}

fn submit(asks: Asks) -> Input {
    let (limit, draw) = (Duration::hours(2), Fraction::ONE);
    Input::Submit {
        request: JobRequest { project: ProjectId(0), asks, limit, checkpoint: None, draw, terms: None },
    }
}

#[test]
fn another_way_counts_by_its_own_accelerators() {
    let mut federation = empty();
    add_site(&mut federation, "north", &[(accelerator("A", 8, 1), 1), (accelerator("B", 8, 1), 4)]);
    let start = Instant::unix_milliseconds(0);
    let end = start + Duration::hours(2);
    let mut control = Control::new(Arc::new(federation), start);
    let either = Asks::any_of(ask(0, 8), vec![ask(1, 30)]);
    let too_large = Asks::one(ask(0, 9));
    let inputs = [submit(Asks::one(ask(0, 8))), submit(either), submit(too_large)];
    control.advance(start, &[&[Input::PhaseOpens { site: SiteId(0) }], &inputs[..]].concat());
    let done = |job| Input::Finished { job: JobId(job), attempt: 1, ending: Ending::Completed, at: end };
    control.advance(end, &[done(0), done(1)]);
    let (summary, jobs, _) = control.finish(end);

    let hours = |accelerators| AcceleratorTime::of(accelerators, Duration::hours(2));
    assert_eq!(summary.time.delivered, hours(8 + 30));
    assert_eq!(summary.time.fragmentation, hours(2), "whole nodes hold two in excess");
    assert_eq!(summary.time.installed, hours(40));
    assert_eq!(summary.owners[0].used, hours(8 + 30));
    assert_eq!(summary.refusals, [(Refusal::GangTooLarge, 1)]);
    let second = jobs.iter().find(|row| row.job == JobId(1)).expect("a row for each job");
    assert_eq!((second.accelerators, second.held, second.useful), (30, 32, hours(30)));
}

#[test]
fn what_firm_work_holds_above_a_floor_that_shrank_is_told() {
    let mut federation = empty();
    federation.owners = ["one", "other"].map(|name| Owner { name: name.to_owned() }).to_vec();
    federation.programmes[0].preempt = Preempt::Never;
    add_site(&mut federation, "north", &[(accelerator("A", 1, 8), 8)]);
    let half = Fraction::ppm(500_000);
    federation.sites[0].shares = vec![(OwnerId(0), half), (OwnerId(1), half)];
    let hour = |hours| Instant::unix_milliseconds(0) + Duration::hours(hours);
    let mut control = Control::new(Arc::new(federation), hour(0));
    control.advance(hour(0), &[Input::PhaseOpens { site: SiteId(0) }, submit(Asks::one(ask(0, 4)))]);
    let failed = |node| Input::NodeFailed { pool: PoolId(0), node, until: hour(2) };
    control.advance(hour(1), &[failed(6), failed(7)]);
    let back = |node| Input::NodeRepaired { pool: PoolId(0), node };
    let done = Input::Finished { job: JobId(0), attempt: 1, ending: Ending::Completed, at: hour(2) };
    control.advance(hour(2), &[back(6), back(7), done]);
    let (summary, ..) = control.finish(hour(2));
    let one = AcceleratorTime::of(1, Duration::hours(1));
    let own = &summary.owners[0];
    assert_eq!((own.excess, own.borrowed), (one, one), "half of six is three, and four are held");
}

#[test]
fn every_read_of_data_is_told() {
    let mut federation = empty();
    let site = add_site(&mut federation, "north", &[(accelerator("A", 1, 8), 8)]);
    let policy = DataPolicy {
        countries: Vec::new(),
        sites: vec![site],
        may_leave: Leaving::Aggregated,
        assurance: Assurance::LOWEST,
    };
    let scans = Dataset {
        name: "scans".to_owned(),
        holder: "clinic".to_owned(),
        places: vec![site],
        size: Bytes::mebibytes(1),
        policy,
    };
    federation.datasets = vec![scans];
    let start = Instant::unix_milliseconds(0);
    let mut control = Control::new(Arc::new(federation), start);
    let reads = |leaving| {
        let Input::Submit { request } = submit(Asks::one(ask(0, 2))) else {
            unreachable!("it is a submission")
        };
        let terms = Terms { data: vec![DatasetId(0)], leaving, ..Terms::default() };
        Input::Submit { request: JobRequest { terms: Some(Arc::new(terms)), ..request } }
    };
    let inputs = [reads(Leaving::Aggregated), submit(Asks::one(ask(0, 2))), reads(Leaving::Everything)];
    control.advance(start, &[&[Input::PhaseOpens { site }], &inputs[..]].concat());
    let (summary, ..) = control.finish(start + Duration::hours(1));
    let [read] = summary.reads[..] else { panic!("{:?}", summary.reads) };
    assert_eq!((read.dataset, read.site, read.project), (DatasetId(0), site, ProjectId(0)));
    assert_eq!(
        (read.leaving, read.attempts),
        (Leaving::Aggregated, 1),
        "what the policy forbids never starts"
    );
    assert_eq!(read.held, AcceleratorTime::of(2, Duration::hours(1)));
}
