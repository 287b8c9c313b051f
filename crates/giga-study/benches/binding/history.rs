//! A made-up federation of ten sites with work for some weeks, and what the twin says became of each job.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use giga_control::record::{HourRecord, JobRecord};
use giga_model::sample::{accelerator, add_site, empty, programme, project};
use giga_model::{
    Arrival, Arrivals, Checkpoint, DailyCurve, DataPolicy, Dataset, DatasetId, Federation, JobClass, JobId,
    Leaving, Length, Network, Owner, OwnerId, Preempt, Programme, ProgrammeId, Series, SiteId, Size, Wan,
    Workload,
};
use giga_twin::{Generator, Sink, Twin};
use giga_units::{
    Bytes, CarbonIntensity, CarbonPrice, DataRate, Duration, EnergyPrice, Fraction, Instant, Money,
};

/// Name, nodes of eight accelerators, EUR/MWh, gCO2e/kWh, power at the meter over power of the nodes in percent, and by how many
/// percent the price swings over the day. All made up: from cheap and clean to dear and dirty.
const SITES: [(&str, u32, i64, i64, u64, i64); 10] = [
    ("fjord", 24, 35, 30, 108, 0),
    ("lake", 20, 40, 25, 110, 20),
    ("river", 16, 48, 60, 112, 0),
    ("forest", 20, 55, 40, 115, 30),
    ("coast", 24, 62, 120, 115, 40),
    ("valley", 16, 70, 60, 118, 0),
    ("plain", 32, 85, 350, 120, 50),
    ("delta", 20, 90, 280, 120, 30),
    ("hill", 16, 105, 420, 125, 0),
    ("harbour", 24, 120, 600, 125, 40),
];
/// The owners' shares of the sites in percent, one row after the other in turn.
const SHARES: [[u64; 3]; 3] = [[50, 30, 20], [20, 40, 40], [34, 33, 33]];
const SAVED: ProgrammeId = ProgrammeId(0);
const FIRM: ProgrammeId = ProgrammeId(1);

fn percent(percent: u64) -> Fraction {
    Fraction::ppm(percent * 10_000)
}

/// The federation, with work that offers so many percent of what it has.
pub(crate) fn federation(load: u64) -> Federation {
    let mut federation = empty();
    federation.owners = ["union", "state", "town"].map(|name| Owner { name: name.into() }).to_vec();
    federation.programmes =
        vec![programme("saved"), Programme { preempt: Preempt::Never, ..programme("firm") }];
    let project = |(door, owner)| project(&format!("{door}-{owner}"), ProgrammeId(door), OwnerId(owner));
    federation.projects =
        (0..2).flat_map(|door| (0..3).map(move |owner| (door, owner))).map(project).collect();
    for (index, site) in SITES.into_iter().enumerate() {
        add(&mut federation, index, site);
    }
    federation.carbon_price = CarbonPrice::microeuro_per_tonne(80_000_000);
    let wan = Wan { rate: DataRate::bits_per_second(10_000_000_000), cost_per_terabyte: Money::euro(4) };
    federation.network = Network { common: wan, links: Vec::new() };
    federation.datasets = vec![scans(vec![SiteId(1), SiteId(8)])];
    let classes = classes();
    federation.workload = Some(Workload { seed: 1, load: percent(load), classes, limits: limits() });
    federation
}

fn add(federation: &mut Federation, index: usize, site: (&str, u32, i64, i64, u64, i64)) {
    let (name, nodes, price, carbon, factor, swing) = site;
    let id = add_site(federation, name, &[(accelerator("A", 8, 4), nodes)]);
    let shares = SHARES[index % SHARES.len()].iter().enumerate();
    let site = &mut federation.sites[id.index()];
    site.shares = shares.map(|(owner, share)| (OwnerId::at(owner), percent(*share))).collect();
    site.facility_factor = percent(factor);
    // The description says what the nodes can draw; the connection is as much larger as the facility needs.
    site.phases[0].power = site.phases[0].power.times(2);
    site.electricity_price = EnergyPrice::microeuro_per_kwh(price * 1_000);
    site.carbon_intensity = CarbonIntensity::milligrams_per_kwh(carbon * 1_000);
    // Cheap in the first half of the day, dear in the second.
    let hourly = |hour| price * (1_000 + if hour < 12 { -swing * 10 } else { swing * 10 });
    let series =
        Series::new(Instant::unix_milliseconds(0), Duration::hours(1), (0..24).map(hourly).collect());
    site.price_series = series.filter(|_| swing > 0);
}

/// Two terabytes that may be read anywhere.
fn scans(places: Vec<SiteId>) -> Dataset {
    let policy = DataPolicy {
        countries: Vec::new(),
        sites: Vec::new(),
        may_leave: Leaving::Everything,
        assurance: giga_model::Assurance::LOWEST,
    };
    Dataset { name: "scans".into(), holder: "clinic".into(), size: Bytes::gigabytes(2_000), places, policy }
}

fn limits() -> Vec<Duration> {
    [1, 2, 4, 8, 12, 24].map(Duration::hours).to_vec()
}

fn classes() -> Vec<JobClass> {
    let minutes = |minutes: i64| Checkpoint::Every(Duration::seconds(minutes * 60));
    vec![
        class("small", SAVED, 20, (&[1, 2, 4], 2), minutes(15)),
        class("node", SAVED, 35, (&[8, 16], 4), minutes(15)),
        class("gang", SAVED, 20, (&[32, 64], 6), minutes(15)),
        JobClass { data: vec![DatasetId(0)], ..class("scan", SAVED, 15, (&[8], 6), minutes(15)) },
        class("firm", FIRM, 10, (&[1, 8], 2), Checkpoint::None),
    ]
}

/// Work with a share of the load, sizes that are equally likely, and a median of so many hours.
fn class(
    name: &str,
    door: ProgrammeId,
    share: u64,
    (sizes, hours): (&[u32], i64),
    checkpoint: Checkpoint,
) -> JobClass {
    let daily = DailyCurve { peak_hour: 13, swing: percent(40) };
    JobClass {
        name: name.into(),
        programme: door,
        arrivals: Arrivals::Random { share: percent(share), daily: Some(daily) },
        sizes: sizes.iter().map(|&accelerators| Size { accelerators, weight: Fraction::ONE }).collect(),
        length: Length::LogNormal { median: Duration::hours(hours), sigma: percent(80) },
        length_range: (Duration::seconds(900), Duration::hours(24)),
        guess_max: percent(300),
        checkpoint,
        draw: Fraction::ONE,
        accelerators: Vec::new(),
        data: Vec::new(),
        leaving: Leaving::Nothing,
        assurance: None,
        slack: None,
        elastic: None,
    }
}

/// One stay of a job on its accelerators, as it was seen from minute to minute: never longer than it really was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stay {
    pub(crate) job: JobId,
    pub(crate) site: SiteId,
    pub(crate) held: u32,
    pub(crate) from: Instant,
    pub(crate) until: Instant,
}

/// What came, what became of it, and who was where.
pub(crate) struct History {
    /// By job.
    pub(crate) arrivals: Vec<Arrival>,
    pub(crate) records: BTreeMap<JobId, JobRecord>,
    pub(crate) stays: Vec<Stay>,
    pub(crate) recalls: u64,
    pub(crate) rebound: u64,
}

#[derive(Default)]
struct Records(BTreeMap<JobId, JobRecord>);

impl Sink for Records {
    type Error = Infallible;
    fn job(&mut self, row: &JobRecord) -> Result<(), Infallible> {
        self.0.insert(row.job, *row);
        Ok(())
    }
    fn hour(&mut self, _: &HourRecord) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Lets the twin live through the work of so many days, until the last of it has ended.
pub(crate) fn live(federation: &Arc<Federation>, seed: u64, days: i64) -> History {
    let (start, end) = (federation.start, federation.start + Duration::days(days));
    let generator = Generator::new(Arc::clone(federation), seed, start).expect("there is work");
    let arrivals: Vec<Arrival> = generator.take_while(|arrival| arrival.at < end).collect();
    let mut source = arrivals.iter().cloned().map(Ok::<_, Infallible>);
    let mut twin = Twin::new(Arc::clone(federation), seed, start, Instant::FAR);
    let (mut records, mut stays) = (Records::default(), BTreeMap::new());
    let mut now = start;
    while now < end || !twin.is_idle() {
        now = now + Duration::seconds(60);
        let Ok(()) = twin.run(&mut source, &mut records, now);
        look(&twin, now, &mut stays);
    }
    let Ok(summary) = twin.finish(&mut records);
    assert_eq!(summary.violations, 0, "{:?}", summary.first_violations);
    let stays = stays.into_values().collect();
    History { arrivals, records: records.0, stays, recalls: summary.recalls, rebound: summary.rebound }
}

fn look(twin: &Twin, now: Instant, stays: &mut BTreeMap<(JobId, u32), Stay>) {
    for job in twin.control().state().jobs() {
        let Some(run) = job.run() else { continue };
        let held = run.need.held();
        let seen = Stay { job: job.id, site: job.site, held, from: run.started, until: now };
        stays.entry((job.id, job.attempts)).and_modify(|stay| stay.until = now).or_insert(seen);
    }
}
