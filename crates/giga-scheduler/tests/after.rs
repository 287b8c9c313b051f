//! Jobs that come after others: they wait beside every line, start when they may, and go with those that failed them.

mod common;

use std::sync::Arc;

use common::{hour, tell};
use giga_model::image::Source;
use giga_model::sample::{accelerator, add_site, empty};
use giga_model::{Ask, Asks, JobId, JobRequest, Predecessor, ProjectId, SiteId, Terms};
use giga_scheduler::{Because, Ending, Event, Explanation, Input, Plan, Preview, Rule, Scheduler, State};
use giga_units::{Duration, Fraction};

/// Comes after these; `true` where any end will do.
fn after(before: &[(u64, bool)]) -> JobRequest {
    let after = before.iter().map(|&(job, any)| Predecessor { job: JobId(job), any }).collect();
    JobRequest {
        project: ProjectId(0),
        asks: Asks::one(Ask { accelerator: None, accelerators: 1 }),
        limit: Duration::hours(2),
        checkpoint: None,
        draw: Fraction::ONE,
        terms: Some(Arc::new(Terms { after, ..Terms::default() })),
    }
}

/// A site of four accelerators with these jobs on it.
fn with(jobs: &[&[(u64, bool)]]) -> Scheduler {
    let mut federation = empty();
    add_site(&mut federation, "site", &[(accelerator("A", 1, 4), 4)]);
    let mut scheduler = Scheduler::new(&federation);
    tell(&mut scheduler, 0, vec![Input::PhaseOpens { site: SiteId(0) }]);
    let inputs = jobs.iter().map(|before| Input::Submit { request: after(before) });
    tell(&mut scheduler, 0, inputs.collect());
    scheduler
}

fn end(scheduler: &mut Scheduler, job: u64, ending: Ending) -> Vec<String> {
    let input = Input::Finished { job: JobId(job), attempt: 1, ending, at: hour(1) };
    told(&tell(scheduler, 1, vec![input]))
}

/// What the events say of starts and ends, in their order.
fn told(events: &[Event]) -> Vec<String> {
    let word = |event: &Event| match event {
        Event::Started { job, .. } => Some(format!("start {job}")),
        Event::Ended { job, ending, .. } => Some(format!("{ending:?} {job}")),
        Event::Refused { job, rule, .. } => Some(format!("{rule:?} {job}")),
        _ => None,
    };
    events.iter().filter_map(word).collect()
}

fn because(scheduler: &Scheduler, job: u64) -> Because {
    match scheduler.explain(JobId(job), hour(0)) {
        Explanation::Waiting { because, room_at: None, .. } => because,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_job_starts_once_all_before_it_are_completed() {
    let mut scheduler = with(&[&[], &[], &[(0, false), (1, false)]]);
    assert_eq!(scheduler.state().awaiting(SiteId(0)), 1);
    assert_eq!(scheduler.state().waiting(SiteId(0)), 0, "it stands in no line");
    assert_eq!(because(&scheduler, 2), Because::After { job: JobId(0), any: false });
    assert_eq!(end(&mut scheduler, 0, Ending::Completed), ["Completed 0"]);
    assert_eq!(because(&scheduler, 2), Because::After { job: JobId(1), any: false });
    assert_eq!(end(&mut scheduler, 1, Ending::Completed), ["Completed 1", "start 2"]);
    assert_eq!(scheduler.state().awaiting(SiteId(0)), 0);
}

#[test]
fn what_comes_after_a_failure_is_cancelled_with_all_behind_it() {
    for ending in [Ending::Failed, Ending::TimedOut] {
        let mut scheduler =
            with(&[&[], &[(0, false)], &[(1, false)], &[(0, false), (1, false)], &[(1, true)]]);
        let word = format!("{ending:?} 0");
        let expected = [&word, "Cancelled 1", "Cancelled 3", "Cancelled 2", "start 4"];
        assert_eq!(end(&mut scheduler, 0, ending), expected);
    }
    // Also where somebody takes it back, before it ran or while it does.
    let mut scheduler = with(&[&[], &[(0, false)], &[(1, false)]]);
    let events = tell(&mut scheduler, 1, vec![Input::Cancel { job: JobId(1) }]);
    assert_eq!(told(&events), ["Cancelled 1", "Cancelled 2"]);
    let mut scheduler = with(&[&[], &[(0, false)]]);
    tell(&mut scheduler, 1, vec![Input::Cancel { job: JobId(0) }]);
    assert_eq!(end(&mut scheduler, 0, Ending::Cancelled), ["Cancelled 0", "Cancelled 1"]);
}

#[test]
fn a_chain_of_any_length_falls_at_once() {
    let links: Vec<[(u64, bool); 1]> = (0..20_000).map(|job| [(job, false)]).collect();
    let jobs: Vec<&[(u64, bool)]> =
        std::iter::once(&[][..]).chain(links.iter().map(|link| &link[..])).collect();
    let mut scheduler = with(&jobs);
    assert_eq!(end(&mut scheduler, 0, Ending::Failed).len(), 20_001);
    assert_eq!(scheduler.state().jobs().count(), 0);
}

#[test]
fn any_end_will_do_where_that_is_asked() {
    let mut scheduler = with(&[&[], &[(0, true)]]);
    assert_eq!(because(&scheduler, 1), Because::After { job: JobId(0), any: true });
    assert_eq!(end(&mut scheduler, 0, Ending::Failed), ["Failed 0", "start 1"]);
}

#[test]
fn an_interruption_is_no_end() {
    let mut scheduler = with(&[&[], &[(0, false)]]);
    let events = tell(&mut scheduler, 1, vec![Input::Lost { job: JobId(0), attempt: 1 }]);
    assert_eq!(told(&events), ["start 0"], "it begins again, and the other one waits on");
}

#[test]
fn nothing_comes_after_what_is_gone() {
    let mut scheduler = with(&[&[]]);
    end(&mut scheduler, 0, Ending::Failed);
    let events = tell(&mut scheduler, 1, vec![Input::Submit { request: after(&[(0, false)]) }]);
    assert_eq!(told(&events), ["PredecessorOver { job: JobId(0) } 1"]);
    let events = tell(&mut scheduler, 1, vec![Input::Submit { request: after(&[(9, true)]) }]);
    assert_eq!(told(&events), ["PredecessorOver { job: JobId(9) } 2"], "nor after what never came");
}

#[test]
fn a_plan_says_what_it_would_wait_for() {
    let scheduler = with(&[&[]]);
    let preview = scheduler.preview(&after(&[(0, false)]), hour(0));
    let because = Because::After { job: JobId(0), any: false };
    assert!(
        matches!(&preview, Preview::Placed { because: found, room_at: None, .. } if *found == because),
        "{preview:?}"
    );
    let gone = scheduler.preview(&after(&[(7, false)]), hour(0));
    assert!(matches!(gone, Preview::Refused { rule: Rule::PredecessorOver { job: JobId(7) } }), "{gone:?}");
}

#[test]
fn the_image_knows_who_waits_for_whom() {
    let scheduler = with(&[&[], &[(0, false)], &[(1, true)]]);
    let mut bytes = Vec::new();
    scheduler.state().write_image(&mut bytes);
    let plan: &Plan = scheduler.plan();
    let state = State::read_image(plan, &mut Source::new(&bytes)).expect("its own image");
    let mut again = Scheduler::with_state(Arc::new(plan.clone()), state);
    assert_eq!(again.state().awaiting(SiteId(0)), 2);
    assert_eq!(end(&mut again, 0, Ending::Failed), ["Failed 0", "Cancelled 1", "start 2"]);
}
