//! Scenes of the scheduler that a person can follow: a few nodes, a few jobs, who starts when.

use giga_model::sample::{accelerator, add_site, empty, programme, project};
use giga_model::{
    Ask, Asks, Federation, JobId, JobRequest, Maintenance, Owner, OwnerId, Programme, ProgrammeId,
};
use giga_model::{PoolId, ProjectId, SiteId};
use giga_scheduler::{Because, Ending, Event, Explanation, Input, Preview, Rule, Scheduler};
use giga_units::{Duration, Fraction, Instant, Power};

/// A scheduler and what happened, told in short words: `0 starts on 1 node` and so on.
struct Scene {
    scheduler: Scheduler,
    hours: i64,
    told: Vec<Event>,
}

fn hour(hours: i64) -> Instant {
    Instant::unix_milliseconds(0) + Duration::hours(hours)
}

fn job(accelerators: u32, hours: i64) -> JobRequest {
    JobRequest {
        project: ProjectId(0),
        asks: Asks::one(Ask { accelerator: None, accelerators }),
        limit: Duration::hours(hours),
        checkpoint: None,
        draw: Fraction::ONE,
        terms: None,
    }
}

/// Four nodes of four accelerators, two to a rack.
fn four_nodes() -> Federation {
    let mut federation = empty();
    add_site(&mut federation, "north", &[(accelerator("A", 4, 2), 4)]);
    federation
}

impl Scene {
    fn of(federation: &Federation) -> Self {
        let mut scene = Self { scheduler: Scheduler::new(federation), hours: 0, told: Vec::new() };
        let sites = (0..federation.sites.len()).map(|site| Input::PhaseOpens { site: SiteId::at(site) });
        scene.at(0, sites.collect());
        scene
    }

    fn at(&mut self, hours: i64, inputs: Vec<Input>) -> Vec<String> {
        self.hours = hours;
        self.told.clear();
        for input in inputs.iter().chain([&Input::Schedule]) {
            self.scheduler.advance(hour(hours), input, &mut self.told);
        }
        self.told.iter().filter_map(told).collect()
    }

    fn submit(&mut self, hours: i64, requests: Vec<JobRequest>) -> Vec<String> {
        self.at(hours, requests.into_iter().map(|request| Input::Submit { request }).collect())
    }

    fn finish(&mut self, hours: i64, job: u64) -> Vec<String> {
        self.end(hours, job, Ending::Completed)
    }

    fn end(&mut self, hours: i64, job: u64, ending: Ending) -> Vec<String> {
        let attempt = self.scheduler.state().job(JobId(job)).expect("a live job").attempts;
        self.at(hours, vec![Input::Finished { job: JobId(job), attempt, ending, at: hour(hours) }])
    }

    fn lose(&mut self, hours: i64, job: u64, attempt: u32) -> Vec<String> {
        self.at(hours, vec![Input::Lost { job: JobId(job), attempt }])
    }

    fn cancel(&mut self, hours: i64, job: u64) -> Vec<String> {
        self.at(hours, vec![Input::Cancel { job: JobId(job) }])
    }

    fn explain(&self, job: u64) -> Explanation {
        self.scheduler.explain(JobId(job), hour(self.hours))
    }
}

fn told(event: &Event) -> Option<String> {
    match event {
        Event::Started { job, need, pieces, .. } => {
            let words: Vec<String> =
                pieces.iter().map(|piece| format!("{}:{:b}", piece.word, piece.mask)).collect();
            Some(format!("{job} starts on {}x{} at {}", need.nodes, need.each, words.join(" ")))
        }
        Event::Refused { job, rule, .. } => Some(format!("{job} is refused: {rule}")),
        Event::Interrupted { job, saved, .. } => Some(format!("{job} is interrupted, {saved} saved")),
        Event::Stopping { job } => Some(format!("{job} is told to stop")),
        Event::Ended { job, ending, .. } if *ending != Ending::Completed => {
            Some(format!("{job} ends: {ending:?}"))
        }
        _ => None,
    }
}

#[test]
fn a_short_job_fills_in_and_a_long_one_waits() {
    let mut scene = Scene::of(&four_nodes());
    assert_eq!(scene.submit(0, vec![job(12, 10)]), ["0 starts on 3x4 at 0:11 1:1"]);
    let fills_in = scene.submit(1, vec![job(16, 5), job(4, 9), job(4, 10)]);
    assert_eq!(
        fills_in,
        ["2 starts on 1x4 at 1:10"],
        "it ends at hour 10, when the first in the line can start"
    );
    let first = Because::Nodes { pool: PoolId(0), needed: 4, free: 0 };
    let waits = |because| Explanation::Waiting { because, first: JobId(1), room_at: Some(hour(10)) };
    assert_eq!(scene.explain(1), waits(first));
    assert_eq!(scene.finish(5, 0), [""; 0], "job 3 would end at hour 15 and delay job 1");
    assert_eq!(
        scene.explain(3),
        Explanation::Waiting {
            because: Because::Reserved { at: hour(10) },
            first: JobId(1),
            room_at: Some(hour(5) + Duration::milliseconds(1)),
        }
    );
    assert_eq!(scene.finish(6, 2), ["1 starts on 4x4 at 0:11 1:11"]);
}

#[test]
fn power_holds_back_what_nodes_would_not() {
    let mut federation = four_nodes();
    let site = &mut federation.sites[0];
    // 4 kW idle; each accelerator adds 1 kW: there is power for ten.
    site.phases[0].power = Power::watts(14_000);
    site.oversubscribed = true;
    let mut scene = Scene::of(&federation);
    assert_eq!(scene.submit(0, vec![job(8, 4), job(4, 4)]), ["0 starts on 2x4 at 0:11"]);
    let (needed, free) = (Power::watts(4_000), Power::watts(2_000));
    assert!(
        matches!(scene.explain(1), Explanation::Waiting { because: Because::Power { needed: n, free: f }, .. }
        if n == needed && f == free)
    );
    assert_eq!(scene.submit(1, vec![job(2, 3)]), ["2 starts on 1x2 at 1:1"], "two fit into what is left");
    assert_eq!(scene.submit(1, vec![job(1, 9)]), [""; 0]);
}

#[test]
fn parts_share_nodes_and_leave_racks_whole() {
    let mut scene = Scene::of(&four_nodes());
    let parts = scene.submit(0, vec![job(3, 1), job(1, 1), job(2, 1), job(8, 1)]);
    assert_eq!(
        parts,
        [
            "0 starts on 1x3 at 0:1",
            "1 starts on 1x1 at 0:1",
            "2 starts on 1x2 at 0:10",
            "3 starts on 2x4 at 1:11"
        ]
    );
}

#[test]
fn what_can_never_run_is_refused_with_the_rule() {
    let mut federation = four_nodes();
    federation.programmes[0].limit_max = Some(Duration::days(7));
    federation.sites[0].maintenance =
        Some(Maintenance { first: hour(24), every: Duration::hours(48), length: Duration::hours(4) });
    let mut scene = Scene::of(&federation);
    let refused = scene.submit(0, vec![job(17, 1), job(0, 1), job(1, 200), job(1, 45)]);
    assert_eq!(
        refused,
        [
            "0 is refused: the largest pool it could use has 16 accelerators",
            "1 is refused: no accelerators or no time are asked for",
            "2 is refused: the programme lets in at most 1 w",
            "3 is refused: without checkpoints it must end between two maintenance windows, within 44 h",
        ]
    );
    assert!(matches!(scene.told[0], Event::Refused { rule: Rule::GangTooLarge { largest: 16 }, .. }));
}

#[test]
fn work_goes_round_a_window_or_saves_and_comes_back() {
    let mut federation = four_nodes();
    federation.sites[0].maintenance =
        Some(Maintenance { first: hour(10), every: Duration::hours(100), length: Duration::hours(4) });
    let mut scene = Scene::of(&federation);
    let saves = JobRequest { checkpoint: Some(Duration::hours(1)), ..job(4, 30) };
    assert_eq!(scene.submit(0, vec![job(4, 11), saves]), ["1 starts on 1x4 at 0:1"]);
    assert!(
        matches!(scene.explain(0), Explanation::Waiting { because: Because::Window { begin }, room_at, .. }
        if begin == hour(10) && room_at == Some(hour(14)))
    );
    let window = scene.at(10, vec![Input::MaintenanceBegins { site: SiteId(0) }]);
    assert_eq!(window, ["1 is interrupted, 10 h saved"]);
    let after = scene.at(14, vec![Input::MaintenanceEnds { site: SiteId(0) }]);
    assert_eq!(after.len(), 2, "both start: {after:?}");
}

#[test]
fn a_failure_costs_what_was_not_saved() {
    let mut scene = Scene::of(&four_nodes());
    let saves = JobRequest { checkpoint: Some(Duration::hours(2)), ..job(16, 20) };
    scene.submit(0, vec![saves]);
    let failed = Input::NodeFailed { pool: PoolId(0), node: 3, until: hour(8) };
    assert_eq!(scene.at(5, vec![failed.clone()]), ["0 is interrupted, 4 h saved"]);
    assert_eq!(scene.at(6, vec![failed]), [""; 0], "a node that is down does not fail again");
    assert_eq!(
        scene.submit(6, vec![job(4, 2), job(4, 3)]),
        ["1 starts on 1x4 at 1:1"],
        "the node is expected at 8"
    );
    let repaired = Input::NodeRepaired { pool: PoolId(0), node: 3 };
    assert_eq!(scene.at(7, vec![repaired]), [""; 0]);
    assert_eq!(scene.finish(8, 1), ["0 starts on 4x4 at 0:11 1:11"]);
}

#[test]
fn the_owner_below_its_share_goes_first() {
    let mut federation = empty();
    federation.owners = ["union", "state"].map(|name| Owner { name: name.into() }).to_vec();
    let programme = |name: &str, priority| Programme { priority, ..programme(name) };
    federation.programmes = vec![programme("open", 0), programme("urgent", 9)];
    federation.projects = vec![
        project("a", ProgrammeId(0), OwnerId(0)),
        project("b", ProgrammeId(0), OwnerId(1)),
        project("c", ProgrammeId(1), OwnerId(0)),
    ];
    add_site(&mut federation, "north", &[(accelerator("A", 4, 2), 4)]);
    federation.sites[0].shares =
        vec![(OwnerId(0), Fraction::ppm(750_000)), (OwnerId(1), Fraction::ppm(250_000))];
    let mut scene = Scene::of(&federation);
    let of = |project, count| vec![JobRequest { project: ProjectId(project), ..job(4, 10) }; count];
    let order = scene.submit(0, [of(0, 4), of(1, 4), of(2, 1)].concat());
    // The urgent one of the union first; then the state, at zero; then the union until it used three times as much.
    assert_eq!(order.iter().map(|line| &line[..1]).collect::<Vec<_>>(), ["8", "4", "0", "1"]);
}

#[test]
fn another_way_is_taken_when_the_first_is_full() {
    let mut federation = empty();
    add_site(&mut federation, "north", &[(accelerator("A", 4, 2), 1), (accelerator("B", 8, 1), 1)]);
    let mut scene = Scene::of(&federation);
    let ask = |kind, accelerators| Ask { accelerator: Some(giga_model::AcceleratorId(kind)), accelerators };
    let either = JobRequest { asks: Asks::any_of(ask(0, 4), vec![ask(1, 8)]), ..job(4, 1) };
    let starts = scene.submit(0, vec![either.clone(), either]);
    assert_eq!(starts, ["0 starts on 1x4 at 0:1", "1 starts on 1x8 at 0:1"]);
}

#[test]
fn a_job_binds_to_the_first_site_with_room() {
    let mut federation = empty();
    add_site(&mut federation, "north", &[(accelerator("A", 4, 2), 1)]);
    add_site(&mut federation, "south", &[(accelerator("A", 4, 2), 2)]);
    let mut scene = Scene::of(&federation);
    scene.submit(0, vec![job(4, 1)]);
    scene.submit(0, vec![job(4, 1)]);
    scene.submit(0, vec![job(8, 1)]);
    let site = |id| scene.scheduler.state().job(JobId(id)).map(|job| job.site);
    assert_eq!([site(0), site(1), site(2)], [Some(SiteId(0)), Some(SiteId(1)), Some(SiteId(1))]);
}

#[test]
fn a_job_waits_for_what_is_open_rather_than_for_what_opens_later() {
    let mut federation = empty();
    add_site(&mut federation, "later", &[(accelerator("A", 4, 2), 8)]);
    add_site(&mut federation, "now", &[(accelerator("A", 4, 2), 1)]);
    federation.sites[0].phases[0].opens = hour(10_000);
    let mut scene = Scene { scheduler: Scheduler::new(&federation), hours: 0, told: Vec::new() };
    scene.at(0, vec![Input::PhaseOpens { site: SiteId(1) }]);
    scene.submit(0, vec![job(4, 1), job(4, 1), job(8, 1)]);
    let site = |id| scene.scheduler.state().job(JobId(id)).map(|job| job.site);
    assert_eq!([site(0), site(1), site(2)], [Some(SiteId(1)), Some(SiteId(1)), Some(SiteId(0))]);
}

#[test]
fn what_was_taken_back_keeps_its_nodes_until_it_stopped() {
    let mut scene = Scene::of(&four_nodes());
    scene.submit(0, vec![job(16, 10), job(16, 10), job(16, 10)]);
    assert_eq!(scene.cancel(1, 2), ["2 ends: Cancelled"], "what waits is gone at once");
    assert_eq!(scene.cancel(1, 0), ["0 is told to stop"]);
    assert_eq!(scene.cancel(1, 0), [""; 0], "once is enough");
    assert_eq!(scene.end(2, 0, Ending::Failed), ["0 ends: Cancelled", "1 starts on 4x4 at 0:11 1:11"]);
    scene.cancel(3, 1);
    assert_eq!(scene.finish(3, 1), [""; 0], "its work was done before it heard of it");
}

#[test]
fn a_lost_attempt_is_made_again_but_not_for_ever() {
    let mut scene = Scene::of(&four_nodes());
    scene.submit(0, vec![job(16, 10)]);
    assert_eq!(scene.lose(1, 0, 2), [""; 0], "there is no such attempt");
    for attempt in 1..5 {
        let again = ["0 is interrupted, 0 s saved", "0 starts on 4x4 at 0:11 1:11"];
        assert_eq!(scene.lose(1, 0, attempt), again);
        assert_eq!(scene.lose(1, 0, attempt), [""; 0], "what is said of an earlier attempt is late");
    }
    assert_eq!(scene.lose(1, 0, 5), ["0 ends: Failed"]);
}

#[test]
fn an_attempt_lost_while_it_was_told_to_stop_is_not_made_again() {
    let mut scene = Scene::of(&four_nodes());
    scene.submit(0, vec![job(16, 10)]);
    scene.cancel(1, 0);
    assert_eq!(scene.lose(2, 0, 1), ["0 ends: Cancelled"]);
}

#[test]
fn a_preview_says_what_would_become_of_a_request_and_changes_nothing() {
    let mut scene = Scene::of(&four_nodes());
    let preview = |scene: &Scene, job| scene.scheduler.preview(&job, hour(scene.hours));
    let told = |preview| match preview {
        Preview::Placed { need, because, room_at, .. } => (need.nodes, because, room_at.is_some()),
        Preview::Refused { rule } => panic!("{rule}"),
    };
    assert_eq!(told(preview(&scene, job(12, 10))), (3, Because::Due, true));
    scene.submit(0, vec![job(12, 10), job(16, 5)]);
    assert_eq!(told(preview(&scene, job(4, 9))), (1, Because::Due, true), "it fits behind");
    let reserved = Because::Reserved { at: hour(10) };
    assert_eq!(told(preview(&scene, job(4, 11))), (1, reserved, true));
    let nodes = Because::Nodes { pool: PoolId(0), needed: 2, free: 1 };
    assert_eq!(told(preview(&scene, job(8, 1))), (2, nodes, true));
    let rule = Rule::GangTooLarge { largest: 16 };
    assert_eq!(preview(&scene, job(17, 1)), Preview::Refused { rule });
    assert_eq!(scene.submit(0, vec![job(4, 9)]), ["2 starts on 1x4 at 1:10"], "as it was said");
}

#[test]
fn what_an_interrupted_attempt_says_of_its_own_end_counts() {
    let mut federation = four_nodes();
    let (first, every, length) = (hour(5), Duration::hours(100), Duration::hours(2));
    federation.sites[0].maintenance = Some(Maintenance { first, every, length });
    let mut scene = Scene::of(&federation);
    let saving = JobRequest { checkpoint: Some(Duration::hours(1)), ..job(16, 10) };
    scene.submit(0, vec![saving.clone(), saving]);
    let begins = scene.at(5, vec![Input::MaintenanceBegins { site: SiteId(0) }]);
    assert_eq!(begins, ["0 is interrupted, 5 h saved"]);
    assert_eq!(scene.end(5, 0, Ending::Cancelled), [""; 0], "it was stopped, and will go on");
    assert_eq!(scene.end(6, 0, Ending::Completed), [""; 0], "an end by itself is no news here");
    assert!(scene.scheduler.state().job(JobId(0)).is_none(), "it had done its work before it heard of that");
    assert_eq!(
        scene.at(7, vec![Input::MaintenanceEnds { site: SiteId(0) }]),
        ["1 starts on 4x4 at 0:11 1:11"]
    );
}

#[test]
fn what_nobody_saw_takes_nothing_from_the_limit() {
    let mut scene = Scene::of(&four_nodes());
    let saving = JobRequest { checkpoint: Some(Duration::hours(1)), ..job(16, 10) };
    scene.submit(0, vec![saving]);
    scene.lose(30, 0, 1);
    let again = scene.scheduler.state().job(JobId(0)).expect("it is tried again");
    assert_eq!((again.limit, again.losses), (Duration::hours(10), 1));
}
