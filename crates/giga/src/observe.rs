//! `giga observe`: looks at a Slurm cluster and changes nothing there. It asks `sinfo`, `squeue` and `sacct`, or reads what they
//! printed, shows one screen, and leaves a description with a trace for the twin.

mod ask;
mod out;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use giga_formats::description;
use giga_formats::observe::{self as formats, Figures, Observation, Zone};
use giga_study::observe as study;
use giga_units::{Amount as _, CarbonIntensity, Duration, EnergyPrice, Instant};

/// What `giga observe` was asked.
#[derive(Debug, Args)]
pub(crate) struct Observe {
    /// The slurm.conf that chooses the cluster; that of this machine unless given.
    #[arg(long, value_name = "FILE")]
    conf: Option<PathBuf>,
    /// How far back the accounting is asked: `30d`, `1y`.
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = duration)]
    since: Duration,
    /// Only this partition; may be given several times, or with commas between.
    #[arg(long = "partition", value_name = "NAME", value_delimiter = ',')]
    partitions: Vec<String>,
    /// What `sinfo` printed, instead of asking it. No command is called then; `--dry-run` shows how to save all three.
    #[arg(long, value_name = "FILE")]
    sinfo: Option<PathBuf>,
    /// What `squeue` printed.
    #[arg(long, value_name = "FILE", requires = "sinfo")]
    squeue: Option<PathBuf>,
    /// What `sacct` printed.
    #[arg(long, value_name = "FILE", requires = "sinfo")]
    sacct: Option<PathBuf>,
    /// What `sshare --all --parsable2` printed: fair shares of accounts. It is never called.
    #[arg(long, value_name = "FILE")]
    sshare: Option<PathBuf>,
    /// When the files were saved, where the jobs that ran do not tell.
    #[arg(long, value_name = "DATE", value_parser = instant, requires = "sinfo")]
    at: Option<Instant>,
    /// Bidding zone or country, from which price and carbon intensity of electricity follow: `NO4`, `FI`.
    #[arg(long, value_name = "NAME")]
    zone: Option<String>,
    /// What electricity costs there, instead of the zone's figure: `120 EUR/MWh`.
    #[arg(long, value_name = "PRICE", value_parser = price, requires = "zone")]
    price: Option<EnergyPrice>,
    /// What it emits there: `40 gCO2e/kWh`.
    #[arg(long, value_name = "INTENSITY", value_parser = carbon, requires = "zone")]
    carbon: Option<CarbonIntensity>,
    /// A folder for `federation.toml`, `trace.csv` and `figures.json`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write over a description that is there.
    #[arg(long, requires = "out")]
    replace: bool,
    /// Print the commands that would be called, as a script that saves what they print, and call none.
    #[arg(long, conflicts_with_all = ["sinfo", "out", "json"])]
    dry_run: bool,
    /// Print the figures as one JSON object instead of the screen.
    #[arg(long)]
    json: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    let length = Duration::parse(text).map_err(|error| error.to_string())?;
    let fits = (Duration::hours(1)..=Duration::days(3_650)).contains(&length);
    if fits { Ok(length) } else { Err("write something from `1h` to `10y`".to_owned()) }
}

fn instant(text: &str) -> Result<Instant, String> {
    Instant::parse(text).ok_or_else(|| "write a date such as 2027-01-01T06:00:00Z".to_owned())
}

fn price(text: &str) -> Result<EnergyPrice, String> {
    EnergyPrice::parse(text).map_err(|error| error.to_string())
}

fn carbon(text: &str) -> Result<CarbonIntensity, String> {
    CarbonIntensity::parse(text).map_err(|error| error.to_string())
}

/// Why nothing is shown.
enum Refused {
    /// The input or the call is wrong.
    Input(String),
    /// Something else failed.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Looks, shows, and leaves files where they are wanted.
pub(crate) fn run(call: &Observe) -> anyhow::Result<ExitCode> {
    if call.dry_run {
        write!(std::io::stdout(), "{}", ask::script(call))?;
        return Ok(ExitCode::SUCCESS);
    }
    match look(call) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Refused::Input(message)) => {
            writeln!(std::io::stderr(), "giga: {message}")?;
            Ok(ExitCode::from(2))
        }
        Err(Refused::Failed(error)) => Err(error),
    }
}

fn look(call: &Observe) -> Result<(), Refused> {
    let zone = call.zone.as_deref().map(|word| formats::zone(word, call.price, call.carbon));
    let zone = zone.transpose().map_err(|error| Refused::Input(error.to_string()))?;
    if let Some(folder) = &call.out {
        out::keep(folder, call.replace)?;
    }
    let (mut seen, mut notes) = ask::observation(call)?;
    notes.extend(study::settle(&mut seen));
    if formats::pools(&seen.nodes).is_empty() {
        return Err(Refused::Input(
            "sinfo shows no node with accelerators (`Gres=gpu:…` in slurm.conf), and there is nothing to observe; do the \
             partitions of `--partition` have any?"
                .to_owned(),
        ));
    }
    let told = tell(&seen, notes, zone)?;
    let mut screen = std::io::stdout().lock();
    if call.json {
        write!(screen, "{}", formats::json(&told.figures))?;
    } else {
        write!(screen, "{}", giga_report::observe(&told.figures, study::ASSUMES))?;
    }
    if let Some(folder) = &call.out {
        out::write(folder, &told, &seen, &mut std::io::stderr())?;
    }
    Ok(())
}

/// The figures, and the description that those of energy rest on.
struct Told {
    figures: Figures,
    text: String,
    description: description::Description,
}

fn tell(seen: &Observation, mut notes: Vec<String>, zone: Option<Zone>) -> Result<Told, Refused> {
    let (span, zone_known) = (study::span(seen), zone.is_some());
    let text = study::outline(seen, span.as_ref(), zone).write();
    // Whatever Slurm told, what was made of it has to be sound; where it is not, the faults say what is wrong.
    let description = description::read("federation.toml", &text)
        .map_err(|faults| anyhow::anyhow!("what was seen can not be described:\n{faults}"))?;
    let federation = &description.federation;
    let energy = span.as_ref().and_then(|span| study::energies(seen, span, federation, zone_known));
    let (forecast, astray) = study::starts(seen, federation);
    if astray > 0 {
        notes.push(format!(
            "{astray} running jobs found no place among the described nodes, so that the starts may come out too early"
        ));
    }
    let figures = Figures {
        cluster: seen.cluster.clone(),
        at: seen.at,
        machine: study::machine(seen),
        now: study::now(seen),
        span,
        energy,
        forecast,
        notes,
    };
    Ok(Told { figures, text, description })
}
