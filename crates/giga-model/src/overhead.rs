//! What a building draws in all for what its nodes draw, hour by hour.

use giga_units::{Duration, Fraction, Instant, Power};

use crate::federation::Site;
use crate::image;
use crate::series::Series;

/// What a site draws at the meter for what its nodes draw, as a line: a part that is there as soon as anything is on, and a part in
/// proportion. Whoever makes one sees to it that a building never draws more than its line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overhead {
    /// There as soon as anything is on: pumps, lights, fans at their least.
    pub base: Power,
    /// At the meter for each power of the nodes; at least one.
    pub factor: Fraction,
}
image! { struct Overhead { base, factor } }

impl Default for Overhead {
    /// The meter shows what the nodes draw.
    fn default() -> Self {
        Self::of_factor(Fraction::ONE)
    }
}

impl Overhead {
    /// In proportion alone.
    #[must_use]
    pub fn of_factor(factor: Fraction) -> Self {
        Self { base: Power::ZERO, factor }
    }

    /// What the meter shows for what the nodes draw, rounded up; nothing where nothing is on.
    #[must_use]
    pub fn of(self, nodes: Power) -> Power {
        if nodes == Power::ZERO { nodes } else { self.base + self.factor.of(nodes) }
    }

    /// What the nodes may draw so that the meter shows no more than `meter`, rounded down.
    ///
    /// # Panics
    /// Panics where the factor is zero.
    #[must_use]
    pub fn undo(self, meter: Power) -> Power {
        self.factor.undo(meter.saturating_sub(self.base))
    }
}

/// The lines of a site over time, which begin again behind their end as a [`Series`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overheads {
    /// In mW.
    base: Series,
    /// In millionths.
    factor: Series,
}

impl Overheads {
    /// A line for each `step` from `first` on; `None` where there is none, or the step is not above zero.
    ///
    /// # Panics
    /// Panics where a factor is below one.
    #[must_use]
    pub fn new(first: Instant, step: Duration, lines: &[Overhead]) -> Option<Self> {
        assert!(lines.iter().all(|line| line.factor >= Fraction::ONE), "a meter shows what its nodes draw");
        let whole = |count: u64| i64::try_from(count).expect("a power or factor stays inside its range");
        let base = lines.iter().map(|line| whole(line.base.as_milliwatts())).collect();
        let factor = lines.iter().map(|line| whole(line.factor.as_ppm())).collect();
        Some(Self { base: Series::new(first, step, base)?, factor: Series::new(first, step, factor)? })
    }

    /// The same with others behind the last line.
    #[must_use]
    pub fn followed_by(self, behind: Self) -> Self {
        let Self { base, factor } = self;
        Self { base: base.followed_by(behind.base), factor: factor.followed_by(behind.factor) }
    }

    /// The line that holds at an instant.
    #[must_use]
    pub fn at(&self, at: Instant) -> Overhead {
        let count = |series: &Series| u64::try_from(series.at(at)).expect("it was made of one above zero");
        Overhead { base: Power::milliwatts(count(&self.base)), factor: Fraction::ppm(count(&self.factor)) }
    }

    /// The mean factor between two instants, rounded down.
    #[must_use]
    pub fn mean_factor(&self, from: Instant, to: Instant) -> Fraction {
        Fraction::ppm(u64::try_from(self.factor.mean(from, to)).expect("it was made of those above zero"))
    }

    /// Every line, in order, with those that go on behind the last.
    pub fn lines(&self) -> impl Iterator<Item = Overhead> + '_ {
        let count = |value: &i64| u64::try_from(*value).expect("it was made of one above zero");
        let parts = |series| std::iter::successors(Some(series), |series: &&Series| series.behind());
        let values = move |series| parts(series).flat_map(Series::values);
        let lines = values(&self.base).zip(values(&self.factor));
        lines.map(move |(base, factor)| Overhead {
            base: Power::milliwatts(count(base)),
            factor: Fraction::ppm(count(factor)),
        })
    }
}

impl Site {
    /// What the building draws in all from an instant on, until the hour turns.
    #[must_use]
    pub fn overhead_at(&self, at: Instant) -> Overhead {
        let known = self.overheads.as_ref().map(|hours| hours.at(at));
        known.unwrap_or(Overhead::of_factor(self.facility_factor))
    }

    /// Power at the meter for each power of the nodes, on average between two instants.
    #[must_use]
    pub fn mean_factor(&self, from: Instant, to: Instant) -> Fraction {
        self.overheads.as_ref().map_or(self.facility_factor, |hours| hours.mean_factor(from, to))
    }

    /// What the meter shows at the most for what the nodes draw, whatever the hour.
    #[must_use]
    pub fn shown_at_most(&self, nodes: Power) -> Power {
        let known = self.overheads.as_ref().and_then(|hours| hours.lines().map(|line| line.of(nodes)).max());
        known.unwrap_or_else(|| self.facility_factor.of(nodes))
    }

    /// What the nodes may draw under so much at the meter, whatever the hour.
    #[must_use]
    pub fn room_at_least(&self, meter: Power) -> Power {
        let known =
            self.overheads.as_ref().and_then(|hours| hours.lines().map(|line| line.undo(meter)).min());
        known.unwrap_or_else(|| self.facility_factor.undo(meter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_never_undone_to_more_than_it_made() {
        let line = Overhead { base: Power::watts(300_000), factor: Fraction::ppm(1_037_913) };
        for nodes in [1, 7, 999_999, 123_456_789_012].map(Power::milliwatts) {
            let meter = line.of(nodes);
            let back = line.undo(meter);
            assert!(line.of(back) <= meter && back >= nodes, "{nodes} gave {meter}, and that {back}");
        }
        assert_eq!((line.of(Power::ZERO), line.undo(Power::watts(200_000))), (Power::ZERO, Power::ZERO));
    }

    #[test]
    fn a_line_holds_for_its_hour() {
        let first = Instant::unix_milliseconds(0);
        let lines = [(0, 1_400_000), (90_000, 1_050_000), (500_000, 1_010_000)];
        let lines =
            lines.map(|(base, ppm)| Overhead { base: Power::watts(base), factor: Fraction::ppm(ppm) });
        let hours = Overheads::new(first, Duration::hours(1), &lines).expect("it has lines");
        assert_eq!(hours.at(first + Duration::seconds(3_660)), lines[1]);
        assert_eq!(hours.at(first - Duration::hours(1)), lines[2]);
        assert_eq!(hours.mean_factor(first, first + Duration::hours(2)), Fraction::ppm(1_225_000));
        assert!(hours.lines().eq(lines));
        let joined = Overheads::new(first, Duration::hours(1), &lines[..1]).expect("it has one");
        let joined = joined.followed_by(hours);
        assert!(joined.lines().eq([lines[0], lines[0], lines[1], lines[2]]));
        assert_eq!(joined.at(first + Duration::hours(1)), lines[1]);
        assert_eq!(Overheads::new(first, Duration::hours(1), &[]), None);
    }
}
