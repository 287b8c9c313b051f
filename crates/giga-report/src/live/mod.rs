//! Screens of a live system: what a server answered, as a person reads it. `now` is the time of the reader; it only
//! turns times into waits.

mod choices;
mod dataset;
mod forecast;
mod job;
mod limit;
mod plan;
mod site;
#[cfg(test)]
mod tests;

use giga_formats::api::{ALL_PROJECTS, KeyList, Problem, Role, Stamp};
use giga_units::{Carbon, Energy, Instant, Money};

use crate::figures;
use crate::table::{Side, table};

pub use dataset::{dataset, datasets, staging, task};
pub use forecast::{explain, forecast};
pub use job::{headline, job, jobs};
pub use limit::limit;
pub use plan::plan;
pub use site::{ordered, sites};

/// A problem in lines: its title, what happened, each faulty field with the way to mend it.
#[must_use]
pub fn problem(problem: &Problem) -> String {
    let mut out = match (problem.title.as_str(), problem.detail.as_str()) {
        ("", "") => format!("the server answered with status {}\n", problem.status),
        (title, "") | ("", title) => format!("{title}\n"),
        (title, detail) => format!("{title}: {detail}\n"),
    };
    for fault in &problem.faults {
        match fault.field.as_str() {
            "" => out.push_str(&format!("  {}\n", fault.message)),
            field => out.push_str(&format!("  {field}: {}\n", fault.message)),
        }
        if !fault.help.is_empty() {
            out.push_str(&format!("    help: {}\n", fault.help));
        }
    }
    out
}

/// The keys, one a line.
#[must_use]
pub fn keys(list: &KeyList) -> String {
    let columns = [("key", Side::Left), ("role", Side::Left), ("projects", Side::Left), ("made", Side::Left)];
    let rows = list.keys.iter().map(|key| {
        let every = key.projects.iter().any(|name| name == ALL_PROJECTS);
        let projects = match key.role {
            Role::User if !every => key.projects.join(", "),
            Role::User | Role::Operator => "all".to_owned(),
            Role::Metrics => "none".to_owned(),
        };
        vec![key.name.clone(), key.role.word().to_owned(), projects, second(key.created)]
    });
    text(table(&columns, rows))
}

/// Lines as one text that ends its last line.
fn text(lines: Vec<String>) -> String {
    lines.into_iter().map(|line| line + "\n").collect()
}

/// A time to the second: `2027-01-01 06:00:00`, UTC.
fn second(stamp: Stamp) -> String {
    let text = stamp.to_string().replace('T', " ");
    text.split_once('.').map_or_else(|| text.clone(), |(second, _)| second.to_owned())
}

/// A time to come with how long it is until then.
fn ahead(stamp: Stamp, now: Instant) -> String {
    match stamp.0.since(now) {
        giga_units::Duration::ZERO => format!("{} UTC", second(stamp)),
        until => format!("{} UTC (in {})", second(stamp), figures::wait(until)),
    }
}

fn energy(joule: i64) -> String {
    figures::energy(Energy::joules(i128::from(joule)))
}

fn cost(microeuro: i64) -> String {
    figures::money(Money::microeuro(i128::from(microeuro)))
}

fn carbon(milligram: i64) -> String {
    figures::carbon(Carbon::milligrams(i128::from(milligram)))
}
