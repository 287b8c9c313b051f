//! The cases of the contract, one promise each.

use std::collections::BTreeSet;
use std::env;
use std::fs;

use giga_model::{AttemptId, End, SentFile};
use giga_units::{Bytes, Duration};

use super::Bench;
use super::scene::Scene;
use crate::{EngineError, OutputStream, Seen};

/// Runs until it is stopped, and says when it is under way. The shell waits, so that it hears signals.
const LASTS: &str = ": > \"$HERE.under-way\"; sleep 1000 & wait";

pub(super) fn ends_with_its_code(bench: &dyn Bench) {
    for code in [0, 1, 7, 127, 255] {
        let scene = Scene::of(bench, &format!("exit {code}"));
        scene.start();
        scene.ends(&End::Exited { code }, 1);
    }
}

pub(super) fn what_is_handed_in_reaches_the_program(bench: &dyn Bench) {
    let scene =
        Scene::of(bench, "while ! grep -q bye \"$GIGA_INPUT\" 2>&-; do sleep 0.1; done; cat \"$GIGA_INPUT\"");
    let attempt = scene.launch.attempt;
    let unknown = scene.engine.input(attempt, None, b"x");
    assert!(matches!(unknown, Err(EngineError::Unknown { .. })), "{unknown:?}");
    scene.start();
    let hand = |at, text: &str| scene.engine.input(attempt, at, text.as_bytes());
    assert_eq!(hand(None, "").expect("a place"), 0);
    assert_eq!(hand(Some(0), "hello\n").expect("a place"), 6);
    assert_eq!(hand(Some(0), "hello\n").expect("a place"), 6, "the same again changes nothing");
    assert_eq!(hand(Some(2), "llo\n\n").expect("a place"), 7, "what is there by now counts");
    for refused in [hand(Some(8), "x"), hand(Some(0), "hallo"), hand(Some(5), "x")] {
        assert!(matches!(refused, Err(EngineError::Refused { .. })), "{refused:?}");
    }
    assert_eq!(hand(None, "bye\n").expect("a place"), 11);
    scene.ends(&End::Exited { code: 0 }, 1);
    let output = scene.engine.output(attempt, OutputStream::Out, 0, 100).expect("an output");
    assert_eq!(String::from_utf8_lossy(&output.bytes), "hello\n\nbye\n");
}

pub(super) fn a_signal_is_told(bench: &dyn Bench) {
    let scene = Scene::of(bench, "kill -9 $$");
    scene.start();
    scene.ends(&End::Signalled { signal: 9 }, 1);
}

pub(super) fn an_unknown_program_does_not_start(bench: &dyn Bench) {
    let mut scene = Scene::of(bench, "");
    scene.launch.command = vec!["no-such-program-anywhere".to_owned()];
    scene.start();
    match scene.receipt().end {
        End::NotStarted { cause } => assert!(cause.contains("no-such-program-anywhere"), "{cause}"),
        // A runtime of containers says it in its own words, and an engine that can not tell what a shell says.
        End::Exited { code } if bench.container().is_some() => assert_ne!(code, 0),
        end => assert_eq!(end, End::Exited { code: 127 }),
    }
    let mut scene = Scene::of(bench, "");
    scene.launch.workdir = Some("/no/such/folder".into());
    scene.start();
    let end = scene.receipt().end;
    assert!(matches!(&end, End::NotStarted { cause } if cause.contains("/no/such/folder")), "{end:?}");
    assert_eq!(scene.begun(), 0);
}

pub(super) fn what_can_never_work_is_refused(bench: &dyn Bench) {
    let faults: [fn(&mut Scene<'_>); 6] = [
        |scene| scene.launch.command.clear(),
        |scene| scene.launch.command.push("a\0b".to_owned()),
        |scene| scene.launch.nodes.clear(),
        |scene| scene.launch.nodes[0].pool = "no-such-pool".to_owned(),
        |scene| scene.launch.nodes[0].accelerators = 1_000_000,
        |scene| scene.launch.workdir = Some("not/absolute".into()),
    ];
    for fault in faults {
        let mut scene = Scene::of(bench, "");
        fault(&mut scene);
        let answer = scene.engine.start(&scene.launch);
        assert!(matches!(answer, Err(EngineError::Refused { .. })), "{:?}: {answer:?}", scene.launch);
        assert_eq!(scene.seen(), None, "what is refused is not handed over");
    }
}

pub(super) fn a_repeated_start_runs_once(bench: &dyn Bench) {
    let scene = Scene::of(bench, LASTS);
    scene.start();
    scene.start();
    scene.until_file("under-way");
    scene.start();
    scene.stop();
    scene.receipt();
    scene.start();
    scene.ends(&End::Stopped, 1);
}

pub(super) fn starts_at_once_run_once(bench: &dyn Bench) {
    for _ in 0..5 {
        let scene = Scene::of(bench, "exit 3");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                // Each thread is a server of its own.
                scope.spawn(|| bench.open().start(&scene.launch).expect("a launch that fits is taken"));
            }
        });
        scene.ends(&End::Exited { code: 3 }, 1);
    }
}

pub(super) fn a_stop_lets_a_program_save(bench: &dyn Bench) {
    let trap = "trap 'echo saved > \"$HERE.saved\"; exit 0' TERM\n";
    let scene = Scene::of(bench, &format!("{trap}{LASTS}"));
    scene.start();
    scene.until_file("under-way");
    assert!(matches!(scene.seen(), Some(Seen::Running { .. })), "{:?}", scene.seen());
    scene.stop();
    scene.stop();
    scene.ends(&End::Stopped, 1);
    assert!(scene.file("saved").exists(), "the grace was long enough to save");
}

pub(super) fn a_stop_kills_what_does_not_listen(bench: &dyn Bench) {
    let mut scene =
        Scene::of(bench, "trap '' TERM INT HUP\n: > \"$HERE.under-way\"; while :; do sleep 1; done");
    scene.launch.grace = Duration::milliseconds(300);
    scene.start();
    scene.until_file("under-way");
    scene.stop();
    scene.ends(&End::Stopped, 1);
}

pub(super) fn a_stop_before_the_begin_fences(bench: &dyn Bench) {
    let scene = Scene::of(bench, "");
    assert_eq!(scene.seen(), None);
    scene.stop();
    let end = scene.receipt().end;
    assert!(matches!(end, End::Stopped | End::NotStarted { .. }), "{end:?}");
    scene.start();
    bench.open().start(&scene.launch).expect("a start of what is over is taken");
    scene.ends(&end, 0);
}

pub(super) fn a_stop_of_what_is_over_changes_nothing(bench: &dyn Bench) {
    let scene = Scene::of(bench, "exit 5");
    scene.start();
    let before = scene.receipt();
    scene.stop();
    bench.open().stop(scene.attempt()).expect("an attempt can be stopped");
    assert_eq!(scene.receipt(), before);
    scene.engine.forget(scene.attempt()).expect("what is over can be forgotten");
    scene.stop();
    assert_eq!(scene.seen(), None, "a stop does not bring back what is forgotten");
}

pub(super) fn a_program_ends_at_its_limit(bench: &dyn Bench) {
    let mut scene = Scene::of(bench, LASTS);
    scene.launch.limit = Duration::milliseconds(400);
    scene.start();
    scene.ends(&End::TimedOut, 1);
    let receipt = scene.receipt();
    assert!(receipt.ended.since(receipt.started) >= Duration::milliseconds(390), "{receipt:?}");
}

pub(super) fn output_is_read_while_it_grows_and_later(bench: &dyn Bench) {
    let script = "echo one; echo fault >&2; until [ -e \"$HERE.on\" ]; do sleep 0.02; done; echo two";
    let scene = Scene::of(bench, script);
    let read = |stream, from, most| scene.engine.output(scene.attempt(), stream, from, most);
    let out = |from, most| read(OutputStream::Out, from, most).expect("an output can be read");
    assert!(matches!(read(OutputStream::Out, 0, 10), Err(EngineError::Unknown { .. })));
    scene.start();
    scene.until("its first line", || out(0, 100).bytes == b"one\n");
    assert_eq!((out(4, 100).bytes, out(4, 100).next), (Vec::new(), 4));
    fs::write(scene.file("on"), "").expect("the scratch folder can be written to");
    scene.ends(&End::Exited { code: 0 }, 1);
    for _ in 0..2 {
        let first = out(0, 3);
        assert_eq!((first.bytes.as_slice(), first.next, first.rest), (&b"one"[..], 3, Bytes::of(5)));
        let rest = out(first.next, 100);
        assert_eq!((rest.bytes.as_slice(), rest.next, rest.rest), (&b"\ntwo\n"[..], 8, Bytes::ZERO));
        assert_eq!(out(100, 100).bytes, b"");
        let complaint = read(OutputStream::Err, 0, 100).expect("an output can be read");
        assert_eq!(complaint.bytes, b"fault\n");
        scene.engine.forget(scene.attempt()).expect("what is over can be forgotten");
    }
}

pub(super) fn a_restart_adopts(bench: &dyn Bench) {
    let ended = Scene::of(bench, "exit 4");
    ended.start();
    let receipt = ended.receipt();
    let mut running = Scene::of(bench, LASTS);
    running.start();
    running.until_file("under-way");
    let before = running.seen();
    assert!(matches!(before, Some(Seen::Running { .. })), "{before:?}");
    running.engine = bench.open();
    assert_eq!(running.seen(), before);
    let seen = running.engine.observe().expect("an engine can be observed");
    assert_eq!(seen.get(&ended.attempt()), Some(&Seen::Ended(receipt)));
    running.start();
    running.stop();
    running.ends(&End::Stopped, 1);
}

pub(super) fn what_is_forgotten_never_begins_again(bench: &dyn Bench) {
    let scene = Scene::of(bench, "exit 6");
    scene.engine.forget(scene.attempt()).expect("forgetting what is unknown does nothing");
    scene.start();
    scene.ends(&End::Exited { code: 6 }, 1);
    for engine in [bench.open(), bench.open()] {
        engine.forget(scene.attempt()).expect("forgetting may be repeated");
        assert_eq!(scene.seen(), None);
        engine.start(&scene.launch).expect("a start of what is forgotten is taken");
    }
    let later = Scene::of(bench, "");
    later.start();
    later.receipt();
    assert_eq!((scene.seen(), scene.begun()), (None, 1));
}

pub(super) fn only_what_is_over_is_forgotten(bench: &dyn Bench) {
    let scene = Scene::of(bench, LASTS);
    scene.start();
    scene.until_file("under-way");
    let answer = scene.engine.forget(scene.attempt());
    assert!(matches!(answer, Err(EngineError::Refused { .. })), "{answer:?}");
    scene.stop();
    scene.ends(&End::Stopped, 1);
}

pub(super) fn a_dead_supervisor_leaves_nothing(bench: &dyn Bench) {
    // A child in the program's group, one that left it, and two that hide their environment.
    let children = ["sleep 1001", "setsid sleep 1002", "env -i sleep 1003", "env -i setsid sleep 1004"];
    let noted = children.map(|child| format!("{child} & echo $! >> \"$HERE.pids\"\n"));
    let scene = Scene::of(bench, &format!("{}{LASTS}", noted.concat()));
    scene.start();
    scene.until_file("under-way");
    bench.kill_supervisor(scene.attempt());
    let over = scene.over();
    assert!(matches!(over, Seen::Lost { .. }), "{over:?}");
    scene.nothing_lives();
    let pids = fs::read_to_string(scene.file("pids")).expect("the program noted its children");
    let pids: Vec<u32> = pids.lines().map(|line| line.parse().expect("a shell writes numbers")).collect();
    assert_eq!(pids.len(), 4);
    assert!(!pids.iter().any(|&pid| bench.lives(pid)), "one of {pids:?} still lives");
    scene.start();
    assert_eq!((scene.over(), scene.begun()), (over, 1), "what is lost stays lost");
    scene.engine.forget(scene.attempt()).expect("what is lost can be forgotten");
    scene.start();
    assert_eq!((scene.seen(), scene.begun()), (None, 1));
}

pub(super) fn a_daemon_does_not_outlive(bench: &dyn Bench) {
    let daemon = "setsid sh -c 'setsid sleep 1000 & : > \"$HERE.daemon\"; sleep 1000' > /dev/null 2>&1 &\n";
    let scene = Scene::of(bench, &format!("{daemon} until [ -e \"$HERE.daemon\" ]; do sleep 0.02; done"));
    scene.start();
    scene.ends(&End::Exited { code: 0 }, 1);
}

pub(super) fn a_program_sees_its_own_environment(bench: &dyn Bench) {
    let mut scene = Scene::of(bench, "env -0 > \"$HERE.environment\"");
    scene.launch.env.insert("GREETING".to_owned(), "good day = \"you\"".to_owned());
    scene.start();
    scene.ends(&End::Exited { code: 0 }, 1);
    let text = fs::read_to_string(scene.file("environment")).expect("the program wrote its environment");
    let found: BTreeSet<&str> = text.split('\0').collect();
    let AttemptId { job, .. } = scene.attempt();
    for due in [
        "GREETING=good day = \"you\"".to_owned(),
        format!("GIGA_JOB={job}"),
        format!("GIGA_ATTEMPT={}", scene.attempt()),
        format!("GIGA_NONCE={}", scene.receipt().nonce),
    ] {
        assert!(found.contains(due.as_str()), "{due} is missing in {found:?}");
    }
    assert!(found.iter().any(|entry| entry.starts_with("GIGA_ACCELERATORS=")), "{found:?}");
    // What the server may share. A shell adds the last three by itself.
    let shared = ["PATH", "HOME", "LANG", "USER", "PWD", "SHLVL", "_"];
    let ours = env::vars().filter(|(name, _)| !shared.contains(&name.as_str()));
    let names: BTreeSet<&str> = found.iter().filter_map(|entry| Some(entry.split_once('=')?.0)).collect();
    let leaked: Vec<String> =
        ours.map(|(name, _)| name).filter(|name| names.contains(name.as_str())).collect();
    assert!(leaked.is_empty(), "the program sees {leaked:?} of its server");
}

pub(super) fn a_folder_is_kept_over_attempts(bench: &dyn Bench) {
    let first = Scene::of(bench, "[ ! -e kept ] && echo kept > kept");
    first.start();
    first.ends(&End::Exited { code: 0 }, 1);
    let mut second = Scene::of(bench, "");
    let attempt = AttemptId { number: 2, ..first.attempt() };
    second.launch = super::scene::launch(bench, attempt, "[ -e kept ]");
    second.start();
    second.ends(&End::Exited { code: 0 }, 1);
}

pub(super) fn what_a_job_brings_along_is_there(bench: &dyn Bench) {
    let file = |path: &str, text: &str, executable| SentFile {
        path: path.into(),
        bytes: text.as_bytes().to_vec(),
        executable,
    };
    let files = || {
        let binary = SentFile { path: "a/bytes".into(), bytes: vec![0xff, 0, 10], executable: false };
        vec![file("a/b/run.sh", "#!/bin/sh\necho ran > ran", true), file("conf", "as sent", false), binary]
    };
    let mut first = Scene::of(
        bench,
        "a/b/run.sh && [ -e ran ] && [ \"$(cat conf)\" = 'as sent' ] && [ ! -x conf ] && [ \"$(wc -c < a/bytes)\" -eq 3 ] &&
         echo changed > conf && rm a/bytes && mv a/b elsewhere && ln -s /tmp a/b",
    );
    first.launch.files = files();
    first.start();
    first.ends(&End::Exited { code: 0 }, 1);
    let mut second = Scene::of(bench, "");
    let attempt = AttemptId { number: 2, ..first.attempt() };
    let script = "[ \"$(cat conf)\" = changed ] && [ -e a/bytes ] && [ -L a/b ] && [ ! -e a/b/run.sh ]";
    second.launch = super::scene::launch(bench, attempt, script);
    second.launch.files = files();
    second.start();
    second.ends(&End::Exited { code: 0 }, 1);
}

pub(super) fn an_accelerator_carries_something(bench: &dyn Bench) {
    let engine = bench.open();
    let carried = engine.carries(&bench.node().pool);
    assert!(carried.cpus_thousandths > 0 && carried.memory > Bytes::ZERO, "{carried:?}");
    assert_eq!(engine.carries("no-such-pool"), crate::Carried::default());
}
