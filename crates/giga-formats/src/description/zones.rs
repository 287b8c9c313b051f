//! What electricity costs and emits by bidding zone: yearly means from public figures.
//!
//! A site without figures of its own takes those of its zone, or of its country where that is one zone.

/// A bidding zone with what is known of it.
pub(crate) struct Zone {
    /// Its name, such as `NO4`.
    pub(crate) name: &'static str,
    /// The country by its code.
    pub(crate) country: &'static str,
    /// Whether a site of this country that names no zone is in this one.
    pub(crate) whole: bool,
    /// Mean spot price of 2023, as written.
    pub(crate) price: Option<&'static str>,
    /// Mean life-cycle carbon intensity of 2025, as written.
    pub(crate) carbon: Option<&'static str>,
}

/// Who says what electricity cost.
pub(crate) const PRICE_SOURCE: &str = "mean day-ahead spot price of 2023 in zone";
/// Who says what it emitted.
pub(crate) const CARBON_SOURCE: &str = "Electricity Maps, yearly life-cycle mean of 2025 in zone";

const fn zone(
    name: &'static str,
    country: &'static str,
    whole: bool,
    price: Option<&'static str>,
    carbon: Option<&'static str>,
) -> Zone {
    Zone { name, country, whole, price, carbon }
}

/// All zones with any figure.
pub(crate) static ZONES: &[Zone] = &[
    zone("NO3", "NO", false, Some("\"37.8 EUR/MWh\""), None),
    zone("NO4", "NO", false, Some("\"29.3 EUR/MWh\""), Some("\"49 gCO2e/kWh\"")),
    zone("SE1", "SE", false, Some("\"39.4 EUR/MWh\""), Some("\"15 gCO2e/kWh\"")),
    zone("SE2", "SE", false, Some("\"40.0 EUR/MWh\""), Some("\"15 gCO2e/kWh\"")),
    zone("SE3", "SE", false, Some("\"51.7 EUR/MWh\""), Some("\"20 gCO2e/kWh\"")),
    zone("SE4", "SE", false, Some("\"64.9 EUR/MWh\""), Some("\"37 gCO2e/kWh\"")),
    zone("FI", "FI", true, Some("\"55.7 EUR/MWh\""), Some("\"68 gCO2e/kWh\"")),
    zone("ES", "ES", true, Some("\"87.4 EUR/MWh\""), Some("\"136 gCO2e/kWh\"")),
    zone("PT", "PT", true, Some("\"88.3 EUR/MWh\""), Some("\"117 gCO2e/kWh\"")),
    zone("DE-LU", "DE", true, Some("\"95.2 EUR/MWh\""), Some("\"342 gCO2e/kWh\"")),
    zone("NL", "NL", true, Some("\"95.8 EUR/MWh\""), Some("\"253 gCO2e/kWh\"")),
    zone("FR", "FR", true, Some("\"96.8 EUR/MWh\""), Some("\"31 gCO2e/kWh\"")),
    zone("BE", "BE", true, Some("\"97.3 EUR/MWh\""), Some("\"180 gCO2e/kWh\"")),
    zone("AT", "AT", true, Some("\"102.1 EUR/MWh\""), Some("\"163 gCO2e/kWh\"")),
    zone("CH", "CH", true, Some("\"107.5 EUR/MWh\""), Some("\"50 gCO2e/kWh\"")),
    zone("PL", "PL", true, Some("\"111.9 EUR/MWh\""), Some("\"565 gCO2e/kWh\"")),
    zone("GR", "GR", true, Some("\"116.9 EUR/MWh\""), Some("\"296 gCO2e/kWh\"")),
    zone("IT-NORTH", "IT", false, Some("\"126.8 EUR/MWh\""), Some("\"275 gCO2e/kWh\"")),
];
