//! Calls of the binary in a folder of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder that is gone when the test is over.
pub(crate) struct Place(tempfile::TempDir);

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// What a call printed that did its work.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self
    }
}

/// Calls the binary there.
pub(crate) fn giga(place: &Place, arguments: &[&str]) -> Ended {
    let output = command(place, arguments).output().expect("the binary runs");
    ended(output)
}

/// A call that is not made yet.
pub(crate) fn command(place: &Place, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_giga"));
    command.args(arguments).current_dir(place.0.path());
    command
}

/// How a call ended whose output this is.
pub(crate) fn ended(output: std::process::Output) -> Ended {
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("a file")
    }

    pub(crate) fn giga(&self, call: &[&str], more: &[&str]) -> Ended {
        giga(self, &[call, more].concat())
    }

    /// The four files that a run leaves in a folder.
    pub(crate) fn tables(&self, folder: &str) -> [Vec<u8>; 4] {
        let files = ["summary.json", "jobs.parquet", "hours.parquet", "report.html"];
        files.map(|file| self.read(&format!("{folder}/{file}")))
    }

    pub(crate) fn summary(&self, folder: &str) -> serde_json::Value {
        serde_json::from_slice(&self.read(&format!("{folder}/summary.json"))).expect("JSON")
    }
}

/// Every file of the folder of scenarios.
pub(crate) fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    files
}
