//! Figures as people read them.

use giga_units::{AcceleratorTime, Carbon, Duration, Energy, Money, Power, grouped};

/// Accelerator-hours, rounded.
pub(crate) fn hours(time: AcceleratorTime) -> String {
    let rounded = (time.as_milliseconds().unsigned_abs() + 1_800_000) / 3_600_000;
    let sign = if time < AcceleratorTime::ZERO { "-" } else { "" };
    format!("{sign}{}", grouped(u64::try_from(rounded).unwrap_or(u64::MAX)))
}

/// A part of a whole in percent, with two decimals.
pub(crate) fn percent(part: AcceleratorTime, whole: AcceleratorTime) -> String {
    if whole == AcceleratorTime::ZERO {
        return "–".to_owned();
    }
    format!("{:.2} %", part.as_hours_f64() / whole.as_hours_f64() * 100.0)
}

/// A wait in the unit that suits it: two figures are enough.
pub(crate) fn wait(duration: Duration) -> String {
    let seconds = duration.as_milliseconds() as f64 / 1e3;
    match seconds {
        s if s <= 0.0 => "0".to_owned(),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 90.0 => format!("{s:.1} s"),
        s if s < 5_400.0 => format!("{:.1} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
}

/// Energy in the unit that suits it.
pub(crate) fn energy(energy: Energy) -> String {
    match energy.as_megawatt_hours_f64() {
        mwh if mwh >= 100_000.0 => format!("{:.1} GWh", mwh / 1e3),
        mwh if mwh >= 10.0 => format!("{mwh:.1} MWh"),
        mwh if mwh >= 1e-3 => format!("{:.2} kWh", mwh * 1e3),
        mwh if mwh >= 1e-6 => format!("{:.1} Wh", mwh * 1e6),
        _ => format!("{} J", energy.as_joules()),
    }
}

/// Power in the unit that suits it.
pub(crate) fn power(power: Power) -> String {
    match power.as_megawatts_f64() {
        mw if mw >= 1.0 => format!("{mw:.2} MW"),
        mw if mw >= 1e-3 => format!("{:.2} kW", mw * 1e3),
        mw => format!("{:.1} W", mw * 1e6),
    }
}

/// Carbon in the unit that suits it.
pub(crate) fn carbon(carbon: Carbon) -> String {
    match carbon.as_tonnes_f64() {
        t if t >= 1.0 => format!("{t:.1} t"),
        t if t >= 1e-4 => format!("{:.2} kg", t * 1e3),
        t => format!("{:.3} g", t * 1e6),
    }
}

/// Money in the unit that suits it.
pub(crate) fn money(money: Money) -> String {
    let euro = money.as_euro_f64();
    match euro.abs() {
        e if e >= 1e9 => format!("{:.3} bn EUR", euro / 1e9),
        e if e >= 1e6 => format!("{:.3} m EUR", euro / 1e6),
        e if e >= 0.1 || e == 0.0 => format!("{euro:.2} EUR"),
        _ => format!("{} EUR", format!("{euro:.6}").trim_end_matches('0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(wait(Duration::seconds(89)), "89.0 s");
        assert_eq!(wait(Duration::hours(30)), "30.0 h");
        assert_eq!(money(Money::euro(2_500_000_000)), "2.500 bn EUR");
        assert_eq!(money(Money::microeuro(1_230)), "0.00123 EUR");
        assert_eq!(money(Money::ZERO), "0.00 EUR");
        assert_eq!(energy(Energy::joules(100)), "100 J");
        assert_eq!(energy(Energy::joules(36_000)), "10.0 Wh");
        assert_eq!(power(Power::watts(42)), "42.0 W");
        assert_eq!(carbon(Carbon::milligrams(1_500)), "1.500 g");
        assert_eq!(percent(AcceleratorTime::milliseconds(1), AcceleratorTime::ZERO), "–");
    }
}
