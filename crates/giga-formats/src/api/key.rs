//! Keys: who may ask for what. A token is shown once, when its key is made, and never again.

use serde::{Deserialize, Serialize};

use super::stamp::Stamp;

/// What stands among the projects of a key for all of them; no project has this name.
pub const ALL_PROJECTS: &str = "*";

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Submits work for its projects, and sees and cancels what is theirs.
    User,
    /// Sees and does everything, keys included.
    Operator,
    /// Reads `/metrics`, and opens nothing else.
    Metrics,
}

impl Role {
    /// The word for it, as it stands in bodies.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Operator => "operator",
            Self::Metrics => "metrics",
        }
    }

    /// The role of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::User, Self::Operator, Self::Metrics].into_iter().find(|role| role.word() == word)
    }
}

/// The body of `POST /v1/keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyBody {
    /// What people call it.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._@-]+$"))]
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The projects it may charge, at least one for a user; `*` stands for all of them. The other roles need none.
    #[serde(default)]
    pub projects: Vec<String>,
}

/// One key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyView {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The projects it may charge; `*` stands for all of them, and an operator may charge all in any case.
    pub projects: Vec<String>,
    /// When it was made.
    pub created: Stamp,
    /// The secret to send; only in the answer to its making.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl std::fmt::Debug for KeyView {
    /// Without the token, so that no log can hold it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut view = f.debug_struct("KeyView");
        view.field("name", &self.name).field("role", &self.role).field("projects", &self.projects);
        view.field("created", &self.created).finish_non_exhaustive()
    }
}

/// The answer to `GET /v1/keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyList {
    /// The keys by name, without their tokens.
    pub keys: Vec<KeyView>,
}
