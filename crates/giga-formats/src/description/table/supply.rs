//! Keys of where a site's energy comes from beside the exchange.

use super::over_time::{FIRST, hourly};
use crate::description::field::{
    CARBON_INTENSITY, ENERGY, ENERGY_PRICE, FRACTION, Field, Kind, POWER, Section, optional, preset,
    required, ruled,
};

const MOST: Kind = Kind::Amount { of: &POWER, min: "0 W", max: "100 GW" };
const PRICE: Kind = Kind::Amount { of: &ENERGY_PRICE, min: "-10000 EUR/MWh", max: "10000 EUR/MWh" };
const COST: Kind = Kind::Amount { of: &ENERGY_PRICE, min: "0 EUR/MWh", max: "100000 EUR/MWh" };
const CARBON: Kind = Kind::Amount { of: &CARBON_INTENSITY, min: "0 gCO2e/kWh", max: "10000 gCO2e/kWh" };
const PART: Kind = Kind::Amount { of: &FRACTION, min: "0 %", max: "100 %" };
const EFFICIENCY: Kind = Kind::Amount { of: &FRACTION, min: "10 %", max: "100 %" };
/// Most contracts or sources of a site.
const MANY: usize = 100;

/// `[site.supply]`.
pub(crate) static SUPPLY: Section = Section {
    name: "[site.supply]",
    doc: "where its energy comes from: what a run makes of it is worked out after the run, by a rule, by a rolling optimum and by the \
          optimum of all hours",
    fields: &[
        ruled(
            "firm",
            MOST,
            "what is not `interruptible` of all phases",
            "what the connection gives for certain",
        ),
        preset(
            "interruptible",
            MOST,
            "\"0 W\"",
            "all is firm unless it is said",
            "what it gives unless the grid calls it off",
        ),
        preset("export", MOST, "\"0 W\"", "nothing is fed in unless it is said", "what may be fed in"),
        preset(
            "surcharge",
            COST,
            "\"0 EUR/MWh\"",
            "as the price of the site is written, without fees",
            "on what is taken, above the price of the exchange: grid fees, taxes; work is placed and charged with it",
        ),
        preset(
            "deduction",
            COST,
            "\"0 EUR/MWh\"",
            "the price of the exchange",
            "off the price of the exchange on what is fed in",
        ),
        ruled(
            "residual_carbon",
            CARBON,
            "that of the grid",
            "carbon of energy that nobody claims by contract (residual mix)",
        ),
        preset(
            "lost_load",
            COST,
            "\"3000 EUR/MWh\"",
            "assumption: the former harmonised maximum of day-ahead prices in Europe",
            "what energy is worth that can not be had",
        ),
        preset(
            "reserve",
            PART,
            "\"0 %\"",
            "assumption: batteries are there to trade",
            "part of each battery that the rule keeps for times in which the grid gives less, and that adds to what the site may draw then",
        ),
        optional("contract", Kind::Tables(&CONTRACT, MANY), "base load at fixed prices"),
        optional("source", Kind::Tables(&SOURCE, MANY), "wind, sun and water"),
        optional("battery", Kind::Table(&BATTERY), "a battery; several are described as one"),
        optional("backup", Kind::Table(&BACKUP), "engines"),
    ],
};

static CONTRACT: Section = Section {
    name: "[[site.supply.contract]]",
    doc: "base load at a fixed price, settled in money against the price of the exchange",
    fields: &[
        required("power", MOST, "\"50 MW\"", "the same in every hour"),
        required("price", PRICE, "\"62 EUR/MWh\"", "what a MWh of it costs"),
        optional(
            "origin_carbon",
            CARBON,
            "carbon of its energy where it comes with guarantees of origin; else it counts as the residual mix",
        ),
        optional(
            "origin_renewable",
            Kind::Flag,
            "whether those guarantees say wind, sun, water or the like, which counts in the renewable energy factor; without `origin_carbon` \
             there is then no carbon in it",
        ),
    ],
};

static SOURCE: Section = Section {
    name: "[[site.supply.source]]",
    doc: "wind, sun or water",
    fields: &[
        required("kind", Kind::Word(&["wind", "sun", "hydro"]), "\"wind\"", "what it lives on"),
        required("power", MOST, "\"80 MW\"", "what it makes at most"),
        preset(
            "terms",
            Kind::Word(&["own", "contracted", "settled"]),
            "\"contracted\"",
            "most sites buy by contract",
            "behind the meter and its own; behind the meter, all that it could make is paid; or elsewhere and settled in money",
        ),
        required("price", PRICE, "\"45 EUR/MWh\"", "what a MWh of it costs to make or buy"),
        preset("carbon", CARBON, "\"0 gCO2e/kWh\"", "nothing is burnt", "direct carbon of what it makes"),
        optional(
            "mean",
            PART,
            "its mean capacity factor: needed without `factors`, and with a profile that only says its shape",
        ),
        optional("factors", Kind::Table(&FACTORS), "its capacity factor hour by hour; without it the mean"),
    ],
};

static FACTORS: Section = Section {
    name: "`factors` of a source",
    doc: "capacity factors hour by hour; what lies beyond the end begins again",
    fields: &[
        optional(
            "file",
            Kind::Text,
            "a column of hours: factors from 0 to 1, or a profile as the Energy Transition Model writes it",
        ),
        FIRST,
        hourly("values", (0, 100_000), "percent for each hour; where they stand, `file` is not read"),
    ],
};

static BATTERY: Section = Section {
    name: "[site.supply.battery]",
    doc: "a battery behind the meter, half full at the beginning and at least so at the end",
    fields: &[
        required(
            "capacity",
            Kind::Amount { of: &ENERGY, min: "1 kWh", max: "1000 GWh" },
            "\"400 MWh\"",
            "what it holds",
        ),
        required("power", MOST, "\"100 MW\"", "what it takes and gives at most"),
        preset(
            "efficiency",
            EFFICIENCY,
            "\"91.93 %\"",
            "Viswanathan and others 2022, Pacific Northwest National Laboratory, p. 24; in PyPSA's technology-data",
            "each way",
        ),
        preset(
            "self_discharge",
            PART,
            "\"1.5 %\"",
            "assumption for lithium cells",
            "of what it holds, in a month of 730 hours",
        ),
        preset(
            "wear",
            COST,
            "\"20.81 EUR/MWh\"",
            "189.86 EUR/kWh and 25 years (Danish Energy Agency, in PyPSA's technology-data) over a cycle a day, an assumption",
            "what giving a MWh wears off",
        ),
    ],
};

static BACKUP: Section = Section {
    name: "[site.supply.backup]",
    doc: "engines, which run where nothing else suffices or all else is dearer",
    fields: &[
        required("power", MOST, "\"20 MW\"", "what they give at most"),
        preset(
            "price",
            COST,
            "\"132.67 EUR/MWh\"",
            "diesel at 43.63 EUR/MWh (World Bank 2025, TYNDP 2024) and 35 %, and 8.01 EUR/MWh (Danish Energy Agency); in PyPSA's technology-data",
            "fuel and running, for each MWh of electricity",
        ),
        preset(
            "carbon",
            CARBON,
            "\"734.57 gCO2e/kWh\"",
            "0.2571 t of CO2 for each MWh of diesel at 35 %",
            "direct carbon of the electricity",
        ),
        preset(
            "bridges",
            Kind::Flag,
            "false",
            "engines are for failures unless it is said; permits often bound their hours",
            "whether they add to what the site may draw while the grid gives less",
        ),
    ],
};

/// `supply` of a site.
pub(crate) const FIELD: Field = optional(
    "supply",
    Kind::Table(&SUPPLY),
    "where its energy comes from; without it all is bought at the exchange",
);
