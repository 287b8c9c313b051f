//! Sites whose own scheduler decides when work begins: what is handed over holds its place, and its time counts once it begins.

mod common;

use common::{hour, tell};
use giga_model::sample::{accelerator, add_site, empty};
use giga_model::{Ask, Asks, JobId, JobRequest, ProjectId, SiteId, SlurmAccess, SlurmMode};
use giga_scheduler::{Ending, Event, Explanation, Input, Interruption, Preview, Rule, Scheduler};
use giga_units::{Duration, Fraction, Instant};

fn request() -> JobRequest {
    JobRequest {
        project: ProjectId(0),
        asks: Asks::one(Ask { accelerator: None, accelerators: 4 }),
        limit: Duration::hours(2),
        checkpoint: Some(Duration::hours(1)),
        draw: Fraction::ONE,
        terms: None,
    }
}

/// A site of four accelerators whose Slurm is in this mode, with two jobs that each need all of it.
fn with(mode: SlurmMode) -> Scheduler {
    let mut federation = empty();
    add_site(&mut federation, "site", &[(accelerator("A", 1, 4), 4)]);
    federation.sites[0].slurm = Some(Box::new(SlurmAccess { mode, ..SlurmAccess::default() }));
    let mut scheduler = Scheduler::new(&federation);
    tell(&mut scheduler, 0, vec![Input::PhaseOpens { site: SiteId(0) }]);
    let submit = || Input::Submit { request: request() };
    tell(&mut scheduler, 0, vec![submit(), submit()]);
    scheduler
}

fn begun(scheduler: &mut Scheduler, at: i64, noticed: i64) -> Vec<Event> {
    tell(scheduler, noticed, vec![Input::Begun { job: JobId(0), attempt: 1, at: hour(at) }])
}

/// Since when the first job runs, until when, and whether it stands in a line of its site.
fn runs(scheduler: &Scheduler) -> (Instant, Instant, bool) {
    match scheduler.explain(JobId(0), hour(9)) {
        Explanation::Running { since, until, queued, .. } => (since, until, queued),
        other => panic!("{other:?}"),
    }
}

#[test]
fn its_time_counts_from_its_beginning() {
    let mut scheduler = with(SlurmMode::Guest);
    assert_eq!(
        runs(&scheduler),
        (hour(0), hour(2 + 24), true),
        "how long it will stand in its line is not known"
    );
    begun(&mut scheduler, 5, 6);
    assert_eq!(runs(&scheduler), (hour(5), hour(7), false));
    assert_eq!(begun(&mut scheduler, 6, 6), [], "it begins once");
}

#[test]
fn a_beginning_lies_between_the_hand_over_and_now() {
    for (at, expected) in [(-3, 0), (8, 6)] {
        let mut scheduler = with(SlurmMode::Guest);
        begun(&mut scheduler, at, 6);
        assert_eq!(runs(&scheduler).0, hour(expected), "said to be {at}");
    }
}

#[test]
fn what_never_began_has_saved_nothing() {
    let lost = |scheduler: &mut Scheduler| {
        let input = Input::NodeFailed { pool: giga_model::PoolId(0), node: 0, until: hour(20) };
        let events = tell(scheduler, 6, vec![input]);
        let saved = events.iter().find_map(|event| match event {
            Event::Interrupted { cause: Interruption::Failure, saved, .. } => Some(*saved),
            _ => None,
        });
        saved.expect("it was interrupted")
    };
    let mut queued = with(SlurmMode::Guest);
    assert_eq!(lost(&mut queued), Duration::ZERO);
    let mut running = with(SlurmMode::Guest);
    begun(&mut running, 5, 5);
    assert_eq!(lost(&mut running), Duration::hours(1));
}

#[test]
fn one_that_ends_in_its_line_makes_room() {
    let mut scheduler = with(SlurmMode::Guest);
    let input = Input::Finished { job: JobId(0), attempt: 1, ending: Ending::Failed, at: hour(1) };
    let events = tell(&mut scheduler, 1, vec![input]);
    assert!(events.iter().any(|event| matches!(event, Event::Started { job: JobId(1), .. })), "{events:?}");
}

#[test]
fn where_all_is_ours_it_begins_as_it_is_handed_over() {
    let mut scheduler = with(SlurmMode::Owned);
    assert_eq!(runs(&scheduler), (hour(0), hour(2), false));
    assert_eq!(begun(&mut scheduler, 1, 1), []);
}

#[test]
fn nothing_is_placed_where_we_only_look_on() {
    let scheduler = with(SlurmMode::Observe);
    assert_eq!(scheduler.explain(JobId(0), hour(0)), Explanation::Gone);
    let preview = scheduler.preview(&request(), hour(0));
    assert!(matches!(preview, Preview::Refused { rule: Rule::NoSuchAccelerator }), "{preview:?}");
}
