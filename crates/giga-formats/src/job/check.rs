//! From what was written to a checked job: names, limits, amounts; every fault with its field and its remedy.

use std::collections::BTreeMap;
use std::path::PathBuf;

use giga_units::{Amount, Bytes, Duration};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::body::{AcceleratorsBody, JobBody, RunBody};
use super::spec::{AskSpec, JobSpec, SHELL};
use crate::description::diagnostic::Explain;

/// Longest name of a job, in characters.
pub(super) const NAME_MAX: usize = 64;
/// Longest script, and longest command with its arguments, in bytes.
const RUN_MAX: usize = 64 << 10;
/// Most arguments of a command.
const ARGUMENTS_MAX: usize = 4_096;
/// Most variables.
const ENV_MAX: usize = 256;
/// Longest value of a variable, in bytes.
const ENV_VALUE_MAX: usize = 32 << 10;
/// Longest path, in bytes.
const PATH_MAX: usize = 4_095;
/// Most ways to run.
const ASKS_MAX: usize = 16;
/// Most accelerators of one job.
const ACCELERATORS_MAX: u32 = 1_000_000;
/// Most processor cores of one job.
const CPUS_MAX: u32 = 1_000_000;
/// An assumption: long enough to try something out, short enough to be forgotten without harm.
const LIMIT: Duration = Duration::hours(1);

/// What is wrong with one field of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldFault {
    /// Path of the field, such as `resources.accelerators[1]`; empty for the whole body.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

/// What can be wrong with the meaning of a job whose form is right.
#[derive(Debug, Error)]
pub(super) enum JobFault {
    #[error("`{name}` is no name for a job")]
    Name { name: String },
    #[error("`{key}` is empty")]
    Empty { key: &'static str, example: &'static str },
    #[error("`{key}` has {found} {what}, above the {most} that fit")]
    TooLong { key: String, found: usize, what: &'static str, most: usize, instead: &'static str },
    #[error("`{key}` holds a character that no {what} can hold")]
    Forbidden { key: String, what: &'static str },
    #[error("the script begins with `{line}`, and only `/bin/sh` reads it")]
    Interpreter { line: String },
    #[error("`{path}` is not an absolute path")]
    Relative { path: String },
    #[error("`{path}` is no path of a file in the job's folder")]
    FilePath { path: String },
    #[error("`{path}` lies below `{above}`, which is a file as well")]
    FileBelow { path: String, above: String },
    #[error("`{path}` holds nothing that can be read")]
    FileForm { path: String },
    #[error("`files` stands beside `workdir`")]
    FilesElsewhere,
    #[error("`{text}` is neither the absolute path of an image nor a reference to one")]
    Image { text: String },
    #[error("{error}")]
    Amount { key: &'static str, error: giga_units::AmountError, example: &'static str },
    #[error("`{key}` is {found}, outside {least} to {most}")]
    OutOfRange { key: &'static str, found: String, least: String, most: String },
    #[error("`{name}` is no name for a variable")]
    Variable { name: String },
    #[error("`{name}` is reserved: names that begin with `GIGA_` are set by giga")]
    Reserved { name: String },
    #[error("`{text}` does not say which accelerators and how many")]
    Ask { text: String },
    #[error("`{text}` is elastic beside other ways to run")]
    ElasticBesides { text: String },
    #[error("`{text}` is no word for `leaving`")]
    Leaving { text: String },
    #[error("`{text}` is neither a date nor a time from now")]
    Deadline { text: String },
    #[error("`{name}` stands twice in `{key}`")]
    Twice { key: &'static str, name: String },
    #[error("`{found}` is no number of a job")]
    NoJob { found: i64 },
    #[error("`index` is given without `array`")]
    IndexAlone,
}

impl Explain for JobFault {
    fn help(&self) -> String {
        match self {
            Self::Name { .. } => {
                format!("write 1 to {NAME_MAX} letters, digits, `.`, `_` or `-`, beginning with a letter or digit")
            }
            Self::Empty { key, example } => format!("write for example `{key} = {example}`"),
            Self::TooLong { instead, .. } => (*instead).to_owned(),
            Self::Forbidden { .. } => "take the zero byte or other control character out".to_owned(),
            Self::Interpreter { .. } => {
                "write a command as a list, such as `run = [\"python3\", \"train.py\"]`, or drop the line".to_owned()
            }
            Self::Relative { .. } => {
                "write it from the root on, such as `/data/here`, or drop `workdir` for a folder of the job's own".to_owned()
            }
            Self::FilePath { .. } => {
                "write it from that folder on, such as `conf/a.toml`, without `.`, `..` and double `/`".to_owned()
            }
            Self::FileBelow { .. } => "give one of them another name".to_owned(),
            Self::FileForm { .. } => {
                "write a text, or one of `text` and `base64` as in `{ base64 = \"aGk=\", executable = true }`".to_owned()
            }
            Self::FilesElsewhere => {
                "drop `workdir`, so that they go into a folder of the job's own; or drop them".to_owned()
            }
            Self::Image { .. } => {
                "write a path such as `/images/torch.sif`, or a reference such as `docker://debian:12`".to_owned()
            }
            Self::Amount { key, example, .. } => format!("write for example `{key} = {example}`"),
            Self::OutOfRange { least, most, .. } => format!("write a value from {least} to {most}"),
            Self::Variable { .. } => "write letters, digits and `_`, not beginning with a digit".to_owned(),
            Self::Reserved { .. } => "give the variable another name".to_owned(),
            Self::Leaving { .. } => "write one of `nothing`, `aggregated`, `derived`, `everything`".to_owned(),
            Self::Deadline { .. } => {
                "write a date such as `2027-03-01T08:00Z` up to the year 2200, or a time such as `12 h` up to `10 y`"
                    .to_owned()
            }
            Self::Twice { .. } => "drop one of them".to_owned(),
            Self::NoJob { .. } => "write numbers as `giga jobs` shows them".to_owned(),
            Self::IndexAlone => "write for example `array = 10`, or drop `index`".to_owned(),
            Self::Ask { .. } => format!(
                "write a number such as `8`, a kind and a number such as `H200-HGX:8`, or the least and the most such as \
                 `H200-HGX:8-32`, from 1 to {ACCELERATORS_MAX}"
            ),
            Self::ElasticBesides { .. } => "write one way from the least to the most, or a list of fixed numbers".to_owned(),
        }
    }
}

impl JobBody {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once, in the order of the fields.
    pub fn check(&self) -> Result<JobSpec, Vec<FieldFault>> {
        let mut faults = Faults(Vec::new());
        let command = faults.command(&self.run);
        let spec = JobSpec {
            name: faults.name(self),
            project: faults.project(self.project.as_deref()),
            command,
            env: faults.env(&self.env),
            files: faults.files(self),
            workdir: faults.workdir(self.workdir.as_deref()),
            container: faults.container(self.container.as_deref()),
            limit: faults.amount("limit", "limit", self.limit.as_deref(), &SPAN, "\"2 h\"").unwrap_or(LIMIT),
            checkpoint: faults.amount(
                "checkpoint",
                "checkpoint",
                self.checkpoint.as_deref(),
                &SPAN,
                "\"30 min\"",
            ),
            data: faults.data(&self.data),
            leaving: faults.leaving(self.leaving.as_deref()),
            assurance: faults.assurance(self.assurance),
            deadline: faults.deadline(self.deadline.as_deref()),
            after: faults.after(&self.after, &self.after_any),
            array: faults.array(self),
            asks: faults.asks(self.resources.accelerators.as_ref()),
            cpus: faults.cpus(self.resources.cpus),
            memory: faults.amount(
                "resources.memory",
                "memory",
                self.resources.memory.as_deref(),
                &MEMORY,
                "\"4 GiB\"",
            ),
        };
        if faults.0.is_empty() { Ok(spec) } else { Err(faults.0) }
    }
}

/// The least and the most of an amount.
type Limits<A> = (A, A);
const SPAN: Limits<Duration> = (Duration::seconds(1), Duration::days(365));
const MEMORY: Limits<Bytes> = (Bytes::mebibytes(1), Bytes::mebibytes(1 << 30));

/// The faults so far; each check gives the value, or something in its place where it is faulty.
pub(super) struct Faults(Vec<FieldFault>);

impl Faults {
    pub(super) fn add(&mut self, field: impl Into<String>, fault: &JobFault) {
        let (message, help) = (fault.to_string(), fault.help());
        self.0.push(FieldFault { field: field.into(), message, help });
    }

    fn name(&mut self, body: &JobBody) -> String {
        let Some(name) = &body.name else { return default_name(&body.run) };
        let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !begins || name.len() > NAME_MAX || !name.chars().all(is_name) {
            self.add("name", &JobFault::Name { name: shown(name) });
        }
        name.clone()
    }

    fn project(&mut self, project: Option<&str>) -> Option<String> {
        let project = project?;
        if project.trim().is_empty() {
            self.add("project", &JobFault::Empty { key: "project", example: "\"demo\"" });
        }
        self.text("project", "project", project, 200, "name");
        Some(project.to_owned())
    }

    /// Says where a text is too long or holds a control character.
    pub(super) fn text(&mut self, field: &str, key: &str, text: &str, most: usize, what: &'static str) {
        let key = key.to_owned();
        if text.len() > most {
            let instead = "write a shorter text";
            let fault = JobFault::TooLong { key, found: text.len(), what: "bytes", most, instead };
            self.add(field, &fault);
        } else if text.chars().any(char::is_control) {
            self.add(field, &JobFault::Forbidden { key, what });
        }
    }

    fn command(&mut self, run: &RunBody) -> Vec<String> {
        match run {
            RunBody::Script(script) => {
                self.script(script);
                SHELL.iter().map(|word| (*word).to_owned()).chain([script.clone()]).collect()
            }
            RunBody::Command(command) => {
                self.arguments(command);
                command.clone()
            }
        }
    }

    fn script(&mut self, script: &str) {
        if script.trim().is_empty() {
            self.add("run", &JobFault::Empty { key: "run", example: "\"python train.py\"" });
        }
        self.length(script.len());
        if script.contains('\0') {
            self.add("run", &JobFault::Forbidden { key: "run".to_owned(), what: "script" });
        }
        let first = script.trim_start().lines().next().unwrap_or("");
        if first.starts_with("#!") && first.trim_end() != "#!/bin/sh" {
            self.add("run", &JobFault::Interpreter { line: shown(first) });
        }
    }

    fn length(&mut self, found: usize) {
        if found > RUN_MAX {
            let instead = "put it in a file and run that file";
            let key = "run".to_owned();
            self.add("run", &JobFault::TooLong { key, found, what: "bytes", most: RUN_MAX, instead });
        }
    }

    fn arguments(&mut self, command: &[String]) {
        if command.first().is_none_or(|program| program.trim().is_empty()) {
            self.add("run", &JobFault::Empty { key: "run", example: "[\"./prog\", \"--x\"]" });
        }
        if command.len() > ARGUMENTS_MAX {
            let (key, instead) = ("run".to_owned(), "put them in a file that the program reads");
            let (found, most) = (command.len(), ARGUMENTS_MAX);
            self.add("run", &JobFault::TooLong { key, found, what: "arguments", most, instead });
        }
        self.length(command.iter().map(|word| word.len() + 1).sum());
        if let Some(at) = command.iter().position(|word| word.contains('\0')) {
            let key = format!("run[{at}]");
            self.add(key.clone(), &JobFault::Forbidden { key, what: "argument" });
        }
    }

    fn env(&mut self, env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        if env.len() > ENV_MAX {
            let (key, instead) = ("env".to_owned(), "put them in a file that the program reads");
            let (found, most) = (env.len(), ENV_MAX);
            self.add("env", &JobFault::TooLong { key, found, what: "variables", most, instead });
            return env.clone();
        }
        for (name, value) in env {
            let field = format!("env.{name}");
            let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !begins || !plain || name.len() > 200 {
                self.add(&field, &JobFault::Variable { name: shown(name) });
            } else if name.starts_with("GIGA_") {
                self.add(&field, &JobFault::Reserved { name: name.clone() });
            }
            if value.len() > ENV_VALUE_MAX {
                let (key, instead) = (shown(name), "put it in a file that the program reads");
                let (found, most) = (value.len(), ENV_VALUE_MAX);
                self.add(&field, &JobFault::TooLong { key, found, what: "bytes", most, instead });
            } else if value.contains('\0') {
                self.add(&field, &JobFault::Forbidden { key: shown(name), what: "variable" });
            }
        }
        env.clone()
    }

    fn workdir(&mut self, path: Option<&str>) -> Option<PathBuf> {
        let path = path?;
        if !path.starts_with('/') {
            self.add("workdir", &JobFault::Relative { path: shown(path) });
        }
        self.text("workdir", "workdir", path, PATH_MAX, "path");
        Some(PathBuf::from(path))
    }

    fn container(&mut self, image: Option<&str>) -> Option<String> {
        let image = image?;
        let reference = |(scheme, rest): (&str, &str)| {
            let word = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
            word && scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && !rest.trim().is_empty()
        };
        if image.trim().is_empty() {
            self.add("container", &JobFault::Empty { key: "container", example: "\"/images/torch.sif\"" });
        } else if !image.starts_with('/') && !image.split_once("://").is_some_and(reference) {
            self.add("container", &JobFault::Image { text: shown(image) });
        }
        self.text("container", "container", image, PATH_MAX, "image");
        Some(image.to_owned())
    }

    fn amount<A: Amount + PartialOrd>(
        &mut self,
        field: &str,
        key: &'static str,
        text: Option<&str>,
        (least, most): &Limits<A>,
        example: &'static str,
    ) -> Option<A> {
        let text = text?;
        match A::parse(text) {
            Err(error) => self.add(field, &JobFault::Amount { key, error, example }),
            Ok(amount) if amount < *least || amount > *most => {
                let [found, least, most] = [text.to_owned(), least.written(), most.written()];
                let [found, least, most] = [found, least, most].map(|text| format!("`{text}`"));
                self.add(field, &JobFault::OutOfRange { key, found, least, most });
            }
            Ok(amount) => return Some(amount),
        }
        None
    }

    fn cpus(&mut self, cpus: Option<i64>) -> Option<u32> {
        let cpus = cpus?;
        let count = u32::try_from(cpus).ok().filter(|count| (1..=CPUS_MAX).contains(count));
        if count.is_none() {
            let (least, most) = ("1".to_owned(), CPUS_MAX.to_string());
            let fault = JobFault::OutOfRange { key: "cpus", found: cpus.to_string(), least, most };
            self.add("resources.cpus", &fault);
        }
        count
    }

    fn asks(&mut self, accelerators: Option<&AcceleratorsBody>) -> Vec<AskSpec> {
        const FIELD: &str = "resources.accelerators";
        let texts = match accelerators {
            None => return vec![AskSpec { accelerator: None, accelerators: 1, least: None }],
            Some(AcceleratorsBody::Count(count)) => vec![(FIELD.to_owned(), count.to_string())],
            Some(AcceleratorsBody::One(text)) => vec![(FIELD.to_owned(), text.clone())],
            Some(AcceleratorsBody::AnyOf(texts)) => {
                let place = |(at, text): (usize, &String)| (format!("{FIELD}[{at}]"), text.clone());
                texts.iter().enumerate().map(place).collect()
            }
        };
        if texts.is_empty() {
            self.add(FIELD, &JobFault::Empty { key: "accelerators", example: "1" });
        }
        if texts.len() > ASKS_MAX {
            let (key, instead) = ("accelerators".to_owned(), "keep the ways that matter most");
            let (found, most) = (texts.len(), ASKS_MAX);
            self.add(FIELD, &JobFault::TooLong { key, found, what: "entries", most, instead });
            return Vec::new();
        }
        let several = texts.len() > 1;
        let ask = |(field, text): (String, String)| {
            let ask = ask(&text);
            if ask.is_none() {
                self.add(field, &JobFault::Ask { text: shown(&text) });
            } else if several && ask.as_ref().is_some_and(|ask| ask.least.is_some()) {
                self.add(field, &JobFault::ElasticBesides { text: shown(&text) });
            }
            ask
        };
        texts.into_iter().filter_map(ask).collect()
    }
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-')
}

/// Reads `8`, `H200-HGX`, `H200-HGX:8` or `H200-HGX:8-32`.
fn ask(text: &str) -> Option<AskSpec> {
    let text = text.trim();
    let (name, count) = match text.rsplit_once(':') {
        Some((name, count)) => (Some(name.trim()), count.trim()),
        None if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => (None, text),
        None => (Some(text), "1"),
    };
    let number = |text: &str| text.trim().parse().ok().filter(|count| (1..=ACCELERATORS_MAX).contains(count));
    let (least, accelerators) = match count.split_once('-') {
        Some((least, most)) => (Some(number(least)?), number(most)?),
        None => (None, number(count)?),
    };
    if least.is_some_and(|least| least > accelerators) {
        return None;
    }
    let sound = |name: &str| !name.is_empty() && name.len() <= 200 && !name.chars().any(char::is_control);
    if name.is_some_and(|name| !sound(name)) {
        return None;
    }
    let least = least.filter(|&least| least < accelerators);
    Some(AskSpec { accelerator: name.map(str::to_owned), accelerators, least })
}

/// The first word of what is run, without its folders, as a name.
fn default_name(run: &RunBody) -> String {
    let words = match run {
        RunBody::Script(script) => script.as_str(),
        RunBody::Command(command) => command.first().map_or("", String::as_str),
    };
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let word = lines.flat_map(str::split_whitespace).next().unwrap_or("");
    name_like(word.rsplit('/').next().unwrap_or(word))
}

/// The nearest to a text that is a name: what a file without a `name` is called after its stem.
pub(super) fn name_like(text: &str) -> String {
    let name: String = text.chars().map(|c| if is_name(c) { c } else { '-' }).take(NAME_MAX).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).trim_end_matches('-');
    if name.is_empty() { "job".to_owned() } else { name.to_owned() }
}

/// A text for a message: its beginning, without control characters.
pub(super) fn shown(text: &str) -> String {
    let begin: String = text.chars().take(60).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().count() > 60 { format!("{begin}…") } else { begin }
}
