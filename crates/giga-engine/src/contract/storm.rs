//! A storm: many attempts while supervisors are killed, attempts stopped and servers restarted in random order.
//!
//! Random is the order only; which interleaving the kernel makes of it differs from run to run. So the law is what
//! must hold in all of them: a program begins at most once, what is over stays as it was, and nothing lives after it.

use std::collections::BTreeMap;
use std::time::Instant as Clock;

use giga_model::{AttemptId, End, Launch};

use super::Bench;
use super::scene::{begun, launch};
use crate::{Engine, EngineError, Seen};

const ATTEMPTS: usize = 60;
const AT_ONCE: usize = 8;
/// How long a storm may take, in times of the bench's patience.
const PATIENCE: u32 = 8;

/// A small generator (xorshift); its seed is in the message of a failure.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 16) % sides as u64).expect("fewer sides than a usize counts")
    }
}

struct Storm<'a> {
    bench: &'a dyn Bench,
    engine: Box<dyn Engine>,
    dice: Dice,
    launches: Vec<Launch>,
    over: BTreeMap<AttemptId, Seen>,
}

pub(super) fn a_storm(bench: &dyn Bench) {
    let seed = std::env::var("GIGA_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()) + 1);
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let (engine, dice) = (bench.open(), Dice(seed));
        Storm { bench, engine, dice, launches: Vec::new(), over: BTreeMap::new() }.blow();
    }));
    if let Err(fault) = told {
        let text = fault.downcast_ref::<String>().cloned();
        panic!("with GIGA_SEED={seed}: {}", text.unwrap_or_else(|| "the storm failed".to_owned()));
    }
}

impl Storm<'_> {
    fn blow(mut self) {
        let from = Clock::now();
        while self.over.len() < ATTEMPTS {
            self.act();
            self.look();
            let late = from.elapsed() > self.bench.patience() * PATIENCE;
            let open = || {
                let seen = self.engine.observe().expect("an engine can be observed");
                seen.into_iter().filter(|(attempt, _)| !self.over.contains_key(attempt)).collect::<Vec<_>>()
            };
            assert!(!late, "{} of {ATTEMPTS} are over, but not {:?}", self.over.len(), open());
            // Some acts fall closer together than others.
            let count = u32::try_from(self.dice.below(8)).unwrap_or(0);
            std::thread::sleep(self.bench.pace() * count);
        }
        for launch in &self.launches {
            self.judge(launch);
        }
        let lost = self.over.values().filter(|seen| matches!(seen, Seen::Lost { .. })).count();
        assert!(0 < lost && lost < ATTEMPTS, "{lost} of {ATTEMPTS} are lost: this was no storm");
    }

    fn act(&mut self) {
        let live: Vec<&Launch> =
            self.launches.iter().filter(|launch| !self.over.contains_key(&launch.attempt)).collect();
        let chosen = (!live.is_empty()).then(|| live[self.dice.below(live.len())].clone());
        let room = self.launches.len() < ATTEMPTS && live.len() < AT_ONCE;
        match (self.dice.below(12), chosen) {
            (0..4, _) if room => self.begin(),
            (4..6, Some(launch)) => self.bench.kill_supervisor(launch.attempt),
            (6, Some(launch)) => self.engine.stop(launch.attempt).expect("an attempt can be stopped"),
            (7..9, Some(launch)) => self.start(&launch),
            (9, _) => self.engine = self.bench.open(),
            _ => {}
        }
    }

    fn begin(&mut self) {
        let lengths = ["exit 0", "sleep 0.03", "sleep 0.1 & setsid sleep 50 & wait $!", "sleep 0.2; exit 9"];
        let script = lengths[self.dice.below(lengths.len())];
        let launch = launch(self.bench, self.bench.fresh(), script);
        self.start(&launch);
        self.launches.push(launch);
    }

    /// Starts an attempt as a server does: what is unavailable is tried again by a later look.
    fn start(&self, launch: &Launch) {
        match self.engine.start(launch) {
            Ok(()) | Err(EngineError::Unavailable { .. }) => {}
            Err(fault) => panic!("{fault}"),
        }
    }

    /// Sees what became of all, and starts again what no one took.
    fn look(&mut self) {
        let seen = self.engine.observe().expect("an engine can be observed");
        for launch in &self.launches {
            let now = seen.get(&launch.attempt);
            if let Some(before) = self.over.get(&launch.attempt) {
                assert_eq!(now, Some(before), "what is over stays as it was");
            }
            match now {
                None | Some(Seen::Pending) => self.start(launch),
                Some(Seen::Ended(_) | Seen::Lost { .. }) => {
                    self.over.extend(now.map(|now| (launch.attempt, now.clone())));
                }
                Some(Seen::Running { .. } | Seen::Unclear { .. }) => {}
            }
        }
    }

    fn judge(&self, launch: &Launch) {
        let attempt = launch.attempt;
        let (begun, over) = (begun(self.bench, attempt), &self.over[&attempt]);
        assert!(begun <= 1, "`{attempt}` began {begun} times and is {over:?}");
        if let Seen::Ended(receipt) = over
            && matches!(receipt.end, End::Exited { .. })
        {
            assert_eq!(begun, 1, "`{attempt}` ended by itself: {receipt:?}");
        }
        let living = self.bench.living(&launch.env["MARK"]);
        assert!(living.is_empty(), "{living:?} of `{attempt}` still live, which is {over:?}");
    }
}
