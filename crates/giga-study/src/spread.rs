//! What several futures say of one figure.

/// The 10th, 50th and 90th percentile of a figure over the futures that saw it, by nearest rank: each is the figure of
/// one of the futures. With fewer than eleven, the first and the last are the extremes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread<T> {
    /// One in ten is this or less.
    pub low: T,
    /// Half are this or less.
    pub median: T,
    /// Nine in ten are this or less.
    pub high: T,
    /// How many futures saw it.
    pub seen: u32,
}

impl<T: Copy + Ord> Spread<T> {
    /// Sorts the figures; `None` where there are none.
    pub(crate) fn of(figures: &mut [T]) -> Option<Self> {
        figures.sort_unstable();
        let count = figures.len();
        let at = |percent: usize| figures.get((count * percent).div_ceil(100).checked_sub(1)?).copied();
        let seen = u32::try_from(count).expect("futures are counted in 32 bits");
        Some(Self { low: at(10)?, median: at(50)?, high: at(90)?, seen })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let check = |figures: &[i32], expected: [i32; 3]| {
            let spread = Spread::of(&mut figures.to_vec()).expect("there are figures");
            assert_eq!([spread.low, spread.median, spread.high], expected, "{figures:?}");
            assert_eq!(spread.seen as usize, figures.len());
        };
        check(&[7], [7, 7, 7]);
        check(&[2, 1], [1, 1, 2]);
        check(&[8, 7, 6, 5, 4, 3, 2, 1], [1, 4, 8]);
        check(&(1..=10).collect::<Vec<_>>(), [1, 5, 9]);
        check(&(1..=100).rev().collect::<Vec<_>>(), [10, 50, 90]);
        assert_eq!(Spread::<i32>::of(&mut []), None);
    }
}
