//! By how much random scenes of shared sites differ from weighted max-min, in parts of the tolerance of `tests/shares.rs`.
//!
//! Where an owner wants about as much as is left for it, its line settles in months, and three weeks see more or less than that.
#![expect(clippy::print_stdout, reason = "a bench prints")]
#![expect(dead_code, reason = "the tests check by what the scene knows")]

#[path = "../tests/scene/mod.rs"]
mod scene;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use scene::Scene;

const SCENES: usize = 300;

fn main() {
    for per_node in [1, 4] {
        let mut runner = TestRunner::deterministic();
        let scenes = scene::scenes(per_node);
        let next = |_| off(&scenes.new_tree(&mut runner).expect("nothing is filtered").current());
        let mut all: Vec<f64> = (0..SCENES).map(next).collect();
        all.sort_by(f64::total_cmp);
        let beyond = all.iter().filter(|off| **off > 1.0).count();
        let [median, p99, worst] = [SCENES / 2, SCENES * 99 / 100, SCENES - 1].map(|place| all[place]);
        println!(
            "nodes of {per_node}: {beyond} of {SCENES} beyond; median {median:.2}, p99 {p99:.2}, worst {worst:.2}"
        );
    }
}

/// By how much the owner that is the furthest from max-min is off, in parts of the tolerance.
fn off(scene: &Scene) -> f64 {
    let held = scene.held();
    let capacity = if scene.per_node == 1 { scene.accelerators.into() } else { held.iter().sum() };
    let expected = scene::max_min(capacity, &scene.shares, &scene.demands());
    let off = held.iter().zip(&expected).map(|(held, expected)| (held - expected).abs());
    off.fold(0.0, f64::max) / scene.tolerance()
}
