//! Bodies of requests to slurmrestd and of its answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::{Ask, JobState, NodeRecord, Record, accelerators};

#[derive(Serialize)]
struct Submission<'a> {
    script: &'a str,
    job: Job<'a>,
}

#[derive(Serialize)]
struct Job<'a> {
    name: &'a str,
    partition: &'a str,
    nodes: [u32; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    nodelist: Option<String>,
    tasks_per_node: u32,
    cpus_per_task: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    gres: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    memory_per_node: u64,
    time_limit: u64,
    environment: BTreeMap<&'a str, &'a str>,
    current_working_directory: &'a str,
    standard_output: &'a str,
    standard_input: &'a str,
    open_mode: &'a str,
    no_requeue: bool,
    dependency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    constraints: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qos: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation: Option<&'a str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The body that submits a job.
#[must_use]
pub fn submission(ask: &Ask) -> String {
    let job = Job {
        name: &ask.name,
        partition: &ask.partition,
        nodes: [ask.nodes; 2],
        nodelist: Some(ask.hosts.join(",")).filter(|hosts| !hosts.is_empty()),
        tasks_per_node: 1,
        cpus_per_task: ask.cpus,
        gres: &ask.gres,
        memory_per_node: ask.memory,
        time_limit: ask.minutes,
        environment: ask.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        current_working_directory: &ask.workdir,
        standard_output: &ask.log,
        standard_input: "/dev/null",
        open_mode: "append",
        no_requeue: true,
        dependency: "singleton",
        constraints: ask.constraint.as_deref(),
        account: ask.account.as_deref(),
        qos: ask.qos.as_deref(),
        reservation: ask.reservation.as_deref(),
    };
    serde_json::to_string(&Submission { script: &ask.script, job })
        .expect("texts and numbers are always JSON")
}

/// What the service answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The number of the job that was submitted.
    Submitted(u64),
    /// What it says was wrong.
    Errors(String),
}

/// Reads the answer to a submission; `None` where it is none.
#[must_use]
pub fn read_answer(body: &[u8]) -> Option<Answer> {
    let body: Value = serde_json::from_slice(body).ok()?;
    if let Some(id) = body.get("job_id").and_then(Value::as_u64).filter(|&id| id > 0 && id < UNSET) {
        return Some(Answer::Submitted(id));
    }
    let errors = errors(&body);
    (!errors.is_empty()).then_some(Answer::Errors(errors))
}

/// A number that says that there is none.
const UNSET: u64 = 4_294_967_294;

/// The errors of an answer in one line, in either shape: texts, or objects with `error` or `description`.
fn errors(body: &Value) -> String {
    let listed = body.get("errors").and_then(Value::as_array).into_iter().flatten();
    let text = |error: &Value| match error {
        Value::String(text) => Some(text.clone()),
        other => {
            let part = |key: &str| other.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
            part("error").or_else(|| part("description")).map(str::to_owned)
        }
    };
    listed.filter_map(text).collect::<Vec<_>>().join("; ")
}

#[derive(Deserialize)]
struct Jobs {
    jobs: Vec<JobAnswer>,
}

#[derive(Deserialize)]
struct JobAnswer {
    job_id: u64,
    name: Option<String>,
    user_name: Option<String>,
    submit_time: Option<i64>,
    job_state: Option<String>,
    state_reason: Option<String>,
    nodes: Option<String>,
}

/// Reads the list of jobs; `None` where it is none.
#[must_use]
pub fn read_jobs(body: &[u8]) -> Option<Vec<Record>> {
    let jobs: Jobs = serde_json::from_slice(body).ok()?;
    let record = |job: JobAnswer| {
        let word = job.job_state.unwrap_or_default();
        Record {
            id: job.job_id,
            name: job.name.unwrap_or_default(),
            user: job.user_name.unwrap_or_default(),
            submitted: job.submit_time.unwrap_or(0),
            state: JobState::parse(&word),
            reason: Record::why(&word, &job.state_reason.unwrap_or_default()),
            nodes: job.nodes.unwrap_or_default(),
        }
    };
    Some(jobs.jobs.into_iter().map(record).collect())
}

#[derive(Deserialize)]
struct Nodes {
    nodes: Vec<NodeAnswer>,
}

#[derive(Deserialize)]
struct NodeAnswer {
    name: String,
    cpus: Option<u32>,
    real_memory: Option<u64>,
    gres: Option<String>,
    state: Option<String>,
    #[serde(default)]
    state_flags: Vec<String>,
    #[serde(default)]
    partitions: Vec<String>,
    features: Option<String>,
}

/// Reads the list of nodes, and gives those of a partition; `None` where it is none.
#[must_use]
pub fn read_nodes(body: &[u8], partition: &str) -> Option<Vec<NodeRecord>> {
    let nodes: Nodes = serde_json::from_slice(body).ok()?;
    let ours = nodes.nodes.into_iter().filter(|node| node.partitions.iter().any(|name| name == partition));
    let record = |node: NodeAnswer| NodeRecord {
        name: node.name,
        cpus: node.cpus.unwrap_or(0),
        memory: node.real_memory.unwrap_or(0),
        accelerators: accelerators(&node.gres.unwrap_or_default()),
        state: state(node.state.unwrap_or_default(), &node.state_flags),
        features: node.features.unwrap_or_default().split(',').map(str::to_owned).collect(),
    };
    Some(ours.map(record).collect())
}

/// How a node is, in the word of `sinfo`: one that nothing can run on is `idle` with a flag, and `mixed` or `allocated` with the same
/// flag while something still runs.
fn state(state: String, flags: &[String]) -> String {
    const OUT: [(&str, &str); 5] = [
        ("DRAIN", "drain"),
        ("FAIL", "fail"),
        ("MAINT", "maint"),
        ("MAINTENANCE", "maint"),
        ("INVALID_REG", "inval"),
    ];
    let out = OUT.iter().find(|(flag, _)| flags.iter().any(|found| found == flag));
    out.filter(|_| state == "idle").map_or(state, |(_, word)| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_submitted_whatever_else_is_said() {
        let check = |body: &str, expected: Option<Answer>| {
            assert_eq!(read_answer(body.as_bytes()), expected, "{body}");
        };
        check(r#"{"errors": [], "job_id": 7}"#, Some(Answer::Submitted(7)));
        check(r#"{"errors": [{"error": "held"}], "job_id": 7}"#, Some(Answer::Submitted(7)));
        let told = |text: &str| Some(Answer::Errors(text.into()));
        check(
            r#"{"errors": [{"error_code": 2000, "error": "Invalid partition"}], "job_id": 0}"#,
            told("Invalid partition"),
        );
        check(r#"{"errors": ["one", {"error": "", "description": "two"}]}"#, told("one; two"));
        check(r#"{"errors": [], "job_id": 4294967294}"#, None);
        check("Authentication failure", None);
    }

    #[test]
    fn jobs_and_nodes_are_read_with_what_is_left_out() {
        let jobs = br#"{"jobs": [{"job_id": 3, "name": "a", "user_name": null, "submit_time": 5, "job_state": "CANCELLED",
            "state_reason": "None", "nodes": null, "another": {}}]}"#;
        let jobs = read_jobs(jobs).expect("a list");
        assert_eq!(
            (jobs[0].id, &jobs[0].state, jobs[0].reason.as_str()),
            (3, &JobState::Unreached, "CANCELLED")
        );
        let nodes = br#"{"nodes": [{"name": "a", "cpus": 8, "real_memory": 10, "gres": "gpu:4", "state": "idle", "partitions": ["p"]},
            {"name": "b"}]}"#;
        let nodes = read_nodes(nodes, "p").expect("a list");
        assert_eq!(
            nodes.iter().map(|node| (node.name.as_str(), node.accelerators)).collect::<Vec<_>>(),
            [("a", 4)]
        );
        assert_eq!(read_jobs(b"{}"), None);
        let check =
            |word: &str, flag: &str, expected| assert_eq!(state(word.into(), &[flag.into()]), expected);
        check("idle", "DRAIN", "drain");
        check("idle", "MAINTENANCE", "maint");
        check("idle", "PLANNED", "idle");
        check("mixed", "DRAIN", "mixed");
    }
}
