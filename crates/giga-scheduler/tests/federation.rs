//! Scenes of a federation: where a job goes and when, and what happens when the grid gives less.

mod common;

use std::sync::Arc;

use common::{hour, tell};
use giga_model::sample::{accelerator, add_site, empty, programme, project};
use giga_model::{
    Ask, Asks, Assurance, Country, DataPolicy, Dataset, DatasetId, Federation, Flexibility, JobId,
    JobRequest, Leaving, Overhead, Overheads, OwnerId, ProgrammeId, ProjectId, Series, SiteId, Terms,
};
use giga_scheduler::{Event, Input, Interruption, Job, Pace, Scheduler};
use giga_units::{Bytes, Duration, EnergyPrice, Fraction, Power};

fn job(accelerators: u32, hours: i64, terms: Terms) -> JobRequest {
    JobRequest {
        project: ProjectId(0),
        asks: Asks::one(Ask { accelerator: None, accelerators }),
        limit: Duration::hours(hours),
        checkpoint: None,
        draw: Fraction::ONE,
        terms: (terms != Terms::default()).then(|| Arc::new(terms)),
    }
}

/// Sites of four nodes with one accelerator each, at these prices in EUR/MWh.
fn priced(prices: &[i64]) -> Federation {
    let mut federation = empty();
    for (index, price) in prices.iter().enumerate() {
        let id = add_site(&mut federation, &format!("site{index}"), &[(accelerator("A", 1, 4), 4)]);
        federation.sites[id.index()].electricity_price = EnergyPrice::microeuro_per_kwh(price * 1_000);
    }
    federation
}

fn open(federation: &Federation) -> Scheduler {
    let mut scheduler = Scheduler::new(federation);
    let sites = (0..federation.sites.len()).map(|site| Input::PhaseOpens { site: SiteId::at(site) });
    tell(&mut scheduler, 0, sites.collect());
    scheduler
}

fn submit(scheduler: &mut Scheduler, hours: i64, request: JobRequest) -> Vec<Event> {
    tell(scheduler, hours, vec![Input::Submit { request }])
}

fn site_of(scheduler: &Scheduler, job: u64) -> SiteId {
    scheduler.state().job(JobId(job)).expect("it lives").site
}

#[test]
fn a_job_goes_where_it_costs_least_and_waiting_counts() {
    let federation = priced(&[90, 30, 60]);
    let mut scheduler = open(&federation);
    for expected in [1, 2, 0] {
        let next = scheduler.state().next_job().0;
        submit(&mut scheduler, 0, job(4, 10, Terms::default()));
        assert_eq!(site_of(&scheduler, next), SiteId(expected), "the cheapest that is free");
    }
    // All are full, and all would be so for ten hours: the cheapest again.
    submit(&mut scheduler, 0, job(4, 10, Terms::default()));
    assert_eq!(site_of(&scheduler, 3), SiteId(1));
    // The cheap site is behind by twenty hours now, which costs more than dear electricity.
    submit(&mut scheduler, 0, job(4, 10, Terms::default()));
    assert_eq!(site_of(&scheduler, 4), SiteId(2));
}

#[test]
fn what_waits_moves_to_where_it_can_start_and_what_ran_stays() {
    let federation = priced(&[30, 60]);
    let mut scheduler = open(&federation);
    for _ in 0..4 {
        submit(&mut scheduler, 0, job(4, 10, Terms::default()));
    }
    assert_eq!([0, 1, 2, 3].map(|job| site_of(&scheduler, job).0), [0, 1, 0, 1]);
    // Both sites have a first in the line; a fifth job stands behind the one at the cheap site.
    submit(&mut scheduler, 0, job(4, 10, Terms::default()));
    assert_eq!(site_of(&scheduler, 4), SiteId(0));
    for job in [1, 3] {
        let attempt = 1;
        let ending = giga_scheduler::Ending::Completed;
        tell(&mut scheduler, 1, vec![Input::Finished { job: JobId(job), attempt, ending, at: hour(1) }]);
    }
    let events = tell(&mut scheduler, 1, vec![Input::HourTurns]);
    let moved: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Rebound { job, site, saves } => Some((job.0, site.0, saves.as_microeuro() > 0)),
            _ => None,
        })
        .collect();
    assert_eq!(
        moved,
        [(2, 1, true)],
        "one job of a project is looked at, the first in the line as any other"
    );
    tell(&mut scheduler, 1, vec![Input::Drain { site: SiteId(0) }]);
    tell(&mut scheduler, 2, vec![Input::HourTurns]);
    assert_eq!([0, 2, 4].map(|job| site_of(&scheduler, job).0), [0, 1, 1], "what runs stays");
}

#[test]
fn flexible_work_takes_the_cheap_hours_before_its_deadline() {
    let mut federation = priced(&[50]);
    let night = (0..24).map(|hour| if (2..5).contains(&hour) { 10_000 } else { 80_000 }).collect();
    federation.sites[0].price_series = Series::new(hour(0), Duration::hours(1), night);
    let mut scheduler = open(&federation);
    let by = |deadline| Terms { deadline: Some(hour(deadline)), ..Terms::default() };
    let events = submit(&mut scheduler, 0, job(1, 3, by(12)));
    assert!(events.contains(&Event::Deferred { job: JobId(0), until: hour(2) }), "{events:?}");
    // Too little time until the night: it starts at once.
    let events = submit(&mut scheduler, 0, job(1, 3, by(3)));
    assert!(events.iter().any(|event| matches!(event, Event::Started { job: JobId(1), .. })), "{events:?}");
    let events = tell(&mut scheduler, 2, vec![Input::HourTurns]);
    assert!(events.iter().any(|event| matches!(event, Event::Started { job: JobId(0), .. })), "{events:?}");
}

#[test]
fn data_is_read_only_where_its_holder_allows() {
    let mut federation = priced(&[30, 90]);
    federation.sites[1].country = Country::parse("DE").expect("two letters");
    let lowest = Assurance::LOWEST;
    let policy = DataPolicy {
        countries: Vec::new(),
        sites: Vec::new(),
        may_leave: Leaving::Derived,
        assurance: lowest,
    };
    let (size, places) = (Bytes::gigabytes(10), vec![SiteId(1)]);
    federation.datasets =
        vec![Dataset { name: "scans".into(), holder: "clinic".into(), size, places, policy }];
    let mut scheduler = open(&federation);
    let reads = |leaving| Terms { data: vec![DatasetId(0)], leaving, ..Terms::default() };
    submit(&mut scheduler, 0, job(1, 1, reads(Leaving::Derived)));
    assert_eq!(site_of(&scheduler, 0), SiteId(1), "the dear site holds the data, which may not leave");
    let events = submit(&mut scheduler, 0, job(1, 1, reads(Leaving::Everything)));
    assert!(matches!(events[0], Event::Refused { .. }), "{events:?}");
}

/// A building that draws so many hundredths of what its nodes draw, and 200 W beside, in each of these hours.
fn housed(hundredths: &[u64]) -> Federation {
    let line = |&factor| Overhead { base: Power::watts(200), factor: Fraction::ppm(factor * 10_000) };
    let mut federation = priced(&[30]);
    let lines: Vec<_> = hundredths.iter().map(line).collect();
    let site = &mut federation.sites[0];
    site.overheads = Overheads::new(hour(0), Duration::hours(1), &lines).map(Arc::new);
    // For all of it in an hour of 125 hundredths, and no more.
    site.phases[0].power = Power::watts(10_200);
    site.flexibility.suspends = true;
    federation
}

#[test]
fn a_hot_hour_leaves_less_for_computing() {
    let federation = housed(&[125, 125, 160, 110, 125]);
    let mut scheduler = open(&federation);
    (0..4).for_each(|_| _ = submit(&mut scheduler, 0, job(1, 20, Terms::default())));
    let site = SiteId(0);
    assert_eq!(
        (paces(&scheduler), scheduler.state().headroom(site)),
        (vec!["full".to_owned(); 4], Power::watts(4_000))
    );
    assert_eq!(
        tell(&mut scheduler, 1, vec![Input::HourTurns]),
        [],
        "another hour with the same weather is no news"
    );
    let events = tell(&mut scheduler, 2, vec![Input::HourTurns]);
    let overhead = Overhead { base: Power::watts(200), factor: Fraction::ppm(1_600_000) };
    assert_eq!(events[0], Event::Housed { site, overhead });
    // 10 kW over 1.6 are 6,250 W, of which idle nodes draw 4 kW.
    assert_eq!(scheduler.state().headroom(site), Power::watts(2_250));
    assert_eq!(paces(&scheduler).iter().filter(|pace| *pace == "stands").count(), 2);
    // In the hot hour the grid gives less as well: what idles draws 6.6 kW then.
    let (power, until) = (Power::watts(6_500), hour(4));
    let events = tell(&mut scheduler, 2, vec![Input::LimitFalls { site, power, until }]);
    assert!(events.contains(&Event::Short { site, missing: Power::watts(100) }), "{events:?}");
    assert_eq!(paces(&scheduler), ["stands"; 4]);
    // It is cool, and still limited: 6.3 kW over 1.1.
    tell(&mut scheduler, 3, vec![Input::HourTurns]);
    assert_eq!(scheduler.state().headroom(site), Power::milliwatts(1_727_272));
    assert_eq!(paces(&scheduler).iter().filter(|pace| *pace == "full").count(), 1);
    tell(&mut scheduler, 4, vec![Input::HourTurns, Input::LimitEnds { site }]);
    assert_eq!(paces(&scheduler), ["full"; 4]);
}

#[test]
fn work_goes_where_cooling_takes_least() {
    let mut federation = priced(&[30, 31]);
    let lines = [150, 110].map(|hundredths| Overhead::of_factor(Fraction::ppm(hundredths * 10_000)));
    for (site, line) in federation.sites.iter_mut().zip(lines) {
        site.overheads = Overheads::new(hour(0), Duration::hours(1), &[line]).map(Arc::new);
        site.phases[0].power = Power::watts(20_000);
    }
    let mut scheduler = open(&federation);
    submit(&mut scheduler, 0, job(1, 10, Terms::default()));
    assert_eq!(site_of(&scheduler, 0), SiteId(1), "its electricity is dearer, and it needs less of it");
}

/// Four accelerators of 1 kW above 4 kW idle; one job of a protected programme and three others run, of which one saves itself.
fn under_load(flexibility: Flexibility) -> (Federation, Scheduler) {
    let mut federation = priced(&[30]);
    federation.sites[0].flexibility = flexibility;
    federation.programmes.push(giga_model::Programme { protected: true, ..programme("urgent") });
    federation.projects.push(project("urgent", ProgrammeId(1), OwnerId(0)));
    let mut scheduler = open(&federation);
    submit(&mut scheduler, 0, JobRequest { project: ProjectId(1), ..job(1, 20, Terms::default()) });
    let saves = Some(Duration::hours(1));
    submit(&mut scheduler, 0, JobRequest { checkpoint: saves, ..job(1, 20, Terms::default()) });
    submit(&mut scheduler, 0, job(1, 20, Terms::default()));
    submit(&mut scheduler, 0, job(1, 20, Terms::default()));
    (federation, scheduler)
}

fn limit(scheduler: &mut Scheduler, hours: i64, watts: u64) -> Vec<Event> {
    let (power, until) = (Power::watts(watts), hour(hours + 2));
    tell(scheduler, hours, vec![Input::LimitFalls { site: SiteId(0), power, until }])
}

fn paces(scheduler: &Scheduler) -> Vec<String> {
    let told = |job: &Job| match job.run().map(|run| run.pace) {
        None => "waits".to_owned(),
        Some(Pace::Full) => "full".to_owned(),
        Some(Pace::Capped { .. }) => "capped".to_owned(),
        Some(Pace::Suspended) => "stands".to_owned(),
    };
    scheduler.state().jobs().map(told).collect()
}

#[test]
fn caps_come_first_then_suspension_and_protected_work_last() {
    let caps =
        Flexibility { cap_power: Fraction::ppm(500_000), cap_speed: Fraction::ppm(900_000), suspends: true };
    let (_, mut scheduler) = under_load(caps);
    // Half a kilowatt too much: one cap is enough.
    limit(&mut scheduler, 5, 7_500);
    assert_eq!(paces(&scheduler).iter().filter(|pace| *pace == "capped").count(), 1);
    assert_eq!(paces(&scheduler)[0], "full", "protected work is untouched");
    // All others capped would still draw 1.5 kW beside the protected one. What has just saved itself loses nothing by leaving.
    limit(&mut scheduler, 5, 5_500);
    let now = paces(&scheduler);
    assert_eq!((now[0].as_str(), now[1].as_str()), ("full", "waits"), "{now:?}");
    assert_eq!(now.iter().filter(|pace| *pace == "stands").count(), 1, "{now:?}");
    let events = limit(&mut scheduler, 5, 4_400);
    assert!(events.contains(&Event::Short { site: SiteId(0), missing: Power::watts(600) }), "{events:?}");
    assert_ne!(paces(&scheduler)[0], "full", "protected work is cut last, and that is said");
    tell(&mut scheduler, 7, vec![Input::LimitEnds { site: SiteId(0) }]);
    assert_eq!(paces(&scheduler), ["full"; 4], "all of it goes on, or starts again");
}

#[test]
fn where_nothing_can_be_slowed_what_saved_itself_goes_first() {
    let (_, mut scheduler) = under_load(Flexibility::NONE);
    let events = limit(&mut scheduler, 5, 7_000);
    let (job, cause, saved) = (JobId(1), Interruption::Grid, Duration::hours(5));
    assert!(events.contains(&Event::Interrupted { job, cause, saved }), "{events:?}");
    assert_eq!(paces(&scheduler), ["full", "waits", "full", "full"]);
}

#[test]
fn a_limit_may_be_lower_at_its_beginning() {
    let (_, mut scheduler) = under_load(Flexibility::NONE);
    let site = SiteId(0);
    let (power, until) = (Power::watts(7_000), hour(4));
    let follows = Input::LimitFollows { site, power, until };
    // Nothing is on that it could follow.
    assert_eq!(tell(&mut scheduler, 1, vec![follows.clone()]), []);
    let first = Input::LimitFalls { site, power: Power::watts(5_000), until: hour(2) };
    let events = tell(&mut scheduler, 1, vec![first.clone(), follows.clone()]);
    assert!(events.contains(&Event::Following { site, power, until }), "{events:?}");
    assert_eq!(scheduler.state().headroom(site), Power::watts(1_000));
    assert_eq!(scheduler.state().limit_behind(site), Some((power, until)));
    assert_eq!(tell(&mut scheduler, 1, vec![follows.clone()]), [], "it is known");
    let events = tell(&mut scheduler, 2, vec![Input::LimitEnds { site }]);
    assert_eq!(events[0], Event::Limited { site, power, until });
    assert_eq!(
        (scheduler.state().headroom(site), scheduler.state().limit_behind(site)),
        (Power::watts(3_000), None)
    );
    tell(&mut scheduler, 2, vec![Input::LimitEnds { site }]);
    assert_eq!(scheduler.state().limit(site), None);
    // Ended before its time, both are over; so they are where nobody looked for so long.
    for late in [2, 9] {
        let first = Input::LimitFalls { site, power: Power::watts(5_000), until: hour(3) };
        tell(&mut scheduler, 2, vec![first, follows.clone()]);
        let events = tell(&mut scheduler, late, vec![Input::LimitEnds { site }]);
        assert_eq!(events[0], Event::Unlimited { site }, "at {late}");
        assert_eq!((scheduler.state().limit(site), scheduler.state().limit_behind(site)), (None, None));
    }
}

#[test]
fn a_slowed_job_is_not_cut_off_by_its_limit() {
    let caps =
        Flexibility { cap_power: Fraction::ppm(500_000), cap_speed: Fraction::ppm(500_000), suspends: false };
    let (_, mut scheduler) = under_load(caps);
    limit(&mut scheduler, 10, 6_500);
    let slowed = scheduler.state().jobs().find(|job| job.run().is_some_and(|run| run.pace != Pace::Full));
    let run = slowed.and_then(Job::run).expect("something is capped");
    // Ten of twenty hours of work are left, at half the speed.
    assert_eq!((run.progress(hour(12)), run.release), (Duration::hours(11), hour(30)));
}

#[test]
fn a_limit_that_leaves_no_room_is_waited_for() {
    let mut scheduler = open(&priced(&[50, 5_000]));
    limit(&mut scheduler, 0, 0);
    let places = scheduler.places(&job(1, 1, Terms::default()), hour(0));
    let waits: Vec<Duration> =
        places.iter().map(|(_, cost)| cost.expect("no rule forbids it").wait).collect();
    assert_eq!(waits, [Duration::hours(2), Duration::ZERO], "until the limit ends, and no longer");
}

#[test]
fn what_a_larger_cut_makes_needless_goes_on() {
    let mut scheduler = open(&priced(&[50]));
    submit(&mut scheduler, 0, job(3, 10, Terms::default()));
    submit(&mut scheduler, 1, job(1, 10, Terms::default()));
    // Two kilowatts have to go. The job of one accelerator has the least to lose, and is not enough; with the other it is too much.
    let events = limit(&mut scheduler, 2, 6_000);
    let sent_away = events.iter().filter(|event| matches!(event, Event::Interrupted { .. })).count();
    assert_eq!((sent_away, paces(&scheduler)), (1, vec!["waits".to_owned(), "full".to_owned()]));
}
