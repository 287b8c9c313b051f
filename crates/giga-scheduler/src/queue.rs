//! The waiting jobs of a site in their order: owner's share, programme, project's fair share, age.
//!
//! Jobs of a project that ask for the same in the same way form a class: when one of them can not start now, none can.
//! The queue is derived from the jobs and from use; it decides nothing.

mod walk;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use giga_model::{JobId, OwnerId, ProgrammeId, ProjectId};
use giga_units::Duration;

use crate::job::{Job, ShapeId};
use crate::plan::{Plan, SitePlan};
use crate::store::BitSet;

/// What makes jobs alike: when one of a kind can not start now, no other of the same project can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    pub(crate) shape: ShapeId,
    pub(crate) saves: bool,
    pub(crate) limit: Duration,
}

impl Kind {
    pub(crate) fn of(job: &Job) -> Self {
        Self { shape: job.shape, saves: job.checkpoint.is_some(), limit: job.limit }
    }
}

/// Kinds of a shape that may start now: those up to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) shape: ShapeId,
    pub(crate) saves: bool,
    pub(crate) longest: Duration,
}

impl Open {
    fn range(self) -> std::ops::RangeInclusive<Kind> {
        let Self { shape, saves, longest } = self;
        Kind { shape, saves, limit: Duration::ZERO }..=Kind { shape, saves, limit: longest }
    }
}

/// Waiting jobs of one owner under one programme: its projects by what they used.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) programme: ProgrammeId,
    pub(crate) line: BTreeSet<(u64, ProjectId)>,
}

/// The waiting jobs of a project: by kind, each kind by age, and all of them by age.
#[derive(Debug, Clone, Default)]
struct ProjectLine {
    kinds: BTreeMap<Kind, VecDeque<JobId>>,
    all: BTreeMap<JobId, Kind>,
    /// How many of them can not be told to leave.
    firm: u32,
}

impl ProjectLine {
    /// The oldest job among some kinds.
    fn oldest_of(&self, some: impl Fn(&Kind) -> bool) -> Option<JobId> {
        let (&job, kind) = self.all.first_key_value()?;
        if some(kind) {
            return Some(job);
        }
        let fronts = self.kinds.iter().filter(|(kind, _)| some(kind)).filter_map(|(_, jobs)| jobs.front());
        fronts.min().copied()
    }

    /// The oldest job among the open kinds that it is allowed; these are in the order of their shapes.
    fn oldest(&self, open: &[Open], allowed: impl Fn(&Kind) -> bool) -> Option<JobId> {
        // Where most kinds are open the oldest jobs tell soon; where few are, their fronts do. Both are tried in step.
        let is_open = |kind: &Kind| {
            let place = open.binary_search_by_key(&(kind.shape, kind.saves), |open| (open.shape, open.saves));
            place.is_ok_and(|place| kind.limit <= open[place].longest) && allowed(kind)
        };
        let mut by_age = self.all.iter();
        let fronts = open.iter().flat_map(|open| self.kinds.range(open.range()));
        let mut fronts = fronts.filter(|(kind, _)| allowed(kind));
        let mut oldest: Option<JobId> = None;
        loop {
            let (&job, kind) = by_age.next()?;
            if is_open(kind) {
                return Some(job);
            }
            match fronts.next() {
                Some((_, jobs)) => oldest = oldest.into_iter().chain(jobs.front().copied()).min(),
                None => return oldest,
            }
        }
    }
}

/// The waiting jobs of a site.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    /// By owner: its doors, the highest priority first.
    pub(crate) doors: Vec<Vec<Door>>,
    door_of: Vec<usize>,
    owner_of: Vec<OwnerId>,
    projects: Vec<ProjectLine>,
    /// The projects with waiting jobs.
    waits: BitSet,
    /// Which projects have waiting jobs of a kind.
    kinds: BTreeMap<Kind, BTreeSet<ProjectId>>,
    /// How many kinds of a shape wait.
    shapes: BTreeMap<(ShapeId, bool), u32>,
    /// Jobs waiting, by owner, and all of them.
    pub(crate) waiting: Vec<u32>,
    len: u32,
}

/// Whether jobs of a kind of a project may start as far as shares go.
pub(crate) type Allowed<'a> = dyn Fn(ProjectId, &Kind) -> bool + 'a;

/// What is known of the first in the order where few places were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Few {
    /// It, or that there is none.
    First(Option<JobId>),
    /// There are too many places.
    Many,
}

/// The place of a project in the order.
type Place = (u64, OwnerId, usize, u64, ProjectId);

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
            doors
                .iter()
                .position(|door| door.programme == project.programme)
                .expect("every project has a door")
        });
        Self {
            door_of: door_of.collect(),
            owner_of: plan.projects.iter().map(|project| project.owner).collect(),
            projects: vec![ProjectLine::default(); plan.projects.len()],
            waits: BitSet::new(plan.projects.len()),
            kinds: BTreeMap::new(),
            shapes: BTreeMap::new(),
            waiting: vec![0; plan.owners],
            len: 0,
            doors,
        }
    }

    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    pub(crate) fn push(&mut self, accounts: &Use, job: &Job) {
        let kind = Kind::of(job);
        let line = &mut self.projects[job.project.index()];
        let was_empty = line.all.is_empty();
        line.all.insert(job.id, kind);
        line.firm += u32::from(!job.preemptible);
        let alike = line.kinds.entry(kind).or_default();
        if alike.is_empty() {
            let projects = self.kinds.entry(kind).or_default();
            if projects.is_empty() {
                *self.shapes.entry((kind.shape, kind.saves)).or_default() += 1;
            }
            projects.insert(job.project);
        }
        let place = alike.partition_point(|&other| other < job.id);
        alike.insert(place, job.id);
        self.waiting[self.owner_of[job.project.index()].index()] += 1;
        self.len += 1;
        if was_empty {
            self.waits.insert(job.project.index());
            self.enter(job.project, accounts);
        }
    }

    pub(crate) fn remove(&mut self, accounts: &Use, job: &Job) {
        let kind = Kind::of(job);
        let line = &mut self.projects[job.project.index()];
        line.all.remove(&job.id);
        line.firm -= u32::from(!job.preemptible);
        let alike = line.kinds.get_mut(&kind).expect("a waiting job is among its kind");
        let place = alike.binary_search(&job.id).expect("a waiting job is among its kind");
        alike.remove(place);
        if alike.is_empty() {
            line.kinds.remove(&kind);
            let projects = self.kinds.get_mut(&kind).expect("a waiting kind is known");
            projects.remove(&job.project);
            if projects.is_empty() {
                self.kinds.remove(&kind);
                let shape = (kind.shape, kind.saves);
                let count = self.shapes.get_mut(&shape).expect("a waiting kind has a shape");
                *count -= 1;
                if *count == 0 {
                    self.shapes.remove(&shape);
                }
            }
        }
        self.waiting[self.owner_of[job.project.index()].index()] -= 1;
        self.len -= 1;
        if self.projects[job.project.index()].all.is_empty() {
            self.waits.remove(job.project.index());
            self.leave(job.project, accounts);
        }
    }

    /// The shapes that wait, apart for jobs that save their progress and jobs that do not.
    pub(crate) fn shapes(&self) -> impl Iterator<Item = (ShapeId, bool)> + '_ {
        self.shapes.keys().copied()
    }

    /// Whether anything waits among the open kinds.
    pub(crate) fn has(&self, open: Open) -> bool {
        let Open { shape, saves, longest } = open;
        let shortest = self.kinds.range(Kind { shape, saves, limit: Duration::ZERO }..).next();
        shortest.is_some_and(|(kind, _)| (kind.shape, kind.saves) == (shape, saves) && kind.limit <= longest)
    }

    /// The first in the order among the open kinds, where these stand in few places; `None` where they stand in more
    /// than `most`.
    pub(crate) fn first_of_few(
        &self,
        accounts: &Use,
        open: &[Open],
        most: usize,
        allowed: &Allowed<'_>,
    ) -> Few {
        let mut seen = 0;
        let mut best: Option<(Place, JobId)> = None;
        for (kind, projects) in open.iter().flat_map(|open| self.kinds.range(open.range())) {
            seen += projects.len();
            if seen > most {
                return Few::Many;
            }
            for &project in projects {
                let place = self.place(accounts, project);
                // Most stand behind one that was found already: whether they are allowed does not matter.
                if best.is_some_and(|(first, _)| first < place) || !allowed(project, kind) {
                    continue;
                }
                let alike = &self.projects[project.index()].kinds[kind];
                let found = (place, *alike.front().expect("a known kind has jobs"));
                best = Some(best.map_or(found, |best| best.min(found)));
            }
        }
        Few::First(best.map(|(_, job)| job))
    }

    fn place(&self, accounts: &Use, project: ProjectId) -> Place {
        let owner = self.owner_of[project.index()];
        let door = self.door_of[project.index()];
        (accounts.owner_key(owner), owner, door, accounts.project_key(project), project)
    }

    /// The first in the order among the open kinds, found by going along the order.
    pub(crate) fn first_in_order(
        &self,
        accounts: &Use,
        open: &[Open],
        allowed: &Allowed<'_>,
    ) -> Option<JobId> {
        let line = |project: ProjectId| &self.projects[project.index()];
        let first = |project| line(project).oldest(open, |kind| allowed(project, kind));
        let owners = self.owners_in_order(accounts, |_| true);
        owners.into_iter().find_map(|owner| self.projects_of(owner).find_map(first))
    }

    /// The first in the order among the kinds that are allowed.
    pub(crate) fn first_allowed(&self, accounts: &Use, allowed: &Allowed<'_>) -> Option<JobId> {
        let owners = self.owners_in_order(accounts, |_| true);
        owners.into_iter().find_map(|owner| self.first_of(owner, allowed))
    }

    /// The first of an owner's jobs in their order among the kinds that are allowed.
    pub(crate) fn first_of(&self, owner: OwnerId, allowed: &Allowed<'_>) -> Option<JobId> {
        let line = |project: ProjectId| &self.projects[project.index()];
        self.projects_of(owner).find_map(|project| line(project).oldest_of(|kind| allowed(project, kind)))
    }

    /// The same among the jobs that are not left out.
    pub(crate) fn first_of_others(
        &self,
        owner: OwnerId,
        allowed: &Allowed<'_>,
        left_out: &BTreeSet<JobId>,
    ) -> Option<JobId> {
        self.projects_of(owner).find_map(|project| {
            let mut line = self.projects[project.index()].all.iter();
            let found = line.find(|(job, kind)| !left_out.contains(job) && allowed(project, kind));
            found.map(|(job, _)| *job)
        })
    }

    /// The same among the jobs that can not be told to leave.
    pub(crate) fn first_firm_of(&self, owner: OwnerId, firm: &Allowed<'_>) -> Option<JobId> {
        let line = |project: ProjectId| &self.projects[project.index()];
        let projects = self.projects_of(owner).filter(|&project| line(project).firm > 0);
        projects.into_iter().find_map(|project| line(project).oldest_of(|kind| firm(project, kind)))
    }

    /// The owners with waiting jobs that are meant, the one that used the least of its share first.
    pub(crate) fn owners_in_order(&self, accounts: &Use, meant: impl Fn(OwnerId) -> bool) -> Vec<OwnerId> {
        let mut owners: Vec<OwnerId> = self.waiting_owners().filter(|&owner| meant(owner)).collect();
        owners.sort_by_key(|&owner| (accounts.owner_key(owner), owner));
        owners
    }

    /// The projects of an owner with waiting jobs, in their order.
    fn projects_of(&self, owner: OwnerId) -> impl Iterator<Item = ProjectId> + '_ {
        self.doors[owner.index()].iter().flat_map(|door| door.line.iter().map(|&(_, project)| project))
    }

    /// The oldest waiting jobs of each project, so many of each and at most so many.
    pub(crate) fn oldest(&self, each: usize, most: usize) -> Vec<JobId> {
        let lines = self.waits.iter().map(|project| &self.projects[project]);
        let firsts = lines.flat_map(|line| line.all.keys().take(each).copied());
        firsts.take(most).collect()
    }

    fn waiting_owners(&self) -> impl Iterator<Item = OwnerId> + '_ {
        (0..self.waiting.len()).filter(|&owner| self.waiting[owner] > 0).map(OwnerId::at)
    }

    /// Changes what a project has used, and keeps its place right.
    pub(crate) fn with_use(&mut self, accounts: &mut Use, project: ProjectId, change: impl FnOnce(&mut Use)) {
        let waits = !self.projects[project.index()].all.is_empty();
        if waits {
            self.leave(project, accounts);
        }
        change(accounts);
        if waits {
            self.enter(project, accounts);
        }
    }

    /// Puts every project in its place anew, after the use of all of them changed.
    pub(crate) fn reorder(&mut self, accounts: &Use) {
        for door in self.doors.iter_mut().flatten() {
            door.line =
                door.line.iter().map(|&(_, project)| (accounts.project_key(project), project)).collect();
        }
    }

    fn door(&mut self, project: ProjectId) -> &mut Door {
        let owner = self.owner_of[project.index()];
        &mut self.doors[owner.index()][self.door_of[project.index()]]
    }

    fn enter(&mut self, project: ProjectId, accounts: &Use) {
        self.door(project).line.insert((accounts.project_key(project), project));
    }

    fn leave(&mut self, project: ProjectId, accounts: &Use) {
        let was = self.door(project).line.remove(&(accounts.project_key(project), project));
        assert!(was, "a project with waiting jobs stands in its door");
    }

    /// The first job in the order.
    pub(crate) fn first(&self, accounts: &Use) -> Option<JobId> {
        let owner = self.waiting_owners().min_by_key(|&owner| (accounts.owner_key(owner), owner))?;
        let door = self.doors[owner.index()].iter().find(|door| !door.line.is_empty())?;
        let (_, project) = door.line.first()?;
        self.projects[project.index()].all.keys().next().copied()
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
            owners: site.shares.iter().map(|share| Ranked::new(share.as_ppm())).collect(),
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

    /// Takes over accounts as [`Use::accounts`] gives them; `false` where they are not as many, or beyond all use.
    pub(crate) fn restore(&mut self, accounts: &[Account]) -> bool {
        let most = 1 << 100;
        if accounts.len() != self.owners.len() + self.projects.len()
            || accounts.iter().any(|account| account.settled > most || account.held > most)
        {
            return false;
        }
        let all = self.owners.iter_mut().chain(&mut self.projects);
        all.zip(accounts).for_each(|(ranked, account)| ranked.change(|old| *old = *account));
        true
    }
}
