//! Slurm by its REST service, with tokens that we sign ourselves.
//!
//! It shares one model with the command line. It has no accounting, and ends a batch script by the file in the attempt's
//! folder alone: this dialect can not signal the script without the steps.

use std::time::Duration as Span;

use giga_formats::slurm::{Answer, Ask, NodeRecord, Record, read_answer, read_jobs, read_nodes, submission};
use ureq::Agent;
use ureq::http::Response;

use super::token::token;
use super::transport::{Fault, Transport, refusal};
use crate::tls;

/// Longer than the controller's `MessageTimeout`, of 10 s unless configured otherwise.
const PATIENCE: Span = Span::from_secs(30);
/// A list of a hundred thousand jobs.
const BYTES_MAX: u64 = 1 << 30;

/// One cluster, asked through its slurmrestd.
#[derive(Debug)]
pub struct Rest {
    base: String,
    key: Vec<u8>,
    user: String,
    agent: Agent,
}

impl Rest {
    /// The service at `http://host:port` or `https://host:port`, whose tokens are signed with this key, for jobs of this user.
    #[must_use]
    pub fn new(address: &str, key: Vec<u8>, user: &str) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .tls_config(tls::trusting(address));
        let base = format!("{}/slurm/v0.0.38", address.trim_end_matches('/'));
        Self { base, key, user: user.to_owned(), agent: config.build().into() }
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, Fault> {
        let request = self.agent.get(format!("{}/{path}", self.base));
        let request = request.header("X-SLURM-USER-NAME", &self.user);
        let request = request.header("X-SLURM-USER-TOKEN", token(&self.key, &self.user));
        let (status, body) = read(request.call())?;
        if status == 200 { Ok(body) } else { Err(Fault::Unknown(told(status, &body))) }
    }

    fn list<T>(&self, path: &str, read: impl FnOnce(&[u8]) -> Option<T>) -> Result<T, Fault> {
        let body = self.get(path)?;
        read(&body)
            .ok_or_else(|| Fault::Unknown(format!("`{path}` of slurmrestd is no list that is understood")))
    }
}

fn read(answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<(u16, Vec<u8>), Fault> {
    let fault = |error: ureq::Error| Fault::Unknown(format!("slurmrestd: {error}"));
    let mut answer = answer.map_err(fault)?;
    let body = answer.body_mut().with_config().limit(BYTES_MAX).read_to_vec().map_err(fault)?;
    Ok((answer.status().as_u16(), body))
}

/// What the service says of a failure.
fn told(status: u16, body: &[u8]) -> String {
    match read_answer(body) {
        Some(Answer::Errors(errors)) => format!("slurmrestd answers {status}: {errors}"),
        _ => {
            let text = String::from_utf8_lossy(body);
            format!("slurmrestd answers {status}: {}", text.lines().next().unwrap_or("nothing more"))
        }
    }
}

impl Transport for Rest {
    fn submit(&self, ask: &Ask) -> Result<u64, Fault> {
        let request = self.agent.post(format!("{}/job/submit", self.base));
        let request = request.header("X-SLURM-USER-NAME", &self.user);
        let request = request.header("X-SLURM-USER-TOKEN", token(&self.key, &self.user));
        let request = request.header("Content-Type", "application/json");
        let (status, body) = read(request.send(submission(ask)))?;
        match read_answer(&body) {
            Some(Answer::Submitted(id)) => Ok(id),
            Some(Answer::Errors(errors)) => Err(refusal(&errors)),
            // 401 and 400 come before anything is done.
            None if status == 401 || status == 400 => Err(Fault::Refused(told(status, &body))),
            None => Err(Fault::Unknown(told(status, &body))),
        }
    }

    fn queue(&self) -> Result<Vec<Record>, Fault> {
        let mut jobs = self.list("jobs", read_jobs)?;
        // Where the name of a user can not be looked up there, the name of a job still tells ours.
        jobs.retain(|job| job.user.is_empty() || job.user == self.user);
        Ok(jobs)
    }

    fn accounted(&self, _: &[String]) -> Result<Vec<Record>, Fault> {
        Ok(Vec::new())
    }

    fn cancel(&self, id: u64, name: &str) -> Result<(), Fault> {
        let jobs = self.list(&format!("job/{id}"), read_jobs)?;
        if !jobs.iter().any(|job| job.id == id && job.name == name) {
            return Ok(());
        }
        let request = self.agent.delete(format!("{}/job/{id}", self.base));
        let request = request.header("X-SLURM-USER-NAME", &self.user);
        let request = request.header("X-SLURM-USER-TOKEN", token(&self.key, &self.user));
        let (status, body) = read(request.call())?;
        if status == 200 { Ok(()) } else { Err(Fault::Unknown(told(status, &body))) }
    }

    fn terminate(&self, _: u64, _: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn nodes(&self, partition: &str) -> Result<Vec<NodeRecord>, Fault> {
        self.list("nodes", |body| read_nodes(body, partition))
    }

    fn configured(&self, _: &str) -> Result<Option<String>, Fault> {
        Ok(None)
    }
}
