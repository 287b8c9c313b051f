//! Why a job is where it is, and what may become of it.

use serde::{Deserialize, Serialize};

use super::job::JobState;
use super::plan::ChoiceView;
use super::stamp::Stamp;

/// The answer to `GET /v1/jobs/{id}/explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExplainView {
    /// The job.
    pub id: u64,
    /// How far it is.
    pub state: JobState,
    /// All there is to say, a sentence each, the most important first.
    pub sentences: Vec<String>,
    /// When there is room for it at the latest, where that is known; the sentences say so too.
    pub room_at: Option<Stamp>,
    /// Where it waits and where it could, as if it came now; empty where it does not wait.
    pub choices: Vec<ChoiceView>,
}

/// The answer to `GET /v1/jobs/{id}/forecast`: what becomes of a job in several simulated futures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForecastView {
    /// The job.
    pub id: u64,
    /// The instant of the state from which the futures set out.
    pub made_at: Stamp,
    /// How many futures there were.
    pub futures: u32,
    /// When it starts, or nothing where it has already or no future saw it.
    pub start: Option<TimeRange>,
    /// When it ends, or nothing where it has already or no future saw it.
    pub end: Option<TimeRange>,
    /// What it costs in all, in millionths of a euro.
    pub cost_microeuro: Option<AmountRange>,
    /// What energy it uses in all, in joule.
    pub energy_joule: Option<AmountRange>,
    /// What the futures rest on, as a sentence.
    pub basis: String,
}

/// A time that is not known: one future in ten lies before, half, nine in ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeRange {
    /// Before this in a tenth of the futures.
    pub earliest: Stamp,
    /// Before this in half of them.
    pub median: Stamp,
    /// Before this in nine tenths of them.
    pub latest: Stamp,
}

/// An amount that is not known: one future in ten lies below, half, nine in ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AmountRange {
    /// Below this in a tenth of the futures.
    pub low: i64,
    /// Below this in half of them.
    pub median: i64,
    /// Below this in nine tenths of them.
    pub high: i64,
}
