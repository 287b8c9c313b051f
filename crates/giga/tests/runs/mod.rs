//! Calls of the binary in a folder of their own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

fn command(place: &Place, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_giga"));
    command.args(arguments).current_dir(place.0.path());
    command
}

fn ended(output: std::process::Output) -> Ended {
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

    /// The three files that a run leaves in a folder.
    pub(crate) fn tables(&self, folder: &str) -> [Vec<u8>; 3] {
        ["summary.json", "jobs.parquet", "hours.parquet"].map(|file| self.read(&format!("{folder}/{file}")))
    }

    pub(crate) fn summary(&self, folder: &str) -> serde_json::Value {
        serde_json::from_slice(&self.read(&format!("{folder}/summary.json"))).expect("JSON")
    }

    /// Begins a call, interrupts it as the keyboard does once its tables are begun, and waits for its end.
    #[cfg(unix)]
    pub(crate) fn interrupted(&self, arguments: &[&str]) -> Ended {
        let out = arguments.last().expect("the folder comes last");
        let mut command = command(self, arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let begun = std::time::Instant::now();
        // The tables are opened before the interrupt is watched for; a little later both are done.
        while !self.path(&format!("{out}/hours.parquet")).exists() {
            assert!(begun.elapsed().as_secs() < 60, "the run never began");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(kill.expect("a signal can be sent").success());
        ended(child.wait_with_output().expect("the binary ends"))
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
