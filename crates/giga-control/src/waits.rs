//! Waiting times as a histogram of bounded size.

use giga_model::image;
use giga_units::Duration;

/// Upper bounds of the size classes in tables, in accelerators; the last has none.
pub const SIZE_CLASSES: [(u32, &str); 5] =
    [(8, "1-8"), (64, "9-64"), (512, "65-512"), (4096, "513-4096"), (u32::MAX, "over 4096")];

/// The class of a gang size.
pub(crate) fn size_class(accelerators: u32) -> usize {
    SIZE_CLASSES.iter().position(|&(most, _)| accelerators <= most).unwrap_or(SIZE_CLASSES.len() - 1)
}

/// Steps in each doubling: a quantile is right to within 1/64 of its value.
const STEPS: u64 = 64;

/// Waiting times, counted in steps that grow with the time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waits {
    counts: Vec<u64>,
    total: u64,
    sum_milliseconds: u128,
}

image! { struct Waits { counts, total, sum_milliseconds } }

impl Waits {
    /// Counts one wait.
    pub fn add(&mut self, wait: Duration) {
        let milliseconds = u64::try_from(wait.as_milliseconds()).unwrap_or(0);
        let step = step_of(milliseconds);
        if self.counts.len() <= step {
            self.counts.resize(step + 1, 0);
        }
        self.counts[step] += 1;
        self.total += 1;
        self.sum_milliseconds += u128::from(milliseconds);
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.total
    }

    /// All of them together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::milliseconds(i64::try_from(self.sum_milliseconds).unwrap_or(i64::MAX))
    }

    /// How many were surely no longer than this; those within 1/64 below it may be left out.
    #[must_use]
    pub fn within(&self, most: Duration) -> u64 {
        let most = u64::try_from(most.as_milliseconds()).unwrap_or(0);
        let steps = self.counts.iter().enumerate();
        steps.take_while(|(step, _)| last_of(*step) <= most).map(|(_, count)| count).sum()
    }

    /// The mean; zero where none was counted.
    #[must_use]
    pub fn mean(&self) -> Duration {
        let mean = self.sum_milliseconds.checked_div(u128::from(self.total)).unwrap_or(0);
        Duration::milliseconds(i64::try_from(mean).unwrap_or(i64::MAX))
    }

    /// The wait that a fraction (in percent) of all do not exceed, rounded up by at most 1/64; zero where none was
    /// counted.
    #[must_use]
    pub fn quantile(&self, percent: u64) -> Duration {
        let rank = (self.total * percent).div_ceil(100);
        let mut seen = 0;
        let step = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank.max(1)
        });
        step.map_or(Duration::ZERO, |step| {
            Duration::milliseconds(i64::try_from(last_of(step)).unwrap_or(i64::MAX))
        })
    }
}

/// Times below `STEPS` have a step each; each doubling above has `STEPS` steps.
fn step_of(milliseconds: u64) -> usize {
    if milliseconds < STEPS {
        return milliseconds as usize;
    }
    let doubling = u64::from((milliseconds / STEPS).ilog2());
    let within = (milliseconds >> doubling) - STEPS;
    (STEPS * (doubling + 1) + within) as usize
}

/// The largest time in a step.
fn last_of(step: usize) -> u64 {
    let step = step as u64;
    if step < STEPS {
        return step;
    }
    let (doubling, within) = (step / STEPS - 1, step % STEPS);
    ((STEPS + within + 1) << doubling) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_its_step() {
        for milliseconds in (0..5_000).chain([86_400_000, 31_536_000_000]) {
            let last = last_of(step_of(milliseconds));
            assert!(
                last >= milliseconds && last - milliseconds <= milliseconds / 64,
                "{milliseconds} in {last}"
            );
        }
    }

    #[test]
    fn quantiles_of_a_known_list() {
        let mut waits = Waits::default();
        (1..=100).for_each(|seconds| waits.add(Duration::milliseconds(seconds)));
        assert_eq!(waits.quantile(50), Duration::milliseconds(50));
        assert_eq!(waits.quantile(95), Duration::milliseconds(95));
        assert_eq!(waits.mean(), Duration::milliseconds(50));
        assert_eq!(Waits::default().quantile(50), Duration::ZERO);
        let within = |most| waits.within(Duration::milliseconds(most));
        assert_eq!((within(0), within(50), within(1_000)), (0, 50, 100));
        assert_eq!(waits.sum(), Duration::milliseconds(5_050));
    }
}
