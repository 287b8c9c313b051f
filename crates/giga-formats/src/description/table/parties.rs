//! Keys of owners, programmes and projects.

use crate::description::field::{
    DURATION, FRACTION, Kind, MONEY, Section, optional, preset, required, ruled,
};

/// `[[owner]]`.
pub(crate) static OWNER: Section = Section {
    name: "[[owner]]",
    doc: "who paid and so has shares of sites",
    fields: &[required("name", Kind::Name, "\"union\"", "what people call it")],
};

/// `[[programme]]`.
pub(crate) static PROGRAMME: Section = Section {
    name: "[[programme]]",
    doc: "a door for users with its rules",
    fields: &[
        required("name", Kind::Name, "\"fast-lane\"", "what people call it"),
        preset(
            "priority",
            Kind::Count { min: 0, max: 1_000_000 },
            "0",
            "assumption: no programme goes before another unless it is said",
            "the higher goes first among the work of one owner",
        ),
        optional(
            "gang_max",
            Kind::Count { min: 1, max: 4_000_000_000 },
            "largest gang it lets in, in accelerators; without it any",
        ),
        optional(
            "limit_max",
            Kind::Amount { of: &DURATION, min: "1 ms", max: "100 y" },
            "longest time limit it lets in; without it any",
        ),
        preset(
            "preempt",
            Kind::Word(&["saved", "never", "always"]),
            "\"saved\"",
            "assumption: what has saved its progress loses little",
            "which of its work may be told to leave when an owner claims its floor: what saves its progress, none, all",
        ),
        preset(
            "protected",
            Kind::Flag,
            "false",
            "assumption: work is cut alike unless it is said",
            "whether its work is cut last when power is short",
        ),
        optional(
            "use_max",
            Kind::Amount { of: &FRACTION, min: "0 %", max: "100 %" },
            "most of a site's available accelerators that its work may hold at a time; without it all",
        ),
        optional(
            "price",
            Kind::Amount { of: &MONEY, min: "0 EUR", max: "1 m EUR" },
            "what an accelerator-hour is sold for; without it nothing is charged",
        ),
    ],
};

/// `[[project]]`.
pub(crate) static PROJECT: Section = Section {
    name: "[[project]]",
    doc: "an allocation under a programme, charged to an owner",
    fields: &[
        required("name", Kind::Name, "\"weather-model\"", "what people call it"),
        ruled("programme", Kind::Text, "the only programme there is", "the door it came in by"),
        ruled("owner", Kind::Text, "the only owner there is", "whose share it uses"),
        preset(
            "weight",
            Kind::Factor { min: 1, max: 1_000_000_000_000 },
            "1",
            "assumption: projects count alike unless it is said",
            "its weight against other projects of the same owner and programme",
        ),
        optional("sites", Kind::Names { max: 4_000 }, "where it may run; without it everywhere"),
        optional("until", Kind::Date, "from when on it sends no more work; without it it goes on"),
        preset(
            "count",
            Kind::Count { min: 1, max: super::PROJECTS_MAX },
            "1",
            "one project for one table",
            "how many alike; above 1 their names get -01, -02, …",
        ),
    ],
};
