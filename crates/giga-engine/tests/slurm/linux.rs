//! The bench of the Slurm engine, and the run of its cases.

#[path = "../bench/mod.rs"]
mod bench;
#[expect(dead_code, reason = "other programs use other parts")]
#[path = "../bench/cluster.rs"]
mod cluster;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration as Span;

use giga_engine::contract::Bench;
use giga_engine::local::supervise;
use giga_engine::slurm::protocol::Rules;
use giga_engine::slurm::{Cli, Rest, SlurmEngine, SlurmPool, SlurmSite, Transport};
use giga_engine::{AttemptId, Engine, NodeUse};
use giga_model::JobId;
use tempfile::TempDir;

use self::cluster::Cluster;

#[path = "own.rs"]
mod own;

const NODES: u32 = 16;
const ACCELERATORS: u32 = 4;

/// How Slurm is asked.
#[derive(Clone, Copy)]
enum Way {
    Commands,
    Rest,
}

/// A Slurm engine in a folder of its own, on the cluster of all.
pub(crate) struct SlurmBench {
    pub(crate) cluster: Arc<Cluster>,
    way: Way,
    home: TempDir,
    jobs: AtomicU64,
    nodes: AtomicU32,
}

impl SlurmBench {
    fn new(cluster: Arc<Cluster>, way: Way) -> Self {
        let home = tempfile::tempdir().expect("a folder for the test can be made");
        fs::create_dir(home.path().join("scratch")).expect("a folder for the test can be made");
        Self { cluster, way, home, jobs: AtomicU64::new(1), nodes: AtomicU32::new(0) }
    }

    /// What tells jobs of this engine from those of others.
    pub(crate) fn tag(&self) -> String {
        fs::read_to_string(self.home.path().join("engine/tag")).expect("an engine that was opened has one")
    }

    pub(crate) fn folder(&self, attempt: AttemptId) -> PathBuf {
        self.home.path().join("engine/live").join(attempt.to_string())
    }
}

impl Bench for SlurmBench {
    fn open(&self) -> Box<dyn Engine> {
        let pool = SlurmPool {
            name: "main".into(),
            nodes: NODES,
            accelerators_per_node: ACCELERATORS,
            partition: "giga".into(),
            constraint: None,
            gres: "gpu".into(),
        };
        let (poll, rules) =
            (Span::from_millis(250), Rules { window: Span::from_secs(8), ..Rules::default() });
        let (account, qos, reservation) = (None, None, None);
        let site = SlurmSite { pools: vec![pool], account, qos, reservation, guest: false, poll, rules };
        let transport: Box<dyn Transport> = match self.way {
            Way::Commands => Box::new(Cli { conf: Some(self.cluster.conf()), user: cluster::user() }),
            Way::Rest => Box::new(Rest::new(&self.cluster.rest(), self.cluster.key(), &cluster::user())),
        };
        let engine = SlurmEngine::open(
            &self.home.path().join("engine"),
            site,
            transport,
            vec![cluster::this(), bench::SUPERVISE.into()],
        );
        Box::new(engine.expect("an engine opens in a folder that can be written to"))
    }
    fn fresh(&self) -> AttemptId {
        AttemptId { job: JobId(self.jobs.fetch_add(1, Ordering::Relaxed)), number: 1 }
    }
    fn node(&self) -> NodeUse {
        let node = self.nodes.fetch_add(1, Ordering::Relaxed) % NODES;
        NodeUse { pool: "main".into(), node, accelerators: 2 }
    }
    fn scratch(&self) -> &Path {
        // Built once from the same folder, so it stays where it is.
        Box::leak(self.home.path().join("scratch").into_boxed_path())
    }
    fn patience(&self) -> Span {
        Span::from_secs(60)
    }

    fn pace(&self) -> Span {
        Span::from_millis(60)
    }

    fn kill_supervisor(&self, attempt: AttemptId) {
        // The guard above it stays, as it does where memory runs out.
        let supervisors = bench::supervisors(&self.folder(attempt)).into_iter();
        bench::kill_all(supervisors.filter(|&pid| bench::began_with(pid, "GIGA_GUARDED=")).collect());
    }
    fn living(&self, mark: &str) -> Vec<u32> {
        bench::living(mark)
    }
    fn lives(&self, pid: u32) -> bool {
        bench::lives(pid)
    }
}

#[expect(clippy::print_stdout, reason = "this is the report of a test program")]
pub(crate) fn main() -> ExitCode {
    if let Some(folder) = bench::supervised() {
        return supervise(folder.as_ref());
    }
    let cluster = match Cluster::start(&["alpha"], NODES, ACCELERATORS) {
        Ok(cluster) => Arc::new(cluster),
        Err(why) if cluster::required() => {
            println!("slurm engine: FAILED: {why}");
            return ExitCode::FAILURE;
        }
        Err(why) => {
            println!("slurm engine: SKIPPED, the contract of engines on Slurm was not run: {why}");
            return ExitCode::SUCCESS;
        }
    };
    let ways = [("slurm, by its commands,", Way::Commands), ("slurm, by slurmrestd,", Way::Rest)];
    let kept = ways
        .map(|(name, way)| bench::run_cases(name, own::CASES, || SlurmBench::new(Arc::clone(&cluster), way)));
    ExitCode::from(u8::from(kept.contains(&false)))
}
