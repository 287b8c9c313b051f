//! Indicators by hand, and ramps against a slow count.

use proptest::prelude::*;

use super::*;
use crate::quantity::Watts;

fn sums() -> Sums {
    Sums {
        time: YEAR,
        site: Joules(3.6e9),
        equipment: Joules(3.0e9),
        renewable: Joules(1.8e9),
        reused: Joules(0.36e9),
        water: Kilograms(1_000.0),
        carbon: Kilograms(250.0),
        free: YEAR / 2.0,
    }
}

#[test]
fn ratios_are_those_of_the_standards() {
    let found = Indicators::new(&sums(), Category::Three).unwrap();
    let expected = [1.2, 1.2, 0.3, 0.5, 0.1, 0.5];
    let found_all = [found.pue, found.wue, found.cue, found.renewable, found.reused, found.free];
    for (found, expected) in found_all.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{found} and not {expected}");
    }
    assert!(!found.interim);
}

#[test]
fn less_than_a_year_is_interim_and_nothing_has_no_ratio() {
    let short = Sums { time: YEAR - Seconds(3_600.0), ..sums() };
    assert!(Indicators::new(&short, Category::One).unwrap().interim);
    assert_eq!(Indicators::new(&Sums::default(), Category::One), None);
}

#[test]
fn a_ramp_counts_in_full_when_it_takes_less_than_the_window() {
    let series: Vec<Watts> = [0.0, 0.0, 3.0, 9.0, 8.0, 1.0].map(Watts).to_vec();
    let found = ramps(&series, Seconds(15.0), Seconds(15.0));
    assert_eq!(found, Ramps { up: Watts(6.0), down: Watts(7.0) });
    let minute = ramps(&series, Seconds(15.0), Seconds(60.0));
    assert_eq!(minute, Ramps { up: Watts(9.0), down: Watts(8.0) });
    assert_eq!(peak(&series), Watts(9.0));
    assert_eq!(ramps(&[], Seconds(1.0), Seconds(15.0)), Ramps::default());
}

proptest! {
    #[test]
    fn ramps_are_those_of_all_pairs(series in proptest::collection::vec(0.0..100.0f64, 0..60), reach in 1..10usize) {
        let watts: Vec<Watts> = series.iter().copied().map(Watts).collect();
        let found = ramps(&watts, Seconds(1.0), Seconds(reach as f64));
        let (mut up, mut down) = (0.0f64, 0.0f64);
        for (at, later) in series.iter().enumerate() {
            for earlier in &series[at.saturating_sub(reach)..at] {
                up = up.max(later - earlier);
                down = down.max(earlier - later);
            }
        }
        prop_assert!((found.up.0 - up).abs() < 1e-12 && (found.down.0 - down).abs() < 1e-12);
    }
}
