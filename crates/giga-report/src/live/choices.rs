//! Where a job could go: a line for each site, with what it is expected to cost there or the rule that forbids it.

use giga_formats::api::{ChoiceView, CostView};
use giga_units::Duration;

use super::{cost, text};
use crate::figures::wait;
use crate::table::{Side, table};

/// The table; nothing where there is no choice to explain.
pub(super) fn choices(choices: &[ChoiceView]) -> String {
    let chosen = choices.iter().find(|choice| choice.chosen).and_then(|choice| choice.cost);
    let columns = [
        ("site", Side::Left),
        ("country", Side::Left),
        ("wait", Side::Right),
        ("for waiting", Side::Right),
        ("energy, carbon", Side::Right),
        ("transfer", Side::Right),
        ("in all", Side::Right),
        ("", Side::Left),
    ];
    let row = |choice: &ChoiceView| {
        let figures = match choice.cost {
            None => std::array::from_fn(|_| "–".to_owned()),
            // Nobody knows for how long.
            Some(found) if choice.drained || choice.silent => {
                let dash = || "–".to_owned();
                [dash(), dash(), cost(found.energy_microeuro), cost(found.transfer_microeuro), dash()]
            }
            Some(found) => figures(&found),
        };
        [vec![choice.site.clone(), choice.country.clone()], figures.to_vec(), vec![why(choice, chosen)]]
            .concat()
    };
    text(table(&columns, choices.iter().map(row)))
}

fn figures(found: &CostView) -> [String; 5] {
    [
        wait(Duration::milliseconds(found.wait_ms)),
        cost(found.waiting_microeuro),
        cost(found.energy_microeuro),
        cost(found.transfer_microeuro),
        cost(found.total_microeuro),
    ]
}

/// Why it is this site, or is not.
fn why(choice: &ChoiceView, chosen: Option<CostView>) -> String {
    let shut = match (choice.drained, choice.silent) {
        (true, _) => "drained",
        (false, true) => "does not answer",
        (false, false) => "",
    };
    let more = |found: CostView| Some(found.total_microeuro - chosen?.total_microeuro);
    let why = match (choice.chosen, &choice.forbidden, choice.cost.and_then(more)) {
        (true, ..) => "chosen".to_owned(),
        (false, Some(forbidden), _) => format!("{}: {}", forbidden.rule, forbidden.text),
        (false, None, Some(_)) if !shut.is_empty() => return shut.to_owned(),
        (false, None, Some(more)) if more > 0 => format!("costs {} more", cost(more)),
        (false, None, Some(0)) => "costs the same".to_owned(),
        (false, None, Some(_)) => "costs less by now".to_owned(),
        (false, None, None) => String::new(),
    };
    if shut.is_empty() { why } else { format!("{shut}; {why}") }
}
