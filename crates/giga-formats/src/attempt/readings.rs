//! Readings of accelerators that were recorded, as `nvidia-smi` writes them:
//!
//! ```text
//! nvidia-smi --query-gpu=timestamp,index,utilization.gpu --format=csv -lms 5000
//! ```

use giga_units::{Duration, Instant};
use thiserror::Error;

/// One reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// How long after the first one.
    pub after: Duration,
    /// Which accelerator, by its number on the host.
    pub accelerator: u32,
    /// For which part of the time it did something, in percent.
    pub busy_percent: u32,
}

/// Why a record can not be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "line {line} is no reading of the form `2026/11/22 14:00:00.000, 0, 97 %`; record it with `nvidia-smi \
     --query-gpu=timestamp,index,utilization.gpu --format=csv`"
)]
pub struct ReadingsFault {
    /// Which line, from one.
    pub line: usize,
}

/// Reads a record; the header and empty lines are passed over, and so is what says that nothing was read (`[N/A]`).
///
/// # Errors
/// Names the first line that is no reading, or the end where there is none at all.
pub fn readings(text: &str) -> Result<Vec<Reading>, ReadingsFault> {
    let (mut all, mut first, mut latest) = (Vec::new(), None, Instant::unix_milliseconds(i64::MIN));
    for (at, line) in text.lines().enumerate() {
        let line_is_none = line.trim().is_empty() || line.contains("[N/A]");
        if line_is_none || (at == 0 && line.starts_with("timestamp")) {
            continue;
        }
        let (time, accelerator, busy_percent) = reading(line).ok_or(ReadingsFault { line: at + 1 })?;
        let first = *first.get_or_insert(time);
        if time < std::mem::replace(&mut latest, time) {
            return Err(ReadingsFault { line: at + 1 });
        }
        let after = time.since(first);
        all.push(Reading { after, accelerator, busy_percent });
    }
    if all.is_empty() { Err(ReadingsFault { line: text.lines().count().max(1) }) } else { Ok(all) }
}

fn reading(line: &str) -> Option<(Instant, u32, u32)> {
    let mut cells = line.split(',').map(str::trim);
    let (time, accelerator, busy) = (cells.next()?, cells.next()?, cells.next()?);
    let (date, clock) = time.split_once(' ')?;
    let time = Instant::parse(&format!("{}T{clock}Z", date.replace('/', "-")))?;
    let busy: u32 = busy.trim_end_matches('%').trim_end().parse().ok()?;
    (busy <= 100).then_some((time, accelerator.parse().ok()?, busy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let text = "timestamp, index, utilization.gpu [%]\n2026/11/22 14:00:00.125, 0, 97 %\n\
                    2026/11/22 14:00:00.130, 1, [N/A]\n2026/11/22 14:00:05.125, 0, 0 %\n";
        let read = readings(text).expect("a record");
        let at = |seconds, busy_percent| Reading {
            after: Duration::seconds(seconds),
            accelerator: 0,
            busy_percent,
        };
        assert_eq!(read, [at(0, 97), at(5, 0)]);
        let check = |text: &str, line| assert_eq!(readings(text), Err(ReadingsFault { line }), "{text}");
        check("", 1);
        check("timestamp, index, utilization.gpu [%]\n", 1);
        check("2026/11/22 14:00:00.125, 0, 197 %\n", 1);
        check("2026/11/22 14:00:00.125, 0, 97 %\nyesterday, 0, 1 %\n", 2);
        check("2026/11/22 14:00:05.125, 0, 97 %\n2026/11/22 14:00:00.125, 0, 97 %\n", 2);
    }
}
