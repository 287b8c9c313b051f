//! Where the counting of an attempt begins: as it is handed over, or later where a site decides that itself.

use giga_model::{Federation, JobId, SlurmMode};
use giga_scheduler::{Job, Need, Pace, State};
use giga_units::{AcceleratorTime, Instant};

use super::Meter;
use crate::bill::{job_draw, lost_speed};

impl Meter {
    /// An attempt is given to its site, and is in no line of ours any more.
    pub(super) fn started(
        &mut self,
        federation: &Federation,
        before: &State,
        job: JobId,
        need: &Need,
        now: Instant,
    ) {
        let job = before.job(job).expect("a started job is live");
        let book = self.jobs.get_mut(job.id).expect("a live job has a book");
        (book.held, book.taken, book.pool) = (need.held(), Some(need.asked), Some(need.pool));
        let asked = u64::from(book.asked);
        self.touch(federation, job.site, now).wanted -= asked;
        if federation.sites[job.site.index()].mode() != SlurmMode::Guest {
            self.begin(federation, job, need, Pace::Full, (now, now));
        }
    }

    /// One began that a site had in a line of its own.
    pub(super) fn begun(
        &mut self,
        federation: &Federation,
        before: &State,
        job: JobId,
        at_and_now: (Instant, Instant),
    ) {
        let job = before.job(job).expect("a job that begins is live");
        let run = job.run().expect("a job that begins was handed over");
        self.begin(federation, job, &run.need, run.pace, at_and_now);
    }

    /// An attempt began at `at`, which is noticed now.
    fn begin(
        &mut self,
        federation: &Federation,
        job: &Job,
        need: &Need,
        pace: Pace,
        (at, now): (Instant, Instant),
    ) {
        let book = self.jobs.get_mut(job.id).expect("a live job has a book");
        if book.started.is_none() {
            book.started = Some(at);
            let programme = federation.projects[job.project.index()].programme;
            self.totals.waits(programme, book.asked).add(at.since(job.submitted));
        }
        self.totals.reads.begin(job);
        let (held, asked) = (u64::from(need.held()), u64::from(need.asked));
        let gauges = self.touch(federation, job.site, now);
        gauges.held += held;
        gauges.asked += asked;
        gauges.drawn += job_draw(job, need, pace);
        gauges.slowed += asked * lost_speed(pace);
        // It held its accelerators before anybody noticed.
        let before = now.since(at);
        self.lending.held_before(job, held, (at, now));
        self.lending.hold(job, now, |known| known + held);
        let factor = federation.sites[job.site.index()].mean_factor(at, now);
        let hour = &mut self.hours[job.site.index()];
        let (held, done) =
            (AcceleratorTime::of(asked, before), AcceleratorTime::of(asked, pace.work(before)));
        hour.time.delivered += done;
        hour.time.power += held - done;
        hour.time.no_work -= held;
        hour.energy += factor.of(job_draw(job, need, pace)).over(before);
        hour.node_energy += job_draw(job, need, pace).over(before);
    }
}
