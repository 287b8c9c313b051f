//! The trait of engines and the values that cross it. Nothing here does anything.

use std::collections::{BTreeMap, BTreeSet};

use giga_model::{AttemptId, Idling, JobId, Launch, Receipt};
use giga_units::{Bytes, Instant};
use thiserror::Error;

use crate::JobFolder;

/// What is known of an attempt that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Handed over and not begun. It may need another [`Engine::start`], which is always safe.
    Pending,
    /// Its claim is made and its supervisor lives.
    Running {
        /// When it began.
        since: Instant,
    },
    /// It is over, and this is its receipt. This never changes again.
    Ended(Receipt),
    /// It was claimed, is proven dead with all its processes, and left no receipt. This never changes again.
    Lost {
        /// How that is known, for a person.
        cause: String,
    },
    /// It can not be told now; ask again.
    Unclear {
        /// What is in the way, for a person.
        cause: String,
    },
}

/// One of the two outputs of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutputStream {
    /// What it prints.
    Out,
    /// What it complains about.
    Err,
}

/// A piece of an output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chunk {
    /// The bytes from the place asked for; empty where there are none yet.
    pub bytes: Vec<u8>,
    /// Where the next piece begins.
    pub next: u64,
    /// How much lies beyond this piece already.
    pub rest: Bytes,
}

/// What one accelerator of a pool brings with it for its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Carried {
    /// Processors, in thousandths of one.
    pub cpus_thousandths: u64,
    /// Main memory.
    pub memory: Bytes,
}

/// Why an engine did not do what it was asked.
#[derive(Debug, Error)]
pub enum EngineError {
    /// It will never work, however often it is tried: the job fails with this cause.
    #[error("attempt `{attempt}` can not be carried out: {cause}")]
    Refused {
        /// Which attempt.
        attempt: AttemptId,
        /// Why, with the way out.
        cause: String,
    },
    /// It may or may not have happened; call again.
    #[error("the engine could not {what}: {cause}; it will be tried again")]
    Unavailable {
        /// What it tried to do.
        what: &'static str,
        /// What was in the way.
        cause: String,
        /// The fault of the system beneath, if there was one.
        #[source]
        source: Option<std::io::Error>,
    },
    /// The engine has never heard of the attempt.
    #[error("the engine knows no attempt `{attempt}`; it was never handed over here")]
    Unknown {
        /// Which attempt.
        attempt: AttemptId,
    },
}

/// Whether what starts attempts at a site answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    /// It was not asked for long enough to tell.
    Unknown,
    /// It does, or was silent for a moment only.
    Answers,
    /// It has not for so long that nothing more should be given to it.
    Silent {
        /// Why, in words.
        cause: String,
    },
}

/// How much may be handed in to one attempt, in bytes.
pub const INPUT_MOST: u64 = 16 << 20;

/// What carries attempts out at one site.
///
/// Calls block, may be repeated at will, and may come from several threads. An attempt's program runs **at most once**,
/// whatever is called, killed or restarted between.
pub trait Engine: Send + Sync {
    /// Hands an attempt over. A repeated call never starts a second program, and what was handed over first counts.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where it can never work here; nothing was handed over then. [`EngineError::Unavailable`]
    /// where the outcome is unknown.
    fn start(&self, launch: &Launch) -> Result<(), EngineError>;

    /// Asks an attempt to stop: a signal to finish, and a kill after its grace. Where it never began, it is fenced: it
    /// never can begin any more, and reads as ended. Returns without waiting for the end.
    ///
    /// # Errors
    /// [`EngineError::Unavailable`] where the outcome is unknown.
    fn stop(&self, attempt: AttemptId) -> Result<(), EngineError>;

    /// All attempts that were handed over or stopped here and not forgotten. One that is missing provably never began.
    ///
    /// # Errors
    /// [`EngineError::Unavailable`] where nothing can be told; a doubt about one attempt is [`Seen::Unclear`].
    fn observe(&self) -> Result<BTreeMap<AttemptId, Seen>, EngineError>;

    /// Drops an attempt from [`Engine::observe`], because its result is durable elsewhere. Its output stays readable,
    /// and it still can never begin again. Forgetting what is forgotten or unknown does nothing.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where the attempt is not over; [`EngineError::Unavailable`] where the outcome is unknown.
    fn forget(&self, attempt: AttemptId) -> Result<(), EngineError>;

    /// Reads at most `most` bytes of an output, beginning `from` bytes into it.
    ///
    /// # Errors
    /// [`EngineError::Unknown`] where the attempt never was here; [`EngineError::Unavailable`] where it can not be read.
    fn output(
        &self,
        attempt: AttemptId,
        stream: OutputStream,
        from: u64,
        most: usize,
    ) -> Result<Chunk, EngineError>;

    /// Adds to what the program of an attempt finds in the file that `GIGA_INPUT` names, beginning `at` bytes into it, or at its end;
    /// gives where the next piece begins. The same piece at the same place again changes nothing.
    ///
    /// # Errors
    /// [`EngineError::Unknown`] where the attempt does not run here; [`EngineError::Refused`] where the place is behind the end,
    /// something else lies there, or it would be more than [`INPUT_MOST`]; [`EngineError::Unavailable`] where it can not be written.
    fn input(&self, attempt: AttemptId, at: Option<u64>, bytes: &[u8]) -> Result<u64, EngineError>;

    /// The folder that is kept for a job over its attempts, as far as it can be seen from here; `None` where it never began here.
    ///
    /// # Errors
    /// [`EngineError::Unavailable`] where it can not be looked at.
    fn folder(&self, job: JobId) -> Result<Option<JobFolder>, EngineError> {
        let _ = job;
        Ok(None)
    }

    /// What one accelerator of a pool brings with it here; nothing where there is no such pool.
    fn carries(&self, pool: &str) -> Carried;

    /// The nodes that nothing can run on now, by pool and number, or `None` where that is not known here. What the core
    /// believes of all others is that they work.
    fn nodes_out(&self) -> Option<BTreeSet<(String, u32)>> {
        None
    }

    /// When the program of an attempt began that left no receipt, as far as that is known here.
    fn began(&self, _attempt: AttemptId) -> Option<Instant> {
        None
    }

    /// What a scheduler beneath the engine says of an attempt that it has in its line.
    fn waits_for(&self, _attempt: AttemptId) -> Option<String> {
        None
    }

    /// Whether what starts attempts here answers.
    fn contact(&self) -> Contact {
        Contact::Answers
    }

    /// Which attempts hold accelerators that do nothing, as far as that can be read here.
    ///
    /// # Errors
    /// [`EngineError::Unavailable`] where nothing can be told.
    fn idling(&self) -> Result<BTreeMap<AttemptId, Idling>, EngineError> {
        Ok(BTreeMap::new())
    }

    /// How long to wait between two looks while there is work. A user feels it as the delay between end and result.
    fn pace(&self) -> std::time::Duration {
        std::time::Duration::from_millis(50)
    }
}
