//! What Slurm's `sacct -P` prints: a header line and cells between `|`, whatever columns were asked for.
//!
//! Read are jobs that ended and held accelerators; where the table tells nothing of accelerators, processors or nodes
//! stand for them. Local times carry no zone and are taken as UTC. The account owns the job.

use giga_model::AcceleratorId;
use giga_model::{Ask, Asks};
use giga_units::Duration;

use super::WorkError;
use super::cell;
use super::fault::{Cause, Fault, quoted};
use super::row::{At, Desk, Parsed, Row, Skip};
use super::text::Dialect;
use crate::slurm::cell::tracked;

/// States of a job that has not ended.
const NOT_ENDED: [&str; 9] = [
    "PENDING",
    "RUNNING",
    "SUSPENDED",
    "REQUEUED",
    "CONFIGURING",
    "COMPLETING",
    "RESIZING",
    "STAGE_OUT",
    "STOPPED",
];

/// The columns of one table: the place of each that is known.
pub(super) struct Sacct {
    columns: usize,
    job: usize,
    submit: usize,
    account: Option<usize>,
    state: Option<usize>,
    elapsed: Elapsed,
    limit: Option<(usize, Unit)>,
    size: Size,
}

#[derive(Clone, Copy)]
enum Unit {
    Seconds,
    Minutes,
    Clock,
}

enum Elapsed {
    Stated(usize, Unit),
    Between { start: usize, end: usize },
}

enum Size {
    /// Trackable resources, what was allocated before what was asked.
    Resources(Vec<usize>),
    /// A plain count, and what it counts.
    Count(usize, &'static str),
}

impl Sacct {
    /// Reads the header line.
    pub(super) fn new(header: &str) -> Result<Self, WorkError> {
        let names: Vec<&str> = header.trim().trim_end_matches('|').split('|').map(str::trim).collect();
        let place = |name: &str| names.iter().position(|found| found.eq_ignore_ascii_case(name));
        let need = |name: &'static str| place(name).ok_or(WorkError::NoColumn { column: name });
        let raw = place("ElapsedRaw").map(|place| Elapsed::Stated(place, Unit::Seconds));
        let clock = || place("Elapsed").map(|place| Elapsed::Stated(place, Unit::Clock));
        let between = || Some(Elapsed::Between { start: place("Start")?, end: place("End")? });
        let minutes = place("TimelimitRaw").map(|place| (place, Unit::Minutes));
        let resources: Vec<usize> = ["AllocTRES", "ReqTRES"].into_iter().filter_map(place).collect();
        let counts = ["AllocCPUS", "NCPUS", "ReqCPUS", "AllocNodes", "NNodes", "ReqNodes"];
        let count = || counts.into_iter().find_map(|name| place(name).map(|place| Size::Count(place, name)));
        let size = if resources.is_empty() { count() } else { Some(Size::Resources(resources)) };
        Ok(Self {
            columns: names.len(),
            job: need("JobID")?,
            submit: need("Submit")?,
            account: place("Account").or_else(|| place("User")),
            state: place("State"),
            elapsed: raw.or_else(clock).or_else(between).ok_or(WorkError::NoColumn { column: "Elapsed" })?,
            limit: minutes.or_else(|| place("Timelimit").map(|place| (place, Unit::Clock))),
            size: size.ok_or(WorkError::NoColumn { column: "AllocTRES" })?,
        })
    }

    fn runtime(&self, line: u64, cells: &[&str]) -> Result<Option<Duration>, Fault> {
        match self.elapsed {
            Elapsed::Stated(place, _) if unknown(cells[place]) => Ok(None),
            Elapsed::Stated(place, unit) => unit.read(cells[place]).at(line, "Elapsed").map(Some),
            Elapsed::Between { start, end } if unknown(cells[start]) || unknown(cells[end]) => Ok(None),
            Elapsed::Between { start, end } => {
                let (from, to) = (time(cells[start]).at(line, "Start")?, time(cells[end]).at(line, "End")?);
                let length = cell::length(&(to - from).to_string(), Duration::milliseconds(1));
                length.at(line, "End").map(Some)
            }
        }
    }

    fn limit(&self, line: u64, cells: &[&str]) -> Result<Option<Duration>, Fault> {
        let Some((place, unit)) = self.limit else { return Ok(None) };
        let text = cells[place];
        let none = unknown(text)
            || ["UNLIMITED", "Partition_Limit"].iter().any(|word| text.eq_ignore_ascii_case(word));
        if none { Ok(None) } else { unit.read(text).at(line, "Timelimit").map(Some) }
    }

    /// What the job held, or `None` where that was no accelerator.
    fn ask(&self, line: u64, cells: &[&str], desk: &Desk) -> Result<Option<Ask>, Fault> {
        match &self.size {
            Size::Count(place, name) => {
                let accelerators = cell::accelerators(cells[*place]).at(line, name)?;
                Ok(Some(Ask { accelerator: None, accelerators }))
            }
            Size::Resources(places) => {
                let stated = places.iter().map(|&place| cells[place]).find(|text| !text.is_empty());
                gpus(stated.unwrap_or(""), desk).at(line, "AllocTRES")
            }
        }
    }
}

impl Dialect for Sacct {
    fn parse(&mut self, line: u64, text: &str, desk: &mut Desk) -> Result<Parsed, Fault> {
        if text.trim().is_empty() {
            return Ok(Parsed::Nothing);
        }
        let mut cells: Vec<&str> = text.split('|').map(str::trim).collect();
        if cells.len() == self.columns + 1 && cells.last() == Some(&"") {
            cells.pop();
        }
        if cells.len() != self.columns {
            return Err(Fault::of_line(line, Cause::Cells { found: cells.len(), expected: self.columns }));
        }
        if cells[self.job].contains('.') {
            return Ok(Parsed::Skip(Skip::Step));
        }
        let state = self.state.map_or("", |place| cells[place]);
        if NOT_ENDED.iter().any(|word| state.split(' ').next() == Some(word)) {
            return Ok(Parsed::Skip(Skip::NotEnded));
        }
        let Some(runtime) = self.runtime(line, &cells)?.filter(|&runtime| runtime > Duration::ZERO) else {
            return Ok(Parsed::Skip(Skip::NeverRan));
        };
        let Some(ask) = self.ask(line, &cells, desk)? else { return Ok(Parsed::Skip(Skip::NoAccelerator)) };
        let at = time(cells[self.submit]).at(line, "Submit")?;
        let limit = self.limit(line, &cells)?.filter(|&limit| limit > Duration::ZERO);
        let project = match self.account.map_or("", |place| cells[place]) {
            "" => desk.owners.nobody(),
            name => desk.owners.project(name).at(line, "Account")?,
        };
        let row = Row::plain(line, at, project, ask.accelerators, runtime);
        Ok(Parsed::Job(Row { asks: Asks::one(ask), limit, ..row }))
    }
}

impl Unit {
    fn read(self, text: &str) -> Result<Duration, Cause> {
        match self {
            Self::Seconds => cell::length(text, Duration::seconds(1)),
            Self::Minutes => cell::length(text, Duration::seconds(60)),
            Self::Clock => cell::clock(text),
        }
    }
}

fn unknown(text: &str) -> bool {
    text.is_empty() || ["Unknown", "None", "INVALID"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A time as Slurm prints it: ISO without a zone, or seconds since 1970 where the site's format asks for `%s`.
fn time(text: &str) -> Result<i64, Cause> {
    if text.parse::<i64>().is_ok() { cell::scaled(text, 1_000) } else { cell::dated(text) }
}

/// The GPUs in a list of resources that Slurm tracks. The plain count is the whole; a named kind counts only where the federation
/// has one of that name.
fn gpus(resources: &str, desk: &Desk) -> Result<Option<Ask>, Cause> {
    let (mut plain, mut named, mut kind): (Option<u32>, u32, Option<AcceleratorId>) = (None, 0, None);
    for (name, count) in tracked(resources) {
        let wrong = || Cause::OutOfRange(quoted(resources));
        let count = u32::try_from(cell::scaled(count, 1)?).map_err(|_| wrong())?;
        match name {
            None => plain = Some(count),
            Some(name) => {
                named = named.checked_add(count).ok_or_else(wrong)?;
                kind = desk.knows(name).or(kind);
            }
        }
    }
    let accelerators = plain.unwrap_or(named);
    Ok((accelerators > 0).then_some(Ask { accelerator: kind, accelerators }))
}
