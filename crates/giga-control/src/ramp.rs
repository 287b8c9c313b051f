//! How fast the power at a site's meter changes, within 15 seconds and within a minute.
//!
//! Power is taken as it is decided: what starts is at its ceiling at once, and cooling does not lag. So what is found bounds
//! what a meter would see from above.

use std::collections::VecDeque;

use giga_model::image;
use giga_units::{Duration, Instant, Power};

/// The largest changes of power within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ramp {
    /// The largest rise.
    pub up: Power,
    /// The largest fall, as a power.
    pub down: Power,
}
image! { struct Ramp { up, down } }

/// What a site's power did from moment to moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ramps {
    /// Within 15 seconds.
    pub quarter_minute: Ramp,
    /// Within a minute.
    pub minute: Ramp,
    /// How often a change within a minute was larger than what the site allows; those within a minute of another are one.
    pub over: u64,
}
image! { struct Ramps { quarter_minute, minute, over } }

const QUARTER: Duration = Duration::seconds(15);
const MINUTE: Duration = Duration::seconds(60);

/// Follows the power of one site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RampMeter {
    quarter: Reach,
    minute: Reach,
    over: u64,
    over_last: Option<Instant>,
}
image! { struct RampMeter { quarter, minute, over, over_last } }

impl RampMeter {
    /// Power that was held from one instant until a later one; spans come in their order. `most` is what may change in a
    /// minute.
    pub(crate) fn held(&mut self, power: Power, (from, until): (Instant, Instant), most: Option<Power>) {
        self.quarter.held(power, (from, until), QUARTER);
        let change = self.minute.held(power, (from, until), MINUTE);
        if most.is_some_and(|most| change > most) {
            let anew = self.over_last.is_none_or(|last| from.since(last) > MINUTE);
            self.over += u64::from(anew);
            self.over_last = Some(from);
        }
    }

    pub(crate) fn ramps(&self) -> Ramps {
        Ramps { quarter_minute: self.quarter.largest, minute: self.minute.largest, over: self.over }
    }
}

/// Powers that were held within reach of now, with the end of each: those that something later is below (or above) of are
/// dropped, so that the least (or most) is at the front.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Reach {
    least: VecDeque<(Instant, Power)>,
    most: VecDeque<(Instant, Power)>,
    largest: Ramp,
}
image! { struct Reach { least, most, largest } }

impl Reach {
    /// The larger of rise and fall to this power from any within the window.
    fn held(&mut self, power: Power, (from, until): (Instant, Instant), window: Duration) -> Power {
        let gone = |queue: &mut VecDeque<(Instant, Power)>| {
            while queue.front().is_some_and(|(end, _)| from.since(*end) > window) {
                queue.pop_front();
            }
            queue.front().map(|(_, known)| *known)
        };
        let rise = gone(&mut self.least).map_or(Power::ZERO, |least| power.saturating_sub(least));
        let fall = gone(&mut self.most).map_or(Power::ZERO, |most| most.saturating_sub(power));
        self.largest.up = self.largest.up.max(rise);
        self.largest.down = self.largest.down.max(fall);
        keep(&mut self.least, (until, power), |known| known >= power);
        keep(&mut self.most, (until, power), |known| known <= power);
        rise.max(fall)
    }
}

fn keep(queue: &mut VecDeque<(Instant, Power)>, held: (Instant, Power), is_passed: impl Fn(Power) -> bool) {
    while queue.back().is_some_and(|(_, known)| is_passed(*known)) {
        queue.pop_back();
    }
    queue.push_back(held);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::unix_milliseconds(seconds * 1000)
    }

    fn metered(spans: &[(i64, u64)], most: Option<Power>) -> Ramps {
        let (mut meter, mut from) = (RampMeter::default(), 0);
        for &(length, power) in spans {
            meter.held(Power::watts(power), (at(from), at(from + length)), most);
            from += length;
        }
        meter.ramps()
    }

    /// By every pair of spans.
    fn by_pairs(spans: &[(i64, u64)], window: i64) -> Ramp {
        let mut ends = Vec::new();
        let mut from = 0;
        for &(length, power) in spans {
            ends.push((from, from + length, power));
            from += length;
        }
        let mut largest = Ramp::default();
        for (index, &(from, _, power)) in ends.iter().enumerate() {
            for &(_, end, before) in ends[..index].iter().filter(|&&(_, end, _)| from - end <= window) {
                debug_assert!(end <= from);
                largest.up = largest.up.max(Power::watts(power.saturating_sub(before)));
                largest.down = largest.down.max(Power::watts(before.saturating_sub(power)));
            }
        }
        largest
    }

    #[test]
    fn a_rise_counts_from_the_least_within_reach() {
        let ramps = metered(&[(100, 10), (10, 30), (10, 20), (40, 60), (100, 5)], Some(Power::watts(45)));
        assert_eq!(ramps.quarter_minute, Ramp { up: Power::watts(40), down: Power::watts(55) });
        assert_eq!(ramps.minute, Ramp { up: Power::watts(50), down: Power::watts(55) });
        assert_eq!(ramps.over, 1, "the fall comes within a minute of the rise");
        assert_eq!(
            metered(&[(100, 10)], Some(Power::ZERO)),
            Ramps::default(),
            "the first power is no change"
        );
    }

    proptest! {
        #[test]
        fn it_is_the_largest_of_all_pairs(spans in prop::collection::vec((1_i64..40, 0_u64..9), 1..60)) {
            let ramps = metered(&spans, None);
            prop_assert_eq!(ramps.quarter_minute, by_pairs(&spans, 15));
            prop_assert_eq!(ramps.minute, by_pairs(&spans, 60));
        }
    }
}
