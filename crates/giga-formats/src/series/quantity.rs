//! What values of series are of: unit, limits of sense, and how a gap is filled.

/// What values are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Air temperature in °C.
    DryBulb,
    /// Wet bulb temperature in °C.
    WetBulb,
    /// Dew point in °C.
    DewPoint,
    /// Relative humidity in %.
    RelativeHumidity,
    /// Air pressure at the place in Pa.
    Pressure,
    /// Wind in m/s.
    WindSpeed,
    /// Cover of the sky in %.
    CloudCover,
    /// Sun on a level plane in W/m².
    SolarGlobal,
    /// Direct sun on a plane that faces it, in W/m².
    SolarDirectNormal,
    /// Direct sun on a level plane in W/m².
    SolarDirect,
    /// Scattered sun on a level plane in W/m².
    SolarDiffuse,
    /// Price of electricity in EUR/MWh.
    EnergyPrice,
    /// Direct emissions of electricity in gCO2e/kWh.
    CarbonDirect,
    /// Life-cycle emissions of electricity in gCO2e/kWh.
    CarbonLifeCycle,
    /// Part of the rated power, 0 to 1.
    CapacityFactor,
    /// A profile as multiples of its own mean.
    OfMean,
    /// Power in W.
    Power,
    /// Something of which the file does not say what it is.
    Number,
}

/// What stands in a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A straight line between the values at both ends.
    Linear,
    /// The value before.
    Before,
    /// The values of the same times a day before.
    DayBefore,
    /// The values of the same times a week before.
    WeekBefore,
    /// The first value after, where there is none before.
    After,
}

impl Rule {
    /// The rule in words, as the end of "filled by …".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Linear => "a straight line between its ends",
            Self::Before => "the value before",
            Self::DayBefore => "the same hours of the day before",
            Self::WeekBefore => "the same hours a week before",
            Self::After => "the first value after",
        }
    }
}

impl Quantity {
    /// What people call it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        self.facts().0
    }
    /// Its unit; empty where it has none.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        self.facts().1
    }
    /// The least and the most that make sense.
    pub(super) const fn range(self) -> (f64, f64) {
        self.facts().2
    }

    /// Name, unit, and limits: those of the EPW data dictionary (EnergyPlus, Auxiliary Programs) for weather with a little
    /// room, those of a description for prices and carbon.
    const fn facts(self) -> (&'static str, &'static str, (f64, f64)) {
        match self {
            Self::DryBulb => ("dry bulb", "°C", (-90.0, 70.0)),
            Self::WetBulb => ("wet bulb", "°C", (-90.0, 70.0)),
            Self::DewPoint => ("dew point", "°C", (-110.0, 70.0)),
            Self::RelativeHumidity => ("relative humidity", "%", (0.0, 110.0)),
            Self::Pressure => ("pressure", "Pa", (30_000.0, 120_000.0)),
            Self::WindSpeed => ("wind", "m/s", (0.0, 120.0)),
            Self::CloudCover => ("cloud cover", "%", (0.0, 100.0)),
            Self::SolarGlobal => ("sun, level plane", "W/m²", (-50.0, 2_000.0)),
            Self::SolarDirectNormal => ("sun, direct normal", "W/m²", (-50.0, 2_000.0)),
            Self::SolarDirect => ("sun, direct", "W/m²", (-50.0, 2_000.0)),
            Self::SolarDiffuse => ("sun, diffuse", "W/m²", (-50.0, 2_000.0)),
            Self::EnergyPrice => ("price", "EUR/MWh", (-10_000.0, 100_000.0)),
            Self::CarbonDirect => ("carbon, direct", "gCO2e/kWh", (0.0, 10_000.0)),
            Self::CarbonLifeCycle => ("carbon, life cycle", "gCO2e/kWh", (0.0, 10_000.0)),
            Self::CapacityFactor => ("capacity factor", "", (0.0, 1.0)),
            Self::OfMean => ("profile", "of its mean", (-1e6, 1e6)),
            Self::Power => ("power", "W", (-1e12, 1e12)),
            Self::Number => ("value", "", (-1e15, 1e15)),
        }
    }

    /// How a gap of up to three hours is filled: weather changes steadily, what markets and machines do holds until it
    /// changes.
    pub(super) const fn short(self) -> Rule {
        if self.is_weather() { Rule::Linear } else { Rule::Before }
    }
    /// How a longer one is filled: weather goes by the day, what people do by the week.
    pub(super) const fn long(self) -> Rule {
        if self.is_weather() { Rule::DayBefore } else { Rule::WeekBefore }
    }

    const fn is_weather(self) -> bool {
        use Quantity as Q;
        matches!(
            self,
            Q::DryBulb
                | Q::WetBulb
                | Q::DewPoint
                | Q::RelativeHumidity
                | Q::Pressure
                | Q::WindSpeed
                | Q::CloudCover
                | Q::SolarGlobal
                | Q::SolarDirectNormal
                | Q::SolarDirect
                | Q::SolarDiffuse
        )
    }
}
