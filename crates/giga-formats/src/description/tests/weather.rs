//! Weather of a site: from a file as it was published, or by the hour.

use giga_model::Weather;
use giga_units::{Duration, Fraction, Instant, Power};

use super::super::{Beside, Description, Faults, expand, read, read_with};
use super::SMALL;

const METEO: &str = r#"{"utc_offset_seconds": 3600, "elevation": 1000.0,
    "hourly_units": {"temperature_2m": "°C", "relative_humidity_2m": "%"},
    "hourly": {"time": ["2023-01-01T01:00", "2023-01-01T02:00", "2023-01-01T03:00"],
        "temperature_2m": [-1.25, null, 0.75], "relative_humidity_2m": [80, 90, 100]}}"#;

fn with(weather: &str) -> Result<Description, Faults> {
    let open = |name: &str| match name {
        "meteo.json" => Ok(METEO.to_owned()),
        "faulty.json" => Ok(METEO.replace("-1.25", "\"cold\"")),
        "prices.csv" => Ok("time,EUR/MWh\n2023-01-01T00:00,1\n2023-01-01T01:00,1\n".to_owned()),
        "try.dat" => Ok("MM DD HH t p RF\n***\n1 1 1 0.5 990 80\n1 1 2 1.5 990 81\n".to_owned()),
        _ => Err("no such file".to_owned()),
    };
    let text = SMALL.replacen("country", &format!("weather = {weather}\ncountry"), 1);
    read_with("small.toml", &text, &Beside { open: &open, shocks: &[] })
}

fn weather(description: &Description) -> &Weather {
    description.federation.sites[0].weather.as_ref().expect("weather")
}

#[test]
fn a_weather_file_becomes_integers_and_the_expanded_form_holds_them() {
    let found = with("{ file = \"meteo.json\" }").unwrap_or_else(|faults| panic!("{faults}"));
    let air = weather(&found);
    assert_eq!(air.dry_bulb.values(), [-1_250, -250, 750]);
    assert_eq!(air.humidity.values(), [80_000, 90_000, 100_000]);
    assert_eq!(air.pressure.values(), [89_875; 3]);
    let year = &found.federation.start.to_string()[..4];
    assert_eq!(Some(air.dry_bulb.first()), Instant::parse(&format!("{year}-01-01")));
    let note = "; filled values: 1; pressure is that of the standard atmosphere at 1000 m";
    assert!(
        found
            .notes
            .iter()
            .any(|told| told.contains("3 hours of `meteo.json`: Open-Meteo JSON") && told.ends_with(note)),
        "{:?}",
        found.notes
    );
    let again = read("expanded.toml", &expand(&found)).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(again.federation, found.federation);
}

#[test]
fn hours_may_be_written() {
    let found = with("{ dry_bulb = [1.5, 2], humidity = [50, 60], pressure = [101.3, 101.2] }")
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(weather(&found).pressure.values(), [101_300, 101_200]);
    assert_eq!(weather(&found).dry_bulb.first(), found.federation.start);
}

#[test]
fn what_is_no_weather_is_a_fault() {
    let check = |weather: &str, expected: &str| {
        let faults = with(weather).expect_err("a fault").to_string();
        assert!(faults.contains(expected), "{faults}");
    };
    check("{}", "weather names a file, a built-in climate or hours");
    check("{ dry_bulb = [1.5, 2], humidity = [50, 60] }", "have not as many hours each");
    check("{ file = \"nowhere.epw\" }", "`nowhere.epw` can not be read");
    check("{ file = \"prices.csv\" }", "`prices.csv` is a CSV with times, and no year of weather");
    check("{ file = \"faulty.json\" }", "`temperature_2m[0]`: `\"cold\"` is not a number");
}

#[test]
fn a_typical_year_begins_with_the_year_of_the_federation() {
    let found = with("{ file = \"try.dat\" }").unwrap_or_else(|faults| panic!("{faults}"));
    let year = &found.federation.start.to_string()[..4];
    let begin = Instant::parse(&format!("{year}-01-01")).expect("a date");
    // Hour 1 of Central European Time is the last of the year before in UTC.
    assert_eq!(weather(&found).dry_bulb.first(), begin - Duration::hours(1));
}

/// A cool hour, a mild one and a hot one.
const HOURS: &str = "{ dry_bulb = [2, 18.3, 39], humidity = [80, 60, 20], pressure = [101.3, 101.2, 101.1] }";

fn cooled(kind: &str) -> String {
    format!("{HOURS}\noversubscribed = true\ncooling = {{ kind = \"{kind}\" }}")
}

#[test]
fn what_a_building_draws_follows_from_its_weather() {
    let nodes = Power::watts(500_000);
    let shown = |kind: &str| {
        let found = with(&cooled(kind)).unwrap_or_else(|faults| panic!("{faults}"));
        let (site, start) = (&found.federation.sites[0], found.federation.start);
        let again = read("expanded.toml", &expand(&found)).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(again.federation, found.federation);
        let note = found.notes.last().expect("a note");
        let (begin, end) =
            ("`kajaani`, cooling: at full load the meter shows 1.", " of 3 hours no compressor runs");
        assert!(note.starts_with(begin) && note.contains(end), "{note}");
        let shown = [0, 1, 2].map(|hour| site.overhead_at(start + Duration::hours(hour)).of(nodes));
        assert_eq!(site.shown_at_most(nodes), shown[2], "the hot hour of {kind} is the worst");
        assert!(shown[0] >= nodes && site.mean_factor(start, start + Duration::hours(3)) > Fraction::ONE);
        shown
    };
    let [cool, mild, hot] = shown("warm-water");
    assert!(cool < mild && mild < hot && hot < Fraction::ppm(1_250_000).of(nodes), "{cool} {mild} {hot}");
    let [_, _, chilled] = shown("chilled-air");
    assert!(hot < shown("chilled-air")[2] && chilled > Fraction::ppm(1_300_000).of(nodes), "{chilled}");
    let (tower, wet) = (shown("tower")[2], shown("warm-water-wet")[2]);
    assert!(tower < hot && wet <= hot, "water cools beyond the dry bulb: {tower}, {wet}, {hot}");
}

#[test]
fn what_cools_a_site_is_a_kind_and_has_weather() {
    let check = |weather: &str, expected: &str| {
        let faults = with(weather).expect_err("a fault").to_string();
        assert!(faults.contains(expected), "{faults}");
    };
    check(&cooled("ice"), "`ice`");
    check(&cooled("tower").replace("39", "65"), "`dry_bulb` is 65, outside -60 to 60");
    check("{}\ncooling = { kind = \"tower\" }", "weather names a file, a built-in climate or hours");
    // In the hot hour the nodes need more than the connection has.
    let text = SMALL.replacen(
        "country",
        &format!("weather = {HOURS}\ncooling = {{ kind = \"chilled-air\" }}\ncountry"),
        1,
    );
    let faults = read("small.toml", &text.replace("1 MW", "800 kW")).expect_err("a fault").to_string();
    assert!(faults.contains("and its connection has 800 kW by this phase"), "{faults}");
}

fn small(with: &str) -> Result<Description, Faults> {
    read("small.toml", &SMALL.replacen("country", &format!("oversubscribed = true\n{with}\ncountry"), 1))
}

#[test]
fn a_built_in_climate_serves_where_no_weather_is_written() {
    let found = small("cooling = { kind = \"warm-water\" }").unwrap_or_else(|faults| panic!("{faults}"));
    let air = weather(&found);
    assert_eq!((air.dry_bulb.values().len(), air.dry_bulb.first()), (8_760, found.federation.start));
    let mean = air.dry_bulb.values().iter().sum::<i64>() / 8_760;
    assert!((1_500..3_500).contains(&mean), "{mean}");
    let note = "`kajaani`, weather: none is written; the built-in climate of Kajaani serves, a year made of monthly figures";
    assert!(
        found.notes[0].starts_with(note) && found.notes[0].contains("without extremes"),
        "{:?}",
        found.notes
    );
    let printed = expand(&found);
    assert!(
        printed.contains("[site.weather]  # default: no weather is written: the built-in climate of Kajaani")
    );
    // A saved run says it again.
    let again = read("expanded.toml", &printed).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(again.federation, found.federation);
    assert!(again.notes[0].contains("the built-in climate of Kajaani serves"), "{:?}", again.notes);
    let chosen = small("weather = { climate = \"lisbon\" }").unwrap_or_else(|faults| panic!("{faults}"));
    assert!(weather(&chosen).dry_bulb.values().iter().sum::<i64>() / 8_760 > 15_000);
    assert!(
        chosen.notes[0].starts_with("`kajaani`, weather: the built-in climate of Lisbon"),
        "{:?}",
        chosen.notes
    );
    assert!(small("").expect("a sound file").federation.sites[0].weather.is_none());
}

#[test]
fn a_climate_that_is_none_is_a_fault() {
    let check = |with: &str, expected: &str| {
        let faults = small(with).expect_err("a fault").to_string();
        assert!(faults.contains(expected), "{faults}");
        assert_eq!(faults.matches("error").count(), 1, "{faults}");
    };
    check("weather = { climate = \"lion\" }", "did you mean `lyon`?");
    check("weather = { climate = \"atlantis\" }", "`atlantis` is not a built-in climate");
    check(
        "weather = { climate = \"lyon\", file = \"try.dat\" }",
        "names a file or a built-in climate, and here are both",
    );
    let several = SMALL
        .replace("\"FI\"", "\"SE\"\nelectricity_price = \"40 EUR/MWh\"\ncarbon_intensity = \"20 gCO2e/kWh\"");
    let several = several.replacen("country", "cooling = { kind = \"tower\" }\ncountry", 1);
    let faults = read("small.toml", &several).expect_err("a fault");
    let [fault] = faults.diagnostics() else { panic!("{faults}") };
    assert_eq!((fault.key.as_str(), fault.line), ("site[0].weather", 6), "{faults}");
    assert_eq!(fault.message, "no built-in climate stands for SE without a `zone`");
    assert!(fault.help.contains("{ climate = … }` with the nearest of `amsterdam`"), "{}", fault.help);
    read("small.toml", &several.replacen("country", "zone = \"SE1\"\ncountry", 1))
        .unwrap_or_else(|faults| panic!("{faults}"));
}
