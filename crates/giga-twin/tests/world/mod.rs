//! Small federations with generated work.

use giga_model::sample::{accelerator, add_site, empty};
use giga_model::{Arrivals, Checkpoint, Federation, JobClass, Leaving, Length, ProgrammeId, Size, Workload};
use giga_units::{Duration, Fraction};

pub(crate) fn percent(percent: u64) -> Fraction {
    Fraction::ppm(percent * 10_000)
}

/// Random arrivals at a constant rate that offer so many percent of the load.
pub(crate) fn share(share: u64) -> Arrivals {
    Arrivals::Random { share: percent(share), daily: None }
}

/// Jobs of one accelerator and about two hours that ask for exactly what they need and save nothing.
pub(crate) fn class(name: &str, arrivals: Arrivals) -> JobClass {
    JobClass {
        name: name.into(),
        programme: ProgrammeId(0),
        arrivals,
        sizes: vec![Size { accelerators: 1, weight: Fraction::ONE }],
        length: Length::LogNormal { median: Duration::hours(2), sigma: percent(50) },
        length_range: (Duration::seconds(1), Duration::days(30)),
        guess_max: Fraction::ONE,
        checkpoint: Checkpoint::None,
        draw: Fraction::ONE,
        accelerators: Vec::new(),
        data: Vec::new(),
        leaving: Leaving::Nothing,
        assurance: None,
        slack: None,
        elastic: None,
    }
}

/// One site with so many accelerators in nodes of four, and this work.
pub(crate) fn federation(accelerators: u32, classes: Vec<JobClass>, load: Fraction) -> Federation {
    let mut federation = empty();
    add_site(&mut federation, "north", &[(accelerator("A", 4, 18), accelerators / 4)]);
    federation.workload = Some(Workload { seed: 1, load, classes, limits: Vec::new() });
    federation
}
