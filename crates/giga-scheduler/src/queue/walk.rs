//! The first so many of a line, as the order would be if each got what it asks for in turn.

use std::collections::VecDeque;

use giga_model::{JobId, OwnerId, ProjectId};

use super::{Allowed, Queue, Ranked, Use};

/// An owner in the walk: what it would hold, and its projects that still have jobs.
struct Lane {
    owner: OwnerId,
    ranked: Ranked,
    projects: Vec<Stop>,
}

/// A project in the walk.
struct Stop {
    door: usize,
    ranked: Ranked,
    project: ProjectId,
    /// Its jobs by age; worked out once it is its turn.
    jobs: Option<VecDeque<JobId>>,
}

impl Queue {
    /// The first so many jobs of the kinds that are allowed, each with its turn as if those before it held what they ask for.
    pub(crate) fn in_turn(
        &self,
        accounts: &Use,
        most: usize,
        allowed: &Allowed<'_>,
        asks_for: impl Fn(JobId) -> u128,
    ) -> Vec<JobId> {
        let lane = |owner: OwnerId| {
            let stop = |project: ProjectId| Stop {
                door: self.door_of[project.index()],
                ranked: accounts.projects[project.index()],
                project,
                jobs: None,
            };
            let projects = self.projects_of(owner).map(stop).collect();
            Lane { owner, ranked: accounts.owners[owner.index()], projects }
        };
        let mut lanes: Vec<Lane> = self.waiting_owners().map(lane).collect();
        let mut jobs = Vec::new();
        while jobs.len() < most {
            let Some(lane) = lanes.iter_mut().min_by_key(|lane| (lane.ranked.key, lane.owner)) else { break };
            let owner = lane.owner;
            match lane.next(|project| self.oldest_allowed(project, most, allowed), &asks_for) {
                Some(job) => jobs.push(job),
                None => lanes.retain(|lane| lane.owner != owner),
            }
        }
        jobs
    }

    /// The oldest jobs of a project among the kinds that are allowed.
    fn oldest_allowed(&self, project: ProjectId, most: usize, allowed: &Allowed<'_>) -> VecDeque<JobId> {
        let kinds = self.projects[project.index()].kinds.iter().filter(|(kind, _)| allowed(project, kind));
        let mut jobs: Vec<JobId> = kinds.flat_map(|(_, jobs)| jobs.iter().take(most).copied()).collect();
        jobs.sort_unstable();
        jobs.truncate(most);
        jobs.into()
    }
}

impl Lane {
    /// Its next job, which holds what it asks for from here on.
    fn next(
        &mut self,
        jobs_of: impl Fn(ProjectId) -> VecDeque<JobId>,
        asks_for: impl Fn(JobId) -> u128,
    ) -> Option<JobId> {
        loop {
            let stops = self.projects.iter_mut();
            let stop = stops.min_by_key(|stop| (stop.door, stop.ranked.key, stop.project))?;
            let project = stop.project;
            if let Some(job) = stop.jobs.get_or_insert_with(|| jobs_of(project)).pop_front() {
                let amount = asks_for(job);
                stop.ranked.change(|account| account.held += amount);
                self.ranked.change(|account| account.held += amount);
                return Some(job);
            }
            self.projects.retain(|stop| stop.project != project);
        }
    }
}
