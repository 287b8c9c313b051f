//! Data with its holder, its places and what may be done with it; how far a site is assured; what connects the sites.

use giga_units::{Bytes, DataRate, Duration, Money};

use crate::federation::Country;
use crate::ids::SiteId;

/// How far sovereignty over a site is assured: the Union assurance levels 1 to 4 of the proposal COM(2026) 502, the
/// higher the stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Assurance(u8);

impl Assurance {
    /// The lowest level.
    pub const LOWEST: Self = Self(1);

    /// A level from 1 to 4.
    #[must_use]
    pub fn level(level: u8) -> Option<Self> {
        (1..=4).contains(&level).then_some(Self(level))
    }
    /// The level.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// What leaves the place where data is read. Ordered: what may leave as a whole may leave in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Leaving {
    /// Nothing.
    #[default]
    Nothing,
    /// Aggregates over many records: counts, means, protected updates.
    Aggregated,
    /// What was derived from the data: a model, embeddings.
    Derived,
    /// The data itself.
    Everything,
}

impl Leaving {
    /// All, from the strictest on.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Aggregated, Self::Derived, Self::Everything];

    /// The word for it in descriptions and job files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Aggregated => "aggregated",
            Self::Derived => "derived",
            Self::Everything => "everything",
        }
    }
    /// The meaning of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|leaving| leaving.word() == word)
    }
}

/// Data with a holder, the places that hold it, and its policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// What people call it.
    pub name: String,
    /// Who controls it.
    pub holder: String,
    /// How large it is.
    pub size: Bytes,
    /// Sites that hold a copy; never empty.
    pub places: Vec<SiteId>,
    /// What may be done with it.
    pub policy: DataPolicy,
}

/// What a holder allows. All of it is evaluated where work is placed; nothing else is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataPolicy {
    /// Countries where it may be processed; empty for any.
    pub countries: Vec<Country>,
    /// Sites where it may be processed; empty for any.
    pub sites: Vec<SiteId>,
    /// What may leave the places that hold it.
    pub may_leave: Leaving,
    /// The least assurance of a site that processes it.
    pub assurance: Assurance,
}

/// What connects the sites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Between any two sites that have no link of their own.
    pub common: Wan,
    /// Links of pairs of sites; each pair at most once, in either order.
    pub links: Vec<(SiteId, SiteId, Wan)>,
}

/// How fast data moves between two sites, and what that costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wan {
    /// What one transfer gets.
    pub rate: DataRate,
    /// What a terabyte costs.
    pub cost_per_terabyte: Money,
}

impl Default for Wan {
    /// 10 Gbit/s at no charge: an assumption; research networks bill by the year, not by the byte.
    fn default() -> Self {
        Self { rate: DataRate::bits_per_second(10_000_000_000), cost_per_terabyte: Money::ZERO }
    }
}

impl Wan {
    /// How long an amount takes, rounded up to milliseconds.
    #[must_use]
    pub fn time(&self, amount: Bytes) -> Duration {
        let bits = u128::from(amount.as_bytes()) * 8 * 1000;
        let rate = u128::from(self.rate.as_bits_per_second()).max(1);
        Duration::milliseconds(i64::try_from(bits.div_ceil(rate)).unwrap_or(i64::MAX / 4))
    }
    /// What an amount costs, rounded down.
    #[must_use]
    pub fn cost(&self, amount: Bytes) -> Money {
        let cost = self.cost_per_terabyte.as_microeuro() * i128::from(amount.as_bytes());
        Money::microeuro(cost / 1_000_000_000_000)
    }
}

impl Network {
    /// What connects two sites.
    #[must_use]
    pub fn between(&self, from: SiteId, to: SiteId) -> Wan {
        let of_pair = |(a, b, _): &&(SiteId, SiteId, Wan)| (*a, *b) == (from, to) || (*a, *b) == (to, from);
        self.links.iter().find(of_pair).map_or(self.common, |(.., wan)| *wan)
    }
}

/// The part of a policy that forbids something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forbidding {
    /// The site is in another country.
    Countries,
    /// It is another site.
    Sites,
    /// The site is not assured as far as is asked.
    Assurance,
    /// The data itself may not leave its places.
    MayLeave,
}

impl Forbidding {
    /// The key of a description that says it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Countries => "countries",
            Self::Sites => "sites",
            Self::Assurance => "assurance",
            Self::MayLeave => "may_leave",
        }
    }
}

impl Dataset {
    /// Whether it may be read at a site, by where that is and how far it is assured.
    #[must_use]
    pub fn may_be_read(&self, site: SiteId, country: Country, assurance: Assurance) -> bool {
        self.reading_forbidden(site, country, assurance).is_none()
    }

    /// The part of its policy that forbids to read it at a site.
    #[must_use]
    pub fn reading_forbidden(
        &self,
        site: SiteId,
        country: Country,
        assurance: Assurance,
    ) -> Option<Forbidding> {
        let policy = &self.policy;
        if !policy.countries.is_empty() && !policy.countries.contains(&country) {
            Some(Forbidding::Countries)
        } else if !policy.sites.is_empty() && !policy.sites.contains(&site) {
            Some(Forbidding::Sites)
        } else if assurance < policy.assurance {
            Some(Forbidding::Assurance)
        } else if policy.may_leave < Leaving::Everything && !self.places.contains(&site) {
            Some(Forbidding::MayLeave)
        } else {
            None
        }
    }

    /// The part of its policy that forbids to copy it to a site. What may not leave its places is not copied between them either:
    /// it would have to leave the one to come to the other.
    #[must_use]
    pub fn copying_forbidden(
        &self,
        site: SiteId,
        country: Country,
        assurance: Assurance,
    ) -> Option<Forbidding> {
        let stays = self.policy.may_leave < Leaving::Everything;
        stays.then_some(Forbidding::MayLeave).or_else(|| self.reading_forbidden(site, country, assurance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfers_take_time_and_money() {
        let wan = Wan { rate: DataRate::bits_per_second(8_000_000_000), cost_per_terabyte: Money::euro(20) };
        assert_eq!(wan.time(Bytes::gigabytes(1_000)), Duration::seconds(1_000));
        assert_eq!(wan.cost(Bytes::gigabytes(500)), Money::euro(10));
    }

    #[test]
    fn a_policy_is_kept_in_all_its_parts() {
        let code = |code| Country::parse(code).expect("two letters");
        let level = |level| Assurance::level(level).expect("a level");
        let policy = DataPolicy {
            countries: vec![code("DE"), code("FR")],
            sites: Vec::new(),
            may_leave: Leaving::Everything,
            assurance: level(3),
        };
        let data = |policy: &DataPolicy| Dataset {
            name: "scans".into(),
            holder: "clinic".into(),
            size: Bytes::gigabytes(1),
            places: vec![SiteId(1)],
            policy: policy.clone(),
        };
        let reads = |policy: &DataPolicy, site, country, assured| {
            data(policy).may_be_read(SiteId(site), code(country), level(assured))
        };
        assert!(reads(&policy, 0, "DE", 3));
        assert!(!reads(&policy, 0, "ES", 3), "the wrong country");
        assert!(!reads(&policy, 0, "DE", 2), "too little assurance");
        let stays = DataPolicy { may_leave: Leaving::Derived, ..policy.clone() };
        assert!(!reads(&stays, 0, "DE", 4) && reads(&stays, 1, "DE", 4), "it may not leave its place");
        let only = DataPolicy { sites: vec![SiteId(2)], ..policy };
        assert!(!reads(&only, 0, "DE", 4) && reads(&only, 2, "DE", 4), "only one site");
    }

    #[test]
    fn what_may_not_leave_is_copied_nowhere() {
        let country = Country::parse("DE").expect("two letters");
        let check = |may_leave, site, expected: Option<&str>| {
            let policy = DataPolicy {
                countries: vec![country],
                sites: vec![SiteId(0), SiteId(1)],
                may_leave,
                assurance: Assurance::LOWEST,
            };
            let places = vec![SiteId(0), SiteId(1)];
            let (name, holder) = ("scans".into(), "clinic".into());
            let data = Dataset { name, holder, size: Bytes::gigabytes(1), places, policy };
            let found = data.copying_forbidden(SiteId(site), country, Assurance::LOWEST);
            assert_eq!(found.map(Forbidding::word), expected, "{may_leave:?} to {site}");
        };
        for site in 0..3 {
            check(Leaving::Nothing, site, Some("may_leave"));
            check(Leaving::Aggregated, site, Some("may_leave"));
            check(Leaving::Derived, site, Some("may_leave"));
        }
        check(Leaving::Everything, 1, None);
        check(Leaving::Everything, 2, Some("sites"));
    }
}
