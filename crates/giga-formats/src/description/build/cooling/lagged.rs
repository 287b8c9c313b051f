//! Cooling follows a cut with delay: what a loop still holds has to be cooled while the nodes draw less already.
//!
//! So where the grid begins to give less, the site may at first draw only what leaves room for its plant as it was before. The site is taken
//! to have drawn all that it might, which is the most that there can be to cool.

use giga_control::energy::air;
use giga_facility::Inputs;
use giga_facility::cooling::Circuit;
use giga_facility::quantity::{Seconds, Watts};
use giga_model::{GridLimit, Overhead, Site};
use giga_units::{Duration, Instant, Power};

use super::Cooled;

/// After so many of its delays a loop has given off 99.3 % of what it held more.
const DELAYS: f64 = 5.0;

impl Cooled {
    /// The limits of a site, each lower at its beginning where it is lower than what was there before.
    pub(in crate::description::build) fn lagged(&self, site: &Site, limits: &[GridLimit]) -> Vec<GridLimit> {
        let mut lagged = Vec::with_capacity(limits.len());
        for (index, limit) in limits.iter().enumerate() {
            let before = self.before(site, &limits[..index], limit.from);
            let first = if limit.power < before { self.first(site, limit, before) } else { None };
            let rest = first.as_ref().map_or(limit.from, |first| first.until);
            lagged.extend(first);
            if rest < limit.until {
                lagged.push(GridLimit { from: rest, ..*limit });
            }
        }
        lagged
    }

    /// The most that the site might have drawn within the lag before.
    fn before(&self, site: &Site, earlier: &[GridLimit], from: Instant) -> Power {
        let since = from - self.lag();
        let (mut most, mut covered) = (Power::ZERO, from);
        for limit in earlier.iter().rev() {
            if covered <= since {
                return most;
            }
            if limit.until < covered {
                break;
            }
            (most, covered) = (most.max(limit.power), limit.from);
        }
        if covered <= since { most } else { site.open_at(from) }
    }

    /// What a limit is at its beginning; `None` where the plant of before fits.
    fn first(&self, site: &Site, limit: &GridLimit, before: Power) -> Option<GridLimit> {
        let inputs = Inputs {
            working: self.plant.working(limit.from),
            ..Inputs::new(Watts::ZERO, &air(site.weather.as_ref()?, limit.from)?)
        };
        let line: Overhead = site.overhead_at(limit.from);
        let drawn = Watts::from(line.undo(before).min(self.grid.nodes.most));
        let plant = self.plant.facility.draw_with(&Inputs { nodes: drawn, ..inputs }).plant();
        let shown = |nodes: Watts| self.plant.facility.chain().supply(nodes, plant).meter;
        let (most, meter) = (Watts::from(line.undo(limit.power)), Watts::from(limit.power));
        if shown(most) <= meter {
            return None;
        }
        let (mut fits, mut over) = (Watts::ZERO, most);
        for _ in 0..40 {
            let middle = (fits + over) * 0.5;
            if shown(middle) <= meter { fits = middle } else { over = middle }
        }
        // Rounded down, so that what the line leaves is no more than what fits.
        let power = line.of(Power::milliwatts((fits.0 * 1e3) as u64)).min(limit.power);
        Some(GridLimit { from: limit.from, until: (limit.from + self.lag()).min(limit.until), power })
    }

    /// How long the plant of before counts.
    fn lag(&self) -> Duration {
        let plant = self.plant.facility.plant();
        let delay = |circuit: &Circuit| circuit.inertia * circuit.rise / circuit.rated;
        let longest = plant.liquid.iter().chain(std::iter::once(&plant.room)).map(delay);
        let Seconds(longest) = longest.fold(Seconds::ZERO, Seconds::max);
        Duration::milliseconds((longest * DELAYS * 1e3).ceil() as i64)
    }
}
