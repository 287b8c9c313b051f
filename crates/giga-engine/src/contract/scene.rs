//! What the cases share: one attempt under test, with words for what is done to it and seen of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration as Span, Instant as Clock};

use giga_model::{AttemptId, End, Launch, Receipt};
use giga_units::Duration;

use super::Bench;
use crate::{Engine, Seen};

/// One attempt under test.
pub struct Scene<'a> {
    /// The bench it runs on.
    pub bench: &'a dyn Bench,
    /// The engine that it is seen through.
    pub engine: Box<dyn Engine>,
    /// What is handed over; it may be changed before the start.
    pub launch: Launch,
}

impl<'a> Scene<'a> {
    /// An attempt that runs this script for `sh`. It counts its begin first; `$HERE` names files of its own.
    pub fn of(bench: &'a dyn Bench, script: &str) -> Self {
        let attempt = bench.fresh();
        Self { bench, engine: bench.open(), launch: launch(bench, attempt, script) }
    }

    /// Which attempt it is.
    pub fn attempt(&self) -> AttemptId {
        self.launch.attempt
    }

    /// Starts it.
    pub fn start(&self) {
        self.engine.start(&self.launch).expect("a launch that fits is taken");
    }

    /// Stops it.
    pub fn stop(&self) {
        self.engine.stop(self.attempt()).expect("an attempt can be stopped");
    }

    /// Where the script writes as `$HERE.NAME`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.bench.scratch().join(format!("{}.{name}", self.attempt()))
    }

    /// How often the script began.
    pub fn begun(&self) -> usize {
        begun(self.bench, self.attempt())
    }

    /// What its engine sees of it.
    pub fn seen(&self) -> Option<Seen> {
        self.engine.observe().expect("an engine can be observed").remove(&self.attempt())
    }

    /// Waits until something is so.
    #[track_caller]
    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let from = Clock::now();
        while !holds() {
            let late = from.elapsed() > self.bench.patience();
            assert!(!late, "`{}` did not come to this: {what}; it is {:?}", self.attempt(), self.seen());
            std::thread::sleep(Span::from_millis(5));
        }
    }

    /// Waits until the script wrote a file.
    #[track_caller]
    pub fn until_file(&self, name: &str) {
        self.until(&format!("a file `{name}`"), || self.file(name).exists());
    }

    /// Waits until it is over, and gives what is seen of it.
    #[track_caller]
    pub fn over(&self) -> Seen {
        let mut last = None;
        self.until("over", || {
            last = self.seen();
            matches!(last, Some(Seen::Ended(_) | Seen::Lost { .. }))
        });
        last.expect("it was seen as over")
    }

    /// Waits for its receipt.
    #[track_caller]
    pub fn receipt(&self) -> Receipt {
        match self.over() {
            Seen::Ended(receipt) => receipt,
            other => panic!("`{}` should leave a receipt and is {other:?}", self.attempt()),
        }
    }

    /// It ends like this, with a sound receipt, having begun so often, and nothing of it lives.
    #[track_caller]
    pub fn ends(&self, expected: &End, begun: usize) {
        let receipt = self.receipt();
        assert_eq!((&receipt.end, self.begun()), (expected, begun), "{receipt:?}");
        assert_eq!(receipt.attempt, self.attempt());
        assert!(receipt.started <= receipt.ended && !receipt.nonce.is_empty() && !receipt.host.is_empty());
        self.nothing_lives();
    }

    /// No process of it lives.
    #[track_caller]
    pub fn nothing_lives(&self) {
        let living = self.bench.living(&self.launch.env["MARK"]);
        assert!(living.is_empty(), "{living:?} of `{}` still live", self.attempt());
    }
}

/// A launch of a script that counts its begin.
pub(super) fn launch(bench: &dyn Bench, attempt: AttemptId, script: &str) -> Launch {
    let here = bench.scratch().join(attempt.to_string());
    let here = here.to_str().expect("the scratch folder has a plain name").to_owned();
    let script = format!("echo begun >> \"$HERE.begun\"\n{script}");
    Launch {
        attempt,
        nodes: vec![bench.node()],
        limit: Duration::hours(1),
        grace: Duration::seconds(60),
        command: vec!["/bin/sh".to_owned(), "-c".to_owned(), script],
        env: BTreeMap::from([("HERE".to_owned(), here.clone()), ("MARK".to_owned(), here)]),
        files: Vec::new(),
        workdir: None,
        container: bench.container(),
    }
}

/// How often the script of an attempt began.
pub(super) fn begun(bench: &dyn Bench, attempt: AttemptId) -> usize {
    let text = fs::read_to_string(bench.scratch().join(format!("{attempt}.begun")));
    text.map_or(0, |text| text.lines().count())
}
