//! Every site that a job may be thought of at: what it costs there, or which rule forbids it.

use giga_model::sample::{accelerator, add_site, empty};
use giga_model::{
    Ask, Asks, ContainerRuntime, DataPolicy, Dataset, DatasetId, Federation, JobId, JobRequest, Leaving,
    ProjectId, SiteId, Terms,
};
use giga_scheduler::{Event, Input, Rule, Scheduler};
use giga_units::{Bytes, Duration, Fraction, Instant, Money};

const NOW: Instant = Instant::unix_milliseconds(0);

/// Three sites, the last with other accelerators; data lies at the first and may be read at the first two.
fn federation() -> Federation {
    let mut federation = empty();
    for (name, kind) in [("north", "A"), ("south", "A"), ("west", "B")] {
        add_site(&mut federation, name, &[(accelerator(kind, 4, 1), 2)]);
    }
    let policy = DataPolicy {
        countries: Vec::new(),
        sites: vec![SiteId(0), SiteId(1)],
        may_leave: Leaving::Everything,
        assurance: giga_model::Assurance::level(1).expect("a level"),
    };
    let (name, holder) = ("scans".to_owned(), "clinic".to_owned());
    let (size, places) = (Bytes::gigabytes(1_000), vec![SiteId(0)]);
    federation.datasets.push(Dataset { name, holder, size, places, policy });
    federation.network.common.cost_per_terabyte = Money::euro(20);
    federation
}

fn request(accelerators: u32, data: Vec<DatasetId>) -> JobRequest {
    let terms = Terms { data, ..Terms::default() };
    JobRequest {
        project: ProjectId(0),
        asks: Asks::one(Ask { accelerator: None, accelerators }),
        limit: Duration::hours(1),
        checkpoint: None,
        draw: Fraction::ONE,
        terms: (terms != Terms::default()).then(|| terms.into()),
    }
}

fn scheduler() -> Scheduler {
    let mut scheduler = Scheduler::new(&federation());
    for site in 0..3 {
        scheduler.advance(NOW, &Input::PhaseOpens { site: SiteId(site) }, &mut Vec::new());
    }
    scheduler
}

#[test]
fn a_site_has_a_cost_or_a_rule() {
    let scheduler = scheduler();
    let places = scheduler.places(&request(1, vec![DatasetId(0)]), NOW);
    let [(_, Ok(north)), (_, Ok(south)), (_, west)] = places.as_slice() else { panic!("{places:?}") };
    assert_eq!((north.transfer, south.transfer), (Money::ZERO, Money::euro(20)));
    assert_eq!((north.wait, south.wait), (Duration::ZERO, Duration::seconds(800)), "1 TB at 10 Gbit/s");
    assert_eq!(*west, Err(Rule::DataForbids { dataset: DatasetId(0) }));

    let everywhere = |request: &JobRequest, rule: Rule| {
        let places = scheduler.places(request, NOW);
        assert_eq!(places.iter().map(|(_, place)| *place).collect::<Vec<_>>(), [Err(rule); 3]);
    };
    everywhere(&request(0, Vec::new()), Rule::NothingAsked);
    everywhere(&request(1, vec![DatasetId(7)]), Rule::UnknownDataset);
    everywhere(&request(99, Vec::new()), Rule::GangTooLarge { largest: 8 });
    let nobody = JobRequest { project: ProjectId(99), ..request(1, Vec::new()) };
    assert_eq!(scheduler.places(&nobody, NOW), []);
}

#[test]
fn a_container_runs_where_something_runs_it() {
    let terms = Terms { container: true, ..Terms::default() };
    let request = JobRequest { terms: Some(terms.into()), ..request(1, Vec::new()) };
    let rules = |federation: &Federation| {
        let places = Scheduler::new(federation).places(&request, NOW);
        places.iter().map(|(_, place)| place.err()).collect::<Vec<_>>()
    };
    let mut federation = federation();
    assert_eq!(rules(&federation), [Some(Rule::NoContainers); 3]);
    let mut scheduler = Scheduler::new(&federation);
    let mut events = Vec::new();
    scheduler.advance(NOW, &Input::Submit { request: request.clone() }, &mut events);
    assert!(
        matches!(events[..], [Event::Refused { rule: Rule::NoContainers, .. }]),
        "{events:?}: nobody takes it"
    );
    federation.sites[1].containers = Some(ContainerRuntime::Charliecloud);
    assert_eq!(rules(&federation), [Some(Rule::NoContainers), None, Some(Rule::NoContainers)]);
}

#[test]
fn a_job_that_waits_has_places_and_one_that_runs_has_none() {
    let mut scheduler = scheduler();
    for _ in 0..4 {
        let submit = Input::Submit { request: request(8, Vec::new()) };
        scheduler.advance(NOW, &submit, &mut Vec::new());
        scheduler.advance(NOW, &Input::Schedule, &mut Vec::new());
    }
    assert_eq!(scheduler.places_of(JobId(0), NOW), []);
    let places = scheduler.places_of(JobId(3), NOW);
    assert!(
        places.len() == 3
            && places.iter().all(|(_, place)| place.is_ok_and(|cost| cost.wait > Duration::ZERO))
    );
    assert_eq!(scheduler.places_of(JobId(99), NOW), []);
}
