//! Why a job is where it is, and what may become of it.

use giga_formats::api::{AmountRange, ExplainView, ForecastView, TimeRange};

use super::choices::choices;
use giga_units::several;

use super::{cost, energy, second, text};
use crate::table::{Side, table};

/// What there is to say about a job.
#[must_use]
pub fn explain(view: &ExplainView) -> String {
    let mut out = format!("job {}: {}\n", view.id, view.state);
    view.sentences.iter().for_each(|sentence| out.push_str(&format!("  {sentence}\n")));
    out + &choices(&view.choices)
}

/// What becomes of a job in several futures.
#[must_use]
pub fn forecast(view: &ForecastView) -> String {
    let futures = several(u64::from(view.futures), "future");
    let mut out = format!("job {}: {futures} from {} UTC\n", view.id, second(view.made_at));
    let columns = [("", Side::Left), ("low", Side::Right), ("median", Side::Right), ("high", Side::Right)];
    let times = [("start (UTC)", view.start), ("end (UTC)", view.end)];
    let times = times.into_iter().filter_map(|(name, range)| Some(time(name, range?)));
    let cost = view.cost_microeuro.map(|range| amount("cost", range, cost));
    let energy = view.energy_joule.map(|range| amount("energy", range, energy));
    let rows = times.chain(cost).chain(energy).collect::<Vec<_>>();
    if rows.is_empty() {
        out.push_str("  nothing is left to foresee, or no future saw it start\n");
    }
    out.push_str(&text(table(&columns, rows)));
    out.push_str(&format!("  {}\n", view.basis));
    out
}

fn time(name: &str, range: TimeRange) -> Vec<String> {
    let TimeRange { earliest, median, latest } = range;
    [name.to_owned()].into_iter().chain([earliest, median, latest].map(second)).collect()
}

fn amount(name: &str, range: AmountRange, shown: fn(i64) -> String) -> Vec<String> {
    let AmountRange { low, median, high } = range;
    [name.to_owned()].into_iter().chain([low, median, high].map(shown)).collect()
}
