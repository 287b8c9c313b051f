//! What would become of a job if it were submitted now. Nothing is promised by it.

use serde::{Deserialize, Serialize};

use super::stamp::Stamp;

/// The answer to `POST /v1/plan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanView {
    /// What the job would be called.
    pub name: String,
    /// Who would be charged.
    pub project: String,
    /// Where it would go, or nothing where it is refused.
    pub place: Option<PlaceView>,
    /// The longest it may run, with its unit, such as `1 h`.
    pub limit: String,
    /// When it would start, or nothing where it is refused.
    pub starts: Option<Starts>,
    /// Every site, with what the job is expected to cost there or the rule that forbids it.
    pub choices: Vec<ChoiceView>,
    /// The energy it can use at most, at the meter, in joule.
    pub energy_most_joule: i64,
    /// What it can cost at most, in millionths of a euro.
    pub cost_most_microeuro: i64,
    /// What else is good to know, a sentence each: what was assumed, what may come between.
    pub notes: Vec<String>,
    /// Why it would never run, as a sentence, or nothing where it can.
    pub refused: Option<String>,
}

/// Where a job would go and what it would hold there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlaceView {
    /// The site.
    pub site: String,
    /// Its country, two letters of ISO 3166-1.
    pub country: String,
    /// The pool.
    pub pool: String,
    /// What the pool holds.
    pub accelerator: String,
    /// Accelerators that it would hold; above what was asked for where it takes whole nodes.
    pub accelerators: u32,
    /// Nodes they are on.
    pub nodes: u32,
}

/// When a job would start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "when", rename_all = "kebab-case")]
pub enum Starts {
    /// At once.
    Now,
    /// Later.
    Waits {
        /// What it would wait for, as a sentence.
        reason: String,
        /// When there is room at the latest, as far as is known now.
        room_at: Option<Stamp>,
    },
}

/// A site that a job was thought of at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChoiceView {
    /// The site.
    pub site: String,
    /// Its country, two letters of ISO 3166-1.
    pub country: String,
    /// Whether it is the one.
    pub chosen: bool,
    /// Whether nothing more starts there.
    pub drained: bool,
    /// Whether it does not answer, so that nothing starts.
    #[serde(default)]
    pub silent: bool,
    /// What the job is expected to cost there, or nothing where a rule forbids it.
    pub cost: Option<CostView>,
    /// The rule that forbids it, or nothing where none does.
    pub forbidden: Option<ForbiddenView>,
}

/// What a place is expected to cost a job, in millionths of a euro. It ranks places; nobody is charged by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CostView {
    /// How long it is expected to wait, the moving of its data included, in milliseconds.
    pub wait_ms: i64,
    /// What that waiting is taken to cost.
    pub waiting_microeuro: i64,
    /// Electricity and carbon at the meter, over all of its limit.
    pub energy_microeuro: i64,
    /// Moving its data there.
    pub transfer_microeuro: i64,
    /// All of it.
    pub total_microeuro: i64,
}

/// Why a job may not run at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForbiddenView {
    /// The name of the rule, such as `data-forbids`.
    pub rule: String,
    /// The same as a sentence.
    pub text: String,
}
