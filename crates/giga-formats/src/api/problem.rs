//! What an error looks like: a problem of RFC 9457, with the faults of the body where it has some.

use serde::{Deserialize, Serialize};

use crate::job::FieldFault;

/// The media type of a [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A problem of RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Which kind it is: a relative address such as `/problems/unknown-job`.
    #[serde(rename = "type", default = "blank")]
    pub kind: String,
    /// The kind in a few words.
    #[serde(default)]
    pub title: String,
    /// The status of the answer, repeated.
    pub status: u16,
    /// What happened here, and the next step.
    #[serde(default)]
    pub detail: String,
    /// What was asked for, as a path, where that helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What is wrong with each field of the body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FieldFault>,
}

/// What RFC 9457 takes for a missing type.
fn blank() -> String {
    "about:blank".to_owned()
}

/// The name that was meant, where one of those that there are is near.
#[must_use]
pub fn meant<'n>(wrong: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    crate::description::diagnostic::nearest(wrong, known)
}
