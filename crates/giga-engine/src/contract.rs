//! The contract that every engine keeps, as functions that panic where it is broken.
//!
//! An engine's tests call each of [`CASES`] with a [`Bench`] that says what differs from engine to engine. The cases
//! count for real: each program adds a line to a file when it begins, and what lives is asked of the kernel. They wait
//! for conditions and never for a time.

mod cases;
pub mod scene;
mod storm;

use std::path::Path;
use std::time::Duration as Span;

use giga_model::{AttemptId, Container, NodeUse};

use crate::Engine;

/// What a case needs to know of the engine under test.
pub trait Bench: Sync {
    /// Opens the engine on what the one before left, as a server does that starts again. The one before may live on.
    fn open(&self) -> Box<dyn Engine>;

    /// An attempt that was never named before, the first of its job.
    fn fresh(&self) -> AttemptId;

    /// A node with at least two accelerators, other ones at each call where there are enough.
    fn node(&self) -> NodeUse;

    /// What the programs of the cases run in, where that is more than the engine.
    fn container(&self) -> Option<Container> {
        None
    }

    /// An empty folder that the cases and the programs both see under this path.
    fn scratch(&self) -> &Path;

    /// How long a program may take to begin or to be seen, at most.
    fn patience(&self) -> Span;

    /// How long things take here: some multiple of it lies between two acts of a storm.
    fn pace(&self) -> Span {
        Span::from_millis(1)
    }

    /// Kills what watches over an attempt, at once and without warning it, if there is something.
    fn kill_supervisor(&self, attempt: AttemptId);

    /// The living processes that began with `MARK=` and this in their environment, by number.
    fn living(&self, mark: &str) -> Vec<u32>;

    /// Whether a process of this number lives where the programs run.
    fn lives(&self, pid: u32) -> bool;
}

/// A part of the contract, which panics where it is broken.
pub type Case = fn(&dyn Bench);

/// The contract: what each case is about, and the case.
pub const CASES: &[(&str, Case)] = &[
    ("a program ends with its code", cases::ends_with_its_code),
    ("what is handed in reaches the program", cases::what_is_handed_in_reaches_the_program),
    ("a signal that no one sent is told", cases::a_signal_is_told),
    ("an unknown program does not start", cases::an_unknown_program_does_not_start),
    ("what can never work is refused", cases::what_can_never_work_is_refused),
    ("a repeated start runs once", cases::a_repeated_start_runs_once),
    ("starts from many engines at once run once", cases::starts_at_once_run_once),
    ("a stop ends a program, which may save first", cases::a_stop_lets_a_program_save),
    ("a stop kills what does not listen", cases::a_stop_kills_what_does_not_listen),
    ("a stop before the begin fences", cases::a_stop_before_the_begin_fences),
    ("a stop of what is over changes nothing", cases::a_stop_of_what_is_over_changes_nothing),
    ("a program ends at its limit", cases::a_program_ends_at_its_limit),
    ("output is read while it grows and later", cases::output_is_read_while_it_grows_and_later),
    ("a restart adopts what runs and what ended", cases::a_restart_adopts),
    ("what is forgotten never begins again", cases::what_is_forgotten_never_begins_again),
    ("only what is over can be forgotten", cases::only_what_is_over_is_forgotten),
    ("a dead supervisor leaves a lost attempt and no process", cases::a_dead_supervisor_leaves_nothing),
    ("a daemon does not outlive its attempt", cases::a_daemon_does_not_outlive),
    ("a program sees its own environment only", cases::a_program_sees_its_own_environment),
    ("a job's folder is kept over attempts", cases::a_folder_is_kept_over_attempts),
    ("what a job brings along is there when it begins", cases::what_a_job_brings_along_is_there),
    ("an accelerator carries something", cases::an_accelerator_carries_something),
    ("a storm of kills and restarts", storm::a_storm),
];
