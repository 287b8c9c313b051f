//! Where a job waits: at the site where it costs least, of those that the hard rules leave.
//!
//! Cost is in euro, at stated prices: waiting, electricity, carbon, moving data. It is an estimate made with the job's own time limit,
//! and what running and waiting work may take at most; it only ranks sites, and nobody is charged by it.

use giga_model::{JobRequest, Site, SiteId};
use giga_units::{CarbonPrice, Duration, Instant, Money};

use crate::Scheduler;
use crate::fit::Span;
use crate::job::Job;
use crate::plan::{Need, Plan};
use crate::state::State;

/// Over which time prices are averaged to rank sites for work that starts now.
const AHEAD: Duration = Duration::hours(24);
/// How far ahead cheap hours are looked for.
const HOURS_AHEAD: i64 = 7 * 24;
const HOUR: Duration = Duration::hours(1);

/// What an hour of electricity costs at a site: with carbon, facility included.
#[derive(Debug, Clone)]
pub(crate) struct Rates {
    about: Site,
    carbon_price: CarbonPrice,
}

/// µEUR for each kWh of running nodes.
type Rate = i64;

impl Rates {
    pub(crate) fn new(site: &Site, carbon_price: CarbonPrice) -> Self {
        let nothing = Site { pools: Vec::new(), phases: Vec::new(), shares: Vec::new(), ..site.clone() };
        Self { about: nothing, carbon_price }
    }

    /// Whether prices and carbon stay as they are.
    pub(crate) fn is_flat(&self) -> bool {
        self.about.price_series.is_none() && self.about.carbon_series.is_none()
    }

    /// The mean between two instants.
    pub(crate) fn mean(&self, from: Instant, to: Instant) -> Rate {
        let price = self.about.price_series.as_ref();
        let price =
            price.map_or(self.about.electricity_price.as_microeuro_per_kwh(), |all| all.mean(from, to));
        let carbon = self.about.carbon_series.as_ref();
        let carbon =
            carbon.map_or(self.about.carbon_intensity.as_milligrams_per_kwh(), |all| all.mean(from, to));
        // A tonne is 10^9 mg.
        let carbon =
            i128::from(carbon) * i128::from(self.carbon_price.as_microeuro_per_tonne()) / 1_000_000_000;
        let factor = i128::from(self.about.facility_factor.as_ppm());
        let rate = (i128::from(price) + carbon) * factor / 1_000_000;
        i64::try_from(rate).expect("a rate stays inside its range")
    }
}

/// What a place costs a job, part by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// How long it is expected to wait, the moving of its data included.
    pub wait: Duration,
    /// What that waiting is taken to cost.
    pub waiting: Money,
    /// Electricity and carbon, at the meter.
    pub energy: Money,
    /// Moving data there.
    pub transfer: Money,
}

impl Cost {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> Money {
        self.waiting + self.energy + self.transfer
    }
}

/// A site with what it costs there, and when it would be let into the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) site: SiteId,
    pub(crate) cost: Cost,
    /// Until when it is kept back for cheaper hours.
    pub(crate) deferred: Option<Instant>,
}

/// Means of the next day at each site, worked out once an hour.
#[derive(Debug, Clone, Default)]
pub(crate) struct Means {
    until: Option<Instant>,
    rates: Vec<Rate>,
}

impl Means {
    /// Works them out anew where the hour has changed.
    pub(crate) fn refresh(&mut self, plan: &Plan, now: Instant) {
        if self.until.is_some_and(|until| now < until) {
            return;
        }
        let flat = plan.sites.iter().all(|site| site.rates.is_flat());
        self.until = Some(if flat { Instant::FAR } else { hour_of(now) + HOUR });
        let from = hour_of(now);
        self.rates = plan.sites.iter().map(|site| site.rates.mean(from, from + AHEAD)).collect();
    }
}

impl Means {
    /// The mean at a site.
    pub(crate) fn rate(&self, site: SiteId) -> Rate {
        self.rates[site.index()]
    }
}

/// The beginning of the hour that an instant is in.
pub(crate) fn hour_of(now: Instant) -> Instant {
    let hour = HOUR.as_milliseconds();
    Instant::unix_milliseconds(now.as_unix_milliseconds().div_euclid(hour) * hour)
}

impl Scheduler {
    /// The cheapest of the possible places; the first of them where several cost the same.
    pub(crate) fn bind(
        &self,
        now: Instant,
        request: &JobRequest,
        possible: &[(SiteId, Vec<Need>)],
        means: &Means,
    ) -> Choice {
        if let [(site, _)] = possible
            && request.terms.as_ref().is_none_or(|terms| terms.deadline.is_none())
        {
            return Choice { site: *site, cost: Cost::default(), deferred: None };
        }
        let choices = possible.iter().map(|(site, ways)| {
            let cost = self.state.price(&self.plan, now, request, *site, ways, means.rate(*site));
            self.at_best_hour(now, request, &ways[0], Choice { site: *site, cost, deferred: None })
        });
        let cheapest = choices.min_by_key(|choice| choice.cost.total());
        cheapest.expect("an admitted job is possible somewhere")
    }

    /// The same choice, kept back for the hours that cost least where the job has time until then.
    fn at_best_hour(&self, now: Instant, request: &JobRequest, need: &Need, choice: Choice) -> Choice {
        let deadline = request.terms.as_ref().and_then(|terms| terms.deadline);
        let Some(deadline) = deadline else { return choice };
        // Waiting was agreed to; what the place is behind with has to fit in before the deadline too.
        let latest = deadline - request.limit - choice.cost.wait;
        let rates = &self.plan.sites[choice.site.index()].rates;
        let energy = |from: Instant| energy_cost(request, need, rates.mean(from, from + request.limit));
        let hours = (1..=HOURS_AHEAD).map(|hour| hour_of(now) + Duration::hours(hour));
        let later = hours.take_while(|from| *from <= latest).map(|from| (energy(from), from)).min();
        let at_once = energy(now);
        let (deferred, energy) = match later {
            Some((cost, from)) if cost < at_once => (Some(from), cost),
            _ => (None, at_once),
        };
        let late = now + choice.cost.wait + request.limit > deadline;
        let waiting = if late { choice.cost.waiting } else { Money::ZERO };
        Choice { cost: Cost { energy, waiting, ..choice.cost }, deferred, ..choice }
    }
}

impl State {
    /// What a site costs a request that comes now.
    pub(crate) fn price(
        &self,
        plan: &Plan,
        now: Instant,
        request: &JobRequest,
        site: SiteId,
        ways: &[Need],
        rate: Rate,
    ) -> Cost {
        let (moving, transfer) = transfer(plan, request, site);
        let wait = self.wait(plan, now, request, site, ways).max(moving);
        let hours = i128::from(wait.as_milliseconds()) * i128::from(request.asks.first().accelerators);
        let waiting = plan.policy.waiting_price.as_microeuro().saturating_mul(hours) / 3_600_000;
        let energy = energy_cost(request, &ways[0], rate);
        Cost { wait, waiting: Money::microeuro(waiting), energy, transfer }
    }

    /// How long a request is expected to wait at a site.
    ///
    /// Nothing where it starts at once. Where its owner may claim what it asks for, the time that others get to leave;
    /// otherwise what is ahead of it over the accelerators that work on that: of all, or of its owner's own work over its floor.
    fn wait(&self, plan: &Plan, now: Instant, request: &JobRequest, site: SiteId, ways: &[Need]) -> Duration {
        let book = &self.sites[site.index()];
        if book.drained {
            return Duration::days(3_650);
        }
        let span = Span { limit: request.limit, saves: request.checkpoint.is_some() };
        let open = self.release(plan, site, now, span).is_some();
        let free = book.power_free();
        let fits = |need: &Need| need.power <= free && self.has_nodes(need);
        if open && book.queue.len() == 0 && ways.iter().any(fits) {
            return Duration::ZERO;
        }
        let is_open =
            |need: &Need| need.power <= book.headroom && need.nodes <= self.pools[need.pool.index()].open;
        if book.capacity == 0 || !ways.iter().any(is_open) {
            let phases = &plan.sites[site.index()].phases[book.phases_open..];
            let opens = phases.first().map(|phase| phase.opens.since(now).max(Duration::ZERO));
            return opens.unwrap_or(Duration::days(365));
        }
        let owner = plan.projects[request.project.index()].owner;
        let floor = book.floors[owner.index()];
        let least = ways.iter().map(|need| u64::from(need.held())).min().unwrap_or(u64::MAX);
        let closed = book.closed.map_or(Duration::ZERO, |until| until.since(now));
        if plan.has_floors(site) && open && book.holdings.of(owner).all() + least <= floor {
            return plan.policy.grace;
        }
        let over = |work: u128, by: u64| i64::try_from(work / u128::from(by.max(1))).unwrap_or(i64::MAX / 4);
        let all = over(book.holdings.ahead(now), book.capacity);
        let own = if plan.has_floors(site) && floor > 0 {
            over(
                book.holdings.ahead_of(owner) + u128::from(book.holdings.of(owner).all()) * half(request),
                floor,
            )
        } else {
            i64::MAX
        };
        closed + Duration::milliseconds(all.min(own)).max(Duration::seconds(1))
    }

    /// The cost of the place where a waiting job is.
    pub(crate) fn cost_here(&self, plan: &Plan, now: Instant, job: &Job, rate: Rate) -> Cost {
        let ways = &self.shapes[job.shape.0 as usize].needs;
        let request = self.request_of(job);
        self.price(plan, now, &request, job.site, ways, rate)
    }

    /// What a waiting job would ask for if it came now.
    pub(crate) fn request_of(&self, job: &Job) -> JobRequest {
        JobRequest {
            project: job.project,
            asks: self.asks(job).clone(),
            limit: job.limit,
            checkpoint: job.checkpoint,
            draw: job.draw,
            terms: job.terms.clone(),
        }
    }
}

/// Milliseconds that an owner's running work is taken to have left: half of what the job itself asks for.
fn half(request: &JobRequest) -> u128 {
    u128::try_from(request.limit.as_milliseconds() / 2).unwrap_or(0)
}

/// How long it takes and what it costs to bring the data of a request to a site, each from the place that is the fastest.
fn transfer(plan: &Plan, request: &JobRequest, site: SiteId) -> (Duration, Money) {
    let Some(terms) = request.terms.as_ref().filter(|terms| !terms.data.is_empty()) else {
        return (Duration::ZERO, Money::ZERO);
    };
    let missing = terms.data.iter().map(|id| &plan.datasets[id.index()]);
    let missing = missing.filter(|data| !data.places.contains(&site));
    let moves = missing.filter_map(|data| {
        let ways = data.places.iter().map(|&place| plan.network.between(place, site));
        ways.map(|wan| (wan.time(data.size), wan.cost(data.size))).min()
    });
    moves.fold((Duration::ZERO, Money::ZERO), |(time, cost), (more, also)| (time + more, cost + also))
}

/// What the running of a request costs in electricity and carbon over all of its time limit.
fn energy_cost(request: &JobRequest, need: &Need, rate: Rate) -> Money {
    // mW times ms is µJ, and 3.6e12 µJ are a kWh.
    let work = i128::from(need.power.as_milliwatts()) * i128::from(request.limit.as_milliseconds());
    let drawn = work.saturating_mul(i128::from(request.draw.as_ppm())) / 1_000_000;
    Money::microeuro(drawn.saturating_mul(i128::from(rate)) / 3_600_000_000_000)
}
