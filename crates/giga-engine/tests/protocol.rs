//! The protocol of attempts on Slurm under simulated faults: messages that come late or never, a controller that stands still or
//! crashes and forgets what it had not saved, numbers that are given twice, nodes that nobody reaches, supervisors that are
//! killed, servers that begin anew at every point.
//!
//! `GIGA_STEPS` says how many steps the long run takes (a million unless set) and `GIGA_SEED` with which chance. A short world
//! that breaks a law is shrunk by proptest and kept beside this file.
#![cfg(target_os = "linux")]

mod protocol {
    pub(crate) mod server;
    pub(crate) mod world;
}

use proptest::prelude::*;

use protocol::server::Server;
use protocol::world::{Chance, World};

/// Steps of one world of the long run; then a new one begins.
const STEPS: u64 = 500;

/// Runs one world: so many steps with faults, and then without until everything is over.
fn run(chance: &mut dyn Chance, steps: u64) -> World {
    let mut world = World::new();
    let mut server = Server::begin(&world);
    for _ in 0..steps {
        world.step(chance, true);
        if chance.below(40) == 0 {
            server = Server::begin(&world);
        }
        if chance.below(3) == 0 {
            server.look(&mut world);
        }
        server.act(&mut world, chance, true);
    }
    for _ in 0..4_000 {
        if world.all_over() {
            break;
        }
        world.step(chance, false);
        server.look(&mut world);
        server.act(&mut world, chance, false);
    }
    world.judge();
    world
}

/// A small generator (splitmix64).
struct Dice(u64);

impl Chance for Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides.max(1)
    }
}

/// Choices one after the other, and the mildest when they are used up.
struct Tape(std::vec::IntoIter<u16>);

impl Chance for Tape {
    fn below(&mut self, sides: u64) -> u64 {
        self.0.next().map_or(sides.saturating_sub(1), |choice| u64::from(choice) % sides.max(1))
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
#[expect(clippy::print_stderr, reason = "a test says which chance it took and what it met")]
fn nothing_begins_twice_or_is_lost_in_a_million_steps() {
    let steps = number("GIGA_STEPS").unwrap_or(1_000_000);
    let first = number("GIGA_SEED").unwrap_or_else(|| u64::from(std::process::id()) << 20);
    let mut met = protocol::world::Met::default();
    for seed in first..first + steps / STEPS {
        let told = std::panic::catch_unwind(|| run(&mut Dice(seed), STEPS).met);
        let Ok(one) = told else { panic!("GIGA_SEED={seed} GIGA_STEPS={STEPS} shows it again") };
        met.add(&one);
    }
    eprintln!("seeds {first}..{}, {met:?}", first + steps / STEPS);
    assert!(met.is_a_storm(steps), "{met:?}: this was no storm");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_short_world_keeps_its_laws(tape in prop::collection::vec(any::<u16>(), 0..1_500)) {
        let steps = tape.len() as u64 / 6;
        run(&mut Tape(tape.into_iter()), steps);
    }
}
