//! The sums of a run.

use std::collections::BTreeMap;

use giga_model::{Federation, OwnerId, ProgrammeId, Project, image};
use giga_units::{AcceleratorTime, Carbon, Duration, Energy, Instant, Money, Power};

use crate::bill::Bill;
use crate::grid::GridSums;
use crate::lending::{Lending, Lent};
use crate::linter::Violation;
use crate::meter::Meter;
use crate::ramp::Ramps;
use crate::reads::{DataRead, Reads};
use crate::record::{HourRecord, JobRecord, Outcome, Refusal, TimeUse};
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
    pub(crate) recalls: u64,
    pub(crate) recall_lost: AcceleratorTime,
    pub(crate) rebound: u64,
    sites: Vec<SiteTotals>,
    owners: Vec<AcceleratorTime>,
    /// By owner, what its jobs that ended are charged for.
    billed: Vec<Bill>,
    programmes: Vec<AcceleratorTime>,
    pub(crate) grid: GridSums,
    site_hours: u64,
    power_bound: u64,
    waits: Vec<Waits>,
    pub(crate) reads: Reads,
}
image! {
    struct Totals {
        start, submitted, refusals, completed, timed_out, cancelled, failed, running, waiting, interruptions, recalls,
        recall_lost, rebound, sites, owners, billed, programmes, grid, site_hours,
        power_bound, waits, reads,
    }
}

/// What adds up at a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteTotals {
    /// Where accelerator time went.
    pub time: TimeUse,
    /// At the meter.
    pub energy: Energy,
    /// Of it, what the nodes drew, idle or not.
    pub node_energy: Energy,
    /// The highest power at the meter.
    pub peak: Power,
    /// Electricity, carbon and capital.
    pub cost: Money,
    /// From the energy.
    pub carbon: Carbon,
}
image! { struct SiteTotals { time, energy, node_energy, peak, cost, carbon } }

impl SiteTotals {
    /// Energy at the meter over energy of the nodes, as in ISO/IEC 30134-2; `None` where the nodes drew nothing.
    #[must_use]
    pub fn power_usage_effectiveness(&self) -> Option<f64> {
        let nodes = self.node_energy.as_joules();
        (nodes > 0).then(|| self.energy.as_joules() as f64 / nodes as f64)
    }
}

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
            recalls: 0,
            recall_lost: AcceleratorTime::ZERO,
            rebound: 0,
            sites: vec![SiteTotals::default(); federation.sites.len()],
            owners: vec![AcceleratorTime::ZERO; federation.owners.len()],
            billed: vec![Bill::default(); federation.owners.len()],
            programmes: vec![AcceleratorTime::ZERO; federation.programmes.len()],
            grid: GridSums::new(federation.programmes.len()),
            site_hours: 0,
            power_bound: 0,
            waits: vec![Waits::default(); federation.programmes.len() * SIZE_CLASSES.len()],
            reads: Reads::default(),
        }
    }

    pub(crate) fn fits(&self, federation: &Federation) -> bool {
        self.sites.len() == federation.sites.len()
            && self.owners.len() == federation.owners.len()
            && self.billed.len() == federation.owners.len()
            && self.programmes.len() == federation.programmes.len()
            && self.grid.lost.len() == federation.programmes.len()
            && self.waits.len() == federation.programmes.len() * SIZE_CLASSES.len()
            && self.reads.fits(federation)
    }

    pub(crate) fn waits(&mut self, programme: ProgrammeId, accelerators: u32) -> &mut Waits {
        &mut self.waits[programme.index() * SIZE_CLASSES.len() + size_class(accelerators)]
    }

    pub(crate) fn used(&mut self, project: &Project, time: AcceleratorTime) {
        self.owners[project.owner.index()] += time;
        self.programmes[project.programme.index()] += time;
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

    /// A job that ended is charged to its owner.
    pub(crate) fn bill(&mut self, job: &JobRecord) {
        let bill = &mut self.billed[job.owner.index()];
        bill.energy += job.energy;
        bill.carbon += job.carbon;
        bill.cost += job.cost;
    }

    pub(crate) fn billed(&self, owner: OwnerId) -> Bill {
        self.billed[owner.index()]
    }

    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        *self.refusals.entry(refusal).or_default() += 1;
    }

    pub(crate) fn add_hour(&mut self, hour: &HourRecord) {
        let site = &mut self.sites[hour.site.index()];
        site.time += hour.time;
        site.energy += hour.energy;
        site.node_energy += hour.node_energy;
        site.peak = site.peak.max(hour.peak);
        site.cost += hour.cost;
        site.carbon += hour.carbon;
        self.site_hours += 1;
        self.power_bound += u64::from(hour.time.power > AcceleratorTime::ZERO);
    }

    pub(crate) fn summary(
        &self,
        federation: &Federation,
        end: Instant,
        violations: u64,
        first: &[Violation],
        meter: &Meter,
    ) -> Summary {
        let lending = meter.lending();
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
            recalls: self.recalls,
            recall_lost: self.recall_lost,
            rebound: self.rebound,
            programmes: self.programme_rows(federation),
            grid: self.grid.clone(),
            site_hours: self.site_hours,
            power_bound: self.power_bound,
            time,
            energy: self.sites.iter().map(|site| site.energy).sum(),
            sites: self.sites.clone(),
            ramps: meter.ramps(),
            cost: self.sites.iter().map(|site| site.cost).sum(),
            carbon: self.sites.iter().map(|site| site.carbon).sum(),
            owners: self.owner_rows(lending),
            waits: self.wait_rows(),
            reads: self.reads.rows(),
        }
    }

    fn owner_rows(&self, lending: &Lending) -> Vec<OwnerUse> {
        let owners = lending.owners.iter().zip(&self.owners).enumerate();
        let row = |(index, (lent, used)): (usize, (&Lent, &AcceleratorTime))| OwnerUse {
            owner: OwnerId::at(index),
            entitled: lent.entitled,
            used: *used,
            within: lent.within,
            borrowed: lent.borrowed,
            excess: lent.excess,
            lent: lent.lent,
        };
        owners.map(row).collect()
    }

    fn programme_rows(&self, federation: &Federation) -> Vec<ProgrammeUse> {
        let rows = federation.programmes.iter().zip(&self.programmes).zip(&self.grid.lost).enumerate();
        rows.map(|(index, ((about, used), lost))| {
            let price = about.price_per_hour.map_or(0, Money::as_microeuro);
            let income = Money::microeuro(used.as_milliseconds() * price / 3_600_000);
            ProgrammeUse { programme: ProgrammeId::at(index), used: *used, income, lost_to_grid: *lost }
        })
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
    /// Its shares of the accelerator time that was up and could be powered.
    pub entitled: AcceleratorTime,
    /// What its projects' work that counted took.
    pub used: AcceleratorTime,
    /// What its work held within its floors, at any instant and site.
    pub within: AcceleratorTime,
    /// What its work held beyond them.
    pub borrowed: AcceleratorTime,
    /// The part of that held by work that can not be told to leave, after a floor shrank below it by a failure or a limit of the grid.
    pub excess: AcceleratorTime,
    /// What others held of what it left idle: their borrowing, in proportion to what each owner left idle in that hour.
    pub lent: AcceleratorTime,
}

/// What the work of a programme used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgrammeUse {
    /// Which.
    pub programme: ProgrammeId,
    /// What its work that counted took.
    pub used: AcceleratorTime,
    /// What that is sold for, where the programme has a price.
    pub income: Money,
    /// What its work lost to limits of the grid: slowed, suspended or undone.
    pub lost_to_grid: AcceleratorTime,
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
    /// Running jobs that were told to leave because what they held was lent.
    pub recalls: u64,
    /// Work that undid.
    pub recall_lost: AcceleratorTime,
    /// Moves of waiting jobs to another site.
    pub rebound: u64,
    /// Every programme's use.
    pub programmes: Vec<ProgrammeUse>,
    /// What limits of the grid did.
    pub grid: GridSums,
    /// Hours of sites.
    pub site_hours: u64,
    /// Hours of sites in which work waited or was slowed for want of power.
    pub power_bound: u64,
    /// Where accelerator time went.
    pub time: TimeUse,
    /// At the meters.
    pub energy: Energy,
    /// The same by site.
    pub sites: Vec<SiteTotals>,
    /// How fast the power of each changed.
    pub ramps: Vec<Ramps>,
    /// Electricity, carbon and capital.
    pub cost: Money,
    /// From the energy.
    pub carbon: Carbon,
    /// Every owner's use.
    pub owners: Vec<OwnerUse>,
    /// Waits by programme and size, where there were any.
    pub waits: Vec<WaitRow>,
    /// Which data was read where, by whom; empty where no job named any.
    pub reads: Vec<DataRead>,
}

impl Summary {
    /// Whether it is of less than twelve months, so that indicators of efficiency are interim (ISO/IEC 30134-1).
    #[must_use]
    pub fn is_interim(&self) -> bool {
        self.end.since(self.start) < Duration::days(365)
    }

    /// Cost of one accelerator-hour that counted, or `None` where none did.
    #[must_use]
    pub fn cost_per_useful_hour(&self) -> Option<Money> {
        let hour = 3_600_000_i128;
        let useful = self.time.delivered.as_milliseconds();
        let cost = self.cost.as_microeuro() * hour;
        (useful > 0).then(|| Money::microeuro(cost / useful))
    }
}
