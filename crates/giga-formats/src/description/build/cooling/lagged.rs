//! Limits of a description that leave room at first for the plant of before.

use giga_model::{GridLimit, Site};
use giga_units::{Instant, Power};

use super::Cooled;

impl Cooled {
    /// The limits of a site, each lower at its beginning where it is lower than what was there before.
    pub(in crate::description::build) fn lagged(&self, site: &Site, limits: &[GridLimit]) -> Vec<GridLimit> {
        let mut lagged = Vec::with_capacity(limits.len());
        for (index, limit) in limits.iter().enumerate() {
            let first = self.plant.first(site, *limit, self.before(site, &limits[..index], limit.from));
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
        let since = from - self.plant.lag();
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
}
