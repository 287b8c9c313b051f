//! `summary.json`: the sums of a run, units in the names of the keys.

use std::collections::BTreeMap;

use giga_control::energy::Energy;
use giga_control::record::TimeUse;
use giga_control::{DataRead, SiteTotals, Summary};
use giga_facility::indicators::Category;
use giga_model::Federation;
use giga_units::AcceleratorTime;
use serde::Serialize;

mod plants;
mod read;
mod supply;

pub use read::{Figure, ReadSummary, SummaryError, read};

/// The format that is written; the reader accepts no other.
pub const FORMAT: u32 = 1;

/// What a summary says of the call beside what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFacts {
    /// The seed of all chance, or `None` where there was none.
    pub seed: Option<u64>,
    /// Where the work came from, in words.
    pub work: String,
    /// The accelerator time that the jobs that were let in need, where that is known.
    pub offered: Option<AcceleratorTime>,
    /// The shocks that happened, by name.
    pub shocks: Vec<String>,
    /// What was made of the description where it left something open or named further files, a sentence each.
    pub notes: Vec<String>,
    /// By site, what became of its energy, as far as it says what stands there.
    pub energy: Vec<Energy>,
}

impl RunFacts {
    /// What was offered over what was installed, or `None` where nothing was or nobody knows.
    #[must_use]
    pub fn offered_load(&self, summary: &Summary) -> Option<f64> {
        let installed = Some(summary.time.installed).filter(|time| *time > AcceleratorTime::ZERO)?;
        Some(self.offered?.as_hours_f64() / installed.as_hours_f64())
    }

    /// Power usage effectiveness of a site: of its plant where it has one (category 3), else energy at the meter over that of
    /// the nodes. `None` where nothing was used.
    #[must_use]
    pub fn pue(&self, site: usize, sums: &SiteTotals) -> Option<f64> {
        let plant = self.energy.get(site).and_then(|energy| energy.plant.as_ref());
        let within = plant.map(|plant| plant.indicators.iter().find(|of| of.category == Category::Three));
        within.map_or_else(|| sums.power_usage_effectiveness(), |of| Some(of?.pue))
    }
}

#[derive(Serialize)]
struct File<'a> {
    format: u32,
    violations: u64,
    jobs_finished: u64,
    jobs_submitted: u64,
    jobs_completed: u64,
    jobs_timed_out: u64,
    jobs_cancelled: u64,
    jobs_failed: u64,
    jobs_refused: u64,
    refusals: BTreeMap<&'static str, u64>,
    jobs_running: u64,
    jobs_waiting: u64,
    interruptions: u64,
    recalls: u64,
    moves: u64,
    recall_lost_accelerator_hours: f64,
    site_hours: u64,
    site_hours_bound_by_power: u64,
    grid: Grid,
    federation: &'a str,
    work: &'a str,
    seed: Option<u64>,
    shocks: &'a [String],
    notes: &'a [String],
    from: String,
    until: String,
    offered_accelerator_hours: Option<f64>,
    offered_load: Option<f64>,
    accelerator_hours: Hours,
    energy_mwh: f64,
    carbon_t: f64,
    cost_eur: f64,
    cost_eur_per_useful_accelerator_hour: Option<f64>,
    sites: Vec<Site<'a>>,
    plants: Vec<plants::Row<'a>>,
    temperatures: Vec<plants::Band<'a>>,
    supply: Vec<supply::Row<'a>>,
    owners: Vec<Owner<'a>>,
    programmes: Vec<Programme<'a>>,
    waits: Vec<Wait<'a>>,
    reads: Vec<Read<'a>>,
    first_violations: Vec<String>,
}

#[derive(Serialize)]
struct Hours {
    installed: f64,
    delivered: f64,
    no_work: f64,
    fragmentation: f64,
    power: f64,
    failure: f64,
    maintenance: f64,
    recall: f64,
}

#[derive(Serialize)]
struct Grid {
    events: u64,
    capped: u64,
    suspended: u64,
    sent_away: u64,
    shorts: u64,
    short_most_mw: f64,
    excess_at_most_mwh: f64,
}

#[derive(Serialize)]
struct Programme<'a> {
    name: &'a str,
    used_accelerator_hours: f64,
    lost_to_grid_accelerator_hours: f64,
    income_eur: f64,
}

#[derive(Serialize)]
struct Site<'a> {
    name: &'a str,
    peak_mw: f64,
    accelerator_hours: Hours,
    energy_mwh: f64,
    node_energy_mwh: f64,
    /// `None` where the nodes drew nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pue: Option<f64>,
    /// Whether it is of less than twelve months.
    pue_interim: bool,
    carbon_t: f64,
    cost_eur: f64,
    ramps: Ramps,
}

/// The largest changes of power at the meter.
#[derive(Serialize)]
struct Ramps {
    up_15_s_mw: f64,
    down_15_s_mw: f64,
    up_minute_mw: f64,
    down_minute_mw: f64,
    over: u64,
}

#[derive(Serialize)]
struct Owner<'a> {
    name: &'a str,
    entitled_accelerator_hours: f64,
    used_accelerator_hours: f64,
    within_floor_accelerator_hours: f64,
    borrowed_accelerator_hours: f64,
    excess_accelerator_hours: f64,
    lent_accelerator_hours: f64,
}

/// Which data was read where and by whom.
#[derive(Serialize)]
struct Read<'a> {
    dataset: &'a str,
    site: &'a str,
    country: &'a str,
    project: &'a str,
    leaving: &'static str,
    attempts: u64,
    held_accelerator_hours: f64,
}

#[derive(Serialize)]
struct Wait<'a> {
    programme: &'a str,
    accelerators: &'a str,
    jobs: u64,
    mean_s: f64,
    median_s: f64,
    p95_s: f64,
}

impl Hours {
    fn of(time: &TimeUse) -> Self {
        Self {
            installed: time.installed.as_hours_f64(),
            delivered: time.delivered.as_hours_f64(),
            no_work: time.no_work.as_hours_f64(),
            fragmentation: time.fragmentation.as_hours_f64(),
            power: time.power.as_hours_f64(),
            failure: time.failure.as_hours_f64(),
            maintenance: time.maintenance.as_hours_f64(),
            recall: time.recall.as_hours_f64(),
        }
    }
}

/// The text of `summary.json`.
#[must_use]
pub fn write(federation: &Federation, summary: &Summary, facts: &RunFacts) -> String {
    let file = File {
        format: FORMAT,
        violations: summary.violations,
        jobs_finished: summary.completed + summary.timed_out + summary.failed,
        jobs_submitted: summary.submitted,
        jobs_completed: summary.completed,
        jobs_timed_out: summary.timed_out,
        jobs_cancelled: summary.cancelled,
        jobs_failed: summary.failed,
        jobs_refused: summary.refused,
        refusals: summary.refusals.iter().map(|(refusal, count)| (refusal.word(), *count)).collect(),
        jobs_running: summary.running,
        jobs_waiting: summary.waiting,
        interruptions: summary.interruptions,
        recalls: summary.recalls,
        moves: summary.rebound,
        recall_lost_accelerator_hours: summary.recall_lost.as_hours_f64(),
        site_hours: summary.site_hours,
        site_hours_bound_by_power: summary.power_bound,
        grid: grid(&summary.grid),
        federation: &federation.name,
        work: &facts.work,
        seed: facts.seed,
        shocks: &facts.shocks,
        notes: &facts.notes,
        from: summary.start.to_string(),
        until: summary.end.to_string(),
        offered_accelerator_hours: facts.offered.map(AcceleratorTime::as_hours_f64),
        offered_load: facts.offered_load(summary),
        accelerator_hours: Hours::of(&summary.time),
        energy_mwh: summary.energy.as_megawatt_hours_f64(),
        carbon_t: summary.carbon.as_tonnes_f64(),
        cost_eur: summary.cost.as_euro_f64(),
        cost_eur_per_useful_accelerator_hour: summary
            .cost_per_useful_hour()
            .map(giga_units::Money::as_euro_f64),
        sites: sites(federation, summary, facts),
        plants: plants::rows(federation, &facts.energy),
        temperatures: plants::bands(federation, &facts.energy),
        supply: supply::rows(federation, &facts.energy),
        owners: owners(federation, summary),
        programmes: programmes(federation, summary),
        waits: waits(federation, summary),
        reads: summary.reads.iter().map(|row| read_of(federation, row)).collect(),
        first_violations: summary.first_violations.iter().map(ToString::to_string).collect(),
    };
    let mut text = serde_json::to_string_pretty(&file).expect("plain values can be written");
    text.push('\n');
    text
}

fn sites<'a>(federation: &'a Federation, summary: &Summary, facts: &RunFacts) -> Vec<Site<'a>> {
    let sites = federation.sites.iter().zip(&summary.sites).zip(&summary.ramps).enumerate();
    sites
        .map(|(index, ((site, sums), ramps))| Site {
            name: &site.name,
            peak_mw: sums.peak.as_megawatts_f64(),
            accelerator_hours: Hours::of(&sums.time),
            energy_mwh: sums.energy.as_megawatt_hours_f64(),
            node_energy_mwh: sums.node_energy.as_megawatt_hours_f64(),
            pue: facts.pue(index, sums),
            pue_interim: summary.is_interim(),
            carbon_t: sums.carbon.as_tonnes_f64(),
            cost_eur: sums.cost.as_euro_f64(),
            ramps: ramps_of(ramps),
        })
        .collect()
}

fn ramps_of(ramps: &giga_control::Ramps) -> Ramps {
    Ramps {
        up_15_s_mw: ramps.quarter_minute.up.as_megawatts_f64(),
        down_15_s_mw: ramps.quarter_minute.down.as_megawatts_f64(),
        up_minute_mw: ramps.minute.up.as_megawatts_f64(),
        down_minute_mw: ramps.minute.down.as_megawatts_f64(),
        over: ramps.over,
    }
}

fn owners<'a>(federation: &'a Federation, summary: &Summary) -> Vec<Owner<'a>> {
    let row = |row: &giga_control::OwnerUse| Owner {
        name: &federation.owners[row.owner.index()].name,
        entitled_accelerator_hours: row.entitled.as_hours_f64(),
        used_accelerator_hours: row.used.as_hours_f64(),
        within_floor_accelerator_hours: row.within.as_hours_f64(),
        borrowed_accelerator_hours: row.borrowed.as_hours_f64(),
        excess_accelerator_hours: row.excess.as_hours_f64(),
        lent_accelerator_hours: row.lent.as_hours_f64(),
    };
    summary.owners.iter().map(row).collect()
}

fn programmes<'a>(federation: &'a Federation, summary: &Summary) -> Vec<Programme<'a>> {
    let row = |row: &giga_control::ProgrammeUse| Programme {
        name: &federation.programmes[row.programme.index()].name,
        used_accelerator_hours: row.used.as_hours_f64(),
        lost_to_grid_accelerator_hours: row.lost_to_grid.as_hours_f64(),
        income_eur: row.income.as_euro_f64(),
    };
    summary.programmes.iter().map(row).collect()
}

fn grid(grid: &giga_control::GridSums) -> Grid {
    Grid {
        events: grid.events,
        capped: grid.capped,
        suspended: grid.suspended,
        sent_away: grid.preempted,
        shorts: grid.shorts,
        short_most_mw: grid.short_most.as_megawatts_f64(),
        excess_at_most_mwh: grid.excess_at_most.as_megawatt_hours_f64(),
    }
}

fn read_of<'a>(federation: &'a Federation, row: &DataRead) -> Read<'a> {
    let site = &federation.sites[row.site.index()];
    Read {
        dataset: &federation.datasets[row.dataset.index()].name,
        site: &site.name,
        country: site.country.code(),
        project: &federation.projects[row.project.index()].name,
        leaving: row.leaving.word(),
        attempts: row.attempts,
        held_accelerator_hours: row.held.as_hours_f64(),
    }
}

fn waits<'a>(federation: &'a Federation, summary: &'a Summary) -> Vec<Wait<'a>> {
    let seconds = |wait: giga_units::Duration| wait.as_milliseconds() as f64 / 1e3;
    let row = |row: &'a giga_control::WaitRow| Wait {
        programme: &federation.programmes[row.programme.index()].name,
        accelerators: row.size,
        jobs: row.waits.count(),
        mean_s: seconds(row.waits.mean()),
        median_s: seconds(row.waits.quantile(50)),
        p95_s: seconds(row.waits.quantile(95)),
    };
    summary.waits.iter().map(row).collect()
}
