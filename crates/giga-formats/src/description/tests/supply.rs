//! Where a site's energy comes from.

use giga_control::energy::Sourcing;
use giga_facility::quantity::{EurosPerJoule, Joules, Watts};
use giga_facility::supply::{Kind, Terms};

use super::super::{Beside, Description, Faults, expand, read, read_with};
use super::SMALL;

const SUPPLY: &str = r#"
[site.supply]
interruptible = "200 kW"
export = "100 kW"
surcharge = "12 EUR/MWh"
reserve = "5 %"
[[site.supply.contract]]
power = "300 kW"
price = "61.5 EUR/MWh"
[[site.supply.source]]
kind = "sun"
power = "400 kW"
price = "44 EUR/MWh"
factors = { file = "sun.csv" }
[[site.supply.source]]
kind = "hydro"
power = "50 kW"
terms = "settled"
price = "30 EUR/MWh"
mean = "45 %"
[site.supply.battery]
capacity = "2 MWh"
power = "500 kW"
[site.supply.backup]
power = "100 kW"
[[site.phase]]"#;

fn with(supply: &str) -> Result<Description, Faults> {
    with_shock(supply, None)
}

fn with_shock(supply: &str, shock: Option<&str>) -> Result<Description, Faults> {
    let open = |name: &str| match name {
        "sun.csv" => Ok("0\n0.25\n0.5\n1\n".repeat(2_190)),
        "shape.csv" => Ok(format!("{}\n", 1.0 / 3_600.0 / 8_760.0).repeat(8_760)),
        "weather.dat" => Ok("MM DD HH t p RF\n***\n1 1 1 0.5 990 80\n1 1 2 1.5 990 81\n".to_owned()),
        _ => Err("no such file".to_owned()),
    };
    let mut text = SMALL.replacen("[[site.phase]]", supply, 1);
    text.extend(shock.map(|shock| format!("\n[[shock]]\nname = \"it\"\n{shock}\n")));
    let shocks: &[&str] = if shock.is_some() { &["it"] } else { &[] };
    read_with("small.toml", &text, &Beside { open: &open, shocks })
}

fn sourcing(description: &Description) -> &Sourcing {
    description.works[0].sourcing.as_ref().expect("a supply")
}

#[test]
fn a_supply_is_read_with_its_parts() {
    let found = with(SUPPLY).unwrap_or_else(|faults| panic!("{faults}"));
    let sourcing = sourcing(&found);
    let parts = sourcing.supply.parts();
    assert_eq!(
        (parts.connection.firm, parts.connection.interruptible),
        (Watts(8e5), Watts(2e5)),
        "1 MW in all"
    );
    assert_eq!(sourcing.tariff.surcharge, EurosPerJoule::per_megawatt_hour(12.0));
    assert_eq!(parts.contracts[0].price, EurosPerJoule::per_megawatt_hour(61.5));
    let [sun, hydro] = parts.sources.as_slice() else { panic!("two sources") };
    assert_eq!((sun.kind, sun.rated), (Kind::Sun, Watts(4e5)));
    assert_eq!(sun.terms, Terms::Contracted(EurosPerJoule::per_megawatt_hour(44.0)), "unless it is said");
    assert_eq!(hydro.terms, Terms::Settled(EurosPerJoule::per_megawatt_hour(30.0)));
    assert_eq!(sourcing.factors[0].values()[..4], [0, 25_000, 50_000, 100_000]);
    assert_eq!(sourcing.factors[1].values(), [45_000]);
    let [battery] = parts.batteries.as_slice() else { panic!("a battery") };
    assert_eq!((battery.capacity, battery.begin), (Joules(7.2e9), Joules(3.6e9)));
    assert_eq!(battery.charge_efficiency, 0.9193);
    assert!((battery.self_discharge * 730.0 - 0.015).abs() < 1e-12);
    assert!(parts.backup.is_some() && sourcing.residual.is_none());
    assert!(
        found
            .notes
            .iter()
            .any(|note| note.starts_with("`kajaani`, source 0 of supply: 8,760 hours of `sun.csv`"))
    );
    let again = read("expanded.toml", &expand(&found)).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!((again.works, again.federation), (found.works, found.federation));
}

#[test]
fn work_pays_for_energy_with_what_lies_above_the_exchange() {
    let found = with(SUPPLY).unwrap_or_else(|faults| panic!("{faults}"));
    let plain = with("[[site.phase]]").unwrap_or_else(|faults| panic!("{faults}"));
    let price = |found: &Description| found.federation.sites[0].electricity_price.as_microeuro_per_kwh();
    assert_eq!(price(&found), price(&plain) + 12_000);
}

#[test]
fn what_is_kept_for_it_bridges_limits() {
    let text = SUPPLY
        .replace("\"5 %\"", "\"25 %\"")
        .replace("power = \"100 kW\"", "power = \"100 kW\"\nbridges = true")
        .replace(
            "[[site.phase]]",
            "[[site.limit]]\nfrom = 2027-03-01\nfor = \"2 h\"\npart = \"65 %\"\n[[site.phase]]",
        );
    let found = with(&text).unwrap_or_else(|faults| panic!("{faults}"));
    let [limit] = found.federation.sites[0].limits.as_slice() else { panic!("one limit") };
    // 650 kW, 100 of engines, and 500 kWh over two hours less what is lost.
    assert_eq!(limit.power.as_milliwatts(), 750_000_000 + 229_825_000);
    assert_eq!(sourcing(&found).limits[0].power.as_milliwatts(), 650_000_000);
    let note = "`kajaani`, supply: in 1 of 1 times in which the grid gives less, battery and engines add up to 0.33 MW";
    assert!(found.notes.iter().any(|said| said.starts_with(note)), "{:?}", found.notes);
    let hot = "heat = { country = \"FI\", from = 2027-07-01, for = \"1 h\", part = \"50 %\" }";
    let hot = with_shock(&text, Some(hot)).unwrap_or_else(|faults| panic!("{faults}"));
    let limits: Vec<u64> =
        hot.federation.sites[0].limits.iter().map(|limit| limit.power.as_milliwatts()).collect();
    assert_eq!(limits, [979_825_000, 500_000_000], "a battery does not cool");
    assert_eq!(sourcing(&hot).limits.len(), 1, "and the grid gives all of it");
    let live = text.replacen("[site.supply]", "engine = \"local\"\n[site.supply]", 1);
    let found = with(&live).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(found.federation.sites[0].limits[0].power.as_milliwatts(), 650_000_000);
    assert!(found.notes.iter().any(|said| said.contains("nothing bridges its limits")), "{:?}", found.notes);
}

#[test]
fn a_dry_year_makes_less_of_water_alone() {
    let shock = |kind: &str, times: f64| {
        let what = format!("country = \"FI\", from = 2027-03-01, for = \"30 d\"{kind}, times = {times}");
        with_shock(SUPPLY, Some(&format!("sources = {{ {what} }}")))
    };
    let factors = |found: &Description, day: &str| {
        let at = giga_units::Instant::parse(day).expect("a date");
        [0, 1].map(|source| sourcing(found).factors[source].at(at))
    };
    let sound = |kind, times| shock(kind, times).unwrap_or_else(|faults| panic!("{faults}"));
    let dry = sound(", kind = \"hydro\"", 0.7);
    assert_eq!(factors(&dry, "2027-03-05T02:00"), [50_000, 31_500]);
    assert_eq!(factors(&dry, "2027-04-05T02:00"), [50_000, 45_000], "before and after it is as it was");
    assert_eq!(factors(&dry, "2028-03-05T02:00"), [50_000, 45_000]);
    let bright = sound("", 3.0);
    assert_eq!(factors(&bright, "2027-03-05T02:00"), [100_000, 100_000], "no more than there can be");
    let faults = shock(", kind = \"wind\"", 0.5).expect_err("no wind").to_string();
    assert!(faults.contains("none of these sites has such a source in its `supply`"), "{faults}");
    let again = read("expanded.toml", &expand(&dry)).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(again.works, dry.works);
}

#[test]
fn a_shape_needs_its_mean() {
    let shape = SUPPLY.replace("sun.csv", "shape.csv");
    let faults = with(&shape).expect_err("no mean").to_string();
    assert!(
        faults.contains("`shape.csv` says how its hours are to their mean")
            && faults.contains("mean = \"28 %\""),
        "{faults}"
    );
    let found = with(&shape.replace("factors =", "mean = \"14 %\"\nfactors ="))
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(sourcing(&found).factors[0].values().iter().all(|factor| *factor == 14_000));
}

#[test]
fn what_is_no_supply_is_a_fault() {
    let check = |from: &str, to: &str, expected: &str| {
        assert!(SUPPLY.contains(from), "{from}");
        let faults = with(&SUPPLY.replacen(from, to, 1)).expect_err(expected).to_string();
        assert!(faults.contains(expected), "{faults}");
    };
    check("interruptible =", "firm = \"700 kW\"\ninterruptible =", "come to 900 kW, and all phases to 1 MW");
    check("\"200 kW\"", "\"1.2 MW\"", "more is interruptible than the 1 MW of all phases");
    check("[site.supply.battery]\ncapacity = \"2 MWh\"\npower = \"500 kW\"\n", "", "there is no battery");
    check("factors = { file = \"sun.csv\" }\n", "", "a source needs `mean` or `factors`");
    check("sun.csv", "nowhere.csv", "`nowhere.csv` can not be read");
    check("sun.csv", "weather.dat", "and no year of capacity factors by the hour");
    check("{ file = \"sun.csv\" }", "{}", "have neither a `file` nor hours");
    check("{ file = \"sun.csv\" }", "{ values = [50, 101] }", "outside 0 to 100");
    check("{ file = \"sun.csv\" }", "{ values = [50, 101] }", "to 100; it is percent for each hour");
    check("\"sun\"", "\"moon\"", "`moon` is no word for `kind`");
    check("power = \"500 kW\"", "", "needs `power`");
    check("surcharge = \"12 EUR/MWh\"", "surcharge = \"-12 EUR/MWh\"", "`surcharge`");
    check("capacity = \"2 MWh\"", "capacity = \"2 MWh\"\nefficiency = \"0 %\"", "`efficiency` is `0 %`");
}

/// A fault is told once: what follows from it, or can not be known for it, is not told as well.
#[test]
fn one_fault_is_told_once() {
    let dry =
        "sources = { country = \"FI\", from = 2027-03-01, for = \"30 d\", kind = \"hydro\", times = 0.7 }";
    let check = |from: &str, to: &str| {
        assert!(SUPPLY.contains(from), "{from}");
        let faults = with_shock(&SUPPLY.replacen(from, to, 1), Some(dry)).expect_err(to).to_string();
        assert_eq!(faults.matches("error: ").count(), 1, "{faults}");
    };
    check("\"200 kW\"", "\"-3 MW\"");
    check("surcharge =", "surcharges =");
    check("\"sun\"", "\"nuclear\"");
    check("{ file = \"sun.csv\" }", "{ values = [50, 101] }");
    check("{ file = \"sun.csv\" }", "{ file = \"nowhere.csv\" }");
    let text = SMALL.replacen("country = \"FI\"", "country = \"Finland\"", 1);
    assert_ne!(text, SMALL);
    let limit = "[[limit]]\ncountry = \"FI\"\nfrom = 2027-03-01\nfor = \"2 h\"\npart = \"60 %\"\n";
    let faults = read("small.toml", &format!("{text}\n{limit}")).expect_err("a country").to_string();
    assert_eq!(faults.matches("error: ").count(), 1, "{faults}");
}
