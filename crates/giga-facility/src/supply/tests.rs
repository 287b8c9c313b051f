//! What an hour of a small supply comes to, by hand.

use super::*;
use crate::quantity::{Euros, EurosPerJoule, Kilograms, KilogramsPerJoule, Watts};

const MW: Watts = Watts(1e6);

fn mwh(count: f64) -> Joules {
    Joules::megawatt_hours(count)
}

fn price(euros: f64) -> EurosPerJoule {
    EurosPerJoule::per_megawatt_hour(euros)
}

fn carbon(kilograms: f64) -> KilogramsPerJoule {
    KilogramsPerJoule::per_megawatt_hour(kilograms)
}

/// 100 MW firm, 50 MW more unless it is called off, 20 MW out; 40 MW of wind, 30 MW of engines and a battery of 20 MW for 40 MWh.
fn parts() -> Parts {
    let wind =
        Source { kind: Kind::Wind, rated: MW * 40.0, terms: Terms::Own(price(2.0)), carbon: carbon(0.0) };
    let battery = Battery {
        capacity: mwh(40.0),
        charge: MW * 20.0,
        discharge: MW * 20.0,
        charge_efficiency: 0.9,
        discharge_efficiency: 0.8,
        self_discharge: 0.01,
        wear: price(5.0),
        begin: mwh(20.0),
    };
    Parts {
        connection: Connection { firm: MW * 100.0, interruptible: MW * 50.0, export: MW * 20.0 },
        contracts: Vec::new(),
        sources: vec![wind],
        batteries: vec![battery],
        backup: Some(Backup { power: MW * 30.0, price: price(150.0), carbon: carbon(700.0) }),
        lost_load: price(5_000.0),
    }
}

fn hour(load: f64, factor: f64) -> Hour {
    let tariff = Tariff { surcharge: price(10.0), deduction: price(1.0) };
    Hour {
        load: MW * load,
        prices: tariff.at(price(50.0)),
        carbon: Intensity { grid: carbon(300.0), residual: carbon(400.0) },
        available: Available::ALL,
        factors: vec![factor],
    }
}

fn flows(parts: Parts, hour: &Hour, charge: f64, discharge: f64) -> Flows {
    let supply = Supply::new(parts).expect("the parts are sound");
    let order = Order { charge: MW * charge, discharge: MW * discharge };
    supply.step(&supply.begin(), hour, &[order]).expect("the hour is sound")
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found}, not {expected}");
}

/// Imported, exported, wind, engines and unserved, in MWh.
fn check(flows: &Flows, expected: [f64; 5]) {
    let found = [flows.imported, flows.exported, flows.sources[0].used, flows.backup, flows.unserved];
    for (found, expected) in found.into_iter().zip(expected) {
        near(found.as_megawatt_hours(), expected);
    }
}

#[test]
fn the_cheapest_serve_first() {
    check(&flows(parts(), &hour(120.0, 0.5), 0.0, 0.0), [100.0, 0.0, 20.0, 0.0, 0.0]);
    check(&flows(parts(), &hour(30.0, 1.0), 0.0, 0.0), [0.0, 10.0, 40.0, 0.0, 0.0]);
    check(&flows(parts(), &hour(10.0, 1.0), 0.0, 0.0), [0.0, 20.0, 30.0, 0.0, 0.0]);
    check(&flows(parts(), &hour(230.0, 1.0), 0.0, 0.0), [150.0, 0.0, 40.0, 30.0, 10.0]);
}

#[test]
fn what_is_called_off_or_cut_is_not_taken() {
    let called_off = Hour { available: Available::CALLED_OFF, ..hour(140.0, 0.0) };
    check(&flows(parts(), &called_off, 0.0, 15.0), [100.0, 0.0, 0.0, 25.0, 0.0]);
    let cut = Hour { available: Available { firm: 0.5, interruptible: 0.0 }, ..hour(10.0, 1.0) };
    check(&flows(parts(), &cut, 0.0, 0.0), [0.0, 10.0, 20.0, 0.0, 0.0]);
}

#[test]
fn below_zero_the_grid_is_taken_before_the_wind() {
    let mut hour = hour(120.0, 1.0);
    hour.prices = Prices { spot: price(-50.0), import: price(-40.0), export: price(-51.0) };
    let flows = flows(parts(), &hour, 20.0, 0.0);
    check(&flows, [140.0, 0.0, 0.0, 0.0, 0.0]);
    near(flows.sources[0].curtailed.as_megawatt_hours(), 40.0);
    near(flows.money.total().0, -40.0 * 140.0);
}

#[test]
fn a_battery_loses_on_every_way() {
    let charged = flows(parts(), &hour(50.0, 0.0), 10.0, 0.0).batteries[0];
    near(charged.level.as_megawatt_hours(), 20.0 * 0.99 + 9.0);
    near(charged.lost.as_megawatt_hours(), 0.2 + 1.0);
    let discharged = flows(parts(), &hour(50.0, 0.0), 0.0, 10.0).batteries[0];
    near(discharged.level.as_megawatt_hours(), 20.0 * 0.99 - 12.5);
    near(discharged.lost.as_megawatt_hours(), 0.2 + 2.5);
}

#[test]
fn orders_are_carried_out_as_far_as_they_can_be() {
    // 19.8 MWh are left, which give 15.84.
    near(flows(parts(), &hour(50.0, 0.0), 0.0, 99.0).batteries[0].discharged.as_megawatt_hours(), 15.84);
    near(flows(parts(), &hour(50.0, 0.0), 99.0, 0.0).batteries[0].charged.as_megawatt_hours(), 20.0);
    // The site needs 3 and may feed in 20.
    near(
        flows(Parts { lost_load: price(0.0), ..parts() }, &hour(3.0, 0.0), 0.0, 20.0).batteries[0]
            .discharged
            .as_megawatt_hours(),
        15.84,
    );
    let closed = Parts { connection: Connection::default(), ..parts() };
    near(flows(closed, &hour(3.0, 0.0), 0.0, 20.0).batteries[0].discharged.as_megawatt_hours(), 3.0);
}

#[test]
fn money_and_carbon_are_counted_by_part() {
    let base = Contract { power: MW * 10.0, price: price(60.0), origin: Some(carbon(20.0)) };
    let far =
        Source { kind: Kind::Sun, rated: MW * 30.0, terms: Terms::Settled(price(45.0)), carbon: carbon(0.0) };
    let near_by = Source { terms: Terms::Contracted(price(40.0)), ..parts().sources[0] };
    let parts = Parts { contracts: vec![base], sources: vec![near_by, far], ..parts() };
    let hour = Hour { factors: vec![0.5, 1.0], ..hour(110.0, 0.0) };
    let flows = flows(parts, &hour, 0.0, 0.0);
    check(&flows, [90.0, 0.0, 20.0, 0.0, 0.0]);
    near(flows.money.import.0, 90.0 * 60.0);
    near(flows.money.contracts.0, 10.0 * 10.0 - 30.0 * 5.0);
    near(flows.money.sources.0, 20.0 * 40.0);
    near(flows.carbon.location.0, 90.0 * 300.0);
    near(flows.carbon.market.0, 10.0 * 20.0 + 50.0 * 400.0);
    assert_eq!(flows.money.wear, Euros::ZERO);
    assert!(flows.carbon.location > Kilograms::ZERO);
}

#[test]
fn what_can_not_be_is_refused_by_name() {
    let text = |parts| Supply::new(parts).expect_err("it can not be").to_string();
    let battery = Battery { begin: mwh(41.0), ..parts().batteries[0] };
    let said = text(Parts { batteries: vec![battery], ..parts() });
    assert!(said.starts_with("battery 0: `begin` is"), "{said}");
    let supply = Supply::new(parts()).expect("the parts are sound");
    let mut dear = hour(1.0, 1.0);
    dear.prices.export = price(70.0);
    let said = supply.check(&dear).expect_err("it can not be").to_string();
    assert!(said.starts_with("`export` pays 70 EUR/MWh and `import` costs 60"), "{said}");
    let said = supply.step(&[], &hour(1.0, 1.0), &[]).expect_err("it can not be").to_string();
    assert!(said.starts_with("0 levels and 0 orders for 1 batteries"), "{said}");
    let hours = [hour(1.0, 1.0), hour(1.0, f64::NAN)];
    let orders = vec![vec![Order::default()]; 2];
    let said = supply.run(&hours, &orders, &supply.end()).expect_err("it can not be").to_string();
    assert!(said.starts_with("hour 1: `factor` is NaN"), "{said}");
}
