//! What holds for all supplies: the optimum is that of another method, nothing is cheaper, and nothing is left unserved that
//! could be served.

use giga_facility::quantity::{Euros, EurosPerJoule, Joules, KilogramsPerJoule, Watts};
use giga_facility::supply::{
    Available, Backup, Battery, Connection, Contract, End, HOUR, Hour, Intensity, Kind, Order, Origin, Parts,
    Prices, Rolling, Rule, Source, Supply, Terms, optimum, programme,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

const MW: Watts = Watts(1e6);

fn price(euros: f64) -> EurosPerJoule {
    EurosPerJoule::per_megawatt_hour(euros)
}

fn any_power(most: f64) -> impl Strategy<Value = Watts> {
    prop_oneof![1 => Just(Watts::ZERO), 5 => (0.0..most).prop_map(|power| MW * power)]
}

fn any_source() -> impl Strategy<Value = Source> {
    let terms = prop_oneof![
        (-20.0..60.0f64).prop_map(|euros| Terms::Own(price(euros))),
        (0.0..90.0f64).prop_map(|euros| Terms::Contracted(price(euros))),
        (0.0..90.0f64).prop_map(|euros| Terms::Settled(price(euros))),
    ];
    let kind = prop_oneof![Just(Kind::Wind), Just(Kind::Sun), Just(Kind::Hydro)];
    (kind, any_power(150.0), terms, 0.0..30.0f64).prop_map(|(kind, rated, terms, carbon)| Source {
        kind,
        rated,
        terms,
        carbon: KilogramsPerJoule::per_megawatt_hour(carbon),
    })
}

/// Losses, wear and self-discharge, or none of each.
fn any_battery() -> impl Strategy<Value = Battery> {
    let efficiency = || prop_oneof![1 => Just(1.0), 4 => 0.6..1.0f64];
    let self_discharge = prop_oneof![Just(0.0), 0.0..0.05f64];
    let wear = prop_oneof![Just(0.0), 0.0..30.0f64];
    let shape = (0.0..400.0f64, any_power(120.0), any_power(120.0));
    (shape, efficiency(), efficiency(), self_discharge, wear, 0.0..=1.0f64).prop_map(
        |(
            (capacity, charge, discharge),
            charge_efficiency,
            discharge_efficiency,
            self_discharge,
            wear,
            full,
        )| {
            let capacity = Joules::megawatt_hours(capacity);
            Battery {
                capacity,
                charge,
                discharge,
                charge_efficiency,
                discharge_efficiency,
                self_discharge,
                wear: price(wear),
                begin: capacity * full,
            }
        },
    )
}

fn any_parts() -> impl Strategy<Value = Parts> {
    let connection = (any_power(200.0), any_power(60.0), any_power(80.0))
        .prop_map(|(firm, interruptible, export)| Connection { firm, interruptible, export });
    let contract =
        (any_power(100.0), 0.0..100.0f64, any::<bool>()).prop_map(|(power, euros, is_named)| Contract {
            power,
            price: price(euros),
            origin: is_named.then_some(Origin { carbon: KilogramsPerJoule::ZERO, is_renewable: true }),
        });
    let backup = (any_power(100.0), 50.0..300.0f64).prop_map(|(power, euros)| Backup {
        power,
        price: price(euros),
        carbon: KilogramsPerJoule::per_megawatt_hour(700.0),
    });
    (
        connection,
        vec(contract, 0..2),
        vec(any_source(), 0..3),
        any_battery(),
        option::of(backup),
        400.0..5_000.0f64,
    )
        .prop_map(|(connection, contracts, sources, battery, backup, lost_load)| Parts {
            connection,
            contracts,
            sources,
            batteries: vec![battery],
            backup,
            lost_load: price(lost_load),
        })
}

/// Prices of all kinds, often the same as before, calls and cuts now and then.
fn any_hour(sources: usize) -> impl Strategy<Value = Hour> {
    let spot = prop_oneof![4 => 0.0..200.0f64, 2 => -150.0..0.0f64, 1 => Just(50.0), 1 => Just(0.0)];
    let available = prop_oneof![
        6 => Just(Available::ALL),
        1 => Just(Available::CALLED_OFF),
        1 => (0.0..1.0f64).prop_map(|firm| Available { firm, interruptible: 0.0 }),
    ];
    let factor = prop_oneof![1 => Just(0.0), 4 => 0.0..=1.0f64];
    (any_power(250.0), spot, 0.0..20.0f64, 0.0..20.0f64, available, vec(factor, sources)).prop_map(
        |(load, spot, surcharge, deduction, available, factors)| Hour {
            load,
            prices: Prices {
                spot: price(spot),
                import: price(spot + surcharge),
                export: price(spot - deduction),
            },
            carbon: Intensity {
                grid: KilogramsPerJoule::per_megawatt_hour(300.0),
                residual: KilogramsPerJoule::per_megawatt_hour(400.0),
            },
            available,
            factors,
        },
    )
}

fn any_case(count: std::ops::Range<usize>) -> impl Strategy<Value = (Supply, Vec<Hour>)> {
    (any_parts(), count).prop_flat_map(|(parts, count)| {
        let hours = vec(any_hour(parts.sources.len()), count);
        let supply = Supply::new(parts).expect("the parts are within their ranges");
        (Just(supply), hours)
    })
}

/// The sum of all that was paid and earned: what differences are measured by.
fn scale(supply: &Supply, hours: &[Hour]) -> f64 {
    let still = vec![vec![Order::default(); supply.parts().batteries.len()]; hours.len()];
    let run = supply.run(hours, &still, &supply.end()).expect("the case is sound");
    let money = run.money();
    let parts = [money.import, money.export, money.contracts, money.sources, money.backup, money.unserved];
    parts.iter().map(|part| part.0.abs()).sum::<f64>().max(1e3)
}

fn near(found: Euros, expected: Euros, tolerance: f64) -> Result<(), TestCaseError> {
    prop_assert!((found - expected).0.abs() <= tolerance, "{found:?} and {expected:?}, {tolerance} allowed");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_optimum_is_that_of_a_linear_programme((supply, hours) in any_case(24..200)) {
        let end = supply.end();
        let scale = scale(&supply, &hours);
        let best = optimum(&supply, &hours, &end).expect("the case is sound");
        let run = supply.run(&hours, &best.orders, &end).expect("the case is sound");
        near(run.cost(), best.cost, 1e-9 * scale)?;
        let judge = programme(&supply, &hours, &end).expect("the programme has a solution");
        near(best.cost, judge.cost, 1e-6 * scale)?;
        let judged = supply.run(&hours, &judge.orders, &end).expect("the case is sound");
        near(judged.cost(), judge.cost, 1e-5 * scale)?;
    }

    #[test]
    fn nothing_is_cheaper_than_the_optimum(
        (supply, hours) in any_case(24..200),
        reserve in 0.0..=1.0f64,
        published in 0..24usize,
        every in 1..30usize,
        horizon in 1..80usize,
    ) {
        let end = supply.end();
        let least = optimum(&supply, &hours, &end).expect("the case is sound").cost.0 - 1e-9 * scale(&supply, &hours);
        let cost = |orders: Vec<Vec<Order>>| supply.run(&hours, &orders, &end).expect("the case is sound").cost().0;
        let by_rule = cost(Rule { reserve, first: published }.orders(&supply, &hours, &end).expect("the case is sound"));
        prop_assert!(by_rule >= least, "{by_rule} by rule, {least} at least");
        let rolling = Rolling { published, every, horizon, first: every };
        let rolled = cost(rolling.orders(&supply, &hours, &end).expect("the case is sound"));
        prop_assert!(rolled >= least, "{rolled} rolling, {least} at least");
    }

    #[test]
    fn where_days_repeat_looking_ahead_to_the_end_is_the_optimum((supply, day) in any_case(24..25), days in 2..5usize) {
        let hours: Vec<Hour> = day.iter().cycle().take(24 * days).cloned().collect();
        let end = supply.end();
        let best = optimum(&supply, &hours, &end).expect("the case is sound").cost;
        let rolling = Rolling { horizon: 24 * days, ..Rolling::default() };
        let orders = rolling.orders(&supply, &hours, &end).expect("the case is sound");
        let run = supply.run(&hours, &orders, &end).expect("the case is sound");
        near(run.cost(), best, 1e-9 * scale(&supply, &hours))?;
    }

    #[test]
    fn what_is_not_known_yet_changes_nothing(
        (supply, hours) in any_case(96..150),
        from in 24..96usize,
        reserve in 0.0..=1.0f64,
    ) {
        let mut other = hours.clone();
        for hour in &mut other[from..] {
            hour.load = hour.load * 0.7;
            hour.prices = Prices { import: price(500.0), ..hour.prices };
            hour.available = Available { firm: 0.3, interruptible: 0.0 };
        }
        let end = supply.end();
        let rolled = |hours| Rolling::default().orders(&supply, hours, &end).expect("the case is sound");
        // At 13:00 of a day the end of the next is 35 hours away, and decisions are made a day apart.
        for (now, (order, other)) in rolled(&hours).iter().zip(&rolled(&other)).enumerate().take(from - 23) {
            let decided = if now < 13 { 0 } else { now - (now - 13) % 24 };
            let known = if decided == 0 { 24 } else { decided + 35 };
            prop_assert!(known > from || order == other, "hour {now}: {order:?} and {other:?}");
        }
        let ruled = |hours| Rule { reserve, first: 5 }.orders(&supply, hours, &end).expect("the case is sound");
        // With five hours before it, a day begins at 19, 43 and so on.
        let days = ((from + 5) / 24 * 24).saturating_sub(5);
        prop_assert_eq!(&ruled(&hours)[..days], &ruled(&other)[..days]);
    }

    #[test]
    fn orders_of_any_kind_balance((supply, hours) in any_case(1..50), sizes in vec((-500.0..500.0f64, -500.0..500.0f64), 50)) {
        let order = |(charge, discharge): &(f64, f64)| vec![Order { charge: MW * *charge, discharge: MW * *discharge }];
        let orders: Vec<_> = sizes.iter().take(hours.len()).map(order).collect();
        // The step panics where it does not balance.
        let run = supply.run(&hours, &orders, &supply.end()).expect("the case is sound");
        let capacity = supply.parts().batteries[0].capacity;
        prop_assert!(run.flows.iter().all(|flows| flows.batteries[0].level <= capacity));
    }

    #[test]
    fn what_can_be_served_is((supply, mut hours) in any_case(24..60)) {
        // Nothing but the worth of load counts: so much can not be served at all.
        let mut free = supply.parts().clone();
        free.lost_load = price(1e4);
        free.backup.iter_mut().for_each(|backup| backup.price = EurosPerJoule::ZERO);
        free.batteries[0].wear = EurosPerJoule::ZERO;
        free.sources.iter_mut().for_each(|source| source.terms = match source.terms {
            Terms::Own(_) => Terms::Own(EurosPerJoule::ZERO),
            other => other,
        });
        let priced = hours.clone();
        hours.iter_mut().for_each(|hour| hour.prices = Prices::default());
        let unserved = |parts: Parts, hours: &[Hour]| {
            let supply = Supply::new(parts).expect("the parts are within their ranges");
            let end = End { price: EurosPerJoule::ZERO, ..supply.end() };
            let best = optimum(&supply, hours, &end).expect("the case is sound");
            let run = supply.run(hours, &best.orders, &end).expect("the case is sound");
            run.flows.iter().map(|flows| flows.unserved).sum::<Joules>().as_megawatt_hours()
        };
        let least = unserved(free, &hours);
        let parts = Parts { lost_load: price(1e5), ..supply.parts().clone() };
        let found = unserved(parts, &priced);
        prop_assert!((found - least).abs() <= 1e-6, "{found} MWh unserved, {least} have to be");
    }

    #[test]
    fn a_connection_with_backup_that_reaches_serves_all((supply, mut hours) in any_case(24..100), reserve in 0.0..=1.0f64) {
        let mut parts = Parts { lost_load: price(1e5), ..supply.parts().clone() };
        parts.backup = Some(Backup::diesel(MW * 250.0));
        hours.iter_mut().for_each(|hour| hour.available.interruptible = 0.0);
        let supply = Supply::new(parts).expect("the parts are within their ranges");
        let end = End { price: EurosPerJoule::ZERO, ..supply.end() };
        let ways = [
            Rule { reserve, first: 0 }.orders(&supply, &hours, &end),
            Rolling::default().orders(&supply, &hours, &end),
            optimum(&supply, &hours, &end).map(|best| best.orders),
        ];
        for orders in ways {
            let run = supply.run(&hours, &orders.expect("the case is sound"), &end).expect("the case is sound");
            let most = run.flows.iter().map(|flows| flows.unserved).fold(Joules::ZERO, Joules::max);
            prop_assert!(most.as_megawatt_hours() <= 1e-6, "{most:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn two_halves_of_a_battery_are_one((supply, hours) in any_case(24..100)) {
        let one = optimum(&supply, &hours, &supply.end()).expect("the case is sound").cost;
        let whole = supply.parts().batteries[0];
        let half = Battery {
            capacity: whole.capacity * 0.5,
            charge: whole.charge * 0.5,
            discharge: whole.discharge * 0.5,
            begin: whole.begin * 0.5,
            ..whole
        };
        let two = Supply::new(Parts { batteries: vec![half; 2], ..supply.parts().clone() }).expect("the parts are sound");
        let best = optimum(&two, &hours, &two.end()).expect("the programme has a solution");
        let scale = scale(&supply, &hours);
        near(best.cost, one, 1e-6 * scale)?;
        let run = two.run(&hours, &best.orders, &two.end()).expect("the case is sound");
        near(run.cost(), one, 1e-5 * scale)?;
        let rolled = Rolling::default().orders(&two, &hours, &two.end()).expect("the programme has a solution");
        let rolled = two.run(&hours, &rolled, &two.end()).expect("the case is sound");
        prop_assert!(rolled.cost().0 >= one.0 - 1e-6 * scale);
    }

    #[test]
    fn another_battery_that_begins_empty_makes_nothing_dearer(
        (supply, hours) in any_case(24..100),
        other in any_battery(),
    ) {
        let one = optimum(&supply, &hours, &supply.end()).expect("the case is sound").cost;
        let mut parts = supply.parts().clone();
        parts.batteries.push(Battery { begin: Joules::ZERO, ..other });
        let two = Supply::new(parts).expect("the parts are within their ranges");
        let end = two.end();
        let end = End { price: supply.end().price, ..end };
        let best = optimum(&two, &hours, &end).expect("the programme has a solution");
        let scale = scale(&supply, &hours);
        prop_assert!(best.cost.0 <= one.0 + 1e-6 * scale, "{:?} with two, {one:?} with one", best.cost);
        let run = two.run(&hours, &best.orders, &end).expect("the case is sound");
        near(run.cost(), best.cost, 1e-5 * scale)?;
    }

    /// Without losses and with whole megawatts, an optimum lies on whole megawatt-hours.
    #[test]
    fn the_optimum_is_that_of_all_whole_levels(
        (supply, mut hours) in any_case(2..12),
        capacity in 0..12u32,
        begin in 0..12u32,
        (charge, discharge) in (0..6u32, 0..6u32),
    ) {
        let whole = |power: Watts| Watts((power.0 / 1e7).round() * 1e6);
        let mut parts = supply.parts().clone();
        let Connection { firm, interruptible, export } = parts.connection;
        parts.connection = Connection { firm: whole(firm), interruptible: whole(interruptible), export: whole(export) };
        parts.sources.iter_mut().for_each(|source| source.rated = whole(source.rated));
        parts.backup.iter_mut().for_each(|backup| backup.power = whole(backup.power));
        let megawatt_hours = |count: u32| Joules::megawatt_hours(f64::from(count));
        parts.batteries[0] = Battery {
            capacity: megawatt_hours(capacity),
            charge: MW * f64::from(charge),
            discharge: MW * f64::from(discharge),
            charge_efficiency: 1.0,
            discharge_efficiency: 1.0,
            self_discharge: 0.0,
            begin: megawatt_hours(begin.min(capacity)),
            ..parts.batteries[0]
        };
        for hour in &mut hours {
            hour.load = whole(hour.load);
            hour.available.firm = hour.available.firm.round();
            hour.factors.iter_mut().for_each(|factor| *factor = factor.round());
        }
        let supply = Supply::new(parts).expect("the parts are within their ranges");
        let best = optimum(&supply, &hours, &supply.end()).expect("the case is sound").cost;
        near(Euros(tried(&supply, &hours, capacity)), best, 1e-9 * scale(&supply, &hours))?;
    }
}

/// The least cost over all stories of whole levels, each hour by the step itself.
fn tried(supply: &Supply, hours: &[Hour], capacity: u32) -> f64 {
    let level = |count: u32| Joules::megawatt_hours(f64::from(count));
    let end = supply.end();
    let mut later: Vec<f64> = (0..=capacity).map(|count| end.missing(&[level(count)]).0).collect();
    for hour in hours.iter().rev() {
        let from = |from: u32| {
            let to = |to: u32| {
                let change = (level(to) - level(from)).0 / HOUR.0;
                let order = Order { charge: Watts(change.max(0.0)), discharge: Watts((-change).max(0.0)) };
                let flows = supply.step(&[level(from)], hour, &[order]).expect("the case is sound");
                let is_done = (flows.batteries[0].level - level(to)).0.abs() < 1.0;
                let cost = flows.money.total().0 + later[to as usize];
                if is_done { cost } else { f64::INFINITY }
            };
            (0..=capacity).map(to).fold(f64::INFINITY, f64::min)
        };
        later = (0..=capacity).map(from).collect();
    }
    later[supply.begin()[0].as_megawatt_hours().round() as usize]
}
