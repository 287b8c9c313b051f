//! Why a job is where it is, answered from the state and without side effects.

use giga_model::{JobId, JobRequest, PoolId, Predecessor, SiteId};
use giga_units::{Instant, Power};

use crate::Scheduler;
use crate::admit::WaysMemo;
use crate::ahead::Ahead;
use crate::bind::{Choice, Cost, Means};
use crate::event::Rule;
use crate::fit::{Exit, Reserved, Span};
use crate::floors::Lines;
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
        /// Whether its site decides itself when it begins, and it has not yet.
        queued: bool,
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
    /// What runs work at its site does not answer.
    Silent,
    /// It is kept back for cheaper or cleaner hours.
    Deferred {
        /// Until when.
        until: Instant,
    },
    /// It comes after a job that lives.
    After {
        /// Which.
        job: JobId,
        /// Whether any end of that will do.
        any: bool,
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
    /// It would fit, but could delay the first in the line, which keeps its place, or others to which a start is promised.
    Reserved {
        /// From when on the room is kept for them.
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
        let first = self.first(site, now).and_then(|first| self.state.job(first));
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
            let (since, until, queued) = (run.started, run.release, run.queued);
            let (pool, nodes) = (run.need.pool, run.need.nodes);
            return Explanation::Running { since, until, pool, nodes, queued };
        }
        let first = self.first(job.site, now).unwrap_or(id);
        let promised = self.promises(job.site, now).into_iter().find(|(other, _)| *other == id);
        let room_at = match promised {
            Some((_, at)) => Some(at),
            None if job.awaits => None,
            None => self.state.reserve(&self.plan, now, job).map(|reserved| reserved.at),
        };
        let ways = &self.state.shapes[job.shape.0 as usize].needs;
        let because = self.start_of(job, ways, first, now).err().unwrap_or(Because::Due);
        // Room where nothing starts, for nobody knows how long, is of no use.
        let room_at = room_at.filter(|_| !matches!(because, Because::Drained | Because::Silent));
        Explanation::Waiting { because, first, room_at }
    }

    /// What would become of a request that came now.
    #[must_use]
    pub fn preview(&self, request: &JobRequest, now: Instant) -> Preview {
        let ways = WaysMemo::default().of(&self.plan, &request.asks);
        let mut possible = self.plan.possible(now, request, &ways);
        if possible.clone().next().is_none() {
            return Preview::Refused { rule: self.plan.why_nowhere(now, request) };
        }
        if let Some(gone) = self.state.gone_among(request.after()) {
            return Preview::Refused { rule: Rule::PredecessorOver { job: gone } };
        }
        let Choice { site, cost, deferred } =
            self.bind(now, request, possible.clone(), &mut Means::default());
        let (_, ways) = possible.find(|(id, _)| *id == site).expect("it binds to a possible site");
        let mut job = Job::new(&self.plan, self.state.next_job(), (site, ShapeId(u32::MAX)), request, now);
        job.deferred = deferred;
        job.awaits = self.state.live_among(job.predecessors()).is_some();
        let start = self.start_of(&job, ways, self.first(site, now).unwrap_or(job.id), now);
        let most = self.state.most_held(&self.plan, now, &job, &Lines::default());
        let within: Vec<Need> = ways.iter().filter(|need| need.held() <= most).copied().collect();
        let reserved = self.state.reserve_among(&self.plan, now, &job, &within);
        let room_at = reserved.as_ref().map(|reserved| reserved.at).filter(|_| !job.awaits);
        let (need, because) = match start {
            Ok(need) => (Some(need), Because::Due),
            Err(because) => (reserved.map(|reserved| reserved.need), because),
        };
        Preview::Placed { site, cost, need: need.unwrap_or(ways[0]), because, room_at }
    }

    /// In which way a waiting job could start now, or what keeps it from that.
    fn start_of(&self, job: &Job, ways: &[Need], first: JobId, now: Instant) -> Result<Need, Because> {
        let (exit, most) = self.may_start(job, ways, now)?;
        let free = self.state.sites[job.site.index()].power_free();
        let roomy: Vec<&Need> = ways.iter().filter(|need| self.state.has_nodes(need)).collect();
        if roomy.is_empty() {
            return Err(self.lacks_nodes(&ways[0]));
        }
        if roomy.iter().all(|need| need.power > free) {
            return Err(Because::Power { needed: roomy[0].power, free });
        }
        let reserved = match self.ahead(job.site, now, job.id) {
            Some((ahead, _)) => Some(Reserved::Depth(ahead)),
            None => {
                let first = self.state.job(first).filter(|_| first != job.id);
                first.and_then(|first| self.state.reserve(&self.plan, now, first)).map(Reserved::First)
            }
        };
        let way = self.state.way_now(job.site, ways, exit, reserved.as_ref(), most);
        way.map(|(need, ..)| need).ok_or_else(|| match &reserved {
            None => Because::Due,
            Some(Reserved::First(first)) => Because::Reserved { at: first.at },
            Some(Reserved::Depth(ahead)) => {
                let until = roomy.iter().map(|need| ahead.free_until(&self.state, need)).max();
                Because::Reserved { at: until.unwrap_or(now) }
            }
        })
    }

    /// When a job that started now would give its nodes back and how much it may hold, where neither its site nor its share keeps it
    /// from starting.
    fn may_start(&self, job: &Job, ways: &[Need], now: Instant) -> Result<(Exit, u32), Because> {
        let site = &self.state.sites[job.site.index()];
        if let Some(Predecessor { job, any }) = self.state.live_among(job.predecessors()) {
            return Err(Because::After { job, any });
        }
        if let Some(until) = job.deferred {
            return Err(Because::Deferred { until });
        }
        if site.drained {
            return Err(Because::Drained);
        }
        if site.silent {
            return Err(Because::Silent);
        }
        if let Some(claim) = site.claims.iter().find(|claim| claim.job == job.id) {
            return Err(Because::Recall { by: claim.by });
        }
        if let Some(until) = site.closed {
            return Err(Because::Maintenance { until });
        }
        let exit = self.state.release(&self.plan, job.site, now, Span::of(job)).ok_or_else(|| {
            let windows = self.plan.sites[job.site.index()].maintenance;
            Because::Window { begin: windows.map_or(now, |windows| windows.window_at(now).0) }
        })?;
        let lines = self.state.lines(&self.plan, job.site);
        let most = self.state.most_held(&self.plan, now, job, &lines);
        let needed = ways.iter().map(Need::held).min().unwrap_or(0);
        if needed > most { Err(Because::Floor { room: most, needed }) } else { Ok((exit, most)) }
    }

    /// The first in the line of a site.
    fn first(&self, site: SiteId, now: Instant) -> Option<JobId> {
        self.state.first(&self.plan, site, now, &self.state.lines(&self.plan, site))
    }

    /// When the first in the line of a site start at the latest, down to the depth of reservations where that is more than one: while
    /// all that runs takes as long as it may, nothing fails, and the order stays as it is. Of parts of nodes it is an estimate.
    #[must_use]
    pub fn promises(&self, site: SiteId, now: Instant) -> Vec<(JobId, Instant)> {
        self.ahead(site, now, JobId(u64::MAX)).map(|(_, promises)| promises).unwrap_or_default()
    }

    /// What those ahead of a job keep, with the starts promised to them; `None` where only the first keeps one.
    fn ahead(&self, site: SiteId, now: Instant, job: JobId) -> Option<(Ahead, Vec<(JobId, Instant)>)> {
        let line = self.state.line_ahead(&self.plan, site, now)?;
        let mut ahead = Ahead::new(&self.state, &self.plan, site, now);
        let lines = self.state.lines(&self.plan, site);
        let mut promises = Vec::new();
        for other in line.into_iter().take_while(|other| *other != job) {
            let about = self.state.job(other).expect("a queued job is live");
            let most = self.state.most_held(&self.plan, now, about, &lines);
            let at = ahead.reserve(&self.state, &self.plan, about, most);
            promises.extend(at.map(|at| (other, at)));
        }
        Some((ahead, promises))
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
