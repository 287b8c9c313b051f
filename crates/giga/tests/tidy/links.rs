//! Checks of pages: links inside the repository lead somewhere.

use std::path::Path;

use crate::{files, none, root, tells_apart};

fn broken_links(root: &Path, path: &str, text: &str) -> Vec<String> {
    let folder = root.join(path).parent().unwrap_or(root).to_owned();
    let (mut complaints, mut in_code) = (Vec::new(), false);
    for (number, line) in text.lines().enumerate() {
        in_code ^= line.trim_start().starts_with("```");
        for target in targets(line).filter(|_| !in_code) {
            let file = target.split('#').next().unwrap_or(target);
            let outside = target.contains("://") || target.starts_with("mailto:");
            if !outside && !file.is_empty() && !folder.join(file).exists() {
                complaints.push(format!("{path}:{}: `{target}` leads nowhere", number + 1));
            }
        }
    }
    complaints
}

/// What the links of a line point to.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target.trim()))
}

#[test]
fn the_house_has_no_broken_links() {
    let root = root();
    none(files(&root, "md").iter().flat_map(|(path, text)| broken_links(&root, path, text)).collect());
}

#[test]
fn broken_links_are_found() {
    let good = "[a](Cargo.toml), [b](https://example.org/x), [c](#words)\n```\n[d](nowhere)\n```\n";
    tells_apart(|text| broken_links(&root(), "README.md", text), good, "[a](nowhere.md#b)", "README.md:1");
}
