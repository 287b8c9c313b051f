//! Keys of generated work.

use super::data::LEAVING;
use crate::description::field::{
    DURATION, FRACTION, Field, Kind, Preset, Section, optional, preset, required, ruled,
};

/// `[workload]`.
pub(crate) static WORKLOAD: Section = Section {
    name: "[workload]",
    doc: "work to generate",
    fields: &[
        preset(
            "seed",
            Kind::Count { min: 0, max: i64::MAX as u64 },
            "1",
            "any number will do",
            "seed of all chance",
        ),
        preset(
            "load",
            Kind::Amount { of: &FRACTION, min: "0 %", max: "1000 %" },
            "\"90 %\"",
            "assumption: a site in good demand",
            "offered accelerator time over what the open phases have",
        ),
        preset(
            "limits",
            Kind::Amounts { of: &DURATION, min: "1 ms", max: "100 y" },
            LIMITS,
            "Tsafrir, Etsion, Feitelson 2005: users pick few round values; these ones are an assumption",
            "time limits that users ask for, ascending; a job takes the first that holds its guess, or the last",
        ),
        ruled(
            "class",
            Kind::Tables(&CLASS, 1_000),
            "no class is written: the built-in mix, sent by the first programme",
            "the kinds of work; their shares add up to 100 %",
        ),
    ],
};

const LIMITS: &str = r#"["10 min", "30 min", "1 h", "2 h", "4 h", "8 h", "12 h", "1 d", "2 d", "3 d", "7 d", "14 d", "30 d", "60 d"]"#;
const SPAN: Kind = Kind::Amount { of: &DURATION, min: "1 ms", max: "10 y" };
const FROM_LIKE: &str = "what the class named by `like` has";

/// `[[workload.class]]`.
static CLASS: Section = Section {
    name: "[[workload.class]]",
    doc: "a kind of work",
    fields: &[
        ruled("name", Kind::Name, "the name in `like`", "what people call it"),
        optional("like", Kind::Text, "built-in class that gives every key not written here"),
        ruled("programme", Kind::Text, "the first programme", "whose projects send it"),
        Field {
            key: "share",
            kind: Kind::Amount { of: &FRACTION, min: "0 %", max: "100 %" },
            preset: Preset::Absent,
            source: FROM_LIKE,
            doc: "random arrivals: its part of all offered accelerator time",
        },
        optional("every", SPAN, "regular arrivals: from one job to the next, for every project"),
        optional(
            "count",
            Kind::Count { min: 1, max: 1_000_000_000 },
            "regular arrivals: jobs from every project",
        ),
        optional(
            "peak_hour",
            Kind::Count { min: 0, max: 23 },
            "hours after midnight UTC when most jobs come",
        ),
        optional(
            "swing",
            Kind::Amount { of: &FRACTION, min: "0 %", max: "100 %" },
            "how far the rate swings over the day from its mean; needs peak_hour",
        ),
        ruled(
            "sizes",
            Kind::Inline(&SIZE, 100),
            FROM_LIKE,
            "gang sizes and how often each comes, by number of jobs",
        ),
        optional("length", SPAN, "how long every job takes"),
        optional("median", SPAN, "log-normal length: half take less"),
        optional(
            "sigma",
            Kind::Factor { min: 0, max: 10_000_000 },
            "log-normal length: standard deviation of the logarithm; needs median",
        ),
        ruled("length_min", SPAN, "`length`, or 1 min", "shortest that a job may take"),
        ruled("length_max", SPAN, "`length`, or 60 d", "longest that a job may take"),
        ruled(
            "guess_max",
            Kind::Factor { min: 1_000_000, max: 1_000_000_000 },
            "2.5, or what `like` has",
            "users guess between 1 and this many times the true length, uniformly",
        ),
        ruled(
            "checkpoint",
            Kind::AmountOr { of: &DURATION, min: "1 ms", max: "10 y", words: &["none", "young"] },
            "\"none\", or what `like` has",
            "how often progress is saved: \"none\", a duration, or \"young\" for sqrt(2 MTBF cost)",
        ),
        optional(
            "checkpoint_cost",
            Kind::Amount { of: &DURATION, min: "1 ms", max: "1 d" },
            "how long one checkpoint takes to write; for \"young\"",
        ),
        ruled(
            "draw",
            Kind::Amount { of: &FRACTION, min: "0 %", max: "100 %" },
            "70 %, or what `like` has",
            "what the jobs draw of what their accelerators could draw above idle",
        ),
        optional(
            "accelerators",
            Kind::Names { max: 1_000 },
            "kinds that will do, the preferred first; without it any",
        ),
        optional(
            "elastic",
            Kind::Amount { of: &FRACTION, min: "0.01 %", max: "100 %" },
            "down to which part of its size a gang may shrink, its work taking longer in proportion; for at most one kind of \
             `accelerators`",
        ),
        optional("data", Kind::Names { max: 100 }, "datasets that each of its jobs reads"),
        preset(
            "leaving",
            LEAVING,
            "\"nothing\"",
            "assumption: results stay where the data is",
            "what of that data, or of what is made of it, leaves the site",
        ),
        optional(
            "assurance",
            Kind::Count { min: 1, max: 4 },
            "least assurance level of a site that runs it; without it any",
        ),
        optional(
            "slack",
            Kind::Factor { min: 1_000_000, max: 1_000_000_000 },
            "it has to be done this many times its limit after it came; without it as soon as can be",
        ),
    ],
};

static SIZE: Section = Section {
    name: "sizes",
    doc: "a gang size and how often it comes",
    fields: &[
        required(
            "accelerators",
            Kind::Count { min: 1, max: 4_000_000_000 },
            "8",
            "how many at the same time",
        ),
        preset(
            "weight",
            Kind::Factor { min: 1, max: 1_000_000_000_000 },
            "1",
            "sizes come alike unless it is said",
            "how often, against the other sizes",
        ),
    ],
};
