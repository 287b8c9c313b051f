//! `giga jobs` and `giga job show | cancel | explain | forecast`.

use std::process::ExitCode;

use clap::Args;
use giga_formats::api::{JobDetail, JobList, JobState};
use giga_report::live;

use super::range::Numbers;
use super::reach::Reach;
use super::server::{Server, encoded};
use super::{Refused, now};

/// What `giga jobs` was asked.
#[derive(Debug, Args)]
pub(crate) struct Jobs {
    /// Only jobs in this state, or in one of several: waiting, queued, running, stopping, completed, failed, timed-out, cancelled,
    /// refused.
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = JobState::parse)]
    state: Vec<JobState>,
    /// Also jobs that are over.
    #[arg(long, conflicts_with = "state")]
    all: bool,
    /// At most so many, the latest first.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    /// Only jobs before this one.
    #[arg(long, value_name = "ID")]
    before: Option<u64>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// A verb about one job.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// The number of the job.
    id: u64,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// A verb about some jobs.
#[derive(Debug, Args)]
pub(crate) struct Several {
    /// The jobs: `17`, `17-26`, `17,20-22`.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<Numbers>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

impl Jobs {
    fn path(&self) -> String {
        let open = JobState::ALL.into_iter().filter(|state| !state.is_over());
        let states = match (self.all, self.state.as_slice()) {
            (true, _) => Vec::new(),
            (false, []) => open.collect(),
            (false, states) => states.to_vec(),
        };
        let words = states.iter().map(|state| state.word()).collect::<Vec<_>>().join(",");
        let state = if words.is_empty() { String::new() } else { format!("&state={}", encoded(&words)) };
        let before = self.before.map_or_else(String::new, |before| format!("&before={before}"));
        format!("/v1/jobs?limit={}{state}{before}", self.limit)
    }
}

/// Lists jobs.
pub(super) fn list(call: &Jobs) -> Result<ExitCode, Refused> {
    let text = Server::open(&call.reach)?.get(&call.path())?;
    call.reach.show(&text, |list: JobList| {
        if list.jobs.is_empty() {
            return if call.all || !call.state.is_empty() || call.before.is_some() {
                "no such job\n".to_owned()
            } else {
                "no job waits or runs; `giga jobs --all` lists those that are over too\n".to_owned()
            };
        }
        let more = list.next.map(|before| format!("more with `--before {before}`\n"));
        live::jobs(&list, now()) + &more.unwrap_or_default()
    })
}

/// Shows one job.
pub(super) fn show(call: &One) -> Result<ExitCode, Refused> {
    let text = Server::open(&call.reach)?.get(&format!("/v1/jobs/{}", call.id))?;
    call.reach.show(&text, |detail| live::job(&detail, now()))
}

/// Cancels jobs, and shows how far each is then. One that runs is told to stop and may take a moment. One that is refused, as
/// over already, keeps none behind it from being cancelled.
pub(super) fn cancel(call: &Several) -> Result<ExitCode, Refused> {
    let server = Server::open(&call.reach)?;
    let ids: Vec<u64> = call.ids.iter().flat_map(Numbers::iter).collect();
    let mut done = ExitCode::SUCCESS;
    for id in &ids {
        match server.post(&format!("/v1/jobs/{id}/cancel"), "") {
            Ok(_) => {
                let text = server.get(&format!("/v1/jobs/{id}"))?;
                call.reach.show(&text, |detail: JobDetail| live::headline(&detail.job) + "\n")?;
            }
            Err(refused @ Refused::Answer { status: 404 | 409, .. }) => {
                done = super::say(&call.reach, refused)?;
            }
            Err(refused) => return Err(refused),
        }
    }
    Ok(done)
}

/// Says why a job is where it is.
pub(super) fn explain(call: &One) -> Result<ExitCode, Refused> {
    let text = Server::open(&call.reach)?.get(&format!("/v1/jobs/{}/explain", call.id))?;
    call.reach.show(&text, |view| live::explain(&view))
}

/// Says what may become of a job.
pub(super) fn forecast(call: &One) -> Result<ExitCode, Refused> {
    let text = Server::open(&call.reach)?.get(&format!("/v1/jobs/{}/forecast", call.id))?;
    call.reach.show(&text, |view| live::forecast(&view))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        jobs: Jobs,
    }

    #[test]
    fn a_call_becomes_a_query() {
        let check = |line: &str, expected: &str| {
            let line = Line::try_parse_from(["jobs"].into_iter().chain(line.split_whitespace()));
            assert_eq!(line.expect("a sound call").jobs.path(), expected);
        };
        check("", "/v1/jobs?limit=50&state=waiting%2Cqueued%2Crunning%2Cstopping");
        check("--all --limit 3", "/v1/jobs?limit=3");
        check("--state failed,timed-out --before 9", "/v1/jobs?limit=50&state=failed%2Ctimed-out&before=9");
        let error = Line::try_parse_from(["jobs", "--state", "done"]).expect_err("no state").to_string();
        assert!(error.contains("`completed`"), "{error}");
    }
}
