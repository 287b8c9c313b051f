//! What reading a trace came to.

use std::collections::BTreeMap;

use super::fault::Faults;
use super::format::WorkFormat;
use super::owner::{Mapping, Match};
use super::row::Skip;

/// What was assumed of a row, in words.
pub(super) const SHORT_RUN: &str = "ran for under a second and are taken as one second";
pub(super) const LIMIT_RAISED: &str = "ran longer than was requested; their limit is their run time";
pub(super) const LIMIT_ASSUMED: &str = "say nothing of a requested time; their limit is twice their run time";
pub(super) const DRAW_ASSUMED: &str = "say nothing of their power; they draw all they can";

/// Owner names that are shown one by one.
const NAMES_SHOWN: usize = 12;

/// What was read, left out and assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The format of the file.
    pub format: WorkFormat,
    /// Rows of data, faulty ones included.
    pub rows: u64,
    /// Arrivals handed out.
    pub jobs: u64,
    /// Rows that could not be read.
    pub faults: Faults,
    /// Sound rows that are no jobs, by reason.
    pub skipped: BTreeMap<Skip, u64>,
    /// What became of the names in the file, in the order in which they first stand there.
    pub mapped: Vec<Mapping>,
    /// Rows without a name; they were dealt to the projects in turn.
    pub nameless: u64,
    /// Rows that stood too low and were put right.
    pub moved: u64,
    /// How many jobs something was assumed of.
    pub notes: BTreeMap<&'static str, u64>,
}

impl Report {
    /// The report for people, given the federation's projects.
    #[must_use]
    pub fn lines(&self, projects: &[String]) -> Vec<String> {
        let mut lines = vec![format!("{} rows of {}, {} jobs", self.rows, self.format.word(), self.jobs)];
        lines.extend(
            self.skipped.iter().map(|(skip, count)| format!("{count} rows left out: {}", skip.word())),
        );
        if self.faults.count > 0 {
            let causes = self.faults.by_cause.iter().map(|(cause, count)| format!("{cause} {count}"));
            let causes = causes.collect::<Vec<_>>().join(", ");
            lines.push(format!("{} faulty rows left out: {causes}", self.faults.count));
            lines.extend(self.faults.first.iter().map(|fault| format!("  {fault}")));
        }
        lines.extend(self.notes.iter().map(|(what, count)| format!("{count} jobs {what}")));
        if self.moved > 0 {
            lines.push(format!("{} rows stood out of order and were put right", self.moved));
        }
        if self.nameless > 0 {
            lines
                .push(format!("{} rows name no owner and were dealt to the projects in turn", self.nameless));
        }
        lines.extend(self.mapped.iter().take(NAMES_SHOWN).map(|mapping| mapped(mapping, projects)));
        if self.mapped.len() > NAMES_SHOWN {
            lines.push(format!("and {} more names", self.mapped.len() - NAMES_SHOWN));
        }
        lines
    }
}

fn mapped(mapping: &Mapping, projects: &[String]) -> String {
    let project = projects.get(mapping.project.index()).map_or("?", String::as_str);
    let how = match mapping.how {
        Match::Exact => "by name",
        Match::InTurn => "in turn",
    };
    format!("`{}` in the trace is project `{project}` {how}: {} rows", mapping.name, mapping.rows)
}
