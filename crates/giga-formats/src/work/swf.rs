//! The Standard Workload Format of the Parallel Workloads Archive: 18 columns, header comments behind `;`, -1 for
//! what is not known (Feitelson, <https://www.cs.huji.ac.il/labs/parallel/workload/swf.html>).
//!
//! A processor becomes an accelerator. The group owns the job, or the user where no group is known.

use giga_units::Duration;

use super::cell;
use super::fault::{Cause, Fault};
use super::row::{At, Desk, Parsed, Row, Skip};
use super::text::Dialect;

/// Columns of the format.
const COLUMNS: usize = 18;
const SECOND: Duration = Duration::seconds(1);

/// The places of the columns that are read.
mod column {
    pub(super) const SUBMIT: usize = 1;
    pub(super) const RUN: usize = 3;
    pub(super) const ALLOCATED: usize = 4;
    pub(super) const REQUESTED: usize = 7;
    pub(super) const REQUESTED_TIME: usize = 8;
    pub(super) const STATUS: usize = 10;
    pub(super) const USER: usize = 11;
    pub(super) const GROUP: usize = 12;
}

/// The dialect.
pub(super) struct Swf;

impl Dialect for Swf {
    fn parse(&mut self, line: u64, text: &str, desk: &mut Desk) -> Result<Parsed, Fault> {
        let text = text.trim();
        if let Some(comment) = text.strip_prefix(';') {
            read_comment(comment, desk);
            return Ok(Parsed::Nothing);
        }
        if text.is_empty() {
            return Ok(Parsed::Nothing);
        }
        let mut cells = [""; COLUMNS];
        let mut found = 0;
        for cell in text.split_ascii_whitespace() {
            if let Some(place) = cells.get_mut(found) {
                *place = cell;
            }
            found += 1;
        }
        if found != COLUMNS {
            return Err(Fault::of_line(line, Cause::Cells { found, expected: COLUMNS }));
        }
        parse_cells(line, &cells, desk)
    }
}

fn read_comment(comment: &str, desk: &mut Desk) {
    let start = comment.split_once(':').filter(|(key, _)| key.trim() == "UnixStartTime");
    let start = start.and_then(|(_, value)| cell::scaled(value.trim(), 1_000).ok());
    // Archives write 0 where the date is not known.
    desk.epoch = start.filter(|&start| start > 0).or(desk.epoch);
}

fn parse_cells(line: u64, cells: &[&str; COLUMNS], desk: &mut Desk) -> Result<Parsed, Fault> {
    let status = cell::scaled(cells[column::STATUS], 1).at(line, "status")?;
    // 2 to 4 are the pieces of a job that was checkpointed; the whole stands in a line of its own.
    if (2..=4).contains(&status) {
        return Ok(Parsed::Skip(Skip::PartOfJob));
    }
    let run = cell::scaled(cells[column::RUN], 1_000).at(line, "run time")?;
    if run < 0 {
        return Ok(Parsed::Skip(Skip::NeverRan));
    }
    let at = cell::scaled(cells[column::SUBMIT], 1_000).at(line, "submit time")?;
    let requested = cell::scaled(cells[column::REQUESTED], 1).at(line, "requested processors")?;
    let (count, name) = if requested > 0 {
        (cells[column::REQUESTED], "requested processors")
    } else {
        (cells[column::ALLOCATED], "allocated processors")
    };
    let accelerators = cell::accelerators(count).at(line, name)?;
    let requested_time = cell::scaled(cells[column::REQUESTED_TIME], 1_000).at(line, "requested time")?;
    let limit = if requested_time > 0 {
        Some(cell::length(cells[column::REQUESTED_TIME], SECOND).at(line, "requested time")?)
    } else {
        None
    };
    let runtime = cell::length(cells[column::RUN], SECOND).at(line, "run time")?;
    let owner = |kind: &str, place: usize| (cells[place] != "-1").then(|| format!("{kind} {}", cells[place]));
    let project = match owner("group", column::GROUP).or_else(|| owner("user", column::USER)) {
        Some(name) => desk.owners.project(&name).at(line, "group")?,
        None => desk.owners.nobody(),
    };
    let row = Row::plain(line, at, project, accelerators, super::at_least_a_second(runtime, desk));
    Ok(Parsed::Job(Row { limit, ..row }))
}
