//! The sums of a run.

use std::collections::BTreeMap;

use giga_model::{Federation, OwnerId, ProgrammeId, image};
use giga_units::{AcceleratorTime, Carbon, Energy, Fraction, Instant, Money, Power};

use crate::linter::Violation;
use crate::record::{HourRecord, Outcome, Refusal, TimeUse};
use crate::waits::{SIZE_CLASSES, Waits, size_class};

/// What adds up over a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Totals {
    start: Instant,
    pub(crate) submitted: u64,
    refusals: BTreeMap<Refusal, u64>,
    completed: u64,
    timed_out: u64,
    cancelled: u64,
    failed: u64,
    running: u64,
    waiting: u64,
    pub(crate) interruptions: u64,
    sites: Vec<SiteTotals>,
    owners: Vec<AcceleratorTime>,
    waits: Vec<Waits>,
}
image! { struct Totals { start, submitted, refusals, completed, timed_out, cancelled, failed, running, waiting, interruptions, sites, owners, waits } }

/// What adds up at a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteTotals {
    /// Where accelerator time went.
    pub time: TimeUse,
    /// At the meter.
    pub energy: Energy,
    /// The highest power at the meter.
    pub peak: Power,
    /// Electricity, carbon and capital.
    pub cost: Money,
    /// From the energy.
    pub carbon: Carbon,
}
image! { struct SiteTotals { time, energy, peak, cost, carbon } }

impl Totals {
    pub(crate) fn new(federation: &Federation, start: Instant) -> Self {
        Self {
            start,
            submitted: 0,
            refusals: BTreeMap::new(),
            completed: 0,
            timed_out: 0,
            cancelled: 0,
            failed: 0,
            running: 0,
            waiting: 0,
            interruptions: 0,
            sites: vec![SiteTotals::default(); federation.sites.len()],
            owners: vec![AcceleratorTime::ZERO; federation.owners.len()],
            waits: vec![Waits::default(); federation.programmes.len() * SIZE_CLASSES.len()],
        }
    }

    pub(crate) fn fits(&self, federation: &Federation) -> bool {
        self.sites.len() == federation.sites.len()
            && self.owners.len() == federation.owners.len()
            && self.waits.len() == federation.programmes.len() * SIZE_CLASSES.len()
    }

    pub(crate) fn waits(&mut self, programme: ProgrammeId, accelerators: u32) -> &mut Waits {
        &mut self.waits[programme.index() * SIZE_CLASSES.len() + size_class(accelerators)]
    }

    pub(crate) fn used(&mut self, owner: OwnerId, time: AcceleratorTime) {
        self.owners[owner.index()] += time;
    }

    pub(crate) fn end(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Completed => self.completed += 1,
            Outcome::TimedOut => self.timed_out += 1,
            Outcome::Cancelled => self.cancelled += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Running => self.running += 1,
            Outcome::Waiting => self.waiting += 1,
            Outcome::Refused => unreachable!("a refused job never lives"),
        }
    }

    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        *self.refusals.entry(refusal).or_default() += 1;
    }

    pub(crate) fn add_hour(&mut self, hour: &HourRecord) {
        let site = &mut self.sites[hour.site.index()];
        site.time += hour.time;
        site.energy += hour.energy;
        site.peak = site.peak.max(hour.peak);
        site.cost += hour.cost;
        site.carbon += hour.carbon;
    }

    pub(crate) fn summary(
        &self,
        federation: &Federation,
        end: Instant,
        violations: u64,
        first: &[Violation],
    ) -> Summary {
        let mut time = TimeUse::default();
        self.sites.iter().for_each(|site| time += site.time);
        Summary {
            start: self.start,
            end,
            violations,
            first_violations: first.to_vec(),
            submitted: self.submitted,
            completed: self.completed,
            timed_out: self.timed_out,
            cancelled: self.cancelled,
            failed: self.failed,
            refused: self.refusals.values().sum(),
            refusals: self.refusals.iter().map(|(refusal, count)| (*refusal, *count)).collect(),
            running: self.running,
            waiting: self.waiting,
            interruptions: self.interruptions,
            time,
            energy: self.sites.iter().map(|site| site.energy).sum(),
            sites: self.sites.clone(),
            cost: self.sites.iter().map(|site| site.cost).sum(),
            carbon: self.sites.iter().map(|site| site.carbon).sum(),
            owners: self.owner_rows(federation),
            waits: self.wait_rows(),
        }
    }

    fn owner_rows(&self, federation: &Federation) -> Vec<OwnerUse> {
        let entitled = |owner: OwnerId| {
            let sites = federation.sites.iter().zip(&self.sites);
            let parts = sites.map(|(site, totals)| {
                let share = site
                    .shares
                    .iter()
                    .find(|(id, _)| *id == owner)
                    .map_or(Fraction::ZERO, |(_, share)| *share);
                totals.time.installed.as_milliseconds() * i128::from(share.as_ppm()) / 1_000_000
            });
            AcceleratorTime::milliseconds(parts.sum())
        };
        let owners = (0..self.owners.len()).map(OwnerId::at);
        owners
            .map(|owner| OwnerUse { owner, entitled: entitled(owner), used: self.owners[owner.index()] })
            .collect()
    }

    fn wait_rows(&self) -> Vec<WaitRow> {
        let rows = self.waits.iter().enumerate().filter(|(_, waits)| waits.count() > 0);
        rows.map(|(index, waits)| WaitRow {
            programme: ProgrammeId::at(index / SIZE_CLASSES.len()),
            size: SIZE_CLASSES[index % SIZE_CLASSES.len()].1,
            waits: waits.clone(),
        })
        .collect()
    }
}

/// What an owner used beside what its shares stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerUse {
    /// Who.
    pub owner: OwnerId,
    /// Its shares of all installed accelerator time.
    pub entitled: AcceleratorTime,
    /// What its projects' work that counted took.
    pub used: AcceleratorTime,
}

/// How long the jobs of a programme and size waited for their first start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitRow {
    /// By which door.
    pub programme: ProgrammeId,
    /// The size class in accelerators.
    pub size: &'static str,
    /// Their waits.
    pub waits: Waits,
}

/// A run in a few figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// When it began.
    pub start: Instant,
    /// When it ended.
    pub end: Instant,
    /// What the linter found; zero in a sound run.
    pub violations: u64,
    /// The first of them.
    pub first_violations: Vec<Violation>,
    /// Jobs that came.
    pub submitted: u64,
    /// Jobs whose work was done.
    pub completed: u64,
    /// Jobs that reached their limit first.
    pub timed_out: u64,
    /// Jobs taken back.
    pub cancelled: u64,
    /// Jobs that went wrong; only a live federation has any.
    pub failed: u64,
    /// Jobs that can never run.
    pub refused: u64,
    /// The same by rule.
    pub refusals: Vec<(Refusal, u64)>,
    /// Jobs running at the end.
    pub running: u64,
    /// Jobs waiting at the end.
    pub waiting: u64,
    /// Attempts that lost their nodes.
    pub interruptions: u64,
    /// Where accelerator time went.
    pub time: TimeUse,
    /// At the meters.
    pub energy: Energy,
    /// The same by site.
    pub sites: Vec<SiteTotals>,
    /// Electricity, carbon and capital.
    pub cost: Money,
    /// From the energy.
    pub carbon: Carbon,
    /// Every owner's use.
    pub owners: Vec<OwnerUse>,
    /// Waits by programme and size, where there were any.
    pub waits: Vec<WaitRow>,
}

impl Summary {
    /// Cost of one accelerator-hour that counted, or `None` where none did.
    #[must_use]
    pub fn cost_per_useful_hour(&self) -> Option<Money> {
        let hour = 3_600_000_i128;
        let useful = self.time.delivered.as_milliseconds();
        let cost = self.cost.as_microeuro() * hour;
        (useful > 0).then(|| Money::microeuro(cost / useful))
    }
}
