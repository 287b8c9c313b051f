//! The jobs of the proof: what they do, and how each may end.

use std::path::Path;

use giga_formats::api::JobState;
use serde_json::json;

use crate::chance::Chance;

/// What a job is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Ends well.
    Plain,
    /// Ends well, on all accelerators of a site, so that others wait.
    Wide,
    /// Ends well, and leaves a daemon in a session of its own behind.
    Daemon,
    /// Ends with code 3.
    Fails,
    /// Dies of a signal.
    Dies,
    /// Runs into its limit and ends when it is told to.
    Slow,
    /// Runs into its limit and does not listen.
    Deaf,
    /// Is cancelled, while it waits or runs.
    Cancelled,
    /// Names a program that is not there.
    NoProgram,
    /// Asks for more than there is.
    TooLarge,
}

const WEIGHTS: &[(u64, Kind)] = &[
    (46, Kind::Plain),
    (8, Kind::Wide),
    (8, Kind::Daemon),
    (10, Kind::Fails),
    (8, Kind::Dies),
    (2, Kind::Slow),
    (1, Kind::Deaf),
    (12, Kind::Cancelled),
    (3, Kind::NoProgram),
    (2, Kind::TooLarge),
];

/// Longest nap of a body, in milliseconds.
const NAP: u64 = 400;

/// One write of one line says that a body began, when (since the machine came up), and with which claim.
const BEGIN: &str =
    r#"read up rest </proc/uptime; echo "BEGIN $GIGA_ATTEMPT $GIGA_NONCE $up" >>"$KILL_LINES""#;
const DONE: &str = r#"echo "DONE $GIGA_ATTEMPT" >>"$KILL_LINES""#;

impl Kind {
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        chance.weighted(WEIGHTS)
    }

    /// Its request: `word` is the name of the job as well, so that the books can be compared with what was sent.
    pub(crate) fn body(self, word: &str, place: &Work<'_>, chance: &mut Chance) -> String {
        let nap = chance.below(NAP + 1);
        let nap = format!("sleep {}.{:03}", nap / 1000, nap % 1000);
        let script = match self {
            Self::Plain | Self::Wide => format!("{BEGIN}; {nap}; {DONE}"),
            Self::Daemon => format!("{BEGIN}; setsid sleep 600 & {nap}; {DONE}"),
            Self::Fails => format!("{BEGIN}; {nap}; exit 3"),
            Self::Dies => format!("{BEGIN}; {nap}; kill -KILL $$"),
            Self::Slow => format!("{BEGIN}; sleep 600; {DONE}"),
            Self::Deaf => format!("trap '' TERM; {BEGIN}; sleep 600; {DONE}"),
            // Long enough that it ends well only where somebody was told that it is taken back, and it was not.
            Self::Cancelled => format!("{BEGIN}; sleep 40; {DONE}"),
            Self::NoProgram | Self::TooLarge => String::new(),
        };
        let command = match self {
            Self::NoProgram => vec!["no-such-program-of-this-proof".to_owned()],
            _ => ["sh", "-c", &script].map(str::to_owned).to_vec(),
        };
        let limit = if matches!(self, Self::Slow | Self::Deaf) { "1 s" } else { "1 h" };
        let accelerators = match self {
            Self::Wide => 8,
            Self::TooLarge => 4096,
            _ => 1,
        };
        // Those that hold a place for long stay at one site, and those that need all of a site at the others: one that waits
        // behind the other would keep a site idle.
        let project = match self {
            Self::Slow | Self::Deaf => "clinic",
            Self::Wide => "demo",
            _ => ["demo", "clinic"][chance.below(2) as usize],
        };
        let env = json!({"KILL_MARK": place.mark, "KILL_LINES": place.lines});
        let resources = json!({"accelerators": accelerators});
        json!({"name": word, "project": project, "run": command, "limit": limit, "env": env, "resources": resources})
            .to_string()
    }

    /// Whether a job of this kind may end so, with this said of it. A supervisor that was killed when a job is told
    /// to stop leaves a cancelled job with a lost attempt; one that is taken back after the owner of its place called that back
    /// was stopped for the owner.
    pub(crate) fn may_end(self, state: JobState, exit: Option<&str>) -> bool {
        let exit = exit.unwrap_or("");
        match (self, state) {
            (Self::Plain | Self::Wide | Self::Daemon, JobState::Completed) => exit == "exit code 0",
            (Self::Fails, JobState::Failed) => exit == "exit code 3",
            (Self::Dies, JobState::Failed) => exit == "signal 9",
            (Self::Slow | Self::Deaf, JobState::TimedOut) => exit == "it reached its limit",
            (Self::Cancelled, JobState::Cancelled) => {
                exit.is_empty() || ["it was stopped", RECALLED].contains(&exit) || is_lost(exit)
            }
            (Self::NoProgram, JobState::Failed) => exit.contains("no-such-program-of-this-proof"),
            (Self::TooLarge, JobState::Refused) => !exit.is_empty(),
            _ => false,
        }
    }

    /// Whether an attempt of this kind may have said that it is done.
    pub(crate) const fn may_be_done(self) -> bool {
        matches!(self, Self::Plain | Self::Wide | Self::Daemon)
    }
}

/// What is said of an attempt that was stopped because the owner of what it held wants that back.
const RECALLED: &str = "what it held was lent and was called back";

/// Whether this is said of an attempt that died and left no result.
pub(crate) fn is_lost(exit: &str) -> bool {
    exit.starts_with("lost: ")
}

/// What every body is told of this run.
pub(crate) struct Work<'a> {
    /// A word that no other process on the machine has in its environment.
    pub(crate) mark: &'a str,
    /// The file that bodies write to.
    pub(crate) lines: &'a Path,
}
