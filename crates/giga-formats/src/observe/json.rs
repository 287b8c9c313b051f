//! The figures as JSON, format 1: integers, with the unit at the end of each key.

use giga_units::{AcceleratorTime, Carbon, Energy, Instant, Money};
use serde_json::{Map, Value, json};

use super::figures::{Energies, Figures, MachineFigures, Now, SIZES, SpanFigures, StartForecast};

/// The figures as one JSON object with a line end behind it.
#[must_use]
pub fn write(figures: &Figures) -> String {
    let object = json!({
        "format": 1,
        "cluster": figures.cluster,
        "at": at(figures.at),
        "machine": machine(&figures.machine),
        "now": figures.now.as_ref().map(now),
        "span": figures.span.as_ref().map(|span| self::span(span, figures.at)),
        "energy": figures.energy.as_ref().map(energy),
        "forecast": figures.forecast.iter().map(start).collect::<Vec<_>>(),
        "notes": figures.notes,
    });
    format!("{object:#}\n")
}

fn at(instant: Instant) -> String {
    instant.to_string()
}

/// JSON keeps no more than 64 bits; nothing that is observed needs them.
fn small(count: i128) -> i64 {
    i64::try_from(count).unwrap_or(if count < 0 { i64::MIN } else { i64::MAX })
}

fn time(time: AcceleratorTime) -> i64 {
    small(time.as_milliseconds())
}

fn machine(machine: &MachineFigures) -> Value {
    let partition = |part: &super::PartitionFigures| {
        json!({
            "partition": part.name,
            "type": part.kind,
            "per_node": part.per_node,
            "nodes": part.nodes,
            "accelerators": part.accelerators,
            "accelerators_out": part.out,
        })
    };
    json!({
        "nodes": machine.nodes,
        "nodes_without_accelerators": machine.plain_nodes,
        "accelerators": machine.accelerators,
        "nodes_out": machine.nodes_out,
        "accelerators_out": machine.accelerators_out,
        "nodes_draining": machine.nodes_draining,
        "partitions": machine.partitions.iter().map(partition).collect::<Vec<_>>(),
    })
}

fn now(now: &Now) -> Value {
    let oldest = now.oldest.as_ref().map(|oldest| {
        json!({
            "job": oldest.id,
            "wait_ms": oldest.wait.as_milliseconds(),
            "accelerators": oldest.accelerators,
            "reason": oldest.reason,
        })
    });
    json!({
        "jobs_running": now.running,
        "accelerators_held": now.held,
        "jobs_waiting": now.waiting,
        "accelerators_wanted": now.wanted,
        "jobs_held_back": now.held_back,
        "oldest": oldest,
    })
}

fn span(span: &SpanFigures, until: Instant) -> Value {
    let account = |account: &super::AccountUse| {
        json!({
            "account": account.name,
            "runs": account.runs,
            "used_accelerator_ms": time(account.used),
            "fair_share_ppm": account.fair.map(giga_units::Fraction::as_ppm),
        })
    };
    let waits =
        SIZES.iter().zip(&span.waits).filter(|(_, waits)| waits.count() > 0).map(|((_, name), waits)| {
            json!({
                "accelerators": name,
                "runs": waits.count(),
                "p50_ms": waits.quantile(50).as_milliseconds(),
                "p95_ms": waits.quantile(95).as_milliseconds(),
            })
        });
    let lost: Map<String, Value> = span
        .lost
        .iter()
        .map(|row| (row.lost.key().to_owned(), json!({ "runs": row.runs, "accelerator_ms": time(row.time) })))
        .collect();
    json!({
        "from": at(span.from),
        "until": at(until),
        "runs": span.runs,
        "available_accelerator_ms": time(span.available),
        "used_accelerator_ms": time(span.used),
        "accounts": span.accounts.iter().map(account).collect::<Vec<_>>(),
        "waits": waits.collect::<Vec<_>>(),
        "lost": lost,
        "idle_accelerator_ms": time(span.idle.all),
        "idle_while_waiting_accelerator_ms": time(span.idle.while_waiting),
        "idle_and_wanted_accelerator_ms": time(span.idle.wanted),
    })
}

fn range<T>(values: [T; 3], count: impl Fn(T) -> i128) -> Value {
    let [low, assumed, high] = values.map(|value| small(count(value)));
    json!({ "low": low, "assumed": assumed, "high": high })
}

fn energy(energy: &Energies) -> Value {
    json!({
        "measured_j": small(energy.measured.as_joules()),
        "measured_by": "ConsumedEnergyRaw of runs that held whole nodes",
        "measured_runs": energy.measured_runs,
        "measured_accelerator_ms": time(energy.measured_time),
        "shared_runs_not_used": energy.shared_runs,
        "modelled_j": range(energy.modelled, Energy::as_joules),
        "modelled_by": "idle and greatest power of a node of the description",
        "modelled_accelerator_ms": time(energy.modelled_time),
        "idle_modelled_j": small(energy.idle.as_joules()),
        "facility_factor_ppm": energy.facility_factor.as_ppm(),
        "meter_j": range(energy.meter, Energy::as_joules),
        "carbon_mg": energy.carbon.map(|carbon| range(carbon, Carbon::as_milligrams)),
        "cost_uEUR": energy.cost.map(|cost| range(cost, Money::as_microeuro)),
    })
}

fn start(job: &StartForecast) -> Value {
    json!({
        "job": job.id,
        "account": job.account,
        "accelerators": job.accelerators,
        "submitted": job.submitted.map(at),
        "start": job.start.map(|[earliest, median, latest]| {
            json!({ "earliest": at(earliest), "median": at(median), "latest": at(latest) })
        }),
        "futures": job.seen,
        "start_by_slurm": job.by_slurm.map(at),
    })
}
