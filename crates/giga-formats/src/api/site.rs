//! Sites as they are now.

use serde::{Deserialize, Serialize};

use super::limit::LimitView;
use super::stamp::Stamp;

/// The answer to `GET /v1/sites`, in the order of the description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SiteList {
    /// The sites.
    pub sites: Vec<SiteView>,
}

/// One site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SiteView {
    /// What people call it.
    pub name: String,
    /// Its country, two letters of ISO 3166-1.
    pub country: String,
    /// What carries decisions out there, or nothing where it is only described.
    pub engine: Option<String>,
    /// What its Slurm lets us do: `owned`, `guest` or `observe`; nothing where its engine is another.
    #[serde(default)]
    pub mode: Option<String>,
    /// Its pools.
    pub pools: Vec<PoolView>,
    /// Jobs that run there.
    pub running: u64,
    /// Jobs that its own scheduler has in its line.
    #[serde(default)]
    pub queued: u64,
    /// Jobs that wait for it.
    pub waiting: u64,
    /// Jobs of these that are kept back for cheaper or cleaner hours.
    pub deferred: u64,
    /// Jobs beside these that wait for the end of other jobs.
    #[serde(default)]
    pub awaiting: u64,
    /// Accelerators that are up and can be powered.
    pub capacity: u64,
    /// Whether nothing more is to start there.
    pub drained: bool,
    /// Whether what runs work there has not answered for a minute, so that nothing starts.
    #[serde(default)]
    pub silent: bool,
    /// What the grid gives for now, or nothing where only the connection limits it.
    pub limit: Option<LimitView>,
    /// What the connection has, at the meter, in milliwatt.
    pub power_connection_milliwatt: u64,
    /// What idle nodes and running jobs may draw together, at the meter, in milliwatt.
    pub power_ordered_milliwatt: u64,
    /// The power above idle that work may draw there, in milliwatt.
    pub power_headroom_milliwatt: u64,
    /// What of it no running job holds, in milliwatt.
    pub power_free_milliwatt: u64,
    /// What electricity costs there, with its unit.
    pub electricity_price: String,
    /// What electricity emits there, with its unit.
    pub carbon_intensity: String,
    /// When its maintenance ends, or nothing where it is open.
    pub closed_until: Option<Stamp>,
}

/// The answer to an order that ends or begins something at a site: the site behind it, and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SiteAnswer {
    /// The site as it is now; its fields stand beside the notes.
    #[serde(flatten)]
    pub site: SiteView,
    /// What came of it, a sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// One pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PoolView {
    /// What people call it.
    pub name: String,
    /// What it holds.
    pub accelerator: String,
    /// Nodes of open phases.
    pub nodes: u32,
    /// Accelerators of open phases.
    pub accelerators: u64,
    /// Accelerators that no job holds and that are not down.
    pub free: u64,
    /// Accelerators of nodes that failed and are not repaired.
    pub down: u64,
}
