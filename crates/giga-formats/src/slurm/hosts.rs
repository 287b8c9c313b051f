//! Lists of hosts as Slurm writes them: `a1,b[01-03,7]-x`.

use super::cell::parts;

/// The hosts of a list in its order, or `None` where it is none, or one of more than a million.
#[must_use]
pub fn hosts(list: &str) -> Option<Vec<String>> {
    let (parts, flat) = parts(list, ('[', ']'));
    if !flat {
        return None;
    }
    let mut all = Vec::new();
    for part in parts {
        let mut names = vec![String::new()];
        let mut rest = part;
        while let Some((before, behind)) = rest.split_once('[') {
            let (numbers, after) = behind.split_once(']')?;
            let numbers = ranges(numbers)?;
            if names.len().checked_mul(numbers.len())? > MOST {
                return None;
            }
            let all = names.iter().flat_map(|name| numbers.iter().map(move |n| format!("{name}{before}{n}")));
            names = all.collect();
            rest = after;
        }
        if rest.contains(']') {
            return None;
        }
        all.extend(names.into_iter().map(|name| name + rest).filter(|name| !name.is_empty()));
        if all.len() > MOST {
            return None;
        }
    }
    Some(all)
}

/// More hosts than any machine has.
const MOST: usize = 1_000_000;

/// The numbers of `01-03,7`, with the zeros that stand before them.
fn ranges(text: &str) -> Option<Vec<String>> {
    let mut numbers = Vec::new();
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (from, to): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        if to < from || (to - from) as usize >= MOST - numbers.len() {
            return None;
        }
        numbers.extend((from..=to).map(|number| format!("{number:0width$}", width = first.len())));
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &str, expected: Option<&[&str]>) {
        let hosts = hosts(list);
        let hosts = hosts.as_ref().map(|hosts| hosts.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(hosts.as_deref(), expected, "{list}");
    }

    #[test]
    fn lists_are_expanded() {
        check("", Some(&[]));
        check("a", Some(&["a"]));
        check("a,b1", Some(&["a", "b1"]));
        check("a[1-3]", Some(&["a1", "a2", "a3"]));
        check("r[1-2]n[01-02]", Some(&["r1n01", "r1n02", "r2n01", "r2n02"]));
        check("a[08-10,2]x,b", Some(&["a08x", "a09x", "a10x", "a2x", "b"]));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for list in
            ["a[", "a]", "a[1", "a[3-1]", "a[x]", "a[[1]]", "a[0-4294967295]", "a[1-]", "a[0-999][0-9999]"]
        {
            check(list, None);
        }
    }
}
