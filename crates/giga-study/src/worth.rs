//! What one more megawatt at a site is worth: pairs of runs with a little more and a little less of it, and the same chance.
//!
//! Half the difference of a pair estimates the slope at what is there, and errors of second order cancel. One pair alone says
//! little, since a run that differs once differs ever after; several pairs with other seeds say how sure the mean is.

use giga_control::Summary;
use giga_model::{Federation, SiteId};
use giga_units::Power;

/// Which way the connection of a site is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Less power.
    Less,
    /// More power.
    More,
}

/// The federation with so much more or less power at a site from its first phase on; `None` where there is no such site, it has
/// no phase, or nothing would be left of the first.
#[must_use]
pub fn with_power(federation: &Federation, site: SiteId, change: Change, by: Power) -> Option<Federation> {
    let mut changed = federation.clone();
    let phase = changed.sites.get_mut(site.index())?.phases.first_mut()?;
    phase.power = match change {
        Change::More => phase.power + by,
        Change::Less => Some(phase.power.saturating_sub(by)).filter(|left| *left > Power::ZERO)?,
    };
    Some(changed)
}

/// What a run came to, as far as power is concerned, over all sites.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Accelerator-hours that counted.
    pub delivered: f64,
    /// Euro: electricity, carbon and capital.
    pub cost: f64,
}

impl Outcome {
    /// Of a run.
    #[must_use]
    pub fn of(summary: &Summary) -> Self {
        Self { delivered: summary.time.delivered.as_hours_f64(), cost: summary.cost.as_euro_f64() }
    }
}

/// Runs with the same chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The seed of their chance.
    pub seed: u64,
    /// With less power.
    pub less: Outcome,
    /// With more.
    pub more: Outcome,
}

/// A mean with its standard error; that is `None` of a single figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// How far it may be off: standard deviation over the root of the count.
    pub error: Option<f64>,
}

impl Estimate {
    /// Of these figures; `None` of none.
    #[must_use]
    pub fn of(figures: &[f64]) -> Option<Self> {
        let count = figures.len() as f64;
        let mean = figures.iter().sum::<f64>() / count;
        let error = (figures.len() > 1).then(|| {
            let squares: f64 = figures.iter().map(|figure| (figure - mean) * (figure - mean)).sum();
            (squares / (count - 1.0) / count).sqrt()
        });
        (!figures.is_empty()).then_some(Self { mean, error })
    }
}

/// What a megawatt more at a site comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Worth {
    /// By how much power each run of a pair differs from what is there.
    pub by: Power,
    /// The runs.
    pub pairs: Vec<Pair>,
    /// Accelerator-hours that a megawatt more delivers.
    pub delivered: Estimate,
    /// Euro that it costs more.
    pub cost: Estimate,
}

impl Worth {
    /// From pairs of runs; `None` where there is none, or they do not differ in power.
    #[must_use]
    pub fn of(by: Power, pairs: Vec<Pair>) -> Option<Self> {
        let megawatts = 2.0 * by.as_megawatts_f64();
        let slope = |of: fn(&Outcome) -> f64| {
            let each = pairs.iter().map(|pair| (of(&pair.more) - of(&pair.less)) / megawatts);
            Estimate::of(&each.collect::<Vec<f64>>())
        };
        let (delivered, cost) = (slope(|of| of.delivered)?, slope(|of| of.cost)?);
        (by > Power::ZERO).then_some(Self { by, pairs, delivered, cost })
    }
}

#[cfg(test)]
mod tests {
    use giga_model::sample;

    use super::*;

    #[test]
    fn a_slope_is_half_the_difference_for_each_megawatt() {
        let of = |delivered: f64, cost: f64| Outcome { delivered, cost };
        let pair = |seed, more: f64| Pair { seed, less: of(100.0, 10.0), more: of(100.0 + more, 14.0) };
        let worth = Worth::of(Power::megawatts(2), vec![pair(1, 40.0), pair(2, 80.0)]).expect("two pairs");
        assert_eq!(worth.delivered, Estimate { mean: 15.0, error: Some(5.0) });
        assert_eq!(worth.cost, Estimate { mean: 1.0, error: Some(0.0) });
        let one = Worth::of(Power::megawatts(2), vec![pair(1, 40.0)]).expect("a pair");
        assert_eq!(one.delivered, Estimate { mean: 10.0, error: None });
        assert_eq!(Worth::of(Power::megawatts(2), Vec::new()), None);
        assert_eq!(Worth::of(Power::ZERO, vec![pair(1, 40.0)]), None);
    }

    #[test]
    fn power_changes_at_one_site_from_the_first_phase_on() {
        let mut federation = sample::empty();
        let site = sample::add_site(&mut federation, "north", &[(sample::accelerator("gb300", 4, 18), 2)]);
        let other = sample::add_site(&mut federation, "south", &[(sample::accelerator("gb200", 4, 18), 2)]);
        let (by, was) = (Power::watts(1_000), federation.sites[site.index()].phases[0].power);
        let changed = |change, by| with_power(&federation, site, change, by);
        let more = changed(Change::More, by).expect("a site");
        assert_eq!(more.sites[site.index()].phases[0].power, was + by);
        assert_eq!(more.sites[other.index()], federation.sites[other.index()]);
        let less = changed(Change::Less, by).expect("a site");
        assert_eq!(less.sites[site.index()].phases[0].power + by, was);
        assert!(changed(Change::Less, was).is_none(), "nothing would be left");
        assert!(with_power(&federation, SiteId::at(7), Change::More, by).is_none());
    }
}
