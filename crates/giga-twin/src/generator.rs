//! Generated work: each class of a description as a seeded stream of jobs.
//!
//! A random class is a Poisson process whose rate offers its share of accelerator time; a daily curve and phases that
//! open later thin it out (Lewis and Shedler 1979, doi:10.1002/nav.3800260304). Floats stay in here: what leaves is
//! rounded to milliseconds once.

use std::sync::Arc;

use giga_model::{
    Arrival, Arrivals, Ask, Asks, Checkpoint, Federation, JobClass, JobRequest, Length, ProjectId, Terms,
};
use giga_model::{ProgrammeId, Workload};
use giga_units::{Duration, Fraction, Instant};

use crate::chance::{Chance, Purpose};

/// Mean time of one accelerator between failures where a description has none: Llama 3, one interruption in 50,676
/// accelerator-hours (arXiv:2407.21783). It only sets how often jobs save their progress.
const MTBF_HOURS: f64 = 50_676.0;

/// The jobs of a description's workload, in the order of their arrival.
#[derive(Debug, Clone)]
pub struct Generator {
    federation: Arc<Federation>,
    seed: u64,
    start: Instant,
    /// From when on how much of all accelerators is open, by date.
    open: Vec<(Instant, f64)>,
    streams: Vec<Stream>,
}

/// One class, or one project of a regular class.
#[derive(Debug, Clone)]
struct Stream {
    class: usize,
    entity: u64,
    projects: Vec<(u64, ProjectId)>,
    /// Cumulated weights of the sizes.
    sizes: Vec<(u64, u32)>,
    /// What every job of the class asks of place and time; `None` where nothing is asked, or each has a deadline.
    terms: Option<Arc<Terms>>,
    /// Mean milliseconds between two candidates, before thinning.
    gap: f64,
    /// How many candidates were drawn.
    drawn: u64,
    /// The next arrival, or `None` at the end.
    next: Option<Arrival>,
    at: f64,
}

impl Generator {
    /// The workload of a federation from `start` on, or `None` where it describes none.
    #[must_use]
    pub fn new(federation: Arc<Federation>, seed: u64, start: Instant) -> Option<Self> {
        let workload = federation.workload.clone()?;
        let streams = (0..workload.classes.len()).flat_map(|class| streams(&federation, &workload, class));
        let (streams, open) = (streams.collect(), open_parts(&federation));
        let mut generator = Self { federation, seed, start, open, streams };
        for index in 0..generator.streams.len() {
            generator.draw(index);
        }
        Some(generator)
    }

    fn workload(&self) -> &Workload {
        self.federation.workload.as_ref().expect("a generator has a workload")
    }

    /// Draws the next arrival of a stream.
    fn draw(&mut self, index: usize) {
        let class = &self.workload().classes[self.streams[index].class];
        let next = match class.arrivals {
            Arrivals::Regular { every, count } => self.regular(index, class, every, count),
            Arrivals::Random { .. } => self.random(index, class),
        };
        let stream = &mut self.streams[index];
        stream.next = next.map(|(arrival, drawn, at)| {
            (stream.drawn, stream.at) = (drawn, at);
            arrival
        });
    }

    fn regular(
        &self,
        index: usize,
        class: &JobClass,
        every: Duration,
        count: u32,
    ) -> Option<(Arrival, u64, f64)> {
        let stream = &self.streams[index];
        if stream.drawn >= u64::from(count) {
            return None;
        }
        let offset = every.as_milliseconds().saturating_mul(i64::try_from(stream.drawn).ok()?);
        let at = self.start + Duration::milliseconds(offset);
        let mut chance = Chance::of(self.seed, Purpose::Work, stream.entity, stream.drawn);
        let arrival = self.arrival(stream, class, at, &mut chance);
        self.sends(arrival.request.project, at).then(|| (arrival, stream.drawn + 1, stream.at))
    }

    fn random(&self, index: usize, class: &JobClass) -> Option<(Arrival, u64, f64)> {
        let stream = &self.streams[index];
        if stream.gap <= 0.0 || stream.projects.is_empty() {
            return None;
        }
        let (mut drawn, mut at) = (stream.drawn, stream.at);
        loop {
            let mut chance = Chance::of(self.seed, Purpose::Work, stream.entity, drawn);
            drawn += 1;
            at += chance.exponential() * stream.gap;
            if at > 1e15 {
                return None;
            }
            let instant = self.start + Duration::milliseconds(libm::round(at) as i64);
            if chance.uniform() < self.rate_at(class, instant) {
                let arrival = self.arrival(stream, class, instant, &mut chance);
                if self.sends(arrival.request.project, instant) {
                    return Some((arrival, drawn, at));
                }
                // The others go on as before: their work does not become more.
                if !stream.projects.iter().any(|&(_, project)| self.sends(project, instant)) {
                    return None;
                }
            }
        }
    }

    /// Whether a project still sends work at an instant.
    fn sends(&self, project: ProjectId, at: Instant) -> bool {
        self.federation.projects[project.index()].until.is_none_or(|until| at < until)
    }

    /// The rate at an instant over the highest rate that the stream is drawn at.
    fn rate_at(&self, class: &JobClass, at: Instant) -> f64 {
        let opened = self.open.partition_point(|&(opens, _)| opens <= at);
        let open = opened.checked_sub(1).map_or(0.0, |last| self.open[last].1);
        let Arrivals::Random { daily: Some(daily), .. } = class.arrivals else { return open };
        let hours = (at.as_unix_milliseconds().rem_euclid(86_400_000)) as f64 / 3.6e6;
        let angle = (hours - f64::from(daily.peak_hour)) / 24.0 * std::f64::consts::TAU;
        let swing = daily.swing.as_f64();
        open * (1.0 + swing * libm::cos(angle)) / (1.0 + swing)
    }

    fn arrival(&self, stream: &Stream, class: &JobClass, at: Instant, chance: &mut Chance) -> Arrival {
        let accelerators = pick(&stream.sizes, chance);
        let project = pick(&stream.projects, chance);
        let runtime = match class.length {
            Length::Fixed(length) => length,
            Length::LogNormal { median, sigma } => {
                let factor = libm::exp(sigma.as_f64() * chance.normal());
                let (least, most) = class.length_range;
                rounded(median.as_milliseconds() as f64 * factor).clamp(least, most)
            }
        };
        let guess = 1.0 + (class.guess_max.as_f64() - 1.0).max(0.0) * chance.uniform();
        let limit = self.limit(class, runtime, guess);
        let checkpoint = self.checkpoint(class, accelerators);
        let asks = asks(class, accelerators);
        let terms = match class.slack {
            None => stream.terms.clone(),
            Some(slack) => {
                Some(Arc::new(Terms { deadline: Some(at + slacked(limit, slack)), ..terms(class) }))
            }
        };
        Arrival {
            at,
            runtime,
            request: JobRequest { project, asks, limit, checkpoint, draw: class.draw, terms },
        }
    }

    /// What a user asks for who guesses so far above the true length; never more than the door lets in, if the work
    /// fits through it.
    fn limit(&self, class: &JobClass, runtime: Duration, guess: f64) -> Duration {
        let wanted = rounded(runtime.as_milliseconds() as f64 * guess).max(runtime);
        let limits = &self.workload().limits;
        let limit = limits.iter().copied().find(|&limit| limit >= wanted).unwrap_or(wanted);
        let longest = self.federation.programmes[class.programme.index()].limit_max;
        longest.filter(|&longest| runtime <= longest).map_or(limit, |longest| limit.min(longest))
    }

    fn checkpoint(&self, class: &JobClass, accelerators: u32) -> Option<Duration> {
        match class.checkpoint {
            Checkpoint::None => None,
            Checkpoint::Every(every) => Some(every),
            Checkpoint::Young { cost } => {
                let failures = self.federation.sites.iter().find_map(|site| site.failures);
                let hours = failures.map_or(MTBF_HOURS, |failures| failures.accelerator_mtbf.as_hours_f64());
                let between = hours * 3.6e6 / f64::from(accelerators);
                let every = libm::sqrt(2.0 * between * cost.as_milliseconds() as f64);
                Some(rounded(every).max(Duration::milliseconds(1)))
            }
        }
    }
}

impl Iterator for Generator {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let streams = self.streams.iter().enumerate();
        let pending = streams.filter_map(|(index, stream)| stream.next.as_ref().map(|next| (next.at, index)));
        let (_, index) = pending.min()?;
        let arrival = self.streams[index].next.take();
        self.draw(index);
        arrival
    }
}

fn streams(federation: &Federation, workload: &Workload, index: usize) -> Vec<Stream> {
    let class = &workload.classes[index];
    let projects = projects(federation, class.programme);
    let sizes = cumulated(class.sizes.iter().map(|size| (size.weight.as_ppm(), size.accelerators)));
    // Chance follows names, so that a class that is added leaves the others' jobs as they are.
    let alike = workload.classes[..index].iter().filter(|other| other.name == class.name).count().to_string();
    let asked = Some(terms(class)).filter(|terms| *terms != Terms::default()).map(Arc::new);
    let stream = |names: &[&str], projects, gap| Stream {
        class: index,
        entity: Chance::entity(&[&[class.name.as_str(), &alike], names].concat()),
        projects,
        sizes: sizes.clone(),
        terms: asked.clone(),
        gap,
        drawn: 0,
        next: None,
        at: 0.0,
    };
    match class.arrivals {
        Arrivals::Regular { .. } => {
            let name = |id: ProjectId| federation.projects[id.index()].name.as_str();
            projects.into_iter().map(|(_, id)| stream(&[name(id)], vec![(1, id)], 0.0)).collect()
        }
        Arrivals::Random { share, .. } => {
            vec![stream(&[], projects, mean_gap(federation, workload.load, share, class))]
        }
    }
}

/// Milliseconds between two candidates at the highest rate of a random class.
fn mean_gap(federation: &Federation, load: Fraction, share: Fraction, class: &JobClass) -> f64 {
    let offered = capacity(federation, Instant::FAR) * load.as_f64() * share.as_f64();
    let Arrivals::Random { daily, .. } = class.arrivals else { return 0.0 };
    let peak = 1.0 + daily.map_or(0.0, |daily| daily.swing.as_f64());
    if offered <= 0.0 { 0.0 } else { mean_size(class) * mean_length(class) / offered / peak }
}

/// Accelerators of the phases that are open at an instant.
fn capacity(federation: &Federation, at: Instant) -> f64 {
    let sites = federation.sites.iter();
    let open = sites.flat_map(|site| &site.phases).filter(|phase| phase.opens <= at);
    let nodes = open.flat_map(|phase| &phase.nodes);
    nodes.map(|&(pool, nodes)| f64::from(nodes) * f64::from(federation.accelerator_of(pool).per_node)).sum()
}

/// From each opening on the part of all accelerators that is open then.
fn open_parts(federation: &Federation) -> Vec<(Instant, f64)> {
    let all = capacity(federation, Instant::FAR);
    let phases = federation.sites.iter().flat_map(|site| &site.phases);
    let mut dates: Vec<Instant> = phases.map(|phase| phase.opens).collect();
    dates.sort_unstable();
    dates.dedup();
    dates.into_iter().map(|at| (at, capacity(federation, at) / all)).collect()
}

/// What a class asks of every job's place.
fn terms(class: &JobClass) -> Terms {
    Terms { data: class.data.clone(), leaving: class.leaving, assurance: class.assurance, ..Terms::default() }
}

/// How long a job may take that has so much slack, as a multiple of its limit.
fn slacked(limit: Duration, slack: Fraction) -> Duration {
    let time = i128::from(limit.as_milliseconds()) * i128::from(slack.as_ppm()) / 1_000_000;
    Duration::milliseconds(i64::try_from(time).unwrap_or(i64::MAX))
}

fn mean_size(class: &JobClass) -> f64 {
    let weights: f64 = class.sizes.iter().map(|size| size.weight.as_f64()).sum();
    class.sizes.iter().map(|size| size.weight.as_f64() * f64::from(size.accelerators)).sum::<f64>() / weights
}

/// The mean length in milliseconds, of the distribution as it is clamped to its range.
fn mean_length(class: &JobClass) -> f64 {
    let (median, sigma) = match class.length {
        Length::Fixed(length) => return length.as_milliseconds() as f64,
        Length::LogNormal { median, sigma } => (median.as_milliseconds() as f64, sigma.as_f64()),
    };
    let (least, most) =
        (class.length_range.0.as_milliseconds() as f64, class.length_range.1.as_milliseconds() as f64);
    if sigma <= 0.0 {
        return median.clamp(least, most);
    }
    let mu = libm::log(median);
    let below =
        |x: f64, shift: f64| if x <= 0.0 { 0.0 } else { normal_below((libm::log(x) - mu) / sigma - shift) };
    let whole = libm::exp(mu + sigma * sigma / 2.0);
    let inside = whole * (below(most, sigma) - below(least, sigma));
    least * below(least, 0.0) + most * (1.0 - below(most, 0.0)) + inside
}

/// The standard normal distribution function.
fn normal_below(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

fn projects(federation: &Federation, programme: ProgrammeId) -> Vec<(u64, ProjectId)> {
    let all = federation.projects.iter().enumerate().filter(|(_, project)| project.programme == programme);
    cumulated(all.map(|(index, project)| (project.weight.as_ppm(), ProjectId::at(index))))
}

fn cumulated<T>(weighted: impl Iterator<Item = (u64, T)>) -> Vec<(u64, T)> {
    let mut sum = 0;
    weighted
        .map(|(weight, thing)| {
            sum += weight;
            (sum, thing)
        })
        .collect()
}

/// One of the things, by their cumulated weights.
fn pick<T: Copy>(cumulated: &[(u64, T)], chance: &mut Chance) -> T {
    let (total, _) = *cumulated.last().expect("a class has sizes and projects");
    let draw = chance.below(total.max(1));
    let place = cumulated.partition_point(|&(sum, _)| sum <= draw);
    cumulated[place.min(cumulated.len() - 1)].1
}

fn asks(class: &JobClass, accelerators: u32) -> Asks {
    let mut kinds = class.accelerators.iter().map(|&kind| Ask { accelerator: Some(kind), accelerators });
    let first = kinds.next().unwrap_or(Ask { accelerator: None, accelerators });
    match class.elastic {
        None => Asks::any_of(first, kinds.collect()),
        Some(part) => {
            let least = part.of_count(accelerators.into()).max(1);
            Asks::elastic(first, u32::try_from(least).unwrap_or(accelerators))
        }
    }
}

/// The one place where a float becomes a time: rounded to milliseconds, at least one.
fn rounded(milliseconds: f64) -> Duration {
    Duration::milliseconds((libm::round(milliseconds) as i64).max(1))
}
