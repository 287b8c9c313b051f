//! Files that lie in the folder of a job.

use serde::{Deserialize, Serialize};

/// The query of `GET /v1/jobs/{id}/files`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct FilesQuery {
    /// Of which folder below that of the job; its own unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// The answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileList {
    /// Of which folder; empty for that of the job.
    pub path: String,
    /// What lies there, by name.
    pub files: Vec<FileView>,
    /// Whether there is more than is listed.
    pub more: bool,
}

/// What lies in a folder of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileView {
    /// Its name in that folder.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// How large it is, where it is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
}

/// What lies under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A plain file, which can be fetched.
    File,
    /// A folder, which can be listed.
    Folder,
    /// A link; it is followed where it does not lead out of the folder of the job.
    Link,
    /// Anything else.
    Other,
}
