//! Scenes of elastic gangs: they start with what there is, take longer in proportion, and grow where nobody waits.

mod common;

use common::{hour, tell};
use giga_model::sample::{accelerator, add_site, empty, programme, project};
use giga_model::{
    Ask, Asks, JobId, JobRequest, Owner, OwnerId, PoolId, Preempt, ProgrammeId, ProjectId, SiteId,
};
use giga_scheduler::{Because, Ending, Event, Input, Interruption, Need, Preview, Run, Scheduler};
use giga_units::{Duration, Fraction, Power};
use proptest::prelude::*;

const POOL: PoolId = PoolId(0);

fn asks(asks: Asks, hours: i64) -> Input {
    let checkpoint = Some(Duration::hours(1));
    let limit = Duration::hours(hours);
    let request =
        JobRequest { project: ProjectId(0), asks, limit, checkpoint, draw: Fraction::ONE, terms: None };
    Input::Submit { request }
}

fn ask(accelerators: u32) -> Ask {
    Ask { accelerator: None, accelerators }
}

fn rigid(accelerators: u32, hours: i64) -> Input {
    asks(Asks::one(ask(accelerators)), hours)
}

/// From two accelerators to eight, ten hours with eight of them.
fn elastic() -> Input {
    asks(Asks::elastic(ask(8), 2), 10)
}

/// A site of eight nodes with an accelerator each.
fn site() -> Scheduler {
    let mut federation = empty();
    federation.programmes = vec![programme("programme")];
    federation.projects = vec![project("project", ProgrammeId(0), OwnerId(0))];
    add_site(&mut federation, "north", &[(accelerator("A", 1, 4), 8)]);
    let mut scheduler = Scheduler::new(&federation);
    tell(&mut scheduler, 0, vec![Input::PhaseOpens { site: SiteId(0) }]);
    scheduler
}

fn run(scheduler: &Scheduler, job: u64) -> Option<&Run> {
    scheduler.state().job(JobId(job)).and_then(|job| job.run())
}

fn finished(job: u64, attempt: u32, ending: Ending, at: i64) -> Input {
    Input::Finished { job: JobId(job), attempt, ending, at: hour(at) }
}

/// The sizes of an elastic gang are halves down to the least.
#[test]
fn sizes_are_halves_down_to_the_least() {
    let sizes = |most, least| -> Vec<u32> {
        Asks::elastic(ask(most), least).iter().map(|ask| ask.accelerators).collect()
    };
    assert_eq!(sizes(64, 16), [64, 32, 16]);
    assert_eq!(sizes(64, 20), [64, 32, 20]);
    assert_eq!(sizes(3, 1), [3, 1]);
    assert_eq!(sizes(5, 5), [5]);
    assert_eq!(sizes(2, 0), [2, 1]);
}

#[test]
fn it_starts_with_what_there_is_and_takes_longer() {
    let mut scheduler = site();
    tell(&mut scheduler, 0, vec![rigid(3, 4), elastic()]);
    let run = run(&scheduler, 1).expect("five nodes are free, and four of them will do");
    assert_eq!((run.need.asked, run.need.full, run.release), (4, 8, hour(20)));
    assert_eq!(run.progress(hour(6)), Duration::hours(3), "half as fast with half of the nodes");
}

#[test]
fn a_failed_node_leaves_it_the_others() {
    let mut scheduler = site();
    tell(&mut scheduler, 0, vec![elastic()]);
    let node = 2;
    let failed = Input::NodeFailed { pool: POOL, node, until: hour(100) };
    tell(&mut scheduler, 5, vec![failed]);
    let run = run(&scheduler, 0).expect("seven nodes are up, and four of them will do");
    // Half of the work is saved, the other half takes twice as long.
    assert_eq!((run.need.asked, run.release), (4, hour(15)));
}

#[test]
fn it_grows_at_the_hour_where_nobody_waits() {
    let mut scheduler = site();
    tell(&mut scheduler, 0, vec![rigid(4, 4), elastic()]);
    tell(&mut scheduler, 4, vec![finished(0, 1, Ending::Completed, 4)]);
    assert_eq!(tell(&mut scheduler, 4, vec![]), [], "only the turn of an hour lets it grow");
    let events = tell(&mut scheduler, 6, vec![Input::HourTurns]);
    let told = |event: &Event| matches!(event, Event::Leaving { cause: Interruption::Grown, .. });
    assert!(events.iter().any(told), "{events:?}");
    let events = tell(&mut scheduler, 6, vec![finished(1, 1, Ending::Cancelled, 6)]);
    let saved = Duration::hours(3);
    assert!(
        events.contains(&Event::Interrupted { job: JobId(1), cause: Interruption::Grown, saved }),
        "{events:?}"
    );
    let run = run(&scheduler, 1).expect("it starts again");
    assert_eq!((run.need.asked, run.release), (8, hour(13)), "seven hours are left with all of the nodes");
    assert_eq!(tell(&mut scheduler, 7, vec![Input::HourTurns]), [], "there is nothing more to grow to");
}

#[test]
fn it_does_not_grow_into_what_others_wait_for() {
    let mut scheduler = site();
    tell(&mut scheduler, 0, vec![rigid(4, 2), elastic(), rigid(6, 1)]);
    tell(&mut scheduler, 2, vec![finished(0, 1, Ending::Completed, 2)]);
    assert_eq!(run(&scheduler, 1).map(|run| run.need.asked), Some(4));
    let events = tell(&mut scheduler, 3, vec![Input::HourTurns]);
    assert!(!events.iter().any(|event| matches!(event, Event::Leaving { .. })), "{events:?}");
}

#[test]
fn it_does_not_grow_for_less_than_an_hour() {
    let mut scheduler = site();
    tell(&mut scheduler, 0, vec![rigid(4, 1), elastic()]);
    tell(&mut scheduler, 1, vec![finished(0, 1, Ending::Completed, 1)]);
    assert_eq!(
        tell(&mut scheduler, 19, vec![Input::HourTurns]),
        [],
        "one hour is left, and half would be saved"
    );
}

#[test]
fn a_preview_keeps_to_the_floor() {
    let mut federation = empty();
    federation.owners = ["one", "other"].map(|name| Owner { name: name.to_owned() }).to_vec();
    federation.programmes = vec![giga_model::Programme { preempt: Preempt::Never, ..programme("firm") }];
    federation.projects = vec![project("project", ProgrammeId(0), OwnerId(0))];
    add_site(&mut federation, "north", &[(accelerator("A", 1, 4), 8)]);
    federation.sites[0].shares =
        vec![(OwnerId(0), Fraction::ppm(500_000)), (OwnerId(1), Fraction::ppm(500_000))];
    let mut scheduler = Scheduler::new(&federation);
    tell(&mut scheduler, 0, vec![Input::PhaseOpens { site: SiteId(0) }]);
    let Input::Submit { request } = elastic() else { unreachable!("it is a submission") };
    let Preview::Placed { need, because, .. } = scheduler.preview(&request, hour(0)) else {
        panic!("it fits")
    };
    assert_eq!((need.asked, because), (4, Because::Due), "half of the site is its owner's");
    tell(&mut scheduler, 0, vec![Input::Submit { request }]);
    assert_eq!(run(&scheduler, 0).map(|run| run.need), Some(need));
}

proptest! {
    /// No work is lost between the two ways to count it.
    #[test]
    fn time_and_work_agree(work in 0_i64..1_000_000_000, full in 1_u32..100_000, part in 1_u32..100_000) {
        let asked = part.min(full);
        let power = Power::ZERO;
        let need = Need { pool: POOL, nodes: 1, asked, each: 1, power, full };
        let work = Duration::milliseconds(work);
        let time = need.time(work);
        prop_assert!(need.work(time) >= work);
        prop_assert!(need.work(time - Duration::milliseconds(1)) <= work);
        prop_assert!(need.time(need.work(time)) <= time);
    }
}
