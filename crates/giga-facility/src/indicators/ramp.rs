//! Peaks and ramps of a series of power.

use std::collections::VecDeque;

use crate::quantity::{Seconds, Watts};

/// The largest changes within a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ramps {
    /// The largest rise.
    pub up: Watts,
    /// The largest fall, as a number above zero.
    pub down: Watts,
}

/// The most of a series; nothing for none.
#[must_use]
pub fn peak(series: &[Watts]) -> Watts {
    series.iter().copied().fold(Watts::ZERO, Watts::max)
}

/// The largest rise and fall between any two samples at most `window` apart, of samples that are `every` apart.
///
/// A rise that takes less than the window counts in full. Where samples are further apart than the window nothing can be
/// said, and neighbours are compared.
#[must_use]
pub fn ramps(series: &[Watts], every: Seconds, window: Seconds) -> Ramps {
    let reach = (window / every + 1e-9).floor().max(1.0) as usize;
    Ramps { up: largest_rise(series, reach, 1.0), down: largest_rise(series, reach, -1.0) }
}

/// The largest rise of a series times a sign, by the least of the samples within reach: a queue that grows from front to back.
fn largest_rise(series: &[Watts], reach: usize, sign: f64) -> Watts {
    let mut least: VecDeque<(usize, Watts)> = VecDeque::new();
    let mut largest = Watts::ZERO;
    for (index, sample) in series.iter().enumerate() {
        let sample = *sample * sign;
        while least.front().is_some_and(|(from, _)| from + reach < index) {
            least.pop_front();
        }
        if let Some((_, lowest)) = least.front() {
            largest = largest.max(sample - *lowest);
        }
        while least.back().is_some_and(|(_, other)| *other >= sample) {
            least.pop_back();
        }
        least.push_back((index, sample));
    }
    largest
}
