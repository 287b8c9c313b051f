//! A limit by hand: what it stands in for, and what it is at its beginning.

use giga_control::calendar;
use giga_control::energy::Plant;
use giga_model::{Federation, GridLimit, SiteId};
use giga_scheduler::{Input, State};
use giga_units::{Instant, Power};

/// What the grid gives a site, and until when.
type Given = Option<(Power, Instant)>;

/// The limit of a site, and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct On {
    pub(super) limit: Given,
    pub(super) behind: Given,
}

impl On {
    /// As the state has it.
    pub(super) fn of(state: &State, site: SiteId) -> Self {
        Self { limit: state.limit(site), behind: state.limit_behind(site) }
    }

    /// As it is behind an input; one that is due ends by time, and gives way to what follows.
    pub(super) fn after(self, site: SiteId, input: &Input, is_due: bool) -> Self {
        match *input {
            Input::LimitFalls { site: of, power, until } if of == site => {
                Self { limit: Some((power, until)), behind: None }
            }
            Input::LimitFollows { site: of, power, until } if of == site => {
                Self { behind: Some((power, until)), ..self }
            }
            Input::LimitEnds { site: of } if of == site => {
                Self { limit: self.behind.filter(|_| is_due), behind: None }
            }
            _ => self,
        }
    }

    /// The one that lasts: what is on only at the beginning of a limit is a part of that.
    pub(super) fn lasting(self) -> Given {
        self.behind.or(self.limit)
    }

    /// What brings a limit about. Where the plant of before needs more than is left for it, the site gets less at first.
    pub(super) fn falls(
        self,
        federation: &Federation,
        site: SiteId,
        limit: GridLimit,
        plant: Option<&Plant>,
    ) -> Vec<Input> {
        let GridLimit { power, until, .. } = limit;
        if self.behind == Some((power, until)) {
            return vec![Input::LimitFollows { site, power, until }];
        }
        let first = plant.and_then(|plant| {
            let before = self.before(federation, site, limit.from, plant);
            plant.first(&federation.sites[site.index()], limit, before)
        });
        let Some(first) = first else { return vec![Input::LimitFalls { site, power, until }] };
        let mut inputs = vec![Input::LimitFalls { site, power: first.power, until: first.until }];
        if first.until < until {
            inputs.push(Input::LimitFollows { site, power, until });
        }
        inputs
    }

    /// The most that the site might have drawn within the lag of its plant.
    fn before(self, federation: &Federation, site: SiteId, now: Instant, plant: &Plant) -> Power {
        let described = calendar::limit_described(federation, site, now);
        let is_new = described.is_some_and(|limit| limit.from > now - plant.lag());
        match self.limit {
            Some((power, _)) if self.behind.is_none() && !is_new => power,
            _ => federation.sites[site.index()].open_at(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use giga_formats::description::{self, Description};
    use giga_units::Duration;

    use super::*;

    const SITE: SiteId = SiteId(0);

    fn cooled() -> Description {
        let text = r#"
            format = 1
            name = "one"
            start = 2027-01-01
            [[site]]
            name = "lyon"
            country = "FR"
            cooling = { kind = "warm-water" }
            [[site.phase]]
            power = "1 MW"
            [[site.phase.pool]]
            name = "main"
            accelerator = "GB300-NVL72"
            accelerators = 360
        "#;
        description::read("one.toml", text).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn kilowatts(count: u64) -> Power {
        Power::watts(count * 1_000)
    }

    #[test]
    fn a_limit_by_hand_leaves_room_for_the_plant_of_before() {
        let Description { federation, works, .. } = cooled();
        let plant = works[0].plant.as_ref().expect("it has one");
        let noon = federation.start + Duration::hours(12);
        let nothing = On { limit: None, behind: None };
        let after =
            |on: On, inputs: &[Input]| inputs.iter().fold(on, |on, input| on.after(SITE, input, false));
        let falls = |on: On, minutes: i64, power, hours| {
            let from = noon + Duration::seconds(60 * minutes);
            let limit = GridLimit { from, until: noon + Duration::hours(hours), power: kilowatts(power) };
            on.falls(&federation, SITE, limit, Some(plant))
        };
        let until = noon + Duration::hours(2);
        let lasting = Some((kilowatts(300), until));
        let both = falls(nothing, 0, 300, 2);
        let on = after(nothing, &both);
        let Some((first, rest)) = on.limit else { panic!("{both:?}") };
        assert_eq!((on.behind, on.lasting()), (lasting, lasting));
        assert!(first < kilowatts(300) && first > kilowatts(280), "{first:?}");
        assert_eq!(rest, noon + plant.lag());
        // The same again, and longer while that begins: what is to be cooled is that of before.
        assert_eq!(after(on, &falls(on, 1, 300, 2)), on);
        assert!(after(on, &falls(on, 1, 300, 3)).limit.is_some_and(|(power, _)| power < kilowatts(300)));
        // Once the plant has followed, a longer one needs no room for more, and a lower one does.
        let on = on.after(SITE, &Input::LimitEnds { site: SITE }, true);
        assert_eq!(on, On { limit: lasting, behind: None });
        let longer =
            Input::LimitFalls { site: SITE, power: kilowatts(300), until: noon + Duration::hours(3) };
        assert_eq!(falls(on, 60, 300, 3), [longer]);
        assert_eq!(falls(on, 60, 60, 3).len(), 2);
        // Ended by hand, all of it is over.
        let on = after(nothing, &both);
        assert_eq!(on.after(SITE, &Input::LimitEnds { site: SITE }, false), nothing);
        // Above the connection it changes nothing, and a site without a plant has no lag.
        assert_eq!(falls(nothing, 0, 5_000, 2).len(), 1);
        let limit = GridLimit { from: noon, until, power: kilowatts(300) };
        let plain = Input::LimitFalls { site: SITE, power: limit.power, until };
        assert_eq!(nothing.falls(&federation, SITE, limit, None), [plain]);
        // One that is over before the plant has followed is as low all the time.
        let short = GridLimit { until: noon + Duration::seconds(300), ..limit };
        let short = nothing.falls(&federation, SITE, short, Some(plant));
        let [Input::LimitFalls { power, until, .. }] = short.as_slice() else { panic!("{short:?}") };
        assert_eq!((*power, *until), (first, noon + Duration::seconds(300)));
    }
}
