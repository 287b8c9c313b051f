//! Which data was read where, by whom, and what left the site of it: what its holder asks about. There is no such section where the
//! description has no data.

use giga_control::DataRead;
use giga_model::{Dataset, DatasetId};
use giga_units::grouped;

use super::Report;
use super::frame::Section;
use super::part::{Column, begin, hours, sorted, table};
use super::tag::said;

/// The section, or `None` where there is no data.
pub(super) fn section(report: &Report<'_>) -> Option<Section> {
    let federation = report.federation;
    if federation.datasets.is_empty() {
        return None;
    }
    let reads = &report.summary.reads;
    let row = |read: &DataRead| {
        let site = &federation.sites[read.site.index()];
        [
            federation.datasets[read.dataset.index()].name.as_str().into(),
            site.name.as_str().into(),
            site.country.code().into(),
            federation.projects[read.project.index()].name.as_str().into(),
            read.leaving.word().into(),
            sorted(grouped(read.attempts), read.attempts as f64),
            sorted(hours(read.held), read.held.as_hours_f64()),
        ]
    };
    let words = ["dataset", "site", "country", "project", "leaves"].map(Column::Words);
    let columns = [&words[..], &["attempts", "held [accelerator-h]"].map(Column::Figures)].concat();
    let unread = (0..federation.datasets.len()).map(DatasetId::at);
    let unread = unread.filter(|id| reads.iter().all(|read| read.dataset != *id));
    let names: Vec<String> = unread.map(|id| name(&federation.datasets[id.index()])).collect();
    let unread = (!names.is_empty()).then(|| said("p", format!("Never read: {}.", names.join(", "))));
    let about = "Every place where jobs that name a dataset were started: these attempts could read it there. What leaves is what \
                 the jobs said, as far as the policy of the data allows. That no attempt started where a policy forbids it is \
                 checked at each start by a second book, whose findings are the violations above.";
    let tag = begin("data", "Data", about)
        .put((!reads.is_empty()).then(|| table("reads of data", &columns, reads.iter().map(row))))
        .put(unread);
    Some(Section::new("data", "Data", tag))
}

fn name(dataset: &Dataset) -> String {
    dataset.name.clone()
}
