//! Promises of the local engine that other engines need not make: accelerators, files that were damaged, supervisors
//! that come late or not at all.

#![expect(clippy::unwrap_used, reason = "a test program: clippy knows tests by an attribute that these lack")]

use std::fs;
use std::process::{Command, Stdio};

use giga_engine::contract::Bench;
use giga_engine::contract::scene::Scene;
use giga_engine::local::Host;
use giga_engine::{AttemptId, End, Engine, EngineError, NodeUse, OutputStream, Seen};
use giga_formats::attempt::{AttemptFile, Claim, Claimant, ProcessId};
use giga_model::JobId;
use giga_units::{Bytes, Duration, Instant};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{LocalBench, supervisor};

/// A promise, which panics where it is broken.
type Own = fn(&LocalBench);

pub(super) const CASES: &[(&str, Own)] = &[
    ("accelerators are held by one attempt at a time", accelerators_are_held_by_one),
    ("a program keeps to the processors of its accelerators", a_program_keeps_to_its_processors),
    ("what a program used stands in its receipt", what_was_used_is_told),
    ("a damaged file is a doubt or a loss and no panic", damage_is_a_doubt_or_a_loss),
    ("a supervisor is known by more than its number", a_supervisor_is_known_by_more_than_its_number),
    ("a late supervisor does nothing", a_late_supervisor_does_nothing),
    ("a second stage without its supervisor does nothing", a_second_stage_alone_does_nothing),
    ("an attempt without supervisor can be started again", a_start_mends_a_missing_supervisor),
    ("a supervisor that is asked to end ends its program", an_asked_supervisor_ends_its_program),
    ("a supervisor that ended is reaped", a_supervisor_is_reaped),
    ("a folder that can not be used is no refusal", an_unusable_folder_is_no_refusal),
    ("a disk that is full for a while fails no work", a_full_disk_is_waited_for),
];

/// What the program of a scene says of itself.
const SAYS: &str =
    "echo \"$GIGA_ACCELERATORS\" > \"$HERE.accelerators\"; until [ -e \"$HERE.on\" ]; do sleep 0.02; done";

fn on_one_node<'a>(bench: &'a LocalBench, script: &str) -> Scene<'a> {
    let mut scene = Scene::of(bench, script);
    scene.launch.nodes = vec![NodeUse { pool: "virtual".into(), node: 7, accelerators: 2 }];
    scene
}

fn accelerators_are_held_by_one(bench: &LocalBench) {
    let said = |scene: &Scene<'_>| {
        let mut text = String::new();
        scene.until("its accelerators", || {
            text = fs::read_to_string(scene.file("accelerators")).unwrap_or_default();
            text.ends_with('\n')
        });
        text
    };
    // Each scene opens an engine of its own, as after a restart.
    let (first, second) = (on_one_node(bench, SAYS), on_one_node(bench, SAYS));
    let third = on_one_node(bench, SAYS);
    first.start();
    assert_eq!(said(&first), "0,1\n");
    second.start();
    assert_eq!(said(&second), "2,3\n");
    let full = third.engine.start(&third.launch);
    assert!(matches!(full, Err(EngineError::Unavailable { .. })), "{full:?}");
    assert_eq!(third.seen(), None);
    fs::write(first.file("on"), "").unwrap();
    first.ends(&End::Exited { code: 0 }, 1);
    third.start();
    assert_eq!(said(&third), "0,1\n");
    for scene in [&second, &third] {
        fs::write(scene.file("on"), "").unwrap();
        scene.ends(&End::Exited { code: 0 }, 1);
    }
    let hidden = on_one_node(bench, "[ \"${CUDA_VISIBLE_DEVICES-unset}\" = '' ]");
    hidden.start();
    hidden.ends(&End::Exited { code: 0 }, 1);
}

fn a_program_keeps_to_its_processors(bench: &LocalBench) {
    let host = Host::here().unwrap();
    let cpu = *host.cpus.last().unwrap();
    let mut pool = Host { cpus: vec![cpu], ..host }.divide(&[("own", 1, 1)]);
    pool[0].devices = vec!["GPU-x".into()];
    let mut scene = Scene::of(bench, "nproc; echo \"$GIGA_CPUS $OMP_NUM_THREADS $CUDA_VISIBLE_DEVICES\"");
    scene.engine = Box::new(bench.engine_of(pool, supervisor()));
    scene.launch.nodes = vec![NodeUse { pool: "own".into(), node: 0, accelerators: 1 }];
    scene.start();
    scene.ends(&End::Exited { code: 0 }, 1);
    let said = scene.engine.output(scene.attempt(), OutputStream::Out, 0, 100).unwrap();
    assert_eq!(String::from_utf8_lossy(&said.bytes), "1\n1.000 1 GPU-x\n");
}

fn what_was_used_is_told(bench: &LocalBench) {
    let scene = Scene::of(bench, "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");
    scene.start();
    let receipt = scene.receipt();
    let wall = receipt.ended.since(receipt.started);
    assert!(receipt.cpu_time > Duration::milliseconds(20), "{receipt:?}");
    assert!(receipt.cpu_time <= wall + Duration::milliseconds(100), "{receipt:?}");
    assert!(receipt.memory_peak.is_some_and(|peak| peak > Bytes::of(500_000)), "{receipt:?}");
    assert_eq!(receipt.energy, None, "a virtual accelerator has no counter");
}

fn damage_is_a_doubt_or_a_loss(bench: &LocalBench) {
    let scene = Scene::of(bench, "exit 0");
    scene.start();
    scene.ends(&End::Exited { code: 0 }, 1);
    let folder = bench.folder(scene.attempt());
    // What writes the receipt lives for a moment more, in which its attempt is not lost.
    scene.until("its end", || bench.supervisors(scene.attempt()).is_empty());
    // Another engine has not seen the receipt yet.
    let seen = || bench.open().observe().unwrap().remove(&scene.attempt());
    let check = |name: &str, text: &[u8], expected: fn(&Option<Seen>) -> bool| {
        fs::write(folder.join(name), text).unwrap();
        assert!(expected(&seen()), "`{name}` as {text:?}: {:?}", seen());
    };
    let receipt = fs::read(folder.join("receipt.json")).unwrap();
    for cut in [0, 1, receipt.len() / 2, receipt.len() - 3] {
        check("receipt.json", &receipt[..cut], |seen| matches!(seen, Some(Seen::Lost { .. })));
    }
    check("body.json", b"{", |seen| matches!(seen, Some(Seen::Lost { .. })));
    check("claim.json", b"", |seen| matches!(seen, Some(Seen::Unclear { .. })));
    fs::remove_file(folder.join("claim.json")).unwrap();
    fs::remove_file(folder.join("receipt.json")).unwrap();
    check("launch.json", b"\xff", |seen| matches!(seen, Some(Seen::Unclear { .. })));
    fs::remove_file(folder.join("launch.json")).unwrap();
    fs::write(folder.parent().unwrap().join("giga-x"), "").unwrap();
    assert_eq!(seen(), None, "a folder in which nothing was handed over is no attempt");
}

fn a_supervisor_is_known_by_more_than_its_number(bench: &LocalBench) {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim().to_owned();
    let check = |process: ProcessId, word: &str| {
        let attempt = bench.fresh();
        let by = Claimant::Supervisor(process);
        let claim = Claim { attempt, nonce: "aa".into(), at: Instant::unix_milliseconds(1), by, batch: None };
        let engine = bench.open();
        fs::create_dir(bench.folder(attempt)).unwrap();
        fs::write(bench.folder(attempt).join("claim.json"), claim.write()).unwrap();
        let seen = engine.observe().unwrap().remove(&attempt);
        assert!(matches!(&seen, Some(Seen::Lost { cause }) if cause.contains(word)), "{seen:?}");
    };
    let pid = std::process::id();
    check(ProcessId { pid, start_ticks: 1, boot }, "no receipt");
    check(ProcessId { pid, start_ticks: 1, boot: "an earlier one".into() }, "came up anew");
}

fn a_late_supervisor_does_nothing(bench: &LocalBench) {
    let late = |attempt: AttemptId| {
        let [program, verb] = supervisor().try_into().unwrap();
        let output = Command::new(program).arg(verb).arg(bench.folder(attempt)).output().unwrap();
        output.status.code()
    };
    let fenced = Scene::of(bench, "");
    // Handed over, with a supervisor that does nothing, and stopped before a real one comes.
    bench.engine_with(vec!["true".into()]).start(&fenced.launch).unwrap();
    assert_eq!(fenced.seen(), Some(Seen::Pending));
    fenced.stop();
    assert_eq!(late(fenced.attempt()), Some(75));
    fenced.ends(&End::Stopped, 0);
    let ended = Scene::of(bench, "exit 2");
    ended.start();
    ended.ends(&End::Exited { code: 2 }, 1);
    assert_eq!(late(ended.attempt()), Some(75));
    ended.engine.forget(ended.attempt()).unwrap();
    assert_eq!(late(ended.attempt()), Some(1));
    assert_eq!(late(AttemptId { job: JobId(999), number: 1 }), Some(1));
    assert_eq!((ended.begun(), ended.seen()), (1, None));
}

fn a_second_stage_alone_does_nothing(bench: &LocalBench) {
    let scene = Scene::of(bench, "");
    bench.engine_with(vec!["true".into()]).start(&scene.launch).unwrap();
    let [program, verb] = supervisor().try_into().unwrap();
    // Its supervisor was killed: another process is its parent.
    let mut stage = Command::new(program);
    stage.arg(verb).arg(bench.folder(scene.attempt())).env("GIGA_STAGE", "1").stdin(Stdio::null());
    let process = ProcessId { pid: 1, start_ticks: 1, boot: "an earlier one".into() };
    let by = Claimant::Supervisor(process);
    let claim = Claim {
        attempt: scene.attempt(),
        nonce: "aa".into(),
        at: Instant::unix_milliseconds(1),
        by,
        batch: None,
    };
    fs::write(bench.folder(scene.attempt()).join("claim.json"), claim.write()).unwrap();
    stage.status().unwrap();
    assert_eq!(scene.begun(), 0);
    // With its supervisor as its parent it does begin, so it was this that kept it.
    stage.env("GIGA_STAGE", std::process::id().to_string());
    stage.status().unwrap();
    assert_eq!(scene.begun(), 1);
}

fn a_start_mends_a_missing_supervisor(bench: &LocalBench) {
    let scene = Scene::of(bench, "exit 8");
    let missing = bench.engine_with(vec!["/no/such/supervisor".into()]).start(&scene.launch);
    assert!(matches!(missing, Err(EngineError::Unavailable { .. })), "{missing:?}");
    assert_eq!(scene.seen(), Some(Seen::Pending));
    let failing = bench.engine_with(vec!["sh".into(), "-c".into(), "echo out of order >&2; exit 4".into()]);
    failing.start(&scene.launch).unwrap();
    let mut told = String::new();
    scene.until("told why", || {
        told = failing.start(&scene.launch).err().map(|fault| fault.to_string()).unwrap_or_default();
        !told.is_empty()
    });
    assert!(told.contains("out of order"), "{told}");
    scene.start();
    scene.ends(&End::Exited { code: 8 }, 1);
}

fn an_asked_supervisor_ends_its_program(bench: &LocalBench) {
    let scene = Scene::of(bench, ": > \"$HERE.under-way\"; sleep 1000 & wait");
    scene.start();
    scene.until_file("under-way");
    let supervisors = bench.supervisors(scene.attempt());
    assert_eq!(supervisors.len(), 1, "the second stage has become the program");
    kill(Pid::from_raw(supervisors[0]), Signal::SIGTERM).unwrap();
    scene.ends(&End::Stopped, 1);
}

fn a_supervisor_is_reaped(bench: &LocalBench) {
    let scene = Scene::of(bench, "until [ -e \"$HERE.on\" ]; do sleep 0.02; done");
    scene.start();
    let mut supervisors = Vec::new();
    scene.until("a claim", || {
        supervisors = bench.supervisors(scene.attempt());
        matches!(scene.seen(), Some(Seen::Running { .. }))
    });
    fs::write(scene.file("on"), "").unwrap();
    scene.receipt();
    let gone = |pid: &i32| !fs::exists(format!("/proc/{pid}")).unwrap();
    scene.until("reaped", || scene.seen().is_some() && supervisors.iter().all(gone));
}

fn an_unusable_folder_is_no_refusal(bench: &LocalBench) {
    let scene = Scene::of(bench, "");
    let live = bench.folder(scene.attempt()).parent().unwrap().to_owned();
    fs::remove_dir(&live).unwrap();
    fs::write(&live, "").unwrap();
    let fault = scene.engine.start(&scene.launch);
    assert!(matches!(fault, Err(EngineError::Unavailable { .. })), "{fault:?}");
    assert!(matches!(scene.engine.observe(), Err(EngineError::Unavailable { .. })));
    assert!(matches!(scene.engine.stop(scene.attempt()), Err(EngineError::Unavailable { .. })));
    fs::remove_file(&live).unwrap();
    fs::create_dir(&live).unwrap();
    scene.start();
    scene.ends(&End::Exited { code: 0 }, 1);
}

/// The supervisor finds the disk full, which is freed a while later.
#[expect(clippy::print_stdout, reason = "a case that is skipped says so")]
fn a_full_disk_is_waited_for(bench: &LocalBench) {
    let disk = tempfile::tempdir().unwrap();
    let mount =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "none"]).arg(disk.path()).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        return println!("SKIPPED: a full disk: this user may not mount a small one");
    }
    let gone = Unmount(disk.path().to_owned());
    let fill =
        "head -c 1M /dev/zero > ../../../fill 2>/dev/null; (sleep 2; rm ../../../fill) & exec \"$0\" \"$@\"";
    let fill = format!("cd \"$2\" && {fill}");
    let mut call = vec!["sh".into(), "-c".into(), fill.into()];
    call.extend(supervisor());
    let mut scene = Scene::of(bench, "exit 6");
    scene.engine = Box::new(bench.engine_at(&disk.path().join("engine"), call));
    scene.start();
    scene.ends(&End::Exited { code: 6 }, 1);
    drop((scene, gone));
}

/// A small disk that goes with this value.
struct Unmount(std::path::PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        // A supervisor may still be about to end.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
