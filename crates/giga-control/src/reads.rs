//! Which data was read where and by whom: what its holder asks about.

use std::collections::BTreeMap;

use giga_model::{DatasetId, Federation, Leaving, ProjectId, SiteId, image};
use giga_scheduler::Job;
use giga_units::AcceleratorTime;

/// Reads of a dataset at a site by a project, with what left the site of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataRead {
    /// Which data.
    pub dataset: DatasetId,
    /// Where.
    pub site: SiteId,
    /// By whose jobs.
    pub project: ProjectId,
    /// What they said would leave the site.
    pub leaving: Leaving,
    /// How many attempts were started there that could read it.
    pub attempts: u64,
    /// What these held.
    pub held: AcceleratorTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    dataset: DatasetId,
    site: SiteId,
    project: ProjectId,
    leaving: Leaving,
}
image! { struct Key { dataset, site, project, leaving } }

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sum {
    attempts: u64,
    held: AcceleratorTime,
}
image! { struct Sum { attempts, held } }

/// All reads of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reads {
    sums: BTreeMap<Key, Sum>,
}
image! { struct Reads { sums } }

impl Reads {
    /// An attempt starts.
    pub(crate) fn begin(&mut self, job: &Job) {
        self.each(job, |sum| sum.attempts += 1);
    }

    /// An attempt has held so much.
    pub(crate) fn end(&mut self, job: &Job, held: AcceleratorTime) {
        self.each(job, |sum| sum.held += held);
    }

    fn each(&mut self, job: &Job, change: impl Fn(&mut Sum)) {
        let Some(terms) = &job.terms else { return };
        for &dataset in &terms.data {
            let key = Key { dataset, site: job.site, project: job.project, leaving: terms.leaving };
            change(self.sums.entry(key).or_default());
        }
    }

    /// Whether all that they name is in a federation.
    pub(crate) fn fits(&self, federation: &Federation) -> bool {
        self.sums.keys().all(|key| {
            key.dataset.index() < federation.datasets.len()
                && key.site.index() < federation.sites.len()
                && key.project.index() < federation.projects.len()
        })
    }

    /// By dataset, site and project.
    pub(crate) fn rows(&self) -> Vec<DataRead> {
        let row = |(key, sum): (&Key, &Sum)| {
            let Key { dataset, site, project, leaving } = *key;
            DataRead { dataset, site, project, leaving, attempts: sum.attempts, held: sum.held }
        };
        self.sums.iter().map(row).collect()
    }
}
