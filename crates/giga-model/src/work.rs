//! What a job asks for, and when it comes.

use std::sync::Arc;

use giga_units::{Duration, Fraction, Instant};

use crate::dataset::{Assurance, Leaving};
use crate::ids::{AcceleratorId, DatasetId, ProjectId};
use crate::image::{Image, ImageError, Source};

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
    /// What it asks of the place and the time, or `None` where any will do.
    pub terms: Option<Arc<Terms>>,
}

/// What a job asks of the place and the time it runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Terms {
    /// The data it reads.
    pub data: Vec<DatasetId>,
    /// What of that data, or of what it makes of it, leaves the site.
    pub leaving: Leaving,
    /// The least assurance of a site that runs it.
    pub assurance: Option<Assurance>,
    /// When it has to be done; until then it waits for cheap and clean hours.
    pub deadline: Option<Instant>,
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
crate::image! { struct Terms { data, leaving, assurance, deadline } }
crate::image! { enum Leaving { 0 => Nothing, 1 => Aggregated, 2 => Derived, 3 => Everything } }

impl Image for Assurance {
    fn write(&self, out: &mut Vec<u8>) {
        self.get().write(out);
    }
    fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
        let level = u8::read(source)?;
        Self::level(level).ok_or_else(|| source.bad_tag(level))
    }
}

/// Terms came with the second format of records.
const TERMS_SINCE: u16 = 2;

impl Image for JobRequest {
    fn write(&self, out: &mut Vec<u8>) {
        let Self { project, asks, limit, checkpoint, draw, terms } = self;
        project.write(out);
        asks.write(out);
        limit.write(out);
        checkpoint.write(out);
        draw.write(out);
        terms.as_deref().cloned().write(out);
    }
    fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
        Ok(Self {
            project: Image::read(source)?,
            asks: Image::read(source)?,
            limit: Image::read(source)?,
            checkpoint: Image::read(source)?,
            draw: Image::read(source)?,
            terms: if source.format() < TERMS_SINCE {
                None
            } else {
                Option::<Terms>::read(source)?.map(Arc::new)
            },
        })
    }
}
crate::image! { struct Arrival { at, request, runtime } }
