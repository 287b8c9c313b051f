//! What a job asks for, and when it comes.

use giga_units::{Duration, Fraction, Instant};

use crate::ids::{AcceleratorId, ProjectId};

/// One way in which a job can run: so many accelerators of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ask {
    /// The kind, or `None` for any.
    pub accelerator: Option<AcceleratorId>,
    /// How many at the same time. Above a node's count they come as whole nodes.
    pub accelerators: u32,
}

/// The ways in which a job can run, the preferred one first; never empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asks {
    first: Ask,
    others: Box<[Ask]>,
}

impl Asks {
    /// Only one way.
    #[must_use]
    pub fn one(first: Ask) -> Self {
        Self { first, others: Box::default() }
    }
    /// Several ways, the preferred one first.
    #[must_use]
    pub fn any_of(first: Ask, others: Vec<Ask>) -> Self {
        Self { first, others: others.into_boxed_slice() }
    }
    /// The preferred way.
    #[must_use]
    pub fn first(&self) -> Ask {
        self.first
    }
    /// All ways in the order of preference.
    pub fn iter(&self) -> impl Iterator<Item = Ask> + '_ {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }
}

/// What a user asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRequest {
    /// Who is charged.
    pub project: ProjectId,
    /// The ways in which it can run.
    pub asks: Asks,
    /// The longest it may run; it is stopped then.
    pub limit: Duration,
    /// How often it saves its progress, or `None` where an interruption loses all of it.
    pub checkpoint: Option<Duration>,
    /// What it draws of what its accelerators could draw above idle.
    pub draw: Fraction,
}

/// A job as the world sees it coming: also how long it will really take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// When it is submitted.
    pub at: Instant,
    /// What it asks for.
    pub request: JobRequest,
    /// How long its work takes without interruption. The scheduler is never told.
    pub runtime: Duration,
}

crate::image! { struct Ask { accelerator, accelerators } }
crate::image! { struct Asks { first, others } }
crate::image! { struct JobRequest { project, asks, limit, checkpoint, draw } }
crate::image! { struct Arrival { at, request, runtime } }
