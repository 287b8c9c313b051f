//! How the values of an attempt lie in their files. Times are milliseconds since 1970; a unit ends a key's name.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use giga_model::{
    AttemptId, Container, ContainerRuntime, End, Idling, Launch, Measured, NodeUse, Receipt, SentFile,
};
use giga_units::{Bytes, Duration, Energy, Fraction, Instant};
use serde::{Deserialize, Serialize};

use super::{Body, Claim, Claimant, Handover, Lost, ProcessId, Shape};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandoverFile {
    attempt: String,
    nodes: Vec<NodeFile>,
    limit_ms: i64,
    grace_ms: i64,
    command: Vec<String>,
    env: BTreeMap<String, String>,
    workdir: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<SentFileFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    container: Option<ContainerFile>,
    cpus: Vec<u32>,
    cpus_thousandths: u64,
    memory_bytes: u64,
    devices: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeFile {
    pool: String,
    node: u32,
    accelerators: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SentFileFile {
    path: String,
    base64: String,
    executable: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContainerFile {
    runtime: String,
    image: String,
    reads: Vec<String>,
}

impl Shape for Handover {
    const KIND: &'static str = "launch";
    type File = HandoverFile;

    /// A working directory that is not UTF-8 loses what is not; an engine refuses such a launch before.
    fn to_file(&self) -> HandoverFile {
        let launch = &self.launch;
        let nodes = launch.nodes.iter().zip(&self.slots).map(|(node, slots)| NodeFile {
            pool: node.pool.clone(),
            node: node.node,
            accelerators: slots.clone(),
        });
        HandoverFile {
            attempt: launch.attempt.to_string(),
            nodes: nodes.collect(),
            limit_ms: launch.limit.as_milliseconds(),
            grace_ms: launch.grace.as_milliseconds(),
            command: launch.command.clone(),
            env: launch.env.clone(),
            workdir: launch.workdir.as_ref().map(|path| path.to_string_lossy().into_owned()),
            files: launch.files.iter().map(sent_to_file).collect(),
            container: launch.container.as_ref().map(container_to_file),
            cpus: self.cpus.clone(),
            cpus_thousandths: self.cpus_thousandths,
            memory_bytes: self.memory.as_bytes(),
            devices: self.devices.clone(),
        }
    }

    fn from_file(file: HandoverFile) -> Result<Self, &'static str> {
        if file.command.is_empty() {
            return Err("command");
        }
        let (nodes, slots) = file.nodes.into_iter().map(node_from_file).collect::<Result<_, _>>()?;
        let launch = Launch {
            attempt: attempt(&file.attempt)?,
            nodes,
            limit: duration(file.limit_ms, "limit_ms")?,
            grace: duration(file.grace_ms, "grace_ms")?,
            command: file.command,
            env: file.env,
            workdir: file.workdir.map(PathBuf::from),
            files: file.files.into_iter().map(sent_from_file).collect::<Result<_, _>>()?,
            container: file.container.map(container_from_file).transpose()?,
        };
        let memory = Bytes::of(file.memory_bytes);
        let cpus_thousandths = file.cpus_thousandths;
        Ok(Self { launch, slots, cpus: file.cpus, cpus_thousandths, memory, devices: file.devices })
    }
}

fn sent_to_file(file: &SentFile) -> SentFileFile {
    let (path, executable) = (file.path.to_string_lossy().into_owned(), file.executable);
    SentFileFile { path, base64: BASE64_STANDARD.encode(&file.bytes), executable }
}

fn sent_from_file(file: SentFileFile) -> Result<SentFile, &'static str> {
    let bytes = BASE64_STANDARD.decode(&file.base64).map_err(|_| "files")?;
    Ok(SentFile { path: PathBuf::from(file.path), bytes, executable: file.executable })
}

fn container_to_file(container: &Container) -> ContainerFile {
    ContainerFile {
        runtime: container.runtime.word().to_owned(),
        image: container.image.clone(),
        reads: container.reads.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
    }
}

fn container_from_file(file: ContainerFile) -> Result<Container, &'static str> {
    let runtime = ContainerRuntime::parse(&file.runtime).ok_or("runtime")?;
    let reads = file.reads.into_iter().map(PathBuf::from).collect();
    Ok(Container { runtime, image: file.image, reads })
}

fn node_from_file(file: NodeFile) -> Result<(NodeUse, Vec<u32>), &'static str> {
    let accelerators = u32::try_from(file.accelerators.len()).map_err(|_| "accelerators")?;
    Ok((NodeUse { pool: file.pool, node: file.node, accelerators }, file.accelerators))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimFile {
    attempt: String,
    nonce: String,
    at_ms: i64,
    by: Claimant,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    batch: Option<u64>,
}

impl Shape for Claim {
    const KIND: &'static str = "claim";
    type File = ClaimFile;

    fn to_file(&self) -> ClaimFile {
        let at_ms = self.at.as_unix_milliseconds();
        let (attempt, nonce) = (self.attempt.to_string(), self.nonce.clone());
        ClaimFile { attempt, nonce, at_ms, by: self.by.clone(), batch: self.batch }
    }

    fn from_file(file: ClaimFile) -> Result<Self, &'static str> {
        if file.nonce.is_empty() {
            return Err("nonce");
        }
        let at = Instant::unix_milliseconds(file.at_ms);
        Ok(Self { attempt: attempt(&file.attempt)?, nonce: file.nonce, at, by: file.by, batch: file.batch })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BodyFile {
    process: ProcessId,
    at_ms: i64,
}

impl Shape for Body {
    const KIND: &'static str = "body";
    type File = BodyFile;

    fn to_file(&self) -> BodyFile {
        BodyFile { process: self.process.clone(), at_ms: self.at.as_unix_milliseconds() }
    }

    fn from_file(file: BodyFile) -> Result<Self, &'static str> {
        Ok(Self { process: file.process, at: Instant::unix_milliseconds(file.at_ms) })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LostFile {
    attempt: String,
    cause: String,
    at_ms: i64,
}

impl Shape for Lost {
    const KIND: &'static str = "lost";
    type File = LostFile;

    fn to_file(&self) -> LostFile {
        let at_ms = self.at.as_unix_milliseconds();
        LostFile { attempt: self.attempt.to_string(), cause: self.cause.clone(), at_ms }
    }

    fn from_file(file: LostFile) -> Result<Self, &'static str> {
        let at = Instant::unix_milliseconds(file.at_ms);
        Ok(Self { attempt: attempt(&file.attempt)?, cause: file.cause, at })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdlingFile {
    since_ms: i64,
    cpus_thousandths: u64,
}

impl Shape for Idling {
    const KIND: &'static str = "idling";
    type File = IdlingFile;

    fn to_file(&self) -> IdlingFile {
        IdlingFile { since_ms: self.since.as_unix_milliseconds(), cpus_thousandths: self.cpus_thousandths }
    }

    fn from_file(file: IdlingFile) -> Result<Self, &'static str> {
        let since = Instant::unix_milliseconds(file.since_ms);
        Ok(Self { since, cpus_thousandths: file.cpus_thousandths })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReceiptFile {
    attempt: String,
    nonce: String,
    started_ms: i64,
    ended_ms: i64,
    end: EndFile,
    host: String,
    cpu_ms: i64,
    memory_peak_bytes: Option<u64>,
    energy: Option<EnergyFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnergyFile {
    energy_j: i64,
    method: String,
    uncertainty_ppm: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum EndFile {
    Exited { code: i32 },
    Signalled { signal: i32 },
    TimedOut {},
    Stopped {},
    NotStarted { cause: String },
}

impl Shape for Receipt {
    const KIND: &'static str = "receipt";
    type File = ReceiptFile;

    fn to_file(&self) -> ReceiptFile {
        ReceiptFile {
            attempt: self.attempt.to_string(),
            nonce: self.nonce.clone(),
            started_ms: self.started.as_unix_milliseconds(),
            ended_ms: self.ended.as_unix_milliseconds(),
            end: end_to_file(&self.end),
            host: self.host.clone(),
            cpu_ms: self.cpu_time.as_milliseconds(),
            memory_peak_bytes: self.memory_peak.map(Bytes::as_bytes),
            energy: self.energy.as_ref().map(|measured| EnergyFile {
                energy_j: i64::try_from(measured.energy.as_joules()).unwrap_or(i64::MAX),
                method: measured.method.clone(),
                uncertainty_ppm: measured.uncertainty.as_ppm(),
            }),
        }
    }

    fn from_file(file: ReceiptFile) -> Result<Self, &'static str> {
        let (started, ended) =
            (Instant::unix_milliseconds(file.started_ms), Instant::unix_milliseconds(file.ended_ms));
        if ended < started {
            return Err("ended_ms");
        }
        Ok(Self {
            attempt: attempt(&file.attempt)?,
            nonce: file.nonce,
            started,
            ended,
            end: end_from_file(file.end),
            host: file.host,
            cpu_time: duration(file.cpu_ms, "cpu_ms")?,
            memory_peak: file.memory_peak_bytes.map(Bytes::of),
            energy: file.energy.map(energy_from_file).transpose()?,
        })
    }
}

fn end_to_file(end: &End) -> EndFile {
    match end {
        End::Exited { code } => EndFile::Exited { code: *code },
        End::Signalled { signal } => EndFile::Signalled { signal: *signal },
        End::TimedOut => EndFile::TimedOut {},
        End::Stopped => EndFile::Stopped {},
        End::NotStarted { cause } => EndFile::NotStarted { cause: cause.clone() },
    }
}

fn end_from_file(end: EndFile) -> End {
    match end {
        EndFile::Exited { code } => End::Exited { code },
        EndFile::Signalled { signal } => End::Signalled { signal },
        EndFile::TimedOut {} => End::TimedOut,
        EndFile::Stopped {} => End::Stopped,
        EndFile::NotStarted { cause } => End::NotStarted { cause },
    }
}

fn energy_from_file(file: EnergyFile) -> Result<Measured, &'static str> {
    if file.energy_j < 0 {
        return Err("energy_j");
    }
    let (energy, uncertainty) = (Energy::joules(file.energy_j.into()), Fraction::ppm(file.uncertainty_ppm));
    Ok(Measured { energy, method: file.method, uncertainty })
}

fn attempt(text: &str) -> Result<AttemptId, &'static str> {
    text.parse().map_err(|_| "attempt")
}

fn duration(milliseconds: i64, field: &'static str) -> Result<Duration, &'static str> {
    if milliseconds < 0 { Err(field) } else { Ok(Duration::milliseconds(milliseconds)) }
}
