//! The bench of the local engine, and the run of its cases.

#[path = "container.rs"]
mod container;
#[path = "own.rs"]
mod own;

#[path = "../bench/mod.rs"]
mod bench;
#[path = "../bench/image.rs"]
mod image;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration as Span;

use giga_engine::contract::Bench;
use giga_engine::local::{Host, LocalEngine, LocalPool, supervise};
use giga_engine::{AttemptId, Engine, NodeUse};
use giga_model::{Container, ContainerRuntime, JobId};
use tempfile::TempDir;

const NODES: u32 = 64;

/// A local engine in a folder of its own.
pub(crate) struct LocalBench {
    home: TempDir,
    jobs: AtomicU64,
    nodes: AtomicU32,
}

impl LocalBench {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder for the test can be made");
        fs::create_dir(home.path().join("scratch")).expect("a folder for the test can be made");
        Self { home, jobs: AtomicU64::new(1), nodes: AtomicU32::new(0) }
    }

    pub(crate) fn engine(&self) -> LocalEngine {
        self.engine_with(supervisor())
    }

    /// An engine whose supervisor is another program.
    pub(crate) fn engine_with(&self, supervisor: Vec<OsString>) -> LocalEngine {
        let host = Host::here().expect("Linux tells what it has");
        self.engine_of(host.divide(&[("virtual", NODES, 4)]), supervisor)
    }

    /// An engine in another folder, whose supervisor is another program.
    pub(crate) fn engine_at(&self, folder: &Path, supervisor: Vec<OsString>) -> LocalEngine {
        let host = Host::here().expect("Linux tells what it has");
        LocalEngine::open(folder, host.divide(&[("virtual", NODES, 4)]), supervisor)
            .expect("a folder of its own")
    }

    /// An engine with other pools.
    pub(crate) fn engine_of(&self, pools: Vec<LocalPool>, supervisor: Vec<OsString>) -> LocalEngine {
        LocalEngine::open(&self.home.path().join("engine"), pools, supervisor)
            .expect("an engine opens in a folder that can be written to")
    }

    /// The processes that watch over an attempt, and those that are about to become its program.
    pub(crate) fn supervisors(&self, attempt: AttemptId) -> Vec<i32> {
        bench::supervisors(&self.folder(attempt))
    }

    /// The folder of an attempt that is not forgotten.
    pub(crate) fn folder(&self, attempt: AttemptId) -> PathBuf {
        self.home.path().join("engine/live").join(attempt.to_string())
    }
}

impl Bench for LocalBench {
    fn open(&self) -> Box<dyn Engine> {
        Box::new(self.engine())
    }
    fn fresh(&self) -> AttemptId {
        AttemptId { job: JobId(self.jobs.fetch_add(1, Ordering::Relaxed)), number: 1 }
    }
    fn node(&self) -> NodeUse {
        let node = self.nodes.fetch_add(1, Ordering::Relaxed) % NODES;
        NodeUse { pool: "virtual".into(), node, accelerators: 2 }
    }
    fn scratch(&self) -> &Path {
        // Built once from the same folder, so it stays where it is.
        Box::leak(self.home.path().join("scratch").into_boxed_path())
    }
    fn patience(&self) -> Span {
        Span::from_secs(30)
    }

    fn kill_supervisor(&self, attempt: AttemptId) {
        bench::kill_all(self.supervisors(attempt));
    }
    fn living(&self, mark: &str) -> Vec<u32> {
        bench::living(mark)
    }
    fn lives(&self, pid: u32) -> bool {
        bench::lives(pid)
    }
}

/// The same, with programs in containers of an image.
pub(crate) struct InContainer {
    pub(crate) local: LocalBench,
    image: PathBuf,
}

impl Bench for InContainer {
    fn open(&self) -> Box<dyn Engine> {
        self.local.open()
    }
    fn fresh(&self) -> AttemptId {
        self.local.fresh()
    }
    fn node(&self) -> NodeUse {
        self.local.node()
    }
    fn container(&self) -> Option<Container> {
        let image = self.image.to_str().expect("a plain path").to_owned();
        Some(Container { runtime: ContainerRuntime::Charliecloud, image, reads: Vec::new() })
    }
    fn scratch(&self) -> &Path {
        self.local.scratch()
    }
    fn patience(&self) -> Span {
        self.local.patience()
    }
    fn kill_supervisor(&self, attempt: AttemptId) {
        self.local.kill_supervisor(attempt);
    }
    fn living(&self, mark: &str) -> Vec<u32> {
        self.local.living(mark)
    }
    fn lives(&self, pid: u32) -> bool {
        self.local.lives(pid)
    }
}

/// This program as the supervisor of the attempts that it starts.
pub(crate) fn supervisor() -> Vec<OsString> {
    let this = std::env::current_exe().expect("Linux tells a program where it lies");
    vec![this.into(), bench::SUPERVISE.into()]
}

#[expect(clippy::print_stdout, reason = "this is the report of a test program")]
pub(crate) fn main() -> ExitCode {
    match bench::supervised() {
        Some(folder) => supervise(folder.as_ref()),
        None => {
            let mut good = bench::run_cases("local", own::CASES, LocalBench::new);
            match image::image() {
                Ok(image) => {
                    let bench = || InContainer { local: LocalBench::new(), image: image.path().to_owned() };
                    good &= bench::run_cases("local, in containers", container::CASES, bench);
                }
                Err(why) => println!("local engine in containers: skipped, {why}"),
            }
            ExitCode::from(u8::from(!good))
        }
    }
}
