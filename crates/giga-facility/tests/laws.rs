//! What holds for all plants in all weather.

use giga_facility::air::Air;
use giga_facility::balance::{TOLERANCE, balance};
use giga_facility::chain::{Beside, Chain, Position, Stage};
use giga_facility::cooling::{
    Basin, Chiller, Circuit, Mode, Pads, Plant, Pumps, Rejection, RoomFans, SUPPLY_MAX, Tower, Working,
};
use giga_facility::quantity::{Celsius, JoulesPerKelvin, Kelvin, Metres, Pascals, Seconds, Watts};
use giga_facility::{Chillers, Design, Facility, Flows, Inputs, Preset, district};
use proptest::prelude::*;

const RATED: f64 = 1e7;

fn any_basin() -> impl Strategy<Value = Basin> {
    (1.5..10.0f64, 0.0..2e-4f64).prop_map(|(cycles, drift)| Basin { cycles, drift })
}

fn any_rejection() -> impl Strategy<Value = Rejection> {
    let pads =
        proptest::option::of((0.3..1.0f64, any_basin()).prop_map(|(effect, basin)| Pads { effect, basin }));
    let tower = proptest::option::of(
        (15.0..28.0f64, any_basin())
            .prop_map(|(wet_bulb, basin)| Tower { wet_bulb: Celsius(wet_bulb), basin }),
    );
    (2.0..12.0f64, 0.0..4e5f64, pads, tower).prop_map(|(approach, fans, pads, tower)| Rejection {
        approach: Kelvin(approach),
        fans: Watts(fans),
        pads: if tower.is_some() { None } else { pads },
        tower,
    })
}

fn any_chiller() -> impl Strategy<Value = Option<Chiller>> {
    let chiller = (0.0..2.0 * RATED, 0.2..0.8f64, 4.0..20.0f64, 5.0..18.0f64, 0.0..0.05f64).prop_map(
        |(most, carnot_share, cop_max, condenser, condenser_draw)| Chiller {
            most: Watts(most),
            carnot_share,
            cop_max,
            evaporator: Kelvin(2.0),
            condenser: Kelvin(condenser),
            condenser_draw,
        },
    );
    proptest::option::of(chiller)
}

fn any_circuit() -> impl Strategy<Value = Circuit> {
    let pumps = (0.0..4e5f64, 0.0..1.0f64, 0.0..0.8f64).prop_map(|(pressure, fixed_share, flow_min)| Pumps {
        pressure: Pascals(pressure),
        fixed_share,
        efficiency: 0.7,
        flow_min,
    });
    (12.0..50.0f64, 4.0..15.0f64, 20.0..2_000.0f64, 0.0..5.0f64, pumps, any_rejection(), any_chiller())
        .prop_map(|(supply, rise, delay, exchanger, pumps, rejection, chiller)| Circuit {
            rated: Watts(RATED),
            supply: Celsius(supply),
            rise: Kelvin(rise),
            inertia: JoulesPerKelvin(RATED * delay / rise),
            exchanger: Kelvin(exchanger),
            pumps,
            rejection,
            chiller,
        })
}

fn any_chain() -> impl Strategy<Value = Chain> {
    (0.0..0.01f64, 0.9..1.0f64, 0.0..0.02f64, 0.0..0.1f64).prop_map(
        |(constant, efficiency, resistance, share)| {
            let stage = |name, position| Stage {
                name,
                position,
                units: 10,
                constant: Watts(1e6 * constant),
                efficiency,
                rated: Watts(1e6),
                resistance,
                beside: Beside { constant: Watts(1e4), share },
            };
            let positions = [Position::Cabinet, Position::Distribution, Position::Ups, Position::Transformer];
            Chain::new(positions.iter().map(|position| stage("some", *position)).collect())
                .expect("the stages are sound")
        },
    )
}

fn any_facility() -> impl Strategy<Value = Facility> {
    let reuse = proptest::option::of((0.0..RATED).prop_map(|most| district(Watts(most))));
    (any_chain(), 0.0..1.0f64, any_circuit(), any_circuit(), 0.0..6e5f64, reuse).prop_map(
        |(chain, liquid_share, liquid, room, fans, reuse)| {
            let room_fans = RoomFans { rated: Watts(fans), flow_min: 0.3 };
            let building = Watts(3e4);
            let plant = Plant { liquid_share, liquid: Some(liquid), room, room_fans, building, reuse };
            Facility::new(chain, plant).expect("the design is within its ranges")
        },
    )
}

/// A preset with all that a description may change of it, over the whole of its ranges.
fn any_design() -> impl Strategy<Value = Design> {
    let chillers = prop_oneof![Just(Chillers::Rooms), Just(Chillers::All), Just(Chillers::None)];
    let network = (
        20.0..130.0f64,
        0.0..30.0f64,
        0.0..2.0 * RATED,
        0.0..1.0f64,
        5.0..30.0f64,
        -40.0..4.0f64,
        any::<bool>(),
    );
    let reuse = proptest::option::of(network.prop_map(
        |(network, approach, most, base, limit, coldest, has_pump)| {
            let usual = district(Watts(most));
            giga_facility::cooling::Reuse {
                network: Celsius(network),
                approach: Kelvin(approach),
                base,
                heating_limit: Celsius(limit),
                coldest: Celsius(coldest),
                lift: usual.lift.filter(|_| has_pump),
                ..usual
            }
        },
    ));
    let warmth = (10.0..60.0f64, 2.0..40.0f64, 1.0..30.0f64);
    (0_usize..4, 0.0..1.0f64, warmth, chillers, 0.05..0.9f64, 1.05..100.0f64, 0.0..1.0f64, reuse).prop_map(
        |(kind, share, (supply, rise, approach), chillers, carnot_share, cycles, spare, reuse)| {
            let mut design = Preset::ALL[kind].design();
            design.liquid_share = share;
            (design.supply, design.rise, design.approach) = (Celsius(supply), Kelvin(rise), Kelvin(approach));
            (design.chillers, design.carnot_share, design.cycles) = (chillers, carnot_share, cycles);
            (design.spare, design.reuse) = (spare, reuse);
            design
        },
    )
}

fn any_air() -> impl Strategy<Value = Air> {
    (-40.0..50.0f64, 0.01..1.0f64, 0.0..2_000.0f64).prop_map(|(dry_bulb, humidity, altitude)| {
        Air::at_altitude(Celsius(dry_bulb), humidity, Metres(altitude)).expect("the air is within its ranges")
    })
}

fn any_working() -> impl Strategy<Value = Working> {
    prop_oneof![
        3 => Just(Working::default()),
        1 => (0.0..1.0f64, 0.0..1.0f64).prop_map(|(rejection, chillers)| Working { rejection, chillers }),
    ]
}

fn any_inputs() -> impl Strategy<Value = Inputs> {
    (0.0..1.3 * RATED, any_air(), any_working()).prop_map(|(nodes, air, working)| Inputs {
        nodes: Watts(nodes),
        air,
        working,
    })
}

fn sound(flows: &Flows) -> Result<(), TestCaseError> {
    let sums = balance(flows);
    prop_assert!(sums.electricity_off() <= TOLERANCE && sums.heat_off() <= TOLERANCE, "{sums:?}");
    prop_assert!(sums.water_off() <= TOLERANCE, "{sums:?}");
    for circuit in flows.circuits() {
        let parts = [circuit.rejected, circuit.chilled, circuit.compressors, circuit.fans, circuit.pumps];
        prop_assert!(parts.iter().all(|part| part.0 >= 0.0 && part.0.is_finite()), "{circuit:?}");
        prop_assert!(circuit.supply <= SUPPLY_MAX, "{circuit:?}");
        let waters = [circuit.water.evaporated, circuit.water.blown_down, circuit.water.drifted];
        prop_assert!(waters.iter().all(|water| water.0 >= 0.0), "{circuit:?}");
        let is_cooled = circuit.uncooled.0.abs() <= 1e-6 * RATED;
        prop_assert!(is_cooled || circuit.mode == Mode::Short, "{circuit:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_steady_state_balances_and_stores_nothing(facility in any_facility(), inputs in any_inputs()) {
        let flows = facility.draw_with(&inputs);
        sound(&flows)?;
        prop_assert!(flows.circuits().all(|circuit| circuit.stored.0 == 0.0));
    }

    #[test]
    fn any_steps_through_any_weather_balance(
        facility in any_facility(),
        story in proptest::collection::vec((any_inputs(), -3.0..6.0f64), 1..20),
    ) {
        let mut state = facility.rest(&story[0].0);
        for (inputs, magnitude) in &story {
            let (next, flows) = facility.step(&state, inputs, Seconds(libm::pow(10.0, *magnitude)));
            sound(&flows)?;
            state = next;
        }
    }

    #[test]
    fn a_long_step_is_the_steady_state(facility in any_facility(), inputs in any_inputs(), from in any_inputs()) {
        // A network that takes all heat leaves a loop alone that is too warm: there is nothing to come to.
        let plant = Plant { reuse: None, ..facility.plant().clone() };
        let facility = Facility::new(facility.chain().clone(), plant).expect("the design is within its ranges");
        let (mut state, steady) = (facility.rest(&from), facility.draw_with(&inputs));
        for _ in 0..3 {
            state = facility.step(&state, &inputs, Seconds(1e7)).0;
        }
        let flows = facility.step(&state, &inputs, Seconds(1e7)).1;
        let is_short = |flows: &Flows| flows.circuits().map(|circuit| circuit.mode == Mode::Short).collect::<Vec<_>>();
        prop_assert_eq!(is_short(&flows), is_short(&steady));
        // A loop that is too warm may come to rest at more than one temperature, with other fans.
        if !is_short(&steady).contains(&true) {
            prop_assert!((flows.meter() / steady.meter() - 1.0).abs() < 1e-3, "{flows:?}\n{steady:?}");
        }
    }

    #[test]
    fn more_for_the_nodes_is_never_less_at_the_meter(facility in any_facility(), inputs in any_inputs(), more in 0.0..RATED) {
        // With pads and chillers in one circuit fans stop where outside becomes too warm to help, and the meter falls.
        let mut plant = facility.plant().clone();
        plant.liquid.iter_mut().chain(std::iter::once(&mut plant.room)).for_each(|circuit| {
            circuit.rejection.pads = circuit.rejection.pads.filter(|_| circuit.chiller.is_none());
        });
        let facility = Facility::new(facility.chain().clone(), plant).expect("the design is within its ranges");
        let meter = |nodes: Watts| facility.draw_with(&Inputs { nodes, ..inputs }).meter();
        let (less, more) = (meter(inputs.nodes), meter(inputs.nodes + Watts(more)));
        prop_assert!(more >= less * (1.0 - 1e-9), "{less:?} {more:?}");
    }

    #[test]
    fn any_design_balances_and_keeps_its_bound(design in any_design(), air in any_air(), least in 0.0..0.5f64) {
        let facility = design.facility(Watts(RATED)).expect("the design is within its ranges");
        let (least, most) = (Watts(RATED * least), Watts(RATED));
        let bound = facility.bound(least, most, &Inputs::new(most, &air));
        for part in 0..=40 {
            let nodes = least + (most - least) * (f64::from(part) / 40.0);
            let flows = facility.draw(nodes, &air);
            sound(&flows)?;
            prop_assert!(bound.at(nodes) >= flows.meter(), "{nodes:?}: {:?} above {:?}", flows.meter(), bound.at(nodes));
        }
    }

    #[test]
    fn the_bound_is_above_every_draw_between(facility in any_facility(), inputs in any_inputs(), least in 0.0..0.5f64) {
        let (least, most) = (Watts(RATED * least), Watts(RATED * 1.2));
        let bound = facility.bound(least, most, &inputs);
        for part in 0..=200 {
            let nodes = least + (most - least) * (f64::from(part) / 200.0);
            let meter = facility.draw_with(&Inputs { nodes, ..inputs }).meter();
            prop_assert!(bound.at(nodes) >= meter, "{nodes:?}: {meter:?} above {:?}", bound.at(nodes));
        }
    }
}
