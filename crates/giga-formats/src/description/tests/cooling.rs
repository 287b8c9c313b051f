//! Plants with figures of their own: what they change, and what is refused.

use giga_units::{Fraction, Power};

use super::super::{Description, expand, read};
use super::{SMALL, check};

/// A cold hour, a mild one and a hot one.
const HOURS: &str =
    "weather = { dry_bulb = [-12, 12, 35], humidity = [80, 60, 30], pressure = [101.3, 101.2, 101.1] }";

fn text(plant: &str) -> String {
    SMALL.replacen("country", &format!("{HOURS}\noversubscribed = true\ncooling = {{ {plant} }}\ncountry"), 1)
}

#[track_caller]
fn sound(plant: &str) -> Description {
    let found = read("small.toml", &text(plant)).unwrap_or_else(|faults| panic!("{faults}"));
    let again = read("expanded.toml", &expand(&found)).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(again.federation, found.federation);
    found
}

/// What the meter shows for half a megawatt of the nodes, by the hour.
#[track_caller]
fn meter(plant: &str) -> [Power; 3] {
    let found = sound(plant);
    let overheads = found.federation.sites[0].overheads.clone().expect("a plant");
    let lines: Vec<Power> = overheads.lines().map(|line| line.of(Power::watts(500_000))).collect();
    lines.try_into().expect("three hours")
}

#[test]
fn what_is_written_of_a_plant_acts() {
    let usual = meter("kind = \"warm-water\"");
    assert_eq!(
        meter(
            "kind = \"warm-water\", supply = \"37 °C\", rise = \"10 K\", approach = \"5 K\", spare = \"10 %\""
        ),
        usual
    );
    let all_in_liquid = meter("kind = \"warm-water\", liquid_share = \"100 %\"");
    assert!(all_in_liquid[2] < usual[2], "less room air has to be chilled");
    let cold = meter("kind = \"warm-water\", supply = \"20 °C\", chillers = \"all\"");
    assert!(cold[2] > usual[2], "cold water has to be chilled in a hot hour: {} {}", cold[2], usual[2]);
    let better = meter("kind = \"warm-water\", carnot = \"70 %\"");
    assert!(better[2] < usual[2]);
    let none = sound("kind = \"warm-water\", chillers = \"none\"");
    let note = none.notes.iter().find(|note| note.contains("cooling")).expect("a note");
    assert!(note.contains("in 3 of 3 hours no compressor runs, and in "), "{note}");
    let far = sound("kind = \"warm-water\", approach = \"25 K\"");
    assert!(
        far.notes.iter().any(|note| note.contains("a loop becomes warmer than it is meant to be")),
        "{:?}",
        far.notes
    );
    sound("kind = \"tower\", cycles = 3");
}

#[test]
fn heat_for_a_network_is_counted() {
    let usual = meter("kind = \"warm-water\"");
    let pumped = meter("kind = \"warm-water\", reuse = { share = \"40 %\" }");
    assert!(pumped[0] > usual[0], "a heat pump draws in the cold: {} {}", pumped[0], usual[0]);
    let network = "reuse = { power = \"400 kW\", temperature = \"40 °C\", heat_pump = false }";
    let found = sound(&format!("kind = \"warm-water\", {network}"));
    assert!(found.notes.iter().any(|note| note.contains("and a network has ")), "{:?}", found.notes);
    let direct = meter(&format!("kind = \"warm-water\", {network}"));
    assert!(direct[0] <= usual[0], "what the network takes no fan has to");
}

#[test]
fn what_would_be_without_effect_is_refused() {
    let refused = |plant: &str, expected: &str| check(&text(plant), &[expected]);
    refused(
        "kind = \"chilled-air\", supply = \"30 °C\"",
        "8:44 site[0].cooling.supply: `supply` has no effect … `liquid_share`",
    );
    refused("kind = \"chilled-air\", rise = \"8 K\"", "`rise` has no effect where liquid takes no heat");
    refused(
        "kind = \"chilled-air\", reuse = { power = \"1 MW\" }",
        "`reuse` has no effect where liquid takes no heat",
    );
    refused(
        "kind = \"warm-water\", cycles = 4",
        "cooling.cycles: `cycles` has no effect where no water evaporates … tower",
    );
    refused(
        "kind = \"tower\", chillers = \"none\", carnot = \"50 %\"",
        "cooling.carnot: `carnot` has no effect without chillers",
    );
    refused(
        "kind = \"warm-water-wet\", chillers = \"all\"",
        "pads and chillers can not work behind one loop",
    );
    refused("kind = \"warm-water\", reuse = {}", "it is not said how much heat the network takes");
    refused(
        "kind = \"warm-water\", reuse = { power = \"1 MW\", share = \"5 %\" }",
        "takes `power` and also a `share`",
    );
    refused(
        "kind = \"warm-water\", reuse = { share = \"5 %\", heat_pump = false }",
        "comes back with 47 °C, and the network asks for 75 °C",
    );
    let no_pump = "share = \"5 %\", heat_pump = false, temperature = \"40 °C\", carnot = \"50 %\"";
    refused(
        &format!("kind = \"warm-water\", reuse = {{ {no_pump} }}"),
        "reuse.carnot: `carnot` has no effect without a heat pump",
    );
}

#[test]
fn figures_outside_their_range_are_refused() {
    let refused =
        |figure: &str, expected: &str| check(&text(&format!("kind = \"tower\", {figure}")), &[expected]);
    refused("supply = \"70 °C\"", "cooling.supply: `supply` is `70 °C`, outside `10 °C` to `60 °C`");
    refused("supply = 30", "`supply` has no unit: a temperature needs one … `supply = \"30 °C\"`");
    refused("supply = \"303 K\"", "`K` is not a unit of temperature; write one of: °C, degC");
    refused("rise = \"1 K\"", "`rise` is `1 K`, outside `2 K` to `40 K`");
    refused("liquid_share = \"101 %\"", "`liquid_share` is `101 %`, outside");
    refused("approach = \"0.5 K\"", "`approach` is `0.5 K`, outside `1 K` to `30 K`");
    refused("chillers = \"some\"", "`some` is no word for `chillers`, which takes `rooms`, `all`, `none`");
    refused("carnot = \"95 %\"", "`carnot` is `95 %`, outside `5 %` to `90 %`");
    refused("cycles = 1", "`cycles` is 1, outside 1.05 to 100");
    refused("spare = \"120 %\"", "`spare` is `120 %`, outside");
    refused("aproach = \"4 K\"", "`aproach` is not a key of [site.cooling] … did you mean `approach`?");
    let network = |figure: &str| format!("reuse = {{ power = \"1 MW\", {figure} }}");
    refused(
        &network("temperature = \"15 °C\""),
        "reuse.temperature: `temperature` is `15 °C`, outside `20 °C`",
    );
    refused(&network("heating_limit = \"35 °C\""), "`heating_limit` is `35 °C`, outside `5 °C` to `30 °C`");
    refused(&network("coldest = \"5 °C\""), "`coldest` is `5 °C`, outside `-60 °C` to `4 °C`");
    refused(&network("base = \"-1 %\""), "`-1 %` is negative");
    refused("reuse = { share = \"0 %\" }", "`share` is `0 %`, outside `0.1 %`");
}

#[test]
fn a_factor_beside_a_plant_is_refused_with_both_lines() {
    let both = |factor: &str| {
        text("kind = \"tower\"").replacen("country", &format!("facility_factor = {factor}\ncountry"), 1)
    };
    let fault = "9:19 site[0].facility_factor: `facility_factor` has no effect beside `[site.cooling]`, from which the overhead follows, \
                 in line 8 (keep one of the two)";
    check(&both("1.1"), &[fault]);
    // Expanded forms of before had the default beside a plant.
    let old = read("old.toml", &both("1.36")).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(
        old.notes.iter().any(|note| note.starts_with("`kajaani`: `facility_factor` has no effect")),
        "{:?}",
        old.notes
    );
    let found = sound("kind = \"tower\"");
    assert!(!expand(&found).contains("\nfacility_factor"), "{}", expand(&found));
    let factor = found.federation.sites[0].facility_factor;
    assert!(
        factor > Fraction::ppm(1_080_000) && factor < Fraction::ppm(1_150_000),
        "that of the plant: {factor}"
    );
}

#[test]
fn defaults_of_a_plant_follow_its_kind() {
    let printed = expand(&sound("kind = \"tower\""));
    for line in [
        "liquid_share = \"94.5 %\"  # default: RAPS model of Frontier",
        "supply = \"30 °C\"  # default: Frontier",
        "approach = \"4 K\"  # default: assumption",
        "carnot = \"72 %\"  # default: ASHRAE 90.1-2019",
        "cycles = 5  # default: assumption",
    ] {
        assert!(printed.contains(line), "{line} is not in\n{printed}");
    }
    let printed = expand(&sound("kind = \"chilled-air\""));
    assert!(!printed.contains("\nsupply") && !printed.contains("\ncycles"), "{printed}");
    assert!(printed.contains("liquid_share = \"0 %\"  # default: room air by definition"), "{printed}");
}
