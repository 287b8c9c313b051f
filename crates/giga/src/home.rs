//! The data folder: where a server on this machine keeps its things, and where a client finds how to reach it.

use std::path::{Path, PathBuf};

use giga_formats::settings::DATA;

use crate::settings::Settings;

/// The folder that was named, else that of the settings, else `giga` in the user's data folder; `None` where there is none.
pub(crate) fn folder(named: Option<&Path>, settings: &Settings) -> Option<PathBuf> {
    let named = named.map(Path::to_path_buf).or_else(|| settings.text(&DATA).map(PathBuf::from));
    choose(named, |name| std::env::var_os(name).map(PathBuf::from))
}

fn choose(named: Option<PathBuf>, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|path| !path.as_os_str().is_empty());
    // What is not absolute there does not count (XDG Base Directory Specification).
    let data = set("XDG_DATA_HOME").filter(|path| path.is_absolute());
    let data = data.or_else(|| set("HOME").map(|home| home.join(".local/share")));
    named.or_else(|| data.map(|data| data.join("giga")))
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
            assert_eq!(choose(named.map(PathBuf::from), variable), expected.map(PathBuf::from));
        };
        let all = [("XDG_DATA_HOME", "/x"), ("HOME", "/h")];
        check(Some("/n"), &all, Some("/n"));
        check(None, &all, Some("/x/giga"));
        check(None, &all[1..], Some("/h/.local/share/giga"));
        check(None, &[("XDG_DATA_HOME", "x"), ("HOME", "/h")], Some("/h/.local/share/giga"));
        check(None, &[], None);
    }
}
