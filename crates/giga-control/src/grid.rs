//! What limits of the grid did to work.

use giga_model::{ProgrammeId, image};
use giga_scheduler::Pace;
use giga_units::{AcceleratorTime, Duration, Energy, Power};

/// Within which time an order to draw less is carried out: from then on a site is at or below its limit. Demonstrations with
/// accelerators took up to 30 s for a third of the power; an order to cap or to stop a process takes a second or two.
pub(crate) const CUT_WITHIN: Duration = Duration::seconds(10);

/// What limits of the grid did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GridSums {
    /// Limits that fell.
    pub events: u64,
    /// Energy above the limit until the orders were carried out, at most: what was drawn above it when it fell, over ten seconds.
    pub excess_at_most: Energy,
    /// How often a running job was capped.
    pub capped: u64,
    /// How often one was suspended.
    pub suspended: u64,
    /// How often one lost its nodes.
    pub preempted: u64,
    /// Limits below what protected work and idle nodes draw.
    pub shorts: u64,
    /// The most power that was missing at the meter of a site.
    pub short_most: Power,
    /// What the work of each programme lost: slowed, suspended or undone.
    pub lost: Vec<AcceleratorTime>,
}
image! { struct GridSums { events, excess_at_most, capped, suspended, preempted, shorts, short_most, lost } }

impl GridSums {
    pub(crate) fn new(programmes: usize) -> Self {
        Self { lost: vec![AcceleratorTime::ZERO; programmes], ..Self::default() }
    }
    pub(crate) fn limited(&mut self, excess: Energy) {
        self.events += 1;
        self.excess_at_most += excess;
    }
    pub(crate) fn short(&mut self, missing: Power) {
        self.shorts += 1;
        self.short_most = self.short_most.max(missing);
    }
    pub(crate) fn pace(&mut self, pace: Pace) {
        match pace {
            Pace::Full => {}
            Pace::Capped { .. } => self.capped += 1,
            Pace::Suspended => self.suspended += 1,
        }
    }
    pub(crate) fn lost(&mut self, programme: ProgrammeId, time: AcceleratorTime) {
        self.lost[programme.index()] += time;
    }
}
