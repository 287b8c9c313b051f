//! Which dialect a text is written in, told by its first lines.

use super::{Desk, Draft};
use super::{clock, clock_prices, dwd, electricity_maps, entsoe, epw, open_meteo, plain, profile, telemetry};

/// How publishers write series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Weather year of EnergyPlus.
    Epw,
    /// Test reference year of the Deutscher Wetterdienst.
    Dwd,
    /// JSON of Open-Meteo.
    OpenMeteo,
    /// Export of day-ahead prices from ENTSO-E's transparency platform.
    Entsoe,
    /// `Datetime,Price (EUR/MWh)` by the clocks of Central Europe, 24 hours on every day.
    ClockPrices,
    /// Carbon intensity of Electricity Maps.
    ElectricityMaps,
    /// A bare column of numbers, one for each hour.
    Profile,
    /// Power by seconds since a start.
    Telemetry,
    /// A header, a time and columns of numbers.
    Plain,
}

/// All dialects with the word that names them in output for programs, and what people call them.
const DIALECTS: [(Dialect, &str, &str); 9] = [
    (Dialect::Epw, "epw", "EPW weather year"),
    (Dialect::Dwd, "dwd", "test reference year of the Deutscher Wetterdienst"),
    (Dialect::OpenMeteo, "open-meteo", "Open-Meteo JSON"),
    (Dialect::Entsoe, "entsoe", "ENTSO-E price export"),
    (Dialect::ClockPrices, "clock-prices", "prices by clock hours of Central Europe"),
    (Dialect::ElectricityMaps, "electricity-maps", "Electricity Maps carbon intensity"),
    (Dialect::Profile, "profile", "bare column of hours"),
    (Dialect::Telemetry, "telemetry", "telemetry by seconds since its start"),
    (Dialect::Plain, "plain", "CSV with times"),
];

/// Lines by which a dialect is known.
const PROBE: usize = 80;

impl Dialect {
    /// The word that names it.
    #[must_use]
    pub fn word(self) -> &'static str {
        DIALECTS.iter().find(|(dialect, ..)| *dialect == self).map_or("", |(_, word, _)| word)
    }
    /// What people call it.
    #[must_use]
    pub fn words(self) -> &'static str {
        DIALECTS.iter().find(|(dialect, ..)| *dialect == self).map_or("", |(.., words)| words)
    }
    /// All of them for a message.
    pub(super) fn list() -> String {
        DIALECTS.map(|(.., words)| words).join(", ")
    }

    /// The dialect of a text; `None` where it looks like nothing known.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let first = lines.next()?.trim();
        let lower = first.to_ascii_lowercase();
        let names: Vec<&str> = super::cells(first, separator(first)).map(|(_, name)| name).collect();
        if first.starts_with('{') || first.starts_with('[') {
            return Some(Self::OpenMeteo);
        }
        if lower.starts_with("location,") {
            return Some(Self::Epw);
        }
        if names[0].to_ascii_lowercase().starts_with("mtu") {
            return Some(Self::Entsoe);
        }
        if lower.contains("carbon intensity gco") {
            return Some(Self::ElectricityMaps);
        }
        if names == ["Datetime", "Price (EUR/MWh)"] {
            return Some(Self::ClockPrices);
        }
        if names[0].eq_ignore_ascii_case("time") && names.iter().any(|name| name.starts_with("power[")) {
            return Some(Self::Telemetry);
        }
        if names.len() == 1 && first.parse::<f64>().is_ok() {
            return Some(Self::Profile);
        }
        if text.lines().take(PROBE).any(dwd::is_fence) {
            return Some(Self::Dwd);
        }
        let second = lines.next()?;
        let time = super::cells(second, separator(first)).next().map(|(_, cell)| cell);
        (names.len() > 1 && time.and_then(clock::civil_or_stamp).is_some()).then_some(Self::Plain)
    }

    /// What the dialect makes of a text.
    pub(super) fn draft(self, text: &str, desk: &mut Desk) -> Option<Draft> {
        match self {
            Self::Epw => epw::draft(text, desk),
            Self::Dwd => dwd::draft(text, desk),
            Self::OpenMeteo => open_meteo::draft(text, desk),
            Self::Entsoe => entsoe::draft(text, desk),
            Self::ClockPrices => clock_prices::draft(text, desk),
            Self::ElectricityMaps => electricity_maps::draft(text, desk),
            Self::Profile => profile::draft(text, desk),
            Self::Telemetry => telemetry::draft(text, desk),
            Self::Plain => plain::draft(text, desk),
        }
    }
}

/// What separates the cells of a table with such a header.
pub(super) fn separator(header: &str) -> char {
    if header.contains(';') { ';' } else { ',' }
}
