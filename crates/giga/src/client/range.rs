//! Numbers of jobs as people write them: `17`, `17-26`, `17,20-22`.

use std::ops::RangeInclusive;
use std::str::FromStr;

/// Numbers of jobs in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbers(Vec<RangeInclusive<u64>>);

/// No array has more, and nobody means more by a dash.
const MOST: u64 = 1_000;

impl Numbers {
    /// One behind the other.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().cloned().flatten()
    }
}

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(range).collect::<Result<_, _>>().map(Self)
    }
}

fn range(text: &str) -> Result<RangeInclusive<u64>, String> {
    let number = |text: &str| text.trim().parse::<u64>().ok().filter(|number| i64::try_from(*number).is_ok());
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last && last - first < MOST => Ok(first..=last),
        (Some(first), Some(last)) if first <= last => Err(format!("`{text}` is more than {MOST} jobs")),
        _ => Err(format!("`{text}` is no job; write `17`, `17-26` or `17,20-22`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read() {
        let check = |text: &str, expected: Result<&[u64], &str>| match (text.parse::<Numbers>(), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.iter().collect::<Vec<_>>(), expected),
            (Err(error), Err(piece)) => assert!(error.contains(piece), "{error}"),
            (found, _) => panic!("{text} gave {found:?}"),
        };
        check("17", Ok(&[17]));
        check("17,20-22", Ok(&[17, 20, 21, 22]));
        check(" 1 - 2 ", Ok(&[1, 2]));
        check("0-999", Ok(&(0..1_000).collect::<Vec<_>>()));
        check("0-1000", Err("more than 1000 jobs"));
        for wrong in ["", "a", "-1", "3-1", "1-2-3", "9223372036854775808", "1,"] {
            check(wrong, Err("is no job"));
        }
    }
}
