//! What the data folder holds: its journal, of which format and version, and the description it was begun with.

use std::fs::File;
use std::path::Path;
use std::time::SystemTime;

use giga_formats::description::Description;
use giga_store::{Beginning, Store, StoreError};
use giga_units::{Duration, Instant, grouped, several};

use super::{Check, shown};
use crate::beside;
use crate::up::{LOCAL, LOCAL_NAME};

/// A clock that is so far behind the journal was set back.
const BEHIND: Duration = Duration::seconds(2);

/// Looks into the store, of the folder or of a database, and gives what it began with.
pub(super) fn checks(folder: &Path, database: Option<&str>, served: bool) -> (Vec<Check>, Option<Beginning>) {
    let mut checks = vec![lock(folder, served)];
    let url = match database.map(crate::up::store).transpose() {
        Ok(url) => url,
        Err(error) => {
            checks.push(Check::fail("store", error.to_string(), "see `giga up --help`"));
            return (checks, None);
        }
    };
    let found = url.as_ref().map_or_else(|| Store::read_only(folder), Store::connect_read_only);
    let (store, beginning) = match found {
        Ok(found) => found,
        Err(StoreError::Absent { .. } | StoreError::Empty { .. }) => {
            checks.push(Check::ok("store", "there is none yet; `giga up` begins one"));
            return (checks, None);
        }
        Err(error @ StoreError::Database(_)) if url.is_some() => {
            let help = "see to the database and the way to it; `psql` with the same URL says more";
            checks.push(Check::fail("store", error.to_string(), help));
            return (checks, None);
        }
        Err(error) => {
            let help = "use the version of giga that wrote it, or restore it from a copy";
            checks.push(Check::fail("store", error.to_string(), help));
            return (checks, None);
        }
    };
    checks.extend(journal(&store).unwrap_or_else(|error| {
        let help = "restore it from a copy; `giga simulate --journal` tells which record is damaged";
        vec![Check::fail("store", error.to_string(), help)]
    }));
    (checks, Some(beginning))
}

fn lock(folder: &Path, served: bool) -> Check {
    const NAME: &str = "lock";
    let held = File::open(folder.join("lock")).is_ok_and(|lock| lock.try_lock().is_err());
    match (held, served) {
        (true, true) => Check::ok(NAME, "held by the server that answers"),
        (true, false) => {
            let help =
                "wait until it is up; where it stays so, look for the process with `fuser` and at its log";
            Check::warn(NAME, "a server holds it and does not answer", help)
        }
        (false, _) => Check::ok(NAME, "no server works here"),
    }
}

fn journal(store: &Store) -> Result<Vec<Check>, StoreError> {
    let last = store.last()?;
    let records = several(last, "record");
    let snapshot = store.snapshots(env!("CARGO_PKG_VERSION"))?.first().map(|snapshot| snapshot.seq);
    let behind = last - snapshot.unwrap_or(0).min(last);
    let text = match snapshot {
        Some(seq) => format!("{records}, a snapshot behind record {}", grouped(seq)),
        None => format!("{records}, no snapshot of this version yet"),
    };
    let mut checks = vec![if behind > 1_000_000 {
        let help = "a start follows them first; a server that is stopped well leaves a snapshot";
        Check::warn("store", text, help)
    } else {
        Check::ok("store", text)
    }];
    let now = Instant::from(SystemTime::now());
    if let Some(record) = store.records(last.saturating_sub(1), 1)?.first() {
        checks.push(clock(now, record.now));
    }
    Ok(checks)
}

/// Whether time went on since the last record.
fn clock(now: Instant, last: Instant) -> Check {
    const NAME: &str = "clock and journal";
    if last.since(now) > BEHIND {
        let text = format!("this machine says {now}, and the journal was at {last} already");
        return Check::fail(NAME, text, "set the clock right; until then time stands still for the server");
    }
    Check::ok(NAME, format!("the last record is of {last}"))
}

/// The description that would count, and whether it is that of the folder.
pub(super) fn description(
    named: Option<&Path>,
    beginning: Option<&Beginning>,
) -> (Check, Option<Description>) {
    const NAME: &str = "description";
    let (file, text) = match (named, beginning) {
        (Some(path), _) => match std::fs::read_to_string(path) {
            Ok(text) => (path.to_owned(), text),
            Err(error) => {
                let text = format!("{} can not be read: {error}", shown(path));
                return (
                    Check::fail(NAME, text, "name the description that the server is started with"),
                    None,
                );
            }
        },
        (None, Some(beginning)) => (beginning.file.clone().into(), beginning.text.clone()),
        (None, None) => (LOCAL_NAME.into(), LOCAL.to_owned()),
    };
    let read = match beside::read(&file, &text, &[]) {
        Ok(read) => read,
        Err(faults) => {
            let help = "mend it; `giga check` shows each fault in its line";
            return (Check::fail(NAME, faults.to_string().trim_end(), help), None);
        }
    };
    if beginning.is_some_and(|beginning| beginning.text != text) {
        let text = format!("{} is not the one that the data folder was begun with", shown(&file));
        let help = "give that one again, or begin anew in another folder with `--data`";
        return (Check::fail(NAME, text, help), None);
    }
    let (sites, name) = (read.federation.sites.len(), &read.federation.name);
    let whose = match (named, beginning) {
        (_, Some(_)) => ", as the data folder has it",
        (Some(_), None) => "",
        (None, None) => ", built in, since none is named",
    };
    let text = format!("federation `{name}`, {sites} {}{whose}", if sites == 1 { "site" } else { "sites" });
    (Check::ok(NAME, text), Some(read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_clock_that_was_set_back_is_found() {
        let at = |seconds: i64| Instant::unix_milliseconds(seconds * 1_000);
        let check = |now, last, expected| assert_eq!(clock(at(now), at(last)).state, expected);
        check(100, 50, State::Ok);
        check(100, 101, State::Ok);
        check(100, 3_700, State::Fail);
    }
}
