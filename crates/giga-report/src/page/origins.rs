//! Where figures come from that the description did not write: built-in climates and prices, further files and how their gaps were
//! filled, what was left out.

use super::Report;
use super::frame::Section;
use super::part::begin;
use super::tag::{said, tag};

/// The section, or `None` where everything was written.
pub(super) fn section(report: &Report<'_>) -> Option<Section> {
    let notes = &report.facts.notes;
    let about = "What was made of the description where it left something open or named further files: weather, prices and carbon by \
                 their source, hours that were filled. All other defaults, each with its source, are in the expanded form \
                 (giga check --expand).";
    let items = notes.iter().map(|note| said("li", note));
    let section = begin("origins", "Where figures come from", about).put(tag("ul").all(items));
    (!notes.is_empty()).then(|| Section::new("origins", "Where figures come from", section))
}
