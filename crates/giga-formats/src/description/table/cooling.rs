//! Keys of what cools a site.

use crate::description::field::{
    DIFFERENCE, FRACTION, Field, Kind, POWER, Preset, Section, TEMPERATURE, optional, preset, required, ruled,
};

const OF_THE_KIND: &str = "that of the kind";
const CARNOT: Kind = Kind::Amount { of: &FRACTION, min: "5 %", max: "90 %" };

/// `[site.cooling]`.
pub(crate) static COOLING: Section = Section {
    name: "[site.cooling]",
    doc: "the plant that cools the site, from which its overhead follows hour by hour in the place of `facility_factor`",
    fields: &[
        required(
            "kind",
            Kind::Word(&["warm-water", "warm-water-wet", "tower", "chilled-air"]),
            "\"warm-water\"",
            "dry coolers behind warm water at the chip, the same with wet pads, open towers, or room air with chillers",
        ),
        ruled(
            "liquid_share",
            Kind::Amount { of: &FRACTION, min: "0 %", max: "100 %" },
            OF_THE_KIND,
            "share of the equipment's heat that liquid takes; the air of the rooms has the rest",
        ),
        ruled(
            "supply",
            Kind::Amount { of: &TEMPERATURE, min: "10 °C", max: "60 °C" },
            OF_THE_KIND,
            "how warm the liquid goes to the nodes",
        ),
        ruled(
            "rise",
            Kind::Amount { of: &DIFFERENCE, min: "2 K", max: "40 K" },
            OF_THE_KIND,
            "how much warmer it comes back",
        ),
        ruled(
            "approach",
            Kind::Amount { of: &DIFFERENCE, min: "1 K", max: "30 K" },
            OF_THE_KIND,
            "how near water comes to the dry bulb in dry coolers, or to the wet bulb in a tower, at full load",
        ),
        ruled(
            "chillers",
            Kind::Word(&["rooms", "all", "none"]),
            OF_THE_KIND,
            "which loops chillers help where the air outside does not suffice: those of the rooms, that of the liquid too, or none",
        ),
        ruled("carnot", CARNOT, OF_THE_KIND, "what chillers come to of Carnot's coefficient of performance"),
        ruled(
            "cycles",
            Kind::Factor { min: 1_050_000, max: 100_000_000 },
            OF_THE_KIND,
            "how often salts are concentrated before water of towers and pads is let off",
        ),
        ruled(
            "spare",
            Kind::Amount { of: &FRACTION, min: "0 %", max: "100 %" },
            OF_THE_KIND,
            "for how much more than the most the plant is built",
        ),
        optional(
            "reuse",
            Kind::Table(&REUSE),
            "a district network that takes heat of the liquid; without it none",
        ),
    ],
};

static REUSE: Section = Section {
    name: "[site.cooling.reuse]",
    doc: "a district network that takes heat of the liquid: most on the coldest days, some for hot water always",
    fields: &[
        optional(
            "power",
            Kind::Amount { of: &POWER, min: "1 W", max: "100 GW" },
            "heat that it takes at most; this or `share`",
        ),
        optional(
            "share",
            Kind::Amount { of: &FRACTION, min: "0.1 %", max: "100 %" },
            "the same as a share of what the liquid takes at full load",
        ),
        network(
            "temperature",
            &TEMPERATURE,
            ("20 °C", "130 °C"),
            "\"70 °C\"",
            "how warm its water has to become",
        ),
        network(
            "approach",
            &DIFFERENCE,
            ("0 K", "30 K"),
            "\"5 K\"",
            "how much warmer than that a loop has to be",
        ),
        network(
            "base",
            &FRACTION,
            ("0 %", "100 %"),
            "\"15 %\"",
            "what it takes in summer as well, of the most",
        ),
        network("heating_limit", &TEMPERATURE, ("5 °C", "30 °C"), "\"15 °C\"", "above this nobody heats"),
        network(
            "coldest",
            &TEMPERATURE,
            ("-60 °C", "4 °C"),
            "\"-15 °C\"",
            "the dry bulb at which it takes the most",
        ),
        preset(
            "heat_pump",
            Kind::Flag,
            "true",
            "assumption: loops are colder than networks",
            "whether a heat pump makes the heat warmer where the loop is too cold",
        ),
        ruled(
            "carnot",
            CARNOT,
            "50 %, large heat pumps reach 40 to 60 % (Arpagaus and others 2018, Energy 152)",
            "what that pump comes to of Carnot's coefficient of performance",
        ),
    ],
};

const fn network(
    key: &'static str,
    of: &'static super::super::field::AmountKind,
    (min, max): (&'static str, &'static str),
    value: &'static str,
    doc: &'static str,
) -> Field {
    let source = "assumption";
    Field { key, kind: Kind::Amount { of, min, max }, preset: Preset::Is(value), source, doc }
}
