//! Which format a file has.

use std::io::BufRead;
use std::path::Path;
use std::str::FromStr;

use super::WorkError;
use super::order::Sorting;
use super::plain::{HOURS, PHILLY, TOKENS};

/// The formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkFormat {
    /// Standard Workload Format of the Parallel Workloads Archive.
    Swf,
    /// What Slurm's `sacct -P` prints.
    Sacct,
    /// Microsoft's Philly trace of 2017.
    Philly,
    /// The hourly traces of GAIA: LANL Mustang, Azure virtual machines.
    Hours,
    /// Azure's LLM inference requests.
    Tokens,
    /// Our own table as comma-separated values.
    Table,
    /// Our own table as Parquet.
    TableParquet,
}

/// All formats with the words that name them.
const FORMATS: [(WorkFormat, &str); 7] = [
    (WorkFormat::Swf, "swf"),
    (WorkFormat::Sacct, "sacct"),
    (WorkFormat::Philly, "philly"),
    (WorkFormat::Hours, "hours"),
    (WorkFormat::Tokens, "llm"),
    (WorkFormat::Table, "csv"),
    (WorkFormat::TableParquet, "parquet"),
];

impl WorkFormat {
    /// The word that names it.
    #[must_use]
    pub fn word(self) -> &'static str {
        FORMATS.iter().find(|(format, _)| *format == self).map_or("", |(_, word)| word)
    }

    pub(super) fn list() -> String {
        FORMATS.map(|(_, word)| word).join(", ")
    }

    pub(super) fn sorting(self) -> Sorting {
        match self {
            Self::Sacct | Self::Philly => Sorting::Unsorted,
            Self::Swf | Self::Hours | Self::Tokens | Self::Table | Self::TableParquet => Sorting::InOrder,
        }
    }

    /// Whether it tells what once happened; our own tables tell what shall.
    pub(super) fn is_trace(self) -> bool {
        !matches!(self, Self::Table | Self::TableParquet)
    }

    /// Whether its times are dates.
    pub(super) fn dated(self) -> bool {
        !matches!(self, Self::Swf | Self::Hours)
    }

    /// The format by the end of the file's name, or else by its first bytes, which stay in the input.
    pub(super) fn detect(path: &Path, input: &mut impl BufRead) -> Result<Self, WorkError> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("swf") => return Ok(Self::Swf),
            Some("parquet") => return Ok(Self::TableParquet),
            _ => {}
        }
        let head = input.fill_buf()?;
        if head.is_empty() {
            return Err(WorkError::NoRows);
        }
        Self::of_head(head).ok_or(WorkError::UnknownFormat)
    }

    fn of_head(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"PAR1") {
            return Some(Self::TableParquet);
        }
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let mut lines = head.split(|&byte| byte == b'\n').map(String::from_utf8_lossy);
        let first = lines.find(|line| !line.trim().is_empty())?;
        let first = first.trim();
        let has = |separator: char, name: &str| first.split(separator).any(|cell| cell.trim() == name);
        let numbers = first.split_whitespace().filter(|cell| cell.parse::<f64>().is_ok()).count();
        match first {
            PHILLY => Some(Self::Philly),
            HOURS => Some(Self::Hours),
            TOKENS => Some(Self::Tokens),
            _ if first.starts_with(';') || numbers == 18 => Some(Self::Swf),
            _ if has('|', "JobID") => Some(Self::Sacct),
            _ if has(',', "submitted") && has(',', "runtime") => Some(Self::Table),
            _ => None,
        }
    }
}

impl FromStr for WorkFormat {
    type Err = WorkError;

    fn from_str(word: &str) -> Result<Self, WorkError> {
        let found = FORMATS.iter().find(|(_, known)| *known == word);
        found.map(|(format, _)| *format).ok_or_else(|| WorkError::NoSuchFormat { word: word.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, head: &str, expected: Option<WorkFormat>) {
        let found = WorkFormat::detect(Path::new(name), &mut head.as_bytes());
        assert_eq!(found.ok(), expected, "{name}: {head}");
    }

    #[test]
    fn formats_show_themselves() {
        check("a.swf", "", Some(WorkFormat::Swf));
        check("a.parquet", "", Some(WorkFormat::TableParquet));
        check("a", "PAR1...", Some(WorkFormat::TableParquet));
        check("a.txt", "; Version: 2\n", Some(WorkFormat::Swf));
        check("a", "\n1 0 -1 10 4 -1 -1 -1 -1 -1 1 -1 -1 -1 0 -1 -1 -1\n", Some(WorkFormat::Swf));
        check("a", "JobID|Submit|Elapsed\n", Some(WorkFormat::Sacct));
        check("a.csv", &format!("{PHILLY}\r\n"), Some(WorkFormat::Philly));
        check("a.csv", HOURS, Some(WorkFormat::Hours));
        check("a.csv", TOKENS, Some(WorkFormat::Tokens));
        check("a.csv", "project, submitted,accelerators,runtime\n", Some(WorkFormat::Table));
        check("a.csv", "a,b\n", None);
        check("a.csv", "", None);
    }

    #[test]
    fn every_format_has_a_word() {
        for (format, word) in FORMATS {
            assert_eq!(format.word(), word);
            assert_eq!(word.parse::<WorkFormat>().unwrap(), format);
        }
        assert!("slurm".parse::<WorkFormat>().unwrap_err().to_string().contains("sacct"));
    }
}
