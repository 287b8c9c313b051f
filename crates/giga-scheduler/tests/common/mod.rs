//! A scheduler that is told things at whole hours.

use giga_scheduler::{Event, Input, Scheduler};
use giga_units::{Duration, Instant};

pub(crate) fn hour(hours: i64) -> Instant {
    Instant::unix_milliseconds(0) + Duration::hours(hours)
}

/// What inputs of one instant lead to, the look at the queues behind them included.
pub(crate) fn tell(scheduler: &mut Scheduler, at: i64, inputs: Vec<Input>) -> Vec<Event> {
    let mut events = Vec::new();
    inputs.iter().chain([&Input::Schedule]).for_each(|input| scheduler.advance(hour(at), input, &mut events));
    events
}
