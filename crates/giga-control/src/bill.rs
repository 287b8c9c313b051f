//! What running work draws, and what that comes to in energy, carbon and money.

use giga_model::{Federation, Site, image};
use giga_scheduler::{Job, Need, Pace};
use giga_units::{Carbon, Duration, Energy, EnergyMeter, Fraction, Instant, Money, Power};

use crate::meter::HOUR;

/// What a job draws above idle at a pace.
pub(crate) fn job_draw(job: &Job, need: &Need, pace: Pace) -> Power {
    draw_of(job.draw, need).min(pace.power(need.power))
}

fn draw_of(draw: Fraction, need: &Need) -> Power {
    draw.min(Fraction::ONE).of(need.power)
}

/// The part of its speed that work loses at a pace, in millionths.
pub(crate) fn lost_speed(pace: Pace) -> u64 {
    let whole = Fraction::ONE.as_ppm();
    match pace {
        Pace::Full => 0,
        Pace::Capped { speed, .. } => whole.saturating_sub(speed.as_ppm()),
        Pace::Suspended => whole,
    }
}

/// What an attempt used in a time.
pub(crate) struct Used {
    /// At the meter.
    pub(crate) energy: EnergyMeter,
    pub(crate) carbon: Carbon,
    /// Electricity and carbon.
    pub(crate) power_cost: Money,
    /// µEUR times milliseconds per hour.
    pub(crate) capital: i128,
}

impl Used {
    /// Of so much above idle between two instants, at the mean price and intensity of that time.
    pub(crate) fn of(
        federation: &Federation,
        need: &Need,
        drawn: Power,
        (from, to): (Instant, Instant),
    ) -> Self {
        let (held, elapsed) = (u64::from(need.held()), to.since(from));
        let kind = federation.accelerator_of(need.pool);
        let site = &federation.sites[federation.pools[need.pool.index()].site.index()];
        let idle = kind.node_idle.times(held).split(u64::from(kind.per_node));
        let energy = site.mean_factor(from, to).of(idle + drawn).over(elapsed);
        let (carbon, power_cost) = price(federation, site, energy.energy(), (from, to));
        let rate = kind.cost_per_hour.as_microeuro() * i128::from(held);
        Self { energy, carbon, power_cost, capital: rate * i128::from(elapsed.as_milliseconds()) }
    }
}

/// Carbon of some energy, and the price of both, at the means between two instants.
pub(crate) fn price(
    federation: &Federation,
    site: &Site,
    energy: Energy,
    (from, to): (Instant, Instant),
) -> (Carbon, Money) {
    let carbon = energy.emission(site.mean_intensity(from, to));
    (carbon, energy.cost(site.mean_price(from, to)) + federation.carbon_price.cost(carbon))
}

/// What a job is charged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bill {
    /// At the meter.
    pub energy: Energy,
    /// From the energy.
    pub carbon: Carbon,
    /// Electricity, carbon and capital.
    pub cost: Money,
}
image! { struct Bill { energy, carbon, cost } }

impl Bill {
    /// What holding accelerators in one of a job's ways from an instant on comes to, at full pace.
    #[must_use]
    pub fn of(
        federation: &Federation,
        need: &Need,
        draw: Fraction,
        from: Instant,
        elapsed: Duration,
    ) -> Self {
        let used = Used::of(federation, need, draw_of(draw, need), (from, from + elapsed));
        let cost = used.power_cost + per_hour(used.capital);
        Self { energy: used.energy.energy(), carbon: used.carbon, cost }
    }
}

/// µEUR-milliseconds per hour as money.
pub(crate) fn per_hour(capital: i128) -> Money {
    let hour = i128::from(HOUR.as_milliseconds());
    Money::microeuro(capital / hour)
}
