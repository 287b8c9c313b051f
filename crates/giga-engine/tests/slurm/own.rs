//! What the Slurm engine promises beside the contract.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use giga_engine::contract::Bench;
use giga_engine::contract::scene::Scene;
use giga_engine::{End, NodeUse, Seen};

use super::SlurmBench;
use super::bench::Own;

pub(crate) const CASES: &[Own<SlurmBench>] = &[
    ("processes on two nodes meet", processes_on_two_nodes_meet),
    ("a node that is drained is told", a_drained_node_is_told),
    ("what an administrator ends is lost and not cancelled", what_others_end_is_lost),
    ("what Slurm kills by its group of processes leaves nothing", a_killed_group_leaves_nothing),
    ("a supervisor that can not see its folder ends its program", a_blind_supervisor_ends_its_program),
    ("a foreign job of the same name is left alone", a_foreign_job_is_left_alone),
];

/// Two nodes, one process on each: the first listens where it was told to, the other brings it a number.
const MEET: &str = r#"
import os, socket, time
rank, where = int(os.environ["SLURM_NODEID"]), (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
if rank == 0:
    with socket.create_server(("", where[1])) as door:
        peer, _ = door.accept()
        with open(os.environ["HERE"] + ".met", "w") as met:
            met.write(peer.recv(100).decode())
else:
    for _ in range(200):
        try:
            socket.create_connection(where).sendall(b"from " + os.environ["SLURMD_NODENAME"].encode())
            break
        except OSError:
            time.sleep(0.1)
"#;

fn processes_on_two_nodes_meet(bench: &SlurmBench) {
    let mut scene = Scene::of(bench, "$GIGA_ON_EACH_HOST python3 -c \"$MEET\"");
    let first = bench.node();
    let second = NodeUse { node: (first.node + 1) % super::NODES, ..first.clone() };
    scene.launch.nodes = vec![first, second];
    scene.launch.env.insert("MEET".into(), MEET.into());
    scene.start();
    scene.ends(&End::Exited { code: 0 }, 1);
    let met = fs::read_to_string(scene.file("met")).expect("the first heard of the second");
    assert!(met.starts_with("from alpha"), "{met}");
}

fn scontrol(bench: &SlurmBench, arguments: &[&str]) {
    let output = Command::new("scontrol").args(arguments).env("SLURM_CONF", bench.cluster.conf()).output();
    let output = output.expect("scontrol runs");
    assert!(output.status.success(), "{output:?}");
}

fn a_drained_node_is_told(bench: &SlurmBench) {
    let scene = Scene::of(bench, "");
    // The last node, which no other case is on by now.
    let (node, number) = (format!("NodeName=alpha{}", super::NODES - 1), super::NODES - 1);
    let out = || scene.engine.nodes_out().is_some_and(|out| out.contains(&("main".to_owned(), number)));
    scene.until("in order", || scene.engine.nodes_out() == Some(BTreeSet::new()));
    scontrol(bench, &["update", &node, "State=DRAIN", "Reason=test"]);
    scene.until("told that a node is out", out);
    scontrol(bench, &["update", &node, "State=RESUME"]);
    scene.until("told that it is back", || !out());
}

fn what_others_end_is_lost(bench: &SlurmBench) {
    let scene = Scene::of(bench, ": > \"$HERE.under-way\"; sleep 1000 & wait");
    scene.start();
    scene.until_file("under-way");
    let name = format!("{}-{}", scene.attempt(), bench.tag());
    let mut command = Command::new("scancel");
    command.args(["--name", &name]).env("SLURM_CONF", bench.cluster.conf());
    assert!(command.status().expect("scancel runs").success());
    let over = scene.over();
    assert!(matches!(over, Seen::Lost { .. }), "{over:?}");
    scene.nothing_lives();
}

/// The cluster of the tests goes by groups of processes, so that what left its group has to be found by ourselves.
fn a_killed_group_leaves_nothing(bench: &SlurmBench) {
    let scene =
        Scene::of(bench, "trap '' TERM; : > \"$HERE.under-way\"; setsid sleep 1000 & sleep 1000 & wait");
    scene.start();
    scene.until_file("under-way");
    let name = format!("--name={}-{}", scene.attempt(), bench.tag());
    let mut command = Command::new("scancel");
    command.args(["--full", "--signal=KILL", &name]).env("SLURM_CONF", bench.cluster.conf());
    assert!(command.status().expect("scancel runs").success());
    let over = scene.over();
    assert!(matches!(&over, Seen::Lost { cause } if cause.contains("the site stopped it")), "{over:?}");
    scene.nothing_lives();
}

fn a_foreign_job_is_left_alone(bench: &SlurmBench) {
    let scene = Scene::of(bench, "sleep 1");
    let foreign = scene.file("foreign");
    let line = format!("sleep 2; echo ran >> {}", foreign.display());
    // The same name but for the tag of another engine, and the same user.
    let name = format!("--job-name={}-00000000", scene.attempt());
    let mut command = Command::new("sbatch");
    command.args([&name, "--output=/dev/null", "--wrap", &line]).env("SLURM_CONF", bench.cluster.conf());
    assert!(command.status().expect("sbatch runs").success());
    scene.start();
    scene.ends(&End::Exited { code: 0 }, 1);
    scene.stop();
    scene.until("the foreign job done", || foreign.exists());
}

fn a_blind_supervisor_ends_its_program(bench: &SlurmBench) {
    let scene = Scene::of(bench, ": > \"$HERE.under-way\"; sleep 1000 & wait");
    scene.start();
    scene.until_file("under-way");
    let (folder, mark) = (bench.folder(scene.attempt()), scene.launch.env["MARK"].clone());
    assert!(!bench.living(&mark).is_empty());
    // Without a server nobody but the supervisor itself can end it.
    drop(scene);
    fs::rename(&folder, folder.with_extension("away")).expect("a folder can be moved");
    let from = Instant::now();
    while !bench.living(&mark).is_empty() {
        assert!(from.elapsed() < bench.patience(), "it lives on without its folder");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(from.elapsed() > Duration::from_secs(30), "it gave up after {:?} already", from.elapsed());
}
