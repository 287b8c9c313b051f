//! Checks of source text.

use crate::{files, none, root, tells_apart};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
/// The one crate that may derive serialisation.
const SERDE_HOME: &str = "crates/giga-formats/";

fn file_length(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    let complaint = format!("{path}: {lines} lines; split it, {FILE_LINES_MAX} is the most");
    if lines > FILE_LINES_MAX { vec![complaint] } else { Vec::new() }
}

/// Functions that are too long. Formatted code closes a function at the indentation at which it began.
fn function_length(path: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut complaints = Vec::new();
    for (first, line) in lines.iter().enumerate().filter(|(_, line)| begins_function(line)) {
        let signature_end = lines[first..].iter().position(|line| line.ends_with(['{', ';', '}']));
        let Some(open) = signature_end.map(|end| first + end).filter(|&end| lines[end].ends_with('{')) else {
            continue;
        };
        let close = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
        let length = lines[open..].iter().position(|line| *line == close).map(|end| open + end - first + 1);
        if let Some(length) = length.filter(|&length| length > FUNCTION_LINES_MAX) {
            complaints.push(format!("{path}:{}: a function of {length} lines; split it", first + 1));
        }
    }
    complaints
}

fn begins_function(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.find(|word| !["const", "async", "unsafe"].contains(word) && !word.starts_with("pub")) == Some("fn")
}

fn module_docs(path: &str, text: &str) -> Vec<String> {
    let inside = path.contains("/src/") && !path.ends_with("tests.rs") && !path.contains("/tests/");
    let complaint = format!("{path}: begin with `//!` and say what the module is for");
    if inside && !text.trim_start().starts_with("//!") { vec![complaint] } else { Vec::new() }
}

fn serde_at_home(path: &str, text: &str) -> Vec<String> {
    let names = [concat!("Serial", "ize"), concat!("Deserial", "ize")];
    let derives = |line: &str| line.contains("derive(") && names.iter().any(|name| line.contains(name));
    let away = !path.starts_with(SERDE_HOME);
    complaints_by_line(path, text, "only `giga-formats` derives serde", |line| away && derives(line))
}

fn nothing_unfinished(path: &str, text: &str) -> Vec<String> {
    let words = [concat!("to", "do!("), concat!("unimple", "mented!(")];
    complaints_by_line(path, text, "finish it or leave it out", |line| {
        words.iter().any(|word| line.contains(word))
    })
}

/// Calls that panic without saying why, outside tests. Tests stand last in a file, or in files of their own.
fn no_bare_unwrap(path: &str, text: &str) -> Vec<String> {
    if !path.contains("/src/") || path.ends_with("tests.rs") || path.contains("/tests/") {
        return Vec::new();
    }
    let code = text.split("#[cfg(test)]").next().unwrap_or(text);
    let word = concat!(".unw", "rap()");
    complaints_by_line(path, code, "say with `expect` why it holds", |line| line.contains(word))
}

fn complaints_by_line(path: &str, text: &str, remedy: &str, is_bad: impl Fn(&str) -> bool) -> Vec<String> {
    let code = |line: &str| !line.trim_start().starts_with("//");
    let bad = text.lines().enumerate().filter(|(_, line)| code(line) && is_bad(line));
    bad.map(|(number, line)| format!("{path}:{}: `{}`: {remedy}", number + 1, line.trim())).collect()
}

#[test]
fn the_house_has_tidy_sources() {
    let checks =
        [file_length, function_length, module_docs, serde_at_home, nothing_unfinished, no_bare_unwrap];
    let files = files(&root(), "rs");
    assert!(files.len() > 20, "the walk over the repository finds its files");
    none(files.iter().flat_map(|(path, text)| checks.iter().flat_map(|check| check(path, text))).collect());
}

#[test]
fn long_files_and_functions_are_found() {
    let lines = |count: usize| "    let a = 1;\n".repeat(count);
    let function =
        |count| format!("    pub const fn f(\n        a: u8,\n    ) -> u8 {{\n{}    }}\n", lines(count));
    tells_apart(|text| file_length("a.rs", text), &lines(600), &lines(601), "601 lines");
    tells_apart(
        |text| function_length("a.rs", text),
        &function(66),
        &function(67),
        "a.rs:1: a function of 71",
    );
    tells_apart(|text| function_length("a.rs", text), "fn a();\nfn b() {}\n", &function(99), "split it");
}

#[test]
fn what_the_style_forbids_is_found() {
    let path = "crates/giga-twin/src/a.rs";
    tells_apart(|text| module_docs(path, text), "//! For this.\n", "use a;\n", "say what the module is for");
    let derive = concat!("#[derive(Debug, Serial", "ize)]\n");
    tells_apart(|text| serde_at_home(path, text), "#[derive(Debug)]\n", derive, "giga-formats");
    assert!(serde_at_home("crates/giga-formats/src/a.rs", derive).is_empty());
    let unfinished = concat!("    to", "do!()\n");
    tells_apart(|text| nothing_unfinished(path, text), "// later\n", unfinished, "a.rs:1");
    let bare = concat!("let a = b.unw", "rap();\n");
    let in_tests = format!("#[cfg(test)]\nmod tests {{ {bare} }}\n");
    tells_apart(|text| no_bare_unwrap(path, text), &in_tests, bare, "expect");
}
