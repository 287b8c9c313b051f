//! A plan in a few lines: where, what it holds, when it starts, what it can cost at most.

use giga_formats::api::{PlanView, Starts};
use giga_units::{Instant, several};

use super::choices::choices;
use super::{ahead, cost, energy};

/// What would become of a job.
#[must_use]
pub fn plan(plan: &PlanView, now: Instant) -> String {
    let mut out = format!("{}, charged to {}\n", plan.name, plan.project);
    let mut row = |name: &str, text: &str| out.push_str(&format!("  {name:<9}{text}\n"));
    if let Some(place) = &plan.place {
        let accelerators = several(u64::from(place.accelerators), "accelerator");
        let nodes = several(u64::from(place.nodes), "node");
        row("where", &format!("{} ({}), pool {}", place.site, place.country, place.pool));
        row("holds", &format!("{accelerators} ({}) on {nodes}", place.accelerator));
    }
    match &plan.starts {
        Some(Starts::Now) => row("starts", "now"),
        Some(Starts::Waits { reason, room_at }) => {
            let room = room_at.map(|at| format!("; room by {} at the latest", ahead(at, now)));
            row("starts", &format!("later: {reason}{}", room.unwrap_or_default()));
        }
        None => {}
    }
    if plan.refused.is_none() {
        let (energy, cost) = (energy(plan.energy_most_joule), cost(plan.cost_most_microeuro));
        row("at most", &format!("{}, {energy}, {cost}", plan.limit));
    }
    plan.notes.iter().for_each(|note| row("note", note));
    if let Some(refused) = &plan.refused {
        row("refused", refused);
    }
    out + &choices(&plan.choices)
}
