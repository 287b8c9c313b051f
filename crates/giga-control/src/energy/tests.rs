use std::sync::Arc;

use giga_facility::Preset;
use giga_facility::quantity::Watts;
use giga_model::{Series, SiteId, sample};
use giga_units::{Carbon, Money, Power};

use super::*;
use crate::record::TimeUse;

/// Two sites.
fn federation() -> Federation {
    let mut federation = sample::empty();
    for name in ["north", "south"] {
        sample::add_site(&mut federation, name, &[(sample::accelerator("gb300", 4, 18), 2)]);
    }
    federation
}

const START: Instant = Instant::unix_milliseconds(0);

/// A site in air that swings between two temperatures every twelve hours.
fn site(cold: i64, warm: i64) -> Site {
    let days = |values| Series::new(START, Duration::hours(12), values).expect("it has values");
    let weather = Weather {
        dry_bulb: days(vec![cold * 1_000, warm * 1_000]),
        humidity: days(vec![60_000, 40_000]),
        pressure: days(vec![100_000]),
    };
    let mut federation = federation();
    Site { weather: Some(weather), ..federation.sites.remove(0) }
}

fn hours(plant: Plant, count: i64, nodes: Power) -> Hours {
    let energy = Joules(nodes.over(Duration::hours(1)).energy().as_joules() as f64);
    let rows = (0..count).map(|hour| (START + Duration::hours(hour), energy, energy)).collect();
    Hours { plant: Some(plant), sourcing: None, rows }
}

fn back(site: &Site, hours: &Hours, end: Instant) -> Option<SiteEnergy> {
    hours.energy(site, (START, end)).plant
}

fn plant(outages: Vec<Outage>) -> Plant {
    let facility = Preset::WarmWaterWet.facility(Watts(20e6)).expect("a plant");
    Plant { facility, nodes: Power::watts(20_000_000), outages }
}

#[test]
fn uses_add_up_to_the_meter_and_bands_to_the_whole() {
    let (site, nodes) = (site(-5, 35), Power::megawatts(16));
    let end = START + Duration::hours(48);
    let energy = back(&site, &hours(plant(Vec::new()), 48, nodes), end).expect("it has weather");
    let plant = plant(Vec::new());
    let meter: Joules = (0..48)
        .map(|hour| {
            let air = air(site.weather.as_ref().unwrap(), START + Duration::hours(hour)).unwrap();
            plant.facility.draw(Watts::from(nodes), &air).meter() * Seconds(3_600.0)
        })
        .sum();
    assert!((energy.uses.meter() / meter - 1.0).abs() < 1e-9, "{:?} of {meter:?}", energy.uses);
    assert!((energy.uses.nodes / (Watts::from(nodes) * Seconds(48.0 * 3_600.0)) - 1.0).abs() < 1e-9);
    assert_eq!(energy.bands.keys().copied().collect::<Vec<_>>(), [-5, 35]);
    let bands: Joules = energy.bands.values().map(|band| band.site).sum();
    assert!((bands / meter - 1.0).abs() < 1e-9);
    assert!(energy.bands[&35].pue() > energy.bands[&-5].pue());
    assert!(energy.water > Kilograms::ZERO, "pads are wet in 35 °C");
    assert_eq!(energy.indicators.len(), 3);
    assert!(energy.indicators.iter().all(|of| of.interim && of.pue > 1.0));
    assert!(energy.indicators.windows(2).all(|of| of[0].pue < of[1].pue), "further in, less is equipment");
}

#[test]
fn the_last_hour_counts_as_far_as_the_run_went() {
    let (site, nodes) = (site(10, 10), Power::megawatts(16));
    let mut short = hours(plant(Vec::new()), 2, nodes);
    short.rows[1].1 = Joules(nodes.over(Duration::seconds(1_800)).energy().as_joules() as f64);
    let end = START + Duration::seconds(5_400);
    let energy = back(&site, &short, end).expect("it has weather");
    assert_eq!(energy.time, Seconds(5_400.0));
    let whole = back(&site, &hours(plant(Vec::new()), 1, nodes), START + Duration::hours(1));
    let whole = whole.expect("it has weather");
    assert!((energy.uses.meter() / whole.uses.meter() - 1.5).abs() < 1e-9);
}

#[test]
fn an_outage_holds_while_it_lasts() {
    let (site, nodes) = (site(35, 35), Power::megawatts(16));
    let end = START + Duration::hours(4);
    let sound = back(&site, &hours(plant(Vec::new()), 4, nodes), end).expect("it has weather");
    let outage = Outage {
        from: START + Duration::hours(1),
        until: START + Duration::hours(2),
        working: Working { rejection: 1.0, chillers: 0.0 },
    };
    let out = back(&site, &hours(plant(vec![outage]), 4, nodes), end).expect("it has weather");
    assert!(out.short > sound.short, "rooms have chillers only when it is hot");
    assert_eq!(out.short, Seconds(3_600.0));
    assert_eq!(plant(vec![outage]).working(START), Working::default());
}

#[test]
fn only_sites_with_a_plant_are_looked_at() {
    let mut federation = federation();
    federation.sites[0].weather = site(0, 10).weather;
    let federation = Arc::new(federation);
    let count = federation.sites.len();
    let mut works = vec![Works::default(); count];
    works[0].plant = Some(plant(Vec::new()));
    let mut log = EnergyLog::new(&works, START);
    let row = |site| HourRecord {
        hour: START,
        site,
        time: TimeUse::default(),
        energy: giga_units::Energy::joules(4_000_000_000),
        node_energy: giga_units::Energy::joules(3_600_000_000),
        peak: Power::ZERO,
        cost: Money::ZERO,
        carbon: Carbon::ZERO,
        running: 0,
        waiting: 0,
    };
    (0..count).for_each(|site| log.add(&row(SiteId::at(site))));
    let energy = log.energy(&federation, START + Duration::hours(1));
    assert_eq!(energy.len(), count);
    assert!(energy.iter().skip(1).all(|energy| *energy == Energy::default()));
    let first = energy[0].plant.as_ref().expect("it has a plant");
    assert_eq!((first.metered, first.uses.nodes), (Joules(4e9), Joules(3.6e9)));
}

mod sourcing {
    use giga_facility::quantity::EurosPerJoule;
    use giga_facility::supply::{Battery, Connection, Kind, Parts, Source, Supply, Tariff, Terms};
    use giga_model::GridLimit;
    use giga_units::{CarbonIntensity, EnergyPrice};

    use super::*;

    /// Dear by day and cheap by night, half carbon by night; 10 MW of sun by day.
    fn site() -> Site {
        let half_days = |values| Series::new(START, Duration::hours(12), values);
        let mut site = super::site(0, 10);
        site.phases[0].power = Power::megawatts(20);
        site.electricity_price = EnergyPrice::microeuro_per_kwh(70_000);
        // 20 and 100 EUR/MWh at the exchange.
        site.price_series = half_days(vec![30_000, 110_000]);
        site.carbon_intensity = CarbonIntensity::milligrams_per_kwh(75_000);
        site.carbon_series = half_days(vec![50_000, 100_000]);
        site
    }

    fn sourcing(battery: bool) -> Sourcing {
        let megawatts = |count: f64| Watts(count * 1e6);
        let price = EurosPerJoule::per_megawatt_hour;
        let battery = battery.then(|| Battery::lithium(Joules(8.0 * 3.6e9), megawatts(4.0)));
        let sun = Source {
            kind: Kind::Sun,
            rated: megawatts(10.0),
            terms: Terms::Own(price(0.0)),
            carbon: giga_facility::quantity::KilogramsPerJoule(0.0),
        };
        let parts = Parts {
            connection: Connection { firm: megawatts(20.0), interruptible: Watts::ZERO, export: Watts::ZERO },
            sources: vec![sun],
            batteries: battery.into_iter().collect(),
            lost_load: price(3_000.0),
            ..Parts::default()
        };
        Sourcing {
            supply: Supply::new(parts).expect("a supply"),
            tariff: Tariff { surcharge: price(10.0), deduction: price(0.0) },
            factors: vec![Series::new(START, Duration::hours(12), vec![0, 20_000]).expect("a day")],
            residual: None,
            reserve: 0.0,
            backup_bridges: false,
            limits: Vec::new(),
        }
    }

    fn limit(from: i64, until: i64, megawatts: u64) -> GridLimit {
        let at = |hours| START + Duration::hours(hours);
        GridLimit { from: at(from), until: at(until), power: Power::megawatts(megawatts) }
    }

    fn ways(site: &Site, sourcing: Sourcing, days: i64) -> Vec<Way> {
        let energy = Joules(8.0 * 3.6e9);
        let rows = (0..days * 24).map(|hour| (START + Duration::hours(hour), energy, energy)).collect();
        let hours = Hours { plant: None, sourcing: Some(sourcing), rows };
        let energy = hours.energy(site, (START, START + Duration::days(days)));
        assert!(energy.plant.is_none());
        energy.ways.expect("a supply").expect("hours that can be")
    }

    #[test]
    fn without_a_battery_all_ways_are_the_sum_of_the_hours() {
        let ways = ways(&site(), sourcing(false), 2);
        let expected = 2.0 * 12.0 * (8.0 * (20.0 + 10.0) + 6.0 * (100.0 + 10.0));
        for way in &ways {
            assert!((way.money.total().0 - expected).abs() < 1e-6, "{way:?}");
            assert!(way.regret.cost.0.abs() < 1e-6);
            let tonnes = 2.0 * 12.0 * (8.0 * 0.05 + 6.0 * 0.1);
            assert!((way.carbon.location.0 / 1e3 - tonnes).abs() < 1e-9, "{way:?}");
            assert_eq!(way.carbon.market, way.carbon.location, "nothing is claimed");
            assert!((way.energy.used[&Kind::Sun].as_kilowatt_hours() / 1e3 - 48.0).abs() < 1e-9);
            assert!((way.peak.0 - 8e6).abs() < 1e-3);
        }
        assert_eq!(ways.iter().map(|way| way.name).collect::<Vec<_>>(), ["rule", "rolling", "optimum"]);
    }

    #[test]
    fn a_battery_moves_energy_from_cheap_hours_to_dear_ones() {
        let plain = ways(&site(), sourcing(false), 10);
        let [rule, rolling, optimum] = ways(&site(), sourcing(true), 10).try_into().expect("three ways");
        for way in [&rule, &rolling, &optimum] {
            assert!(way.money.total() < plain[0].money.total(), "{way:?}");
            assert!(way.energy.discharged > Joules(10.0 * 4.0 * 3.6e9), "{way:?}");
            assert!(way.regret.cost.0 > -1e-6, "{way:?}");
            assert!(way.carbon.location < plain[0].carbon.location, "night is cleaner");
        }
        assert!(optimum.regret.cost.0.abs() < 1e-6);
    }

    #[test]
    fn carbon_of_a_plant_is_that_of_its_supply() {
        let nodes = Power::megawatts(16);
        let of = |supply: Option<Sourcing>| {
            let site = Site { weather: super::site(0, 10).weather, ..site() };
            let all = Hours { sourcing: supply, ..hours(plant(Vec::new()), 24, nodes) };
            all.energy(&site, (START, START + Duration::hours(24)))
        };
        let cue = |energy: &SiteEnergy| energy.indicators[2].cue;
        let plain = of(None).plant.expect("a plant");
        let site_uses = plain.uses.meter().as_kilowatt_hours() / plain.indicators[2].pue;
        assert!((cue(&plain) * site_uses / plain.carbon.0 - 1.0).abs() < 1e-9);
        let supplied = of(Some(sourcing(false)));
        let (plant, rule) =
            (supplied.plant.expect("a plant"), &supplied.ways.expect("a supply").expect("ways")[0]);
        assert_eq!(plant.carbon, rule.carbon.location);
        assert!(plant.carbon < plain.carbon, "the sun by day emits nothing");
        assert!((cue(&plant) * site_uses / plant.carbon.0 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn days_begin_as_those_of_the_market() {
        assert_eq!(
            [0, 22, 23].map(|hour| super::super::sourcing::market_hour(START + Duration::hours(hour))),
            [1, 23, 0]
        );
    }

    #[test]
    fn a_limit_of_the_grid_leaves_less_of_the_connection() {
        let unserved = |limit| {
            let sourcing = Sourcing { limits: vec![limit], ..sourcing(false) };
            ways(&site(), sourcing, 1)[2].energy.unserved.as_kilowatt_hours()
        };
        // Two hours of night without sun: 8 MW are asked for and 5 MW are there.
        assert!((unserved(limit(2, 4, 5)) - 6_000.0).abs() < 1e-6);
        // What is interruptible goes first, and of what is firm no more than that: a limit is no share of either.
        let mut parts = sourcing(false).supply.parts().clone();
        parts.connection = Connection { firm: Watts(5e6), interruptible: Watts(15e6), export: Watts::ZERO };
        let split = Sourcing {
            supply: Supply::new(parts).expect("a supply"),
            limits: vec![limit(2, 4, 5)],
            ..sourcing(false)
        };
        let way = ways(&site(), split, 1)[2].clone();
        assert!((way.energy.unserved.as_kilowatt_hours() - 6_000.0).abs() < 1e-6, "{way:?}");
        // Half an hour of it leaves 12.5 MW on average.
        let half = GridLimit { until: START + Duration::seconds(9_000), ..limit(2, 3, 5) };
        assert_eq!(unserved(half), 0.0);
    }

    #[test]
    fn a_reserve_bridges_limits_as_long_as_it_lasts() {
        let (mut site, battery) = (site(), sourcing(true));
        // 8 MWh half full, 4 MW; 91.93 % of what is kept comes out.
        let added = |sourcing: &Sourcing, limits: &[GridLimit]| {
            let bridged = sourcing.bridged(&site, limits).into_iter().zip(limits);
            let added = |(now, given): (GridLimit, &GridLimit)| (now.power - given.power).as_milliwatts();
            bridged.map(|pair| added(pair) as f64 / 1e9).collect::<Vec<_>>()
        };
        let check = |sourcing: &Sourcing, limits: &[GridLimit], expected: &[f64]| {
            let found = added(sourcing, limits);
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?} {expected:?}");
            assert_eq!(found.len(), expected.len());
        };
        check(&battery, &[limit(2, 4, 5)], &[0.0]);
        let reserve = Sourcing { reserve: 0.25, ..battery };
        check(&reserve, &[limit(2, 4, 5)], &[0.9193]);
        // Two that follow each other share it; after an hour 4 MW have charged it again.
        check(&reserve, &[limit(2, 3, 5), limit(3, 4, 6)], &[0.9193, 0.9193]);
        check(&reserve, &[limit(2, 4, 5), limit(5, 7, 5)], &[0.9193, 0.9193]);
        let quarter = limit(4, 6, 5);
        let soon = GridLimit { from: quarter.from + Duration::seconds(900), ..quarter };
        check(&reserve, &[limit(2, 4, 5), soon], &[0.9193, 0.9193 * 0.9193 / 1.75]);
        // No more than the connection, and no more than the battery can give.
        check(&reserve, &[limit(2, 4, 20)], &[0.0]);
        let whole = Sourcing { reserve: 1.0, ..reserve.clone() };
        check(&whole, &[limit(2, 3, 5)], &[4.0 * 0.9193]);
        let half_hour = GridLimit { until: START + Duration::seconds(9_000), ..limit(2, 3, 5) };
        check(&whole, &[half_hour], &[4.0]);
        // What was added is there after the run.
        site.limits = reserve.bridged(&site, &[limit(2, 4, 7)]);
        assert!(site.limits[0].power < Power::megawatts(8));
        let after = Sourcing { limits: vec![limit(2, 4, 7)], ..reserve };
        let energy = ways(&site, after, 1)[0].energy.clone();
        let missing = 2.0 * (8.0 - 7.0) - 2.0 * 0.9193;
        assert!(energy.unserved.as_kilowatt_hours() / 1e3 <= missing + 1e-9, "{energy:?}");
    }

    #[test]
    fn engines_bridge_limits_where_they_may() {
        let mut parts = sourcing(false).supply.parts().clone();
        parts.backup = Some(giga_facility::supply::Backup::diesel(Watts(3e6)));
        let engines = Sourcing { supply: Supply::new(parts).expect("a supply"), ..sourcing(false) };
        let power = |sourcing: &Sourcing| sourcing.bridged(&site(), &[limit(2, 400, 5)])[0].power;
        assert_eq!(power(&engines), Power::megawatts(5));
        assert_eq!(power(&Sourcing { backup_bridges: true, ..engines }), Power::megawatts(8));
    }
}
