//! Files that a job brings along: how they are written, and what is wrong with them.
//!
//! They travel in the request itself and are kept beside what the job runs, so that either both are on record or neither is.
//! That is for programs and settings; what is large is registered as a dataset.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use giga_model::SentFile;
use serde::{Deserialize, Serialize};

use super::body::JobBody;
use super::check::{Faults, JobFault, shown};

/// Most files of a job.
const FILES_MAX: usize = 256;
/// Most bytes of them together: in base64 they fit the body of a request beside all else.
pub const SENT_MAX: usize = 512 << 10;
/// Longest path of a file, and longest name on it, in bytes.
const PATH_MAX: usize = 1_024;
const NAME_MAX: usize = 255;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged, expecting = "a file takes a text, or `text` or `base64` beside `executable`")]
pub enum FileBody {
    /// This text.
    Text(String),
    /// More to say of it.
    Parts(FileParts),
}

/// What a file holds, and whether it can be run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FileParts {
    /// What it holds; this or `base64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The same in base64 (RFC 4648, section 4), for what is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Whether it can be run as a program.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}

impl FileBody {
    /// The shortest way to write bytes.
    #[must_use]
    pub fn of(bytes: &[u8], executable: bool) -> Self {
        match (std::str::from_utf8(bytes), executable) {
            (Ok(text), false) => Self::Text(text.to_owned()),
            (Ok(text), true) => {
                Self::Parts(FileParts { text: Some(text.to_owned()), base64: None, executable })
            }
            (Err(_), _) => {
                Self::Parts(FileParts { text: None, base64: Some(BASE64_STANDARD.encode(bytes)), executable })
            }
        }
    }

    /// The bytes, and whether they can be run; `None` where that is not said, or twice, or is no base64.
    fn read(&self) -> Option<(Vec<u8>, bool)> {
        let bytes = match self {
            Self::Text(text) | Self::Parts(FileParts { text: Some(text), base64: None, .. }) => {
                text.clone().into_bytes()
            }
            Self::Parts(FileParts { text: None, base64: Some(code), .. }) => {
                BASE64_STANDARD.decode(code).ok()?
            }
            Self::Parts(_) => return None,
        };
        Some((bytes, matches!(self, Self::Parts(FileParts { executable: true, .. }))))
    }
}

/// Files as they are written.
pub(super) fn written(files: &[SentFile]) -> BTreeMap<String, FileBody> {
    let pair =
        |file: &SentFile| (file.path.display().to_string(), FileBody::of(&file.bytes, file.executable));
    files.iter().map(pair).collect()
}

impl Faults {
    pub(super) fn files(&mut self, body: &JobBody) -> Vec<SentFile> {
        let files = &body.files;
        if !files.is_empty() && body.workdir.is_some() {
            self.add("files", &JobFault::FilesElsewhere);
        }
        if files.len() > FILES_MAX {
            self.too_many(files.len(), "files", FILES_MAX);
            return Vec::new();
        }
        let sent: Vec<SentFile> =
            files.iter().filter_map(|(path, file)| self.file(path, file, files)).collect();
        let bytes = sent.iter().map(|file| file.bytes.len()).sum();
        if bytes > SENT_MAX {
            self.too_many(bytes, "bytes", SENT_MAX);
        }
        sent
    }

    fn too_many(&mut self, found: usize, what: &'static str, most: usize) {
        let (key, instead) = ("files".to_owned(), "register what is large as a dataset");
        self.add("files", &JobFault::TooLong { key, found, what, most, instead });
    }

    fn file(&mut self, path: &str, file: &FileBody, all: &BTreeMap<String, FileBody>) -> Option<SentFile> {
        let field = format!("files.{path}");
        let above: BTreeSet<&Path> = Path::new(path).ancestors().skip(1).collect();
        if !is_plain(path) {
            self.add(&field, &JobFault::FilePath { path: shown(path) });
        } else if let Some(above) = all.keys().find(|other| above.contains(Path::new(other))) {
            self.add(&field, &JobFault::FileBelow { path: shown(path), above: shown(above) });
        }
        let Some((bytes, executable)) = file.read() else {
            self.add(&field, &JobFault::FileForm { path: shown(path) });
            return None;
        };
        Some(SentFile { path: PathBuf::from(path), bytes, executable })
    }
}

/// Whether a path names a file below a folder in one way only.
fn is_plain(path: &str) -> bool {
    let normal = |part: Component<'_>| match part {
        Component::Normal(name) => name.len() <= NAME_MAX,
        _ => false,
    };
    let parts = Path::new(path).components();
    let again = parts.clone().collect::<PathBuf>();
    path.len() <= PATH_MAX
        && !path.chars().any(char::is_control)
        && !path.is_empty()
        && again.as_os_str() == path
        && parts.into_iter().all(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_nowhere_else() {
        let check = |path: &str, expected| assert_eq!(is_plain(path), expected, "{path}");
        ["a", "a/b.py", ".config", "ü b/c", "a\\b"].iter().for_each(|path| check(path, true));
        ["", "/", "/a", "a/", "a//b", "./a", "a/./b", "../a", "a/..", "a\nb", "a\0"]
            .iter()
            .for_each(|path| check(path, false));
        check(&"x".repeat(256), false);
        check(&"x/".repeat(600), false);
    }

    #[test]
    fn bytes_come_back_from_the_shortest_way_to_write_them() {
        let check = |bytes: &[u8], executable, json: &str| {
            let body = FileBody::of(bytes, executable);
            assert_eq!(serde_json::to_string(&body).expect("plain values"), json);
            assert_eq!(body.read(), Some((bytes.to_vec(), executable)));
            assert_eq!(serde_json::from_str::<FileBody>(json).expect("its own JSON"), body);
        };
        check(b"print(1)\n", false, r#""print(1)\n""#);
        check(b"#!/bin/sh", true, r##"{"text":"#!/bin/sh","executable":true}"##);
        check(&[0xff, 0], false, r#"{"base64":"/wA="}"#);
        let read = |json: &str| serde_json::from_str::<FileBody>(json).ok().and_then(|body| body.read());
        for json in ["{}", r#"{"text":"a","base64":"YQ=="}"#, r#"{"base64":"a"}"#, r#"{"txt":"a"}"#, "3"] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
