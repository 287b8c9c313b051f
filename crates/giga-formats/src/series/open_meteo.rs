//! Open-Meteo: the answer of its servers as JSON, with the units and the clock that it states.
//!
//! Times are by a clock that is `utc_offset_seconds` ahead of UTC in every season, or seconds after 1970 in UTC. Temperature,
//! humidity, pressure and wind are of the moment that stands there, radiation is the mean of the hour before (Open-Meteo,
//! documentation of the weather API); here a value holds from its moment until the next.

use serde_json::{Map, Value};

use super::cells::checked;
use super::clock::{self, Clock, Moment};
use super::fault::{Desk, SeriesFault};
use super::{Calendar, Dialect, Draft, Place, Quantity, Row, Rows};

/// Variables that are read, without underscores: older answers write them so.
const VARIABLES: [(&str, Quantity); 11] = [
    ("temperature2m", Quantity::DryBulb),
    ("wetbulbtemperature2m", Quantity::WetBulb),
    ("dewpoint2m", Quantity::DewPoint),
    ("relativehumidity2m", Quantity::RelativeHumidity),
    ("surfacepressure", Quantity::Pressure),
    ("windspeed10m", Quantity::WindSpeed),
    ("cloudcover", Quantity::CloudCover),
    ("shortwaveradiation", Quantity::SolarGlobal),
    ("directnormalirradiance", Quantity::SolarDirectNormal),
    ("directradiation", Quantity::SolarDirect),
    ("diffuseradiation", Quantity::SolarDiffuse),
];

/// The longest answer, in bytes: forty years of hours of one variable.
const BYTES_MAX: usize = 16 << 20;

/// A variable with its numbers.
struct Variable<'v> {
    name: &'v str,
    line: usize,
    quantity: Quantity,
    /// Factor and summand to the unit of the quantity.
    unit: (f64, f64),
    numbers: &'v [Value],
}

pub(super) fn draft(text: &str, desk: &mut Desk) -> Option<Draft> {
    if text.len() > BYTES_MAX {
        desk.add(1, 0..0, SeriesFault::TooLong { most: "16 MiB" });
        return None;
    }
    let answer: Value = match serde_json::from_str(text) {
        Ok(answer) => answer,
        Err(error) => {
            desk.add(error.line().max(1), 0..0, SeriesFault::Json { error: error.to_string() });
            return None;
        }
    };
    let block = ["hourly", "minutely_15"].into_iter().find(|name| answer.get(name).is_some());
    let hourly = block.and_then(|name| answer.get(name)?.as_object());
    let units = block.and_then(|name| answer.get(format!("{name}_units"))?.as_object());
    let times = hourly.and_then(|hourly| hourly.get("time")?.as_array());
    let (Some(hourly), Some(units), Some(times)) = (hourly, units, times) else {
        desk.add(1, 0..0, SeriesFault::NoField { field: "hourly.time and hourly_units" });
        return None;
    };
    let ahead = answer.get("utc_offset_seconds").and_then(Value::as_i64).unwrap_or(0);
    let clock = i32::try_from(ahead).ok().and_then(Clock::fixed);
    let Some(mut clock) = clock else {
        let fault = SeriesFault::field("utc_offset_seconds", &ahead.to_string(), "within a day");
        desk.add(line_of(text, "utc_offset_seconds"), 0..0, fault);
        return None;
    };
    let (variables, notes) = variables(text, hourly, units, times.len(), desk);
    let mut rows = Vec::new();
    let line = line_of(text, "time");
    for (at, time) in times.iter().enumerate() {
        if desk.is_full() {
            break;
        }
        let Some(moment) = moment(&mut clock, time) else {
            desk.add(line, 0..0, SeriesFault::not_a_time(&format!("time[{at}]"), &time.to_string()));
            continue;
        };
        let values: Option<Vec<_>> = variables.iter().map(|variable| variable.value(at, desk)).collect();
        rows.extend(values.map(|values| Row { at: moment, until: None, line, marked: 0..0, values }));
    }
    let columns = variables.iter().map(|variable| (variable.name.to_owned(), variable.quantity)).collect();
    let place = place(&answer, clock.name());
    let (calendar, made) = (Calendar::Dated, Rows::default());
    Some(Draft { dialect: Dialect::OpenMeteo, place, calendar, step: None, columns, rows, made, notes })
}

fn variables<'v>(
    text: &str,
    hourly: &'v Map<String, Value>,
    units: &Map<String, Value>,
    count: usize,
    desk: &mut Desk,
) -> (Vec<Variable<'v>>, Vec<String>) {
    let (mut variables, mut unread) = (Vec::new(), Vec::new());
    for (name, numbers) in hourly.iter().filter(|(name, _)| *name != "time") {
        let plain = name.replace('_', "").to_lowercase();
        let known = VARIABLES.iter().find(|(known, _)| *known == plain);
        let (Some((_, quantity)), Some(numbers)) = (known, numbers.as_array()) else {
            unread.push(format!("`{}`", name.chars().take(60).collect::<String>()));
            continue;
        };
        let (line, written) = (line_of(text, name), units.get(name).and_then(Value::as_str).unwrap_or(""));
        let Some(unit) = unit(*quantity, written) else {
            desk.add(
                line,
                0..0,
                SeriesFault::Unit { field: name.clone(), unit: written.chars().take(20).collect() },
            );
            continue;
        };
        if numbers.len() != count {
            let fault = SeriesFault::Lengths { field: name.clone(), found: numbers.len(), expected: count };
            desk.add(line, 0..0, fault);
            continue;
        }
        variables.push(Variable { name, line, quantity: *quantity, unit, numbers });
    }
    let notes = if unread.is_empty() { Vec::new() } else { vec![format!("not read: {}", unread.join(", "))] };
    (variables, notes)
}

impl Variable<'_> {
    /// A value in the unit of the quantity; `None` after a fault.
    fn value(&self, at: usize, desk: &mut Desk) -> Option<Option<f64>> {
        let written = &self.numbers[at];
        if written.is_null() {
            return Some(None);
        }
        let field = format!("{}[{at}]", self.name);
        let Some(number) = written.as_f64().filter(|number| number.is_finite()) else {
            desk.add(self.line, 0..0, SeriesFault::not_a_number(&field, &written.to_string()));
            return None;
        };
        let said = written.to_string();
        let number = number * self.unit.0 + self.unit.1;
        checked(self.line, &(0..0, said.as_str()), number, &field, self.quantity, desk).ok()
    }
}

/// From a unit as it is written to that of the quantity.
fn unit(quantity: Quantity, written: &str) -> Option<(f64, f64)> {
    let factor = match written {
        _ if written == quantity.unit() => 1.0,
        "°F" => return (quantity.unit() == "°C").then_some((5.0 / 9.0, -160.0 / 9.0)),
        "hPa" if quantity.unit() == "Pa" => 100.0,
        "km/h" if quantity.unit() == "m/s" => 1.0 / 3.6,
        "mp/h" | "mph" if quantity.unit() == "m/s" => 0.447_04,
        "kn" if quantity.unit() == "m/s" => 1_852.0 / 3_600.0,
        _ => return None,
    };
    Some((factor, 0.0))
}

fn moment(clock: &mut Clock, time: &Value) -> Option<i64> {
    if let Some(seconds) = time.as_i64() {
        return clock::known(seconds.checked_mul(1_000)?);
    }
    match clock.read(time.as_str()?)? {
        Moment::At(at) => Some(at),
        Moment::Skipped(_) => None,
    }
}

fn place(answer: &Value, clock: &str) -> Place {
    let number = |name: &str| answer.get(name).and_then(Value::as_f64);
    let name = answer.get("timezone").and_then(Value::as_str).filter(|name| !matches!(*name, "GMT" | "UTC"));
    Place {
        name: name.map(|name| name.chars().take(60).collect()),
        latitude: number("latitude").filter(|degrees| degrees.abs() <= 90.0),
        longitude: number("longitude").filter(|degrees| degrees.abs() <= 180.0),
        altitude: number("elevation").filter(|metres| (-500.0..9_000.0).contains(metres)),
        clock: clock.to_owned(),
    }
}

/// The line on which the list of a name begins, or the first.
fn line_of(text: &str, name: &str) -> usize {
    let key = format!("\"{name}\"");
    text.rfind(&key).map_or(1, |at| text[..at].matches('\n').count() + 1)
}
