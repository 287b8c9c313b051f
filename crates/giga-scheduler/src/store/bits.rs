//! A set of small numbers that finds its lowest member in a few steps.

/// A set of numbers below a fixed bound: one bit each, and a summary with one bit for each word that is not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BitSet {
    words: Vec<u64>,
    summary: Vec<u64>,
}

impl BitSet {
    /// An empty set for numbers below `bound`.
    pub(crate) fn new(bound: usize) -> Self {
        let words = bound.div_ceil(64);
        Self { words: vec![0; words], summary: vec![0; words.div_ceil(64)] }
    }

    pub(crate) fn insert(&mut self, number: usize) {
        let word = number / 64;
        self.words[word] |= 1 << (number % 64);
        self.summary[word / 64] |= 1 << (word % 64);
    }

    pub(crate) fn remove(&mut self, number: usize) {
        let word = number / 64;
        self.words[word] &= !(1 << (number % 64));
        if self.words[word] == 0 {
            self.summary[word / 64] &= !(1 << (word % 64));
        }
    }

    /// The lowest member.
    pub(crate) fn first(&self) -> Option<usize> {
        let (place, summary) = self.summary.iter().enumerate().find(|(_, summary)| **summary != 0)?;
        let word = place * 64 + summary.trailing_zeros() as usize;
        Some(word * 64 + self.words[word].trailing_zeros() as usize)
    }

    /// All members from the lowest up.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let occupied = self.summary.iter().enumerate().flat_map(|(place, &bits)| ones(bits, place * 64));
        occupied.flat_map(|word| ones(self.words[word], word * 64))
    }
}

/// The places of the set bits, each moved up by `base`.
pub(crate) fn ones(mut bits: u64, base: usize) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        if bits == 0 {
            return None;
        }
        let place = bits.trailing_zeros() as usize;
        bits &= bits - 1;
        Some(base + place)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bit_set_is_a_set(steps in proptest::collection::vec((any::<bool>(), 0_usize..10_000), 0..200)) {
            let (mut fast, mut slow) = (BitSet::new(10_000), BTreeSet::new());
            for (insert, number) in steps {
                if insert {
                    fast.insert(number);
                    slow.insert(number);
                } else {
                    fast.remove(number);
                    slow.remove(&number);
                }
                prop_assert_eq!(fast.first(), slow.first().copied());
            }
            prop_assert!(fast.iter().eq(slow.iter().copied()));
        }
    }
}
