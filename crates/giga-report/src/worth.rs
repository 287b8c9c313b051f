//! What one more megawatt at a site is worth, on the screen.

use std::fmt::Write as _;

use giga_control::Summary;
use giga_study::worth::{Estimate, Pair, Worth};
use giga_units::{Amount as _, Duration, Money, grouped};

use crate::figures::money;
use crate::table::{Side, table};

/// The pairs of runs, their mean with its error, and what that is worth at what a useful accelerator-hour costs in the run itself.
#[must_use]
pub fn worth(site: &str, summary: &Summary, worth: &Worth) -> String {
    let mut out = String::new();
    let by = worth.by.written();
    let _ = writeln!(out, "\nwith {by} more and less at {site}, and the same chance");
    let whole = |figure: f64| {
        let sign = if figure < 0.0 { "-" } else { "" };
        format!("{sign}{}", grouped(figure.abs().round() as u64))
    };
    let row = |pair: &Pair| {
        let euro = |euro: f64| money(Money::microeuro((euro * 1e6) as i128));
        vec![
            pair.seed.to_string(),
            whole(pair.less.delivered),
            whole(pair.more.delivered),
            whole(pair.more.delivered - pair.less.delivered),
            euro(pair.less.cost),
            euro(pair.more.cost),
        ]
    };
    let columns = [
        "seed",
        "delivered with less [accelerator-h]",
        "with more",
        "difference",
        "cost with less",
        "with more",
    ];
    let columns: Vec<_> = columns.iter().map(|name| (*name, Side::Right)).collect();
    for line in table(&columns, worth.pairs.iter().map(row)) {
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let or_so = |estimate: Estimate, unit: &str| {
        let error = estimate.error.map_or_else(String::new, |error| format!(" ± {}", whole(error)));
        format!("{}{error} {unit}", whole(estimate.mean))
    };
    let days = summary.end.since(summary.start).as_milliseconds() as f64
        / Duration::days(1).as_milliseconds() as f64;
    let _ = writeln!(
        out,
        "one more MW at {site}: {} and {} in these {days:.1} days",
        or_so(worth.delivered, "accelerator-h"),
        or_so(worth.cost, "EUR of cost"),
    );
    if worth.pairs.len() == 1 {
        let _ = writeln!(
            out,
            "one pair says little: a run that differs once differs ever after; `--pairs 8` says how sure it is"
        );
    }
    if let Some(each) = summary.cost_per_useful_hour() {
        let value = worth.delivered.mean * each.as_euro_f64() - worth.cost.mean;
        let _ = writeln!(
            out,
            "      worth {} EUR a year, at {:.4} EUR for an accelerator-hour as it costs without it",
            whole(value / days * 365.0),
            each.as_euro_f64()
        );
    }
    if worth.delivered.error.is_some_and(|error| worth.delivered.mean.abs() < 2.0 * error) {
        let _ = writeln!(
            out,
            "      that is within the error of these pairs: ask for more `--pairs`, or for a larger step"
        );
    }
    out
}
