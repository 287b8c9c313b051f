//! Who is told of each event before it is carried into the state.

use giga_units::Instant;

use crate::event::Event;
use crate::state::State;

/// Sees every event together with the state just before it.
pub trait Witness {
    /// Called once for each event, in order.
    fn witness(&mut self, before: &State, now: Instant, event: &Event);
}

impl Witness for Vec<Event> {
    fn witness(&mut self, _: &State, _: Instant, event: &Event) {
        self.push(event.clone());
    }
}
