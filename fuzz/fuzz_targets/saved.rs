//! Saved runs: the frame, and the image of a run with some of its bytes changed. Whatever they are, they are read or
//! refused; what is read is written as the same bytes.
#![no_main]

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use giga_formats::saved;
use giga_model::sample::{accelerator, add_site, empty};
use giga_model::{
    Arrivals, Checkpoint, Failures, Federation, JobClass, Leaving, Length, Maintenance, Phase, ProgrammeId,
    Size, Workload,
};
use giga_twin::{Generator, Nowhere, Twin};
use giga_units::{Duration, Fraction, Instant};
use libfuzzer_sys::fuzz_target;

/// Two pools, a second phase, failures and windows, and more work than fits.
fn federation() -> Federation {
    let mut federation = empty();
    add_site(&mut federation, "north", &[(accelerator("A", 4, 2), 5), (accelerator("B", 1, 70), 9)]);
    let site = &mut federation.sites[0];
    let second = Phase { opens: Instant::unix_milliseconds(900_000_000), ..site.phases[0].clone() };
    site.phases.push(second);
    site.failures = Some(Failures { accelerator_mtbf: Duration::hours(100), repair: Duration::hours(9) });
    let (first, every) = (Instant::unix_milliseconds(500_000_000), Duration::days(30));
    site.maintenance = Some(Maintenance { first, every, length: Duration::hours(4) });
    let class = JobClass {
        name: "all".into(),
        programme: ProgrammeId(0),
        arrivals: Arrivals::Random { share: Fraction::ONE, daily: None },
        sizes: [1, 3, 4, 9].map(|accelerators| Size { accelerators, weight: Fraction::ONE }).to_vec(),
        length: Length::LogNormal { median: Duration::hours(3), sigma: Fraction::ONE },
        length_range: (Duration::hours(1), Duration::hours(30)),
        guess_max: Fraction::ppm(2_000_000),
        checkpoint: Checkpoint::Every(Duration::hours(1)),
        draw: Fraction::ONE,
        accelerators: Vec::new(),
        data: Vec::new(),
        leaving: Leaving::Nothing,
        assurance: None,
        slack: None,
        elastic: None,
    };
    let load = Fraction::ppm(900_000);
    federation.workload = Some(Workload { seed: 1, load, classes: vec![class], limits: Vec::new() });
    federation
}

/// The federation, and the image of a run that was stopped in the middle of it.
fn stopped() -> &'static (Arc<Federation>, Vec<u8>) {
    static STOPPED: OnceLock<(Arc<Federation>, Vec<u8>)> = OnceLock::new();
    STOPPED.get_or_init(|| {
        let federation = Arc::new(federation());
        let mut twin = Twin::new(Arc::clone(&federation), 1, federation.start, Instant::FAR);
        let work = Generator::new(Arc::clone(&federation), 1, federation.start).expect("there is work");
        let until = Instant::unix_milliseconds(200_000_000);
        let ran: Result<(), Infallible> =
            twin.run(&mut work.map(Ok), &mut Nowhere::<Infallible>::default(), until);
        ran.expect("nothing is kept");
        let mut image = Vec::new();
        twin.write_image(&mut image);
        (federation, image)
    })
}

fn check(federation: &Arc<Federation>, image: &[u8]) {
    if let Ok(twin) = Twin::read_image(Arc::clone(federation), image) {
        let mut once = Vec::new();
        twin.write_image(&mut once);
        let twin = Twin::read_image(Arc::clone(federation), &once).expect("what was written reads back");
        let mut again = Vec::new();
        twin.write_image(&mut again);
        assert!(once == again, "the image of an image is the same");
    }
}

fuzz_target!(|data: &[u8]| {
    let _ = saved::read(data, "0.1.0");
    let (federation, image) = stopped();
    check(federation, data);
    // Each four bytes change one of the image: two say where, one says how far, one what becomes of it.
    let mut image = image.clone();
    for change in data.chunks_exact(4).take(64) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) + usize::from(change[2]);
        let length = image.len();
        image[place % length] = change[3];
    }
    check(federation, &image);
    image.truncate(data.len() * 7 % image.len());
    check(federation, &image);
});
