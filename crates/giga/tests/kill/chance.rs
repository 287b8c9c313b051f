//! Chance from one seed: a stream for each purpose and lane, so that threads do not disturb each other's choices. When
//! things happen is the machine's; what is done, to whom and in which order of a lane is the seed's.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    pub(crate) fn of(seed: u64, purpose: &str, lane: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&lane.to_le_bytes());
        key[16..].iter_mut().zip(purpose.bytes()).for_each(|(place, byte)| *place = byte);
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform below `bound`, as nearly as a test needs it.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound.max(1)
    }

    /// Uniform from nothing to `most`.
    pub(crate) fn up_to(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_micros()).expect("a test lasts no thousands of years");
        Duration::from_micros(self.below(most + 1))
    }

    /// One of these by its weight.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(u64, T)]) -> T {
        let mut left = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for &(weight, choice) in choices {
            match left.checked_sub(weight) {
                Some(rest) => left = rest,
                None => return choice,
            }
        }
        unreachable!("a draw below the sum of weights falls on one of them")
    }
}
