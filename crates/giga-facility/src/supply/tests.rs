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

/// 100 MW firm, 50 MW more unless it is called off, 20 MW out; 40 MW of wind, 30 MW of backup and a battery of 20 MW for 40 MWh.
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

/// Imported, exported, wind, backup and unserved, in MWh.
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
fn a_battery_charges_another_though_the_last_bits_do_not_match() {
    let battery = parts().batteries[0];
    let closed =
        Parts { connection: Connection::default(), backup: None, batteries: vec![battery; 2], ..parts() };
    let supply = Supply::new(closed).expect("the parts are sound");
    for off in [-1e-6, 0.0, 1e-6] {
        let give = Order { charge: Watts::ZERO, discharge: MW * 10.0 };
        let take = Order { charge: MW * (10.0 + off), discharge: Watts::ZERO };
        let flows = supply.step(&supply.begin(), &hour(0.0, 0.0), &[give, take]).expect("the hour is sound");
        let found =
            [flows.batteries[0].discharged, flows.batteries[1].charged].map(Joules::as_megawatt_hours);
        assert!(found.iter().all(|found| (found - 10.0).abs() < 1e-5), "{found:?}");
    }
}

#[test]
fn money_and_carbon_are_counted_by_part() {
    let base = Contract {
        power: MW * 10.0,
        price: price(60.0),
        origin: Some(Origin { carbon: carbon(20.0), is_renewable: false }),
    };
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
    near(flows.renewable.as_megawatt_hours(), 20.0 + 30.0);
    assert_eq!(flows.money.wear, Euros::ZERO);
    assert!(flows.carbon.location > Kilograms::ZERO);
}

#[test]
fn what_is_renewable_counts_as_far_as_the_site_takes_it() {
    let base = |is_renewable| Contract {
        power: MW * 60.0,
        price: price(60.0),
        origin: Some(Origin { carbon: carbon(0.0), is_renewable }),
    };
    let renewable = |contracts, load, factor| {
        let supply = Supply::new(Parts { contracts, ..parts() }).expect("the parts are sound");
        let run = supply.run(&[hour(load, factor)], &[vec![Order::default()]], &supply.end());
        run.expect("the hour is sound").renewable()
    };
    // 40 MW of wind: 20 made behind the meter, 10 of them fed in, of 10 used.
    assert_eq!(renewable(vec![], 10.0, 0.5), Some(1.0));
    assert_eq!(renewable(vec![], 50.0, 0.5), Some(0.4));
    // 50 MW are imported, and certificates for 60 cover no more.
    assert_eq!(renewable(vec![base(true)], 50.0, 0.0), Some(1.0));
    // Of 120 MW with certificates half are renewable, and so are 25 of 50.
    assert_eq!(renewable(vec![base(true), base(false)], 50.0, 0.0), Some(0.5));
    assert_eq!(renewable(vec![base(false)], 50.0, 0.0), Some(0.0));
    assert_eq!(renewable(vec![], 0.0, 0.0), None);
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

/// A day with a cheap night and a dear evening, behind 50 MW without wind.
fn day() -> Vec<Hour> {
    let tariff = Tariff::default();
    let of_hour = |at| match at {
        2 | 3 => 20.0,
        18 | 19 => 200.0,
        _ => 60.0,
    };
    (0..24).map(|at| Hour { prices: tariff.at(price(of_hour(at))), ..hour(50.0, 0.0) }).collect()
}

/// Hours with the megawatts charged, below zero for discharged.
fn told(orders: &[Vec<Order>]) -> Vec<(usize, i64)> {
    let net = |order: &Order| ((order.charge - order.discharge) / MW).round() as i64;
    orders.iter().enumerate().map(|(at, order)| (at, net(&order[0]))).filter(|(_, net)| *net != 0).collect()
}

fn still() -> Supply {
    let battery = Battery { self_discharge: 0.0, begin: mwh(4.0), ..parts().batteries[0] };
    Supply::new(Parts { batteries: vec![battery], ..parts() }).expect("the parts are sound")
}

#[test]
fn the_rule_charges_in_cheap_hours_and_keeps_its_reserve() {
    let (supply, hours) = (still(), [day(), day()].concat());
    let orders =
        Rule { reserve: 0.1, first: 0 }.orders(&supply, &hours, &supply.end()).expect("the hours are sound");
    // 18 of 20 MW come in; of 40 MWh 36 are above the reserve, and give 28.8.
    let of_a_day = [(2, 20), (3, 20), (18, -20), (19, -9)];
    let next = of_a_day.map(|(at, net)| (at + 24, net));
    assert_eq!(told(&orders), [of_a_day, next].concat());
}

#[test]
fn the_rule_opens_its_reserve_where_the_connection_does_not_reach() {
    let supply = still();
    let mut hours = day();
    hours[10].available = Available { firm: 0.48, interruptible: 0.0 };
    let orders =
        Rule { reserve: 0.5, first: 0 }.orders(&supply, &hours, &supply.end()).expect("the hours are sound");
    assert_eq!(told(&orders)[..3], [(0, 18), (2, 20), (3, 2)]);
    assert!(told(&orders).contains(&(10, -2)), "{:?}", told(&orders));
}

#[test]
fn the_optimum_knows_what_comes() {
    let (supply, hours) = (still(), day());
    let best = optimum(&supply, &hours, &supply.end()).expect("the hours are sound");
    // It may be empty behind the evening, and is charged to what is asked for as late as that costs no more.
    assert_eq!(told(&best.orders), [(2, 20), (3, 20), (18, -20), (19, -12), (23, 4)]);
    let run = supply.run(&hours, &best.orders, &supply.end()).expect("the hours are sound");
    near(run.levels[0].as_megawatt_hours(), 4.0);
    let idle = vec![vec![Order::default()]; 24];
    let idle = supply.run(&hours, &idle, &supply.end()).expect("the hours are sound");
    // 32 MWh at 200 and their wear, for 40 at 20 and those 4.4 at 60 that become 4 in the store.
    near(idle.regret(&run).cost.0, 32.0 * (200.0 - 5.0) - 40.0 * 20.0 - 4.0 / 0.9 * 60.0);
}

#[test]
fn what_is_missing_at_the_end_is_bought_at_the_value_of_lost_load() {
    let supply = still();
    let hours = [hour(50.0, 0.0)];
    let order = vec![vec![Order { charge: Watts::ZERO, discharge: MW * 1.6 }]];
    let run = supply.run(&hours, &order, &supply.end()).expect("the hours are sound");
    near(run.missing.0, 2.0 * 5_000.0 / 0.9);
}

#[test]
fn a_way_of_giving_orders_refuses_what_it_can_not_look_at() {
    let (supply, hours) = (still(), day());
    let rolling = Rolling { every: 0, ..Rolling::default() };
    let said = rolling.orders(&supply, &hours, &supply.end()).expect_err("it can not be").to_string();
    assert_eq!(said, "`every` is 0; give at least 1 hour");
    let end = End { levels: vec![mwh(41.0)], ..supply.end() };
    let said = optimum(&supply, &hours, &end).expect_err("it can not be").to_string();
    assert_eq!(said, "`end` is not one level within its capacity for each of 1 batteries");
}

/// Behind a connection that gives nothing, a battery burns what it would pay to feed in, down to empty: it charges from itself.
#[test]
fn a_battery_charges_itself_though_the_last_bits_do_not_match() {
    let battery = Battery {
        capacity: Joules(24_175_904_751.375_053),
        charge: Watts(66_404_927.630_737_68),
        discharge: Watts(27_397_202.209_724_13),
        charge_efficiency: 0.853_462_475_457_058_4,
        discharge_efficiency: 0.762_737_205_455_846,
        self_discharge: 0.0,
        wear: EurosPerJoule(0.0),
        begin: Joules(24_175_904_751.375_053),
    };
    let connection = Connection { firm: Watts::ZERO, interruptible: Watts::ZERO, export: MW * 30.0 };
    let parts = Parts { connection, batteries: vec![battery], lost_load: price(700.0), ..Parts::default() };
    for charge in [14_675_381.582_902_22, 14_675_381.582_902_25, 14_675_381.582_902_19] {
        let order = Order { charge: Watts(charge), discharge: Watts(14_675_381.582_902_22) };
        let supply = Supply::new(parts.clone()).expect("the parts are sound");
        let hour = Hour { factors: Vec::new(), ..hour(0.0, 0.0) };
        let flows = supply.step(&[battery.begin], &hour, &[order]).expect("the hour is sound");
        near(flows.batteries[0].charged.as_megawatt_hours(), 14.675_381_582);
        near(flows.batteries[0].discharged.as_megawatt_hours(), 14.675_381_582);
    }
}
