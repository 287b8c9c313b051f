//! Amounts and dates as people write them; what was understood is written and understood again as the same.
#![no_main]

use giga_units::{
    Amount, Bytes, Carbon, CarbonIntensity, CarbonPrice, Duration, Energy, EnergyPrice, Flops, Fraction,
    Instant, Money, Power,
};
use libfuzzer_sys::fuzz_target;

fn check<A: Amount + PartialEq + std::fmt::Debug>(text: &str) {
    if let Ok(amount) = A::parse(text) {
        assert_eq!(A::parse(&amount.written()), Ok(amount), "`{text}` is written `{}`", amount.written());
    }
}

fuzz_target!(|text: &str| {
    check::<Power>(text);
    check::<Energy>(text);
    check::<Money>(text);
    check::<Carbon>(text);
    check::<Bytes>(text);
    check::<Flops>(text);
    check::<Duration>(text);
    check::<Fraction>(text);
    check::<EnergyPrice>(text);
    check::<CarbonIntensity>(text);
    check::<CarbonPrice>(text);
    if let Some(instant) = Instant::parse(text) {
        assert_eq!(Instant::parse(&instant.to_string()), Some(instant), "`{text}` is shown as `{instant}`");
        assert!(instant.next_month() > instant && instant.next_year() >= instant.next_month());
    }
});
