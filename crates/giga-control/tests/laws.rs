//! Laws of the books on random small federations and random histories: whatever happens, everything adds up, nothing
//! is violated, and a recorded or saved run goes on as it was.

mod world;

use std::sync::Arc;

use giga_control::record::{HourRecord, JobRecord, Outcome};
use giga_control::{Control, Summary};
use giga_model::image::Source;
use giga_model::{DatasetId, Federation, Overhead, SiteId};
use giga_scheduler::Event;
use giga_units::{AcceleratorTime, Duration, EnergyMeter, Instant, Power};
use proptest::prelude::*;
use proptest::sample::Index;
use world::{Batch, IDLE, World, federation, history};

/// All that a run leaves behind.
#[derive(Debug, PartialEq)]
struct Outcomes {
    summary: Summary,
    jobs: Vec<JobRecord>,
    hours: Vec<HourRecord>,
}

fn finish(control: Control, end: Instant) -> Outcomes {
    let (summary, jobs, hours) = control.finish(end);
    Outcomes { summary, jobs, hours }
}

fn total(times: impl Iterator<Item = AcceleratorTime>) -> AcceleratorTime {
    times.fold(AcceleratorTime::ZERO, |sum, time| sum + time)
}

/// The parts of every hour of every site are the accelerators that were open then, and every hour is there.
fn time_adds_up(federation: &Federation, outcomes: &Outcomes) {
    let start = outcomes.summary.start;
    for hour in &outcomes.hours {
        let next = (hour.hour + Duration::hours(1)).min(outcomes.summary.end);
        let open = federation.sites[hour.site.index()].phases.iter().map(|phase| {
            let accelerators = phase
                .nodes
                .iter()
                .map(|&(pool, nodes)| nodes * u32::from(federation.accelerator_of(pool).per_node));
            let length = next.since(phase.opens.max(hour.hour));
            AcceleratorTime::of(u64::from(accelerators.sum::<u32>()), length)
        });
        assert_eq!(hour.time.installed, total(open), "{hour:?}");
        assert_eq!(
            total(hour.time.parts().into_iter().map(|(_, part)| part)),
            hour.time.installed,
            "{hour:?}"
        );
    }
    let hours = outcomes.summary.end.since(start).as_milliseconds().unsigned_abs().div_ceil(3_600_000);
    assert_eq!(outcomes.hours.len() as u64, hours * federation.sites.len() as u64);
}

/// How much the slowed work of jobs and that of hours may differ: each rounds to milliseconds whenever something happens.
fn rounding(federation: &Federation, outcomes: &Outcomes, batches: &[Batch]) -> u128 {
    let is_paced = |event: &Event| matches!(event, Event::Paced { .. });
    let paced = batches.iter().any(|batch| batch.events.iter().any(is_paced));
    let moments = batches.len() + outcomes.hours.len() + 1;
    if paced { moments as u128 * u128::from(federation.accelerators_total()) } else { 0 }
}

/// What the jobs say was useful is what the hours say was delivered, at every site, and is charged to the owners.
fn use_is_delivered_once(federation: &Federation, outcomes: &Outcomes, rounding: u128) {
    for site in (0..federation.sites.len()).map(SiteId::at) {
        let useful = outcomes.jobs.iter().filter(|job| job.site == Some(site)).map(|job| job.useful);
        let delivered =
            outcomes.hours.iter().filter(|hour| hour.site == site).map(|hour| hour.time.delivered);
        let apart = total(useful).as_milliseconds().abs_diff(total(delivered).as_milliseconds());
        assert!(apart <= rounding, "site {}: {apart} accelerator-milliseconds apart", site.0);
    }
    let summary = &outcomes.summary;
    let used = total(summary.owners.iter().map(|row| row.used)).as_milliseconds();
    assert!(used.abs_diff(summary.time.delivered.as_milliseconds()) <= rounding);
    for row in &summary.owners {
        let useful = outcomes.jobs.iter().filter(|job| job.owner == row.owner).map(|job| job.useful);
        assert_eq!(total(useful), row.used, "owner {}", row.owner.0);
    }
}

/// What is borrowed is lent by somebody or is nobody's, and nobody's work holds more than was there.
fn lending_adds_up(outcomes: &Outcomes) {
    let owners = &outcomes.summary.owners;
    let sum = |part: fn(&giga_control::OwnerUse) -> AcceleratorTime| {
        total(owners.iter().map(part)).as_milliseconds()
    };
    let (borrowed, lent) = (sum(|row| row.borrowed), sum(|row| row.lent));
    assert!(lent <= borrowed, "{lent} lent, {borrowed} borrowed");
    for row in owners {
        assert!(row.excess <= row.borrowed, "{row:?}");
        assert!(
            row.within.as_milliseconds() + row.lent.as_milliseconds() <= row.entitled.as_milliseconds(),
            "{row:?}"
        );
    }
    let held = total(outcomes.jobs.iter().map(|job| job.useful + job.lost)).as_milliseconds();
    assert!(sum(|row| row.within) + borrowed >= held, "every held accelerator is somebody's");
}

/// The table of reads names no place where the policy of the data forbids it, and all time in which data was held is some job's.
fn data_is_read_where_it_may(federation: &Federation, outcomes: &Outcomes) {
    for read in &outcomes.summary.reads {
        let (data, site) = (&federation.datasets[read.dataset.index()], &federation.sites[read.site.index()]);
        assert!(data.may_be_read(read.site, site.country, site.assurance), "{read:?}");
        assert!(read.leaving <= data.policy.may_leave && read.attempts > 0, "{read:?}");
    }
    let held = total(outcomes.jobs.iter().map(|job| job.useful + job.lost));
    for dataset in (0..federation.datasets.len()).map(DatasetId::at) {
        let reads = outcomes.summary.reads.iter().filter(|read| read.dataset == dataset);
        assert!(total(reads.map(|read| read.held)) <= held);
    }
}

/// The energy of the hours is that of the jobs and of what idled. All powers of these federations are whole watts, so
/// only the joules that each row rounds off may be missing.
fn energy_adds_up(federation: &Federation, outcomes: &Outcomes) {
    for (index, site) in federation.sites.iter().enumerate() {
        let id = SiteId::at(index);
        let jobs: Vec<_> = outcomes.jobs.iter().filter(|job| job.site == Some(id)).collect();
        let hours: Vec<_> = outcomes.hours.iter().filter(|hour| hour.site == id).collect();
        let held = total(jobs.iter().map(|job| job.useful + job.lost));
        let installed = total(hours.iter().map(|hour| hour.time.installed));
        let idle =
            u128::try_from((installed - held).as_milliseconds()).expect("no more is held than there is");
        let of_jobs = jobs.iter().map(|job| job.energy.as_joules()).sum::<i128>();
        let expected = |overhead: Overhead| {
            let idle_draw = u128::from(overhead.factor.of(IDLE).as_milliwatts());
            let base = overhead.base.over(Duration::hours(hours.len() as i64)).energy();
            EnergyMeter::microjoules(idle * idle_draw).energy().as_joules() + base.as_joules() + of_jobs
        };
        let metered: i128 = hours.iter().map(|hour| hour.energy.as_joules()).sum();
        // A mean factor is rounded to millionths.
        let rounded = (jobs.len() + hours.len() + 1) as i128 + of_jobs / 500_000;
        let lines = site.overheads.iter().flat_map(|hours| hours.lines());
        let (mut least, mut most) = (i128::MAX, i128::MIN);
        for line in lines.chain(site.overheads.is_none().then(|| Overhead::of_factor(site.facility_factor))) {
            least = least.min(expected(Overhead { base: Power::ZERO, ..line }));
            most = most.max(expected(line));
        }
        let inside = least - rounded <= metered && metered <= most + rounded;
        assert!(inside, "{least} to {most} J expected, {metered} J metered");
        let nodes: i128 = hours.iter().map(|hour| hour.node_energy.as_joules()).sum();
        assert!(nodes <= metered, "the meter shows {metered} J, and the nodes drew {nodes} J");
        assert_eq!(outcomes.summary.sites[index].node_energy.as_joules(), nodes);
        assert_eq!(outcomes.summary.sites[index].energy.as_joules(), metered);
    }
}

/// No hour of a site draws more at the meter than the phases open by its end have.
fn power_stays_inside(federation: &Federation, outcomes: &Outcomes) {
    for hour in &outcomes.hours {
        let end = hour.hour + Duration::hours(1);
        let phases = federation.sites[hour.site.index()].phases.iter().filter(|phase| phase.opens < end);
        let most: Power = phases.map(|phase| phase.power).sum();
        assert!(hour.peak <= most, "{} of {most} at the meter", hour.peak);
    }
}

/// Every job that came is in one place, and a row says where.
fn jobs_add_up(outcomes: &Outcomes) {
    let summary = &outcomes.summary;
    let count = |outcome| outcomes.jobs.iter().filter(|job| job.outcome == outcome).count() as u64;
    assert_eq!(
        [
            summary.completed,
            summary.timed_out,
            summary.cancelled,
            summary.refused,
            summary.running,
            summary.waiting,
            summary.failed
        ],
        [
            count(Outcome::Completed),
            count(Outcome::TimedOut),
            count(Outcome::Cancelled),
            count(Outcome::Refused),
            count(Outcome::Running),
            count(Outcome::Waiting),
            count(Outcome::Failed)
        ]
    );
    assert_eq!(outcomes.jobs.len() as u64, summary.submitted);
    let started = outcomes.jobs.iter().filter(|job| job.started.is_some()).count() as u64;
    assert_eq!(summary.waits.iter().map(|row| row.waits.count()).sum::<u64>(), started);
    for job in &outcomes.jobs {
        let span = job.ended.unwrap_or(summary.end).since(job.started.unwrap_or(summary.end));
        let held = job.useful + job.lost;
        let most = AcceleratorTime::of(u64::from(job.held), span);
        let ran_once = job.attempts == 1 && matches!(job.outcome, Outcome::Completed | Outcome::TimedOut);
        assert!(
            if ran_once { held == most } else { job.attempts > 0 || held == AcceleratorTime::ZERO },
            "{job:?}"
        );
        assert!(job.useful >= AcceleratorTime::ZERO && job.lost >= AcceleratorTime::ZERO, "{job:?}");
    }
}

/// A fresh control that is told the same decides the same.
fn replay_agrees(federation: &Arc<Federation>, batches: &[Batch], end: Instant, outcomes: &Outcomes) {
    let mut again = Control::new(Arc::clone(federation), federation.start);
    for batch in batches {
        assert_eq!(again.advance(batch.now, &batch.inputs), batch.events, "at {}", batch.now);
    }
    assert_eq!(&finish(again, end), outcomes);
}

/// A run that was saved behind any batch goes on as if nothing had been.
fn image_goes_on(
    federation: &Arc<Federation>,
    batches: &[Batch],
    saved: usize,
    end: Instant,
    whole: &Outcomes,
) {
    let (before, after) = batches.split_at(saved);
    let mut control = Control::new(Arc::clone(federation), federation.start);
    for batch in before {
        control.advance(batch.now, &batch.inputs);
    }
    let (mut jobs, mut hours) = control.take_rows();
    let mut image = Vec::new();
    control.write_image(&mut image);
    let mut restored =
        Control::read_image(Arc::clone(federation), &mut Source::new(&image)).expect("an image reads back");
    let mut again = Vec::new();
    restored.write_image(&mut again);
    assert_eq!(again, image, "the image of what was read is the same");
    for batch in after {
        assert_eq!(restored.advance(batch.now, &batch.inputs), batch.events, "at {}", batch.now);
    }
    let rest = finish(restored, end);
    jobs.extend(rest.jobs);
    hours.extend(rest.hours);
    assert_eq!(&Outcomes { summary: rest.summary, jobs, hours }, whole);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2_000), ..ProptestConfig::default() })]

    #[test]
    fn the_books_add_up_and_a_run_can_be_told_again(
        federation in federation(),
        history in history(),
        rest in 0_i64..20_000_000,
        saved in any::<Index>(),
    ) {
        let federation = Arc::new(federation);
        let mut world = World::new(Arc::clone(&federation));
        for (wait, steps) in history {
            world.wait(Duration::milliseconds(wait));
            world.step(&steps);
            prop_assert_eq!(&world.control.summary().first_violations, &[]);
        }
        world.wait(Duration::milliseconds(rest));
        let end = world.now;
        let outcomes = finish(world.control, end);
        prop_assert_eq!((outcomes.summary.violations, &outcomes.summary.first_violations[..]), (0, &[][..]));
        time_adds_up(&federation, &outcomes);
        use_is_delivered_once(&federation, &outcomes, rounding(&federation, &outcomes, &world.batches));
        lending_adds_up(&outcomes);
        data_is_read_where_it_may(&federation, &outcomes);
        energy_adds_up(&federation, &outcomes);
        power_stays_inside(&federation, &outcomes);
        jobs_add_up(&outcomes);
        replay_agrees(&federation, &world.batches, end, &outcomes);
        image_goes_on(&federation, &world.batches, saved.index(world.batches.len() + 1), end, &outcomes);
    }
}
