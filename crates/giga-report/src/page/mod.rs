//! `report.html`: a run as one page that needs nothing but itself.
//!
//! Drawings, style and script are inside the page; it loads nothing, and its script only shows what stands in it
//! already. Every figure is one of the summary or of a table, shown as it came. The host reads the tables and hands
//! their rows to [`Hours`] and [`Sample`], which hold a bounded part of them.

mod axis;
mod chart;
mod compare;
mod data;
mod energy;
mod frame;
mod gantt;
mod headline;
mod hours;
mod lending;
mod losses;
mod origins;
mod owners;
mod part;
mod power;
mod sample;
mod sites;
mod tag;
#[cfg(test)]
mod tests;
mod waits;

use giga_control::Summary;
use giga_formats::summary::RunFacts;
use giga_model::Federation;

pub use compare::compared;
pub use hours::{Hours, Window};
pub use sample::Sample;

pub(crate) use chart::short;
use frame::Section;

/// What a page is made of.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What was run.
    pub federation: &'a Federation,
    /// What it came to.
    pub summary: &'a Summary,
    /// Of the call.
    pub facts: &'a RunFacts,
    /// The version that ran it.
    pub version: &'a str,
    /// The hours of the run.
    pub hours: &'a Hours,
    /// Jobs of its busiest window, or `None` where nothing ran.
    pub sample: Option<&'a Sample>,
}

/// The page of a run.
#[must_use]
pub fn report(report: &Report<'_>) -> String {
    let sections = [
        Some(headline::section(report)),
        Some(power::section(report)),
        Some(owners::section(report)),
        lending::section(report),
        Some(waits::section(report)),
        report.sample.map(|sample| gantt::section(report, sample)),
        Some(sites::section(report)),
        energy::section(report),
        data::section(report),
        Some(losses::section(report)),
        origins::section(report),
    ];
    let sections: Vec<Section> = sections.into_iter().flatten().collect();
    let title = format!("{}: report", report.federation.name);
    frame::page(&title, headline::head(report), &sections)
}
