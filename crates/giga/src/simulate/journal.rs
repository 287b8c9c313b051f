//! `giga simulate --journal`: a live federation's journal is lived through again, and has to be decided as it was.
//!
//! The store is only read, so a server may work in it meanwhile; what it writes after the last page was read is left out.

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use giga_formats::journal::Record;
use giga_formats::summary::{self, RunFacts};
use giga_scheduler::DECISION_VERSION;
use giga_store::{Store, StoreError, Url};
use giga_twin::{Again, Replay, ReplayError, Step, replay};
use giga_units::{Instant, grouped};

use super::call::{self, Described, Outset, Refused};
use super::output::Output;
use super::{Simulate, say, show};
use crate::up;

/// Records that are held in memory at a time.
const PAGE: usize = 1_000;

/// Replays the journal of a folder, or of a database.
pub(super) fn run(call: &Simulate, folder: &Path) -> anyhow::Result<ExitCode> {
    let (place, store, outset) = match open(call, folder) {
        Ok(opened) => opened,
        Err(refused) => return say(refused),
    };
    let mut output = Output::open(&outset, None)?;
    let steps = Records { store: &store, after: 0, page: VecDeque::new(), over: false }
        .map(|record| record.map(step));
    let federation = Arc::clone(&outset.federation);
    let replay = match replay::<_, anyhow::Error>(federation, outset.start, steps, &mut output) {
        Ok(replay) => replay,
        Err(ReplayError::Broken(error)) => return Err(error),
        Err(error) => return disagrees(&error),
    };
    let work = format!("journal of {place}, {} records", grouped(replay.records));
    let energy = output.energy(&outset.federation, replay.summary.end);
    let (shocks, notes) = (outset.shocks.clone(), outset.notes.clone());
    let facts = RunFacts { seed: None, work, offered: None, shocks, notes, energy };
    let json = summary::write(&outset.federation, &replay.summary, &facts);
    output.finish(&json, &outset.federation, &replay.summary, &facts)?;
    show(call, &outset, &replay.summary, &facts, &json, &[])?;
    let agreed = agreed(&replay);
    if call.json {
        writeln!(std::io::stderr(), "giga: {agreed}")?;
    } else {
        writeln!(std::io::stdout(), "{agreed}")?;
    }
    Ok(ExitCode::from(u8::from(replay.summary.violations > 0)))
}

/// The journal, and how to name it without a password. A folder without a journal, or with one that this version can not read, is wrong input.
fn open(call: &Simulate, folder: &Path) -> Result<(String, Store, Outset), Refused> {
    call::keep_saved(call.out.as_deref())?;
    let (place, opened) = match folder.to_str().filter(|place| Url::is_one(place)) {
        None => (folder.display().to_string(), Store::read_only(folder)),
        Some(url) => {
            let url = up::store(url).map_err(Refused::input)?;
            (url.to_string(), Store::connect_read_only(&url))
        }
    };
    let (store, beginning) = opened.map_err(|error| match error {
        StoreError::Absent { .. } | StoreError::Empty { .. } | StoreError::Later { .. } => {
            Refused::input(error)
        }
        error => Refused::Failed(error.into()),
    })?;
    let Described { federation, works, shocks, notes } =
        call::kept(&beginning.file, &beginning.expanded, None)?;
    let outset = Outset {
        federation_file: beginning.file,
        federation_text: beginning.text,
        notes,
        federation,
        works,
        shocks,
        work_file: None,
        work_format: None,
        strict: false,
        load: None,
        seed: 0,
        start: beginning.start,
        end: Instant::FAR,
        out: call.out.clone(),
    };
    Ok((place, store, outset))
}

fn disagrees(error: &ReplayError<anyhow::Error>) -> anyhow::Result<ExitCode> {
    writeln!(std::io::stderr(), "giga: {error}")?;
    if let ReplayError::Differs { .. } = error {
        writeln!(
            std::io::stderr(),
            "      either the journal was changed after it was written, or this program decides otherwise than the one \
             that wrote it, although both say version {DECISION_VERSION} of the policy"
        )?;
    }
    Ok(ExitCode::from(1))
}

fn agreed(replay: &Replay) -> String {
    let counts = format!("{} records, {} events", grouped(replay.records), grouped(replay.events));
    match replay.followed {
        0 => format!("{counts}: all decided as they were"),
        followed => format!(
            "{counts}: all decided as they were, but for {} records of another version of the policy, which were followed \
             and not decided again",
            grouped(followed)
        ),
    }
}

fn step(record: Record) -> Step {
    let Record { seq, decisions, now, inputs, events } = record;
    let again = if decisions == DECISION_VERSION { Again::Decide } else { Again::Follow };
    Step { seq, now, inputs, events, again }
}

/// The records of a store, page by page.
struct Records<'a> {
    store: &'a Store,
    after: u64,
    page: VecDeque<Record>,
    over: bool,
}

impl Iterator for Records<'_> {
    type Item = anyhow::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty() && !self.over {
            match self.store.records(self.after, PAGE) {
                Ok(records) => self.page = records.into(),
                Err(error) => {
                    self.over = true;
                    return Some(Err(error.into()));
                }
            }
        }
        let record = self.page.pop_front()?;
        self.after = record.seq;
        Some(Ok(record))
    }
}
