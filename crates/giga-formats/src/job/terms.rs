//! The check of what a job asks of place and time: data, what leaves, assurance, deadline.

use giga_model::{Assurance, Leaving};
use giga_units::{Amount as _, Duration, Instant};

use super::check::{Faults, JobFault, shown};
use super::spec::Deadline;

/// Most datasets of a job.
const DATA_MAX: usize = 100;
/// Longest name of a dataset, in bytes: a hundred characters of four.
const NAME_MAX: usize = 400;
/// The shortest and the longest time until a deadline.
const TIME: (Duration, Duration) = (Duration::seconds(1), Duration::days(3_650));

impl Faults {
    pub(super) fn data(&mut self, names: &[String]) -> Vec<String> {
        if names.len() > DATA_MAX {
            let (key, instead) =
                ("data".to_owned(), "register the data that is read together as one dataset");
            let (found, most) = (names.len(), DATA_MAX);
            self.add("data", &JobFault::TooLong { key, found, what: "entries", most, instead });
            return Vec::new();
        }
        for (at, name) in names.iter().enumerate() {
            let field = format!("data[{at}]");
            if name.trim().is_empty() {
                self.add(&field, &JobFault::Empty { key: "data", example: "[\"scans\"]" });
            } else if names[..at].contains(name) {
                self.add(&field, &JobFault::Twice { name: shown(name) });
            }
            self.text(&field, "data", name, NAME_MAX, "name");
        }
        names.to_vec()
    }

    pub(super) fn leaving(&mut self, word: Option<&str>) -> Leaving {
        let Some(word) = word else { return Leaving::Nothing };
        let leaving = Leaving::parse(word.trim());
        if leaving.is_none() {
            self.add("leaving", &JobFault::Leaving { text: shown(word) });
        }
        leaving.unwrap_or_default()
    }

    pub(super) fn assurance(&mut self, level: Option<i64>) -> Option<Assurance> {
        let level = level?;
        let assurance = u8::try_from(level).ok().and_then(Assurance::level);
        if assurance.is_none() {
            let (least, most) = ("1".to_owned(), "4".to_owned());
            let fault = JobFault::OutOfRange { key: "assurance", found: level.to_string(), least, most };
            self.add("assurance", &fault);
        }
        assurance
    }

    pub(super) fn deadline(&mut self, text: Option<&str>) -> Option<Deadline> {
        let text = text?;
        let end = Instant::parse("2200-01-01").expect("a date");
        let inside = |at: &Instant| (Instant::unix_milliseconds(0)..=end).contains(at);
        let time = || Duration::parse(text).ok().filter(|time| (TIME.0..=TIME.1).contains(time));
        let date = Instant::parse(text).filter(inside).map(Deadline::At);
        let deadline = date.or_else(|| time().map(Deadline::After));
        if deadline.is_none() {
            self.add("deadline", &JobFault::Deadline { text: shown(text) });
        }
        deadline
    }
}
