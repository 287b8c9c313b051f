//! An amount over time: how much of one thing is free from each instant on.

use giga_units::Instant;

use crate::store::Releases;

/// A step function from an instant on. Less than nothing is possible, where what should be back is late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Steps(Vec<(Instant, i64)>);

impl Steps {
    /// The same from an instant on.
    pub(super) fn flat(from: Instant, amount: u64) -> Self {
        Self(vec![(from, signed(amount))])
    }

    /// What is free now and what comes back; what is late counts as back at the next moment, `soon`.
    pub(super) fn of(now: Instant, soon: Instant, free: u64, releases: &Releases) -> Self {
        let mut steps = vec![(now, signed(free))];
        let mut sum = signed(free);
        for (at, amount) in releases.iter().filter(|(_, amount)| *amount > 0) {
            let at = at.max(soon);
            sum += signed(amount);
            match steps.last_mut() {
                Some((last, value)) if *last == at => *value = sum,
                _ => steps.push((at, sum)),
            }
        }
        Self(steps)
    }

    /// Adds an amount from an instant on.
    pub(super) fn add(&mut self, from: Instant, amount: u64) {
        let first = self.split(from);
        self.0[first..].iter_mut().for_each(|(_, value)| *value += signed(amount));
    }

    /// Takes an amount from one instant until another.
    pub(super) fn take(&mut self, from: Instant, to: Instant, amount: u64) {
        if from >= to || amount == 0 {
            return;
        }
        let first = self.split(from);
        let last = self.split(to);
        self.0[first..last].iter_mut().for_each(|(_, value)| *value -= signed(amount));
    }

    /// From when on, not before `from`, there may be enough for as long as from `from` until `to`: `from` itself where there is, the
    /// end of the last lack in between otherwise; `None` where that never ends.
    pub(super) fn enough_from(&self, from: Instant, to: Instant, amount: u64) -> Option<Instant> {
        let (first, amount) = (self.place(from), signed(amount));
        let end = self.0.partition_point(|(at, _)| *at < to).max(first + 1);
        match self.0[first..end].iter().rposition(|(_, value)| *value < amount) {
            None => Some(from),
            Some(lack) => {
                let after = self.0[first + lack + 1..].iter().find(|(_, value)| *value >= amount);
                after.map(|(at, _)| *at)
            }
        }
    }

    /// Until when there is enough without a break from an instant on.
    pub(super) fn enough_until(&self, from: Instant, amount: u64) -> Instant {
        let lack = self.0[self.place(from)..].iter().find(|(_, value)| *value < signed(amount));
        lack.map_or(Instant::FAR, |(at, _)| (*at).max(from))
    }

    /// The step that holds at an instant.
    fn place(&self, at: Instant) -> usize {
        self.0.partition_point(|(from, _)| *from <= at).saturating_sub(1)
    }

    /// The step that begins at an instant, which is made where there is none.
    fn split(&mut self, at: Instant) -> usize {
        let place = self.place(at);
        if self.0[place].0 >= at {
            return place;
        }
        self.0.insert(place + 1, (at, self.0[place].1));
        place + 1
    }
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX / 4)
}
