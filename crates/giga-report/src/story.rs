//! The story of one job in sentences.

use giga_model::Federation;
use giga_scheduler::{Because, Explanation};
use giga_units::{Duration, Instant, several};

use crate::figures::{power, wait};

/// One line for each change in what there was to say about a job.
#[must_use]
pub fn story(federation: &Federation, told: &[(Instant, Explanation)]) -> Vec<String> {
    told.iter().map(|(at, explanation)| format!("{at}  {}", sentence(federation, *at, explanation))).collect()
}

/// What there is to say about a job now.
#[must_use]
pub fn sentence(federation: &Federation, now: Instant, explanation: &Explanation) -> String {
    match explanation {
        Explanation::Gone => "over".to_owned(),
        Explanation::Refused { rule } => format!("refused: {rule}"),
        Explanation::Running { since, pool, nodes, queued: true, .. } => {
            let pool = &federation.pools[pool.index()];
            let (site, name, nodes) =
                (&federation.sites[pool.site.index()].name, &pool.name, several((*nodes).into(), "node"));
            format!(
                "was given to {site} {} ago, where others submit as well: its own Slurm decides when it begins on {nodes} of \
                 `{name}`",
                wait(now.since(*since))
            )
        }
        Explanation::Running { until, pool, nodes, .. } => {
            let pool = &federation.pools[pool.index()].name;
            format!("runs on {} of `{pool}`, until {until} at the latest", several((*nodes).into(), "node"))
        }
        Explanation::Waiting { because, first, room_at } => {
            let later = room_at.filter(|at| at.since(now) > Duration::seconds(1));
            let room = later.map_or_else(String::new, |at| {
                format!("; room in {} at the latest, if nothing goes before it", wait(at.since(now)))
            });
            let why = reason(federation, because);
            match because {
                // It stands in no line.
                Because::After { .. } => format!("waits: {why}"),
                _ => format!("waits: {why}; first in the line is job {first}{room}"),
            }
        }
    }
}

/// What keeps a job from starting.
#[must_use]
pub fn reason(federation: &Federation, because: &Because) -> String {
    let name = |pool: giga_model::PoolId| &federation.pools[pool.index()].name;
    match because {
        Because::Drained => "its site is drained: nothing more starts there".to_owned(),
        Because::Silent => "its site does not answer: nothing starts there until it does".to_owned(),
        Because::Deferred { until } => format!("it is kept back for cheaper or cleaner hours until {until}"),
        Because::After { job, any: false } => format!("it comes after job {job}, once that is completed"),
        Because::After { job, any: true } => format!("it comes after job {job}, however that ends"),
        Because::Floor { room, needed } => format!(
            "it needs {needed} accelerators, and by its owner's share and its programme it may hold {room} more"
        ),
        Because::Recall { by } => {
            format!("its owner may claim what it needs: what was lent comes back by {by}")
        }
        Because::Maintenance { until } => format!("the site is out for maintenance until {until}"),
        Because::Window { begin } => format!("it would run into the maintenance that begins {begin}"),
        Because::Nodes { pool, needed, free } => {
            format!(
                "it needs {} of `{}` and {free} are free",
                several((*needed).into(), "whole node"),
                name(*pool)
            )
        }
        Because::Accelerators { pool, needed } => {
            format!("no node of `{}` has {} free", name(*pool), several((*needed).into(), "accelerator"))
        }
        Because::Power { needed, free } => {
            format!("it may draw {} above idle and {} are left", power(*needed), power(*free))
        }
        Because::Reserved { at } => format!("it could delay the first in the line, which starts by {at}"),
        Because::Due => "it will be tried at the next look".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use giga_model::PoolId;
    use giga_model::sample::{accelerator, add_site, empty};
    use giga_units::Power;

    use super::*;

    #[test]
    fn figures_of_a_reason_have_their_number_and_unit() {
        let mut federation = empty();
        add_site(&mut federation, "north", &[(accelerator("A", 8, 1), 1)]);
        let check = |because: Because, expected: &str| assert_eq!(reason(&federation, &because), expected);
        let pool = PoolId(0);
        check(Because::Accelerators { pool, needed: 1 }, "no node of `A` has 1 accelerator free");
        check(Because::Accelerators { pool, needed: 4 }, "no node of `A` has 4 accelerators free");
        let (needed, free) = (Power::watts(20), Power::ZERO);
        check(Because::Power { needed, free }, "it may draw 20.0 W above idle and 0.0 W are left");
    }
}
