//! Shocks of heat, plants and prices, and limits that come again.

use giga_facility::Inputs;
use giga_facility::quantity::{Seconds, Watts};
use giga_model::Site;
use giga_units::{Duration, EnergyPrice, Fraction, Instant, Power};

use super::super::{Beside, Description, Faults, expand, read_with};
use super::SMALL;

const COOLED: &str = "weather = { dry_bulb = [34], humidity = [40], pressure = [101.3] }\n\
    cooling = { kind = \"chilled-air\" }\noversubscribed = true\ncountry";

fn with(site: &str, shock: &str) -> Result<Description, Faults> {
    let text = format!("{}\n[[shock]]\nname = \"it\"\n{shock}\n", SMALL.replacen("country", site, 1));
    let open = |_: &str| Err("no such file".to_owned());
    read_with("small.toml", &text, &Beside { open: &open, shocks: &["it"] })
}

fn sound(site: &str, shock: &str) -> Description {
    with(site, shock).unwrap_or_else(|faults| panic!("{faults}"))
}

fn refused(site: &str, shock: &str, expected: &str) {
    let faults = with(site, shock).expect_err("a fault").to_string();
    assert!(faults.contains(expected), "{faults}");
}

fn at(text: &str) -> Instant {
    Instant::parse(text).expect("a date")
}

fn site(description: &Description) -> &Site {
    &description.federation.sites[0]
}

#[test]
fn an_outage_of_chillers_keeps_work_to_what_can_be_cooled() {
    let shock =
        "plant = { sites = [\"kajaani\"], from = 2027-07-01T10:30, for = \"3 h\", chillers = \"40 %\" }";
    let found = sound(COOLED, shock);
    let [limit] = site(&found).limits.as_slice() else { panic!("{:?}", site(&found).limits) };
    assert_eq!(
        (limit.from, limit.until),
        (at("2027-07-01T10:00"), at("2027-07-01T14:00")),
        "whole hours around it"
    );
    let most = Power::watts(90 * 7_889);
    let room = site(&found).overhead_at(limit.from).undo(limit.power);
    // Chillers that do two fifths leave about as much of what they would have had to take.
    assert!(room > most.split(4) && room < most.times(2).split(3), "{room} of {most}");
    let gone = sound(COOLED, &shock.replace("40 %", "0 %"));
    let left = site(&gone).overhead_at(limit.from).undo(site(&gone).limits[0].power);
    assert!(left < room, "{left} of {room}");
    refused(COOLED, &shock.replace("40 %", "100 %"), "it changes nothing");
    let plain = sound(COOLED, "price = { country = \"FI\", from = 2027-07-01, for = \"1 h\", times = 2 }");
    assert!(site(&plain).limits.is_empty(), "all of it works");
    for hours in [-1, 5, 24 * 365 * 5] {
        let then = limit.from + Duration::hours(hours);
        assert_eq!(site(&found).overhead_at(then), site(&plain).overhead_at(then), "{hours} hours from it");
    }
    let plant = found.works[0].plant.as_ref().expect("a plant");
    assert_eq!(plant.working(limit.from).chillers, 0.4);
    assert_eq!(plant.working(limit.until).chillers, 1.0);
}

#[test]
fn warmer_air_costs_more_and_has_as_much_water_in_it() {
    let cool = COOLED.replace("[34]", "[20]");
    let shock = "heat = { country = \"FI\", from = 2027-07-01, for = \"2 d\", warmer = \"12 K\" }";
    let found = sound(&cool, shock);
    let (hot, before) = (at("2027-07-02T12:00"), at("2027-06-30T12:00"));
    let weather = site(&found).weather.as_ref().expect("weather");
    assert_eq!([before, hot].map(|at| weather.dry_bulb.at(at)), [20_000, 32_000]);
    let [humid, dry] = [before, hot].map(|at| weather.humidity.at(at));
    // 40 % of 2.339 kPa at 20 °C over 4.759 kPa at 32 °C (ASHRAE 2017 ch. 1, table 2).
    assert_eq!((humid, dry / 100), (40_000, 196));
    let nodes = Power::watts(500_000);
    let [shown, usual] = [hot, before].map(|at| site(&found).overhead_at(at).of(nodes));
    assert!(shown > usual, "{shown} of {usual}");
    assert!(site(&found).limits.is_empty(), "it can still be cooled");
}

#[test]
fn prices_rise_fall_below_zero_and_come_back() {
    let price = |shock: &str, hour: &str| {
        let found = sound("country", shock);
        let from = at(hour);
        site(&found).mean_price(from, from + Duration::hours(1))
    };
    let spike = "price = { country = \"FI\", from = 2027-02-01, for = \"1 d\", times = 4 }";
    assert_eq!(price(spike, "2027-02-01T05:00"), EnergyPrice::microeuro_per_kwh(4 * 55_700));
    assert_eq!(price(spike, "2027-02-02T00:00"), EnergyPrice::microeuro_per_kwh(55_700));
    let below = "price = { sites = [\"kajaani\"], from = 2027-02-01, for = \"1 d\", plus = \"-80 EUR/MWh\" }";
    assert_eq!(price(below, "2027-02-01T23:00"), EnergyPrice::microeuro_per_kwh(-24_300));
    let dry = "price = { country = \"FI\", from = 2027-01-01, for = \"1 y\", times = 1.5, carbon_times = 2 }";
    let found = sound("country", dry);
    let carbon = |year: &str| {
        let from = at(year);
        site(&found).mean_intensity(from, from + Duration::hours(1)).as_milligrams_per_kwh()
    };
    assert_eq!((carbon("2027-06-01"), carbon("2028-06-01")), (2 * 68_000, 68_000));
}

#[test]
fn limits_may_come_again() {
    let shock = "limit = { country = \"FI\", from = 2027-01-04T17:00, for = \"2 h\", every = \"56 h\", part = \"65 %\" }";
    let found = sound("country", shock);
    let limits = &site(&found).limits;
    assert_eq!(limits.len(), 365 * 24 / 56 + 1);
    assert_eq!(limits[1].from.since(limits[0].from), Duration::hours(56));
    assert_eq!(limits[9].power, Fraction::ppm(650_000).of(Power::megawatts(1)));
    let few = sound("country", &shock.replace("every", "until = 2027-01-12, every"));
    assert_eq!(site(&few).limits.len(), 4);
    refused("country", &shock.replace("56 h", "1 h"), "`every` is shorter than `for`");
    let many = shock.replace("56 h", "1 min").replace("2 h", "1 min");
    refused("country", &many, "525601 limits");
}

#[test]
fn what_a_shock_can_not_mean_is_a_fault() {
    let span = "country = \"FI\", from = 2027-07-01, for = \"2 d\"";
    refused(
        "country",
        &format!("heat = {{ {span}, warmer = \"6 K\" }}"),
        "`kajaani` says nothing of its cooling",
    );
    refused("country", &format!("plant = {{ {span}, chillers = \"0 %\" }}"), "says nothing of its cooling");
    refused(COOLED, &format!("heat = {{ {span} }}"), "heat needs either `warmer` or `part`");
    refused(COOLED, &format!("heat = {{ {span}, warmer = \"6 K\", part = \"80 %\" }}"), "heat needs either");
    refused(COOLED, &format!("heat = {{ {span}, warmer = \"60 K\" }}"), "`warmer` is `60 K`, outside");
    let far = span.replace("2027", "2097");
    refused(COOLED, &format!("price = {{ {far}, times = 2 }}"), "more than ten years behind the start");
}

#[test]
fn shocks_stand_in_the_expanded_form() {
    for shock in [
        "plant = { country = \"FI\", from = 2027-07-01, for = \"3 h\", chillers = \"40 %\" }",
        "heat = { country = \"FI\", from = 2027-07-01, for = \"3 h\", warmer = \"7.5 K\" }",
        "price = { country = \"FI\", from = 2027-07-01, for = \"3 h\", plus = \"-80 EUR/MWh\" }",
        "limit = { country = \"FI\", from = 2027-07-01, for = \"3 h\", every = \"2 d\", power = \"100 kW\" }",
    ] {
        let found = sound(COOLED, shock);
        let again =
            super::super::read("expanded.toml", &expand(&found)).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(again.federation, found.federation, "{shock}");
        assert_eq!(again.works, found.works, "{shock}");
    }
}

/// The plant is stepped by the second from full draw into a limit: its meter never passes that, though it still cools what was.
#[test]
fn a_cut_leaves_room_for_the_cooling_of_before() {
    let limit = "limit = { country = \"FI\", from = 2027-07-01, for = \"2 h\", part = \"40 %\" }";
    let found = sound(COOLED, limit);
    let [first, rest] = site(&found).limits.as_slice() else { panic!("{:?}", site(&found).limits) };
    assert_eq!((first.until, rest.power), (rest.from, Power::watts(400_000)));
    assert!(first.power < rest.power && first.power > rest.power.split(2), "{}", first.power);
    let minutes = first.until.since(first.from).as_milliseconds() / 60_000;
    assert!((10..20).contains(&minutes), "{minutes} minutes");

    let plant = found.works[0].plant.as_ref().expect("a plant");
    let air =
        giga_control::energy::air(site(&found).weather.as_ref().expect("weather"), first.from).expect("air");
    let line = site(&found).overhead_at(first.from);
    let most = Power::watts(90 * 7_889);
    let draws = [line.undo(first.power), line.undo(rest.power)].map(Watts::from);
    let inputs = |nodes| Inputs::new(nodes, &air);
    let mut state = plant.facility.rest(&inputs(Watts::from(most)));
    let mut highest = Watts::ZERO;
    for second in 0..7_200 {
        let nodes = draws[usize::from(second >= minutes * 60)];
        let (next, flows) = plant.facility.step(&state, &inputs(nodes), Seconds(1.0));
        (state, highest) = (next, highest.max(flows.meter()));
    }
    assert!(highest <= Watts(400_000.0 * 1.001), "{highest:?}");
    // Without it, the limit would be passed.
    let state = plant.facility.rest(&inputs(Watts::from(most)));
    let (_, flows) = plant.facility.step(&state, &inputs(draws[1]), Seconds(1.0));
    assert!(flows.meter() > Watts(405_000.0), "{:?}", flows.meter());
    // Five minutes of another limit do not let the plant of before be forgotten.
    let step = "[[limit]]\ncountry = \"FI\"\nfrom = 2027-06-30T23:55\nfor = \"5 min\"\npart = \"50 %\"";
    let stepped = sound(COOLED, &format!("{limit}\n{step}"));
    let second = site(&stepped).limits.iter().find(|limit| limit.from == first.from).expect("a limit");
    assert_eq!((second.until, second.power), (first.until, first.power));
    // What is lower than before only for its first minutes is no lower where nothing runs that has to be cooled.
    let plain = sound("country", limit);
    assert_eq!(site(&plain).limits.len(), 1);
}

#[test]
fn a_tower_that_is_out_takes_its_chillers_with_it() {
    let tower = COOLED.replace("\"chilled-air\"", "\"tower\", liquid_share = \"0 %\", chillers = \"all\"");
    let shock = "plant = { sites = [\"kajaani\"], from = 2027-07-01, for = \"1 h\", rejection = \"0 %\" }";
    let found = sound(&tower, shock);
    let [limit] = site(&found).limits.as_slice() else { panic!("{:?}", site(&found).limits) };
    let room = site(&found).overhead_at(limit.from).undo(limit.power);
    assert!(room < Power::watts(7_889), "nothing takes heat away: {room}");
}

#[test]
fn a_shock_is_judged_by_what_it_adds() {
    // Dry coolers alone in 45 °C: the loop is far too warm already.
    let bare =
        COOLED.replace("[34]", "[45]").replace("\"chilled-air\"", "\"warm-water\", chillers = \"none\"");
    let warmer = |kelvin| {
        format!("heat = {{ country = \"FI\", from = 2027-07-01, for = \"1 h\", warmer = \"{kelvin} K\" }}")
    };
    assert!(site(&sound(&bare, &warmer("0.1"))).limits.is_empty());
    assert_eq!(site(&sound(&bare, &warmer("12"))).limits.len(), 1);
}

#[test]
fn when_the_last_of_several_begins_has_to_be_behind_the_first() {
    let limit = |more: &str| {
        format!("limit = {{ country = \"FI\", from = 2027-07-01, for = \"1 h\", part = \"50 %\", {more} }}")
    };
    refused("country", &limit("until = 2027-08-01"), "there is no `every`");
    refused("country", &limit("every = \"2 d\", until = 2027-06-01"), "`until` is before `from`");
}
