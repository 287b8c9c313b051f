//! Each dialect by examples of its own making, and the rules that all share.

use super::*;

/// What is to be found in a text: dialect, clock, first instant, step, and the values of the first column.
fn check(text: &str, dialect: Dialect, clock: &str, first: &str, step: Duration, values: &[f64]) -> Table {
    let table = read("example", text).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!((table.dialect, table.place.clock.as_str()), (dialect, clock));
    assert_eq!((table.first.to_string().as_str(), table.step), (first, step));
    let found = &table.columns[0].values;
    let near = found.len() == values.len() && found.iter().zip(values).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(near, "{found:?} for {values:?}");
    table
}

/// The messages of a text that is refused, with their lines.
fn faults(text: &str) -> Vec<String> {
    let faults = read("example", text).expect_err("a faulty file");
    faults.diagnostics().iter().map(|fault| format!("{}: {}", fault.line, fault.message)).collect()
}

fn gaps(column: &Column) -> Vec<(String, usize, Rule)> {
    column.gaps.iter().map(|gap| (gap.from.to_string(), gap.count, gap.rule)).collect()
}

const HOUR: Duration = Duration::hours(1);

/// A weather year in EPW with rows of year, month, day, hour and dry bulb.
fn epw(zone: &str, leap: &str, rows: &[(u16, u8, u8, u8, &str)]) -> String {
    let row = |(year, month, day, hour, dry): &(u16, u8, u8, u8, &str)| {
        format!(
            "{year},{month},{day},{hour},60,?,{dry},5.0,80,99000,0,0,300,10,20,30,0,0,0,0,180,3.5,5,5\r\n"
        )
    };
    let rows: String = rows.iter().map(row).collect();
    format!(
        "LOCATION,Nowhere,-,XXX,made up,000000,60.5,10.25,{zone},120\r\nHOLIDAYS/DAYLIGHT SAVINGS,{leap},0,0,0\r\n\
         DATA PERIODS,1,1,Data,Sunday,1/1,12/31\r\n{rows}"
    )
}

#[test]
fn an_epw_hour_ends_at_its_number_in_local_standard_time() {
    let rows = [(2023, 7, 1, 1, "14.5"), (2023, 7, 1, 2, "99.9"), (2023, 7, 1, 3, "16.5")];
    let table = check(
        &epw("2.0", "No", &rows),
        Dialect::Epw,
        "UTC+2",
        "2023-06-30T22:00:00Z",
        HOUR,
        &[14.5, 15.5, 16.5],
    );
    assert_eq!(gaps(&table.columns[0]), [("2023-06-30T23:00:00Z".into(), 1, Rule::Linear)]);
    assert_eq!((table.place.latitude, table.place.altitude), (Some(60.5), Some(120.0)));
    assert_eq!(table.place.name.as_deref(), Some("Nowhere, XXX"));
    assert_eq!(table.calendar, Calendar::Dated);
    assert_eq!(table.column(Quantity::Pressure).map(|column| column.values[0]), Some(99_000.0));
    check(
        &epw("-3.5", "No", &rows),
        Dialect::Epw,
        "UTC-03:30",
        "2023-07-01T03:30:00Z",
        HOUR,
        &[14.5, 15.5, 16.5],
    );
}

#[test]
fn months_of_several_years_are_a_typical_year() {
    let day = |year, month, day| (1..=24).map(move |hour| (year, month, day, hour, "1.0"));
    let rows: Vec<_> = day(2012, 2, 28).chain(day(2007, 3, 1)).collect();
    let table = check(&epw("0", "No", &rows), Dialect::Epw, "UTC", "2001-02-28T00:00:00Z", HOUR, &[1.0; 48]);
    assert_eq!(table.calendar, Calendar::Typical);
    assert_eq!(table.notes, ["a typical year: its months are from 2007 to 2012; the dates are put in 2001"]);
    let rows: Vec<_> = day(2012, 2, 28).chain(day(2012, 2, 29)).chain(day(2007, 3, 1)).collect();
    check(&epw("0", "Yes", &rows), Dialect::Epw, "UTC", "2004-02-28T00:00:00Z", HOUR, &[1.0; 72]);
}

#[test]
fn a_leap_year_keeps_its_day_and_a_real_turn_of_the_year_stays() {
    let day = |year, month, day| (1..=24).map(move |hour| (year, month, day, hour, "1.0"));
    let rows: Vec<_> = day(2024, 2, 28).chain(day(2024, 2, 29)).chain(day(2024, 3, 1)).collect();
    let table = check(&epw("0", "Yes", &rows), Dialect::Epw, "UTC", "2024-02-28T00:00:00Z", HOUR, &[1.0; 72]);
    assert_eq!(table.calendar, Calendar::Dated);
    // A real year that leaves its leap day out has a gap; one that says it knows none is typical.
    let rows: Vec<_> = day(2024, 2, 28).chain(day(2024, 3, 1)).collect();
    let table = check(&epw("0", "Yes", &rows), Dialect::Epw, "UTC", "2024-02-28T00:00:00Z", HOUR, &[1.0; 72]);
    assert_eq!(gaps(&table.columns[0]), [("2024-02-29T00:00:00Z".into(), 24, Rule::DayBefore)]);
    let table = check(&epw("0", "No", &rows), Dialect::Epw, "UTC", "2001-02-28T00:00:00Z", HOUR, &[1.0; 48]);
    assert_eq!(table.calendar, Calendar::Typical);
    let rows: Vec<_> = day(2023, 12, 31).chain(day(2024, 1, 1)).collect();
    let table = check(&epw("0", "No", &rows), Dialect::Epw, "UTC", "2023-12-31T00:00:00Z", HOUR, &[1.0; 48]);
    assert_eq!(table.calendar, Calendar::Dated);
}

#[test]
fn both_editions_of_the_test_reference_years_are_read_by_their_names() {
    let new = "Rechtswert        : 4000000 Meter\nHochwert          : 2800000 Meter\n\
               Hoehenlage        : 77 Meter ueber NN\n\nArt des TRY       : mittleres Jahr\n\
               Bezugszeitraum    : 1995-2012\n\n RW HW MM DD HH t p WR WG N x RF B D A E IL\n*** \n\
               4000000 2800000 1 1 1 -1.5 1001 190 4.0 5 3.5 91 0 0 289 -316 3\n\
               4000000 2800000 1 1 2 -2.5 999 190 4.0 5 3.5 91 0 0 289 -316 3\n";
    let table = check(new, Dialect::Dwd, "UTC+1", "2000-12-31T23:00:00Z", HOUR, &[-1.5, -2.5]);
    assert_eq!(
        table.column(Quantity::Pressure).map(|column| column.values.clone()),
        Some(vec![100_100.0, 99_900.0])
    );
    let near = |found: Option<f64>, wanted: f64| found.is_some_and(|found| (found - wanted).abs() < 1e-6);
    assert!(near(table.place.latitude, 52.0) && near(table.place.longitude, 10.0), "{:?}", table.place);
    assert_eq!((table.place.altitude, table.calendar), (Some(77.0), Calendar::Typical));
    assert_eq!(table.notes, ["a typical year (mittleres Jahr of 1995-2012); the dates are put in 2001"]);
    let old = "Station: Musterstadt\nLage: 12 Meter ueber NN\nRG IS MM DD HH N WR WG t p x RF W B D IK A E IL\n***\n\
               4 1 1 1 1 8 230 3.0 2.5 1010 4.5 95 1 0 0 1 300 -330 1\n\
               4 1 1 1 2 8 230 3.0 999 1010 4.5 95 1 0 0 1 300 -330 1\n\
               4 1 1 1 3 8 230 3.0 3.5 1010 4.5 95 1 0 0 1 300 -330 1\n";
    let table = check(old, Dialect::Dwd, "UTC+1", "2000-12-31T23:00:00Z", HOUR, &[2.5, 3.0, 3.5]);
    assert_eq!((table.place.name.as_deref(), table.place.altitude), (Some("Musterstadt"), Some(12.0)));
}

#[test]
fn open_meteo_says_its_units_and_its_clock() {
    let text = r#"{"latitude": 50.5, "longitude": 8.25, "utc_offset_seconds": 3600, "timezone": "Europe/Nowhere", "elevation": 99.0,
        "hourly_units": {"time": "iso8601", "temperature_2m": "°F", "wind_speed_10m": "km/h", "surface_pressure": "hPa"},
        "hourly": {"time": ["2023-03-26T01:00", "2023-03-26T02:00", "2023-03-26T03:00"],
            "temperature_2m": [50.0, null, 59.0], "wind_speed_10m": [36.0, 18.0, 0.0],
            "surface_pressure": [1000.0, 1000.5, 1001.0], "rain": [0, 0, 0]}}"#;
    // Its clock has no summer time, so the hour that people skip is there.
    let table = check(
        text,
        Dialect::OpenMeteo,
        "UTC+1",
        "2023-03-26T00:00:00Z",
        HOUR,
        &[100_000.0, 100_050.0, 100_100.0],
    );
    let values = |quantity| table.column(quantity).map(|column| column.values.clone()).expect("it is there");
    assert!(values(Quantity::DryBulb).iter().zip([10.0, 12.5, 15.0]).all(|(a, b)| (a - b).abs() < 1e-9));
    assert_eq!(values(Quantity::WindSpeed), [10.0, 5.0, 0.0]);
    assert_eq!((table.notes.join(""), table.place.altitude), ("not read: `rain`".into(), Some(99.0)));
    let seconds = r#"{"utc_offset_seconds": 7200, "hourly_units": {"temperature_2m": "°C"},
        "hourly": {"time": [1700000000, 1700003600], "temperature_2m": [1, 2]}}"#;
    check(seconds, Dialect::OpenMeteo, "UTC+2", "2023-11-14T22:13:20Z", HOUR, &[1.0, 2.0]);
    let faulty = text.replace("km/h", "furlongs").replace("null", "\"warm\"");
    assert_eq!(faults(&faulty)[0], "4: `wind_speed_10m` has the unit `furlongs`, which is not known");
    assert_eq!(faults("{\n\"hourly\": [").len(), 1);
}

/// An ENTSO-E export with rows of day, hour and price.
fn entsoe(rows: &[(&str, u8, &str)]) -> String {
    let row = |(day, hour, price): &(&str, u8, &str)| {
        let (next, end) = if *hour == 23 { ("next", 0) } else { (*day, hour + 1) };
        let next = if next == "next" { "02.01.2023" } else { next };
        format!("\"{day} {hour:02}:00 - {next} {end:02}:00\",\"{price}\",\"EUR\"\n")
    };
    let rows: String = rows.iter().map(row).collect();
    format!("\"MTU (CET/CEST)\",\"Day-ahead Price [EUR/MWh]\",\"Currency\",\"BZN|XX1\"\n{rows}")
}

#[test]
fn the_hour_that_spring_skips_is_no_gap_and_autumn_has_one_twice() {
    let day = "26.03.2023";
    let spring = entsoe(&[(day, 0, "1"), (day, 1, "2"), (day, 2, ""), (day, 3, "3"), (day, 4, "-4.5")]);
    let table =
        check(&spring, Dialect::Entsoe, "CET/CEST", "2023-03-25T23:00:00Z", HOUR, &[1.0, 2.0, 3.0, -4.5]);
    assert_eq!((table.rows.skipped, table.columns[0].gaps.len()), (1, 0));
    assert_eq!(table.place.name.as_deref(), Some("XX1"));
    let day = "29.10.2023";
    let autumn = entsoe(&[(day, 1, "1"), (day, 2, "2"), (day, 2, "3"), (day, 3, "4")]);
    let table =
        check(&autumn, Dialect::Entsoe, "CET/CEST", "2023-10-28T23:00:00Z", HOUR, &[1.0, 2.0, 3.0, 4.0]);
    assert_eq!(table.rows, Rows::default());
}

#[test]
fn newer_exports_have_quarter_hours_areas_and_sequences() {
    let text = "\"MTU (UTC)\",\"Area\",\"Sequence\",\"Day-ahead Price (EUR/MWh)\",\"Intraday Price (EUR/MWh)\"\n\
        \"30/09/2025 21:00:00 - 30/09/2025 22:00:00\",\"BZN|XX\",\"Sequence 1\",\"10\",\"\"\n\
        \"30/09/2025 22:00:00 - 30/09/2025 22:15:00\",\"BZN|XX\",\"Sequence 1\",\"20\",\"\"\n\
        \"30/09/2025 22:00:00 - 30/09/2025 22:15:00\",\"BZN|XX\",\"Sequence 2\",\"90\",\"\"\n\
        \"30/09/2025 22:15:00 - 30/09/2025 22:30:00\",\"BZN|XX\",\"Sequence 1\",\"30\",\"\"\n";
    let quarter = Duration::seconds(900);
    let values = [10.0, 10.0, 10.0, 10.0, 20.0, 30.0];
    let table = check(text, Dialect::Entsoe, "UTC", "2025-09-30T21:00:00Z", quarter, &values);
    assert_eq!((table.rows.other_sequences, table.columns[0].gaps.len()), (1, 0));
    let other = text.replacen("BZN|XX", "BZN|YY", 1);
    assert_eq!(faults(&other)[0], "3: the file holds several areas: `BZN|YY` and `BZN|XX`");
    let named = "\"MTU (CET/CEST)\",\"Day-ahead Price (EUR/MWh)\"\n\
        26/10/2025 02:45:00 (CEST) - 26/10/2025 02:00:00 (CET),1\n26/10/2025 02:00:00 (CET) - 26/10/2025 02:15:00 (CET),2\n";
    check(named, Dialect::Entsoe, "CET/CEST", "2025-10-26T00:45:00Z", quarter, &[1.0, 2.0]);
}

#[test]
fn clock_hours_without_summer_time_lose_one_and_gain_one() {
    let file = |day: &str, hours: &[u8]| {
        let row = |hour: &u8| format!("2023-{day} {hour:02}:00:00,{hour}\n");
        format!("Datetime,Price (EUR/MWh)\n{}", hours.iter().map(row).collect::<String>())
    };
    let spring = file("03-26", &[1, 2, 3, 4]);
    let table =
        check(&spring, Dialect::ClockPrices, "CET/CEST", "2023-03-26T00:00:00Z", HOUR, &[1.0, 3.0, 4.0]);
    let told = |instants: &[Instant]| instants.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told(&table.rows.invented), ["2023-03-26T01:00:00Z"]);
    let autumn = file("10-29", &[1, 2, 3]);
    let table =
        check(&autumn, Dialect::ClockPrices, "CET/CEST", "2023-10-28T23:00:00Z", HOUR, &[1.0, 2.0, 2.0, 3.0]);
    assert_eq!(told(&table.rows.once), ["2023-10-29T01:00:00Z"]);
    assert_eq!(gaps(&table.columns[0]), [("2023-10-29T01:00:00Z".into(), 1, Rule::Before)]);
}

#[test]
fn carbon_is_in_utc_and_estimates_are_counted() {
    let text = "Datetime (UTC),Country,Zone Name,Zone Id,Carbon Intensity gCO₂eq/kWh (direct),\
        Carbon Intensity gCO₂eq/kWh (LCA),Data Source,Data Estimated\n\
        2023-01-01 00:00:00,X,X,XX,100.5,140,some; where,false\n2023-01-01 01:00:00,X,X,XX,,,some,true\n\
        2023-01-01 02:00:00,X,X,XX,110,150,some,true\n";
    let table =
        check(text, Dialect::ElectricityMaps, "UTC", "2023-01-01T00:00:00Z", HOUR, &[140.0, 140.0, 150.0]);
    assert_eq!(table.column(Quantity::CarbonDirect).map(|column| column.values[2]), Some(110.0));
    assert_eq!((table.rows.estimated, table.place.name.as_deref()), (2, Some("XX")));
}

#[test]
fn a_bare_column_is_a_year_with_or_without_marks_and_last_lines() {
    let year = |count: usize, value: &str| format!("\u{feff}{}", format!("{value}\r\n").repeat(count));
    let first = "2001-01-01T00:00:00Z";
    let table = check(&year(8_760, "0.25"), Dialect::Profile, "UTC", first, HOUR, &[0.25; 8_760]);
    assert_eq!((table.columns[0].quantity, table.calendar), (Quantity::CapacityFactor, Calendar::Undated));
    let short = check(year(8_757, "-2.5").trim_end(), Dialect::Profile, "UTC", first, HOUR, &[-2.5; 8_760]);
    assert_eq!(short.columns[0].gaps, [Gap { from: short.at(8_757), count: 3, rule: Rule::Before }]);
    assert!(short.notes[1].starts_with("3 lines are missing"), "{:?}", short.notes);
    let share = format!("{}", 1.0 / 3_600.0 / 8_760.0);
    let shape = check(&year(8_760, &share), Dialect::Profile, "UTC", first, HOUR, &[1.0; 8_760]);
    assert_eq!(shape.columns[0].quantity, Quantity::OfMean);
    let leap = "2004-01-01T00:00:00Z";
    check(&year(8_784, "0.5"), Dialect::Profile, "UTC", leap, HOUR, &[0.5; 8_784]);
    check(&year(35_040, "0.5"), Dialect::Profile, "UTC", first, Duration::seconds(900), &[0.5; 35_040]);
}

#[test]
fn telemetry_counts_from_its_start() {
    let text =
        "time,power[1],power[2],OA Wetbulb Temp\n0.0,1000.5,2000,4.5\n15.0,1001,2001,\n30.0,1002,2002,5.5\n";
    let step = Duration::seconds(15);
    let values = [1_000.5, 1_001.0, 1_002.0];
    let clock = "seconds since the start";
    let table = check(text, Dialect::Telemetry, clock, "1970-01-01T00:00:00Z", step, &values);
    assert_eq!(table.column(Quantity::WetBulb).map(|column| column.values[1]), Some(5.0));
    assert_eq!(table.calendar, Calendar::Undated);
}

#[test]
fn any_table_with_times_is_read_and_a_unit_in_a_name_is_taken() {
    let text = "time;zone;price in EUR/MWh;other\n2023-01-01T00:00Z;X;1,5;7\n2023-01-01T02:00+01:00;X;2;8\n";
    let table = check(text, Dialect::Plain, "UTC", "2023-01-01T00:00:00Z", HOUR, &[1.5, 2.0]);
    let quantities: Vec<Quantity> = table.columns.iter().map(|column| column.quantity).collect();
    assert_eq!(quantities, [Quantity::EnergyPrice, Quantity::Number]);
    assert_eq!(table.notes, ["not read: `zone`"]);
}

/// Prices of three weeks, hour by hour, without those in a range.
fn weeks_without(missing: Range<i64>) -> String {
    let first = Instant::parse("2023-01-02").expect("a date");
    let row = |hour: i64| format!("{},{hour}\n", first + Duration::hours(hour));
    format!(
        "time,price EUR/MWh\n{}",
        (0..500).filter(|hour| !missing.contains(hour)).map(row).collect::<String>()
    )
}

#[test]
fn gaps_are_filled_by_their_length() {
    let filled = |missing: Range<i64>| {
        let column = read("x", &weeks_without(missing.clone())).expect("sound").columns.remove(0);
        assert_eq!((column.gaps.len(), column.gaps[0].count), (1, (missing.end - missing.start) as usize));
        (column.gaps[0].rule, column.values[missing.start as usize], column.values[missing.end as usize - 1])
    };
    assert_eq!(filled(200..203), (Rule::Before, 199.0, 199.0));
    assert_eq!(filled(200..224), (Rule::WeekBefore, 32.0, 55.0));
    assert_eq!(filled(200..368), (Rule::WeekBefore, 32.0, 199.0));
    assert_eq!(filled(30..54), (Rule::DayBefore, 6.0, 29.0));
    assert_eq!(filled(5..10), (Rule::Before, 4.0, 4.0));
    let told = faults(&weeks_without(200..369));
    assert_eq!(told, ["202: 169 hours are missing above this row, from 2023-01-10T08:00:00Z on"]);
}

#[test]
fn a_gap_at_the_beginning_takes_what_comes_and_an_empty_column_is_left_out() {
    let text = "time,a,b\n2023-01-01T00:00,,\n2023-01-01T01:00,4,\n2023-01-01T02:00,5,\n";
    let table = check(text, Dialect::Plain, "UTC", "2023-01-01T00:00:00Z", HOUR, &[4.0, 4.0, 5.0]);
    assert_eq!(gaps(&table.columns[0]), [("2023-01-01T00:00:00Z".into(), 1, Rule::After)]);
    assert_eq!(table.notes, ["not read: `b`"]);
}

#[test]
fn faults_are_named_with_line_field_and_remedy_up_to_a_bound() {
    let text = "time,price EUR/MWh\n2023-01-01,1\nsoon,1\n2023-01-01T02:00,x\n2023-01-01T03:00,200000\n2023-01-01T04:00\n";
    assert_eq!(
        faults(text),
        [
            "3: `time`: `soon` is not a time between 1970 and 2200",
            "4: `price EUR/MWh`: `x` is not a number",
            "5: `price EUR/MWh`: `200000` is far from any value of this kind",
            "6: the row has 1 cells, and 2 are due",
        ]
    );
    let many = format!("time,a\n2023-01-01,1\n{}", "soon,1\n".repeat(90));
    assert_eq!(faults(&many).len(), 20);
    assert_eq!(faults("time,a\n2023-01-02,1\n2023-01-01,1\n")[0], "3: the row comes before the row above it");
    let off = "time,a\n2023-01-01T00:00,1\n2023-01-01T01:00,1\n2023-01-01T02:30,1\n";
    assert_eq!(faults(off), ["4: the row is not a whole number of steps of 1 h after the first"]);
    assert_eq!(faults("hello\nworld\n"), ["1: this is no series that is known"]);
    assert_eq!(faults(""), ["1: this is no series that is known"]);
    assert_eq!(faults("time,a\n2023-01-01,1\n"), ["2: one row alone does not say how long a value holds"]);
    let row = epw("1", "No", &[(2023, 1, 1, 25, "1.0"), (2023, 2, 30, 1, "1.0"), (2023, 3, 1, 1, "88.0")]);
    let told = faults(&row);
    assert_eq!(told[0], "4: `hour` is `25`, which is not a number that fits");
    assert_eq!(told[1], "6: `dry bulb temperature`: `88.0` is far from any value of this kind");
    assert_eq!(told[2], "5: `date`: `2023-2-30` is not a time between 1970 and 2200");
}

#[test]
fn figures_of_a_column() {
    let text = "time,a\n".to_owned()
        + &(0..100)
            .map(|hour| format!("{},{}\n", Instant::of_hour(hour), (hour * 7) % 100))
            .collect::<String>();
    let table = read("x", &text).expect("sound");
    let figures = table.columns[0].statistics(&table);
    assert_eq!((figures.mean, figures.percentiles), (49.5, [4.0, 49.0, 94.0]));
    assert_eq!((figures.least, figures.most), ((0.0, table.at(0)), (99.0, table.at(57))));
    assert_eq!(table.columns[0].thinned(50).len(), 50);
    assert_eq!(table.columns[0].thinned(500).len(), 100);
    assert_eq!(table.end().since(table.first), Duration::hours(100));
}
