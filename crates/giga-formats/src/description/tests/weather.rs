//! Weather of a site: from a file as it was published, or by the hour.

use giga_model::Weather;
use giga_units::{Duration, Instant};

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
    check("{}", "weather names a file or hours");
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
