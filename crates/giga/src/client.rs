//! The verbs that speak to a live server: submit work, look at it, look at sites and tell them what to do, make keys.
//!
//! A verb asks one server over HTTP and prints what it answers; it holds no rule of its own. Tokens come from a file or
//! the environment, never from the command line, where others of the machine could read them.

mod dataset;
mod events;
mod files;
mod job;
mod key;
mod logs;
mod operate;
mod range;
mod reach;
mod send;
mod server;
mod shell;
mod submit;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use giga_engine::tls;
use giga_formats::api::Problem;
use giga_report::live;
use giga_units::Instant;

use reach::Reach;
use server::Server;

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Live {
    /// Submits a job: shows where it would run, when, and at what cost at most, and asks before it does.
    Submit(Box<submit::Submit>),
    /// Starts a shell, or another program, where a job would run, and connects the terminal with it.
    Shell(Box<shell::Shell>),
    /// Lists jobs: those that wait and run, unless told otherwise.
    Jobs(job::Jobs),
    /// Looks at one job, or cancels it.
    #[command(subcommand)]
    Job(JobVerb),
    /// Lists the sites: what is free, and what they run.
    Sites(Sites),
    /// Lets a site draw less for a time, or ends that; for operators.
    Limit(operate::Limit),
    /// Lets a site start nothing more, or take work again; for operators.
    Drain(operate::Drain),
    /// Where data lies, who read it, whether it can leave; registers it and brings it elsewhere.
    #[command(subcommand)]
    Dataset(dataset::DatasetVerb),
    /// Makes, lists and revokes keys.
    #[command(subcommand)]
    Key(key::KeyVerb),
}

/// What can be done about one job.
#[derive(Debug, Subcommand)]
pub(crate) enum JobVerb {
    /// Shows all that is known of a job.
    Show(job::One),
    /// Prints what a job wrote.
    Logs(logs::Logs),
    /// Lists the files in the folder of a job.
    Files(files::Files),
    /// Fetches a file of a job.
    Get(files::Get),
    /// Cancels jobs.
    Cancel(job::Several),
    /// Says why a job is where it is.
    Explain(job::One),
    /// Says when a job may start and end, and at what cost, by simulated futures.
    Forecast(job::One),
}

/// What `giga sites` was asked.
#[derive(Debug, Args)]
pub(crate) struct Sites {
    #[command(flatten)]
    reach: Reach,
}

/// Why a verb did not do its work.
#[derive(Debug)]
enum Refused {
    /// The input or the call is wrong; the text says what and how to mend it, line by line.
    Input(String),
    /// The server answered, and refuses.
    Answer { status: u16, text: String },
    /// The server can not be reached, or was lost on the way.
    Lost { url: String, error: ureq::Error },
    /// Something else failed.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Refused {
    fn input(message: impl std::fmt::Display) -> Self {
        Self::Input(format!("giga: {message}\n"))
    }
}

/// Runs a verb, and says how it ended.
pub(crate) fn run(mut verb: Live) -> anyhow::Result<ExitCode> {
    let ended = verb.reach().open().and_then(|()| work(&verb));
    match ended {
        Ok(code) => Ok(code),
        Err(refused) => say(verb.reach(), refused),
    }
}

fn work(verb: &Live) -> Result<ExitCode, Refused> {
    match verb {
        Live::Submit(call) => submit::run(call),
        Live::Shell(call) => shell::run(call),
        Live::Jobs(call) => job::list(call),
        Live::Job(JobVerb::Show(call)) => job::show(call),
        Live::Job(JobVerb::Logs(call)) => logs::run(call),
        Live::Job(JobVerb::Files(call)) => files::list(call),
        Live::Job(JobVerb::Get(call)) => files::get(call),
        Live::Job(JobVerb::Cancel(call)) => job::cancel(call),
        Live::Job(JobVerb::Explain(call)) => job::explain(call),
        Live::Job(JobVerb::Forecast(call)) => job::forecast(call),
        Live::Sites(call) => sites(call),
        Live::Limit(call) => operate::limit(call),
        Live::Drain(call) => operate::drain(call),
        Live::Dataset(call) => dataset::run(call),
        Live::Key(call) => key::run(call),
    }
}

impl Live {
    /// How the verb reaches a server.
    fn reach(&mut self) -> &mut Reach {
        match self {
            Self::Submit(call) => &mut call.reach,
            Self::Shell(call) => &mut call.reach,
            Self::Jobs(call) => &mut call.reach,
            Self::Job(JobVerb::Show(call) | JobVerb::Explain(call) | JobVerb::Forecast(call)) => {
                &mut call.reach
            }
            Self::Job(JobVerb::Cancel(call)) => &mut call.reach,
            Self::Job(JobVerb::Files(call)) => &mut call.reach,
            Self::Job(JobVerb::Get(call)) => &mut call.reach,
            Self::Job(JobVerb::Logs(call)) => &mut call.reach,
            Self::Sites(call) => &mut call.reach,
            Self::Limit(call) => &mut call.reach,
            Self::Drain(call) => &mut call.reach,
            Self::Dataset(call) => call.reach(),
            Self::Key(call) => call.reach(),
        }
    }
}

fn sites(call: &Sites) -> Result<ExitCode, Refused> {
    let server = Server::open(&call.reach)?;
    let text = server.get("/v1/sites")?;
    call.reach.show(&text, |list| live::sites(&list, now()))
}

/// Wrong input ends with 2, anything else with 1.
fn say(reach: &Reach, refused: Refused) -> anyhow::Result<ExitCode> {
    let mut err = std::io::stderr();
    match refused {
        Refused::Input(message) => {
            write!(err, "{message}")?;
            Ok(ExitCode::from(2))
        }
        Refused::Answer { status, text } => {
            if reach.json {
                writeln!(std::io::stdout(), "{}", text.trim_end())?;
            } else {
                write!(err, "giga: {}", problem(status, &text))?;
            }
            if status == 401 && !reach.json {
                writeln!(err, "  help: what was sent is the token of {}", reach.token_from())?;
            }
            Ok(ExitCode::from(if is_callers(status) { 2 } else { 1 }))
        }
        Refused::Lost { url, error } => {
            let (what, help) = if tls::is_distrust(&error) { DISTRUST } else { ABSENT };
            writeln!(err, "giga: {what} `{url}` ({error})\n  help: {help}")?;
            Ok(ExitCode::from(1))
        }
        Refused::Failed(error) => Err(error),
    }
}

/// What is wrong with a server that can not be reached, and the way out.
const ABSENT: (&str, &str) =
    ("no server answers at", "start one with `giga up`, or name another with `--server`");
/// The same of one that can not be trusted.
const DISTRUST: (&str, &str) = (
    "there is no encrypted connection that can be trusted to",
    "the name in `--server` has to be that of the certificate, and its issuer one whom this machine trusts or whose file is in `SSL_CERT_FILE`",
);

/// Whether a status says that the call was wrong, so that the same call would fail again.
fn is_callers(status: u16) -> bool {
    (400..500).contains(&status) && ![408, 425, 429].contains(&status)
}

/// A refusal in words; one that is no problem of RFC 9457 did not come from giga.
fn problem(status: u16, text: &str) -> String {
    match serde_json::from_str::<Problem>(text) {
        Ok(problem) => live::problem(&problem),
        Err(_) => {
            let begin: String = text.trim().chars().take(200).filter(|c| !c.is_control()).collect();
            format!(
                "the answer has status {status} and is none of giga's: {begin}\n  help: look at `--server`\n"
            )
        }
    }
}

fn now() -> Instant {
    Instant::from(std::time::SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_words() {
        let check = |status, text: &str, expected: &str| assert_eq!(problem(status, text), expected);
        check(
            422,
            r#"{"type": "/problems/faulty-job", "title": "the job is faulty", "status": 422, "detail": "one field",
                "faults": [{"field": "limit", "message": "`limit` is `0 s`", "help": "write more"}]}"#,
            "the job is faulty: one field\n  limit: `limit` is `0 s`\n    help: write more\n",
        );
        check(404, r#"{"title": "no such job", "status": 404}"#, "no such job\n");
        check(
            502,
            "<h1>Bad\nGateway</h1>",
            "the answer has status 502 and is none of giga's: <h1>BadGateway</h1>\n  help: look at `--server`\n",
        );
    }

    #[test]
    fn only_what_would_fail_again_is_the_callers() {
        let callers: Vec<u16> = (399..=600).filter(|status| is_callers(*status)).collect();
        assert!(callers.contains(&401) && callers.contains(&422) && callers.len() == 97, "{callers:?}");
    }
}
