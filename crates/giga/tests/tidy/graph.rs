//! Checks of the dependencies, ours and those from outside, as cargo resolves them.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};

use crate::{none, root};

/// Which of our crates each may use, beside `giga-units`. The layers are those of ARCHITECTURE.md; what only tests use
/// is free.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("giga-units", &[]),
    ("giga-model", WORDS),
    ("giga-scheduler", MODEL),
    ("giga-facility", MODEL),
    ("giga-ledger", MODEL),
    ("giga-learning", MODEL),
    ("giga-evidence", MODEL),
    ("giga-planner", &["giga-model", "giga-facility"]),
    ("giga-control", CORES),
    ("giga-twin", COMPOSED),
    ("giga-formats", COMPOSED),
    ("giga-study", WORLDS),
    ("giga-report", WORLDS),
    ("giga-store", &["giga-model", "giga-control", "giga-formats"]),
    ("giga-engine", &["giga-model", "giga-formats"]),
    ("giga-server", EDGES),
    ("giga", ALL),
];
const WORDS: &[&str] = &[];
const MODEL: &[&str] = &["giga-model"];
const CORES: &[&str] = ALL.split_at(7).0;
const COMPOSED: &[&str] = ALL.split_at(8).0;
const WORLDS: &[&str] = ALL.split_at(12).0;
const EDGES: &[&str] = ALL.split_at(14).0;
/// All but the words and the top, from the bottom up.
const ALL: &[&str] = &[
    "giga-model",
    "giga-scheduler",
    "giga-facility",
    "giga-ledger",
    "giga-learning",
    "giga-evidence",
    "giga-planner",
    "giga-control",
    "giga-twin",
    "giga-study",
    "giga-formats",
    "giga-report",
    "giga-store",
    "giga-engine",
    "giga-server",
];

/// Licences that a dependency may have.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Crates that may come in several versions, with those who keep them apart.
const TWICE: &[(&str, &str)] = &[
    ("base64", "postgres-protocol is behind ureq"),
    ("darling", "clarabel is behind nvml-wrapper"),
    ("darling_core", "clarabel is behind nvml-wrapper"),
    ("darling_macro", "clarabel is behind nvml-wrapper"),
    ("fallible-iterator", "postgres-protocol is behind rusqlite"),
    ("getrandom", "ahash under parquet is behind rand under proptest"),
    ("strsim", "clarabel is behind clap"),
    ("syn", "zerocopy under parquet is behind thiserror"),
    ("thiserror", "nvml-wrapper is behind"),
    ("thiserror-impl", "nvml-wrapper is behind"),
];

/// What cargo resolves for this machine, without the network.
fn metadata() -> Value {
    let version = Command::new("rustc").arg("-vV").output().expect("rustc runs where cargo does");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc tells its host");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--offline", "--filter-platform", host]);
    let output = cargo.current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

/// The packages that were resolved; `ours` are those of the workspace.
fn packages(metadata: &Value) -> Vec<&Value> {
    let nodes = metadata["resolve"]["nodes"].as_array().expect("cargo lists what it resolved");
    let resolved: BTreeSet<&str> = nodes.iter().map(|node| text(node, "id")).collect();
    let all = metadata["packages"].as_array().expect("cargo lists packages");
    all.iter().filter(|package| resolved.contains(text(package, "id"))).collect()
}

fn is_ours(package: &Value) -> bool {
    package["source"].is_null()
}

fn wrong_directions(metadata: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in packages(metadata).into_iter().filter(|package| is_ours(package)) {
        let name = text(package, "name");
        let Some((_, allowed)) = DIRECTIONS.iter().find(|(known, _)| *known == name) else {
            complaints.push(format!("`{name}` stands in no layer; add it to the table"));
            continue;
        };
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let used = dependencies.filter(|dependency| text(dependency, "kind") != "dev");
        for used in used.map(|dependency| text(dependency, "name")).filter(|used| used.starts_with("giga")) {
            let down = allowed.contains(&used) || (used == "giga-units" && name != "giga-units");
            if !down {
                complaints.push(format!("`{name}` must not use `{used}`"));
            }
        }
    }
    complaints
}

fn wrong_folders(metadata: &Value) -> Vec<String> {
    let ours = packages(metadata).into_iter().filter(|package| is_ours(package));
    let wrong = ours.filter(|package| {
        let place = format!("/crates/{}/Cargo.toml", text(package, "name"));
        !text(package, "manifest_path").replace('\\', "/").ends_with(&place)
    });
    wrong.map(|package| format!("`{}` lies in a folder of another name", text(package, "name"))).collect()
}

fn wrong_licences(metadata: &Value) -> Vec<String> {
    let wrong = packages(metadata).into_iter().filter(|package| !is_free(text(package, "license")));
    wrong
        .map(|package| format!("`{}` has licence `{}`", text(package, "name"), text(package, "license")))
        .collect()
}

/// Whether one of the alternatives of a licence expression is on the list.
fn is_free(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = tokens.as_slice();
    any_free(&mut rest) && rest.is_empty()
}

fn any_free(tokens: &mut &[&str]) -> bool {
    let mut free = all_free(tokens);
    while let Some((&"OR", rest)) = tokens.split_first() {
        *tokens = rest;
        free |= all_free(tokens);
    }
    free
}

fn all_free(tokens: &mut &[&str]) -> bool {
    let mut free = one_free(tokens);
    while let Some((&"AND", rest)) = tokens.split_first() {
        *tokens = rest;
        free &= one_free(tokens);
    }
    free
}

fn one_free(tokens: &mut &[&str]) -> bool {
    let Some((&first, rest)) = tokens.split_first() else { return false };
    *tokens = rest;
    let free = if first == "(" { any_free(tokens) } else { LICENCES.contains(&first) };
    let ends = usize::from(first == "(");
    *tokens = tokens.get(ends..).unwrap_or(&[]);
    // An exception only adds permissions.
    if let ["WITH", _, rest @ ..] = *tokens {
        *tokens = rest;
    }
    free
}

fn wrong_sources(metadata: &Value) -> Vec<String> {
    let foreign = packages(metadata).into_iter().filter(|package| !is_ours(package));
    let wrong = foreign.filter(|package| text(package, "source") != CRATES_IO);
    wrong
        .map(|package| format!("`{}` comes from `{}`", text(package, "name"), text(package, "source")))
        .collect()
}

fn unlisted_duplicates(metadata: &Value) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages(metadata) {
        versions.entry(text(package, "name")).or_default().insert(text(package, "version"));
    }
    let listed = |name: &str| TWICE.iter().any(|(known, _)| *known == name);
    let twice = versions.iter().filter(|(name, versions)| versions.len() > 1 && !listed(name));
    twice
        .map(|(name, versions)| format!("`{name}` comes in versions {versions:?}; unify or list it"))
        .collect()
}

#[test]
fn the_house_has_sound_dependencies() {
    let metadata = metadata();
    let checks = [wrong_directions, wrong_folders, wrong_licences, wrong_sources, unlisted_duplicates];
    assert!(packages(&metadata).len() > 20, "cargo resolves the workspace");
    none(checks.iter().flat_map(|check| check(&metadata)).collect());
}

/// A workspace of one package of ours and one from outside.
fn sample(ours: &str, uses: &str, licence: &str, source: &str) -> Value {
    let package = |name: &str, version: &str, source: Value, uses: Value| {
        json!({"id": format!("{name} {version}"), "name": name, "version": version, "license": licence,
               "source": source, "dependencies": uses, "manifest_path": format!("/x/crates/{name}/Cargo.toml")})
    };
    let uses = json!([{"name": uses, "kind": null}, {"name": "giga", "kind": "dev"}]);
    let packages = [
        package(ours, "0.1.0", Value::Null, uses),
        package("outside", "1.0.0", json!(source), json!([])),
        package("outside", "2.0.0", json!(source), json!([])),
    ];
    let nodes: Vec<Value> = packages.iter().map(|package| json!({"id": package["id"]})).collect();
    json!({"packages": packages, "resolve": {"nodes": nodes}})
}

#[test]
fn crooked_dependencies_are_found() {
    let good = sample("giga-control", "giga-ledger", "MIT", CRATES_IO);
    assert!(wrong_directions(&good).is_empty() && wrong_folders(&good).is_empty());
    assert!(wrong_licences(&good).is_empty() && wrong_sources(&good).is_empty());
    assert_eq!(unlisted_duplicates(&good).len(), 1);
    let bad = sample("giga-scheduler", "giga-control", "GPL-3.0-only", "git+https://example.org/x");
    assert_eq!(wrong_directions(&bad), ["`giga-scheduler` must not use `giga-control`"]);
    assert_eq!(wrong_licences(&bad).len(), 3);
    assert_eq!(wrong_sources(&bad).len(), 2);
    assert_eq!(wrong_directions(&sample("giga-new", "", "MIT", CRATES_IO)).len(), 1);
    let mut moved = good;
    moved["packages"][0]["manifest_path"] = json!("/x/crates/control/Cargo.toml");
    assert_eq!(wrong_folders(&moved).len(), 1);
}

#[test]
fn licence_expressions_are_read() {
    let free = ["MIT", "MIT OR GPL-3.0", "MIT/Apache-2.0", "(MIT OR GPL-2.0) AND Unicode-3.0"];
    assert!(free.iter().all(|expression| is_free(expression)));
    assert!(is_free("Apache-2.0 WITH LLVM-exception OR GPL-2.0"));
    let bound = ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-2.0", "AND"];
    assert!(!bound.iter().any(|expression| is_free(expression)));
}
