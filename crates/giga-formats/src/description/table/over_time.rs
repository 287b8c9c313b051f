//! Keys of what changes over time: prices and carbon by the hour, limits of the grid, shocks.

use crate::description::field::{
    DIFFERENCE, DURATION, ENERGY_PRICE, FRACTION, Field, Kind, POWER, Section, optional, preset, required,
    ruled,
};

/// Most values of a series: eleven years of hours.
pub(crate) const HOURS_MAX: usize = 100_000;

const FILE: Field = optional(
    "file",
    Kind::Text,
    "CSV with a header, a time and hourly values, or what ENTSO-E or Electricity Maps publish; from the folder of this file",
);
const COLUMN: Field = ruled("column", Kind::Text, "the only column of numbers", "the column of the values");
const PEAK: Field = optional(
    "peak_hour",
    Kind::Count { min: 0, max: 23 },
    "hours after midnight UTC when it is highest: a cosine over the day around the site's mean",
);
const SWING: Field = optional(
    "swing",
    Kind::Amount { of: &FRACTION, min: "0 %", max: "100 %" },
    "how far it swings from that mean; needs peak_hour",
);
pub(super) const FIRST: Field = ruled(
    "first",
    Kind::Date,
    "the first hour of `file`, moved to the year in which the federation starts; or that start",
    "when the first of the values begins to hold",
);
const FROM_FILE: &str = "the column of `file`, one value for each hour";

/// `[site.price_series]`.
pub(crate) static PRICE_SERIES: Section = Section {
    name: "[site.price_series]",
    doc: "what electricity costs hour by hour; what lies beyond its end begins again",
    fields: &[
        FILE,
        COLUMN,
        preset(
            "unit",
            Kind::Word(&["EUR/MWh", "ct/kWh", "EUR/kWh"]),
            "\"EUR/MWh\"",
            "that of the European power exchanges",
            "unit of the column",
        ),
        ruled(
            "shape",
            Kind::Text,
            "where `electricity_price` is not written, the zone of the site, as far as it has one",
            "the built-in shape of a zone's day-ahead prices of 2023, such as `DE-LU`, around the site's mean",
        ),
        PEAK,
        SWING,
        FIRST,
        ruled(
            "values",
            Kind::Numbers { min: -10_000_000, max: 100_000_000, most: HOURS_MAX },
            FROM_FILE,
            "a value for each hour in EUR/MWh; where they stand, `file` is not read",
        ),
    ],
};

/// `[site.carbon_series]`.
pub(crate) static CARBON_SERIES: Section = Section {
    name: "[site.carbon_series]",
    doc: "what electricity emits hour by hour; what lies beyond its end begins again",
    fields: &[
        FILE,
        COLUMN,
        preset(
            "unit",
            Kind::Word(&["gCO2e/kWh", "g/kWh", "kgCO2e/MWh"]),
            "\"gCO2e/kWh\"",
            "that of Electricity Maps",
            "unit of the column",
        ),
        PEAK,
        SWING,
        FIRST,
        ruled(
            "values",
            Kind::Numbers { min: 0, max: 10_000_000, most: HOURS_MAX },
            FROM_FILE,
            "a value for each hour in gCO2e/kWh; where they stand, `file` is not read",
        ),
    ],
};

/// Most hours of weather: a leap year.
const WEATHER_MAX: usize = 8_784;

pub(super) const fn hourly(key: &'static str, (min, max): (i64, i64), doc: &'static str) -> Field {
    ruled(
        key,
        Kind::Numbers { min, max, most: WEATHER_MAX },
        "the column of `file`, or what `climate` gives, one value for each hour",
        doc,
    )
}

/// `[site.weather]`.
pub(crate) static WEATHER: Section = Section {
    name: "[site.weather]",
    doc: "the air at the site hour by hour; what lies beyond its end begins again. What a site draws beside its nodes follows from it where `cooling` is written",
    fields: &[
        optional(
            "file",
            Kind::Text,
            "a year as EPW, test reference year of the DWD or Open-Meteo JSON; from the folder of this file",
        ),
        optional(
            "climate",
            Kind::Text,
            "a built-in climate, such as `lyon`: a year made of monthly figures, which can not tell extremes; this or `file`",
        ),
        FIRST,
        hourly(
            "dry_bulb",
            (-60_000, 60_000),
            "air temperature in °C; where hours stand, neither `file` nor `climate` is read",
        ),
        hourly("humidity", (0, 100_000), "relative humidity in %"),
        hourly("pressure", (60_000, 110_000), "air pressure at the site in kPa"),
    ],
};

const SPAN: Kind = Kind::Amount { of: &DURATION, min: "1 s", max: "100 y" };
const PART: Kind = Kind::Amount { of: &FRACTION, min: "0 %", max: "100 %" };
const FROM: Field = required("from", Kind::Date, "2027-07-12", "when it begins");
const FOR: Field = required("for", SPAN, "\"7 d\"", "how long it lasts");
const LIMIT_POWER: Field = optional(
    "power",
    Kind::Amount { of: &POWER, min: "0 W", max: "100 GW" },
    "what each site may draw at the meter then; this or `part`",
);
const LIMIT_PART: Field = optional("part", PART, "the same as a part of the connection that is open then");
const EVERY: Field = optional(
    "every",
    Kind::Amount { of: &DURATION, min: "1 min", max: "10 y" },
    "from one such time to the next, not shorter than `for`; without it there is one",
);
const UNTIL: Field =
    ruled("until", Kind::Date, "a year after `from`", "when the last of them has begun, with `every`");
const COUNTRY: Field = optional("country", Kind::Text, "all sites there, by its ISO 3166-1 code");
const COUNTRIES: Field = optional("countries", Kind::Names { max: 300 }, "all sites in these countries");
const SITES: Field = optional("sites", Kind::Names { max: 4_000 }, "these sites");

/// `[[site.limit]]`.
pub(crate) static SITE_LIMIT: Section = Section {
    name: "[[site.limit]]",
    doc: "a time in which the grid gives less; where several meet, the lowest holds",
    fields: &[FROM, FOR, EVERY, UNTIL, LIMIT_POWER, LIMIT_PART],
};

/// `[[limit]]`.
pub(crate) static LIMIT: Section = Section {
    name: "[[limit]]",
    doc: "a time in which the grid gives less to each of several sites; where several meet, the lowest holds",
    fields: &[COUNTRY, COUNTRIES, SITES, FROM, FOR, EVERY, UNTIL, LIMIT_POWER, LIMIT_PART],
};

/// `[[shock]]`.
pub(crate) static SHOCK: Section = Section {
    name: "[[shock]]",
    doc: "what may happen to the federation; nothing does unless it is named in `shocked` or in the call",
    fields: &[
        required("name", Kind::Name, "\"heat-wave\"", "what people call it"),
        optional("limit", Kind::Table(&SHOCK_LIMIT), "the grid gives less for a while"),
        optional("delay", Kind::Table(&SHOCK_DELAY), "phases of a site open later"),
        optional("leave", Kind::Table(&SHOCK_LEAVE), "the projects of an owner send nothing more"),
        optional(
            "heat",
            Kind::Table(&SHOCK_HEAT),
            "it is hot, and there is less power for computing for a while",
        ),
        optional("plant", Kind::Table(&SHOCK_PLANT), "a part of what cools does not work for a while"),
        optional("price", Kind::Table(&SHOCK_PRICE), "electricity costs or emits more or less for a while"),
        optional("sources", Kind::Table(&SHOCK_SOURCES), "wind, sun or water make more or less for a while"),
    ],
};

static SHOCK_LIMIT: Section = Section {
    name: "`limit` of a shock",
    doc: "a time in which the grid gives less",
    fields: &[COUNTRY, COUNTRIES, SITES, FROM, FOR, EVERY, UNTIL, LIMIT_POWER, LIMIT_PART],
};

static SHOCK_HEAT: Section = Section {
    name: "`heat` of a shock",
    doc: "a time in which it is hot: by so many kelvin at sites with cooling, or with so much less at sites without",
    fields: &[
        COUNTRY,
        COUNTRIES,
        SITES,
        FROM,
        FOR,
        optional(
            "warmer",
            Kind::Amount { of: &DIFFERENCE, min: "0.1 K", max: "30 K" },
            "by how much the air is warmer than its weather says, with as much water in it; this or `part`",
        ),
        optional(
            "part",
            PART,
            "what is left of the connection that is open then, where a factor stands for the cooling",
        ),
    ],
};

static SHOCK_PLANT: Section = Section {
    name: "`plant` of a shock",
    doc: "a time in which a part of what cools a site does not work; work is kept to what the rest can cool",
    fields: &[
        COUNTRY,
        COUNTRIES,
        SITES,
        FROM,
        FOR,
        preset(
            "chillers",
            PART,
            "\"100 %\"",
            "what is not said to be out works",
            "what is left of the chillers",
        ),
        preset(
            "rejection",
            PART,
            "\"100 %\"",
            "what is not said to be out works",
            "what is left of the dry coolers and towers",
        ),
    ],
};

static SHOCK_PRICE: Section = Section {
    name: "`price` of a shock",
    doc: "a time in which electricity costs or emits more or less: spikes, negative prices, a dry year",
    fields: &[
        COUNTRY,
        COUNTRIES,
        SITES,
        FROM,
        FOR,
        preset(
            "times",
            Kind::Factor { min: 0, max: 1_000_000_000 },
            "1",
            "the price stays",
            "so many times its price",
        ),
        preset(
            "plus",
            Kind::Amount { of: &ENERGY_PRICE, min: "-10000 EUR/MWh", max: "10000 EUR/MWh" },
            "\"0 EUR/MWh\"",
            "the price stays",
            "and so much more, or less where it is below zero",
        ),
        preset(
            "carbon_times",
            Kind::Factor { min: 0, max: 1_000_000_000 },
            "1",
            "its carbon stays",
            "so many times its carbon intensity",
        ),
    ],
};

static SHOCK_SOURCES: Section = Section {
    name: "`sources` of a shock",
    doc: "a time in which wind, sun or water of sites with a supply make more or less: a calm week, a dry year",
    fields: &[
        COUNTRY,
        COUNTRIES,
        SITES,
        FROM,
        FOR,
        optional("kind", Kind::Word(&["wind", "sun", "hydro"]), "which of them; without it all"),
        required(
            "times",
            Kind::Factor { min: 0, max: 10_000_000 },
            "0.7",
            "so many times what they would make, and never above what they can",
        ),
    ],
};

static SHOCK_DELAY: Section = Section {
    name: "`delay` of a shock",
    doc: "phases that open after the start of the federation come later; all phases where none does",
    fields: &[
        required("site", Kind::Text, "\"narvik\"", "where"),
        required("by", SPAN, "\"2 y\"", "by how much"),
    ],
};

static SHOCK_LEAVE: Section = Section {
    name: "`leave` of a shock",
    doc: "an owner goes: its projects send nothing more, and what runs goes on",
    fields: &[
        required("owner", Kind::Text, "\"anchor-tenant\"", "who"),
        required("at", Kind::Date, "2027-06-01", "from when on"),
    ],
};
