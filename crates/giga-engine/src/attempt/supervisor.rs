//! The supervisor of one attempt: claims it, runs its program, and leaves a receipt when nothing of it is left.
//!
//! It is a process of its own, so that it outlives the server. Whatever the program starts becomes a child of the
//! supervisor when its parent ends, so that nothing gets away. Its last act is the receipt. It takes no decision but to
//! stop the program at its limit or when asked.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration as Span, Instant as Clock};

use giga_formats::attempt::{Claim, Claimant, Handover};
use giga_model::{End, Receipt};
use giga_units::{Bytes, Duration, Instant};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeValLike;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::getppid;

use super::body::{self, STAGE};
use super::claim::{self, Taken};
use super::energy::{self, Meter};
use super::folder::{Folder, Found};
use super::idle;
use super::process;
use super::{host_name, now};

pub(crate) const LAUNCH: &str = "launch.json";
pub(crate) const RECEIPT: &str = "receipt.json";
pub(crate) const STOP: &str = "stop";
/// That a second copy found the attempt claimed.
pub(crate) const TURNED_AWAY: &str = "turned-away";
pub(crate) const OUT: &str = "stdout";
pub(crate) const ERR: &str = "stderr";
/// What is handed in to the program while it runs.
pub(crate) const INPUT: &str = "input";

/// Says which process stands above this supervisor as its guard.
const GUARDED: &str = "GIGA_GUARDED";

/// The exit code of a supervisor that finds the attempt taken, and so touches nothing.
pub(crate) const TAKEN: u8 = 75;

/// How often a request to stop is looked for, should the signal that comes with it be lost.
const LOOK: Span = Span::from_millis(250);
/// After so long without sight of its folder a supervisor ends its program: it could not be told to. Whoever waits for that
/// waits longer, see `slurm::protocol::Rules::fence`.
pub(crate) const BLIND: Span = Span::from_secs(45);
/// How long a claim waits for room on the disk: its nodes are held meanwhile.
const CLAIMS: Span = Span::from_secs(600);
/// How long between tries to write while the disk is full.
const RETRY: Span = Span::from_millis(500);

/// Carries out the attempt of this folder and returns when it is over. It is the whole life of a process: a program
/// that serves as a supervisor calls it from its main thread, with no other thread running, and exits with its code.
///
/// It calls its own program again, with the same arguments, for the second stage; so the arguments that led here must
/// lead here again.
#[must_use]
#[expect(clippy::print_stderr, reason = "standard error is the supervisor's log")]
pub fn supervise(folder: &Path) -> ExitCode {
    let folder = Folder::at(folder);
    if let Ok(supervisor) = env::var(STAGE) {
        return body::become_program(&folder, &supervisor);
    }
    let guards = body::under_slurm() && env::var_os(GUARDED).is_none();
    match if guards { guard() } else { supervised(&folder) } {
        Ok(code) => code,
        Err(fault) => {
            eprintln!("supervisor of `{}`: {fault}", folder.path().display());
            ExitCode::FAILURE
        }
    }
}

/// Stands above the supervisor where a batch system started it: should the supervisor die, whatever it started becomes a
/// child of this process, which ends it before the batch system is told that the job is over. And where the batch system ends a job
/// by its group of processes, it is this one that dies, and the supervisor outlives it to end the rest.
fn guard() -> io::Result<ExitCode> {
    let signals = signals()?;
    set_child_subreaper(true)?;
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_else(|| OsString::from("giga"));
    let mut command = Command::new("/proc/self/exe");
    let guard = std::process::id().to_string();
    let child = command.arg0(name).args(arguments).env(GUARDED, guard).process_group(0).spawn()?.id();
    let end = loop {
        if let Some(status) = reap(Some(child)).end {
            break status;
        }
        if wait(&signals, LOOK) {
            process::signal_number(child, Signal::SIGTERM)?;
        }
    };
    end_all(&signals);
    Ok(match end {
        WaitStatus::Exited(_, code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        _ => ExitCode::FAILURE,
    })
}

fn supervised(folder: &Folder) -> io::Result<ExitCode> {
    let signals = signals()?;
    set_child_subreaper(true)?;
    let handover = match folder.read::<Handover>(LAUNCH)? {
        Found::Whole(handover) => handover,
        Found::Nothing => return Err(io::Error::other("there is no `launch.json`")),
        Found::Broken(fault) => return Err(io::Error::other(fault)),
    };
    let by = process::own()?;
    let claim = claim::by(handover.launch.attempt, Claimant::Supervisor(by))?;
    let guard = env::var(GUARDED).ok().and_then(|guard| guard.parse().ok());
    let take = || {
        if is_orphan(guard) {
            return Err(io::Error::other("what started it is gone"));
        }
        claim::take(folder, &claim)
    };
    let Taken::Here(claim) = on_a_full_disk(CLAIMS, take)? else {
        // Before the batch system can say that this copy is over.
        if body::under_slurm() {
            on_a_full_disk(CLAIMS, || folder.raise(TURNED_AWAY))?;
        }
        return Ok(ExitCode::from(TAKEN));
    };
    let receipt = Watch { folder, handover: &handover, claim: &claim, guard, signals }.run();
    leave(folder, &receipt)?;
    Ok(ExitCode::SUCCESS)
}

/// Whether the process above this one is gone, and another has become its parent.
fn is_orphan(guard: Option<i32>) -> bool {
    guard.is_some_and(|guard| getppid().as_raw() != guard)
}

/// Keeps back the signals that are waited for. The second stage lets them through again for the program.
fn signals() -> io::Result<SignalFd> {
    let mut set = SigSet::empty();
    set.extend([Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]);
    set.thread_block()?;
    Ok(SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?)
}

/// Does what needs room on the disk, and waits for it while there is none: work must not fail because a disk is full for a while.
pub(crate) fn on_a_full_disk<T>(most: Span, mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let until = Clock::now() + most;
    loop {
        match act() {
            Err(fault) if is_full(&fault) && Clock::now() < until => std::thread::sleep(RETRY),
            done => return done,
        }
    }
}

fn is_full(fault: &io::Error) -> bool {
    matches!(fault.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Writes the receipt. A full disk is waited for: an attempt that ended must not turn into a lost one.
fn leave(folder: &Folder, receipt: &Receipt) -> io::Result<()> {
    while let Err(fault) = folder.make(RECEIPT, receipt) {
        // Only what is gone for certain makes a receipt needless.
        if matches!(folder.path().try_exists(), Ok(false)) {
            return Err(fault);
        }
        std::thread::sleep(RETRY);
    }
    Ok(())
}

/// A supervisor at its work.
struct Watch<'a> {
    folder: &'a Folder,
    handover: &'a Handover,
    claim: &'a Claim,
    /// The process above it, where there is one: what started this is to end with it.
    guard: Option<i32>,
    signals: SignalFd,
}

/// Why the program is being ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Limit,
    Asked,
}

impl Watch<'_> {
    fn run(&self) -> Receipt {
        let meter = Meter::begin(&energy::of_attempt(self.handover));
        let (started, end) = match self.begin() {
            Ok(program) => {
                idle::watch(self.folder, self.handover);
                (program.at, self.watch(&program))
            }
            Err(end) => (now(), end),
        };
        end_all(&self.signals);
        let energy = meter.and_then(Meter::end);
        self.receipt(started, end, energy)
    }

    /// Starts the program, or says how that ended.
    fn begin(&self) -> Result<Program, End> {
        if self.stop_asked() || is_orphan(self.guard) {
            return Err(End::Stopped);
        }
        let not_started = |cause: String| End::NotStarted { cause };
        let (mut faults, pid) =
            self.spawn().map_err(|fault| not_started(format!("its process could not be made: {fault}")))?;
        let mut cause = String::new();
        // The pipe closes when the program runs, or when the stage before it ends.
        let read = faults.read_to_string(&mut cause);
        let began = Clock::now();
        if let Err(fault) = read {
            cause = format!("whether it runs could not be told: {fault}");
        }
        if !cause.is_empty() {
            return Err(not_started(cause));
        }
        let at = self.folder.began().ok().flatten().unwrap_or_else(now);
        Ok(Program { pid, at, began })
    }

    fn spawn(&self) -> io::Result<(io::PipeReader, u32)> {
        let (reader, writer) = io::pipe()?;
        let mut arguments = env::args_os();
        let name = arguments.next().unwrap_or_else(|| OsString::from("giga"));
        // This very program, even if its file was replaced since.
        let mut command = Command::new("/proc/self/exe");
        command.arg0(name).args(arguments);
        command.env_clear().env(STAGE, std::process::id().to_string());
        // The first part of what tells a process of this attempt from others, see `fence.rs`.
        command.env("GIGA_NONCE", &self.claim.nonce);
        command.envs(body::kept());
        command.stdin(OwnedFd::from(writer));
        command.stdout(Stdio::from(self.folder.append(OUT)?)).stderr(Stdio::from(self.folder.append(ERR)?));
        let child = command.spawn()?;
        Ok((reader, child.id()))
    }

    /// Waits for the program to end, and ends it at its limit or when asked.
    fn watch(&self, program: &Program) -> End {
        let launch = &self.handover.launch;
        let limit = program.began.checked_add(span(launch.limit));
        let mut ending = None;
        let mut kill_at = None;
        let mut stop = false;
        let sight = body::under_slurm().then(|| Sight::of(self.folder));
        loop {
            if let Some(status) = reap(Some(program.pid)).end {
                return ending_of(status, ending);
            }
            let now = Clock::now();
            if ending.is_none() {
                let over = limit.is_some_and(|limit| limit <= now);
                let asked = sight.as_ref().map_or_else(|| self.stop_asked(), Sight::ends);
                ending = if stop || asked { Some(Ending::Asked) } else { over.then_some(Ending::Limit) };
                if ending.is_some() {
                    program.signal(Signal::SIGTERM);
                    kill_at = now.checked_add(span(launch.grace));
                }
            }
            // The batch system has given its place to others.
            let orphan = is_orphan(self.guard);
            if orphan {
                ending = ending.or(Some(Ending::Asked));
            }
            if orphan || kill_at.is_some_and(|at| at <= now) {
                program.signal(Signal::SIGKILL);
            }
            let next = [limit.filter(|_| ending.is_none()), kill_at].into_iter().flatten().min();
            stop |= wait(&self.signals, next.map_or(LOOK, |next| next.saturating_duration_since(now)));
        }
    }

    fn stop_asked(&self) -> bool {
        self.folder.file(STOP).exists()
    }

    fn receipt(&self, started: Instant, end: End, energy: Option<giga_model::Measured>) -> Receipt {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok();
        let cpu = usage.map_or(0, |usage| (usage.user_time() + usage.system_time()).num_milliseconds());
        let kilobytes = usage.and_then(|usage| u64::try_from(usage.max_rss()).ok());
        Receipt {
            attempt: self.claim.attempt,
            nonce: self.claim.nonce.clone(),
            started,
            // The clock may have been set back meanwhile.
            ended: now().max(started),
            end,
            host: host_name(),
            cpu_time: Duration::milliseconds(cpu.max(0)),
            memory_peak: kilobytes.map(|count| Bytes::of(count.saturating_mul(1024))),
            energy,
        }
    }
}

/// Waits for a signal, at most this long; whether one of them asks to stop.
fn wait(signals: &SignalFd, most: Span) -> bool {
    let most = most.clamp(Span::from_millis(5), LOOK);
    let timeout = PollTimeout::try_from(most).unwrap_or(PollTimeout::ZERO);
    let mut fds = [PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    // A fault here is an interruption: the loop looks at everything again anyway.
    let _ = poll(&mut fds, timeout);
    let mut stop = false;
    while let Ok(Some(signal)) = signals.read_signal() {
        let asks = [Signal::SIGTERM, Signal::SIGINT].map(|signal| signal as u32);
        stop |= asks.contains(&signal.ssi_signo);
    }
    stop
}

/// Kills and reaps whatever the program left behind.
fn end_all(signals: &SignalFd) {
    while !reap(None).none_left {
        // Where the list can not be had now, it is asked for again.
        for stat in process::descendants(std::process::id()).unwrap_or_default() {
            let _ = process::signal_number(stat.pid, Signal::SIGKILL);
        }
        wait(signals, Span::from_millis(20));
    }
}

/// What the folder says while a program runs, and whether it can still be read. Another thread looks: a network file system that
/// is gone may hold up whoever asks it, for good.
struct Sight {
    begun: Clock,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// When it was seen last, in milliseconds after the beginning.
    seen: AtomicU64,
    /// Whether the request to stop was seen there.
    stop: AtomicBool,
}

impl Sight {
    fn of(folder: &Folder) -> Self {
        let (begun, shared) = (Clock::now(), Arc::new(Shared::default()));
        let (launch, stop, noted) = (folder.file(LAUNCH), folder.file(STOP), Arc::clone(&shared));
        std::thread::spawn(move || {
            for look in 0_u32.. {
                // To open a file asks the server behind a network file system, where to look at one may not.
                if look % 4 == 0 && File::open(&launch).is_ok() {
                    let after = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                    noted.seen.store(after, Ordering::Relaxed);
                }
                noted.stop.store(stop.exists(), Ordering::Relaxed);
                std::thread::sleep(LOOK);
            }
        });
        Self { begun, shared }
    }

    /// Whether the program is to end: it was asked to, or could not be.
    fn ends(&self) -> bool {
        let seen = Span::from_millis(self.shared.seen.load(Ordering::Relaxed));
        self.shared.stop.load(Ordering::Relaxed) || self.begun.elapsed().saturating_sub(seen) > BLIND
    }
}

/// The running program. Its process leads a group of its own.
struct Program {
    pid: u32,
    at: Instant,
    began: Clock,
}

impl Program {
    /// Signals its group. It is not reaped yet, so the number is still its own.
    fn signal(&self, signal: Signal) {
        // A group that is gone has nothing to be told.
        let _ = killpg(process::number(self.pid), signal);
    }
}

/// What a look at ended children found.
struct Reaped {
    /// How the one that was asked for ended.
    end: Option<WaitStatus>,
    /// Whether there is no child any more.
    none_left: bool,
}

/// Reaps children that ended, up to the one that is asked for.
fn reap(wanted: Option<u32>) -> Reaped {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return Reaped { end: None, none_left: false },
            Ok(status) if status.pid().is_some() && status.pid() == wanted.map(process::number) => {
                return Reaped { end: Some(status), none_left: false };
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return Reaped { end: None, none_left: true },
        }
    }
}

fn ending_of(status: WaitStatus, ending: Option<Ending>) -> End {
    match (ending, status) {
        (Some(Ending::Limit), _) => End::TimedOut,
        (Some(Ending::Asked), _) => End::Stopped,
        (None, WaitStatus::Signaled(_, signal, _)) => End::Signalled { signal: signal as i32 },
        (None, WaitStatus::Exited(_, code)) => End::Exited { code },
        (None, other) => unreachable!("only ended children are reaped, and this one did {other:?}"),
    }
}

fn span(duration: Duration) -> Span {
    Span::from_millis(u64::try_from(duration.as_milliseconds()).unwrap_or(0))
}
