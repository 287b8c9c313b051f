//! The description and the trace that the twin runs: what is to stand in the file, and each run as an arrival.

use std::collections::BTreeMap;

use giga_formats::observe::{
    AccountOutline, Observation, Outline, QueueState, ShareBasis, SpanFigures, Zone, pools,
};
use giga_formats::work::LIMIT_FACTOR;
use giga_model::{AcceleratorId, Arrival, Ask, Asks, Federation, JobRequest, PoolId, ProjectId};
use giga_units::{AcceleratorTime, Fraction, Instant};

use super::past::{beginning, runs};

/// So many accounts become owners; all others have one together. Beyond that, shares are too small to be seen.
const OWNERS_MAX: usize = 200;

/// What is to be described. `span` gives the shares where no fair shares are known.
#[must_use]
pub fn outline(seen: &Observation, span: Option<&SpanFigures>, zone: Option<Zone>) -> Outline {
    let mut weights: BTreeMap<String, u128> = BTreeMap::new();
    let used = span.map_or(&[][..], |span| &span.accounts);
    let fair = used.iter().any(|account| account.fair.is_some_and(|fair| fair > Fraction::ZERO));
    for account in used {
        let weight = match account.fair {
            Some(fair) if fair_counts(fair) => u128::from(fair.as_ppm()),
            _ if fair => 0,
            _ => u128::try_from(account.used.as_milliseconds()).unwrap_or(0),
        };
        *weights.entry(Outline::project(&account.name)).or_default() += weight;
    }
    let waits = seen.queue.iter().flatten().filter(|job| job.accelerators > 0);
    for job in waits {
        weights.entry(Outline::project(&job.account)).or_default();
    }
    if weights.is_empty() {
        weights.insert(Outline::project(""), 0);
    }
    let basis = match weights.values().sum::<u128>() {
        0 => ShareBasis::Equal,
        _ if fair => ShareBasis::FairShare,
        _ => ShareBasis::Use,
    };
    Outline {
        name: if seen.cluster.is_empty() { "slurm".to_owned() } else { seen.cluster.clone() },
        at: seen.at,
        start: runs(seen).map(|run| came(&run)).min().unwrap_or_else(|| beginning(seen)),
        pools: pools(&seen.nodes),
        accounts: accounts(weights),
        basis,
        zone,
    }
}

const fn fair_counts(fair: Fraction) -> bool {
    fair.as_ppm() > 0
}

/// The largest get shares, in millionths, that never add up to more than the whole; each at least one.
fn accounts(weights: BTreeMap<String, u128>) -> Vec<AccountOutline> {
    let all: u128 = weights.values().sum();
    let mut accounts: Vec<(String, u128)> = weights.into_iter().collect();
    accounts.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then_with(|| a.cmp(b)));
    let count = accounts.len().min(OWNERS_MAX) as u128;
    // One millionth for each owner, and one for all others together, is set aside.
    let whole = 1_000_000 - count - 1;
    let share = |weight: u128| match all {
        0 => whole / count.max(1) + 1,
        all => weight * whole / all + 1,
    };
    let part = |weight| Fraction::ppm(u64::try_from(share(weight)).expect("at most a million"));
    let numbered = accounts.into_iter().enumerate();
    numbered
        .map(|(place, (name, weight))| AccountOutline {
            name,
            share: (place < OWNERS_MAX).then(|| part(weight)),
        })
        .collect()
}

/// The runs of the span as arrivals, in their order.
#[derive(Debug, Clone)]
pub struct Trace {
    /// By the time of submission.
    pub arrivals: Vec<Arrival>,
    /// What they held together.
    pub time: AcceleratorTime,
    /// Runs that had begun before the span; they come at its beginning with what was left of them.
    pub cut: u64,
    /// Runs that go on; they end where they were asked.
    pub running: u64,
    /// Runs with more accelerators than the cluster has now; a run of the twin refuses them.
    pub too_large: u64,
}

/// When a run came, in the span.
fn came(run: &super::past::Run<'_>) -> Instant {
    let submitted = run.job.eligible.or(run.job.submitted).unwrap_or(run.start).min(run.start);
    if run.from > run.start { run.from } else { submitted }
}

/// The runs as the twin takes them, for the federation that was described.
#[must_use]
pub fn trace(seen: &Observation, federation: &Federation) -> Trace {
    let projects: BTreeMap<&str, usize> = federation
        .projects
        .iter()
        .enumerate()
        .map(|(place, project)| (project.name.as_str(), place))
        .collect();
    let kinds = Kinds::of(seen, federation);
    let mut trace =
        Trace { arrivals: Vec::new(), time: AcceleratorTime::ZERO, cut: 0, running: 0, too_large: 0 };
    for run in runs(seen) {
        let name = Outline::project(&run.job.account);
        let Some(&project) = projects.get(name.as_str()) else { continue };
        let (runtime, gone) = (run.to.since(run.from), run.from.since(run.start));
        let unlimited = runtime.times(u64::from(LIMIT_FACTOR));
        let limit = run.job.limit.map_or(unlimited, |limit| limit.saturating_sub(gone)).max(runtime);
        let accelerator = kinds.of_job(&run.job.kind, &run.job.partition);
        trace.time += run.held();
        trace.cut += u64::from(run.from > run.start);
        trace.running += u64::from(run.job.became == giga_formats::observe::Became::Runs);
        trace.too_large += u64::from(u64::from(run.job.accelerators) > room(federation, accelerator));
        let ask = Ask { accelerator, accelerators: run.job.accelerators };
        trace.arrivals.push(Arrival {
            at: came(&run),
            request: JobRequest {
                project: ProjectId::at(project),
                asks: Asks::one(ask),
                limit,
                checkpoint: None,
                draw: Fraction::ONE,
                terms: None,
            },
            runtime,
        });
    }
    trace.arrivals.sort_by_key(|arrival| arrival.at);
    trace
}

/// The most that one job can have: of the kind, or of the largest pool.
fn room(federation: &Federation, kind: Option<AcceleratorId>) -> u64 {
    let pools = (0..federation.pools.len()).map(PoolId::at);
    let fits =
        pools.filter(|pool| kind.is_none_or(|kind| federation.pools[pool.index()].accelerator == kind));
    fits.map(|pool| federation.accelerators_in(pool)).max().unwrap_or(0)
}

/// The pools of a type, as the description calls pools: `type-count`.
pub(super) fn pools_of(federation: &Federation, kind: &str) -> impl Iterator<Item = PoolId> {
    let named = move |name: &str| name.rsplit_once('-').is_some_and(|(of, _)| !kind.is_empty() && of == kind);
    let pools = federation.pools.iter().enumerate();
    pools.filter(move |(_, pool)| named(&pool.name)).map(|(at, _)| PoolId::at(at))
}

/// Which kind of accelerator a job means by its type or by its partition.
pub(super) struct Kinds<'a> {
    federation: &'a Federation,
    partitions: BTreeMap<String, Option<AcceleratorId>>,
}

impl<'a> Kinds<'a> {
    /// A partition means a kind where all its nodes hold that kind.
    pub(super) fn of(seen: &Observation, federation: &'a Federation) -> Self {
        let mut partitions: BTreeMap<String, Option<AcceleratorId>> = BTreeMap::new();
        for outline in pools(&seen.nodes) {
            let named = |pool: &&giga_model::Pool| pool.name == outline.name;
            let Some(kind) = federation.pools.iter().find(named).map(|pool| pool.accelerator) else {
                continue;
            };
            for partition in &outline.partitions {
                let known = partitions.entry(partition.clone()).or_insert(Some(kind));
                *known = known.filter(|known| *known == kind);
            }
        }
        Self { federation, partitions }
    }

    /// `None` where any kind will do, as where there is but one.
    pub(super) fn of_job(&self, kind: &str, partition: &str) -> Option<AcceleratorId> {
        if self.federation.pools.len() < 2 {
            return None;
        }
        // The same type in nodes of two sizes says nothing of the size.
        let mut by_kind =
            pools_of(self.federation, kind).map(|pool| self.federation.pools[pool.index()].accelerator);
        let by_kind = by_kind.next().filter(|first| by_kind.all(|other| other == *first));
        by_kind.or_else(|| self.partitions.get(partition).copied().flatten())
    }
}

/// Whether anything waits for room.
pub(super) fn waits(seen: &Observation) -> bool {
    seen.queue.iter().flatten().any(|job| job.accelerators > 0 && job.state == QueueState::Waits)
}
