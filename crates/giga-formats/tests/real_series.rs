//! Reads published series as they are. Needs a folder of real data, named by `GIGA_DATA`.

use std::path::{Path, PathBuf};

use giga_formats::price_shape::{Figures, PriceShape};
use giga_formats::series::{self, Calendar, Dialect, Quantity, Rule, Table};
use giga_units::Duration;

/// The folder of real data. Without one the test is skipped by name, or fails where `GIGA_REQUIRE` names `data`.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn data(test: &str) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("GIGA_DATA") {
        return Some(folder.into());
    }
    let required = std::env::var("GIGA_REQUIRE").is_ok_and(|list| list.split(',').any(|word| word == "data"));
    assert!(!required, "`{test}` needs GIGA_DATA, and GIGA_REQUIRE forbids to skip it");
    eprintln!("skipped: {test} needs GIGA_DATA");
    None
}

fn read(folder: &Path, name: &str, dialect: Dialect) -> Table {
    let text = std::fs::read_to_string(folder.join(name)).expect(name);
    let table = series::read(name, &text).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(table.dialect, dialect, "{name}");
    table
}

#[test]
fn hours_of_heat_are_those_of_the_published_weather_years() {
    let Some(folder) = data("hours_of_heat_are_those_of_the_published_weather_years") else { return };
    let check = |name: &str, dialect, expected: (usize, usize)| {
        let table = read(&folder.join("weather"), name, dialect);
        let dry = &table.column(Quantity::DryBulb).expect("a dry bulb").values;
        let above = |limit: f64| dry.iter().filter(|value| **value > limit).count();
        assert_eq!((dry.len(), above(24.0), above(32.0)), (8_760, expected.0, expected.1), "{name}");
        assert!(table.columns.iter().all(|column| column.gaps.is_empty()), "{name}");
    };
    check("dwd-potsdam-2015.dat", Dialect::Dwd, (365, 0));
    check("dwd-mannheim-2015.dat", Dialect::Dwd, (590, 5));
    check("dwd-mannheim-2045.dat", Dialect::Dwd, (859, 17));
    check("lyon-tmyx-2004-2018.epw", Dialect::Epw, (866, 67));
    check("north-italy-pvgis-tmy.epw", Dialect::Epw, (913, 32));
    check("lisbon-ineti.epw", Dialect::Epw, (1_057, 39));
    check("granada-swec.epw", Dialect::Epw, (1_278, 331));
}

#[test]
fn weather_files_say_where_they_are() {
    let Some(folder) = data("weather_files_say_where_they_are") else { return };
    let check = |name: &str, dialect, clock: &str, expected: (f64, f64, f64), calendar| {
        let table = read(&folder.join("weather"), name, dialect);
        let place = &table.place;
        let found = [place.latitude, place.longitude, place.altitude].map(|value| value.expect("it is said"));
        let near = found.iter().zip([expected.0, expected.1, expected.2]).all(|(a, b)| (a - b).abs() < 0.06);
        assert!(near && place.clock == clock && table.calendar == calendar, "{name}: {place:?}");
    };
    use Calendar::{Dated, Typical};
    // Telegrafenberg in Potsdam lies at 52.38 N 13.06 E, the middle of Mannheim at 49.5 N 8.5 E.
    check("dwd-potsdam-2015.dat", Dialect::Dwd, "UTC+1", (52.40, 13.04, 34.0), Typical);
    check("dwd-mannheim-2015.dat", Dialect::Dwd, "UTC+1", (49.50, 8.47, 103.0), Typical);
    check("lyon-tmyx-2004-2018.epw", Dialect::Epw, "UTC+1", (45.73, 4.94, 198.0), Typical);
    check("lisbon-ineti.epw", Dialect::Epw, "UTC", (38.73, -9.15, 71.0), Dated);
    check("frankfurt-2023-openmeteo.json", Dialect::OpenMeteo, "UTC+1", (50.09, 8.65, 111.0), Dated);
}

#[test]
fn prices_of_2023_have_their_means_and_missing_days() {
    let Some(folder) = data("prices_of_2023_have_their_means_and_missing_days") else { return };
    let check = |zone: &str, dialect, mean: f64| {
        let table = read(&folder.join("prices"), &format!("{zone}-2023.csv"), dialect);
        let found = table.columns[0].statistics(&table).mean;
        assert_eq!(
            (table.first.to_string().as_str(), table.len()),
            ("2022-12-31T23:00:00Z", 8_760),
            "{zone}"
        );
        assert!((found - mean).abs() < 0.05, "{zone}: {found}");
        table
    };
    // Means of the rows as they stand, worked out apart from this reader, are 39.97, 39.98, 51.70, 64.88, 87.10, 95.18, and without
    // their missing days 96.67 for France and 95.81 for the Netherlands.
    for (zone, mean) in [("SE1", 39.97), ("SE2", 39.97), ("SE3", 51.7), ("SE4", 64.9)] {
        let table = check(zone, Dialect::Entsoe, mean);
        assert_eq!((table.rows.skipped, table.columns[0].gaps.len()), (1, 0), "{zone}");
    }
    for (zone, mean) in [("ES", 87.1), ("DE-LU", 95.2), ("FR", 96.62), ("NL", 95.85)] {
        let table = check(zone, Dialect::ClockPrices, mean);
        assert_eq!((table.rows.invented.len(), table.rows.once.len()), (1, 1), "{zone}");
        let days: Vec<_> = table.columns[0].gaps.iter().filter(|gap| gap.count == 24).collect();
        let day = days.first().map(|gap| (gap.from.to_string(), gap.rule));
        let expected = match zone {
            "FR" => Some(("2023-11-29T23:00:00Z".to_owned(), Rule::WeekBefore)),
            "NL" => Some(("2023-06-29T22:00:00Z".to_owned(), Rule::WeekBefore)),
            _ => None,
        };
        assert_eq!(day, expected, "{zone}");
    }
}

#[test]
fn the_built_in_shapes_are_those_of_the_published_prices() {
    let Some(folder) = data("the_built_in_shapes_are_those_of_the_published_prices") else { return };
    let mut explained = Vec::new();
    for shape in PriceShape::all() {
        let dialect = if shape.zone.starts_with("SE") { Dialect::Entsoe } else { Dialect::ClockPrices };
        let table = read(&folder.join("prices"), &format!("{}-2023.csv", shape.zone), dialect);
        let prices = &table.column(Quantity::EnergyPrice).expect("prices").values;
        assert_eq!(Figures::of(table.first, prices), Some(shape.figures), "{}", shape.zone);
        let mean = prices.iter().sum::<f64>() / prices.len() as f64;
        let parts = shape.figures.parts(table.first, prices.len());
        let variance: f64 = prices.iter().map(|price| (price - mean).powi(2)).sum();
        let rest: f64 = prices.iter().zip(parts).map(|(price, part)| (price - mean * part).powi(2)).sum();
        explained.push((shape.zone, ((1.0 - rest / variance) * 100.0).round()));
    }
    // What documents say of it: how much of the variance of the prices their shape holds, in %.
    let told = [
        ("AT", 52.0),
        ("BE", 46.0),
        ("CH", 57.0),
        ("DE-LU", 38.0),
        ("ES", 42.0),
        ("FR", 49.0),
        ("NL", 42.0),
        ("PT", 42.0),
        ("SE1", 38.0),
        ("SE2", 38.0),
        ("SE3", 36.0),
        ("SE4", 36.0),
    ];
    assert_eq!(explained, told);
}

#[test]
fn carbon_profiles_and_telemetry_are_read_whole() {
    let Some(folder) = data("carbon_profiles_and_telemetry_are_read_whole") else { return };
    for zone in ["DE-LU", "GB"] {
        let table =
            read(&folder.join("carbon"), &format!("{zone}-2023-hourly.csv"), Dialect::ElectricityMaps);
        assert_eq!((table.len(), table.columns.len(), table.columns[0].gaps.len()), (8_760, 2, 0), "{zone}");
        assert_eq!(table.columns[0].quantity, Quantity::CarbonLifeCycle);
    }
    let mut profiles = 0;
    for entry in std::fs::read_dir(folder.join("profiles")).expect("profiles") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        if !name.ends_with(".csv") {
            continue;
        }
        let table = read(&folder.join("profiles"), &name, Dialect::Profile);
        let of = if name.contains("temperature") { Quantity::Number } else { Quantity::OfMean };
        assert_eq!((table.len(), table.columns[0].quantity), (8_760, of), "{name}");
        profiles += 1;
    }
    assert_eq!(profiles, 39);
    let table = read(&folder.join("telemetry"), "frontier-cdu-2024-04-07-15s.csv", Dialect::Telemetry);
    assert_eq!((table.len(), table.columns.len(), table.step), (5_761, 26, Duration::seconds(15)));
}
