//! What a column comes to.

use giga_units::Instant;

use super::{Column, Table};

/// Figures of a column, in the unit of its quantity; filled values count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// The arithmetic mean.
    pub mean: f64,
    /// The least value and when it first holds.
    pub least: (f64, Instant),
    /// The greatest value and when it first holds.
    pub most: (f64, Instant),
    /// What 5, 50 and 95 % of the values do not exceed.
    pub percentiles: [f64; 3],
}

impl Column {
    /// The figures of a column of a table, which is never empty.
    #[must_use]
    pub fn statistics(&self, table: &Table) -> Statistics {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let first = |wanted: f64| {
            let place = self.values.iter().position(|value| *value == wanted).unwrap_or(0);
            (wanted, table.at(place))
        };
        // The nearest rank: the smallest value that so many in a hundred do not exceed.
        let rank = |percent: usize| sorted[(count * percent).div_ceil(100).clamp(1, count) - 1];
        Statistics {
            mean: self.values.iter().sum::<f64>() / count as f64,
            least: first(sorted[0]),
            most: first(sorted[count - 1]),
            percentiles: [5, 50, 95].map(rank),
        }
    }

    /// Means of so many parts of equal length at most, for a drawing.
    #[must_use]
    pub fn thinned(&self, parts: usize) -> Vec<f64> {
        let count = self.values.len();
        let parts = parts.clamp(1, count.max(1));
        let begin = |part: usize| part * count / parts;
        let means = (0..parts).map(|part| {
            let values = &self.values[begin(part)..begin(part + 1)];
            values.iter().sum::<f64>() / values.len().max(1) as f64
        });
        means.collect()
    }
}
