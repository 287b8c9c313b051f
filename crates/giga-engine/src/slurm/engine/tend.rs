//! The threads: one that watches, and some that carry out what is to be asked of Slurm.

use std::collections::HashMap;
use std::io;
use std::time::{Duration as Span, Instant as Clock};

use giga_formats::attempt::Lost;
use giga_model::AttemptId;
use giga_units::Duration;

use super::super::known::{ASKED, FENCING, GAVE_UP, Known, LOOKED, LOST, Stage};
use super::super::protocol::{Files, Verdict, judge};
use super::super::transport::Fault;
use super::{Inner, PATIENCE, State, TELL, Work};
use crate::attempt::body::handed_on;
use crate::attempt::claim;
use crate::attempt::folder::Folder;
use crate::attempt::now;
use crate::attempt::supervisor::{STOP, TURNED_AWAY};
use giga_formats::slurm::{Ask, JobState, Record, shell_word};

/// How often it is asked which nodes are out.
const MEASURE: Span = Span::from_secs(5);
/// How many times as long as Slurm took to list its queue it is left alone, and the longest that it is.
const BREATHS: u32 = 9;
const LONGEST: Span = Span::from_secs(30);
/// How long a job that Slurm refused is left alone.
const QUIET: Span = Span::from_secs(2);
/// Names that are asked of the accounting at once; they stand on a command line.
const NAMES: usize = 500;

impl Inner {
    /// Asks Slurm again and again, and does what follows, until the engine is closed.
    pub(super) fn watch(&self) {
        self.measure();
        let mut measured = Clock::now();
        loop {
            let from = self.now();
            let answer = self.transport.queue();
            let took = self.now().saturating_sub(from);
            match answer {
                Ok(records) => self.saw(from, records),
                Err(fault) => {
                    let mut state = self.state();
                    let since = state.silent.as_ref().map_or(from, |(since, _)| *since);
                    state.silent = Some((since, fault.to_string()));
                }
            }
            if measured.elapsed() > MEASURE {
                self.measure();
                measured = Clock::now();
            }
            let state = self.state();
            if state.closing {
                return;
            }
            // A long queue costs Slurm what its own work needs: it answers us at most a tenth of the time.
            let wait = self.site.poll.saturating_sub(self.now().saturating_sub(from));
            let wait = wait.max(took * BREATHS).min(LONGEST);
            if self.bell.wait_timeout_while(state, wait, |state| !state.closing).is_ok_and(|(s, _)| s.closing)
            {
                return;
            }
        }
    }

    /// Slurm answered: what follows for each attempt.
    fn saw(&self, looked: Span, records: Vec<Record>) {
        let mut by_name: HashMap<String, Vec<Record>> = HashMap::new();
        for record in records {
            if self.attempt_of(&record.name).is_some() {
                by_name.entry(record.name.clone()).or_default().push(record);
            }
        }
        let Ok(listed) = self.home.listed() else { return };
        self.ask_accounting(&listed, &mut by_name);
        let mut state = self.state();
        state.silent = None;
        let orphan = |record: &&Record| {
            let Some(attempt) = self.attempt_of(&record.name) else { return false };
            let over = state.over.contains_key(&attempt) && record.state == JobState::Waits;
            // A folder that is there belongs to it, whoever made it; one that can not be looked at may be.
            record.state.is_live() && (over || is_gone(&self.home.live(attempt)))
        };
        let orphans = by_name.values().flatten().filter(orphan);
        let orphans: Vec<Work> = orphans.map(|record| Work::Cancel(record.id, record.name.clone())).collect();
        state.queue = Some((looked, by_name));
        orphans.into_iter().for_each(|work| self.push(&mut state, work));
        for attempt in listed {
            if !state.over.contains_key(&attempt) && self.known(&mut state, attempt).is_ok() {
                // What can not be read now is looked at again.
                let _ = self.tend(&mut state, attempt);
            }
        }
        state.known.retain(|attempt, _| !is_gone(&self.home.live(*attempt)));
    }

    /// Adds what the accounting says of attempts that the controller does not know any more. It may believe of a job whose
    /// controller crashed that it runs; only an end is its word.
    fn ask_accounting(&self, listed: &[AttemptId], by_name: &mut HashMap<String, Vec<Record>>) {
        let missing: Vec<String> = {
            let state = self.state();
            let asked = |attempt: &&AttemptId| {
                let known = state.known.get(attempt);
                !state.over.contains_key(attempt)
                    && known
                        .is_some_and(|known| known.dealings.submitted.is_some() && !known.dealings.in_flight)
            };
            let names = listed.iter().filter(asked).map(|attempt| self.name(*attempt));
            names.filter(|name| !by_name.contains_key(name)).collect()
        };
        for names in missing.chunks(NAMES) {
            let Ok(records) = self.transport.accounted(names) else { return };
            for record in records.into_iter().filter(|record| !record.state.is_live()) {
                by_name.entry(record.name.clone()).or_default().push(record);
            }
        }
    }

    fn push(&self, state: &mut State, work: Work) {
        match work {
            // It is in flight from here on, and so comes once.
            Work::Submit(_) => state.work.push_back(work),
            // What is to end goes first.
            Work::Terminate(..) | Work::Cancel(..) if !state.work.contains(&work) => {
                state.work.push_front(work);
            }
            Work::Terminate(..) | Work::Cancel(..) => return,
        }
        self.bell.notify_all();
    }

    /// What follows for one attempt from its folder and from Slurm's last word.
    pub(super) fn tend(&self, state: &mut State, attempt: AttemptId) -> io::Result<()> {
        let (folder, name, now_) = (self.home.live(attempt), self.name(attempt), self.now());
        let (looked, records) = match &state.queue {
            Some((looked, by_name)) => (*looked, by_name.get(&name).cloned().unwrap_or_default()),
            None => (Span::ZERO, Vec::new()),
        };
        let Some(known) = state.known.get_mut(&attempt) else { return Ok(()) };
        let stage = known.look(&folder)?;
        let claimed = match stage {
            Stage::Nothing => return self.sweep(attempt),
            Stage::Unclear(_) => return Ok(()),
            Stage::Over(_) => {
                // What can not begin any more, or is over, needs no job. One that ended here is over on its other hosts soon, unless its
                // controller was killed meanwhile and takes it for running.
                let late = known.ending.is_some_and(|since| now_.saturating_sub(since) > PATIENCE);
                let again = late && known.quiet.is_none_or(|until| until <= now_);
                if again {
                    known.quiet = Some(now_ + TELL);
                }
                let needless = |record: &&Record| match record.state {
                    JobState::Waits => true,
                    JobState::Lives => again,
                    JobState::Over | JobState::Unreached => false,
                };
                let live: Vec<_> = records.iter().filter(needless).collect();
                live.iter().for_each(|record| self.push(state, Work::Cancel(record.id, name.clone())));
                return Ok(());
            }
            Stage::Unclaimed => None,
            Stage::Claimed { .. } => Some(known.claim.as_ref().and_then(|claim| claim.batch).unwrap_or(0)),
        };
        let handover = known.handover.clone();
        let grace = handover.map_or(Duration::ZERO, |handover| handover.launch.grace);
        let grace = Span::from_millis(u64::try_from(grace.as_milliseconds()).unwrap_or(0));
        let twice = claimed.is_some() && folder.file(TURNED_AWAY).try_exists()?;
        let files = Files { claimed, twice, grace };
        let (verdict, extra) = judge(files, &mut known.dealings, &records, looked, now_, &self.site.rules);
        let quiet = known.quiet.is_some_and(|until| until > now_);
        let mut steps: Vec<Work> = extra.into_iter().map(|id| Work::Cancel(id, name.clone())).collect();
        match verdict {
            Verdict::Submit if quiet => {}
            Verdict::Submit => {
                known.dealings.in_flight = true;
                steps.push(Work::Submit(attempt));
            }
            Verdict::GiveUp(cause) => {
                folder.make(GAVE_UP, &Lost { attempt, cause, at: now() })?;
                claim::fence(&folder, attempt)?;
            }
            Verdict::Fence => {
                folder.raise(FENCING)?;
                folder.raise(STOP)?;
                known.dealings.fenced = Some(now_);
            }
            Verdict::Lost(cause) => {
                // A network file system may keep from us for a while what a node wrote, until we write there ourselves.
                folder.raise(LOOKED)?;
                let written = matches!(known.look(&folder)?, Stage::Over(_));
                if !written && folder.file(TURNED_AWAY).try_exists()? == twice {
                    folder.make(LOST, &Lost { attempt, cause, at: now() })?;
                }
            }
            Verdict::Waits | Verdict::Lives => {}
        }
        steps.extend(tell(known, &records, &name, now_, grace));
        steps.into_iter().for_each(|work| self.push(state, work));
        Ok(())
    }

    /// Removes the folder of an attempt that a server was killed over before it had written anything there.
    fn sweep(&self, attempt: AttemptId) -> io::Result<()> {
        // Whoever makes one has this lock until its first file is there.
        let _lock = self.home.lock()?;
        let path = self.home.live(attempt).path().to_owned();
        for entry in std::fs::read_dir(&path)? {
            // Files that are written begin with a dot until they are whole.
            if !entry?.file_name().to_string_lossy().starts_with('.') {
                return Ok(());
            }
        }
        std::fs::remove_dir_all(&path)
    }

    /// Carries out what is to be asked of Slurm, until the engine is closed.
    pub(super) fn work(&self) {
        loop {
            let state = self.state();
            let waited = self.bell.wait_while(state, |state| state.work.is_empty() && !state.closing);
            let mut state = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
            if state.closing {
                return;
            }
            let Some(work) = state.work.pop_front() else { continue };
            match work {
                Work::Submit(attempt) => {
                    let ask = self.ask(&state, attempt);
                    drop(state);
                    let answer = ask.map(|ask| self.submit(attempt, &ask));
                    self.answered(attempt, answer);
                }
                // Where it does not work it is asked again, because it is still to be.
                Work::Terminate(id, name) => {
                    drop(state);
                    drop(self.transport.terminate(id, &name));
                }
                Work::Cancel(id, name) => {
                    drop(state);
                    drop(self.transport.cancel(id, &name));
                }
            }
        }
    }

    /// Submits an attempt, having noted before that it may have been.
    fn submit(&self, attempt: AttemptId, ask: &Ask) -> Result<u64, Fault> {
        let noted = self.home.live(attempt).raise(ASKED);
        noted.map_err(|fault| Fault::Refused(format!("that it is submitted can not be noted: {fault}")))?;
        self.transport.submit(ask)
    }

    fn answered(&self, attempt: AttemptId, answer: Option<Result<u64, Fault>>) {
        let (now_, mut state) = (self.now(), self.state());
        let Some(known) = state.known.get_mut(&attempt) else { return };
        let dealings = &mut known.dealings;
        dealings.in_flight = false;
        dealings.over = None;
        // Its nodes are not known yet, or not any more.
        let Some(answer) = answer else {
            known.complaint = Some("Slurm did not say yet what its nodes are".to_owned());
            known.quiet = Some(now_ + QUIET);
            return;
        };
        match answer {
            Ok(id) => {
                (dealings.submitted, dealings.id) = (Some(now_), Some(id));
                dealings.tries += 1;
                known.complaint = None;
            }
            Err(Fault::Unknown(text)) => {
                (dealings.submitted, dealings.id) = (Some(now_), None);
                known.complaint = Some(Fault::Unknown(text).to_string());
            }
            Err(Fault::Never(text)) => {
                let folder = self.home.live(attempt);
                let cause = Fault::Never(text).to_string();
                let gave_up = folder
                    .make(GAVE_UP, &Lost { attempt, cause: cause.clone(), at: now() })
                    .and_then(|_| claim::fence(&folder, attempt));
                known.complaint = gave_up.err().map(|_| cause);
                known.quiet = Some(now_ + QUIET);
            }
            Err(refused @ Fault::Refused(_)) => {
                known.complaint = Some(refused.to_string());
                known.quiet = Some(now_ + QUIET);
            }
        }
    }

    /// What to ask of Slurm for an attempt, or `None` where it is over or not known any more.
    fn ask(&self, state: &State, attempt: AttemptId) -> Option<Ask> {
        let known = state.known.get(&attempt)?;
        let handover = known.handover.as_ref()?;
        let launch = &handover.launch;
        let first = launch.nodes.first()?;
        let pool = self.pool(&first.pool)?;
        let folder = self.home.live(attempt);
        let path = |name: &str| folder.file(name).to_string_lossy().into_owned();
        let words = self.supervisor.iter().cloned().chain([folder.path().to_string_lossy().into_owned()]);
        let words: Vec<String> = words.map(|word| shell_word(&word)).collect();
        let nodes = u32::try_from(launch.nodes.len()).ok()?;
        let known = &state.pools.get(&first.pool)?.hosts;
        let pinned = launch.nodes.iter().filter(|_| !self.site.guest);
        let hosts = pinned.map(|node| known.get(node.node as usize).cloned()).collect::<Option<_>>()?;
        let kept = handed_on().filter_map(|(name, value)| Some((name.to_owned(), value.into_string().ok()?)));
        let milliseconds = launch.limit.as_milliseconds().saturating_add(launch.grace.as_milliseconds());
        Some(Ask {
            name: self.name(attempt),
            script: format!("#!/bin/sh\nexec {}\n", words.join(" ")),
            log: path("supervisor.log"),
            workdir: self.home.path().to_string_lossy().into_owned(),
            // A comma would end a value on a command line.
            env: kept.filter(|(_, value)| !value.contains(',')).collect(),
            partition: pool.partition.clone(),
            constraint: pool.constraint.clone(),
            account: self.site.account.clone(),
            qos: self.site.qos.clone(),
            reservation: self.site.reservation.clone(),
            nodes,
            hosts,
            gres: if pool.gres.is_empty() {
                String::new()
            } else {
                format!("{}:{}", pool.gres, first.accelerators)
            },
            cpus: u32::try_from(handover.cpus_thousandths / u64::from(nodes) / 1_000).unwrap_or(1).max(1),
            memory: (handover.memory.as_bytes() / u64::from(nodes)) >> 20,
            // The supervisor ends it at its limit; Slurm does where the supervisor can not.
            minutes: u64::try_from(milliseconds).unwrap_or(0).div_ceil(60_000) + 2,
        })
    }
}

/// How a job that should stop hears of it: through its folder, through Slurm, and in the end by Slurm's own means.
fn tell(known: &mut Known, records: &[Record], name: &str, now_: Span, grace: Span) -> Vec<Work> {
    let Some((since, told)) = &mut known.stopping else { return Vec::new() };
    if now_.saturating_sub(*told) < TELL {
        return Vec::new();
    }
    let late = now_.saturating_sub(*since) > grace + PATIENCE;
    let live = records.iter().filter(|record| record.state == JobState::Lives);
    let steps: Vec<Work> = live
        .map(|record| {
            let (id, name) = (record.id, name.to_owned());
            if late { Work::Cancel(id, name) } else { Work::Terminate(id, name) }
        })
        .collect();
    if !steps.is_empty() {
        *told = now_;
    }
    steps
}

/// Whether the folder of an attempt is not there for certain.
fn is_gone(folder: &Folder) -> bool {
    matches!(folder.path().try_exists(), Ok(false))
}
