//! The check of what a job asks of place and time: data, what leaves, assurance, deadline.

use giga_model::{Assurance, JobId, Leaving, Predecessor};
use giga_units::{Amount as _, Duration, Instant};

use super::body::JobBody;
use super::check::{Faults, JobFault, NAME_MAX as JOB_NAME_MAX, shown};
use super::spec::{ArraySpec, Deadline};

/// Most datasets of a job.
const DATA_MAX: usize = 100;
/// Longest name of a dataset, in bytes: a hundred characters of four.
const NAME_MAX: usize = 400;
/// Most jobs that one comes after, in each list.
const AFTER_MAX: usize = 1_000;
/// Most tasks of an array.
const TASKS_MAX: u32 = 1_000;
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
                self.add(&field, &JobFault::Twice { key: "data", name: shown(name) });
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

    /// A job that stands in both lists has to be completed.
    pub(super) fn after(&mut self, completed: &[i64], over: &[i64]) -> Vec<Predecessor> {
        let mut all: Vec<Predecessor> = Vec::new();
        for (key, list, any) in [("after", completed, false), ("after_any", over, true)] {
            if list.len() > AFTER_MAX {
                let instead = "let a job in between come after a part of them";
                let (key, found, most) = (key.to_owned(), list.len(), AFTER_MAX);
                self.add(key.clone(), &JobFault::TooLong { key, found, what: "jobs", most, instead });
                continue;
            }
            for (at, &found) in list.iter().enumerate() {
                let field = format!("{key}[{at}]");
                match u64::try_from(found) {
                    Err(_) => self.add(field, &JobFault::NoJob { found }),
                    Ok(_) if list[..at].contains(&found) => {
                        self.add(field, &JobFault::Twice { key, name: found.to_string() });
                    }
                    Ok(_) if any && completed.contains(&found) => {}
                    Ok(job) => all.push(Predecessor { job: JobId(job), any }),
                }
            }
        }
        all
    }

    pub(super) fn array(&mut self, body: &JobBody) -> Option<ArraySpec> {
        let Some(array) = body.array else {
            if body.index.is_some() {
                self.add("index", &JobFault::IndexAlone);
            }
            return None;
        };
        let count = self.within("array", array, 1, TASKS_MAX)?;
        let index = match body.index {
            Some(index) => Some(self.within("index", index, 0, count - 1)?),
            None => None,
        };
        let most = JOB_NAME_MAX - 1 - (count - 1).to_string().len();
        let found = body.name.as_ref().map_or(0, String::len);
        if index.is_none() && (most + 1..=JOB_NAME_MAX).contains(&found) {
            let (key, instead) =
                ("name".to_owned(), "write a shorter one: each task has its number behind it");
            self.add("name", &JobFault::TooLong { key, found, what: "characters", most, instead });
        }
        Some(ArraySpec { count, index })
    }

    fn within(&mut self, key: &'static str, found: i64, least: u32, most: u32) -> Option<u32> {
        let number = u32::try_from(found).ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let [found, least, most] = [found.to_string(), least.to_string(), most.to_string()];
            self.add(key, &JobFault::OutOfRange { key, found, least, most });
        }
        number
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
