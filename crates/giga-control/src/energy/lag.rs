//! Cooling follows a cut with delay: what a loop still holds has to be cooled while the nodes draw less already.
//!
//! So where the grid begins to give less, a site may at first draw only what leaves room for its plant as it was before. It is taken to
//! have drawn all that it might, which is the most that there can be to cool.

use giga_facility::Inputs;
use giga_facility::cooling::Circuit;
use giga_facility::quantity::{Seconds, Watts};
use giga_model::{GridLimit, Overhead, Site};
use giga_units::{Duration, Power};

use super::{Plant, air};

/// After so many of its delays a loop has given off 99.3 % of what it held more.
const DELAYS: f64 = 5.0;

impl Plant {
    /// What a limit is at its beginning, where a site might have drawn `before` until then; `None` where the plant of before fits.
    #[must_use]
    pub fn first(&self, site: &Site, limit: GridLimit, before: Power) -> Option<GridLimit> {
        if limit.power >= before {
            return None;
        }
        let outside = air(site.weather.as_ref()?, limit.from)?;
        let inputs = Inputs { working: self.working(limit.from), ..Inputs::new(Watts::ZERO, &outside) };
        let line: Overhead = site.overhead_at(limit.from);
        let drawn = Watts::from(line.undo(before).min(self.nodes));
        let plant = self.facility.draw_with(&Inputs { nodes: drawn, ..inputs }).plant();
        let shown = |nodes: Watts| self.facility.chain().supply(nodes, plant).meter;
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
        Some(GridLimit { until: (limit.from + self.lag()).min(limit.until), power, ..limit })
    }

    /// How long the plant of before counts.
    #[must_use]
    pub fn lag(&self) -> Duration {
        let plant = self.facility.plant();
        let delay = |circuit: &Circuit| circuit.inertia * circuit.rise / circuit.rated;
        let longest = plant.liquid.iter().chain(std::iter::once(&plant.room)).map(delay);
        let Seconds(longest) = longest.fold(Seconds::ZERO, Seconds::max);
        Duration::milliseconds((longest * DELAYS * 1e3).ceil() as i64)
    }
}
