//! The bench of the local engine, and the run of its cases.

#[path = "own.rs"]
mod own;

use std::ffi::OsString;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration as Span, Instant as Clock};

use giga_engine::contract::{Bench, CASES, Case};
use giga_engine::local::{Host, LocalEngine, LocalPool, supervise};
use giga_engine::{AttemptId, Engine, NodeUse};
use giga_model::JobId;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

const SUPERVISE: &str = "supervise-attempt";
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

    /// An engine with other pools.
    pub(crate) fn engine_of(&self, pools: Vec<LocalPool>, supervisor: Vec<OsString>) -> LocalEngine {
        LocalEngine::open(&self.home.path().join("engine"), pools, supervisor)
            .expect("an engine opens in a folder that can be written to")
    }

    /// The processes that watch over an attempt, and those that are about to become its program.
    pub(crate) fn supervisors(&self, attempt: AttemptId) -> Vec<i32> {
        let folder = self.folder(attempt);
        let supervises = |pid: &i32| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let mut words = command.split(|&byte| byte == 0).filter(|word| !word.is_empty());
            let ours = words.clone().any(|word| word == SUPERVISE.as_bytes());
            ours && words.next_back() == Some(folder.as_os_str().as_encoded_bytes())
        };
        processes().filter(supervises).collect()
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
        for pid in self.supervisors(attempt) {
            // It may have ended by now.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }

    fn living(&self, mark: &str) -> Vec<u32> {
        let entry = format!("MARK={mark}").into_bytes();
        let marked = |pid: &i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|one| one == entry)
        };
        processes().filter(marked).map(i32::cast_unsigned).collect()
    }
    fn lives(&self, pid: u32) -> bool {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
    }
}

/// This program as the supervisor of the attempts that it starts.
pub(crate) fn supervisor() -> Vec<OsString> {
    let this = std::env::current_exe().expect("Linux tells a program where it lies");
    vec![this.into(), SUPERVISE.into()]
}

pub(crate) fn processes() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").expect("Linux shows its processes");
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let [_, verb, folder] = arguments.as_slice()
        && verb == SUPERVISE
    {
        return supervise(folder.as_ref());
    }
    run_cases(&std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect::<Vec<_>>())
}

/// Runs the cases, a few at a time, and says how each went.
#[expect(clippy::print_stdout, reason = "this is the report of a test program")]
fn run_cases(words: &[String]) -> ExitCode {
    let own = own::CASES.iter().map(|&(name, case)| (name, Either::Own(case)));
    let cases: Vec<_> = CASES.iter().map(|&(name, case)| (name, Either::Shared(case))).chain(own).collect();
    let chosen = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let cases: Vec<_> = cases.into_iter().filter(|(name, _)| chosen(name)).collect();
    let (next, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some((name, case)) = cases.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    let from = Clock::now();
                    let good = catch_unwind(AssertUnwindSafe(|| case.run(&LocalBench::new()))).is_ok();
                    failed.fetch_add(u64::from(!good), Ordering::Relaxed);
                    let word = if good { "ok" } else { "FAILED" };
                    println!("case: {name} ... {word}, {} ms", from.elapsed().as_millis());
                }
            });
        }
    });
    let failed = failed.into_inner();
    println!("\nlocal engine: {} cases, {failed} failed", cases.len());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[derive(Clone, Copy)]
enum Either {
    Shared(Case),
    Own(fn(&LocalBench)),
}

impl Either {
    fn run(self, bench: &LocalBench) {
        match self {
            Self::Shared(case) => case(bench),
            Self::Own(case) => case(bench),
        }
    }
}
