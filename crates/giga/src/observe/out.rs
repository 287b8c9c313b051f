//! What is left behind: a description, a trace and the figures, and the calls that go on with them.

use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use giga_formats::observe::{self as formats, Observation};
use giga_formats::work;
use giga_study::observe as study;

use super::{Refused, Told};

const DESCRIPTION: &str = "federation.toml";
const TRACE: &str = "trace.csv";
const FIGURES: &str = "figures.json";

/// Refuses to write over a description, in which somebody may have put what Slurm does not know.
pub(super) fn keep(folder: &Path, replace: bool) -> Result<(), Refused> {
    let path = folder.join(DESCRIPTION);
    if replace || !path.exists() {
        return Ok(());
    }
    Err(Refused::Input(format!("`{}` is there; name another folder, or say `--replace`", path.display())))
}

/// Writes the files and says what to call next.
pub(super) fn write(
    folder: &Path,
    told: &Told,
    seen: &Observation,
    say: &mut impl Write,
) -> anyhow::Result<()> {
    let federation = &told.description.federation;
    let put = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("`{}` can not be written", path.display()))
    };
    std::fs::create_dir_all(folder).with_context(|| format!("`{}` can not be made", folder.display()))?;
    put(DESCRIPTION, &told.text)?;
    put(FIGURES, &formats::json(&told.figures))?;
    let shown = folder.display();
    let trace = study::trace(seen, federation);
    if trace.arrivals.is_empty() {
        writeln!(say, "\n{DESCRIPTION} and {FIGURES} are in {shown}; no run is known, so there is no trace")?;
        return Ok(());
    }
    let projects: Vec<String> = federation.projects.iter().map(|project| project.name.clone()).collect();
    let kinds: Vec<String> = federation.accelerators.iter().map(|kind| kind.name.clone()).collect();
    let mut table = work::create(&folder.join(TRACE), &projects, &kinds)?;
    trace.arrivals.iter().try_for_each(|arrival| table.write(arrival))?;
    table.finish()?;
    let (runs, hours) = (trace.arrivals.len(), trace.time.as_hours_f64());
    writeln!(
        say,
        "\n{DESCRIPTION}, {TRACE} ({runs} runs, {hours:.2} accelerator-hours) and {FIGURES} are in {shown}"
    )?;
    let counts = [
        (trace.cut, "had begun before the span and come at its beginning with what was left of them"),
        (trace.running, "go on, and end in the trace where Slurm was asked"),
        (trace.too_large, "held more accelerators than there are now, and will be refused"),
    ];
    for (count, what) in counts.iter().filter(|(count, _)| *count > 0) {
        writeln!(say, "  {count} of them {what}")?;
    }
    writeln!(
        say,
        "what if? (put what Slurm does not know into {DESCRIPTION} first, where it says `assumption`)"
    )?;
    writeln!(say, "  giga check {shown}/{DESCRIPTION}")?;
    let simulate = format!("giga simulate {shown}/{DESCRIPTION} --workload {shown}/{TRACE}");
    writeln!(say, "  {simulate} --out {shown}/as-it-was")?;
    writeln!(say, "  {simulate} --beside-partition")?;
    Ok(())
}
