//! What goes into an hour comes out of it, in energy and in money, to a part in 10⁹; checked in release as well.

use super::merit::{fixed, produced};
use super::part::{Connection, Parts, Terms};
use super::step::Flows;
use super::{HOUR, Hour};
use crate::balance::TOLERANCE;
use crate::quantity::{Euros, Joules, Watts};

/// Panics where an hour does not balance. `merit` is what the merit order says that its demand costs.
pub(super) fn hold(parts: &Parts, hour: &Hour, flows: &Flows, merit: Euros) {
    site(parts, flows);
    storage(parts, flows);
    connection(parts, hour, flows);
    for ((source, factor), flows) in parts.sources.iter().zip(&hour.factors).zip(&flows.sources) {
        let made = produced(source.rated, *factor);
        assert!(near(flows.used + flows.curtailed, made, made), "a source balances: {flows:?}");
    }
    money(parts, hour, flows, merit);
}

/// What comes to the site's bus and what leaves it.
fn site(parts: &Parts, flows: &Flows) {
    let behind = parts.sources.iter().zip(&flows.sources);
    let made: Joules = behind
        .filter(|(source, _)| !matches!(source.terms, Terms::Settled(_)))
        .map(|(_, flows)| flows.used)
        .sum();
    let discharged: Joules = flows.batteries.iter().map(|battery| battery.discharged).sum();
    let charged: Joules = flows.batteries.iter().map(|battery| battery.charged).sum();
    let come = flows.imported + made + flows.backup + discharged + flows.unserved;
    let gone = flows.load + charged + flows.exported;
    let scale = come.max(could_pass(parts, flows) * ROUNDING);
    assert!(near(come, gone, scale), "energy of a site balances: {come:?} and {gone:?} in {flows:?}");
}

/// Of what could pass, what the sums above may leave by rounding, over the tolerance: what is smaller is not compared more finely.
const ROUNDING: f64 = 1e-5;

fn could_pass(parts: &Parts, flows: &Flows) -> Joules {
    let Connection { firm, interruptible, export } = parts.connection;
    let batteries: Watts = parts.batteries.iter().map(|battery| battery.charge + battery.discharge).sum();
    let sources: Watts = parts.sources.iter().map(|source| source.rated).sum();
    let backup = parts.backup.map_or(Watts::ZERO, |backup| backup.power);
    flows.load + (firm + interruptible + export + batteries + sources + backup) * HOUR
}

fn storage(parts: &Parts, flows: &Flows) {
    for (battery, flows) in parts.batteries.iter().zip(&flows.batteries) {
        let out = flows.level + flows.discharged + flows.lost;
        let come = flows.before + flows.charged;
        let scale = come.max(battery.capacity * ROUNDING);
        assert!(near(out, come, scale), "a battery balances: {flows:?}");
    }
}

/// Nothing passes the connection beyond what there is of it, nor both ways at once.
fn connection(parts: &Parts, hour: &Hour, flows: &Flows) {
    let (connection, available) = (&parts.connection, &hour.available);
    let import = connection.firm * available.firm + connection.interruptible * available.interruptible;
    let most = |power: Watts| power * HOUR * (1.0 + TOLERANCE) + Joules(1e-6);
    assert!(flows.imported <= most(import), "the connection holds: {flows:?}");
    assert!(flows.exported <= most(connection.export * available.firm), "the connection holds: {flows:?}");
    let least = flows.imported.min(flows.exported);
    assert!(near(least, Joules::ZERO, could_pass(parts, flows)), "one way at a time: {flows:?}");
    assert!(flows.unserved <= flows.load, "only load is not served: {flows:?}");
}

/// Money by part adds up to what the merit order says, wear, and what is paid whatever is used.
fn money(parts: &Parts, hour: &Hour, flows: &Flows, merit: Euros) {
    let expected = merit + flows.money.wear + fixed(parts, hour);
    let total = flows.money.total();
    let scale: f64 = flows.money.parts().iter().map(|part| part.0.abs()).sum();
    // What is not fed in passes through the merit order as if it were sold and bought back, and leaves its last bits.
    let passed = could_pass(parts, flows).0 * hour.prices.import.0.abs().max(hour.prices.export.0.abs());
    let is_near = (total - expected).0.abs() <= TOLERANCE * scale.max(passed * ROUNDING).max(1e-6);
    assert!(is_near, "money balances: {total:?} and {expected:?} in {flows:?}");
}

fn near(found: Joules, expected: Joules, scale: Joules) -> bool {
    // Below a microjoule there is nothing to compare.
    (found - expected).0.abs() <= TOLERANCE * scale.0.abs().max(1e-6)
}
