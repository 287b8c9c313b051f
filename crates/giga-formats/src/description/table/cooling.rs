//! Keys of what cools a site.

use crate::description::field::{Kind, Section, required};

/// `[site.cooling]`.
pub(crate) static COOLING: Section = Section {
    name: "[site.cooling]",
    doc: "the plant that cools the site, from which its overhead follows hour by hour in the place of `facility_factor`",
    fields: &[required(
        "kind",
        Kind::Word(&["warm-water", "warm-water-wet", "tower", "chilled-air"]),
        "\"warm-water\"",
        "dry coolers behind warm water at the chip, the same with wet pads, open towers, or room air with chillers",
    )],
};
