//! `giga dataset list | show | add | stage`: where data lies, who read it, whether it can leave; and bringing it elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant as Clock};

use clap::{Args, Subcommand};
use giga_formats::api::{CopyBody, DatasetDetail, DatasetList, StageAnswer, StageBody, TaskView};
use giga_report::live;

use super::reach::{Reach, parsed};
use super::server::{Server, encoded};
use super::{Refused, now};

/// What can be done about data.
#[derive(Debug, Subcommand)]
pub(crate) enum DatasetVerb {
    /// Lists the datasets: holder, size, where each lies, its checksum.
    List(List),
    /// Shows where a dataset lies, whether it can leave, who read it, and what was done with it.
    Show(Show),
    /// Looks through what lies at a site and registers it, or holds it against what is registered; for operators.
    Add(Add),
    /// Copies a dataset to a site, where its policy lets it; for operators.
    Stage(Stage),
}

/// What `giga dataset list` was asked.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    reach: Reach,
}

/// What `giga dataset show` was asked.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The name of the dataset in the description.
    dataset: String,
    #[command(flatten)]
    reach: Reach,
}

/// What `giga dataset add` was asked.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The name of the dataset in the description.
    dataset: String,
    /// The site where it lies; may be left out where the description names one place only.
    #[arg(long, value_name = "SITE")]
    at: Option<String>,
    /// The folder that holds it and nothing else, as the server and the nodes of the site see it; `sites/SITE/data/DATASET` of the
    /// data folder unless given.
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Do not wait until it is looked through.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    reach: Reach,
}

/// What `giga dataset stage` was asked.
#[derive(Debug, Args)]
pub(crate) struct Stage {
    /// The name of the dataset in the description.
    dataset: String,
    /// The site that it is copied to.
    #[arg(long, value_name = "SITE")]
    to: String,
    /// Only say what it would take and cost.
    #[arg(long)]
    plan: bool,
    /// Do not wait until it is there.
    #[arg(long, conflicts_with = "plan")]
    no_wait: bool,
    #[command(flatten)]
    reach: Reach,
}

impl DatasetVerb {
    pub(super) fn reach(&mut self) -> &mut Reach {
        match self {
            Self::List(call) => &mut call.reach,
            Self::Show(call) => &mut call.reach,
            Self::Add(call) => &mut call.reach,
            Self::Stage(call) => &mut call.reach,
        }
    }
}

/// How often the server is asked how far a task is.
const LOOK: Duration = Duration::from_millis(300);

/// Does it.
pub(super) fn run(verb: &DatasetVerb) -> Result<ExitCode, Refused> {
    match verb {
        DatasetVerb::List(call) => {
            let text = Server::open(&call.reach)?.get("/v1/datasets")?;
            call.reach.show(&text, |list: DatasetList| match list.datasets.as_slice() {
                [] => "no data is described here, or none that this token may see\n".to_owned(),
                _ => live::datasets(&list),
            })
        }
        DatasetVerb::Show(call) => {
            let text = Server::open(&call.reach)?.get(&address(&call.dataset))?;
            call.reach.show(&text, |detail| live::dataset(&detail, now()))
        }
        DatasetVerb::Add(call) => add(call),
        DatasetVerb::Stage(call) => stage(call),
    }
}

fn address(dataset: &str) -> String {
    format!("/v1/datasets/{}", encoded(dataset))
}

fn add(call: &Add) -> Result<ExitCode, Refused> {
    let path = call.path.as_ref().map(std::path::absolute).transpose()?;
    let text = |path: PathBuf| path.into_os_string().into_string();
    let path = path.map(text).transpose().map_err(|_| Refused::input("`--path` is not UTF-8"))?;
    let body = CopyBody { site: call.at.clone(), path };
    let server = Server::open(&call.reach)?;
    let text = server.post(&format!("{}/copies", address(&call.dataset)), &written(&body))?;
    let task: TaskView = parsed(&text)?;
    let task = if call.no_wait { task } else { wait(&server, &task)? };
    end(&call.reach, &task)
}

fn stage(call: &Stage) -> Result<ExitCode, Refused> {
    let server = Server::open(&call.reach)?;
    let body = written(&StageBody { to: call.to.clone() });
    let address = format!("{}/stage", address(&call.dataset));
    if call.plan {
        let text = server.post(&format!("{address}/plan"), &body)?;
        return call.reach.show(&text, |plan| live::staging(&plan));
    }
    let text = server.post(&address, &body)?;
    let answer: StageAnswer = parsed(&text)?;
    let task = match &answer.task {
        Some(task) if !call.no_wait => {
            if !call.reach.json {
                write!(std::io::stdout(), "{}", live::staging(&answer.plan))?;
            }
            wait(&server, task)?
        }
        _ => return call.reach.show(&text, |answer: StageAnswer| live::staging(&answer.plan)),
    };
    end(&call.reach, &task)
}

fn written(body: &impl serde::Serialize) -> String {
    serde_json::to_string(body).expect("plain values can be written")
}

/// Waits until a task is over, and says how far it is where somebody watches.
fn wait(server: &Server, task: &TaskView) -> Result<TaskView, Refused> {
    let mut err = std::io::stderr();
    let (begun, first) = (Clock::now(), task.bytes_done);
    loop {
        std::thread::sleep(LOOK);
        let detail: DatasetDetail = parsed(&server.get(&address(&task.dataset))?)?;
        let found = detail.tasks.into_iter().find(|found| found.task == task.task);
        let found = found.ok_or_else(|| {
            Refused::Failed(anyhow::anyhow!(
                "task {} is not among the latest of `{}` any more; `giga dataset show` tells what became of it",
                task.task,
                task.dataset
            ))
        })?;
        let watched = err.is_terminal();
        if found.state != "open" {
            if watched {
                write!(err, "\r\x1b[K")?;
            }
            return Ok(found);
        }
        if watched {
            let seconds = begun.elapsed().as_secs_f64();
            let rate = found.bytes_done.saturating_sub(first) as f64 / seconds / 1e6;
            let line = live::task(&found, now());
            write!(err, "\r\x1b[K{} at {rate:.1} MB/s", line.trim_end())?;
            err.flush()?;
        }
    }
}

/// Shows a task, and ends with 1 where it failed.
fn end(reach: &Reach, task: &TaskView) -> Result<ExitCode, Refused> {
    reach.show(&written(task), |task: TaskView| live::task(&task, now()))?;
    Ok(if task.state == "failed" { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
