//! Laws of the readers on random cases.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

const HOUR: i64 = 3_600_000;

/// The face of a clock `ahead` hours ahead of UTC, as ENTSO-E writes it.
fn face(at: Instant, ahead: i64) -> String {
    let text = (at + Duration::hours(ahead)).to_string();
    format!("{}.{}.{} {}", &text[8..10], &text[5..7], &text[..4], &text[11..16])
}

/// The last Sunday of a month of 31 days at 01:00 UTC, by counting from a Thursday: 1970-01-01.
fn turn(year: i64, month: &str) -> Instant {
    let last = Instant::parse(&format!("{year}-{month}-31T01:00")).expect("a date");
    let days = last.as_unix_milliseconds() / (24 * HOUR);
    last - Duration::days((days + 4).rem_euclid(7))
}

proptest! {
    /// Whatever hours are missing, all given ones stay where they were, and every other is in a gap.
    #[test]
    fn what_is_given_stays_and_the_rest_is_told(
        missing in proptest::collection::btree_set(1_usize..1_000, 0..160),
        weather in any::<bool>(),
    ) {
        let name = if weather { "°C" } else { "EUR/MWh" };
        let mut text = format!("time,{name}\n");
        let value = |hour: usize| (hour * 37 % 61) as f64 - 20.0;
        for hour in (0..1_001).filter(|hour| !missing.contains(hour)) {
            let _ = writeln!(text, "{},{}", Instant::of_hour(hour as i64), value(hour));
        }
        let table = read("x", &text).unwrap_or_else(|faults| panic!("{faults}"));
        let column = &table.columns[0];
        prop_assert_eq!(column.values.len(), 1_001);
        let told: Vec<usize> = column.gaps.iter().flat_map(|gap| {
            let begin = gap.from.hour() as usize;
            begin..begin + gap.count
        }).collect();
        prop_assert_eq!(told, missing.iter().copied().collect::<Vec<_>>());
        for hour in (0..1_001).filter(|hour| !missing.contains(hour)) {
            prop_assert_eq!(column.values[hour], value(hour));
        }
        prop_assert!(column.values.iter().all(|value| (-20.0..=41.0).contains(value)), "nothing beyond what was given");
    }

    /// Each hour of UTC that a Central European clock shows comes back, over both turns of any year; a file that begins with the second
    /// of two hours of the same name is out of this law, since nothing tells them apart.
    #[test]
    fn every_hour_of_a_clock_with_summer_time_comes_back(year in 1_996_i64..2_100, autumn in any::<bool>(), from in 1_i64..60) {
        let turn = turn(year, if autumn { "10" } else { "03" });
        let first = turn - Duration::hours(from);
        let mut text = "\"MTU (CET/CEST)\",\"Day-ahead Price [EUR/MWh]\"\n".to_owned();
        for hour in 0..120 {
            let at = first + Duration::hours(hour);
            let summer = (at < turn) == autumn;
            if at == turn && !autumn {
                let _ = writeln!(text, "{} - x,", face(at, 1));
            }
            let _ = writeln!(text, "{} - x,{hour}", face(at, if summer { 2 } else { 1 }));
        }
        let table = read("x", &text).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
        prop_assert_eq!(table.columns[0].gaps.len(), 0);
        let values: Vec<f64> = (0..120).map(f64::from).collect();
        prop_assert_eq!(&table.columns[0].values, &values);
        prop_assert_eq!(table.first, first);
    }
}
