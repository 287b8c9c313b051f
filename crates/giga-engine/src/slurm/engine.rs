//! The engine itself: hands attempts to Slurm, watches over what becomes of them, and tells it.
//!
//! Calls look at files and at the last answer of Slurm, and never wait for it: one thread asks it again and again, and some
//! carry out what is to be asked of it. What they do follows from the files and from [`protocol`], so that an engine that is
//! opened again goes on where the one before was broken off.

mod tend;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration as Span, Instant as Clock};

use giga_formats::attempt::Handover;
use giga_model::{AttemptId, Idling, JobId, Launch};
use giga_units::{Bytes, Instant};

use super::known::{ASKED, Known, Stage};
use super::protocol::Rules;
use super::transport::Transport;
use crate::attempt::claim::{self, CLAIM};
use crate::attempt::home::{Home, OpenError};
use crate::attempt::launch::{fault, is_over, unavailable};
use crate::attempt::supervisor::{LAUNCH, STOP};
use crate::{Carried, Chunk, Contact, Engine, EngineError, JobFolder, OutputStream, Seen};
use giga_formats::slurm::{JobState, NodeRecord, Record};

/// How a site's pools lie in its Slurm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlurmSite {
    /// Its pools.
    pub pools: Vec<SlurmPool>,
    /// The account that jobs are charged to there, if one must be named.
    pub account: Option<String>,
    /// The quality of service, if one must be named.
    pub qos: Option<String>,
    /// The reservation that is lent, if one is.
    pub reservation: Option<String>,
    /// Whether Slurm chooses nodes and decides when a job begins, because others submit there too.
    pub guest: bool,
    /// How often Slurm is asked.
    pub poll: Span,
    /// What the protocol waits.
    pub rules: Rules,
}

/// A pool of nodes in a Slurm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlurmPool {
    /// Its name in the description.
    pub name: String,
    /// How many nodes.
    pub nodes: u32,
    /// How many accelerators each has.
    pub accelerators_per_node: u32,
    /// The partition that its nodes are in.
    pub partition: String,
    /// The features that tell its nodes from others of the partition, if any are needed.
    pub constraint: Option<String>,
    /// What Slurm calls its accelerators, such as `gpu` or `gpu:h200`; empty where it does not count them.
    pub gres: String,
}

/// Carries attempts out as jobs of a Slurm cluster.
pub struct SlurmEngine(Arc<Inner>);

/// What calls and threads share.
struct Inner {
    home: Home,
    site: SlurmSite,
    supervisor: Vec<String>,
    transport: Box<dyn Transport>,
    /// What tells jobs of this engine from those of others.
    tag: String,
    opened: Clock,
    state: Mutex<State>,
    /// Rung when there is work, or the end.
    bell: Condvar,
}

#[derive(Default)]
struct State {
    known: BTreeMap<AttemptId, Known>,
    over: BTreeMap<AttemptId, Seen>,
    /// What Slurm said last of our jobs, by name, and when it was asked.
    queue: Option<(Span, HashMap<String, Vec<Record>>)>,
    /// Why it does not answer, and since when.
    silent: Option<(Span, String)>,
    pools: BTreeMap<String, Nodes>,
    work: VecDeque<Work>,
    closing: bool,
}

/// What is known of the nodes of a pool.
struct Nodes {
    /// What one accelerator brings with it.
    carried: Carried,
    /// Slurm's names of them, in the order in which the core counts them.
    hosts: Vec<String>,
    /// Which of them nothing can run on, by the last look.
    seen_out: BTreeSet<u32>,
    /// The same by the last two looks.
    out: BTreeSet<u32>,
}

/// Something to be asked of Slurm.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Work {
    Submit(AttemptId),
    Terminate(u64, String),
    Cancel(u64, String),
}

/// Threads that ask Slurm for something. Its controller answers about as many at once as it has such threads for.
const WORKERS: usize = 6;
/// How long Slurm may be silent until what runs there counts as unclear: about as long as a controller takes to come up.
const SILENCE: Span = Span::from_secs(60);
/// How long an engine that is opened waits for Slurm to say what its nodes are.
const KNOW: Span = Span::from_secs(2);
/// How often a job that should stop is told so through Slurm, beside the file in its folder.
const TELL: Span = Span::from_secs(5);
/// How long after its grace a job that should have stopped is ended by Slurm.
const PATIENCE: Span = Span::from_secs(15);

impl SlurmEngine {
    /// Opens an engine on a folder of its own, which the nodes see under the same path; it is made where it is missing.
    /// `supervisor` is the program with its first arguments that, given the folder of an attempt as its last one, calls
    /// [`crate::attempt::supervise`]; the nodes must find it under this path too.
    ///
    /// # Errors
    /// Fails where the folder can not be used, or no program is named. A Slurm that does not answer is waited for.
    pub fn open(
        folder: &Path,
        site: SlurmSite,
        transport: Box<dyn Transport>,
        supervisor: Vec<String>,
    ) -> Result<Self, OpenError> {
        if supervisor.is_empty() {
            return Err(OpenError::NoSupervisor);
        }
        let home = Home::open(folder)?;
        let fault = |source| OpenError::Folder { folder: folder.to_owned(), source };
        let tag = tag(&home).map_err(fault)?;
        let (state, bell) = (Mutex::default(), Condvar::new());
        let inner = Inner { home, site, supervisor, transport, tag, opened: Clock::now(), state, bell };
        let inner = Arc::new(inner);
        let run = |name: &str, work: fn(&Inner)| {
            let inner = Arc::clone(&inner);
            thread::Builder::new().name(name.to_owned()).spawn(move || work(&inner)).map(drop).map_err(fault)
        };
        run("slurm watch", Inner::watch)?;
        (0..WORKERS).try_for_each(|_| run("slurm work", Inner::work))?;
        // What its accelerators carry is good to know before anything starts, and no reason to wait for a Slurm that is away.
        let unknown = |state: &mut State| state.pools.is_empty();
        drop(inner.bell.wait_timeout_while(inner.state(), KNOW, unknown));
        Ok(Self(inner))
    }
}

impl Drop for SlurmEngine {
    fn drop(&mut self) {
        self.0.state().closing = true;
        self.0.bell.notify_all();
    }
}

/// The tag of a folder, made once.
fn tag(home: &Home) -> std::io::Result<String> {
    let path = home.path().join("tag");
    let _lock = home.lock()?;
    if let Ok(tag) = std::fs::read_to_string(&path)
        && tag.len() == 8
    {
        return Ok(tag);
    }
    let mut bytes = [0_u8; 4];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let tag: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(&path, &tag)?;
    File::open(&path)?.sync_all()?;
    Ok(tag)
}

/// The hosts of a pool in the order in which the core counts its nodes. A host keeps its place for good; new ones come behind.
fn hosts(home: &Home, pool: &SlurmPool, nodes: &[NodeRecord]) -> std::io::Result<Vec<String>> {
    let path = home.path().join(format!("hosts-{}", pool.name));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(fault) => return Err(fault),
    };
    let mut hosts: Vec<String> = text.lines().map(str::to_owned).collect();
    let known: BTreeSet<&str> = hosts.iter().map(String::as_str).collect();
    let new = nodes.iter().map(|node| node.name.clone()).filter(|name| !known.contains(name.as_str()));
    let new: Vec<String> = new.take((pool.nodes as usize).saturating_sub(hosts.len())).collect();
    if !new.is_empty() {
        hosts.extend(new);
        let _lock = home.lock()?;
        let aside = home.path().join(format!(".hosts-{}.{}", pool.name, std::process::id()));
        std::fs::write(&aside, hosts.join("\n") + "\n")?;
        File::open(&aside)?.sync_all()?;
        std::fs::rename(&aside, &path)?;
    }
    Ok(hosts)
}

impl Inner {
    /// It holds only what is true whoever died while holding it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A clock that never jumps.
    fn now(&self) -> Span {
        self.opened.elapsed()
    }

    fn name(&self, attempt: AttemptId) -> String {
        format!("{attempt}-{}", self.tag)
    }

    /// The attempt of a job of ours.
    fn attempt_of(&self, name: &str) -> Option<AttemptId> {
        name.strip_suffix(&self.tag)?.strip_suffix('-')?.parse().ok()
    }

    fn pool(&self, name: &str) -> Option<&SlurmPool> {
        self.site.pools.iter().find(|pool| pool.name == name)
    }

    /// Why these pools can never carry a launch, with the way out.
    fn fault(&self, launch: &Launch) -> Option<String> {
        let first = launch.nodes.first();
        let Some(first) = first else { return Some("it names no node; give it at least one".into()) };
        let Some(pool) = self.pool(&first.pool) else {
            return Some(format!(
                "there is no pool `{}` here; describe it and restart the server",
                first.pool
            ));
        };
        if launch.container.is_some() && launch.nodes.len() > 1 {
            return Some(
                "a container on several hosts is not supported; leave `container` out, and put the runtime's own command behind \
                 `$GIGA_ON_EACH_HOST`"
                    .to_owned(),
            );
        }
        let mut seen = BTreeSet::new();
        launch.nodes.iter().find_map(|node| {
            let most = pool.accelerators_per_node;
            if node.pool != first.pool || node.accelerators != first.accelerators {
                Some("its nodes are not alike; ask for the same of each".to_owned())
            } else if node.node >= pool.nodes {
                Some(format!("pool `{}` has {} nodes and no node {}", pool.name, pool.nodes, node.node))
            } else if node.accelerators == 0 || node.accelerators > most {
                let count = node.accelerators;
                Some(format!("{count} accelerators on a node of `{}`; ask for 1 to {most}", pool.name))
            } else {
                let first_time = seen.insert(node.node);
                (!first_time).then(|| format!("node {} is named twice; name it once", node.node))
            }
        })
    }

    /// Learns from Slurm what the nodes are, and which of them are out; where it does not tell, the last word counts.
    fn measure(&self) {
        for pool in &self.site.pools {
            let Ok(mut nodes) = self.transport.nodes(&pool.partition) else { continue };
            if let Some(feature) = &pool.constraint {
                nodes.retain(|node| node.features.contains(feature));
            }
            let Ok(hosts) = hosts(&self.home, pool, &nodes) else { continue };
            let ours = |node: &&NodeRecord| hosts.contains(&node.name);
            let each = u64::from(pool.accelerators_per_node.max(1));
            let cpus = nodes.iter().filter(ours).map(|node| u64::from(node.cpus)).min().unwrap_or(0);
            let memory = nodes.iter().filter(ours).map(|node| node.memory).min().unwrap_or(0);
            let memory = Bytes::of(memory.saturating_mul(1 << 20) / each);
            let carried = Carried { cpus_thousandths: cpus * 1_000 / each, memory };
            let out = (0..pool.nodes).filter(|&node| {
                let host =
                    hosts.get(node as usize).and_then(|host| nodes.iter().find(|node| node.name == *host));
                let short = |node: &NodeRecord| {
                    !pool.gres.is_empty() && node.accelerators < pool.accelerators_per_node
                };
                host.is_none_or(|node| node.is_out() || short(node))
            });
            let seen_out: BTreeSet<u32> = out.collect();
            let mut state = self.state();
            // Seen twice, since a controller or a node that comes up looks out for a moment; work on it is interrupted then.
            let before = state.pools.get(&pool.name).map(|known| known.seen_out.clone()).unwrap_or_default();
            let out = seen_out.intersection(&before).copied().collect();
            state.pools.insert(pool.name.clone(), Nodes { carried, hosts, seen_out, out });
            drop(state);
        }
        self.bell.notify_all();
    }

    /// A launch with what it gets here. Slurm chooses the accelerators.
    fn handover(&self, launch: &Launch, state: &State) -> Handover {
        let pool = launch.nodes.first().and_then(|node| state.pools.get(&node.pool));
        let carried = pool.map_or_else(Carried::default, |pool| pool.carried);
        let count = launch.nodes.iter().map(|node| u64::from(node.accelerators)).sum::<u64>();
        Handover {
            launch: launch.clone(),
            slots: launch.nodes.iter().map(|node| (0..node.accelerators).collect()).collect(),
            cpus: Vec::new(),
            cpus_thousandths: carried.cpus_thousandths * count,
            memory: carried.memory.times(count),
            devices: Vec::new(),
        }
    }

    /// What is known of an attempt, as it was left by a process before this one where there was one.
    fn known<'a>(&self, state: &'a mut State, attempt: AttemptId) -> std::io::Result<&'a mut Known> {
        match state.known.entry(attempt) {
            std::collections::btree_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let mut known = Known::default();
                if self.home.live(attempt).file(ASKED).try_exists()? {
                    known.dealings.submitted = Some(Span::ZERO);
                }
                Ok(entry.insert(known))
            }
        }
    }

    /// Since when an attempt runs that is over on its first host, and of which Slurm has not said since that it ended on the others.
    fn ends_elsewhere(&self, state: &mut State, attempt: AttemptId) -> std::io::Result<Option<Instant>> {
        let (folder, now, name) = (self.home.live(attempt), self.now(), self.name(attempt));
        let known = self.known(state, attempt)?;
        let Some(since) = known.spread(&folder)? else { return Ok(None) };
        let from = *known.ending.get_or_insert(now);
        let asked = state.queue.as_ref().filter(|(looked, _)| *looked >= from);
        let jobs = asked.map(|(_, by_name)| by_name.get(&name).map(Vec::as_slice).unwrap_or_default());
        let ended = jobs.is_some_and(|jobs| jobs.iter().all(|job| job.state != JobState::Lives));
        Ok((!ended).then_some(since))
    }

    /// Since when Slurm does not answer and why, where that is long enough to matter.
    fn silent(&self, state: &State) -> Option<(Span, String)> {
        state.silent.clone().filter(|(since, _)| self.now().saturating_sub(*since) > SILENCE)
    }

    /// What is seen of an attempt in `live/`, or `None` where it provably never was handed over.
    fn seen(&self, state: &mut State, attempt: AttemptId) -> std::io::Result<Option<Seen>> {
        if let Some(over) = state.over.get(&attempt) {
            return Ok(Some(over.clone()));
        }
        let silent = self.silent(state);
        let stage = self.known(state, attempt)?.look(&self.home.live(attempt))?;
        Ok(match stage {
            Stage::Nothing => None,
            Stage::Unclear(cause) => Some(Seen::Unclear { cause }),
            Stage::Unclaimed => Some(Seen::Pending),
            // Its time counts from what the program's own beginning says.
            Stage::Claimed { began: None, .. } if self.site.guest => Some(Seen::Pending),
            Stage::Claimed { at, began } => Some(match silent {
                None => Seen::Running { since: began.unwrap_or(at) },
                Some((since, why)) => {
                    let seconds = self.now().saturating_sub(since).as_secs();
                    Seen::Unclear { cause: format!("for {seconds} s {why}") }
                }
            }),
            Stage::Over(over) => {
                if let Some(since) = self.ends_elsewhere(state, attempt)? {
                    return Ok(Some(Seen::Running { since }));
                }
                state.over.insert(attempt, over.clone());
                state.known.remove(&attempt);
                Some(over)
            }
        })
    }
}

impl Engine for SlurmEngine {
    fn start(&self, launch: &Launch) -> Result<(), EngineError> {
        let (inner, attempt) = (&self.0, launch.attempt);
        let fault_of = unavailable("start an attempt");
        // A server that was killed may have left a folder without a launch.
        let known = |known: &Known| known.handover.is_some() || known.claim.is_some();
        let new = {
            let state = inner.state();
            (!state.known.get(&attempt).is_some_and(known)).then(|| inner.handover(launch, &state))
        };
        if let Some(handover) = new {
            // The disk is waited for without what others need.
            let folder = inner.home.live(attempt);
            let there = |path: &Path| path.try_exists().map_err(&fault_of);
            let _lock = inner.home.lock().map_err(&fault_of)?;
            if there(inner.home.done(attempt).path())? || there(&folder.file(CLAIM))? {
                return Ok(());
            }
            if !there(&folder.file(LAUNCH))? {
                if let Some(cause) = fault(launch).or_else(|| inner.fault(launch)) {
                    return Err(EngineError::Refused { attempt, cause });
                }
                let made = inner.home.make_live(attempt).and_then(|folder| folder.make(LAUNCH, &handover));
                made.map_err(&fault_of)?;
            }
        }
        let mut state = inner.state();
        let steps =
            inner.known(&mut state, attempt).map(|_| ()).and_then(|()| inner.tend(&mut state, attempt));
        steps.map_err(&fault_of)?;
        let complaint = state.known.get_mut(&attempt).and_then(|known| known.complaint.take());
        complaint.map_or(Ok(()), |cause| {
            Err(EngineError::Unavailable { what: "start an attempt", cause, source: None })
        })
    }

    fn stop(&self, attempt: AttemptId) -> Result<(), EngineError> {
        let (inner, folder) = (&self.0, self.0.home.live(attempt));
        let mut state = inner.state();
        if state.over.contains_key(&attempt) {
            return Ok(());
        }
        let now = inner.now();
        let mut stopped = || {
            {
                let _lock = inner.home.lock()?;
                if inner.home.done(attempt).path().try_exists()? {
                    return Ok(());
                }
                inner.home.make_live(attempt)?;
                // Before anything hears of it, so that its end is known to be wanted.
                folder.raise(STOP)?;
                if !folder.file(CLAIM).try_exists()? {
                    claim::fence(&folder, attempt)?;
                }
            }
            let known = inner.known(&mut state, attempt)?;
            known.stopping.get_or_insert((now, now.saturating_sub(TELL)));
            inner.tend(&mut state, attempt)
        };
        stopped().map_err(unavailable("stop an attempt"))
    }

    fn observe(&self) -> Result<BTreeMap<AttemptId, Seen>, EngineError> {
        let inner = &self.0;
        let listed = inner.home.listed().map_err(unavailable("list its attempts"))?;
        let mut all = BTreeMap::new();
        for attempt in listed {
            let seen = inner.seen(&mut inner.state(), attempt).unwrap_or_else(|fault| {
                Some(Seen::Unclear { cause: format!("its files could not be looked at: {fault}") })
            });
            all.extend(seen.map(|seen| (attempt, seen)));
        }
        inner.state().over.retain(|attempt, _| all.contains_key(attempt));
        Ok(all)
    }

    fn forget(&self, attempt: AttemptId) -> Result<(), EngineError> {
        let inner = &self.0;
        let fault_of = unavailable("forget an attempt");
        let mut state = inner.state();
        let _lock = inner.home.lock().map_err(&fault_of)?;
        if !inner.home.live(attempt).path().try_exists().map_err(&fault_of)? {
            return Ok(());
        }
        let seen = inner.seen(&mut state, attempt).map_err(&fault_of)?;
        if !is_over(attempt, seen)? {
            return Ok(());
        }
        inner.home.file_away(attempt).map_err(fault_of)?;
        state.over.remove(&attempt);
        state.known.remove(&attempt);
        Ok(())
    }

    fn output(
        &self,
        attempt: AttemptId,
        stream: OutputStream,
        from: u64,
        most: usize,
    ) -> Result<Chunk, EngineError> {
        self.0.home.output(attempt, stream, from, most)
    }

    fn input(&self, attempt: AttemptId, at: Option<u64>, bytes: &[u8]) -> Result<u64, EngineError> {
        self.0.home.input(attempt, at, bytes)
    }

    fn idling(&self) -> Result<BTreeMap<AttemptId, Idling>, EngineError> {
        self.0.home.idling().map_err(unavailable("list its attempts"))
    }

    fn folder(&self, job: JobId) -> Result<Option<JobFolder>, EngineError> {
        JobFolder::open(&self.0.home, job).map_err(unavailable("look at the folder of a job"))
    }

    fn carries(&self, pool: &str) -> Carried {
        self.0.state().pools.get(pool).map_or_else(Carried::default, |pool| pool.carried)
    }

    fn nodes_out(&self) -> Option<BTreeSet<(String, u32)>> {
        // Where Slurm chooses the nodes, which of them are out is its own business.
        if self.0.site.guest {
            return None;
        }
        let state = self.0.state();
        // As long as a pool is not known, nothing can be said of the site.
        if state.pools.len() < self.0.site.pools.len() {
            return None;
        }
        let out = |(name, pool): (&String, &Nodes)| {
            pool.out.iter().map(|&node| (name.clone(), node)).collect::<Vec<_>>()
        };
        Some(state.pools.iter().flat_map(out).collect())
    }

    fn began(&self, attempt: AttemptId) -> Option<Instant> {
        self.0.home.live(attempt).began().ok()?
    }

    fn waits_for(&self, attempt: AttemptId) -> Option<String> {
        let state = self.0.state();
        let (_, records) = state.queue.as_ref()?;
        let waits =
            records.get(&self.0.name(attempt))?.iter().find(|record| record.state == JobState::Waits)?;
        Some(format!("job {} of Slurm waits there: {}", waits.id, waits.reason))
    }

    fn contact(&self) -> Contact {
        let state = self.0.state();
        match self.0.silent(&state) {
            Some((_, cause)) => Contact::Silent { cause },
            None if state.queue.is_none() => Contact::Unknown,
            None => Contact::Answers,
        }
    }

    fn pace(&self) -> Span {
        // Files are looked at, over a network perhaps.
        Span::from_millis(200)
    }
}
