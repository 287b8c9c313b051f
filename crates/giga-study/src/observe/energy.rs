//! What the span took: measured where Slurm's figure means the job, and otherwise a model with its range.

use std::collections::BTreeMap;

use giga_formats::observe::{Energies, Observation, SpanFigures};
use giga_model::{Federation, PoolId};
use giga_units::{AcceleratorTime, Energy, EnergyMeter, Power};

use super::past::{Run, runs};

/// What running work is taken to draw of what its accelerators could draw above idle, in percent. An assumption: the range that goes
/// with it is from an idle node to its most.
const DRAW_PERCENT: u64 = 70;

/// What an accelerator with its part of a node draws, in milliwatts: idle, and at most.
#[derive(Debug, Clone, Copy)]
struct Draw {
    idle: u64,
    most: u64,
}

impl Draw {
    fn assumed(self) -> u64 {
        self.idle + self.most.saturating_sub(self.idle) * DRAW_PERCENT / 100
    }
}

/// The energy of the span, given the description that was made of the cluster. Carbon and cost only where its zone was said.
#[must_use]
pub fn energies(
    seen: &Observation,
    span: &SpanFigures,
    federation: &Federation,
    zone_known: bool,
) -> Option<Energies> {
    let site = federation.sites.first()?;
    let mean = mean(federation)?;
    let mut sums = Energies {
        measured: Energy::ZERO,
        measured_runs: 0,
        measured_time: AcceleratorTime::ZERO,
        shared_runs: 0,
        modelled: [Energy::ZERO; 3],
        modelled_time: AcceleratorTime::ZERO,
        idle: energy(span.idle.all, mean.idle),
        facility_factor: site.facility_factor,
        meter: [Energy::ZERO; 3],
        carbon: None,
        cost: None,
    };
    let per_node = super::per_node(seen);
    for run in runs(seen) {
        let held = run.held();
        match run.job.energy.filter(|_| is_whole(&per_node, &run)) {
            Some(energy) => {
                sums.measured += part(energy, &run);
                sums.measured_runs += 1;
                sums.measured_time += held;
            }
            None => {
                sums.shared_runs += u64::from(run.job.energy.is_some());
                let draw = draw_of(federation, &run.job.kind).unwrap_or(mean);
                for (sum, power) in sums.modelled.iter_mut().zip([draw.idle, draw.assumed(), draw.most]) {
                    *sum += energy(held, power);
                }
                sums.modelled_time += held;
            }
        }
    }
    let factor = i128::from(site.facility_factor.as_ppm());
    sums.meter = sums.modelled.map(|modelled| {
        let nodes = sums.measured + modelled + sums.idle;
        Energy::joules(nodes.as_joules() * factor / 1_000_000)
    });
    if zone_known {
        sums.carbon = Some(sums.meter.map(|energy| energy.emission(site.carbon_intensity)));
        sums.cost = Some(sums.meter.map(|energy| energy.cost(site.electricity_price)));
    }
    Some(sums)
}

/// Whether a run held all accelerators of its nodes: only then the energy of the nodes is its own.
fn is_whole(per_node: &BTreeMap<&str, u32>, run: &Run<'_>) -> bool {
    let most = per_node.get(run.job.partition.as_str()).copied().filter(|most| *most > 0);
    most.is_some_and(|most| {
        u64::from(run.job.accelerators) >= u64::from(most) * u64::from(run.job.nodes.max(1))
    })
}

/// Of a run that began before the span, the part that lies in it.
fn part(energy: Energy, run: &Run<'_>) -> Energy {
    let (inside, whole) = (run.to.since(run.from), run.to.since(run.start));
    let product = energy.as_joules() * i128::from(inside.as_milliseconds());
    Energy::joules(product / i128::from(whole.as_milliseconds().max(1)))
}

fn energy(time: AcceleratorTime, milliwatts: u64) -> Energy {
    let held = u128::try_from(time.as_milliseconds()).unwrap_or(0);
    EnergyMeter::microjoules(held * u128::from(milliwatts)).energy()
}

/// The draw of the pool that holds this type.
fn draw_of(federation: &Federation, kind: &str) -> Option<Draw> {
    let pool = super::trace::pools_of(federation, kind).next()?;
    let kind = federation.accelerator_of(pool);
    let each = |power: Power| power.split(u64::from(kind.per_node).max(1)).as_milliwatts();
    Some(Draw { idle: each(kind.node_idle), most: each(kind.node_max) })
}

/// The draw of all pools together, over their accelerators.
fn mean(federation: &Federation) -> Option<Draw> {
    let (mut idle, mut most) = (0_u128, 0_u128);
    for pool in (0..federation.pools.len()).map(PoolId::at) {
        let (kind, nodes) = (federation.accelerator_of(pool), u128::from(federation.nodes_of(pool)));
        idle += u128::from(kind.node_idle.as_milliwatts()) * nodes;
        most += u128::from(kind.node_max.as_milliwatts()) * nodes;
    }
    let all = u128::from(federation.accelerators_total());
    let each = |sum: u128| u64::try_from(sum.checked_div(all)?).ok();
    Some(Draw { idle: each(idle)?, most: each(most)? })
}
