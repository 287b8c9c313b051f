//! What the programs share that hold an engine to the contract: looking at processes, and running cases.

use std::ffi::OsString;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant as Clock;

use giga_engine::contract::{Bench, CASES, Case};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The word that makes a test program the supervisor of the attempts that it starts.
pub(crate) const SUPERVISE: &str = "supervise-attempt";

/// A case of an engine's own: what it is about, and the case.
pub(crate) type Own<B> = (&'static str, fn(&B));

/// A case of the contract, or one of an engine's own.
pub(crate) enum Either<B> {
    Shared(Case),
    Own(fn(&B)),
}

/// Runs the cases of the contract and an engine's own that have one of the words in their names, a few at a time, and says
/// how each went; whether all went well.
#[expect(clippy::print_stdout, reason = "this is the report of a test program")]
pub(crate) fn run_cases<B: Bench>(engine: &str, own: &[Own<B>], bench: impl Fn() -> B + Sync) -> bool {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let own = own.iter().map(|&(name, case)| (name, Either::Own(case)));
    let cases: Vec<_> = CASES.iter().map(|&(name, case)| (name, Either::Shared(case))).chain(own).collect();
    let chosen = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let cases: Vec<_> = cases.into_iter().filter(|(name, _)| chosen(name)).collect();
    let (next, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some((name, case)) = cases.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    let from = Clock::now();
                    let good = catch_unwind(AssertUnwindSafe(|| match case {
                        Either::Shared(case) => case(&bench()),
                        Either::Own(case) => case(&bench()),
                    }));
                    failed.fetch_add(u64::from(good.is_err()), Ordering::Relaxed);
                    let word = if good.is_ok() { "ok" } else { "FAILED" };
                    println!("case: {name} ... {word}, {} ms", from.elapsed().as_millis());
                }
            });
        }
    });
    let failed = failed.into_inner();
    println!("\n{engine} engine: {} cases, {failed} failed", cases.len());
    failed == 0
}

/// The folder of the attempt that this program was started for as a supervisor, if it was.
pub(crate) fn supervised() -> Option<OsString> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    match arguments.as_slice() {
        [_, verb, folder] if verb == SUPERVISE => Some(folder.clone()),
        _ => None,
    }
}

/// Kills processes at once.
pub(crate) fn kill_all(pids: Vec<i32>) {
    for pid in pids {
        // It may have ended by now.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

/// The processes that supervise the attempt of a folder, and those that are about to become its program.
pub(crate) fn supervisors(folder: &Path) -> Vec<i32> {
    let supervises = |pid: &i32| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = command.split(|&byte| byte == 0).filter(|word| !word.is_empty());
        let ours = words.clone().any(|word| word == SUPERVISE.as_bytes());
        ours && words.next_back() == Some(folder.as_os_str().as_encoded_bytes())
    };
    processes().filter(supervises).collect()
}

/// Whether a process began with this in its environment; the name of a variable, up to its `=`, stands for any value.
pub(crate) fn began_with(pid: i32, entry: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let is =
        |one: &[u8]| one == entry.as_bytes() || entry.ends_with('=') && one.starts_with(entry.as_bytes());
    environment.split(|&byte| byte == 0).any(is)
}

/// The living processes that began with `MARK=` and this in their environment.
pub(crate) fn living(mark: &str) -> Vec<u32> {
    let entry = format!("MARK={mark}");
    processes().filter(|&pid| began_with(pid, &entry)).map(i32::cast_unsigned).collect()
}

/// Whether a process of this number lives.
pub(crate) fn lives(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

pub(crate) fn processes() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").expect("Linux shows its processes");
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}
