use std::sync::Arc;

use giga_facility::Preset;
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
    let energy = nodes.over(Duration::hours(1)).energy();
    let rows = (0..count).map(|hour| (START + Duration::hours(hour), energy, energy)).collect();
    Hours { plant, rows }
}

fn plant(outages: Vec<Outage>) -> Plant {
    Plant { facility: Preset::WarmWaterWet.facility(Watts(20e6)).expect("a plant"), outages }
}

#[test]
fn uses_add_up_to_the_meter_and_bands_to_the_whole() {
    let (site, nodes) = (site(-5, 35), Power::megawatts(16));
    let end = START + Duration::hours(48);
    let energy =
        looked_back(&site, &hours(plant(Vec::new()), 48, nodes), (START, end)).expect("it has weather");
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
    short.rows[1].1 = nodes.over(Duration::seconds(1_800)).energy();
    let end = START + Duration::seconds(5_400);
    let energy = looked_back(&site, &short, (START, end)).expect("it has weather");
    assert_eq!(energy.time, Seconds(5_400.0));
    let whole = looked_back(&site, &hours(plant(Vec::new()), 1, nodes), (START, START + Duration::hours(1)));
    let whole = whole.expect("it has weather");
    assert!((energy.uses.meter() / whole.uses.meter() - 1.5).abs() < 1e-9);
}

#[test]
fn an_outage_holds_while_it_lasts() {
    let (site, nodes) = (site(35, 35), Power::megawatts(16));
    let end = START + Duration::hours(4);
    let sound =
        looked_back(&site, &hours(plant(Vec::new()), 4, nodes), (START, end)).expect("it has weather");
    let outage = Outage {
        from: START + Duration::hours(1),
        until: START + Duration::hours(2),
        working: Working { rejection: 1.0, chillers: 0.0 },
    };
    let out =
        looked_back(&site, &hours(plant(vec![outage]), 4, nodes), (START, end)).expect("it has weather");
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
    let mut plants = vec![None; count];
    plants[0] = Some(plant(Vec::new()));
    let mut log = EnergyLog::new(&plants, START);
    let row = |site| HourRecord {
        hour: START,
        site,
        time: TimeUse::default(),
        energy: Energy::joules(4_000_000_000),
        node_energy: Energy::joules(3_600_000_000),
        peak: Power::ZERO,
        cost: Money::ZERO,
        carbon: Carbon::ZERO,
        running: 0,
        waiting: 0,
    };
    (0..count).for_each(|site| log.add(&row(SiteId::at(site))));
    let energy = log.energy(&federation, START + Duration::hours(1));
    assert_eq!(energy.len(), count);
    assert!(energy.iter().skip(1).all(Option::is_none));
    let first = energy[0].as_ref().expect("it has a plant");
    assert_eq!((first.metered, first.uses.nodes), (Joules(4e9), Joules(3.6e9)));
}
