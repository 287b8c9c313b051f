//! The files of an attempt: those that this release writes, kept, and what is no such file.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;

use giga_formats::attempt::{
    AttemptFile, AttemptFileError, Body, Claim, Claimant, Handover, Lost, ProcessId,
};
use giga_model::{
    AttemptId, Container, ContainerRuntime, End, Idling, JobId, Launch, Measured, NodeUse, Receipt,
};
use giga_units::{Bytes, Duration, Energy, Fraction, Instant};

const ATTEMPT: AttemptId = AttemptId { job: JobId(17), number: 1 };

fn handover() -> Handover {
    let node = |node, accelerators| NodeUse { pool: "h200".into(), node, accelerators };
    let launch = Launch {
        attempt: ATTEMPT,
        nodes: vec![node(0, 2), node(3, 1)],
        limit: Duration::hours(2),
        grace: Duration::seconds(30),
        command: vec!["python".into(), "train.py".into(), "ø \" \n".into()],
        env: BTreeMap::from([("EPOCHS".into(), "3".into())]),
        files: Vec::new(),
        workdir: Some(PathBuf::from("/data/here")),
        container: None,
    };
    Handover {
        launch,
        slots: vec![vec![0, 5], vec![7]],
        cpus: vec![4, 5, 6],
        cpus_thousandths: 3_000,
        memory: Bytes::gigabytes(6),
        devices: vec!["GPU-0f3a".into()],
    }
}

fn process() -> ProcessId {
    ProcessId { pid: 4_711, start_ticks: 123_456, boot: "0b5c7a0e".into() }
}

fn claim(by: Claimant) -> Claim {
    Claim { attempt: ATTEMPT, nonce: "00ff".into(), at: Instant::unix_milliseconds(5), by, batch: None }
}

fn receipt(end: End, energy: Option<Measured>) -> Receipt {
    Receipt {
        attempt: ATTEMPT,
        nonce: "00ff".into(),
        started: Instant::unix_milliseconds(1_000),
        ended: Instant::unix_milliseconds(4_500),
        end,
        host: "node-a".into(),
        cpu_time: Duration::milliseconds(3_250),
        memory_peak: energy.is_some().then(|| Bytes::of(123_456)),
        energy,
    }
}

/// The value is written as the kept file, and that file is read as the value. `GIGA_KEEP` set writes the file anew.
#[track_caller]
fn check<T: AttemptFile + PartialEq + Debug>(name: &str, value: &T) {
    let path = format!("{}/tests/golden/attempt-1/{name}.json", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("GIGA_KEEP").is_some() {
        std::fs::write(&path, value.write()).expect("the kept files can be written");
    }
    let kept = std::fs::read_to_string(&path).expect("the file is kept");
    assert_eq!(value.write(), kept, "{name}");
    assert_eq!(&T::read(kept.as_bytes()).expect("a kept file is read"), value, "{name}");
}

#[test]
fn kept_files_are_read_and_written() {
    check("launch", &handover());
    let launch = Launch { workdir: None, ..handover().launch };
    check("launch-bare", &Handover { launch, devices: Vec::new(), cpus: Vec::new(), ..handover() });
    let container = Container {
        runtime: ContainerRuntime::Charliecloud,
        image: "/images/torch".into(),
        reads: vec!["/data/scans".into()],
    };
    let launch = Launch { container: Some(container), ..handover().launch };
    check("launch-container", &Handover { launch, ..handover() });
    check("claim", &claim(Claimant::Supervisor(process())));
    check("claim-batch", &Claim { batch: Some(4_242), ..claim(Claimant::Supervisor(process())) });
    check("claim-fence", &claim(Claimant::Fence));
    check("idling", &Idling { since: Instant::unix_milliseconds(8), cpus_thousandths: 1_500 });
    check("body", &Body { process: process(), at: Instant::unix_milliseconds(7) });
    let at = Instant::unix_milliseconds(9);
    let (method, uncertainty) = ("nvml counter".into(), Fraction::ppm(50_000));
    let energy = Measured { energy: Energy::joules(1_234), method, uncertainty };
    let lost = Lost { attempt: ATTEMPT, cause: "job 7 of Slurm ended without a receipt".into(), at };
    check("lost", &lost);
    check("receipt", &receipt(End::Exited { code: 3 }, Some(energy)));
    check("receipt-signalled", &receipt(End::Signalled { signal: 9 }, None));
    check("receipt-timed-out", &receipt(End::TimedOut, None));
    check("receipt-stopped", &receipt(End::Stopped, None));
    check("receipt-not-started", &receipt(End::NotStarted { cause: "no such file".into() }, None));
}

#[test]
fn what_is_cut_or_changed_is_no_file() {
    let text = receipt(End::Stopped, None).write();
    for length in 0..text.trim_end().len() {
        assert!(Receipt::read(&text.as_bytes()[..length]).is_err(), "cut at {length}");
    }
    let changed = text.replace("4500", "4501");
    assert!(matches!(Receipt::read(changed.as_bytes()), Err(AttemptFileError::Damaged { .. })));
    let later = text.replace("\"format\": 1", "\"format\": 2");
    assert!(matches!(Receipt::read(later.as_bytes()), Err(AttemptFileError::OtherFormat { found: 2, .. })));
    let other = handover().write();
    assert!(matches!(Receipt::read(other.as_bytes()), Err(AttemptFileError::OtherKind { .. })));
    let mut backwards = receipt(End::Stopped, None);
    backwards.ended = Instant::unix_milliseconds(1);
    let bad = Receipt::read(backwards.write().as_bytes());
    assert!(matches!(bad, Err(AttemptFileError::BadValue { field: "ended_ms", .. })), "{bad:?}");
}
