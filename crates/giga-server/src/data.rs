//! The data of the sites: what lies there is registered and held against what is registered, and copied to where it is missing, if
//! its policy lets it. Tasks are durable before they begin, so a server that was killed goes on with them.
//!
//! It decides nothing about work. What is allowed is asked of the same code of the model that the scheduler asks.

mod gate;
mod policy;
mod staging;
mod tree;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use giga_formats::manifest::{Digest, Manifest, hex};
use giga_model::{ContainerRuntime, Dataset, Federation, Forbidding, SiteId, Wan};
use giga_store::{ContentRow, CopyRow, Standing, Store, StoreError, TaskEnd, TaskKind, TaskRow, TaskState};
use giga_units::{Bytes, Duration, Money};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

pub(crate) use self::gate::{Gate, variable};
pub(crate) use self::policy::{why, words};
use self::staging::{FromFolder, Staged, Staging};
use self::tree::TreeError;
use crate::live::core::clock;

/// How long a worker waits after the store did not answer.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(5);
/// How many tasks are worked on at once; more wait in their order.
pub(crate) const WORKERS: usize = 4;

/// What is known of data at sites, and the line of what is to be done.
pub(crate) struct Data {
    federation: Arc<Federation>,
    store: Arc<Store>,
    /// The folders of the sites that keep files where this machine sees them.
    areas: BTreeMap<SiteId, PathBuf>,
    line: Mutex<Line>,
    wake: Condvar,
    /// Held while a task is put in the line, which waits for the store.
    entering: Mutex<()>,
    /// Nothing more is begun or gone on with.
    closed: AtomicBool,
    /// Held while content is registered, so that one is the first.
    registering: Mutex<()>,
}

#[derive(Default)]
struct Line {
    last: u64,
    waiting: VecDeque<TaskRow>,
    running: Vec<(TaskRow, Arc<AtomicU64>)>,
}

/// Why something can not be done with data. Each says the way out.
#[derive(Debug, Error)]
pub(crate) enum Declined {
    /// Its policy forbids it.
    #[error("{text}")]
    Forbidden {
        /// What the policy says.
        text: String,
    },
    /// It is not known what it holds, or where there is a sound copy.
    #[error(
        "data `{dataset}` is registered nowhere, or no copy of it is sound; register one where it lies with \
         `giga dataset add {dataset} --at SITE`"
    )]
    NoCopy {
        /// Which.
        dataset: String,
    },
    /// The site keeps its files elsewhere.
    #[error(
        "site `{site}` keeps no files that this machine sees; only copies between sites whose folders it sees are supported"
    )]
    NoArea {
        /// Which.
        site: String,
    },
    /// Something else is done there.
    #[error("data `{dataset}` is being worked on at site `{site}` (task {task}); wait until that is over")]
    Busy {
        /// Which.
        dataset: String,
        /// Where.
        site: String,
        /// By what.
        task: u64,
    },
    /// A folder can not be registered.
    #[error("`{path}` can not be registered: {cause}")]
    Path {
        /// Which.
        path: String,
        /// Why, and what would help.
        cause: String,
    },
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a staging will do.
#[derive(Debug, Clone)]
pub(crate) struct StagingPlan {
    /// From where.
    pub(crate) source: SiteId,
    /// To where.
    pub(crate) target: SiteId,
    pub(crate) content: ContentRow,
    pub(crate) wan: Wan,
    /// Whether there is a sound copy already.
    pub(crate) there: bool,
}

impl StagingPlan {
    /// How much is moved.
    pub(crate) fn bytes(&self) -> Bytes {
        if self.there { Bytes::of(0) } else { Bytes::of(self.content.bytes) }
    }
    /// How long that takes by the network of the description.
    pub(crate) fn time(&self) -> Duration {
        self.wan.time(self.bytes())
    }
    /// What it costs.
    pub(crate) fn cost(&self) -> Money {
        self.wan.cost(self.bytes())
    }
}

/// The checksum of a dataset: the SHA-256 of its manifest.
pub(crate) fn digest(manifest: &Manifest) -> Digest {
    Sha256::digest(manifest.write().as_bytes()).into()
}

impl Data {
    /// Takes up what was not over when the last server ended.
    pub(crate) fn open(
        federation: Arc<Federation>,
        store: Arc<Store>,
        areas: BTreeMap<SiteId, PathBuf>,
    ) -> Result<Self, StoreError> {
        let (last, waiting) = (store.last_task()?, store.tasks_open()?.into());
        let line = Mutex::new(Line { last, waiting, running: Vec::new() });
        let (wake, closed) = (Condvar::new(), AtomicBool::new(false));
        let (entering, registering) = (Mutex::default(), Mutex::default());
        Ok(Self { federation, store, areas, line, wake, entering, closed, registering })
    }

    /// Works on tasks until it is closed.
    pub(crate) fn work(&self) {
        while let Some((task, moved)) = self.next() {
            let number = task.task;
            let done = self.perform(task.clone(), &moved);
            let mut line = self.line();
            line.running.retain(|(task, _)| task.task != number);
            if let Err(error) = done {
                tracing::warn!(task = number, cause = %error, "what was done with data could not be kept");
                // It is open as it was: the store may answer again, or the next start goes on with it.
                line.waiting.push_back(task);
                let open = |_: &mut Line| !self.closed.load(Ordering::Relaxed);
                drop(self.wake.wait_timeout_while(line, PAUSE, open));
            }
        }
    }

    /// Breaks off what is worked on, so that it is gone on with by the next start.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        // Under the lock, so that nobody looks before and sleeps after.
        let _line = self.line();
        self.wake.notify_all();
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<(TaskRow, Arc<AtomicU64>)> {
        let mut line = self.line();
        loop {
            if self.closed.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(task) = line.waiting.pop_front() {
                let moved = Arc::new(AtomicU64::new(0));
                line.running.push((task.clone(), Arc::clone(&moved)));
                return Some((task, moved));
            }
            line = self.wake.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Where a copy of a dataset lies at a site; the folder of the site's data area where no path is given.
    pub(crate) fn folder(&self, site: SiteId, dataset: &str, path: &str) -> Option<PathBuf> {
        let area = self.areas.get(&site)?;
        Some(if path.is_empty() { area.join("data").join(dataset) } else { PathBuf::from(path) })
    }

    /// Whether the folder of a copy is there.
    fn lies(&self, copy: &CopyRow) -> bool {
        let site = self.site_of(&copy.site);
        let folder = site.and_then(|site| self.folder(site, &copy.dataset, &copy.path));
        folder.is_some_and(|folder| folder.is_dir())
    }

    /// Whether this machine sees the files of a site.
    pub(crate) fn sees(&self, site: SiteId) -> bool {
        self.areas.contains_key(&site)
    }

    /// How many bytes of a task were read or written so far.
    pub(crate) fn moved(&self, task: u64) -> u64 {
        let line = self.line();
        let found = line.running.iter().find(|(running, _)| running.task == task);
        found.map_or(0, |(_, moved)| moved.load(Ordering::Relaxed))
    }

    /// What runs containers at a site.
    pub(crate) fn runtime(&self, site: SiteId) -> Option<ContainerRuntime> {
        self.federation.sites[site.index()].containers
    }

    fn site_name(&self, site: SiteId) -> &str {
        &self.federation.sites[site.index()].name
    }

    fn site_of(&self, name: &str) -> Option<SiteId> {
        self.federation.sites.iter().position(|site| site.name == name).map(SiteId::at)
    }

    /// Looks through what lies at a site: registers it where nothing is registered, and holds it against that otherwise.
    pub(crate) fn add(
        &self,
        data: &Dataset,
        site: SiteId,
        path: &str,
        by: &str,
    ) -> Result<TaskRow, Declined> {
        let about = &self.federation.sites[site.index()];
        if let Some(part) = data.reading_forbidden(site, about.country, about.assurance) {
            let text = policy::forbidden(data, part, &why(&self.federation, data, about, part));
            return Err(Declined::Forbidden { text });
        }
        let no_area = || Declined::NoArea { site: about.name.clone() };
        let folder = self.folder(site, &data.name, path).ok_or_else(no_area)?;
        self.may_register(site, &data.name, &folder)?;
        let path = path.to_owned();
        self.enqueue(|task| TaskRow {
            kind: TaskKind::Add,
            dataset: data.name.clone(),
            site: about.name.clone(),
            path,
            by: by.to_owned(),
            ..nothing(task)
        })
    }

    /// Where a folder that is to be registered really lies, if that may be: the journal, and the data of other sites and of other
    /// datasets, whose policy is another one, are not this dataset.
    fn may_register(&self, site: SiteId, dataset: &str, folder: &Path) -> Result<PathBuf, Declined> {
        let declined = |cause: String| Declined::Path { path: folder.display().to_string(), cause };
        if !folder.is_absolute() {
            return Err(declined("name it from the root on".into()));
        }
        if !folder.is_dir() {
            let cause = "there is no such folder; put the files there, or name another with `--path`";
            return Err(declined(cause.into()));
        }
        let real = folder.canonicalize().map_err(|error| declined(error.to_string()))?;
        if real.to_str().is_none() {
            return Err(declined("its path is not UTF-8".into()));
        }
        let areas = self.areas.iter();
        let areas = areas.map(|(&of, area)| (of, area.canonicalize().unwrap_or_else(|_| area.clone())));
        let areas: Vec<(SiteId, PathBuf)> = areas.collect();
        let own =
            |(of, area): &(SiteId, PathBuf)| *of == site && real.starts_with(area.join("data").join(dataset));
        let own = areas.iter().any(own);
        for (_, area) in &areas {
            // The data folder of the server has the areas two levels down.
            let home = area.ancestors().nth(2).unwrap_or(area);
            if area.starts_with(&real) || (real.starts_with(home) && home.parent().is_some() && !own) {
                return Err(declined(
                    "it belongs to the server; name a folder that holds this data only".into(),
                ));
            }
        }
        for copy in self.store.copies()?.iter().filter(|copy| copy.dataset != dataset) {
            let other = self.site_of(&copy.site).and_then(|at| self.folder(at, &copy.dataset, &copy.path));
            let Some(other) = other.and_then(|other| other.canonicalize().ok()) else { continue };
            if real.starts_with(&other) || other.starts_with(&real) {
                let of = &copy.dataset;
                return Err(declined(format!(
                    "it is registered as data `{of}`, whose policy holds for it; name a folder that holds this data only"
                )));
            }
        }
        Ok(real)
    }

    /// What it would take to bring a dataset to a site, if its policy lets that happen.
    pub(crate) fn plan(&self, data: &Dataset, target: SiteId) -> Result<StagingPlan, Declined> {
        self.may_copy(data, target)?;
        let no_area = |site| Declined::NoArea { site: self.site_name(site).to_owned() };
        if !self.sees(target) {
            return Err(no_area(target));
        }
        let no_copy = || Declined::NoCopy { dataset: data.name.clone() };
        let content = self.store.content(&data.name)?.ok_or_else(no_copy)?;
        let copies = self.store.copies_of(&data.name)?;
        let sound = copies.iter().filter(|copy| copy.sound && self.lies(copy));
        let sound: Vec<SiteId> = sound.filter_map(|copy| self.site_of(&copy.site)).collect();
        let there = sound.contains(&target);
        let amount = Bytes::of(content.bytes);
        // The fastest way, as the scheduler prices it.
        let way = |&source: &SiteId| {
            let wan = self.federation.network.between(source, target);
            (wan.time(amount), wan.cost(amount), source)
        };
        let ways =
            sound.iter().filter(|source| self.sees(**source) && (there || **source != target)).map(way);
        let source = if there { target } else { ways.min().ok_or_else(no_copy)?.2 };
        let wan = self.federation.network.between(source, target);
        Ok(StagingPlan { source, target, content, wan, there })
    }

    /// # Errors
    /// Names the part of the policy that forbids a copy at a site.
    fn may_copy(&self, data: &Dataset, target: SiteId) -> Result<(), Declined> {
        let site = &self.federation.sites[target.index()];
        let part: Option<Forbidding> = data.copying_forbidden(target, site.country, site.assurance);
        part.map_or(Ok(()), |part| {
            let text = policy::why_not_copied(&self.federation, data, site, part);
            Err(Declined::Forbidden { text })
        })
    }

    /// Brings a dataset to a site: what that takes, and the task, or `None` where it is there.
    pub(crate) fn stage(
        &self,
        data: &Dataset,
        target: SiteId,
        by: &str,
    ) -> Result<(StagingPlan, Option<TaskRow>), Declined> {
        let plan = self.plan(data, target)?;
        if plan.there {
            return Ok((plan, None));
        }
        let task = self.enqueue(|task| TaskRow {
            kind: TaskKind::Stage,
            dataset: data.name.clone(),
            site: self.site_name(target).to_owned(),
            source: Some(self.site_name(plan.source).to_owned()),
            by: by.to_owned(),
            bytes: plan.content.bytes,
            planned: Some(plan.time()),
            cost: plan.cost(),
            ..nothing(task)
        });
        task.map(|task| (plan, Some(task)))
    }

    /// Puts a task in the line, durably. The same task that is there already is answered as it is.
    fn enqueue(&self, task: impl FnOnce(u64) -> TaskRow) -> Result<TaskRow, Declined> {
        let _entering = self.entering.lock().unwrap_or_else(PoisonError::into_inner);
        let line = self.line();
        let task = task(line.last + 1);
        let open = line.waiting.iter().chain(line.running.iter().map(|(task, _)| task));
        let mut here = open.filter(|open| (&open.dataset, &open.site) == (&task.dataset, &task.site));
        match here.next() {
            Some(open) if (open.kind, &open.path) == (task.kind, &task.path) => return Ok(open.clone()),
            Some(open) => {
                return Err(Declined::Busy { dataset: task.dataset, site: task.site, task: open.task });
            }
            None => {}
        }
        // Whoever only looks is not kept waiting for the store.
        drop(line);
        self.store.add_task(&task)?;
        let mut line = self.line();
        line.last = task.task;
        line.waiting.push_back(task.clone());
        self.wake.notify_one();
        Ok(task)
    }

    /// Whether something is done with a dataset at a site.
    fn is_busy(&self, dataset: &str, site: &str) -> bool {
        let line = self.line();
        let mut open = line.waiting.iter().chain(line.running.iter().map(|(task, _)| task));
        open.any(|open| open.dataset == dataset && open.site == site)
    }

    fn perform(&self, mut task: TaskRow, moved: &AtomicU64) -> Result<(), StoreError> {
        let (dataset, site, by) = (task.dataset.clone(), task.site.clone(), task.by.clone());
        tracing::info!(task = task.task, dataset, site, by, kind = task.kind.word(), "work on data begins");
        let pulse = |bytes: u64| {
            moved.fetch_add(bytes, Ordering::Relaxed);
            self.go_on()
        };
        let done = match task.kind {
            TaskKind::Add => self.perform_add(&mut task, &pulse),
            TaskKind::Stage => self.perform_stage(&mut task, &pulse),
        };
        match done {
            Ok(()) => tracing::info!(task = task.task, dataset, site, "work on data is done"),
            Err(Broken::Tree(TreeError::Stopped)) => {}
            Err(Broken::Store(error)) => return Err(error),
            Err(Broken::Tree(error)) => {
                tracing::warn!(task = task.task, dataset, site, cause = %error, "work on data failed");
                self.fail(task, &error)?;
            }
        }
        Ok(())
    }

    /// Who may no longer act for the store stops; who can not tell waits.
    fn go_on(&self) -> Result<(), TreeError> {
        loop {
            match self.store.standing() {
                _ if self.closed.load(Ordering::Relaxed) => return Err(TreeError::Stopped),
                Standing::Held => return Ok(()),
                Standing::Unsure => std::thread::sleep(std::time::Duration::from_millis(200)),
                Standing::Over { .. } => return Err(TreeError::Stopped),
            }
        }
    }

    fn perform_add(&self, task: &mut TaskRow, pulse: tree::Pulse<'_>) -> Result<(), Broken> {
        let root = self.site_of(&task.site).and_then(|site| self.folder(site, &task.dataset, &task.path));
        let root = root.ok_or_else(|| no_longer(task))?;
        let site = self.site_of(&task.site).ok_or_else(|| no_longer(task))?;
        // Asked again, since a link may lead elsewhere by now.
        let real = self.may_register(site, &task.dataset, &root).map_err(Broken::from)?;
        let found = tree::scan(&real, pulse)?;
        let _guard = self.registering.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock();
        let known = self.store.manifest(&task.dataset)?;
        let difference = match &known {
            None => None,
            Some(known) => match Manifest::read(known) {
                Ok(known) => tree::difference(&known, &found),
                Err(error) => Some(format!("what is registered can not be read: {error}")),
            },
        };
        let content = ContentRow {
            dataset: task.dataset.clone(),
            digest: hex(&digest(&found)),
            files: found.files().len() as u64,
            bytes: found.bytes(),
            by: task.by.clone(),
            at: now,
        };
        let text = found.write();
        let first = known.is_none().then_some((&content, text.as_bytes()));
        let copy = CopyRow {
            dataset: task.dataset.clone(),
            site: task.site.clone(),
            path: task.path.clone(),
            sound: difference.is_none(),
            checked: now,
            said: difference.clone(),
        };
        task.bytes = found.bytes();
        task.ended = Some(now);
        (task.state, task.said) = match difference {
            None => (TaskState::Done, None),
            Some(difference) => (TaskState::Failed, Some(other_content(&task.dataset, &difference))),
        };
        // A folder that was named by mistake says nothing of the copy that jobs read.
        let other = |kept: &CopyRow| kept.site == copy.site && kept.path != copy.path;
        let by_mistake = !copy.sound && self.store.copies_of(&task.dataset)?.iter().any(other);
        let copy = Some(&copy).filter(|_| !by_mistake);
        self.store.end_task(&TaskEnd { task, content: first, copy })?;
        Ok(())
    }

    fn perform_stage(&self, task: &mut TaskRow, pulse: tree::Pulse<'_>) -> Result<(), Broken> {
        let data = self.federation.datasets.iter().find(|data| data.name == task.dataset);
        let site = self.site_of(&task.site);
        let (Some(data), Some(site)) = (data, site) else { return Err(no_longer(task).into()) };
        // Asked again, so that no line of tasks is a way around it.
        let differs = |what: String| TreeError::Differs { what };
        let plan = self.plan(data, site).map_err(Broken::from)?;
        task.source = Some(self.site_name(plan.source).to_owned());
        let known = self.store.manifest(&data.name)?.unwrap_or_default();
        let manifest = Manifest::read(&known);
        let manifest =
            manifest.map_err(|error| differs(format!("what is registered can not be read: {error}")))?;
        let source = self.store.copies_of(&data.name)?.into_iter();
        let source =
            source.filter(|copy| copy.site == self.site_name(plan.source)).map(|copy| copy.path).next();
        let from = source.and_then(|path| self.folder(plan.source, &data.name, &path));
        let (Some(from), Some(target)) = (from, self.folder(site, &data.name, "")) else {
            return Err(no_longer(task).into());
        };
        let area = &self.areas[&site];
        let (aside, lock) = (area.join("staging").join(&data.name), area.join("locks").join(&data.name));
        let from = FromFolder(from.canonicalize().map_err(tree::fault(&from))?);
        let staging = Staging { manifest: &manifest, aside: &aside, target: &target };
        let _alone = staging::lock(&lock, pulse)?;
        let staged = staging.bring(&from, pulse)?;
        let now = clock();
        (task.ended, task.state) = (Some(now), TaskState::Done);
        if staged == Staged::Before {
            (task.bytes, task.cost) = (0, Money::ZERO);
            task.said = Some("it was there, and is as registered".into());
        }
        let (dataset, site) = (task.dataset.clone(), task.site.clone());
        let copy = CopyRow { dataset, site, path: String::new(), sound: true, checked: now, said: None };
        self.store.end_task(&TaskEnd { task, content: None, copy: Some(&copy) })?;
        // What is left aside until then says that it was brought by this task.
        Ok(staging.clean()?)
    }

    /// Keeps that a task failed. A copy that was found not to be what is registered is read by no job from here on.
    fn fail(&self, task: TaskRow, error: &TreeError) -> Result<(), StoreError> {
        let (now, said) = (clock(), error.to_string());
        let at = match (task.kind, error) {
            (TaskKind::Add, _) => Some(task.site.clone()),
            (TaskKind::Stage, TreeError::Source { .. }) => task.source.clone(),
            (TaskKind::Stage, _) => None,
        };
        let copies = self.store.copies_of(&task.dataset)?.into_iter();
        let mut copies = copies.filter(|copy| {
            at.as_ref() == Some(&copy.site) && (task.kind == TaskKind::Stage || copy.path == task.path)
        });
        let copy = copies.next().map(|copy| CopyRow {
            sound: false,
            checked: now,
            said: Some(said.clone()),
            ..copy
        });
        let (ended, state) = (Some(now), TaskState::Failed);
        let task = TaskRow { ended, state, said: Some(said), bytes: 0, cost: Money::ZERO, ..task };
        self.store.end_task(&TaskEnd { task: &task, content: None, copy: copy.as_ref() })
    }
}

/// Why a task was not done.
#[derive(Debug, Error)]
enum Broken {
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Declined> for Broken {
    fn from(declined: Declined) -> Self {
        match declined {
            Declined::Store(error) => error.into(),
            declined => TreeError::Differs { what: declined.to_string() }.into(),
        }
    }
}

fn no_longer(task: &TaskRow) -> TreeError {
    let what = format!(
        "site `{}` or data `{}` can not be reached from this server any more",
        task.site, task.dataset
    );
    TreeError::Differs { what }
}

fn other_content(dataset: &str, difference: &str) -> String {
    format!(
        "it is not what is registered: {difference}; put the registered bytes back and add it again, or, if this is a new content, \
         describe it as a dataset of another name than `{dataset}`"
    )
}

/// A task of which nothing is known yet.
fn nothing(task: u64) -> TaskRow {
    TaskRow {
        task,
        kind: TaskKind::Add,
        dataset: String::new(),
        site: String::new(),
        source: None,
        path: String::new(),
        by: String::new(),
        asked: clock(),
        ended: None,
        state: TaskState::Open,
        bytes: 0,
        planned: None,
        cost: Money::ZERO,
        said: None,
    }
}

#[cfg(test)]
mod tests;
