//! Processes as the kernel shows them. A number alone is no identity: numbers are used again.
//!
//! A fault in looking is never taken for a death: only the kernel's own "there is no such process" is.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration as Span;

use giga_formats::attempt::ProcessId;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// What `/proc/PID/stat` says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) pid: u32,
    pub(crate) state: char,
    pub(crate) parent: u32,
    pub(crate) group: u32,
    pub(crate) session: u32,
    pub(crate) start_ticks: u64,
    /// The processor time that it and its ended children took.
    pub(crate) cpu_time: Span,
}

/// The kernel counts times of processes in hundredths of a second, on every machine.
const TICK: Span = Span::from_millis(10);

impl Stat {
    /// Reads a process, or `None` where there is none of this number.
    pub(crate) fn of(pid: u32) -> io::Result<Option<Self>> {
        let Some(text) = unless_gone(fs::read(format!("/proc/{pid}/stat")))? else { return Ok(None) };
        let text = String::from_utf8_lossy(&text);
        Self::parse(pid, &text).map(Some).ok_or_else(|| ErrorKind::InvalidData.into())
    }

    /// The name of the program stands in brackets and may hold brackets and blanks itself.
    fn parse(pid: u32, text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // The kernel says -1 of the group and session of one that is just ending; nobody's number is 0.
        let number = |place: usize| Some(u32::try_from(fields.get(place)?.parse::<i64>().ok()?).unwrap_or(0));
        let ticks = |place: usize| fields.get(place)?.parse::<u32>().ok();
        let cpu = [11, 12, 13, 14].into_iter().filter_map(ticks);
        Some(Self {
            pid,
            cpu_time: cpu.map(|ticks| TICK * ticks).sum(),
            state: fields.first()?.chars().next()?,
            parent: number(1)?,
            group: number(2)?,
            session: number(3)?,
            start_ticks: fields.get(19)?.parse().ok()?,
        })
    }

    /// Whether it still does anything: what only waits to be reaped does not.
    pub(crate) fn lives(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// `None` where the fault says that the process is gone, or that it has become someone else's.
pub(crate) fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Which coming up of the host this is.
pub(crate) fn boot() -> io::Result<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|text| text.trim().to_owned())
}

/// The process that asks.
pub(crate) fn own() -> io::Result<ProcessId> {
    let pid = std::process::id();
    let stat = Stat::of(pid)?.ok_or(ErrorKind::NotFound)?;
    Ok(ProcessId { pid, start_ticks: stat.start_ticks, boot: boot()? })
}

/// Whether exactly this process still lives.
pub(crate) fn lives(process: &ProcessId) -> io::Result<bool> {
    if process.boot != boot()? {
        return Ok(false);
    }
    let stat = Stat::of(process.pid)?;
    Ok(stat.is_some_and(|stat| stat.start_ticks == process.start_ticks && stat.lives()))
}

/// Sends a signal to a process, unless the number belongs to another by now.
pub(crate) fn signal(process: &ProcessId, signal: Signal) -> io::Result<()> {
    if lives(process)? { signal_number(process.pid, signal) } else { Ok(()) }
}

/// Sends a signal to whatever has this number. One that is gone, or may not be signalled, is left.
pub(crate) fn signal_number(pid: u32, signal: Signal) -> io::Result<()> {
    match kill(number(pid), signal) {
        Ok(()) | Err(Errno::ESRCH | Errno::EPERM) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// A number as the kernel's calls take it.
pub(crate) fn number(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).expect("Linux numbers processes below 2^22"))
}

/// All processes that live now.
pub(crate) fn all() -> io::Result<Vec<Stat>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        found.extend(Stat::of(pid)?.filter(Stat::lives));
    }
    Ok(found)
}

/// The children of a process, their children, and so on.
pub(crate) fn descendants(of: u32) -> io::Result<Vec<Stat>> {
    let all = all()?;
    let mut family = BTreeSet::from([of]);
    loop {
        let before = family.len();
        family.extend(
            all.iter().filter(|stat| family.contains(&stat.parent)).map(|s| s.pid).collect::<Vec<_>>(),
        );
        if family.len() == before {
            return Ok(all.into_iter().filter(|stat| stat.pid != of && family.contains(&stat.pid)).collect());
        }
    }
}

/// Whether the environment with which a process began holds this entry. One that may not be read holds nothing.
pub(crate) fn began_with(pid: u32, entry: &[u8]) -> io::Result<bool> {
    let environment = readable(fs::read(format!("/proc/{pid}/environ")))?;
    Ok(environment.is_some_and(|bytes| bytes.split(|&byte| byte == 0).any(|one| one == entry)))
}

/// Whether a process holds one of these files open for writing.
pub(crate) fn writes_to(pid: u32, files: &[&Path]) -> io::Result<bool> {
    let Some(entries) = readable(fs::read_dir(format!("/proc/{pid}/fd")))? else { return Ok(false) };
    for entry in entries {
        let Some(entry) = readable(entry)? else { return Ok(false) };
        let Some(target) = readable(fs::read_link(entry.path()))? else { continue };
        if !files.contains(&target.as_path()) {
            continue;
        }
        let info = format!("/proc/{pid}/fdinfo/{}", entry.file_name().to_string_lossy());
        let info = readable(fs::read_to_string(info))?.unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
        // The two lowest bits are 0 for reading only.
        if flags.is_some_and(|flags| flags & 3 != 0) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `None` where the process is gone or is another user's.
fn readable<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(None),
        other => unless_gone(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[track_caller]
    fn check(text: &str, expected: Option<(char, u32, u64)>) {
        let read = Stat::parse(7, text).map(|stat| (stat.state, stat.parent, stat.start_ticks));
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn one_that_is_just_ending_is_of_no_group() {
        let ending = "7 (a) X 0 -1 -1 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 99 0";
        let stat = Stat::parse(7, ending).expect("a line of the kernel");
        assert_eq!((stat.group, stat.session, stat.start_ticks, stat.lives()), (0, 0, 99, false));
    }

    #[test]
    fn a_stat_line_is_read_behind_the_last_bracket() {
        let rest = "S 3 4 5 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 991 0 0";
        check(&format!("7 (sh) {rest}"), Some(('S', 3, 991)));
        check(&format!("7 (a) R 9 9 9) {rest}"), Some(('S', 3, 991)));
        check("7 (sh) S 3", None);
        check("", None);
    }

    #[test]
    fn a_process_is_told_from_a_later_one_of_its_number() {
        let own = own().expect("this test runs on Linux");
        let check =
            |process: ProcessId, expected| assert_eq!(lives(&process).unwrap(), expected, "{process:?}");
        check(own.clone(), true);
        check(ProcessId { start_ticks: own.start_ticks + 1, ..own.clone() }, false);
        check(ProcessId { boot: "another".into(), ..own.clone() }, false);
        check(ProcessId { pid: 4_194_305, ..own }, false);
    }

    #[test]
    fn children_are_found_by_family_and_environment() {
        let mut command = Command::new("sleep");
        command.arg("60").env("GIGA_NONCE", "f00d").stdin(Stdio::null());
        let mut child = command.spawn().unwrap();
        let family = descendants(std::process::id()).unwrap();
        assert!(family.iter().any(|stat| stat.pid == child.id()), "{family:?}");
        assert!(began_with(child.id(), b"GIGA_NONCE=f00d").unwrap());
        assert!(!began_with(child.id(), b"GIGA_NONCE=f00").unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!began_with(child.id(), b"GIGA_NONCE=f00d").unwrap());
    }
}
