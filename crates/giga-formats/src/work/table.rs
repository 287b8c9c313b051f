//! Our own table as comma-separated values: a header line, then a job a line.
//!
//! | column | holds |
//! |---|---|
//! | `submitted` | a date such as `2026-12-01T06:00:00Z`, or milliseconds since 1970 |
//! | `project` | who is charged |
//! | `accelerators`, `accelerator` | how many, and the kind; an empty kind is any |
//! | `any_of` | several ways, the preferred one first: `GB300-NVL72:8\|H200-HGX:16`; `*` is any kind |
//! | `limit`, `runtime`, `checkpoint` | durations such as `6 h` |
//! | `draw` | the part of the draw above idle that it uses, such as `80 %` |
//!
//! `submitted`, `project`, `runtime`, and one of `accelerators` and `any_of` must be there; columns may come in any
//! order, and those that are not known are left alone.

use giga_model::{AcceleratorId, Ask, Asks};
use giga_units::{Amount, Duration, Fraction};

use super::WorkError;
use super::cell;
use super::fault::{Cause, Fault, quoted};
use super::lines::comma_cells;
use super::row::{At, Desk, Parsed, Row};
use super::text::{Dialect, cells_of};

/// What stands for any kind of accelerator in `any_of`.
pub(super) const ANY: &str = "*";

/// The places of the columns in one file.
pub(super) struct Table {
    columns: usize,
    submitted: usize,
    project: usize,
    accelerators: Option<usize>,
    accelerator: Option<usize>,
    any_of: Option<usize>,
    limit: Option<usize>,
    runtime: usize,
    checkpoint: Option<usize>,
    draw: Option<usize>,
}

impl Table {
    /// Reads the header line.
    pub(super) fn new(header: &str) -> Result<Self, WorkError> {
        let names =
            comma_cells(header).map_err(|cause| WorkError::Header { fault: Fault::of_line(1, cause) })?;
        let place = |name: &str| names.iter().position(|found| found == name);
        let need = |column: &'static str| place(column).ok_or(WorkError::NoColumn { column });
        let (accelerators, any_of) = (place("accelerators"), place("any_of"));
        if accelerators.is_none() && any_of.is_none() {
            return Err(WorkError::NoColumn { column: "accelerators" });
        }
        Ok(Self {
            columns: names.len(),
            submitted: need("submitted")?,
            project: need("project")?,
            accelerators,
            accelerator: place("accelerator"),
            any_of,
            limit: place("limit"),
            runtime: need("runtime")?,
            checkpoint: place("checkpoint"),
            draw: place("draw"),
        })
    }
}

impl Dialect for Table {
    fn parse(&mut self, line: u64, text: &str, desk: &mut Desk) -> Result<Parsed, Fault> {
        let Some(cells) = cells_of(line, text, self.columns)? else { return Ok(Parsed::Nothing) };
        let cell = |place: Option<usize>| place.map(|place| &*cells[place]).filter(|cell| !cell.is_empty());
        let at = cell::instant(&cells[self.submitted]).at(line, "submitted")?;
        let count = cell(self.accelerators).map(|text| cell::accelerators(text).at(line, "accelerators"));
        let single = Single { accelerators: count.transpose()?, accelerator: cell(self.accelerator) };
        let asks = single.or_any_of(cell(self.any_of), line, desk)?;
        let length = |place: Option<usize>, column: &'static str| {
            cell(place).map(|text| amount(text).at(line, column)).transpose()
        };
        let runtime = amount(cell::filled(&cells[self.runtime]).at(line, "runtime")?).at(line, "runtime")?;
        let limit = length(self.limit, "limit")?;
        let checkpoint = length(self.checkpoint, "checkpoint")?;
        let draw = cell(self.draw).map(|text| draw(text).at(line, "draw")).transpose()?;
        let name = cell::filled(&cells[self.project]).at(line, "project")?;
        let project = desk.owners.project(name).at(line, "project")?;
        Ok(Parsed::Job(Row { line, at, project, asks, runtime, limit, checkpoint, draw }))
    }
}

fn amount(text: &str) -> Result<Duration, Cause> {
    cell::work_length(Duration::parse(text)?)
}

fn draw(text: &str) -> Result<Fraction, Cause> {
    within_one(Fraction::parse(text)?)
}

/// A draw is at most the whole.
pub(super) fn within_one(draw: Fraction) -> Result<Fraction, Cause> {
    if draw <= Fraction::ONE { Ok(draw) } else { Err(Cause::OutOfRange(draw.to_string())) }
}

/// The columns for a job that can run in one way only.
pub(super) struct Single<'a> {
    pub(super) accelerators: Option<u32>,
    pub(super) accelerator: Option<&'a str>,
}

impl Single<'_> {
    /// The ways to run, from these columns or from the list, which must not contradict each other.
    pub(super) fn or_any_of(&self, list: Option<&str>, line: u64, desk: &Desk) -> Result<Asks, Fault> {
        let kind = self.accelerator.map(|name| desk.accelerator(name).at(line, "accelerator")).transpose()?;
        let Some(list) = list else {
            let accelerators = self.accelerators.ok_or(Cause::Empty).at(line, "accelerators")?;
            return Ok(Asks::one(Ask { accelerator: kind, accelerators }));
        };
        let asks = any_of(list, desk).at(line, "any_of")?;
        let count_agrees = self.accelerators.is_none_or(|count| count == asks.first().accelerators);
        let kind_agrees = kind.is_none_or(|kind| Some(kind) == asks.first().accelerator);
        if count_agrees && kind_agrees { Ok(asks) } else { Err(Cause::AsksDisagree).at(line, "any_of") }
    }
}

/// Reads `GB300-NVL72:8|H200-HGX:16`, or `H200-HGX:8-32` for an elastic gang.
fn any_of(list: &str, desk: &Desk) -> Result<Asks, Cause> {
    if let Some((name, (least, most))) = range(list) {
        let [least, accelerators] = [cell::accelerators(least)?, cell::accelerators(most)?];
        if least > accelerators {
            return Err(Cause::NotAsks(quoted(list)));
        }
        return Ok(Asks::elastic(Ask { accelerator: kind(name, desk)?, accelerators }, least));
    }
    let mut asks = list.split('|').map(|ask| {
        let (name, count) = ask.rsplit_once(':').ok_or_else(|| Cause::NotAsks(quoted(list)))?;
        let accelerators = cell::accelerators(count.trim())?;
        Ok(Ask { accelerator: kind(name, desk)?, accelerators })
    });
    let first = asks.next().unwrap_or_else(|| Err(Cause::NotAsks(quoted(list))))?;
    Ok(Asks::any_of(first, asks.collect::<Result<_, Cause>>()?))
}

fn kind(name: &str, desk: &Desk) -> Result<Option<AcceleratorId>, Cause> {
    if name.trim() == ANY { Ok(None) } else { desk.accelerator(name.trim()).map(Some) }
}

/// The parts of `NAME:LEAST-MOST`, where there is but one way.
fn range(list: &str) -> Option<(&str, (&str, &str))> {
    let (name, count) = list.rsplit_once(':').filter(|_| !list.contains('|'))?;
    let (least, most) = count.split_once('-')?;
    Some((name, (least.trim(), most.trim())))
}
