//! The waiting jobs of a site in their order: owner's share, programme, project's fair share, age.
//!
//! Jobs of a project that ask for the same in the same way form a class: when one of them can not start now, none can.
//! The queue is derived from the jobs and from use; it decides nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use giga_model::{JobId, OwnerId, ProgrammeId, ProjectId};
use giga_units::Duration;

use crate::job::{Job, ShapeId};
use crate::plan::{Plan, SitePlan};

/// What makes jobs of one project alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    pub(crate) shape: ShapeId,
    pub(crate) limit: Duration,
    pub(crate) saves: bool,
}

impl Kind {
    fn of(job: &Job) -> Self {
        Self { shape: job.shape, limit: job.limit, saves: job.checkpoint.is_some() }
    }
}

/// Waiting jobs of one owner under one programme: its projects by what they used.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) programme: ProgrammeId,
    pub(crate) line: BTreeSet<(u64, ProjectId)>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct ProjectLine {
    classes: BTreeMap<Kind, VecDeque<JobId>>,
    /// The oldest job of each class.
    pub(crate) heads: BTreeMap<JobId, Kind>,
}

/// The waiting jobs of a site.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    /// By owner: its doors, the highest priority first.
    pub(crate) doors: Vec<Vec<Door>>,
    door_of: Vec<usize>,
    pub(crate) projects: Vec<ProjectLine>,
    /// Jobs waiting, by owner.
    pub(crate) waiting: Vec<u32>,
    /// How many kinds of jobs wait, over all projects.
    pub(crate) kinds: u32,
}

impl Queue {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut doors: Vec<Vec<Door>> = vec![Vec::new(); plan.owners];
        for project in &plan.projects {
            let line = &mut doors[project.owner.index()];
            if line.iter().all(|door| door.programme != project.programme) {
                line.push(Door { programme: project.programme, line: BTreeSet::new() });
            }
        }
        let priority = |id: ProgrammeId| plan.programmes[id.index()].priority;
        for line in &mut doors {
            line.sort_by_key(|door| (std::cmp::Reverse(priority(door.programme)), door.programme));
        }
        let door_of = plan.projects.iter().map(|project| {
            let doors = &doors[project.owner.index()];
            doors.iter().position(|door| door.programme == project.programme).expect("every project has a door")
        });
        let door_of = door_of.collect();
        let projects = vec![ProjectLine::default(); plan.projects.len()];
        Self { waiting: vec![0; plan.owners], doors, door_of, projects, kinds: 0 }
    }

    pub(crate) fn len(&self) -> u32 {
        self.waiting.iter().sum()
    }

    pub(crate) fn push(&mut self, plan: &Plan, use_: &Use, job: &Job) {
        let kind = Kind::of(job);
        let line = &mut self.projects[job.project.index()];
        let was_empty = line.heads.is_empty();
        let class = line.classes.entry(kind).or_default();
        let front = class.front().copied();
        let place = class.partition_point(|&other| other < job.id);
        class.insert(place, job.id);
        if place == 0 {
            match front {
                Some(front) => {
                    line.heads.remove(&front);
                }
                None => self.kinds += 1,
            }
            line.heads.insert(job.id, kind);
        }
        let owner = plan.projects[job.project.index()].owner;
        self.waiting[owner.index()] += 1;
        if was_empty {
            self.enter(owner, job.project, use_);
        }
    }

    pub(crate) fn remove(&mut self, plan: &Plan, use_: &Use, job: &Job) {
        let kind = Kind::of(job);
        let line = &mut self.projects[job.project.index()];
        let class = line.classes.get_mut(&kind).expect("a waiting job is in its class");
        let place = class.binary_search(&job.id).expect("a waiting job is in its class");
        class.remove(place);
        if place == 0 {
            line.heads.remove(&job.id);
            match class.front() {
                Some(&next) => {
                    line.heads.insert(next, kind);
                }
                None => {
                    line.classes.remove(&kind);
                    self.kinds -= 1;
                }
            }
        }
        let owner = plan.projects[job.project.index()].owner;
        self.waiting[owner.index()] -= 1;
        if self.projects[job.project.index()].heads.is_empty() {
            self.leave(owner, job.project, use_);
        }
    }

    /// Changes what a project has used, and keeps its place right.
    pub(crate) fn with_use(&mut self, plan: &Plan, use_: &mut Use, project: ProjectId, change: impl FnOnce(&mut Use)) {
        let owner = plan.projects[project.index()].owner;
        let waits = !self.projects[project.index()].heads.is_empty();
        if waits {
            self.leave(owner, project, use_);
        }
        change(use_);
        if waits {
            self.enter(owner, project, use_);
        }
    }

    /// Puts every project in its place anew, after the use of all of them changed.
    pub(crate) fn reorder(&mut self, use_: &Use) {
        for door in self.doors.iter_mut().flatten() {
            door.line = door.line.iter().map(|&(_, project)| (use_.project_key(project), project)).collect();
        }
    }

    fn enter(&mut self, owner: OwnerId, project: ProjectId, use_: &Use) {
        let door = &mut self.doors[owner.index()][self.door_of[project.index()]];
        door.line.insert((use_.project_key(project), project));
    }

    fn leave(&mut self, owner: OwnerId, project: ProjectId, use_: &Use) {
        let door = &mut self.doors[owner.index()][self.door_of[project.index()]];
        let was = door.line.remove(&(use_.project_key(project), project));
        assert!(was, "a project with waiting jobs stands in its door");
    }

    /// The first job in the order.
    pub(crate) fn first(&self, use_: &Use) -> Option<JobId> {
        let waiting = (0..self.waiting.len()).filter(|&owner| self.waiting[owner] > 0).map(OwnerId::at);
        let owner = waiting.min_by_key(|&owner| (use_.owner_key(owner), owner))?;
        let door = self.doors[owner.index()].iter().find(|door| !door.line.is_empty())?;
        let (_, project) = door.line.first()?;
        self.projects[project.index()].heads.keys().next().copied()
    }
}

/// Accelerator time used at a site, in accelerator-milliseconds: settled for what is over, held for what runs.
///
/// A start holds its whole limit, the end settles what it really took: so the order changes only at events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    owners: Vec<Ranked>,
    projects: Vec<Ranked>,
}

/// What one party used and holds, in accelerator-milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Account {
    pub(crate) settled: u128,
    pub(crate) held: u128,
}

giga_model::image! { struct Account { settled, held } }

/// An account with its place in the order, which is worked out when the account changes and not when it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ranked {
    account: Account,
    weight: u64,
    key: u64,
}

impl Ranked {
    fn new(weight: u64) -> Self {
        let mut ranked = Self { account: Account::default(), weight, key: 0 };
        ranked.change(|_| {});
        ranked
    }

    /// Changes the account; the key is what counts over the weight in millionths, in accelerator-seconds.
    fn change(&mut self, change: impl FnOnce(&mut Account)) {
        change(&mut self.account);
        let seconds = (self.account.settled + self.account.held) / 1000;
        let key = (seconds * 1_000_000).checked_div(u128::from(self.weight));
        self.key = key.map_or(u64::MAX, |key| u64::try_from(key).unwrap_or(u64::MAX));
    }
}

impl Use {
    pub(crate) fn new(plan: &Plan, site: &SitePlan) -> Self {
        Self {
            owners: site.shares.iter().map(|&share| Ranked::new(share)).collect(),
            projects: plan.projects.iter().map(|project| Ranked::new(project.weight)).collect(),
        }
    }
    pub(crate) fn owner_key(&self, owner: OwnerId) -> u64 {
        self.owners[owner.index()].key
    }
    pub(crate) fn project_key(&self, project: ProjectId) -> u64 {
        self.projects[project.index()].key
    }
    pub(crate) fn hold(&mut self, owner: OwnerId, project: ProjectId, amount: u128) {
        self.owners[owner.index()].change(|account| account.held += amount);
        self.projects[project.index()].change(|account| account.held += amount);
    }
    pub(crate) fn settle(&mut self, owner: OwnerId, project: ProjectId, held: u128, used: u128) {
        let settle = |account: &mut Account| {
            account.held -= held;
            account.settled += used;
        };
        self.owners[owner.index()].change(settle);
        self.projects[project.index()].change(settle);
    }
    pub(crate) fn halve(&mut self) {
        self.projects.iter_mut().for_each(|ranked| ranked.change(|account| account.settled /= 2));
    }
    pub(crate) fn turn_year(&mut self) {
        self.owners.iter_mut().for_each(|ranked| ranked.change(|account| account.settled = 0));
    }

    /// The accounts of all owners, then of all projects.
    pub(crate) fn accounts(&self) -> Vec<Account> {
        self.owners.iter().chain(&self.projects).map(|ranked| ranked.account).collect()
    }

    /// Takes over accounts as [`Use::accounts`] gives them; `false` where they are not as many.
    pub(crate) fn restore(&mut self, accounts: &[Account]) -> bool {
        let all = self.owners.iter_mut().chain(&mut self.projects);
        all.zip(accounts).for_each(|(ranked, account)| ranked.change(|old| *old = *account));
        accounts.len() == self.owners.len() + self.projects.len()
    }
}
