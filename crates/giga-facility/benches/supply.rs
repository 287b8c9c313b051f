//! How long the cheapest orders of a site's year take by the dynamic programme, the same by Clarabel, and by decisions day by
//! day; and how much dearer the rule and the decisions day by day are.
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::time::Instant as Clock;

use giga_facility::quantity::Joules;
use giga_facility::supply::{Flows, Hour, Order, Rolling, Rule, Run, optimum, programme};

#[path = "supply/made_up.rs"]
mod made_up;

fn main() {
    let (supply, hours) = (made_up::supply(), made_up::hours());
    let end = supply.end();
    let (ours, best) = fastest(3, || optimum(&supply, &hours, &end).expect("the year is sound"));
    let (theirs, judge) = fastest(1, || programme(&supply, &hours, &end).expect("the year has a solution"));
    let rolling = Rolling::default();
    let (rolled, by_day) = fastest(3, || rolling.orders(&supply, &hours, &end).expect("the year is sound"));
    let rule = Rule { reserve: 0.2, first: 0 };
    let (ruled, by_rule) = fastest(3, || rule.orders(&supply, &hours, &end).expect("the year is sound"));
    let run = |orders: &[Vec<Order>]| supply.run(&hours, orders, &end).expect("the year is sound");
    let (metered, best_run) = fastest(3, || run(&best.orders));
    println!("{} hours, one battery:", made_up::HOURS);
    println!(
        "dynamic programme {:.1} ms, clarabel {:.0} ms, {:.0} times",
        ours * 1e3,
        theirs * 1e3,
        theirs / ours
    );
    println!(
        "rolling {:.1} ms, rule {:.1} ms, hours carried out {:.1} ms",
        rolled * 1e3,
        ruled * 1e3,
        metered * 1e3
    );
    let apart = (best.cost - judge.cost).0 / best.cost.0;
    println!("optimum {:.0} EUR, of which clarabel is {apart:.1e} off", best.cost.0);
    let still = vec![vec![Order::default(); supply.parts().batteries.len()]; hours.len()];
    let none = run(&still);
    let saved = none.cost() - best_run.cost();
    for (name, run) in [("rolling", run(&by_day)), ("rule", run(&by_rule)), ("no battery", none)] {
        let regret = run.regret(&best_run);
        let (cost, percent) = (regret.cost.0, regret.share.unwrap_or_default() * 100.0);
        let of_saved = regret.cost / saved * 100.0;
        println!(
            "{name}: {cost:.0} EUR more than the optimum, {percent:.3} %; {of_saved:.1} % of what the battery saves"
        );
    }
    tell(&hours, &best_run);
}

/// What the year has in it.
fn tell(hours: &[Hour], best: &Run) {
    let count = |is: &dyn Fn(&Hour) -> bool| hours.iter().filter(|hour| is(hour)).count();
    let below_zero = count(&|hour| hour.prices.import.0 < 0.0);
    let called = count(&|hour| hour.available.interruptible == 0.0);
    let sum = |of: fn(&Flows) -> Joules| best.flows.iter().map(of).sum::<Joules>().as_megawatt_hours();
    let both = |flows: &&Flows| {
        flows.batteries.iter().any(|battery| battery.charged.0 > 1.0 && battery.discharged.0 > 1.0)
    };
    println!(
        "in it: {below_zero} hours with import below zero, {called} with less connection; {:.0} MWh through the battery in {} hours both \
         ways, {:.0} MWh fed in, {:.0} MWh from backup, {:.1} MWh unserved",
        sum(|flows| flows.batteries[0].discharged),
        best.flows.iter().filter(both).count(),
        sum(|flows| flows.exported),
        sum(|flows| flows.backup),
        sum(|flows| flows.unserved),
    );
}

/// The fastest of some runs, in seconds, with what came out.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn fastest<T>(runs: u32, run: impl Fn() -> T) -> (f64, T) {
    let mut least = f64::INFINITY;
    let mut timed = || {
        let begun = Clock::now();
        let found = run();
        least = least.min(begun.elapsed().as_secs_f64());
        found
    };
    let mut found = timed();
    for _ in 1..runs {
        found = timed();
    }
    (least, found)
}
