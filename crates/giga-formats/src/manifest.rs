//! The manifest of a dataset: the path, size and SHA-256 of each of its files. Its own SHA-256 is the checksum of the dataset.
//!
//! ```text
//! giga manifest 1
//! 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 4 a/test.txt
//! ```
//!
//! Lines stand in the order of the bytes of their paths, and there is one way to write a manifest only: so that the same files have
//! the same checksum wherever it is worked out, also by `sha256sum` and `sort`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use thiserror::Error;

/// The first line: what it is, and its format.
const HEAD: &str = "giga manifest 1";
/// Most files of a dataset: an assumption; more belong into archives.
pub const FILES_MAX: usize = 1_000_000;
/// Longest path, in bytes, as the kernel has it.
const PATH_MAX: usize = 4_095;
/// Longest manifest, in bytes: it is kept in one row of the store.
const TEXT_MAX: usize = 256 << 20;
/// Most bytes of a dataset: what a store can count.
const BYTES_MAX: u64 = i64::MAX as u64;

/// A SHA-256.
pub type Digest = [u8; 32];

/// One file of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFile {
    /// Where it lies below the folder of the dataset, with `/` between names.
    pub path: String,
    /// How many bytes it has.
    pub size: u64,
    /// The SHA-256 of its bytes.
    pub digest: Digest,
}

/// The files of a dataset; at least one, each once, in the order of their paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    files: Vec<ManifestFile>,
    bytes: u64,
}

/// Why something is no manifest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// It begins otherwise.
    #[error("it does not begin with `{HEAD}`")]
    Head,
    /// A line is no digest, size and path.
    #[error("line {line} is not a digest, a size and a path")]
    Line {
        /// Which, from one.
        line: usize,
    },
    /// There is no file in it.
    #[error("there is no file; a dataset has at least one")]
    Empty,
    /// There are more files than a manifest may have.
    #[error("there are more than {FILES_MAX} files, or too many bytes; put many small files into archives")]
    TooLarge,
    /// A path is none that a manifest may hold.
    #[error("`{}` can not be the path of a file of a dataset: it is empty, leads elsewhere, is too long or holds control characters", path.escape_debug())]
    Path {
        /// Which.
        path: String,
    },
    /// A path stands there twice, or is a folder of another.
    #[error("`{}` is there twice, or is a folder as well", path.escape_debug())]
    Twice {
        /// Which.
        path: String,
    },
    /// Two lines are in the wrong order.
    #[error("line {line} is out of order")]
    Order {
        /// Which, from one.
        line: usize,
    },
}

impl Manifest {
    /// The manifest of these files, in whatever order they come.
    ///
    /// # Errors
    /// Says which path can not be in a manifest.
    pub fn of(mut files: Vec<ManifestFile>) -> Result<Self, ManifestError> {
        files.sort_by(|one, other| one.path.cmp(&other.path));
        if files.is_empty() {
            return Err(ManifestError::Empty);
        }
        let text = files.iter().map(|file| file.path.len() + 100).sum::<usize>();
        let bytes = files.iter().try_fold(0_u64, |sum, file| sum.checked_add(file.size));
        let bytes = bytes.filter(|&bytes| bytes <= BYTES_MAX);
        let Some(bytes) = bytes.filter(|_| files.len() <= FILES_MAX && text <= TEXT_MAX) else {
            return Err(ManifestError::TooLarge);
        };
        let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        for file in &files {
            if !is_path(&file.path) {
                return Err(ManifestError::Path { path: file.path.clone() });
            }
            let folders = file.path.match_indices('/').map(|(end, _)| &file.path[..end]);
            if let Some(both) = folders.into_iter().find(|folder| paths.contains(folder)) {
                return Err(ManifestError::Twice { path: both.to_owned() });
            }
        }
        if let Some(twice) = files.windows(2).find(|pair| pair[0].path == pair[1].path) {
            return Err(ManifestError::Twice { path: twice[0].path.clone() });
        }
        Ok(Self { files, bytes })
    }

    /// Reads one. What is read is written as the same bytes.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(text: &[u8]) -> Result<Self, ManifestError> {
        let text = std::str::from_utf8(text).map_err(|_| ManifestError::Head)?;
        let text = text.strip_prefix(HEAD).and_then(|text| text.strip_prefix('\n'));
        let text = text.ok_or(ManifestError::Head)?;
        if text.is_empty() {
            return Err(ManifestError::Empty);
        }
        let lines = text.strip_suffix('\n').ok_or(ManifestError::Line { line: text.lines().count() + 1 })?;
        let mut files = Vec::<ManifestFile>::new();
        for (line, text) in (2..).zip(lines.split('\n')) {
            let file = file(text).ok_or(ManifestError::Line { line })?;
            if files.last().is_some_and(|last| last.path >= file.path) {
                return Err(ManifestError::Order { line });
            }
            files.push(file);
        }
        Self::of(files)
    }

    /// Writes it.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = format!("{HEAD}\n");
        for ManifestFile { path, size, digest } in &self.files {
            writeln!(text, "{} {size} {path}", hex(digest)).expect("a text takes everything");
        }
        text
    }

    /// Its files in the order of their paths.
    #[must_use]
    pub fn files(&self) -> &[ManifestFile] {
        &self.files
    }

    /// All their bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A digest as 64 small hexadecimal digits.
#[must_use]
pub fn hex(digest: &Digest) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes everything");
        text
    })
}

fn file(line: &str) -> Option<ManifestFile> {
    let (digits, rest) = line.split_once(' ')?;
    let (size, path) = rest.split_once(' ')?;
    let number: u64 = size.parse().ok()?;
    // No `+`, no zeros before it: one way to write it.
    (number.to_string() == size).then_some(())?;
    Some(ManifestFile { path: path.to_owned(), size: number, digest: unhex(digits)? })
}

fn unhex(text: &str) -> Option<Digest> {
    let small = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 64 || !text.as_bytes().iter().all(small) {
        return None;
    }
    let mut digest = Digest::default();
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

/// Whether a path stays below its folder, and a line of text can hold it.
fn is_path(path: &str) -> bool {
    let is_name = |name: &str| !["", ".", ".."].contains(&name);
    path.len() <= PATH_MAX && !path.chars().any(char::is_control) && path.split('/').all(is_name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(path: &str, size: u64) -> ManifestFile {
        ManifestFile { path: path.into(), size, digest: [0xab; 32] }
    }

    #[test]
    fn one_set_of_files_has_one_text() {
        let manifest = Manifest::of(vec![sample("b", 0), sample("a/c", 2), sample("a-b", 1)]).unwrap();
        let digits = "ab".repeat(32);
        let text = format!("giga manifest 1\n{digits} 1 a-b\n{digits} 2 a/c\n{digits} 0 b\n");
        assert_eq!((manifest.write().as_str(), manifest.bytes()), (text.as_str(), 3));
        assert_eq!(Manifest::read(text.as_bytes()), Ok(manifest));
    }

    #[test]
    fn a_path_never_leads_out_of_its_folder() {
        for path in ["", "/a", "a/", "a//b", "..", "a/../b", ".", "./a", "a\nb", "a\0"] {
            let refused = Manifest::of(vec![sample(path, 1)]);
            assert_eq!(refused, Err(ManifestError::Path { path: path.into() }));
        }
        for path in ["a b", "...", "ä/ö", "a\\b", ".hidden"] {
            assert!(Manifest::of(vec![sample(path, 1)]).is_ok(), "{path}");
        }
        let both = vec![sample("a/b", 1), sample("a-", 1), sample("a", 1)];
        assert_eq!(Manifest::of(both), Err(ManifestError::Twice { path: "a".into() }));
        let sum = vec![sample("a", BYTES_MAX), sample("b", 1)];
        assert_eq!(Manifest::of(sum), Err(ManifestError::TooLarge));
    }

    #[test]
    fn what_is_no_manifest_is_said() {
        let digits = "0".repeat(64);
        let check = |lines: &str, expected| {
            assert_eq!(Manifest::read(format!("giga manifest 1\n{lines}").as_bytes()), Err(expected));
        };
        check("", ManifestError::Empty);
        check("x\n", ManifestError::Line { line: 2 });
        check(&format!("{digits} 1 a"), ManifestError::Line { line: 2 });
        check(&format!("{digits} 01 a\n"), ManifestError::Line { line: 2 });
        check(&format!("{digits} +1 a\n"), ManifestError::Line { line: 2 });
        check(&format!("{} 1 a\n", "A".repeat(64)), ManifestError::Line { line: 2 });
        check(&format!("{digits} 1 b\n{digits} 1 a\n"), ManifestError::Order { line: 3 });
        check(&format!("{digits} 1 a\n{digits} 1 a\n"), ManifestError::Order { line: 3 });
        check(&format!("{digits} 1 ../a\n"), ManifestError::Path { path: "../a".into() });
        assert_eq!(Manifest::read(b"giga manifest 2\n"), Err(ManifestError::Head));
        assert_eq!(Manifest::read(b"\xff"), Err(ManifestError::Head));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(files in proptest::collection::btree_map("[a-zA-Z0-9 ._ä-]{1,8}(/[a-z.]{1,5}){0,3}", (0_u64..1 << 40, any::<[u8; 32]>()), 1..20)) {
            let files = files.into_iter().map(|(path, (size, digest))| ManifestFile { path, size, digest });
            if let Ok(manifest) = Manifest::of(files.collect()) {
                prop_assert_eq!(Manifest::read(manifest.write().as_bytes()), Ok(manifest));
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic_and_what_it_reads_it_writes(
            body in proptest::collection::vec(prop_oneof![
                Just("giga manifest 1\n".to_owned()), Just(format!("{} ", "0f".repeat(32))), Just("7 ".into()),
                Just("a/b\n".into()), Just("..".into()), Just("\n".into()), ".{0,3}",
            ], 0..12),
        ) {
            let text = body.concat();
            for bytes in [text.clone().into_bytes(), format!("giga manifest 1\n{text}").into_bytes()] {
                if let Ok(manifest) = Manifest::read(&bytes) {
                    prop_assert_eq!(manifest.write().into_bytes(), bytes);
                }
            }
        }
    }
}
