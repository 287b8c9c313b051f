//! What comes back when: amounts ordered by time, with sums, so that "from when on is there enough" takes few steps.

use giga_units::Instant;

/// Entries in one leaf before it splits.
const LEAF: usize = 128;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    at: Instant,
    tag: u64,
    amount: u64,
}

impl Entry {
    const fn key(&self) -> (Instant, u64) {
        (self.at, self.tag)
    }
}

/// Entries with their sum. The key of the last of them stands beside it, so that a search reads the list of leaves alone.
#[derive(Debug, Clone)]
struct Leaf {
    last: (Instant, u64),
    sum: u64,
    entries: Vec<Entry>,
}

impl Leaf {
    fn of(entries: Vec<Entry>) -> Self {
        let sum = entries.iter().map(|entry| entry.amount).sum();
        Self { last: last_of(&entries), sum, entries }
    }
}

fn last_of(entries: &[Entry]) -> (Instant, u64) {
    entries.last().expect("a leaf in the list is never empty").key()
}

/// Amounts that come back at known times, each under a tag. A list of short sorted leaves with their sums.
#[derive(Debug, Clone, Default)]
pub(crate) struct Releases {
    leaves: Vec<Leaf>,
}

impl Releases {
    /// Adds an amount. The pair of time and tag must be new.
    pub(crate) fn insert(&mut self, at: Instant, tag: u64, amount: u64) {
        let key = (at, tag);
        let entry = Entry { at, tag, amount };
        if self.leaves.is_empty() {
            self.leaves.push(Leaf::of(vec![entry]));
            return;
        }
        let place = self.leaves.partition_point(|leaf| leaf.last < key).min(self.leaves.len() - 1);
        let leaf = &mut self.leaves[place];
        let within = leaf.entries.partition_point(|entry| entry.key() < key);
        debug_assert!(leaf.entries.get(within).is_none_or(|entry| entry.key() != key), "{at}, {tag} twice");
        leaf.entries.insert(within, entry);
        leaf.sum += amount;
        leaf.last = leaf.last.max(key);
        if leaf.entries.len() > LEAF {
            let behind = Leaf::of(leaf.entries.split_off(LEAF / 2));
            leaf.sum -= behind.sum;
            leaf.last = last_of(&leaf.entries);
            self.leaves.insert(place + 1, behind);
        }
    }

    /// Takes an amount out again.
    ///
    /// # Panics
    /// Panics when there is none under this time and tag.
    pub(crate) fn remove(&mut self, at: Instant, tag: u64) {
        let key = (at, tag);
        let place = self.leaves.partition_point(|leaf| leaf.last < key);
        let leaf = self.leaves.get_mut(place).expect("what is removed was inserted");
        let within =
            leaf.entries.binary_search_by_key(&key, Entry::key).expect("what is removed was inserted");
        leaf.sum -= leaf.entries.remove(within).amount;
        match leaf.entries.last() {
            Some(last) => leaf.last = last.key(),
            None => drop(self.leaves.remove(place)),
        }
    }

    /// When the amounts add up to at least `needed`, in the order of time; `None` where they never do.
    pub(crate) fn reach(&self, needed: u64) -> Option<Instant> {
        let mut left = needed;
        for leaf in &self.leaves {
            if leaf.sum < left {
                left -= leaf.sum;
                continue;
            }
            for entry in &leaf.entries {
                if entry.amount >= left {
                    return Some(entry.at);
                }
                left -= entry.amount;
            }
        }
        None
    }

    /// What has come back by `at`, that instant included.
    pub(crate) fn until(&self, at: Instant) -> u64 {
        let mut sum = 0;
        for leaf in &self.leaves {
            if leaf.last.0 <= at {
                sum += leaf.sum;
                continue;
            }
            let back = leaf.entries.iter().take_while(|entry| entry.at <= at);
            return sum + back.map(|entry| entry.amount).sum::<u64>();
        }
        sum
    }

    /// What comes back when, in the order of time.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Instant, u64)> + '_ {
        self.leaves.iter().flat_map(|leaf| &leaf.entries).map(|entry| (entry.at, entry.amount))
    }

    /// The time and tag of the first entry that has an amount.
    pub(crate) fn first(&self) -> Option<(Instant, u64)> {
        let entries = self.leaves.iter().flat_map(|leaf| &leaf.entries);
        entries.into_iter().find(|entry| entry.amount > 0).map(Entry::key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn reach(entries: &BTreeMap<(i64, u64), u64>, needed: u64) -> Option<i64> {
        let mut sum = 0;
        entries.iter().find_map(|(&(at, _), amount)| {
            sum += amount;
            (sum >= needed).then_some(at)
        })
    }

    proptest! {
        #[test]
        fn releases_are_a_sorted_list(steps in proptest::collection::vec((any::<bool>(), 0_i64..40, 0_u64..9, 1_u64..5), 0..900)) {
            let (mut fast, mut slow) = (Releases::default(), BTreeMap::new());
            for (insert, at, tag, amount) in steps {
                let instant = Instant::unix_milliseconds(at);
                if insert && !slow.contains_key(&(at, tag)) {
                    fast.insert(instant, tag, amount);
                    slow.insert((at, tag), amount);
                } else if !insert && slow.remove(&(at, tag)).is_some() {
                    fast.remove(instant, tag);
                }
                let until: u64 = slow.iter().filter(|((then, _), _)| *then <= at).map(|(_, amount)| amount).sum();
                prop_assert_eq!(fast.until(instant), until);
                let needed = amount * 7;
                prop_assert_eq!(fast.reach(needed).map(Instant::as_unix_milliseconds), reach(&slow, needed));
            }
        }

        #[test]
        fn many_leaves_keep_their_order(times in proptest::collection::vec(0_i64..100_000, 500..1500)) {
            let mut fast = Releases::default();
            let mut slow = BTreeMap::new();
            for (tag, at) in times.iter().enumerate() {
                fast.insert(Instant::unix_milliseconds(*at), tag as u64, 1);
                slow.insert((*at, tag as u64), 1);
            }
            for needed in [1, 17, 129, 400, 500] {
                prop_assert_eq!(fast.reach(needed).map(Instant::as_unix_milliseconds), reach(&slow, needed));
            }
            for (&(at, tag), _) in slow.iter().skip(3) {
                fast.remove(Instant::unix_milliseconds(at), tag);
            }
            prop_assert_eq!(fast.until(Instant::FAR), 3);
        }
    }
}
