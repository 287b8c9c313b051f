//! What the core knows, as figures for whoever watches: read from its state, and counted nowhere a second time.
//!
//! Labels are names of the description and words of the program, so there are as many series as the description makes.

use giga_control::{Control, Summary, Waits};
use giga_formats::openmetrics::{Buckets, Exposition, Kind, Labels, Unit, Value};
use giga_model::{OwnerId, PoolId, ProgrammeId, SiteId};
use giga_units::{Duration, Instant, Power};

use super::sites::ordered;

/// Everything; `clock` is the time of the machine, which the core may be ahead of.
pub(super) fn figures(control: &Control, clock: Instant) -> Exposition {
    let mut out = Exposition::default();
    let summary = control.summary();
    jobs(control, &summary, &mut out);
    waits(control, &summary, &mut out);
    pools(control, &mut out);
    sites(control, &mut out);
    power(control, &mut out);
    totals(control, &summary, &mut out);
    owners(control, &summary, &mut out);
    let help = "Decisions that broke a rule, found by the independent check; there must be none.";
    out.family("violations", Kind::Counter, Unit::None, help).sample(&[], control.violations().0);
    let help = "By how much the clock of the machine is behind the last decision: it was set back.";
    let behind = control.now().since(clock).max(Duration::ZERO);
    out.family("clock_behind", Kind::Gauge, Unit::Seconds, help).sample(&[], behind);
    out
}

fn sites_of(control: &Control) -> impl Iterator<Item = (SiteId, &str)> {
    let sites = control.federation().sites.iter().enumerate();
    sites.map(|(index, site)| (SiteId::at(index), site.name.as_str()))
}

/// A gauge with a sample for each site.
fn per_site<V: Into<Value>>(
    control: &Control,
    out: &mut Exposition,
    (name, unit, help): (&str, Unit, &str),
    value: impl Fn(SiteId) -> V,
) {
    let mut family = out.family(name, Kind::Gauge, unit, help);
    for (id, site) in sites_of(control) {
        family.sample(&[("site", site)], value(id));
    }
}

fn jobs(control: &Control, summary: &Summary, out: &mut Exposition) {
    let state = control.state();
    let help = "Jobs by site: running, queued by the site's own scheduler, waiting, kept back (deferred) for cheaper or cleaner \
                hours, and awaiting the end of other jobs.";
    let mut family = out.family("jobs", Kind::Gauge, Unit::None, help);
    for (id, site) in sites_of(control) {
        let queued = state.queued(control.federation(), id);
        family.sample(&[("site", site), ("state", "running")], state.running(id) - queued);
        family.sample(&[("site", site), ("state", "queued")], queued);
        family.sample(&[("site", site), ("state", "waiting")], state.waiting(id));
        family.sample(&[("site", site), ("state", "deferred")], state.deferred(id) as u64);
        family.sample(&[("site", site), ("state", "awaiting")], state.awaiting(id) as u64);
    }
    let mut count = |name, help, labels: &[(Labels<'_>, u64)]| {
        let mut family = out.family(name, Kind::Counter, Unit::None, help);
        labels.iter().for_each(|(labels, count)| family.sample(labels, *count));
    };
    count("jobs_submitted", "Jobs that came, also those that were refused.", &[(&[], summary.submitted)]);
    let ended: [(Labels<'_>, u64); 4] = [
        (&[("outcome", "completed")], summary.completed),
        (&[("outcome", "failed")], summary.failed),
        (&[("outcome", "timed-out")], summary.timed_out),
        (&[("outcome", "cancelled")], summary.cancelled),
    ];
    count("jobs_ended", "Jobs that are over, by what became of them.", &ended);
    let rules: Vec<_> =
        summary.refusals.iter().map(|(rule, count)| ([("rule", rule.word())], *count)).collect();
    let rules: Vec<(Labels<'_>, u64)> =
        rules.iter().map(|(labels, count)| (labels.as_slice(), *count)).collect();
    count("jobs_refused", "Jobs that can never run, by the rule that says so.", &rules);
    let help = "Attempts that lost their nodes: failures, maintenance, recalls, the grid.";
    count("attempts_interrupted", help, &[(&[], summary.interruptions)]);
    count("attempts_recalled", "Attempts told to leave what was lent.", &[(&[], summary.recalls)]);
    count("jobs_moved", "Moves of waiting jobs to another site.", &[(&[], summary.rebound)]);
}

/// Upper bounds of waits in seconds: from at once to a week.
const WAITS: [i64; 8] = [1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800];

fn waits(control: &Control, summary: &Summary, out: &mut Exposition) {
    let help =
        "From submission to the first start, by programme; a wait may count above a bound it is 1/64 below.";
    let mut family = out.family("queue_wait", Kind::Histogram, Unit::Seconds, help);
    for (index, programme) in control.federation().programmes.iter().enumerate() {
        let rows = summary.waits.iter().filter(|row| row.programme == ProgrammeId::at(index));
        let rows: Vec<&Waits> = rows.map(|row| &row.waits).collect();
        family.histogram(&[("programme", &programme.name)], &buckets(&rows));
    }
    let state = control.state();
    let mut oldest = vec![None; control.federation().sites.len()];
    for job in state.jobs().filter(|job| job.run().is_none() && !job.is_kept_back()) {
        oldest[job.site.index()].get_or_insert(job.submitted);
    }
    let help = "How long ago the job that waits longest was submitted.";
    per_site(control, out, ("queue_oldest", Unit::Seconds, help), |id| {
        oldest[id.index()].map_or(Duration::ZERO, |at| control.now().since(at).max(Duration::ZERO))
    });
}

fn buckets(rows: &[&Waits]) -> Buckets {
    let within = |most: i64| {
        let most = Duration::seconds(most);
        (Value::from(most), rows.iter().map(|waits| waits.within(most)).sum())
    };
    Buckets {
        within: WAITS.map(within).into(),
        count: rows.iter().map(|waits| waits.count()).sum(),
        sum: rows.iter().fold(Duration::ZERO, |sum, waits| sum + waits.sum()).into(),
    }
}

fn pools(control: &Control, out: &mut Exposition) {
    let (federation, state) = (control.federation(), control.state());
    let help = "Accelerators of open phases by pool: held by a job, free, or down.";
    let mut family = out.family("pool_accelerators", Kind::Gauge, Unit::None, help);
    for (index, pool) in federation.pools.iter().enumerate() {
        let (id, site) = (PoolId::at(index), &federation.sites[pool.site.index()].name);
        let kind = federation.accelerator_of(id);
        let per_node = u64::from(kind.per_node);
        let all = u64::from(state.nodes_open(id)) * per_node;
        let (free, down) = (state.accelerators_free(id), state.down(id).count() as u64 * per_node);
        let held = all.saturating_sub(free + down);
        for (word, count) in [("held", held), ("free", free), ("down", down)] {
            let labels =
                [("site", site.as_str()), ("pool", &pool.name), ("accelerator", &kind.name), ("state", word)];
            family.sample(&labels, count);
        }
    }
}

fn sites(control: &Control, out: &mut Exposition) {
    let state = control.state();
    let help = "Accelerators that are up and can be powered.";
    per_site(control, out, ("site_accelerators_powered", Unit::None, help), |id| state.capacity(id));
    let help = "Whether an operator drained the site: nothing more starts there.";
    per_site(control, out, ("site_drained", Unit::None, help), |id| state.is_drained(id));
    let help = "Whether what runs work at the site has not answered for a minute: nothing starts there.";
    per_site(control, out, ("site_silent", Unit::None, help), |id| state.is_silent(id));
    let help = "Whether the site is out for maintenance.";
    per_site(control, out, ("site_closed", Unit::None, help), |id| state.closed_until(id).is_some());
    let help = "Whether a limit below the connection is on.";
    per_site(control, out, ("site_limited", Unit::None, help), |id| state.limit(id).is_some());
}

fn power(control: &Control, out: &mut Exposition) {
    let state = control.state();
    let connection = |id: SiteId| control.federation().sites[id.index()].connection(state.phases_open(id));
    let limit = |id: SiteId| state.limit(id).map_or(connection(id), |(power, _)| power.min(connection(id)));
    let help = "What the grid connection has, at the meter.";
    per_site(control, out, ("site_power_connection", Unit::Watts, help), connection);
    let help = "What the site may draw now, at the meter: the connection, or a limit below it.";
    per_site(control, out, ("site_power_limit", Unit::Watts, help), limit);
    let help = "What idle nodes and running jobs may draw together at the meter, as they were told; nothing here is metered.";
    per_site(control, out, ("site_power_ordered", Unit::Watts, help), |id| ordered(control, id));
    let help = "By how much what may be drawn exceeds the limit.";
    per_site(control, out, ("site_power_breach", Unit::Watts, help), |id| {
        let drawn = ordered(control, id);
        state.limit(id).map_or(Power::ZERO, |_| drawn.saturating_sub(limit(id)))
    });
    let help = "Power above idle that work may draw.";
    per_site(control, out, ("site_power_headroom", Unit::Watts, help), |id| state.headroom(id));
    let help = "What of the headroom no running job holds.";
    per_site(control, out, ("site_power_free", Unit::Watts, help), |id| state.power_free(id));
}

fn totals(control: &Control, summary: &Summary, out: &mut Exposition) {
    let until = "to the last full hour, by the model of the description";
    let mut counter = |name, unit, what: &str, value: &dyn Fn(usize) -> Value| {
        let mut family = out.family(name, Kind::Counter, unit, &format!("{what} {until}."));
        for (id, site) in sites_of(control) {
            family.sample(&[("site", site)], value(id.index()));
        }
    };
    let sites = &summary.sites;
    counter("site_energy", Unit::Joules, "Energy at the meter", &|site| sites[site].energy.into());
    counter("site_cost", Unit::Euros, "Electricity, carbon and capital", &|site| sites[site].cost.into());
    counter("site_carbon", Unit::Grams, "Carbon from that energy", &|site| sites[site].carbon.into());
}

fn owners(control: &Control, summary: &Summary, out: &mut Exposition) {
    let (federation, state) = (control.federation(), control.state());
    let help = "What the work of an owner holds: firm, or as a loan that can be called back.";
    let mut family = out.family("owner_accelerators", Kind::Gauge, Unit::None, help);
    let mut floors = Vec::new();
    for (id, site) in sites_of(control) {
        for (index, owner) in federation.owners.iter().enumerate() {
            let (floor, (firm, loan)) =
                (state.floor(id, OwnerId::at(index)), state.held(id, OwnerId::at(index)));
            if floor + firm + loan > 0 {
                let labels = |kind| [("site", site), ("owner", owner.name.as_str()), ("kind", kind)];
                family.sample(&labels("firm"), firm);
                family.sample(&labels("loan"), loan);
                floors.push(([("site", site), ("owner", owner.name.as_str())], floor));
            }
        }
    }
    let help = "What an owner may claim at a site at once, in accelerators.";
    let mut family = out.family("owner_floor", Kind::Gauge, Unit::None, help);
    floors.iter().for_each(|(labels, floor)| family.sample(labels, *floor));
    let mut counter = |name, unit, help, value: &dyn Fn(OwnerId) -> Value| {
        let mut family = out.family(name, Kind::Counter, unit, help);
        for (index, owner) in federation.owners.iter().enumerate() {
            family.sample(&[("owner", &owner.name)], value(OwnerId::at(index)));
        }
    };
    let help = "Accelerator time of work that counted.";
    counter("owner_use", Unit::AcceleratorSeconds, help, &|owner| summary.owners[owner.index()].used.into());
    let bill = |owner| control.billed(owner);
    let help = "Energy of jobs that ended, at the meter, by the model of the description.";
    counter("owner_energy", Unit::Joules, help, &|owner| bill(owner).energy.into());
    let help = "What jobs that ended are charged: electricity, carbon and capital.";
    counter("owner_cost", Unit::Euros, help, &|owner| bill(owner).cost.into());
    counter("owner_carbon", Unit::Grams, "Carbon of jobs that ended.", &|owner| bill(owner).carbon.into());
}
