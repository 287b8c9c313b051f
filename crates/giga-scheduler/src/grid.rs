//! What happens when the grid gives less: caps first, then suspension or preemption, the least loss in euro first, protected work
//! last. What was slowed goes on as soon as there is power again.

use giga_model::{JobId, SiteId};
use giga_units::{Duration, Instant, Power};

use crate::Scheduler;
use crate::event::{Event, Interruption, Pace};
use crate::job::{Job, Run};
use crate::witness::Witness;

/// One way to make a running job draw less.
struct Cut {
    job: JobId,
    how: How,
    saves: Power,
    /// In accelerator-milliseconds times µEUR an hour.
    loss: i128,
}

/// What is done to a job.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Cap(Pace),
    Suspend,
    Preempt,
}

impl Cut {
    /// Loss for each power saved, as a fraction that can be compared without rounding.
    fn cheaper_than(&self, other: &Self) -> std::cmp::Ordering {
        let left = self.loss.saturating_mul(i128::from(other.saves.as_milliwatts()));
        let right = other.loss.saturating_mul(i128::from(self.saves.as_milliwatts()));
        left.cmp(&right).then(self.job.cmp(&other.job))
    }
}

/// The cuts that save so much, the least loss for it first; all of them where that is not enough.
fn enough(mut cuts: Vec<Cut>, excess: Power) -> Vec<Cut> {
    cuts.sort_by(Cut::cheaper_than);
    let mut saved = Power::ZERO;
    let picked = cuts.iter().take_while(|cut| {
        let more = saved < excess;
        saved += if more { cut.saves } else { Power::ZERO };
        more
    });
    let count = picked.count();
    cuts.truncate(count);
    // What a large one made needless goes on, the greatest loss first.
    let mut spare = saved.saturating_sub(excess);
    cuts.sort_by_key(|cut| (std::cmp::Reverse(cut.loss), cut.job));
    cuts.retain(|cut| {
        let needed = cut.saves > spare;
        spare -= if needed { Power::ZERO } else { cut.saves };
        needed
    });
    cuts
}

impl Scheduler {
    /// Brings what runs at a site below what the grid gives from now on.
    pub(crate) fn limit_falls(
        &mut self,
        now: Instant,
        site: SiteId,
        power: Power,
        until: Instant,
        witness: &mut impl Witness,
    ) {
        if until <= now || self.state.limit(site) == Some((power, until)) {
            return;
        }
        self.emit(now, Event::Limited { site, power, until }, witness);
        self.comply(now, site, witness);
    }

    /// Notes what the grid gives once the limit that is on has lasted its time.
    pub(crate) fn limit_follows(
        &mut self,
        now: Instant,
        site: SiteId,
        power: Power,
        until: Instant,
        witness: &mut impl Witness,
    ) {
        let ends = self.state.limit(site).is_some_and(|(_, ends)| ends < until);
        let news = self.state.limit_behind(site) != Some((power, until));
        self.emit_if(ends && news, now, Event::Following { site, power, until }, witness);
    }

    /// The limit that is on gives way to what follows it, or to nothing where it is ended before its time.
    pub(crate) fn limit_ends(&mut self, now: Instant, site: SiteId, witness: &mut impl Witness) {
        let Some((_, ends)) = self.state.limit(site) else { return };
        match self.state.limit_behind(site).filter(|(_, until)| ends <= now && now < *until) {
            Some((power, until)) => self.limit_falls(now, site, power, until, witness),
            None => self.emit(now, Event::Unlimited { site }, witness),
        }
    }

    /// Notes what the building of a site draws from now on, and brings what runs below what that leaves.
    pub(crate) fn house(&mut self, now: Instant, site: SiteId, witness: &mut impl Witness) {
        let overhead = self.plan.overhead_now(site, now);
        if let Some(overhead) = overhead.filter(|&overhead| overhead != self.state.overhead(site)) {
            self.emit(now, Event::Housed { site, overhead }, witness);
            self.comply(now, site, witness);
        }
    }

    /// Cuts what runs at a site until it fits, and says what is missing before protected work is cut.
    fn comply(&mut self, now: Instant, site: SiteId, witness: &mut impl Witness) {
        self.cut(now, site, false, witness);
        let missing = self.missing(site);
        if missing > Power::ZERO {
            self.emit(now, Event::Short { site, missing }, witness);
            self.cut(now, site, true, witness);
        }
    }

    /// What is missing at the meter although everything else was cut.
    fn missing(&self, site: SiteId) -> Power {
        let book = &self.state.sites[site.index()];
        let limit = book.limit.map(|(power, _)| power);
        self.plan.missing(site, book.phases_open, book.overhead, limit, book.power_used)
    }

    /// Cuts work that is protected, or work that is not, until it fits: caps first.
    fn cut(&mut self, now: Instant, site: SiteId, protected: bool, witness: &mut impl Witness) {
        for caps in [true, false] {
            let book = &self.state.sites[site.index()];
            let excess = book.power_used.saturating_sub(book.headroom);
            if excess == Power::ZERO {
                return;
            }
            for cut in enough(self.cuts(now, site, protected, caps), excess) {
                self.carry_out(now, cut.job, cut.how, witness);
            }
        }
    }

    /// Every way to make the work of a site draw less.
    fn cuts(&self, now: Instant, site: SiteId, protected: bool, caps: bool) -> Vec<Cut> {
        let running = self.state.jobs().filter(|job| job.site == site);
        let class = |job: &&Job| self.plan.programmes[job.programme.index()].protected == protected;
        let cut = |job: &Job| {
            let run = job.run()?;
            let cut = if caps { self.cap(now, job, run) } else { self.suspension(now, job, run) };
            cut.filter(|cut| cut.saves > Power::ZERO)
        };
        running.filter(class).filter_map(cut).collect()
    }

    /// Slower, for less power.
    fn cap(&self, now: Instant, job: &Job, run: &Run) -> Option<Cut> {
        let about = self.plan.sites[job.site.index()].flexibility;
        if run.pace != Pace::Full || !about.caps() {
            return None;
        }
        let pace = Pace::Capped { power: about.cap_power, speed: about.cap_speed };
        let time = self.limited_for(now, job.site);
        let slower = time.saturating_sub(pace.work(time));
        let saves = run.ceiling().saturating_sub(pace.power(run.need.power));
        Some(Cut { job: job.id, how: How::Cap(pace), saves, loss: self.loss(run, slower) })
    }

    /// No work at all: suspended where that is possible and loses less than sending it away, which undoes what was not saved.
    fn suspension(&self, now: Instant, job: &Job, run: &Run) -> Option<Cut> {
        let undone = match job.checkpoint {
            None => run.progress(now),
            Some(every) => run.progress(now).saturating_sub(run.progress(now).floor_to(every)),
        };
        let (stands, undone) = (self.loss(run, self.limited_for(now, job.site)), self.loss(run, undone));
        let may_stand = self.plan.sites[job.site.index()].flexibility.suspends && run.leaving.is_none();
        let suspend = may_stand && stands <= undone;
        let (how, loss) = if suspend { (How::Suspend, stands) } else { (How::Preempt, undone) };
        Some(Cut { job: job.id, how, saves: run.ceiling(), loss })
    }

    /// How long the limit lasts from now on.
    fn limited_for(&self, now: Instant, site: SiteId) -> Duration {
        self.state.limit(site).map_or(Duration::ZERO, |(_, until)| until.since(now).max(Duration::ZERO))
    }

    /// What it costs when the accelerators of a run do nothing for some time.
    fn loss(&self, run: &Run, time: Duration) -> i128 {
        let rate = i128::from(self.plan.pools[run.need.pool.index()].cost_per_hour);
        i128::from(time.as_milliseconds()) * i128::from(run.need.held()) * rate
    }

    fn carry_out(&mut self, now: Instant, job: JobId, how: How, witness: &mut impl Witness) {
        match how {
            How::Cap(pace) => self.pace(now, job, pace, witness),
            How::Suspend => self.pace(now, job, Pace::Suspended, witness),
            How::Preempt => self.interrupt(now, job, Interruption::Grid, witness),
        }
    }

    /// Lets a job go on at another pace; its time limit counts its work, so that a cut costs nobody the end of it.
    fn pace(&mut self, now: Instant, id: JobId, pace: Pace, witness: &mut impl Witness) {
        let job = self.state.job(id).expect("a job that is paced is live");
        let run = job.run().expect("a job that is paced runs");
        let left = run.rest(job.limit, now);
        let end = match pace.time(left) {
            Some(time) => now + time,
            None => now + self.limited_for(now, job.site) + left,
        };
        let release = self
            .plan
            .before_window(job.site, now, end)
            .min(run.leaving.map_or(Instant::FAR, |leaving| leaving.by));
        self.emit(now, Event::Paced { job: id, pace, release }, witness);
    }

    /// Gives power back to what was slowed, suspended work first, the oldest first.
    pub(crate) fn resume(&mut self, site: SiteId, now: Instant, witness: &mut impl Witness) {
        if self.state.sites[site.index()].holdings.slowed.is_empty() {
            return;
        }
        for suspended in [true, false] {
            let slowed: Vec<JobId> = self.state.sites[site.index()].holdings.slowed.iter().copied().collect();
            for id in slowed {
                let run = self.state.job(id).and_then(Job::run).expect("what is slowed runs");
                if (run.pace == Pace::Suspended) != suspended {
                    continue;
                }
                let faster = self.faster(site, run);
                if let Some(pace) = faster {
                    self.pace(now, id, pace, witness);
                }
            }
        }
    }

    /// The fastest pace that there is power for, where that is faster than now.
    fn faster(&self, site: SiteId, run: &Run) -> Option<Pace> {
        let about = self.plan.sites[site.index()].flexibility;
        let free = self.state.sites[site.index()].power_free() + run.ceiling();
        let book = &self.state.sites[site.index()];
        if book.power_used > book.headroom {
            return None;
        }
        let capped = Pace::Capped { power: about.cap_power, speed: about.cap_speed };
        let may_cap = about.caps() && run.pace == Pace::Suspended;
        let paces = std::iter::once(Pace::Full).chain(may_cap.then_some(capped));
        paces.into_iter().find(|pace| pace.power(run.need.power) <= free)
    }
}
