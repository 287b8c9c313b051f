//! The one who kills: at chance moments, and at the moments where something could get lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::process::ExitStatus;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use giga_model::AttemptId;
use giga_store::{JobFilter, Store};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::load::Load;
use crate::server::{CLAIM, Place, Ready, SITES, Server};
use crate::sites::Trouble;

/// When a server is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// Some time before it would answer: it opens the store, or follows the journal.
    BeforeItListens,
    /// Some time after it answered.
    AnyTime,
    /// When somebody has just heard that a job is taken.
    AfterAnAnswer,
    /// When an engine has just made the folder of an attempt.
    AtAHandover,
    /// When a body has just begun, or ended.
    AtALine,
    /// When an engine has just forgotten an attempt.
    AtAForgetting,
    /// When a job has just been told to stop by the journal, and perhaps not yet by its engine.
    AtACancellation,
    /// When it has just started a supervisor that is held back before its claim, and goes on when the next server has
    /// started another for the same attempt.
    WithASlowSupervisor,
    /// While it stops because it was told to.
    WhileItStops,
    /// When its disk has been full for a while.
    OnAFullDisk,
}

impl Moment {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BeforeItListens => "  before it listens",
            Self::AnyTime => "  at any time",
            Self::AfterAnAnswer => "  after an answer",
            Self::AtAHandover => "  at a handover to an engine",
            Self::AtALine => "  when a body had just begun or ended",
            Self::AtAForgetting => "  when an engine had just put an attempt away",
            Self::AtACancellation => "  when the journal had just told a job to stop",
            Self::WithASlowSupervisor => "  when a supervisor had not made its claim yet",
            Self::WhileItStops => "  while it stops",
            Self::OnAFullDisk => "  when its disk was full",
        }
    }
}

const MOMENTS: &[(u64, Moment)] = &[
    (4, Moment::BeforeItListens),
    (6, Moment::AnyTime),
    (3, Moment::AfterAnAnswer),
    (3, Moment::AtAHandover),
    (2, Moment::AtALine),
    (2, Moment::AtAForgetting),
    (3, Moment::AtACancellation),
    (2, Moment::WithASlowSupervisor),
    (2, Moment::OnAFullDisk),
    (2, Moment::WhileItStops),
];

/// On Slurm one of so many servers lives so long and is not killed.
const BREATHS: u64 = 15;
const BREATH: Duration = Duration::from_secs(30);
/// A server lives so long at most once it answers, unless a moment is waited for.
const LIFE: Duration = Duration::from_millis(600);
/// The same on Slurm, which takes its time.
const LIFE_ON_SLURM: Duration = Duration::from_secs(6);
/// How long controllers may be away in the end.
const CONTROLLERS: Duration = Duration::from_secs(60);
/// One of so many rounds lets others submit, one troubles a controller, one sets the server's clock, and one fills the disk of the
/// nodes; the early ones do so in any case.
const OTHERS: u64 = 2;
const TROUBLES: u64 = 2;
const JUMPS: u64 = 4;
const JUMPED: [u64; 2] = [3, 6];
const FILLS: u64 = 8;
const FILLED: u64 = 5;
/// A disk is full so long at most, and so long at least: a server ends where it finds no room, which takes some work.
const FULL: Duration = Duration::from_secs(8);
const FULL_LEAST: Duration = Duration::from_secs(2);
/// How long a server is left in peace at most before its disk gets full.
const REST: Duration = Duration::from_secs(25);
/// What is left on a disk that a server fills itself, or twice that: a database that is opened takes half of it.
const ROOM: u64 = 64 << 10;
/// Requests that are sent while a disk is full, however many wait.
const PRESSING: u64 = 12;
/// How a server ends that may be started again as it is: a service manager does.
const AGAIN: i32 = 1;
/// From a sign to the kill: what follows a sign is done within this.
const SOON: Duration = Duration::from_millis(4);
/// How long a sign is waited for.
const SIGN: Duration = Duration::from_secs(3);
/// A line that the kills should meet, and how long it may take to stand.
const LINE: u64 = 30;
const FILLING: Duration = Duration::from_secs(20);
/// One of so many rounds begins with a clean stop.
const STOPS: u64 = 4;
/// One of so many rounds kills a supervisor as well.
const SUPERVISORS: u64 = 2;

/// What was done.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) kills: BTreeMap<Moment, u64>,
    pub(crate) troubles: BTreeMap<Trouble, u64>,
    pub(crate) slain: BTreeSet<AttemptId>,
    /// Supervisors that were held back before their claim until another had made it.
    pub(crate) held: u64,
    pub(crate) stops: u64,
    pub(crate) torn: u64,
    /// Kills while jobs waited.
    pub(crate) with_a_line: u64,
    /// Attempts that engines had in hand at the kills, those counted again that outlived several.
    pub(crate) in_hand: u64,
    pub(crate) slowest_start: Duration,
    /// What a server did that it should not have.
    pub(crate) faults: Vec<String>,
    pub(crate) story: Vec<String>,
}

pub(crate) struct Killer<'a> {
    place: &'a Place,
    load: &'a Load<'a>,
    chance: Chance,
    /// What the clock and the disk do has chance of its own.
    nature: Chance,
    usual_start: Duration,
    life: Duration,
    books: Option<Store>,
    pub(crate) done: Done,
}

/// Reaps what servers left behind. No server lives now, so all ended children are such.
fn reap() {
    while matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(status) if status != WaitStatus::StillAlive)
    {
    }
}

/// Signals a supervisor, which may have ended by now.
fn signal(pid: Pid, signal: Signal) {
    let _ = kill(pid, signal);
}

impl<'a> Killer<'a> {
    pub(crate) fn new(place: &'a Place, load: &'a Load<'a>, seed: u64) -> Self {
        // Supervisors of killed servers become children of this process. It is of their session, so the kernel does not wake
        // those that are held back, as it does with stopped groups that no one is left to wake.
        set_child_subreaper(true).expect("Linux lets a process adopt");
        let (chance, nature) = (Chance::of(seed, "kill", 0), Chance::of(seed, "nature", 0));
        let usual_start = Duration::from_millis(50);
        let life = if place.sites.is_some() { LIFE_ON_SLURM } else { LIFE };
        Self { place, load, chance, nature, usual_start, life, books: None, done: Done::default() }
    }

    /// Kills so many servers one after the other. The first die before anything is there.
    pub(crate) fn run(&mut self, kills: u64) {
        for round in 0..kills {
            let moment = match round {
                0 | 1 => Moment::BeforeItListens,
                // Each once, then by chance.
                _ => match MOMENTS.get(round as usize - 2) {
                    Some(&(_, moment)) => moment,
                    None => self.chance.weighted(MOMENTS),
                },
            };
            // Supervisors are no children of the server there.
            let moment = match moment {
                Moment::WithASlowSupervisor if self.place.sites.is_some() => Moment::AnyTime,
                Moment::OnAFullDisk if self.place.disk.is_none() => Moment::AnyTime,
                moment => moment,
            };
            if self.place.sites.is_some() && round > 0 && round % BREATHS == 0 {
                self.breathe();
            }
            self.trouble();
            self.jump(round);
            self.fill_nodes(round);
            if round == 2 {
                self.fill();
            } else if round > 2 && self.chance.below(STOPS) == 0 {
                self.stop();
            }
            let slays = self.chance.below(SUPERVISORS) == 0;
            let wait = self.kill_at(moment, slays);
            *self.done.kills.entry(moment).or_default() += 1;
            let waiting = self.load.waiting.load(Ordering::Relaxed);
            let in_hand = self.place.attempts("live").len() as u64;
            self.done.in_hand += in_hand;
            self.done.with_a_line += u64::from(waiting > 0);
            let answered = self.load.answered.load(Ordering::Relaxed);
            self.done.story.push(format!(
                "{:>4}  {moment:?} + {:.1} ms, {waiting} waiting, {in_hand} in hand, {answered} answered",
                round + 1,
                wait.as_secs_f64() * 1e3
            ));
        }
        let hollow = self.hollow(kills);
        self.done.faults.extend(hollow);
    }

    /// Troubles a controller, and lets others submit, where the sites are Slurm's.
    fn trouble(&mut self) {
        let Some(sites) = &self.place.sites else { return };
        if self.chance.below(OTHERS) == 0 {
            sites.submit_foreign(&mut self.chance);
        }
        if self.chance.below(TROUBLES) == 0
            && let Some((trouble, site, wait)) = sites.trouble(&mut self.chance)
        {
            *self.done.troubles.entry(trouble).or_default() += 1;
            self.done.story.push(format!("      {site}: {trouble:?} for {:.1} s", wait.as_secs_f64()));
        }
    }

    /// Sets the server's clock while it works, where it has one of its own.
    fn jump(&mut self, round: u64) {
        let Some(clock) = &self.place.clock else { return };
        let drawn = self.nature.below(JUMPS) == 0 && round > JUMPED[0];
        if !(JUMPED.contains(&round) || drawn) {
            return;
        }
        let count = |trouble| self.done.troubles.get(&trouble).copied().unwrap_or(0);
        let before = count(Trouble::Forwards) + count(Trouble::Back);
        let (seconds, wait) = (Clock::draw(&mut self.nature, before), self.nature.up_to(self.life));
        clock.jump(seconds, wait);
        let trouble = if seconds > 0 { Trouble::Forwards } else { Trouble::Back };
        *self.done.troubles.entry(trouble).or_default() += 1;
        self.done.story.push(format!("      the clock: {seconds:+} s after {:.1} s", wait.as_secs_f64()));
    }

    /// Fills the disk that the nodes share with the server for a while.
    fn fill_nodes(&mut self, round: u64) {
        let fills = self.nature.below(FILLS) == 0 && round > FILLED;
        let wait = FULL_LEAST + self.nature.up_to(FULL - FULL_LEAST);
        if (fills || round == FILLED) && self.place.fill_nodes(wait) {
            *self.done.troubles.entry(Trouble::NodesFull).or_default() += 1;
            self.done
                .story
                .push(format!("      the disk of the nodes: full for {:.1} s", wait.as_secs_f64()));
        }
    }

    /// Waits until every controller is back.
    pub(crate) fn wait_for_controllers(&self) {
        let from = Instant::now();
        while self.place.sites.as_ref().is_some_and(|sites| !sites.are_well()) {
            assert!(from.elapsed() < CONTROLLERS, "a controller did not come back");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A proof over idle servers would prove nothing: most kills met work.
    fn hollow(&self, kills: u64) -> Option<String> {
        let Done { with_a_line, in_hand, .. } = self.done;
        (2 * with_a_line < kills || in_hand < kills)
            .then(|| format!("{kills} kills met a line {with_a_line} times and {in_hand} attempts in hand"))
    }

    /// Lets work come in until a line stands, so that the kills meet one.
    fn fill(&mut self) {
        let (server, from) = (self.up(), Instant::now());
        while self.load.waiting.load(Ordering::Relaxed) < LINE && from.elapsed() < FILLING {
            std::thread::sleep(Duration::from_millis(5));
        }
        let status = server.stop();
        self.check_stop(status);
    }

    /// Lets one live for longer than a submission without an answer is waited for: that begins anew with each server.
    fn breathe(&mut self) {
        let server = self.up();
        std::thread::sleep(BREATH);
        let status = server.stop();
        self.check_stop(status);
    }

    /// Spawns a server and sees it come up.
    pub(crate) fn up(&mut self) -> Server {
        let mut server = self.spawn();
        match server.ready(&self.place.data()) {
            Ready::Up(after) => {
                self.usual_start = after;
                self.done.slowest_start = self.done.slowest_start.max(after);
                server
            }
            Ready::Ended(status) => {
                let said = fs::read_to_string(self.place.said()).unwrap_or_default();
                panic!("a server did not come up ({status}): {}", said.lines().last().unwrap_or(""))
            }
        }
    }

    fn spawn(&self) -> Server {
        self.spawn_so(Server::spawn)
    }

    fn spawn_so(&self, spawn: fn(&Place) -> Server) -> Server {
        self.load.lives.fetch_add(1, Ordering::Relaxed);
        spawn(self.place)
    }

    fn kill_at(&mut self, moment: Moment, slays: bool) -> Duration {
        if moment == Moment::BeforeItListens {
            let wait = self.chance.up_to(self.usual_start);
            let server = self.spawn();
            std::thread::sleep(wait);
            self.kill(server);
            self.slay_if(slays);
            return wait;
        }
        let server = self.up();
        self.books = Store::read_only(&self.place.data()).ok().map(|(books, _)| books);
        if moment == Moment::WithASlowSupervisor {
            return self.kill_behind_a_slow_supervisor(server);
        }
        let wait = match moment {
            Moment::AnyTime => self.chance.up_to(self.life),
            Moment::AtACancellation => Duration::ZERO,
            _ => self.chance.up_to(SOON),
        };
        if moment == Moment::OnAFullDisk {
            return self.kill_on_a_full_disk(server);
        }
        if moment == Moment::WhileItStops {
            std::thread::sleep(self.chance.up_to(self.life / 2));
            return self.kill_while_stopping(server);
        }
        if moment != Moment::AnyTime {
            std::thread::sleep(self.chance.up_to(self.life / 2));
            self.wait_for_a_sign(moment);
        }
        // Every other supervisor dies under a living server, which sees it at once.
        let before = slays && self.chance.below(2) == 0;
        self.slay_if(before);
        std::thread::sleep(wait);
        self.kill(server);
        self.slay_if(slays && !before);
        wait
    }

    fn kill(&mut self, server: Server) {
        let ended = server.kill();
        reap();
        self.done.faults.extend(ended.map(|status| format!("a server had ended by itself: {status}")));
    }

    fn kill_while_stopping(&mut self, server: Server) -> Duration {
        let wait = self.chance.up_to(3 * SOON);
        server.tell();
        std::thread::sleep(wait);
        // It may have stopped already.
        server.kill();
        wait
    }

    /// It promises nothing that it can not keep: it may go on as long as it finds room, and else ends so that it is started again.
    /// The one behind it finds the disk as full; the next finds room and everything that was promised.
    fn kill_on_a_full_disk(&mut self, server: Server) -> Duration {
        let Some(disk) = &self.place.disk else { unreachable!("such a moment is drawn where there is one") };
        // What a server had asked of Slurm when it was killed stands still for 20 s: there is nothing to write then.
        let (before, from) = (self.sign(Moment::AtALine), Instant::now());
        while self.sign(Moment::AtALine) == before && from.elapsed() < REST {
            std::thread::sleep(SOON);
        }
        // The log of a database keeps the room that it once had, so that a server goes on for long; one that is opened again has
        // none, and finds the last room of the disk.
        let last_room = self.done.troubles.get(&Trouble::FullDisk).is_none_or(|before| before % 2 == 0);
        let (full, server) = if last_room {
            let status = server.stop();
            self.check_stop(status);
            let full = disk.fill(ROOM + self.nature.below(ROOM));
            (full, self.spawn())
        } else {
            (disk.fill(0), server)
        };
        *self.done.troubles.entry(Trouble::FullDisk).or_default() += 1;
        self.load.pressing.store(PRESSING, Ordering::Relaxed);
        let wait = FULL_LEAST + self.nature.up_to(FULL - FULL_LEAST);
        self.outlive(server, wait);
        let again = self.nature.below(3) > 0;
        let next = self.spawn_so(if again { Server::spawn_again } else { Server::spawn });
        let later = self.nature.up_to(FULL / 2);
        self.outlive(next, later);
        reap();
        drop(full);
        self.load.pressing.store(0, Ordering::Relaxed);
        wait
    }

    /// Kills a server on a full disk after a while, if it does not end before.
    fn outlive(&mut self, mut server: Server, wait: Duration) {
        let ended = match server.ready(&self.place.data()) {
            Ready::Ended(status) => Some(status),
            Ready::Up(_) => {
                std::thread::sleep(wait);
                server.kill()
            }
        };
        self.ended_on_a_full_disk(ended);
    }

    fn ended_on_a_full_disk(&mut self, ended: Option<ExitStatus>) {
        let Some(status) = ended else { return };
        *self.done.troubles.entry(Trouble::Ended).or_default() += 1;
        let said = fs::read_to_string(self.place.said()).unwrap_or_default();
        // The log names no folder of a machine.
        let said = said.lines().last().unwrap_or("").replace(&self.place.mark(), "");
        if status.code() != Some(AGAIN) {
            self.done.faults.push(format!("on a full disk a server ended with {status}: {said}"));
        }
        self.done.story.push(format!("      on a full disk: {said}"));
    }

    /// Two supervisors for one attempt, the earlier one late: only one may run its program.
    fn kill_behind_a_slow_supervisor(&mut self, server: Server) -> Duration {
        let from = Instant::now();
        let mut held = Vec::new();
        while held.is_empty() && from.elapsed() < SIGN {
            for (pid, folder) in server.unclaimed() {
                signal(pid, Signal::SIGSTOP);
                // What it was doing in the kernel it still does.
                while fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") T "))
                {
                    std::hint::spin_loop();
                }
                if folder.join(CLAIM).exists() {
                    signal(pid, Signal::SIGCONT);
                } else {
                    held.push((pid, folder));
                }
            }
        }
        let wait = from.elapsed();
        self.kill(server);
        let next = self.up();
        let from = Instant::now();
        for (pid, folder) in held {
            while !folder.join(CLAIM).exists() && from.elapsed() < SIGN {
                std::thread::sleep(Duration::from_millis(1));
            }
            self.done.held += u64::from(folder.join(CLAIM).exists());
            signal(pid, Signal::SIGCONT);
        }
        let status = next.stop();
        self.check_stop(status);
        wait
    }

    /// Waits until something has just changed.
    fn wait_for_a_sign(&self, moment: Moment) {
        let (before, from) = (self.sign(moment), Instant::now());
        while self.sign(moment) == before && from.elapsed() < SIGN {
            std::thread::sleep(Duration::from_micros(100));
        }
    }

    fn sign(&self, moment: Moment) -> Vec<i64> {
        let changed = |name: &str| {
            let time = |site: &&str| {
                let data = fs::metadata(self.place.engine(site, name)).ok();
                data.map_or(0, |data| data.mtime() * 1_000_000_000 + data.mtime_nsec())
            };
            SITES.iter().map(time).collect()
        };
        let number = |count: u64| vec![i64::try_from(count).expect("a count of this test")];
        match moment {
            Moment::AfterAnAnswer => number(self.load.answered.load(Ordering::Relaxed)),
            Moment::AtACancellation => self.stopping(),
            Moment::AtAHandover => changed("live"),
            Moment::AtALine => number(fs::metadata(self.place.lines()).map_or(0, |data| data.len())),
            Moment::AtAForgetting => changed("done"),
            Moment::BeforeItListens
            | Moment::AnyTime
            | Moment::WithASlowSupervisor
            | Moment::OnAFullDisk
            | Moment::WhileItStops => Vec::new(),
        }
    }

    /// The jobs that are told to stop, by the books.
    fn stopping(&self) -> Vec<i64> {
        let filter =
            JobFilter { states: vec!["stopping".into()], live: true, most: 1_000, ..JobFilter::default() };
        let rows = self.books.as_ref().and_then(|books| books.jobs(&filter).ok()).unwrap_or_default();
        rows.iter().map(|row| i64::try_from(row.job.0).expect("a job of this test")).collect()
    }

    /// Kills a supervisor that is at work, and says whose it was: that attempt is lost, unless it has just ended.
    fn slay_if(&mut self, slays: bool) {
        let found = if slays { self.place.supervisors() } else { Vec::new() };
        let Some(&(attempt, pid)) = found.get(self.chance.below(found.len() as u64) as usize) else { return };
        self.done.slain.insert(attempt);
        signal(pid, Signal::SIGKILL);
    }

    /// A clean stop, which leaves a snapshot of all there is; every other one is torn afterwards, as by a full disk.
    fn stop(&mut self) {
        let server = self.up();
        std::thread::sleep(self.chance.up_to(self.life));
        let status = server.stop();
        self.check_stop(status);
        if self.chance.below(2) == 0 {
            self.tear();
        }
    }

    pub(crate) fn check_stop(&mut self, status: ExitStatus) {
        self.done.stops += 1;
        let snapshots = self.snapshots();
        let last = Store::read_only(&self.place.data()).and_then(|(store, _)| store.last());
        let last = last.expect("the store of a stopped server can be read");
        if !status.success() || snapshots.last().is_none_or(|(seq, _)| *seq != last) {
            let latest = snapshots.last().map(|(seq, _)| *seq);
            self.done
                .faults
                .push(format!("a clean stop: {status}, record {last}, latest snapshot {latest:?}"));
        }
    }

    fn snapshots(&self) -> Vec<(u64, std::path::PathBuf)> {
        let entries = fs::read_dir(self.place.data()).expect("the data folder").filter_map(Result::ok);
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let seq = entry.file_name().to_str()?.strip_prefix("snapshot-")?.parse().ok()?;
                Some((seq, entry.path()))
            })
            .collect();
        files.sort();
        files
    }

    fn tear(&mut self) {
        let Some((_, path)) = self.snapshots().pop() else { return };
        let file = File::options().write(true).open(&path).expect("a snapshot");
        let length = file.metadata().expect("its length").len();
        file.set_len(self.chance.below(length)).expect("it can be cut");
        self.done.torn += 1;
    }
}
