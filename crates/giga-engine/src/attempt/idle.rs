//! Whether the accelerators of an attempt do anything: read again and again beside the program, and noted in its folder where they do
//! not. Nothing is decided by it; it is for people.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration as Span, Instant as Clock};

use giga_formats::attempt::{Handover, Reading, readings};
use giga_model::Idling;
use giga_units::Instant;

use super::energy::{self, Gauges};
use super::folder::Folder;
use super::{now, process};

/// That the accelerators of an attempt are idle, as long as they are.
pub(crate) const IDLING: &str = "idling.json";
/// The variable that names recorded readings, for machines without accelerators that can be read.
pub const READINGS: &str = "GIGA_READINGS";

/// How often they are read.
const EACH: Span = Span::from_secs(5);
/// How long they have done nothing until that is said. An assumption: to read a batch or to write a checkpoint takes less. With the
/// time between two readings and between two looks of a server, it is said within 60 s.
const WINDOW: Span = Span::from_secs(30);
/// What counts as nothing, in percent of the time: an assumption, above what a driver does by itself.
const NOTHING: u32 = 5;

/// Reads the accelerators of this host in a thread of its own, as long as the process lives.
pub(crate) fn watch(folder: &Folder, handover: &Handover) {
    let Some(source) = Source::of(handover) else { return };
    let folder = folder.clone();
    thread::spawn(move || {
        let (begun, mut rule) = (Clock::now(), Rule::default());
        loop {
            thread::sleep(EACH);
            let at = begun.elapsed();
            // What the program took is of interest only where its accelerators do nothing.
            let reading = source
                .busiest(at)
                .map(|busiest| (busiest, if busiest < NOTHING { cpu() } else { Span::ZERO }));
            tell(&folder, rule.take(at, reading));
        }
    });
}

/// The processor time of all that the program started, as far as it is there.
fn cpu() -> Span {
    process::descendants(std::process::id()).unwrap_or_default().iter().map(|stat| stat.cpu_time).sum()
}

/// Notes it in the folder. Where that does not work it is only not known.
fn tell(folder: &Folder, step: Step) {
    match step {
        Step::Nothing => {}
        Step::Idles { lasted, cpus_thousandths } => {
            let lasted = i64::try_from(lasted.as_millis()).unwrap_or(i64::MAX);
            let since = Instant::unix_milliseconds(now().as_unix_milliseconds().saturating_sub(lasted));
            let _ = folder.put(IDLING, &Idling { since, cpus_thousandths });
        }
        Step::Works => {
            // It may not be there.
            let _ = fs::remove_file(folder.file(IDLING));
        }
    }
}

/// Where readings come from.
enum Source {
    Devices(Box<Gauges>),
    Recorded { readings: Vec<Reading>, accelerators: Vec<u32> },
}

impl Source {
    fn of(handover: &Handover) -> Option<Self> {
        if let Some(path) = std::env::var_os(READINGS) {
            let text = fs::read_to_string(Path::new(&path)).ok()?;
            let accelerators = handover.slots.first()?.clone();
            return Some(Self::Recorded { readings: readings(&text).ok()?, accelerators });
        }
        Gauges::open(energy::of_attempt(handover)).map(|gauges| Self::Devices(Box::new(gauges)))
    }

    /// For which part of the time the busiest of them did something, in percent, or `None` where one can not be read.
    fn busiest(&self, at: Span) -> Option<u32> {
        match self {
            Self::Devices(gauges) => gauges.busiest(),
            Self::Recorded { readings, accelerators } => {
                let at = i64::try_from(at.as_millis()).ok()?;
                let last = |accelerator: &u32| {
                    let of = readings.iter().filter(|reading| reading.accelerator == *accelerator);
                    of.take_while(|reading| reading.after.as_milliseconds() <= at)
                        .last()
                        .map(|last| last.busy_percent)
                };
                accelerators.iter().map(last).collect::<Option<Vec<u32>>>()?.into_iter().max()
            }
        }
    }
}

/// What follows from a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nothing is new.
    Nothing,
    /// They have done nothing for so long, while so many processors worked.
    Idles { lasted: Span, cpus_thousandths: u64 },
    /// They do something again, or it is not known any more that they do not.
    Works,
}

/// Tells idleness from pauses.
#[derive(Debug, Default)]
struct Rule {
    /// Since when they do nothing, and the processor time at that moment.
    quiet: Option<(Span, Span)>,
    /// What was said last: idle, and whether the program works all the same.
    said: Option<bool>,
}

impl Rule {
    fn take(&mut self, at: Span, reading: Option<(u32, Span)>) -> Step {
        let Some((_, cpu)) = reading.filter(|(busiest, _)| *busiest < NOTHING) else {
            self.quiet = None;
            return if self.said.take().is_some() { Step::Works } else { Step::Nothing };
        };
        let (since, before) = *self.quiet.get_or_insert((at, cpu));
        let lasted = at.saturating_sub(since);
        if lasted < WINDOW {
            return Step::Nothing;
        }
        let part = cpu.saturating_sub(before).as_millis() * 1_000 / lasted.as_millis().max(1);
        let cpus_thousandths = u64::try_from(part).unwrap_or(u64::MAX);
        let works = Idling::is_work(cpus_thousandths);
        if self.said == Some(works) {
            return Step::Nothing;
        }
        self.said = Some(works);
        Step::Idles { lasted, cpus_thousandths }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of readings every 5 s: a percentage, and how many seconds of processor time were taken so far.
    fn said(readings: &[(Option<u32>, u64)]) -> Vec<(usize, Step)> {
        let mut rule = Rule::default();
        let step = |(place, (busy, cpu)): (usize, &(Option<u32>, u64))| {
            let at = EACH * u32::try_from(place).unwrap();
            (place, rule.take(at, busy.map(|busy| (busy, Span::from_secs(*cpu)))))
        };
        readings.iter().enumerate().map(step).filter(|(_, step)| *step != Step::Nothing).collect()
    }

    #[test]
    fn pauses_are_not_idleness_and_idleness_is_told_once() {
        let idle = |place, seconds, cpus_thousandths| {
            (place, Step::Idles { lasted: Span::from_secs(seconds), cpus_thousandths })
        };
        assert_eq!(said(&[(Some(0), 0); 6]), []);
        assert_eq!(said(&[(Some(4), 0); 9]), [idle(6, 30, 0)]);
        assert_eq!(said(&[(Some(5), 0); 9]), []);
        let pause = [[(Some(0), 0); 5].as_slice(), &[(Some(60), 0)], &[(Some(0), 0); 5]].concat();
        assert_eq!(said(&pause), []);
        let again = [[(Some(0), 0); 8].as_slice(), &[(Some(60), 0)]].concat();
        assert_eq!(said(&again), [idle(6, 30, 0), (8, Step::Works)]);
        // What can not be read is not said to be idle.
        let gone = [[(Some(0), 0); 8].as_slice(), &[(None, 0); 3]].concat();
        assert_eq!(said(&gone), [idle(6, 30, 0), (8, Step::Works)]);
    }

    #[test]
    fn who_works_without_accelerators_is_told_apart() {
        let works: Vec<_> = (0..8).map(|place| (Some(0), place * 10)).collect();
        assert_eq!(
            said(&works),
            [(6, Step::Idles { lasted: WINDOW, cpus_thousandths: 2_000 })],
            "two processors"
        );
    }
}
