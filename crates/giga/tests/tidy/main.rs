//! Keeps the house in order: what the style page and the architecture ask for and a machine can see.
//!
//! Each check is a function from text to complaints, so that it is shown here that it can fail; the tests named
//! `the_house_…` run it over the repository.

mod graph;
mod links;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the workspace.
fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the crate lies two folders below the root")
}

/// All files below a folder with this ending, by path from the root, in order; build outputs and what begins with a
/// dot are left out.
fn files(root: &Path, ending: &str) -> Vec<(String, String)> {
    let (mut folders, mut found) = (vec![root.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository can be listed") {
            let path = entry.expect("a folder of the repository can be listed").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or(".");
            let skipped = name.starts_with('.') || ["target", "corpus", "artifacts", "out"].contains(&name);
            if path.is_dir() && !skipped {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                let text = fs::read_to_string(&path).expect("a source file is text");
                let short = path.strip_prefix(root).expect("the file lies below the root");
                found.push((short.to_string_lossy().into_owned(), text));
            }
        }
    }
    found.sort();
    found
}

/// Fails with all complaints at once.
#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

/// A check that finds nothing in a good sample and something with `word` in a bad one.
#[track_caller]
fn tells_apart(complaints_of: impl Fn(&str) -> Vec<String>, good: &str, bad: &str, word: &str) {
    assert_eq!(complaints_of(good), Vec::<String>::new());
    let complaints = complaints_of(bad);
    assert!(
        complaints.iter().any(|complaint| complaint.contains(word)),
        "{complaints:?} should say `{word}`"
    );
}
