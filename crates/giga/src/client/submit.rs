//! `giga submit`: from a job file or a command to a job on record, with a look at the plan in between.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use giga_formats::api::{Accepted, JobState, PlanView, Problem};
use giga_formats::job::{self, AcceleratorsBody, JobBody, ResourcesBody, RunBody};
use giga_report::live;

use super::range::Numbers;
use super::reach::{Reach, parsed};
use super::server::Server;
use super::{Refused, logs, now, send};

/// What `giga submit` was asked.
#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// The job file; or give a command behind `--`.
    #[arg(required_unless_present = "command", conflicts_with = "command")]
    job: Option<PathBuf>,
    #[command(flatten)]
    asked: Asked,
    /// Submit without asking.
    #[arg(short, long, conflicts_with = "plan")]
    yes: bool,
    /// Only show the plan.
    #[arg(long)]
    plan: bool,
    /// A word that stands for this submission: the same again leads to no second job. Drawn unless given.
    #[arg(long, value_name = "KEY", conflicts_with = "plan")]
    key: Option<String>,
    /// Print what the job writes as it comes, until it is over; end with 0 where it completed, else with 1.
    #[arg(short, long, conflicts_with = "plan")]
    follow: bool,
    /// The command and its arguments.
    #[arg(last = true)]
    command: Vec<String>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// What a job is and needs, in options.
#[derive(Debug, Args)]
pub(super) struct Asked {
    /// What to call the job.
    #[arg(long)]
    pub(super) name: Option<String>,
    /// The project to charge.
    #[arg(long)]
    project: Option<String>,
    /// Accelerators: `8`, or a kind and a number such as `H200-HGX:8`; several times for any of them, the preferred
    /// first.
    #[arg(long, value_name = "N")]
    accelerators: Vec<String>,
    /// Processor cores in all.
    #[arg(long, value_name = "N")]
    cpus: Option<i64>,
    /// Main memory in all, such as `4GiB`.
    #[arg(long, value_name = "AMOUNT")]
    memory: Option<String>,
    /// The longest it may run, such as `30min`, `2h`, `1d`.
    #[arg(long, value_name = "TIME")]
    limit: Option<String>,
    /// How often it saves its progress, such as `30min`.
    #[arg(long, value_name = "TIME")]
    checkpoint: Option<String>,
    /// A dataset it reads, by name; may be given several times, and stands for those of the file.
    #[arg(long, value_name = "NAME")]
    dataset: Vec<String>,
    /// What of its data leaves the site: `nothing` unless given, `aggregated`, `derived` or `everything`.
    #[arg(long, value_name = "WHAT")]
    leaving: Option<String>,
    /// The least assurance of a site that runs it, 1 to 4.
    #[arg(long, value_name = "LEVEL")]
    assurance: Option<i64>,
    /// When it has to be done: a time from its submission such as `12h`, or a date; until then it may wait for cheap and
    /// clean hours.
    #[arg(long, value_name = "TIME|DATE")]
    deadline: Option<String>,
    /// Jobs that have to be completed before it starts: `17`, `17-26`, `17,20`; where one of them ends otherwise, it is cancelled.
    #[arg(long, value_name = "JOBS")]
    after: Vec<Numbers>,
    /// Jobs that have to be over before it starts, however they ended.
    #[arg(long, value_name = "JOBS")]
    after_any: Vec<Numbers>,
    /// How many tasks it has: as many jobs, which differ by `GIGA_ARRAY_INDEX` in their environment, from 0 on.
    #[arg(long, value_name = "N")]
    pub(super) array: Option<i64>,
    /// Only this task of the array.
    #[arg(long, value_name = "N")]
    index: Option<i64>,
    /// The folder to run in; a folder of the job's own unless given.
    #[arg(long, value_name = "DIR")]
    workdir: Option<PathBuf>,
    /// A file or folder that lies in the job's folder when it begins, as it lies here; may be given several times.
    #[arg(long, value_name = "PATH")]
    send: Vec<PathBuf>,
    /// The image of a container to run in: a path at the site, or a reference such as `docker://debian:12`.
    #[arg(long, value_name = "IMAGE")]
    container: Option<String>,
    /// A variable of its environment; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').ok_or("write `NAME=VALUE`")?;
    Ok((pair.0.to_owned(), pair.1.to_owned()))
}

/// How often a submission is sent, and how long is waited before it is sent again.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(2)];

/// Submits it.
pub(super) fn run(call: &Submit) -> Result<ExitCode, Refused> {
    let body = call.body()?;
    let sent = serde_json::to_string(&body).expect("plain values can be written");
    let asks = !call.yes && !call.plan;
    if asks && (call.reach.json || !std::io::stdin().is_terminal()) {
        let why = if call.reach.json { "with `--json`" } else { "without a terminal" };
        return Err(Refused::input(format_args!(
            "{why} nobody can be asked; add `--yes` to submit, or `--plan` to see the plan only"
        )));
    }
    if call.follow && body.array.is_some() && body.index.is_none() {
        return Err(Refused::input(
            "an array is many jobs, and `--follow` shows one; leave it out, or name a task by `--index`",
        ));
    }
    let server = Server::open(&call.reach)?;
    if call.plan || !call.reach.json {
        match server.post("/v1/plan", &sent) {
            // A key that was used before leads to its job, whatever a plan made now would say.
            Err(Refused::Answer { .. }) if call.yes && call.key.is_some() => {}
            Err(refused) => return Err(refused),
            Ok(text) => {
                let plan: PlanView = parsed(&text)?;
                call.show_plan(&text, &plan, &body)?;
                if plan.refused.is_some() && !(call.yes && call.key.is_some()) {
                    return Ok(ExitCode::from(2));
                }
            }
        }
    }
    if call.plan {
        return Ok(ExitCode::SUCCESS);
    }
    if asks && !agreed()? {
        eprintln!("giga: not submitted");
        return Ok(ExitCode::from(1));
    }
    let key = call.key.clone().unwrap_or_else(drawn);
    let text = send(&server, &sent, &key)?;
    let accepted: Accepted = parsed(&text)?;
    if call.reach.json {
        writeln!(std::io::stdout(), "{}", text.trim_end())?;
    } else {
        write!(call.aside(), "{}", told(&accepted, &call.reach, call.follow))?;
    }
    if accepted.state == JobState::Refused {
        return Ok(ExitCode::from(2));
    }
    if call.follow { logs::follow_output(&server, &call.reach, accepted.id) } else { Ok(ExitCode::SUCCESS) }
}

impl Submit {
    /// What is sent: the file or the command, and what the call says beside it, checked.
    fn body(&self) -> Result<JobBody, Refused> {
        let body = match &self.job {
            Some(path) => read(path)?,
            None => plain(RunBody::Command(self.command.clone())),
        };
        self.asked.completed(body)
    }

    /// Where to say what is not the job's own output: beside it, where that is followed.
    fn aside(&self) -> Box<dyn std::io::Write> {
        if self.follow { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) }
    }

    fn show_plan(&self, text: &str, plan: &PlanView, body: &JobBody) -> Result<(), Refused> {
        if self.reach.json {
            return Ok(writeln!(std::io::stdout(), "{}", text.trim_end())?);
        }
        let mut out = self.aside();
        write!(out, "{}", live::plan(plan, now()))?;
        if let Some(program) = lost_program(body) {
            writeln!(
                out,
                "  {:<9}`{program}` is looked for in the job's own folder; `--send {program}` puts it there",
                "note"
            )?;
        }
        Ok(out.flush()?)
    }
}

impl Asked {
    /// A body with what the call says beside it, checked.
    pub(super) fn completed(&self, mut body: JobBody) -> Result<JobBody, Refused> {
        self.put_over(&mut body)?;
        match body.check() {
            // What was left out is sent as it was: the server knows the defaults. Only the name is the client's.
            Ok(spec) => Ok(JobBody { name: Some(spec.name), ..body }),
            Err(faults) => {
                let title = "the job is faulty".to_owned();
                let problem = Problem {
                    kind: String::new(),
                    title,
                    status: 0,
                    detail: String::new(),
                    instance: None,
                    faults,
                };
                Err(Refused::Input(format!("giga: {}", live::problem(&problem))))
            }
        }
    }

    fn put_over(&self, body: &mut JobBody) -> Result<(), Refused> {
        fn put<T: Clone>(place: &mut Option<T>, value: &Option<T>) {
            if value.is_some() {
                place.clone_from(value);
            }
        }
        put(&mut body.name, &self.name);
        put(&mut body.project, &self.project);
        put(&mut body.limit, &self.limit);
        put(&mut body.checkpoint, &self.checkpoint);
        put(&mut body.leaving, &self.leaving);
        put(&mut body.assurance, &self.assurance);
        put(&mut body.deadline, &self.deadline);
        put(&mut body.resources.cpus, &self.cpus);
        put(&mut body.resources.memory, &self.memory);
        put(&mut body.array, &self.array);
        put(&mut body.index, &self.index);
        for (place, said) in [(&mut body.after, &self.after), (&mut body.after_any, &self.after_any)] {
            if !said.is_empty() {
                *place =
                    said.iter().flat_map(Numbers::iter).filter_map(|job| i64::try_from(job).ok()).collect();
            }
        }
        if !self.dataset.is_empty() {
            body.data.clone_from(&self.dataset);
        }
        body.env.extend(self.env.iter().cloned());
        body.files.extend(send::gather(&self.send, &std::env::current_dir()?)?);
        match self.accelerators.as_slice() {
            [] => {}
            [only] => body.resources.accelerators = Some(AcceleratorsBody::One(only.clone())),
            several => body.resources.accelerators = Some(AcceleratorsBody::AnyOf(several.to_vec())),
        }
        if let Some(folder) = &self.workdir {
            body.workdir = Some(std::path::absolute(folder)?.display().to_string());
        }
        if let Some(image) = &self.container {
            let is_path = ["/", "./", "../"].iter().any(|begin| image.starts_with(begin));
            let path = is_path.then(|| std::path::absolute(image)).transpose()?;
            body.container = Some(path.map_or_else(|| image.clone(), |path| path.display().to_string()));
        }
        Ok(())
    }
}

/// A body that only says what runs.
pub(super) fn plain(run: RunBody) -> JobBody {
    JobBody {
        name: None,
        project: None,
        run,
        workdir: None,
        container: None,
        limit: None,
        checkpoint: None,
        data: Vec::new(),
        leaving: None,
        assurance: None,
        deadline: None,
        after: Vec::new(),
        after_any: Vec::new(),
        array: None,
        index: None,
        env: std::collections::BTreeMap::new(),
        files: std::collections::BTreeMap::new(),
        resources: ResourcesBody::default(),
    }
}

/// A program that is named from the folder of the call, which is not the folder of the job.
fn lost_program(body: &JobBody) -> Option<&str> {
    let RunBody::Command(command) = &body.run else { return None };
    let program = command.first().map(String::as_str)?;
    let relative = program.contains('/') && !program.starts_with('/');
    let sent = || body.files.contains_key(program.strip_prefix("./").unwrap_or(program));
    (relative && body.workdir.is_none() && !sent()).then_some(program)
}

fn read(path: &std::path::Path) -> Result<JobBody, Refused> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Refused::input(format_args!("`{file}` can not be read: {error}; a command goes behind `--`"))
    })?;
    job::read(&file, &text).map(|file| file.body).map_err(|faults| Refused::Input(faults.to_string()))
}

/// Asks on the terminal; an empty line agrees.
fn agreed() -> Result<bool, Refused> {
    let mut err = std::io::stderr().lock();
    write!(err, "Submit? [Y/n] ")?;
    err.flush()?;
    let mut line = String::new();
    let came = std::io::stdin().read_line(&mut line)? > 0;
    Ok(came && is_yes(&line))
}

fn is_yes(line: &str) -> bool {
    ["", "y", "yes"].contains(&line.trim().to_lowercase().as_str())
}

/// Sends a submission, again where the line breaks or the server is about to come: under one key that is one job.
pub(super) fn send(server: &Server, body: &str, key: &str) -> Result<String, Refused> {
    let mut pauses = PAUSES.iter();
    loop {
        let answer = server.post_once("/v1/jobs", body, key);
        let again = match &answer {
            Ok(answer) => [502, 503, 504].contains(&answer.status),
            Err(refused) => matches!(refused, Refused::Lost { .. }),
        };
        match (again, pauses.next()) {
            (true, Some(pause)) => std::thread::sleep(*pause),
            _ => {
                let answer = answer?;
                let (status, text) = (answer.status, answer.text);
                let done = (200..300).contains(&status);
                return if done { Ok(text) } else { Err(Refused::Answer { status, text }) };
            }
        }
    }
}

/// A key that no other submission has: 128 bits of the keys that the system draws for hash tables. It guards against
/// repetition and is no secret.
pub(super) fn drawn() -> String {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    let word = || {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u32(std::process::id());
        hasher.write_i64(now().as_unix_milliseconds());
        hasher.finish()
    };
    format!("{:016x}{:016x}", word(), word())
}

/// What is said of a job that was accepted, with the commands that come next.
fn told(accepted: &Accepted, reach: &Reach, follow: bool) -> String {
    let Accepted { id, tasks, name, site, state, replayed } = accepted;
    let at = site.as_ref().map_or_else(String::new, |site| format!(" at {site}"));
    let mut out = match tasks {
        Some(tasks) => {
            let last = id + u64::from(*tasks).saturating_sub(1);
            format!(
                "jobs {id}-{last} ({name}): the first of {tasks} is {state}{at}\n  \
                 giga job cancel {id}-{last}{}    takes all of them back\n",
                reach.options()
            )
        }
        None => format!("job {id} ({name}): {state}{at}\n"),
    };
    if *replayed {
        out.push_str("  this key was used before: it is the job of then\n");
    }
    let options = reach.options();
    if *state == JobState::Refused {
        out.push_str(&format!("  giga job explain {id}{options}    by which rule\n"));
    } else if follow {
        out.push_str(&format!("  Ctrl-C ends the following; `giga job cancel {id}{options}` ends the job\n"));
    } else {
        out.push_str(&format!("  giga job logs {id} -f{options}    what it writes, as it comes\n"));
        out.push_str(&format!("  giga job show {id}{options}       how far it is\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        submit: Submit,
    }

    fn body(line: &[&str]) -> Result<JobBody, String> {
        let line = Line::try_parse_from(["submit"].iter().chain(line)).map_err(|error| error.to_string())?;
        line.submit.body().map_err(|refused| match refused {
            Refused::Input(text) => text,
            other => format!("{other:?}"),
        })
    }

    /// The call sends this, or is refused with these pieces.
    #[track_caller]
    fn check(line: &[&str], expected: Result<&str, &str>) {
        match (body(line), expected) {
            (Ok(body), Ok(json)) => assert_eq!(serde_json::to_string(&body).expect("plain values"), json),
            (Err(text), Err(pieces)) => {
                pieces
                    .split(" … ")
                    .for_each(|piece| assert!(text.contains(piece), "`{piece}` is not in:\n{text}"));
            }
            (found, _) => panic!("{line:?} gave {found:?}"),
        }
    }

    #[test]
    fn a_command_becomes_a_body() {
        check(
            &["--", "/bin/echo", "--name", "x"],
            Ok(r#"{"name":"echo","run":["/bin/echo","--name","x"],"resources":{}}"#),
        );
        check(
            &[
                "--name",
                "a",
                "--project",
                "p",
                "--accelerators",
                "H200-HGX:8",
                "--cpus",
                "2",
                "--memory",
                "4GiB",
                "--limit",
                "2h",
                "--env",
                "A=b=c",
                "--env",
                "D=",
                "--",
                "x",
            ],
            Ok(
                r#"{"name":"a","project":"p","run":["x"],"limit":"2h","env":{"A":"b=c","D":""},"resources":{"accelerators":"H200-HGX:8","cpus":2,"memory":"4GiB"}}"#,
            ),
        );
        check(
            &["--accelerators", "A:2", "--accelerators", "4", "--", "x"],
            Ok(r#"{"name":"x","run":["x"],"resources":{"accelerators":["A:2","4"]}}"#),
        );
    }

    #[test]
    fn what_a_call_says_of_data_and_time_is_sent() {
        let terms = ["--leaving", "aggregated", "--assurance", "3", "--deadline", "12h"];
        let call = [&["--dataset", "a", "--dataset", "b"], &terms[..], &["--", "x"]].concat();
        let said = r#"{"name":"x","run":["x"],"data":["a","b"],"leaving":"aggregated","assurance":3,"deadline":"12h","resources":{}}"#;
        check(&call, Ok(said));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.toml");
        let file = path.to_str().expect("UTF-8");
        let text = "run = [\"x\"]\ndata = [\"c\"]\nleaving = \"nothing\"\nassurance = 1\ndeadline = \"2 d\"";
        std::fs::write(&path, text).expect("a write");
        check(&[&[file, "--dataset", "a", "--dataset", "b"], &terms[..]].concat(), Ok(said));
        check(
            &["--dataset", "a", "--leaving", "all", "--assurance", "9", "--deadline", "soon", "--", "x"],
            Err("leaving: … assurance: … deadline: "),
        );
    }

    #[test]
    fn a_file_is_read_and_the_call_goes_before_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("train.toml");
        let file = path.to_str().expect("UTF-8");
        std::fs::write(&path, "run = \"true\"\nlimit = \"2 h\"\nenv = { A = \"1\", B = \"2\" }")
            .expect("a write");
        check(
            &[file],
            Ok(r#"{"name":"train","run":"true","limit":"2 h","env":{"A":"1","B":"2"},"resources":{}}"#),
        );
        check(
            &[file, "--limit", "5min", "--env", "B=3", "--name", "n"],
            Ok(r#"{"name":"n","run":"true","limit":"5min","env":{"A":"1","B":"3"},"resources":{}}"#),
        );
        std::fs::write(&path, "runs = \"true\"").expect("a write");
        check(&[file], Err("train.toml:1:1 … did you mean `run`?"));
        check(&["nowhere.toml"], Err("`nowhere.toml` can not be read"));
    }

    #[test]
    fn what_is_wrong_with_a_call_is_said() {
        check(&[], Err("required"));
        check(&["job.toml", "--", "x"], Err("cannot be used with"));
        check(&["--env", "A", "--", "x"], Err("write `NAME=VALUE`"));
        check(
            &["--limit", "2", "--accelerators", "0", "--env", "GIGA_X=1", "--", "x"],
            Err(
                "the job is faulty … env.GIGA_X: `GIGA_X` is reserved … limit: `2` has no unit … help: write for \
                 example `limit = \"2 h\"` … resources.accelerators: `0` does not say",
            ),
        );
    }

    #[test]
    fn a_program_beside_the_call_is_noticed() {
        let lost = |line: &[&str]| lost_program(&body(line).expect("a sound call")).map(str::to_owned);
        assert_eq!(lost(&["--", "./x"]), Some("./x".into()));
        assert_eq!(lost(&["--workdir", ".", "--", "./x"]), None);
        assert_eq!(lost(&["--", "/bin/x"]), None);
        assert_eq!(lost(&["--", "x", "./y"]), None);
    }

    #[test]
    fn only_a_clear_yes_agrees() {
        let agreed: Vec<&str> =
            ["\n", "y\n", "Yes\n", "n\n", "what\n"].into_iter().filter(|l| is_yes(l)).collect();
        assert_eq!(agreed, ["\n", "y\n", "Yes\n"]);
    }

    #[test]
    fn keys_differ() {
        let keys: std::collections::BTreeSet<String> = (0..1_000).map(|_| drawn()).collect();
        assert!(keys.len() == 1_000 && keys.iter().all(|key| key.len() == 32));
    }

    #[test]
    fn the_next_commands_lead_to_the_same_server() {
        let accepted = Accepted {
            id: 17,
            tasks: None,
            name: "train".into(),
            site: None,
            state: JobState::Waiting,
            replayed: true,
        };
        let reach = Reach { data: Some("d".into()), ..Reach::default() };
        let expected = "job 17 (train): waiting\n  this key was used before: it is the job of then\n  \
                        giga job logs 17 -f --data d    what it writes, as it comes\n  \
                        giga job show 17 --data d       how far it is\n";
        assert_eq!(told(&accepted, &reach, false), expected);
        let refused = Accepted { state: JobState::Refused, replayed: false, ..accepted };
        let expected = "job 17 (train): refused\n  giga job explain 17 --data d    by which rule\n";
        assert_eq!(told(&refused, &reach, true), expected);
    }
}
