//! How far the choice of sites is from the best that could have been chosen, at sampled instants, by a bound that knows nothing of
//! how the scheduler thinks.
//!
//! A federation of ten sites lives through some weeks in the twin. At each sampled instant all jobs of the hour before are taken.
//! *The choice* cost what each job's last site costs for electricity, carbon and moving data, as the documents state it
//! (over the time limit, at the mean price of the day after it came), and the waiting price for all time from its arrival to its end
//! that its work does not take: the line, and what a recall undid. *The bound* places the same jobs again by a convex
//! programme (`binding/programme.rs`), once against what was free beside all other jobs, those that came later included (*others
//! stay*), and once beside the jobs that came before that hour (*later ones give way*).
//!
//! What the bound leaves out, each of which can only make it lower than the true optimum: jobs are cut into fractions, in time
//! and over sites; gangs need no nodes of one piece, and power is for all; it knows every run time and every arrival of the
//! hour ahead; shares bind nobody but firm work that could never run; data moves in no time; in a span of ten minutes all jobs
//! may come first. Where later ones give way, they do so at no cost, whatever the room was worth to them; so that gap also
//! has in it what is good for these jobs and bad for the next. Other work keeps the place and time that it really
//! had. So a gap says how far the choice is from the optimum **at most**; how much of it a better choice could have saved
//! is not known from it. *Foresight* is one schedule that could have been, others staying (`binding/foresight.rs`): the optimum
//! lies between the bound and the cheaper of it and the choice. Where the choice costs less, its gap to it is below zero.
//!
//! Arguments: load in percent (75), seed (1), count of instants (24); `order` makes shares an order, so that nothing is lent and
//! called back.
#![expect(clippy::print_stdout, reason = "a bench prints")]

#[path = "binding/foresight.rs"]
mod foresight;
#[path = "binding/history.rs"]
mod history;
#[path = "binding/programme.rs"]
mod programme;

use std::sync::Arc;

use foresight::Room;
use giga_model::{Arrival, Federation, JobId, JobRequest, Sharing, Site, SiteId};
use giga_units::{Duration, Instant};
use history::History;
use programme::{Problem, Task};

/// The first instant is after so many days, the others are so many hours apart.
const WARM_UP: i64 = 7;
const APART: i64 = 11;
/// So many days after the last instant work goes on coming.
const AFTER: i64 = 7;
const WINDOW: Duration = Duration::hours(1);

fn main() {
    // Cargo adds `--bench`.
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let (load, seed, count) =
        (numbers.next().unwrap_or(75), numbers.next().unwrap_or(1), numbers.next().unwrap_or(24) as i64);
    let mut federation = history::federation(load);
    if std::env::args().any(|argument| argument == "order") {
        federation.policy.sharing = Sharing::Order;
    }
    let federation = Arc::new(federation);
    assert_eq!(federation.flaws(), []);
    let days = WARM_UP + count * APART / 24 + AFTER;
    let history = history::live(&federation, seed, days);
    println!(
        "{} accelerators at {} sites, load {load} %, {days} days: {} jobs, {} recalls, {} moves while waiting",
        federation.accelerators_total(),
        federation.sites.len(),
        history.arrivals.len(),
        history.recalls,
        history.rebound,
    );
    println!(
        "                                  of the choice               others stay               later ones give way"
    );
    println!(
        "instant               jobs      choice       line   recalled       bound   gap %   foresight       bound   gap %"
    );
    let first = federation.start + Duration::days(WARM_UP);
    let samples: Vec<Sample> = (0..count)
        .filter_map(|index| Sample::take(&federation, &history, first + Duration::hours(APART * index)))
        .inspect(Sample::print)
        .collect();
    conclude(&samples);
}

/// What is known of an instant.
struct Sample {
    at: Instant,
    jobs: usize,
    /// Euro.
    choice: f64,
    /// The part of it for waiting before the first start, and for what came between that and the end.
    line: f64,
    recalled: f64,
    /// Beside all others.
    beside_all: f64,
    /// What one schedule would have cost beside all others.
    foresight: f64,
    /// Beside those that came before.
    beside_former: f64,
}

impl Sample {
    /// `None` where no work came in the hour before.
    fn take(federation: &Federation, history: &History, at: Instant) -> Option<Self> {
        let from = at - WINDOW;
        let came = |arrival: &&(JobId, &Arrival)| arrival.1.at >= from && arrival.1.at < at;
        let numbered = history.arrivals.iter().enumerate().map(|(index, job)| (JobId(index as u64), job));
        let jobs: Vec<(JobId, &Arrival)> =
            numbered.collect::<Vec<_>>().iter().filter(came).copied().collect();
        let first = jobs.first()?.0;
        let (mut choice, mut line, mut recalled, mut last) = (0.0, 0.0, 0.0, at);
        for &(id, arrival) in &jobs {
            let record = &history.records[&id];
            let (site, ended) =
                (record.site.expect("nothing is refused"), record.ended.expect("all has ended"));
            let idle = ended.since(arrival.at).saturating_sub(arrival.runtime.min(arrival.request.limit));
            let price = size(&arrival.request) * waiting_price(federation);
            choice += cost(federation, site, arrival) + idle.as_hours_f64() * price;
            line += record.waited.as_hours_f64() * price;
            recalled += idle.saturating_sub(record.waited).as_hours_f64() * price;
            last = last.max(ended);
        }
        let ends = spans(last.since(from).as_hours_f64());
        let last = jobs.last()?.0;
        let bound = |others: &dyn Fn(JobId) -> bool| {
            let problem = Problem {
                tasks: jobs.iter().map(|(_, arrival)| task(federation, from, arrival)).collect(),
                free: free(federation, history, from, others, &ends),
                ends: ends.clone(),
                waiting_price: waiting_price(federation),
            };
            let bound = problem.least().expect("what happened has room");
            assert!(bound <= choice * 1.000_1, "what happened costs less than the bound: {bound}");
            bound
        };
        let beside_all = bound(&|job| job < first || job > last);
        let foresight = foresight(federation, history, from, (first, last), &jobs);
        let beside_former = bound(&|job| job < first);
        Some(Self { at, jobs: jobs.len(), choice, line, recalled, beside_all, foresight, beside_former })
    }

    fn print(&self) {
        let Self { at, jobs, choice, line, recalled, beside_all, foresight, beside_former } = self;
        let (gap, other) = (percent_over(*choice, *beside_all), percent_over(*choice, *beside_former));
        print!("{at}  {jobs:>4}  {choice:>10.2} {line:>10.2} {recalled:>10.2}");
        println!("  {beside_all:>10.2}  {gap:>6.1}  {foresight:>10.2}  {beside_former:>10.2}  {other:>6.1}");
    }
}

/// By how many percent a cost is above a bound.
fn percent_over(cost: f64, bound: f64) -> f64 {
    (cost / bound - 1.0) * 100.0
}

fn conclude(samples: &[Sample]) {
    let say = |name: &str, bound: fn(&Sample) -> f64| {
        let gaps = || samples.iter().map(|sample| percent_over(sample.choice, bound(sample)));
        let (mean, worst) = (gaps().sum::<f64>() / samples.len() as f64, gaps().fold(0.0, f64::max));
        let sum = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>();
        let all = percent_over(sum(&|sample| sample.choice), sum(&bound));
        println!(
            "{name}: gap {mean:.1} % in the mean, {worst:.1} % at worst; of all euro together {all:.1} %"
        );
    };
    let part = |of: fn(&Sample) -> f64| {
        samples.iter().map(of).sum::<f64>() / samples.iter().map(|sample| sample.choice).sum::<f64>() * 100.0
    };
    let (line, recalled) = (part(|sample| sample.line), part(|sample| sample.recalled));
    println!("of the choice {line:.1} % is the line, {recalled:.1} % what recalls cost");
    say("others stay", |sample| sample.beside_all);
    say("by foresight", |sample| sample.foresight);
    say("later ones give way", |sample| sample.beside_former);
}

fn size(request: &JobRequest) -> f64 {
    f64::from(request.asks.first().accelerators)
}

/// Euro for an hour of an accelerator that waits.
fn waiting_price(federation: &Federation) -> f64 {
    federation.policy.waiting_price.as_euro_f64()
}

/// What a site costs a job in euro, waiting left out: worked out from the description alone.
fn cost(federation: &Federation, site: SiteId, arrival: &Arrival) -> f64 {
    let (about, request) = (&federation.sites[site.index()], &arrival.request);
    let kind = federation.accelerator_of(about.pools[0]);
    let kilowatts = kind.dynamic().as_milliwatts() as f64 / 1e6 * size(request) * request.draw.as_f64();
    let energy = kilowatts * request.limit.as_hours_f64() * about.facility_factor.as_f64();
    energy * per_kilowatt_hour(federation, about, arrival.at) + transfer(federation, site, request)
}

/// Electricity and carbon in the day after an instant, in euro.
fn per_kilowatt_hour(federation: &Federation, site: &Site, at: Instant) -> f64 {
    let day = at + Duration::days(1);
    let price = site.mean_price(at, day).as_microeuro_per_kwh() as f64 / 1e6;
    let tonnes = site.mean_intensity(at, day).as_milligrams_per_kwh() as f64 / 1e9;
    price + tonnes * federation.carbon_price.as_microeuro_per_tonne() as f64 / 1e6
}

/// Bringing the data of a job to a site from where that is cheapest, in euro.
fn transfer(federation: &Federation, site: SiteId, request: &JobRequest) -> f64 {
    let data = request.terms.iter().flat_map(|terms| &terms.data);
    let data = data.map(|id| &federation.datasets[id.index()]).filter(|data| !data.places.contains(&site));
    let cheapest = |data: &giga_model::Dataset| {
        let ways = data.places.iter().map(|place| federation.network.between(*place, site));
        ways.map(|way| way.cost(data.size).as_euro_f64()).fold(f64::INFINITY, f64::min)
    };
    data.map(cheapest).sum()
}

fn task(federation: &Federation, from: Instant, arrival: &Arrival) -> Task {
    let sites = (0..federation.sites.len()).map(SiteId::at);
    let possible = sites.filter(|site| may_run(federation, *site, &arrival.request));
    Task {
        arrives: arrival.at.since(from).as_hours_f64(),
        size: size(&arrival.request),
        length: arrival.runtime.min(arrival.request.limit).as_hours_f64(),
        places: possible.map(|site| (site.index(), cost(federation, site, arrival))).collect(),
    }
}

fn accelerators(federation: &Federation, site: &Site) -> f64 {
    site.pools.iter().map(|pool| federation.accelerators_in(*pool) as f64).sum()
}

/// Whether the hard rules let a job run at a site at all: it is large enough, and for firm work so is the owner's share.
fn may_run(federation: &Federation, site: SiteId, request: &JobRequest) -> bool {
    let (about, project) = (&federation.sites[site.index()], &federation.projects[request.project.index()]);
    let may_leave =
        federation.programmes[project.programme.index()].preempt.allows(request.checkpoint.is_some());
    let share = about.shares.iter().find(|(owner, _)| *owner == project.owner);
    let part = if may_leave { 1.0 } else { share.map_or(0.0, |(_, share)| share.as_f64()) };
    size(request) <= accelerators(federation, about) * part
}

/// The ends of spans that cover so many hours: of ten minutes first, then longer.
fn spans(hours: f64) -> Vec<f64> {
    let mut ends = vec![];
    let mut end = 0.0;
    while end < hours {
        end += if end < 3.99 {
            1.0 / 6.0
        } else if end < 11.99 {
            0.5
        } else {
            2.0
        };
        ends.push(end);
    }
    ends
}

/// By site and span: accelerator-hours beside those of other jobs.
fn free(
    federation: &Federation,
    history: &History,
    from: Instant,
    others: &dyn Fn(JobId) -> bool,
    ends: &[f64],
) -> Vec<Vec<f64>> {
    let begins: Vec<f64> = std::iter::once(0.0).chain(ends.iter().copied()).collect();
    let whole = |site: &Site| {
        let spans = begins.iter().zip(ends);
        spans.map(|(begin, end)| accelerators(federation, site) * (end - begin)).collect()
    };
    let mut free: Vec<Vec<f64>> = federation.sites.iter().map(whole).collect();
    for stay in history.stays.iter().filter(|stay| others(stay.job) && stay.until > from) {
        let (begin, end) = (stay.from.since(from).as_hours_f64(), stay.until.since(from).as_hours_f64());
        for (span, free) in free[stay.site.index()].iter_mut().enumerate() {
            let overlap = end.min(ends[span]) - begin.max(begins[span]);
            *free = (*free - overlap.max(0.0) * f64::from(stay.held)).max(0.0);
        }
    }
    free
}

/// What the jobs would have cost if placed with foresight, beside all others.
fn foresight(
    federation: &Federation,
    history: &History,
    from: Instant,
    (first, last): (JobId, JobId),
    jobs: &[(JobId, &Arrival)],
) -> f64 {
    let mut room = Room::new(federation.sites.iter().map(|site| accelerators(federation, site)).collect());
    let others = |stay: &&history::Stay| (stay.job < first || stay.job > last) && stay.until > from;
    for stay in history.stays.iter().filter(others) {
        let span = (stay.from.since(from).as_hours_f64(), stay.until.since(from).as_hours_f64());
        room.take(stay.site.index(), span, f64::from(stay.held));
    }
    let tasks: Vec<Task> = jobs.iter().map(|(_, arrival)| task(federation, from, arrival)).collect();
    room.place(&tasks, waiting_price(federation))
}
