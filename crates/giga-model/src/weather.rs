//! The air at a site over time: what cooling has to work with.

use crate::Series;

/// Weather by equal steps; what lies beyond the span begins again. The scheduler never reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weather {
    /// Dry bulb in thousandths of a °C.
    pub dry_bulb: Series,
    /// Relative humidity in thousandths of a percent.
    pub humidity: Series,
    /// Pressure in Pa.
    pub pressure: Series,
}
