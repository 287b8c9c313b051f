//! Faults that are planted in the events are found, each by its name; sound events raise nothing.

use giga_model::sample::{accelerator, add_site, empty};
use giga_model::{Ask, Asks, JobRequest, PhaseId, ProjectId};
use giga_scheduler::{Ending, Interruption};
use giga_units::{Duration, Fraction};

use super::*;

/// One site with four nodes of four accelerators in two racks, open, with power for so many accelerators.
struct Scene {
    federation: Federation,
    linter: Linter,
}

const SITE: SiteId = SiteId(0);
const POOL: PoolId = PoolId(0);
const NOW: Instant = Instant::unix_milliseconds(7);

impl Scene {
    fn with_power_for(accelerators: u64) -> Self {
        let mut federation = empty();
        add_site(&mut federation, "north", &[(accelerator("A", 4, 2), 4)]);
        let site = &mut federation.sites[0];
        site.phases[0].power = Power::watts(4_000 + 1_000 * accelerators);
        site.oversubscribed = true;
        let linter = Linter::new(&federation);
        Self { federation, linter }.then(Event::PhaseOpened { site: SITE, phase: PhaseId(0) })
    }

    fn then(mut self, event: Event) -> Self {
        self.linter.check(&self.federation, NOW, &event);
        self
    }

    fn submitted(self, job: u64) -> Self {
        let asks = Asks::one(Ask { accelerator: None, accelerators: 1 });
        let limit = Duration::hours(1);
        let request = JobRequest {
            project: ProjectId(0),
            asks,
            limit,
            checkpoint: None,
            draw: Fraction::ONE,
            terms: None,
        };
        self.then(Event::Submitted { job: JobId(job), site: SITE, request })
    }

    /// A new job on so many accelerators of each of these nodes. Racks of two nodes have a word each.
    fn starts(self, job: u64, each: u16, nodes: &[u32]) -> Self {
        self.submitted(job).started(job, each, nodes)
    }

    fn started(self, job: u64, each: u16, nodes: &[u32]) -> Self {
        let held = u64::from(each) * nodes.len() as u64;
        let power = Power::watts(1_000).times(held);
        let need = Need {
            pool: POOL,
            nodes: nodes.len() as u32,
            asked: nodes.len() as u32 * u32::from(each),
            each,
            power,
            full: nodes.len() as u32 * u32::from(each),
        };
        let pieces = nodes.iter().map(|node| Piece { word: node / 2, mask: 1 << (node % 2) });
        let release = NOW + Duration::hours(1);
        self.then(Event::Started { job: JobId(job), attempt: 1, need, pieces: pieces.collect(), release })
    }

    fn ended(self, job: u64) -> Self {
        self.then(Event::Ended { job: JobId(job), ending: Ending::Completed, at: NOW })
    }

    fn interrupted(self, job: u64) -> Self {
        let (cause, saved) = (Interruption::Failure, Duration::ZERO);
        self.then(Event::Interrupted { job: JobId(job), cause, saved })
    }

    fn finds(self, violations: &[Violation]) {
        assert_eq!(self.linter.first, violations);
        assert_eq!(self.linter.count, violations.len() as u64);
    }
}

fn whole() -> Scene {
    Scene::with_power_for(16)
}

fn not_free(job: u64) -> Violation {
    Violation::NotFree { at: NOW, job: JobId(job) }
}

fn not_waiting(job: u64) -> Violation {
    Violation::NotWaiting { at: NOW, job: JobId(job) }
}

#[test]
fn sound_events_raise_nothing() {
    whole()
        .starts(0, 4, &[0, 1])
        .starts(1, 3, &[2])
        .starts(2, 1, &[2])
        .ended(0)
        .starts(3, 4, &[1, 3])
        .interrupted(3)
        .started(3, 4, &[0, 1])
        .finds(&[]);
}

#[test]
fn two_jobs_on_one_accelerator() {
    whole().starts(0, 4, &[0, 1]).starts(1, 4, &[1, 2]).finds(&[not_free(1)]);
    whole().starts(0, 3, &[0]).starts(1, 2, &[0]).finds(&[not_free(1)]);
    whole().starts(0, 4, &[3, 3]).finds(&[not_free(0)]);
}

#[test]
fn a_job_on_fewer_nodes_than_it_needs() {
    let need = Need { pool: POOL, nodes: 2, asked: 8, each: 4, power: Power::watts(8_000), full: 8 };
    let pieces = Arc::new([Piece { word: 0, mask: 1 }]);
    let event = Event::Started { job: JobId(0), attempt: 1, need, pieces, release: NOW };
    whole().submitted(0).then(event).finds(&[not_free(0)]);
}

#[test]
fn a_job_on_a_node_that_is_down_or_does_not_exist() {
    let down = Event::NodeDown { pool: POOL, node: 2, until: NOW };
    let up = Event::NodeUp { pool: POOL, node: 2 };
    whole().then(down.clone()).starts(0, 4, &[2]).finds(&[not_free(0)]);
    whole().then(down).then(up).starts(0, 4, &[2]).finds(&[]);
    whole().starts(0, 4, &[4]).finds(&[not_free(0)]);
    whole().starts(0, 4, &[400]).finds(&[not_free(0)]);
}

#[test]
fn a_job_on_nodes_that_are_not_open_yet() {
    let mut scene = whole();
    scene.linter = Linter::new(&scene.federation);
    let (drawn, envelope) = (Power::watts(4_000), Power::ZERO);
    let power = Violation::Power { at: NOW, site: SITE, drawn, envelope };
    scene.starts(0, 4, &[0]).finds(&[not_free(0), power]);
}

#[test]
fn more_power_than_the_envelope() {
    let power = |drawn| {
        let (drawn, envelope) = (Power::watts(drawn), Power::watts(6_000));
        Violation::Power { at: NOW, site: SITE, drawn, envelope }
    };
    let scene = || Scene::with_power_for(6);
    scene().starts(0, 3, &[0]).starts(1, 3, &[1]).finds(&[]);
    scene().starts(0, 3, &[0]).starts(1, 4, &[1]).finds(&[power(7_000)]);
    scene().starts(0, 3, &[0]).ended(0).starts(1, 4, &[1]).finds(&[]);
}

#[test]
fn a_start_during_maintenance() {
    let closed = Violation::Closed { at: NOW, job: JobId(0) };
    let close = Event::Closed { site: SITE, until: NOW };
    whole().then(close.clone()).starts(0, 4, &[0]).finds(&[closed]);
    whole().then(close).then(Event::Opened { site: SITE }).starts(0, 4, &[0]).finds(&[]);
}

#[test]
fn a_job_that_does_not_wait() {
    whole().starts(0, 4, &[0]).started(0, 4, &[1]).finds(&[not_waiting(0)]);
    whole().started(0, 4, &[0]).finds(&[not_waiting(0)]);
    whole().starts(0, 4, &[0]).ended(0).started(0, 4, &[0]).finds(&[not_waiting(0)]);
    whole().submitted(0).submitted(0).finds(&[not_waiting(0)]);
}

#[test]
fn only_the_first_violations_are_kept_in_full() {
    let scene = (0..100).fold(whole(), |scene, job| scene.started(job, 1, &[0]).interrupted(job));
    // None of them waited; all but four lack the accelerator, all but sixteen the power.
    assert_eq!((scene.linter.count, scene.linter.first.len()), (100 + 96 + 84, KEPT));
}

#[test]
fn a_window_that_nobody_announced_is_known_all_the_same() {
    let mut scene = Scene::with_power_for(16);
    let (every, length) = (Duration::hours(100), Duration::hours(1));
    scene.federation.sites[0].maintenance = Some(giga_model::Maintenance { first: NOW, every, length });
    scene.starts(0, 4, &[0]).finds(&[Violation::Closed { at: NOW, job: JobId(0) }]);
}

#[test]
fn a_need_that_understates_its_power_is_counted_in_full() {
    let mut scene = Scene::with_power_for(4).submitted(0);
    let need = Need { pool: POOL, nodes: 2, asked: 8, each: 4, power: Power::watts(1), full: 8 };
    let pieces = Arc::new([Piece { word: 0, mask: 0b11 }]);
    scene = scene.then(Event::Started {
        job: JobId(0),
        attempt: 1,
        need,
        pieces,
        release: NOW + Duration::hours(1),
    });
    let (drawn, envelope) = (Power::watts(8_000), Power::watts(4_000));
    scene.finds(&[Violation::Power { at: NOW, site: SITE, drawn, envelope }]);
}
