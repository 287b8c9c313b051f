//! A year of 100,000 accelerators with generated work, to look at where the time goes.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "an example prints")]
use std::sync::Arc;

use giga_control::record::{HourRecord, JobRecord};
use giga_model::sample::{accelerator, add_site, empty, project};
use giga_model::*;
use giga_twin::{Generator, Sink, Twin};
use giga_units::*;

struct Count(u64, u64);
impl Sink for Count {
    type Error = std::convert::Infallible;
    fn job(&mut self, _: &JobRecord) -> Result<(), Self::Error> {
        self.0 += 1;
        Ok(())
    }
    fn hour(&mut self, _: &HourRecord) -> Result<(), Self::Error> {
        self.1 += 1;
        Ok(())
    }
}

fn main() {
    let load: u64 = std::env::args().nth(1).map_or(95, |text| text.parse().unwrap());
    let mut federation = empty();
    federation.owners = (0..5).map(|n| Owner { name: format!("owner{n}") }).collect();
    federation.programmes = ["large", "fast", "play", "data", "serve"]
        .iter()
        .enumerate()
        .map(|(n, name)| Programme { name: (*name).into(), priority: n as i32, gang_max: None, limit_max: None })
        .collect();
    federation.projects = (0..200)
        .map(|n| project(&format!("p{n}"), ProgrammeId(n % 5), OwnerId((n / 5) % 5)))
        .collect();
    let site = add_site(&mut federation, "narvik", &[(accelerator("GB300", 4, 18), 25_000)]);
    let site = &mut federation.sites[site.index()];
    site.failures = Some(Failures { accelerator_mtbf: Duration::hours(50_676), repair: Duration::hours(4) });
    site.maintenance = Some(Maintenance {
        first: Instant::unix_milliseconds(0) + Duration::days(30),
        every: Duration::days(91),
        length: Duration::hours(8),
    });
    let class = |name: &str, programme, share: u64, sizes: &[(u32, u64)], hours: i64, sigma: u64| JobClass {
        name: name.into(),
        programme: ProgrammeId(programme),
        arrivals: Arrivals::Random { share: Fraction::ppm(share * 10_000), daily: None },
        sizes: sizes.iter().map(|&(accelerators, w)| Size { accelerators, weight: Fraction::ppm(w * 10_000) }).collect(),
        length: Length::LogNormal { median: Duration::hours(hours), sigma: Fraction::ppm(sigma * 10_000) },
        length_range: (Duration::seconds(60), Duration::days(60)),
        guess_max: Fraction::ppm(3_000_000),
        checkpoint: Checkpoint::Young { cost: Duration::seconds(60) },
        draw: Fraction::ppm(800_000),
        accelerators: Vec::new(),
    };
    federation.workload = Some(Workload {
        seed: 1,
        load: Fraction::ppm(load * 10_000),
        classes: vec![
            class("pretraining", 0, 60, &[(1024, 30), (2048, 20), (4096, 10), (8192, 2)], 200, 80),
            class("fine-tuning", 1, 20, &[(8, 30), (16, 20), (64, 10), (256, 2)], 6, 120),
            class("experiments", 2, 10, &[(1, 30), (2, 20), (4, 10), (8, 10), (16, 10)], 4, 120),
            class("data", 3, 5, &[(4, 30), (32, 20)], 3, 100),
            class("serve", 4, 5, &[(8, 30), (16, 20)], 12, 50),
        ],
        limits: [1, 2, 4, 8, 12, 24, 48, 72, 168, 336, 720, 2000].map(Duration::hours).to_vec(),
    });
    let federation = Arc::new(federation);
    let start = federation.start;
    let end = start + Duration::days(365);
    let clock = std::time::Instant::now();
    let generator = Generator::new(Arc::clone(&federation), 1, start).unwrap();
    if std::env::args().nth(2).is_some() {
        let count = generator.take_while(|arrival| arrival.at < end).count();
        println!("generated {count} in {:?}", clock.elapsed());
        return;
    }
    let mut twin = Twin::new(Arc::clone(&federation), 1, start, end);
    let mut sink = Count(0, 0);
    let mut arrivals = generator.map(Ok::<_, std::convert::Infallible>);
    twin.run(&mut arrivals, &mut sink, end).unwrap();
    let summary = twin.finish(&mut sink).unwrap();
    println!("{:?}: {} jobs, {} hours", clock.elapsed(), sink.0, sink.1);
    println!("violations {} {:?}", summary.violations, summary.first_violations);
    println!("submitted {} completed {} refused {} running {} waiting {} interruptions {}", summary.submitted,
        summary.completed, summary.refused, summary.running, summary.waiting, summary.interruptions);
    let whole = summary.time.installed.as_hours_f64();
    for (name, part) in summary.time.parts() {
        println!("{name:>14} {:6.2} %", part.as_hours_f64() / whole * 100.0);
    }
    for row in &summary.waits {
        println!("{:>10} {:>9} n={} median {} p95 {}", federation.programmes[row.programme.index()].name, row.size,
            row.waits.count(), row.waits.quantile(50), row.waits.quantile(95));
    }
    println!("{}", summary.energy);
}
