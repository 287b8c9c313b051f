//! A journal that is lived through again: the same control is told the same inputs and has to decide the same events.
//!
//! The records are given by whoever can read them. What another version of the policy decided is followed and not
//! decided again.

use std::sync::Arc;

use giga_control::{Control, Summary};
use giga_model::Federation;
use giga_scheduler::{Event, Input};
use giga_units::Instant;
use thiserror::Error;

use crate::twin::{Sink, hand_over};

/// What is done with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It is decided again, and has to lead to the same events.
    Decide,
    /// Its events are carried out as they were decided, by another version of the policy.
    Follow,
}

/// One record of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its place.
    pub seq: u64,
    /// When.
    pub now: Instant,
    /// What came in.
    pub inputs: Vec<Input>,
    /// What that led to.
    pub events: Vec<Event>,
    /// What is done with it.
    pub again: Again,
}

/// What came of a journal that agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The sums, up to the last record.
    pub summary: Summary,
    /// Records in all.
    pub records: u64,
    /// Events in all.
    pub events: u64,
    /// Records that were followed and not decided again.
    pub followed: u64,
}

/// Where a journal and a control part, or what keeps it from being read.
#[derive(Debug, Error)]
pub enum ReplayError<E> {
    /// Another event is decided now than was then.
    #[error("record {seq} of the journal does not agree: its event {event} {}", parted(recorded, decided))]
    Differs {
        /// Which record.
        seq: u64,
        /// Which of its events, counted from one.
        event: usize,
        /// What was decided then, or `None` where that was all.
        recorded: Option<Box<Event>>,
        /// What is decided now, or `None` where that is all.
        decided: Option<Box<Event>>,
    },
    /// An input names what is not in the federation.
    #[error(
        "record {seq} of the journal is of another federation: it names a site, pool or node that is not here"
    )]
    Foreign {
        /// Which record.
        seq: u64,
    },
    /// The records can not be read on, or the rows not kept.
    #[error("{0}")]
    Broken(E),
}

fn parted(recorded: &Option<Box<Event>>, decided: &Option<Box<Event>>) -> String {
    match (recorded, decided) {
        (Some(recorded), Some(decided)) => format!("was {recorded:?} and is decided as {decided:?}"),
        (Some(recorded), None) => format!("was {recorded:?} and is not decided"),
        (None, Some(decided)) => format!("was not there and is decided as {decided:?}"),
        (None, None) => "is the same".to_owned(),
    }
}

/// Lives through a journal from its beginning at `start`; rows go to the sink.
///
/// # Errors
/// Names the first record that is decided otherwise; passes on what the records or the sink fail with.
///
/// # Panics
/// Panics where a record that is only followed contradicts those before it.
pub fn replay<S: Sink, E: From<S::Error>>(
    federation: Arc<Federation>,
    start: Instant,
    steps: impl Iterator<Item = Result<Step, E>>,
    sink: &mut S,
) -> Result<Replay, ReplayError<E>> {
    let mut control = Control::new(federation, start);
    let (mut records, mut events, mut followed) = (0, 0, 0);
    for step in steps {
        let step = step.map_err(ReplayError::Broken)?;
        match step.again {
            Again::Decide => {
                if !step.inputs.iter().all(|input| control.knows(input)) {
                    return Err(ReplayError::Foreign { seq: step.seq });
                }
                agree(&step, control.advance(step.now, &step.inputs))?;
            }
            Again::Follow => {
                control.follow(step.now, &step.events);
                followed += 1;
            }
        }
        records += 1;
        events += step.events.len() as u64;
        let (jobs, hours) = control.take_rows();
        hand_over(sink, &jobs, &hours).map_err(|error| ReplayError::Broken(error.into()))?;
    }
    let end = control.now();
    let (summary, jobs, hours) = control.finish(end);
    hand_over(sink, &jobs, &hours).map_err(|error| ReplayError::Broken(error.into()))?;
    Ok(Replay { summary, records, events, followed })
}

fn agree<E>(step: &Step, decided: &[Event]) -> Result<(), ReplayError<E>> {
    if step.events == decided {
        return Ok(());
    }
    let same = step.events.iter().zip(decided).take_while(|(recorded, decided)| recorded == decided).count();
    let at = |events: &[Event]| events.get(same).cloned().map(Box::new);
    let (recorded, decided) = (at(&step.events), at(decided));
    Err(ReplayError::Differs { seq: step.seq, event: same + 1, recorded, decided })
}
