//! A Slurm, its nodes, and the folder that is shared with them, as far as the protocol can see them.

use std::collections::BTreeMap;
use std::time::Duration as Span;

use giga_engine::slurm::{JobState, Record};

/// Where choices come from.
pub(crate) trait Chance {
    /// One of so many.
    fn below(&mut self, sides: u64) -> u64;
}

/// How many jobs a world has, and of how many attempts each at most.
const JOBS: u32 = 3;
const ATTEMPTS: u32 = 4;
/// How long a message may be on its way before it is given up: Slurm's default `MessageTimeout`.
const MESSAGE: Span = Span::from_secs(10);
/// How old what a controller has saved may be: its threads save within some seconds of a change.
const SAVES: Span = Span::from_secs(5);
/// How long a node may take to learn that its controller does not know a job.
const REGISTERS: Span = Span::from_secs(30);
/// How long a supervisor goes on that can not read its folder, with its grace.
pub(crate) const BLIND: Span = Span::from_secs(45);
pub(crate) const GRACE: Span = Span::from_secs(10);

/// An attempt: the job, and which try.
pub(crate) type Attempt = (u32, u32);

/// What lies in the folder of an attempt.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folder {
    pub(crate) asked: bool,
    pub(crate) claim: Option<Claim>,
    pub(crate) receipt: Option<End>,
    pub(crate) lost: bool,
    pub(crate) stop: bool,
    pub(crate) fencing: bool,
    pub(crate) twice: bool,
    pub(crate) wanted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// By the supervisor of this job.
    Supervisor(u64),
    Fence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Well,
    Stopped,
}

/// A job that the controller knows.
#[derive(Debug, Clone)]
struct Job {
    record: Record,
    since: Span,
    /// The copy that runs, where one does.
    copy: Option<u64>,
}

/// A batch script that runs on a node, known to the controller or not.
#[derive(Debug, Clone)]
struct Copy {
    attempt: Attempt,
    ends: Span,
    /// Whether it runs the program: it has the claim.
    body: bool,
    /// When it has ended because it was asked to, or can not read its folder.
    dies: Option<Span>,
    /// Whether its node is cut off from everything.
    cut: bool,
    /// When the node learns that nobody knows it.
    orphan: Option<Span>,
}

/// What a run met.
#[derive(Debug, Clone, Default)]
pub(crate) struct Met {
    pub(crate) crashes: u64,
    pub(crate) forgotten: u64,
    pub(crate) unanswered: u64,
    pub(crate) reused: u64,
    pub(crate) doubles: u64,
    pub(crate) cut: u64,
    pub(crate) killed: u64,
    pub(crate) lost: u64,
    pub(crate) fenced: u64,
    pub(crate) well: u64,
}

impl Met {
    pub(crate) fn add(&mut self, other: &Self) {
        self.crashes += other.crashes;
        self.forgotten += other.forgotten;
        self.unanswered += other.unanswered;
        self.reused += other.reused;
        self.doubles += other.doubles;
        self.cut += other.cut;
        self.killed += other.killed;
        self.lost += other.lost;
        self.fenced += other.fenced;
        self.well += other.well;
    }

    /// Whether every kind of fault was met often enough to prove something.
    pub(crate) fn is_a_storm(&self, steps: u64) -> bool {
        let counts = [
            self.crashes,
            self.forgotten,
            self.unanswered,
            self.reused,
            self.doubles,
            self.cut,
            self.killed,
            self.lost,
            self.fenced,
            self.well,
        ];
        steps < 100_000 || counts.iter().all(|&count| count >= steps / 100_000)
    }
}

#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) now: Span,
    pub(crate) folders: BTreeMap<Attempt, Folder>,
    /// Which attempt of each job is decided.
    pub(crate) current: BTreeMap<u32, u32>,
    jobs: BTreeMap<u64, Job>,
    saved: Vec<(Span, BTreeMap<u64, Job>, u64)>,
    next: u64,
    copies: BTreeMap<u64, Copy>,
    next_copy: u64,
    down_until: Option<Span>,
    still_until: Option<Span>,
    /// Submissions on their way: when they arrive, and the name.
    on_the_way: Vec<(Span, Attempt)>,
    begun: BTreeMap<Attempt, u32>,
    results: BTreeMap<Attempt, &'static str>,
    pub(crate) met: Met,
}

pub(crate) fn name((job, number): Attempt) -> String {
    format!("giga-{job}-{number}-00ff")
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self { next: 1, ..Self::default() };
        for job in 0..JOBS {
            world.current.insert(job, 1);
            world.folders.insert((job, 1), Folder::default());
        }
        world
    }

    /// Whether the controller answers.
    pub(crate) fn answers(&self) -> bool {
        self.down_until.is_none() && self.still_until.is_none()
    }

    /// What the controller lists.
    pub(crate) fn list(&self) -> Vec<Record> {
        self.jobs.values().map(|job| job.record.clone()).collect()
    }

    /// A submission: answered with a number, or with nothing, and then it may come later, or never.
    pub(crate) fn submit(&mut self, attempt: Attempt, chance: &mut dyn Chance) -> Option<u64> {
        let answers = self.answers();
        match chance.below(6) {
            0 => {
                // It never comes.
                self.met.unanswered += 1;
                None
            }
            1 => {
                self.met.unanswered += 1;
                // Now and then far later than it may be.
                let most = if chance.below(8) == 0 { 4 * MESSAGE } else { MESSAGE };
                let late = u64::try_from(most.as_millis()).unwrap_or(0);
                self.on_the_way.push((self.now + Span::from_millis(chance.below(late)), attempt));
                None
            }
            _ if answers => Some(self.arrive(attempt)),
            // A message to a controller that stands still is there when it goes on.
            _ => {
                self.met.unanswered += 1;
                if self.still_until.is_some() {
                    self.on_the_way.push((self.now, attempt));
                }
                None
            }
        }
    }

    fn arrive(&mut self, attempt: Attempt) -> u64 {
        let id = self.next;
        self.next += 1;
        let record = Record {
            id,
            name: name(attempt),
            user: "anna".into(),
            submitted: i64::try_from(self.now.as_secs()).unwrap_or(0),
            state: JobState::Waits,
            reason: String::new(),
            nodes: String::new(),
        };
        self.met.doubles += u64::from(
            self.jobs.values().any(|job| job.record.name == record.name && job.record.state.is_live()),
        );
        self.jobs.insert(id, Job { record, since: self.now, copy: None });
        id
    }

    pub(crate) fn cancel(&mut self, id: u64, name: &str) {
        if !self.answers() {
            return;
        }
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.record.name == name) else { return };
        if job.record.state == JobState::Waits {
            job.record.state = JobState::Over;
        } else if let Some(copy) = job.copy.and_then(|copy| self.copies.get_mut(&copy)) {
            copy.dies.get_or_insert(self.now + GRACE);
        }
    }

    /// Time goes on, and something happens.
    pub(crate) fn step(&mut self, chance: &mut dyn Chance, faults: bool) {
        self.now += Span::from_millis(50 + chance.below(1_500));
        if faults {
            self.fault(chance);
        }
        if self.down_until.is_some_and(|until| until <= self.now) {
            self.down_until = None;
        }
        if self.still_until.is_some_and(|until| until <= self.now) {
            self.still_until = None;
        }
        self.receive();
        self.run_copies();
        if self.answers() {
            self.schedule(chance);
            if chance.below(2) == 0 {
                self.saved.push((self.now, self.jobs.clone(), self.next));
                let kept = self.now.saturating_sub(SAVES);
                // What is saved is never older than this.
                let old = self.saved.iter().filter(|(at, ..)| *at < kept).count();
                self.saved.drain(..old.saturating_sub(1));
            }
        }
        self.forget_old();
    }

    fn fault(&mut self, chance: &mut dyn Chance) {
        match chance.below(60) {
            0 if self.answers() => self.crash(chance),
            1 if self.answers() => {
                self.still_until = Some(self.now + Span::from_millis(500 + chance.below(14_000)));
            }
            2 => {
                if let Some(copy) = self.pick(chance) {
                    self.met.killed += 1;
                    self.end_copy(copy, None);
                }
            }
            3 => {
                if let Some(copy) = self.pick(chance) {
                    self.met.cut += 1;
                    let one = self.copies.get_mut(&copy).expect("it was picked");
                    one.cut = true;
                    one.dies.get_or_insert(self.now + BLIND + GRACE);
                    let job = self.jobs.values_mut().find(|job| job.copy == Some(copy));
                    if let Some(job) = job {
                        job.record.state = JobState::Unreached;
                        job.copy = None;
                    }
                }
            }
            _ => {}
        }
    }

    fn pick(&self, chance: &mut dyn Chance) -> Option<u64> {
        let all: Vec<u64> = self.copies.iter().filter(|(_, copy)| !copy.cut).map(|(id, _)| *id).collect();
        all.get(usize::try_from(chance.below(all.len() as u64)).unwrap_or(0)).copied()
    }

    /// A crash: what was not saved is forgotten, and its numbers are given again.
    fn crash(&mut self, chance: &mut dyn Chance) {
        self.met.crashes += 1;
        self.down_until = Some(self.now + Span::from_millis(500 + chance.below(8_000)));
        let place = usize::try_from(chance.below(self.saved.len() as u64)).unwrap_or(0);
        let Some((_, jobs, next)) = self.saved.get(place).cloned() else { return };
        self.met.forgotten += self.jobs.keys().filter(|id| !jobs.contains_key(id)).count() as u64;
        self.met.reused += u64::from(next < self.next);
        let mut jobs = jobs;
        for job in jobs.values_mut() {
            // What it believes to run and does not is found out when its node registers: at once here.
            let gone = job.copy.is_some_and(|copy| !self.copies.contains_key(&copy));
            if gone {
                (job.record.state, job.copy) = (JobState::Over, None);
            }
        }
        self.jobs = jobs;
        self.next = next;
        self.saved.clear();
        let known: Vec<u64> = self.jobs.values().filter_map(|job| job.copy).collect();
        for (id, copy) in &mut self.copies {
            if !known.contains(id) && !copy.cut {
                let late = u64::try_from(REGISTERS.as_millis()).unwrap_or(0);
                copy.orphan = Some(self.now + Span::from_millis(chance.below(late)));
            }
        }
    }

    fn receive(&mut self) {
        if !self.answers() {
            // What comes to a controller that is down is lost; what comes to one that stands still waits.
            if self.down_until.is_some() {
                let now = self.now;
                self.on_the_way.retain(|(at, _)| *at > now);
            }
            return;
        }
        let now = self.now;
        let (here, later): (Vec<_>, Vec<_>) = self.on_the_way.drain(..).partition(|(at, _)| *at <= now);
        self.on_the_way = later;
        for (_, attempt) in here {
            self.arrive(attempt);
        }
    }

    /// Starts what waits; one name runs once at a time, as far as the controller knows.
    fn schedule(&mut self, chance: &mut dyn Chance) {
        let busy: Vec<String> = self
            .jobs
            .values()
            .filter(|job| job.record.state == JobState::Lives)
            .map(|job| job.record.name.clone())
            .collect();
        let waiting: Vec<u64> = self
            .jobs
            .iter()
            .filter(|(_, job)| job.record.state == JobState::Waits && !busy.contains(&job.record.name))
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            let again = self.jobs.values().any(|job| {
                job.record.state == JobState::Lives && job.record.name == self.jobs[&id].record.name
            });
            if again || chance.below(3) == 0 {
                continue;
            }
            let attempt = attempt_of(&self.jobs[&id].record.name);
            let (copy, ends) = (self.next_copy, self.now + Span::from_millis(100 + chance.below(40_000)));
            self.next_copy += 1;
            let job = self.jobs.get_mut(&id).expect("it is listed");
            (job.record.state, job.copy) = (JobState::Lives, Some(copy));
            job.record.nodes = "a0".into();
            let begun = Copy { attempt, ends, body: false, dies: None, cut: false, orphan: None };
            self.copies.insert(copy, begun);
            self.claim(copy, attempt, id);
        }
    }

    /// The first act of a supervisor.
    fn claim(&mut self, copy: u64, attempt: Attempt, id: u64) {
        let folder = self.folders.get_mut(&attempt).expect("it was handed over");
        if folder.claim.is_some() {
            folder.twice = true;
            return self.end_copy(copy, None);
        }
        folder.claim = Some(Claim::Supervisor(id));
        let alive = self.copies.values().filter(|other| other.body && other.attempt.0 == attempt.0);
        assert_eq!(alive.count(), 0, "a body of job {} begins while another lives", attempt.0);
        let begun = self.begun.entry(attempt).or_default();
        *begun += 1;
        assert!(*begun <= 1, "the body of {attempt:?} begins twice");
        assert!(!self.results.contains_key(&attempt), "{attempt:?} begins after its result");
        self.copies.get_mut(&copy).expect("it has just begun").body = true;
    }

    fn run_copies(&mut self) {
        for id in self.copies.keys().copied().collect::<Vec<_>>() {
            let folder_stop = {
                let copy = &self.copies[&id];
                !copy.cut && self.folders[&copy.attempt].stop
            };
            let copy = self.copies.get_mut(&id).expect("it is listed");
            if folder_stop {
                copy.dies.get_or_insert(self.now + GRACE.min(Span::from_secs(1)));
            }
            let (well, stopped) = (copy.ends <= self.now, copy.dies.is_some_and(|at| at <= self.now));
            let orphan = copy.orphan.is_some_and(|at| at <= self.now);
            let blind = copy.cut;
            if orphan {
                self.end_copy(id, None);
            } else if well || stopped {
                let end = if well { End::Well } else { End::Stopped };
                // A receipt of one that is cut off comes to the folder when it is seen again, or never.
                self.end_copy(id, if blind { None } else { Some(end) });
            }
        }
    }

    fn end_copy(&mut self, id: u64, receipt: Option<End>) {
        let Some(copy) = self.copies.remove(&id) else { return };
        if copy.body
            && let Some(end) = receipt
        {
            self.folders.get_mut(&copy.attempt).expect("it was handed over").receipt.get_or_insert(end);
        }
        if let Some(job) = self.jobs.values_mut().find(|job| job.copy == Some(id)) {
            (job.record.state, job.copy, job.since) = (JobState::Over, None, self.now);
        }
    }

    /// What ended long ago leaves the controller (`MinJobAge`, 300 s unless configured otherwise; shorter here).
    fn forget_old(&mut self) {
        let old = self.now.saturating_sub(Span::from_secs(60));
        self.jobs.retain(|_, job| job.record.state.is_live() || job.since > old);
    }

    /// The result of an attempt, once and for all; the next attempt follows where it was lost.
    pub(crate) fn result(&mut self, attempt: Attempt, result: &'static str) {
        let before = self.results.insert(attempt, result);
        assert!(before.is_none_or(|before| before == result), "{attempt:?} was {before:?} and is {result}");
        let alive = self.copies.values().any(|copy| copy.body && copy.attempt == attempt);
        assert!(!alive, "{attempt:?} is {result}, and its body lives");
        if before.is_some() {
            return;
        }
        match result {
            "lost" => self.met.lost += 1,
            "stopped" => self.met.fenced += 1,
            _ => self.met.well += 1,
        }
        if result != "well" && attempt.1 < ATTEMPTS {
            self.current.insert(attempt.0, attempt.1 + 1);
            self.folders.insert((attempt.0, attempt.1 + 1), Folder::default());
        }
    }

    /// Whether every job has its result.
    pub(crate) fn all_over(&self) -> bool {
        self.current.iter().all(|(job, number)| self.results.contains_key(&(*job, *number)))
    }

    /// What must hold in the end.
    pub(crate) fn judge(&self) {
        assert!(self.all_over(), "not over: {:?}, {:?}", self.current, self.results);
        for (attempt, result) in &self.results {
            let begun = self.begun.get(attempt).copied().unwrap_or(0);
            assert!(*result != "well" || begun == 1, "{attempt:?} ended well and began {begun} times");
        }
        let well = |job: u32| {
            self.results.iter().filter(|((of, _), result)| *of == job && **result == "well").count()
        };
        (0..JOBS).for_each(|job| assert!(well(job) <= 1, "job {job} ended well {} times", well(job)));
    }
}

fn attempt_of(name: &str) -> Attempt {
    let mut parts = name.split('-').skip(1);
    let mut next = || parts.next().and_then(|part| part.parse().ok()).expect("our own names");
    (next(), next())
}
