//! The data folder: where a server on this machine keeps its things, and where a client finds how to reach it.

use std::path::{Path, PathBuf};

/// The folder that was named, else `GIGA_HOME`, else `giga` in the user's data folder; `None` where there is none.
pub(crate) fn folder(named: Option<&Path>) -> Option<PathBuf> {
    choose(named, |name| std::env::var_os(name).map(PathBuf::from))
}

fn choose(named: Option<&Path>, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|path| !path.as_os_str().is_empty());
    // What is not absolute there does not count (XDG Base Directory Specification).
    let data = set("XDG_DATA_HOME").filter(|path| path.is_absolute());
    let data = data.or_else(|| set("HOME").map(|home| home.join(".local/share")));
    named.map(Path::to_path_buf).or_else(|| set("GIGA_HOME")).or_else(|| data.map(|data| data.join("giga")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_counts() {
        let check = |named: Option<&str>, set: &[(&str, &str)], expected: Option<&str>| {
            let variable = |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| PathBuf::from(value))
            };
            assert_eq!(choose(named.map(Path::new), variable), expected.map(PathBuf::from));
        };
        let all = [("GIGA_HOME", "/g"), ("XDG_DATA_HOME", "/x"), ("HOME", "/h")];
        check(Some("/n"), &all, Some("/n"));
        check(None, &all, Some("/g"));
        check(None, &all[1..], Some("/x/giga"));
        check(None, &all[2..], Some("/h/.local/share/giga"));
        check(
            None,
            &[("GIGA_HOME", ""), ("XDG_DATA_HOME", "x"), ("HOME", "/h")],
            Some("/h/.local/share/giga"),
        );
        check(None, &[], None);
    }
}
