//! The log of a run: what was done, and each promise with the count of what broke it. It names no path and no machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use giga_model::{AttemptId, JobId};

use crate::books::Audit;
use crate::killer::Done;
use crate::laws::{Evidence, LAWS, Line};
use crate::server::Left;
use crate::sites::{Others, Trouble};
use crate::work::{Kind, is_lost};

/// Jumps of the clock of which some have to be seen.
const MANY: u64 = 10;
/// Faults of one promise that are written out.
const SHOWN: usize = 20;

/// A run that is over.
pub(crate) struct Run {
    pub(crate) seed: u64,
    pub(crate) took: Duration,
    pub(crate) killed_for: Duration,
    pub(crate) counts: Vec<(&'static str, u64)>,
    pub(crate) faults: Vec<String>,
    pub(crate) done: Done,
    pub(crate) seen: Evidence,
    pub(crate) audit: Audit,
    pub(crate) processes: Vec<Left>,
    /// What became of jobs of others, on Slurm.
    pub(crate) others: Option<Others>,
    /// Troubles that could not be made here, and why.
    pub(crate) skipped: Vec<String>,
}

/// What there is to say of it.
pub(crate) struct Report {
    text: String,
    promises: Vec<Promise>,
}

/// Something that must hold, and what broke it.
struct Promise {
    name: &'static str,
    faults: Vec<String>,
}

/// Says something on standard error, which a test shows where it fails, and always with `--nocapture`.
#[expect(clippy::print_stderr, reason = "a test says which chance it took")]
pub(crate) fn say(text: &str) {
    eprint!("{text}");
}

impl Run {
    pub(crate) fn report(self) -> Report {
        let mut rows = vec![("kills of the server", self.done.kills.values().sum())];
        let moments = self.done.kills.iter().map(|(moment, count)| (moment.name(), *count));
        rows.extend(moments);
        rows.extend(self.happened());
        let mut text = format!(
            "proof by killing: giga {} ({}), seed {}\n\n",
            env!("CARGO_PKG_VERSION"),
            if cfg!(debug_assertions) { "debug build" } else { "release build" },
            self.seed
        );
        rows.iter().for_each(|(name, count)| row(&mut text, name, *count));
        self.skipped.iter().for_each(|line| writeln!(text, "{line}").expect("memory"));
        let seconds = |span: Duration| format!("{:.1} s", span.as_secs_f64());
        let (killed_for, took) = (seconds(self.killed_for), seconds(self.took));
        let slowest = seconds(self.done.slowest_start);
        writeln!(text, "slowest start {slowest}, killed for {killed_for}, {took} in all\n").expect("memory");
        self.ends(&mut text);
        let story = self.done.story.join("\n");
        let promises = self.promises();
        writeln!(text, "\nmust be 0").expect("memory");
        promises.iter().for_each(|promise| row(&mut text, promise.name, promise.faults.len() as u64));
        for Promise { name, faults } in promises.iter().filter(|promise| !promise.faults.is_empty()) {
            let shown = faults.iter().take(SHOWN).map(|fault| format!("  {fault}\n")).collect::<String>();
            write!(text, "\nBROKEN: {name}\n{shown}").expect("memory");
        }
        write!(text, "\neach kill: moment + wait, jobs waiting, attempts in hand, submissions answered so far\n{story}\n")
            .expect("memory");
        Report { text, promises }
    }

    fn happened(&self) -> Vec<(&'static str, u64)> {
        let Self { done, seen, audit, .. } = self;
        let attempts = || seen.jobs.iter().flat_map(|job| &job.attempts);
        let lost = attempts().filter(|attempt| attempt.exit.as_deref().is_some_and(is_lost));
        let begun = seen.lines.iter().filter(|line| matches!(line, Line::Begin { .. }));
        let mut rows = vec![
            ("of these, with jobs waiting", done.with_a_line),
            ("attempts in the hands of engines, summed over kills", done.in_hand),
            ("kills of a supervisor", done.slain.len() as u64),
            ("supervisors held back until another had the claim", done.held),
            ("clean stops", done.stops),
            ("snapshots torn", done.torn),
            ("requests accepted", seen.sent.len() as u64),
            ("jobs in the books", seen.jobs.len() as u64),
            ("attempts decided", attempts().count() as u64),
            ("bodies begun", begun.count() as u64),
            ("attempts lost", lost.count() as u64),
            ("records of the journal decided again", audit.records),
            ("events compared", audit.events),
        ];
        rows.extend(self.counts.iter().copied());
        rows.extend(done.troubles.iter().map(|(trouble, count)| (trouble.name(), *count)));
        if done.troubles.contains_key(&Trouble::Forwards) {
            rows.push(("leaps of time in the journal", audit.leaps));
            rows.push(("records in the same millisecond as the one before", audit.still));
        }
        if let Some(others) = &self.others {
            rows.push(("jobs of others on the same Slurm", others.all));
            rows.push(("of these, run twice by Slurm itself", others.twice));
            rows.push(("nodes that Slurm took out of service", others.drained));
        }
        rows
    }

    /// How jobs of each kind ended.
    fn ends(&self, text: &mut String) {
        let kinds: BTreeMap<&str, Kind> =
            self.seen.sent.iter().map(|sent| (sent.word.as_str(), sent.kind)).collect();
        let mut ends: BTreeMap<(Kind, &str), u64> = BTreeMap::new();
        for job in &self.seen.jobs {
            let Some(&kind) = kinds.get(job.name.as_str()) else { continue };
            *ends.entry((kind, job.state.word())).or_default() += 1;
        }
        for ((kind, state), count) in ends {
            row(text, &format!("jobs: {kind:?}, {state}"), count);
        }
    }

    /// Jumps of the clock that left no trace in the journal: what the server does not see proves nothing. Of a few, each may be undone by
    /// the next before anything is written.
    fn unseen(&self) -> Vec<String> {
        let seen = [(Trouble::Forwards, self.audit.leaps), (Trouble::Back, self.audit.still)];
        let many = |jump: &Trouble| self.done.troubles.get(jump).is_some_and(|count| *count >= MANY);
        let unseen = seen.iter().filter(|(jump, seen)| many(jump) && *seen == 0);
        unseen.map(|(jump, _)| format!("{}, and no record shows it", jump.name())).collect()
    }

    /// What is left of attempts, and what is said of their end.
    fn left(&self) -> Vec<String> {
        let attempts =
            self.seen.jobs.iter().flat_map(|job| job.attempts.iter().map(move |attempt| (job.id, attempt)));
        let name = |job, number| AttemptId { job: JobId(job), number }.to_string();
        let exits: BTreeMap<String, &str> = attempts
            .map(|(job, attempt)| (name(job, attempt.number), attempt.exit.as_deref().unwrap_or("")))
            .collect();
        let exit = |left: &Left| exits.get(&left.attempt).copied().unwrap_or("");
        let said = |left: &Left| format!("of {} (`{}`): {}", left.attempt, exit(left), left.command);
        self.processes.iter().map(said).collect()
    }

    fn promises(self) -> Vec<Promise> {
        let unseen = self.unseen();
        let processes = self.left();
        let Self { faults, done, seen, audit, others, .. } = self;
        let laws = LAWS.iter().map(|(name, law)| Promise { name, faults: law(&seen) });
        let mut promises: Vec<Promise> = laws.collect();
        let others = [
            ("requests answered as they should not be", faults),
            ("starts and stops of a server that went wrong", done.faults),
            ("jumps of its clock that the server did not see", unseen),
            ("processes of jobs that are left", processes),
            ("records that are decided otherwise now", audit.differing),
            ("violations found by the linter", audit.violations),
            ("jobs that the books tell otherwise than the journal", audit.rows),
            ("jobs of others that were cancelled", others.map_or_else(Vec::new, |others| others.cancelled)),
        ];
        promises.extend(others.into_iter().map(|(name, faults)| Promise { name, faults }));
        promises
    }
}

fn row(text: &mut String, name: &str, count: u64) {
    writeln!(text, "{name:<60}{count:>8}").expect("memory");
}

impl Report {
    /// The promises that were broken, with their counts.
    pub(crate) fn broken(&self) -> Vec<String> {
        let broken = self.promises.iter().filter(|promise| !promise.faults.is_empty());
        broken.map(|promise| format!("{}: {}", promise.name, promise.faults.len())).collect()
    }

    /// Says it and keeps it: with the build, and where `GIGA_KILL_LOG` says.
    pub(crate) fn keep(&self, name: &str) {
        say(&self.text);
        let mut places = vec![PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.txt"))];
        places.extend(std::env::var_os("GIGA_KILL_LOG").map(PathBuf::from));
        for place in places {
            let written =
                std::fs::File::create(&place).and_then(|mut file| file.write_all(self.text.as_bytes()));
            written.unwrap_or_else(|error| panic!("`{}`: {error}", place.display()));
        }
    }
}
