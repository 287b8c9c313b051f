//! Slurm by its command line: `sbatch`, `squeue`, `sacct`, `scancel`, `sinfo`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration as Span, Instant as Clock};

use giga_formats::slurm::{Ask, NodeRecord, Record, job_line, node_line};

use super::transport::{Fault, Transport, refusal};

/// The commands themselves give up after Slurm's `MessageTimeout`, of 10 s unless configured otherwise.
const PATIENCE: Span = Span::from_secs(30);
const LOOK: Span = Span::from_millis(2);

/// One cluster, asked by its commands.
#[derive(Debug, Clone)]
pub struct Cli {
    /// The configuration that chooses the cluster, or `None` for the one of this machine.
    pub conf: Option<PathBuf>,
    /// Who we are there.
    pub user: String,
}

impl Cli {
    /// Runs a command to its end, or for as long as a command may take.
    fn run(&self, program: &str, arguments: &[String], input: &str) -> Result<Output, Fault> {
        let fault = |what: &str, cause: std::io::Error| Fault::Unknown(format!("{program} {what}: {cause}"));
        let mut command = Command::new(program);
        command.args(arguments).env_clear();
        let kept = ["PATH", "HOME", "LANG", "USER"];
        command.envs(kept.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.envs([("LC_ALL", "C"), ("TZ", "UTC"), ("SLURM_TIME_FORMAT", "%s")]);
        command.envs(self.conf.iter().map(|conf| ("SLURM_CONF", conf)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|cause| fault("can not be started", cause))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that ended before it read this says why by itself.
            let _ = stdin.write_all(input.as_bytes());
        }
        finish(child)
            .map_err(|cause| fault("can not be waited for", cause))?
            .ok_or_else(|| Fault::Unknown(format!("{program} did not end within {} s", PATIENCE.as_secs())))
    }

    /// What a command prints that does not fail.
    fn ask(&self, program: &str, arguments: &[String]) -> Result<String, Fault> {
        let output = self.run(program, arguments, "")?;
        if !output.status.success() {
            return Err(Fault::Unknown(format!("{program}: {}", told(&output))));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn list(&self, program: &str, arguments: &[&str]) -> Result<Vec<Record>, Fault> {
        let owned: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let text = self.ask(program, &owned)?;
        let read =
            |line: &str| job_line(line).ok_or_else(|| Fault::Unknown(format!("{program} printed `{line}`")));
        text.lines().filter(|line| !line.trim().is_empty()).map(read).collect()
    }
}

/// Collects what a child prints until it ends; `None` where it took too long and was killed.
fn finish(mut child: Child) -> std::io::Result<Option<Output>> {
    let until = Clock::now() + PATIENCE;
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        let out = scope.spawn(|| all(out.as_mut()));
        let err = scope.spawn(|| all(err.as_mut()));
        let status = loop {
            match child.try_wait()? {
                Some(status) => break Some(status),
                None if Clock::now() >= until => {
                    child.kill()?;
                    child.wait()?;
                    break None;
                }
                None => std::thread::sleep(LOOK),
            }
        };
        let (stdout, stderr) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
        Ok(status.map(|status| Output { status, stdout, stderr }))
    })
}

fn all(from: Option<&mut impl std::io::Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What can not be read is as if it had not been printed.
    let _ = from.map(|from| from.read_to_end(&mut bytes));
    bytes
}

/// The last thing a failing command said.
fn told(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    let last = last.split_once("error: ").map_or(last, |(_, what)| what);
    last.trim().to_owned()
}

fn arguments(ask: &Ask) -> Vec<String> {
    let names: Vec<String> = ask.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut arguments = vec![
        "--parsable".to_owned(),
        format!("--job-name={}", ask.name),
        format!("--export={}", if names.is_empty() { "NONE".to_owned() } else { names.join(",") }),
        "--no-requeue".to_owned(),
        "--dependency=singleton".to_owned(),
        "--input=/dev/null".to_owned(),
        "--open-mode=append".to_owned(),
        format!("--output={}", ask.log),
        format!("--chdir={}", ask.workdir),
        format!("--partition={}", ask.partition),
        format!("--nodes={0}-{0}", ask.nodes),
        "--ntasks-per-node=1".to_owned(),
        format!("--cpus-per-task={}", ask.cpus),
        format!("--time={}", ask.minutes),
    ];
    let mut named = |option: &str, value: &Option<String>| {
        arguments.extend(value.iter().map(|value| format!("--{option}={value}")));
    };
    named("nodelist", &Some(ask.hosts.join(",")).filter(|hosts| !hosts.is_empty()));
    named("constraint", &ask.constraint);
    named("account", &ask.account);
    named("qos", &ask.qos);
    named("reservation", &ask.reservation);
    if !ask.gres.is_empty() {
        arguments.push(format!("--gres={}", ask.gres));
    }
    if ask.memory > 0 {
        arguments.push(format!("--mem={}M", ask.memory));
    }
    arguments
}

impl Transport for Cli {
    fn submit(&self, ask: &Ask) -> Result<u64, Fault> {
        let output = self.run("sbatch", &arguments(ask), &ask.script)?;
        let text = String::from_utf8_lossy(&output.stdout);
        // A number means that it was submitted, whatever else is said.
        let id = text.lines().find_map(|line| line.trim().split(';').next()?.parse().ok());
        id.ok_or_else(|| {
            if output.status.success() {
                Fault::Unknown("sbatch gave no number".into())
            } else {
                refusal(&told(&output))
            }
        })
    }

    fn queue(&self) -> Result<Vec<Record>, Fault> {
        let user = format!("--user={}", self.user);
        self.list("squeue", &["--noheader", "--states=all", &user, "--format=%i|%u|%V|%T|%N|%r|%j"])
    }

    fn accounted(&self, names: &[String]) -> Result<Vec<Record>, Fault> {
        let (user, names) = (format!("--user={}", self.user), format!("--name={}", names.join(",")));
        let fields = "--format=JobIDRaw,User,Submit,State,NodeList,Reason,JobName%-200";
        // Two years, so that no clock of theirs and ours matters.
        let text = self.ask(
            "sacct",
            &[
                &user,
                &names,
                "--allocations",
                "--duplicates",
                "--noheader",
                "--parsable2",
                "--starttime=now-730days",
                fields,
            ]
            .map(str::to_owned),
        );
        match text {
            // Without accounting there is nothing it knows.
            Err(Fault::Unknown(text)) if text.contains("accounting storage is disabled") => Ok(Vec::new()),
            Err(fault) => Err(fault),
            Ok(text) => Ok(text.lines().filter_map(job_line).collect()),
        }
    }

    fn cancel(&self, id: u64, name: &str) -> Result<(), Fault> {
        let arguments = [format!("--name={name}"), format!("--user={}", self.user), id.to_string()];
        self.ask("scancel", &arguments).map(drop)
    }

    fn terminate(&self, id: u64, name: &str) -> Result<(), Fault> {
        let (name, user) = (format!("--name={name}"), format!("--user={}", self.user));
        let arguments = ["--batch".to_owned(), "--signal=TERM".to_owned(), name, user, id.to_string()];
        self.ask("scancel", &arguments).map(drop)
    }

    fn nodes(&self, partition: &str) -> Result<Vec<NodeRecord>, Fault> {
        let partition = format!("--partition={partition}");
        let text = self.ask(
            "sinfo",
            &["--noheader", "--Node", &partition, "--format=%N|%c|%m|%t|%f|%G"].map(str::to_owned),
        )?;
        let read =
            |line: &str| node_line(line).ok_or_else(|| Fault::Unknown(format!("sinfo printed `{line}`")));
        text.lines().filter(|line| !line.trim().is_empty()).map(read).collect()
    }

    fn configured(&self, name: &str) -> Result<Option<String>, Fault> {
        let text = self.ask("scontrol", &["show", "config"].map(str::to_owned))?;
        Ok(text.lines().find_map(|line| value(line, name)))
    }
}

/// The value of `Name   = value`.
fn value(line: &str, name: &str) -> Option<String> {
    let (found, value) = line.split_once('=')?;
    (found.trim() == name).then(|| value.trim().to_owned())
}
