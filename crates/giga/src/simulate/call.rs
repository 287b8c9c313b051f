//! From a call, or from a saved run, to what a simulation begins with.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use giga_control::energy::Works;
use giga_formats::description::{self, Description};
use giga_formats::saved;
use giga_model::{Arrivals, Federation};
use giga_twin::Twin;
use giga_units::{Duration, Fraction, Instant};

use super::Simulate;
use super::output::{Rest, SAVED};
use crate::beside;

/// What a run is made of.
#[derive(Clone)]
pub(super) struct Outset {
    pub(super) federation_file: String,
    pub(super) federation_text: String,
    /// What was made of it, a sentence each.
    pub(super) notes: Vec<String>,
    pub(super) federation: Arc<Federation>,
    /// By site, what stands there beside its nodes.
    pub(super) works: Vec<Works>,
    /// The shocks that happen in it, by name.
    pub(super) shocks: Vec<String>,
    pub(super) work_file: Option<PathBuf>,
    pub(super) work_format: Option<String>,
    pub(super) strict: bool,
    pub(super) load: Option<Fraction>,
    pub(super) seed: u64,
    pub(super) start: Instant,
    pub(super) end: Instant,
    pub(super) out: Option<PathBuf>,
}

/// Why a run does not begin.
pub(super) enum Refused {
    /// The input or the call is wrong; the text says what and how to mend it, line by line.
    Input(String),
    /// Something else failed.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Refused {
    pub(super) fn input(message: impl std::fmt::Display) -> Self {
        Self::Input(format!("giga: {message}\n"))
    }
}

pub(super) fn begin(call: &Simulate) -> Result<Outset, Refused> {
    let path = call.federation.as_deref().unwrap_or(Path::new("federation.toml"));
    let text = std::fs::read_to_string(path)
        .map_err(|error| Refused::input(format_args!("`{}` can not be read: {error}", path.display())))?;
    let file = path.display().to_string();
    let shocks: Vec<&str> = call.shocks.iter().map(String::as_str).collect();
    let read = beside::read(path, &text, &shocks).map_err(|faults| Refused::Input(faults.to_string()))?;
    for note in &read.notes {
        writeln!(std::io::stderr(), "giga: {note}")?;
    }
    // What further files and the call gave is in the expanded form, so that a saved run needs neither.
    let text = description::expand(&read);
    let Described { federation, works, shocks, notes } = Described::of(read, call.load);
    if call.workload.is_none() && federation.workload.is_none() {
        let message =
            "there is no work: add a [workload] table to the description, or name a trace with `--workload`";
        return Err(Refused::input(message));
    }
    keep_saved(call.out.as_deref())?;
    let seed = call.seed.or(federation.workload.as_ref().map(|work| work.seed)).unwrap_or(1);
    let start = call.from.unwrap_or(federation.start);
    let default =
        if call.workload.is_some() || is_finite(&federation) { None } else { Some(Duration::days(365)) };
    let end = call.length.or(default).map_or(Instant::FAR, |length| start + length);
    if end <= start {
        return Err(Refused::input("`--for` is no time at all; give something like `30d`"));
    }
    let last = Instant::parse("9999-01-01").expect("a date");
    if start >= last || (end >= last && end != Instant::FAR) {
        return Err(Refused::input("the run would go beyond the year 9998; begin earlier or run for less"));
    }
    if call.stop_at.is_some_and(|at| at <= start) {
        return Err(Refused::input(format_args!("`--stop-at` is not after the start, {start}")));
    }
    Ok(Outset {
        federation_file: file,
        federation_text: text,
        notes,
        federation,
        works,
        shocks,
        work_file: call.workload.clone(),
        work_format: call.format.clone(),
        strict: call.strict,
        load: call.load,
        seed,
        start,
        end,
        out: call.out.clone(),
    })
}

/// Refuses to write over a run that was saved.
pub(super) fn keep_saved(out: Option<&Path>) -> Result<(), Refused> {
    let Some(folder) = out.filter(|folder| folder.join(SAVED).exists()) else { return Ok(()) };
    Err(Refused::input(format_args!(
        "`{0}` holds a saved run; go on with it by `--resume {0}`, name another folder, or remove its `{SAVED}`",
        folder.display()
    )))
}

/// A federation as a run takes it.
pub(super) struct Described {
    pub(super) federation: Arc<Federation>,
    pub(super) works: Vec<Works>,
    pub(super) shocks: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl Described {
    fn of(description: Description, load: Option<Fraction>) -> Self {
        let Description { mut federation, works, shocks, notes, .. } = description;
        if let (Some(load), Some(workload)) = (load, &mut federation.workload) {
            workload.load = load;
        }
        Self { federation: Arc::new(federation), works, shocks, notes }
    }
}

/// Reads a description that was kept in its expanded form.
pub(super) fn kept(file: &str, text: &str, load: Option<Fraction>) -> Result<Described, Refused> {
    let description = description::read(file, text).map_err(|faults| Refused::Input(faults.to_string()))?;
    Ok(Described::of(description, load))
}

/// Whether the generated work ends by itself.
fn is_finite(federation: &Federation) -> bool {
    let classes = federation.workload.iter().flat_map(|work| &work.classes);
    classes.into_iter().all(|class| matches!(class.arrivals, Arrivals::Regular { .. }))
}

/// What a saved run goes on with.
pub(super) fn resume(folder: &Path) -> Result<(Outset, Twin, Option<Rest>), Refused> {
    let path = folder.join(SAVED);
    let bytes = std::fs::read(&path).map_err(|error| {
        let folder = folder.display();
        Refused::input(match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!("`{folder}` holds no saved run; its run is over, or it never had one")
            }
            _ => format!("`{}` can not be read: {error}", path.display()),
        })
    })?;
    let saved = saved::read(&bytes, env!("CARGO_PKG_VERSION"))
        .map_err(|error| Refused::input(format_args!("`{}`: {error}", path.display())))?;
    let Described { federation, works, shocks, .. } =
        kept(&saved.federation_file, &saved.federation_text, saved.load)?;
    let twin = Twin::read_image(Arc::clone(&federation), &saved.run)
        .with_context(|| format!("`{}`", path.display()))?;
    let outset = Outset {
        federation_file: saved.federation_file,
        federation_text: saved.federation_text,
        notes: saved.notes,
        federation,
        works,
        shocks,
        work_file: saved.work_file.map(PathBuf::from),
        work_format: saved.work_format,
        strict: saved.strict,
        load: saved.load,
        seed: saved.seed,
        start: saved.start,
        end: twin.end(),
        out: Some(folder.to_owned()),
    };
    Ok((outset, twin, Some(Rest { work_had: saved.work_had, jobs: saved.jobs, hours: saved.hours })))
}
