//! The hours of a run, gathered into what a page can show: power in some hundred steps, losses in some ten.
//!
//! It holds as much for a year as for ten: the steps grow with the run.

use giga_control::record::{HourRecord, TimeUse};
use giga_model::{Federation, SiteId};
use giga_units::{AcceleratorTime, Duration, Energy, Instant, Power};

use super::axis::Span;

/// The most steps of power, and the most columns of losses.
const STEPS_MAX: i64 = 400;
const COLUMNS_MAX: usize = 36;
const HOUR: Duration = Duration::hours(1);

/// What the hours of a run add up to, gathered row by row in the order of `hours.parquet`.
#[derive(Debug, Clone)]
pub struct Hours {
    pub(super) span: Span,
    /// The length of a step of power; the last may be shorter.
    pub(super) step: Duration,
    pub(super) sites: Vec<Curve>,
    /// All sites: the peaks are sums of the sites' hourly peaks, which the true peak does not exceed.
    pub(super) all: Curve,
    /// Beginnings of the columns of losses.
    pub(super) columns: Vec<(Instant, TimeUse)>,
    column: usize,
    /// The hour being added up over the sites.
    hour: (Instant, Power),
    busiest: Busiest,
}

/// Power over time.
#[derive(Debug, Clone, Default)]
pub(super) struct Curve {
    /// Energy by step.
    pub(super) energy: Vec<Energy>,
    /// The highest power by step.
    pub(super) peak: Vec<Power>,
}

/// A stretch of time at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Where.
    pub site: SiteId,
    /// When it begins.
    pub begin: Instant,
    /// When it ends.
    pub end: Instant,
}

/// The search for the busiest window: each site's running one, and the best so far.
#[derive(Debug, Clone)]
struct Busiest {
    length: Duration,
    running: Vec<(Instant, AcceleratorTime)>,
    best: Option<(AcceleratorTime, SiteId, Instant)>,
}

impl Hours {
    /// Gathers the hours of a run over this time, in which so many jobs came.
    #[must_use]
    pub fn new(federation: &Federation, begin: Instant, end: Instant, jobs: u64) -> Self {
        let span = Span { begin, end };
        let step = step(span.length());
        let steps =
            usize::try_from(span.length().as_milliseconds() / step.as_milliseconds()).unwrap_or(0) + 1;
        let curve = Curve { energy: vec![Energy::ZERO; steps], peak: vec![Power::ZERO; steps] };
        let nothing = (begin, AcceleratorTime::ZERO);
        Self {
            span,
            step,
            sites: vec![curve.clone(); federation.sites.len()],
            all: curve,
            columns: columns(span),
            column: 0,
            hour: (begin, Power::ZERO),
            busiest: Busiest {
                length: window(span.length(), jobs / federation.sites.len().max(1) as u64),
                running: vec![nothing; federation.sites.len()],
                best: None,
            },
        }
    }

    /// Adds a row.
    pub fn add(&mut self, row: &HourRecord) {
        if self.hour.0 != row.hour {
            self.hour = (row.hour, Power::ZERO);
        }
        self.hour.1 += row.peak;
        let step = row.hour.since(self.span.begin).as_milliseconds() / self.step.as_milliseconds();
        let step = usize::try_from(step).unwrap_or(0).min(self.all.energy.len() - 1);
        self.all.add(step, row.energy, self.hour.1);
        if let Some(curve) = self.sites.get_mut(row.site.index()) {
            curve.add(step, row.energy, row.peak);
        }
        while self.columns.get(self.column + 1).is_some_and(|(begin, _)| *begin <= row.hour) {
            self.column += 1;
        }
        if let Some((_, time)) = self.columns.get_mut(self.column) {
            *time += row.time;
        }
        self.busiest.add(self.span.begin, row);
    }

    /// The window in which a site delivered most, or `None` where nothing was delivered. It is as long as suits the
    /// number of jobs, and begins a multiple of its length after the run.
    #[must_use]
    pub fn busiest(&self) -> Option<Window> {
        let running = self.busiest.running.iter().enumerate();
        let last = running.map(|(site, &(begin, time))| (time, SiteId::at(site), begin));
        let first_of_most = |best: Option<(AcceleratorTime, SiteId, Instant)>,
                             next: (AcceleratorTime, SiteId, Instant)| {
            if best.is_none_or(|best| next.0 > best.0) { Some(next) } else { best }
        };
        let (most, site, begin) = last.fold(self.busiest.best, first_of_most)?;
        let end = (begin + self.busiest.length).min(self.span.end);
        (most > AcceleratorTime::ZERO && begin < end).then_some(Window { site, begin, end })
    }

    /// The steps of power, each from when to when.
    pub(super) fn steps(&self) -> impl Iterator<Item = Span> {
        let at = move |count: i64| {
            self.span.begin + Duration::milliseconds(self.step.as_milliseconds().saturating_mul(count))
        };
        let all = (0..).map(move |count| Span { begin: at(count), end: at(count + 1).min(self.span.end) });
        all.take(self.all.energy.len()).take_while(|step| step.begin < step.end)
    }
}

impl Curve {
    fn add(&mut self, step: usize, energy: Energy, peak: Power) {
        self.energy[step] += energy;
        self.peak[step] = self.peak[step].max(peak);
    }
}

impl Busiest {
    fn add(&mut self, start: Instant, row: &HourRecord) {
        let begin = start + row.hour.since(start).floor_to(self.length.max(HOUR));
        let Some(running) = self.running.get_mut(row.site.index()) else { return };
        if running.0 != begin {
            if self.best.is_none_or(|(most, ..)| running.1 > most) {
                self.best = Some((running.1, row.site, running.0));
            }
            *running = (begin, AcceleratorTime::ZERO);
        }
        running.1 += row.time.delivered;
    }
}

/// The shortest round step of which a run has at most [`STEPS_MAX`].
fn step(length: Duration) -> Duration {
    let round = [1, 3, 6, 12, 24, 24 * 7, 24 * 28].map(Duration::hours).into_iter();
    let longer = std::iter::successors(Some(Duration::days(56)), |step| Some(step.times(2)));
    let fits = |step: &Duration| length.as_milliseconds() / step.as_milliseconds() < STEPS_MAX;
    round.chain(longer.take(24)).find(fits).unwrap_or(Duration::MAX)
}

/// The longest round window in which about 50,000 jobs come to a site: in a longer one each would be too
/// short to be seen.
fn window(length: Duration, jobs: u64) -> Duration {
    let round = [168, 24, 6, 1].map(Duration::hours).into_iter();
    let shorter = [Duration::seconds(600), Duration::seconds(60), Duration::seconds(10)];
    let of = |window: Duration| {
        jobs as f64 * window.as_milliseconds() as f64 / length.as_milliseconds().max(1) as f64
    };
    round
        .chain(shorter)
        .find(|window| *window <= length && of(*window) <= 50_000.0)
        .unwrap_or(Duration::seconds(10))
}

/// Beginnings of equal steps of up to a week, months or years, at most [`COLUMNS_MAX`].
fn columns(span: Span) -> Vec<(Instant, TimeUse)> {
    let by = |step: Duration| move |at: Instant| at + step;
    let equal = [1, 6, 24, 168].map(Duration::hours).into_iter().map(|step| turns(span, by(step)));
    let mut all = equal.chain([turns(span, Instant::next_month), turns(span, Instant::next_year)]);
    let few = all.find(|turns| turns.len() <= COLUMNS_MAX);
    few.unwrap_or_else(|| turns(span, by(Duration::milliseconds(span.length().as_milliseconds() / 30 + 1))))
        .into_iter()
        .map(|begin| (begin, TimeUse::default()))
        .collect()
}

/// The beginning and all turns before the end, as far as there are not too many.
fn turns(span: Span, next: impl Fn(Instant) -> Instant) -> Vec<Instant> {
    let turns = std::iter::successors(Some(span.begin), |at| Some(next(*at)));
    turns.take_while(|at| *at < span.end).take(COLUMNS_MAX + 1).collect()
}
