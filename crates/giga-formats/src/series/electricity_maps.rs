//! Electricity Maps: carbon intensity of a zone in UTC, direct and over the life cycle.
//!
//! The value of an hour holds from the time that stands there. What the publisher calls estimated is counted.

use super::cells::{Sheet, value};
use super::clock::{Clock, Moment};
use super::fault::{Desk, SeriesFault};
use super::{Calendar, Dialect, Draft, Place, Quantity, Row, Rows};

pub(super) fn draft(text: &str, desk: &mut Desk) -> Option<Draft> {
    let sheet = Sheet::of(text);
    if !sheet.names[0].to_lowercase().starts_with("datetime (utc)") {
        desk.add(1, 0..0, SeriesFault::NoField { field: "Datetime (UTC)" });
        return None;
    }
    let direct = sheet.column(&["carbon intensity", "direct"]);
    // The second name is that of files since 2025.
    let cycle = sheet
        .column(&["carbon intensity", "lca"])
        .or_else(|| sheet.column(&["carbon intensity", "life cycle"]));
    let found = [(cycle, Quantity::CarbonLifeCycle), (direct, Quantity::CarbonDirect)];
    let columns: Vec<(usize, Quantity)> = found.into_iter().filter_map(|(at, of)| Some((at?, of))).collect();
    if columns.is_empty() {
        desk.add(1, 0..0, SeriesFault::NoField { field: "Carbon Intensity (direct) or (LCA)" });
        return None;
    }
    let (estimated, zone) = (
        sheet.names.iter().position(|name| name.eq_ignore_ascii_case("data estimated")),
        sheet.column(&["zone id"]),
    );
    let mut clock = Clock::utc();
    let (mut rows, mut made, mut name): (Vec<Row>, Rows, Option<&str>) = (Vec::new(), Rows::default(), None);
    for &(line, row) in &sheet.rows {
        if desk.is_full() {
            break;
        }
        let Some(cells) = sheet.cells(line, row, desk) else { continue };
        if let Some((marked, area)) = zone.map(|at| &cells[at]) {
            let first = *name.get_or_insert(area);
            if first != *area {
                let (first, other) = (first.to_owned(), (*area).to_owned());
                desk.add(line, marked.clone(), SeriesFault::Areas { first, other });
                continue;
            }
        }
        let values: Result<Vec<_>, ()> =
            columns.iter().map(|&(at, of)| value(line, &cells[at], sheet.names[at], of, desk)).collect();
        let Ok(values) = values else { continue };
        let Some(Moment::At(at)) = clock.read(cells[0].1) else {
            desk.add(line, cells[0].0.clone(), SeriesFault::not_a_time("Datetime (UTC)", cells[0].1));
            continue;
        };
        made.estimated += usize::from(estimated.is_some_and(|at| cells[at].1.eq_ignore_ascii_case("true")));
        rows.push(Row { at, until: None, line, marked: cells[0].0.clone(), values });
    }
    Some(Draft {
        dialect: Dialect::ElectricityMaps,
        place: Place { name: name.map(str::to_owned), clock: clock.name().to_owned(), ..Place::default() },
        calendar: Calendar::Dated,
        step: None,
        columns: columns.iter().map(|&(at, of)| (sheet.names[at].to_owned(), of)).collect(),
        rows,
        made,
        notes: Vec::new(),
    })
}
