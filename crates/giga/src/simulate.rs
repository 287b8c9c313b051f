//! `giga simulate`: runs a description in the twin, shows one screen and leaves the tables behind.
//!
//! It opens files, runs the twin in slices of simulated time, hands the rows to a writer on a thread of its own, and
//! stops in good order when it is interrupted. It decides nothing about work.

mod again;
mod ahead;
mod call;
#[cfg(feature = "live")]
mod journal;
mod linted;
mod output;
mod page;
mod work;
mod worth;

use std::io::{IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use clap::Args;
use giga_control::Summary;
use giga_formats::saved::{self, Saved};
use giga_formats::summary::{self, RunFacts};
use giga_model::JobId;
use giga_study::partitioned;
use giga_twin::Twin;
use giga_units::{Amount as _, Duration, Fraction, Instant};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub(crate) use output::SAVED;

use call::{Outset, Refused};
use linted::Linted;
use output::{Output, Rest, Rows};
use work::Work;

/// What `giga simulate` was asked.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The description of the federation.
    #[arg(required_unless_present_any = ["resume", "journal"])]
    federation: Option<PathBuf>,
    /// Work to run instead of the generated: a trace or our own table, in one of the formats below.
    #[arg(long, value_name = "FILE")]
    workload: Option<PathBuf>,
    /// The format of the work, where its name and first bytes do not tell: swf, sacct, philly, hours, llm, csv,
    /// parquet.
    #[arg(long, value_name = "NAME", requires = "workload")]
    format: Option<String>,
    /// Refuse the work at its first faulty row.
    #[arg(long, requires = "workload")]
    strict: bool,
    /// When to begin; the description's `start` unless given.
    #[arg(long, value_name = "DATE", value_parser = instant)]
    from: Option<Instant>,
    /// For how long: `30d`, `1y`. One year of generated work, or until all other work is done, unless given.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    length: Option<Duration>,
    /// The seed of all chance; the description's unless given.
    #[arg(long)]
    seed: Option<u64>,
    /// Offered load in percent, instead of the description's.
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "workload")]
    load: Option<Fraction>,
    /// A shock of the description that happens, by name; may be given several times.
    #[arg(long = "shock", value_name = "NAME")]
    shocks: Vec<String>,
    /// Run the same work also with a fixed partition of every site for each owner, and show the difference per owner.
    #[arg(long, conflicts_with_all = ["resume", "journal", "stop_at", "json"])]
    beside_partition: bool,
    /// Run it also in pairs with so much more and less power at a site and the same chance, and say what a megawatt more is worth:
    /// `SITE`, or `SITE=POWER`; 1 MW unless given.
    #[arg(long, value_name = "SITE", value_parser = worth::asked, conflicts_with_all = ["resume", "journal", "stop_at", "json"])]
    worth: Option<worth::Asked>,
    /// How many such pairs, each with the next seed.
    #[arg(long, value_name = "N", default_value_t = 5, requires = "worth", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pairs: u16,
    /// A folder for `report.html`, `summary.json`, `jobs.parquet` and `hours.parquet`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Stop at this date and save the run in the folder of `--out`.
    #[arg(long, value_name = "DATE", value_parser = instant, requires = "out")]
    stop_at: Option<Instant>,
    /// Go on with the run that was saved in this folder.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["federation", "workload", "from", "length", "seed", "load", "shocks", "out", "strict"])]
    resume: Option<PathBuf>,
    /// Live through the journal of a live federation again, from the folder that `giga up --data` was given, or the
    /// database that `giga up --store` was: it has to be decided as it was. Also while the server runs.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["federation", "workload", "format", "strict", "from", "length", "seed", "load", "shocks", "stop_at", "resume", "explain"])]
    journal: Option<PathBuf>,
    /// Tell the story of one job by its number, counted from 0 in the order of arrival: why it waited, when it ran.
    #[arg(long, value_name = "JOB", conflicts_with = "json")]
    explain: Option<u64>,
    /// Print `summary.json` instead of the screen.
    #[arg(long)]
    json: bool,
}

fn instant(text: &str) -> Result<Instant, String> {
    Instant::parse(text).ok_or_else(|| "write a date such as 2027-01-01 or 2027-01-01T06:00".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    Duration::parse(text).map_err(|error| error.to_string())
}

fn percent(text: &str) -> Result<Fraction, String> {
    let text = if text.ends_with('%') { text.to_owned() } else { format!("{text} %") };
    Fraction::parse(&text).map_err(|error| error.to_string())
}

/// How much simulated time passes between two looks at the clock and at the keyboard.
const SLICE: Duration = Duration::days(1);

/// Runs it, and says how it ended.
pub(crate) fn run(call: &Simulate) -> anyhow::Result<ExitCode> {
    if let Some(folder) = &call.journal {
        return journal(call, folder);
    }
    match prepare(call) {
        Ok((outset, twin, rest)) => simulate(call, &outset, twin, rest),
        Err(refused) => say(refused),
    }
}

#[cfg(feature = "live")]
fn journal(call: &Simulate, folder: &Path) -> anyhow::Result<ExitCode> {
    journal::run(call, folder)
}

#[cfg(not(feature = "live"))]
fn journal(_: &Simulate, _: &Path) -> anyhow::Result<ExitCode> {
    say(Refused::input("`--journal` needs a build with the feature `live`: this one has no journal"))
}

/// Wrong input ends with 2, anything else with 1.
fn say(refused: Refused) -> anyhow::Result<ExitCode> {
    match refused {
        Refused::Input(message) => {
            write!(std::io::stderr(), "{message}")?;
            Ok(ExitCode::from(2))
        }
        Refused::Failed(error) => Err(error),
    }
}

fn prepare(call: &Simulate) -> Result<(Outset, Twin, Option<Rest>), Refused> {
    match &call.resume {
        Some(folder) => call::resume(folder),
        None => {
            let outset = call::begin(call)?;
            if let Some(asked) = &call.worth {
                worth::find(asked, &outset.federation)?;
            }
            let federation = Arc::clone(&outset.federation);
            let twin = Twin::new(federation, outset.seed, outset.start, outset.end);
            Ok((outset, twin, None))
        }
    }
}

fn simulate(
    call: &Simulate,
    outset: &Outset,
    mut twin: Twin,
    rest: Option<Rest>,
) -> anyhow::Result<ExitCode> {
    let mut work = match Work::open(outset) {
        Ok(work) => work,
        Err(refused) => return say(refused),
    };
    if let Some(rest) = &rest {
        match work.pass_over(twin.taken(), rest.work_had) {
            Ok(()) => {}
            Err(refused) => return say(refused),
        }
    }
    let mut output = Output::open(outset, rest)?;
    let stopped = stop_flag()?;
    let bar = progress(outset);
    if let Some(job) = call.explain {
        twin.follow(JobId(job));
    }
    let ended = drive(call, &mut twin, &mut work, &mut output, &bar, &stopped);
    bar.finish_and_clear();
    if let Err(error) = ended {
        return work::explain_failure(&error, &work);
    }
    let story = twin.story().to_vec();
    let done = twin.control().now() >= outset.end || (outset.end == Instant::FAR && twin.is_idle());
    if !done && (stopped.load(Ordering::Relaxed) || call.stop_at.is_some_and(|at| at < outset.end)) {
        return save(outset, &twin, &work, output);
    }
    if let Err(refused) = work.is_any() {
        return say(refused);
    }
    let given_up = twin.end() != outset.end;
    let offered = twin.offered();
    let summary = twin.finish(&mut output)?;
    let facts = RunFacts {
        seed: Some(outset.seed),
        work: work.words(),
        offered: Some(offered),
        shocks: outset.shocks.clone(),
        notes: outset.notes.clone(),
        energy: output.energy(&outset.federation, summary.end),
    };
    let json = summary::write(&outset.federation, &summary, &facts);
    output.finish(&json, &outset.federation, &summary, &facts)?;
    show(call, outset, &summary, &facts, &json, &work.notes(&outset.federation))?;
    if given_up {
        let (running, waiting) = (summary.running, summary.waiting);
        eprintln!(
            "giga: no job came or ended for a year, with {running} running and {waiting} waiting: the run was ended; \
             failures may undo work that saves no progress (`--for` sets an end)"
        );
    }
    if let Err(refused) = beside(call, outset, &summary) {
        return say(refused);
    }
    for line in giga_report::story(&outset.federation, &story) {
        writeln!(std::io::stdout(), "{line}")?;
    }
    if let Some(job) = call.explain.filter(|_| story.is_empty()) {
        writeln!(std::io::stdout(), "there is nothing to tell of job {job}; {} came", summary.submitted)?;
    }
    Ok(ExitCode::from(u8::from(summary.violations > 0)))
}

/// What else was asked about the same work: fixed partitions, a megawatt more.
fn beside(call: &Simulate, outset: &Outset, summary: &Summary) -> Result<(), Refused> {
    let federation = &outset.federation;
    if call.beside_partition {
        let fixed = again::run(call, outset, partitioned(federation), outset.seed)?;
        write!(std::io::stdout(), "{}", giga_report::beside_partition(federation, summary, &fixed))?;
    }
    if let Some(asked) = &call.worth {
        let worth = worth::run(call, outset, asked)?;
        write!(std::io::stdout(), "{}", giga_report::worth(asked.site(), summary, &worth))?;
    }
    Ok(())
}

/// Lets time pass until the end, the wanted stop or an interruption, while another thread checks what is decided.
fn drive(
    call: &Simulate,
    twin: &mut Twin,
    work: &mut Work,
    rows: &mut impl Rows,
    bar: &ProgressBar,
    stopped: &AtomicBool,
) -> Result<(), work::Failure> {
    let linter = twin.part_with_linter().expect("the linter is at hand between two runs");
    let mut rows = Linted::new(rows, Arc::clone(twin.control().federation()), linter);
    let last = call.stop_at.unwrap_or(Instant::FAR).min(twin.end());
    let begun = twin.control().now();
    let mut until = begun;
    let mut ended = Ok(());
    while ended.is_ok() && until < last && !stopped.load(Ordering::Relaxed) {
        until = (until + SLICE).min(last);
        ended = twin.run(work, &mut rows, until);
        if until >= twin.end() || (twin.end() == Instant::FAR && twin.is_idle()) {
            break;
        }
        // Nothing happens for a long while: go on where something does.
        until = until.max(twin.control().now());
        bar.set_position(u64::try_from(until.since(begun).as_milliseconds() / 3_600_000).unwrap_or(0));
        bar.set_message(format!("{} jobs", twin.control().state().next_job()));
    }
    twin.put_linter(rows.join());
    ended
}

/// A flag that an interrupt from the keyboard raises.
fn stop_flag() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        // A second interrupt ends the program at once.
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .context("the interrupt key can not be watched")?;
    Ok(flag)
}

fn progress(outset: &Outset) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = match outset.end {
        Instant::FAR => ProgressBar::new_spinner(),
        end => ProgressBar::new(
            u64::try_from(end.since(outset.start).as_milliseconds() / 3_600_000).unwrap_or(1),
        ),
    };
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed}  {msg}");
    bar.set_style(style.expect("the template is well formed"));
    bar
}

/// Saves a run that is not over.
fn save(outset: &Outset, twin: &Twin, work: &Work, output: Output) -> anyhow::Result<ExitCode> {
    let mut run = Vec::new();
    twin.write_image(&mut run);
    let Some((folder, jobs, hours)) = output.save()? else {
        eprintln!("giga: stopped at {}; nothing is kept without `--out`", twin.control().now());
        return Ok(ExitCode::from(1));
    };
    let saved = Saved {
        federation_file: outset.federation_file.clone(),
        federation_text: outset.federation_text.clone(),
        notes: outset.notes.clone(),
        work_file: outset.work_file.as_ref().map(|path| path.display().to_string()),
        work_had: work.fingerprint(),
        work_format: outset.work_format.clone(),
        strict: outset.strict,
        load: outset.load,
        seed: outset.seed,
        start: outset.start,
        jobs,
        hours,
        run,
    };
    let path = folder.join(SAVED);
    let part = path.with_extension("part");
    std::fs::write(&part, saved::write(&saved, env!("CARGO_PKG_VERSION")))
        .and_then(|()| std::fs::rename(&part, &path))
        .with_context(|| format!("`{}` can not be written", path.display()))?;
    output::drop_old(&folder)?;
    let folder = folder.display();
    eprintln!("giga: stopped at {}; go on with: giga simulate --resume {folder}", twin.control().now());
    Ok(ExitCode::SUCCESS)
}

fn show(
    call: &Simulate,
    outset: &Outset,
    summary: &Summary,
    facts: &RunFacts,
    json: &str,
    notes: &[String],
) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if call.json {
        write!(out, "{json}")?;
        return Ok(());
    }
    write!(out, "{}", giga_report::screen(&outset.federation, summary, facts))?;
    if !facts.shocks.is_empty() {
        writeln!(out, "shocks that happened: {}", facts.shocks.join(", "))?;
    }
    for line in notes {
        writeln!(out, "{line}")?;
    }
    if let Some(folder) = &outset.out {
        writeln!(
            out,
            "report.html, summary.json, jobs.parquet and hours.parquet are in {}",
            folder.display()
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use giga_formats::work::WorkFormat;

    #[test]
    fn the_help_names_every_format_of_work() {
        let command = Simulate::augment_args(clap::Command::new("simulate"));
        let format = command.get_arguments().find(|argument| argument.get_id() == "format").unwrap();
        let help = format.get_help().unwrap().to_string();
        let refusal = "no such".parse::<WorkFormat>().unwrap_err().to_string();
        let (_, words) = refusal.split_once("one of: ").unwrap();
        assert!(help.contains(words), "`{help}` should name {words}");
    }
}
