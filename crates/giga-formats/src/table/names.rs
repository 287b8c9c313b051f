//! The names that rows refer to by index, ready for writing and for reading back.

use std::collections::BTreeMap;

use giga_control::record::Refusal;
use giga_model::{Federation, SiteId};
use parquet::data_type::ByteArray;

use super::TableError;

/// The names of a federation, in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// By project id.
    pub projects: Vec<String>,
    /// By programme id.
    pub programmes: Vec<String>,
    /// By owner id.
    pub owners: Vec<String>,
    /// By site id.
    pub sites: Vec<String>,
    /// By pool id, with the site where it is: two sites may call a pool the same.
    pub pools: Vec<(SiteId, String)>,
}

impl Names {
    /// The names in a description.
    #[must_use]
    pub fn of(federation: &Federation) -> Self {
        let mut home = vec![SiteId::default(); federation.pools.len()];
        for (place, site) in federation.sites.iter().enumerate() {
            for pool in &site.pools {
                home[pool.index()] = SiteId::at(place);
            }
        }
        let pools = home.into_iter().zip(&federation.pools).map(|(site, pool)| (site, pool.name.clone()));
        Self {
            projects: federation.projects.iter().map(|project| project.name.clone()).collect(),
            programmes: federation.programmes.iter().map(|programme| programme.name.clone()).collect(),
            owners: federation.owners.iter().map(|owner| owner.name.clone()).collect(),
            sites: federation.sites.iter().map(|site| site.name.clone()).collect(),
            pools: pools.collect(),
        }
    }
}

/// The names as the writer repeats them: a copy of one is a count of references.
pub(super) struct Written {
    pub(super) projects: Vec<ByteArray>,
    pub(super) programmes: Vec<ByteArray>,
    pub(super) owners: Vec<ByteArray>,
    pub(super) sites: Vec<ByteArray>,
    pub(super) pools: Vec<ByteArray>,
    pub(super) outcomes: Vec<ByteArray>,
    pub(super) refusals: Vec<ByteArray>,
}

impl Written {
    pub(super) fn new(names: &Names) -> Self {
        let all = |names: &[String]| names.iter().map(|name| ByteArray::from(name.as_str())).collect();
        Self {
            projects: all(&names.projects),
            programmes: all(&names.programmes),
            owners: all(&names.owners),
            sites: all(&names.sites),
            pools: names.pools.iter().map(|(_, name)| ByteArray::from(name.as_str())).collect(),
            refusals: Refusal::ALL.iter().map(|refusal| ByteArray::from(refusal.word())).collect(),
            outcomes: super::jobs::OUTCOMES.iter().map(|outcome| ByteArray::from(outcome.word())).collect(),
        }
    }
}

/// The ids by name.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) projects: Lookup,
    pub(super) programmes: Lookup,
    pub(super) owners: Lookup,
    pub(super) sites: Lookup,
    /// By site, then by name.
    pools: Vec<Lookup>,
}

#[derive(Debug)]
pub(super) struct Lookup(BTreeMap<String, usize>);

impl Lookup {
    fn new<'a>(names: impl Iterator<Item = (usize, &'a String)>) -> Result<Self, TableError> {
        let mut lookup = BTreeMap::new();
        for (place, name) in names {
            if lookup.insert(name.clone(), place).is_some() {
                return Err(TableError::NameTwice { name: name.clone() });
            }
        }
        Ok(Self(lookup))
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }
}

impl Index {
    pub(super) fn new(names: &Names) -> Result<Self, TableError> {
        let pools_at = |site| {
            let all = names.pools.iter().enumerate();
            Lookup::new(
                all.filter(move |(_, (home, _))| home.index() == site).map(|(at, (_, name))| (at, name)),
            )
        };
        Ok(Self {
            projects: Lookup::new(names.projects.iter().enumerate())?,
            programmes: Lookup::new(names.programmes.iter().enumerate())?,
            owners: Lookup::new(names.owners.iter().enumerate())?,
            sites: Lookup::new(names.sites.iter().enumerate())?,
            pools: (0..names.sites.len()).map(pools_at).collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn pool(&self, site: SiteId, name: &str) -> Option<usize> {
        self.pools.get(site.index())?.find(name)
    }
}
