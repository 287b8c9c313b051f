//! What was decided, in order: on its way to a linter that may be somewhere else.

use giga_scheduler::Event;
use giga_units::Instant;

use crate::linter::Violation;

/// Events by the instants at which they were decided.
#[derive(Debug, Clone, Default)]
pub struct Trail {
    events: Vec<Event>,
    /// Each instant, with how many events came before it.
    moments: Vec<(Instant, usize)>,
    /// What control itself found, in hours that are over.
    pub(crate) found: Vec<Violation>,
}

impl Trail {
    /// How many events it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(crate) fn begin(&mut self, now: Instant) {
        let here = self.events.len();
        self.moments.pop_if(|(_, before)| *before == here);
        self.moments.push((now, here));
    }

    pub(crate) fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.moments.clear();
        self.found.clear();
    }

    /// The events of the instant that was begun last.
    pub(crate) fn latest(&self) -> &[Event] {
        &self.events[self.moments.last().map_or(0, |(_, before)| *before)..]
    }

    /// Every event with its time.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Instant, &Event)> {
        let ends = self.moments.iter().skip(1).map(|(_, before)| *before).chain([self.events.len()]);
        let moments = self.moments.iter().zip(ends);
        moments.flat_map(|(&(now, from), to)| self.events[from..to].iter().map(move |event| (now, event)))
    }
}
