//! What batteries and engines add while the grid gives less.
//!
//! It is decided before a run, from what is described, so that the scheduler knows the power that there is; after the run the
//! [supply](super::Sourcing) says whether it was there, and what it cost.

use giga_facility::quantity::{Joules, Seconds, Watts};
use giga_facility::supply::Battery;
use giga_model::{GridLimit, Site};
use giga_units::{Instant, Power};

use super::Sourcing;

/// What a reserve has left, seen from the site.
struct Reserve<'a> {
    battery: &'a Battery,
    /// The most that it gives.
    full: Joules,
    left: Joules,
    /// When it last gave something.
    until: Option<Instant>,
}

impl Sourcing {
    /// Limits with what is added to them; each is as long as it was.
    ///
    /// A battery gives its reserve evenly over all limits that follow each other, and charges between them with all its power; engines
    /// give what they can throughout where they are there for that. No limit is raised above what is open of the connection.
    #[must_use]
    pub fn bridged(&self, site: &Site, limits: &[GridLimit]) -> Vec<GridLimit> {
        let parts = self.supply.parts();
        let engines = parts.backup.filter(|_| self.backup_bridges).map_or(Watts::ZERO, |backup| backup.power);
        let mut reserves: Vec<Reserve<'_>> =
            parts.batteries.iter().map(|battery| self.reserve_of(battery)).collect();
        let mut bridged = Vec::with_capacity(limits.len());
        for call in limits.chunk_by(|a, b| a.until == b.from) {
            let Some((from, until)) = call.first().zip(call.last()).map(|(a, b)| (a.from, b.until)) else {
                continue;
            };
            let batteries: Watts = reserves.iter_mut().map(|reserve| reserve.give(from, until)).sum();
            let added = Power::milliwatts(((engines + batteries).0 * 1e3) as u64);
            bridged.extend(call.iter().map(|limit| {
                let open = site.open_at(limit.from).max(limit.power);
                GridLimit { power: (limit.power + added).min(open), ..*limit }
            }));
        }
        bridged
    }

    fn reserve_of<'a>(&self, battery: &'a Battery) -> Reserve<'a> {
        let full = battery.capacity * self.reserve.clamp(0.0, 1.0);
        let left = full.min(battery.begin) * battery.discharge_efficiency;
        Reserve { battery, full: full * battery.discharge_efficiency, left, until: None }
    }
}

impl Reserve<'_> {
    /// The power that it gives from then until then.
    fn give(&mut self, from: Instant, until: Instant) -> Watts {
        let battery = self.battery;
        let seconds =
            |from: Instant, until: Instant| Seconds(until.since(from).as_milliseconds() as f64 / 1e3);
        if let Some(last) = self.until {
            let charged = battery.charge * seconds(last, from) * battery.charge_efficiency;
            self.left = (self.left + charged * battery.discharge_efficiency).min(self.full);
        }
        let length = seconds(from, until);
        let power = battery.discharge.min(self.left / length);
        self.left = (self.left - power * length).max(Joules::ZERO);
        self.until = Some(until);
        power
    }
}
