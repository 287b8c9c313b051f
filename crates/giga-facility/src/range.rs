//! The error of a value that lies outside what a model holds for.

use std::ops::RangeInclusive;

/// A value is outside its range, or no number.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("`{field}` is {value} {unit}; the model holds from {min} to {max} {unit}")]
pub struct OutOfRange {
    /// Which value.
    pub field: &'static str,
    /// What it is.
    pub value: f64,
    /// The least that it may be.
    pub min: f64,
    /// The most that it may be.
    pub max: f64,
    /// In which unit; empty for a plain number.
    pub unit: &'static str,
}

/// Lets through what lies in the range; nothing that is no number does.
pub(crate) fn within(
    field: &'static str,
    value: f64,
    range: RangeInclusive<f64>,
    unit: &'static str,
) -> Result<(), OutOfRange> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(OutOfRange { field, value, min: *range.start(), max: *range.end(), unit })
}
