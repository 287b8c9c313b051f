//! Chance keyed by (seed, purpose, entity): a draw never depends on how many others came before it.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a draw is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// A job of a class of generated work.
    Work = 1,
    /// A failure of a pool.
    Failure = 2,
    /// How long a job that is known to a live federation will take.
    RunTime = 3,
    /// The seed of one of several futures.
    Future = 4,
}

/// A stream of draws of its own.
#[derive(Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of the `count`th thing of an entity.
    #[must_use]
    pub fn of(seed: u64, purpose: Purpose, entity: u64, count: u64) -> Self {
        let mut key = [0; 32];
        for (place, word) in [seed, purpose as u64, entity, count].into_iter().enumerate() {
            key[place * 8..place * 8 + 8].copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// The number of an entity that is known by names: it stays when others come or go.
    #[must_use]
    pub fn entity(names: &[&str]) -> u64 {
        // FNV-1a over 64 bits (RFC 9923); a byte that UTF-8 never has ends each name.
        let bytes = names.iter().flat_map(|name| name.bytes().chain([0xff]));
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// Uniform in (0, 1): never exactly either end.
    pub fn uniform(&mut self) -> f64 {
        let bits = self.0.next_u64() >> 12;
        (bits as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// Exponential with mean one.
    pub fn exponential(&mut self) -> f64 {
        -libm::log(self.uniform())
    }

    /// Standard normal, by Box and Muller (doi:10.1214/aoms/1177706645).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(self.uniform()));
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    /// Uniform below `bound`, which is above zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(bound);
        u64::try_from(product >> 64).expect("the upper half of a product fits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_keyed_and_not_ordered() {
        let draw = |count| Chance::of(1, Purpose::Work, 2, count).uniform();
        let (first, second) = (draw(0), draw(1));
        assert_ne!(first, second);
        assert_eq!((draw(1), draw(0)), (second, first));
    }

    #[test]
    fn entities_are_told_apart_by_all_their_names() {
        let all = [&["ab", "c"][..], &["a", "bc"], &["abc"], &["c", "ab"], &["ab", "c", ""]];
        let numbers: std::collections::BTreeSet<u64> = all.into_iter().map(Chance::entity).collect();
        assert_eq!(numbers.len(), all.len());
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let count = 100_000;
        let mut chance = Chance::of(7, Purpose::Failure, 0, 0);
        let mean = |draws: Vec<f64>| draws.iter().sum::<f64>() / f64::from(count);
        let exponential = mean((0..count).map(|_| chance.exponential()).collect());
        assert!((exponential - 1.0).abs() < 0.02, "{exponential}");
        let squares = mean((0..count).map(|_| chance.normal()).map(|draw| draw * draw).collect());
        assert!((squares - 1.0).abs() < 0.02, "{squares}");
    }
}
