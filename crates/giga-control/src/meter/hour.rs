//! The sums of one hour at a site, and its row.

use giga_model::{Federation, SiteId, image};
use giga_scheduler::{Lack, State};
use giga_units::{AcceleratorTime, Duration, EnergyMeter, Instant, Power};

use super::{Gauges, HOUR};
use crate::bill::{per_hour, price};
use crate::record::{HourRecord, TimeUse};

/// The sums of the running hour at a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hour {
    pub(super) time: TimeUse,
    pub(super) energy: EnergyMeter,
    /// Of it, what the nodes drew.
    pub(super) node_energy: EnergyMeter,
    peak: Power,
    /// µEUR times milliseconds per hour, so that parts of an hour lose nothing.
    capital: i128,
}
image! { struct Hour { time, energy, node_energy, peak, capital } }

impl Hour {
    /// A span in which all gauges stood still, with the power at the meter.
    pub(super) fn add(&mut self, gauges: &Gauges, power: Power, duration: Duration) {
        let over = |accelerators: u64| AcceleratorTime::of(accelerators, duration);
        let idle = gauges.installed - gauges.down - gauges.held;
        let blocked = if gauges.closed { 0 } else { idle.min(gauges.wanted) };
        let blocked_by = |lack| if gauges.lack == lack { blocked } else { 0 };
        let (out, free) = if gauges.closed { (idle, 0) } else { (0, idle - blocked) };
        let excess = gauges.held - gauges.asked;
        let slower = over(gauges.slowed).as_milliseconds() / 1_000_000;
        let slower = AcceleratorTime::milliseconds(slower);
        self.time += TimeUse {
            installed: over(gauges.installed),
            delivered: over(gauges.asked) - slower,
            no_work: over(free),
            fragmentation: over(blocked_by(Lack::Room) + excess),
            power: over(blocked_by(Lack::Power)) + slower,
            failure: over(gauges.down),
            maintenance: over(out + blocked_by(Lack::Time)),
            recall: AcceleratorTime::ZERO,
        };
        self.energy += power.over(duration);
        self.node_energy += gauges.nodes_power().over(duration);
        self.peak = self.peak.max(power);
        self.capital += gauges.capital.as_microeuro() * i128::from(duration.as_milliseconds());
    }

    pub(super) fn record(
        &self,
        federation: &Federation,
        site: SiteId,
        hour: Instant,
        state: &State,
    ) -> HourRecord {
        let (about, energy) = (&federation.sites[site.index()], self.energy.energy());
        let (carbon, power_cost) = price(federation, about, energy, (hour, hour + HOUR));
        let queued = state.queued(federation, site);
        HourRecord {
            hour,
            site,
            time: self.time,
            energy,
            node_energy: self.node_energy.energy(),
            peak: self.peak,
            cost: power_cost + per_hour(self.capital),
            carbon,
            running: state.running(site) - queued,
            waiting: state.waiting(site),
        }
    }
}
