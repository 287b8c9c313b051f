//! The job file: TOML with the keys of [`JobBody`], whose faults are shown with their places, all at once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::body::{AcceleratorsBody, JobBody, ResourcesBody, RunBody};
use super::check::{FieldFault, name_like};
use super::sent::{FileBody, FileParts};
use super::spec::JobSpec;
use crate::description::Faults;
use crate::description::decode::mismatch;
use crate::description::diagnostic::{Explain, Findings, nearest};
use crate::description::shape::Shape;

/// A job file that was read without fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFile {
    /// What it says, its name filled in; this is what is sent.
    pub body: JobBody,
    /// The same, checked.
    pub spec: JobSpec,
}

const KEYS: &[&str] = &[
    "name",
    "project",
    "run",
    "workdir",
    "container",
    "limit",
    "checkpoint",
    "data",
    "leaving",
    "assurance",
    "deadline",
    "after",
    "after_any",
    "array",
    "index",
    "env",
    "files",
    "resources",
];
const FILE: &[&str] = &["text", "base64", "executable"];
const RESOURCES: &[&str] = &["accelerators", "cpus", "memory"];

/// Reads a job file. `file` is what messages call it, and gives the job its name where the text has none.
///
/// # Errors
/// All faults of the text at once, each with place and remedy.
pub fn read(file: &str, text: &str) -> Result<JobFile, Faults> {
    let mut reader = Reader { findings: Findings::default(), places: BTreeMap::new() };
    let (tree, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let fault = Shape::Syntax { message: error.message().to_owned() };
        reader.findings.add_damage(&error.span().unwrap_or(0..0), &fault);
    }
    let body = reader.body(file, tree.get_ref(), errors.is_empty());
    let spec = body.check();
    if let Err(faults) = &spec {
        faults.iter().for_each(|fault| reader.place(fault));
    }
    reader.findings.finish(file, text)?;
    Ok(JobFile { body, spec: spec.expect("a job without faults was checked") })
}

/// Decodes the tables, and keeps the place of every value.
struct Reader {
    findings: Findings,
    places: BTreeMap<String, Range<usize>>,
}

/// A fault that the check of a body found, which has words of its own.
struct Checked<'f>(&'f FieldFault);

impl std::fmt::Display for Checked<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl Explain for Checked<'_> {
    fn help(&self) -> String {
        self.0.help.clone()
    }
}

impl Reader {
    /// Puts a fault of the checked body at its place, or at that of the value around it.
    fn place(&mut self, fault: &FieldFault) {
        let around = fault.field.split(['.', '[']).next().unwrap_or("");
        let span = self.places.get(&fault.field).or_else(|| self.places.get(around));
        self.findings.add(&span.cloned().unwrap_or(0..0), fault.field.clone(), &Checked(fault));
    }

    /// The body. What was faulty is left out or stood in for: it is reported, and the rest can still be checked.
    fn body(&mut self, file: &str, table: &DeTable<'_>, whole: bool) -> JobBody {
        self.keys(table, KEYS, "a job file", "");
        let stem = Path::new(file).file_stem().map(|stem| name_like(&stem.to_string_lossy()));
        let name = self.text(table, "name", "", "\"train\"");
        let name = if table.contains_key("name") { name } else { stem };
        let project = self.text(table, "project", "", "\"demo\"");
        let workdir = self.text(table, "workdir", "", "\"/data/here\"");
        let container = self.text(table, "container", "", "\"/images/torch.sif\"");
        let limit = self.text(table, "limit", "", "\"2 h\"");
        let checkpoint = self.text(table, "checkpoint", "", "\"30 min\"");
        let data = self.data(table);
        let leaving = self.text(table, "leaving", "", "\"aggregated\"");
        let assurance = self.whole(table, "assurance", "", "3");
        let deadline = self.deadline(table);
        let (after, after_any) = (self.numbers(table, "after"), self.numbers(table, "after_any"));
        let (array, index) = (self.whole(table, "array", "", "10"), self.whole(table, "index", "", "3"));
        let env = self.env(table);
        let files = self.files(table);
        let resources = self.resources(table);
        let run = self.run(table, whole).unwrap_or_else(|| RunBody::Script("true".to_owned()));
        JobBody {
            name,
            project,
            run,
            workdir,
            container,
            limit,
            checkpoint,
            data,
            leaving,
            assurance,
            deadline,
            after,
            after_any,
            array,
            index,
            env,
            files,
            resources,
        }
    }

    /// Reports keys that are none.
    fn keys(
        &mut self,
        table: &DeTable<'_>,
        known: &'static [&'static str],
        section: &'static str,
        path: &str,
    ) {
        for (key, _) in table.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            let nearest =
                nearest(key.get_ref(), known.iter().copied().filter(|name| !table.contains_key(*name)));
            let list = known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            let wrong = key.get_ref().to_string();
            let fault = Shape::UnknownKey { key: wrong.clone(), section, nearest, known: list };
            self.findings.add(&key.span(), format!("{path}{wrong}"), &fault);
        }
    }

    /// What stands at a key; its place is kept.
    fn value<'t, 'i>(&mut self, table: &'t DeTable<'i>, key: &str, path: &str) -> Option<&'t DeValue<'i>> {
        let value = table.get(key)?;
        self.places.insert(format!("{path}{key}"), value.span());
        Some(value.get_ref())
    }

    fn wrong_type(&mut self, field: &str, key: &str, expected: &str, found: &DeValue<'_>, example: &str) {
        let span = self.places.get(field).cloned().unwrap_or(0..0);
        self.findings.add(&span, field, &mismatch(key, expected, found, example));
    }

    fn text(&mut self, table: &DeTable<'_>, key: &str, path: &str, example: &str) -> Option<String> {
        match self.value(table, key, path)? {
            DeValue::String(text) => Some(text.to_string()),
            other => {
                self.wrong_type(&format!("{path}{key}"), key, "a text in quotes", other, example);
                None
            }
        }
    }

    /// The texts of a list with their places, or `None` where one of them is something else.
    fn texts(&mut self, field: &str, key: &str, value: &DeValue<'_>, example: &str) -> Option<Vec<String>> {
        let DeValue::Array(list) = value else { unreachable!("only lists get here") };
        let mut texts = Vec::new();
        for (at, item) in list.iter().enumerate() {
            let place = format!("{field}[{at}]");
            self.places.insert(place.clone(), item.span());
            match item.get_ref() {
                DeValue::String(text) => texts.push(text.to_string()),
                other => self.wrong_type(&place, key, "a list of texts in quotes", other, example),
            }
        }
        (texts.len() == list.len()).then_some(texts)
    }

    fn run(&mut self, table: &DeTable<'_>, whole: bool) -> Option<RunBody> {
        const EXAMPLE: &str = "\"python train.py\"";
        let Some(value) = self.value(table, "run", "") else {
            let meant = table.keys().any(|key| nearest(key.get_ref(), ["run"]).is_some());
            if whole && !meant {
                let doc = "a script for /bin/sh, or a command as a list";
                let fault = Shape::Missing { key: "run", section: "a job file", doc, example: EXAMPLE };
                self.findings.add(&(0..0), "run", &fault);
            }
            return None;
        };
        match value {
            DeValue::String(script) => Some(RunBody::Script(script.to_string())),
            list @ DeValue::Array(_) => {
                self.texts("run", "run", list, "[\"./prog\", \"--x\"]").map(RunBody::Command)
            }
            other => {
                self.wrong_type("run", "run", "a script in quotes or a list of texts", other, EXAMPLE);
                None
            }
        }
    }

    fn env(&mut self, table: &DeTable<'_>) -> BTreeMap<String, String> {
        match self.value(table, "env", "") {
            None => BTreeMap::new(),
            Some(DeValue::Table(env)) => {
                let names = env.keys().map(|name| name.get_ref().to_string()).collect::<Vec<_>>();
                let pair = |name: String| {
                    let value = self.text(env, &name, "env.", "\"3\"")?;
                    Some((name, value))
                };
                names.into_iter().filter_map(pair).collect()
            }
            Some(other) => {
                self.wrong_type("env", "env", "a table of variables", other, "{ EPOCHS = \"3\" }");
                BTreeMap::new()
            }
        }
    }

    fn files(&mut self, table: &DeTable<'_>) -> BTreeMap<String, FileBody> {
        const EXPECTED: &str = "a table of texts by their paths";
        let files = match self.value(table, "files", "") {
            None => return BTreeMap::new(),
            Some(DeValue::Table(files)) => files,
            Some(other) => {
                self.wrong_type("files", "files", EXPECTED, other, "{ \"train.py\" = \"print(1)\" }");
                return BTreeMap::new();
            }
        };
        let mut found = BTreeMap::new();
        for path in files.keys().map(|path| path.get_ref().to_string()) {
            let field = format!("files.{path}");
            let body = match self.value(files, &path, "files.") {
                Some(DeValue::String(text)) => FileBody::Text(text.to_string()),
                Some(DeValue::Table(parts)) => self.file(parts, &field),
                Some(other) => {
                    self.wrong_type(&field, &path, "a text, or a table with `base64`", other, "\"print(1)\"");
                    continue;
                }
                None => continue,
            };
            found.insert(path, body);
        }
        found
    }

    fn file(&mut self, parts: &DeTable<'_>, field: &str) -> FileBody {
        let path = format!("{field}.");
        self.keys(parts, FILE, "a file", &path);
        let text = self.text(parts, "text", &path, "\"print(1)\"");
        let base64 = self.text(parts, "base64", &path, "\"aGk=\"");
        let executable = match self.value(parts, "executable", &path) {
            None => false,
            Some(DeValue::Boolean(executable)) => *executable,
            Some(other) => {
                self.wrong_type(
                    &format!("{path}executable"),
                    "executable",
                    "`true` or `false`",
                    other,
                    "true",
                );
                false
            }
        };
        FileBody::Parts(FileParts { text, base64, executable })
    }

    fn resources(&mut self, table: &DeTable<'_>) -> ResourcesBody {
        match self.value(table, "resources", "") {
            None => ResourcesBody::default(),
            Some(DeValue::Table(resources)) => {
                self.keys(resources, RESOURCES, "[resources]", "resources.");
                ResourcesBody {
                    accelerators: self.accelerators(resources),
                    cpus: self.whole(resources, "cpus", "resources.", "2"),
                    memory: self.text(resources, "memory", "resources.", "\"4 GiB\""),
                }
            }
            Some(other) => {
                self.wrong_type("resources", "resources", "a table", other, "{ accelerators = 1 }");
                ResourcesBody::default()
            }
        }
    }

    fn accelerators(&mut self, table: &DeTable<'_>) -> Option<AcceleratorsBody> {
        const FIELD: &str = "resources.accelerators";
        const KEY: &str = "accelerators";
        match self.value(table, KEY, "resources.")? {
            value @ DeValue::Integer(_) => Some(AcceleratorsBody::Count(integer(value))),
            DeValue::String(text) => Some(AcceleratorsBody::One(text.to_string())),
            list @ DeValue::Array(_) => {
                let texts = self.texts(FIELD, KEY, list, "[\"GB300-NVL72:8\", \"H200-HGX:16\"]");
                texts.map(AcceleratorsBody::AnyOf)
            }
            other => {
                let expected = "a whole number, a text such as \"H200-HGX:8\" or a list of such texts";
                self.wrong_type(FIELD, KEY, expected, other, "1");
                None
            }
        }
    }

    fn whole(&mut self, table: &DeTable<'_>, key: &str, path: &str, example: &str) -> Option<i64> {
        match self.value(table, key, path)? {
            value @ DeValue::Integer(_) => Some(integer(value)),
            other => {
                self.wrong_type(&format!("{path}{key}"), key, "a whole number", other, example);
                None
            }
        }
    }

    fn data(&mut self, table: &DeTable<'_>) -> Vec<String> {
        const EXAMPLE: &str = "[\"scans\"]";
        match self.value(table, "data", "") {
            None => Vec::new(),
            Some(list @ DeValue::Array(_)) => self.texts("data", "data", list, EXAMPLE).unwrap_or_default(),
            Some(other) => {
                self.wrong_type("data", "data", "a list of names of datasets", other, EXAMPLE);
                Vec::new()
            }
        }
    }

    fn numbers(&mut self, table: &DeTable<'_>, key: &str) -> Vec<i64> {
        const EXPECTED: &str = "a list of numbers of jobs";
        let list = match self.value(table, key, "") {
            None => return Vec::new(),
            Some(DeValue::Array(list)) => list,
            Some(other) => {
                self.wrong_type(key, key, EXPECTED, other, "[12, 13]");
                return Vec::new();
            }
        };
        let mut numbers = Vec::new();
        for (at, item) in list.iter().enumerate() {
            let place = format!("{key}[{at}]");
            self.places.insert(place.clone(), item.span());
            match item.get_ref() {
                value @ DeValue::Integer(_) => numbers.push(integer(value)),
                other => self.wrong_type(&place, key, EXPECTED, other, "[12, 13]"),
            }
        }
        numbers
    }

    fn deadline(&mut self, table: &DeTable<'_>) -> Option<String> {
        match self.value(table, "deadline", "")? {
            DeValue::Datetime(date) => Some(date.to_string()),
            DeValue::String(text) => Some(text.to_string()),
            other => {
                let expected = "a date, or a time from now in quotes";
                self.wrong_type("deadline", "deadline", expected, other, "\"12 h\"");
                None
            }
        }
    }
}

/// A whole number. One that does not fit is far outside every limit here, and the check says so of the largest.
fn integer(value: &DeValue<'_>) -> i64 {
    let DeValue::Integer(number) = value else { unreachable!("only whole numbers get here") };
    i64::from_str_radix(number.as_str(), number.radix()).unwrap_or(i64::MAX)
}
