//! What a job asks for, and when it comes.

use std::sync::Arc;

use giga_units::{Duration, Fraction, Instant};

use crate::dataset::{Assurance, Leaving};
use crate::ids::{AcceleratorId, DatasetId, JobId, ProjectId};
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
    /// How few accelerators the first may shrink to, where it is elastic.
    least: Option<u32>,
}

impl Asks {
    /// Only one way.
    #[must_use]
    pub fn one(first: Ask) -> Self {
        Self { first, others: Box::default(), least: None }
    }
    /// Several ways, the preferred one first.
    #[must_use]
    pub fn any_of(first: Ask, others: Vec<Ask>) -> Self {
        Self { first, others: others.into_boxed_slice(), least: None }
    }
    /// An elastic gang: its work goes on with fewer accelerators, down to `least`, and takes longer in proportion.
    #[must_use]
    pub fn elastic(first: Ask, least: u32) -> Self {
        Self { first, others: Box::default(), least: Some(least).filter(|&least| least < first.accelerators) }
    }
    /// How few accelerators an elastic gang may shrink to.
    #[must_use]
    pub fn least(&self) -> Option<u32> {
        self.least
    }
    /// The preferred way.
    #[must_use]
    pub fn first(&self) -> Ask {
        self.first
    }
    /// All ways in the order of preference: of an elastic gang its sizes, each half of the one before, and the least.
    pub fn iter(&self) -> impl Iterator<Item = Ask> + '_ {
        let least = self.least.map(|least| least.max(1));
        let smaller = move |size: &Ask| {
            let accelerators = (size.accelerators / 2).max(least?);
            (accelerators < size.accelerators).then_some(Ask { accelerators, ..*size })
        };
        std::iter::successors(Some(self.first), smaller).chain(self.others.iter().copied())
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

impl JobRequest {
    /// The jobs it comes after.
    #[must_use]
    pub fn after(&self) -> &[Predecessor] {
        after(self.terms.as_deref())
    }
}

/// The jobs that one with these terms comes after.
#[must_use]
pub fn after(terms: Option<&Terms>) -> &[Predecessor] {
    terms.map_or(&[], |terms| &terms.after)
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
    /// The jobs it comes after.
    pub after: Vec<Predecessor>,
    /// Whether it runs in a container. What is in that is nobody's matter here.
    pub container: bool,
}

/// A job that another one comes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Predecessor {
    /// Which.
    pub job: JobId,
    /// Whether any end of it will do. Otherwise it has to be completed, and the one behind it is cancelled where it never will be.
    pub any: bool,
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
crate::image! { struct Predecessor { job, any } }
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

/// The first format of records with elastic gangs.
pub const ELASTIC_SINCE: u16 = 3;

/// The first format of records with jobs that come after others.
const AFTER_SINCE: u16 = 4;

/// The first format of records with jobs in containers.
const CONTAINER_SINCE: u16 = 5;

impl Image for Terms {
    fn write(&self, out: &mut Vec<u8>) {
        let Self { data, leaving, assurance, deadline, after, container } = self;
        data.write(out);
        leaving.write(out);
        assurance.write(out);
        deadline.write(out);
        after.write(out);
        container.write(out);
    }
    fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
        Ok(Self {
            data: Image::read(source)?,
            leaving: Image::read(source)?,
            assurance: Image::read(source)?,
            deadline: Image::read(source)?,
            after: if source.format() < AFTER_SINCE { Vec::new() } else { Image::read(source)? },
            container: source.format() >= CONTAINER_SINCE && bool::read(source)?,
        })
    }
}

impl Image for Asks {
    fn write(&self, out: &mut Vec<u8>) {
        let Self { first, others, least } = self;
        first.write(out);
        others.write(out);
        least.write(out);
    }
    fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
        let (first, others): (Ask, _) = (Image::read(source)?, Image::read(source)?);
        let least: Option<u32> = if source.format() < ELASTIC_SINCE { None } else { Image::read(source)? };
        match least {
            Some(least) if least >= first.accelerators => Err(source.bad_tag(1)),
            least => Ok(Self { first, others, least }),
        }
    }
}

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
