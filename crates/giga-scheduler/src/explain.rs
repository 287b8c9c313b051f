//! Why a job is where it is, answered from the state and without side effects.

use giga_model::{JobId, JobRequest, PoolId, SiteId};
use giga_units::{Instant, Power};

use crate::Scheduler;
use crate::admit::places;
use crate::bind::{Cost, Means};
use crate::event::Rule;
use crate::fit::Span;
use crate::job::{Job, ShapeId};
use crate::plan::Need;

/// What there is to say about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Explanation {
    /// It ended, was refused, or never came.
    Gone,
    /// It was refused. The state keeps nothing of such a job: who saw the event can say so.
    Refused {
        /// By which rule.
        rule: Rule,
    },
    /// It runs.
    Running {
        /// Since when.
        since: Instant,
        /// Until when at the latest.
        until: Instant,
        /// In which pool.
        pool: PoolId,
        /// On how many nodes.
        nodes: u32,
    },
    /// It waits.
    Waiting {
        /// What keeps it from starting now.
        because: Because,
        /// The first in the line at its site.
        first: JobId,
        /// When there will be room for it if all that runs takes as long as it may and nothing else starts.
        room_at: Option<Instant>,
    },
}

/// What keeps a job from starting now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// Its site is out for maintenance.
    Maintenance {
        /// Until when.
        until: Instant,
    },
    /// Nothing more is to start at its site.
    Drained,
    /// It is kept back for cheaper or cleaner hours.
    Deferred {
        /// Until when.
        until: Instant,
    },
    /// It can not be told to leave, and its owner's floor is taken by such work; or its programme has all it may hold.
    Floor {
        /// What more it may hold, in accelerators.
        room: u32,
        /// What it needs.
        needed: u32,
    },
    /// Its owner may claim what it needs: others were told to leave.
    Recall {
        /// When the last of them has left.
        by: Instant,
    },
    /// It would run into a maintenance window and saves no progress.
    Window {
        /// When that begins.
        begin: Instant,
    },
    /// There are not enough free nodes.
    Nodes {
        /// In the pool of its first way.
        pool: PoolId,
        /// How many it needs.
        needed: u32,
        /// How many are wholly free.
        free: u32,
    },
    /// No node has enough accelerators free.
    Accelerators {
        /// In the pool of its first way.
        pool: PoolId,
        /// How many it needs on one node.
        needed: u16,
    },
    /// There are nodes, but not the power.
    Power {
        /// What it may draw above idle.
        needed: Power,
        /// What is left.
        free: Power,
    },
    /// It would fit, but could delay the first in the line, which keeps its place.
    Reserved {
        /// When the first will start at the latest.
        at: Instant,
    },
    /// It is among those that the next look at the queue will try.
    Due,
}

/// What would become of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preview {
    /// It can never run.
    Refused {
        /// By which rule.
        rule: Rule,
    },
    /// It would wait or start at a site.
    Placed {
        /// Where.
        site: SiteId,
        /// What it is expected to cost there, beside the accelerators.
        cost: Cost,
        /// In which of its ways, as far as is known now.
        need: Need,
        /// What would keep it from starting at once; [`Because::Due`] where nothing would.
        because: Because,
        /// When there will be room for it if all that runs takes as long as it may and nothing else starts.
        room_at: Option<Instant>,
    },
}

/// What the first in the line of a site lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lack {
    /// Free nodes or accelerators of the right shape.
    #[default]
    Room,
    /// Only power.
    Power,
    /// Time before a maintenance window.
    Time,
}

giga_model::image! { enum Lack { 0 => Room, 1 => Power, 2 => Time } }

impl Scheduler {
    /// What the first in the line of a site lacks; room where nobody waits.
    #[must_use]
    pub fn first_lacks(&self, site: SiteId, now: Instant) -> Lack {
        let first = self
            .state
            .first(&self.plan, site, now, &self.state.lines(&self.plan, site))
            .and_then(|first| self.state.job(first));
        let Some(first) = first else { return Lack::Room };
        if self.state.release(&self.plan, site, now, Span::of(first)).is_none() {
            return Lack::Time;
        }
        let free = self.state.power_free(site);
        let needs = &self.state.shapes[first.shape.0 as usize].needs;
        let lacks_power = needs.iter().any(|need| self.state.has_nodes(need) && need.power > free);
        if lacks_power { Lack::Power } else { Lack::Room }
    }

    /// Explains a job.
    #[must_use]
    pub fn explain(&self, id: JobId, now: Instant) -> Explanation {
        let Some(job) = self.state.job(id) else { return Explanation::Gone };
        if let Some(run) = job.run() {
            let (since, until) = (run.started, run.release);
            return Explanation::Running { since, until, pool: run.need.pool, nodes: run.need.nodes };
        }
        let first = self
            .state
            .first(&self.plan, job.site, now, &self.state.lines(&self.plan, job.site))
            .unwrap_or(id);
        let room_at = self.state.reserve(&self.plan, now, job).map(|reserved| reserved.at);
        let ways = &self.state.shapes[job.shape.0 as usize].needs;
        Explanation::Waiting { because: self.because(job, ways, first, now), first, room_at }
    }

    /// What would become of a request that came now.
    #[must_use]
    pub fn preview(&self, request: &JobRequest, now: Instant) -> Preview {
        let possible = match self.plan.admit(now, request) {
            Err(rule) => return Preview::Refused { rule },
            Ok(possible) => possible,
        };
        let mut means = Means::default();
        let choice = self.bind(now, request, places(&possible), &mut means);
        let site = choice.site;
        let (_, ways) =
            possible.into_iter().find(|(id, _)| *id == site).expect("it binds to a possible site");
        let cost = self.state.price(&self.plan, now, request, site, &ways, means.rate(&self.plan, site, now));
        let mut job = Job::new(&self.plan, self.state.next_job(), (site, ShapeId(u32::MAX)), request, now);
        job.deferred = choice.deferred;
        let reserved = self.state.reserve_among(&self.plan, now, &job, &ways);
        let because = self.because(
            &job,
            &ways,
            self.state.first(&self.plan, site, now, &self.state.lines(&self.plan, site)).unwrap_or(job.id),
            now,
        );
        let need = match because {
            Because::Due => ways.iter().find(|need| self.state.has_nodes(need)).copied(),
            _ => reserved.as_ref().map(|reserved| reserved.need),
        };
        let room_at = reserved.map(|reserved| reserved.at);
        Preview::Placed { site, cost, need: need.unwrap_or(ways[0]), because, room_at }
    }

    fn because(&self, job: &Job, ways: &[Need], first: JobId, now: Instant) -> Because {
        let site = &self.state.sites[job.site.index()];
        if let Some(until) = job.deferred {
            return Because::Deferred { until };
        }
        if site.drained {
            return Because::Drained;
        }
        if let Some(claim) = site.claims.iter().find(|claim| claim.job == job.id) {
            return Because::Recall { by: claim.by };
        }
        if let Some(until) = site.closed {
            return Because::Maintenance { until };
        }
        let Some(release) = self.state.release(&self.plan, job.site, now, Span::of(job)) else {
            let windows = self.plan.sites[job.site.index()].maintenance;
            return Because::Window { begin: windows.map_or(now, |windows| windows.window_at(now).0) };
        };
        let lines = self.state.lines(&self.plan, job.site);
        let most = self.state.most_held(&self.plan, now, job, &lines);
        let needed = ways.iter().map(Need::held).min().unwrap_or(0);
        if needed > most {
            return Because::Floor { room: most, needed };
        }
        let roomy: Vec<&Need> = ways.iter().filter(|need| self.state.has_nodes(need)).collect();
        if roomy.is_empty() {
            return self.lacks_nodes(&ways[0]);
        }
        if roomy.iter().all(|need| need.power > site.power_free()) {
            return Because::Power { needed: roomy[0].power, free: site.power_free() };
        }
        let reserved = self.state.job(first).filter(|_| first != job.id);
        let reserved = reserved.and_then(|first| self.state.reserve(&self.plan, now, first));
        let start = self.state.way_now(job.site, ways, release, reserved.as_ref(), most);
        match (start, reserved) {
            (None, Some(reserved)) => Because::Reserved { at: reserved.at },
            _ => Because::Due,
        }
    }

    fn lacks_nodes(&self, need: &Need) -> Because {
        let pool = &self.state.pools[need.pool.index()];
        if pool.is_part(need) {
            Because::Accelerators { pool: need.pool, needed: need.each }
        } else {
            Because::Nodes { pool: need.pool, needed: need.nodes, free: pool.whole_free }
        }
    }
}
