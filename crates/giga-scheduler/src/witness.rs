//! Who is told of each event before it is carried into the state, and keeps it afterwards.

use giga_units::Instant;

use crate::event::Event;
use crate::state::State;

/// Sees every event together with the state just before it.
pub trait Witness {
    /// Called once for each event, in order.
    fn witness(&mut self, before: &State, now: Instant, event: &Event);

    /// Takes the event once it was carried into the state.
    fn keep(&mut self, event: Event);
}

impl Witness for Vec<Event> {
    fn witness(&mut self, _: &State, _: Instant, _: &Event) {}

    fn keep(&mut self, event: Event) {
        self.push(event);
    }
}
