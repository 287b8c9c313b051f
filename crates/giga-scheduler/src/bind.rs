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

/// What stands for a wait of which no end is known.
const NEVER: Duration = Duration::days(3_650);
/// Over how many hours prices are averaged to rank sites for work that starts now.
const AHEAD: i64 = 24;
/// How far ahead cheap hours are looked for.
const HOURS_AHEAD: i64 = 7 * 24;
const HOUR: Duration = Duration::hours(1);
/// How many cheapest starts are remembered for a site and hour.
const STARTS_MOST: usize = 512;
/// Longer work is priced as if it took so many hours.
const LENGTH_MOST: i64 = 60 * 24;

/// What an hour of electricity costs at a site: with carbon, facility included.
#[derive(Debug, Clone)]
pub(crate) struct Rates {
    about: Site,
    carbon_price: CarbonPrice,
    /// The mean of all hours.
    flat: Rate,
}

/// µEUR for each kWh of running nodes.
type Rate = i64;

impl Rates {
    pub(crate) fn new(site: &Site, carbon_price: CarbonPrice) -> Self {
        let nothing = Site { pools: Vec::new(), phases: Vec::new(), shares: Vec::new(), ..site.clone() };
        let mut rates = Self { about: nothing, carbon_price, flat: 0 };
        let start = Instant::unix_milliseconds(0);
        rates.flat = rates.mean(start, start);
        rates
    }

    /// Whether prices, carbon and what the building draws beside stay as they are.
    pub(crate) fn is_flat(&self) -> bool {
        let Site { price_series, carbon_series, overheads, .. } = &self.about;
        price_series.is_none() && carbon_series.is_none() && overheads.is_none()
    }

    /// The mean between two instants.
    pub(crate) fn mean(&self, from: Instant, to: Instant) -> Rate {
        let price = self.about.mean_price(from, to).as_microeuro_per_kwh();
        let carbon = self.about.mean_intensity(from, to).as_milligrams_per_kwh();
        // A tonne is 10^9 mg.
        let carbon =
            i128::from(carbon) * i128::from(self.carbon_price.as_microeuro_per_tonne()) / 1_000_000_000;
        let factor = i128::from(self.about.mean_factor(from, to).as_ppm());
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

/// What an hour costs at each site, as sums over the hours from the first that was asked for: so that a mean over any of them
/// takes two looks. It follows from the plan alone, and grows with the hours that are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Means {
    /// Hours since 1970 of the first.
    first: Option<i64>,
    /// By site: the sum of all hours before each.
    sums: Vec<Vec<i64>>,
    /// By site: the mean of the day from `day` on.
    day: i64,
    days: Vec<Rate>,
    /// By site: the cheapest start of work of a length up to an hour, among the hours from `day` on; by length and hour.
    starts: Vec<Vec<Start>>,
}

/// Which start is the cheapest for work of so many hours that begins at the latest then, and the sum of the rates of its hours.
#[derive(Debug, Clone, Copy)]
struct Start {
    length: i64,
    last: i64,
    sum: i64,
    from: i64,
}

impl Means {
    /// The sums before each hour of a site, from an hour on until another, that one included.
    fn sums(&mut self, plan: &Plan, site: SiteId, from: i64, until: i64) -> &[i64] {
        let first = *self.first.get_or_insert(from);
        if from < first {
            // Nobody asks for what is past, but a copy of the state may be older than what was asked before.
            *self = Self::default();
            return self.sums(plan, site, from, until);
        }
        self.sums.resize(plan.sites.len(), vec![0]);
        let sums = &mut self.sums[site.index()];
        let rates = &plan.sites[site.index()].rates;
        while (sums.len() as i64) <= until - first {
            let hour = Instant::of_hour(first + sums.len() as i64 - 1);
            sums.push(sums[sums.len() - 1] + rates.mean(hour, hour + HOUR));
        }
        &sums[(from - first) as usize..=(until - first) as usize]
    }

    /// The mean of the next day at a site.
    pub(crate) fn rate(&mut self, plan: &Plan, site: SiteId, now: Instant) -> Rate {
        self.turn(plan, now.hour());
        self.days[site.index()]
    }

    /// Works out anew what holds for an hour.
    fn turn(&mut self, plan: &Plan, hour: i64) {
        if self.day != hour || self.days.is_empty() {
            self.day = hour;
            self.starts = vec![Vec::new(); plan.sites.len()];
            let sites = (0..plan.sites.len()).map(SiteId::at);
            self.days = sites.map(|site| self.mean(plan, site, hour)).collect();
        }
    }

    /// The cheapest start of work of so many hours at a site, from this hour until the last that is meant.
    fn cheapest(&mut self, plan: &Plan, site: SiteId, (this, last): (i64, i64), length: i64) -> Start {
        self.turn(plan, this);
        let known = &self.starts[site.index()];
        let behind = match known.binary_search_by_key(&(length, last), |start| (start.length, start.last)) {
            Ok(place) => return known[place],
            Err(behind) => behind,
        };
        let sums = self.sums(plan, site, this, last + length);
        let costs = sums.iter().zip(&sums[length as usize..]).map(|(before, after)| after - before);
        let sum = costs.clone().min().expect("there is this hour");
        let from = costs.zip(this..).find(|(cost, _)| *cost == sum).map_or(this, |(_, from)| from);
        let start = Start { length, last, sum, from };
        if self.starts[site.index()].len() < STARTS_MOST {
            self.starts[site.index()].insert(behind, start);
        }
        start
    }

    fn mean(&mut self, plan: &Plan, site: SiteId, hour: i64) -> Rate {
        let rates = &plan.sites[site.index()].rates;
        if rates.is_flat() {
            return rates.flat;
        }
        let sums = self.sums(plan, site, hour, hour + AHEAD);
        (sums[AHEAD as usize] - sums[0]) / AHEAD
    }
}

/// Whether a request lets its start be chosen.
pub(crate) fn is_flexible(request: &JobRequest) -> bool {
    request.terms.as_ref().is_some_and(|terms| terms.deadline.is_some())
}

impl Scheduler {
    /// The cheapest of the possible places; the first of them where several cost the same.
    pub(crate) fn bind<'a>(
        &self,
        now: Instant,
        request: &JobRequest,
        mut possible: impl Iterator<Item = (SiteId, &'a [Need])> + Clone,
        means: &mut Means,
    ) -> Choice {
        let flexible = is_flexible(request);
        let mut best: Option<(Money, Choice)> = None;
        for (site, ways) in possible.by_ref() {
            let rate = means.rate(&self.plan, site, now);
            // Waiting costs nothing or more: a place that is too dear without it need not be asked how long that is.
            let least = energy_cost(request, &ways[0], rate);
            if !flexible && best.as_ref().is_some_and(|(total, _)| least >= *total) {
                continue;
            }
            let cost = self.state.price(&self.plan, now, request, site, ways, rate);
            let choice = Choice { site, cost, deferred: None };
            let choice =
                if flexible { self.at_best_hour(now, request, &ways[0], choice, means) } else { choice };
            let total = choice.cost.total();
            if best.as_ref().is_none_or(|(least, _)| total < *least) {
                best = Some((total, choice));
            }
        }
        best.expect("an admitted job is possible somewhere").1
    }

    /// The same choice, kept back for the hours that cost least where the job has time until then.
    fn at_best_hour(
        &self,
        now: Instant,
        request: &JobRequest,
        need: &Need,
        choice: Choice,
        means: &mut Means,
    ) -> Choice {
        let deadline = request.terms.as_ref().and_then(|terms| terms.deadline);
        let Some(deadline) = deadline else { return choice };
        // Waiting was agreed to; what the place is behind with has to fit in before the deadline too.
        let takes = need.time(request.limit);
        let latest = deadline - takes - choice.cost.wait;
        let this = now.hour();
        let last = latest.hour().min(this + HOURS_AHEAD);
        let length = takes.as_milliseconds().div_euclid(HOUR.as_milliseconds()).clamp(1, LENGTH_MOST);
        let flat = self.plan.sites[choice.site.index()].rates.is_flat();
        let last = if flat { this } else { this + coarse(last - this) };
        let Start { sum, from, .. } = means.cheapest(&self.plan, choice.site, (this, last), length);
        let deferred = (from > this).then(|| Instant::of_hour(from));
        let late = now + choice.cost.wait + takes > deadline;
        let waiting = if late { choice.cost.waiting } else { Money::ZERO };
        let energy = energy_cost(request, need, sum / length);
        Choice { cost: Cost { energy, waiting, ..choice.cost }, deferred, ..choice }
    }
}

/// How many hours ahead are looked at where so many could be: coarser the further ahead, so that work of a kind is looked at once.
fn coarse(hours: i64) -> i64 {
    match hours {
        ..=6 => hours.max(0),
        7..=24 => hours / 3 * 3,
        _ => hours / 12 * 12,
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
        self.cost_of(plan, request, &ways[0], wait, transfer, rate)
    }

    fn cost_of(
        &self,
        plan: &Plan,
        request: &JobRequest,
        need: &Need,
        wait: Duration,
        transfer: Money,
        rate: Rate,
    ) -> Cost {
        let seconds =
            (wait.as_milliseconds() / 1000).saturating_mul(i64::from(request.asks.first().accelerators));
        let price = i64::try_from(plan.policy.waiting_price.as_microeuro()).unwrap_or(i64::MAX);
        let waiting = Money::microeuro((seconds.saturating_mul(price) / 3_600).into());
        Cost { wait, waiting, energy: energy_cost(request, need, rate), transfer }
    }

    /// How long a request is expected to wait at a site.
    ///
    /// Nothing where it starts at once. Where its owner may claim what it asks for, the time that others get to leave;
    /// otherwise what is ahead of it over the accelerators that work on that: of all, or of its owner's own work over its floor.
    fn wait(&self, plan: &Plan, now: Instant, request: &JobRequest, site: SiteId, ways: &[Need]) -> Duration {
        let book = &self.sites[site.index()];
        if book.is_shut() {
            return NEVER;
        }
        let span = Span { limit: request.limit, saves: request.checkpoint.is_some() };
        let open = self.release(plan, site, now, span).is_some();
        let free = book.power_free();
        let fits = |need: &Need| need.power <= free && self.has_nodes(need);
        if open && book.queue.len() == 0 && ways.iter().any(fits) {
            return Duration::ZERO;
        }
        let open_within = |headroom| {
            let has =
                |need: &Need| need.power <= headroom && need.nodes <= self.pools[need.pool.index()].open;
            ways.iter().any(has)
        };
        if book.capacity == 0 || !open_within(book.headroom) {
            if let Some((_, until)) = book.limit
                && open_within(plan.headroom(site, book.phases_open))
            {
                return until.since(now).max(Duration::seconds(1));
            }
            let phases = &plan.sites[site.index()].phases[book.phases_open..];
            let opens = phases.first().map(|phase| phase.opens.since(now).max(Duration::ZERO));
            return opens.unwrap_or(NEVER);
        }
        let owner = plan.projects[request.project.index()].owner;
        let floor = book.floors[owner.index()];
        let least = ways.iter().map(|need| u64::from(need.held())).min().unwrap_or(u64::MAX);
        let closed = book.closed.map_or(Duration::ZERO, |until| until.since(now));
        let own = book.holdings.of(owner);
        if plan.has_floors(site) && open && own.all() + own.wanted + least <= floor {
            return plan.policy.grace;
        }
        let over = |work: u128, by: u64| {
            let work = u64::try_from(work).unwrap_or(u64::MAX);
            i64::try_from(work / by.max(1)).unwrap_or(i64::MAX).min(i64::MAX / 4)
        };
        let all = over(book.holdings.ahead(now), book.capacity);
        let own = if plan.has_floors(site) && floor > 0 {
            over(own.ahead() + u128::from(own.all()) * half(request), floor)
        } else {
            i64::MAX
        };
        closed + Duration::milliseconds(all.min(own)).max(Duration::seconds(1))
    }

    /// The cost of the place where a waiting job is. It is taken to wait at least as long again as it has at each place so far.
    pub(crate) fn cost_here(&self, plan: &Plan, now: Instant, job: &Job, rate: Rate) -> Cost {
        let ways = &self.shapes[job.shape.0 as usize].needs;
        let request = self.request_of(job);
        let Cost { wait, transfer, .. } = self.price(plan, now, &request, job.site, ways, rate);
        let so_far = now.since(job.submitted).as_milliseconds() / (1 + i64::from(job.moves));
        self.cost_of(plan, &request, &ways[0], wait.max(Duration::milliseconds(so_far)), transfer, rate)
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

/// What the running of a request costs in electricity and carbon over all of its time limit, to the watt-hour.
fn energy_cost(request: &JobRequest, need: &Need, rate: Rate) -> Money {
    let kilowatts_e6 = i64::try_from(need.power.as_milliwatts()).unwrap_or(i64::MAX);
    let drawn = kilowatts_e6.saturating_mul(request.draw.as_ppm().min(1_000_000) as i64) / 1_000_000;
    let watt_hours = drawn.saturating_mul(need.time(request.limit).as_milliseconds() / 1000) / 3_600_000;
    Money::microeuro((watt_hours.saturating_mul(rate) / 1000).into())
}
